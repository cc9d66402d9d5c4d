//! Services as the shell that restarts, stops and installs them.

use std::fmt::Write;

use super::command::{activate, app_command, exports, secrets};
use super::user::SUDO;
use super::{quote, quote_words};
use crate::app::crontab::{CrontabLocation, system_crontab};
use crate::app::service::Service;
use crate::app::service_file::{
    FilesOf, ReleasedServiceFile, ServiceFile, ServiceFileKind, service_file_place,
};
use crate::host::layout::Layout;
use crate::host::left_over::{LeftOver, LeftOverKind};
use crate::names::{CommitId, HostPath, SlotName};
use crate::plan::action::ServiceAction;

pub(super) fn render(action: &ServiceAction, layout: &Layout) -> String {
    match action {
        ServiceAction::VerifySudo => format!(
            "{SUDO}[ -z \"$sudo\" ] || $sudo -v && exit 0\n\
             echo \"sudo rejects the password, or allows $(id -un) nothing\" >&2\nexit 1"
        ),
        ServiceAction::ServiceFiles { slot, commit, there, files } => {
            service_files(layout, slot, commit, there, files)
        }
        ServiceAction::LinkSocket { slot, path, socket } => format!(
            "slot={}\npath={}\nsocket={}\n{}",
            quote(layout.slot(slot).as_str()),
            quote(path),
            quote(socket.as_str()),
            script!("link_socket")
        ),
        ServiceAction::InstallRecovery { file } => {
            let service =
                Service::Systemd(base_name(file.path.as_str()).trim_end_matches(".service").to_owned());
            // It isn't started, so it has never failed.
            format!("{SUDO}{}\ntrue", install(layout, &service, file))
        }
        ServiceAction::StartInstance { service, slot: _, file, seconds, anew } => {
            start_instance(layout, service, file.as_ref(), *seconds, *anew)
        }
        ServiceAction::StartAtBoot { service, file, socket } => {
            start_at_boot(layout, service, file.as_ref(), socket.as_deref())
        }
        ServiceAction::StopInstances { services, slot: _, waits, optional: _ } => {
            stop_instances(layout, services, *waits)
        }
        ServiceAction::Restart { service, file, socket, reload, commands, around } => {
            if commands.is_empty() {
                restart(layout, service, file.as_ref(), socket.as_deref(), *reload)
            } else {
                // As with every other hook, the first that fails is the last.
                let commands: Vec<String> =
                    commands.iter().map(|command| format!("(\n{command}\n) || exit")).collect();
                app_command(layout, around, &commands.join("\n"))
            }
        }
        ServiceAction::VerifyRunning { services, seconds } => verify_running(layout, services, *seconds),
        ServiceAction::Stop { service, optional: _ } => stop(layout, service),
        ServiceAction::Crontab { slot, file, label, former_label, owner, place, around } => format!(
            "{SUDO}file={}\nlabel={}\nformer={}\nowner={}\npath={}\nplace={}\nthere={}\nonce={}\nrecord={}\nrecorded={}\nshell={}\naround={}\nvirtualenv={}\n{}{}",
            quote(layout.slot(slot).join(file).as_str()),
            quote(label),
            quote(former_label.as_str()),
            quote(&owner.line()),
            quote(layout.path.as_str()),
            match place {
                CrontabLocation::User => "user",
                CrontabLocation::System => "system",
            },
            quote(&system_crontab(label).map(String::from).unwrap_or_default()),
            quote(&system_crontab(former_label.as_str()).map(String::from).unwrap_or_default()),
            quote(layout.jobs().as_str()),
            quote(&format!("\"label\":{}}}", serde_json::Value::from(label.as_str()))),
            quote(layout.job_shell().as_str()),
            quote(&format!("{}{}", exports(&around.variables), secrets(layout))),
            quote(&activate(around.virtualenv.as_ref())),
            script!("crontab_block"),
            script!("crontab")
        ),
        ServiceAction::Remove { left, optional: _ } => remove(layout, left),
    }
}

