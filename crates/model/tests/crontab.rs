//! The app's jobs, as cron starts them: with the app's variables, and as they were otherwise.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use buedafab_model::app::crontab::CrontabLocation;
use buedafab_model::app::owner::Owner;
use buedafab_model::host::layout::Layout;
use buedafab_model::names::{EnvironmentName, RunId, SlotName, Unit};
use buedafab_model::plan::action::{ServiceAction, Surroundings};
use buedafab_model::shell::render_step;
use insta::assert_snapshot;

use common::shells::{Place, Shell, everywhere_in, shells};

/// A crontab that is a file beside the app.
const CRONTAB: &str =
    "crontab() { case $1 in -l) cat crontab ;; -) cat >crontab.new && mv crontab.new crontab ;; esac; }\n";

/// The jobs of an app that lies there.
fn jobs_of(label: &str, layout: &Layout) -> ServiceAction {
    let variables = [("A", "it's 100% $HOME"), ("BOTH", "of the settings"), ("OWN", "of the settings")];
    let current = layout.current();
    ServiceAction::Crontab {
        slot: SlotName::new("a").expect("a slot"),
        file: "jobs".to_owned(),
        label: label.to_owned(),
        former_label: Unit::new(label).expect("a unit"),
        owner: Owner::new(
            Unit::new(label).expect("a unit"),
            EnvironmentName::new("production").expect("a word"),
            None,
        ),
        place: CrontabLocation::User,
        around: Surroundings {
            directory: current.clone(),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            virtualenv: Some(current.join("env")),
            run_as: None,
        },
    }
}

