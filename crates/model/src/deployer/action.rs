//! What a run does on the deployer: data, as the steps on hosts are.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::app::archive::Artifact;
use crate::app::text::one_line;
use crate::host::balancer::Membership;
use crate::names::{CommitId, HostName};

/// One thing that is done on the deployer, in the project's checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum DeployerAction {
    /// Runs the project's tests.
    Test {
        /// What runs them.
        #[serde(rename = "command")]
        runner: TestRunner,
        /// The folder of a virtualenv whose programs come first, unless one is active.
        virtualenv: String,
        /// Where in the project the app lies; `None`: at its root.
        #[serde(skip_serializing_if = "Option::is_none")]
        subdir: Option<String>,
    },
    /// Runs a command of the configuration.
    Hook {
        /// The command, for `sh`.
        command: String,
    },
    /// Tags a commit as a release.
    Tag {
        /// The tag's name.
        tag: String,
        /// The commit.
        commit: CommitId,
        /// Whether it is signed.
        signed: bool,
        /// Who may have signed it, if that has to be proven.
        signers: Vec<String>,
        /// The remote that it will be pushed to: a tag that got there isn't removed.
        remote: String,
    },
    /// Removes a tag that this run has made, unless the remote has that very tag.
    RemoveTag {
        /// The tag's name.
        tag: String,
        /// The remote.
        remote: String,
    },
    /// Moves a branch of the remote on to a commit; never by force.
    PushBranch {
        /// The remote.
        remote: String,
        /// The branch's name there.
        branch: String,
        /// The commit.
        commit: CommitId,
    },
    /// Brings a tag to the remote; never by force.
    PushTag {
        /// The remote.
        remote: String,
        /// The tag.
        tag: String,
    },
    /// Makes a ref of the remote say what is live: by force, but only while it says there what this run has seen. Nobody works on such a
    /// ref, and a release that is gone back to comes before the one that it replaces.
    MoveRef {
        /// The remote.
        remote: String,
        /// The whole name of the ref.
        name: String,
        /// What it says there; `None`: there is no such ref.
        old: Option<CommitId>,
        /// What it is to say.
        commit: CommitId,
    },
    /// Makes a virtualenv, if it isn't there.
    MakeVirtualenv {
        /// Its folder.
        folder: String,
        /// Whether `uv` makes it, or the `venv` module of Python.
        uv: bool,
    },
    /// Installs requirement files into a virtualenv.
    InstallRequirements {
        /// The virtualenv's folder.
        virtualenv: String,
        /// Whether `uv` does it, or pip.
        uv: bool,
        /// The files, in the app's folder.
        files: Vec<String>,
        /// Files that limit versions, there, too.
        constraints: Vec<String>,
        /// Private packages, by their names.
        packages: Vec<PackageFile>,
        /// Words for the installer.
        options: Vec<String>,
        /// Where in the project that lies; `None`: at its root.
        #[serde(skip_serializing_if = "Option::is_none")]
        subdir: Option<String>,
    },
    /// Runs a script of the project that installs what a requirement file can't name.
    InstallByScript {
        /// The script's path in the app's folder.
        script: String,
        /// The virtualenv's folder, which is its argument.
        virtualenv: String,
        /// As for requirement files.
        #[serde(skip_serializing_if = "Option::is_none")]
        subdir: Option<String>,
    },
    /// Lays a commit out in a clone of the project that is kept for builds alone.
    LayOut {
        /// The clone's folder.
        clone: String,
        /// The commit.
        commit: CommitId,
        /// The remote that addresses of submodules may be relative to.
        remote: String,
        /// Whether it has submodules.
        submodules: bool,
    },
    /// Runs a command of the configuration that builds the release, where it is laid out.
    Build {
        /// The command, for `sh`.
        command: String,
        /// The clone's folder.
        clone: String,
    },
    /// Packs a release into one file for all hosts.
    Pack(Packing),
    /// Takes hosts out of traffic, and waits until they get no requests any more.
    Drain(TrafficShift),
    /// Puts hosts back into traffic, and waits until they get requests again.
    Undrain(TrafficShift),
    /// Brings the submodules of the checkout to where its commit wants them.
    UpdateSubmodules,
    /// Looks the code over, with the folders of Bueda's layout on Python's path.
    Lint {
        /// The command, for `sh`.
        command: String,
        /// Files and folders that follow it.
        paths: Vec<String>,
        /// As for tests.
        virtualenv: String,
        /// As for tests.
        #[serde(skip_serializing_if = "Option::is_none")]
        subdir: Option<String>,
    },
    /// Runs a last command of setting up a checkout.
    SetUp {
        /// The command, for `sh`.
        command: String,
        /// As for tests.
        virtualenv: String,
        /// As for tests.
        #[serde(skip_serializing_if = "Option::is_none")]
        subdir: Option<String>,
    },
}

