//! What a plan is made from: the run, and a host with what was seen on it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::diagnosis::{SentRoom, left_over_on, owner_by};
use super::reach::skipped_of;
use super::resolved::settings_back_to;
use crate::app::bundle::Bundles;
use crate::app::hooks::HookPoint;
use crate::app::owner::Owner;
use crate::app::package::FetchedPackage;
use crate::config::Settings;
use crate::host::Host;
use crate::host::diagnosis::{Diagnosis, Severity, no_sudo_for_removals};
use crate::host::facts::{CurrentLink, HostFacts};
use crate::host::layout::Layout;
use crate::host::left_over::LeftOver;
use crate::host::record::{JournalKind, LockHolder, PendingSwitch, SlotState};
use crate::names::{HostName, HostPath, RunId, SlotName};
use crate::plan::action::{Action, AppAction, Effect, GitAction, RecordAction, ServiceAction, ToldVisitors};
use crate::plan::refusal::Refusal;
use crate::plan::{SkippedHost, Target};
use crate::release::Release;
use crate::strategy::{self, Destination, RollbackTarget, Strategy};

/// The run that is being planned.
#[derive(Debug, Clone)]
pub struct RunContext {
    /// What tells it from all others.
    pub run: RunId,
    /// When it began, by the deployer's clock.
    pub at: Timestamp,
    /// The person and machine that run it.
    pub by: String,
    /// Hosts that it leaves out, because they can't be reached.
    pub skipped: Vec<SkippedHost>,
    /// Hosts without a part in it that were seen to be in traffic.
    pub in_traffic: BTreeSet<HostName>,
}

impl RunContext {
    /// Who holds the locks of this run, and what for.
    pub(super) fn holder(&self, doing: impl Into<String>) -> LockHolder {
        LockHolder { at: self.at, by: self.by.clone(), doing: doing.into(), run: self.run.clone() }
    }

    /// A line of the journal that is about no release.
    pub(super) fn note(&self, kind: JournalKind, reason: Option<String>) -> Action {
        RecordAction::Journal {
            kind,
            by: self.by.clone(),
            release: None,
            from: None,
            reason,
            skipped: Vec::new(),
        }
        .into()
    }
}

/// A host that takes part, with what was seen on it.
#[derive(Debug, Clone, Copy)]
pub struct SeenHost<'a> {
    /// The host.
    pub host: &'a Host,
    /// What was seen.
    pub facts: &'a HostFacts,
}

/// All that a host's part of a plan is decided from.
#[derive(Debug, Clone)]
pub(super) struct HostPlanning<'a> {
    pub(super) strategy: &'a dyn Strategy,
    /// What the configuration says now.
    pub(super) configured: &'a Settings,
    /// What the release is built and run with: the same, or what was kept for it when it was prepared.
    pub(super) settings: &'a Settings,
    pub(super) run: &'a RunContext,
    pub(super) host: &'a Host,
    pub(super) facts: &'a HostFacts,
    pub(super) layout: Layout,
    /// Whose what is installed here is.
    pub(super) owner: Owner,
    /// The packages of the hosts that have some, where this one has none.
    pub(super) pins: Vec<String>,
    /// What is sent here.
    pub(super) sent: SentRoom,
    /// The bundles that there are of the release.
    pub(super) bundles: Bundles,
    /// What this run takes away of what isn't wanted any more.
    pub(super) removes: Vec<LeftOver>,
}

impl<'a> HostPlanning<'a> {
    /// All of these hosts, their releases arranged as the settings say.
    pub(super) fn of_all(settings: &'a Settings, run: &'a RunContext, seen: &[SeenHost<'a>]) -> Vec<Self> {
        let pins = seen.iter().map(|seen| &seen.facts.pins).find(|pins| !pins.is_empty());
        let planning = |SeenHost { host, facts }: &SeenHost<'a>| HostPlanning {
            strategy: strategy::of(settings),
            configured: settings,
            settings,
            run,
            host,
            facts,
            layout: settings.layout(host),
            owner: match (owner_by(settings, None), &facts.owner) {
                // Who goes back, or restarts, needn't know where the code comes from.
                (owner, Some(written)) if owner.may_be(written) && owner.repository.is_none() => {
                    written.clone()
                }
                (owner, _) => owner,
            },
            pins: pins.filter(|_| facts.pins.is_empty()).cloned().unwrap_or_default(),
            sent: SentRoom::default(),
            bundles: Bundles::new(),
            removes: Vec::new(),
        };
        seen.iter().map(planning).collect()
    }

