//! What was installed for the app and isn't wanted any more: told until a person has it removed, and never what is another's.

mod common;

use std::fmt::Write;

use buedafab_model::app::crontab::CrontabLocation;
use buedafab_model::app::owner::Owner;
use buedafab_model::config::Settings;
use buedafab_model::host::diagnosis::{Diagnosis, DiagnosisKind};
use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::fleet::{Fleet, FleetHost, fleet_after, gone_hosts};
use buedafab_model::host::inventory::{Answer, Answers, HostSource, Instance, Listed, ListedHost, Question};
use buedafab_model::host::left_over::{LeftOver, LeftOverKind, Marked};
use buedafab_model::host::record::JobsRecord;
use buedafab_model::names::{EnvironmentName, HostName, HostPath, Unit};
use buedafab_model::plan::action::{Action, RecordAction, Schema, ServiceAction};
use buedafab_model::planner::{
    DeployRequest, RollbackRequest, SeenHost, diagnose_host, gone_host, plan_deploy, plan_forget,
    plan_retire, plan_rollback,
};
use buedafab_model::shell::inspect::{AlsoLookAt, Scope, inspect_script};
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;

use common::shells::{everywhere, with_tools};
use common::{Seen, URL, assert_sound, live, owner, request, run, second, seen, settings};

const APP: &str = "unit = \"five\"\nservice = \"none\"\ncrontab = \"conf/jobs\"\n[services.worker]\ncommand = \"work\"\n\
    roles = [\"worker\"]\n[environments.production]\nhosts = [\"web1\", { name = \"web2\", roles = [\"worker\"] }]\n";

fn marked(what: &str, owner: &Owner) -> Marked {
    Marked { what: what.to_owned(), mark: owner.line(), owner: owner.clone() }
}

fn others() -> [Owner; 2] {
    let word = |word: &str| EnvironmentName::new(word).expect("a word");
    let five = Unit::new("five").expect("a unit");
    [
        Owner::new(five.clone(), word("staging"), Some(URL)),
        Owner::new(five, word("production"), Some("git@git.example.com:ada/copy.git")),
    ]
}

/// The first host had the worker and has the jobs; the second had the jobs and has the worker. Others are there, too.
fn moved() -> [Seen; 2] {
    let [staging, copy] = others();
    let web1 = second().change(|facts| {
        facts.marked = vec![
            marked("/etc/systemd/system/five-worker.service", &owner()),
            marked("/etc/systemd/system/five-worker-staging.service", &staging),
            marked("/etc/init.d/copy", &copy),
            marked("/etc/init.d/five-beat", &owner()),
        ];
        facts.installed =
            ["five-worker.service", "by-hand.service"].map(|n| format!("/etc/systemd/system/{n}")).to_vec();
        facts.job_blocks = vec![marked("five", &owner()), marked("five-staging", &staging)];
    });
    let web2 = second().change(|facts| {
        facts.marked = vec![
            marked("/etc/systemd/system/five-worker.service", &owner()),
            marked("/etc/cron.d/five", &owner()),
            marked("/etc/cron.d/five-staging", &staging),
        ];
        facts.job_blocks = vec![marked("five", &owner())];
    });
    [web1, web2]
}

fn told(settings: &Settings, number: u8, prune: bool, hosts: &[Seen]) -> String {
    let request = DeployRequest { prune, ..request(number) };
    let plan = match plan_deploy(settings, &run(60), &request, &seen(settings, hosts)) {
        Ok(plan) => plan,
        Err(refusals) => return format!("refused: {}", refusals[0]),
    };
    assert_sound(&plan);
    let shown = show_plan(&plan, Detail::Steps);
    let is_about = |line: &&str| {
        ["note:", "removes:", "stop and", "work", "on web", "lock", "journal"]
            .iter()
            .any(|w| line.contains(w))
    };
    let only_finish = shown.find("\nfinish").map_or("", |at| &shown[at..]);
    let head: Vec<&str> = shown.lines().take_while(|line| !line.is_empty()).filter(is_about).collect();
    let steps = if only_finish.is_empty() {
        shown.split_once("\n\n").map_or("", |(_, rest)| rest)
    } else {
        only_finish
    };
    let steps: Vec<&str> = steps.lines().filter(is_about).collect();
    format!("{}\n{}\n", head.join("\n"), steps.join("\n"))
}

