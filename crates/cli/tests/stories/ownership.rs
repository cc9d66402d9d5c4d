//! Who owns what, who the app's code runs as, and what sudo is told.

use buedafab_testkit::{FleetOptions, PASSWORD, Sudo};

use super::stage::{Ran, Stage, wait_for};
use super::terminal::{answer, finish, terminal};

fn stage(sudo: Sudo, top: &str) -> Stage {
    let stage = Stage::with(FleetOptions { hosts: 2, sudo, ..FleetOptions::default() });
    for host in stage.fleet.hosts() {
        host.run("usermod -aG deploy app");
    }
    stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\nenv_file = \".env\"\n{top}\n[environments.production]\nhosts = [\"web1\", \"web2\"]\n"
    ));
    std::fs::write(stage.checkout().join("live.env"), "SECRET=\"it's $5\"\n").expect("it is ours");
    stage
}

fn all_that_is_said(stage: &Stage, words: &[&str]) -> String {
    let ran = stage.production(words, 0);
    ran.stdout + &ran.stderr
}

#[test]
fn the_apps_code_runs_as_its_own_user_and_what_it_leaves_is_cleaned_up() {
    let stage = stage(
        Sudo::WithoutPassword,
        "run_as = \"app\"\ndeploy_group = \"deploy\"\n[tasks.who]\nrun = \"id -un; echo $SECRET\"\n[hooks]\n\
         build = 'mkdir -p cache/deep; printf %s \"$SECRET\" >cache/deep/file; id -un >cache/who; cd cache && umask 077 && mkdir closed && touch closed/x'\n\
         restart = 'id -un >/tmp/restarted-by; sudo -n id -un >>/tmp/restarted-by'\n",
    );
    stage.production(&["env", "push", "live.env"], 0);
    for release in ["two", "three", "four"] {
        stage.release(release);
        stage.production(&["deploy"], 0);
    }
    let host = stage.fleet.host("web2");
    let live = |script: &str| host.run(&format!("cd /var/webapps/five/releases/current && {{ {script}; }}"));
    assert_eq!(live("cat cache/who cache/deep/file"), "app\nit's $5");
    assert_eq!(
        live("stat -c '%U %G %a' cache/deep cache/closed/x ../../shared/.env"),
        "app deploy 2775\napp deploy 600\ndeploy deploy 640\n"
    );
    assert_eq!(host.run("cat /tmp/restarted-by"), "deploy\nroot\n");
    stage.production(&["--hosts", "web2", "who"], 0).says("web2 │ app\nweb2 │ it's $5\n");
    stage.production(&["--hosts", "web2", "run", "--", "id", "-un"], 0).says("web2 │ app\n");
    stage.production(&["rollback"], 0);
    stage.production(&["check"], 0).says("can be used without a password");
    assert!(!all_that_is_said(&stage, &["run", "--", "true"]).contains("find:"));
    let path = stage.checkout().join("buedafab.toml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    std::fs::write(&path, text.replace("run_as = \"app\"", "run_as = \"nosuch\"")).expect("it is ours");
    stage.production(&["check"], 4).says("there is no user nosuch");
    stage
        .production(&["deploy", "--force"], 7)
        .says("web1, web2: there is no user nosuch")
        .says("nothing was touched");
    std::fs::write(&path, text).expect("it is ours");
    // A build that fails as that user is a failure.
    let path = stage.checkout().join("buedafab.toml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    std::fs::write(&path, text.replace("build = 'mkdir", "build = 'exit 3; mkdir")).expect("it is ours");
    stage.release("five");
    stage.production(&["deploy"], 7).says("exit status 3").says("serving now: three (");
}

#[test]
fn a_step_of_another_user_ends_when_it_is_told_to() {
    for top in ["deploy_user = \"root\"\n", ""] {
        let stage = stage(
            Sudo::WithoutPassword,
            &format!(
                "{top}run_as = \"app\"\ndeploy_group = \"deploy\"\n[hooks]\nbuild = \"trap '' TERM; touch /tmp/began; while :; do sleep 1; done\"\n"
            ),
        );
        stage.production(&["env", "push", "live.env"], 0);
        let running = stage.start(&["deploy"]);
        let host = stage.fleet.host("web1");
        wait_for("the build is under way", || host.exec("test -e /tmp/began").status.success());
        running.signal("INT");
        let (_, code) = running.finish();
        assert_eq!(code, 130);
        wait_for("nothing of it runs on", || !host.exec("pgrep -u app").status.success());
        stage.wait_until_free();
    }
}

