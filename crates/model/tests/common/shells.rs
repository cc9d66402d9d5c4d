//! The shells that a host may have, and a folder to be a host in.

use buedafab_model::plan::action::RecordAction;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::layout::Layout;
use buedafab_model::names::{HostPath, RunId, SlotName};
use buedafab_model::plan::action::Action;
use buedafab_model::shell::inspect::{AlsoLookAt, Scope, inspect_script};
use buedafab_model::shell::render_step;
use jiff::Timestamp;
use tempfile::TempDir;

/// A shell, and the tools that come with it.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) name: &'static str,
    /// Searched before all others.
    tools: PathBuf,
}

/// dash, bash, and BusyBox with all of its own tools.
pub(crate) fn shells() -> [Shell; 3] {
    ["dash", "bash", "busybox"].map(|name| {
        let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tools-of-{name}"));
        if !tools.exists() {
            make_tools(name, &tools);
        }
        Shell { name, tools }
    })
}

/// Many tests may do this at once: whichever is first wins.
fn make_tools(name: &str, tools: &Path) {
    let new = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder").keep();
    let script = match name {
        "busybox" => "busybox --install -s \"$2\"",
        _ => "ln -s \"$(command -v \"$1\")\" \"$2/sh\"",
    };
    let status = Command::new("sh").args(["-c", script, "sh", name]).arg(&new).status().expect("sh runs");
    assert!(status.success(), "{name} is installed");
    if std::fs::rename(&new, tools).is_err() {
        std::fs::remove_dir_all(new).expect("it is there");
    }
}

impl Shell {
    /// Runs a script as a runner would: with nothing on standard input, and no configuration of git's but its own.
    pub(crate) fn run(&self, script: &str, directory: &Path) -> Output {
        self.command(script, directory).output().expect("it runs")
    }

    pub(crate) fn command(&self, script: &str, directory: &Path) -> Command {
        let path = std::env::var("PATH").expect("a PATH");
        let mut command = Command::new(self.tools.join("sh"));
        command
            .args(["-c", script])
            .current_dir(directory)
            .env("PATH", format!("{}:{path}", self.tools.display()))
            .stdin(Stdio::null());
        plain_git(&mut command);
        command
    }
}

/// No configuration of the machine's or the user's decides what git does.
pub(crate) fn plain_git(command: &mut Command) {
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")])
        .envs([("GIT_AUTHOR_DATE", "1700000000 +0000"), ("GIT_COMMITTER_DATE", "1700000000 +0000")]);
}

/// What came of a script: `0`, or the status with all that was printed.
pub(crate) fn told(output: &Output, place: &Place) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let text = text.replace(place.root().to_str().expect("UTF-8"), "ROOT");
    let status = output.status.code().map_or("killed".to_owned(), |status| status.to_string());
    if text.trim().is_empty() { status } else { format!("{status}: {}", text.trim_end()) }
}

/// A folder in which an app is deployed, as on a host.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) layout: Layout,
}

