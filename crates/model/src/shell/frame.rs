//! Frames as the text that a runner is sent: calls of its functions, in the order in which the plan has them.

use std::fmt::Write;

use super::group::umask;
use super::{app, archive, git, python, quote, record, service, traffic};
use crate::host::layout::Layout;
use crate::host::record::tail_of;
use crate::names::RunId;
use crate::plan::action::{Action, Effect, Effects, FailureMeans, Pace};
use crate::plan::frame::{Arm, Instruction};
use crate::plan::{Ended, HostPlan, Phase, Plan, Step};

/// The text of one frame: what `host` does in these phases, as calls of the runner's functions. The first failure
/// skips all that follows, over the phases' ends too. Whose files all of it makes is said once.
pub fn render_phases(plan: &Plan, host: &HostPlan, phases: &[&Phase]) -> String {
    let mut text = umask(plan.deploy_group.as_deref()).to_owned();
    let frames = phases.iter().filter_map(|phase| phase.work_of(&host.host.name)).map(|work| &work.frame);
    for instruction in frames.flatten() {
        match instruction {
            Instruction::Do(step) => text.push_str(&call(plan, host, step, Way::Forward)),
            Instruction::Arm(Arm { pending, way_back }) => {
                let way_back: String =
                    way_back.iter().map(|step| call(plan, host, step, Way::Back)).collect();
                let _ = writeln!(
                    text,
                    "arm {} {} {} {}",
                    quote(host.layout.state().as_str()),
                    quote(&tail_of(pending)),
                    quote(&way_back),
                    match &pending.to {
                        // Visitors may be told for as long as the release takes to be prepared.
                        None => "patient".to_owned(),
                        Some(slot) => format!(
                            "{} {}",
                            quote(host.layout.current().as_str()),
                            quote(host.layout.slot(slot).as_str())
                        ),
                    }
                );
            }
            Instruction::Confirm => text.push_str("confirm\n"),
            Instruction::Leave => text.push_str("leave\n"),
        }
    }
    text
}

/// The text of the frame that makes a host undo its switch, if it has begun to switch.
pub fn render_revert() -> &'static str {
    "revert\n"
}

/// The text of the frame that writes down how a run came to nothing, on one of the hosts that it was for.
pub fn render_on_failure(plan: &Plan, host: &HostPlan, ended: &Ended) -> String {
    let steps =
        plan.at_failure(&host.host.name, ended).into_iter().filter_map(|instruction| match instruction {
            Instruction::Do(step) => Some(step),
            Instruction::Arm(_) | Instruction::Confirm | Instruction::Leave => None,
        });
    let steps = steps.map(|step| {
        let text = match &step.action {
            Action::Record(action) => record::render_ended(action, ended, &host.layout, &plan.run),
            action => render_step(action, &host.layout, &plan.run),
        };
        // Nothing of it decides anything any more.
        let effects = Effects { failure: FailureMeans::Note, ..step.action.effects() };
        let flags = flags_of(&effects, Way::Forward);
        format!("step {} {flags} {}\n", step.id, quote(&text))
    });
    let steps: String = steps.collect();
    if steps.is_empty() { steps } else { umask(plan.deploy_group.as_deref()).to_owned() + &steps }
}

/// The text of the frame that looks at a host by this script. The look is step 0.
pub fn render_look(script: &str) -> String {
    format!("step 0 q {}\n", quote(script))
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Forward,
    Back,
}

/// One step as a call of the runner. Its flags: q, it is quick (h, and done by the runner's own shell), or s, it has a session of its own; k, on the way back what
/// follows is done although it failed; b, it isn't done as its host starts; a, the agent is lent to it; i, it reads an input; o, its failure is only told.
fn call(plan: &Plan, host: &HostPlan, step: &Step, way: Way) -> String {
    let effects = step.action.effects();
    if let Effect::Lock(holder) = effects.effect {
        let holder = serde_json::to_string(holder).expect("a holder is plain data");
        return format!("lock {} {} {}\n", step.id, quote(host.layout.lock().as_str()), quote(&holder));
    }
    let flags = flags_of(&effects, way);
    format!("step {} {flags} {}\n", step.id, quote(&render_step(&step.action, &host.layout, &plan.run)))
}

fn flags_of(effects: &Effects<'_>, way: Way) -> String {
    let mut flags = String::from(match effects.pace {
        Pace::Instant => "qh",
        Pace::Quick => "q",
        Pace::Slow => "s",
    });
    match effects.failure {
        FailureMeans::StopUnlessGoingBack if way == Way::Back => flags.push('k'),
        FailureMeans::Note => flags.push('o'),
        FailureMeans::Stop | FailureMeans::StopUnlessGoingBack => {}
    }
    if way == Way::Back && effects.is_about_processes() {
        flags.push('b');
    }
    if effects.lends_agent {
        flags.push('a');
    }
    if effects.input.is_some() {
        flags.push('i');
    }
    flags
}

/// The shell of one action, as it is run and as `--dry-run -v` shows it.
pub fn render_step(action: &Action, layout: &Layout, run: &RunId) -> String {
    match action {
        Action::Git(action) => git::render(action, layout, run),
        Action::Archive(action) => archive::render(action, layout, run),
        Action::Python(action) => python::render(action, layout),
        Action::Service(action) => service::render(action, layout),
        Action::Record(action) => record::render(action, layout, run),
        Action::App(action) => app::render(action, layout, run),
        Action::Traffic(action) => traffic::render(action, layout, run),
    }
}