#[test]
fn secrets_of_another_deployer_are_told_not_left_out() {
    let stage = stage(Sudo::WithoutPassword, "run_as = \"app\"\n[hooks]\ncheck = \"echo went on\"\n");
    stage.production(&["env", "push", "live.env"], 0);
    stage.fleet.host("web2").run("chown root /var/webapps/five/shared/.env");
    let ran = stage.production(&["-v", "deploy"], 4);
    ran.says("web2: deploy can't read /var/webapps/five/shared/.env: it belongs to root")
        .says("nothing was touched")
        .says("on that host, as root: chown deploy /var/webapps/five/shared/.env");
}

#[test]
fn root_becomes_the_apps_user_without_sudo() {
    let stage = stage(
        Sudo::None,
        "run_as = \"app\"\ndeploy_user = \"root\"\n[hooks]\ncheck = 'echo \"$(id -un) $HOME $SECRET\"'\n",
    );
    stage.production(&["env", "push", "live.env"], 0);
    stage.production(&["-v", "deploy"], 0).says("app /home/app it's $5\n");
}

fn with_password(stage: &Stage, password: &str, words: &[&str], code: i32) -> Ran {
    let mut command = stage.command(&[&["production"], words].concat());
    let ran = Ran::of(command.env("BUEDAFAB_SUDO_PASSWORD", password).output().expect("it runs"));
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    ran
}

#[test]
fn a_password_for_sudo_is_asked_for_once_and_shown_nowhere() {
    let stage = stage(
        Sudo::WithPassword,
        "ask_sudo_password = true\n[hooks]\ncheck = '. ./say.sh'\nrestart = ['sudo id -un >>/tmp/restarted-by', '[ ! -e /tmp/fail-restart ]']\n",
    );
    stage.production(&["env", "push", "live.env"], 0);
    // What the app prints by mistake is hidden.
    let say = format!("echo 'the password is {}'\n", PASSWORD.replace('\'', "'\\''"));
    stage.remote.commit(&[("say.sh", &say), ("version", "two")], "two");
    stage.remote.tag("two");
    stage.remote.push();
    let host = stage.fleet.host("web1");
    stage
        .production(&["deploy"], 4)
        .says("there is no terminal at which to type the password of sudo")
        .says("BUEDAFAB_SUDO_PASSWORD");
    let ran = with_password(&stage, "wrong", &["deploy"], 7);
    ran.says("sudo rejects the password").says("serving now: nothing on web1, web2");
    let ran = with_password(&stage, PASSWORD, &["-v", "deploy"], 0);
    ran.says("the password is ********\n");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(PASSWORD));
    assert_eq!(host.run("cat /tmp/restarted-by; rm /tmp/restarted-by"), "root\n");
    // Nothing of it is left, and the way back has it, too.
    let left =
        "ls -A /dev/shm/buedafab.*/sudo /home/deploy/.buedafab* /tmp/.buedafab* 2>/dev/null || echo none";
    assert_eq!(host.run(left), "none\n");
    stage.remote.commit(&[("say.sh", "true\n")], "quiet");
    stage.release("three");
    host.run("touch /tmp/fail-restart");
    with_password(&stage, PASSWORD, &["deploy"], 9).says("restart");
    host.run("rm /tmp/fail-restart");
    with_password(&stage, PASSWORD, &["deploy"], 0);
    with_password(&stage, PASSWORD, &["run", "--", "sudo", "id", "-un"], 0).says("web1 │ root\n");
    // Nor does a file tell it that is put, by its name or by what is in it, nor any run's log.
    let file = stage.checkout().join(format!("{PASSWORD}.txt"));
    std::fs::write(&file, PASSWORD).expect("it is ours");
    let ran = with_password(&stage, PASSWORD, &["-v", "put", &file.display().to_string(), "/tmp"], 0);
    ran.says("/tmp/********.txt");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(PASSWORD), "{}{}", ran.stdout, ran.stderr);
    let logs = std::fs::read_dir(stage.state().join("buedafab/runs")).expect("runs are written down");
    for log in logs {
        let text = std::fs::read_to_string(log.expect("it is there").path()).expect("a log");
        assert!(!text.contains(PASSWORD), "{text}");
    }
    // At a terminal it is asked for, once for all hosts.
    let mut session = terminal(&stage, &["--yes", "production", "rollback"]);
    let seen =
        answer(&mut session, "The password of sudo on the hosts of production", &format!("{PASSWORD}\r"));
    assert!(!seen.contains(PASSWORD), "{seen}");
    let seen = finish(session, 0);
    assert!(!seen.contains("esame") && !seen.contains("The password of sudo"), "{seen}");
    stage.production(&["check"], 0);
}
