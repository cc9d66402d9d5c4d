//! What the configuration of one environment means, with every default filled in.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::areas::Task;
use super::areas::{Areas, SourceName, StrategyName, Unreachable, WaveSize};
use super::areas::{BranchPattern, Confirm, VersionPattern};
use super::rule::Written;
use super::show::Out;
use crate::app::crontab::CrontabLocation;
use crate::app::hooks::{Hooks, LocalHooks};
use crate::app::maintenance::MaintenanceMethod;
use crate::app::package::PrivatePackage;
use crate::app::recipe::{Collectstatic, Recipe, Steps};
use crate::app::run_as::RunAs;
use crate::app::service::{NamedService, Service};
use crate::app::virtualenv::Installer;
use crate::host::Host;
use crate::host::layout::Layout;
use crate::names::{EnvironmentName, HostPath, SlotName, TaskName, Unit};

/// All settings of one environment. What was typed is a `Layer`; this is what was meant.
#[derive(Debug, Clone, PartialEq)]
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
    pub crontab_place: CrontabLocation,
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
    /// What a run does about hosts that can't be reached.
    pub unreachable: Unreachable,
    /// Commands of the project's own.
    pub tasks: BTreeMap<TaskName, Task>,
    /// The hosts, in the order in which they were written.
    pub hosts: Vec<Host>,
    /// The same by area.
    areas: Areas,
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.areas.serialize(serializer)
    }
}

impl Settings {
    pub(super) fn resolve(written: &Written<'_>) -> Settings {
        let areas = Areas::resolve(written);
        Settings {
            environment: areas.environment.clone(),
            unit: areas.app.unit.clone(),
            path: areas.app.path.clone(),
            scm: areas.source.scm.clone(),
            scm_http_url: areas.source.scm_http_url.clone(),
            scm_known_hosts: areas.source.scm_known_hosts.clone(),
            forward_agent: areas.source.forward_agent,
            master_remote: areas.source.master_remote.clone(),
            default_revision: areas.source.default_revision.clone(),
            push_before_deploy: areas.rules.push_before_deploy,
            branch: areas.rules.branch.clone(),
            require_tag: areas.rules.require_tag,
            version_pattern: areas.rules.version_pattern.clone(),
            sign_tags: areas.rules.sign_tags,
            allow_older: areas.rules.allow_older,
            require_clean: areas.rules.require_clean,
            verify_signatures: areas.rules.verify_signatures,
            allowed_signers: areas.rules.allowed_signers.clone(),
            confirm: areas.rules.confirm,
            version_url: areas.version.url.clone(),
            version_timeout_seconds: areas.version.timeout_seconds,
            test_runner: areas.developer.test_runner.clone(),
            linter: areas.developer.linter.clone(),
            pip_requirements: areas.python.requirements.clone(),
            pip_constraints: areas.python.constraints.clone(),
            pip_requirements_dev: areas.python.requirements_dev.clone(),
            pip_requirements_production: areas.python.requirements_production.clone(),
            extra_setup_tasks: areas.developer.extra_setup_tasks.clone(),
            recipe: areas.app.recipe,
            steps: areas.app.steps.clone(),
            collectstatic: areas.django.collectstatic,
            shared_files: areas.shared.files.clone(),
            shared_dirs: areas.shared.folders.clone(),
            python: areas.python.base.interpreter.clone(),
            private_packages: areas.python.base.private_packages.clone(),
            private_requirements: areas.python.private_requirements.clone(),
            private_source: areas.python.private_source.clone(),
            s3_endpoint: areas.python.s3_endpoint.clone(),
            s3_region: areas.python.s3_region.clone(),
            installer: areas.python.installer,
            pip_options: areas.python.options.clone(),
            package_installation_scripts: areas.python.installation_scripts.clone(),
            extra_fixtures: areas.django.extra_fixtures.clone(),
            syncdb: areas.django.syncdb,
            env_file: areas.shared.env_file.clone(),
            crontab: areas.crontab.file.clone(),
            crontab_place: areas.crontab.location,
            maintenance: areas.maintenance.method,
            settings_file: areas.maintenance.settings_file.clone(),
            maintenance_page: areas.maintenance.page.clone(),
            strategy: areas.layout.strategy,
            source: areas.source.method,
            releases_root: areas.layout.releases_root.clone(),
            current_release_symlink: areas.layout.current_release_symlink.clone(),
            release_paths: areas.layout.release_paths.clone(),
            virtualenv: areas.layout.virtualenv.clone(),
            deploy_user: areas.users.deploy_user.clone(),
            run_as: areas.users.run_as.clone(),
            ask_sudo_password: areas.users.ask_sudo_password,
            deploy_group: areas.users.deploy_group.clone(),
            deployment_type: areas.app.deployment_type.clone(),
            variables: areas.app.variables.clone(),
            service: areas.services.app.clone(),
            services: areas.services.named.clone(),
            settle_seconds: areas.services.settle_seconds,
            hooks: areas.hooks.on_hosts.clone(),
            local_hooks: areas.hooks.local.clone(),
            waves: areas.rollout.waves.clone(),
            connect_timeout_seconds: areas.connection.connect_timeout_seconds,
            step_timeout_seconds: areas.limits.step_timeout_seconds,
            confirm_timeout_seconds: areas.limits.confirm_timeout_seconds,
            lost_after_seconds: areas.connection.lost_after_seconds,
            keep_warm_seconds: areas.connection.keep_warm_seconds,
            unreachable: areas.rollout.unreachable,
            tasks: areas.tasks.clone(),
            hosts: areas.hosts.clone(),
            areas,
        }
    }

