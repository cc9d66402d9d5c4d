//! Records that are there and can't be read: an error that says so, and never a made-up word about them.

mod common;

use std::fmt::Write;
use std::process::Command;

use buedafab_model::config::Settings;
use buedafab_model::host::facts::HostFacts;
use buedafab_model::plan::action::{Action, RecordAction, Schema};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{
    RollbackRequest, SeenHost, diagnose_host, look_script, plan_deploy, plan_hold, plan_recover,
    plan_rollback, plan_unhold,
};
use buedafab_model::shell::inspect::Scope;
use buedafab_model::view::{HostStatus, show_status};
use insta::assert_snapshot;
use jiff::Timestamp;

use common::shells::Place;
use common::{URL, fleet, release, request, run};

/// Whoever looks isn't who wrote.
const WROTE: &str = "daemon";
const LOOKS: &str = "20002";

fn record(state: &str, number: u8) -> String {
    format!(
        r#"{{"at":"2026-11-05T00:0{number}:00Z","state":"{state}","release":{},"run":"r{number}"}}"#,
        serde_json::to_string(&release(number)).expect("plain data")
    )
}

/// An app that serves release 2 from slot a and can go back to 1, with all that may be written down, whole and open.
fn whole() -> Place {
    let place = Place::with_room("five");
    for (slot, state, number) in [("a", "live", 2), ("b", "retired", 1)] {
        let git = place.slot(slot).join(".git");
        std::fs::create_dir_all(&git).expect("a folder");
        std::fs::write(git.join("HEAD"), format!("{}\n", release(number).commit)).expect("a file");
        std::fs::write(place.memory().join(format!("slots/{slot}.json")), record(state, number))
            .expect("a file");
    }
    std::os::unix::fs::symlink("a", place.current()).expect("a link");
    std::fs::create_dir_all(place.layout.shared().as_str()).expect("a folder");
    let owner = serde_json::to_string(&common::owner()).expect("plain data");
    let line = r#"{"at":"2026-11-05T00:00:00Z","kind":"deployed","run":"r2","by":"ada"}"#;
    for (file, text) in [
        ("owner.json", owner.as_str()),
        ("journal.jsonl", line),
        ("installed", "/etc/systemd/system/five.service"),
        ("back.sh", "true"),
    ] {
        std::fs::write(place.memory().join(file), format!("{text}\n")).expect("a file");
    }
    std::fs::write(format!("{}/.env", place.layout.shared()), "A=1\n").expect("a file");
    place.by_hand(&format!("chmod a+rx .; chown -R {WROTE} five; chmod -R a+rwX five"));
    place
}

fn settings(place: &Place, top: &str) -> Settings {
    fleet(&format!("path = \"{}\"\nservice = \"none\"\nenv_file = \".env\"\n{top}", place.layout.path), 1)
}

fn look(settings: &Settings, place: &Place) -> HostFacts {
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={LOOKS}")).arg(format!("--regid={LOOKS}")).arg("--clear-groups");
    let script = look_script(settings, &settings.hosts[0], Scope::Full);
    let output = command.args(["sh", "-c", &script]).current_dir(place.root()).output().expect("it runs");
    let now = Timestamp::now();
    HostFacts::parse(&output.stdout, &settings.layout(&settings.hosts[0]), now).expect("a look")
}

