//! A plan: everything that a run will do, decided before it does anything.
//!
//! It is data. It can be shown, written as JSON, checked, simulated and executed, and all five see the same thing. The
//! executor makes no choice that isn't in it.

pub mod action;
pub mod check;
pub mod frame;
pub mod promise;
pub mod refusal;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::migration::Migration;
use crate::deployer::action::DeployerAction;
use crate::host::Host;
use crate::host::inventory::LeftOut;
use crate::host::layout::Layout;
use crate::host::left_over::LeftOver;
use crate::host::proven::RollbackTarget;
use crate::host::record::{JournalKind, StoppedAt};
use crate::host::running::KnownBy;
use crate::names::{EnvironmentName, HostName, RunId, SlotName, Unit};
use crate::release::Release;
use action::{Action, PhaseName, PythonAction, ServiceAction};
use frame::{Arm, Instruction};
use promise::Promise;

/// What a run will do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The run that this plan is for.
    pub run: RunId,
    /// When the run began, by the deployer's clock.
    pub at: Timestamp,
    /// The person and machine that run it.
    pub by: String,
    /// What kind of run it is.
    pub intent: Intent,
    /// What others are told of a run that switches nothing; `None`: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<WorkKind>,
    /// What a person calls it, where that isn't what it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The app.
    pub unit: Unit,
    /// Where.
    pub environment: EnvironmentName,
    /// The hosts that take part, in the order of the configuration.
    pub hosts: Vec<HostPlan>,
    /// What was live before; where hosts differ, what most of those that change served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Release>,
    /// Hosts that are left out, because they can't be reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedHost>,
    /// What is done, in order. No phase begins before the one before it has ended well, on the deployer and on all of its
    /// hosts.
    pub phases: Vec<Phase>,
    /// What each host that can be told writes into its journal where the run fails or is interrupted, once the outcome is
    /// certain: the reason, the phase and the time are filled in then. A failure is only told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_failure: Vec<HostWork>,
    /// What the deployer does at the end, when the outcome is certain and the hosts are let go. A failure is only told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub closing: Vec<Closing>,
    /// The group that may write what the run makes on hosts; `None`: the user who logs in, alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy_group: Option<String>,
    /// What hooks on the deployer find in their environment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Machines that those named who know the environment's hosts, and that take no part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What a person should know before they say yes.
    pub notes: Vec<Note>,
}

/// What kind of run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A release gets live.
    Deploy,
    /// The release before gets live again.
    Rollback,
    /// The app is restarted as it is.
    Restart,
    /// Something small that switches nothing: a command, a hold.
    Work,
}

/// What others are told of, of what switches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// A switch that was never confirmed is put back.
    Recover,
    /// Visitors are told of maintenance, or no longer.
    Maintenance,
    /// Deploys are held, or no longer.
    Hold,
}

/// A host that a run leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedHost {
    /// Which.
    pub host: HostName,
    /// Why it can't be reached, in the words of whoever knows.
    pub why: String,
}

impl SkippedHost {
    /// For people, in one line.
    pub fn in_words(&self) -> String {
        let SkippedHost { host, why } = self;
        format!("{host}: can't be reached: {}", why.lines().next_back().unwrap_or_default())
    }
}

/// What changes on one host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostPlan {
    /// The host.
    pub host: Host,
    /// Where everything lies on it.
    #[serde(skip)]
    pub layout: Layout,
    /// What serves before the run, as far as it is known.
    pub from: Option<Release>,
    /// What serves after it; `None` if the run switches nothing here.
    pub to: Option<Target>,
    /// By what it is known that a release serves here.
    #[serde(skip)]
    pub known_by: KnownBy,
    /// Whether it was out of traffic before the run.
    #[serde(skip)]
    pub is_drained: bool,
    /// What was wrong, before the run, with what runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<String>,
    /// What could be gone back to when the run was planned, where a rollback goes first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rollback_targets: Vec<RollbackTarget>,
    /// Promises that the strategy can't keep here, and nobody checks therefore.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken_promises: Vec<Promise>,
}

