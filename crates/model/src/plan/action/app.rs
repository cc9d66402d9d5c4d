//! What runs the app's own code, or is about its files and visitors.

use std::fmt;

use serde::Serialize;

use super::effects::{Effect, Effects, FailureMeans, PhaseName, StepInput};
use super::{Action, Surroundings};
use crate::app::health::Health;
use crate::app::hooks::HookPoint;
use crate::app::logs::{LogQuery, LogSources};
use crate::app::maintenance::MaintenanceMethod;
use crate::app::package::FetchedPackage;
use crate::app::service::Service;
use crate::app::text::one_line;
use crate::app::watch::Watch;
use crate::names::{HostPath, SlotName};
use crate::release::Release;

/// What is done with the app.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum AppAction {
    /// Links what outlives releases into a slot.
    Shared {
        /// The slot.
        slot: SlotName,
        /// Where in it the app lies; `None`: at its root.
        #[serde(skip_serializing_if = "Option::is_none")]
        subdir: Option<String>,
        /// Files, which have to be there.
        files: Vec<String>,
        /// Folders, which are made if they aren't.
        dirs: Vec<String>,
        /// The group that shall be able to write them.
        group: Option<String>,
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
    /// Asks the app which release it runs, until it names this one, or fails.
    AskApp {
        /// Where it says so.
        url: String,
        /// The release.
        release: Release,
        /// For how long it is asked again, in seconds.
        patience_seconds: u32,
        /// Whether visitors are told of maintenance, which it may answer instead.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        in_maintenance: bool,
    },
    /// Notes how far logs have come of which is counted from here on.
    BeginWatch {
        /// Which.
        logs: Vec<String>,
    },
    /// Fails where too much was counted since the switch.
    Watch {
        /// What.
        watch: Watch,
        /// The units whose words are counted, where that is what is.
        units: Vec<String>,
    },
    /// Asks whether the app is well, until it is or its time is over.
    AskHealth {
        /// What is asked.
        health: Box<Health>,
        /// What runs of the app here: its words are told where it isn't well.
        services: Vec<Service>,
        /// Whether visitors are told of maintenance, be it by the app, which is well nevertheless.
        in_maintenance: bool,
        /// Who may answer.
        by: Answerer,
        /// Where a command that asks runs.
        #[serde(flatten)]
        around: Surroundings,
    },
    /// Changes the file of variables. What is set comes as the step's input.
    EnvFile {
        /// How.
        edit: EnvEdit,
        /// The file.
        file: HostPath,
        /// The group of those who deploy, who may read it; `None`: its owner alone.
        group: Option<String>,
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
    /// Takes a file of the deployer's, which comes as the step's input.
    Put {
        /// The file.
        file: FetchedPackage,
        /// Where it goes, or a folder that it goes into.
        place: HostPath,
        /// Its permissions: who can't read it on the deployer can't there, either. Those of a file that it replaces may say less.
        mode: u32,
    },
    /// Tells what services and files say.
    Logs {
        /// Where they say it.
        #[serde(flatten)]
        sources: LogSources,
        /// Which part of it.
        #[serde(flatten)]
        query: LogQuery,
    },
    /// Runs a command that a person typed.
    Run {
        /// The command, for `sh`.
        command: String,
        /// Where it runs, if the folder is there.
        #[serde(flatten)]
        around: Surroundings,
    },
}

/// Who may answer the question whether the app is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answerer {
    /// Anybody: how the app comes to run the release isn't known.
    Anybody,
    /// Nobody who works in another release: every process was started anew.
    ThisRelease,
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
            EnvEdit::Restore => f.write_str("restore the previous variables"),
        }
    }
}

/// What visitors are told, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldVisitors {
    /// The person and machine that run it.
    pub by: String,
    /// Why.
    pub message: Option<String>,
    /// Until when.
    pub until: Option<String>,
    /// The whole page.
    pub page: String,
}

