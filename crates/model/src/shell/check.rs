//! The check of a plan with its shell.

use super::render_step;
use crate::plan::check::{Finding, PlanRule, check};
use crate::plan::{HostWork, Plan};

/// The longest shell text of a step, in bytes. A step is one argument of a command, which may have 128 KiB; the runner
/// adds a little.
pub const LONGEST_STEP: usize = 120 * 1024;

/// All that is wrong with a plan; nothing, if it is a good one.
pub fn check_plan(plan: &Plan) -> Vec<Finding> {
    let mut findings = check(plan);
    findings.extend(plan.hosts.iter().flat_map(|host| {
        let work = plan.phases.iter().filter_map(|phase| phase.work_of(&host.host.name));
        let steps = work.flat_map(HostWork::all_steps);
        steps.filter_map(|step| {
            let length = render_step(&step.action, &host.layout, &plan.run).len();
            (length > LONGEST_STEP).then(|| Finding {
                rule: PlanRule::TooLong,
                host: Some(host.host.name.clone()),
                step: Some(step.id),
                what: format!("\"{}\" is {length} bytes long, {LONGEST_STEP} is the most", step.action),
            })
        })
    }));
    findings
}
