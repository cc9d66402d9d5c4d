//! Several apps as one release: what the plan of all of them is.

mod common;

use std::fmt::Write;

use buedafab_model::config::{AppInEnvironment, Settings, SettingsByHost};
use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::names::AppName;
use buedafab_model::plan::Plan;
use buedafab_model::plan::action::Schema;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{
    DeployRequest, RollbackRequest, SeenHost, Workshop, plan_deploy_together, plan_for_each_app,
    plan_rollback, what_stays,
};
use buedafab_model::run::outcome::Verdict;
use buedafab_model::simulate::{Process, Scenario, SimHost, simulate};
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;

use common::{URL, apps, assert_sound, difference, release, run, settings};

/// The hosts of several apps, with a history.
struct Fleet {
    settings: Settings,
    apps: Vec<AppInEnvironment>,
    hosts: Vec<SimHost>,
    runs: u32,
}

impl Fleet {
    fn new(text: &str) -> Fleet {
        let text =
            format!("unit = \"five\"\n{text}\n[environments.production]\nhosts = [\"web1\", \"web2\"]\n");
        let (settings, apps) = (settings(&text), apps(&text));
        let bare = |app: &AppInEnvironment| -> Vec<SimHost> {
            app.settings.hosts.iter().map(|host| SimHost::bare(&app.settings, host)).collect()
        };
        Fleet { hosts: apps.iter().flat_map(bare).collect(), settings, apps, runs: 0 }
    }

