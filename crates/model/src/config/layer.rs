//! What may be typed in a table of settings: at the top level, and again in every environment.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::at::At;
use super::connect::ConnectText;
use super::hosts::{HostEntry, UserText};
use super::path::PathText;
use super::python::PythonEntry;
use super::release::{BranchText, Confirm, VersionText};
use super::service::{ServiceLayer, ServiceText};
use super::settings::{SourceName, StrategyName, Unreachable, WaveSize};
use super::task::TaskLayer;
use super::values::{
    Argument, Commands, FilePath, FolderName, Line, Name, Seconds, Text, Url, VariableName, Word,
};
use super::version_url::VersionUrlText;
use crate::app::crontab::CrontabLocation;
use crate::app::maintenance::MaintenanceMethod;
use crate::app::recipe::{Collectstatic, Recipe};
use crate::app::virtualenv::Installer;
use crate::names::{EnvironmentName, SlotName, TaskName, Unit};

/// Settings as they were typed. All are optional; what is typed in an environment goes before what is typed at the top.
//
// The comments on the fields are what an editor shows, through the schema: they are written for those who deploy.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Layer {
    /// The app's short name: its folder, service and init script on a host. Required. Example: `"five"`.
    pub(super) unit: Option<At<Unit>>,
    /// The app's directory on a host. `{unit}` and `{environment}` may stand in it. Default: `"/var/webapps/{unit}"`;
    /// in staging, the path of the top level with `-staging` after it.
    pub(super) path: Option<At<PathText>>,
    /// The git remote's URL, as the hosts reach it. Default: the URL of `master_remote` in your checkout. Example:
    /// `"git@github.com:bueda/five.git"`.
    pub(super) scm: Option<Argument>,
    /// The repository's page, for links in reports. Example: `"https://github.com/bueda/five"`.
    pub(super) scm_http_url: Option<Url>,
    /// Lines of a `known_hosts` file that pin the git server's keys. Default: `[]`, the host's own files decide.
    pub(super) scm_known_hosts: Option<Vec<Line>>,
    /// Whether your SSH agent is lent to the step that fetches from the git remote. Default: `false`.
    pub(super) forward_agent: Option<bool>,
    /// The remote in your checkout that a commit has to be on. Default: `"origin"`.
    pub(super) master_remote: Option<Argument>,
    /// What is deployed when nothing is named. Default: `"HEAD"`. Example: `"main"`.
    pub(super) default_revision: Option<Argument>,
    /// Whether a commit that isn't on the remote yet is pushed there before a deploy, with the branch that is checked
    /// out; never by force. Default: `true`.
    pub(super) push_before_deploy: Option<bool>,
    /// The branch of the remote that a release has to be on; `*` in it stands for any characters, and `"*"` alone for
    /// any branch. Default: `"master"` in production, elsewhere `"*"`. Example: `"main"`.
    pub(super) branch: Option<BranchText>,
    /// Whether only tagged commits are deployed; a deploy offers to make the tag. Default: `true` in production,
    /// elsewhere `false`.
    pub(super) require_tag: Option<bool>,
    /// What the name of a release's tag looks like, as a regular expression. Default: `"^v\\d+(\\.\\d+)+?$"`.
    pub(super) version_pattern: Option<VersionText>,
    /// Whether tags that a deploy makes are signed, with the key that your git is set up with. Default: `true`.
    pub(super) sign_tags: Option<bool>,
    /// Whether a release that is older than the one that is live is deployed without asking. Default: `false`.
    pub(super) allow_older: Option<bool>,
    /// Whether a deploy is refused while files in your checkout aren't committed. Default: `false`.
    pub(super) require_clean: Option<bool>,
    /// Whether the tag of a release has to carry a signature of one of `allowed_signers`. Default: `false`.
    pub(super) verify_signatures: Option<At<bool>>,
    /// Who may sign releases: lines of an OpenSSH `allowed_signers` file, and fingerprints of OpenPGP keys. Default:
    /// `[]`.
    pub(super) allowed_signers: Option<Vec<Line>>,
    /// What a person is asked for before a deploy or a rollback: `"nothing"`, a `"yes"`, or the `"name"` of the
    /// environment. Default: `"nothing"` in localhost and development, elsewhere `"yes"`.
    pub(super) confirm: Option<Confirm>,
    /// Where the app says which release it runs: its commit, or the name of its tag. `{host}`, `{address}`,
    /// `{environment}`, `{unit}` and `{subdomain}` (`www`, `dev`, `staging`) may stand in it. Asked from the hosts,
    /// before a deploy and after the switch: another answer then reverts it. Default: none. Example:
    /// `"http://localhost:8000/version"`.
    pub(super) version_url: Option<VersionUrlText>,
    /// How long an app that was just switched to may take to say so at `version_url`, in seconds. Default: `30`.
    pub(super) version_timeout_seconds: Option<Seconds<0>>,
    /// What runs your tests, before a deploy and in `buedafab test`: `"django"`, `"nose"`, `"pytest"`, `"tornado"`,
    /// `"unittest"`, `"webpy"`, or a shell command. Default: none. Example: `"make test"`.
    pub(super) test_runner: Option<Argument>,
    /// What `buedafab lint` runs: `"pylint"`, `"ruff"`, or a shell command. Default: `"pylint"`.
    pub(super) linter: Option<Argument>,
    /// Requirement files of pip. Default: `[]`. Example: `["requirements/common.txt"]`.
    pub(super) pip_requirements: Option<Vec<FilePath>>,
    /// Files that limit versions without asking for packages, pip's constraints. Default: `[]`. Example:
    /// `["requirements/constraints.txt"]`.
    pub(super) pip_constraints: Option<Vec<FilePath>>,
    /// More requirement files, for localhost, development and `buedafab setup`. Default: `[]`. Example:
    /// `["requirements/dev.txt"]`.
    pub(super) pip_requirements_dev: Option<Vec<FilePath>>,
    /// More requirement files, for all other environments. Default: `[]`. Example: `["requirements/production.txt"]`.
    pub(super) pip_requirements_production: Option<Vec<FilePath>>,
    /// Shell commands that `buedafab setup` ends with. Default: `[]`. Example: `["env/bin/python manage.py migrate"]`.
    pub(super) extra_setup_tasks: Option<Commands>,
    /// What kind of app it is, which says what a deploy does besides the hooks: `buedafab recipe` shows it. Default:
    /// `"generic"`. Example: `"django"`.
    pub(super) recipe: Option<Recipe>,
    /// Commands in place of steps of the recipe. Default: `{}`. Example:
    /// `{ check = "python manage.py check", collectstatic = [] }`.
    pub(super) steps: Option<BTreeMap<String, At<Commands>>>,
    /// Where Django's static files are collected: on `"every-host"`, as its slot is built, or `"once"`, on the first host,
    /// for storage that all of them share. Default: `"every-host"`.
    pub(super) collectstatic: Option<Collectstatic>,
    /// Files in `shared`, in the app's directory, that are linked into every release; they have to be there. Default:
    /// `[]`. Example: `[".env"]`.
    pub(super) shared_files: Option<Vec<FilePath>>,
    /// Folders in `shared` that are linked into every release; missing ones are made. Default: `[]`. Example:
    /// `["media"]`.
    pub(super) shared_dirs: Option<Vec<FilePath>>,
    /// The Python that virtualenvs are made with, on the hosts; or a table with the `interpreter` and `private` packages.
    /// Default: `"python3"`. Example: `"python3.12"`.
    pub(super) python: Option<PythonEntry>,
    /// Lists of private packages in the project: `name==release` a line, each found at `private_source`. Default: `[]`.
    /// Example: `["requirements/private.txt"]`.
    pub(super) private_requirements: Option<At<Vec<FilePath>>>,
    /// Where the packages of `private_requirements` are, with `{name}` and `{release}`: git repositories, whose tags or
    /// branches are called like the releases, or objects of a bucket such as `"s3://bueda/{name}-{release}.tar.gz"`, where
    /// each line has to end with `--hash=sha256:…`. Default: none. Example: `"git@github.com:bueda/{name}.git"`.
    pub(super) private_source: Option<At<Argument>>,
    /// The server that understands S3. Default: what `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` says, and else Amazon's.
    /// Example: `"https://minio.example.com:9000"`.
    pub(super) s3_endpoint: Option<Url>,
    /// Its region. Default: what `AWS_REGION` or `AWS_DEFAULT_REGION` says, and else `us-east-1`. Example: `"eu-central-1"`.
    pub(super) s3_region: Option<Word>,
    /// What installs packages: `"uv"`, `"pip"`, or `"auto"`, uv where the host has it. Default: `"auto"`.
    pub(super) installer: Option<Installer>,
    /// Words for the installer, which pip and uv both understand. Default: `[]`. Example:
    /// `["--index-url", "https://pypi.example.com/simple"]`.
    pub(super) pip_options: Option<Vec<Line>>,
    /// Scripts of the project that install what a requirement file can't name, run with the virtualenv's path as their
    /// argument. Default: `[]`. Example: `["bin/install-gdal"]`.
    pub(super) package_installation_scripts: Option<Vec<FilePath>>,
    /// Django's fixtures that are loaded after a migration. Default: `[]`. Example: `["initial_data"]`.
    pub(super) extra_fixtures: Option<Vec<Argument>>,
    /// Whether `manage.py syncdb` comes before a migration, as Django before 1.7 needs it. Default: `false`.
    pub(super) syncdb: Option<bool>,
    /// A file of variables in `shared` for the app's commands and services, secrets among them, that only the deploying user
    /// can read. It is kept by `buedafab env`. Default: none. Example: `".env"`.
    pub(super) env_file: Option<FilePath>,
    /// A crontab in the project, whose jobs run on the first host: put there when a release is live, and again after a
    /// rollback. Default: none. Example: `"conf/crontab"`.
    pub(super) crontab: Option<FilePath>,
    /// Where its jobs stand: `"user"`, a block of the deploying user's crontab, or `"system"`, `/etc/cron.d`, which takes
    /// root and has a user in each line. Default: `"user"`.
    pub(super) crontab_place: Option<CrontabLocation>,
    /// How visitors are told of maintenance: `"file"`, a page in `shared/maintenance.html` that your web server shows while
    /// it is there; `"command"`, django-maintenance-mode's; or `"setting"`, `MAINTENANCE_MODE = True` in `settings_file` of
    /// the live release, and a restart. Default: `"file"`.
    pub(super) maintenance: Option<MaintenanceMethod>,
    /// The file of the project that says `MAINTENANCE_MODE = False`, for `maintenance = "setting"`. Default:
    /// `"settings.py"`. Example: `"five/settings.py"`.
    pub(super) settings_file: Option<FilePath>,
    /// The page's template, a file of the project. `{{ message }}`, `{{ until }}`, `{{ unit }}` and `{{ environment }}` may
    /// stand in it. Default: the program's own. Example: `"templates/maintenance.html"`.
    pub(super) maintenance_page: Option<FilePath>,
    /// How release directories are arranged. Default: `"ab"`.
    pub(super) strategy: Option<StrategyName>,
    /// How a commit reaches a host. Default: `"fetch"`.
    pub(super) source: Option<SourceName>,
    /// The folder below `path` that holds the slots. Default: `"releases"`.
    pub(super) releases_root: Option<At<FolderName>>,
    /// The link in `releases_root` that decides what is live. Default: `"current"`.
    pub(super) current_release_symlink: Option<At<FolderName>>,
    /// The slots, two or more; with three, the previous release survives a failed deploy. Default: `["a", "b"]`.
    pub(super) release_paths: Option<At<Vec<At<Name<SlotName>>>>>,
    /// The folder in a slot that holds its virtualenv; it survives the clean-up of a slot. Default: `"env"`.
    pub(super) virtualenv: Option<FolderName>,
    /// The user who logs in and owns what is deployed, on hosts that name none. Default: what your ssh_config says.
    /// Example: `"deploy"`.
    pub(super) deploy_user: Option<UserText>,
    /// The user that the app's own code runs as, by sudo: the recipe's steps, the hooks `build`, `check` and `once`,
    /// migrations, tasks, `run`, `manage`. What it makes in a release is given to `deploy_group`, which it has to be in.
    /// Default: the user who logs in. Example: `"www-data"`.
    pub(super) run_as: Option<UserText>,
    /// Whether sudo wants a password on the hosts: it is asked for once, before hosts are changed, or taken from
    /// `BUEDAFAB_SUDO_PASSWORD`. Default: `false`, sudo has to do without.
    pub(super) ask_sudo_password: Option<bool>,
    /// The group that owns what is deployed, group-writable. Default: the group of the user. Example: `"deploy"`.
    pub(super) deploy_group: Option<Word>,
    /// `DEPLOYMENT_TYPE` in the environment of every command of the app. Default: `"SOLO"` in localhost, `"DEV"` in
    /// development, `"STAGING"`, `"PRODUCTION"`, and elsewhere the environment's name in capitals.
    pub(super) deployment_type: Option<Text>,
    /// More variables for every command of the app. Those of an environment are added to those of the top level.
    /// Example: `{ DJANGO_SETTINGS_MODULE = "five.settings" }`.
    pub(super) variables: Option<BTreeMap<VariableName, Text>>,
    /// How the app is restarted when no `restart` hook says it: `"none"`, `"init:NAME"` (`/etc/init.d/NAME restart`),
    /// `"systemd:NAME"`, `"supervisor:NAME"` or `"runit:NAME"`. `{unit}` and `{environment}` may stand in the name.
    /// Default: `"init"`, which is `"init:{unit}"`. Example: `"systemd:{unit}"`.
    pub(super) service: Option<At<ServiceText>>,
    /// More services than the app's own, such as workers: each `[services.NAME]`, in the order of the file. On the way to a
    /// new release they are restarted in that order, before the app; on the way back after it, the last first.
    pub(super) services: Option<BTreeMap<String, At<ServiceLayer>>>,
    /// For how long services that have a `command` or a `template` have to stay up before a switch counts, in seconds: one
    /// that dies of its first import takes the switch back. Default: `2`.
    pub(super) settle_seconds: Option<Seconds<0>>,
    /// Shell commands at named points of a deploy. Those of an environment replace those of the top level, hook by hook.
    pub(super) hooks: Option<HooksLayer>,
    /// How many hosts switch together, wave by wave; the last wave takes all that are left. Default: `[]`, all at once.
    /// Example: `[1, "25%", "100%"]`.
    pub(super) waves: Option<Vec<WaveSize>>,
    /// How long a connection may take to stand, in seconds. Default: `10`.
    pub(super) connect_timeout_seconds: Option<Seconds<1>>,
    /// How long one step may run, in seconds. Default: `900`.
    pub(super) step_timeout_seconds: Option<Seconds<1>>,
    /// How long a switched host waits to be confirmed before it reverts by itself, in seconds: all
    /// waves have to fit in. Default: `1800`.
    pub(super) confirm_timeout_seconds: Option<Seconds<1>>,
    /// After how many seconds of silence either side takes the other for dead, at least 3. Default: `15`.
    pub(super) lost_after_seconds: Option<Seconds<3>>,
    /// How long an idle SSH connection is kept open for the next command, in seconds; `0` keeps none. Default: `300`.
    pub(super) keep_warm_seconds: Option<Seconds<0>>,
    /// What a run does about hosts that can't be reached: `"fail"`, it ends before anything is changed. Default: `"fail"`.
    pub(super) unreachable: Option<Unreachable>,
    /// How hosts are reached: `"ssh"`, or a command that gives a POSIX shell on its standard input. `{host}` (its name),
    /// `{address}`, `{user}` and `{port}` may stand in it. Default: `"ssh"`, and `"sh"` for localhost without hosts.
    /// Example: `"docker exec -i {host} sh"`.
    pub(super) connect: Option<At<ConnectText>>,
    /// Commands of your own: `buedafab production NAME` runs them. Those of an environment are added to those of the
    /// top level.
    pub(super) tasks: Option<BTreeMap<Name<TaskName>, TaskLayer>>,
    /// The environment whose settings hold here where nothing else is said, hosts and defaults included. Default: none.
    /// Example: `"production"`.
    pub(super) extends: Option<At<Name<EnvironmentName>>>,
    /// The hosts of this environment: strings such as `"web1"`, `"deploy@web1:1222"`, `"web[1:3].example.com"`, or tables
    /// with `name`, `address`, `port`, `user`, `roles`, `path` and `connect`. Default: none, and this machine for
    /// localhost.
    pub(super) hosts: Option<Vec<At<HostEntry>>>,
}

