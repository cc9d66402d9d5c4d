//! A plan, to read before it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Table;
use crate::host::Host;
use crate::host::proven::{Condition, RollbackTarget};
use crate::names::HostName;
use crate::plan::frame::Instruction;
use crate::plan::{Closing, DeployerStep, End, HostPlan, HostWork, Intent, Note, PhaseKind, Plan, Step};
use crate::shell::{quote, render_deployer, render_step, umask};

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
    let mut rows: Vec<([String; 2], Vec<&Host>)> = Vec::new();
    for planned in &plan.hosts {
        let from = planned.from.as_ref().map_or_else(|| "nothing live".to_owned(), ToString::to_string);
        let change = match &planned.to {
            Some(target) => format!("→ {} in slot {}", target.release, target.slot),
            None if matches!(plan.intent, Intent::Deploy | Intent::Rollback) => "stays as it is".to_owned(),
            None => String::new(),
        };
        let row = [from, change];
        match rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, hosts)) => hosts.push(&planned.host),
            None => rows.push((row, vec![&planned.host])),
        }
    }
    if matches!(plan.intent, Intent::Deploy | Intent::Rollback) {
        text.push_str(&show_changes_of_hosts(rows));
    }
    for skipped in &plan.skipped {
        let _ = writeln!(text, "  leaves out {}", skipped.in_words());
    }
    text.push_str(&show_origins(plan, detail));
    for (hosts, note) in group_notes(&plan.notes) {
        let _ = if hosts.is_empty() {
            writeln!(text, "  note: {note}")
        } else {
            writeln!(text, "  note: {}: {note}", hosts.join(", "))
        };
    }
    for (host, left) in plan.removals() {
        let _ = writeln!(text, "  removes: {host}: {}", left.name());
    }
    if plan.intent == Intent::Deploy && detail != Detail::Changes {
        let targets: Vec<Note> = plan.hosts.iter().filter_map(rollback_if_it_fails).collect();
        for (hosts, target) in group_notes(&targets) {
            let _ = writeln!(text, "  if it fails: {} can be rolled back to {target}", hosts.join(", "));
        }
    }
    if detail == Detail::Changes {
        for phase in &plan.phases {
            // Waves are told where each of their steps is.
            let when = match phase.kind {
                PhaseKind::Begin => "first",
                PhaseKind::Publish => "when all hosts are ready",
                _ => continue,
            };
            for step in &phase.deployer {
                let _ = writeln!(text, "  {when}: {}", step.action);
            }
        }
        return text;
    }
    let umask = umask(plan.deploy_group.as_deref());
    if detail == Detail::Shell && !umask.is_empty() && plan.phases.iter().any(|phase| !phase.work.is_empty())
    {
        let _ = write!(text, "\non hosts, all of it with {umask}");
    }
    for phase in &plan.phases {
        let _ = writeln!(text, "\n{}", phase.kind);
        show_deployer(&mut text, &phase.deployer, detail);
        for (hosts, work) in group_alike(plan, &phase.work, detail) {
            let _ = writeln!(text, "  on {}", hosts.join(", "));
            show_work(&mut text, plan, work, detail, (hosts.len() > 1).then_some(&work.host));
        }
    }
    if detail == Detail::Shell && !plan.on_failure.is_empty() {
        text.push_str("\nif it fails or is interrupted, with the reason\n");
        for (hosts, work) in group_alike(plan, &plan.on_failure, detail) {
            let _ = writeln!(text, "  on {}", hosts.join(", "));
            show_work(&mut text, plan, work, detail, (hosts.len() > 1).then_some(&work.host));
        }
    }
    for Closing { when, steps } in &plan.closing {
        let _ = match when {
            End::Done => writeln!(text, "\nwhen it is done"),
            End::Failed => writeln!(text, "\nif it fails"),
        };
        show_deployer(&mut text, steps, detail);
    }
    text
}

/// How many hosts, in words; of several apps also how many these are.
pub fn count_hosts<'h>(hosts: impl Iterator<Item = &'h Host>) -> String {
    let (mut machines, mut apps) = (BTreeSet::new(), BTreeSet::new());
    for host in hosts {
        machines.insert(host.machine());
        apps.extend(&host.app);
    }
    let hosts = match machines.len() {
        1 => "1 host".to_owned(),
        count => format!("{count} hosts"),
    };
    match apps.len() {
        0 | 1 => hosts,
        count => format!("{count} apps on {hosts}"),
    }
}

/// So many hosts to which the same happens are told one by one.
const TOLD_APART: usize = 4;

/// What happens to each host; to many that are alike in one line.
fn show_changes_of_hosts(rows: Vec<([String; 2], Vec<&Host>)>) -> String {
    let mut table = Table::default();
    for ([from, change], hosts) in rows {
        match hosts.as_slice() {
            [first, .., last] if hosts.len() > TOLD_APART => {
                let count = count_hosts(hosts.iter().copied());
                table.row([&format!("{count}: {} … {}", first.name, last.name), &from, &change]);
            }
            hosts => hosts.iter().for_each(|host| table.row([host.name.as_str(), &from, &change])),
        }
    }
    table.render("  ")
}

