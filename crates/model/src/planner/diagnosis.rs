//! The diagnosis of a host, with what the settings want of it.

use super::context::SeenHost;
use crate::app::crontab::{CrontabLocation, system_crontab};
use crate::app::health::HealthQuestion;
use crate::app::maintenance::MaintenanceMethod;
use crate::app::owner::Owner;
use crate::app::service::{NamedService, Service};
use crate::app::service_file::{FilesOf, ServiceFileKind, service_file_place};
use crate::config::Settings;
use crate::host::Host;
use crate::host::diagnosis::{ArchiveRoom, Diagnosis, DiagnosisKind, Expected, diagnose};
use crate::host::left_over::{LeftOver, WantedHere, left_over};
use crate::host::sudo::{ANY_COMMIT, SudoCommand, SudoNeeded};
use crate::host::web_server::FollowedSocket;
use crate::names::{CommitId, HostPath, SlotName};
use crate::shell::service_file::recovery_unit;
use crate::strategy::{self, Strategy};
use std::collections::BTreeSet;

/// All that there is to say about a host: what a deploy would refuse, what its plan would note, and the rest. `url` is where
/// the code comes from, as far as that is known and the settings don't say it.
pub fn diagnose_host(settings: &Settings, seen: SeenHost<'_>, url: Option<&str>) -> Vec<Diagnosis> {
    diagnose_by(strategy::of(settings), settings, seen, &owner_by(settings, url), SentRoom::default())
}

/// Whose what a run installs is, where the code comes from this address.
pub(super) fn owner_by(settings: &Settings, url: Option<&str>) -> Owner {
    let url = settings.source.scm.as_deref().or(url);
    Owner::new(settings.app.unit.clone(), settings.environment.clone(), url)
}

/// Where the unit files and init scripts of a host belong that are ours to write.
pub(super) fn service_files_on(settings: &Settings, host: &Host) -> Vec<HostPath> {
    parts_on(settings, host, &settings.layout.release_paths, |named| named.definition.is_some())
}

/// Where the files of such services belong on a host: also of what each of these slots has its own of, and of what puts a switch back as
/// the host starts.
fn parts_on<'s>(
    settings: &Settings,
    host: &Host,
    slots: impl IntoIterator<Item = &'s SlotName> + Clone,
    such: impl Fn(&NamedService) -> bool,
) -> Vec<HostPath> {
    let here = settings.services.named.iter().filter(|named| named.is_on(&host.roles) && such(named));
    let parts = here.flat_map(|named| named.parts(slots.clone()));
    let recovery = settings.has_recovery(host).then(|| recovery_unit(settings));
    parts.chain(recovery).filter_map(|part| Some(service_file_place(&part)?.0)).collect()
}

/// What the app's jobs are marked with on the one host that has them, and where they stand there.
pub(super) fn jobs_on(settings: &Settings, host: &Host) -> Option<(String, CrontabLocation)> {
    let is_primary = settings.hosts.first().is_some_and(|first| first.name == host.name);
    (is_primary && settings.crontab.file.is_some())
        .then(|| (settings.crontab_label(), settings.crontab.location))
}

/// The files of services and jobs that a host may have.
pub(super) fn wanted_files(settings: &Settings, host: &Host) -> Vec<HostPath> {
    let mut files = parts_on(settings, host, &settings.layout.release_paths, |_| true);
    if let Some((label, CrontabLocation::System)) = jobs_on(settings, host) {
        files.extend(system_crontab(&label));
    }
    files
}

/// The files of services that a host may have, as it was seen.
fn places_on(settings: &Settings, SeenHost { host, facts }: SeenHost<'_>) -> Vec<HostPath> {
    let slots: BTreeSet<&SlotName> = settings.layout.release_paths.iter().chain(facts.slots.keys()).collect();
    let mut places = parts_on(settings, host, slots.clone(), |_| true);
    // What serves is wanted as long as it does, however the configuration would run it now.
    let live = facts.live_slot().zip(facts.live());
    let resolved = live.and_then(|(slot, release)| facts.resolved_for(slot, &release.commit));
    let own = resolved.into_iter().flat_map(|resolved| &resolved.services);
    let own = own.filter(|named| {
        named.listening.is_some()
            && settings.services.named.iter().any(|known| known.service == named.service)
    });
    let parts = own.flat_map(|named| named.parts(slots.iter().copied()));
    places.extend(parts.filter_map(|part| Some(service_file_place(&part)?.0)));
    places
}