impl HostPlan {
    /// Whether the release is changed where it serves, rather than by a link.
    pub fn is_in_place(&self) -> bool {
        self.broken_promises.contains(&Promise::SwitchInOneMoment)
    }
}

/// What a host is switched to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// The slot that will serve.
    pub slot: SlotName,
    /// What will be in it.
    pub release: Release,
}

/// A part of the plan with a gate before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// What it is for.
    pub kind: PhaseKind,
    /// What the deployer does, in order, before the hosts of this phase do anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deployer: Vec<DeployerStep>,
    /// What each of its hosts does; a host with nothing to do isn't in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub work: Vec<HostWork>,
}

/// What a phase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum PhaseKind {
    /// What comes first, on the deployer: tests, hooks, the tag, and the push that hosts fetch from.
    Begin,
    /// Take every lock, or none.
    Lock,
    /// Tell visitors of maintenance.
    Announce,
    /// The beginning of it, where not all hosts may ask the git server at the same time: fill the slots of some.
    Fetch {
        /// Which hosts, from 1.
        batch: u32,
        /// Of how many such phases.
        of: u32,
    },
    /// Make the idle slots ready. Touches nothing that serves.
    Prepare,
    /// What others are to see of a release that every host is ready for: its tag.
    Publish,
    /// What has to run on one host of an app only, before any host switches.
    Once {
        /// Of which apps, from 1: one after the other, where there are several that wait for each other.
        #[serde(default = "one")]
        turn: u32,
        /// Of how many such phases.
        #[serde(default = "one")]
        of: u32,
    },
    /// Take a wave of hosts out of traffic.
    Drain {
        /// Which wave, from 1.
        wave: u32,
        /// Of how many.
        of: u32,
    },
    /// Make a wave of hosts serve the new release, until confirmed or reverted.
    Switch {
        /// Which wave, from 1.
        wave: u32,
        /// Of how many.
        of: u32,
    },
    /// Put a wave of hosts back into traffic.
    Undrain {
        /// Which wave, from 1.
        wave: u32,
        /// Of how many.
        of: u32,
    },
    /// Wait, and ask all hosts that serve the new release by now once more.
    Bake {
        /// After which wave, from 1.
        wave: u32,
        /// Of how many.
        of: u32,
    },
    /// Confirm a wave by itself, and write down what happened, before the next one begins. Nothing here can fail a run.
    Confirm {
        /// Which wave, from 1; never the last.
        wave: u32,
        /// Of how many.
        of: u32,
    },
    /// Tell visitors that maintenance is over.
    Reopen,
    /// Confirm, and write down what happened. Nothing here can fail a run.
    Finish,
    /// Something that switches nothing.
    Work,
}

/// What a log of an older version doesn't say.
fn one() -> u32 {
    1
}

impl PhaseKind {
    /// Which phase it is, whatever its number.
    pub fn name(self) -> PhaseName {
        match self {
            PhaseKind::Begin => PhaseName::Begin,
            PhaseKind::Lock => PhaseName::Lock,
            PhaseKind::Announce => PhaseName::Announce,
            PhaseKind::Fetch { .. } | PhaseKind::Prepare => PhaseName::Prepare,
            PhaseKind::Publish => PhaseName::Publish,
            PhaseKind::Once { .. } => PhaseName::Once,
            PhaseKind::Drain { .. } => PhaseName::Drain,
            PhaseKind::Switch { .. } => PhaseName::Switch,
            PhaseKind::Undrain { .. } => PhaseName::Undrain,
            PhaseKind::Bake { .. } => PhaseName::Bake,
            PhaseKind::Reopen => PhaseName::Reopen,
            PhaseKind::Confirm { .. } | PhaseKind::Finish => PhaseName::Finish,
            PhaseKind::Work => PhaseName::Work,
        }
    }
}

