//! What a step does: data, which the planner chooses and [`shell`](crate::shell) renders.

use crate::app::hooks::HookPoint;
use crate::app::text::one_line;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::app::crontab::CrontabLocation;
use crate::app::maintenance::MaintenanceMethod;
use crate::app::package::FetchedPackage;
use crate::app::run_as::RunAs;
use crate::app::service::Service;
use crate::app::service_file::{FilesOf, ReleasedServiceFile, ServiceFile};
use crate::app::virtualenv::VirtualenvSpec;
use crate::host::record::{JournalKind, LockHolder, SlotState};
use crate::names::{CommitId, HostPath, SlotName, Unit};
use crate::release::Release;

/// One thing that is done on one host.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Makes the app's folders.
    CreateFolders {
        /// The group that shall own them.
        group: Option<String>,
    },
    /// Takes the host's lock.
    Lock {
        /// What others are told meanwhile.
        holder: LockHolder,
    },
    /// Fails unless the host is still as it was when the plan was made.
    Guard {
        /// All slots of the host.
        slots: Vec<SlotName>,
        /// The check sum of what was seen.
        state_sum: String,
    },
    /// Fails unless sudo takes the password that was typed: better now than half-way through a switch.
    ProveSudo,
    /// Writes down what a slot is good for.
    Record {
        /// The slot.
        slot: SlotName,
        /// What it is good for.
        state: SlotState,
        /// What it holds.
        release: Release,
        /// What was proven live in it before.
        former: Option<Release>,
        /// Whether its failure is only told: what serves is decided, and this is a note about it.
        optional: bool,
    },
    /// Brings a commit's objects into a slot's clone, which is made if it isn't there.
    Fetch {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
        /// Where it comes from, if no slot of the host has it.
        url: String,
        /// Slots that may have it already.
        siblings: Vec<SlotName>,
        /// Lines of a `known_hosts` file; empty leaves it to the host.
        known_hosts: Vec<String>,
        /// Whether the deployer's SSH agent is lent.
        lend_agent: bool,
        /// The group that shall be able to write.
        group: Option<String>,
    },
    /// Makes a slot's files those of the commit and nothing else, but for the virtualenv.
    Checkout {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
        /// The group that shall own them and be able to write.
        group: Option<String>,
    },
    /// Makes the submodules of a slot those of its commit, and nothing else.
    Submodules {
        /// The slot.
        slot: SlotName,
        /// The remote of the slot's own clone, which addresses of submodules may be relative to.
        url: String,
        /// Lines of a `known_hosts` file; empty leaves it to the host.
        known_hosts: Vec<String>,
        /// Whether the deployer's SSH agent is lent.
        lend_agent: bool,
        /// The group that shall own them and be able to write.
        group: Option<String>,
    },
    /// Links what outlives releases into a slot.
    Shared {
        /// The slot.
        slot: SlotName,
        /// Files, which have to be there.
        files: Vec<String>,
        /// Folders, which are made if they aren't.
        dirs: Vec<String>,
        /// The group that shall be able to write them.
        group: Option<String>,
    },
    /// Puts a private package on the host. It comes as the step's input.
    Package {
        /// Which.
        package: FetchedPackage,
        /// The group that shall be able to write.
        group: Option<String>,
    },
    /// Makes a slot's virtualenv what its release asks for.
    Virtualenv {
        /// The slot.
        slot: SlotName,
        /// The release's commit.
        commit: CommitId,
        /// What it holds.
        spec: VirtualenvSpec,
        /// The environment of what installs it.
        variables: BTreeMap<String, String>,
        /// Whether the deployer's SSH agent is lent.
        lend_agent: bool,
        /// The group that shall own it and be able to write.
        group: Option<String>,
    },
    /// Fails unless a slot holds just this commit, unchanged.
    VerifyCommit {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
    },
    /// Runs a command of the configuration.
    Hook {
        /// Where in the run.
        point: HookPoint,
        /// The command, for `sh`.
        command: String,
        /// Where it runs.
        #[serde(flatten)]
        around: Surroundings,
        /// Whether its failure is only told.
        optional: bool,
    },
    /// Looks for migrations that the release in `older` doesn't know, and refuses or undoes them.
    Migrations {
        /// The slot of the release that is gone back to.
        older: SlotName,
        /// The slot that serves.
        newer: SlotName,
        /// What is done about them.
        schema: Schema,
        /// What the app's commands find around them.
        #[serde(flatten)]
        around: Surroundings,
    },
    /// Keeps the unit files and init scripts of a release, once they have been looked over.
    ServiceFiles {
        /// Where the release lies.
        slot: SlotName,
        /// The release.
        commit: CommitId,
        /// Whose files those are that stand there now, if they aren't of any release.
        there: FilesOf,
        /// The files.
        files: Vec<ServiceFile>,
    },
    /// Makes the link lead to `target`: the step that decides what is live.
    SwitchLink {
        /// The text of the link, as a slot's name or as it was found; `None` takes the link away.
        target: Option<String>,
    },
    /// Restarts the app.
    Restart {
        /// How.
        service: Service,
        /// Its unit file or init script, which is put in place first.
        file: Option<ReleasedServiceFile>,
        /// Whether it is only reloaded, unless that file has changed.
        reload: bool,
        /// The commands that do it instead of `service`, if any.
        commands: Vec<String>,
        /// Where they run: in the release that shall run.
        #[serde(flatten)]
        around: Surroundings,
    },
    /// Takes away what was kept of releases that no slot holds any more. A failure is only told.
    Prune,
    /// Fails unless services still run a while after their restart.
    VerifyRunning {
        /// Which, with the files that a release may have of them: one that it hasn't got has nothing to stay.
        services: Vec<(Service, ReleasedServiceFile)>,
        /// How long they have to, in seconds.
        seconds: u32,
    },
    /// Asks the app which release it runs, until it names this one, or fails.
    AskApp {
        /// Where it says so.
        url: String,
        /// The release that it should run.
        release: Release,
        /// For how long it is asked again, in seconds.
        patience_seconds: u32,
    },
    /// Stops a service that has to run elsewhere; nothing, where it doesn't run.
    Stop {
        /// Which.
        service: Service,
    },
    /// Adds a line to the journal.
    Journal {
        /// What happened.
        kind: JournalKind,
        /// The person and machine at the helm.
        by: String,
        /// What it was about.
        release: Option<Release>,
        /// What was live before.
        from: Option<Release>,
        /// The person's words.
        reason: Option<String>,
    },
    /// Fails unless a release has this file.
    RequireFile {
        /// The slot.
        slot: SlotName,
        /// The file.
        file: String,
    },
    /// Brings the app's jobs to what a release says. A failure is only told.
    Crontab {
        /// The slot.
        slot: SlotName,
        /// The release's crontab.
        file: String,
        /// The app.
        unit: Unit,
        /// Where its jobs stand.
        place: CrontabLocation,
    },
    /// Changes the file of variables. What is set comes as the step's input.
    EnvFile {
        /// How.
        edit: EnvEdit,
        /// The file.
        file: HostPath,
    },
    /// Says in the settings of a release whether it is in maintenance. Nothing, where it can't be and needn't.
    MaintenanceSetting {
        /// Where the release lies.
        slot: SlotName,
        /// The settings' file in it.
        file: String,
        /// Whether it is.
        on: bool,
    },
    /// Tells visitors of maintenance, or no longer.
    Maintenance {
        /// How.
        method: MaintenanceMethod,
        /// What they are told; `None`: nothing any more.
        told: Option<ToldVisitors>,
        /// Where a command that does it runs.
        #[serde(flatten)]
        around: Surroundings,
    },
    /// Puts up a person's "do not deploy".
    Hold {
        /// Who says it.
        by: String,
        /// Why.
        reason: String,
    },
    /// Takes it away.
    Unhold,
    /// Runs a command that a person typed.
    Run {
        /// The command, for `sh`.
        command: String,
        /// Where it runs, if the folder is there.
        #[serde(flatten)]
        around: Surroundings,
    },
}

