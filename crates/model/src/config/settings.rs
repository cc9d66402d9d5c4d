//! What the configuration of one environment means, with every default filled in.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::release::{BranchPattern, Confirm, VersionPattern};
use super::task::Task;
use crate::maintenance::MaintenanceMethod;
use crate::names::{EnvironmentName, HostName, HostPath, Role, SlotName, TaskName, Unit};
use crate::package::PrivatePackage;
use crate::recipe::{Collectstatic, Recipe, Steps};
use crate::virtualenv::Installer;

/// All settings of one environment. What was typed is a [`Layer`](super::Layer); this is what was meant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// The environment that these settings are of.
    pub environment: EnvironmentName,
    /// The app's short name.
    pub unit: Unit,
    /// The app's directory on a host; a host may override it.
    pub path: HostPath,
    /// The git remote's URL, as the hosts reach it. `None`: the URL of `master_remote` in the deployer's checkout.
    pub scm: Option<String>,
    /// The repository's page, for links in reports.
    pub scm_http_url: Option<String>,
    /// Lines of a `known_hosts` file that pin the git server's keys. Empty: the host's own files decide.
    pub scm_known_hosts: Vec<String>,
    /// Whether the deployer's SSH agent is lent to the step that fetches.
    pub forward_agent: bool,
    /// The remote in the deployer's checkout that a commit has to be on.
    pub master_remote: String,
    /// What is deployed when nothing is named.
    pub default_revision: String,
    /// Whether a commit that isn't on the remote is pushed there first, never by force.
    pub push_before_deploy: bool,
    /// The branches of the remote that a release has to be on one of.
    pub branch: BranchPattern,
    /// Whether only tagged commits are deployed.
    pub require_tag: bool,
    /// What the name of a release's tag looks like.
    pub version_pattern: VersionPattern,
    /// Whether tags that a deploy makes are signed.
    pub sign_tags: bool,
    /// Whether a release older than the live one is deployed without asking.
    pub allow_older: bool,
    /// Whether uncommitted changes in the deployer's checkout stop a deploy.
    pub require_clean: bool,
    /// Whether a release's tag has to be signed by one of `allowed_signers`.
    pub verify_signatures: bool,
    /// Lines of an OpenSSH `allowed_signers` file, and fingerprints of OpenPGP keys.
    pub allowed_signers: Vec<String>,
    /// What a person is asked for before hosts are changed.
    pub confirm: Confirm,
    /// Where the app says which release it runs; `{host}` and `{address}` are still to be filled in.
    pub version_url: Option<String>,
    /// How long an app that was just switched to may take to say so, in seconds.
    pub version_timeout_seconds: u32,
    /// What runs the project's tests: a name that buedafab knows, or a command.
    pub test_runner: Option<String>,
    /// What looks the project's code over: a name that buedafab knows, or a command.
    pub linter: String,
    /// Requirement files that the hosts of this environment install, relative to the project: those for all
    /// environments, then those for this kind.
    pub pip_requirements: Vec<String>,
    /// Files that limit versions.
    pub pip_constraints: Vec<String>,
    /// Requirement files that a developer installs besides.
    pub pip_requirements_dev: Vec<String>,
    /// Requirement files for all environments but localhost and development.
    pub pip_requirements_production: Vec<String>,
    /// Commands that setting up a developer's checkout ends with.
    pub extra_setup_tasks: Vec<String>,
    /// What kind of app it is.
    pub recipe: Recipe,
    /// Commands in place of steps of the recipe.
    pub steps: Steps,
    /// Where Django's static files are collected.
    pub collectstatic: Collectstatic,
    /// Files in `shared` that are linked into every release, relative to both.
    pub shared_files: Vec<String>,
    /// Folders in `shared` that are linked into every release.
    pub shared_dirs: Vec<String>,
    /// The Python that virtualenvs are made with.
    pub python: String,
    /// Packages that no index has.
    pub private_packages: Vec<PrivatePackage>,
    /// Lists of more of them, in the project.
    pub private_requirements: Vec<String>,
    /// Where those are; `{name}` and `{release}` are still to be filled in.
    pub private_source: Option<String>,
    /// The server that understands S3. `None`: what the environment says, or Amazon's.
    pub s3_endpoint: Option<String>,
    /// Its region. `None`: what the environment says.
    pub s3_region: Option<String>,
    /// What installs packages.
    pub installer: Installer,
    /// Words for the installer.
    pub pip_options: Vec<String>,
    /// Scripts of the project that install packages.
    pub package_installation_scripts: Vec<String>,
    /// Django's fixtures that are loaded after a migration.
    pub extra_fixtures: Vec<String>,
    /// Whether `manage.py syncdb` comes before a migration.
    pub syncdb: bool,
    /// A file of variables in `shared`, for the app's commands.
    pub env_file: Option<String>,
    /// A crontab in the project, for the first host.
    pub crontab: Option<String>,
    /// Where its jobs stand.
    pub crontab_place: CrontabPlace,
    /// How visitors are told of maintenance.
    pub maintenance: MaintenanceMethod,
    /// The file in a release that says whether it is in maintenance.
    pub settings_file: String,
    /// The page's template in the project. `None`: the program's own.
    pub maintenance_page: Option<String>,
    /// How release directories are arranged.
    pub strategy: StrategyName,
    /// How a commit reaches a host.
    pub source: SourceName,
    /// The folder below `path` that holds the slots.
    pub releases_root: String,
    /// The link in `releases_root` that decides what is live.
    pub current_release_symlink: String,
    /// The slots, two or more.
    pub release_paths: Vec<SlotName>,
    /// The folder in a slot that holds its virtualenv; it survives the clean-up of a slot.
    pub virtualenv: String,
    /// The user who logs in, on hosts that name none. `None`: what ssh_config says.
    pub deploy_user: Option<String>,
    /// The user that the app's own code runs as. `None`: the one who logs in.
    pub run_as: Option<String>,
    /// Whether sudo wants a password.
    pub ask_sudo_password: bool,
    /// The group that owns what is deployed, group-writable. `None`: whatever the user's default is.
    pub deploy_group: Option<String>,
    /// `DEPLOYMENT_TYPE` in the environment of every app command.
    pub deployment_type: String,
    /// More variables for every app command.
    pub variables: BTreeMap<String, String>,
    /// How the app is restarted when no `restart` hook says it.
    pub service: Service,
    /// More services, in the order in which they are restarted on the way to a new release.
    pub services: Vec<NamedService>,
    /// For how long services that are described have to stay up before a switch counts, in seconds.
    pub settle_seconds: u32,
    /// Shell commands at named points, on the hosts.
    pub hooks: Hooks,
    /// Shell commands on the deployer.
    pub local_hooks: LocalHooks,
    /// How many hosts switch together, wave by wave; the last wave takes all that are left. Empty: all at once.
    pub waves: Vec<WaveSize>,
    /// How long a connection may take to stand, in seconds.
    pub connect_timeout_seconds: u32,
    /// How long one step may run, in seconds.
    pub step_timeout_seconds: u32,
    /// How long a switched host waits for its `confirm` before it reverts by itself, in seconds.
    pub confirm_timeout_seconds: u32,
    /// After how many seconds of silence either side takes the other for dead.
    pub lost_after_seconds: u32,
    /// How long an idle SSH connection is kept open, in seconds; 0 keeps none.
    pub keep_warm_seconds: u32,
    /// Commands of the project's own.
    pub tasks: BTreeMap<TaskName, Task>,
    /// The hosts, in the order in which they were written.
    pub hosts: Vec<Host>,
}

