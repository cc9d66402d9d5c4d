//! Steps get their numbers in the order in which a plan is put together.

use crate::deployer::action::DeployerAction;
use crate::host::Host;
use crate::host::record::PendingSwitch;
use crate::plan::action::Action;
use crate::plan::frame::{Arm, Instruction};
use crate::plan::{DeployerStep, HostWork, Step};

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
