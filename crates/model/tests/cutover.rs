//! Plans of how a service's connections come to the next release.

mod common;

use buedafab_model::app::service_file::ServiceFile;
use buedafab_model::config::Settings;
use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::record::SlotState;
use buedafab_model::plan::action::{Action, Schema, ServiceAction};
use buedafab_model::planner::look_script;
use buedafab_model::planner::{RollbackRequest, plan_deploy, plan_restart, plan_rollback};
use buedafab_model::shell::inspect::Scope;
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;

use common::{Seen, URL, assert_sound, bare, live, request, run, seen, settings};

/// The app with a worker and a web service.
fn five(web: &str) -> Settings {
    settings(&format!(
        "unit = \"five\"\nservice = \"none\"\n[services.worker]\ncommand = \"work\"\n[services.web]\n{web}\n\
         [health]\nhttp = \"/healthz\"\n[environments.production]\nhosts = [\"web1\"]\n"
    ))
}

const SIDE_BY_SIDE: &str = "command = 'serve \"$SOCKET\"'\ncutover = \"socket\"";
const BEHIND: &str = "command = 'serve'\ncutover = \"restart\"";

/// The steps of a plan but those that fill a slot.
fn steps(shown: &str) -> String {
    let about = [
        "on web1",
        "prepare",
        "switch",
        "finish",
        "work",
        "link",
        "start",
        "stop",
        "restart",
        "ask",
        "point",
        "install",
        "have",
        "verify",
        "confirm",
        "write",
        "if it fails",
        "arm",
        "remove",
    ];
    let is_about = |line: &&str| about.iter().any(|word| line.trim_start().starts_with(word));
    shown.lines().filter(is_about).collect::<Vec<_>>().join("\n")
}

fn deploy(settings: &Settings, host: &Seen) -> String {
    let plan = plan_deploy(settings, &run(60), &request(3), &seen(settings, std::slice::from_ref(host)))
        .expect("a plan");
    assert_sound(&plan);
    steps(&show_plan(&plan, Detail::Steps))
}

/// What a slot has of its own, and whether that is up.
fn runs(seen: Seen, slot: &str, state: &str) -> Seen {
    seen.change(|facts: &mut HostFacts| {
        facts.running.read_units(&format!("Id=five-web@{slot}.service\nActiveState={state}\n"));
        facts.running.read_instances("five-web@\n");
    })
}