impl Settings {
    /// Who the app's own code runs as, where that isn't the user who logs in.
    pub fn run_as(&self) -> Option<RunAs> {
        self.run_as.clone().map(|user| RunAs { user, group: self.deploy_group.clone() })
    }

    /// The services that are restarted on a host, whoever describes them.
    pub fn services_on(&self, host: &Host) -> Vec<&Service> {
        let named = self.services.iter().filter(|named| named.runs_on(host, &self.hosts));
        named.map(|named| &named.service).chain(self.own_service()).collect()
    }

    /// The app's own service, where neither a hook nor a table of its own restarts it.
    pub fn own_service(&self) -> Option<&Service> {
        let has_table = self.services.iter().any(|named| named.service == self.service);
        let is_restarted = self.hooks.restart.is_empty() && self.service != Service::None && !has_table;
        is_restarted.then_some(&self.service)
    }

    /// Those of them whose unit file or init script has to be there already.
    pub fn services_of_others(&self, host: &Host) -> Vec<Service> {
        let is_ours =
            |service: &Service| self.services.iter().any(|n| n.service == *service && n.definition.is_some());
        self.services_on(host).into_iter().filter(|service| !is_ours(service)).cloned().collect()
    }

    /// Whether anything that a deploy or a rollback does may be done by sudo.
    pub fn may_use_sudo(&self) -> bool {
        let has_hooks = self.hooks.by_name().iter().any(|(_, commands)| !commands.is_empty());
        self.needs_sudo()
            || self.recipe == Recipe::Django
            || self.crontab_place == CrontabPlace::System
            || has_hooks
    }

    /// Whether something is done by sudo, where the user isn't root.
    pub fn needs_sudo(&self) -> bool {
        let asks = |command: &String| command.trim_start().starts_with("sudo ");
        let restarts = match self.hooks.restart.is_empty() {
            true => self.service != Service::None || !self.services.is_empty(),
            false => self.hooks.restart.iter().any(asks),
        };
        restarts || self.run_as.is_some()
    }
}

/// Another user than the one who logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunAs {
    /// The user.
    pub user: String,
    /// The group that what they make in a release is given to, so that both can write it.
    pub group: Option<String>,
}

