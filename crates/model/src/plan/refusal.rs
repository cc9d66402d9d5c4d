//! Why a plan can't be made, and what a person can do about it. When one of these is told, nothing was touched.

use crate::app::template::{NO_SUCH_FILE, OLD_FORM, OLD_TEMPLATE_VARIABLES, TEMPLATE_VARIABLES};
use crate::config::MostUnreachable;
use crate::deployer::rules::BrokenRule;
use crate::host::diagnosis::Diagnosis;
use crate::host::known::NotKnown;
use crate::names::{AppName, HostName, HostPath};
use crate::release::Release;

/// One reason against a plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The environment names no host, or the flags leave none.
    #[error("no host to work on")]
    NoHosts,
    /// A host isn't fit for it.
    #[error("{host}: {}", diagnosis.words)]
    Unfit {
        /// Where.
        host: HostName,
        /// What is wrong with it.
        diagnosis: Diagnosis,
    },
    /// The unit file or init script of a service can't be made.
    #[error("{}: [services.{service}] {file}: {why}", hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", "))]
    BadTemplate {
        /// Where.
        hosts: Vec<HostName>,
        /// The service.
        service: String,
        /// The template.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A host can't be reached.
    #[error("{host}: can't be reached: {why}")]
    Unreachable {
        /// Where.
        host: HostName,
        /// Why, in the words of whoever knows.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// More hosts can't be reached than may be left out.
    #[error("{} of {all} hosts can't be reached ({}), and no more than {most} may be left out", away.len(), away.join(", "))]
    TooManyUnreachable {
        /// The machines that can't, at whichever look of the run it was seen.
        away: Vec<String>,
        /// Of how many.
        all: usize,
        /// How many may.
        most: MostUnreachable,
    },
    /// None of the hosts can be reached, or none of one of several apps.
    #[error("no host{} can be reached", app.as_ref().map_or_else(String::new, |app| format!(" of {app}")))]
    NoneReached {
        /// The app, where there are several.
        app: Option<AppName>,
    },
    /// Hosts can't be brought level with what is live, as nothing says what that is.
    #[error("the hosts serve different releases, and their records don't say which of them is meant to be live: {}", releases.join("; "))]
    UnclearLevel {
        /// Where which is.
        releases: Vec<String>,
        /// One of them, by the name that a person may type.
        name: String,
    },
    /// Hosts can't be brought level, as nothing is live on any.
    #[error("no release is live on any of the hosts")]
    NoLevel,
    /// No release was proven live on the host before the one that is.
    #[error("{host}: nothing to roll back to: {why}")]
    NothingBefore {
        /// Where.
        host: HostName,
        /// What was found instead.
        why: String,
        /// Where all others would go that can.
        common: Option<Release>,
    },
    /// The hosts would be rolled back to different releases.
    #[error("the hosts would roll back to different releases: {}", targets.join(", "))]
    DifferentTargets {
        /// A line for each host.
        targets: Vec<String>,
    },
    /// No release that could be gone back to has this name.
    #[error(transparent)]
    NotKnown(#[from] NotKnown),
    /// The release that was named has never been proven live where it could be gone back to.
    #[error(
        "can't roll back to {release}: it was never proven live, or was rolled back from{}",
        others(targets)
    )]
    NeverProven {
        /// Which.
        release: Release,
        /// What could be gone back to instead, and where.
        targets: Vec<String>,
    },
    /// What undoing migrations would lose isn't known.
    #[error("{host} can't say which migrations would be undone, and what would be lost: {why}")]
    UnknownLoss {
        /// Where.
        host: HostName,
        /// Why.
        why: String,
    },
    /// Migrations can't be undone.
    #[error("migrations that {release} doesn't know can't be undone: {}", why.join("; "))]
    LastingMigrations {
        /// The release that would be gone back to.
        release: Release,
        /// What stands against it.
        why: Vec<String>,
    },
    /// A host that would be retired is one that stays.
    #[error("{host} is {other}, by another name: what would be stopped there is what {other} does")]
    SameMachine {
        /// Which would be retired.
        host: HostName,
        /// Which stays.
        other: HostName,
    },
    /// Two hosts are one, and each would be locked against the other.
    #[error("{other} is {host}, by another name: both are {path} on one machine")]
    SameFolder {
        /// One name.
        host: HostName,
        /// The other.
        other: HostName,
        /// The app's folder there.
        path: HostPath,
    },
    /// A tree of another tool's, or a person's, can't be taken as it is.
    #[error("{host}: {why}")]
    NotAdopted {
        /// Where.
        host: HostName,
        /// What stands against it.
        why: String,
        /// What to do about it.
        help: String,
    },
    /// A release that came as an archive has to be filled in again, and the host neither kept the archive nor has git.
    #[error(
        "{host}: {release} can't be built again: its archive isn't kept there, and there is no git that could fetch it"
    )]
    ArchiveGone {
        /// Where.
        host: HostName,
        /// Which.
        release: Release,
    },
    /// Too few hosts would stay in traffic.
    #[error(
        "too few hosts would stay in traffic: {least} of {hosts} have to, as `min_in_service` says{}{}",
        are(out, "out already"),
        are(silent, "not known to be in it")
    )]
    TooFewInService {
        /// How many there are.
        hosts: u32,
        /// How many have to stay.
        least: u32,
        /// Those that are out of it already.
        out: Vec<HostName>,
        /// Those that serve nothing, or couldn't be asked.
        silent: Vec<HostName>,
    },
    /// A host was taken out of traffic in another way than would put it back.
    #[error("{host}: it was taken out of traffic in another way than `drain` says now")]
    DrainedOtherwise {
        /// Which.
        host: HostName,
    },
    /// Nobody knows how a host was taken out of traffic.
    #[error("{host}: what is written about how it was taken out of traffic can't be read")]
    UnknownDraining {
        /// Which.
        host: HostName,
    },
    /// Hosts would go back by themselves before the last is through.
    #[error(
        "hosts would wait {}, wave by wave, and go back by themselves after {most} s without a confirmation",
        waits(*drain_seconds, *bake_seconds)
    )]
    TooManyWaits {
        /// How long they would wait for their traffic.
        drain_seconds: u32,
        /// How long they would bake.
        bake_seconds: u32,
        /// How long a host waits to be confirmed.
        most: u32,
    },
    /// All hosts of the run are confirmed together, and waves can't be by themselves.
    #[error("`on_wave_failure = \"stop\"` can't be kept: {}", .because.words())]
    CannotStop {
        /// Why.
        because: ConfirmedTogether,
    },
    /// Nothing says how a host is taken out of traffic.
    #[error("nothing says how a host is taken out of traffic")]
    NoDraining,
    /// A rollback can't be tried without being made.
    #[error("{host}: the rollback can't be rehearsed: {why}")]
    CannotRehearse {
        /// Where.
        host: HostName,
        /// Why.
        why: String,
    },
    /// There is nothing live to work on.
    #[error("{host}: no release is live")]
    NothingLive {
        /// Where.
        host: HostName,
    },
    /// It speaks against one of several apps.
    #[error("{app}: {refusal}")]
    OfApp {
        /// Which.
        app: AppName,
        /// What does.
        refusal: Box<Refusal>,
    },
    /// The release breaks a rule of the environment.
    #[error(transparent)]
    Rule(#[from] BrokenRule),
    /// The git remote isn't known.
    #[error("there is nowhere to fetch from: `scm` isn't set, and the checkout has no remote {remote:?}")]
    NoRemote {
        /// The remote that was looked for.
        remote: String,
    },
}

