//! Steps get their numbers in the order in which a plan is put together.

use crate::deployer::action::DeployerAction;
use crate::host::Host;
use crate::host::record::PendingSwitch;
use crate::plan::action::Action;
use crate::plan::frame::{Arm, Instruction};
use crate::plan::{DeployerStep, HostWork, Plan, Step};

/// The numbers that were given. The look at a host is step 0.
#[derive(Default)]
pub(super) struct Numbers {
    last: u32,
}

/// One thing of a frame, before its steps have numbers.
pub(super) enum Part {
    Do(Action),
    Arm { pending: PendingSwitch, way_back: Vec<Action> },
    Confirm,
    Leave,
}

impl<A: Into<Action>> From<A> for Part {
    fn from(action: A) -> Part {
        Part::Do(action.into())
    }
}

impl Numbers {
    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    fn step(&mut self, action: Action) -> Step {
        Step { id: self.next(), action }
    }

    /// What a host does in a phase. The steps of a way back come after those of the way forward.
    pub(super) fn work(&mut self, host: &Host, parts: Vec<Part>) -> HostWork {
        let mut frame: Vec<Instruction> = Vec::new();
        let mut ways_back = Vec::new();
        for part in parts {
            frame.push(match part {
                Part::Do(action) => Instruction::Do(self.step(action)),
                Part::Arm { pending, way_back } => {
                    ways_back.push(way_back);
                    Instruction::Arm(Arm { pending, way_back: Vec::new() })
                }
                Part::Confirm => Instruction::Confirm,
                Part::Leave => Instruction::Leave,
            });
        }
        let mut ways_back = ways_back.into_iter();
        for instruction in &mut frame {
            if let Instruction::Arm(arm) = instruction {
                let actions = ways_back.next().into_iter().flatten();
                arm.way_back = actions.map(|action| self.step(action)).collect();
            }
        }
        HostWork { host: host.name.clone(), frame }
    }

    /// Steps of the deployer, each with what takes it back.
    pub(super) fn deployer(
        &mut self,
        actions: impl IntoIterator<Item = DeployerAction>,
    ) -> Vec<DeployerStep> {
        let step = |action: DeployerAction| {
            let id = self.next();
            let way_back = action
                .way_back()
                .map(|action| Box::new(DeployerStep { id: self.next(), action, way_back: None }));
            DeployerStep { id, action, way_back }
        };
        actions.into_iter().map(step).collect()
    }
}

/// Gives all steps of a plan their numbers anew, in its order.
pub(super) fn renumber(plan: &mut Plan) {
    let mut numbers = Numbers::default();
    let Plan { phases, on_failure, closing, .. } = plan;
    for phase in phases {
        phase.deployer.iter_mut().for_each(|step| numbers.renumber_deployer(step));
        phase.work.iter_mut().for_each(|work| numbers.renumber_work(work));
    }
    on_failure.iter_mut().for_each(|work| numbers.renumber_work(work));
    for closing in closing {
        closing.steps.iter_mut().for_each(|step| numbers.renumber_deployer(step));
    }
}

impl Numbers {
    fn renumber_deployer(&mut self, step: &mut DeployerStep) {
        step.id = self.next();
        if let Some(back) = &mut step.way_back {
            back.id = self.next();
        }
    }

    fn renumber_work(&mut self, work: &mut HostWork) {
        for instruction in &mut work.frame {
            if let Instruction::Do(step) = instruction {
                step.id = self.next();
            }
        }
        for instruction in &mut work.frame {
            if let Instruction::Arm(arm) = instruction {
                arm.way_back.iter_mut().for_each(|step| step.id = self.next());
            }
        }
    }
}
