//! Actions as the shell that a host runs.

use std::fmt::Write;

use serde::Serialize;

use super::app::{app_command, app_command_anywhere};
use super::ask;
use super::git::{checkout, fetch, prove, submodules};
use super::user::SUDO;
use super::{python, quote, service};
use crate::app::crontab::CrontabLocation;
use crate::app::maintenance::{MaintenanceMethod, MaintenanceRecord};
use crate::host::layout::Layout;
use crate::host::record::{JournalRecord, SlotRecord, tail_of};
use crate::names::{HostPath, RunId};
use crate::plan::action::{Action, EnvEdit, ToldVisitors};
use crate::plan::{HostPlan, HostWork, Phase, PhaseKind, Plan, Step};
use crate::shell::inspect::guard_script;

/// The text of one frame: what `host` does in these phases, as calls of the runner's functions. The first failure
/// skips all that follows, over the phases' ends too.
pub fn render_phases(plan: &Plan, host: &HostPlan, phases: &[&Phase]) -> String {
    let mut text = String::new();
    for phase in phases {
        let Some(work) = phase.work_of(&host.host.name) else { continue };
        if phase.kind == PhaseKind::Finish {
            text.push_str("confirm\n");
        }
        let mut armed = work.revert.is_empty();
        for step in &work.steps {
            if step.action.switches() && !armed {
                armed = true;
                let _ = writeln!(text, "arm {}", quote(&render_revert_steps(plan, host, work)));
            }
            text.push_str(&call(plan, host, step, ""));
        }
    }
    if phases.last().map(|phase| phase.kind) == plan.phases.last().map(|phase| phase.kind) {
        text.push_str("leave\n");
    }
    text
}

/// The text of the frame that makes a host undo its switch, if it has begun to switch.
pub fn render_revert() -> &'static str {
    "revert\n"
}

fn render_revert_steps(plan: &Plan, host: &HostPlan, work: &HostWork) -> String {
    let flags = |step: &Step| if step.action.lets_way_back_go_on() { "k" } else { "" };
    work.revert.iter().map(|step| call(plan, host, step, flags(step))).collect()
}

/// One step as a call of the runner, with more flags than the step itself asks for.
fn call(plan: &Plan, host: &HostPlan, step: &Step, more: &str) -> String {
    if let Action::Lock { holder } = &step.action {
        let holder = serde_json::to_string(holder).expect("a holder is plain data");
        return format!("lock {} {} {}\n", step.id, quote(host.layout.lock().as_str()), quote(&holder));
    }
    let mut flags = String::from(if step.action.is_quick() { "q" } else { "s" });
    flags.push_str(more);
    if matches!(
        step.action,
        Action::Fetch { lend_agent: true, .. }
            | Action::Submodules { lend_agent: true, .. }
            | Action::Virtualenv { lend_agent: true, .. }
    ) {
        flags.push('a');
    }
    if step.action.input().is_some() {
        flags.push('i');
    }
    if step.action.is_optional() {
        flags.push('o');
    }
    format!("step {} {flags} {}\n", step.id, quote(&render_step(&step.action, &host.layout, &plan.run)))
}