/// What was installed on a host and isn't wanted there any more.
pub(super) fn left_over_on(settings: &Settings, seen: SeenHost<'_>, owner: &Owner) -> Vec<LeftOver> {
    let (service_files, jobs) = (places_on(settings, seen), jobs_on(settings, seen.host));
    let jobs = jobs.as_ref().map(|(label, location)| (label.as_str(), *location));
    left_over(seen.facts, &WantedHere { service_files: &service_files, jobs }, owner)
}

/// The room that what is sent to a host takes there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SentRoom {
    /// What comes besides an archive, in KiB.
    pub(super) kib: u64,
    /// What a release takes that comes as one.
    pub(super) archive: Option<ArchiveRoom>,
}

/// The same, where another strategy than that of the settings says which slots are ours, and this is sent.
pub(super) fn diagnose_by(
    strategy: &dyn Strategy,
    settings: &Settings,
    seen: SeenHost<'_>,
    owner: &Owner,
    sent: SentRoom,
) -> Vec<Diagnosis> {
    let SeenHost { host, facts } = seen;
    let (service_files, jobs) = (places_on(settings, seen), jobs_on(settings, host));
    let jobs = jobs.as_ref().map(|(label, location)| (label.as_str(), *location));
    let is_ours = |slot| strategy::is_ours(strategy, settings, facts, slot);
    let expected = Expected {
        layout: &settings.layout(host),
        live_is_ours: facts.live_slot().is_none_or(is_ours),
        slots: &settings.layout.release_paths,
        needs_sudo: needs_sudo(settings, host),
        sudo_is_unknown: sudo_commands(settings, host).is_empty() || settings.users.run_as.is_some(),
        hosts: &settings.hosts,
        wanted: WantedHere { service_files: &service_files, jobs },
        owner,
        group: settings.users.deploy_group.as_deref(),
        reads_env_file: reads_env_file(settings),
        sockets: &followed_sockets(settings, host),
        sent_kib: sent.kib,
        archive: sent.archive,
    };
    diagnose(facts, &expected)
}

/// The sockets of a host that web servers find by the link, which is what hands over to the next release.
pub(super) fn followed_sockets(settings: &Settings, host: &Host) -> Vec<FollowedSocket> {
    let layout = settings.layout(host);
    let any = slots_of(settings).into_iter().next();
    let here = settings.services.named.iter();
    let here = here.filter(|named| named.is_side_by_side() && settings.runs_on(named, host));
    let followed = here.filter_map(|named| {
        let socket = named.listening.as_ref()?.socket.clone();
        let really = named.socket_of(any.as_ref()?)?;
        Some(FollowedSocket {
            path: layout.current().join(&socket),
            releases: layout.releases.clone(),
            socket,
            really_in: really.as_str().rsplit_once('/')?.0.to_owned(),
        })
    });
    followed.collect()
}

/// Whether a deploy runs anything of the project's, which finds the file of variables in its environment.
fn reads_env_file(settings: &Settings) -> bool {
    let question = settings.health.health.as_ref().map(|health| &health.question);
    settings.app.recipe.is_python()
        || settings.hooks.on_hosts.by_name().iter().any(|(_, commands)| !commands.is_empty())
        || settings.maintenance.method == MaintenanceMethod::Command
        || matches!(question, Some(HealthQuestion::Command { .. }))
}

/// Whether this speaks against restarting what is live, or something else that is live then.
pub(super) fn stops_restarts(settings: &Settings, kind: DiagnosisKind) -> bool {
    kind.stops_any_change()
        || kind == DiagnosisKind::ClosedEnvFile && !settings.hooks.on_hosts.restart.is_empty()
}

/// The commands that are done by sudo on a host, as far as they are known beforehand: each as its words.
pub(super) fn sudo_commands(settings: &Settings, host: &Host) -> Vec<SudoCommand> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut commands: Vec<Vec<String>> = Vec::new();
    let reloads =
        |service: &Service| settings.services.named.iter().any(|n| n.service == *service && n.reload);
    let slots = slots_of(settings);
    let here = settings.services.named.iter().filter(|named| settings.runs_on(named, host));
    for named in here.clone().filter(|named| named.is_side_by_side()) {
        let instances = slots.iter().filter_map(|slot| named.instance(slot)?.unit());
        for unit in instances {
            for how in [&["start", "--no-block"][..], &["stop", "--no-block"], &["stop"]] {
                commands.push(words(&[&["systemctl"], how, &[unit.as_str()]].concat()));
            }
        }
        commands.extend(named.service.unit().map(|unit| words(&["systemctl", "start", "--no-block", &unit])));
    }
    let from_link = here.filter(|named| !named.is_side_by_side()).map(|named| &named.service);
    for service in from_link.chain(settings.own_service()) {
        commands.extend(match service {
            Service::None | Service::SystemdUser(_) => None,
            Service::Init(name) => Some(words(&[&format!("/etc/init.d/{name}"), "restart"])),
            Service::Systemd(name) if reloads(service) => {
                Some(words(&["systemctl", "reload-or-restart", name]))
            }
            Service::Systemd(name) => Some(words(&["systemctl", "restart", name])),
            Service::Supervisor(name) => Some(words(&["supervisorctl", "restart", name])),
            Service::Runit(name) => Some(words(&["sv", "restart", name])),
        });
    }
    commands.extend(settings.hooks.on_hosts.restart.iter().filter_map(|command| sudo_words(command)));
    let always = commands.into_iter().map(|words| SudoCommand { words, needed: SudoNeeded::Always });
    always.chain(file_commands(settings, host)).collect()
}

