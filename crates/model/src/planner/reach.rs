//! What is done about hosts that can't be reached.

use std::collections::BTreeSet;

use super::context::RunContext;
use crate::config::{Settings, Unreachable};
use crate::host::Host;
use crate::names::{AppName, HostName};
use crate::plan::refusal::Refusal;
use crate::plan::{Note, SkippedHost};

/// A host that couldn't be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreachableHost {
    /// Which.
    pub host: HostName,
    /// Why, in the words of whoever knows.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Those of `unreachable` that a run leaves out, besides the hosts that it has left out before; or what speaks against it. `hosts` are
/// all that the run is for, those that it has left out among them: the bounds hold for the whole run, however often it looks. A fleet
/// changes together or not at all, but where a person has decided otherwise: and only a deploy or a rollback, which `status` and a
/// later deploy make up for, can leave a host out (`can_skip`).
pub fn without_unreachable(
    settings: &Settings,
    hosts: &[Host],
    skipped: &[SkippedHost],
    unreachable: &[UnreachableHost],
    can_skip: bool,
) -> Result<Vec<SkippedHost>, Vec<Refusal>> {
    let is_skipped = |name: &HostName| skipped.iter().any(|skipped| skipped.host == *name);
    // What was seen of them before, or is seen now, changes nothing any more.
    let unreachable: Vec<&UnreachableHost> =
        unreachable.iter().filter(|away| !is_skipped(&away.host)).collect();
    if unreachable.is_empty() {
        return Ok(Vec::new());
    }
    let refusal = |UnreachableHost { host, why, hint }: &UnreachableHost| Refusal::Unreachable {
        host: host.clone(),
        why: why.clone(),
        hint: hint.clone(),
    };
    let mut refusals: Vec<Refusal> = unreachable.iter().copied().map(refusal).collect();
    match settings.rollout.unreachable {
        Unreachable::Fail => return Err(refusals),
        Unreachable::Skip if !can_skip => return Err(refusals),
        Unreachable::Skip => {}
    }
    let is_away =
        |host: &&Host| is_skipped(&host.name) || unreachable.iter().any(|away| away.host == host.name);
    // A machine that several apps share is away once.
    let all: BTreeSet<&str> = hosts.iter().map(Host::machine).collect();
    let mut away: Vec<&str> = Vec::new();
    for host in hosts.iter().filter(is_away) {
        if !away.contains(&host.machine()) {
            away.push(host.machine());
        }
    }
    let most = settings.rollout.max_unreachable;
    if most.is_exceeded_by(away.len(), all.len()) {
        let away = away.into_iter().map(str::to_owned).collect();
        refusals.push(Refusal::TooManyUnreachable { away, all: all.len(), most });
        return Err(refusals);
    }
    let apps: BTreeSet<Option<&AppName>> = hosts.iter().map(|host| host.app.as_ref()).collect();
    for app in apps {
        let mut own = hosts.iter().filter(|host| host.app.as_ref() == app);
        if own.all(|host| is_away(&host)) {
            refusals.push(Refusal::NoneReached { app: app.cloned() });
            return Err(refusals);
        }
    }
    let skipped = unreachable.iter();
    Ok(skipped.map(|away| SkippedHost { host: away.host.clone(), why: away.why.clone() }).collect())
}

/// The hosts of an app that a run leaves out.
pub(super) fn skipped_of<'a>(
    settings: &'a Settings,
    run: &'a RunContext,
) -> impl Iterator<Item = &'a SkippedHost> {
    run.skipped.iter().filter(|skipped| settings.hosts.iter().any(|host| host.name == skipped.host))
}

/// What becomes of what only hosts that are left out do. They may well run, so nobody else may begin with it; `once_on`: who does what is
/// done once in a run.
pub(super) fn about_skipped(settings: &Settings, run: &RunContext, once_on: Option<&HostName>) -> Vec<Note> {
    let is_skipped = |host: &Host| run.skipped.iter().any(|skipped| skipped.host == host.name);
    let mut notes = Vec::new();
    let mut note = |host: &HostName, text: String| notes.push(Note { host: Some(host.clone()), text });
    let primary = settings.hosts.first().filter(|first| is_skipped(first));
    if let (Some(primary), Some(host)) = (primary, once_on) {
        note(
            host,
            format!("does what is done once, in the place of {}, which can't be reached", primary.name),
        );
    }
    if let (Some(primary), Some(_)) = (primary, &settings.crontab.file) {
        let text =
            "its jobs stay as they are, and aren't installed on another host: this one may still run them";
        note(&primary.name, text.to_owned());
    }
    for named in &settings.services.named {
        let on: Vec<&Host> = settings.hosts.iter().filter(|host| settings.runs_on(named, host)).collect();
        if let Some(first) = on.first().filter(|_| on.iter().all(|host| is_skipped(host))) {
            let text = format!(
                "[services.{}] stays as it is, and isn't started on another host: this one may still run it",
                named.name
            );
            note(&first.name, text);
        }
    }
    notes
}
