//! Whether a deploy could work, point by point.

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::Table;
use crate::host::facts::{CurrentLink, HostFacts};
use crate::names::HostName;
use crate::plan::refusal::{Refusal, host_refusals};

/// What was checked in one place: a host, or the deployer itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostCheck {
    /// The host; `None` for the deployer.
    pub host: Option<HostName>,
    /// Point by point.
    pub points: Vec<CheckPoint>,
}

/// One point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckPoint {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub state: CheckState,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Good.
    Passed,
    /// It stops nothing, and a person should know.
    Warned,
    /// It would stop a deploy.
    Failed,
}

impl HostCheck {
    /// The deployer's own part, with no point yet.
    pub fn here() -> Self {
        HostCheck { host: None, points: Vec::new() }
    }

    /// A host that can't be reached.
    pub fn unreachable(host: HostName, why: String, hint: Option<String>) -> Self {
        let mut check = HostCheck { host: Some(host), points: Vec::new() };
        check.fail("ssh", why, hint);
        check
    }

    /// A host that was looked at in full.
    pub fn of(host: HostName, facts: &HostFacts, needs_sudo: bool, now: Timestamp) -> Self {
        let mut check = HostCheck { host: Some(host.clone()), points: Vec::new() };
        check.pass("ssh", format!("reached as {}", facts.user));
        let refusals = host_refusals(&host, "the app's folder", facts);
        let refused = |fits: fn(&Refusal) -> bool| refusals.iter().find(|refusal| fits(refusal));
        match refused(|refusal| matches!(refusal, Refusal::MissingTools { .. })) {
            Some(refusal) => {
                check.fail("tools", format!("missing: {}", facts.missing_tools.join(", ")), refusal.hint())
            }
            None => check.pass("tools", facts.git_version.clone().unwrap_or_else(|| "all there".to_owned())),
        }
        match (facts.writable, facts.exists) {
            (true, true) => check.pass("rights", "the app's folder can be written".to_owned()),
            (true, false) => check.pass("rights", "the app's folder will be made".to_owned()),
            (false, _) => {
                let hint = "on that host, as root: install -d -o USER PATH".replace("USER", &facts.user);
                check.fail("rights", format!("{} can't write the app's folder", facts.user), Some(hint));
            }
        }
        match (facts.sudo, needs_sudo) {
            (Some(false), true) => check.fail(
                "sudo",
                format!("{} can't use sudo without a password, and the restart needs it", facts.user),
                Some(
                    "allow that one command in /etc/sudoers.d, or set a `restart` hook without sudo"
                        .to_owned(),
                ),
            ),
            (Some(true), true) => check.pass("sudo", "works without a password".to_owned()),
            _ => {}
        }
        for (name, room) in [("disk", facts.disk_kib), ("inodes", facts.inodes)] {
            let Some(room) = room else { continue };
            let percent = room.free * 100 / room.total.max(1);
            let found = match name {
                "disk" => format!("{} MiB free ({percent} %)", room.free / 1024),
                _ => format!("{} free ({percent} %)", room.free),
            };
            if room.free * 20 < room.total { check.warn(name, found) } else { check.pass(name, found) }
        }
        if let Some(clock) = facts.clock {
            let apart = now.duration_since(clock).as_secs().abs();
            if apart > 60 {
                check.warn("clock", format!("{apart} s apart from this machine's"))
            } else {
                check.pass("clock", "right".to_owned())
            }
        }
        match &facts.current {
            CurrentLink::Missing => check.pass("current", "nothing is live yet".to_owned()),
            CurrentLink::Slot(_) => {
                let live =
                    facts.live().map_or_else(|| "an unknown release".to_owned(), |live| live.to_string());
                check.pass("current", format!("{live} is live"));
            }
            CurrentLink::Dangling(target) => {
                check.warn("current", format!("points to {target:?}, which isn't there"))
            }
            CurrentLink::Elsewhere(target) => check.fail(
                "current",
                format!("points to {target:?}, which is no slot"),
                Some("deploy --take-over replaces it".to_owned()),
            ),
            CurrentLink::NotALink => {
                check.fail(
                    "current",
                    "is a folder or a file, not a link".to_owned(),
                    Some("move it away".to_owned()),
                );
            }
        }
        if let (Some(app), Some(live)) = (&facts.app, facts.live()) {
            if app.names(&live) {
                check.pass("app", format!("says that it runs {live}"))
            } else {
                check.warn("app", format!("doesn't say that it runs {live}: {}", app.shown()))
            }
        }
        if facts.live_slot().is_some() {
            for (name, state) in facts.services_down() {
                check.warn("service", format!("{name} is {state}"));
            }
        }
        if !facts.missing_services.is_empty() {
            let hint = "install it there, describe it in [services.NAME], or set `service`".to_owned();
            check.fail(
                "service",
                format!("there is no {}", facts.missing_services.join(" and no ")),
                Some(hint),
            );
        }
        if let Some(user) = &facts.missing_user {
            check.fail("run_as", format!("there is no user {user}"), Some("make that user there".to_owned()));
        }
        if !facts.missing_shared.is_empty() {
            let hint = "put them there, with what they should hold".to_owned();
            check.fail("shared", format!("missing: {}", facts.missing_shared.join(", ")), Some(hint));
        }
        for refusal in
            refusals.iter().filter(|refusal| matches!(refusal, Refusal::Locked { .. } | Refusal::Held { .. }))
        {
            let found = refusal.to_string();
            let found = found.strip_prefix(&format!("{host}: ")).unwrap_or(&found).to_owned();
            check.fail("lock", found, refusal.hint());
        }
        check
    }

    /// Adds a point that is good.
    pub fn pass(&mut self, name: &'static str, found: String) {
        self.points.push(CheckPoint { name, state: CheckState::Passed, found, hint: None });
    }

    /// Adds a point that a person should know about.
    pub fn warn(&mut self, name: &'static str, found: String) {
        self.points.push(CheckPoint { name, state: CheckState::Warned, found, hint: None });
    }

    /// Adds a point that would stop a deploy.
    pub fn fail(&mut self, name: &'static str, found: String, hint: Option<String>) {
        self.points.push(CheckPoint { name, state: CheckState::Failed, found, hint });
    }

    /// Whether a deploy would be stopped here.
    pub fn would_stop(&self) -> bool {
        self.points.iter().any(|point| point.state == CheckState::Failed)
    }
}

/// The points, place by place, and a last line that answers the question.
pub fn show_checks(checks: &[HostCheck]) -> String {
    let mut text = String::new();
    for check in checks {
        let name = check.host.as_ref().map_or("here", |host| host.as_str());
        let _ = writeln!(text, "{name}");
        let mut table = Table::default();
        for point in &check.points {
            let sign = match point.state {
                CheckState::Passed => "✓",
                CheckState::Warned => "!",
                CheckState::Failed => "✗",
            };
            let found = point.found.lines().collect::<Vec<_>>().join(" ");
            table.row([sign.to_owned(), point.name.to_owned(), found]);
            if let Some(hint) = &point.hint {
                table.row([String::new(), String::new(), format!("help: {hint}")]);
            }
        }
        text.push_str(&table.render("  "));
    }
    text.push_str(if checks.iter().any(HostCheck::would_stop) {
        "a deploy would be stopped\n"
    } else {
        "ready to deploy\n"
    });
    text
}