/// The shell of one action, as it is run and as `--dry-run -v` shows it.
pub fn render_step(action: &Action, layout: &Layout, run: &RunId) -> String {
    match action {
        Action::CreateFolders { group } => create_folders(layout, group.as_deref()),
        Action::Lock { .. } => format!("flock -n {}", quote(layout.lock().as_str())),
        Action::Guard { slots, state_sum } => guard_script(layout, slots, state_sum),
        Action::ProveSudo => format!(
            "{SUDO}[ -z \"$sudo\" ] || $sudo -v && exit 0\n\
             echo \"sudo doesn't take the password, or lets $(id -un) do nothing\" >&2\nexit 1"
        ),
        Action::Record { slot, state, release, former, optional: _ } => {
            let record = SlotRecord {
                at: jiff::Timestamp::UNIX_EPOCH,
                state: *state,
                release: release.clone(),
                former: former.clone(),
                run: run.clone(),
            };
            replace_file(&layout.record(slot), &record)
        }
        Action::Fetch { slot, commit, url, siblings, known_hosts, lend_agent: _, group } => {
            let mut script = umask(group.as_deref());
            script.push_str(&fetch(layout, slot, commit, url, siblings, known_hosts));
            script
        }
        Action::Checkout { slot, commit, group } => {
            let mut script = umask(group.as_deref());
            script.push_str(&checkout(layout, slot, commit, run));
            script.push_str(&own(&layout.slot(slot), group.as_deref()));
            script
        }
        Action::Submodules { slot, url, known_hosts, lend_agent: _, group } => {
            let mut script = umask(group.as_deref());
            script.push_str(&submodules(layout, slot, url, known_hosts));
            script.push_str(&own(&layout.slot(slot), group.as_deref()));
            script
        }
        Action::Shared { slot, files, dirs, group } => {
            umask(group.as_deref()) + &python::shared(layout, slot, files, dirs, group.as_deref())
        }
        Action::Package { package, group } => umask(group.as_deref()) + &python::package(layout, package),
        Action::Virtualenv { slot, commit, spec, variables, lend_agent: _, group } => {
            let mut script = umask(group.as_deref());
            script.push_str(&python::virtualenv(layout, slot, commit, spec, variables));
            script.push_str(&own(&layout.slot(slot).join(&layout.virtualenv), group.as_deref()));
            script
        }
        Action::Migrations { older, newer, schema, around } => {
            python::migrations(layout, older, newer, *schema, around)
        }
        Action::AskApp { url, release, patience_seconds } => ask::ask_script(url, release, *patience_seconds),
        Action::VerifyCommit { slot, commit } => prove(layout, slot, commit),
        Action::Hook { command, around, .. } => app_command(layout, around, command),
        Action::SwitchLink { target } => point(layout, target.as_deref(), run),
        Action::ServiceFiles { slot, commit, there, files } => {
            service::service_files(layout, slot, commit, there, files)
        }
        Action::Prune => python::prune(layout),
        Action::Restart { service, file, reload, commands, around } => {
            if commands.is_empty() {
                service::restart(layout, service, file.as_ref(), *reload)
            } else {
                // As with every other hook, the first that fails is the last.
                let commands: Vec<String> =
                    commands.iter().map(|command| format!("(\n{command}\n) || exit")).collect();
                app_command(layout, around, &commands.join("\n"))
            }
        }
        Action::VerifyRunning { services, seconds } => service::verify_running(layout, services, *seconds),
        Action::Stop { service } => service::stop(layout, service),
        Action::Journal { kind, by, release, from, reason } => {
            let record = JournalRecord {
                at: jiff::Timestamp::UNIX_EPOCH,
                kind: *kind,
                run: run.clone(),
                by: by.clone(),
                release: release.clone(),
                from: from.clone(),
                reason: reason.clone(),
            };
            format!("{} >>{}", stamped(&record), quote(layout.journal().as_str()))
        }
        Action::EnvFile { edit, file } => {
            let (edit, name) = match edit {
                EnvEdit::Set { name } => ("set", name.as_str()),
                EnvEdit::Unset { name } => ("unset", name.as_str()),
                EnvEdit::Replace => ("replace", ""),
                EnvEdit::Restore => ("restore", ""),
            };
            let file = quote(file.as_str());
            format!("file={file}\nedit={edit}\nname={name}\n{}", script!("env_file"))
        }
        Action::RequireFile { slot, file } => {
            let path = quote(layout.slot(slot).join(file).as_str());
            format!("[ -f {path} ] || {{ echo {path}\" isn't in this release\" >&2; exit 1; }}")
        }
        Action::Crontab { slot, file, unit, place } => format!(
            "{SUDO}file={}\nunit={}\nplace={}\n{}",
            quote(layout.slot(slot).join(file).as_str()),
            quote(unit.as_str()),
            match place {
                CrontabLocation::User => "user",
                CrontabLocation::System => "system",
            },
            script!("crontab")
        ),
        Action::MaintenanceSetting { slot, file, on } => format!(
            "file={}\nvalue={}\n{}",
            quote(layout.slot(slot).join(file).as_str()),
            if *on { "True" } else { "False" },
            script!("maintenance_setting")
        ),
        Action::Maintenance { method, told, around } => {
            let command = maintenance(layout, *method, told.as_ref());
            match method {
                MaintenanceMethod::File | MaintenanceMethod::Setting => command,
                MaintenanceMethod::Command => app_command(layout, around, &command),
            }
        }
        Action::Hold { by, reason } => {
            let hold = crate::host::record::Hold {
                at: jiff::Timestamp::UNIX_EPOCH,
                by: by.clone(),
                reason: reason.clone(),
            };
            format!(
                "mkdir -p {} && {{ {}; }}",
                quote(layout.state().as_str()),
                replace_file(&layout.hold(), &hold)
            )
        }
        Action::Unhold => format!("rm -f {}", quote(layout.hold().as_str())),
        Action::Run { command, around } => app_command_anywhere(layout, around, command),
    }
}

