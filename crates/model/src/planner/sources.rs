//! How the objects of a commit come into a slot's clone: by git on the host, or by what the deployer sends.

use std::collections::BTreeSet;

use super::context::HostPlanning;
use crate::app::bundle::{Base, Bases, Bundles};
use crate::app::package::FetchedPackage;
use crate::app::remote_url::RemoteUrl;
use crate::config::SourceName;
use crate::host::diagnosis::{Diagnosis, DiagnosisKind, Severity};
use crate::host::facts::SlotFacts;
use crate::names::{CommitId, SlotName};
use crate::plan::action::{Action, GitAction, Sent};
use crate::plan::refusal::Refusal;
use crate::plan::{HostWork, Plan, Target};
use crate::release::Release;

/// So many slots are asked for a commit before the remote is, or are what a bundle builds on.
const SIBLINGS_ASKED: usize = 8;

/// The bundles that a plan lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedBundles {
    /// The commit.
    pub commit: CommitId,
    /// Whether it has submodules.
    pub submodules: bool,
    /// Whether Git LFS keeps files of it.
    pub lfs: bool,
    /// What each of them builds on.
    pub bases: BTreeSet<Bases>,
}

/// What a plan lacks before it can be carried out: the bundles that its hosts are sent. `None`: nothing.
pub fn wanted_bundles(plan: &Plan) -> Option<WantedBundles> {
    let steps = || plan.phases.iter().flat_map(|phase| &phase.work).flat_map(HostWork::steps);
    let lfs = steps().any(|step| matches!(step.action, Action::Git(GitAction::PlaceLfs { .. })));
    let mut wanted: Option<WantedBundles> = None;
    for step in steps() {
        let Action::Git(GitAction::Unbundle { commit, sent: Sent::NotYet(bases), submodules, .. }) =
            &step.action
        else {
            continue;
        };
        let submodules = submodules.to_owned();
        let wanted = wanted.get_or_insert_with(|| WantedBundles {
            commit: commit.clone(),
            submodules,
            lfs,
            bases: BTreeSet::new(),
        });
        wanted.bases.insert(bases.clone());
    }
    wanted
}

