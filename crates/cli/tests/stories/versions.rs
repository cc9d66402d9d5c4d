//! What the app itself says it runs.

use buedafab_testkit::FleetOptions;

use super::stage::Stage;

/// The app is a web server on its host; told so by a file, it goes on with what it served before.
const SERVE: &str = r#"
[hooks]
restart = '''
cat version >../../served
[ ! -e /tmp/stubborn ] || exit 0
[ ! -e /tmp/pid ] || kill $(cat /tmp/pid)
cp version /tmp/version
setsid python3 -m http.server --bind ADDRESS --directory /tmp 8123 >/dev/null 2>&1 &
echo $! >/tmp/pid
'''
"#;

#[test]
fn the_app_has_to_say_that_it_runs_the_release() {
    let stage = Stage::with(FleetOptions::default());
    // All hosts share one network, so each app has its host's own loopback address.
    let address = stage.fleet.host("web1").address().ip().to_string();
    stage.configure(&format!(
        "unit = \"five\"\nversion_timeout_seconds = 2\nversion_url = \"http://{address}:8123/version\"\n{}\n[environments.production]\nhosts = [\"web1\"]\n",
        SERVE.replace("ADDRESS", &address)
    ));
    stage.production(&["deploy"], 0).says("serving now: one (");
    stage.production(&["status"], 0).says("the app says").says("one\n");
    stage.production(&["check"], 0).says("app      says that it runs one (");
    stage.release("two");
    let host = stage.fleet.host("web1");
    host.run("touch /tmp/stubborn");
    let ran = stage.production(&["deploy"], 8);
    ran.says("ask the app whether it runs two (")
        .says("the app doesn't say that it runs two (")
        .says("│ one");
    ran.says("serving now: one (");
    assert_eq!(stage.serving(), ["one"]);
    // What runs isn't what is live, and everybody is told.
    host.run("rm /tmp/stubborn /tmp/version; printf %s nonsense >/tmp/version; chown deploy /tmp/version");
    stage.production(&["status"], 0).says("asked what it runs, the app doesn't name one (").says("nonsense");
    stage.production(&["check"], 0).says("the app doesn't name one (");
    stage.production(&["deploy"], 0).says("note: web1: asked what it runs, the app doesn't name one (");
    assert_eq!(stage.serving(), ["two"]);
    assert_eq!(stage.status()[0]["app"], "two");
    stage.production(&["rollback"], 0).says("serving now: one (");
    host.run("kill $(cat /tmp/pid)");
    stage.production(&["status"], 0).says("no answer: ");
}
