//! What speaks against a deploy, whatever is live.

use super::room::no_room;
use super::slots::typed;
use super::{Diagnoses, Diagnosis, DiagnosisKind, Expected, Severity};
use crate::host::facts::{HostFacts, StuckFile};
use crate::host::layout::Layout;
use crate::host::left_over::LeftOver;
use crate::host::record::LockHolder;
use crate::host::sudo::rule;
use crate::names::HostPath;

/// What speaks against a deploy, whatever is live.
pub(super) fn fitness(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    let HostFacts { user, missing_tools, missing_shared, missing_services, .. } = facts;
    let Layout { path, .. } = expected.layout;
    if !missing_tools.is_empty() {
        let words = format!("{} not found", missing_tools.join(", "));
        let help = format!("install them there; Debian: apt-get install {}", packages_of(missing_tools));
        found.blocks(DiagnosisKind::MissingTools, words, help);
    }
    if let Some(link) = &facts.leads_nowhere {
        let words = format!("{link} is a link that leads nowhere: no folder can be made there");
        let help = "make or mount what it should lead to, on that host, or take the link away";
        found.blocks(DiagnosisKind::NotAFile, words, help);
    } else if !facts.writable {
        // Where the app's folder isn't there yet, it is the one around it that can't be written.
        let folder = facts.read_only.as_deref().filter(|_| facts.exists).unwrap_or(path.as_str());
        let words = format!("{user} can't write {folder}");
        let help = match expected.group {
            Some(group) if facts.exists => {
                format!("on that host, as root: chgrp -R {group} {folder} && chmod -R g+rwX {folder}")
            }
            None if facts.exists => format!(
                "on that host, as root: chown -R {user} {path}; or set `deploy_group`, where several deploy"
            ),
            _ => format!("on that host, as root: install -d -o {user} {path}"),
        };
        found.blocks(DiagnosisKind::NotWritable, words, help);
    }
    // With a group it isn't the login's to say.
    if let Some(umask) = facts.umask.filter(|umask| umask & 0o005 != 0 && expected.group.is_none()) {
        let and_group = if umask & 0o050 == 0 { " and its group" } else { "" };
        let words = format!(
            "what a deploy makes can be read by {user}{and_group} alone, since the umask of that login is {umask:03o}: a web \
             server of another user can't"
        );
        found.warns(DiagnosisKind::ClosedUmask, words).help =
            Some("set it to 022 there, or set `deploy_group`, where others should".to_owned());
    }
    if !facts.not_files.is_empty() {
        let words = format!("no plain file, and so not written to: {}", facts.not_files.join(", "));
        let help = "see what it is and whose, on that host, and move it away";
        found.blocks(DiagnosisKind::NotAFile, words, help);
    }
    // Nothing is built in the one that serves.
    for slot in expected.slots.iter().filter(|slot| facts.live_slot() != Some(*slot)) {
        let folder = expected.layout.releases.join(slot.as_str());
        match facts.slots.get(slot) {
            Some(seen) if seen.is_link => found.blocks(
                DiagnosisKind::SlotIsLink,
                format!("{folder} is a link: no release is built behind one"),
                "see where it leads, on that host, and take the link away",
            ),
            Some(seen) if seen.is_of_others => found.blocks(
                DiagnosisKind::SlotOfOthers,
                format!("{folder} holds files that buedafab didn't put there, and would remove"),
                "move them away, on that host; or deploy with --take-over, which removes them",
            ),
            Some(_) | None => {}
        }
    }
    if let Some(StuckFile { slot, path, owner }) = &facts.stuck {
        let (path, folder) = (expected.layout.releases.join(path), typed(&expected.layout.slot(slot)));
        // Nobody else could stop root, or the owner.
        let (why, help) = if facts.is_root || owner == user {
            (
                "not even its owner can write: it is immutable, or its file system read-only".to_owned(),
                format!("on that host: sudo chattr -R -i {folder}"),
            )
        } else {
            let why = format!("belongs to {owner}, and which {user} can't write");
            (why, format!("on that host: sudo chown -R {user} {folder}"))
        };
        let words = format!("a deploy may be stopped by {path}, which {why}");
        // A deploy may take another slot, or leave this as it is.
        found.warns(DiagnosisKind::StuckFile, words).help = Some(help);
    }
    no_room(facts, expected, found);
    if expected.needs_sudo && !facts.refused_by_sudo.is_empty() {
        // Those of a file that changes are needed sooner or later: one line allows both.
        let mut all = facts.refused_by_sudo.clone();
        all.extend(
            facts
                .files_refused_by_sudo
                .iter()
                .filter(|also| !all.contains(also))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let (commands, refused) = (rule(&all), rule(&facts.refused_by_sudo));
        let words = format!("{user} may not do this by sudo without a password: {refused}");
        let help = format!(
            "allow it in a file of /etc/sudoers.d: {user} ALL=(root) NOPASSWD: {commands}; or set `ask_sudo_password`, or a \
             `restart` hook without sudo"
        );
        found.blocks(DiagnosisKind::NoSudo, words, help);
    } else if expected.needs_sudo && expected.sudo_is_unknown && facts.sudo == Some(false) {
        let words = format!("{user} can't use sudo without a password, and a deploy needs it");
        let help = "allow those commands in a file of /etc/sudoers.d; or set `ask_sudo_password`, or a `restart` hook without sudo";
        found.blocks(DiagnosisKind::NoSudo, words, help);
    }
    if expected.needs_sudo && facts.refused_by_sudo.is_empty() && !facts.files_refused_by_sudo.is_empty() {
        let commands = rule(&facts.files_refused_by_sudo);
        let words = format!(
            "{user} may not do this by sudo without a password, which a deploy needs where a unit file changes: {commands}"
        );
        let help = format!("allow it in a file of /etc/sudoers.d: {user} ALL=(root) NOPASSWD: {commands}");
        found.warns(DiagnosisKind::NoSudo, words).help = Some(help);
    }
    if let Some(hold) = &facts.hold {
        let words = format!("deploys are on hold: {:?}, says {} since {}", hold.reason, hold.by, hold.at);
        found.blocks(
            DiagnosisKind::Held,
            words,
            "lift it with the command `unhold`, once its reason is gone",
        );
    }
    if let Some(lock) = &facts.lock {
        let words = describe_holder(lock.holder.as_ref());
        found.blocks(DiagnosisKind::Locked, words, "wait until it ends; a lock never outlives its run");
    }
    if !missing_shared.is_empty() {
        let words = format!("not in {}: {}", expected.layout.shared(), missing_shared.join(", "));
        let help = "put them there, with what they should hold; the file of `env_file` comes by `env push FILE`, or `env set NAME`";
        found.blocks(DiagnosisKind::MissingShared, words, help);
    }
    if let Some(why) = &facts.bad_env_file {
        let (words, help) = why.split_once(": ").unwrap_or((why, "write the file anew by `env push`"));
        found.blocks(DiagnosisKind::BadEnvFile, words.to_owned(), help);
    }
    if !missing_services.is_empty() {
        let words = format!("there is no {}", missing_services.join(" and no "));
        let help = "install its unit file or init script there; or describe it in a table [services.NAME] with a `command`; or set `service`, which is \"init\" by default";
        found.blocks(DiagnosisKind::MissingServices, words, help);
    }
    if let Some(user) = &facts.missing_user {
        let words = format!("there is no user {user}, which `run_as` names");
        found.blocks(
            DiagnosisKind::MissingUser,
            words,
            "make that user there, in `deploy_group`, or set another",
        );
    }
    if facts.does_not_linger {
        let words = format!("the services of {user} end when {user} isn't logged in any more");
        found.blocks(
            DiagnosisKind::NoLinger,
            words,
            format!("on that host, once, as root: loginctl enable-linger {user}"),
        );
    }
}

/// The packages of Debian's in which these tools are.
fn packages_of(tools: &[String]) -> String {
    let mut packages: Vec<&str> = Vec::new();
    for tool in tools {
        let package = match tool.as_str() {
            "flock" | "setsid" => "util-linux",
            "mktemp" | "mkfifo" | "readlink" | "cksum" | "stat" | "sha256sum" => "coreutils",
            "awk" => "mawk",
            // They are called like their programs.
            own => own,
        };
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    packages.join(" ")
}

/// What sudo doesn't allow that removes these. It stops nothing but that.
pub fn no_sudo_for_removals(facts: &HostFacts, removes: &[LeftOver]) -> Option<Diagnosis> {
    let HostFacts { user, removals_refused_by_sudo: refused, .. } = facts;
    let files: Vec<&str> = removes.iter().filter_map(LeftOver::file).map(HostPath::as_str).collect();
    let is_about = |word: &str| {
        word == "daemon-reload"
            || files.iter().any(|file| *file == word || file.rsplit('/').next() == Some(word))
    };
    let refused: Vec<&str> =
        refused.iter().map(String::as_str).filter(|command| command.split(' ').any(is_about)).collect();
    let commands = refused.join(", ");
    let words = format!(
        "{user} may not do this by sudo without a password, which removes what isn't wanted any more: {commands}"
    );
    let help = format!(
        "allow it in a file of /etc/sudoers.d: {user} ALL=(root) NOPASSWD: {commands}; or set `ask_sudo_password`"
    );
    (!refused.is_empty()).then_some(Diagnosis {
        kind: DiagnosisKind::NoSudo,
        severity: Severity::Warns,
        words,
        help: Some(help),
    })
}

/// Who is at work, in words.
pub fn describe_holder(holder: Option<&LockHolder>) -> String {
    match holder {
        Some(holder) => {
            format!("locked by {} since {} ({}, run {})", holder.by, holder.at, holder.doing, holder.run)
        }
        None => "locked by a run that hasn't said who it is".to_owned(),
    }
}
