//! One diagnosis of a host: what the planner, `status` and `check` say of the same facts.

#[path = "../common/mod.rs"]
mod common;
mod words;

use std::fmt::Write;

use buedafab_model::app::maintenance::MaintenanceRecord;
use buedafab_model::app::owner::Owner;
use buedafab_model::app::package::FetchedPackage;
use buedafab_model::host::app_version::AppAnswer;
use buedafab_model::host::facts::{
    Capacity, CurrentLink, HostFacts, Listener, Lock, Room, SlotFacts, StuckFile, UnitElsewhere,
};
use buedafab_model::host::record::{Hold, LockHolder, PendingSwitch, SlotState};
use buedafab_model::host::tree::OuterLink;
use buedafab_model::host::written::Written;
use buedafab_model::names::{EnvironmentName, SlotName, Unit};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{DeployRequest, diagnose_host, plan_deploy};
use buedafab_model::strategy;
use buedafab_model::view::{HostCheck, HostStatus, show_checks, show_status};
use insta::assert_snapshot;
use jiff::Timestamp;

use common::{bare, fleet, live, release, request, run, second, seen};

fn at() -> Timestamp {
    run(0).at
}

/// One unit, as systemd shows it: its name, state and result, and its type.
fn runs(facts: &mut HostFacts, unit: &str) {
    let words: Vec<&str> = unit.split(' ').collect();
    let (loaded, state) =
        if words[1] == "not-found" { ("not-found", "inactive") } else { ("loaded", words[1]) };
    facts.running.read_units(&format!(
        "Id={}\nLoadState={loaded}\nActiveState={state}\nResult={}\nType={}\nNRestarts=3\nMainPID=0\n",
        words[0], words[2], words[3]
    ));
}

/// The link that Capistrano keeps beside the folder of releases.
fn other_link(facts: &mut HostFacts, text: &str, slot: &str) {
    facts.outer = Some(OuterLink { text: text.to_owned(), slot: SlotName::new(slot).ok() });
}

/// A unit with a process that has files of both slots in memory, and works in this folder.
fn works_in(facts: &mut HostFacts, folder: &str) {
    facts.running.read_units(
        "Id=five.service\nLoadState=loaded\nActiveState=active\nResult=success\nType=simple\nNRestarts=0\nMainPID=17\n\
         ControlGroup=/system.slice/five.service\nActiveEnterTimestamp=Thu 2026-11-05 00:01:00 UTC\n",
    );
    facts.running.read_process("17 /system.slice/five.service");
    facts.running.read_mapped("/proc/17/maps a\n/proc/17/maps b");
    facts.running.read_folders(&format!("/proc/17/cwd {folder}"), "/var/webapps/five/releases");
}

/// What is live takes so much; a fifth of the disk is free, 20,000 KiB and inodes.
fn roomy(facts: &mut HostFacts, kib: u64, inodes: u64) {
    (facts.disk_kib, facts.inodes) =
        (Some(Capacity { free: 20_000, total: 100_000 }), Some(Capacity { free: 20_000, total: 100_000 }));
    facts.slots.values_mut().next().expect("there is one").takes = Some(Room { kib, inodes });
}