/// What comes of a deploy, of a rollback and of a recovery, and what `status` says.
fn told(place: &Place, top: &str) -> String {
    let settings = settings(place, top);
    let facts = look(&settings, place);
    let seen = [SeenHost { host: &settings.hosts[0], facts: &facts }];
    let mut told = String::new();
    let mut refused = |what: &str, refusals: Vec<Refusal>| {
        for refusal in refusals {
            let _ = writeln!(told, "  {what}: {refusal}\n    {}", refusal.hint().unwrap_or_default());
        }
    };
    match plan_deploy(&settings, &run(9), &request(3), &seen) {
        Err(refusals) => refused("deploy", refusals),
        Ok(plan) => {
            for note in plan.notes.iter().filter(|note| note.text.contains("fleet.json")) {
                let _ = writeln!(told, "  deploy notes: {}", note.text);
            }
            for step in plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps()) {
                if matches!(step.action, Action::Record(RecordAction::Fleet { .. })) {
                    let _ = writeln!(told, "  deploy: {}", step.action);
                }
            }
        }
    }
    let back = RollbackRequest::new(URL, Schema::Refuse);
    if let Err(refusals) = plan_rollback(&settings, &run(9), &back, &seen) {
        let kinds = refusals.iter().map(|refusal| match refusal {
            Refusal::Unfit { diagnosis, .. } => format!("{:?}", diagnosis.kind),
            other => other.to_string(),
        });
        let _ = writeln!(told, "  rollback: {}", kinds.collect::<Vec<_>>().join(", "));
    }
    match plan_recover(&settings, &run(9), &seen) {
        Ok(None) => {}
        Ok(Some(plan)) => {
            let _ = writeln!(told, "  recover: {}", plan.notes[0].text);
        }
        Err(refusals) => {
            let _ = writeln!(told, "  recover: refused, {} reason", refusals.len());
        }
    }
    let diagnoses = diagnose_host(&settings, seen[0], Some(URL));
    let status =
        HostStatus::of(settings.hosts[0].name.clone(), &facts, &diagnoses, Vec::new(), Timestamp::now());
    for line in show_status(&[status], Timestamp::now(), usize::MAX)
        .lines()
        .skip(2)
        .filter(|line| line.contains("journal"))
    {
        let _ = writeln!(told, "  status: {line}");
    }
    let hosts: Vec<_> = settings.hosts.iter().collect();
    for (what, plan) in [
        ("hold", plan_hold(&settings, &run(9), "audit", &hosts, &seen)),
        ("unhold", plan_unhold(&settings, &run(9), &hosts, &seen)),
    ] {
        if plan.is_empty() != (what == "unhold") {
            let _ = writeln!(told, "  {what}: {}", plan.notes.first().map_or("lifts it", |note| &note.text));
        }
    }
    assert!(!told.contains("1970"), "{told}");
    let told = told.replace(place.root().to_str().expect("UTF-8"), "ROOT");
    if told.is_empty() { "  nothing\n".to_owned() } else { told }
}

