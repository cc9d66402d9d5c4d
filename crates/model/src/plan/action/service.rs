//! The app's services, their files, and its jobs.

use std::fmt;

use serde::Serialize;

use super::effects::{Effect, Effects, FailureMeans, PhaseName};
use super::{Action, Surroundings};
use crate::app::crontab::CrontabLocation;
use crate::app::owner::Owner;
use crate::app::service::Service;
use crate::app::service_file::{FilesOf, ReleasedServiceFile, ServiceFile};
use crate::app::text::one_line;
use crate::host::left_over::LeftOver;
use crate::names::{CommitId, HostPath, SlotName, Unit};

/// What is done about what runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ServiceAction {
    /// Fails unless sudo takes the password that was typed: better now than half-way through a switch.
    VerifySudo,
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
    /// Restarts a service of the app.
    Restart {
        /// How.
        service: Service,
        /// Its unit file or init script, which is put in place first.
        file: Option<ReleasedServiceFile>,
        /// What holds its socket, which has to listen before; where this release has none, it is taken out of the way.
        #[serde(skip_serializing_if = "Option::is_none")]
        socket: Option<Box<ReleasedServiceFile>>,
        /// Whether it is only reloaded, unless that file has changed.
        reload: bool,
        /// The commands that do it instead of `service`, if any.
        commands: Vec<String>,
        /// Where they run: in the release that shall run.
        #[serde(flatten)]
        around: Surroundings,
    },
    /// Puts a link into a slot by which web servers find where its release listens.
    LinkSocket {
        /// The slot.
        slot: SlotName,
        /// Where, by its path in the slot.
        path: String,
        /// Where it leads.
        socket: HostPath,
    },
    /// Puts the file in its place by which a host puts back, as it starts, a switch that the power cut short.
    InstallRecovery {
        /// The file.
        file: ReleasedServiceFile,
    },
    /// Starts what runs the release in a slot beside what serves, and waits until it listens; where it does already, nothing is done, unless
    /// it is to be started anew.
    StartInstance {
        /// Which.
        service: Service,
        /// The slot.
        slot: SlotName,
        /// Its unit file, which is put in place first.
        file: Option<ReleasedServiceFile>,
        /// How long it may take until it listens, in seconds.
        seconds: u32,
        /// Whether it is started anew.
        anew: bool,
    },
    /// Has a host start, when it starts itself, what the link leads to.
    StartAtBoot {
        /// What does that.
        service: Service,
        /// Its unit file.
        file: Option<ReleasedServiceFile>,
        /// What may have held the service's socket before.
        socket: Option<Box<ReleasedServiceFile>>,
    },
    /// Stops what runs the release in a slot, once it gets no connections any more.
    StopInstances {
        /// Which.
        services: Vec<Service>,
        /// The slot.
        slot: SlotName,
        /// Whether it is waited until all that it began is done.
        waits: bool,
        /// Whether its failure is only told.
        optional: bool,
    },
    /// Waits for a while, and fails unless services have run all through it.
    VerifyRunning {
        /// Which, with the files that a release may have of those that are ours: one that it hasn't got has nothing to stay. Of
        /// what nobody can ask, none: then it only waits.
        services: Vec<(Service, Option<ReleasedServiceFile>)>,
        /// How long they have to, in seconds.
        seconds: u32,
    },
    /// Stops a service that has to run elsewhere; nothing, where it doesn't run.
    Stop {
        /// Which.
        service: Service,
        /// Whether its failure is only told: a release that is live stays so.
        optional: bool,
    },
    /// Stops and takes away what was installed for the app and isn't wanted any more.
    Remove {
        /// What.
        #[serde(flatten)]
        left: LeftOver,
        /// Whether its failure is only told: a release that is live stays so.
        optional: bool,
    },
    /// Brings the app's jobs to what a release says. A failure is only told.
    Crontab {
        /// The slot.
        slot: SlotName,
        /// The release's crontab.
        file: String,
        /// What its jobs are marked with, or their file is called.
        label: String,
        /// What they were marked with before environments had marks of their own.
        former_label: Unit,
        /// Whose they are.
        owner: Owner,
        /// Where its jobs stand.
        place: CrontabLocation,
        /// What they find around them. They run as cron has it: where, and as whom, is the crontab's to say.
        #[serde(flatten)]
        around: Surroundings,
    },
}