/// Shell commands at named points of a run. Each is a string or a list of strings, run by `sh` on the hosts, in the
/// release that the run is about.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HooksLayer {
    /// On every host, before anything in the idle slot changes; in the app's directory.
    pub(super) before_prepare: Option<Commands>,
    /// In the new slot, once its code is there. Example: `"make"`.
    pub(super) build: Option<Commands>,
    /// In the new slot, last before it counts as ready: what fails here never gets live. Example:
    /// `["env/bin/python manage.py check --deploy"]`.
    pub(super) check: Option<Commands>,
    /// In the new slot of the primary host only, when all hosts are ready and none has switched. Example:
    /// `"env/bin/python manage.py migrate"`.
    pub(super) once: Option<Commands>,
    /// In the new slot, right before the link moves.
    pub(super) before_switch: Option<Commands>,
    /// Instead of `service`: makes the app run the code of `current`. Example: `"sudo systemctl restart five"`.
    pub(super) restart: Option<Commands>,
    /// In the new slot, after the restart.
    pub(super) after_switch: Option<Commands>,
    /// In the new slot, last before the switch counts: what fails here reverts the host. Example:
    /// `"curl -fsS http://localhost:8000/healthz"`.
    pub(super) verify: Option<Commands>,
    /// After the release is live for good; a failure is told and changes nothing.
    pub(super) after_finish: Option<Commands>,
    /// Shell commands on your own machine.
    pub(super) local: Option<LocalHooksLayer>,
}