/// Hosts, and how the deployer takes them out of traffic, or puts them back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrafficShift {
    /// The hosts.
    pub hosts: Vec<HostTraffic>,
    /// How.
    #[serde(flatten)]
    pub way: DeployerWay,
    /// For how long it waits once they are out: until requests that were under way have ended, in seconds.
    pub grace_seconds: u32,
}

/// A host, and where visitors find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostTraffic {
    /// The host.
    pub host: HostName,
    /// Where it is reached.
    pub address: String,
    /// Its places behind load balancers of Amazon's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub memberships: Vec<Membership>,
}

/// How the deployer does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum DeployerWay {
    /// By commands, for `sh`, once for each host.
    Command {
        /// Takes a host out.
        command: String,
        /// Puts it back.
        undo: String,
        /// How long they may take for all hosts together, in seconds.
        timeout_seconds: u32,
    },
    /// By the interface of Amazon's load balancers.
    LoadBalancer {
        /// Where they are; `None`: what the environment or the profile says.
        #[serde(skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        /// How many others have to be in service in each group before a host is taken out of it.
        least: u32,
        /// How long the load balancer may take, in seconds.
        timeout_seconds: u32,
    },
}

impl TrafficShift {
    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            DeployerWay::Command { .. } => Ok(()),
            DeployerWay::LoadBalancer { .. } => {
                let memberships = self.hosts.iter().flat_map(|host| &host.memberships);
                let groups: BTreeSet<String> =
                    memberships.map(|membership| membership.group.to_string()).collect();
                if groups.is_empty() {
                    f.write_str(": no load balancer has any")
                } else {
                    write!(f, ": {}", groups.into_iter().collect::<Vec<_>>().join(", "))
                }
            }
        }
    }

    /// Whether Amazon's load balancers are asked to do it.
    pub fn is_by_load_balancer(&self) -> bool {
        matches!(self.way, DeployerWay::LoadBalancer { .. })
    }

    /// The hosts' names.
    pub fn names(&self) -> String {
        self.hosts.iter().map(|host| host.host.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// How a release is packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packing {
    /// The commit.
    pub commit: CommitId,
    /// The file that is made.
    pub archive: String,
    /// Where the commit is laid out, where that is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clone: Option<String>,
    /// Whether commands have built it there.
    pub is_built: bool,
    /// Whether it has submodules.
    pub submodules: bool,
    /// The folders that the release is only made of, with the files above them; `None`: all there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// What goes along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
}

/// What runs a project's tests. In documents it is what people read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum TestRunner {
    /// Django's own.
    Django,
    /// Nose. Its last release works on no Python from 3.10 on, which is asked before.
    Nose,
    /// pytest.
    Pytest,
    /// Tornado's own; or the script that Bueda's own Tornado projects have for it.
    Tornado,
    /// Python's own.
    Unittest,
    /// A command of the configuration, for `sh`.
    Command(String),
}

impl TestRunner {
    /// As `test_runner` says it.
    pub fn named(name: &str) -> Self {
        match name {
            "django" => TestRunner::Django,
            "nose" => TestRunner::Nose,
            "pytest" => TestRunner::Pytest,
            "tornado" => TestRunner::Tornado,
            "unittest" => TestRunner::Unittest,
            command => TestRunner::Command(command.to_owned()),
        }
    }

    /// The program and its arguments.
    pub fn words(&self) -> &str {
        match self {
            TestRunner::Django => "python manage.py test --noinput",
            TestRunner::Nose => "python -m nose",
            TestRunner::Pytest => "python -m pytest",
            TestRunner::Tornado => "python -m tornado.testing discover",
            TestRunner::Unittest => "python -m unittest discover",
            TestRunner::Command(command) => command,
        }
    }
}

impl From<TestRunner> for String {
    fn from(runner: TestRunner) -> String {
        runner.to_string()
    }
}

impl fmt::Display for TestRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TestRunner::Tornado => write!(f, "tests/run_tests.py, or {}", self.words()),
            _ => f.write_str(&one_line(self.words())),
        }
    }
}

/// A private package on the deployer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageFile {
    /// What people call it.
    pub name: String,
    /// Where it lies.
    pub path: String,
}

impl DeployerAction {
    /// What takes it back, where a run comes to nothing.
    pub fn way_back(&self) -> Option<DeployerAction> {
        match self {
            DeployerAction::Tag { tag, remote, .. } => {
                Some(DeployerAction::RemoveTag { tag: tag.clone(), remote: remote.clone() })
            }
            DeployerAction::Drain(traffic) => Some(DeployerAction::Undrain(traffic.clone())),
            DeployerAction::Test { .. }
            | DeployerAction::Undrain(_)
            | DeployerAction::Hook { .. }
            | DeployerAction::RemoveTag { .. }
            | DeployerAction::PushBranch { .. }
            | DeployerAction::PushTag { .. }
            | DeployerAction::MoveRef { .. }
            | DeployerAction::MakeVirtualenv { .. }
            | DeployerAction::InstallRequirements { .. }
            | DeployerAction::InstallByScript { .. }
            | DeployerAction::LayOut { .. }
            | DeployerAction::Build { .. }
            | DeployerAction::Pack(_)
            | DeployerAction::UpdateSubmodules
            | DeployerAction::Lint { .. }
            | DeployerAction::SetUp { .. } => None,
        }
    }