/// One machine that the app is deployed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    /// What it is called in output and in `--hosts`.
    pub name: HostName,
    /// Where it is reached: a name of the user's ssh_config, a DNS name or an IP address.
    pub address: String,
    /// `None`: what ssh_config says.
    pub user: Option<String>,
    /// `None`: what ssh_config says.
    pub port: Option<u16>,
    /// What it is for; `web` when nothing is said.
    pub roles: BTreeSet<Role>,
    /// The app's directory on this host.
    pub path: HostPath,
    /// How it is reached.
    pub connect: Connect,
}

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connect {
    /// The user's own OpenSSH.
    Ssh,
    /// A command that gives a POSIX shell on its standard input: `sh`, `docker exec -i web1 sh`. Placeholders are
    /// replaced already.
    Command(Vec<String>),
}

/// How release directories are arranged on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    /// Alternating slots, each a full clone, with a link that flips between them.
    Ab,
}

/// Where the jobs of a crontab stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrontabPlace {
    /// In a marked block of the deploying user's crontab.
    User,
    /// In a file of `/etc/cron.d`.
    System,
}

/// How a commit reaches a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceName {
    /// The host fetches from the git remote.
    Fetch,
}

/// How the app is restarted. Written `init:five`, `none`, `systemd:five`, `supervisor:five`, `runit:five`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "String")]
pub enum Service {
    /// `/etc/init.d/NAME restart`; NAME is the unit by default, as in buedafab.
    Init(String),
    /// Nothing is restarted.
    None,
    /// `systemctl restart NAME`, which must be active afterwards.
    Systemd(String),
    /// `supervisorctl restart NAME`, which must be RUNNING afterwards.
    Supervisor(String),
    /// `sv restart NAME`, which must be up afterwards.
    Runit(String),
}

/// A service besides the app's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedService {
    /// What it is called here.
    pub name: String,
    /// How it is restarted and stopped.
    pub service: Service,
    /// What it is, where its unit file or init script is ours to write.
    pub definition: Option<ServiceDefinition>,
    /// Whether a new release only takes a reload.
    pub reload: bool,
    /// The roles of the hosts that have it. Empty: all hosts.
    pub roles: BTreeSet<Role>,
    /// Whether it runs on the first of these hosts only, and is stopped on the others.
    pub single: bool,
}

/// What a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceDefinition {
    /// Who says it.
    pub by: DefinedBy,
    /// How long it may take to stop before it is killed, in seconds.
    pub stop_seconds: u32,
}

/// Who says what a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinedBy {
    /// A shell command, in the program's own unit file or init script.
    Command(String),
    /// A template of the project.
    Template(String),
}

impl NamedService {
    /// Whether a host has it.
    pub fn is_on(&self, host: &Host) -> bool {
        self.roles.is_empty() || !self.roles.is_disjoint(&host.roles)
    }

    /// The project's file that its unit file or init script is made of.
    pub fn template(&self) -> Option<&str> {
        match &self.definition {
            Some(ServiceDefinition { by: DefinedBy::Template(file), .. }) => Some(file),
            _ => None,
        }
    }

    /// Whether it runs on a host, one of these: of what is `single` there is one, on the first that has it.
    pub fn runs_on(&self, host: &Host, hosts: &[Host]) -> bool {
        let first = hosts.iter().find(|other| self.is_on(other));
        self.is_on(host) && !(self.single && first.is_some_and(|first| first.name != host.name))
    }
}

/// Shell commands at named points of a run on a host. Each runs in the release that the run is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hooks {
    /// On every host, before anything in the idle slot changes; in the app's directory.
    pub before_prepare: Vec<String>,
    /// In the new slot, once its code is there.
    pub build: Vec<String>,
    /// In the new slot, last before it counts as ready: what fails here never gets live.
    pub check: Vec<String>,
    /// In the new slot of the primary host only, when all hosts are ready and none has switched.
    pub once: Vec<String>,
    /// In the new slot, right before the link moves.
    pub before_switch: Vec<String>,
    /// Instead of `service`: makes the app run the code of `current`.
    pub restart: Vec<String>,
    /// In the new slot, after the restart.
    pub after_switch: Vec<String>,
    /// In the new slot, last before the switch counts: what fails here reverts the host.
    pub verify: Vec<String>,
    /// After the release is live for good; a failure is told and changes nothing.
    pub after_finish: Vec<String>,
}

impl Hooks {
    /// All of them with their names, in the order of a run.
    pub fn by_name(&self) -> [(&'static str, &Vec<String>); 9] {
        let Hooks {
            before_prepare,
            build,
            check,
            once,
            before_switch,
            restart,
            after_switch,
            verify,
            after_finish,
        } = self;
        [
            ("before_prepare", before_prepare),
            ("build", build),
            ("check", check),
            ("once", once),
            ("before_switch", before_switch),
            ("restart", restart),
            ("after_switch", after_switch),
            ("verify", verify),
            ("after_finish", after_finish),
        ]
    }
}

/// Shell commands on the deployer, at the root of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LocalHooks {
    /// Before any host is touched; a failure stops the run.
    pub before: Vec<String>,
    /// After a run that succeeded.
    pub after: Vec<String>,
    /// After a run that failed.
    pub on_failure: Vec<String>,
}

/// How many hosts switch together. Written `2` or `"25%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveSize {
    /// So many hosts, at least one.
    Hosts(u32),
    /// So many of every hundred hosts of the run, rounded up.
    Percent(u32),
}