/// What a command of the app finds around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Surroundings {
    /// The folder that it runs in.
    pub directory: HostPath,
    /// Its environment, besides the user's own.
    pub variables: BTreeMap<String, String>,
    /// The virtualenv whose programs it finds first.
    pub virtualenv: Option<HostPath>,
    /// The user that it runs as, by sudo. `None`: the one who logs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<RunAs>,
}

/// What the deployer sends besides the plan, for one step to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepInput {
    /// One variable, or a whole file of them.
    Variables,
    /// The file of a private package.
    Package {
        /// Which, as [`FetchedPackage`] says it.
        key: String,
    },
}

/// A change of the file of variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum EnvEdit {
    /// One variable gets another value.
    Set {
        /// Which.
        name: String,
    },
    /// One variable goes.
    Unset {
        /// Which.
        name: String,
    },
    /// All of them.
    Replace,
    /// The version before.
    Restore,
}

impl fmt::Display for EnvEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnvEdit::Set { name } => write!(f, "set {name}"),
            EnvEdit::Unset { name } => write!(f, "unset {name}"),
            EnvEdit::Replace => f.write_str("replace all variables"),
            EnvEdit::Restore => f.write_str("restore the variables of before"),
        }
    }
}

/// What visitors are told, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldVisitors {
    /// The person and machine at the helm.
    pub by: String,
    /// Why.
    pub message: Option<String>,
    /// Until when.
    pub until: Option<String>,
    /// The whole page.
    pub page: String,
}