/// The slots that a rule of sudo has to allow.
fn slots_of(settings: &Settings) -> Vec<SlotName> {
    let mut slots = settings.layout.release_paths.clone();
    // Where every release has a folder of its own, any name will do.
    if slots.is_empty() {
        slots.extend(SlotName::new("any"));
    }
    slots
}

/// What puts a unit file or an init script in its place. A rule for it has to allow any release.
fn file_commands(settings: &Settings, host: &Host) -> Vec<SudoCommand> {
    let layout = settings.layout(host);
    // A rule may name one slot, and the next release goes to another.
    let any_release = |slot: &SlotName| {
        let (commit, slot) = (CommitId::new(ANY_COMMIT).ok()?, slot.clone());
        Some(layout.service_files(&FilesOf::Release { commit, slot }))
    };
    let slots = slots_of(settings);
    let folders: Vec<HostPath> = slots.iter().filter_map(any_release).collect();
    let mut commands: Vec<SudoCommand> = Vec::new();
    let here = settings.services.named.iter().filter(|service| service.is_on(&host.roles));
    let defined = here.filter(|named| named.definition.is_some());
    let parts = defined.flat_map(|named| named.parts(&slots));
    let recovery = settings.has_recovery(host).then(|| recovery_unit(settings));
    for part in parts.chain(recovery) {
        let Some((path, kind)) = service_file_place(&part) else { continue };
        let needed = SudoNeeded::ForFile(path.clone());
        let mut add = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            commands.push(SudoCommand { words, needed: needed.clone() });
        };
        let path = path.as_str();
        let name = path.rsplit('/').next().unwrap_or(path);
        let new = format!("{path}.new");
        let mode = match kind {
            ServiceFileKind::Unit => "644",
            ServiceFileKind::InitScript => "755",
        };
        for folder in &folders {
            add(&["install", "-m", mode, folder.join(name).as_str(), &new]);
        }
        match kind {
            ServiceFileKind::Unit => {
                add(&["mv", "-f", &new, path]);
                add(&["systemctl", "daemon-reload"]);
                if let Service::Systemd(called) = &part
                    && !called.contains('@')
                {
                    add(&["systemctl", "enable", "--quiet", called]);
                    if called.ends_with(".socket") {
                        add(&["systemctl", "start", called]);
                    }
                }
            }
            ServiceFileKind::InitScript => {
                add(&["mv", "-f", &new, path]);
            }
        }
    }
    commands
}

/// The words of a plain command that begins with `sudo`; of anything else nothing is known.
fn sudo_words(command: &str) -> Option<Vec<String>> {
    let rest = command.trim().strip_prefix("sudo ")?;
    if rest.contains(|c: char| "$`\\;&|<>()*?[~\n".contains(c)) {
        return None;
    }
    let words: Vec<String> = shlex::split(rest)?.into_iter().skip_while(|word| word == "-n").collect();
    words.first().is_some_and(|first| !first.starts_with('-') && !first.contains('=')).then_some(words)
}

/// Whether something is done by sudo on a host, where the user isn't root, and no person is there to type a password.
pub(super) fn needs_sudo(settings: &Settings, host: &Host) -> bool {
    let asks = |command: &String| command.trim_start().starts_with("sudo ");
    let restarts = settings.services_on(host).into_iter().any(Service::needs_root)
        || settings.hooks.on_hosts.restart.iter().any(asks);
    let is_primary = settings.hosts.first().is_some_and(|first| first.name == host.name);
    let has_jobs = settings.crontab.file.is_some() && settings.crontab.location == CrontabLocation::System;
    !settings.users.ask_sudo_password
        && (restarts || (has_jobs && is_primary) || settings.users.run_as.is_some())
}