/// Restarts a service and asks whether it runs; its file is put in place first.
fn restart(
    layout: &Layout,
    service: &Service,
    file: Option<&ReleasedServiceFile>,
    socket: Option<&ReleasedServiceFile>,
    reload: bool,
) -> String {
    let install_socket = socket.map(|socket| install_socket(layout, socket)).unwrap_or_default();
    let listen = socket.map(|socket| listen(layout, service, socket)).unwrap_or_default();
    let install = file.map(|file| install(layout, service, file)).unwrap_or_default();
    let how = if reload { "[ -z \"$changed\" ] && how=reload || how=restart" } else { "how=restart" };
    let link = link_line(layout);
    let act = match service {
        Service::None => "true".to_owned(),
        Service::Init(name) => format!("$sudo {} \"$how\"", quote(&format!("/etc/init.d/{name}"))),
        Service::Systemd(_) | Service::SystemdUser(_) => {
            let name = quote(&service.unit().expect("a unit"));
            format!(
                "{link}{}{listen}[ \"$how\" = restart ] || how=reload-or-restart\n\
                 act_on_unit \"$how\" {name} && is_up {name} && exit 0\n\
                 show_words {name}\nexit 1",
                script!("systemd")
            )
        }
        Service::Supervisor(name) => {
            let name = quote(name);
            format!(
                "$sudo supervisorctl restart {name} || exit\n\
                 $sudo supervisorctl status {name} | grep -q RUNNING && exit 0\n\
                 $sudo supervisorctl status {name} >&2\nexit 1"
            )
        }
        Service::Runit(name) => {
            let name = quote(name);
            format!("$sudo sv restart {name} && $sudo sv check {name}")
        }
    };
    format!("{SUDO}{install_socket}changed=\n{install}{how}\n{act}")
}

/// Puts what holds a service's socket in its place, or takes it out of the way, in a shell of its own: that may end it.
fn install_socket(layout: &Layout, socket: &ReleasedServiceFile) -> String {
    let held_by = Service::Systemd(base_name(socket.path.as_str()).to_owned());
    let (stored, installed) = (quote(stored(layout, socket).as_str()), quote(socket.path.as_str()));
    format!(
        "socket_changed=\n[ ! -f {stored} ] || cmp -s {stored} {installed} || socket_changed=yes\n(\n{}) || exit\n",
        install(layout, &held_by, socket),
    )
}

/// Has systemd listen before the service runs again.
fn listen(layout: &Layout, service: &Service, socket: &ReleasedServiceFile) -> String {
    let at = service.unit().map(|name| quote(&format!("/run/{name}/{name}.sock"))).unwrap_or_default();
    let (service, name) = (unit_word(service), quote(base_name(socket.path.as_str())));
    let stored = quote(stored(layout, socket).as_str());
    format!(
        "if [ -f {stored} ]; then\n  \
           look_at_unit {name}\n  \
           if [ -n \"$socket_changed\" ] || [ \"$active\" != active ] || [ ! -S {at} ]; then\n    \
             # What listens by itself keeps systemd from doing it.\n    \
             $sudo systemctl stop {name} {service} 2>/dev/null\n    \
             $sudo systemctl reset-failed {name} {service} 2>/dev/null\n    \
             $sudo systemctl start {name} || exit\n  \
           fi\nfi\n"
    )
}

/// Starts what runs a slot's release by itself, unless it does.
fn start_instance(
    layout: &Layout,
    service: &Service,
    file: Option<&ReleasedServiceFile>,
    seconds: u32,
    anew: bool,
) -> String {
    format!(
        "{SUDO}changed=\n{}{}{}unit={}\nseconds={seconds}\nanew={}\n{}",
        file.map(|file| install(layout, service, file)).unwrap_or_default(),
        link_line(layout),
        script!("systemd"),
        unit_word(service),
        if anew { "yes" } else { "" },
        script!("start_instance")
    )
}

/// What starts with its host starts what is live; nothing of it touches what runs, but for a process that it takes the place of.
fn start_at_boot(
    layout: &Layout,
    service: &Service,
    file: Option<&ReleasedServiceFile>,
    socket: Option<&ReleasedServiceFile>,
) -> String {
    let socket = socket.map(|socket| install_socket(layout, socket)).unwrap_or_default();
    let name = unit_word(service);
    let Some(file) = file else { return "true\n".to_owned() };
    let stored = quote(stored(layout, file).as_str());
    format!(
        "{SUDO}{socket}changed=\n{}\
         if [ -f {stored} ] && ! cmp -s {stored} {}; then\n  \
           # The release before may have run as this itself.\n  \
           look_at_unit {name}\n  \
           case \"$active $kind\" in *oneshot | 'inactive '* | ' '*) ;; *) $sudo systemctl stop {name} || exit ;; esac\n\
         fi\n{}\
         look_at_unit {name}\n[ \"$active\" = active ] || $sudo systemctl start --no-block {name}",
        script!("systemd"),
        quote(file.path.as_str()),
        install(layout, service, file),
    )
}