impl Refusal {
    /// That these releases are live, and nothing says which is meant.
    pub fn unclear_level(releases: &[(Release, Vec<HostName>)]) -> Refusal {
        let told = |(release, hosts): &(Release, Vec<HostName>)| {
            let hosts: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            format!("{release} on {}", hosts.join(", "))
        };
        let most = releases.iter().max_by_key(|(_, hosts)| hosts.len()).map(|(release, _)| release);
        let name = most.map(|release| match &release.tag {
            Some(tag) => format!("--release {tag}"),
            None => format!("--commit {}", release.commit.short()),
        });
        Refusal::UnclearLevel {
            releases: releases.iter().map(told).collect(),
            name: name.unwrap_or_default(),
        }
    }

    /// The host that it is about, if it is about one, and what is said of it.
    pub fn of_host(&self) -> Option<(&HostName, String)> {
        let host = match self {
            Refusal::Unfit { host, .. }
            | Refusal::Unreachable { host, .. }
            | Refusal::NothingBefore { host, .. }
            | Refusal::NotAdopted { host, .. }
            | Refusal::ArchiveGone { host, .. }
            | Refusal::CannotRehearse { host, .. }
            | Refusal::NothingLive { host } => host,
            Refusal::NoHosts
            | Refusal::TooManyUnreachable { .. }
            | Refusal::NoneReached { .. }
            | Refusal::UnclearLevel { .. }
            | Refusal::NoLevel
            | Refusal::BadTemplate { .. }
            | Refusal::DifferentTargets { .. }
            | Refusal::NotKnown(_)
            | Refusal::NeverProven { .. }
            | Refusal::UnknownLoss { .. }
            | Refusal::LastingMigrations { .. }
            | Refusal::SameMachine { .. }
            | Refusal::SameFolder { .. }
            | Refusal::TooFewInService { .. }
            | Refusal::TooManyWaits { .. }
            | Refusal::CannotStop { .. }
            | Refusal::DrainedOtherwise { .. }
            | Refusal::UnknownDraining { .. }
            | Refusal::NoDraining
            | Refusal::OfApp { .. }
            | Refusal::Rule(_)
            | Refusal::NoRemote { .. } => return None,
        };
        let told = self.to_string();
        let words = told.strip_prefix(&format!("{host}: ")).expect("it begins with its host");
        Some((host, words.to_owned()))
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Refusal::NoHosts => {
                "give the environment `hosts` in buedafab.toml, or widen --hosts and --roles".into()
            }
            Refusal::Unfit { diagnosis, .. } => return diagnosis.help.clone(),
            Refusal::BadTemplate { why, .. } if why == NO_SUCH_FILE => {
                "commit the file, or name another one in buedafab.toml".into()
            }
            Refusal::BadTemplate { why, .. } if why.starts_with(OLD_FORM) => {
                format!("a template may use there: {}; and `variables`", OLD_TEMPLATE_VARIABLES.join(", "))
            }
            Refusal::BadTemplate { .. } => {
                format!("a template may use: {}", TEMPLATE_VARIABLES.join(", "))
            }
            Refusal::Unreachable { hint, .. } => {
                let more =
                    "the command `check` says more; to go on without this host, name the others with --hosts";
                hint.as_ref().map_or_else(|| more.to_owned(), |hint| format!("{hint}; {more}"))
            }
            Refusal::TooManyUnreachable { .. } => {
                "is the network of this machine the reason? `max_unreachable` says how many may be left out".into()
            }
            Refusal::NoneReached { .. } => "the command `check` says more".into(),
            Refusal::UnclearLevel { name, .. } => {
                format!("deploy the one that is meant by its name, such as: deploy {name} --allow-older")
            }
            Refusal::NoLevel => "deploy first".into(),
            Refusal::NothingBefore { common: Some(release), .. } => format!(
                "rollback --to {} takes all hosts there, and prepares it first where it never was",
                release.tag.as_deref().unwrap_or_else(|| release.commit.short())
            ),
            Refusal::NothingBefore { common: None, .. } => {
                "deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA".into()
            }
            Refusal::NotKnown(NotKnown::Ambiguous { .. }) => {
                "type more of its commit, or the name of its tag".into()
            }
            Refusal::NotKnown(NotKnown::Unknown { .. }) | Refusal::NeverProven { .. } => {
                "deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA".into()
            }
            Refusal::DifferentTargets { .. } => {
                "deploy one release everywhere (deploy:commit=SHA), or narrow the rollback with --hosts"
                    .into()
            }
            Refusal::UnknownLoss { .. } | Refusal::LastingMigrations { .. } => {
                "undo them by hand first (manage -- migrate APP NAME); or leave them, where the older release can live with \
                 them: --keep-schema"
                    .into()
            }
            Refusal::Rule(rule) => rule.hint(),
            Refusal::OfApp { refusal, .. } => return refusal.hint(),
            Refusal::SameMachine { host, .. } => {
                format!("`retire {host} --forget` has the hosts forget that name, and stops nothing")
            }
            Refusal::SameFolder { .. } => {
                "keep one of the two names in buedafab.toml, with the roles of both; or, for now, name the others with --hosts".into()
            }
            Refusal::NotAdopted { help, .. } => help.clone(),
            Refusal::ArchiveGone { release, .. } => format!(
                "this machine makes another archive of it, and sends that: deploy --commit {} --allow-older",
                release.commit.short()
            ),
            // As they were, one more would be as many as may.
            Refusal::TooFewInService { least, out, silent, .. } if out.is_empty() => match silent.is_empty() {
                true if *least > 1 => "make `min_in_service` smaller, or add hosts".into(),
                true => "add hosts; or leave some of these in traffic".into(),
                false => "`check` says what keeps them from it".into(),
            },
            Refusal::TooFewInService { out, .. } => {
                let names: Vec<&str> = out.iter().map(HostName::as_str).collect();
                format!("put one back first: undrain {}", names.join(" "))
            }
            Refusal::TooManyWaits { drain_seconds, bake_seconds, most: _ } => {
                let settings = [("drain_grace_seconds", drain_seconds), ("bake_seconds", bake_seconds)];
                let smaller = settings.iter().filter(|(_, seconds)| **seconds > 0);
                let smaller: Vec<String> = smaller.map(|(name, _)| format!("`{name}`")).collect();
                format!(
                    "make waves larger, {} smaller, or `confirm_timeout_seconds` larger",
                    smaller.join(" or ")
                )
            }
            Refusal::CannotStop { because } => because.hint().into(),
            Refusal::DrainedOtherwise { host } => format!("put it back first, in the way it was taken out: undrain {host}"),
            Refusal::UnknownDraining { host } => {
                format!("put it back at its load balancer yourself, and then: undrain {host} --forget")
            }
            Refusal::NoDraining => "set `drain` in buedafab.toml, say `drain = \"file\"`".into(),
            Refusal::CannotRehearse { .. } => {
                "with `cutover = \"socket\"` a service runs beside another release; `rollback --dry-run` shows what a rollback would do"
                    .into()
            }
            Refusal::NothingLive { .. } => "deploy first".into(),
            Refusal::NoRemote { .. } => "set `scm` in buedafab.toml to the URL of the git remote".into(),
        })
    }
}