/// Everything that can be wrong with a host, one after another.
fn cases() -> Vec<(&'static str, common::Seen)> {
    let lock = |facts: &mut HostFacts| {
        let holder =
            LockHolder { at: at(), by: "bob@desk".into(), doing: "deploy v2".into(), run: run(7).run };
        facts.lock = Some(Lock { holder: Some(holder) });
    };
    let current = |link: CurrentLink| bare().change(|facts| facts.current = link);
    let slot = |facts: &mut HostFacts, change: fn(&mut SlotFacts)| {
        change(facts.slots.values_mut().next().expect("there is one"));
    };
    let idle = |facts: &mut HostFacts, change: fn(&mut SlotFacts)| {
        change(facts.slots.entry(SlotName::new("b").expect("a slot")).or_default());
    };
    vec![
        ("all is well", live()),
        ("nothing was ever deployed", bare()),
        ("tools are missing", live().change(|f| f.missing_tools = vec!["git".into(), "flock".into()])),
        (
            "tools that unpack archives are missing",
            live().change(|f| {
                f.missing_tools = ["tar", "gzip", "sha256sum", "awk", "stat"].map(str::to_owned).to_vec();
            }),
        ),
        ("the app's folder can't be made", bare().change(|f| (f.writable, f.exists) = (false, false))),
        ("the app's folder can't be written", live().change(|f| f.writable = false)),
        (
            "a link on the way leads nowhere",
            bare().change(|f| (f.exists, f.leads_nowhere) = (false, Some("/var/webapps".into()))),
        ),
        (
            "the folder of releases can't be written",
            live().change(|f| {
                (f.writable, f.read_only) = (false, Some("/var/webapps/five/releases".into()));
            }),
        ),
        ("the login lets all read", live().change(|f| f.umask = Some(0o002))),
        ("the login lets its group read", live().change(|f| f.umask = Some(0o027))),
        ("the login lets nobody read", live().change(|f| f.umask = Some(0o077))),
        (
            "sudo wants a password",
            live().change(|f| {
                f.sudo = Some(false);
                f.refused_by_sudo = vec!["/etc/init.d/five restart".into()];
            }),
        ),
        ("sudo lists nothing, and allows what is needed", live().change(|f| f.sudo = Some(false))),
        ("sudo wants none", live().change(|f| f.sudo = Some(true))),
        (
            "sudo puts no unit file in place",
            live().change(|f| f.files_refused_by_sudo = vec!["/usr/bin/systemctl daemon-reload".into()]),
        ),
        (
            "sudo doesn't install the unit file of a first release",
            bare().change(|f| {
                let kept = format!("/var/webapps/five/.buedafab/releases/{}/units-a", "0".repeat(40));
                let new = "/etc/systemd/system/five.service.new";
                f.refused_by_sudo = vec![
                    "/usr/bin/systemctl restart five".into(),
                    format!("/usr/bin/install -m 644 {kept}/five.service {new}"),
                    "/usr/bin/systemctl daemon-reload".into(),
                ];
                f.files_refused_by_sudo = vec!["/usr/bin/systemctl daemon-reload".into()];
            }),
        ),
        (
            "a person holds it",
            live().change(|f| {
                f.hold = Some(Hold { at: at(), by: "bob@desk".into(), reason: "the audit".into() })
            }),
        ),
        ("another run is at work", live().change(lock)),
        ("a run that said nothing is at work", live().change(|f| f.lock = Some(Lock { holder: None }))),
        (
            "shared files are missing",
            live().change(|f| f.missing_shared = vec![".env".into(), "x.pem".into()]),
        ),
        (
            "the file of variables means this and that",
            live().change(|f| {
                f.bad_env_file =
                    Some("line 3 of /var/webapps/five/shared/.env isn't NAME=value: correct it".into());
            }),
        ),
        ("a service is missing", live().change(|f| f.missing_services = vec!["init:five".into()])),
        ("the app's user is missing", live().change(|f| f.missing_user = Some("five".into()))),
        ("its own files are none", live().change(|f| f.not_files = vec!["/srv/five/.buedafab/lock".into()])),
        ("a slot is a link", live().change(|f| idle(f, |s| s.is_link = true))),
        ("a slot is somebody's", live().change(|f| idle(f, |s| s.is_of_others = true))),
        (
            "a file of another's is in a slot",
            live().change(|f| {
                let (slot, path) = (SlotName::new("b").expect("a slot"), "b/code/__pycache__".into());
                f.stuck = Some(StuckFile { slot, path, owner: "root".into() });
            }),
        ),
        (
            "a file that can't be changed is in a slot",
            live().change(|f| {
                let slot = SlotName::new("b").expect("a slot");
                f.stuck = Some(StuckFile { slot, path: "b/.env".into(), owner: "deploy".into() });
            }),
        ),
        ("the link is none", current(CurrentLink::NotALink)),
        ("the link leads elsewhere", current(CurrentLink::Elsewhere("/srv/old".into()))),
        (
            "a link of another tool leads past it",
            live().change(|f| other_link(f, "/var/webapps/five/releases/b", "b")),
        ),
        ("a link of another tool follows it", live().change(|f| other_link(f, "releases/current", "a"))),
        (
            "the link leads to a folder of another tool",
            live().change(|f| {
                let foreign = f.slots.pop_first().expect("there is one").1;
                let name = SlotName::new("20260101").expect("a slot");
                let foreign = SlotFacts { record: None, ..foreign };
                f.slots.insert(name.clone(), foreign);
                f.current = CurrentLink::Slot(name);
            }),
        ),
        ("the link leads to nothing", current(CurrentLink::Dangling("a".into()))),
        ("nothing was written about what is live", live().change(|f| slot(f, |s| s.record = None))),
        ("a person moved the link", bare().slot("a", SlotState::Retired, 1).link("a")),
        ("a run never confirmed it", bare().slot("a", SlotState::Ready, 1).link("a")),
        (
            "a run was cut short in its switch",
            bare().slot("a", SlotState::Ready, 1).link("a").change(|f| {
                f.pending = Some(PendingSwitch { at: at(), run: run(7).run, from: None, to: None });
            }),
        ),
        ("a run is about to confirm it", bare().slot("a", SlotState::Ready, 1).link("a").change(lock)),
        (
            "the live clone is damaged",
            live().change(|f| slot(f, |s| s.damaged = Some("no HEAD in it".into()))),
        ),
        (
            "the clone of the one before is damaged",
            bare().slot("a", SlotState::Live, 2).slot("b", SlotState::Retired, 1).link("a").change(|f| {
                idle(f, |s| (s.damaged, s.commit) = (Some("it is gone".into()), None));
            }),
        ),
        ("another commit is checked out", live().change(|f| slot(f, |s| s.commit = Some(release(9).commit)))),
        ("files were changed", live().change(|f| slot(f, |s| s.changes = Some(vec![" M app.py".into()])))),
        (
            "the web server gives out git's folder",
            live().change(|f| f.exposed = Some("/.git/config at 127.0.0.1:80".into())),
        ),
        (
            "the app has written files",
            live().change(|f| {
                slot(f, |s| s.written = vec![Written { path: "db.sqlite3".into(), files: 1 }]);
            }),
        ),
        ("there are more folders than are listed", live().change(|f| f.more_slots = 7)),
        (
            "the folder is another environment's",
            live().change(|f| {
                f.owner = Some(Owner {
                    environment: EnvironmentName::new("staging").expect("a word"),
                    ..common::owner()
                });
            }),
        ),
        (
            "the folder is another project's",
            live().change(|f| {
                f.owner = Some(Owner { repository: Some("git.example.com/other".into()), ..common::owner() })
            }),
        ),
        (
            "a unit file is another app's",
            live().change(|f| {
                let owner = Owner { unit: Unit::new("six").expect("a unit"), ..common::owner() };
                f.file_owners = vec![("/etc/systemd/system/five.service".into(), owner)];
            }),
        ),
        (
            "another app listens where this one is asked",
            live().change(|f| {
                let owner = Owner { unit: Unit::new("six").expect("a unit"), ..common::owner() };
                f.listener = Some(Listener { place: "port 8000".into(), unit: "six.service".into(), owner });
            }),
        ),
        (
            "a unit works for another app",
            live().change(|f| {
                f.units_elsewhere = vec![UnitElsewhere {
                    unit: "five.service".into(),
                    folder: "/srv/six".into(),
                    owner: None,
                }];
            }),
        ),
        ("a service is down", live().change(|f| runs(f, "five.service failed exit-code simple"))),
        (
            "a service is started again and again",
            live().change(|f| runs(f, "five.service activating exit-code simple")),
        ),
        ("a service isn't there", live().change(|f| runs(f, "five.service not-found success simple"))),
        (
            "a service that runs to its end did so",
            live().change(|f| runs(f, "five.service inactive success oneshot")),
        ),
        ("one failed", live().change(|f| runs(f, "five.service failed exit-code oneshot"))),
        (
            "a process of another slot runs",
            live().change(|f| works_in(f, "/var/webapps/five/releases/b/five")),
        ),
        (
            "a process of a slot that is gone runs",
            live().change(|f| works_in(f, "/var/webapps/five/releases/b (deleted)")),
        ),
        ("a process of the live slot runs", live().change(|f| works_in(f, "/var/webapps/five/releases/a"))),
        ("a process of elsewhere runs", live().change(|f| works_in(f, "/var/webapps/other/releases/b"))),
        (
            "the app isn't well",
            live().change(|f| f.running.read_health("no /healthz is answered with 502: Bad\x1b[2J\nGateway")),
        ),
        ("the app is well", live().change(|f| f.running.read_health("yes /healthz is answered with 200"))),
        (
            "whoever is at work restarts a service",
            live().change(lock).change(|f| runs(f, "five.service inactive success simple")),
        ),
        ("a service is left over", live().change(|f| f.installed = vec!["/etc/init.d/five-old".into()])),
        (
            "visitors are told of maintenance",
            live().change(|f| {
                let message = Some("back soon".to_owned());
                f.maintenance =
                    Some(MaintenanceRecord { at: at(), by: "ada@laptop".into(), message, until: None });
            }),
        ),
        ("the app runs another release", live().change(|f| f.app = Some(AppAnswer::Says("v9".into())))),
        (
            "the app doesn't answer",
            live().change(|f| f.app = Some(AppAnswer::Silent { why: "refused".into() })),
        ),
        (
            "the disk is nearly full",
            live().change(|f| f.disk_kib = Some(Capacity { free: 40_960, total: 1_024_000 })),
        ),
        ("the disk is full", live().change(|f| f.disk_kib = Some(Capacity { free: 40, total: 1_024_000 }))),
        (
            "the disk is full of what gives its room back",
            live().slot("b", SlotState::Building, 2).change(|f| {
                f.disk_kib = Some(Capacity { free: 40, total: 1_024_000 });
            }),
        ),
        (
            "the disk is full, and another release was left half-made",
            live().slot("v9", SlotState::Building, 2).change(|f| {
                f.disk_kib = Some(Capacity { free: 40, total: 1_024_000 });
            }),
        ),
        ("inodes are few", live().change(|f| f.inodes = Some(Capacity { free: 100, total: 10_000 }))),
        (
            "there are no inodes",
            live().change(|f| {
                f.disk_kib = Some(Capacity { free: 1_000_000, total: 1_024_000 });
                f.inodes = Some(Capacity { free: 0, total: 10_000 });
            }),
        ),
        ("another release won't fit", live().change(|f| roomy(f, 30_000, 1_000))),
        ("its files are too many", live().change(|f| roomy(f, 10_000, 30_000))),
        ("another release fits", live().change(|f| roomy(f, 10_000, 1_000))),
        (
            "it fits in what it overwrites",
            live().slot("b", SlotState::Retired, 2).change(|f| {
                roomy(f, 30_000, 1_000);
                f.slots.values_mut().last().expect("there are two").takes =
                    Some(Room { kib: 15_000, inodes: 900 });
            }),
        ),
        (
            "the clock is wrong",
            live().change(|f| {
                f.clock = Some(at());
                f.arrived = Some(at() + jiff::SignedDuration::from_secs(90));
            }),
        ),
    ]
}