/// Who has looked up where the link leads asks there, for a moment more.
fn stop_instances(layout: &Layout, services: &[Service], waits: bool) -> String {
    let how = if waits { "stop" } else { "stop --no-block" };
    let names = quote_words(services.iter().filter_map(Service::unit));
    format!(
        "{SUDO}{}{}set -- {names}\n\
         for unit; do\n  \
           shift\n  \
           look_at_unit \"$unit\"\n  \
           case $active in inactive | failed) ;; *) set -- \"$@\" \"$unit\" ;; esac\n\
         done\n[ $# != 0 ] || exit 0\n{}failed=\nfor unit; do $sudo systemctl {how} \"$unit\" || failed=yes; done\n[ -z \"$failed\" ]",
        link_line(layout),
        script!("systemd"),
        script!("after_a_second")
    )
}

fn unit_word(service: &Service) -> String {
    quote(&service.unit().unwrap_or_default())
}

/// Says where the link is whose change the words of a unit are read from.
pub(super) fn link_line(layout: &Layout) -> String {
    format!("link={}\n", quote(layout.current().as_str()))
}

/// Stops a service, if it is there and runs. What was put in place by us no longer comes up with its host, either.
fn stop(layout: &Layout, service: &Service) -> String {
    let disable = service_file_place(service).map(|(path, _)| {
        let (list, path) = (quote(layout.installed_services().as_str()), quote(path.as_str()));
        format!("if grep -qxF -e {path} {list} 2>/dev/null; then\n{}\nfi\n", disable(service))
    });
    format!("{SUDO}{}{}", disable.unwrap_or_default(), stop_running(service))
}

fn disable(service: &Service) -> String {
    match service {
        Service::Systemd(name) => format!("$sudo systemctl disable --quiet {}", quote(name)),
        Service::Init(name) => format!(
            "! command -v update-rc.d >/dev/null || $sudo update-rc.d {} disable >/dev/null",
            quote(name)
        ),
        Service::None | Service::SystemdUser(_) | Service::Supervisor(_) | Service::Runit(_) => {
            "true".to_owned()
        }
    }
}

/// Waits, and then asks whether services still run: what dies and is started again doesn't count as running. What a
/// release hasn't got has been stopped, and is left alone.
fn verify_running(
    layout: &Layout,
    services: &[(Service, Option<ReleasedServiceFile>)],
    seconds: u32,
) -> String {
    // How often systemd has started it again since long ago isn't held against it.
    let before = services.iter().enumerate().filter_map(|(number, (service, _))| {
        Some(format!("look_at_unit {}\nbefore_{number}=$restarts\n", quote(&service.unit()?)))
    });
    let ask = |(number, (service, file)): (usize, &(Service, Option<ReleasedServiceFile>))| {
        let runs = match service {
            Service::Systemd(_) | Service::SystemdUser(_) => {
                let name = quote(&service.unit().expect("a unit"));
                format!(
                    "{{ is_up {name} && [ \"$restarts\" = \"$before_{number}\" ]; }} || {{\n  \
                       echo \"$called didn't stay up:\" >&2\n  show_words {name}\n  exit 1\n}}"
                )
            }
            Service::Init(name) => {
                let script = quote(&format!("/etc/init.d/{name}"));
                format!("$sudo {script} status || {{ echo {script}\" didn't stay up\" >&2; exit 1; }}")
            }
            Service::None | Service::Supervisor(_) | Service::Runit(_) => return String::new(),
        };
        match file {
            Some(file) => format!("if [ -f {} ]; then\n{runs}\nfi\n", quote(stored(layout, file).as_str())),
            None => format!("{runs}\n"),
        }
    };
    let before: String = before.collect();
    let asked: String = services.iter().enumerate().map(ask).collect();
    format!("{SUDO}{}{}{before}sleep {seconds}\n{asked}", link_line(layout), script!("systemd"))
}