    /// The same, which leaves these hosts alone.
    pub fn without(&self, hosts: &BTreeSet<HostName>) -> DeployerAction {
        let mut action = self.clone();
        if let DeployerAction::Drain(shift) | DeployerAction::Undrain(shift) = &mut action {
            shift.hosts.retain(|host| !hosts.contains(&host.host));
        }
        action
    }

    /// How long it may take, in seconds; `None`: as long as it likes, or it sees to that by itself.
    pub fn limit_seconds(&self) -> Option<u32> {
        let (DeployerAction::Drain(shift) | DeployerAction::Undrain(shift)) = self else { return None };
        match shift.way {
            DeployerWay::Command { timeout_seconds, .. } => {
                Some(timeout_seconds.saturating_add(shift.grace_seconds))
            }
            DeployerWay::LoadBalancer { .. } => None,
        }
    }

    /// Whether others can see what it does: from there on, nothing that led to it is taken back.
    pub fn is_public(&self) -> bool {
        matches!(self, DeployerAction::PushTag { .. })
    }

    /// Whether what comes after it is done also where it failed.
    pub fn is_optional(&self) -> bool {
        matches!(self, DeployerAction::MoveRef { .. })
    }

    /// Whether git may ask a person for a passphrase meanwhile. Such a step keeps the terminal.
    pub fn may_ask(&self) -> bool {
        matches!(
            self,
            DeployerAction::Tag { .. }
                | DeployerAction::PushBranch { .. }
                | DeployerAction::PushTag { .. }
                | DeployerAction::MoveRef { .. }
                | DeployerAction::UpdateSubmodules
                | DeployerAction::LayOut { submodules: true, .. }
        )
    }
}

impl fmt::Display for DeployerAction {
    /// A line for people, in the imperative.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeployerAction::Test { runner, .. } => write!(f, "run the tests: {runner}"),
            DeployerAction::Hook { command }
            | DeployerAction::Build { command, .. }
            | DeployerAction::SetUp { command, .. } => f.write_str(&one_line(command)),
            DeployerAction::Lint { command, paths, .. } => {
                f.write_str(&one_line(command))?;
                paths.iter().try_for_each(|path| write!(f, " {path}"))
            }
            DeployerAction::Tag { tag, commit, signed, .. } => {
                let how = if *signed { ", signed" } else { "" };
                write!(f, "tag {} as {tag}{how}", commit.short())
            }
            DeployerAction::RemoveTag { tag, .. } => write!(f, "remove the tag {tag}"),
            DeployerAction::PushBranch { remote, branch, commit } => {
                write!(f, "push {} to {branch} on {remote}", commit.short())
            }
            DeployerAction::PushTag { remote, tag } => write!(f, "push {tag} to {remote}"),
            DeployerAction::MoveRef { remote, name, commit, .. } => {
                write!(f, "move {name} on {remote} to {}", commit.short())
            }
            DeployerAction::MakeVirtualenv { folder, .. } => write!(f, "make the virtualenv {folder}"),
            DeployerAction::InstallRequirements { files, packages, .. } => {
                let packages = packages.iter().map(|package| package.name.as_str());
                let all: Vec<&str> = files.iter().map(String::as_str).chain(packages).collect();
                write!(f, "install {}", all.join(", "))
            }
            DeployerAction::InstallByScript { script, .. } => write!(f, "run {script}"),
            DeployerAction::LayOut { commit, .. } => write!(f, "lay {} out in a clone", commit.short()),
            DeployerAction::Pack(Packing { commit, artifact, .. }) => {
                write!(f, "pack {}", commit.short())?;
                match artifact {
                    None => Ok(()),
                    Some(Artifact::Path { path }) => write!(f, " with {}", one_line(path)),
                    Some(Artifact::Address { url, .. }) => write!(f, " with {}", one_line(url)),
                }
            }
            DeployerAction::Drain(traffic) => {
                write!(f, "take {} out of traffic", traffic.names())?;
                traffic.tell(f)?;
                match traffic.grace_seconds {
                    0 => Ok(()),
                    seconds => write!(f, ", and wait {seconds} s"),
                }
            }
            DeployerAction::Undrain(traffic) => {
                write!(f, "put {} back into traffic", traffic.names())?;
                traffic.tell(f)
            }
            DeployerAction::UpdateSubmodules => f.write_str("update the submodules"),
        }
    }
}