/// Where hosts came from that aren't written in the configuration, and which machines were named there and take no part.
fn show_origins(plan: &Plan, detail: Detail) -> String {
    let mut text = String::new();
    let mut sources: Vec<(&str, BTreeMap<&str, String>)> = Vec::new();
    for host in plan.hosts.iter().map(|planned| &planned.host) {
        let Some(origin) = &host.origin else { continue };
        let about = origin.about(host);
        match sources.iter_mut().find(|(source, _)| *source == origin.source) {
            Some((_, hosts)) => drop(hosts.insert(host.machine(), about)),
            None => sources.push((&origin.source, BTreeMap::from([(host.machine(), about)]))),
        }
    }
    for (source, hosts) in sources {
        let mut told: Vec<String> = hosts
            .iter()
            .map(|(host, about)| match about.as_str() {
                "" => (*host).to_owned(),
                about => format!("{host} ({about})"),
            })
            .collect();
        if detail == Detail::Changes && told.len() > TOLD_APART {
            let more = told.len() - 2;
            told.truncate(2);
            told.push(format!("and {more} more"));
        }
        let _ = writeln!(text, "  from {source}: {}", told.join(", "));
    }
    for left_out in &plan.left_out {
        let _ = writeln!(text, "  left out: {left_out}");
    }
    text
}

/// What this machine does, and after it what would take that back.
fn show_deployer(text: &mut String, steps: &[DeployerStep], detail: Detail) {
    if steps.is_empty() {
        return;
    }
    text.push_str("  on this machine\n");
    let mut show = |step: &DeployerStep, indent: &str| {
        let _ = writeln!(text, "{indent}{}", step.action);
        if detail == Detail::Shell {
            show_shell(text, &render_deployer(&step.action), None);
        }
    };
    steps.iter().for_each(|step| show(step, "    "));
    let ways_back = steps.iter().filter_map(|step| step.way_back.as_deref());
    ways_back.for_each(|step| show(step, "    if it fails: "));
}

fn show_shell(text: &mut String, script: &str, own_name: Option<&str>) {
    for line in script.trim_end().lines() {
        let line = format!("$ {line}");
        let note = if Some(line.as_str()) == own_name { "   # each its own" } else { "" };
        let _ = writeln!(text, "      {line}{note}");
    }
}

/// What could be gone back to if the deploy failed: a release in the slot that it prepares is lost by then.
fn rollback_if_it_fails(planned: &HostPlan) -> Option<Note> {
    let HostPlan { host, to, rollback_targets, .. } = planned;
    let slot = &to.as_ref()?.slot;
    // Of what served in its place a copy may be kept, until the run is done.
    let is_left = |target: &RollbackTarget| target.slot != *slot || planned.is_in_place();
    let stays = |target: &&RollbackTarget| is_left(target) && target.condition == Condition::Whole;
    let text = match (rollback_targets.iter().find(stays), rollback_targets.first()) {
        (Some(target), _) => format!("{}, which stays whole", target.release),
        (None, Some(target)) => format!("{}, which has to be built again then", target.release),
        (None, None) => return None,
    };
    Some(Note { host: Some(host.name.clone()), text })
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
        show_work(&mut reading, plan, work, detail, None);
        // What only the runner is told says something with its shell alone.
        if reading.is_empty() {
            continue;
        }
        let own_name = own_name_line(plan, &work.host);
        let reading: Vec<&str> =
            reading.lines().map(|line| if line.trim() == own_name { "its own name" } else { line }).collect();
        let reading = reading.join("\n");
        match groups.iter_mut().find(|(known, ..)| *known == reading) {
            Some((_, hosts, _)) => hosts.push(work.host.to_string()),
            None => groups.push((reading, vec![work.host.to_string()], work)),
        }
    }
    groups.into_iter().map(|(_, hosts, work)| (hosts, work)).collect()
}

/// What the shell of a host says of itself, and of no other.
fn own_name_line(plan: &Plan, host: &HostName) -> String {
    let machine = plan.host(host).map_or(host.as_str(), |planned| planned.host.machine());
    format!("$ export BUEDAFAB_HOST={}", quote(machine))
}

/// The steps of a host, and then its way back; with their shell also what its runner is told between them. `stands_for_others`:
/// the host's name, where hosts that differ in nothing else are told with it.
fn show_work(
    text: &mut String,
    plan: &Plan,
    work: &HostWork,
    detail: Detail,
    stands_for_others: Option<&HostName>,
) {
    let Some(planned) = plan.host(&work.host) else { return };
    let own_name = stands_for_others.map(|host| own_name_line(plan, host));
    let show = |text: &mut String, step: &Step, indent: &str| {
        let _ = writeln!(text, "{indent}{}", step.action);
        if detail == Detail::Shell {
            show_shell(text, &render_step(&step.action, &planned.layout, &plan.run), own_name.as_deref());
        }
    };
    for instruction in &work.frame {
        let word = match instruction {
            Instruction::Do(step) => {
                show(text, step, "    ");
                continue;
            }
            Instruction::Arm(_) => "arm: from here on the host goes back by itself, unless it is confirmed",
            Instruction::Confirm => "confirm: from here on the host doesn't go back",
            Instruction::Leave => "leave: the runner ends, and the lock with it",
        };
        if detail == Detail::Shell {
            let _ = writeln!(text, "    {word}");
        }
    }
    work.way_back().for_each(|step| show(text, step, "    if it fails: "));
}
