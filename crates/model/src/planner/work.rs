//! Plans that switch nothing: a command, a hold, a restart.

use std::collections::BTreeMap;

use super::services::verify_running;
use super::{Direction, RunContext, SeenHost, Steps, examine, restart_as_it_was, surroundings};
use crate::config::Settings;
use crate::host::Host;
use crate::host::record::{JournalKind, LockHolder};
use crate::plan::action::{Action, EnvEdit, Surroundings};
use crate::plan::refusal::Refusal;
use crate::plan::{HostPlan, Intent, Phase, PhaseKind, Plan, Target};
use crate::shell::list_variables;

/// A command on every host, in the live release where there is one. Needs no look at the hosts first.
pub fn plan_run(settings: &Settings, context: &RunContext, command: &str, hosts: &[&Host]) -> Plan {
    plan_task(settings, context, &[command.to_owned()], &BTreeMap::new(), hosts)
}

/// A task of the project: its commands on every one of these hosts, in the live release where there is one, with these
/// variables besides the usual ones.
pub fn plan_task(
    settings: &Settings,
    context: &RunContext,
    commands: &[String],
    arguments: &BTreeMap<String, String>,
    hosts: &[&Host],
) -> Plan {
    let actions = |host: &Host| {
        let mut variables = settings.variables.clone();
        variables.insert("DEPLOYMENT_TYPE".to_owned(), settings.deployment_type.clone());
        variables.extend(arguments.clone());
        let around = surroundings(settings, &settings.layout(host).current(), variables);
        let run = |command: &String| Action::Run { command: command.clone(), around: around.clone() };
        commands.iter().map(run).collect()
    };
    work(settings, context, Intent::Work, hosts, actions)
}

/// A person's "do not deploy", on every host.
pub fn plan_hold(settings: &Settings, context: &RunContext, reason: &str, hosts: &[&Host]) -> Plan {
    let by = &context.by;
    work(settings, context, Intent::Work, hosts, |_| {
        vec![
            Action::Hold { by: by.clone(), reason: reason.to_owned() },
            note(by, JournalKind::Held, Some(reason.to_owned())),
        ]
    })
}

/// The end of a hold, on every host.
pub fn plan_unhold(settings: &Settings, context: &RunContext, hosts: &[&Host]) -> Plan {
    work(settings, context, Intent::Work, hosts, |_| {
        vec![Action::Unhold, note(&context.by, JournalKind::Unheld, None)]
    })
}

/// A change of the file of variables, on every host.
pub fn plan_env(
    settings: &Settings,
    context: &RunContext,
    edit: &EnvEdit,
    file: &str,
    hosts: &[&Host],
) -> Plan {
    let mut plan = work(settings, context, Intent::Work, hosts, |host| {
        let file = settings.layout(host).shared().join(file);
        let room = Action::CreateFolders { group: settings.deploy_group.clone() };
        let what = note(&context.by, JournalKind::EnvChanged, Some(edit.to_string()));
        vec![room, Action::EnvFile { edit: edit.clone(), file }, what]
    });
    plan.title = Some(edit.to_string());
    plan
}

/// The names in the file of variables, on every host; never what they are.
pub fn plan_env_list(settings: &Settings, context: &RunContext, file: &str, hosts: &[&Host]) -> Plan {
    work(settings, context, Intent::Work, hosts, |host| {
        let layout = settings.layout(host);
        vec![Action::Run {
            command: list_variables(&layout.shared().join(file)),
            around: Surroundings {
                directory: layout.path,
                variables: BTreeMap::new(),
                virtualenv: None,
                run_as: None,
            },
        }]
    })
}

/// A restart of what is live, under the lock.
pub fn plan_restart(
    settings: &Settings,
    context: &RunContext,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let (mut refusals, notes) = examine(settings, hosts);
    refusals.retain(|refusal| !matches!(refusal, Refusal::Held { .. }));
    for seen in hosts.iter().filter(|seen| seen.facts.live_slot().is_none()) {
        refusals.push(Refusal::NothingLive { host: seen.host.name.clone() });
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let holder = LockHolder {
        at: context.at,
        by: context.by.clone(),
        doing: "restart".into(),
        run: context.run.clone(),
    };
    let names: Vec<&Host> = hosts.iter().map(|seen| seen.host).collect();
    let mut plan = work(settings, context, Intent::Restart, &names, |host| {
        let seen = hosts.iter().find(|seen| seen.host.name == host.name).expect("the same hosts");
        let mut actions = lock_as_seen(settings, *seen, &holder);
        actions.extend(restart_as_it_was(settings, context, *seen, Direction::Forward));
        if let (Some(slot), Some(release)) = (seen.facts.live_slot(), seen.facts.live()) {
            actions.extend(verify_running(settings, seen.host, &Target { slot: slot.clone(), release }));
        }
        actions.push(note(&context.by, JournalKind::Restarted, None));
        actions
    });
    for (planned, seen) in plan.hosts.iter_mut().zip(hosts) {
        planned.from = seen.facts.live();
    }
    plan.notes = notes;
    Ok(plan)
}

/// The lock, and a proof that the host is still as it was: a colleague may have deployed in the meantime.
pub(super) fn lock_as_seen(settings: &Settings, seen: SeenHost<'_>, holder: &LockHolder) -> Vec<Action> {
    vec![
        Action::Lock { holder: holder.clone() },
        Action::Guard { slots: settings.release_paths.clone(), state_sum: seen.facts.state_sum.clone() },
    ]
}

pub(super) fn note(by: &str, kind: JournalKind, reason: Option<String>) -> Action {
    Action::Journal { kind, by: by.to_owned(), release: None, from: None, reason }
}

pub(super) fn work(
    settings: &Settings,
    context: &RunContext,
    intent: Intent,
    hosts: &[&Host],
    actions: impl Fn(&Host) -> Vec<Action>,
) -> Plan {
    let mut steps = Steps::default();
    let work = hosts.iter().map(|host| steps.work(host, actions(host))).collect();
    Plan {
        run: context.run.clone(),
        at: context.at,
        by: context.by.clone(),
        intent,
        title: None,
        unit: settings.unit.clone(),
        environment: settings.environment.clone(),
        hosts: hosts
            .iter()
            .map(|host| HostPlan {
                host: (*host).clone(),
                layout: settings.layout(host),
                from: None,
                to: None,
            })
            .collect(),
        local: Vec::new(),
        phases: vec![Phase { kind: PhaseKind::Work, work }],
        notes: Vec::new(),
    }
}
