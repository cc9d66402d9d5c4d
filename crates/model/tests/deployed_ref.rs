//! A ref on the remote that says what is live: when it is moved, and what happens if somebody else moves it, too.

mod common;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use buedafab_model::config::parse;
use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::host::record::SlotState;
use buedafab_model::names::{CommitId, EnvironmentName};
use buedafab_model::plan::action::Schema;
use buedafab_model::plan::{Plan, SkippedHost};
use buedafab_model::planner::{
    DeployRequest, DeployedRef, RollbackRequest, RunContext, SeenHost, plan_deploy, plan_rollback,
};
use buedafab_model::shell::render_deployer;
use insta::assert_snapshot;

use common::{URL, assert_sound, fleet, live, release, request, run};

fn tells() -> Option<DeployedRef> {
    let (remote, name) = ("origin".to_owned(), "refs/deployed/production".to_owned());
    Some(DeployedRef { remote, name, old: Some(release(1).commit) })
}

/// What a plan does at its end on this machine, and what it says of the ref.
fn closing(plan: &Plan) -> String {
    assert_sound(plan);
    let steps = plan
        .closing
        .iter()
        .flat_map(|closing| closing.steps.iter().map(|step| format!("{:?}: {}", closing.when, step.action)));
    let notes = plan.notes.iter().map(|note| note.text.clone()).filter(|text| text.contains("refs/"));
    steps.chain(notes).collect::<Vec<_>>().join("\n")
}