/// Stops and takes away what isn't wanted any more.
fn remove(layout: &Layout, LeftOver { kind, mark }: &LeftOver) -> String {
    let service_of = |path: &HostPath, service: fn(String) -> Service| {
        let name = base_name(path.as_str());
        let service = service(name.to_owned());
        format!(
            "name={}\nstop_it() {{\n{}\n}}\ndisable_it() {{\n{}\n}}\n",
            quote(name),
            stop_running(&service),
            disable(&service)
        )
    };
    let (word, path, before) = match kind {
        LeftOverKind::Unit { path } => ("unit", path.as_str(), service_of(path, Service::Systemd)),
        LeftOverKind::InitScript { path } => ("init_script", path.as_str(), service_of(path, Service::Init)),
        LeftOverKind::JobsFile { path } => ("jobs_file", path.as_str(), String::new()),
        LeftOverKind::Jobs { label }
        | LeftOverKind::JobsTwice { label, .. }
        | LeftOverKind::JobsOf { label, .. } => {
            ("jobs", "", format!("label={}\n{}", quote(label), script!("crontab_block")))
        }
    };
    format!(
        "{SUDO}kind={word}\npath={}\nmark={}\nlist={}\nrecord={}\n{before}{}",
        quote(path),
        quote(mark.as_deref().unwrap_or_default()),
        quote(layout.installed_services().as_str()),
        quote(layout.jobs().as_str()),
        script!("left_over")
    )
}

/// Where a file is kept.
fn stored(layout: &Layout, file: &ReleasedServiceFile) -> HostPath {
    layout.service_files(&file.of).join(base_name(file.path.as_str()))
}

fn stop_running(service: &Service) -> String {
    match service {
        Service::None => "true".to_owned(),
        Service::Init(name) => {
            let script = quote(&format!("/etc/init.d/{name}"));
            format!("[ ! -x {script} ] || $sudo {script} stop")
        }
        Service::Systemd(name) => {
            let name = quote(name);
            format!(
                "case $(systemctl is-active {name} 2>/dev/null || $sudo systemctl is-active {name} 2>/dev/null) in\n  \
                   inactive* | failed* | unknown*) exit 0 ;;\nesac\n$sudo systemctl stop {name}"
            )
        }
        Service::SystemdUser(_) => {
            let name = quote(&service.unit().expect("a unit"));
            format!(
                "sudo=\n{}find_manager {name}\n\
                 case $(systemctl --user is-active \"$called\" 2>/dev/null) in\n  \
                   active* | reloading* | activating* | deactivating*) systemctl --user stop \"$called\" ;;\nesac",
                script!("systemd")
            )
        }
        Service::Supervisor(name) => {
            let name = quote(name);
            format!(
                "$sudo supervisorctl status {name} | grep -q RUNNING || exit 0\n$sudo supervisorctl stop {name}"
            )
        }
        Service::Runit(name) => {
            let name = quote(name);
            format!("$sudo sv status {name} 2>/dev/null | grep -q '^run:' || exit 0\n$sudo sv stop {name}")
        }
    }
}

fn install(layout: &Layout, service: &Service, file: &ReleasedServiceFile) -> String {
    let ReleasedServiceFile { of: _, path, kind } = file;
    let name = match service {
        Service::Systemd(name) | Service::Init(name) => name.as_str(),
        _ => "",
    };
    format!(
        "stored={}\ninstalled={}\nlist={}\nkind={}\nname={}\nstop_it() {{\n{}\n}}\ndisable_it() {{\n{}\n}}\n{}",
        quote(stored(layout, file).as_str()),
        quote(path.as_str()),
        quote(layout.installed_services().as_str()),
        kind_word(*kind),
        quote(name),
        stop_running(service),
        disable(service),
        script!("service_file")
    )
}

/// Keeps the files of a release, once they have been looked over.
fn service_files(
    layout: &Layout,
    slot: &SlotName,
    commit: &CommitId,
    there: &FilesOf,
    files: &[ServiceFile],
) -> String {
    let mut script = format!(
        "folder={}\nthere={}\nlist={}\n{}{}",
        quote(
            layout.service_files(&FilesOf::Release { commit: commit.clone(), slot: slot.clone() }).as_str()
        ),
        quote(layout.service_files(there).as_str()),
        quote(layout.installed_services().as_str()),
        script!("replace"),
        script!("service_files")
    );
    for ServiceFile { path, text, kind, is_checked } in files {
        // Before the switch the link may lead nowhere; what will be there is in the slot.
        let in_slot = || text.replace(layout.current().as_str(), layout.slot(slot).as_str());
        let checked = if *is_checked { in_slot() } else { String::new() };
        let _ = writeln!(
            script,
            "keep {} {} {} {} {}",
            quote(base_name(path.as_str())),
            quote(path.as_str()),
            kind_word(*kind),
            quote(text),
            quote(&checked)
        );
    }
    script
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn kind_word(kind: ServiceFileKind) -> &'static str {
    match kind {
        ServiceFileKind::Unit => "unit",
        ServiceFileKind::InitScript => "init_script",
    }
}
