//! Going back to a release that a person names, and with what a release was prepared with.

mod common;

use buedafab_model::app::migration::UnknownMigrations;
use buedafab_model::app::resolved::ResolvedRelease;
use buedafab_model::host::record::SlotState;
use buedafab_model::names::SlotName;
use buedafab_model::plan::Plan;
use buedafab_model::plan::action::{Action, RecordAction, Schema};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{RollbackRequest, plan_deploy, plan_rollback, releases_not_kept};
use insta::assert_snapshot;

use common::{
    Seen, URL, bare, check, difference, fleet, live, plain_rollback, release, request, run, second, seen,
};

fn plan_to(text: &str, hosts: &[Seen], to: Option<&str>, url: &str) -> Result<Plan, Vec<Refusal>> {
    let settings = fleet(text, hosts.len());
    let request = RollbackRequest { to: to.map(str::to_owned), ..RollbackRequest::new(url, Schema::Refuse) };
    plan_rollback(&settings, &run(60), &request, &seen(&settings, hosts))
}

/// The whole plan, or all that speaks against it.
#[track_caller]
fn rollback_to(text: &str, hosts: &[Seen], to: &str) -> String {
    check(plan_to(text, hosts, Some(to), URL))
}

/// The notes, and those steps of all hosts that hold one of these words.
#[track_caller]
fn steps_with(plan: Result<Plan, Vec<Refusal>>, words: &[&str]) -> String {
    let shown = check(plan);
    let lines = shown.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Release 2 is live, and the host never had release 1.
fn joined_later() -> Seen {
    bare().slot("a", SlotState::Live, 2).link("a")
}

/// What this configuration keeps for a release that it prepares in a slot.
fn kept(text: &str, slot: &str, number: u8) -> ResolvedRelease {
    let settings = fleet(text, 1);
    let hosts = [bare()];
    let plan = plan_deploy(&settings, &run(1), &request(number), &seen(&settings, &hosts)).expect("a plan");
    let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
    let mut kept = steps.filter_map(|step| match &step.action {
        Action::Record(RecordAction::KeepResolved { resolved }) => Some((**resolved).clone()),
        _ => None,
    });
    ResolvedRelease { slot: SlotName::new(slot).expect("a slot"), ..kept.next().expect("it is kept") }
}

/// What no host has kept, the release's own file says, and today's only where that isn't at hand.
#[test]
fn a_release_that_kept_nothing_is_decided_by_its_own_file() {
    let restarts = |command: &str| format!("[hooks]\nrestart = [\"{command}\"]\n");
    let (today, then) = (restarts("today"), restarts("then"));
    let (settings, its_own) = (fleet(&today, 1), fleet(&then, 1));
    let not_kept = second();
    let of_then = second().change(|facts| facts.resolved = vec![kept(&then, "a", 1)]);
    let cases = [
        (
            &not_kept,
            true,
            "then",
            "wasn't kept: what the configuration says that was committed with it is used",
        ),
        (&not_kept, false, "today", "wasn't kept: the commands of today's configuration are used"),
        (&of_then, true, "then", ""),
        (&of_then, false, "then", ""),
    ];
    for (host, is_at_hand, command, note) in cases {
        let hosts = std::slice::from_ref(host);
        let hosts = seen(&settings, hosts);
        let mut request = RollbackRequest::new(URL, Schema::Refuse);
        let wanted = releases_not_kept(&settings, &run(60), &request, &hosts);
        assert_eq!(wanted, if note.is_empty() { vec![] } else { vec![release(1)] });
        if is_at_hand {
            request.own.insert(release(1).commit, its_own.clone());
        }
        let shown = check(plan_rollback(&settings, &run(60), &request, &hosts));
        assert!(shown.contains(command), "{shown}");
        let notes: Vec<&str> = shown.lines().filter(|line| line.contains("kept")).collect();
        assert_eq!(notes.is_empty(), note.is_empty(), "{shown}");
        assert!(notes.iter().all(|line| line.ends_with(note)), "{shown}");
    }
}

#[test]
fn a_host_that_joined_later_is_prepared_first() {
    assert_snapshot!(rollback_to("", &[second(), joined_later()], "v1"), @"
    roll back to v1 (1111111111)
      web1  v2 (2222222222)  → v1 (1111111111) in slot a
      web2  v2 (2222222222)  → v1 (1111111111) in slot b
      note: web1, web2: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
      note: web2: v1 (1111111111) was never live here: it is prepared first, from the remote

    lock
      on web1, web2
        take the lock
        check that nothing changed since the look

    prepare
      on web1
        verify that a holds 1111111111, unchanged
      on web2
        mark b as being built for v1 (1111111111)
        fetch 1111111111 into b
        check out 1111111111 in b
        keep what 1111111111 is built and run with
        mark b as ready

    switch
      on web1
        switch the link to a
        restart init:five
        if it fails: switch the link to b
        if it fails: restart init:five
        if it fails: mark a as failed
        if it fails: note in the journal: reverted
      on web2
        switch the link to b
        restart init:five
        if it fails: switch the link to a
        if it fails: restart init:five
        if it fails: mark b as failed
        if it fails: note in the journal: reverted

    finish
      on web1
        mark a as live
        mark b as ready
        note which hosts there are
        note in the journal: rolled back
      on web2
        mark b as live
        mark a as ready
        note which hosts there are
        note in the journal: rolled back
    ");
}

/// A host that was added, and not deployed to yet, is none to go back from, whatever is wrong with it; one that joined with the live
/// release goes along where that release is named.
#[test]
fn a_new_host_leaves_the_others_their_way_back() {
    let three = "release_paths = [\"a\", \"b\", \"c\"]\ncrontab = \"conf/crontab\"";
    let full = bare()
        .slot("a", SlotState::Retired, 1)
        .slot("b", SlotState::Retired, 2)
        .slot("c", SlotState::Live, 3)
        .link("c");
    let joined = bare().slot("a", SlotState::Live, 3).link("a");
    let unfit = bare().change(|facts| {
        (facts.writable, facts.exists) = (false, false);
        facts.missing_tools = vec!["git".into()];
    });
    let cases = [
        ("added last", vec![full.clone(), full.clone(), bare()], None),
        ("added first", vec![bare(), full.clone(), full.clone()], None),
        ("not fit for anything yet", vec![full.clone(), unfit.clone()], None),
        ("added, and the release is named", vec![full.clone(), bare()], Some("v1")),
        ("joined with the live release", vec![full.clone(), joined.clone()], None),
        ("joined, and the release is named", vec![full.clone(), joined], Some("v2")),
        ("nobody can go back", vec![live(), bare()], None),
        ("nothing is live anywhere", vec![bare(), unfit], None),
    ];
    let words = ["web", "note:", "switch the link", "hint", "conf/crontab", "jobs"];
    let told = cases.iter().map(|(name, hosts, to)| {
        format!("{name}\n{}\n", steps_with(plan_to(three, hosts, *to, URL), &words))
    });
    assert_snapshot!(told.collect::<String>(), @"
    added last
    web1  v3 (3333333333)  → v2 (2222222222) in slot b
    web2  v3 (3333333333)  → v2 (2222222222) in slot b
    note: web3: nothing was ever live here: it stays as it is
    note: web1, web2: what v2 (2222222222) was prepared with wasn't kept: the commands of today's configuration are used
    on web1, web2
    on web1, web2
    on web1, web2
    switch the link to b
    if it fails: switch the link to c
    on web1
    install the jobs of conf/crontab
    on web2
    added first
    web2  v3 (3333333333)  → v2 (2222222222) in slot b
    web3  v3 (3333333333)  → v2 (2222222222) in slot b
    note: web1: nothing was ever live here: it stays as it is
    note: web2, web3: what v2 (2222222222) was prepared with wasn't kept: the commands of today's configuration are used
    on web2, web3
    on web2, web3
    on web2, web3
    switch the link to b
    if it fails: switch the link to c
    on web2
    install the jobs of conf/crontab
    on web3
    not fit for anything yet
    web1  v3 (3333333333)  → v2 (2222222222) in slot b
    note: web2: nothing was ever live here: it stays as it is
    note: web1: what v2 (2222222222) was prepared with wasn't kept: the commands of today's configuration are used
    on web1
    on web1
    on web1
    switch the link to b
    if it fails: switch the link to c
    on web1
    install the jobs of conf/crontab
    added, and the release is named
    web1  v3 (3333333333)  → v1 (1111111111) in slot a
    web2  nothing live     → v1 (1111111111) in slot a
    note: web1, web2: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    note: web2: v1 (1111111111) was never live here: it is prepared first, from the remote
    on web1
    on web2
    on web1
    on web2
    on web1
    switch the link to a
    if it fails: switch the link to c
    on web2
    switch the link to a
    on web1
    install the jobs of conf/crontab
    on web2
    joined with the live release
    web2: nothing to roll back to: what serves is the first release on this host
    hint: rollback --to v2 takes all hosts there, and prepares it first where it never was
    joined, and the release is named
    web1  v3 (3333333333)  → v2 (2222222222) in slot b
    web2  v3 (3333333333)  → v2 (2222222222) in slot b
    note: web1, web2: what v2 (2222222222) was prepared with wasn't kept: the commands of today's configuration are used
    note: web2: v2 (2222222222) was never live here: it is prepared first, from the remote
    on web1, web2
    on web1
    on web2
    on web1
    switch the link to b
    if it fails: switch the link to c
    on web2
    switch the link to b
    if it fails: switch the link to a
    on web1
    install the jobs of conf/crontab
    on web2
    nobody can go back
    web1: nothing to roll back to: what serves is the first release on this host
    hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    web2: nothing to roll back to: nothing was ever live on this host
    hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    nothing is live anywhere
    web2: git not found
    hint: install them there; Debian: apt-get install git
    web2: deploy can't write /var/webapps/five
    hint: on that host, as root: install -d -o deploy /var/webapps/five
    web1: nothing to roll back to: nothing was ever live on this host
    hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    web2: nothing to roll back to: nothing was ever live on this host
    hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    ");
}

/// What was live in between is no release to roll back to any more: that would be a way forward.
#[test]
fn two_releases_back_on_three_slots() {
    let three = "release_paths = [\"a\", \"b\", \"c\"]";
    let full = bare()
        .slot("a", SlotState::Retired, 1)
        .slot("b", SlotState::Retired, 2)
        .slot("c", SlotState::Live, 3)
        .link("c");
    assert_snapshot!(difference(&plain_rollback(), &rollback_to(three, std::slice::from_ref(&full), "1111")), @"
    roll back to v1 (1111111111)
    -   web1  v2 (2222222222)  → v1 (1111111111) in slot a
    +   web1  v3 (3333333333)  → v1 (1111111111) in slot a
    switch
    -     if it fails: switch the link to b
    +     if it fails: switch the link to c
    finish
    +     mark c as ready
    ");
    assert_snapshot!(steps_with(plan_to(three, &[full], Some("v2"), URL), &["mark", "keep"]), @r#"
    if it fails: mark b as failed
    mark b as live
    mark c as ready
    "#);
    let overwritten = bare()
        .slot("a", SlotState::Retired, 1)
        .slot_with_former("b", SlotState::Failed, 9, Some(2))
        .slot("c", SlotState::Live, 3)
        .link("c");
    assert_snapshot!(steps_with(plan_to(three, &[overwritten], Some("v1"), URL), &["mark", "keep"]), @r#"
    if it fails: mark a as failed
    mark a as live
    mark c as ready
    mark b as failed
    "#);
}

#[test]
fn some_hosts_are_there_already() {
    let before = live();
    assert_snapshot!(steps_with(plan_to("", &[before.clone(), second()], Some("v1"), URL), &["note", "web"]), @"
    web1  v1 (1111111111)  stays as it is
    web2  v2 (2222222222)  → v1 (1111111111) in slot a
    note: web1: v1 (1111111111) is live already
    note: web2: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    on web2
    on web2
    on web2
    if it fails: note in the journal: reverted
    on web2
    note which hosts there are
    note in the journal: rolled back
    ");
    assert_snapshot!(rollback_to("", &[before], "v1"), @r#"
    nothing to do
      web1  v1 (1111111111)  stays as it is
      note: web1: v1 (1111111111) is live already
    "#);
}

#[test]
fn words_that_name_nothing_to_go_back_to() {
    let rolled_back = bare().slot("a", SlotState::Live, 1).slot("b", SlotState::Ready, 2).link("a");
    let cases = [
        ("an unknown one", rollback_to("", &[second()], "v9")),
        ("too short", rollback_to("", &[second()], "11")),
        ("the one that was rolled back from", rollback_to("", std::slice::from_ref(&rolled_back), "v2")),
        ("one that never served", {
            let failed = second().slot("a", SlotState::Failed, 7);
            rollback_to("", &[failed, second()], "v7")
        }),
        ("two that can't be", {
            let all = rolled_back.clone().slot("c", SlotState::Failed, 3);
            check(plan_to("release_paths = [\"a\", \"b\", \"c\"]\n", &[all], None, URL))
        }),
        ("nothing is known", rollback_to("", &[bare()], "v1")),
        ("no remote to prepare it from", check(plan_to("", &[second(), joined_later()], Some("v1"), ""))),
    ];
    let all: Vec<String> = cases.iter().map(|(name, told)| format!("{name}\n{told}")).collect();
    assert_snapshot!(all.join("\n"), @r#"
    an unknown one
    no host knows a release "v9": v1 (1111111111), v2 (2222222222)
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA

    too short
    no host knows a release "11": v1 (1111111111), v2 (2222222222)
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA

    the one that was rolled back from
    can't roll back to v2 (2222222222): it was never proven live, or was rolled back from
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA

    one that never served
    can't roll back to v7 (7777777777): it was never proven live, or was rolled back from; there is v1 (1111111111) on web2
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA

    two that can't be
    web1: nothing to roll back to: v2 (2222222222) in slot b isn't older than what is live: it was rolled back from, or never served; v3 (3333333333) in slot c never served
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA

    nothing is known
    no host knows a release "v1": there is none to go back to
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA

    no remote to prepare it from
    there is nowhere to fetch from: `scm` isn't set, and the checkout has no remote "origin"
      hint: set `scm` in buedafab.toml to the URL of the git remote
    "#);
}

const OLD: &str = "service = \"systemd:five-old\"\nshared_files = [\"old.conf\"]\nvariables = { OLD = \"1\", BOTH = \"1\" }\n\
    [hooks]\nbefore_prepare = \"prepare old\"\nbuild = \"build old\"\ncheck = \"check old\"\nbefore_switch = \"leave old\"\n\
    after_switch = \"enter old\"\nverify = \"verify old\"\nafter_finish = \"end old\"";
const NEW: &str = "service = \"systemd:five-new\"\nshared_files = [\"new.conf\"]\nvariables = { NEW = \"1\", BOTH = \"2\" }\n\
    [hooks]\nbefore_prepare = \"prepare new\"\nbuild = \"build new\"\ncheck = \"check new\"\nbefore_switch = \"leave new\"\n\
    after_switch = \"enter new\"\nverify = \"verify new\"\nafter_finish = \"end new\"";

/// Release 1 in slot a was prepared with the old configuration, release 2 in slot b with the new one.
fn with_kept(host: Seen) -> Seen {
    host.change(|facts| facts.resolved = vec![kept(OLD, "a", 1), kept(NEW, "b", 2)])
}

#[test]
fn a_rollback_runs_the_commands_of_the_release_that_it_goes_to() {
    assert_snapshot!(difference(&plain_rollback(), &check(plan_to(NEW, &[with_kept(second())], None, URL))), @"
    roll back to v1 (1111111111)
    -   note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    +   note: web1: v1 (1111111111) was given variables that aren't set any more: OLD
    +   note: web1: systemd:five-new came after v1 (1111111111), and is left as it is
    switch
    +     before_switch: leave old
    -     restart init:five
    +     restart systemd:five-old
    +     verify that systemd:five-old stays up for 2 s
    +     after_switch: enter old
    +     verify: verify old
    -     if it fails: restart init:five
    +     if it fails: restart systemd:five-new
    +     if it fails: verify that systemd:five-new stays up for 2 s
    finish
    +     after_finish: end old
    ");
    let words = ["note", "old", "new"];
    let overwritten = with_kept(
        bare().slot_with_former("a", SlotState::Failed, 9, Some(1)).slot("b", SlotState::Live, 2).link("b"),
    );
    assert_snapshot!(steps_with(plan_to(NEW, &[overwritten], None, URL), &words), @"
    note: web1: v1 (1111111111) has to be built again first: it was overwritten by a later attempt
    note: web1: v1 (1111111111) was given variables that aren't set any more: OLD
    note: web1: systemd:five-new came after v1 (1111111111), and is left as it is
    before_prepare: prepare old
    link what is shared into a: old.conf
    build: build old
    check: check old
    before_switch: leave old
    restart systemd:five-old
    verify that systemd:five-old stays up for 2 s
    after_switch: enter old
    verify: verify old
    if it fails: restart systemd:five-new
    if it fails: verify that systemd:five-new stays up for 2 s
    if it fails: note in the journal: reverted
    note in the journal: rolled back
    after_finish: end old
    ");
    // A host that never had it learns from another what it was prepared with.
    let hosts = [with_kept(second()), joined_later()];
    assert_snapshot!(steps_with(plan_to(NEW, &hosts, Some("v1"), URL), &["note", "old", "new", "keep what"]), @"
    note: web1, web2: v1 (1111111111) was given variables that aren't set any more: OLD
    note: web1, web2: systemd:five-new came after v1 (1111111111), and is left as it is
    note: web2: v1 (1111111111) was never live here: it is prepared first, from the remote
    verify that a holds 1111111111, unchanged
    before_prepare: prepare old
    link what is shared into b: old.conf
    build: build old
    check: check old
    keep what 1111111111 is built and run with
    before_switch: leave old
    restart systemd:five-old
    verify that systemd:five-old stays up for 2 s
    after_switch: enter old
    verify: verify old
    if it fails: restart systemd:five-new
    if it fails: verify that systemd:five-new stays up for 2 s
    if it fails: note in the journal: reverted
    before_switch: leave old
    restart systemd:five-old
    verify that systemd:five-old stays up for 2 s
    after_switch: enter old
    verify: verify old
    if it fails: restart systemd:five-new
    if it fails: verify that systemd:five-new stays up for 2 s
    if it fails: note in the journal: reverted
    note which hosts there are
    note in the journal: rolled back
    after_finish: end old
    note which hosts there are
    note in the journal: rolled back
    after_finish: end old
    ");
    // An older version of the program kept nothing.
    assert_snapshot!(steps_with(plan_to(NEW, &[second()], None, URL), &words), @"
    note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    verify that a holds 1111111111, unchanged
    before_switch: leave new
    restart systemd:five-new
    verify that systemd:five-new stays up for 2 s
    after_switch: enter new
    verify: verify new
    if it fails: restart systemd:five-new
    if it fails: verify that systemd:five-new stays up for 2 s
    if it fails: note in the journal: reverted
    note in the journal: rolled back
    after_finish: end new
    ");
}

#[test]
fn the_way_back_of_a_deploy_restarts_what_served_by_its_own_commands() {
    let settings = fleet(NEW, 1);
    let hosts = [live().change(|facts| facts.resolved = vec![kept(OLD, "a", 1)])];
    let plan = plan_deploy(&settings, &run(60), &request(2), &seen(&settings, &hosts));
    assert_snapshot!(steps_with(plan, &["if it fails", "keep what", "old", "new"]), @"
    before_prepare: prepare new
    link what is shared into b: new.conf
    build: build new
    check: check new
    keep what 2222222222 is built and run with
    before_switch: leave new
    restart systemd:five-new
    verify that systemd:five-new stays up for 2 s
    after_switch: enter new
    verify: verify new
    if it fails: switch the link to a
    if it fails: restart systemd:five-old
    if it fails: restart systemd:five-new
    if it fails: verify that systemd:five-new and systemd:five-old stay up for 2 s
    if it fails: mark b as failed
    if it fails: note in the journal: reverted
    after_finish: end new
    ");
}

/// Variables hold secrets now and then; what is kept has only their names.
#[test]
fn what_is_kept() {
    let kept = kept(OLD, "a", 1);
    let text = serde_json::to_string(&kept).expect("plain data");
    assert_snapshot!(text, @r#"{"commit":"1111111111111111111111111111111111111111","slot":"a","recipe":"generic","steps":{},"collectstatic":"every-host","extra_fixtures":[],"syncdb":false,"hooks":{"before_prepare":["prepare old"],"build":["build old"],"check":["check old"],"once":[],"before_switch":["leave old"],"restart":[],"after_switch":["enter old"],"verify":["verify old"],"after_finish":["end old"]},"service":"systemd:five-old","services":[],"settle_seconds":2,"health":null,"shared_files":["old.conf"],"shared_dirs":[],"crontab":null,"python":"python3","installer":"auto","pip_options":[],"pip_requirements":[],"pip_constraints":[],"package_installation_scripts":[],"variables":["BOTH","OLD"]}"#);
    assert_eq!(serde_json::from_str::<ResolvedRelease>(&text).expect("it can be read back"), kept);
}

/// What no slot holds or remembers any more is taken away, and nothing else.
#[test]
fn what_is_kept_goes_with_its_release() {
    let prunes = |host: Seen| {
        let settings = fleet("", 1);
        let hosts = [host];
        let plan = plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &hosts));
        steps_with(plan, &["remove what"])
    };
    let kept_of = |host: Seen, numbers: &[u8]| {
        host.change(|facts| facts.resolved = numbers.iter().map(|number| kept("", "a", *number)).collect())
    };
    assert_eq!(prunes(kept_of(live(), &[1])), "");
    assert_eq!(prunes(kept_of(second(), &[1, 2])), "remove what was kept of releases that no slot holds");
    let former = live().slot_with_former("c", SlotState::Failed, 9, Some(4));
    assert_eq!(prunes(kept_of(former, &[1, 4])), "");
}

#[test]
fn no_migration_is_undone_that_could_not_be_shown_before() {
    let told = |hosts: &[Seen], migrations: Option<UnknownMigrations>| {
        let settings = fleet("recipe = \"django\"", hosts.len());
        let hosts: Vec<Seen> = hosts
            .iter()
            .map(|host| host.clone().change(|facts| facts.migrations = migrations.clone()))
            .collect();
        let request =
            RollbackRequest { to: Some("v1".to_owned()), ..RollbackRequest::new(URL, Schema::Reverse) };
        check(plan_rollback(&settings, &run(60), &request, &seen(&settings, &hosts)))
    };
    let lasting =
        UnknownMigrations::Lasting(vec!["shop.fill can't be undone: Raw Python operation".to_owned()]);
    assert_snapshot!(told(&[second()], Some(lasting)), @"
    migrations that v1 (1111111111) doesn't know can't be undone: shop.fill can't be undone: Raw Python operation
      hint: undo them by hand first (manage -- migrate APP NAME); or leave them, where the older release can live with them: --keep-schema
    ");
    let silent = UnknownMigrations::Silent("ImportError: no".to_owned());
    assert_snapshot!(told(&[second()], Some(silent)), @"
    web1 can't say which migrations would be undone, and what would be lost: ImportError: no
      hint: undo them by hand first (manage -- migrate APP NAME); or leave them, where the older release can live with them: --keep-schema
    ");
    // The first host has to build the release before it knows what that knows.
    assert_snapshot!(told(&[joined_later(), second()], None), @"
    web1 can't say which migrations would be undone, and what would be lost: v1 (1111111111) has to be built first
      hint: undo them by hand first (manage -- migrate APP NAME); or leave them, where the older release can live with them: --keep-schema
    ");
    // Nothing to undo by now: it is looked for again once nobody else can change that.
    let shown = told(&[second()], Some(UnknownMigrations::These(Vec::new())));
    assert!(shown.contains("look for migrations that a doesn't know") && !shown.contains("undo"), "{shown}");
}

#[test]
fn a_release_whose_python_is_gone_is_built_again_before_anything_switches() {
    let gone = || {
        second().change(|facts| {
            facts.slots.get_mut(&SlotName::new("a").expect("a slot")).expect("it is there").python_is_gone =
                true;
        })
    };
    let plan = plan_to("recipe = \"wsgi\"\npip_requirements = [\"requirements.txt\"]", &[gone()], None, URL);
    assert_snapshot!(steps_with(plan, &["gone", "virtualenv", "switch", "build"]), @"
    note: web1: v1 (1111111111) has to be built again first: the Python of its virtualenv is gone
    bring the virtualenv of a up to date
    switch
    switch the link to a
    if it fails: switch the link to b
    ");
}