impl AppAction {
    pub(super) fn effects(&self) -> Effects<'_> {
        use PhaseName::{Announce, Bake, Finish, InPlace, Once, Prepare, Reopen, Switch, Work};
        match self {
            AppAction::Shared { slot, .. } => {
                Effects::new(Effect::Part { slot }, &[Prepare, InPlace]).telling()
            }
            AppAction::Hook { point, around, optional, .. } => Effects::new(
                Effect::Command { directory: &around.directory, fills: *point == HookPoint::Build },
                &[Prepare, Once, Switch, Finish],
            )
            .optional(*optional)
            .by_sudo(true),
            AppAction::AskApp { .. } => Effects::new(Effect::Nothing, &[Switch, Reopen]),
            AppAction::BeginWatch { .. } => Effects::new(Effect::Beside, &[Switch]).by_sudo(true),
            AppAction::Watch { watch, .. } => {
                Effects { tells: watch.advisory, ..Effects::new(Effect::Nothing, &[Bake]).by_sudo(true) }
            }
            AppAction::AskHealth { .. } => Effects {
                failure: FailureMeans::StopUnlessGoingBack,
                ..Effects::new(Effect::Nothing, &[Announce, Switch, Bake, Reopen, Work]).by_sudo(true)
            },
            AppAction::EnvFile { edit, .. } => {
                let input = match edit {
                    EnvEdit::Set { .. } | EnvEdit::Replace => Some(StepInput::Variables),
                    EnvEdit::Unset { .. } | EnvEdit::Restore => None,
                };
                Effects { input, ..Effects::new(Effect::Beside, &[Work]) }
            }
            AppAction::MaintenanceSetting { slot, .. } => {
                Effects::new(Effect::Edit { slot }, &[Announce, Prepare, Switch, Reopen, Work]).quick()
            }
            AppAction::Maintenance { told, around, .. } => {
                Effects::new(Effect::Maintenance(told.is_some()), &[Announce, Switch, Reopen, Work])
                    .by_sudo(around.run_as.is_some())
            }
            AppAction::Put { file, .. } => {
                Effects { input: Some(StepInput::Package(file)), ..Effects::new(Effect::Beside, &[Work]) }
            }
            AppAction::Logs { sources, .. } => {
                let is_roots = |unit: &String| !unit.starts_with("user/");
                let may_be_roots = sources.units.iter().any(is_roots) || !sources.files.is_empty();
                Effects::new(Effect::Nothing, &[Work]).by_sudo(may_be_roots)
            }
            AppAction::Run { around, .. } => {
                Effects::new(Effect::Command { directory: &around.directory, fills: false }, &[Work])
                    .by_sudo(true)
            }
        }
    }
}

impl fmt::Display for AppAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppAction::Shared { slot, files, dirs, .. } => {
                let names: Vec<&str> = files.iter().chain(dirs).map(String::as_str).collect();
                write!(f, "link what is shared into {slot}: {}", one_line(&names.join(", ")))
            }
            AppAction::Hook { point, command, .. } => write!(f, "{point}: {}", one_line(command)),
            AppAction::AskApp { release, .. } => write!(f, "ask the app whether it runs {release}"),
            AppAction::BeginWatch { logs } => {
                write!(f, "note how far {} has come", one_line(&logs.join(", ")))
            }
            AppAction::Watch { watch, .. } => write!(f, "watch {}", one_line(&watch.to_string())),
            AppAction::AskHealth { health, .. } => {
                write!(f, "ask whether the app is well: {}", health.question)
            }
            AppAction::EnvFile { edit, .. } => edit.fmt(f),
            AppAction::MaintenanceSetting { slot, file, on } => {
                let value = if *on { "True" } else { "False" };
                write!(f, "set MAINTENANCE_MODE = {value} in {} of {slot}", one_line(file))
            }
            AppAction::Maintenance { method: MaintenanceMethod::Setting, told: Some(_), .. } => {
                f.write_str("note that visitors are told of maintenance")
            }
            AppAction::Maintenance { told: Some(_), .. } => f.write_str("tell visitors of maintenance"),
            AppAction::Maintenance { told: None, .. } => f.write_str("end maintenance"),
            AppAction::Put { file, place, .. } => {
                write!(f, "put {} into {}", one_line(&file.file), one_line(place.as_str()))
            }
            AppAction::Logs { sources: LogSources { units, files }, .. } => {
                let names: Vec<&str> = units.iter().chain(files).map(String::as_str).collect();
                write!(f, "read the logs: {}", one_line(&names.join(", ")))
            }
            AppAction::Run { command, .. } => f.write_str(&one_line(command)),
        }
    }
}

impl From<AppAction> for Action {
    fn from(action: AppAction) -> Action {
        Action::App(action)
    }
}