    fn seen<T>(&self, then: impl FnOnce(&[SeenHost<'_>]) -> T) -> T {
        let facts: Vec<_> = self.hosts.iter().map(SimHost::facts).collect();
        let seen = self.hosts.iter().zip(&facts).map(|(host, facts)| SeenHost { host: &host.host, facts });
        then(&seen.collect::<Vec<_>>())
    }

    fn by_host(&self) -> SettingsByHost<'_> {
        SettingsByHost { whole: &self.settings, apps: &self.apps }
    }

    fn plan(&self, request_of: impl Fn(&Settings) -> DeployRequest) -> Plan {
        let context = run(self.runs + 1);
        let plan = self.seen(|seen| plan_deploy_together(self.by_host(), &context, seen, &request_of));
        let plan = plan.expect("nothing speaks against it");
        assert_sound(&plan);
        plan
    }

    /// A release of all apps, and what changes in none of these.
    fn release(&self, number: u8, unchanged: &[&str]) -> Plan {
        self.plan(|settings| {
            let is_unchanged = unchanged.contains(&settings.app.unit.as_str());
            let same = (1..number).filter(|_| is_unchanged).map(|number| release(number).commit).collect();
            DeployRequest { same, ..DeployRequest::new(release(number), URL) }
        })
    }

    fn rollback(&self, to: Option<&str>) -> Result<Plan, Vec<Refusal>> {
        let context = run(self.runs + 1);
        let request =
            RollbackRequest { to: to.map(str::to_owned), ..RollbackRequest::new(URL, Schema::Refuse) };
        let stays = self.seen(|seen| what_stays(&self.apps, seen));
        let stays = |name: &AppName| stays.iter().any(|(other, _)| name == other);
        let apps: Vec<AppInEnvironment> =
            self.apps.iter().filter(|app| to.is_some() || !stays(&app.name)).cloned().collect();
        let by_host = SettingsByHost { whole: &self.settings, apps: &apps };
        let plan = |settings: &Settings, seen: &[SeenHost<'_>]| {
            plan_rollback(settings, &context, &request, seen).map(Some)
        };
        let plan = self.seen(|seen| plan_for_each_app(by_host, &context, seen, plan))?.expect("there is one");
        assert_sound(&plan);
        Ok(plan)
    }

    fn carry_out(self, plan: &Plan) -> Fleet {
        let takes_part = |host: &SimHost| plan.host(&host.host.name).is_some();
        let (mut hosts, others): (Vec<SimHost>, Vec<SimHost>) = self.hosts.into_iter().partition(takes_part);
        let ending = simulate(plan, &mut hosts, &Scenario::default());
        assert_eq!(ending.outcome.map(|outcome| outcome.verdict), Some(Verdict::Done));
        hosts.extend(others);
        Fleet { hosts, runs: self.runs + 1, ..self }
    }

    fn deployed(self, number: u8, unchanged: &[&str]) -> Fleet {
        let plan = self.release(number, unchanged);
        self.carry_out(&plan)
    }
}

fn shown(plan: &Plan) -> String {
    format!("{}\n{}", plan.headline(), show_plan(plan, Detail::Steps))
}

/// Only which hosts are in which phase.
fn phases(plan: &Plan) -> String {
    let mut text = format!("{}\n", plan.headline());
    for phase in &plan.phases {
        let hosts: Vec<&str> = phase.work.iter().map(|work| work.host.as_str()).collect();
        let steps: Vec<String> = phase.deployer.iter().map(|step| step.action.to_string()).collect();
        let _ = writeln!(text, "{}: {}{}", phase.kind, steps.join(", "), hosts.join(", "));
    }
    text
}

const ORDERED: &str = "service = \"none\"\n[apps.web]\nafter = [\"api\"]\n[apps.api]\n";

#[test]
fn all_are_ready_before_any_switches_and_they_do_so_in_their_order() {
    assert_snapshot!(shown(&Fleet::new(ORDERED).release(1, &[])), @"
    deploy v1 (1111111111)
      web1/api  nothing live  → v1 (1111111111) in slot a
      web2/api  nothing live  → v1 (1111111111) in slot a
      web1/web  nothing live  → v1 (1111111111) in slot a
      web2/web  nothing live  → v1 (1111111111) in slot a

    lock
      on web1/api, web2/api, web1/web, web2/web
        create the app's folders
        take the lock
        check that nothing changed since the look

    prepare
      on web1/api, web2/api, web1/web, web2/web
        mark a as being built for v1 (1111111111)
        fetch 1111111111 into a
        check out 1111111111 in a
        keep what 1111111111 is built and run with
        mark a as ready

    switch, wave 1 of 2
      on web1/api, web2/api
        switch the link to a
        if it fails: remove the link
        if it fails: mark a as failed
        if it fails: note in the journal: reverted

    switch, wave 2 of 2
      on web1/web, web2/web
        switch the link to a
        if it fails: remove the link
        if it fails: mark a as failed
        if it fails: note in the journal: reverted

    finish
      on web1/api, web2/api, web1/web, web2/web
        mark a as live
        note which hosts there are
        note in the journal: deployed
    ");
    // Apps that don't wait for each other switch together, wave by wave.
    let text =
        "service = \"none\"\nwaves = [1, \"100%\"]\n[apps.web]\n[apps.api]\n[apps.jobs]\nafter = [\"api\"]\n";
    assert_snapshot!(phases(&Fleet::new(text).release(1, &[])), @"
    deploy v1 (1111111111)
    lock: web1/web, web2/web, web1/api, web2/api, web1/jobs, web2/jobs
    prepare: web1/web, web2/web, web1/api, web2/api, web1/jobs, web2/jobs
    switch, wave 1 of 4: web1/web, web1/api
    switch, wave 2 of 4: web2/web, web2/api
    switch, wave 3 of 4: web1/jobs
    switch, wave 4 of 4: web2/jobs
    finish: web1/web, web2/web, web1/api, web2/api, web1/jobs, web2/jobs
    ");
}

#[test]
fn what_runs_once_runs_once_for_each_app_in_their_order() {
    let text = format!(
        "fetch_concurrency = 1\n{ORDERED}[hooks]\nonce = \"make migrate\"\n[hooks.local]\nbefore = \"make check\"\nafter = \"make noise\"\n"
    );
    let fleet = Fleet::new(&text);
    let plan = fleet.plan(|_| DeployRequest {
        before: vec![DeployerAction::Hook { command: "git tag".to_owned() }],
        ..DeployRequest::new(release(1), URL)
    });
    assert_snapshot!(phases(&plan), @"
    deploy v1 (1111111111)
    begin: make check, git tag
    lock: web1/api, web2/api, web1/web, web2/web
    fetch, batch 1 of 4: web1/api
    fetch, batch 2 of 4: web2/api
    fetch, batch 3 of 4: web1/web
    fetch, batch 4 of 4: web2/web
    prepare: web1/api, web2/api, web1/web, web2/web
    once, 1 of 2: web1/api
    once, 2 of 2: web1/web
    switch, wave 1 of 2: web1/api, web2/api
    switch, wave 2 of 2: web1/web, web2/web
    finish: web1/api, web2/api, web1/web, web2/web
    ");
    assert_eq!(plan.closing.iter().map(|closing| closing.steps.len()).collect::<Vec<_>>(), [1]);
}

/// Whatever may stop the run on the deployer comes before anything of it gets to others.
#[test]
fn the_tests_of_all_apps_come_first() {
    let text = "service = \"none\"\n[apps.api]\ntest_runner = \"make api\"\n[apps.web]\ntest_runner = \"make web\"\nsource = \"archive\"\n[apps.jobs]\nsource = \"archive\"\n";
    let plan = Fleet::new(text).plan(|settings| {
        let workshop = Workshop { archive: settings.app.unit.to_string(), clone: "clone".to_owned() };
        let before = vec![DeployerAction::Hook { command: "git push".to_owned() }];
        DeployRequest { before, workshop, ..DeployRequest::new(release(1), URL) }
    });
    let begin = phases(&plan).lines().find(|line| line.starts_with("begin")).map(str::to_owned);
    assert_snapshot!(begin.expect("there is one"), @"begin: run the tests: make api, run the tests: make web, git push, pack 1111111111, pack 1111111111");
}

/// An environment, or the hosts that were named, may have none of an app's.
#[test]
fn an_app_without_hosts_has_no_part_in_it() {
    let text = "service = \"none\"\n[apps.api]\n[apps.jobs]\nroles = [\"jobs\"]\n";
    assert_snapshot!(phases(&Fleet::new(text).release(1, &[])), @"
    deploy v1 (1111111111)
    lock: web1/api, web2/api
    prepare: web1/api, web2/api
    switch: web1/api, web2/api
    finish: web1/api, web2/api
    ");
}

#[test]
fn an_app_that_has_not_changed_stays_as_it_is() {
    let text = ORDERED.replace("service = \"none\"\n", "skip_unless_changed = [\"web/\"]\n");
    let fleet = Fleet::new(&text).deployed(1, &[]);
    let all = shown(&fleet.release(2, &[]));
    assert_snapshot!(difference(&all, &shown(&fleet.release(2, &["five-web"]))), @"
    deploy v2 (2222222222)
    -   web1/web  v1 (1111111111)  → v2 (2222222222) in slot b
    -   web2/web  v1 (1111111111)  → v2 (2222222222) in slot b
    +   web1/web  v1 (1111111111)  stays as it is
    +   web2/web  v1 (1111111111)  stays as it is
    +   note: web1/web, web2/web: nothing in web has changed since v1 (1111111111), which stays live
    lock
    -   on web1/api, web2/api, web1/web, web2/web
    +   on web1/api, web2/api
    prepare
    -   on web1/api, web2/api, web1/web, web2/web
    +   on web1/api, web2/api
    - switch, wave 1 of 2
    + switch
    - switch, wave 2 of 2
    -   on web1/web, web2/web
    -     switch the link to b
    -     restart init:five-web
    -     if it fails: switch the link to a
    -     if it fails: restart init:five-web
    -     if it fails: mark b as failed
    -     if it fails: note in the journal: reverted
    - 
    finish
    -   on web1/api, web2/api, web1/web, web2/web
    +   on web1/api, web2/api
    ");
    // Where another app changes, what is down is deployed again with it.
    let mut down = fleet;
    for host in down.hosts.iter_mut().filter(|host| host.host.name.as_str().ends_with("/web")) {
        host.processes.values_mut().for_each(|process| *process = Process::Dead);
    }
    assert_snapshot!(difference(&all, &shown(&down.release(2, &["five-web"]))), @"
    deploy v2 (2222222222)
    +   note: web1/web, web2/web: init:five-web doesn't run: it is failed; `deploy` starts it again, and so does `restart`
    +   note: web1/web, web2/web: nothing in web has changed since v1 (1111111111), which stays live, and is deployed again: its app doesn't serve it
    ");
    // Where none does, it is only started.
    assert_snapshot!(phases(&down.release(2, &["five-web", "five-api"])), @"
    restart
    work: web1/web, web2/web
    ");
}

#[test]
fn a_rollback_takes_back_what_the_last_run_changed() {
    let fleet = Fleet::new(ORDERED).deployed(1, &[]).deployed(2, &[]);
    assert_snapshot!(phases(&fleet.rollback(None).expect("both")), @"
    roll back to v1 (1111111111)
    lock: web1/api, web2/api, web1/web, web2/web
    prepare: web1/api, web2/api, web1/web, web2/web
    switch, wave 1 of 2: web1/web, web2/web
    switch, wave 2 of 2: web1/api, web2/api
    finish: web1/api, web2/api, web1/web, web2/web
    ");
    let fleet = fleet.deployed(3, &["five-api"]);
    assert_snapshot!(phases(&fleet.rollback(None).expect("only one")), @"
    roll back to v2 (2222222222)
    lock: web1/web, web2/web
    prepare: web1/web, web2/web
    switch: web1/web, web2/web
    finish: web1/web, web2/web
    ");
    assert_snapshot!(phases(&fleet.rollback(Some("v2")).expect("it was live everywhere")), @"
    roll back to v2 (2222222222)
    lock: web1/web, web2/web
    prepare: web1/web, web2/web
    switch: web1/web, web2/web
    finish: web1/web, web2/web
    ");
    // An app that is new stays: there is nothing that it could go back to.
    let mut grown = Fleet::new(ORDERED).deployed(1, &[]);
    let jobs = Fleet::new(&format!("{ORDERED}[apps.jobs]\n"));
    grown.hosts.extend(jobs.hosts.iter().filter(|host| host.host.name.as_str().ends_with("/jobs")).cloned());
    let grown = Fleet { hosts: grown.hosts, runs: grown.runs, ..jobs }.deployed(2, &[]);
    assert_snapshot!(phases(&grown.rollback(None).expect("the others")), @"
    roll back to v1 (1111111111)
    lock: web1/api, web2/api, web1/web, web2/web
    prepare: web1/api, web2/api, web1/web, web2/web
    switch, wave 1 of 2: web1/web, web2/web
    switch, wave 2 of 2: web1/api, web2/api
    finish: web1/api, web2/api, web1/web, web2/web
    ");
    // Apps may go back to different releases.
    let fleet = fleet.deployed(4, &[]);
    assert_snapshot!(phases(&fleet.rollback(None).expect("both")), @"
    roll back to the releases before
    lock: web1/api, web2/api, web1/web, web2/web
    prepare: web1/api, web2/api, web1/web, web2/web
    switch, wave 1 of 2: web1/web, web2/web
    switch, wave 2 of 2: web1/api, web2/api
    finish: web1/api, web2/api, web1/web, web2/web
    ");
    let refusals = fleet.rollback(Some("v3")).expect_err("one never had it");
    assert_snapshot!(refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r#"api: no host knows a release "v3": v2 (2222222222), v4 (4444444444)"#);
}
