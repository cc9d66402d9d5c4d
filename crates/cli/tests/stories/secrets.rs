//! The app's secrets: where they are kept, who sees them, and who doesn't.

use std::io::Write;
use std::process::Stdio;

use super::stage::{Ran, Stage};

const FILE: &str = "/var/webapps/five/shared/.env";

fn stage() -> Stage {
    let stage = Stage::new();
    stage.configure_with("env_file = \".env\"");
    stage
}

/// Runs the program with this on its standard input.
#[track_caller]
pub(crate) fn feed(stage: &Stage, words: &[&str], input: &str, code: i32) -> Ran {
    let mut command = stage.command(&[&["production"], words].concat());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // Whoever refuses at once doesn't read.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let ran = Ran::of(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    ran
}

/// A restart gives nothing to an app that was deployed before it had such a file.
#[test]
fn from_when_on_a_value_is_read_is_told_as_it_is() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.configure_with("env_file = \".env\"");
    for value in ["one", "two"] {
        feed(&stage, &["env", "set", "KEY"], value, 0)
            .says("the live release doesn't know .env yet: the app reads it from the next deploy on\n");
    }
    stage.release("v2");
    stage.production(&["deploy"], 0);
    feed(&stage, &["env", "set", "KEY"], "three", 0)
        .says("the app reads it when it starts again: buedafab production restart_webserver\n");
    feed(&stage, &["env", "set", "KEY=four"], "", 2)
        .says("name it alone, and its value is asked for, or read from standard input: buedafab production env set KEY\n");
    stage.production(&["rollback"], 0);
}

#[test]
fn secrets_reach_the_app_and_nobody_else() {
    let stage = stage();
    stage.production(&["deploy"], 7).says("not in /var/webapps/five/shared: .env");
    let secret = "s3cret \"quoted\" $HOME `id` \\ 'x'";
    let ran = feed(&stage, &["-v", "env", "set", "SECRET_KEY"], &format!("{secret}\n"), 0);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("s3cret"), "it isn't shown: {}", ran.stderr);
    let host = stage.fleet.host("web2");
    assert_eq!(host.run(&format!("stat -c '%a %U' {FILE}")), "600 deploy\n");
    feed(&stage, &["env", "set", "OTHER"], "one", 0);
    stage.production(&["deploy"], 0);
    let ran = stage.production(&["--hosts", "web2", "run", "--", "printenv SECRET_KEY OTHER"], 0);
    assert_eq!(ran.stdout, format!("web2 │ {secret}\nweb2 │ one\n"));
    let ran = stage.production(&["env", "list"], 0);
    ran.says("web1 │ SECRET_KEY=…\n").says("web3 │ OTHER=…\n");
    assert!(!ran.stdout.contains("s3cret"));
    // A command that failed before the pipe leaves what is there.
    feed(&stage, &["env", "set", "SECRET_KEY"], "", 2).says("standard input holds no value for SECRET_KEY");
    feed(&stage, &["env", "set", "SECRET_KEY=x"], "", 2).says("env set SECRET_KEY");
    stage.production(&["env", "unset", "NOSUCH"], 7).says("there is no NOSUCH in");
    assert_eq!(host.run("stat -c %a /var/webapps/five/shared"), "755\n");
    stage.production(&["history"], 0).says("env changed").says("set SECRET_KEY");
    // Neither the plan nor its events know it.
    let plan = stage.start(&["env", "unset", "OTHER"]).finish();
    assert!(!plan.0.to_string().contains("s3cret"));
    assert_eq!(stage.production(&["env", "list"], 0).stdout.lines().count(), 3);
    stage.production(&["env", "restore"], 0);
    assert_eq!(stage.production(&["env", "list"], 0).stdout.lines().count(), 6);
}