/// In the order of a run: wave by wave.
impl Ord for PhaseKind {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |kind: &PhaseKind| match *kind {
            PhaseKind::Begin => (0, 0, 0, 0),
            PhaseKind::Lock => (1, 0, 0, 0),
            PhaseKind::Announce => (2, 0, 0, 0),
            PhaseKind::Fetch { batch, of } => (3, batch, 0, of),
            PhaseKind::Prepare => (4, 0, 0, 0),
            PhaseKind::Publish => (5, 0, 0, 0),
            PhaseKind::Once { turn, of } => (6, turn, 0, of),
            PhaseKind::Drain { wave, of } => (7, wave, 0, of),
            PhaseKind::Switch { wave, of } => (7, wave, 1, of),
            PhaseKind::Undrain { wave, of } => (7, wave, 2, of),
            PhaseKind::Bake { wave, of } => (7, wave, 3, of),
            PhaseKind::Confirm { wave, of } => (7, wave, 4, of),
            PhaseKind::Reopen => (8, 0, 0, 0),
            PhaseKind::Finish => (9, 0, 0, 0),
            PhaseKind::Work => (10, 0, 0, 0),
        };
        place(self).cmp(&place(other))
    }
}

impl PartialOrd for PhaseKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for PhaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PhaseKind::Begin => f.pad("begin"),
            PhaseKind::Lock => f.pad("lock"),
            PhaseKind::Announce => f.pad("announce"),
            PhaseKind::Fetch { batch, of } => f.pad(&format!("fetch, batch {batch} of {of}")),
            PhaseKind::Prepare => f.pad("prepare"),
            PhaseKind::Publish => f.pad("publish"),
            PhaseKind::Once { of: 1, .. } => f.pad("once"),
            PhaseKind::Once { turn, of } => f.pad(&format!("once, {turn} of {of}")),
            PhaseKind::Drain { of: 1, .. } => f.pad("drain"),
            PhaseKind::Drain { wave, of } => f.pad(&format!("drain, wave {wave} of {of}")),
            PhaseKind::Switch { of: 1, .. } => f.pad("switch"),
            PhaseKind::Switch { wave, of } => f.pad(&format!("switch, wave {wave} of {of}")),
            PhaseKind::Undrain { of: 1, .. } => f.pad("undrain"),
            PhaseKind::Undrain { wave, of } => f.pad(&format!("undrain, wave {wave} of {of}")),
            PhaseKind::Bake { of: 1, .. } => f.pad("bake"),
            PhaseKind::Bake { wave, of } => f.pad(&format!("bake, wave {wave} of {of}")),
            PhaseKind::Confirm { wave, of } => f.pad(&format!("confirm, wave {wave} of {of}")),
            PhaseKind::Reopen => f.pad("reopen"),
            PhaseKind::Finish => f.pad("finish"),
            PhaseKind::Work => f.pad("work"),
        }
    }
}

/// What one host does in one phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostWork {
    /// The host.
    pub host: HostName,
    /// In order; the first step that fails ends the phase on this host.
    pub frame: Vec<Instruction>,
}

/// One action with a number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Unique within the plan.
    pub id: u32,
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
}

/// One action of the deployer with a number, and what takes it back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeployerStep {
    /// Unique within the plan.
    pub id: u32,
    /// What it does.
    #[serde(flatten)]
    pub action: DeployerAction,
    /// What takes it back, where the run comes to nothing before anything of it was made public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way_back: Option<Box<DeployerStep>>,
}

/// How a run came to nothing, for those who read a host's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Whether it failed, or was interrupted.
    pub kind: JournalKind,
    /// What went wrong first.
    pub reason: String,
    /// How far it got.
    pub stopped: StoppedAt,
    /// Whether the host gets requests as before the run, as far as the deployer sees to that. Where it doesn't, the note about it stays.
    pub is_in_traffic: bool,
}

/// What the deployer does at one kind of end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Closing {
    /// At which.
    pub when: End,
    /// In order; the first that fails is told, and is the last.
    pub steps: Vec<DeployerStep>,
}

/// A way that a run can end, as far as what is done afterwards depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All was done.
    Done,
    /// It was begun on hosts, and something failed, or a person stopped it.
    Failed,
}

