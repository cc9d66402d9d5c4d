//! What happens underneath, as it is told to those who ask.

use super::stage::{Ran, Stage};

const SECRET: &str = "hunter-two";

fn with_log(stage: &Stage, directives: &str, words: &[&str], code: i32) -> Ran {
    let mut command = stage.command(words);
    let ran = Ran::of(command.env("BUEDAFAB_LOG", directives).output().expect("it runs"));
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    ran
}

#[test]
fn the_log_tells_of_connections_and_frames_and_of_no_secret() {
    let stage = Stage::with(buedafab_testkit::FleetOptions::default());
    stage.configure_with("env_file = \".env\"");
    stage.release_with("two", &[("say.sh", &format!("echo {SECRET}\n"))]);
    let file = stage.checkout().join("live.env");
    std::fs::write(&file, format!("KEY={SECRET}\n")).expect("it is ours");
    let ran = with_log(&stage, "trace", &["--json", "production", "env", "push", "live.env"], 0);
    ran.says(
        "host{name=web1}: buedafab_engine::connector: connect attempt=0 program=\"ssh\" effort=Handshake",
    )
    .says("host{name=web1}: buedafab_engine::connection::outbox: sent an upload name=\"in.")
    .says("send a phase name=\"p1\" bytes=")
    .says("the run is told input=Ended");
    assert!(!ran.stderr.contains(SECRET), "{}", ran.stderr);
    let lines = ran.stdout.lines();
    assert!(lines.clone().count() > 0 && lines.clone().all(|line| line.starts_with('{')), "{}", ran.stdout);
    // What steps print is shown where it was asked for, and isn't in the log.
    stage.production(&["deploy"], 0);
    let ran = stage.production(&["-vvv", "run", "--", "sh", "say.sh"], 0);
    assert_eq!(ran.stdout, format!("web1 │ {SECRET}\n"));
    assert!(ran.stderr.contains("effort=Shared") && !ran.stderr.contains(SECRET), "{}", ran.stderr);
    let ran = stage.production(&["-vv", "run", "--", "true"], 0);
    assert!(!ran.stderr.contains("DEBUG"), "{}", ran.stderr);
}

#[test]
fn a_log_that_cannot_be_meant_is_a_mistake_of_usage() {
    let stage = Stage::with(buedafab_testkit::FleetOptions::default());
    let ran = with_log(&stage, "buedafab=loud", &["production", "status"], 2);
    assert_eq!(
        ran.stderr,
        "error: BUEDAFAB_LOG is \"buedafab=loud\", which isn't a list of what to log: error parsing level filter: \
         expected one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\", or a number 0-5\n  \
         help: for example BUEDAFAB_LOG=buedafab=debug, or BUEDAFAB_LOG=trace for everything\n"
    );
    let ran = with_log(&stage, "", &["production", "status"], 0);
    assert!(!ran.stderr.contains("buedafab_engine"), "{}", ran.stderr);
}