/// Installs the jobs of a release beside what stands in the crontab, and says what stands there then.
fn install(shell: &Shell, place: &mut Place, before: &str, jobs: &str) -> String {
    let file = place.layout.shared().join(".env");
    place.layout.env_file = Some(file.clone());
    std::fs::create_dir_all(place.layout.shared().as_str()).expect("a folder");
    std::fs::create_dir_all(place.slot("a").join("env/bin")).expect("a folder");
    std::fs::write(place.slot("a").join("jobs"), jobs).expect("a file");
    std::fs::write(file.as_str(), "SECRET='s3 $cret'\nBOTH=of the file\n").expect("a file");
    std::fs::write(place.root().join("crontab"), before).expect("a file");
    if !place.current().exists() {
        std::os::unix::fs::symlink("a", place.current()).expect("a link");
    }
    let action = jobs_of("five", &place.layout);
    let step = render_step(&action.into(), &place.layout, &RunId::new("r1").expect("a word"));
    let output = shell.run(&format!("{CRONTAB}{step}"), &place.root());
    assert!(output.status.success(), "{}: {}", shell.name, String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(place.root().join("crontab")).expect("it is there")
}

/// Several apps, or environments, of one user on one host install their jobs at the same time.
#[test]
fn no_block_is_lost_where_several_are_changed_at_once() {
    for shell in shells() {
        let place = Place::with_room("five");
        let at_once = "crontab() { case $1 in -l) cat crontab ;; -) cat >crontab.$$ && mv crontab.$$ crontab ;; esac; }\n";
        std::fs::write(place.root().join("crontab"), "* * * * * mine\n").expect("a file");
        let labels: Vec<String> = (1..=8).map(|number| format!("app{number}")).collect();
        std::thread::scope(|scope| {
            for label in &labels {
                let (shell, place) = (&shell, &place);
                scope.spawn(move || {
                    let path = place.layout.path.join(label);
                    let layout = Layout { releases: path.join("releases"), path, ..place.layout.clone() };
                    let slot = layout.slot(&SlotName::new("a").expect("a slot"));
                    for folder in [&slot, &layout.state(), &layout.shared()] {
                        std::fs::create_dir_all(folder.as_str()).expect("a folder");
                    }
                    std::os::unix::fs::symlink("a", layout.current().as_str()).expect("a link");
                    std::fs::write(slot.join("jobs").as_str(), format!("* * * * * {label}\n"))
                        .expect("a file");
                    let step = render_step(
                        &jobs_of(label, &layout).into(),
                        &layout,
                        &RunId::new("r1").expect("a word"),
                    );
                    let output = shell.run(&format!("{at_once}{step}"), &place.root());
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                });
            }
        });
        let crontab = std::fs::read_to_string(place.root().join("crontab")).expect("it is there");
        let jobs: BTreeSet<&str> =
            crontab.lines().filter_map(|line| line.strip_prefix("* * * * * ")).collect();
        let expected: BTreeSet<&str> = labels.iter().map(String::as_str).chain(["mine"]).collect();
        assert_eq!(jobs, expected, "{}", shell.name);
    }
}

/// Starts each job as cron does (crontab(5)): what is set holds for the lines below, `SHELL` gets a job by `-c`, and what stands
/// behind a `%` is what it reads.
fn cron(crontab: &str, root: &Path) -> String {
    let mut variables = BTreeMap::from(
        [("SHELL", "/bin/sh"), ("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("LOGNAME", "deploy")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let mut said = String::new();
    for line in crontab.lines().map(str::trim_start).filter(|line| !line.starts_with('#')) {
        let unquoted = |text: &str| {
            let text = text.trim();
            let quoted = ['"', '\''].iter().find_map(|q| text.strip_prefix(*q)?.strip_suffix(*q));
            quoted.unwrap_or(text).to_owned()
        };
        if let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.contains('*')) {
            variables.insert(unquoted(name), unquoted(value));
            continue;
        }
        let command = line.splitn(6, ' ').last().expect("a command").replace("\\%", "\0");
        let mut parts = command.split('%').map(|part| part.replace('\0', "%"));
        let (command, input) = (parts.next().expect("one"), parts.collect::<Vec<_>>().join("\n"));
        let mut child = Command::new(&variables["SHELL"])
            .args(["-c", &command])
            .env_clear()
            .envs(&variables)
            .current_dir(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cron finds the shell");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        said.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    said.replace(root.to_str().expect("UTF-8"), "ROOT")
}

const SAYS: &str = "* * * * * echo \"$A, $BOTH, $OWN, $SECRET, ${PATH%%:*}, $VIRTUAL_ENV\" in $SHELL";
const MINE: &str = "* * * * * echo mine: $A$SECRET in $SHELL";

/// What jobs find, and what stays as it was for those around them.
#[test]
fn jobs_find_what_every_command_of_the_app_does() {
    let found = everywhere_in("it's", |shell, place| {
        let mut place = Place::with_room(place.layout.path.as_str().rsplit('/').next().expect("a name"));
        let mut told = String::new();
        for (before, jobs) in [
            (String::new(), SAYS.replace("%%", "\\%\\%")),
            // What stands in front of them holds for them, and what they set holds before what the settings say.
            (format!("SHELL = \"/bin/bash\"\n{MINE}\n"), format!("OWN = 'own'\n{}\n", SAYS.replace("%%", "\\%\\%"))),
            // A shell of their own, and what they read.
            (format!("{MINE}\n"), "SHELL=/bin/bash\n'OWN'=\"o w n\"\n* * * * * [[ a < b ]] && cat; echo $OWN, $SHELL, ${BUEDAFAB_SHELL-none}%two%lines\n".to_owned()),
        ] {
            let now = install(shell, &mut place, &before, &jobs);
            assert!(!now.contains("s3"), "{now}");
            let mode = place.by_hand("stat -c %a */.buedafab/jobs.sh; ! grep -l s3 */.buedafab/jobs.sh");
            told.push_str(&mode);
            told.push_str(&cron(&format!("{now}{MINE}\n"), &place.root()));
            // Again is the same.
            assert_eq!(install(shell, &mut place, &now, &jobs), now);
        }
        told
    });
    assert_snapshot!(found, @"
    755
    it's 100% $HOME, of the file, of the settings, s3 $cret, ROOT/it's/releases/current/env/bin, ROOT/it's/releases/current/env in /bin/sh
    mine: in /bin/sh
    755
    mine: in /bin/bash
    it's 100% $HOME, of the file, own, s3 $cret, ROOT/it's/releases/current/env/bin, ROOT/it's/releases/current/env in /bin/bash
    mine: in /bin/bash
    755
    mine: in /bin/sh
    two
    lineso w n, /bin/bash, none
    mine: in /bin/sh
    ");
}