#[test]
fn a_record_that_is_closed_says_whose_it_is() {
    let mut found = String::new();
    for (path, top) in [
        ("nothing", ""),
        ("hold", ""),
        ("hold", "deploy_group = \"web\""),
        ("maintenance", ""),
        ("pending.json", ""),
        ("back.sh", ""),
        ("owner.json", ""),
        ("journal.jsonl", ""),
        ("installed", ""),
        ("slots/a.json", ""),
        ("slots", "deploy_group = \"web\""),
        ("../shared/.env", ""),
        ("../shared/.env", "hooks.build = \"make\""),
        ("../shared/.env", "hooks.restart = \"./restart\""),
    ] {
        let place = whole();
        place.by_hand(&format!(
            "cd five/.buedafab; p={path}; [ $p = nothing ] || [ -e $p ] || echo '{{}}' >$p; chown -R {WROTE} .; [ ! -e $p ] || chmod go= $p"
        ));
        let _ = writeln!(found, "{path} {top}\n{}", told(&place, top));
    }
    assert_snapshot!(found, @r#"
    nothing 
      nothing

    hold 
      deploy: web1: deploys are on hold, and why isn't known: 20002 can't read ROOT/five/.buedafab/hold, which belongs to daemon (mode 600)
        on that host, as root: chown 20002 ROOT/five/.buedafab/hold; or set `deploy_group`, where several deploy; the command `unhold` lifts it, once its reason is gone
      hold: on hold already, and why isn't known: 20002 can't read ROOT/five/.buedafab/hold, which belongs to daemon (mode 600)
      unhold: lifts it

    hold deploy_group = "web"
      deploy: web1: deploys are on hold, and why isn't known: 20002 can't read ROOT/five/.buedafab/hold, which belongs to daemon (mode 600)
        on that host, as daemon or root: chgrp web ROOT/five/.buedafab/hold && chmod g+rwX ROOT/five/.buedafab/hold; the command `unhold` lifts it, once its reason is gone
      hold: on hold already, and why isn't known: 20002 can't read ROOT/five/.buedafab/hold, which belongs to daemon (mode 600)
      unhold: lifts it

    maintenance 
      deploy: web1: 20002 can't read ROOT/five/.buedafab/maintenance: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/.buedafab/maintenance; or set `deploy_group`, where several deploy
      rollback: BadRecord

    pending.json 
      deploy: web1: 20002 can't read ROOT/five/.buedafab/pending.json: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/.buedafab/pending.json; or set `deploy_group`, where several deploy
      rollback: BadRecord
      recover: refused, 1 reason

    back.sh 
      deploy: web1: 20002 can't read ROOT/five/.buedafab/back.sh: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/.buedafab/back.sh; or set `deploy_group`, where several deploy
      rollback: BadRecord

    owner.json 
      deploy: web1: 20002 can't read ROOT/five/.buedafab/owner.json: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/.buedafab/owner.json; or set `deploy_group`, where several deploy
      rollback: BadRecord

    journal.jsonl 
      deploy: web1: 20002 can't read ROOT/five/.buedafab/journal.jsonl: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/.buedafab/journal.jsonl; or set `deploy_group`, where several deploy
      rollback: BadRecord
      status: web1: 20002 can't read ROOT/five/.buedafab/journal.jsonl: it belongs to daemon; on that host, as root: chown 20002 ROOT/five/.buedafab/journal.jsonl; or set `deploy_group`, where several deploy

    installed 
      deploy: web1: 20002 can't read ROOT/five/.buedafab/installed: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/.buedafab/installed; or set `deploy_group`, where several deploy
      rollback: BadRecord

    slots/a.json 
      deploy: web1: 20002 can't read ROOT/five/.buedafab/slots/a.json: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/.buedafab/slots/a.json; or set `deploy_group`, where several deploy
      rollback: BadRecord

    slots deploy_group = "web"
      deploy: web1: 20002 can't write ROOT/five/.buedafab/slots
        on that host, as root: chgrp -R web ROOT/five/.buedafab/slots && chmod -R g+rwX ROOT/five/.buedafab/slots
      deploy: web1: 20002 can't read ROOT/five/.buedafab/slots: it belongs to daemon
        on that host, as daemon or root: chgrp web ROOT/five/.buedafab/slots && chmod g+rwX ROOT/five/.buedafab/slots
      rollback: NotWritable, BadRecord, web1: nothing to roll back to: what serves is the first release on this host

    ../shared/.env 
      nothing

    ../shared/.env hooks.build = "make"
      deploy: web1: 20002 can't read ROOT/five/shared/.env: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/shared/.env; or set `deploy_group`, where several deploy

    ../shared/.env hooks.restart = "./restart"
      deploy: web1: 20002 can't read ROOT/five/shared/.env: it belongs to daemon
        on that host, as root: chown 20002 ROOT/five/shared/.env; or set `deploy_group`, where several deploy
      rollback: ClosedEnvFile
    "#);
}

#[test]
fn a_record_that_says_nothing_is_not_the_same_as_none() {
    let mut found = String::new();
    for path in [
        "hold",
        "maintenance",
        "pending.json",
        "owner.json",
        "journal.jsonl",
        "slots/a.json",
        "slots/b.json",
        "fleet.json",
        "jobs.json",
    ] {
        for text in ["scribble\\n", ""] {
            let place = whole();
            place.by_hand(&format!("printf '{text}' >five/.buedafab/{path}"));
            let _ = writeln!(found, "{path} {text:?}\n{}", told(&place, ""));
        }
    }
    assert_snapshot!(found, @r#"
    hold "scribble\\n"
      deploy: web1: deploys are on hold, and why isn't known: ROOT/five/.buedafab/hold isn't what buedafab writes there: "scribble"
        the command `unhold` lifts it, once its reason is gone
      hold: on hold already, and why isn't known: ROOT/five/.buedafab/hold isn't what buedafab writes there: "scribble"
      unhold: lifts it

    hold ""
      deploy: web1: deploys are on hold, and why isn't known: ROOT/five/.buedafab/hold is empty, and should say something
        the command `unhold` lifts it, once its reason is gone
      hold: on hold already, and why isn't known: ROOT/five/.buedafab/hold is empty, and should say something
      unhold: lifts it

    maintenance "scribble\\n"
      deploy: web1: ROOT/five/.buedafab/maintenance isn't what buedafab writes there: "scribble"
        the command `maintenance off` takes it away
      rollback: BadRecord

    maintenance ""
      deploy: web1: ROOT/five/.buedafab/maintenance is empty, and should say something
        the command `maintenance off` takes it away
      rollback: BadRecord

    pending.json "scribble\\n"
      deploy: web1: ROOT/five/.buedafab/pending.json isn't what buedafab writes there: "scribble"
        the command `recover` goes the way back that lies beside it; where there is none, see where ROOT/five/releases/current leads, and then on that host: rm ROOT/five/.buedafab/pending.json
      rollback: BadRecord
      recover: something is pending, and what isn't known: ROOT/five/.buedafab/pending.json isn't what buedafab writes there: "scribble"

    pending.json ""
      deploy: web1: ROOT/five/.buedafab/pending.json is empty, and should say something
        the command `recover` goes the way back that lies beside it; where there is none, see where ROOT/five/releases/current leads, and then on that host: rm ROOT/five/.buedafab/pending.json
      rollback: BadRecord
      recover: something is pending, and what isn't known: ROOT/five/.buedafab/pending.json is empty, and should say something

    owner.json "scribble\\n"
      deploy: web1: ROOT/five/.buedafab/owner.json isn't what buedafab writes there: "scribble"
        on that host: rm ROOT/five/.buedafab/owner.json; the next deploy writes it anew
      rollback: BadRecord

    owner.json ""
      deploy: web1: ROOT/five/.buedafab/owner.json is empty, and should say something
        on that host: rm ROOT/five/.buedafab/owner.json; the next deploy writes it anew
      rollback: BadRecord

    journal.jsonl "scribble\\n"
      status: web1: what is missing in `history`: 1 line of ROOT/five/.buedafab/journal.jsonl can't be read

    journal.jsonl ""
      nothing

    slots/a.json "scribble\\n"
      deploy: web1: ROOT/five/.buedafab/slots/a.json isn't what buedafab writes there: "scribble"
        on that host: rm ROOT/five/.buedafab/slots/a.json; the slot then counts as one that buedafab didn't make
      rollback: BadRecord

    slots/a.json ""
      deploy: web1: ROOT/five/.buedafab/slots/a.json is empty, and should say something
        on that host: rm ROOT/five/.buedafab/slots/a.json; the slot then counts as one that buedafab didn't make
      rollback: BadRecord

    slots/b.json "scribble\\n"
      deploy: web1: ROOT/five/.buedafab/slots/b.json isn't what buedafab writes there: "scribble"
        on that host: rm ROOT/five/.buedafab/slots/b.json; the slot then counts as one that buedafab didn't make
      rollback: BadRecord, web1: nothing to roll back to: what serves is the first release on this host

    slots/b.json ""
      deploy: web1: ROOT/five/.buedafab/slots/b.json is empty, and should say something
        on that host: rm ROOT/five/.buedafab/slots/b.json; the slot then counts as one that buedafab didn't make
      rollback: BadRecord, web1: nothing to roll back to: what serves is the first release on this host

    fleet.json "scribble\\n"
      deploy notes: ROOT/five/.buedafab/fleet.json isn't what buedafab writes there: "scribble"; the next deploy writes it anew; which hosts have left is for the others to say
      deploy: note which hosts there are

    fleet.json ""
      deploy notes: ROOT/five/.buedafab/fleet.json is empty, and should say something; the next deploy writes it anew; which hosts have left is for the others to say
      deploy: note which hosts there are

    jobs.json "scribble\\n"
      deploy: web1: ROOT/five/.buedafab/jobs.json isn't what buedafab writes there: "scribble"
        on that host, as root: grep -r 'kept by buedafab' /var/spool/cron says in whose crontab the app's jobs stand; take them out of any but that of 20002, and then: rm ROOT/five/.buedafab/jobs.json; the next deploy writes it anew
      rollback: BadRecord

    jobs.json ""
      deploy: web1: ROOT/five/.buedafab/jobs.json is empty, and should say something
        on that host, as root: grep -r 'kept by buedafab' /var/spool/cron says in whose crontab the app's jobs stand; take them out of any but that of 20002, and then: rm ROOT/five/.buedafab/jobs.json; the next deploy writes it anew
      rollback: BadRecord
    "#);
}

#[test]
fn a_journal_that_nobody_else_may_write_is_told_and_stops_nothing() {
    let place = whole();
    place.by_hand("chmod go-w five/.buedafab/journal.jsonl");
    assert_snapshot!(told(&place, "deploy_group = \"web\""), @"  status: web1: 20002 can't write ROOT/five/.buedafab/journal.jsonl, of daemon: what happens won't stand in `history`");
}