#[test]
fn what_moved_is_told_and_removed_when_a_person_says_so() {
    let (settings, hosts) = (settings(APP), moved());
    assert_snapshot!(told(&settings, 3, false, &hosts), @"
    note: web1: /etc/systemd/system/by-hand.service is no service of this host any more, and is left as it is; as root: systemctl disable --now by-hand.service; rm /etc/systemd/system/by-hand.service; and take its line out of /var/webapps/five/.buedafab/installed
    note: web1: /etc/systemd/system/five-worker.service is no service of this host any more, and is left as it is; `deploy --prune` stops and removes it
    note: web1: /etc/init.d/five-beat is no service of this host any more, and is left as it is; `deploy --prune` stops and removes it
    note: web2: /etc/cron.d/five has jobs that this host shouldn't do any more, and is left as it is; `deploy --prune` stops and removes it
    note: web2: the jobs of five in the user's crontab aren't this host's to do any more, and are left as they are; `deploy --prune` stops and removes it
    on web1
      note in the journal: deployed
    on web2
      note in the journal: deployed
    ");
    assert_snapshot!(told(&settings, 3, true, &hosts), @"
    note: web1: /etc/systemd/system/by-hand.service is no service of this host any more, and is left as it is; as root: systemctl disable --now by-hand.service; rm /etc/systemd/system/by-hand.service; and take its line out of /var/webapps/five/.buedafab/installed
    removes: web1: /etc/systemd/system/five-worker.service
    removes: web1: /etc/init.d/five-beat
    removes: web2: /etc/cron.d/five
    removes: web2: the jobs of five in the user's crontab
    on web1
      stop and remove /etc/systemd/system/five-worker.service
      stop and remove /etc/init.d/five-beat
      note in the journal: deployed
    on web2
      stop and remove /etc/cron.d/five
      stop and remove the jobs of five in the user's crontab
      note in the journal: deployed
    ");
    // What is live already has nothing to switch, and something to remove.
    assert_snapshot!(told(&settings, 2, true, &hosts), @"
      note: web1: /etc/systemd/system/by-hand.service is no service of this host any more, and is left as it is; as root: systemctl disable --now by-hand.service; rm /etc/systemd/system/by-hand.service; and take its line out of /var/webapps/five/.buedafab/installed
      note: web1, web2: v2 (2222222222) is live already
      removes: web1: /etc/systemd/system/five-worker.service
      removes: web1: /etc/init.d/five-beat
      removes: web2: /etc/cron.d/five
      removes: web2: the jobs of five in the user's crontab
    work
      on web1
        take the lock
        stop and remove /etc/systemd/system/five-worker.service
        stop and remove /etc/init.d/five-beat
        note in the journal: pruned
      on web2
        take the lock
        stop and remove /etc/cron.d/five
        stop and remove the jobs of five in the user's crontab
        note in the journal: pruned
    ");
    // A release that is live stays so; a run that is for nothing else has failed where something stays.
    for (number, only_told) in [(3, true), (2, false)] {
        let request = DeployRequest { prune: true, ..request(number) };
        let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
        let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
        let optional: Vec<bool> = steps
            .filter_map(|step| match &step.action {
                Action::Service(ServiceAction::Remove { optional, .. }) => Some(*optional),
                _ => None,
            })
            .collect();
        assert_eq!(optional, [only_told; 4], "v{number}");
    }
    assert_eq!(
        told(&settings, 2, true, &[second(), second()]),
        "  note: web1, web2: v2 (2222222222) is live already\n\n"
    );
}

#[test]
fn all_say_what_is_left() {
    let (settings, hosts) = (settings(APP.replace("crontab = \"conf/jobs\"\n", "").as_str()), moved());
    let mut said = String::new();
    for seen in seen(&settings, &hosts) {
        for diagnosis in diagnose_host(&settings, seen, Some(URL)) {
            let _ = writeln!(said, "{}: {:?}: {}", seen.host.name, diagnosis.kind, diagnosis.line());
        }
    }
    assert_snapshot!(said, @"
    web1: StrayService: /etc/systemd/system/by-hand.service is no service of this host any more, and is left as it is; as root: systemctl disable --now by-hand.service; rm /etc/systemd/system/by-hand.service; and take its line out of /var/webapps/five/.buedafab/installed
    web1: StrayService: /etc/systemd/system/five-worker.service is no service of this host any more, and is left as it is; `deploy --prune` stops and removes it
    web1: StrayService: /etc/init.d/five-beat is no service of this host any more, and is left as it is; `deploy --prune` stops and removes it
    web1: StrayJobs: the jobs of five in the user's crontab aren't this host's to do any more, and are left as they are; `deploy --prune` stops and removes it
    web2: StrayJobs: /etc/cron.d/five has jobs that this host shouldn't do any more, and is left as it is; `deploy --prune` stops and removes it
    web2: StrayJobs: the jobs of five in the user's crontab aren't this host's to do any more, and are left as they are; `deploy --prune` stops and removes it
    ");
}

/// Jobs have one owner: in two crontabs they would be done twice.
#[test]
fn jobs_in_the_crontab_of_another_are_not_installed_again() {
    let settings = settings(APP);
    let record = |user: &str, place| JobsRecord {
        at: run(1).at,
        user: user.to_owned(),
        place,
        label: "five".to_owned(),
    };
    let hosts = |user: &str, place| [live().change(|facts| facts.jobs = Some(record(user, place))), live()];
    let deploy = |hosts: &[Seen]| told(&settings, 2, false, hosts);
    assert_snapshot!(deploy(&hosts("ada", CrontabLocation::User)), @"refused: web1: the app's jobs stand in the crontab of ada: installed by deploy as well, they would be done twice");
    assert!(
        deploy(&hosts("deploy", CrontabLocation::User)).contains("journal: deployed"),
        "who has them deploys"
    );
    assert!(
        deploy(&hosts("ada", CrontabLocation::System)).contains("journal: deployed"),
        "the system's have no user"
    );
    // Where both have them from the days before one owner was written down, it is said, and one block can go.
    let twice = [
        second().change(|facts| {
            facts.jobs = Some(record("ada", CrontabLocation::User));
            facts.job_blocks = vec![marked("five", &owner())];
        }),
        second(),
    ];
    let said: Vec<String> = diagnose_host(&settings, seen(&settings, &twice)[0], Some(URL))
        .iter()
        .filter(|diagnosis| diagnosis.kind == DiagnosisKind::StrayJobs)
        .map(Diagnosis::line)
        .collect();
    let prune = |number| told(&settings, number, true, &twice);
    assert_snapshot!(format!("{}\n{}{}", said.join("\n"), prune(2), prune(3)), @"
    the jobs of five in the user's crontab are done twice: they stand in the crontab of ada, too; `deploy --prune` stops and removes it
      note: web1, web2: v2 (2222222222) is live already
      removes: web1: the jobs of five in the user's crontab
    work
      on web1
        take the lock
        stop and remove the jobs of five in the user's crontab
        note in the journal: pruned
    refused: web1: the app's jobs stand in the crontab of ada: installed by deploy as well, they would be done twice
    ");
    // At night they stay as they are.
    let hosts = [second(), second()]
        .map(|host| host.change(|facts| facts.jobs = Some(record("ada", CrontabLocation::User))));
    let back = RollbackRequest::new(URL, Schema::Refuse);
    let plan = plan_rollback(&settings, &run(60), &back, &seen(&settings, &hosts)).expect("a plan");
    assert_sound(&plan);
    let shown = show_plan(&plan, Detail::Steps);
    let lines: Vec<&str> = shown.lines().filter(|line| line.contains("jobs")).collect();
    assert_snapshot!(lines.join("\n"), @"
    note: web2: the jobs of five in the crontab of ada aren't this host's to do any more, and are left as they are; as ada or root: take the block of five out by crontab -u ada -e, and then rm /var/webapps/five/.buedafab/jobs.json
    note: web1: the app's jobs stay as they are: they stand in the crontab of ada
    ");
}

/// A host that left the configuration is told of by the others until it is retired, or forgotten.
#[test]
fn a_host_that_left_is_told_of_until_it_is_retired() {
    let whole = settings(
        "unit = \"five\"\nservice = \"none\"\n[environments.production]\nhosts = [\"web1\", \"web2\", \"ada@web3:2222\"]\n",
    );
    let fleet =
        Fleet { at: run(0).at, hosts: whole.hosts.iter().map(FleetHost::of).collect(), gone: Vec::new() };
    let less = settings(
        "unit = \"five\"\nservice = \"none\"\n[environments.production]\nhosts = [\"web1\", \"web2\"]\n",
    );
    let hosts = [second().change(|facts| facts.fleet = Some(fleet.clone())), second()];
    let plan = plan_deploy(&less, &run(60), &request(3), &seen(&less, &hosts)).expect("a plan");
    assert_sound(&plan);
    let mut found: Vec<String> = plan.notes.iter().map(|note| note.text.clone()).collect();
    let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
    found.extend(steps.filter_map(|step| match &step.action {
        Action::Record(RecordAction::Fleet { hosts, gone }) => Some(format!(
            "{} and {}",
            hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(" "),
            serde_json::to_string(gone).expect("plain data")
        )),
        _ => None,
    }));
    // The next run knows it from there, and one that has the host again doesn't tell of it.
    let later = Fleet {
        hosts: less.hosts.iter().map(FleetHost::of).collect(),
        gone: gone_hosts(&hosts[0].0, &less.hosts),
        ..fleet
    };
    let hosts = [0, 1].map(|_| second().change(|facts| facts.fleet = Some(later.clone())));
    let tells = |settings: &Settings| {
        let all = seen(settings, &hosts);
        diagnose_host(settings, all[0], Some(URL))
            .iter()
            .any(|diagnosis| diagnosis.kind == DiagnosisKind::GoneHost)
    };
    assert!(tells(&less) && !tells(&whole));
    let name = HostName::new("web3").expect("a name");
    let all = seen(&less, &hosts);
    let host = gone_host(&less, &name, &all).expect("it is known");
    found.push(format!("{host:?}"));
    let there = moved()[0].clone();
    let retired = SeenHost { host: &host, facts: &there.0 };
    for plan in [plan_retire(&less, &run(61), retired, &all, None), plan_forget(&less, &run(61), &name, &all)]
    {
        let plan = plan.expect("nothing speaks against it");
        assert_sound(&plan);
        found.push(show_plan(&plan, Detail::Steps));
    }
    let stranger = HostName::new("web9").expect("a name");
    assert_eq!(gone_host(&less, &stranger, &all), None);
    assert!(plan_forget(&less, &run(61), &stranger, &all).expect("a plan").is_empty());
    assert_snapshot!(found.join("\n"), @r#"
    web3 was deployed to until 2026-11-05, and isn't in buedafab.toml any more: what runs there still runs; `retire web3` stops and removes it there; where there is no such host any more, or it has another name, `retire web3 --forget`
    web1 web2 and [{"name":"web3","user":"ada","port":2222,"path":"/var/webapps/five","until":"2026-11-05T00:02:00Z"}]
    web1 web2 and []
    Host { name: "web3", app: None, address: "web3", user: Some("ada"), port: Some(2222), roles: {}, path: "/var/webapps/five", connect: Ssh, origin: None }
      note: web3: /etc/systemd/system/by-hand.service is no service of this host any more, and is left as it is; as root: systemctl disable --now by-hand.service; rm /etc/systemd/system/by-hand.service; and take its line out of /var/webapps/five/.buedafab/installed
      note: web3: releases and what they share stay in /var/webapps/five; a service that somebody else installed isn't stopped
      removes: web3: /etc/systemd/system/five-worker.service
      removes: web3: /etc/init.d/five-beat
      removes: web3: the jobs of five in the user's crontab

    work
      on web3
        take the lock
        check that nothing changed since the look
        stop and remove /etc/systemd/system/five-worker.service
        stop and remove /etc/init.d/five-beat
        stop and remove the jobs of five in the user's crontab
        note in the journal: retired


    work
      on web1, web2
        take the lock
        check that nothing changed since the look
        note which hosts there are
        note in the journal: retired
    "#);
}

/// Groups that scale end hosts and begin others all the time: nobody misses one. What somebody has written down is missed as before.
#[test]
fn a_host_that_aws_has_ended_is_missed_by_nobody() {
    let with = |source: HostSource, answer: Answer, written: &str| {
        let key = if source.comes_and_goes() { "load_balancer = 'web'" } else { "inventory = 'ops'" };
        let text = format!(
            "unit = 'five'\nservice = 'none'\n[environments.production]\nhosts = [{written}]\n{key}\n"
        );
        let answers = Answers::from([(Question { source, region: None }, answer)]);
        let file =
            buedafab_model::config::parse("buedafab.toml", &text).expect("it is right").with_answers(answers);
        file.settings(&EnvironmentName::new("production").expect("a name")).expect("it is right")
    };
    let balancer = |ids: &[&str], written: &str| {
        let instance = |id: &&str| Instance {
            id: (*id).to_owned(),
            state: "running".to_owned(),
            private: Some(format!("10.0.0.{}", &id[2..])),
            ..Instance::default()
        };
        let answer = Answer::Instances(ids.iter().map(instance).collect());
        with(HostSource::LoadBalancer("web".to_owned()), answer, written)
    };
    let inventory = |names: &[&str]| {
        let listed = |name: &&str| ListedHost { name: (*name).to_owned(), ..ListedHost::default() };
        let listed = Listed { hosts: names.iter().map(listed).collect(), notes: Vec::new() };
        with(HostSource::Inventory("ops".to_owned()), Answer::Listed(listed), "")
    };
    let of = |settings: &Settings| Fleet {
        at: run(0).at,
        hosts: settings.hosts.iter().map(FleetHost::of).collect(),
        gone: Vec::new(),
    };
    let after = |known: Option<Fleet>, settings: &Settings| {
        let seen = second().change(|facts| facts.fleet = known.clone());
        let layout = settings.layout(&settings.hosts[0]);
        match fleet_after(&seen.0, &settings.hosts, &layout) {
            Some((hosts, gone)) => {
                let names = |hosts: Vec<HostName>| {
                    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
                };
                let gone = names(gone.into_iter().map(|gone| gone.host.name).collect());
                format!(
                    "written down: {}; gone: {gone}",
                    names(hosts.into_iter().map(|host| host.name).collect())
                )
            }
            None => "nothing to write down".to_owned(),
        }
    };
    let written = settings(
        "unit = 'five'\nservice = 'none'\n[environments.production]\nhosts = ['10.0.0.1', '10.0.0.2']\n",
    );
    assert_snapshot!([
        after(None, &balancer(&["i-1", "i-2", "i-3"], "")),
        after(None, &balancer(&["i-1", "i-2", "i-3"], "'db1', 'db2'")),
        // Those that were written before are found now, under other names; one is gone for good, and was written.
        after(Some(of(&written)), &balancer(&["i-1", "i-2"], "")),
        after(Some(of(&written)), &balancer(&["i-1", "i-3"], "")),
        after(None, &inventory(&["a", "b", "c"])),
        after(Some(of(&inventory(&["a", "b", "c"]))), &inventory(&["a", "b"])),
    ].join("\n"), @"
    nothing to write down
    written down: db1 db2; gone: 
    written down: ; gone: 
    written down: ; gone: 10.0.0.2
    written down: a b c; gone: 
    written down: a b; gone: c
    ");
}

/// One that is only called otherwise is there still, and what serves there is never stopped as if it were another's.
#[test]
fn a_host_with_another_name_has_not_left() {
    let of = |host: &str| {
        settings(&format!(
            "unit = \"five\"\nservice = \"none\"\n[environments.production]\nhosts = [\"web1\", {host}]\n"
        ))
    };
    let before = of("{ name = \"web2\", address = \"10.0.0.5\" }");
    let hosts = before.hosts.iter().map(FleetHost::of).collect();
    let fleet = Fleet { at: run(0).at, hosts, gone: Vec::new() };
    let [first, other] = [0, 1].map(|_| second().change(|facts| facts.fleet = Some(fleet.clone())));
    let mut found = String::new();
    for host in [
        "{ name = \"mail\", address = \"10.0.0.5\" }",
        "{ name = \"10.0.0.5\", user = \"ada\" }",
        "{ name = \"mail\", address = \"10.0.0.5\", port = 2222 }",
        "{ name = \"mail\", address = \"10.0.0.5\", path = \"/srv/five\" }",
        "\"mail\"",
    ] {
        let names: Vec<String> =
            gone_hosts(&first.0, &of(host).hosts).iter().map(|gone| gone.host.name.to_string()).collect();
        let _ = writeln!(found, "{host}: gone: {}", names.join(", "));
    }
    // By its address nobody can tell: the machine says it.
    let after = of("\"mail\"");
    let name = HostName::new("web2").expect("a name");
    let identified = |seen: &Seen, identity: Option<&str>| {
        seen.clone().change(|facts| facts.identity = identity.map(str::to_owned))
    };
    for (this, that) in [(Some("one 1:2"), Some("one 1:2")), (Some("one 1:2"), Some("one 1:3")), (None, None)]
    {
        let hosts = [identified(&first, Some("two 1:2")), identified(&other, that)];
        let all = seen(&after, &hosts);
        let host = gone_host(&after, &name, &all).expect("it is known");
        let retired = identified(&moved()[0], this);
        let plan = plan_retire(&after, &run(61), SeenHost { host: &host, facts: &retired.0 }, &all, None);
        let said = match plan {
            Ok(plan) => format!("removes {}", plan.removals().len()),
            Err(refusals) => format!("{}; {}", refusals[0], refusals[0].hint().expect("a way out")),
        };
        let _ = writeln!(found, "{this:?}, {that:?}: {said}");
    }
    assert_snapshot!(found, @r#"
    { name = "mail", address = "10.0.0.5" }: gone: 
    { name = "10.0.0.5", user = "ada" }: gone: 
    { name = "mail", address = "10.0.0.5", port = 2222 }: gone: web2
    { name = "mail", address = "10.0.0.5", path = "/srv/five" }: gone: web2
    "mail": gone: web2
    Some("one 1:2"), Some("one 1:2"): web2 is mail, by another name: what would be stopped there is what mail does; `retire web2 --forget` has the hosts forget that name, and stops nothing
    Some("one 1:2"), Some("one 1:3"): removes 3
    None, None: removes 3
    "#);
}

/// A unit file that isn't there yet is written by any deploy: what sudo denies of that stops it before it begins, and not
/// after the switch. Where it is there, it may stay as it is.
#[test]
fn what_sudo_will_not_install_is_known_before() {
    let settings = settings(
        "unit = \"five\"\nservice = \"none\"\n[services.web]\ncommand = \"serve\"\n[environments.production]\nhosts = [\"web1\"]\n",
    );
    let said = everywhere(|shell, place| {
        place.by_hand(
            "mkdir -p etc/systemd/system tools
             printf '#!/bin/sh\\necho \"uid=1000(deploy)\"\\n' >tools/id
             printf '#!/bin/sh\\ncase $* in *\"-ll\" | *restart*) exit 0 ;; *) exit 1 ;; esac\\n' >tools/sudo
             chmod +x tools/*",
        );
        let hosts = [live()];
        let web1 = seen(&settings, &hosts)[0].host.clone();
        let root = place.root().display().to_string();
        let look = || {
            let script = buedafab_model::planner::look_script(&settings, &web1, Scope::Plan);
            let script = script.replace("/etc/", &format!("{root}/etc/"));
            let output = shell.run(&format!("PATH=\"$PWD/tools:$PATH\"\n{script}"), &place.root());
            let facts = HostFacts::parse(&output.stdout, &place.layout, run(1).at).expect("a look");
            let tools = |commands: &[String]| {
                commands
                    .iter()
                    .map(|c| {
                        c.split(' ')
                            .next()
                            .and_then(|path| path.rsplit('/').next())
                            .expect("a tool")
                            .to_owned()
                    })
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            format!(
                "stops: {}; is noted: {}",
                tools(&facts.refused_by_sudo),
                tools(&facts.files_refused_by_sudo)
            )
        };
        let first = look();
        std::fs::write(place.root().join("etc/systemd/system/five-web.service"), "").expect("a unit file");
        format!("{first}\n{}", look())
    });
    assert_snapshot!(said, @"
    stops: install install mv systemctl systemctl; is noted: 
    stops: ; is noted: install install mv systemctl systemctl
    ");
}

/// What sudo doesn't allow is asked before anything is stopped: a host isn't left half retired.
#[test]
fn what_sudo_will_not_remove_is_known_before() {
    let settings = settings(APP);
    let said = everywhere(|shell, place| {
        let [staging, copy] = others();
        let files = [
            ("systemd/system/five-old.service", owner().line()),
            ("systemd/system/five-worker.service", owner().line()),
            ("systemd/system/five-other.service", staging.line()),
            ("init.d/five-beat", copy.line()),
            ("cron.d/five", Owner { repository: None, ..owner() }.line()),
        ];
        place.by_hand("mkdir -p etc/systemd/system etc/init.d etc/cron.d tools");
        for (path, mark) in files {
            std::fs::write(place.root().join("etc").join(path), format!("{mark}\n")).expect("a file");
        }
        place.by_hand(
            "printf '#!/bin/sh\\necho active\\n' >tools/systemctl
             printf '#!/bin/sh\\necho \"uid=1000(deploy)\"\\n' >tools/id
             printf '#!/bin/sh\\ncase $* in *\"-ll\") exit 0 ;; *daemon-reload) exit 0 ;; *) exit 1 ;; esac\\n' >tools/sudo
             chmod +x tools/*",
        );
        let hosts = [second(), second()];
        let worker = seen(&settings, &hosts)[1].host.clone();
        let worker = buedafab_model::host::Host { path: place.layout.path.clone(), ..worker };
        let root = place.root().display().to_string();
        let look = |scope| {
            let script = buedafab_model::planner::look_script(&settings, &worker, scope);
            // Only the machine's own folder is another one: what is wanted is called as it is.
            let script = script.replace("/etc/", &format!("{root}/etc/"));
            let output = shell.run(&format!("PATH=\"$PWD/tools:$PATH\"\n{script}"), &place.root());
            let facts = HostFacts::parse(&output.stdout, &place.layout, run(1).at).expect("a look");
            let tool = |command: &String| {
                let (path, words) = command.split_once(' ').expect("words");
                format!("{} {words}", path.rsplit('/').next().expect("a name"))
            };
            let refused: Vec<String> = facts.removals_refused_by_sudo.iter().map(tool).collect();
            refused.join(", ").replace(&format!("{root}/"), "/")
        };
        format!("{}\n{}\n{}", look(Scope::Plan), look(Scope::Removal), look(Scope::Full))
    });
    assert_snapshot!(said, @"
    systemctl stop five-old.service, rm -f /etc/systemd/system/five-old.service, rm -f /etc/init.d/five-beat, rm -f /etc/cron.d/five
    systemctl stop five-old.service, rm -f /etc/systemd/system/five-old.service, rm -f /etc/init.d/five-beat, rm -f /etc/cron.d/five
    ");
    // That of a copy of the project isn't removed, and isn't missed.
    let refused = ["systemctl stop five-worker.service", "rm -f /etc/init.d/copy"];
    let refused = refused.map(|command| format!("/usr/bin/{command}")).to_vec();
    let hosts = moved().map(|seen| seen.change(|facts| facts.removals_refused_by_sudo = refused.clone()));
    let all = seen(&settings, &hosts);
    let retired = plan_retire(&settings, &run(61), all[0], &[], None).expect_err("refused");
    let said = format!(
        "{}; {}\n{}{}",
        retired[0],
        retired[0].hint().expect("what to do"),
        told(&settings, 2, true, &hosts),
        told(&settings, 3, true, &hosts)
    );
    assert_snapshot!(said, @"
    web1: deploy may not do this by sudo without a password, which removes what isn't wanted any more: /usr/bin/systemctl stop five-worker.service; allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl stop five-worker.service; or set `ask_sudo_password`
    refused: web1: deploy may not do this by sudo without a password, which removes what isn't wanted any more: /usr/bin/systemctl stop five-worker.servicerefused: web1: deploy may not do this by sudo without a password, which removes what isn't wanted any more: /usr/bin/systemctl stop five-worker.service
    ");
}

/// What a machine says is one thing for whatever folder of it, and another for a machine beside it.
#[test]
fn a_machine_says_which_it_is() {
    everywhere(|shell, place| {
        place.by_hand("mkdir -p one/etc/init.d one/srv/.buedafab two/etc/init.d");
        let identity = |machine: &str, path: &str| {
            let layout = buedafab_model::host::layout::Layout {
                path: HostPath::new(format!("{}/{path}", place.root().display())).expect("a path"),
                ..place.layout.clone()
            };
            let script = inspect_script(&layout, Scope::Removal, &AlsoLookAt::default());
            let etc = format!("{}/{machine}/etc/", place.root().display());
            let output = shell.run(&script.replace("/etc/", &etc), &place.root());
            HostFacts::parse(&output.stdout, &layout, run(1).at)
                .expect("a look")
                .identity
                .expect("it says it")
        };
        assert_eq!(identity("one", "one/srv"), identity("one", "one/other"));
        assert_ne!(identity("one", "one/srv"), identity("two", "one/srv"));
        String::new()
    });
}

/// Each kind of thing as it is removed, and as it is left where it changed hands meanwhile.
#[test]
fn only_what_still_says_so_is_removed() {
    let tools = [
        ("sudo", "shift; exec \"$@\""),
        ("systemctl", "[ \"$1\" != is-active ] || { echo active; exit; }; echo \"systemctl $*\""),
        ("update-rc.d", "echo \"update-rc.d $*\""),
        ("crontab", "case $1 in -l) cat cron 2>/dev/null ;; -r) rm cron ;; *) cat >cron ;; esac"),
    ];
    let found = everywhere(|shell, place| {
        let path = |name: &str| HostPath::new(format!("{}/{name}", place.root().display())).expect("a path");
        let mark = owner().line();
        let block = |label: &str, mark: &str| {
            format!("# begin {label}, kept by buedafab\n{mark}\n1 * * * * {label}\n# end {label}\n")
        };
        let mut found = String::new();
        for kind in [
            LeftOverKind::Unit { path: path("five-worker.service") },
            LeftOverKind::InitScript { path: path("five-beat") },
            LeftOverKind::JobsFile { path: path("cron.d-five") },
            LeftOverKind::Jobs { label: "five".to_owned() },
        ] {
            for mine in [true, false] {
                let theirs = others()[1].line();
                let mark_there = if mine { &mark } else { &theirs };
                for name in ["five-worker.service", "five-beat", "cron.d-five"] {
                    std::fs::write(path(name).as_str(), format!("#!/bin/sh\n{mark_there}\necho $1\n"))
                        .expect("a file");
                }
                let cron = format!("# mine\n{}{}", block("five", mark_there), block("other", &theirs));
                std::fs::write(path("cron").as_str(), cron).expect("a file");
                std::fs::write(
                    place.memory().join("installed"),
                    format!("{}\n/etc/other\n", path("five-worker.service")),
                )
                .expect("a file");
                place.by_hand("chmod +x five-beat");
                let action: Action = {
                    let left = LeftOver { kind: kind.clone(), mark: Some(mark.clone()) };
                    ServiceAction::Remove { left, optional: true }.into()
                };
                let said = with_tools(shell, place, &tools, &action);
                let left = place.by_hand("ls | grep -v '^five$\\|^fake tools$\\|^cron$' | tr '\\n' ' '; grep -c . cron; cat five/.buedafab/installed | grep -c .");
                let _ = writeln!(
                    found,
                    "{action}, {}: {said}\n  {}",
                    if mine { "ours" } else { "theirs" },
                    left.replace('\n', " ")
                );
            }
        }
        found.replace(place.root().to_str().expect("UTF-8"), "ROOT")
    });
    assert_snapshot!(found, @"
    stop and remove ROOT/five-worker.service, ours: 0: systemctl disable --quiet five-worker.service
    systemctl stop five-worker.service
    removed ROOT/five-worker.service
    systemctl daemon-reload
    systemctl reset-failed five-worker.service
      cron.d-five five-beat 9 1 
    stop and remove ROOT/five-worker.service, theirs: 1: ROOT/five-worker.service doesn't say any more that it is this app's: it is left as it is
      cron.d-five five-beat five-worker.service 9 2 
    stop and remove ROOT/five-beat, ours: 0: removed ROOT/five-beat
      cron.d-five five-worker.service 9 2 
    stop and remove ROOT/five-beat, theirs: 1: ROOT/five-beat doesn't say any more that it is this app's: it is left as it is
      cron.d-five five-beat five-worker.service 9 2 
    stop and remove ROOT/cron.d-five, ours: 0
      five-beat five-worker.service 9 2 
    stop and remove ROOT/cron.d-five, theirs: 1: ROOT/cron.d-five doesn't say any more that it is this app's: it is left as it is
      cron.d-five five-beat five-worker.service 9 2 
    stop and remove the jobs of five in the user's crontab, ours: 0
      cron.d-five five-beat five-worker.service 5 2 
    stop and remove the jobs of five in the user's crontab, theirs: 1: the block of five doesn't say any more that it is this app's: it is left as it is
      cron.d-five five-beat five-worker.service 9 2
    ");
}

/// The record of the jobs is of those that are wanted, where others are taken away in the same run; and the list of what was
/// installed is whole, or as it was.
#[test]
fn what_is_written_of_other_things_stays() {
    let found = everywhere(|shell, place| {
        let mark = owner().line();
        let tools = |grep: &'static str| {
            [
                ("sudo", "shift; exec \"$@\""),
                ("systemctl", "true"),
                ("update-rc.d", "true"),
                ("crontab", "case $1 in -l) cat cron 2>/dev/null ;; -r) rm cron ;; *) cat >cron ;; esac"),
                ("grep", grep),
                ("id", "echo deploy"),
            ]
        };
        let whole = "exec /bin/grep \"$@\"";
        let path = |name: &str| HostPath::new(format!("{}/{name}", place.root().display())).expect("a path");
        let remove = |kind, grep| {
            let cron = format!("# begin five.b, kept by buedafab\n{mark}\n1 * * * * true\n# end five.b\n");
            std::fs::write(path("cron").as_str(), cron).expect("a file");
            for name in ["five_b", "five-worker.service"] {
                std::fs::write(path(name).as_str(), format!("{mark}\n")).expect("a file");
            }
            let left = LeftOver { kind, mark: Some(mark.clone()) };
            let action: Action = ServiceAction::Remove { left, optional: true }.into();
            with_tools(shell, place, &tools(grep), &action)
        };
        let mut found = String::new();
        for kind in [
            LeftOverKind::Jobs { label: "five.b".to_owned() },
            LeftOverKind::JobsFile { path: path("five_b") },
        ] {
            for (user, place_of, label) in [
                ("deploy", "user", "five.b"),
                ("deploy", "user", "five"),
                ("ada", "user", "five.b"),
                ("deploy", "system", "five.b"),
                ("deploy", "system", "five"),
            ] {
                let record = format!(
                    "{{\"at\":\"2026-11-05T00:00:00Z\",\"user\":\"{user}\",\"place\":\"{place_of}\",\"label\":\"{label}\"}}\n"
                );
                std::fs::write(place.memory().join("jobs.json"), record).expect("a file");
                let said = remove(kind.clone(), whole);
                let stays = place.memory().join("jobs.json").exists();
                let _ = writeln!(
                    found,
                    "{}; {user}, {place_of}, {label}: {said}, stays: {stays}",
                    kind_word(&kind)
                );
            }
        }
        let list = place.memory().join("installed");
        for grep in [whole, "case $1 in -vxF) echo /etc/a; exit 2 ;; esac; exec /bin/grep \"$@\""] {
            let installed = path("five-worker.service");
            std::fs::write(&list, format!("/etc/a\n{installed}\n/etc/b\n")).expect("a file");
            let said = remove(LeftOverKind::Unit { path: installed.clone() }, grep);
            let listed = std::fs::read_to_string(&list).expect("it is there").replace('\n', " ");
            let _ = writeln!(found, "{said}\n{listed}");
        }
        found.replace(place.root().to_str().expect("UTF-8"), "ROOT")
    });
    assert_snapshot!(found, @"
    block; deploy, user, five.b: 0, stays: false
    block; deploy, user, five: 0, stays: true
    block; ada, user, five.b: 0, stays: true
    block; deploy, system, five.b: 0, stays: true
    block; deploy, system, five: 0, stays: true
    file; deploy, user, five.b: 0, stays: true
    file; deploy, user, five: 0, stays: true
    file; ada, user, five.b: 0, stays: true
    file; deploy, system, five.b: 0, stays: false
    file; deploy, system, five: 0, stays: true
    0: removed ROOT/five-worker.service
    /etc/a /etc/b 
    1: removed ROOT/five-worker.service
    couldn't write ROOT/five/.buedafab/installed
    /etc/a ROOT/five-worker.service /etc/b
    ");
}

fn kind_word(kind: &LeftOverKind) -> &'static str {
    if matches!(kind, LeftOverKind::Jobs { .. }) { "block" } else { "file" }
}

/// The look finds what says whose it is, in any user's crontab that it may read.
#[test]
fn blocks_of_jobs_are_found_by_their_mark() {
    let found = everywhere(|shell, place| {
        let [staging, _] = others();
        let cron = format!(
            "# begin old, kept by buedafab\n1 * * * * old\n# end old\n# begin five, kept by buedafab\n{}\n# end five\n# begin five-staging, kept by buedafab\n{}\n# end five-staging\n",
            owner().line(),
            staging.line()
        );
        std::fs::write(place.root().join("cron"), cron).expect("a file");
        place.by_hand("mkdir tools; printf '#!/bin/sh\\ncat \"%s/cron\"\\n' \"$PWD\" >tools/crontab; chmod +x tools/crontab");
        // What an older version installed it wrote down nowhere.
        let noted = [Scope::Plan, Scope::Removal, Scope::Full].map(|scope| {
            let script = inspect_script(&place.layout, scope, &AlsoLookAt::default());
            let output = shell.run(&format!("PATH=\"$PWD/tools:$PATH\"\n{script}"), &place.root());
            HostFacts::parse(&output.stdout, &place.layout, run(1).at).expect("a look").job_blocks.len()
        });
        assert_eq!(noted, [0, 2, 2], "{}", shell.name);
        place.by_hand("echo '{\"at\":\"2026-11-05T00:00:00Z\",\"user\":\"ada\",\"place\":\"user\",\"label\":\"five\"}' >five/.buedafab/jobs.json");
        let script = inspect_script(&place.layout, Scope::Plan, &AlsoLookAt::default());
        let output = shell.run(&format!("PATH=\"$PWD/tools:$PATH\"\n{script}"), &place.root());
        let facts = HostFacts::parse(&output.stdout, &place.layout, run(1).at).expect("a look");
        let blocks: Vec<String> =
            facts.job_blocks.iter().map(|block| format!("{} of {}", block.what, block.owner)).collect();
        format!("{}; in the crontab of {}", blocks.join(", "), facts.jobs.expect("it is written down").user)
    });
    assert_snapshot!(found, @"five of five in production from git.example.com/bueda/five, five-staging of five in staging from git.example.com/bueda/five; in the crontab of ada");
}

/// Only a plain file that the machine itself reads is what was installed: systemd links an alias to the unit that is wanted, and
/// people keep copies.
#[test]
fn aliases_and_copies_are_not_what_was_installed() {
    let found = everywhere(|shell, place| {
        let mark = owner().line();
        place.by_hand(&format!(
            "mkdir -p etc/systemd/system/five-web.service.d etc/init.d etc/cron.d
             for file in systemd/system/five-web.service init.d/five-beat cron.d/five; do echo '{mark}' >etc/$file; done
             cd etc/systemd/system
             ln -s five-web.service web.service; ln -s \"$PWD/five-web.service\" dbus-web.service; ln -s nothing.service gone.service
             for copy in bak old new; do cp five-web.service five-web.service.$copy; cp five-web.service ../../init.d/five-beat.$copy; done
             cp five-web.service ../../init.d/five-beat~; cp five-web.service ../../cron.d/five.dpkg-old; ln -s five-beat ../../init.d/beat"
        ));
        let script = inspect_script(&place.layout, Scope::Plan, &AlsoLookAt::default());
        let root = place.root().display().to_string();
        let output = shell.run(&script.replace("/etc/", &format!("{root}/etc/")), &place.root());
        let facts = HostFacts::parse(&output.stdout, &place.layout, run(1).at).expect("a look");
        let paths: Vec<&str> = facts.marked.iter().map(|marked| marked.what.as_str()).collect();
        paths.join("\n").replace(&root, "")
    });
    assert_snapshot!(found, @"
    /etc/systemd/system/five-web.service
    /etc/init.d/five-beat
    /etc/cron.d/five
    ");
}

/// A host whose folder is gone isn't locked, nor written to: what else is ours is taken away.
#[test]
fn a_host_whose_folder_is_gone_is_retired_too() {
    let settings =
        settings("unit = \"five\"\nservice = \"none\"\n[environments.production]\nhosts = [\"web3\"]\n");
    let told = |facts: HostFacts| {
        let plan = plan_retire(
            &settings,
            &run(61),
            SeenHost { host: &settings.hosts[0], facts: &facts },
            &[],
            Some(URL),
        );
        let plan = plan.unwrap_or_else(|refusals| panic!("{}", refusals[0]));
        assert_sound(&plan);
        format!("{}{}", if plan.is_empty() { "nothing to do\n" } else { "" }, show_plan(&plan, Detail::Steps))
    };
    let nothing = common::bare().change(|facts| (facts.exists, facts.writable) = (false, false)).0;
    let units = HostFacts { marked: moved()[0].0.marked.clone(), ..nothing.clone() };
    assert_snapshot!(told(units) + &told(nothing), @"
      note: web3: there is no /var/webapps/five
      removes: web3: /etc/systemd/system/five-worker.service
      removes: web3: /etc/init.d/five-beat

    work
      on web3
        stop and remove /etc/systemd/system/five-worker.service
        stop and remove /etc/init.d/five-beat
    nothing to do
      note: web3: there is no /var/webapps/five, and nothing else here is this app's
    ");
}

/// A rule that was written for the slot of the first release doesn't allow the next one.
#[test]
fn sudo_is_asked_about_the_files_of_every_slot() {
    let settings = settings(
        "unit = \"five\"\nservice = \"none\"\n[services.web]\ncommand = \"serve\"\n[environments.production]\nhosts = [\"web1\"]\n",
    );
    let said = everywhere(|shell, place| {
        place.by_hand(
            "mkdir -p etc/systemd/system tools
             printf '#!/bin/sh\\necho \"uid=1000(deploy)\"\\n' >tools/id
             printf '#!/bin/sh\\ncase $* in *units-b*) exit 1 ;; esac\\n' >tools/sudo
             chmod +x tools/*",
        );
        let root = place.root().display().to_string();
        let script = buedafab_model::planner::look_script(&settings, &settings.hosts[0], Scope::Plan);
        let script = script.replace("/etc/", &format!("{root}/etc/"));
        let output = shell.run(&format!("PATH=\"$PWD/tools:$PATH\"\n{script}"), &place.root());
        let facts = HostFacts::parse(&output.stdout, &place.layout, run(1).at).expect("a look");
        let diagnoses =
            diagnose_host(&settings, SeenHost { host: &settings.hosts[0], facts: &facts }, Some(URL));
        let sudo = diagnoses.iter().find(|diagnosis| diagnosis.kind == DiagnosisKind::NoSudo);
        sudo.map_or("allowed".to_owned(), Diagnosis::line).replace(&root, "")
    });
    assert_snapshot!(said, @"
    deploy may not do this by sudo without a password: /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five-web.service /etc/systemd/system/five-web.service.new; allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five-web.service /etc/systemd/system/five-web.service.new; or set `ask_sudo_password`, or a `restart` hook without sudo
    ");
}

/// Who asks for what isn't wanted to go away has no service restarted that happens to be down.
#[test]
fn a_prune_touches_nothing_else() {
    let (settings, mut hosts) = (settings(APP), moved());
    hosts[1] = hosts[1].clone().change(|facts| {
        facts.running.read_units(
            "Id=five-worker.service\nLoadState=loaded\nActiveState=failed\nResult=exit-code\nType=simple\n",
        );
    });
    assert!(!hosts[1].0.trouble().is_empty());
    assert_snapshot!(told(&settings, 2, true, &hosts), @"
      note: web1: /etc/systemd/system/by-hand.service is no service of this host any more, and is left as it is; as root: systemctl disable --now by-hand.service; rm /etc/systemd/system/by-hand.service; and take its line out of /var/webapps/five/.buedafab/installed
      note: web2: five-worker.service doesn't run: it is failed (exit-code); `deploy` starts it again, and so does `restart`
      note: web1: v2 (2222222222) is live already
      note: web2: v2 (2222222222) is live already, and its app isn't touched: `deploy` again starts it
      removes: web1: /etc/systemd/system/five-worker.service
      removes: web1: /etc/init.d/five-beat
      removes: web2: /etc/cron.d/five
      removes: web2: the jobs of five in the user's crontab
    work
      on web1
        take the lock
        stop and remove /etc/systemd/system/five-worker.service
        stop and remove /etc/init.d/five-beat
        note in the journal: pruned
      on web2
        take the lock
        stop and remove /etc/cron.d/five
        stop and remove the jobs of five in the user's crontab
        note in the journal: pruned
    ");
    // Without anything to remove, it is a deploy as any other.
    hosts = [second(), second()];
    hosts[1] = hosts[1].clone().change(|facts| {
        facts.running.read_units(
            "Id=five-worker.service\nLoadState=loaded\nActiveState=failed\nResult=exit-code\nType=simple\n",
        );
    });
    assert_snapshot!(told(&settings, 2, true, &hosts), @"
      note: web2: five-worker.service doesn't run: it is failed (exit-code); `deploy` starts it again, and so does `restart`
      note: web1: v2 (2222222222) is live already
      note: web2: v2 (2222222222) is live already, and its app is started again
    work
      on web2
        take the lock
        install and restart systemd:five-worker
        verify that systemd:five-worker stays up for 2 s
        note in the journal: restarted
    ");
}