impl ServiceAction {
    pub(super) fn effects(&self) -> Effects<'_> {
        const RUNNING: &[PhaseName] =
            &[PhaseName::Announce, PhaseName::Switch, PhaseName::Bake, PhaseName::Reopen, PhaseName::Work];
        match self {
            ServiceAction::VerifySudo => Effects::new(Effect::Nothing, &[PhaseName::Lock]).by_sudo(true),
            ServiceAction::ServiceFiles { .. } => Effects::new(Effect::Beside, &[PhaseName::Prepare]),
            ServiceAction::Restart { service, .. } => Effects {
                failure: FailureMeans::StopUnlessGoingBack,
                ..Effects::new(Effect::Start(service), RUNNING).by_sudo(true)
            },
            ServiceAction::LinkSocket { slot, .. } => {
                Effects::new(Effect::Edit { slot }, &[PhaseName::Prepare, PhaseName::InPlace]).quick()
            }
            ServiceAction::InstallRecovery { .. } => {
                Effects::new(Effect::PutsBackAtBoot, &[PhaseName::Prepare]).by_sudo(true)
            }
            ServiceAction::StartInstance { service, slot, .. } => Effects {
                failure: FailureMeans::StopUnlessGoingBack,
                ..Effects::new(Effect::StartIn { service, slot }, RUNNING).by_sudo(true)
            },
            ServiceAction::StartAtBoot { .. } => Effects {
                failure: FailureMeans::StopUnlessGoingBack,
                ..Effects::new(Effect::Beside, RUNNING).by_sudo(true)
            },
            ServiceAction::StopInstances { services, slot, optional, .. } => {
                const STOPS: &[PhaseName] =
                    &[PhaseName::Prepare, PhaseName::Switch, PhaseName::Finish, PhaseName::Work];
                let stop = Effects {
                    failure: FailureMeans::StopUnlessGoingBack,
                    ..Effects::new(Effect::StopIn { services, slot }, STOPS).by_sudo(true)
                };
                stop.optional(*optional)
            }
            ServiceAction::VerifyRunning { services, .. } => Effects {
                failure: FailureMeans::StopUnlessGoingBack,
                ..Effects::new(Effect::Nothing, RUNNING).by_sudo(!services.is_empty())
            },
            ServiceAction::Stop { service, optional: true } => {
                Effects::new(Effect::Stop(service), &[PhaseName::Finish]).by_sudo(true).optional(true)
            }
            ServiceAction::Stop { service, optional: false } => Effects {
                failure: FailureMeans::StopUnlessGoingBack,
                ..Effects::new(Effect::Stop(service), RUNNING).by_sudo(true)
            },
            ServiceAction::Remove { left, optional } => {
                Effects::new(Effect::Beside, &[PhaseName::Finish, PhaseName::Work])
                    .optional(*optional)
                    .by_sudo(left.file().is_some())
            }
            ServiceAction::Crontab { place, .. } => Effects::new(Effect::Beside, &[PhaseName::Finish])
                .optional(true)
                .by_sudo(*place == CrontabLocation::System),
        }
    }
}

impl fmt::Display for ServiceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServiceAction::VerifySudo => f.write_str("check the password of sudo"),
            ServiceAction::ServiceFiles { files, .. } => {
                let name = |file: &ServiceFile| file.path.as_str().rsplit('/').next().map(str::to_owned);
                let names: Vec<String> = files.iter().filter_map(name).collect();
                write!(f, "write and check {}", one_line(&names.join(", ")))
            }
            ServiceAction::LinkSocket { path, socket, .. } => write!(f, "link {path} to {socket}"),
            ServiceAction::InstallRecovery { .. } => {
                f.write_str("have the host put back at boot a switch that was cut short")
            }
            ServiceAction::StartInstance { service, file, anew, .. } => {
                let install = file.as_ref().map_or("", |_| "install and ");
                let service = String::from(service.clone());
                if *anew {
                    write!(f, "{install}restart {service}")
                } else {
                    write!(f, "{install}start {service}, unless it runs")
                }
            }
            ServiceAction::StartAtBoot { service, .. } => {
                write!(f, "have {} start the live slot at boot", String::from(service.clone()))
            }
            ServiceAction::StopInstances { services, .. } => {
                let names: Vec<String> =
                    services.iter().map(|service| String::from(service.clone())).collect();
                write!(f, "stop {}", names.join(", "))
            }
            ServiceAction::Restart { service, file, reload, commands, .. } => match commands.first() {
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
            ServiceAction::VerifyRunning { services, seconds } => {
                let names: Vec<String> =
                    services.iter().map(|(service, _)| String::from(service.clone())).collect();
                match stay(&names) {
                    Some(stay) => write!(f, "verify that {stay} up for {seconds} s"),
                    None => write!(f, "wait for {seconds} s"),
                }
            }
            ServiceAction::Stop { service, .. } => write!(f, "stop {}", String::from(service.clone())),
            ServiceAction::Remove { left, .. } => write!(f, "stop and remove {}", one_line(&left.name())),
            ServiceAction::Crontab { file, .. } => write!(f, "install the jobs of {}", one_line(file)),
        }
    }
}

/// `a stays`, `a and b stay`; nothing, where nothing does.
fn stay(names: &[String]) -> Option<String> {
    Some(match names {
        [name] => format!("{name} stays"),
        [first @ .., last] => format!("{} and {last} stay", first.join(", ")),
        [] => return None,
    })
}

impl From<ServiceAction> for Action {
    fn from(action: ServiceAction) -> Action {
        Action::Service(action)
    }
}