/// What is sent takes room, too, unless it is there already.
#[test]
fn private_packages_take_room() {
    let settings = fleet("", 1);
    let package = |name: &str, mib: u64| FetchedPackage {
        name: name.to_owned(),
        key: name.to_owned(),
        file: "x.tar.gz".to_owned(),
        sha256: "0".repeat(64),
        size_bytes: mib << 20,
    };
    let cases = [
        (None, vec![package("plato", 19)], ""),
        (None, vec![package("plato", 30)], "what is sent takes 30 MiB, and 19 MiB are free"),
        (
            None,
            vec![package("plato", 30), package("there", 30)],
            "what is sent takes 30 MiB, and 19 MiB are free",
        ),
        (None, vec![package("there", 30)], ""),
        (Some(10_000), vec![package("plato", 9)], ""),
        (
            Some(10_000),
            vec![package("plato", 5), package("five", 6)],
            "what is live takes 10 MiB, what is sent takes 11 MiB, and 19 MiB are free",
        ),
    ];
    for (takes, packages, why) in cases {
        let host = live().change(|facts| {
            roomy(facts, takes.unwrap_or_default(), 1_000);
            if takes.is_none() {
                facts.slots.values_mut().for_each(|slot| slot.takes = None);
            }
            facts.packages = vec!["there/x.tar.gz".to_owned()];
        });
        let request = DeployRequest { packages, ..request(3) };
        let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &[host])).expect("a plan");
        let notes: Vec<&str> = plan
            .notes
            .iter()
            .filter_map(|note| note.text.strip_prefix("another release may not fit: "))
            .collect();
        assert_eq!(notes.join("|"), why, "{:?}", request.packages);
    }
}