impl Place {
    /// A place where the app's folder has this name, and isn't there yet.
    pub(crate) fn new(name: &str) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        // The real path, as tests compare it with what tools print.
        let root = folder.path().canonicalize().expect("it is there");
        let path = HostPath::new(root.to_str().expect("UTF-8")).expect("an absolute path").join(name);
        let layout = Layout {
            releases: path.join("releases"),
            path,
            link: "current".to_owned(),
            virtualenv: "env".to_owned(),
            adds_up: false,
            env_file: None,
        };
        Place { folder, layout }
    }

    /// One with all its folders, and nothing in them.
    pub(crate) fn with_room(name: &str) -> Place {
        let place = Place::new(name);
        std::fs::create_dir_all(place.releases()).expect("a folder");
        std::fs::create_dir_all(place.memory().join("slots")).expect("a folder");
        place
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("it is there")
    }

    pub(crate) fn releases(&self) -> PathBuf {
        PathBuf::from(self.layout.releases.as_str())
    }

    pub(crate) fn memory(&self) -> PathBuf {
        PathBuf::from(self.layout.state().as_str())
    }

    pub(crate) fn slot(&self, name: &str) -> PathBuf {
        self.releases().join(name)
    }

    pub(crate) fn current(&self) -> PathBuf {
        PathBuf::from(self.layout.current().as_str())
    }

    /// Prepares something by hand, in the folder around the app's.
    #[track_caller]
    pub(crate) fn by_hand(&self, script: &str) -> String {
        let mut command = Command::new("bash");
        command.args(["-ec", script]).current_dir(self.root());
        plain_git(&mut command);
        let output = command.output().expect("bash runs");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The commit that a slot stands on.
    #[track_caller]
    pub(crate) fn commit_of(&self, slot: &str) -> String {
        let mut command = Command::new("git");
        command.args(["rev-parse", "HEAD"]).current_dir(self.slot(slot));
        plain_git(&mut command);
        let output = command.output().expect("git runs");
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Looks at the place.
    #[track_caller]
    pub(crate) fn look(&self, shell: &Shell, scope: Scope) -> HostFacts {
        let output = shell.run(&inspect_script(&self.layout, scope, &AlsoLookAt::default()), &self.root());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr, "", "a look by {} complains", shell.name);
        HostFacts::parse(&output.stdout, &self.layout, Timestamp::UNIX_EPOCH).expect("it can be understood")
    }

    /// Does an action.
    pub(crate) fn act<A: Clone + Into<Action>>(&self, shell: &Shell, action: &A) -> String {
        let run = RunId::new("r1").expect("a word");
        told(&shell.run(&render_step(&action.clone().into(), &self.layout, &run), &self.root()), self)
    }
}

pub(crate) fn slot(name: &str) -> SlotName {
    SlotName::new(name).expect("a slot")
}

pub(crate) fn point(target: &str) -> Action {
    RecordAction::SwitchLink { target: Some(target.to_owned()) }.into()
}

/// Does the same with every shell, each in a place of its own; all have to come to the same.
#[track_caller]
pub(crate) fn everywhere(work: impl Fn(&Shell, &Place) -> String) -> String {
    everywhere_in("five", work)
}

#[track_caller]
pub(crate) fn everywhere_in(name: &str, work: impl Fn(&Shell, &Place) -> String) -> String {
    let found = shells().map(|shell| (work(&shell, &Place::with_room(name)), shell.name));
    for (other, name) in &found[1..] {
        assert_eq!(*other, found[0].0, "{name}");
    }
    let [(found, _), ..] = found;
    found
}

/// What every quoting has to survive.
pub(crate) const ODD: &str = "it's 100% \"sure\"\\n\n$HOME `id` \u{1b}[1m é";

/// Runs an action where these tools come before all others, each a shell script.
pub(crate) fn with_tools<A: Clone + Into<Action>>(
    shell: &Shell,
    place: &Place,
    tools: &[(&str, &str)],
    action: &A,
) -> String {
    let folder = place.root().join("fake tools");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, script) in tools {
        place.by_hand(&format!(
            "cat >'fake tools/{name}' <<'END'\n#!/bin/sh\n{script}\nEND\nchmod +x 'fake tools/{name}'"
        ));
    }
    let script = render_step(&action.clone().into(), &place.layout, &RunId::new("r1").expect("a word"));
    told(
        &shell
            .command(&format!("PATH=\"$PWD/fake tools:$PATH\"\n{script}"), &place.root())
            .output()
            .expect("it runs"),
        place,
    )
}

/// Names and contents of what lies in a folder, links with where they lead.
pub(crate) fn list(folder: &Path) -> String {
    let mut lines: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            match std::fs::read_link(entry.path()) {
                Ok(target) => format!("{name} -> {}", target.display()),
                Err(_) if entry.path().is_dir() => format!("{name}/"),
                Err(_) => name,
            }
        })
        .collect();
    lines.sort();
    lines.join(" ")
}