/// Shell commands on the machine that deploys, at the root of the project.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LocalHooksLayer {
    /// Before any host is touched; a failure stops the run. Example: `"make test"`.
    pub(super) before: Option<Commands>,
    /// After a run that succeeded.
    pub(super) after: Option<Commands>,
    /// After a run that failed.
    pub(super) on_failure: Option<Commands>,
}

impl Layer {
    /// This layer, with the gaps filled from the one below it. Hooks, services, steps, tasks and variables are merged key by key; any other value
    /// replaces the one below.
    pub(super) fn over(&self, below: &Layer) -> Layer {
        let upper = self.clone();
        let below = below.clone();
        Layer {
            unit: upper.unit.or(below.unit),
            path: upper.path.or(below.path),
            scm: upper.scm.or(below.scm),
            scm_http_url: upper.scm_http_url.or(below.scm_http_url),
            scm_known_hosts: upper.scm_known_hosts.or(below.scm_known_hosts),
            forward_agent: upper.forward_agent.or(below.forward_agent),
            master_remote: upper.master_remote.or(below.master_remote),
            default_revision: upper.default_revision.or(below.default_revision),
            push_before_deploy: upper.push_before_deploy.or(below.push_before_deploy),
            branch: upper.branch.or(below.branch),
            require_tag: upper.require_tag.or(below.require_tag),
            version_pattern: upper.version_pattern.or(below.version_pattern),
            sign_tags: upper.sign_tags.or(below.sign_tags),
            allow_older: upper.allow_older.or(below.allow_older),
            require_clean: upper.require_clean.or(below.require_clean),
            verify_signatures: upper.verify_signatures.or(below.verify_signatures),
            allowed_signers: upper.allowed_signers.or(below.allowed_signers),
            confirm: upper.confirm.or(below.confirm),
            version_url: upper.version_url.or(below.version_url),
            version_timeout_seconds: upper.version_timeout_seconds.or(below.version_timeout_seconds),
            test_runner: upper.test_runner.or(below.test_runner),
            linter: upper.linter.or(below.linter),
            pip_requirements: upper.pip_requirements.or(below.pip_requirements),
            pip_constraints: upper.pip_constraints.or(below.pip_constraints),
            pip_requirements_dev: upper.pip_requirements_dev.or(below.pip_requirements_dev),
            pip_requirements_production: upper
                .pip_requirements_production
                .or(below.pip_requirements_production),
            extra_setup_tasks: upper.extra_setup_tasks.or(below.extra_setup_tasks),
            recipe: upper.recipe.or(below.recipe),
            steps: merge(upper.steps, below.steps, add_missing),
            collectstatic: upper.collectstatic.or(below.collectstatic),
            shared_files: upper.shared_files.or(below.shared_files),
            shared_dirs: upper.shared_dirs.or(below.shared_dirs),
            python: upper.python.or(below.python),
            private_requirements: upper.private_requirements.or(below.private_requirements),
            private_source: upper.private_source.or(below.private_source),
            s3_endpoint: upper.s3_endpoint.or(below.s3_endpoint),
            s3_region: upper.s3_region.or(below.s3_region),
            installer: upper.installer.or(below.installer),
            pip_options: upper.pip_options.or(below.pip_options),
            package_installation_scripts: upper
                .package_installation_scripts
                .or(below.package_installation_scripts),
            extra_fixtures: upper.extra_fixtures.or(below.extra_fixtures),
            syncdb: upper.syncdb.or(below.syncdb),
            env_file: upper.env_file.or(below.env_file),
            crontab: upper.crontab.or(below.crontab),
            crontab_place: upper.crontab_place.or(below.crontab_place),
            maintenance: upper.maintenance.or(below.maintenance),
            settings_file: upper.settings_file.or(below.settings_file),
            maintenance_page: upper.maintenance_page.or(below.maintenance_page),
            strategy: upper.strategy.or(below.strategy),
            source: upper.source.or(below.source),
            releases_root: upper.releases_root.or(below.releases_root),
            current_release_symlink: upper.current_release_symlink.or(below.current_release_symlink),
            release_paths: upper.release_paths.or(below.release_paths),
            virtualenv: upper.virtualenv.or(below.virtualenv),
            deploy_user: upper.deploy_user.or(below.deploy_user),
            run_as: upper.run_as.or(below.run_as),
            ask_sudo_password: upper.ask_sudo_password.or(below.ask_sudo_password),
            deploy_group: upper.deploy_group.or(below.deploy_group),
            deployment_type: upper.deployment_type.or(below.deployment_type),
            variables: merge(upper.variables, below.variables, add_missing),
            service: upper.service.or(below.service),
            services: merge(upper.services, below.services, add_missing),
            settle_seconds: upper.settle_seconds.or(below.settle_seconds),
            hooks: merge(upper.hooks, below.hooks, HooksLayer::over),
            waves: upper.waves.or(below.waves),
            connect_timeout_seconds: upper.connect_timeout_seconds.or(below.connect_timeout_seconds),
            step_timeout_seconds: upper.step_timeout_seconds.or(below.step_timeout_seconds),
            confirm_timeout_seconds: upper.confirm_timeout_seconds.or(below.confirm_timeout_seconds),
            lost_after_seconds: upper.lost_after_seconds.or(below.lost_after_seconds),
            keep_warm_seconds: upper.keep_warm_seconds.or(below.keep_warm_seconds),
            unreachable: upper.unreachable.or(below.unreachable),
            connect: upper.connect.or(below.connect),
            tasks: merge(upper.tasks, below.tasks, add_missing),
            // Said by one layer about itself.
            extends: upper.extends,
            hosts: upper.hosts.or(below.hosts),
        }
    }
}