/// What all three say of a host, and whether a deploy is refused.
fn told(text: &str, host: &common::Seen) -> String {
    let settings = fleet(text, 1);
    let hosts = std::slice::from_ref(host);
    let seen = seen(&settings, hosts)[0];
    let mut told = String::new();
    match plan_deploy(&settings, &run(60), &request(3), &[seen]) {
        Ok(plan) => {
            for note in plan.notes {
                let _ = writeln!(told, "  plan    note: {}", note.text);
            }
        }
        Err(refusals) => {
            for refusal in refusals {
                let _ = writeln!(told, "  plan    refused: {refusal}");
                let _ = writeln!(told, "          {}", refusal.hint().unwrap_or_default());
            }
        }
    }
    let diagnoses = diagnose_host(&settings, seen, Some(common::URL));
    let name = seen.host.name.clone();
    let targets = strategy::of(&settings).rollback_targets(&settings, seen.facts);
    let status = HostStatus::of(name.clone(), seen.facts, &diagnoses, targets, at());
    for line in show_status(&[status], at(), usize::MAX).lines().skip(2) {
        let _ = writeln!(told, "  status  {line}");
    }
    let check = HostCheck::of(name, seen.facts, &diagnoses);
    for line in show_checks(&[check]).lines().filter(|line| !line.contains("✓ ") && *line != "web1") {
        let _ = writeln!(told, "  check   {}", line.trim());
    }
    told
}