/// Something a person should know before they say yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The host that it is about; `None`: all.
    pub host: Option<HostName>,
    /// In whole words.
    pub text: String,
}

/// A step of a plan, with all that it belongs to.
#[derive(Debug, Clone, Copy)]
pub enum Found<'p> {
    /// A host's.
    OnHost {
        /// Its phase.
        phase: &'p Phase,
        /// The step.
        step: &'p Step,
        /// Whether it belongs to the way back.
        goes_back: bool,
    },
    /// The deployer's.
    OnDeployer {
        /// Its phase; `None` at the end.
        phase: Option<&'p Phase>,
        /// The step.
        step: &'p DeployerStep,
        /// Whether it takes another one back.
        goes_back: bool,
    },
}

impl Plan {
    /// The plan for one host.
    pub fn host(&self, name: &HostName) -> Option<&HostPlan> {
        self.hosts.iter().find(|plan| plan.host.name == *name)
    }

    /// The step of this number.
    pub fn step(&self, id: u32) -> Option<Found<'_>> {
        let hosts = self.phases.iter().flat_map(|phase| {
            phase.work.iter().flat_map(move |work| {
                let forward = work.steps().map(move |step| Found::OnHost { phase, step, goes_back: false });
                forward.chain(work.way_back().map(move |step| Found::OnHost { phase, step, goes_back: true }))
            })
        });
        hosts.chain(self.deployer_steps()).find(|found| found.id() == id)
    }

    /// Every step of the deployer, in order, each followed by what takes it back.
    pub fn deployer_steps(&self) -> impl Iterator<Item = Found<'_>> {
        let phases =
            self.phases.iter().flat_map(|phase| phase.deployer.iter().map(move |step| (Some(phase), step)));
        let closing = self.closing.iter().flat_map(|closing| closing.steps.iter().map(|step| (None, step)));
        phases.chain(closing).flat_map(|(phase, step)| {
            let back = step.way_back.as_deref();
            let back = back.map(|step| Found::OnDeployer { phase, step, goes_back: true });
            std::iter::once(Found::OnDeployer { phase, step, goes_back: false }).chain(back)
        })
    }

    /// The action of a host's step of this number, be it one of those that only a failure brings.
    pub fn action(&self, id: u32) -> Option<&Action> {
        match self.step(id) {
            Some(Found::OnHost { step, .. }) => Some(&step.action),
            Some(Found::OnDeployer { .. }) => None,
            None => {
                let mut notes = self.on_failure.iter().flat_map(HostWork::all_steps);
                notes.find(|step| step.id == id).map(|step| &step.action)
            }
        }
    }

    /// What a host does where the run came to nothing so, in order. Where it is still out of traffic, it goes on saying so.
    pub fn at_failure(&self, host: &HostName, ended: &Ended) -> Vec<&Instruction> {
        let stays = |instruction: &&Instruction| match instruction {
            Instruction::Do(Step { action: Action::Traffic(action), .. }) => {
                ended.is_in_traffic || !action.is_told_by_deployer()
            }
            _ => true,
        };
        let work = self.on_failure.iter().filter(|work| work.host == *host);
        work.flat_map(|work| &work.frame).filter(stays).collect()
    }

    /// Whether any step may be done by sudo.
    pub fn may_use_sudo(&self) -> bool {
        let work = self.phases.iter().flat_map(|phase| &phase.work);
        work.flat_map(HostWork::all_steps).any(|step| step.action.effects().may_use_sudo)
    }

    /// What is stopped and removed because it isn't wanted any more, on which hosts.
    pub fn removals(&self) -> Vec<(&HostName, &LeftOver)> {
        let mut removals = Vec::new();
        for work in self.phases.iter().flat_map(|phase| &phase.work) {
            for step in work.steps() {
                if let Action::Service(ServiceAction::Remove { left, .. }) = &step.action {
                    removals.push((&work.host, left));
                }
            }
        }
        removals
    }

    /// The migrations that are undone.
    pub fn undoes(&self) -> Vec<&Migration> {
        let steps = self.phases.iter().flat_map(|phase| &phase.work).flat_map(HostWork::steps);
        let undone = steps.filter_map(|step| match &step.action {
            Action::Python(PythonAction::Migrations { undoes, .. }) => Some(undoes),
            _ => None,
        });
        undone.flatten().collect()
    }

    /// Whether any step reads what the deployer sends besides the plan.
    pub fn has_inputs(&self) -> bool {
        let work = self.phases.iter().flat_map(|phase| &phase.work);
        work.flat_map(HostWork::all_steps).any(|step| step.action.effects().input.is_some())
    }

    /// What a command on the deployer finds in its environment. Only hooks are about the run: tests, and what git runs when
    /// something is pushed, are the checkout's own, and may not find out where its release goes.
    pub fn variables_of(&self, action: &DeployerAction) -> BTreeMap<String, String> {
        let is_about_the_run = matches!(
            action,
            DeployerAction::Hook { .. } | DeployerAction::Drain(_) | DeployerAction::Undrain(_)
        );
        let of_checkout = |name: &str| is_about_the_run || name == "DEPLOYMENT_TYPE";
        let variables = self.variables.iter().filter(|(name, _)| of_checkout(name));
        variables.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Whether the run would do nothing at all.
    pub fn is_empty(&self) -> bool {
        self.phases.is_empty()
    }

    /// The release that the hosts are switched to.
    pub fn release(&self) -> Option<&Release> {
        self.hosts.iter().find_map(|plan| plan.to.as_ref()).map(|target| &target.release)
    }

    /// What the run does, in a few words: `deploy v0.2.0 (6b4943c012)`.
    pub fn headline(&self) -> String {
        let mut releases = self.hosts.iter().filter_map(|plan| plan.to.as_ref()).map(|to| &to.release.commit);
        let first = releases.next();
        match (self.intent, self.release()) {
            (Intent::Rollback, Some(_)) if releases.any(|commit| Some(commit) != first) => {
                "roll back to the releases before".to_owned()
            }
            (Intent::Deploy, Some(release)) => format!("deploy {release}"),
            (Intent::Rollback, Some(release)) => format!("roll back to {release}"),
            (Intent::Deploy | Intent::Rollback, None) => "nothing to do".to_owned(),
            (Intent::Restart, _) => "restart".to_owned(),
            (Intent::Work, _) if self.title.is_some() => self.title.clone().unwrap_or_default(),
            (Intent::Work, _) => {
                match self.phases.first().and_then(|phase| phase.work.first()?.steps().next()) {
                    Some(step) => step.action.to_string(),
                    None => "do nothing".to_owned(),
                }
            }
        }
    }
}

