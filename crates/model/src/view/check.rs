//! Whether a deploy could work, point by point.

use std::fmt::Write;

use serde::Serialize;

use super::Table;
use crate::host::diagnosis::{Diagnosis, DiagnosisKind, Severity};
use crate::host::facts::{Capacity, HostFacts};
use crate::names::HostName;

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

    /// A host that can't be reached. `goes_on`: a deploy leaves it out then.
    pub fn unreachable(host: HostName, why: String, hint: Option<String>, goes_on: bool) -> Self {
        let mut check = HostCheck { host: Some(host), points: Vec::new() };
        check.fail("ssh", why, hint);
        if let Some(point) = check.points.last_mut().filter(|_| goes_on) {
            point.state = CheckState::Warned;
            point.found = format!("can't be reached, and a deploy leaves it out: {}", point.found);
        }
        check
    }

    /// A host that was looked at in full. What would stop a deploy is what the planner refuses: both read one diagnosis.
    pub fn of(host: HostName, facts: &HostFacts, diagnoses: &[Diagnosis]) -> Self {
        let mut check = HostCheck { host: Some(host), points: Vec::new() };
        check.pass("ssh", format!("reached as {}", facts.user));
        for point in POINTS {
            let mut said: Vec<&Diagnosis> =
                diagnoses.iter().filter(|diagnosis| point_of(diagnosis.kind) == point).collect();
            said.sort_by_key(|diagnosis| std::cmp::Reverse(diagnosis.severity));
            if said.iter().all(|diagnosis| diagnosis.severity == Severity::Informs)
                && let Some(found) = good(point, facts)
            {
                check.pass(point, found);
            }
            for Diagnosis { kind: _, severity, words, help } in said {
                let state = match severity {
                    Severity::Informs => CheckState::Passed,
                    Severity::Warns => CheckState::Warned,
                    Severity::Blocks => CheckState::Failed,
                };
                let (found, hint) = (words.clone(), help.clone());
                check.points.push(CheckPoint { name: point, state, found, hint });
            }
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

    /// The same, with what to do about it.
    pub fn advise(&mut self, name: &'static str, found: String, hint: String) {
        self.points.push(CheckPoint { name, state: CheckState::Warned, found, hint: Some(hint) });
    }

    /// Adds a point that would stop a deploy.
    pub fn fail(&mut self, name: &'static str, found: String, hint: Option<String>) {
        self.points.push(CheckPoint { name, state: CheckState::Failed, found, hint });
    }

    /// The points that would stop a deploy.
    pub fn stops(&self) -> impl Iterator<Item = &CheckPoint> {
        self.points.iter().filter(|point| point.state == CheckState::Failed)
    }

    /// Whether a deploy would be stopped here.
    pub fn would_stop(&self) -> bool {
        self.stops().next().is_some()
    }
}

/// What is checked of a host that was reached, in the order in which it is told.
const POINTS: [&str; 20] = [
    "tools",
    "rights",
    "records",
    "owner",
    "sudo",
    "disk",
    "inodes",
    "clock",
    "current",
    "app",
    "service",
    "health",
    "web server",
    "run_as",
    "hosts",
    "shared",
    "slots",
    "maintenance",
    "traffic",
    "lock",
];

/// The point that a diagnosis belongs to.
fn point_of(kind: DiagnosisKind) -> &'static str {
    match kind {
        DiagnosisKind::MissingTools => "tools",
        DiagnosisKind::NotWritable
        | DiagnosisKind::ClosedUmask
        | DiagnosisKind::NotAFile
        | DiagnosisKind::StuckFile => "rights",
        DiagnosisKind::BadRecord | DiagnosisKind::BadJournal => "records",
        DiagnosisKind::Foreign | DiagnosisKind::UnitElsewhere | DiagnosisKind::JobsElsewhere => "owner",
        DiagnosisKind::NoSudo => "sudo",
        DiagnosisKind::LowSpace => "disk",
        DiagnosisKind::NoRoom | DiagnosisKind::MayNotFit => "disk",
        DiagnosisKind::LowInodes => "inodes",
        DiagnosisKind::ClockSkew => "clock",
        DiagnosisKind::NotALink
        | DiagnosisKind::OtherLink
        | DiagnosisKind::Elsewhere
        | DiagnosisKind::Dangling
        | DiagnosisKind::NothingLive
        | DiagnosisKind::Pending
        | DiagnosisKind::AwaitsConfirmation
        | DiagnosisKind::Unconfirmed
        | DiagnosisKind::Unrecorded => "current",
        DiagnosisKind::AppDisagrees | DiagnosisKind::ExposesGit => "app",
        DiagnosisKind::Unwell => "health",
        DiagnosisKind::KeepsOldRelease
        | DiagnosisKind::SocketNotFound
        | DiagnosisKind::PassesByLink
        | DiagnosisKind::LeadsElsewhere => "web server",
        DiagnosisKind::MissingServices
        | DiagnosisKind::NoLinger
        | DiagnosisKind::ServiceDown
        | DiagnosisKind::Stale
        | DiagnosisKind::StrayService
        | DiagnosisKind::StrayJobs => "service",
        DiagnosisKind::GoneHost => "hosts",
        DiagnosisKind::MissingUser => "run_as",
        DiagnosisKind::MissingShared | DiagnosisKind::BadEnvFile | DiagnosisKind::ClosedEnvFile => "shared",
        DiagnosisKind::SlotIsLink
        | DiagnosisKind::SlotOfOthers
        | DiagnosisKind::DamagedClone
        | DiagnosisKind::OtherCommit
        | DiagnosisKind::WrittenFiles
        | DiagnosisKind::LocalChanges
        | DiagnosisKind::MoreSlots => "slots",
        DiagnosisKind::Maintenance => "maintenance",
        DiagnosisKind::Drained => "traffic",
        DiagnosisKind::Held | DiagnosisKind::Locked => "lock",
    }
}

/// What was found where nothing is wrong; `None` where there is nothing to say, or nothing was asked.
fn good(point: &str, facts: &HostFacts) -> Option<String> {
    let free = |capacity: Capacity, what: String| format!("{what}free ({} %)", capacity.percent_free());
    match point {
        "tools" => Some(facts.git_version.clone().unwrap_or_else(|| "all there".to_owned())),
        "rights" if facts.exists => Some("the app's folder can be written".to_owned()),
        "rights" => Some("the app's folder will be made".to_owned()),
        "sudo" => facts.sudo.map(|_| "can be used without a password".to_owned()),
        "disk" => facts.disk_kib.map(|disk| free(disk, format!("{} MiB ", disk.free / 1024))),
        "inodes" => facts.inodes.map(|inodes| free(inodes, format!("{} ", inodes.free))),
        "clock" => facts.clock.map(|_| "right".to_owned()),
        "current" => {
            facts.live_slot()?;
            let live = facts.live().map_or_else(|| "an unknown release".to_owned(), |live| live.to_string());
            Some(format!("{live} is live"))
        }
        "app" => {
            facts.app.as_ref()?;
            Some(format!("says that it runs {}", facts.live()?))
        }
        "service" => {
            facts.live_slot()?;
            let names: Vec<&str> = facts.running.units.iter().map(|unit| unit.name.as_str()).collect();
            let run = if names.len() == 1 { "runs" } else { "run" };
            (!names.is_empty()).then(|| format!("{} {run}", names.join(", ")))
        }
        "health" => {
            facts.live_slot()?;
            facts.running.health.as_ref().map(|answer| answer.words.clone())
        }
        _ => None,
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