/// What a rollback does about migrations that the older release doesn't know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schema {
    /// It fails, and names them.
    Refuse,
    /// It leaves them.
    Keep,
    /// It undoes them, by the newer release.
    Reverse,
}

impl Action {
    /// Whether its failure is told and stops nothing.
    pub fn is_optional(&self) -> bool {
        match self {
            Action::Journal { .. } | Action::Crontab { .. } | Action::Prune => true,
            Action::Record { optional, .. } | Action::Hook { optional, .. } => *optional,
            _ => false,
        }
    }

    /// Whether, on the way back, what comes after it is done although it failed: one service that can't be put back is no
    /// reason to leave the others as they are.
    pub fn lets_way_back_go_on(&self) -> bool {
        matches!(self, Action::Restart { .. } | Action::Stop { .. })
    }

    /// Whether it is over in a moment, so that nobody would ever want to end it.
    pub fn is_quick(&self) -> bool {
        match self {
            Action::CreateFolders { .. }
            | Action::Guard { .. }
            | Action::Record { .. }
            | Action::SwitchLink { .. }
            | Action::RequireFile { .. }
            | Action::MaintenanceSetting { .. }
            | Action::Journal { .. }
            | Action::Hold { .. }
            | Action::Unhold => true,
            Action::Lock { .. }
            | Action::ServiceFiles { .. }
            | Action::VerifyRunning { .. }
            | Action::Prune
            | Action::ProveSudo
            | Action::Fetch { .. }
            | Action::Checkout { .. }
            | Action::Submodules { .. }
            | Action::Shared { .. }
            | Action::Package { .. }
            | Action::Virtualenv { .. }
            | Action::VerifyCommit { .. }
            | Action::Migrations { .. }
            | Action::AskApp { .. }
            | Action::Hook { .. }
            | Action::Restart { .. }
            | Action::Stop { .. }
            | Action::Maintenance { .. }
            | Action::EnvFile { .. }
            | Action::Crontab { .. }
            | Action::Run { .. } => false,
        }
    }

    /// What it reads that the deployer sends besides the plan.
    pub fn input(&self) -> Option<StepInput> {
        match self {
            Action::EnvFile { edit: EnvEdit::Set { .. } | EnvEdit::Replace, .. } => {
                Some(StepInput::Variables)
            }
            Action::Package { package, .. } => Some(StepInput::Package { key: package.key.clone() }),
            _ => None,
        }
    }

    /// Whether it may be done by sudo, where the user isn't root.
    pub fn may_use_sudo(&self) -> bool {
        match self {
            Action::Hook { .. }
            | Action::Restart { .. }
            | Action::Stop { .. }
            | Action::VerifyRunning { .. }
            | Action::ProveSudo
            | Action::Run { .. } => true,
            Action::Migrations { around, .. } | Action::Maintenance { around, .. } => around.run_as.is_some(),
            Action::Crontab { place, .. } => *place == CrontabLocation::System,
            _ => false,
        }
    }

    /// Whether it changes what is live.
    pub fn switches(&self) -> bool {
        matches!(self, Action::SwitchLink { .. })
    }
}

