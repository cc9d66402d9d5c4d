//! Commands of the project's own, several commands in one line, and what a deploy would bring.

use super::stage::Stage;

const TASKS: &str = r#"
[tasks.greet]
run = ["echo \"hello from $(hostname), $who\"", "pwd"]
description = "Say hello"
arguments = { who = "nobody" }
[tasks.anything]
run = "echo \"<$a> <$b>\""
on = "primary"
[tasks.here]
run = ["pwd", "echo \"$BUEDAFAB_ENVIRONMENT $BUEDAFAB_HOSTS $DEPLOYMENT_TYPE $x\"", "exit ${x:-0}"]
on = "deployer"
[tasks.work]
run = "hostname"
on = "role:worker"
[tasks.fails]
run = "test $(hostname) != web2 || exit 3"
[environments.production]
hosts = ["web1", "web2", { name = "web3", roles = ["worker"] }]
[environments.production.tasks.secret]
run = "true"
[environments.staging]
hosts = ["web1"]
"#;

fn stage() -> Stage {
    let stage = Stage::new();
    stage.configure(&format!("unit = \"five\"\nservice = \"none\"\n{TASKS}"));
    stage
}

#[test]
fn tasks_run_where_they_say_with_their_arguments() {
    let stage = stage();
    stage.production(&["deploy"], 0);
    let ran = stage.production(&["greet"], 0);
    for host in ["web1", "web2", "web3"] {
        ran.says(&format!("{host} │ hello from {host}, nobody\n"));
    }
    ran.says("web2 │ /var/webapps/five/releases/current");
    stage
        .production(&["--hosts", "web2", "greet:who=you\\, too"], 0)
        .says("web2 │ hello from web2, you, too\n");
    let ran = stage.production(&["anything:a=1,b=it's $HOME"], 0);
    assert_eq!(ran.stdout, "web1 │ <1> <it's $HOME>\n");
    assert_eq!(stage.production(&["work"], 0).stdout, "web3 │ web3\n");
    let ran = stage.production(&["--hosts", "web1,web2", "here", "x=0"], 0);
    let folder = stage.checkout().canonicalize().expect("it is there");
    assert_eq!(ran.stdout, format!("{}\nproduction web1,web2 PRODUCTION 0\n", folder.display()));
    stage.production(&["fails"], 7).says("exit status 3").says("web2");
    stage.production(&["here:x=5"], 7).says("here: exit status 5");
}

#[test]
fn a_file_is_put_on_every_host() {
    let stage = stage();
    let here = stage.checkout().join("hello there");
    std::fs::write(&here, "#!/bin/sh\necho hello\n").expect("it is ours");
    let on = |host: &str, script: &str| stage.fleet.host(host).run(script);
    stage.production(&["put", "hello there", "/tmp/"], 0);
    assert_eq!(
        on("web3", "stat -c %a '/tmp/hello there'; cat '/tmp/hello there'"),
        "644\n#!/bin/sh\necho hello\n"
    );
    // Fabric's form, a program, and a folder that wasn't told from a file; then the next command of the line.
    std::fs::set_permissions(&here, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    let line = ["-v", "deploy", "put:hello there,shared/greet", "put", "hello there", "shared", "work"];
    stage.production(&line, 0).says("/var/webapps/five/shared/hello there").says("web3 │ web3");
    let shared = "/var/webapps/five/shared";
    assert_eq!(on("web1", &format!("{shared}/greet; ls -A {shared}")), "hello\ngreet\nhello there\n");
    // What can't be done changes nothing.
    let ran = stage.production(&["put", "hello there", "/nowhere/x"], 7);
    ran.says("there is no folder /nowhere").says("web3");
    stage.production(&["put", "nothing", "/tmp/x"], 2).says("can't read nothing");
    stage.production(&["put", ".git", "/tmp/x"], 2).says(".git isn't a file").says("tar -czf");
    stage.production(&["put", "hello there", "../x"], 2);
}

#[test]
fn tasks_are_listed_and_mistakes_are_told() {
    let stage = stage();
    for words in [&["--list"][..], &["list"], &["production", "-l"]] {
        let ran = stage.run(words);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.says("  deploy  ").says("  greet     Say hello\n").says("  work      Run hostname\n");
    }
    let usage = |words: &[&str], what: &str| {
        let ran = stage.run(words);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        ran.says(what);
    };
    usage(&["production", "greet:whom=you"], "greet takes no argument \"whom\"\n  help: it takes who");
    usage(&["production", "greet:you"], "\"you\" isn't NAME=VALUE");
    usage(&["production", "anything:1a=2"], "\"1a\" can't be the name of a variable");
    usage(&["production", "gret"], "there is no command \"gret\"\n  help: did you mean greet?");
    usage(&["greet"], "the environment is missing");
    usage(&["staging", "secret"], "staging has no task \"secret\"");
    usage(&["--hosts", "web1", "production", "work"], "hosts with the role worker, and no host has it");
    stage.configure("unit = \"five\"\n[tasks.deploy]\nrun = \"true\"\n");
    stage.production(&["status"], 3).says("the task `deploy` has the name of one of buedafab's commands");
    stage.configure("unit = \"five\"\n[tasks.greet]\nrun = 7\n");
    stage.production(&["greet"], 3).says("`run` takes a command or a list of commands");
}

#[test]
fn several_commands_run_up_to_the_first_that_fails() {
    let stage = stage();
    let ran = stage.production(&["deploy", "greet:who=all", "status", "run:hostname"], 0);
    ran.says("the link leads to one (")
        .says("web2 │ hello from web2, all\n")
        .says("rollback to")
        .says("web3 │ web3\n");
    let ran = stage.production(&["greet", "fails", "status", "run:echo never"], 7);
    ran.says("hello from web3").says("not started: status, run -- 'echo never'");
    assert!(!ran.stdout.contains("rollback to"), "{}", ran.stdout);
    // Nothing begins before all of it is understood.
    let ran = stage.production(&["greet", "stauts"], 2);
    ran.says("there is no command \"stauts\"\n  help: did you mean status?");
    assert_eq!(ran.stdout, "");
    stage.production(&["--hosts", "web1", "greet", "run:hostname"], 0).says("web1 │ web1\n");
}

#[test]
fn changes_tell_what_comes_and_what_goes() {
    let stage = Stage::new();
    stage.configure_with("scm_http_url = \"https://example.com/five\"");
    stage.production(&["changes"], 0).says("web1, web2, web3: nothing live → one (");
    stage.production(&["deploy"], 0);
    stage.production(&["changes"], 0).says("one (").says("is live already");
    let two = stage.release("two");
    stage.production(&["--hosts", "web3", "deploy"], 0);
    stage.release("three");
    let ran = stage.production(&["changes"], 0);
    ran.says("web1, web2: one (").says("→ three (").says("  brings:\n").says(" two\n");
    ran.says(&format!("web3: two ({}) → three (", &two[..10])).says("https://example.com/five/compare/");
    let ran = stage.production(&["changes:commit=one"], 0);
    ran.says("web3: two (").says("  takes away:\n");
    let documents = stage.production(&["changes", "--json"], 0).stdout;
    let documents: Vec<serde_json::Value> =
        documents.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect();
    assert_eq!(documents[0]["hosts"], serde_json::json!(["web1", "web2"]));
    assert_eq!(documents[0]["commits"]["brings"].as_array().map(Vec::len), Some(2));
    assert_eq!(documents[1]["from"]["describe"], "two");
    stage.production(&["changes:release=v9"], 4).says("there is no tag \"v9\"");
}
