//! What runs, whose it is, and what should run no more.

use super::fitness::no_sudo_for_removals;
use super::{Diagnoses, DiagnosisKind, Expected};
use crate::app::crontab::CrontabLocation;
use crate::app::owner::Owner;
use crate::host::facts::{HostFacts, Listener, UnitElsewhere};
use crate::host::fleet::{GoneHost, gone_hosts};
use crate::host::layout::Layout;
use crate::host::left_over::{LeftOver, LeftOverKind, left_over};
use crate::host::record::DrainRecord;
use crate::host::record::JobsRecord;
use crate::host::running::Trouble;
use crate::host::web_server::{Trap, traps};
use crate::names::HostPath;

/// What is somebody else's.
pub(super) fn ownership(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    let theirs = |owner: &&Owner| !owner.may_be(expected.owner);
    let mut foreign = |words: String, help: &str| {
        let help = format!("{help}; `deploy --take-over` makes it this one's");
        found.blocks(DiagnosisKind::Foreign, words, help);
    };
    if let Some(owner) = facts.owner.as_ref().filter(theirs) {
        let words = format!("{} belongs to {}", expected.layout.path, beside_ours(owner, expected.owner));
        foreign(words, "give each its own: `path = \"/var/webapps/{unit}-{environment}\"`");
    }
    for (path, owner) in facts.file_owners.iter().filter(|(_, owner)| theirs(&owner)) {
        let words = format!("{path} belongs to {}", beside_ours(owner, expected.owner));
        foreign(words, "name this service otherwise, or leave its name out");
    }
    if let Some(Listener { place, unit, owner }) =
        facts.listener.as_ref().filter(|found| theirs(&&found.owner))
    {
        foreign(
            format!("{place} belongs to {}: {unit} listens there", beside_ours(owner, expected.owner)),
            "give each app a port or a socket of its own",
        );
    }
    if let Some((label, CrontabLocation::User)) = expected.wanted.jobs {
        for block in
            facts.job_blocks.iter().filter(|block| block.what == label && !block.owner.may_be(expected.owner))
        {
            let words = format!(
                "the block of {label} in the crontab of {} belongs to {}",
                facts.user,
                beside_ours(&block.owner, expected.owner)
            );
            foreign(words, "take it out by crontab -e, on that host");
        }
    }
    // The same app may have moved.
    let elsewhere = |unit: &&UnitElsewhere| unit.owner.as_ref().is_none_or(|owner| theirs(&owner));
    for UnitElsewhere { unit, folder, owner } in facts.units_elsewhere.iter().filter(elsewhere) {
        let owner = owner.as_ref().map(|owner| beside_ours(owner, expected.owner));
        let owner = owner.unwrap_or_else(|| "another app".to_owned());
        let words = format!("{unit} runs {folder}, of {owner}");
        let help = "name a service of this environment's own; `deploy --take-over` restarts it nevertheless";
        found.blocks(DiagnosisKind::UnitElsewhere, words, help);
    }
    if let Some(JobsRecord { user, label, .. }) =
        facts.jobs_of_another().filter(|_| expected.wanted.jobs.is_some())
    {
        let words = format!(
            "the app's jobs stand in the crontab of {user}: installed by {} as well, they would be done twice",
            facts.user
        );
        let help = format!(
            "deploy as {user} (`deploy_user`); or, on that host, as {user} or root, take the block of {label} out by \
             crontab -u {user} -e, and then rm {}",
            expected.layout.jobs()
        );
        found.blocks(DiagnosisKind::JobsElsewhere, words, help);
    }
}

/// Another owner; where only the repository is another one, with ours, which may be the wrong one of both.
fn beside_ours(owner: &Owner, ours: &Owner) -> String {
    match &ours.repository {
        Some(repository) if (&owner.unit, &owner.environment) == (&ours.unit, &ours.environment) => {
            format!("{owner}, and here the code comes from {repository}")
        }
        Some(_) | None => owner.to_string(),
    }
}