impl HooksLayer {
    fn over(self, below: HooksLayer) -> HooksLayer {
        HooksLayer {
            before_prepare: self.before_prepare.or(below.before_prepare),
            build: self.build.or(below.build),
            check: self.check.or(below.check),
            once: self.once.or(below.once),
            before_switch: self.before_switch.or(below.before_switch),
            restart: self.restart.or(below.restart),
            after_switch: self.after_switch.or(below.after_switch),
            verify: self.verify.or(below.verify),
            after_finish: self.after_finish.or(below.after_finish),
            local: merge(self.local, below.local, LocalHooksLayer::over),
        }
    }
}

impl LocalHooksLayer {
    fn over(self, below: LocalHooksLayer) -> LocalHooksLayer {
        LocalHooksLayer {
            before: self.before.or(below.before),
            after: self.after.or(below.after),
            on_failure: self.on_failure.or(below.on_failure),
        }
    }
}

fn add_missing<K: Ord, V>(mut upper: BTreeMap<K, V>, below: BTreeMap<K, V>) -> BTreeMap<K, V> {
    for (name, value) in below {
        upper.entry(name).or_insert(value);
    }
    upper
}

fn merge<T>(upper: Option<T>, below: Option<T>, over: impl FnOnce(T, T) -> T) -> Option<T> {
    match (upper, below) {
        (Some(upper), Some(below)) => Some(over(upper, below)),
        (upper, below) => upper.or(below),
    }
}
