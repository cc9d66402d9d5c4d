//! People of one group who deploy in turn, each with a login of their own, and what the others of a host may read.

use buedafab_testkit::FleetOptions;

use super::stage::Stage;

/// A host with ada, whose umask is 022, and bob, whose login sets 077. Both are of the group `team`.
fn stage() -> Stage {
    let stage = Stage::with(FleetOptions::default());
    stage.fleet.host("web1").run(
        "groupadd team && chgrp team /var/webapps && chmod g+w /var/webapps && mkdir -p /opt/bin &&
         printf '#!/bin/sh\\numask 077\\nexec /bin/sh \"$@\"\\n' >/etc/closed-shell && chmod 755 /etc/closed-shell
         for user in ada bob; do
           useradd -m -G team -s /bin/sh $user && cp -a /home/deploy/.ssh /home/deploy/.gitconfig /home/$user/ &&
             chown -R $user: /home/$user && usermod -p '*' $user || exit
         done
         usermod -s /etc/closed-shell bob",
    );
    stage
}

fn configure(stage: &Stage, user: &str, top: &str) {
    stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\ndeploy_user = \"{user}\"\nshared_dirs = [\"media\"]\n{top}\n[environments.production]\nhosts = [\"web1\"]\n"
    ));
}

#[test]
fn members_of_a_team_deploy_roll_back_and_hold_for_each_other() {
    let stage = stage();
    let host = stage.fleet.host("web1");
    // What a hook makes with permissions of its own, and a recipe's files.
    let group = "recipe = \"wsgi\"\ndeploy_group = \"team\"\nenv_file = \".env\"\n[hooks]\n\
        build = [\"test -n \\\"$SECRET\\\"\", \"umask 022; mkdir -m 755 made; echo x >made/file; mkdir -m 700 made/closed; echo x >made/closed/file\", \"test ! -e ../../fail\"]\n\
        restart = \"cat version >../../served\"\n";
    let by = |user: &str, words: &[&str], code: i32| {
        configure(&stage, user, group);
        stage.production(words, code)
    };
    std::fs::write(stage.checkout().join("live.env"), "SECRET=1\n").expect("it is ours");
    by("ada", &["env", "push", "live.env"], 0);
    by("ada", &["deploy"], 0);
    for (user, release) in
        [("bob", "two"), ("ada", "three"), ("bob", "four"), ("bob", "five"), ("ada", "six")]
    {
        stage.release(release);
        by(user, &["deploy"], 0);
        assert_eq!(stage.serving(), [release]);
    }
    assert_eq!(host.run("find /var/webapps/five ! -group team"), "", "all of it is the group's");
    host.run("test -x /var/webapps/five/releases/current/env/bin/python");
    let closed = host.run("cd /var/webapps/five && find . ! -type l ! -perm -020 ! -path '*/.git/objects/*' ! -path './shared/.env*' ! -path '*/made/closed/*'");
    assert_eq!(closed, "", "and writable for it");
    assert_eq!(
        host.run("cd /var/webapps/five; stat -c '%G %a' shared/.env releases/current/made/closed releases/current/made/closed/file"),
        "team 640\nteam 2770\nteam 600\n"
    );
    // One of them rolls back what the other has deployed, and one holds what the other then finds held.
    by("bob", &["rollback"], 0);
    assert_eq!(stage.serving(), ["five"]);
    by("bob", &["hold", "--reason", "the audit"], 0);
    by("ada", &["deploy"], 5).says("\"the audit\", says");
    by("ada", &["status"], 0).says("the audit");
    by("ada", &["unhold"], 0);
    // What a build left that failed is in nobody's way.
    host.run("touch /var/webapps/five/fail");
    by("bob", &["deploy"], 7);
    host.run("rm /var/webapps/five/fail");
    by("ada", &["deploy"], 0);
    std::fs::write(stage.checkout().join("live.env"), "SECRET=2\n").expect("it is ours");
    by("bob", &["env", "push", "live.env"], 0);
    by("ada", &["env", "list"], 0).says("SECRET=…");
    by("ada", &["history"], 0).says("deployed").says("held");
    // A record that somebody has closed says so everywhere, and not that there is none.
    host.run("chown root: /var/webapps/five/.buedafab/slots/*.json; chmod 600 /var/webapps/five/.buedafab/slots/*.json");
    for (words, code) in [(&["status"][..], 0), (&["check"], 4), (&["deploy"], 4), (&["rollback"], 4)] {
        by("bob", words, code)
            .says("it belongs to root")
            .says("chgrp team /var/webapps/five/.buedafab/slots/a.json");
    }
}

#[test]
fn what_a_careful_login_deploys_can_be_read_by_the_web_server_with_a_group() {
    let stage = stage();
    let host = stage.fleet.host("web1");
    let hooks = "[hooks]\nbuild = \"echo made >made\"";
    let read = || {
        let read = "cd /var/webapps/five/releases/current && cat version made && ls ../../shared/media";
        host.exec(&format!("su -s /bin/sh app -c '{read}'")).status.success()
    };
    // The login's own umask is kept, and told.
    configure(&stage, "bob", hooks);
    stage.production(&["deploy"], 0);
    assert!(!read());
    stage
        .production(&["check"], 0)
        .says("can be read by bob alone, since the umask of that login is 077")
        .says("or set `deploy_group`");
    host.run("rm -r /var/webapps/five");
    configure(&stage, "bob", &format!("deploy_group = \"team\"\n{hooks}"));
    stage.production(&["deploy"], 0);
    assert!(read());
    host.run("rm -r /var/webapps/five");
    // So a team can share without it.
    host.run("printf '#!/bin/sh\\numask 002\\nexec /bin/sh \"$@\"\\n' >/etc/closed-shell; install -d -o bob -g team -m 2775 /var/webapps/five");
    configure(&stage, "bob", hooks);
    stage.production(&["deploy"], 0);
    assert!(read());
    assert_eq!(
        host.run("cd /var/webapps/five/releases/current; stat -c '%G %a' . made"),
        "team 2775\nteam 664\n"
    );
    host.run("chmod 755 /var/webapps/five");
    configure(&stage, "ada", "");
    stage.production(&["deploy"], 4).says("ada can't write /var/webapps/five").says("set `deploy_group`");
}

/// In two crontabs they would be done twice.
#[test]
fn jobs_stand_in_one_crontab() {
    let stage = stage();
    let host = stage.fleet.host("web1");
    stage.release_with("two", &[("conf/jobs", "1 1 * * * true\n")]);
    let jobs = "deploy_group = \"team\"\ncrontab = \"conf/jobs\"";
    configure(&stage, "ada", jobs);
    stage.production(&["deploy"], 0);
    stage.release_with("three", &[("conf/jobs", "2 2 * * * true\n")]);
    stage.production(&["deploy"], 0);
    configure(&stage, "bob", jobs);
    stage
        .production(&["deploy", "--force"], 4)
        .says("the app's jobs stand in the crontab of ada")
        .says("nothing was touched");
    stage
        .production(&["rollback"], 0)
        .says("the app's jobs stay as they are: they stand in the crontab of ada");
    assert!(host.run("crontab -u ada -l").contains("2 2 * * * true"));
    assert!(!host.exec("crontab -u bob -l").status.success(), "bob has none");
    // They move when a person says so.
    host.run("crontab -u ada -r; rm /var/webapps/five/.buedafab/jobs.json");
    stage.production(&["deploy"], 0);
    assert!(host.run("crontab -u bob -l").contains("2 2 * * * true"));
}