#[test]
fn side_by_side_the_new_one_is_well_before_the_link_moves() {
    let settings = five(SIDE_BY_SIDE);
    let host = runs(live(), "a", "active");
    assert_snapshot!(deploy(&settings, &host), @"
      on web1
    prepare
      on web1
        link run/app.sock to /run/five-web/b.sock
        write and check five-worker.service, five-web.service, five-web@b.service, b …
        have the host put back at boot a switch that was cut short
    switch
      on web1
        install and start systemd:five-web@b, unless it runs
        ask whether the app is well: /healthz at /run/five-web/b.sock
        switch the link to b
        install and restart systemd:five-worker
        have systemd:five-web start the live slot at boot
        verify that systemd:five-worker and systemd:five-web@b stay up for 2 s
        ask whether the app is well: /healthz at run/app.sock
        if it fails: switch the link to a
        if it fails: install and start systemd:five-web@a, unless it runs
        if it fails: have systemd:five-web start the live slot at boot
        if it fails: install and restart systemd:five-worker
        if it fails: verify that systemd:five-worker and systemd:five-web@a stay up for 2 s
        if it fails: ask whether the app is well: /healthz at run/app.sock
        if it fails: stop systemd:five-web@b
        if it fails: mark b as failed
        if it fails: note in the journal: reverted
    finish
      on web1
        stop systemd:five-web@a
        remove what was kept of releases that no slot holds
    ");
}

#[test]
fn systemd_holds_the_socket_while_a_service_restarts() {
    assert_snapshot!(deploy(&five(BEHIND), &live()), @"
      on web1
    prepare
      on web1
        link run/app.sock to /run/five-web/five-web.sock
        write and check five-worker.service, five-web.socket, five-web.service, bued …
        have the host put back at boot a switch that was cut short
    switch
      on web1
        switch the link to b
        install and restart systemd:five-worker
        install and restart systemd:five-web
        verify that systemd:five-worker and systemd:five-web stay up for 2 s
        ask whether the app is well: /healthz at run/app.sock
        if it fails: switch the link to a
        if it fails: install and restart systemd:five-web
        if it fails: install and restart systemd:five-worker
        if it fails: verify that systemd:five-worker and systemd:five-web stay up for 2 s
        if it fails: ask whether the app is well: /healthz at run/app.sock
        if it fails: mark b as failed
        if it fails: note in the journal: reverted
    finish
      on web1
        remove what was kept of releases that no slot holds
    ");
}

#[test]
fn what_a_slot_still_runs_is_stopped_before_it_is_filled() {
    let settings = five(SIDE_BY_SIDE);
    let host = bare().slot("a", SlotState::Live, 1).slot("b", SlotState::Retired, 2).link("a");
    let host = runs(runs(host, "a", "active"), "b", "active");
    let shown = deploy(&settings, &host);
    let prepare = shown.lines().skip_while(|line| *line != "prepare").take_while(|line| *line != "switch");
    assert_snapshot!(prepare.collect::<Vec<_>>().join("\n"), @"
    prepare
      on web1
        stop systemd:five-web@b
        link run/app.sock to /run/five-web/b.sock
        write and check five-worker.service, five-web.service, five-web@b.service, b …
        have the host put back at boot a switch that was cut short
    ");
}

#[test]
fn what_is_kept_warm_is_only_switched_to() {
    let settings = five(&format!("{SIDE_BY_SIDE}\nkeep_warm_instance = true"));
    let host = bare().slot("a", SlotState::Live, 2).slot("b", SlotState::Retired, 1).link("a");
    let host = runs(runs(host, "a", "active"), "b", "active");
    let request = RollbackRequest::new(URL, Schema::Refuse);
    let plan = plan_rollback(&settings, &run(60), &request, &seen(&settings, &[host])).expect("a plan");
    assert_sound(&plan);
    assert_snapshot!(steps(&show_plan(&plan, Detail::Steps)), @"
      on web1
    prepare
      on web1
        verify that b holds 1111111111, unchanged
        link run/app.sock to /run/five-web/b.sock
        have the host put back at boot a switch that was cut short
    switch
      on web1
        install and start systemd:five-web@b, unless it runs
        ask whether the app is well: /healthz at /run/five-web/b.sock
        switch the link to b
        have systemd:five-web start the live slot at boot
        install and restart systemd:five-worker
        verify that systemd:five-worker and systemd:five-web@b stay up for 2 s
        ask whether the app is well: /healthz at run/app.sock
        if it fails: switch the link to a
        if it fails: install and start systemd:five-web@a, unless it runs
        if it fails: install and restart systemd:five-worker
        if it fails: have systemd:five-web start the live slot at boot
        if it fails: verify that systemd:five-worker and systemd:five-web@a stay up for 2 s
        if it fails: ask whether the app is well: /healthz at run/app.sock
        if it fails: stop systemd:five-web@b
        if it fails: mark b as failed
        if it fails: note in the journal: reverted
    finish
      on web1
        stop systemd:five-web@a
        remove what was kept of releases that no slot holds
    ");
}

#[test]
fn a_restart_is_one_of_what_is_live() {
    let settings = five(SIDE_BY_SIDE);
    let host = runs(live(), "a", "active");
    let plan = plan_restart(&settings, &run(60), &seen(&settings, &[host])).expect("a plan");
    assert_snapshot!(steps(&show_plan(&plan, Detail::Steps)), @"
    work
      on web1
        install and restart systemd:five-worker
        install and restart systemd:five-web@a
        have systemd:five-web start the live slot at boot
        verify that systemd:five-worker and systemd:five-web@a stay up for 2 s
        ask whether the app is well: /healthz at run/app.sock
    ");
}

#[test]
fn the_look_asks_for_all_that_slots_have_of_their_own() {
    let settings = five(SIDE_BY_SIDE);
    let script = look_script(&settings, &settings.hosts[0], Scope::Full);
    assert!(script.contains("'five-web@*'"), "{script}");
}

/// The unit files of a release in slot b.
fn files(settings: &Settings) -> String {
    let plan = plan_deploy(settings, &run(60), &request(3), &seen(settings, &[live()])).expect("a plan");
    let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
    let mut files = steps.filter_map(|step| match &step.action {
        Action::Service(ServiceAction::ServiceFiles { files, .. }) => Some(files),
        _ => None,
    });
    let files = files.next().expect("there are some").iter();
    let ours = files.filter(|file| !file.path.as_str().contains("worker"));
    let words = |file: &ServiceFile| {
        let text: Vec<&str> = file.text.lines().filter(|line| !line.starts_with('#')).collect();
        format!("==> {} <==\n{}\n", file.path, text.join("\n"))
    };
    ours.map(words).collect()
}

#[test]
fn units_that_take_connections() {
    assert_snapshot!(files(&five(SIDE_BY_SIDE)), @r#"
    ==> /etc/systemd/system/five-web.service <==
    [Unit]
    Description=five: starts web in the live slot (production)
    After=network.target

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=/bin/sh -c "exec systemctl start --no-block five-web@$$(basename \"$$(readlink /var/webapps/five/releases/current)\").service"
    ExecStop=/bin/sh -c "exec systemctl stop 'five-web@*.service'"
    TimeoutStopSec=100

    [Install]
    WantedBy=multi-user.target
    ==> /etc/systemd/system/five-web@b.service <==
    [Unit]
    Description=five: web (production)
    After=network.target
    StartLimitIntervalSec=0

    [Service]
    Type=exec
    User=deploy
    WorkingDirectory=/var/webapps/five/releases/b
    Environment="DEPLOYMENT_TYPE=PRODUCTION"
    Environment="SOCKET=/run/five-web/b.sock"
    RuntimeDirectory=five-web
    RuntimeDirectoryPreserve=yes
    ExecStartPre=/bin/rm -f /run/five-web/b.sock
    ExecStartPost=/bin/sh -c 'until [ -S "$$SOCKET" ]; do kill -0 "$$MAINPID" || exit; sleep 0.05; done; chmod 0666 "$$SOCKET"'
    TimeoutStartSec=infinity
    ExecStart=/bin/sh -c "cd -P . && exec serve \"$$SOCKET\""
    ExecReload=/bin/kill -HUP $MAINPID
    KillMode=mixed
    TimeoutStopSec=90
    SyslogIdentifier=%N
    Restart=always
    RestartSec=1
    ==> /etc/systemd/system/buedafab-five.service <==
    [Unit]
    Description=five: puts back a switch that was cut short (production)
    ConditionPathExists=/var/webapps/five/.buedafab/pending.json
    RequiresMountsFor=/var/webapps/five
    Before=five-worker.service five-web.service

    [Service]
    Type=oneshot
    User=deploy
    Environment=at_boot=yes
    ExecStart=/usr/bin/flock -n "/var/webapps/five/.buedafab/lock" /bin/sh "/var/webapps/five/.buedafab/back.sh"
    TimeoutStartSec=60
    SyslogIdentifier=%N

    [Install]
    WantedBy=multi-user.target
    "#);
    assert_snapshot!(files(&five(BEHIND)), @r#"
    ==> /etc/systemd/system/five-web.socket <==
    [Unit]
    Description=five: socket of web (production)

    [Socket]
    ListenStream=/run/five-web/five-web.sock
    SocketMode=0666
    Backlog=2048
    TriggerLimitIntervalSec=0

    [Install]
    WantedBy=sockets.target
    ==> /etc/systemd/system/five-web.service <==
    [Unit]
    Description=five: web (production)
    After=network.target
    Requires=five-web.socket
    After=five-web.socket
    StartLimitIntervalSec=0

    [Service]
    Type=exec
    User=deploy
    WorkingDirectory=/var/webapps/five/releases/current
    Environment="DEPLOYMENT_TYPE=PRODUCTION"
    Environment="SOCKET=/run/five-web/five-web.sock"
    ExecStart=/bin/sh -c "cd -P . && exec serve"
    ExecReload=/bin/kill -HUP $MAINPID
    KillMode=mixed
    TimeoutStopSec=90
    SyslogIdentifier=%N
    Restart=always
    RestartSec=1

    [Install]
    WantedBy=multi-user.target
    ==> /etc/systemd/system/buedafab-five.service <==
    [Unit]
    Description=five: puts back a switch that was cut short (production)
    ConditionPathExists=/var/webapps/five/.buedafab/pending.json
    RequiresMountsFor=/var/webapps/five
    Before=five-worker.service five-web.service

    [Service]
    Type=oneshot
    User=deploy
    Environment=at_boot=yes
    ExecStart=/usr/bin/flock -n "/var/webapps/five/.buedafab/lock" /bin/sh "/var/webapps/five/.buedafab/back.sh"
    TimeoutStartSec=60
    SyslogIdentifier=%N

    [Install]
    WantedBy=multi-user.target
    "#);
}

#[test]
fn a_rollback_is_rehearsed_beside_what_serves() {
    let settings = five(SIDE_BY_SIDE);
    let host = bare().slot("a", SlotState::Live, 2).slot("b", SlotState::Retired, 1).link("a");
    let host = runs(host, "a", "active");
    let request = RollbackRequest { rehearse: true, ..RollbackRequest::new(URL, Schema::Refuse) };
    let plan = plan_rollback(&settings, &run(60), &request, &seen(&settings, std::slice::from_ref(&host)))
        .expect("a plan");
    assert_sound(&plan);
    assert_snapshot!(format!("{}\n{}", plan.headline(), steps(&show_plan(&plan, Detail::Steps))), @"
    rehearse the rollback to v1 (1111111111)
    work
      on web1
        verify that b holds 1111111111, unchanged
        install and start systemd:five-web@b, unless it runs
        ask whether the app is well: /healthz at /run/five-web/b.sock
        stop systemd:five-web@b
    ");
    // What is kept warm isn't stopped; what was left running by an accident is.
    let warm = runs(host.clone(), "b", "active");
    for (settings, stops) in
        [(&settings, true), (&five(&format!("{SIDE_BY_SIDE}\nkeep_warm_instance = true")), false)]
    {
        let plan = plan_rollback(settings, &run(60), &request, &seen(settings, std::slice::from_ref(&warm)));
        let shown = show_plan(&plan.expect("a plan"), Detail::Steps);
        assert_eq!(shown.contains("stop systemd"), stops, "{shown}");
    }
    let refused = |settings: &Settings, host: Seen| {
        let refusals =
            plan_rollback(settings, &run(60), &request, &seen(settings, &[host])).expect_err("refusals");
        refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(refused(&five(BEHIND), host), @"web1: the rollback can't be rehearsed: no service of v1 (1111111111) can run beside another release");
    let half =
        bare().slot("a", SlotState::Live, 2).slot_with_former("b", SlotState::Failed, 3, Some(1)).link("a");
    assert_snapshot!(refused(&settings, half), @"web1: the rollback can't be rehearsed: v1 (1111111111) would have to be built again");
}
