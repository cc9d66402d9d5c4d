//! The ways to lay out releases, and what a team sees of each.

use buedafab_testkit::FleetOptions;

use crate::stage::Stage;

/// What lies in `releases` of the first host, a name each.
fn releases(stage: &Stage) -> Vec<String> {
    let listed = stage.fleet.host("web1").run("cd /var/webapps/five/releases && ls");
    listed.lines().map(str::to_owned).collect()
}

/// Deploys, a rollback, a failure in between and what was deployed before once more: whatever the layout, the same serves.
#[test]
fn whatever_the_layout_the_same_serves() {
    let cases = [("ab", ""), ("timestamp", "keep = 2\n"), ("revision", "keep = 3\n")];
    std::thread::scope(|scope| {
        for (strategy, more) in cases {
            scope.spawn(move || tell(strategy, more));
        }
    });
}

fn tell(strategy: &str, more: &str) {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    stage.configure_with(&format!("strategy = \"{strategy}\"\n{more}"));
    let serves = |version: &str| assert_eq!(stage.serving(), [version, version], "{strategy}");
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    serves("two");
    stage.production(&["rollback"], 0);
    serves("one");
    stage.production(&["deploy"], 0);
    serves("two");

    // One host can't prepare the next one, and then it can.
    stage.release("three");
    let second = stage.fleet.host("web2");
    second.run("touch /tmp/fail-check");
    stage.production(&["deploy"], 7).says("two");
    serves("two");
    second.run("rm /tmp/fail-check");
    stage.production(&["deploy"], 0);
    serves("three");
    // And one whose restart fails goes back everywhere.
    stage.release("four");
    second.run("echo four >/tmp/fail-restart");
    stage.production(&["deploy"], 8);
    serves("three");
    second.run("rm /tmp/fail-restart");
    stage.production(&["deploy"], 0);
    serves("four");

    let names = releases(&stage);
    match strategy {
        "ab" => assert_eq!(names, ["a", "b", "current"]),
        // The live one, and the one before.
        "timestamp" => {
            assert_eq!(names.len(), 3, "{names:?}");
            assert!(
                names[0].starts_with("20") && names[0].ends_with('Z') && names[2] == "current",
                "{names:?}"
            );
        }
        _ => {
            assert_eq!(names, ["current", "four", "previous", "three", "two"]);
            let host = stage.fleet.host("web1");
            let leads = |link: &str| {
                host.run(&format!("readlink /var/webapps/five/releases/{link}")).trim().to_owned()
            };
            assert_eq!([leads("current"), leads("previous")], ["four", "three"]);
            // What is there as it was proven is only switched to.
            let plan = stage.production(&["deploy", "--commit", "two", "--allow-older", "--dry-run"], 0);
            plan.says("two (").says("is in two already, as it was proven: it is only switched to");
            assert!(!plan.stdout.contains("check out"), "{}", plan.stdout);
            stage.production(&["deploy", "--commit", "two", "--allow-older"], 0);
            serves("two");
            assert_eq!([leads("current"), leads("previous")], ["two", "four"]);
            stage.production(&["rollback"], 0);
            serves("four");
            assert_eq!([leads("current"), leads("previous")], ["four", "three"]);
        }
    }
    stage.production(&["status"], 0);
}
