//! One diagnosis of a host: what the planner, `status` and `check` say of the same facts.

mod common;

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

#[test]
fn all_three_say_the_same() {
    let all: Vec<String> = cases().iter().map(|(name, host)| format!("{name}\n{}", told("", host))).collect();
    assert_snapshot!(all.join("\n"), @r#"
    all is well
      check   ready to deploy

    nothing was ever deployed
      status  web1: nothing is live here
      check   ready to deploy

    tools are missing
      plan    refused: web1: git, flock not found
              install them there; Debian: apt-get install git util-linux
      status  web1: git, flock not found
      check   ✗  tools    git, flock not found
      check   help: install them there; Debian: apt-get install git util-linux
      check   a deploy would be stopped

    tools that unpack archives are missing
      plan    refused: web1: tar, gzip, sha256sum, awk, stat not found
              install them there; Debian: apt-get install tar gzip coreutils mawk
      status  web1: tar, gzip, sha256sum, awk, stat not found
      check   ✗  tools    tar, gzip, sha256sum, awk, stat not found
      check   help: install them there; Debian: apt-get install tar gzip coreutils mawk
      check   a deploy would be stopped

    the app's folder can't be made
      plan    refused: web1: deploy can't write /var/webapps/five
              on that host, as root: install -d -o deploy /var/webapps/five
      status  web1: deploy can't write /var/webapps/five
      status  web1: nothing is live here
      check   ✗  rights   deploy can't write /var/webapps/five
      check   help: on that host, as root: install -d -o deploy /var/webapps/five
      check   a deploy would be stopped

    the app's folder can't be written
      plan    refused: web1: deploy can't write /var/webapps/five
              on that host, as root: chown -R deploy /var/webapps/five; or set `deploy_group`, where several deploy
      status  web1: deploy can't write /var/webapps/five
      check   ✗  rights   deploy can't write /var/webapps/five
      check   help: on that host, as root: chown -R deploy /var/webapps/five; or set `deploy_group`, where several deploy
      check   a deploy would be stopped

    a link on the way leads nowhere
      plan    refused: web1: /var/webapps is a link that leads nowhere: no folder can be made there
              make or mount what it should lead to, on that host, or take the link away
      status  web1: /var/webapps is a link that leads nowhere: no folder can be made there
      status  web1: nothing is live here
      check   ✗  rights   /var/webapps is a link that leads nowhere: no folder can be made there
      check   help: make or mount what it should lead to, on that host, or take the link away
      check   a deploy would be stopped

    the folder of releases can't be written
      plan    refused: web1: deploy can't write /var/webapps/five/releases
              on that host, as root: chown -R deploy /var/webapps/five; or set `deploy_group`, where several deploy
      status  web1: deploy can't write /var/webapps/five/releases
      check   ✗  rights   deploy can't write /var/webapps/five/releases
      check   help: on that host, as root: chown -R deploy /var/webapps/five; or set `deploy_group`, where several deploy
      check   a deploy would be stopped

    the login lets all read
      check   ready to deploy

    the login lets its group read
      plan    note: what a deploy makes can be read by deploy and its group alone, since the umask of that login is 027: a web server of another user can't; set it to 022 there, or set `deploy_group`, where others should
      check   !  rights   what a deploy makes can be read by deploy and its group alone, since the umask of that login is 027: a web server of another user can't
      check   help: set it to 022 there, or set `deploy_group`, where others should
      check   ready to deploy

    the login lets nobody read
      plan    note: what a deploy makes can be read by deploy alone, since the umask of that login is 077: a web server of another user can't; set it to 022 there, or set `deploy_group`, where others should
      check   !  rights   what a deploy makes can be read by deploy alone, since the umask of that login is 077: a web server of another user can't
      check   help: set it to 022 there, or set `deploy_group`, where others should
      check   ready to deploy

    sudo wants a password
      plan    refused: web1: deploy may not do this by sudo without a password: /etc/init.d/five restart
              allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /etc/init.d/five restart; or set `ask_sudo_password`, or a `restart` hook without sudo
      status  web1: deploy may not do this by sudo without a password: /etc/init.d/five restart
      check   ✗  sudo     deploy may not do this by sudo without a password: /etc/init.d/five restart
      check   help: allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /etc/init.d/five restart; or set `ask_sudo_password`, or a `restart` hook without sudo
      check   a deploy would be stopped

    sudo lists nothing, and allows what is needed
      check   ready to deploy

    sudo wants none
      check   ready to deploy

    sudo puts no unit file in place
      plan    note: deploy may not do this by sudo without a password, which a deploy needs where a unit file changes: /usr/bin/systemctl daemon-reload; allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl daemon-reload
      status  web1: deploy may not do this by sudo without a password, which a deploy needs where a unit file changes: /usr/bin/systemctl daemon-reload
      check   !  sudo     deploy may not do this by sudo without a password, which a deploy needs where a unit file changes: /usr/bin/systemctl daemon-reload
      check   help: allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl daemon-reload
      check   ready to deploy

    sudo doesn't install the unit file of a first release
      plan    refused: web1: deploy may not do this by sudo without a password: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload
              allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload; or set `ask_sudo_password`, or a `restart` hook without sudo
      status  web1: deploy may not do this by sudo without a password: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload
      status  web1: nothing is live here
      check   ✗  sudo     deploy may not do this by sudo without a password: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload
      check   help: allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload; or set `ask_sudo_password`, or a `restart` hook without sudo
      check   a deploy would be stopped

    a person holds it
      plan    refused: web1: deploys are on hold: "the audit", says bob@desk since 2026-11-05T00:00:00Z
              lift it with the command `unhold`, once its reason is gone
      status  web1: on hold since 0 s ago, says bob@desk: the audit
      check   ✗  lock     deploys are on hold: "the audit", says bob@desk since 2026-11-05T00:00:00Z
      check   help: lift it with the command `unhold`, once its reason is gone
      check   a deploy would be stopped

    another run is at work
      plan    refused: web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
              wait until it ends; a lock never outlives its run
      status  web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   ✗  lock     locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   help: wait until it ends; a lock never outlives its run
      check   a deploy would be stopped

    a run that said nothing is at work
      plan    refused: web1: locked by a run that hasn't said who it is
              wait until it ends; a lock never outlives its run
      status  web1: locked by a run that hasn't said who it is
      check   ✗  lock     locked by a run that hasn't said who it is
      check   help: wait until it ends; a lock never outlives its run
      check   a deploy would be stopped

    shared files are missing
      plan    refused: web1: not in /var/webapps/five/shared: .env, x.pem
              put them there, with what they should hold; the file of `env_file` comes by `env push FILE`, or `env set NAME`
      status  web1: not in /var/webapps/five/shared: .env, x.pem
      check   ✗  shared   not in /var/webapps/five/shared: .env, x.pem
      check   help: put them there, with what they should hold; the file of `env_file` comes by `env push FILE`, or `env set NAME`
      check   a deploy would be stopped

    the file of variables means this and that
      plan    refused: web1: line 3 of /var/webapps/five/shared/.env isn't NAME=value
              correct it
      status  web1: line 3 of /var/webapps/five/shared/.env isn't NAME=value
      check   ✗  shared   line 3 of /var/webapps/five/shared/.env isn't NAME=value
      check   help: correct it
      check   a deploy would be stopped

    a service is missing
      plan    refused: web1: there is no init:five
              install its unit file or init script there; or describe it in a table [services.NAME] with a `command`; or set `service`, which is "init" by default
      status  web1: there is no init:five
      check   ✗  service  there is no init:five
      check   help: install its unit file or init script there; or describe it in a table [services.NAME] with a `command`; or set `service`, which is "init" by default
      check   a deploy would be stopped

    the app's user is missing
      plan    refused: web1: there is no user five, which `run_as` names
              make that user there, in `deploy_group`, or set another
      status  web1: there is no user five, which `run_as` names
      check   ✗  run_as   there is no user five, which `run_as` names
      check   help: make that user there, in `deploy_group`, or set another
      check   a deploy would be stopped

    its own files are none
      plan    refused: web1: no plain file, and so not written to: /srv/five/.buedafab/lock
              see what it is and whose, on that host, and move it away
      status  web1: no plain file, and so not written to: /srv/five/.buedafab/lock
      check   ✗  rights   no plain file, and so not written to: /srv/five/.buedafab/lock
      check   help: see what it is and whose, on that host, and move it away
      check   a deploy would be stopped

    a slot is a link
      plan    refused: web1: /var/webapps/five/releases/b is a link: no release is built behind one
              see where it leads, on that host, and take the link away
      status  web1: /var/webapps/five/releases/b is a link: no release is built behind one
      check   ✗  slots    /var/webapps/five/releases/b is a link: no release is built behind one
      check   help: see where it leads, on that host, and take the link away
      check   a deploy would be stopped

    a slot is somebody's
      plan    refused: web1: /var/webapps/five/releases/b holds files that buedafab didn't put there, and would remove
              move them away, on that host; or deploy with --take-over, which removes them
      status  web1: /var/webapps/five/releases/b holds files that buedafab didn't put there, and would remove
      check   ✗  slots    /var/webapps/five/releases/b holds files that buedafab didn't put there, and would remove
      check   help: move them away, on that host; or deploy with --take-over, which removes them
      check   a deploy would be stopped

    a file of another's is in a slot
      plan    note: a deploy may be stopped by /var/webapps/five/releases/b/code/__pycache__, which belongs to root, and which deploy can't write; on that host: sudo chown -R deploy /var/webapps/five/releases/b
      status  web1: a deploy may be stopped by /var/webapps/five/releases/b/code/__pycache__, which belongs to root, and which deploy can't write
      check   !  rights   a deploy may be stopped by /var/webapps/five/releases/b/code/__pycache__, which belongs to root, and which deploy can't write
      check   help: on that host: sudo chown -R deploy /var/webapps/five/releases/b
      check   ready to deploy

    a file that can't be changed is in a slot
      plan    note: a deploy may be stopped by /var/webapps/five/releases/b/.env, which not even its owner can write: it is immutable, or its file system read-only; on that host: sudo chattr -R -i /var/webapps/five/releases/b
      status  web1: a deploy may be stopped by /var/webapps/five/releases/b/.env, which not even its owner can write: it is immutable, or its file system read-only
      check   !  rights   a deploy may be stopped by /var/webapps/five/releases/b/.env, which not even its owner can write: it is immutable, or its file system read-only
      check   help: on that host: sudo chattr -R -i /var/webapps/five/releases/b
      check   ready to deploy

    the link is none
      plan    refused: web1: /var/webapps/five/releases/current is a folder or a file, not a link
              move it away on that host, then deploy again: mv /var/webapps/five/releases/current /var/webapps/five/releases/current.old
      status  web1: /var/webapps/five/releases/current is a folder or a file, not a link
      check   ✗  current  /var/webapps/five/releases/current is a folder or a file, not a link
      check   help: move it away on that host, then deploy again: mv /var/webapps/five/releases/current /var/webapps/five/releases/current.old
      check   a deploy would be stopped

    the link leads elsewhere
      plan    refused: web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
              another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
      status  web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      check   ✗  current  /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      check   help: another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
      check   a deploy would be stopped

    a link of another tool leads past it
      plan    refused: web1: /var/webapps/five/current leads to b, past /var/webapps/five/releases/current: who reads through it wouldn't see what is deployed
              `adopt` writes down which releases are there, and `migrate-layout` makes it follow /var/webapps/five/releases/current; or deploy --take-over leaves it as it is
      status  web1: /var/webapps/five/current leads to b, past /var/webapps/five/releases/current: who reads through it wouldn't see what is deployed
      check   ✗  current  /var/webapps/five/current leads to b, past /var/webapps/five/releases/current: who reads through it wouldn't see what is deployed
      check   help: `adopt` writes down which releases are there, and `migrate-layout` makes it follow /var/webapps/five/releases/current; or deploy --take-over leaves it as it is
      check   a deploy would be stopped

    a link of another tool follows it
      check   ready to deploy

    the link leads to a folder of another tool
      plan    refused: web1: /var/webapps/five/releases/current points to "20260101", which is none of the slots
              another tool may be at work there; `adopt` writes down which releases it has left; or deploy --take-over replaces the link, and puts it back on failure
      status  web1: /var/webapps/five/releases/current points to "20260101", which is none of the slots
      check   ✗  current  /var/webapps/five/releases/current points to "20260101", which is none of the slots
      check   help: another tool may be at work there; `adopt` writes down which releases it has left; or deploy --take-over replaces the link, and puts it back on failure
      check   a deploy would be stopped

    the link leads to nothing
      plan    note: /var/webapps/five/releases/current points to "a", which isn't there: nothing is live here
      status  web1: /var/webapps/five/releases/current points to "a", which isn't there: nothing is live here
      check   !  current  /var/webapps/five/releases/current points to "a", which isn't there: nothing is live here
      check   ready to deploy

    nothing was written about what is live
      status  web1: buedafab has no record of what is live: `adopt` writes one
      check   ready to deploy

    a person moved the link
      plan    note: no run has written down that what is live serves again: the link may have been moved by hand
      status  web1: no run has written down that what is live serves again: the link may have been moved by hand
      check   !  current  no run has written down that what is live serves again: the link may have been moved by hand
      check   ready to deploy

    a run never confirmed it
      plan    note: the run that switched to what is live never confirmed it
      status  web1: the run that switched to what is live never confirmed it
      check   !  current  the run that switched to what is live never confirmed it
      check   ready to deploy

    a run was cut short in its switch
      plan    refused: web1: run r7 told visitors of maintenance, and was cut short at 2026-11-05T00:00:00Z
              the command `recover` puts it back; so do `deploy` and `rollback`, before anything else
      status  web1: run r7 told visitors of maintenance, and was cut short at 2026-11-05T00:00:00Z
      check   ✗  current  run r7 told visitors of maintenance, and was cut short at 2026-11-05T00:00:00Z
      check   help: the command `recover` puts it back; so do `deploy` and `rollback`, before anything else
      check   a deploy would be stopped

    a run is about to confirm it
      plan    refused: web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
              wait until it ends; a lock never outlives its run
      status  web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      status  web1: switched, and waiting for its confirmation
      check   ✗  lock     locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   help: wait until it ends; a lock never outlives its run
      check   a deploy would be stopped

    the live clone is damaged
      plan    note: what git keeps in slot a is damaged: no HEAD in it; nothing in it is touched while it serves, and the app needs none of it; it is made anew when a release is built there again
      status  web1: what git keeps in slot a is damaged: no HEAD in it
      check   !  slots    what git keeps in slot a is damaged: no HEAD in it
      check   help: nothing in it is touched while it serves, and the app needs none of it; it is made anew when a release is built there again
      check   ready to deploy

    the clone of the one before is damaged
      plan    note: what git keeps in slot b is damaged: it is gone; `deploy` makes it anew, and so does `rollback`
      status  web1: what git keeps in slot b is damaged: it is gone
      check   !  slots    what git keeps in slot b is damaged: it is gone
      check   help: `deploy` makes it anew, and so does `rollback`
      check   ready to deploy

    another commit is checked out
      plan    note: somebody checked out another commit in slot a
      status  web1: somebody checked out another commit in slot a
      check   !  slots    somebody checked out another commit in slot a
      check   ready to deploy

    files were changed
      plan    note: local changes in slot a:  M app.py
      status  web1: local changes in slot a:  M app.py
      check   !  slots    local changes in slot a:  M app.py
      check   ready to deploy

    the web server gives out git's folder
      plan    note: the web server gives git's folder, and so the whole project, to everybody: /.git/config at 127.0.0.1:80; deny it there; for nginx: location ~ /\.git { return 404; }
      status  web1: the web server gives git's folder, and so the whole project, to everybody: /.git/config at 127.0.0.1:80
      check   !  app      the web server gives git's folder, and so the whole project, to everybody: /.git/config at 127.0.0.1:80
      check   help: deny it there; for nginx: location ~ /\.git { return 404; }
      check   ready to deploy

    the app has written files
      plan    refused: web1: the app wrote into slot a what deploys would lose: db.sqlite3 (a database)
              share it: shared_files = ["db.sqlite3"], and on that host: mv /var/webapps/five/releases/a/db.sqlite3 /var/webapps/five/shared/db.sqlite3 && ln -s /var/webapps/five/shared/db.sqlite3 /var/webapps/five/releases/a/db.sqlite3; or name it in `scratch_files`; or `deploy --drop-written`
      status  web1: the app wrote into slot a what deploys would lose: db.sqlite3 (a database)
      check   ✗  slots    the app wrote into slot a what deploys would lose: db.sqlite3 (a database)
      check   help: share it: shared_files = ["db.sqlite3"], and on that host: mv /var/webapps/five/releases/a/db.sqlite3 /var/webapps/five/shared/db.sqlite3 && ln -s /var/webapps/five/shared/db.sqlite3 /var/webapps/five/releases/a/db.sqlite3; or name it in `scratch_files`; or `deploy --drop-written`
      check   a deploy would be stopped

    there are more folders than are listed
      status  web1: 7 more folders in /var/webapps/five/releases weren't looked at
      check   ready to deploy

    the folder is another environment's
      plan    refused: web1: /var/webapps/five belongs to five in staging from git.example.com/bueda/five
              give each its own: `path = "/var/webapps/{unit}-{environment}"`; `deploy --take-over` makes it this one's
      status  web1: /var/webapps/five belongs to five in staging from git.example.com/bueda/five
      check   ✗  owner    /var/webapps/five belongs to five in staging from git.example.com/bueda/five
      check   help: give each its own: `path = "/var/webapps/{unit}-{environment}"`; `deploy --take-over` makes it this one's
      check   a deploy would be stopped

    the folder is another project's
      plan    refused: web1: /var/webapps/five belongs to five in production from git.example.com/other, and here the code comes from git.example.com/bueda/five
              give each its own: `path = "/var/webapps/{unit}-{environment}"`; `deploy --take-over` makes it this one's
      status  web1: /var/webapps/five belongs to five in production from git.example.com/other, and here the code comes from git.example.com/bueda/five
      check   ✗  owner    /var/webapps/five belongs to five in production from git.example.com/other, and here the code comes from git.example.com/bueda/five
      check   help: give each its own: `path = "/var/webapps/{unit}-{environment}"`; `deploy --take-over` makes it this one's
      check   a deploy would be stopped

    a unit file is another app's
      plan    refused: web1: /etc/systemd/system/five.service belongs to six in production from git.example.com/bueda/five
              name this service otherwise, or leave its name out; `deploy --take-over` makes it this one's
      status  web1: /etc/systemd/system/five.service belongs to six in production from git.example.com/bueda/five
      check   ✗  owner    /etc/systemd/system/five.service belongs to six in production from git.example.com/bueda/five
      check   help: name this service otherwise, or leave its name out; `deploy --take-over` makes it this one's
      check   a deploy would be stopped

    another app listens where this one is asked
      plan    refused: web1: port 8000 belongs to six in production from git.example.com/bueda/five: six.service listens there
              give each app a port or a socket of its own; `deploy --take-over` makes it this one's
      status  web1: port 8000 belongs to six in production from git.example.com/bueda/five: six.service listens there
      check   ✗  owner    port 8000 belongs to six in production from git.example.com/bueda/five: six.service listens there
      check   help: give each app a port or a socket of its own; `deploy --take-over` makes it this one's
      check   a deploy would be stopped

    a unit works for another app
      plan    refused: web1: five.service runs /srv/six, of another app
              name a service of this environment's own; `deploy --take-over` restarts it nevertheless
      status  web1: five.service runs /srv/six, of another app
      check   ✗  owner    five.service runs /srv/six, of another app
      check   help: name a service of this environment's own; `deploy --take-over` restarts it nevertheless
      check   a deploy would be stopped

    a service is down
      plan    note: five.service doesn't run: it is failed (exit-code); `deploy` starts it again, and so does `restart`
      status  web1: five.service doesn't run: it is failed (exit-code)
      check   !  service  five.service doesn't run: it is failed (exit-code)
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a service is started again and again
      plan    note: five.service doesn't run: it is being started, 3 times so far; `deploy` starts it again, and so does `restart`
      status  web1: five.service doesn't run: it is being started, 3 times so far
      check   !  service  five.service doesn't run: it is being started, 3 times so far
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a service isn't there
      plan    note: five.service doesn't run: there is no such unit; `deploy` starts it again, and so does `restart`
      status  web1: five.service doesn't run: there is no such unit
      check   !  service  five.service doesn't run: there is no such unit
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a service that runs to its end did so
      status  web1: five.service runs
      check   ready to deploy

    one failed
      plan    note: five.service doesn't run: it is failed (exit-code); `deploy` starts it again, and so does `restart`
      status  web1: five.service doesn't run: it is failed (exit-code)
      check   !  service  five.service doesn't run: it is failed (exit-code)
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a process of another slot runs
      plan    note: five.service still runs slot b, in process 17: the link leads to a; `deploy` starts it again, and so does `restart`
      status  web1: five.service still runs slot b, in process 17: the link leads to a
      check   !  service  five.service still runs slot b, in process 17: the link leads to a
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a process of a slot that is gone runs
      plan    note: five.service still runs slot b, in process 17: the link leads to a; `deploy` starts it again, and so does `restart`
      status  web1: five.service still runs slot b, in process 17: the link leads to a
      check   !  service  five.service still runs slot b, in process 17: the link leads to a
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a process of the live slot runs
      status  web1: five.service runs
      check   ready to deploy

    a process of elsewhere runs
      status  web1: five.service runs
      check   ready to deploy

    the app isn't well
      plan    note: the app isn't well: /healthz is answered with 502: Bad [2J …; `deploy` starts it again, and so does `restart`
      status  web1: the app isn't well: /healthz is answered with 502: Bad [2J …
      check   !  health   the app isn't well: /healthz is answered with 502: Bad [2J …
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    the app is well
      check   ready to deploy

    whoever is at work restarts a service
      plan    refused: web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
              wait until it ends; a lock never outlives its run
      status  web1: five.service is inactive
      status  web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   ✗  lock     locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   help: wait until it ends; a lock never outlives its run
      check   a deploy would be stopped

    a service is left over
      plan    note: /etc/init.d/five-old is no service of this host any more, and is left as it is; as root: /etc/init.d/five-old stop; update-rc.d -f five-old remove; rm /etc/init.d/five-old; and take its line out of /var/webapps/five/.buedafab/installed
      status  web1: /etc/init.d/five-old is no service of this host any more, and is left as it is
      check   !  service  /etc/init.d/five-old is no service of this host any more, and is left as it is
      check   help: as root: /etc/init.d/five-old stop; update-rc.d -f five-old remove; rm /etc/init.d/five-old; and take its line out of /var/webapps/five/.buedafab/installed
      check   ready to deploy

    visitors are told of maintenance
      plan    note: in maintenance, says ada@laptop: `maintenance off` ends it
      status  web1: in maintenance since 0 s ago, says ada@laptop: back soon
      check   !  maintenance  in maintenance, says ada@laptop: `maintenance off` ends it
      check   ready to deploy

    the app runs another release
      plan    note: asked what it runs, the app doesn't name v1 (1111111111): v9
      status  web1: asked what it runs, the app doesn't name v1 (1111111111): v9
      check   !  app      asked what it runs, the app doesn't name v1 (1111111111): v9
      check   ready to deploy

    the app doesn't answer
      plan    note: asked what it runs, the app doesn't name v1 (1111111111): no answer: refused
      status  web1: asked what it runs, the app doesn't name v1 (1111111111): no answer: refused
      check   !  app      asked what it runs, the app doesn't name v1 (1111111111): no answer: refused
      check   ready to deploy

    the disk is nearly full
      plan    note: only 4 % of the disk's space is left
      status  web1: only 4 % of the disk's space is left
      check   !  disk     only 4 % of the disk's space is left
      check   ready to deploy

    the disk is full
      plan    refused: web1: the disk is full: 40 KiB are free, and no release fits
              make room on that host; `rollback` needs none, while room is kept for its records
      status  web1: the disk is full: 40 KiB are free, and no release fits
      check   ✗  disk     the disk is full: 40 KiB are free, and no release fits
      check   help: make room on that host; `rollback` needs none, while room is kept for its records
      check   a deploy would be stopped

    the disk is full of what gives its room back
      plan    note: only 0 % of the disk's space is left
      status  web1: only 0 % of the disk's space is left
      check   !  disk     only 0 % of the disk's space is left
      check   ready to deploy

    the disk is full, and another release was left half-made
      plan    refused: web1: the disk is full: 40 KiB are free, and no release fits
              make room on that host; `rollback` needs none, while room is kept for its records; what was left half-made there serves nobody: rm -r /var/webapps/five/releases/v9
      status  web1: the disk is full: 40 KiB are free, and no release fits
      check   ✗  disk     the disk is full: 40 KiB are free, and no release fits
      check   help: make room on that host; `rollback` needs none, while room is kept for its records; what was left half-made there serves nobody: rm -r /var/webapps/five/releases/v9
      check   a deploy would be stopped

    inodes are few
      plan    note: only 1 % of the disk's inodes are left
      status  web1: only 1 % of the disk's inodes are left
      check   !  inodes   only 1 % of the disk's inodes are left
      check   ready to deploy

    there are no inodes
      plan    refused: web1: the disk is full: 0 inodes are free, and no release fits
              make room on that host; `rollback` needs none, while room is kept for its records
      status  web1: the disk is full: 0 inodes are free, and no release fits
      check   ✗  disk     the disk is full: 0 inodes are free, and no release fits
      check   help: make room on that host; `rollback` needs none, while room is kept for its records
      check   a deploy would be stopped

    another release won't fit
      plan    note: another release may not fit: what is live takes 30 MiB, and 19 MiB are free
      status  web1: another release may not fit: what is live takes 30 MiB, and 19 MiB are free
      check   !  disk     another release may not fit: what is live takes 30 MiB, and 19 MiB are free
      check   ready to deploy

    its files are too many
      plan    note: another release may not fit: what is live takes 30000 inodes, and 20000 are free
      status  web1: another release may not fit: what is live takes 30000 inodes, and 20000 are free
      check   !  disk     another release may not fit: what is live takes 30000 inodes, and 20000 are free
      check   ready to deploy

    another release fits
      check   ready to deploy

    it fits in what it overwrites
      check   ready to deploy

    the clock is wrong
      plan    note: its clock is 90 s apart from this machine's
      status  web1: its clock is 90 s apart from this machine's
      check   !  clock    its clock is 90 s apart from this machine's
      check   ready to deploy
    "#);
}

/// What `check` says would stop a deploy is what the planner refuses, to the word, whatever else is wrong as well.
#[test]
fn check_stops_what_the_planner_refuses() {
    let settings = fleet("", 1);
    let cases = cases();
    for (name, host) in &cases {
        let seen = seen(&settings, std::slice::from_ref(host))[0];
        let refused = match plan_deploy(&settings, &run(60), &request(3), &[seen]) {
            Ok(_) => Vec::new(),
            Err(refusals) => refusals
                .into_iter()
                .map(|refusal| match refusal {
                    Refusal::Unfit { diagnosis, .. } => diagnosis.words,
                    other => panic!("{other}"),
                })
                .collect(),
        };
        let diagnoses = diagnose_host(&settings, seen, Some(common::URL));
        let check = HostCheck::of(seen.host.name.clone(), seen.facts, &diagnoses);
        let mut stops: Vec<String> = check.stops().map(|point| point.found.clone()).collect();
        assert_eq!(stops.len(), refused.len(), "{name}");
        stops.retain(|found| !refused.contains(found));
        assert!(stops.is_empty(), "{name}: {stops:?}");
    }
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