impl Found<'_> {
    /// The step's number.
    pub fn id(&self) -> u32 {
        match self {
            Found::OnHost { step, .. } => step.id,
            Found::OnDeployer { step, .. } => step.id,
        }
    }
}

impl Phase {
    /// What a host does in it.
    pub fn work_of(&self, host: &HostName) -> Option<&HostWork> {
        self.work.iter().find(|work| work.host == *host)
    }
}

impl HostWork {
    /// The steps on the way forward, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.frame.iter().filter_map(|instruction| match instruction {
            Instruction::Do(step) => Some(step),
            Instruction::Arm(_) | Instruction::Confirm | Instruction::Leave => None,
        })
    }

    /// How the host is told to go back, where it is.
    pub fn arm(&self) -> Option<&Arm> {
        self.frame.iter().find_map(|instruction| match instruction {
            Instruction::Arm(arm) => Some(arm),
            Instruction::Do(_) | Instruction::Confirm | Instruction::Leave => None,
        })
    }

    /// The steps of the way back, in order.
    pub fn way_back(&self) -> impl Iterator<Item = &Step> {
        self.arm().into_iter().flat_map(|arm| &arm.way_back)
    }

    /// Whether the host is confirmed in it.
    pub fn confirms(&self) -> bool {
        self.frame.contains(&Instruction::Confirm)
    }

    /// Every step, those of the way back last.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps().chain(self.way_back())
    }
}