impl fmt::Display for Action {
    /// A line for people, in the imperative.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::CreateFolders { .. } => f.write_str("make the app's folders"),
            Action::Lock { .. } => f.write_str("take the lock"),
            Action::Guard { .. } => f.write_str("check that nothing changed since the look"),
            Action::ProveSudo => f.write_str("check the password of sudo"),
            Action::Record { slot, state, release, .. } => match state {
                SlotState::Building => write!(f, "mark {slot} as being built for {release}"),
                SlotState::Ready => write!(f, "mark {slot} as ready"),
                SlotState::Live => write!(f, "mark {slot} as live"),
                SlotState::Retired => write!(f, "keep {slot} for a rollback to {release}"),
                SlotState::Failed => write!(f, "mark {slot} as failed"),
                SlotState::Empty => write!(f, "mark {slot} as empty"),
            },
            Action::Fetch { slot, commit, .. } => write!(f, "fetch {} into {slot}", commit.short()),
            Action::Checkout { slot, commit, .. } => write!(f, "check out {} in {slot}", commit.short()),
            Action::Submodules { slot, .. } => write!(f, "fetch the submodules of {slot}"),
            Action::Shared { slot, files, dirs, .. } => {
                let names: Vec<&str> = files.iter().chain(dirs).map(String::as_str).collect();
                write!(f, "link what is shared into {slot}: {}", one_line(&names.join(", ")))
            }
            Action::Package { package, .. } => write!(f, "send {}", one_line(&package.file)),
            Action::Virtualenv { slot, .. } => write!(f, "bring the virtualenv of {slot} up to date"),
            Action::Migrations { older, schema: Schema::Reverse, .. } => {
                write!(f, "undo migrations that {older} doesn't know")
            }
            Action::Migrations { older, .. } => write!(f, "look for migrations that {older} doesn't know"),
            Action::AskApp { release, .. } => write!(f, "ask the app whether it runs {release}"),
            Action::VerifyCommit { slot, commit } => {
                write!(f, "prove that {slot} holds {}, unchanged", commit.short())
            }
            Action::Hook { point, command, .. } => write!(f, "{point}: {}", one_line(command)),
            Action::ServiceFiles { files, .. } => {
                let name = |file: &ServiceFile| file.path.as_str().rsplit('/').next().map(str::to_owned);
                let names: Vec<String> = files.iter().filter_map(name).collect();
                write!(f, "write and check {}", one_line(&names.join(", ")))
            }
            Action::SwitchLink { target: Some(target) } => write!(f, "point current to {}", one_line(target)),
            Action::SwitchLink { target: None } => f.write_str("take current away"),
            Action::Restart { service, file, reload, commands, .. } => match commands.first() {
                Some(command) => write!(f, "restart: {}", one_line(command)),
                None => {
                    let how = if *reload { "reload" } else { "restart" };
                    let install = match file.as_ref().map(|file| &file.of) {
                        Some(FilesOf::Release { .. }) => "install and ",
                        Some(FilesOf::Before) => "put back and ",
                        None => "",
                    };
                    write!(f, "{install}{how} {}", String::from(service.clone()))
                }
            },
            Action::Prune => f.write_str("forget releases that no slot holds"),
            Action::VerifyRunning { services, seconds } => {
                let names: Vec<String> =
                    services.iter().map(|(service, _)| String::from(service.clone())).collect();
                write!(f, "see that {} up for {seconds} s", stay(&names))
            }
            Action::Stop { service } => write!(f, "stop {}", String::from(service.clone())),
            Action::Journal { kind, .. } => write!(f, "note in the journal: {}", kind_word(*kind)),
            Action::EnvFile { edit, .. } => edit.fmt(f),
            Action::RequireFile { file, .. } => write!(f, "see that there is {}", one_line(file)),
            Action::Crontab { file, .. } => write!(f, "install the jobs of {}", one_line(file)),
            Action::MaintenanceSetting { slot, file, on } => {
                let value = if *on { "True" } else { "False" };
                write!(f, "set MAINTENANCE_MODE = {value} in {} of {slot}", one_line(file))
            }
            Action::Maintenance { method: MaintenanceMethod::Setting, told: Some(_), .. } => {
                f.write_str("note that visitors are told of maintenance")
            }
            Action::Maintenance { told: Some(_), .. } => f.write_str("tell visitors of maintenance"),
            Action::Maintenance { told: None, .. } => f.write_str("end maintenance"),
            Action::Hold { reason, .. } => write!(f, "hold deploys: {}", one_line(reason)),
            Action::Unhold => f.write_str("allow deploys again"),
            Action::Run { command, .. } => f.write_str(&one_line(command)),
        }
    }
}

/// `a stays`, `a and b stay`.
fn stay(names: &[String]) -> String {
    match names {
        [name] => format!("{name} stays"),
        [first @ .., last] => format!("{} and {last} stay", first.join(", ")),
        [] => "nothing stays".to_owned(),
    }
}

/// The verb of a journal line, for people.
pub fn kind_word(kind: JournalKind) -> &'static str {
    match kind {
        JournalKind::Deployed => "deployed",
        JournalKind::RolledBack => "rolled back",
        JournalKind::Reverted => "reverted",
        JournalKind::Held => "held",
        JournalKind::Unheld => "unheld",
        JournalKind::Restarted => "restarted",
        JournalKind::EnvChanged => "env changed",
        JournalKind::MaintenanceOn => "maintenance on",
        JournalKind::MaintenanceOff => "maintenance off",
    }
}