/// What runs.
pub(super) fn services(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    // Whoever is at work may be restarting it just now.
    for trouble in facts.trouble().into_iter().filter(|_| facts.lock.is_none()) {
        let kind = match trouble {
            Trouble::Down(_) => DiagnosisKind::ServiceDown,
            Trouble::Stale(_) => DiagnosisKind::Stale,
            Trouble::Unwell(_) => DiagnosisKind::Unwell,
        };
        found.warns(kind, trouble.words().to_owned()).help =
            Some("`deploy` starts it again, and so does `restart`".to_owned());
    }
    let all = left_over(facts, &expected.wanted, expected.owner);
    for left in &all {
        let (kind, words, help) = stray(left, expected.layout);
        found.warns(kind, words).help = Some(help);
    }
    found.list.extend(no_sudo_for_removals(facts, &all));
    for GoneHost { host, until } in gone_hosts(facts, expected.hosts) {
        let (name, day) = (host.name, until.strftime("%Y-%m-%d"));
        let words = format!(
            "{name} was deployed to until {day}, and isn't in buedafab.toml any more: what runs there still runs"
        );
        found.warns(DiagnosisKind::GoneHost, words).help = Some(format!(
            "`retire {name}` stops and removes it there; where there is no such host any more, or it has another name, `retire {name} --forget`"
        ));
    }
    if let Some(DrainRecord { at: _, by, run, is_by_hand, method: _, memberships: _ }) = &facts.drained {
        let is_at_work = facts
            .lock
            .as_ref()
            .and_then(|lock| lock.holder.as_ref())
            .is_some_and(|holder| holder.run == *run);
        let words = if *is_by_hand {
            format!("out of traffic, says {by}: `undrain` puts it back")
        } else {
            format!(
                "it may be out of traffic: the run {run} of {by} took it out, and ended before it put it back"
            )
        };
        if !is_at_work {
            found.warns(DiagnosisKind::Drained, words).help =
                (!is_by_hand).then(|| "`undrain` puts it back".to_owned());
        }
    }
    if facts.is_flagged_by_hand() {
        let words = "it may be out of traffic: shared/drained is there, and no run has made it".to_owned();
        found.warns(DiagnosisKind::Drained, words).help = Some("`undrain` takes it away".to_owned());
    }
    if let Some(record) = &facts.maintenance {
        let words = format!("in maintenance, says {}: `maintenance off` ends it", record.by);
        found.warns(DiagnosisKind::Maintenance, words);
    }
    if let Some(address) = &facts.exposed {
        let words =
            format!("the web server gives git's folder, and so the whole project, to everybody: {address}");
        found.warns(DiagnosisKind::ExposesGit, words).help =
            Some(r"deny it there; for nginx: location ~ /\.git { return 404; }".to_owned());
    }
    for trap in traps(&facts.web_servers, &expected.layout.path, expected.sockets) {
        let kind = match &trap {
            Trap::KeepsConnections { .. } => DiagnosisKind::KeepsOldRelease,
            Trap::Confined { .. } => DiagnosisKind::SocketNotFound,
            Trap::PassesBy { .. } => DiagnosisKind::PassesByLink,
            Trap::LeadsElsewhere { .. } => DiagnosisKind::LeadsElsewhere,
        };
        found.warns(kind, trap.words()).help = Some(trap.help());
    }
    if let (Some(app), Some(live)) = (&facts.app, facts.live())
        && !app.names(&live)
    {
        let words = format!("asked what it runs, the app doesn't name {live}: {}", app.shown());
        found.warns(DiagnosisKind::AppDisagrees, words);
    }
}

/// What is said of something that isn't wanted any more, and what takes it away.
pub fn stray(left: &LeftOver, layout: &Layout) -> (DiagnosisKind, String, String) {
    let name = left.name();
    let base = |path: &HostPath| path.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let (list, record) = (layout.installed_services(), layout.jobs());
    let (kind, words, by_hand) = match &left.kind {
        LeftOverKind::Unit { path } => {
            let words = format!("{name} is no service of this host any more, and is left as it is");
            let help = format!(
                "as root: systemctl disable --now {}; rm {path}; and take its line out of {list}",
                base(path)
            );
            (DiagnosisKind::StrayService, words, help)
        }
        LeftOverKind::InitScript { path } => {
            let words = format!("{name} is no service of this host any more, and is left as it is");
            let script = base(path);
            let help = format!(
                "as root: {path} stop; update-rc.d -f {script} remove; rm {path}; and take its line out of {list}"
            );
            (DiagnosisKind::StrayService, words, help)
        }
        LeftOverKind::JobsFile { path } => {
            let words = format!("{name} has jobs that this host shouldn't do any more, and is left as it is");
            (DiagnosisKind::StrayJobs, words, format!("as root: rm {path}"))
        }
        LeftOverKind::Jobs { .. } => {
            let words = format!("{name} aren't this host's to do any more, and are left as they are");
            (DiagnosisKind::StrayJobs, words, "take them out by crontab -e".to_owned())
        }
        LeftOverKind::JobsTwice { user, .. } => {
            let words = format!("{name} are done twice: they stand in the crontab of {user}, too");
            (DiagnosisKind::StrayJobs, words, "take them out by crontab -e".to_owned())
        }
        LeftOverKind::JobsOf { user, label } => {
            let words = format!("{name} aren't this host's to do any more, and are left as they are");
            let help = format!(
                "as {user} or root: take the block of {label} out by crontab -u {user} -e, and then rm {record}"
            );
            (DiagnosisKind::StrayJobs, words, help)
        }
    };
    let help = if left.can_go() { "`deploy --prune` stops and removes it".to_owned() } else { by_hand };
    (kind, words, help)
}