impl HostPlanning<'_> {
    /// The step that brings a release's objects into a slot's clone.
    pub(super) fn bring_objects(&self, url: &str, Target { slot, release }: &Target) -> Action {
        let RemoteUrl { url, credentials } = RemoteUrl::of(url);
        let (slot, commit) = (slot.clone(), release.commit.clone());
        let source = &self.settings.source;
        match source.method {
            // Whose archive nobody has kept.
            SourceName::Fetch | SourceName::Archive => GitAction::Fetch {
                url,
                credentials: credentials.is_some(),
                siblings: self.siblings_to_fetch_from(&slot, release),
                partial: source.partial_clone,
                known_hosts: source.scm_known_hosts.clone(),
                lend_agent: source.forward_agent,
                slot,
                commit,
            }
            .into(),
            SourceName::Bundle => {
                let others =
                    self.whole_slots().into_iter().map(|(other, _)| other).filter(|other| **other != slot);
                GitAction::Unbundle {
                    url,
                    sent: self.sent(release),
                    siblings: others.cloned().collect(),
                    submodules: release.submodules,
                    slot,
                    commit,
                }
                .into()
            }
        }
    }

    /// The step that makes its submodules, where it has any.
    pub(super) fn bring_submodules(&self, url: &str, Target { slot, release }: &Target) -> Option<Action> {
        let RemoteUrl { url, credentials } = RemoteUrl::of(url);
        let (slot, source) = (slot.clone(), &self.settings.source);
        let action = match source.method {
            SourceName::Fetch | SourceName::Archive => GitAction::Submodules {
                slot,
                url,
                credentials: credentials.is_some(),
                known_hosts: source.scm_known_hosts.clone(),
                lend_agent: source.forward_agent,
                lfs: release.lfs,
            },
            SourceName::Bundle => GitAction::OwnSubmodules { slot, url, lfs: release.lfs },
        };
        release.submodules.then(|| action.into())
    }

    /// The step that puts what Git LFS keeps into its files, where that is anything.
    pub(super) fn bring_lfs(&self, url: &str, Target { slot, release }: &Target) -> Option<Action> {
        let RemoteUrl { url, credentials } = RemoteUrl::of(url);
        let (slot, commit, source) = (slot.clone(), release.commit.clone(), &self.settings.source);
        let action = match source.method {
            SourceName::Fetch | SourceName::Archive => GitAction::FetchLfs {
                slot,
                commit,
                url,
                credentials: credentials.is_some(),
                known_hosts: source.scm_known_hosts.clone(),
                lend_agent: source.forward_agent,
            },
            SourceName::Bundle => GitAction::PlaceLfs { slot, commit, sent: self.sent_lfs(release) },
        };
        release.lfs.then(|| action.into())
    }

    /// Takes note of the bundles that there are, and of how much is sent of them here.
    pub(super) fn is_sent_bundles(&mut self, bundles: &Bundles, release: &Release) {
        self.bundles = bundles.clone();
        if self.settings.source.method == SourceName::Bundle {
            let (sent, lfs) = (self.sent(release), self.sent_lfs(release));
            let files = sent.file().into_iter().chain(lfs.as_deref());
            self.sent.kib += files.map(|file| file.size_bytes.div_ceil(1024)).sum::<u64>();
        }
    }

    /// Whether a host has what Git LFS keeps for a commit.
    fn has_lfs_of(&self, commit: &CommitId) -> bool {
        !self.facts.wants_all && self.facts.lfs.contains(commit)
    }

    /// Whether a release can't be fetched whole, as nothing on the host talks to an LFS server.
    pub(super) fn lacks_git_lfs(&self, release: &Release) -> bool {
        let fetches = self.settings.source.method == SourceName::Fetch;
        fetches && release.lfs && !self.facts.has_git_lfs && !self.has_lfs_of(&release.commit)
    }

    /// What is said of such a host.
    pub(super) fn wants_git_lfs(&self) -> Refusal {
        let diagnosis = Diagnosis {
            kind: DiagnosisKind::MissingTools,
            severity: Severity::Blocks,
            words: "git-lfs not found, and this release has files that Git LFS keeps".to_owned(),
            help: Some(
                "install it there; Debian: apt-get install git-lfs; or choose the source \"bundle\" or \"archive\", which takes none"
                    .to_owned(),
            ),
        };
        Refusal::Unfit { host: self.host.name.clone(), diagnosis }
    }

    /// What this host is sent of what Git LFS keeps for a release.
    fn sent_lfs(&self, release: &Release) -> Option<Box<FetchedPackage>> {
        if !release.lfs || self.has_lfs_of(&release.commit) {
            return None;
        }
        self.bundles.get(&self.bases())?.lfs.clone()
    }

    /// What a bundle for this host may build on.
    fn bases(&self) -> Bases {
        let base = |(_, seen): (&SlotName, &SlotFacts)| {
            let commit = seen.commit.clone()?;
            let lfs = self.has_lfs_of(&commit);
            Some(Base { commit, submodules: seen.has_modules, lfs })
        };
        self.whole_slots().into_iter().filter_map(base).collect()
    }

    /// What this host is sent of a release.
    fn sent(&self, release: &Release) -> Sent {
        let has_all = |seen: &SlotFacts| {
            seen.commit.as_ref() == Some(&release.commit)
                && (seen.has_modules || !release.submodules)
                && (!release.lfs || self.has_lfs_of(&release.commit))
        };
        if self.whole_slots().iter().any(|(_, seen)| has_all(seen)) {
            return Sent::Nothing;
        }
        let bases = self.bases();
        match self.bundles.get(&bases) {
            Some(bundle) => Sent::Bundle(bundle.clone()),
            None => Sent::NotYet(bases),
        }
    }

    /// The slots that a bundle may build on, the live one first. None, where that has failed.
    fn whole_slots(&self) -> Vec<(&SlotName, &SlotFacts)> {
        let facts = self.facts;
        let is_whole =
            |slot: &SlotName, seen: &SlotFacts| !seen.folder_is_gone && seen.is_clone() && self.is_ours(slot);
        let mut slots: Vec<_> =
            facts.slots.iter().filter(|(slot, seen)| !facts.wants_all && is_whole(slot, seen)).collect();
        // Where slots are called by their times, the newest is the most alike.
        slots.reverse();
        slots.sort_by_key(|(slot, _)| Some(*slot) != facts.live_slot());
        slots.truncate(SIBLINGS_ASKED);
        slots
    }

    /// The slots that spare the remote: those that stand on the commit; and for a slot that isn't a clone yet any clone,
    /// the live one first, as it is the one most likely to be whole.
    fn siblings_to_fetch_from(&self, slot: &SlotName, release: &Release) -> Vec<SlotName> {
        let facts = self.facts;
        let is_clone = facts.slots.get(slot).is_some_and(SlotFacts::is_clone);
        // What another tool keeps beside them may be a clone of something else.
        let others = facts.slots.iter().filter(|(other, seen)| {
            let is_whole = !seen.folder_is_gone && seen.is_clone();
            *other != slot && is_whole && self.is_ours(other)
        });
        let useful = others.filter(|(_, seen)| !is_clone || seen.commit.as_ref() == Some(&release.commit));
        let mut siblings: Vec<SlotName> = useful.map(|(other, _)| other.clone()).collect();
        siblings.sort_by_key(|sibling| Some(sibling) != facts.live_slot());
        siblings.truncate(SIBLINGS_ASKED);
        siblings
    }
}