    /// The app's hosts that the run leaves out.
    pub(super) fn skipped(&self) -> Vec<HostName> {
        skipped_of(self.configured, self.run).map(|skipped| skipped.host.clone()).collect()
    }

    /// Notes how large those of these packages are that aren't here yet.
    pub(super) fn is_sent(&mut self, packages: &[FetchedPackage]) {
        let missing = packages.iter().filter(|package| !self.facts.packages.contains(&package.place()));
        self.sent.kib = missing.map(|package| package.size_bytes.div_ceil(1024)).sum();
    }

    /// Where a new release goes.
    pub(super) fn destination(&self, release: &Release) -> Destination {
        self.strategy.destination(self.settings, self.facts, self.run.at, release)
    }

    /// What could be gone back to.
    pub(super) fn rollback_targets(&self) -> Vec<RollbackTarget> {
        self.strategy.rollback_targets(self.configured, self.facts)
    }

    /// Whether a slot is meant for releases, and isn't another tool's.
    pub(super) fn is_ours(&self, slot: &SlotName) -> bool {
        strategy::is_ours(self.strategy, self.settings, self.facts, slot)
    }

    /// What serves now is built and run with, if that was kept; `None` leaves it to the configuration.
    pub(super) fn settings_of_live(&self) -> Option<Settings> {
        let live = self.live_target()?;
        let resolved = self.facts.resolved_for(&live.slot, &live.release.commit)?;
        Some(settings_back_to(self.configured, resolved))
    }

    /// What serves, as a target: where it lies, and what it is.
    pub(super) fn live_target(&self) -> Option<Target> {
        Some(Target { slot: self.facts.live_slot()?.clone(), release: self.facts.live()? })
    }

    /// The text that the link is put back to: what isn't ours, to the letter.
    pub(super) fn link_before(&self) -> Option<String> {
        match &self.facts.current {
            CurrentLink::Slot(slot) if self.is_ours(slot) => Some(slot.to_string()),
            CurrentLink::Slot(slot) => Some(self.facts.link.clone().unwrap_or_else(|| slot.to_string())),
            CurrentLink::Dangling(text) | CurrentLink::Elsewhere(text) => Some(text.clone()),
            CurrentLink::Missing | CurrentLink::NotALink => None,
        }
    }

    /// That what served before does so again, as far as it can be asked.
    pub(super) fn live_is_well(&self, told: Option<&ToldVisitors>) -> Vec<Action> {
        let Some(live) = self.live_target() else { return Vec::new() };
        let asked = self.ask_health(self.live_surroundings(), &live, told);
        self.verify_running(&live).into_iter().chain(asked).collect()
    }

    /// What the host keeps until the run is confirmed.
    pub(super) fn pending(&self, to: Option<&SlotName>) -> PendingSwitch {
        PendingSwitch {
            at: self.run.at,
            run: self.run.run.clone(),
            from: self.link_before(),
            to: to.cloned(),
        }
    }

    /// Whether this host does what must be done once, also when it isn't the one that happens to change now.
    pub(super) fn is_primary(&self) -> bool {
        self.settings.hosts.first().is_some_and(|first| first.name == self.host.name)
    }

    /// The lock, and the guard that the host is still as it was: a colleague may have deployed in the meantime.
    pub(super) fn lock_as_seen(&self, holder: &LockHolder) -> Vec<Action> {
        vec![
            RecordAction::Lock { holder: holder.clone() }.into(),
            RecordAction::Guard { state_sum: self.facts.state_sum.clone() }.into(),
        ]
    }

    /// What was installed here and isn't wanted any more, by the configuration as it is now.
    pub(super) fn left_over(&self) -> Vec<LeftOver> {
        left_over_on(self.configured, SeenHost { host: self.host, facts: self.facts }, &self.owner)
    }

    /// What speaks against removing that: a host isn't left half done.
    pub(super) fn cannot_remove(removes: &[LeftOver], seen: SeenHost<'_>) -> Option<Refusal> {
        let diagnosis = no_sudo_for_removals(seen.facts, removes)?;
        let diagnosis = Diagnosis { severity: Severity::Blocks, ..diagnosis };
        Some(Refusal::Unfit { host: seen.host.name.clone(), diagnosis })
    }