/// Two names of one machine would each find the other's lock: it is seen before any is taken.
#[test]
fn two_names_of_one_machine_are_no_two_hosts() {
    let folder = |own: Option<&str>| live().change(|facts| facts.own_folder = own.map(str::to_owned));
    let cases = [
        ("one folder", [Some("boot 1:2 9:3 "), Some("boot 1:2 9:3 "), Some("other 1:2 9:3 ")]),
        ("all of them", [Some("boot 1:2 9:3 "), Some("boot 1:2 9:3 "), Some("boot 1:2 9:3 ")]),
        ("two folders of one machine", [Some("boot 1:2 9:3 "), Some("boot 1:2 9:4 "), None]),
        ("a folder that is shared by machines", [Some("boot 1:2 9:3 "), Some("other 1:2 9:3 "), None]),
        ("not known", [None, None, None]),
    ];
    let settings = fleet("", 3);
    let mut told = String::new();
    for (name, folders) in cases {
        let hosts = folders.map(folder);
        let seen = seen(&settings, &hosts);
        let _ = writeln!(told, "{name}");
        match plan_deploy(&settings, &run(60), &request(3), &seen) {
            Ok(_) => told.push_str("  a plan\n"),
            Err(refusals) => refusals.iter().for_each(|refusal| {
                let _ = writeln!(told, "  {refusal}\n    {}", refusal.hint().unwrap_or_default());
            }),
        }
    }
    assert_snapshot!(told, @r"
    one folder
      web2 is web1, by another name: both are /var/webapps/five on one machine
        keep one of the two names in buedafab.toml, with the roles of both; or, for now, name the others with --hosts
    all of them
      web2 is web1, by another name: both are /var/webapps/five on one machine
        keep one of the two names in buedafab.toml, with the roles of both; or, for now, name the others with --hosts
      web3 is web1, by another name: both are /var/webapps/five on one machine
        keep one of the two names in buedafab.toml, with the roles of both; or, for now, name the others with --hosts
    two folders of one machine
      a plan
    a folder that is shared by machines
      a plan
    not known
      a plan
    ");
}

/// Nothing is done by sudo where an app needs no restart.
#[test]
fn sudo_is_not_asked_for_in_vain() {
    let host = live().change(|facts| facts.sudo = Some(false));
    assert_snapshot!(told("service = \"none\"", &host), @r#"  check   ready to deploy"#);
    assert_snapshot!(told("ask_sudo_password = true", &host), @r#"  check   ready to deploy"#);
}

#[test]
fn what_can_be_gone_back_to() {
    let show = |text: &str, host: &common::Seen| {
        let settings = fleet(text, 1);
        let facts = &host.0;
        let targets = strategy::of(&settings).rollback_targets(&settings, facts);
        let targets =
            targets.iter().map(|target| format!("{}: {target} ({:?})", target.slot, target.condition));
        targets.collect::<Vec<_>>().join("\n")
    };
    let gone = second().change(|facts| {
        let first = facts.slots.values_mut().next().expect("there are two");
        (first.folder_is_gone, first.commit) = (true, None);
    });
    let changed = second().change(|facts| {
        facts.slots.values_mut().next().expect("there are two").commit = Some(release(9).commit);
    });
    let three = second().slot("c", SlotState::Retired, 3);
    let overwritten = bare()
        .slot_with_former("c", SlotState::Failed, 9, Some(3))
        .slot("a", SlotState::Retired, 1)
        .slot("b", SlotState::Live, 2)
        .link("b");
    let names = "release_paths = [\"a\", \"b\", \"c\"]";
    let cases = [
        ("two slots", show("", &second())),
        ("its folder is gone", show("", &gone)),
        ("another commit is checked out in it", show("", &changed)),
        ("three slots", show(names, &three)),
        ("the later one was overwritten", show(names, &overwritten)),
        ("a slot of an earlier configuration", show("", &three)),
        ("nothing but what is live", show("", &live())),
    ];
    let all: Vec<String> = cases.iter().map(|(name, targets)| format!("{name}\n{targets}\n")).collect();
    assert_snapshot!(all.join("\n"), @r#"
    two slots
    a: v1 (1111111111) (Whole)

    its folder is gone
    a: v1 (1111111111), built again (Gone)

    another commit is checked out in it
    a: v1 (1111111111), built again (Changed)

    three slots
    c: v3 (3333333333) (Whole)
    a: v1 (1111111111) (Whole)

    the later one was overwritten
    a: v1 (1111111111) (Whole)
    c: v3 (3333333333), built again (Overwritten)

    a slot of an earlier configuration
    c: v3 (3333333333) (Whole)
    a: v1 (1111111111) (Whole)

    nothing but what is live
    "#);
}

/// What is asked again over a connection that was just opened, before it is told.
#[test]
fn what_a_new_login_may_be_allowed() {
    let may = |(name, host): &(&'static str, common::Seen)| host.0.may_be_of_an_old_login().then_some(*name);
    let found: Vec<&str> = cases().iter().filter_map(may).collect();
    assert_snapshot!(found.join("\n"), @"
    tools are missing
    tools that unpack archives are missing
    the app's folder can't be made
    the app's folder can't be written
    the folder of releases can't be written
    sudo wants a password
    sudo doesn't install the unit file of a first release
    ");
}
