//! Several apps in one configuration.

use insta::assert_snapshot;

use super::*;
use crate::config::AppInEnvironment;

/// What each app comes to: its turn, its unit, and its hosts with their folders.
fn apps(text: &str) -> String {
    let production = EnvironmentName::new("production").expect("a plain word");
    let apps = parse("buedafab.toml", text).and_then(|file| file.apps_in(&production));
    let apps = apps.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let line = |app: &AppInEnvironment| {
        let AppInEnvironment { name, turn, settings } = app;
        let hosts =
            settings.hosts.iter().map(|host| format!("{} ({}) {}", host.name, host.machine(), host.path));
        format!("{turn} {name} = {}: {}", settings.app.unit, hosts.collect::<Vec<_>>().join(", "))
    };
    apps.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_app_has_a_unit_and_hosts_of_its_own() {
    assert_snapshot!(apps(r#"
        unit = "five"
        [apps.web]
        after = ["db", "api"]
        [apps.api]
        after = ["db"]
        unit = "api"
        roles = ["api", "web"]
        [apps.db]
        path = "/srv/{unit}"
        [environments.production]
        hosts = ["web1", { name = "api1", roles = ["api"] }]
        [environments.production.apps.db]
        hosts = ["db1"]
    "#), @"
    0 db = five-db: db1/db (db1) /srv/five-db
    1 api = api: web1/api (web1) /var/webapps/api, api1/api (api1) /var/webapps/api
    2 web = five-web: web1/web (web1) /var/webapps/five-web, api1/web (api1) /var/webapps/five-web
    ");
}

/// From the general to the special: the top level, the app, the environment, the app in that environment.
#[test]
fn what_is_special_goes_before_what_is_general() {
    let text = |layers: [bool; 4]| {
        let set =
            |at: usize, value: &str| if layers[at] { format!("keep = {value}\n") } else { String::new() };
        format!(
            "unit = \"five\"\nstrategy = \"timestamp\"\n{}[apps.web]\n{}[environments.production]\nhosts = [\"web1\"]\n{}\
             [environments.production.apps.web]\n{}",
            set(0, "2"),
            set(1, "3"),
            set(2, "4"),
            set(3, "6"),
        )
    };
    let production = EnvironmentName::new("production").expect("a plain word");
    for (layers, keep) in [
        ([true, false, false, false], 2),
        ([true, true, false, false], 3),
        ([true, true, true, false], 4),
        ([true; 4], 6),
    ] {
        let text = text(layers);
        let apps =
            parse("buedafab.toml", &text).and_then(|file| file.apps_in(&production)).expect("it is right");
        assert_eq!(apps[0].settings.layout.keep, Some(keep), "{text}");
    }
}

#[test]
fn mistakes() {
    let frame = "unit = \"five\"\n…\n[environments.production]\nhosts = [\"web1\"]\n";
    assert_snapshot!(told_of(frame, &[
        "apps = [\"web\"]",
        "[apps]\nweb = 1",
        "[apps.\"a b\"]",
        "[apps.web]\nafter = \"db\"",
        "[apps.web]\nafter = [\"bd\"]\n[apps.db]",
        "[apps.web]\nafter = [\"db\"]\n[apps.db]\nafter = [\"web\"]",
        "[apps.web]\nafter = [\"web\"]",
        "[apps.web]\nroles = [\"\"]",
        "[apps.web]\nhosts = [\"web1\"]",
        "[apps.web]\nrequire_tag = true\nscm = \"x\"\ndeploy_user = \"ada\"\n[apps.web.tasks.x]\nrun = \"x\"",
        "[apps.web]\n[apps.web.hooks.local]\nbefore = \"make\"\nbuild = \"make\"",
        "[apps.web]\nstratgy = \"ab\"",
        "[apps.web]\n[environments.staging.apps.wbe]\npath = \"/x\"",
        "[environments.staging.apps.web]\npath = \"/x\"",
    ]), @r#"
    apps = ["web"]
    ["web"] → `apps` takes tables; begin one with `[apps.web]`

    [apps]
    web = 1
    1 → the app `web` takes a table; write its settings below `[apps.web]`

    [apps."a b"]
    "a b" → "a b" can't be an app: only letters, digits, `_`, `-` and `.` may stand in it

    [apps.web]
    after = "db"
    "db" → `after` takes a list of names; put them in square brackets: `after = ["…"]`

    [apps.web]
    after = ["bd"]
    [apps.db]
    "bd" → no app `bd`; did you mean `db`?

    [apps.web]
    after = ["db"]
    [apps.db]
    after = ["web"]
    "db" → `web` would switch after itself; take one of them out of `after`
    "web" → `db` would switch after itself; take one of them out of `after`

    [apps.web]
    after = ["web"]
    "web" → `web` would switch after itself; take one of them out of `after`

    [apps.web]
    roles = [""]
    "" → "" can't be a role: it is empty

    [apps.web]
    hosts = ["web1"]
    hosts → `hosts` belongs to an environment; write it below `[environments.NAME.apps.web]`

    [apps.web]
    require_tag = true
    scm = "x"
    deploy_user = "ada"
    [apps.web.tasks.x]
    run = "x"
    require_tag → `require_tag` is the same for all apps; write it at the top level, or below `[environments.NAME]`
    scm → `scm` is the same for all apps; write it at the top level, or below `[environments.NAME]`
    deploy_user → `deploy_user` is the same for all apps; write it at the top level, or below `[environments.NAME]`
    tasks → `tasks` is the same for all apps; write it at the top level, or below `[environments.NAME]`

    [apps.web]
    [apps.web.hooks.local]
    before = "make"
    build = "make"
    before → the local hook `before` runs once, for all apps; write it below `[hooks.local]`
    "make" → nothing that is built on your own machine reaches a host by this `source`; write `source = "archive"`, or build on the hosts: `build` below `[hooks]`

    [apps.web]
    stratgy = "ab"
    stratgy → unknown setting `stratgy`; did you mean `strategy`?

    [apps.web]
    [environments.staging.apps.wbe]
    path = "/x"
    [environments.staging.apps.wbe] → no app `wbe`; did you mean `web`?

    [environments.staging.apps.web]
    path = "/x"
    [environments.staging.apps.web] → no app `web`; begin it with `[apps.web]`
    "#);
    let whole = |text: &str| {
        let production = EnvironmentName::new("production").expect("a plain word");
        let file =
            parse("buedafab.toml", &frame.replace('…', text)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        file.apps_in(&production).expect_err("two have the same").to_string()
    };
    assert_snapshot!(whole("[apps.web]\nunit = \"x\"\n[apps.api]\nunit = \"x\""), @"
    error: the apps `web` and `api` are both the unit `x`
    --> buedafab.toml
     = help: leave out the `unit` of one: it is named after `api` then
    ");
    assert_snapshot!(whole("path = \"/srv/five\"\n[apps.web]\n[apps.api]"), @"
    error: the apps `web` and `api` have the same folder /srv/five on web1
    --> buedafab.toml
     = help: let `{unit}` stand in `path`, or give each of them a `path` of its
             own
    ");
    assert_snapshot!(whole("path = \"/srv/{unit}\"\n[apps.web]\nunit = \"a\"\n[apps.api]\npath = \"/srv/a/api\""), @"
    error: the apps `web` and `api` lie in each other: /srv/a and /srv/a/api on web1
    --> buedafab.toml
     = help: give each of them a `path` beside the other's
    ");
    let both = "[services.worker]\nservice = \"systemd:worker\"\ncommand = \"env/bin/worker\"\n[apps.web]\n[apps.api]";
    assert_snapshot!(whole(both), @"
    error: the apps `web` and `api` would both install worker
    --> buedafab.toml
     = help: let `{unit}` stand in its `service`, or give each of them one of its
             own
    ");
}