    /// The steps that take away what this run removes; an optional one can't fail a release that is live by then.
    pub(super) fn removal(&self, optional: bool) -> impl Iterator<Item = Action> + '_ {
        self.removes.iter().map(move |left| ServiceAction::Remove { left: left.clone(), optional }.into())
    }

    /// Whether the app's folder says whose it is, as far as we know that.
    pub(super) fn is_known_as_ours(&self) -> bool {
        let written = self.facts.owner.as_ref();
        written.is_some_and(|written| {
            *written == self.owner || self.owner.repository.is_none() && written.may_be(&self.owner)
        })
    }

    /// Makes the app's folders, and says whose they are.
    pub(super) fn create_folders(&self) -> Action {
        let group = self.settings.users.deploy_group.clone();
        RecordAction::CreateFolders { group, owner: self.owner.clone() }.into()
    }

    /// Whether a release comes to serve in the place of the one that serves now.
    pub(super) fn is_in_place(&self, to: &Target) -> bool {
        self.facts.live_slot() == Some(&to.slot)
    }

    /// Commands of the configuration at a point of the run, in the release in a slot.
    pub(super) fn hooks(&self, to: &Target, point: HookPoint, commands: &[String]) -> Vec<Action> {
        self.hooks_in(&self.layout.slot(&to.slot), to, point, commands)
    }

    /// The same in another folder.
    pub(super) fn hooks_in(
        &self,
        directory: &HostPath,
        to: &Target,
        point: HookPoint,
        commands: &[String],
    ) -> Vec<Action> {
        let around = self.hook_surroundings(point, directory, self.variables_of(to));
        let hook = |command: &String| {
            AppAction::Hook {
                point,
                command: command.clone(),
                around: around.clone(),
                optional: point == HookPoint::AfterFinish,
            }
            .into()
        };
        commands.iter().map(hook).collect()
    }
}

/// What one host is to do: the part of a plan that deploy and rollback have in common.
pub(super) struct HostChange<'a> {
    pub(super) planning: HostPlanning<'a>,
    pub(super) from: Option<Release>,
    pub(super) to: Target,
    /// How its slot is made ready.
    pub(super) prepare: Vec<Action>,
    /// The same, as far as it is done where the release serves: nothing, where another slot is switched to.
    pub(super) in_place: Vec<Action>,
    /// What becomes of the slot that serves now.
    pub(super) leaves_behind: SlotState,
    /// Which way it goes.
    pub(super) direction: Direction,
    /// What visitors are told meanwhile.
    pub(super) told: Told,
    /// Records of other slots that are no longer true once it has gone there.
    pub(super) corrected: Vec<CorrectedRecord>,
}

impl HostChange<'_> {
    /// How many of its first steps fill its slot from the git server; none, where it isn't asked.
    pub(super) fn fetching(&self) -> usize {
        let asks = |action: &Action| {
            matches!(action, Action::Git(GitAction::Fetch { .. } | GitAction::Submodules { .. }))
        };
        self.prepare.iter().rposition(asks).map_or(0, |last| last + 1)
    }

    /// Whether its slot is filled, and not only switched to.
    pub(super) fn fills_slot(&self) -> bool {
        let is_filled = |action: &Action| {
            matches!(action.effects().effect, Effect::Files { .. } | Effect::InPlace { .. })
        };
        self.prepare.iter().chain(&self.in_place).any(is_filled)
    }

    /// Whether the release comes to serve in the place of the one that serves now.
    pub(super) fn is_in_place(&self) -> bool {
        self.planning.is_in_place(&self.to)
    }
}

/// What is written about a slot whose release was gone back past: a later rollback must not go forward to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CorrectedRecord {
    pub(super) slot: SlotName,
    pub(super) state: SlotState,
    pub(super) release: Release,
}

/// Which way a host goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To a new release: workers know it before the app hands them anything.
    Forward,
    /// To an older one: the app no longer hands workers what they wouldn't know.
    Back,
}

impl Direction {
    pub(super) fn opposite(self) -> Self {
        match self {
            Direction::Forward => Direction::Back,
            Direction::Back => Direction::Forward,
        }
    }
}

/// What visitors are told while a host changes. Where it is the release that tells them, the next one has to, too.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told {
    /// Nothing.
    Nothing,
    /// What they were told before this run, and will be after it.
    Before(ToldVisitors),
    /// What this run tells them, and takes back at its end and on every way back.
    ByThisRun(ToldVisitors),
}

impl Told {
    pub(super) fn visitors(&self) -> Option<&ToldVisitors> {
        match self {
            Told::Nothing => None,
            Told::Before(told) | Told::ByThisRun(told) => Some(told),
        }
    }

    pub(super) fn by_this_run(&self) -> Option<&ToldVisitors> {
        match self {
            Told::ByThisRun(told) => Some(told),
            Told::Nothing | Told::Before(_) => None,
        }
    }
}