/// It says what is live on all hosts, and moves when that is so.
#[test]
fn the_ref_moves_with_what_is_live_everywhere() {
    let settings = fleet("[hooks.local]\nafter = \"tell\"\n", 2);
    let two = || live().slot("b", SlotState::Live, 2).link("b");
    let plan = |hosts: [common::Seen; 2], part: &[usize], skipped: Vec<SkippedHost>| {
        let seen: Vec<SeenHost<'_>> =
            part.iter().map(|at| SeenHost { host: &settings.hosts[*at], facts: &hosts[*at].0 }).collect();
        let context = RunContext { skipped, ..run(60) };
        let request = DeployRequest { tells: tells(), ..request(2) };
        closing(&plan_deploy(&settings, &context, &request, &seen).expect("a plan"))
    };
    let away = SkippedHost { host: settings.hosts[1].name.clone(), why: "no route".to_owned() };
    let back = {
        let hosts = [two(), two()].map(|seen| {
            seen.change(|facts| {
                let slot = facts
                    .slots
                    .values_mut()
                    .next()
                    .and_then(|slot| slot.record.as_mut())
                    .expect("it has one");
                slot.state = SlotState::Retired;
            })
        });
        let seen: Vec<SeenHost<'_>> =
            settings.hosts.iter().zip(&hosts).map(|(host, seen)| SeenHost { host, facts: &seen.0 }).collect();
        let request = RollbackRequest { tells: tells(), ..RollbackRequest::new(URL, Schema::Refuse) };
        closing(&plan_rollback(&settings, &run(60), &request, &seen).expect("a plan"))
    };
    let told = [
        ("on all", plan([live(), live()], &[0, 1], Vec::new())),
        ("where one has it already", plan([live(), two()], &[0, 1], Vec::new())),
        ("while one is away", plan([live(), live()], &[0], vec![away])),
        ("on one of them", plan([live(), live()], &[0], Vec::new())),
        ("where all have it", plan([two(), two()], &[0, 1], Vec::new())),
        ("back", back),
    ];
    let told: Vec<String> = told.iter().map(|(what, closing)| format!("{what}\n{closing}\n")).collect();
    assert_snapshot!(told.join("\n"), @"
    on all
    Done: move refs/deployed/production on origin to 2222222222
    Done: tell

    where one has it already
    Done: move refs/deployed/production on origin to 2222222222
    Done: tell

    while one is away
    Done: move refs/deployed/production on origin to 2222222222
    Done: tell

    on one of them
    Done: tell
    refs/deployed/production stays as it is: it says what is live on all hosts

    where all have it


    back
    Done: move refs/deployed/production on origin to 1111111111
    Done: tell
    ");
}

fn git(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .args(words)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for (name, value) in [("AUTHOR", "Ada"), ("COMMITTER", "Ada")] {
        command.env(format!("GIT_{name}_NAME"), value).env(format!("GIT_{name}_EMAIL"), "ada@example.com");
    }
    let ran = command.output().expect("git runs");
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

/// By compare-and-swap: who comes second says so, and forces nothing.
#[test]
fn who_comes_second_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let [remote, here, away] = ["remote.git", "here", "away"].map(|name| folder.path().join(name));
    git(folder.path(), &["init", "-q", "--bare", "remote.git"]);
    git(folder.path(), &["init", "-q", "here"]);
    git(&here, &["remote", "add", "origin", &remote.display().to_string()]);
    let commits: Vec<CommitId> = (0..3)
        .map(|number| {
            git(&here, &["commit", "-q", "--allow-empty", "-m", &format!("{number}")]);
            CommitId::new(git(&here, &["rev-parse", "HEAD"])).expect("an id")
        })
        .collect();
    git(&here, &["push", "-q", "origin", "HEAD:refs/heads/main"]);
    let name = "refs/deployed/production";
    let mut told = String::new();
    let mut go = |what: &str, old: Option<usize>, new: usize| {
        let action = DeployerAction::MoveRef {
            remote: "origin".to_owned(),
            name: name.to_owned(),
            old: old.map(|old| commits[old].clone()),
            commit: commits[new].clone(),
        };
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec 2>&1\n{}", render_deployer(&action))]).current_dir(&here);
        let ran = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("LC_ALL", "C").output().expect("it runs");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let mut said: String = said
            .lines()
            .filter(|line| line.contains("lags behind") || line.contains("git push"))
            .map(|line| format!("  {line}\n"))
            .collect();
        let place = if remote.exists() { &remote } else { &away };
        let there = git(place, &["for-each-ref", "--format=%(objectname)", name]);
        let there = commits.iter().position(|commit| there.starts_with(commit.as_str()));
        for (number, commit) in commits.iter().enumerate() {
            said = said.replace(commit.as_str(), &format!("COMMIT{number}"));
            said = said.replace(commit.short(), &format!("SHORT{number}"));
        }
        told += &format!("{what}: exit {:?}, it says {there:?}\n{said}", ran.status.code());
    };
    go("the first", None, 0);
    go("forwards", Some(0), 1);
    go("the same again", Some(1), 1);
    go("back", Some(1), 0);
    go("somebody has moved it there already", Some(2), 0);
    go("somebody was faster", Some(2), 1);
    go("somebody was faster with the first", None, 1);
    git(&here, &["push", "-q", "origin", &format!(":{name}")]);
    go("somebody has removed it", Some(0), 1);
    let hook = remote.join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").expect("a hook");
    std::fs::set_permissions(&hook, Permissions::from_mode(0o755)).expect("it can be run");
    go("the server takes no first one", None, 1);
    std::fs::remove_file(&hook).expect("it goes");
    go("the first again", None, 0);
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").expect("a hook");
    std::fs::set_permissions(&hook, Permissions::from_mode(0o755)).expect("it can be run");
    go("the server takes none", Some(0), 1);
    std::fs::rename(&remote, &away).expect("it goes");
    go("the server is away", Some(0), 1);
    std::fs::rename(&away, &remote).expect("it comes back");
    // Nothing of it is left here, and it is neither a branch nor a tag.
    assert_eq!(
        git(&here, &["for-each-ref", "--format=%(refname)"])
            .lines()
            .filter(|line| line.contains("deployed"))
            .count(),
        0
    );
    assert_snapshot!(told, @"
    the first: exit Some(0), it says Some(0)
    forwards: exit Some(0), it says Some(1)
    the same again: exit Some(0), it says Some(1)
    back: exit Some(0), it says Some(0)
    somebody has moved it there already: exit Some(0), it says Some(0)
    somebody was faster: exit Some(1), it says Some(0)
      SHORT1 is live; only refs/deployed/production on origin lags behind: somebody else has moved it meanwhile, to COMMIT0, and it stays there
      if this run was the last, this moves it: git push --force-with-lease=refs/deployed/production:COMMIT0 origin COMMIT1:refs/deployed/production
    somebody was faster with the first: exit Some(1), it says Some(0)
      SHORT1 is live; only refs/deployed/production on origin lags behind: somebody else has moved it meanwhile, to COMMIT0, and it stays there
      if this run was the last, this moves it: git push --force-with-lease=refs/deployed/production:COMMIT0 origin COMMIT1:refs/deployed/production
    somebody has removed it: exit Some(1), it says None
      SHORT1 is live; only refs/deployed/production on origin lags behind: somebody else has removed it meanwhile
      if this run was the last, this puts it back: git push --force-with-lease=refs/deployed/production: origin COMMIT1:refs/deployed/production
    the server takes no first one: exit Some(1), it says None
      SHORT1 is live; only refs/deployed/production on origin lags behind: it isn't there yet
      this moves it: git push --force-with-lease=refs/deployed/production: origin COMMIT1:refs/deployed/production
    the first again: exit Some(0), it says Some(0)
    the server takes none: exit Some(1), it says Some(0)
      SHORT1 is live; only refs/deployed/production on origin lags behind: it still says COMMIT0
      this moves it: git push --force-with-lease=refs/deployed/production:COMMIT0 origin COMMIT1:refs/deployed/production
    the server is away: exit Some(1), it says Some(0)
      SHORT1 is live; only refs/deployed/production on origin lags behind: origin doesn't answer
      once it does, this moves it: git push --force-with-lease=refs/deployed/production:COMMIT0 origin COMMIT1:refs/deployed/production
    ");
}

/// What the setting may say.
#[test]
fn the_name_of_the_ref() {
    let read = |text: &str| {
        let production = EnvironmentName::new("production").expect("a word");
        let read = parse("buedafab.toml", text).and_then(|file| file.settings(&production));
        match read {
            Ok(settings) => format!("{:?}\n", settings.source.deployed_ref),
            Err(mistakes) => mistakes.to_string(),
        }
    };
    let at_top = |value: &str| {
        read(&format!(
            "unit = \"five\"\ndeployed_ref = {value}\n[environments.production]\nhosts = [\"web1\"]\n"
        ))
    };
    let told = [
        read("unit = \"five\"\n[environments.production]\nhosts = [\"web1\"]\n"),
        at_top("true"),
        at_top("false"),
        at_top("\"refs/live/{unit}/{environment}\""),
        at_top("\"refs/live/five\""),
        read(
            "unit = \"five\"\n[environments.production]\nhosts = [\"web1\"]\ndeployed_ref = \"refs/live/five\"\n",
        ),
        at_top("\"refs/heads/{environment}\""),
        at_top("\"deployed/{environment}\""),
        at_top("\"refs/{environment}\""),
        at_top("\"refs/live/{environment}/a b\""),
        at_top("\"refs/live/{host}\""),
        at_top("1"),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    None

    Some("refs/deployed/production")

    None

    Some("refs/live/five/production")

    error: each environment would move the same ref
     --> buedafab.toml:2:16
      |
    2 | deployed_ref = "refs/live/five"
      |                ^^^^^^^^^^^^^^^^
      |
      = help: let `{environment}` stand in it, or write it in one environment
    Some("refs/live/five")

    error: `refs/heads/{environment}` would be taken for one of your own:
           `refs/heads` isn't for this
     --> buedafab.toml:2:16
      |
    2 | deployed_ref = "refs/heads/{environment}"
      |                ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `true`, or a name such as `"refs/deployed/{environment}"`
    error: `deployed/{environment}` isn't the name of a ref: these begin with
           `refs/`
     --> buedafab.toml:2:16
      |
    2 | deployed_ref = "deployed/{environment}"
      |                ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `true`, or a name such as `"refs/deployed/{environment}"`
    error: `refs/{environment}` isn't a name that git takes for a ref
     --> buedafab.toml:2:16
      |
    2 | deployed_ref = "refs/{environment}"
      |                ^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `true`, or a name such as `"refs/deployed/{environment}"`
    error: `refs/live/{environment}/a b` isn't a name that git takes for a ref
     --> buedafab.toml:2:16
      |
    2 | deployed_ref = "refs/live/{environment}/a b"
      |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `true`, or a name such as `"refs/deployed/{environment}"`
    error: `{host}` isn't a placeholder here
     --> buedafab.toml:2:27
      |
    2 | deployed_ref = "refs/live/{host}"
      |                           ^^^^^^
      |
      = help: write `{environment}` or `{unit}`; `{{` and `}}` stand for braces
    error: `deployed_ref` takes `true`, `false` or the name of a ref, not a whole
           number
     --> buedafab.toml:2:16
      |
    2 | deployed_ref = 1
      |                ^
    "#);
    let apps = "unit = \"five\"\ndeployed_ref = true\n[apps.web]\n[apps.api]\n[environments.production]\nhosts = [\"web1\"]\n";
    let production = EnvironmentName::new("production").expect("a word");
    let clash = parse("buedafab.toml", apps)
        .and_then(|file| file.apps_in(&production))
        .expect_err("both would move it");
    assert_snapshot!(clash.to_string(), @r#"
    error: the apps `web` and `api` would both move refs/deployed/production
    --> buedafab.toml
     = help: let `{unit}` stand in it: deployed_ref =
             "refs/deployed/{environment}/{unit}"
    "#);
}