#[test]
fn a_file_is_pushed_as_a_whole() {
    let stage = stage();
    let write = |text: &str| std::fs::write(stage.checkout().join("live.env"), text).expect("it is ours");
    write("# for production\nexport A='it is'\nB=two words # why\n");
    stage.production(&["env", "push", "live.env"], 0);
    assert_eq!(stage.fleet.host("web3").read(FILE), "A='it is'\nB='two words'\n");
    write("A='never closed\n");
    stage.production(&["env", "push", "live.env"], 2).says("live.env: the quote in line 1 is never closed");
    stage.production(&["env", "push", "gone.env"], 2).says("can't read gone.env");
    feed(&stage, &["env", "set", "A"], "two\rlines\n", 2).says("holds a carriage return");
    stage.production(&["env", "set", "A-B"], 2).says("can't be the name of a variable");
    assert_eq!(stage.fleet.host("web3").read(FILE), "A='it is'\nB='two words'\n");
    // A key has many lines, in which nothing is a variable.
    let key = "-----BEGIN KEY-----\nMIIE=\nA=s3cret\n-----END KEY-----";
    let ran = feed(&stage, &["env", "set", "KEY"], &format!("{key}\n"), 0);
    ran.says("KEY: the app finds this value in its environment as it is; but python-decouple would read it in another way");
    let ran = stage.production(&["env", "list"], 0);
    ran.says("web1 │ A=…\nweb1 │ B=…\nweb1 │ KEY=…\n");
    assert_eq!(ran.stdout.lines().count(), 9, "{}", ran.stdout);
    write(&format!("export\tA='it is'\nB=two words # why\nKEY=\"{key}\"\n"));
    let ran = stage.production(&["env", "push", "live.env"], 0);
    ran.says("live.env: A, B, KEY\n");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("MIIE"), "{}", ran.stderr);
    let found = stage.production(&["--hosts", "web1", "run", "--", "printf %s \"$KEY\" | cksum"], 0).stdout;
    let sum = stage.fleet.host("web1").run(&format!("printf %s '{key}' | cksum"));
    assert_eq!(found, format!("web1 │ {sum}"));
    stage.production(&["env", "unset", "KEY"], 0);
    assert_eq!(stage.fleet.host("web3").read(FILE), "A='it is'\nB='two words'\n");
    stage.configure_with("");
    stage.production(&["env", "list"], 3).says("env_file = \".env\"");
    // One host that can't be reached, and none is changed.
    stage.configure_with("env_file = \".env\"");
    stage.fleet.host("web2").stop_sshd();
    write("C=3\n");
    stage.production(&["env", "push", "live.env"], 6).says("web2: can't be reached");
    assert_eq!(stage.fleet.host("web3").read(FILE), "A='it is'\nB='two words'\n");
}

/// A token in the remote's address is shown and written down nowhere, and somebody says that it should go.
#[test]
fn a_token_in_the_remotes_address_is_not_shown() {
    let stage = Stage::new();
    let address = "https://ada:s3cret-token@git.example.com/five.git";
    stage.configure_with(&format!("scm = \"{address}\""));
    let check = stage.production(&["check"], 0);
    check
        .says("hosts fetch from https://git.example.com/five.git")
        .says("`scm` in buedafab.toml holds a password or token");
    let plan = stage.production(&["deploy", "--dry-run", "-v"], 0);
    plan.says("url=https://git.example.com/five.git");
    let json = stage.production(&["--json", "deploy", "--dry-run"], 0);
    let config = stage.production(&["config"], 0);
    config.says("scm = \"https://********@git.example.com/five.git\"");
    let config_json = stage.production(&["--json", "config"], 0);
    stage.remote.git(&["remote", "set-url", "origin", address]);
    let init = stage.run(&["init", "--print"]);
    init.says("the URL of \"origin\" holds a password or token")
        .says("# scm = \"https://git.example.com/five.git\"");
    for ran in [check, plan, json, config, config_json, init] {
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("s3cret"), "{}{}", ran.stdout, ran.stderr);
    }
}
