//! Plans that make a release live.

use buedafab_model::planner::look_script;
use buedafab_model::shell::inspect::Scope;

use super::*;

#[test]
fn a_deploy() {
    assert_snapshot!(plain_deploy(), @"
    deploy v3 (3333333333)
      web1  v2 (2222222222)  → v3 (3333333333) in slot a
      if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then

    lock
      on web1
        take the lock
        check that nothing changed since the look

    prepare
      on web1
        mark a as being built for v3 (3333333333)
        fetch 3333333333 into a
        check out 3333333333 in a
        keep what 3333333333 is built and run with
        mark a as ready

    switch
      on web1
        switch the link to a
        restart init:five
        if it fails: switch the link to b
        if it fails: restart init:five
        if it fails: mark a as failed
        if it fails: note in the journal: reverted

    finish
      on web1
        mark a as live
        keep b for a rollback to v2 (2222222222)
        note in the journal: deployed
    ");
    assert_snapshot!(difference(&plain_deploy(), &deploy("", &[second(), second()], 3)), @"
    deploy v3 (3333333333)
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web2  v2 (2222222222)  → v3 (3333333333) in slot a
    +   if it fails: web1, web2 can be rolled back to v1 (1111111111), which has to be built again then
    lock
    -   on web1
    +   on web1, web2
    prepare
    -   on web1
    +   on web1, web2
    switch
    -   on web1
    +   on web1, web2
    finish
    -   on web1
    +   on web1, web2
    +     note which hosts there are
    ");
}

#[test]
fn a_first_deploy() {
    assert_snapshot!(difference(&plain_deploy(), &deploy("", &[bare()], 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  nothing live  → v3 (3333333333) in slot a
    lock
    +     create the app's folders
    switch
    -     if it fails: switch the link to b
    -     if it fails: restart init:five
    +     if it fails: remove the link
    finish
    -     keep b for a rollback to v2 (2222222222)
    ");
}

#[test]
fn a_deploy_with_hooks_at_every_point() {
    let text = "service = \"none\"\n[hooks]\nbefore_prepare = \"df\"\nbuild = [\"uv sync\", \"make\"]\ncheck = \"make test\"\n\
        once = \"env/bin/python manage.py migrate\"\nbefore_switch = \"warm up\"\nrestart = \"sudo systemctl restart five\"\n\
        after_switch = \"touch it\"\nverify = \"curl -f localhost\"\nafter_finish = \"tell them\"\n";
    assert_snapshot!(difference(&plain_deploy(), &deploy(text, &[second()], 3)), @"
    prepare
    +     before_prepare: df
    +     build: uv sync
    +     build: make
    +     check: make test
    + once
    +   on web1
    +     once: env/bin/python manage.py migrate
    + 
    switch
    +     before_switch: warm up
    -     restart init:five
    +     restart: sudo systemctl restart five
    +     after_switch: touch it
    +     verify: curl -f localhost
    -     if it fails: restart init:five
    +     if it fails: restart: sudo systemctl restart five
    finish
    +     after_finish: tell them
    ");
}

#[test]
fn without_a_service_nothing_is_restarted() {
    assert_snapshot!(difference(&plain_deploy(), &deploy("service = \"none\"", &[second()], 3)), @"
    switch
    -     restart init:five
    -     if it fails: restart init:five
    ");
}

#[test]
fn what_is_live_already_stays() {
    assert_snapshot!(deploy("", &[second(), second()], 2), @r#"
    nothing to do
      web1  v2 (2222222222)  stays as it is
      web2  v2 (2222222222)  stays as it is
      note: web1, web2: v2 (2222222222) is live already
    "#);
}

#[test]
fn one_host_is_behind() {
    let ahead = bare().slot("a", SlotState::Live, 3).slot("b", SlotState::Retired, 2).link("a");
    assert_snapshot!(difference(&plain_deploy(), &deploy("", &[ahead, second()], 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  v3 (3333333333)  stays as it is
    +   web2  v2 (2222222222)  → v3 (3333333333) in slot a
    +   note: web1: v3 (3333333333) is live already
    +   if it fails: web2 can be rolled back to v1 (1111111111), which has to be built again then
    lock
    -   on web1
    +   on web2
    prepare
    -   on web1
    +   on web2
    switch
    -   on web1
    +   on web2
    finish
    -   on web1
    +   on web2
    +     note which hosts there are
    ");
}

#[test]
fn a_forced_deploy_of_what_is_live() {
    let there = bare().slot("a", SlotState::Retired, 2).slot("b", SlotState::Live, 3).link("b");
    assert_snapshot!(difference(&plain_deploy(), &deploy_as("", &[there], &DeployRequest { force: true, ..request(3) })), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  v3 (3333333333)  → v3 (3333333333) in slot a
    +   if it fails: web1 can be rolled back to v2 (2222222222), which has to be built again then
    finish
    -     keep b for a rollback to v2 (2222222222)
    +     keep b for a rollback to v3 (3333333333)
    ");
}

#[test]
fn what_is_live_but_was_never_confirmed_is_deployed_again() {
    let unconfirmed =
        bare().slot("a", SlotState::Live, 1).slot_with_former("b", SlotState::Ready, 3, None).link("b");
    assert_snapshot!(difference(&plain_deploy(), &deploy("", std::slice::from_ref(&unconfirmed), 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    +   web1  v3 (3333333333)  → v3 (3333333333) in slot a
    +   note: web1: the run that switched to what is live never confirmed it
    finish
    -     keep b for a rollback to v2 (2222222222)
    ");
    assert_snapshot!(difference(&plain_rollback(), &rollback("", &[unconfirmed])), @"
    roll back to v1 (1111111111)
    -   web1  v2 (2222222222)  → v1 (1111111111) in slot a
    +   web1  v3 (3333333333)  → v1 (1111111111) in slot a
    +   note: web1: the run that switched to what is live never confirmed it
    finish
    -     mark b as ready
    ");
}

#[test]
fn a_group_of_deployers() {
    let settings = fleet("deploy_group = \"www\"", 1);
    let hosts = [bare()];
    let plan = plan_deploy(&settings, &run(60), &request(1), &seen(&settings, &hosts)).expect("a plan");
    assert_sound(&plan);
    let shown = show_plan(&plan, Detail::Shell);
    let of_the_group = |line: &&str| ["www", "g+", "umask"].iter().any(|word| line.contains(word));
    assert_snapshot!(shown.lines().filter(of_the_group).collect::<Vec<_>>().join("\n"), @r#"
    on hosts, all of it with umask 002
          $ find /var/webapps/five /var/webapps/five/releases /var/webapps/five/shared /var/webapps/five/.buedafab /var/webapps/five/.buedafab/slots -prune -user "$(id -u)" -exec chgrp www {} + || exit
          $ find /var/webapps/five /var/webapps/five/releases /var/webapps/five/shared /var/webapps/five/.buedafab /var/webapps/five/.buedafab/slots -prune -user "$(id -u)" -exec chmod g+rwxs {} + || exit
          $ twice find /var/webapps/five/.buedafab -xdev -user "$(id -u)" ! -type l ! -group www -exec chgrp www {} + &&
          $ twice find /var/webapps/five/.buedafab -xdev -user "$(id -u)" -type d ! -perm -2070 -exec chmod g+rwxs {} + &&
          $ twice find /var/webapps/five/.buedafab -xdev -user "$(id -u)" -type f -perm -040 ! -perm -020 -exec chmod g+w {} + || return
          $ twice find /var/webapps/five/.buedafab \( -name aside -o -name uv-cache \) -prune -o -user "$(id -u)" -type f ! -perm -060 -exec chmod g+rw {} +
          $ if [ -g /var/webapps/five/.buedafab/releases/1111111111111111111111111111111111111111 ]; then umask 007; else umask 077; fi
        give all of a to the group www
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" ! -type l ! -group www -exec chgrp www {} + &&
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" -type d ! -perm -2070 -exec chmod g+rwxs {} + &&
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" -type f -perm -040 ! -perm -020 -exec chmod g+w {} +
        give all of a to the group www
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" ! -type l ! -group www -exec chgrp www {} + &&
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" -type d ! -perm -2070 -exec chmod g+rwxs {} + &&
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" -type f -perm -040 ! -perm -020 -exec chmod g+w {} +
    "#);
}

#[test]
fn submodules_are_fetched_where_a_release_has_them() {
    let text = "forward_agent = true\nscm_known_hosts = [\"git.example.com ssh-ed25519 AAAA\"]";
    let mut request = request(3);
    request.release.submodules = true;
    let shown = deploy_as(text, &[second()], &request);
    let prepare =
        &shown[shown.find("\nprepare").expect("there is one")..shown.find("\nswitch").expect("there is one")];
    assert_snapshot!(prepare, @r#"
    prepare
      on web1
        mark a as being built for v3 (3333333333)
        fetch 3333333333 into a
        check out 3333333333 in a
        fetch the submodules of a
        keep what 3333333333 is built and run with
        mark a as ready
    "#);
}

#[test]
fn a_release_that_tells_visitors_itself_is_told_before_it_serves() {
    let settings = fleet("maintenance = \"setting\"\nservice = \"systemd:five\"", 1);
    let told = |plan: Result<Plan, Vec<Refusal>>| {
        let shown = check(plan);
        let steps =
            ["set MAINT", "switch the link", "restart", "verify", "check out", "take the lock", "note"];
        let lines = shown.lines().map(str::trim_start);
        lines.filter(|line| steps.iter().any(|step| line.starts_with(step))).collect::<Vec<_>>().join("\n")
    };
    let record = MaintenanceRecord {
        at: run(1).at,
        by: "ada@laptop".to_owned(),
        message: Some("moving".to_owned()),
        until: None,
    };
    let hosts = [second().change(|facts| facts.maintenance = Some(record))];
    assert_snapshot!(told(plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &hosts))), @"
    note: web1: in maintenance, says ada@laptop: `maintenance off` ends it
    take the lock
    set MAINTENANCE_MODE = False in settings.py of a
    check out 3333333333 in a
    set MAINTENANCE_MODE = True in settings.py of a
    switch the link to a
    restart systemd:five
    verify that systemd:five stays up for 2 s
    note in the journal: deployed
    ");
    assert_snapshot!(told(plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, Schema::Refuse), &seen(&settings, &hosts))), @"
    note: web1: in maintenance, says ada@laptop: `maintenance off` ends it
    note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    take the lock
    set MAINTENANCE_MODE = False in settings.py of a
    verify that a holds 1111111111, unchanged
    set MAINTENANCE_MODE = True in settings.py of a
    switch the link to a
    restart systemd:five
    verify that systemd:five stays up for 2 s
    note in the journal: rolled back
    ");
    assert_snapshot!(told(plan_maintenance(&settings, &run(60), None, &seen(&settings, &hosts))), @"
    take the lock
    set MAINTENANCE_MODE = False in settings.py of b
    restart systemd:five
    note in the journal: maintenance off
    ");
    let bare = [bare()];
    assert_snapshot!(check(plan_maintenance(&settings, &run(60), None, &seen(&settings, &bare))), @"
    web1: no release is live
      hint: deploy first
    ");
}

/// Where nothing of the app has changed, a host stays as it is; what isn't well there is started again.
#[test]
fn what_has_not_changed_stays() {
    let text = "skip_unless_changed = [\"backend\", \"libs\"]\nservice = \"systemd:five\"";
    let same = DeployRequest { same: vec![release(1).commit], ..request(2) };
    let first = || bare().slot("a", SlotState::Live, 1).link("a");
    let down = || {
        first().change(|facts| {
            let mut unit = UnitFacts::default();
            (unit.name, unit.is_loaded, unit.state) = ("five".to_owned(), true, "failed".to_owned());
            facts.running.units = vec![unit];
        })
    };
    let told = |hosts: &[Seen], request: &DeployRequest| {
        let settings = fleet(text, hosts.len());
        let plan = plan_deploy(&settings, &run(60), request, &seen(&settings, hosts)).expect("a plan");
        show_plan(&plan, Detail::Changes)
    };
    assert_snapshot!(told(&[first(), bare().slot("a", SlotState::Live, 3).link("a")], &same), @"
    web1  v1 (1111111111)  stays as it is
    web2  v3 (3333333333)  → v2 (2222222222) in slot b
    note: web1: nothing in backend, libs has changed since v1 (1111111111), which stays live
    ");
    assert_snapshot!(told(&[first(), first()], &same), @"
    web1  v1 (1111111111)  stays as it is
    web2  v1 (1111111111)  stays as it is
    note: web1, web2: nothing in backend, libs has changed since v1 (1111111111), which stays live
    ");
    assert_snapshot!(told(&[down(), first()], &same), @"
    note: web1: five doesn't run: it is failed; `deploy` starts it again, and so does `restart`
    note: web2: nothing in backend, libs has changed since v1 (1111111111), which stays live
    note: web1: nothing in backend, libs has changed since v1 (1111111111), which stays live, and its app is started again
    ");
    assert_snapshot!(told(&[first()], &DeployRequest { force: true, ..same.clone() }), @"  web1  v1 (1111111111)  → v2 (2222222222) in slot b");
}

/// A look asks the app as a deploy does.
#[test]
fn a_look_finds_the_variables_of_the_apps_commands() {
    let settings = fleet("[health]\ncommand = \"ask $BUEDAFAB_HOST\"", 1);
    let script = look_script(&settings, &settings.hosts[0], Scope::Full);
    for variable in
        ["BUEDAFAB_HOST='web1'", "BUEDAFAB_ROLES='web'", "BUEDAFAB_UNIT='five'", "BUEDAFAB_ENVIRONMENT="]
    {
        assert!(
            script.contains(variable) || script.contains(&variable.replace('\'', "")),
            "no {variable} in {script}"
        );
    }
}