    pub(super) fn show_entries(&self, out: &mut Out) {
        self.areas.show_entries(out);
    }

    pub(super) fn show_tables(&self, table: &str, out: &mut Out) {
        self.areas.show_tables(table, out);
    }

    /// Where the app on this host says which release it runs.
    pub fn version_url_of(&self, host: &Host) -> Option<String> {
        self.areas.version.url_of(host)
    }

    /// Whether any host may answer at that address, as behind a load balancer: it names no host.
    pub fn version_url_is_shared(&self) -> bool {
        self.areas.version.url_is_shared()
    }

    /// Where everything lies on a host.
    pub fn layout(&self, host: &Host) -> Layout {
        Layout {
            releases: host.path.join(&self.releases_root),
            path: host.path.clone(),
            link: self.current_release_symlink.clone(),
            virtualenv: self.virtualenv.clone(),
            env_file: self.env_file.as_ref().map(|file| host.path.join("shared").join(file)),
        }
    }

    /// Whether a service runs on a host: of what is `single` there is one, on the first host that has it.
    pub fn runs_on(&self, named: &NamedService, host: &Host) -> bool {
        let first = self.hosts.iter().find(|other| named.is_on(&other.roles));
        named.is_on(&host.roles) && !(named.single && first.is_some_and(|first| first.name != host.name))
    }

    /// Who the app's own code runs as, where that isn't the user who logs in.
    pub fn run_as(&self) -> Option<RunAs> {
        self.run_as.clone().map(|user| RunAs { user, group: self.deploy_group.clone() })
    }

    /// The services that are restarted on a host, whoever describes them.
    pub fn services_on(&self, host: &Host) -> Vec<&Service> {
        let named = self.services.iter().filter(|named| self.runs_on(named, host));
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
            || self.crontab_place == CrontabLocation::System
            || has_hooks
    }

    /// Whether something is done by sudo, where the user isn't root.
    pub fn needs_sudo(&self) -> bool {
        let asks = |command: &String| command.trim_start().starts_with("sudo ");
        let restarts = if self.hooks.restart.is_empty() {
            self.service != Service::None || !self.services.is_empty()
        } else {
            self.hooks.restart.iter().any(asks)
        };
        restarts || self.run_as.is_some()
    }
}
