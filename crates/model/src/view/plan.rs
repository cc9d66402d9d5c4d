//! A plan, to read before it runs.

use std::fmt::Write;

use super::Table;
use crate::plan::{HostWork, Intent, Note, Plan, Step};
use crate::shell::{render_deployer, render_step};

/// How much of a plan to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What changes where.
    Changes,
    /// Also every step.
    Steps,
    /// Also the exact shell of every step.
    Shell,
}

/// The plan in words: what changes on each host, what a person should know, and the steps, where hosts that do the
/// same are told once.
pub fn show_plan(plan: &Plan, detail: Detail) -> String {
    let mut text = String::new();
    let mut table = Table::default();
    for planned in &plan.hosts {
        let from = planned.from.as_ref().map_or_else(|| "nothing live".to_owned(), ToString::to_string);
        let change = match &planned.to {
            Some(target) => format!("→ {} in slot {}", target.release, target.slot),
            None if matches!(plan.intent, Intent::Deploy | Intent::Rollback) => "stays as it is".to_owned(),
            None => String::new(),
        };
        table.row([planned.host.name.to_string(), from, change]);
    }
    if matches!(plan.intent, Intent::Deploy | Intent::Rollback) {
        text.push_str(&table.render("  "));
    }
    for (hosts, note) in group_notes(&plan.notes) {
        let _ = if hosts.is_empty() {
            writeln!(text, "  note: {note}")
        } else {
            writeln!(text, "  note: {}: {note}", hosts.join(", "))
        };
    }
    if detail == Detail::Changes {
        for action in &plan.local {
            let _ = writeln!(text, "  first: {action}");
        }
        return text;
    }
    if !plan.local.is_empty() {
        text.push_str("\nfirst\n  on this machine\n");
    }
    for action in &plan.local {
        let _ = writeln!(text, "    {action}");
        if detail == Detail::Shell {
            for line in render_deployer(action).trim_end().lines() {
                let _ = writeln!(text, "      $ {line}");
            }
        }
    }
    for phase in &plan.phases {
        let _ = writeln!(text, "\n{}", phase.kind);
        for (hosts, work) in group_alike(plan, &phase.work, detail) {
            let _ = writeln!(text, "  on {}", hosts.join(", "));
            show_steps(&mut text, plan, work, detail);
        }
    }
    text
}

/// Notes that say the same, together.
fn group_notes(notes: &[Note]) -> Vec<(Vec<&str>, &str)> {
    let mut groups: Vec<(Vec<&str>, &str)> = Vec::new();
    for Note { host, text } in notes {
        let host = host.as_ref().map(|host| host.as_str());
        match groups.iter_mut().find(|(hosts, known)| *known == text && hosts.is_empty() == host.is_none()) {
            Some((hosts, _)) => hosts.extend(host),
            None => groups.push((host.into_iter().collect(), text)),
        }
    }
    groups
}

/// Hosts whose steps read the same, together.
fn group_alike<'p>(plan: &Plan, works: &'p [HostWork], detail: Detail) -> Vec<(Vec<String>, &'p HostWork)> {
    let mut groups: Vec<(String, Vec<String>, &HostWork)> = Vec::new();
    for work in works {
        let mut reading = String::new();
        show_steps(&mut reading, plan, work, detail);
        match groups.iter_mut().find(|(known, ..)| *known == reading) {
            Some((_, hosts, _)) => hosts.push(work.host.to_string()),
            None => groups.push((reading, vec![work.host.to_string()], work)),
        }
    }
    groups.into_iter().map(|(_, hosts, work)| (hosts, work)).collect()
}

fn show_steps(text: &mut String, plan: &Plan, work: &HostWork, detail: Detail) {
    let Some(planned) = plan.host(&work.host) else { return };
    let mut show = |step: &Step, indent: &str| {
        let _ = writeln!(text, "{indent}{}", step.action);
        if detail == Detail::Shell {
            for line in render_step(&step.action, &planned.layout, &plan.run).trim_end().lines() {
                let _ = writeln!(text, "{indent}  $ {line}");
            }
        }
    };
    work.steps.iter().for_each(|step| show(step, "    "));
    work.revert.iter().for_each(|step| show(step, "    if it fails: "));
}