/// Why all hosts of a run are confirmed together, in as many waves as they may switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmedTogether {
    /// Visitors are told of maintenance by the run, and let in again when all is done.
    Maintenance,
    /// Several apps are one release.
    Apps,
}

impl ConfirmedTogether {
    fn words(self) -> &'static str {
        match self {
            ConfirmedTogether::Maintenance => {
                "with `--maintenance` visitors are let in when all hosts have switched, and all are confirmed together"
            }
            ConfirmedTogether::Apps => "several apps are one release, and all are confirmed together",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            ConfirmedTogether::Maintenance => {
                "deploy without it, or between `maintenance on` and `maintenance off`"
            }
            ConfirmedTogether::Apps => "leave the line out, or write `on_wave_failure = \"revert\"`",
        }
    }
}

/// What hosts wait for, with the sums.
fn waits(drain_seconds: u32, bake_seconds: u32) -> String {
    let all = drain_seconds.saturating_add(bake_seconds);
    match (drain_seconds, bake_seconds) {
        (_, 0) => format!("{all} s in all for their traffic"),
        (0, _) => format!("{all} s in all to bake"),
        _ => format!("{all} s in all, {drain_seconds} s for their traffic and {bake_seconds} s to bake"),
    }
}

/// That they are so; nothing, where there are none.
fn are(hosts: &[HostName], what: &str) -> String {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(", and {one} is {what}"),
        _ => format!(", and {} are {what}", names.join(", ")),
    }
}

fn others(targets: &[String]) -> String {
    if targets.is_empty() { String::new() } else { format!("; there is {}", targets.join(", ")) }
}