/// What tells visitors, and then the note that says so; or what takes both away.
fn maintenance(layout: &Layout, method: MaintenanceMethod, told: Option<&ToldVisitors>) -> String {
    let page = quote(layout.maintenance_page().as_str());
    let Some(ToldVisitors { by, message, until, page: text }) = told else {
        let undo = match method {
            MaintenanceMethod::File => format!("rm -f {page}"),
            MaintenanceMethod::Command => "python manage.py maintenance_mode off".to_owned(),
            MaintenanceMethod::Setting => "true".to_owned(),
        };
        return format!("{undo} && rm -f {}", quote(layout.maintenance().as_str()));
    };
    let show = match method {
        MaintenanceMethod::File => format!(
            "mkdir -p {} && printf %s {} >{page}.new && mv -f {page}.new {page}",
            quote(layout.shared().as_str()),
            quote(text)
        ),
        MaintenanceMethod::Command => "python manage.py maintenance_mode on".to_owned(),
        MaintenanceMethod::Setting => "true".to_owned(),
    };
    let record = MaintenanceRecord {
        at: jiff::Timestamp::UNIX_EPOCH,
        by: by.clone(),
        message: message.clone(),
        until: until.clone(),
    };
    let note = replace_file(&layout.maintenance(), &record);
    format!("{show} && mkdir -p {} && {{ {note}; }}", quote(layout.state().as_str()))
}

/// Prints a record as one line of JSON, with the host's time in front.
fn stamped<T: Serialize>(record: &T) -> String {
    format!("printf '{{\"at\":\"%s\",%s\\n' \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\" {}", quote(&tail_of(record)))
}

/// Replaces a file by one rename, so that a crash or a full disk leaves the old one or the new one.
fn replace_file<T: Serialize>(path: &HostPath, record: &T) -> String {
    let new = quote(&format!("{path}.new"));
    let path = quote(path.as_str());
    format!(
        "{{ {} >{new} && mv -f {new} {path}; }} || {{ echo \"can't write \"{path} >&2; exit 1; }}",
        stamped(record)
    )
}

fn umask(group: Option<&str>) -> String {
    if group.is_some() { "umask 002\n".to_owned() } else { String::new() }
}

/// Gives a folder and all in it to the group. What belongs to another member of the group isn't ours to change, and
/// was given by them.
fn own(path: &HostPath, group: Option<&str>) -> String {
    let Some(group) = group else { return String::new() };
    let mine = format!("find {} -user \"$(id -u)\" ! -type l", quote(path.as_str()));
    let group = quote(group);
    format!(
        "{mine} ! -group {group} -exec chgrp {group} {{}} + || exit\n\
         {mine} ! -perm -020 -exec chmod g+w {{}} + || exit\n"
    )
}

fn create_folders(layout: &Layout, group: Option<&str>) -> String {
    let mut script = umask(group);
    let slots = layout.state().join("slots");
    let _ = write!(
        script,
        "mkdir -p {releases} {slots} {shared} || exit\nrm -f {link}.*.new\n",
        shared = quote(layout.shared().as_str()),
        releases = quote(layout.releases.as_str()),
        slots = quote(slots.as_str()),
        link = quote(layout.current().as_str()),
    );
    if let Some(group) = group {
        let folders = [&layout.path, &layout.releases, &layout.shared(), &layout.state(), &slots]
            .map(|path| quote(path.as_str()));
        let mine = format!("find {} -prune -user \"$(id -u)\"", folders.join(" "));
        let group = quote(group);
        // The lock and the journal are written by whoever comes next, too.
        let _ = write!(
            script,
            "{mine} -exec chgrp {group} {{}} + || exit\n{mine} -exec chmod g+ws {{}} + || exit\n: >>{lock} && : >>{journal}\n",
            lock = quote(layout.lock().as_str()),
            journal = quote(layout.journal().as_str()),
        );
    }
    script
}

/// One rename(2), then a look at what came of it. `mv -T` alone would move into the folder that an old link leads to.
fn point(layout: &Layout, target: Option<&str>, run: &RunId) -> String {
    let current = layout.current();
    let link = quote(current.as_str());
    let Some(target) = target else {
        return format!("rm -f {link}");
    };
    let new = quote(&format!("{current}.{run}.new"));
    // The dot keeps newlines at the end of a target, which the shell would take away.
    let read_back = quote(&format!("{target}."));
    let target = quote(target);
    format!(
        "if [ -e {link} ] && [ ! -L {link} ]; then echo {link}' is no link' >&2; exit 1; fi\n\
         {{ ln -s -- {target} {new} 2>/dev/null || {{ rm -f {new} && ln -s -- {target} {new}; }}; }} && mv -fT {new} {link} && [ \"$(readlink -n {link}; echo .)\" = {read_back} ]\n"
    )
}
