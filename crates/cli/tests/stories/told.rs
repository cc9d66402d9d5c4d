//! What others can see of a run: a ref on the remote that says what is live, numbers, and notes of a release.

use buedafab_testkit::FleetOptions;
use serde_json::Value;

use super::stage::Stage;

const REF: &str = "refs/deployed/production";

/// What the ref says on the remote: the release of that commit.
fn says(stage: &Stage) -> String {
    let listed = stage.remote.git(&["ls-remote", &stage.remote.url(), REF]);
    let Some((commit, _)) = listed.split_once('\t') else { return "nothing".to_owned() };
    stage.remote.git(&["describe", "--tags", "--exact-match", commit]).trim().to_owned()
}

#[test]
fn git_says_what_is_live() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    stage.configure_with("deployed_ref = true");
    stage.production(&["deploy"], 0).says(&format!("here: move {REF} on origin to "));
    assert_eq!(says(&stage), "one");
    // Not by a run that comes to nothing, nor by one that is for some hosts only.
    stage.release("two");
    stage.fleet.host("web2").run("touch /tmp/fail-check");
    stage.production(&["deploy"], 7);
    stage.fleet.host("web2").run("rm /tmp/fail-check");
    stage.production(&["--hosts", "web1", "deploy"], 0).says(&format!("{REF} stays as it is"));
    assert_eq!(says(&stage), "one");
    stage.production(&["deploy"], 0);
    assert_eq!(says(&stage), "two");
    stage.production(&["rollback"], 0);
    assert_eq!(says(&stage), "one");
    // A colleague fetches it; nothing that looks at git minds.
    stage.remote.git(&["fetch", "-q", "origin", "refs/deployed/*:refs/deployed/*"]);
    stage.production(&["changes"], 0).says("brings:");
    stage.release("three");
    stage.production(&["deploy"], 0);
    assert_eq!(says(&stage), "three");
    // Somebody else moves it while a run is under way: theirs stays, and what is live is so nevertheless.
    let (url, two) = (stage.remote.url(), stage.remote.git(&["rev-parse", "two^{commit}"]));
    let race = format!("\"git push -q --force {url} {}:{REF}\"", two.trim());
    stage.release("four");
    stage.configure(&format!(
        "unit = \"five\"\ndeployed_ref = true\n[hooks]\nrestart = \"cat version >../../served\"\n[hooks.local]\nbefore = {race}\n\
         after = \"touch told\"\n[environments.production]\nhosts = [\"web1\", \"web2\"]\n"
    ));
    let ran = stage.production(&["deploy"], 0);
    ran.says(&format!("left undone here: move {REF} on origin to "))
        .says(&format!(" is live; only {REF} on origin lags behind: somebody else has moved it meanwhile"))
        .says("--force-with-lease=");
    assert_eq!((says(&stage).as_str(), stage.serving()), ("two", vec!["four".to_owned(), "four".to_owned()]));
    assert!(stage.remote.checkout_dir().join("told").exists(), "what comes after it is done all the same");
    // Nor does a remote that is gone stop a rollback.
    stage.remote.git(&["remote", "set-url", "origin", "/nowhere/five.git"]);
    stage
        .production(&["rollback"], 0)
        .says(&format!("note: this run can't move {REF}, which will lag behind what is live: "));
    assert_eq!(stage.serving(), ["three", "three"]);
}

#[test]
fn numbers_and_notes() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    stage.configure_with("scm_http_url = \"https://github.com/bueda/five\"");
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.fleet.host("web2").run("echo two >/tmp/fail-restart");
    stage.production(&["deploy"], 8);
    stage.fleet.host("web2").run("rm /tmp/fail-restart");
    stage.production(&["deploy"], 0);
    stage.production(&["rollback"], 0);
    let ran = stage.production(&["history", "--stats"], 0);
    ran.says(" 2 a week").says("of 3 changes: 1 reverted, 1 rolled back").says("66.7 %");
    ran.says("the median of 1 commit").says("the median of 1 rollback");
    let ran = stage.production(&["history", "--stats", "--json", "--since", "1d"], 0);
    let stats: Value = serde_json::from_str(&ran.stdout).expect("a document");
    assert_eq!((&stats["deploys"], &stats["changes"]), (&Value::from(2), &Value::from(3)), "{stats}");
    stage
        .production(&["history", "--stats", "--csv"], 0)
        .says("number,value,unit\n")
        .says("change_failure,66.7,percent\n");
    let ran = stage.production(&["history", "--csv"], 0);
    assert_eq!(ran.stdout.lines().count(), 5, "{}", ran.stdout);
    ran.says("at,what,release,").says(",deployed,two,").says(",rolled back,one,").says(",web1 web2,");
    let ran = stage.production(&["history", "--notes", "one..two"], 0);
    ran.says("# two\n\n1 commit since one by Ada, on ").says("/compare/one...two)").says("- two (");
    stage.production(&["history", "--notes", "one"], 2).says("write both, the older one first");
    stage.production(&["history", "--notes", "one..none"], 4);
    stage.production(&["history", "--stats", "--since", "tomorrow"], 2).says("no time before now");
}
