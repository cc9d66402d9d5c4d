//! The far end of a connection: what `runner.sh` promises, without its processes.

use std::collections::VecDeque;

use super::fault::Progress;
use crate::names::HostName;
use crate::plan::frame::{Arm, Instruction};
use crate::plan::{Plan, Step};

/// What a frame makes a host do, in order, as [`render_phases`](crate::shell::render_phases) writes it.
pub(super) fn instructions<'p>(
    plan: &'p Plan,
    host: &HostName,
    phases: &[usize],
) -> VecDeque<&'p Instruction> {
    let works = phases.iter().filter_map(|phase| plan.phases[*phase].work_of(host));
    works.flat_map(|work| &work.frame).collect()
}

/// What a runner does next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next<'p> {
    Step(&'p Step),
    Arm(&'p Arm),
    Confirm,
    Leave,
}

/// A runner, between two of the things that it does.
#[derive(Debug, Default)]
pub(super) struct Runner<'p> {
    /// What is left of the frame that it works on.
    pub(super) instructions: VecDeque<&'p Instruction>,
    /// Whether it works on a frame.
    pub(super) working: bool,
    /// Whether that frame is the way back.
    pub(super) reverting: bool,
    pub(super) failed: bool,
    /// Something failed that stops nothing, and counts at the end.
    pub(super) failed_late: bool,
    pub(super) cancelled: bool,
    pub(super) confirmed: bool,
    /// The steps of the way back that it works on.
    pub(super) going_back: VecDeque<&'p Step>,
    /// What it was armed with.
    way_back: Option<&'p [Step]>,
    /// Whether it has begun to go back.
    pub(super) went_back: bool,
    /// Whether the frame that it works on is its last.
    pub(super) leaving: bool,
    /// The line is gone: how many more things it does until it notices, and how far the next one gets then.
    pub(super) unnoticed: Option<(u32, Progress)>,
    /// It has noticed, or was told that this was all.
    pub(super) ending: bool,
    pub(super) ended: bool,
}

impl<'p> Runner<'p> {
    /// Begins on a frame.
    pub(super) fn begin(&mut self, instructions: VecDeque<&'p Instruction>) {
        self.instructions = instructions;
        self.working = true;
        self.failed = false;
        self.failed_late = false;
        self.cancelled = false;
        self.leaving = false;
    }

    /// Begins to go back, if it was armed; if not, the frame is over at once.
    pub(super) fn begin_revert(&mut self) {
        self.went_back |= self.is_armed();
        self.begin(VecDeque::new());
        self.going_back = self.way_back.unwrap_or_default().iter().collect();
        self.reverting = true;
    }

    /// Whether nothing can stop what it does now.
    pub(super) fn is_unstoppable(&self) -> bool {
        self.reverting || self.confirmed
    }

    /// What it does next in its frame; `None` at the frame's end. What is skipped is gone.
    pub(super) fn next(&mut self) -> Option<Next<'p>> {
        let stopped = (self.cancelled || self.ending) && !self.is_unstoppable();
        if self.failed || stopped {
            self.failed |= !self.instructions.is_empty() || !self.going_back.is_empty();
            self.instructions.clear();
            self.going_back.clear();
        }
        if self.reverting {
            return self.going_back.front().copied().map(Next::Step);
        }
        self.instructions.front().copied().map(|instruction| match instruction {
            Instruction::Do(step) => Next::Step(step),
            Instruction::Arm(arm) => Next::Arm(arm),
            Instruction::Confirm => Next::Confirm,
            Instruction::Leave => Next::Leave,
        })
    }

    /// Takes away what is next.
    pub(super) fn take_next(&mut self) {
        if self.reverting {
            self.going_back.pop_front();
        } else {
            self.instructions.pop_front();
        }
    }

    pub(super) fn arm(&mut self, arm: &'p Arm) {
        self.way_back = Some(&arm.way_back);
    }

    pub(super) fn confirm(&mut self) {
        self.confirmed = true;
        self.way_back = None;
    }

    /// The end of a frame; gives back whether all of it went well.
    pub(super) fn end_frame(&mut self) -> bool {
        if std::mem::take(&mut self.reverting) {
            self.way_back = None;
        }
        self.working = false;
        !self.failed && !self.failed_late
    }

    /// Whether it has to go back before it may end.
    pub(super) fn is_armed(&self) -> bool {
        self.way_back.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::config::parse;
    use crate::names::{CommitId, EnvironmentName, RunId};
    use crate::planner::{DeployRequest, RunContext, SeenHost, plan_deploy};
    use crate::release::Release;
    use crate::shell::render_phases;
    use crate::simulate::SimHost;

    /// The runner's own functions, which only say what they are called for.
    const SAY: &str = "step() { echo \"step $1\"; }; lock() { echo \"step $1\"; }; confirm() { echo confirm; }; leave() { echo leave; }\n\
        arm() { echo arm; eval \"$3\" | sed 's/^/  /'; }\n";

    #[test]
    fn a_frame_does_what_its_text_says() {
        let text = "unit = \"five\"\n[hooks]\nbuild = \"make 'it'\"\nbefore_switch = \"warm\"\nafter_finish = \"tell\"\n\
                    [environments.production]\nhosts = [\"web1\"]\n";
        let production = EnvironmentName::new("production").expect("a word");
        let settings =
            parse("buedafab.toml", text).and_then(|file| file.settings(&production)).expect("settings");
        let context = RunContext {
            run: RunId::new("r1").expect("a word"),
            at: jiff::Timestamp::UNIX_EPOCH,
            by: "ada@laptop".to_owned(),
            skipped: Vec::new(),
            in_traffic: std::collections::BTreeSet::new(),
        };
        let commit = CommitId::new("1".repeat(40)).expect("40 digits");
        let release = Release::unnamed(commit);
        let request = DeployRequest::new(release, "git@host:five");
        let facts = SimHost::bare(&settings, &settings.hosts[0]).facts();
        let seen = [SeenHost { host: &settings.hosts[0], facts: &facts }];
        let plan = plan_deploy(&settings, &context, &request, &seen).expect("a plan");

        let all: Vec<usize> = (0..plan.phases.len()).collect();
        let phases: Vec<_> = plan.phases.iter().collect();
        let script = format!("{SAY}{}", render_phases(&plan, &plan.hosts[0], &phases));
        let output = Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
        let mut expected = String::new();
        for instruction in instructions(&plan, &plan.hosts[0].host.name, &all) {
            match instruction {
                Instruction::Do(step) => expected.push_str(&format!("step {}\n", step.id)),
                Instruction::Confirm => expected.push_str("confirm\n"),
                Instruction::Leave => expected.push_str("leave\n"),
                Instruction::Arm(arm) => {
                    expected.push_str("arm\n");
                    arm.way_back.iter().for_each(|step| expected.push_str(&format!("  step {}\n", step.id)));
                }
            }
        }
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }
}
