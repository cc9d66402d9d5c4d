//! The app's jobs, in a real crontab, beside those of others.

use buedafab_model::app::owner::Owner;
use buedafab_model::names::{EnvironmentName, Unit};
use buedafab_testkit::FleetOptions;

use super::stage::{Stage, wait_for};

fn release(stage: &Stage, name: &str, jobs: Option<&str>) {
    let files: Vec<_> = jobs.map(|jobs| ("conf/jobs", jobs)).into_iter().collect();
    stage.release_with(name, &files);
}

/// The comment that says whose they are.
fn owner(stage: &Stage, unit: &str) -> String {
    let production = EnvironmentName::new("production").expect("a word");
    Owner::new(Unit::new(unit).expect("a unit"), production, Some(&stage.remote.url())).line()
}

/// Jobs that stood there before environments had marks of their own are not done twice; another's are left alone.
#[test]
fn jobs_of_another_environment_are_left_alone() {
    let stage = Stage::with(FleetOptions::default());
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\ncrontab = \"conf/jobs\"\n[environments.staging]\nhosts = [\"web1\"]\n",
    );
    let host = stage.fleet.host("web1");
    release(&stage, "two", Some("1 * * * * two\n"));
    let block = |job: &str| format!("# begin five, kept by buedafab\n{job}\n# end five\n");
    for (before, stays) in
        [("2 * * * * /var/webapps/five-staging/run", false), ("2 * * * * /var/webapps/five/run", true)]
    {
        host.run(&format!("printf '%s' '{}' | crontab -u deploy -", block(before)));
        let ran = stage.run(&["staging", "deploy", "--force"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let jobs = host.run("crontab -u deploy -l");
        assert_eq!(jobs.contains(&block(before)), stays, "{jobs}");
        assert!(jobs.contains("# begin five-staging, kept by buedafab\n"), "{jobs}");
    }
}

#[test]
fn jobs_stand_in_a_block_of_the_first_host_and_leave_the_rest_alone() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    stage.configure_with("crontab = \"conf/jobs\"");
    let jobs = |host: &str| {
        String::from_utf8_lossy(&stage.fleet.host(host).exec("crontab -u deploy -l").stdout).into_owned()
    };
    stage.production(&["deploy"], 7).says("conf/jobs isn't in this release");
    stage.fleet.host("web1").run("printf '# mine\\n5 5 * * * mine\\n' | crontab -u deploy -");
    release(&stage, "two", Some("1 * * * * two \"$HOME\" % \\\n"));
    stage.production(&["deploy"], 0);
    let owner = owner(&stage, "five");
    let block = |job: &str| {
        format!(
            "# mine\n5 5 * * * mine\n# begin five, kept by buedafab\n{owner}\nSHELL=/var/webapps/five/.buedafab/jobs.sh\n\
             BUEDAFAB_SHELL=/bin/sh\n{job}\nSHELL=/bin/sh\n# end five\n"
        )
    };
    assert_eq!(jobs("web1"), block("1 * * * * two \"$HOME\" % \\"));
    assert_eq!(jobs("web2"), "", "one host runs them");
    release(&stage, "three", Some("2 * * * * three\n"));
    stage.production(&["deploy"], 0);
    assert_eq!(jobs("web1"), block("2 * * * * three"));
    stage.production(&["rollback"], 0);
    assert_eq!(jobs("web1"), block("1 * * * * two \"$HOME\" % \\"));
    // One host alone isn't the first because it is alone.
    release(&stage, "four", None);
    stage.production(&["--hosts", "web2", "deploy"], 0);
    assert_eq!(jobs("web2"), "");
    // Somebody has cut the block in half: what is left of it can't be told from the rest.
    stage.fleet.host("web1").run("crontab -u deploy -l | grep -v '^# end' | crontab -u deploy -");
    let before = jobs("web1");
    stage
        .production(&["-v", "deploy"], 0)
        .says("one of the two lines is missing that mark the block of five")
        .says("serving now: four");
    assert_eq!(jobs("web1"), before);
}

#[test]
fn jobs_stand_in_a_file_of_the_system() {
    let stage = Stage::with(FleetOptions::default());
    stage.configure(
        "unit = \"five.app\"\nservice = \"none\"\ncrontab = \"conf/jobs\"\ncrontab_place = \"system\"\n\
         [environments.production]\nhosts = [\"root@web1\"]\n",
    );
    release(&stage, "two", Some("1 * * * * deploy two\n"));
    stage.production(&["deploy"], 0);
    let host = stage.fleet.host("web1");
    assert_eq!(
        host.read("/etc/cron.d/five_app"),
        format!(
            "{}\nSHELL=/var/webapps/five.app/.buedafab/jobs.sh\nBUEDAFAB_SHELL=/bin/sh\n1 * * * * deploy two\n",
            owner(&stage, "five.app")
        )
    );
    release(&stage, "three", Some("2 * * * * deploy three\n"));
    stage.production(&["-v", "deploy"], 0).says("installed /etc/cron.d/five_app");
    release(&stage, "four", None);
    let ran = stage.production(&["-v", "deploy"], 0);
    assert!(!ran.stderr.contains("installed"), "it is that already: {}", ran.stderr);
    assert_eq!(host.run("stat -c %a /etc/cron.d/five_app; ls /etc/cron.d | grep -c five"), "644\n1\n");
}

/// A real cron starts a job, and one beside it: only the app's finds what its commands find.
#[test]
fn jobs_find_what_every_command_of_the_app_does() {
    let stage = Stage::with(FleetOptions::default());
    stage.configure_with(
        "crontab = \"conf/jobs\"\nenv_file = \".env\"\nvariables = { GREETING = \"it's 100%\" }",
    );
    let host = stage.fleet.host("web1");
    let say = |to: &str| {
        format!(
            "@reboot printf '\\%s, ' \"$GREETING\" \"$KEY\" \"$SHELL\" >/tmp/new && cat >>/tmp/new && mv /tmp/new /tmp/{to}%read%it\n"
        )
    };
    host.run(&format!("cat >/tmp/mine <<'END'\n{}END\ncrontab -u deploy /tmp/mine", say("mine-said")));
    release(&stage, "two", Some(&say("app-said").replace("/tmp/new", "/tmp/new-too")));
    super::secrets::feed(&stage, &["env", "set", "KEY"], "s3 $cret\n", 0);
    stage.production(&["deploy"], 0);
    let jobs = host.run("crontab -u deploy -l");
    assert!(!jobs.contains("s3"), "{jobs}");
    host.run("rm -f /run/crond.reboot && cron");
    wait_for("both jobs have run", || {
        host.exec("[ -e /tmp/mine-said ] && [ -e /tmp/app-said ]").status.success()
    });
    assert_eq!(host.read("/tmp/app-said"), "it's 100%, s3 $cret, /bin/sh, read\nit\n");
    assert_eq!(host.read("/tmp/mine-said"), ", , /bin/sh, read\nit\n");
    host.run("kill \"$(cat /run/crond.pid)\"");
}
