//! What may be typed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use buedafab_model::config::StrategyName;
use buedafab_model::host::inventory::Answers;
use buedafab_model::shell::typed_words;
use clap::builder::StyledStr;
use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use clap_complete::engine::ArgValueCandidates;
use console::Term;

use crate::complete;
use crate::fabric::TASK_ARGUMENTS;
use crate::usage::{groups, usage, with_arguments};

/// Everything on the command line.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "buedafab",
    version,
    long_version = long_version(),
    about = "Deploys that change a fleet together or not at all",
    long_about = "Deploys git releases to hosts that you own, over your own ssh: all hosts change together, or none \
                  does. A release is prepared beside the one that serves, checked, and switched to by one rename; what \
                  fails is put back, even if the machine that deploys is lost.",
    after_help = EXAMPLES,
    subcommand_precedence_over_arg = true,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// Where: localhost, development, staging, production, or an environment of your own
    #[arg(value_name = "ENVIRONMENT", add = ArgValueCandidates::new(complete::environments))]
    pub environment: Option<String>,

    #[command(flatten)]
    pub global: GlobalArgs,

    #[command(subcommand)]
    pub command: CommandArgs,

    /// The words of it, as they were typed but for the program's name.
    #[arg(skip)]
    pub words: Vec<String>,

    /// What the command is called.
    #[arg(skip)]
    pub command_name: String,
}

/// The version, and the commit that this was built from with its day, as far as they are known.
fn long_version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("BUEDAFAB_BUILT_FROM") {
        Some(built_from) => format!("{version} ({built_from})"),
        None => version.to_owned(),
    }
}

const EXAMPLES: &str = "\
Examples:
  buedafab init                              write a commented buedafab.toml
  buedafab production check                  can I deploy?
  buedafab production deploy --dry-run -v    the plan, down to the shell of every step
  buedafab production deploy
  buedafab production deploy:release=v0.1.1  Fabric's argument form works too
  buedafab production deploy restart_webserver   several commands, one after the other
  buedafab production rollback
  buedafab --list                            the project's own tasks too
  buedafab demo                              a fleet of three on this machine
  buedafab help deploy                       what a command takes

Exit codes:
  0 done   2 usage   3 configuration   4 refused, nothing touched   5 locked or held
  6 unreachable, nothing changed       7 failed before the switch   8 failed after it, reverted
  9 mixed or unknown, a person is needed   10 done, but the output is incomplete
  130 interrupted";

/// Where the flags that every command knows stand: behind its own, below a heading of theirs.
const EVERYWHERE: usize = 900;
const ANYWHERE: &str = "Options of every command";

/// Flags that every command knows.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// The configuration [default: buedafab.toml here or in a folder above]; it may lie outside of the checkout that is deployed
    #[arg(long, global = true, value_name = "FILE", env = "BUEDAFAB_CONFIG", display_order = EVERYWHERE + 6, help_heading = ANYWHERE)]
    pub config: Option<PathBuf>,

    /// Only these hosts; names or globs, with commas: web1,jobs*
    #[arg(long, short = 'H', global = true, value_name = "HOSTS", value_delimiter = ',', add = ArgValueCandidates::new(complete::hosts), display_order = EVERYWHERE, help_heading = ANYWHERE)]
    pub hosts: Vec<String>,

    /// Only these, where the configuration has several apps; names, with commas: web,api
    #[arg(long = "app", global = true, value_name = "APPS", value_delimiter = ',', add = ArgValueCandidates::new(complete::apps), display_order = EVERYWHERE + 2, help_heading = ANYWHERE)]
    pub apps: Vec<String>,

    /// Only hosts with one of these roles; names or globs, with commas
    #[arg(long, short = 'R', global = true, value_name = "ROLES", value_delimiter = ',', add = ArgValueCandidates::new(complete::roles), display_order = EVERYWHERE + 1, help_heading = ANYWHERE)]
    pub roles: Vec<String>,

    /// Print JSON on standard output, one document a line: events, or the command's answer
    #[arg(long, global = true, display_order = EVERYWHERE + 5, help_heading = ANYWHERE)]
    pub json: bool,

    /// Write what a run did to this file, step by step, as CI shows tests: JUnit's XML
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath, display_order = EVERYWHERE + 7, help_heading = ANYWHERE)]
    pub junit: Option<PathBuf>,

    /// Ask nothing; answer yes where a yes is enough
    #[arg(long, short = 'y', global = true, display_order = EVERYWHERE + 3, help_heading = ANYWHERE)]
    pub yes: bool,

    /// Show what steps print; with --dry-run their shell; -vvv logs connections, as BUEDAFAB_LOG=buedafab=debug does
    #[arg(long, short = 'v', global = true, action = ArgAction::Count, display_order = EVERYWHERE + 4, help_heading = ANYWHERE)]
    pub verbose: u8,

    /// What those have answered who know the hosts, asked before the command begins.
    #[arg(skip)]
    pub answers: Answers,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum CommandArgs {
    /// Look at the repository and write a commented buedafab.toml; asks what only you know, unless --yes is given
    Init(InitArgs),
    /// Run the project's tests, as a deploy does first
    Test(TestArgs),
    /// Check the project's code with a linter
    Lint,
    /// Make this checkout ready to work in: submodules, virtualenv, requirements
    Setup,
    /// Can I deploy? Look at every host, and say what would stop a deploy
    Check,
    /// Make a release live on all hosts, or on none
    #[command(after_help = DEPLOY_EXAMPLES)]
    Deploy(DeployArgs),
    /// Show the commits that a deploy would bring, and those that it would take away
    Changes(ReleaseArgs),
    /// Make the release before the live one live again
    #[command(after_help = ROLLBACK_NOTES)]
    Rollback(RollbackArgs),
    /// Put back a switch that was never confirmed: its run was killed, or the host lost its power
    Recover(RecoverArgs),
    /// Write down which releases a tree holds that another tool made, or a person: Capistrano, Deployer, buedafab on Fabric
    #[command(after_help = ADOPT_NOTES)]
    Adopt(AdoptArgs),
    /// Lay releases out in another way, with the app serving throughout
    #[command(name = "migrate-layout", after_help = MIGRATE_LAYOUT_NOTES)]
    MigrateLayout(MigrateLayoutArgs),
    /// Put instances into the environment's load balancers, and wait until they are in service
    #[command(name = "elb_add", after_help = ELB_EXAMPLES)]
    ElbAdd(InstancesArgs),
    /// Take instances out of the environment's load balancers, and wait until they get no requests any more
    #[command(name = "elb_remove", after_help = ELB_EXAMPLES)]
    ElbRemove(InstancesArgs),
    /// Take a host out of service that left buedafab.toml: stop and remove this app's units and jobs there
    Retire(RetireArgs),
    /// Show what runs where, since when and by whom; drift, locks and holds; without an environment of all
    #[command(after_help = STATUS_EXAMPLES)]
    Status(StatusArgs),
    /// Show what happened, run by run; or one run again, with its log
    #[command(after_help = HISTORY_EXAMPLES)]
    History(HistoryArgs),
    /// Show what the app's services and `log_files` say, on all hosts
    #[command(after_help = LOGS_EXAMPLES)]
    Logs(LogsArgs),
    /// Stop deploys until `unhold`; rollbacks still work
    Hold(HoldArgs),
    /// Allow deploys again
    Unhold,
    /// Take hosts out of traffic, until `undrain`
    #[command(after_help = DRAIN_EXAMPLES)]
    Drain(HostsArgs),
    /// Put hosts back into traffic
    #[command(after_help = UNDRAIN_EXAMPLES)]
    Undrain(UndrainArgs),
    /// Read and change the app's secrets, in the file that `env_file` names
    #[command(after_help = ENV_EXAMPLES)]
    Env(EnvArgs),
    /// Start or end maintenance, and tell visitors of it
    Maintenance(MaintenanceArgs),
    /// `enable maintenancemode` is the same as `maintenance on`
    #[command(hide = true)]
    Enable(ModeArgs),
    /// `disable maintenancemode` is the same as `maintenance off`
    #[command(hide = true)]
    Disable(ModeArgs),
    /// Run a command on every host, in the live release
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Send a file of yours to every host
    #[command(after_help = PUT_EXAMPLES)]
    Put(PutArgs),
    /// Run Django's manage.py on the primary, in the live release
    #[command(after_help = MANAGE_EXAMPLES)]
    Manage(ManageArgs),
    /// Open Django's shell on the primary, in the live release
    #[command(name = "django_shell")]
    DjangoShell,
    /// Open an interactive shell on one host, in the live release, with the app's variables, secrets and virtualenv
    Shell(ShellArgs),
    /// End the connections that are kept warm: to all hosts, or to those of an environment
    #[command(after_help = DISCONNECT_EXAMPLES)]
    Disconnect,
    /// Restart the app in the release that is live
    #[command(name = "restart_webserver", alias = "restart")]
    RestartWebserver,
    /// Try whether those whom `[[notify]]` names can be told
    #[command(after_help = NOTIFY_EXAMPLES)]
    Notify(NotifyArgs),
    /// Show what the recipe does, step by step, and which steps the project has replaced
    Recipe,
    /// Show the resolved configuration of an environment
    Config(ConfigArgs),
    /// List every command, and the project's own tasks; `--list` does the same
    List,
    /// See it work: deploys, a failed check and a rollback, on three hosts on this machine
    Demo(DemoArgs),
    /// Print a script that makes your shell complete buedafab's commands; for bash, put `source <(buedafab completions bash)` into ~/.bashrc
    Completions(CompletionsArgs),
    /// A task of the project, by the name that its configuration gives it
    #[command(skip)]
    Task(TaskArgs),
}

impl CommandArgs {
    /// Whether it is run for one app after the other, where a configuration has several. Of the others some take all apps together,
    /// some are about one and want to hear which, and some about none.
    pub(crate) fn is_for_each_app(&self) -> bool {
        match self {
            CommandArgs::History(HistoryArgs { run, .. }) => run.is_none(),
            CommandArgs::Config(ConfigArgs { schema, .. }) => !schema,
            CommandArgs::Adopt(_)
            | CommandArgs::MigrateLayout(_)
            | CommandArgs::Retire(_)
            | CommandArgs::Hold(_)
            | CommandArgs::Unhold
            | CommandArgs::Drain(_)
            | CommandArgs::Undrain(_)
            | CommandArgs::Maintenance(_)
            | CommandArgs::Enable(_)
            | CommandArgs::Disable(_)
            | CommandArgs::RestartWebserver
            | CommandArgs::Recipe => true,
            CommandArgs::Deploy(_)
            | CommandArgs::Rollback(_)
            | CommandArgs::Recover(_)
            | CommandArgs::Check
            | CommandArgs::Changes(_)
            | CommandArgs::Status(_)
            | CommandArgs::Run(_)
            | CommandArgs::Put(_)
            | CommandArgs::Env(_)
            | CommandArgs::Logs(_)
            | CommandArgs::Manage(_)
            | CommandArgs::DjangoShell
            | CommandArgs::Shell(_)
            | CommandArgs::Task(_)
            | CommandArgs::Init(_)
            | CommandArgs::Test(_)
            | CommandArgs::Lint
            | CommandArgs::Setup
            | CommandArgs::Disconnect
            | CommandArgs::Notify(_)
            | CommandArgs::ElbAdd(_)
            | CommandArgs::ElbRemove(_)
            | CommandArgs::List
            | CommandArgs::Demo(_)
            | CommandArgs::Completions(_) => false,
        }
    }

    /// Whether it may change a host, and not only look: its run is written down.
    pub(crate) fn changes_hosts(&self) -> bool {
        match self {
            CommandArgs::Deploy(DeployArgs { dry_run, .. })
            | CommandArgs::Rollback(RollbackArgs { dry_run, .. })
            | CommandArgs::Retire(RetireArgs { dry_run, .. })
            | CommandArgs::Adopt(AdoptArgs { dry_run, .. })
            | CommandArgs::MigrateLayout(MigrateLayoutArgs { dry_run, .. })
            | CommandArgs::Recover(RecoverArgs { dry_run }) => !dry_run,
            CommandArgs::Env(EnvArgs { what }) => !matches!(what, EnvCommand::List),
            CommandArgs::Maintenance(MaintenanceArgs { state, .. }) => *state != MaintenanceState::Status,
            CommandArgs::Hold(_)
            | CommandArgs::Unhold
            | CommandArgs::Drain(_)
            | CommandArgs::Undrain(_)
            | CommandArgs::Enable(_)
            | CommandArgs::Disable(_)
            | CommandArgs::Run(_)
            | CommandArgs::Put(_)
            | CommandArgs::RestartWebserver
            | CommandArgs::Task(_) => true,
            // The last three have the terminal to themselves: what happens there is nobody's to write down.
            CommandArgs::Init(_)
            | CommandArgs::Test(_)
            | CommandArgs::Lint
            | CommandArgs::Setup
            | CommandArgs::Check
            | CommandArgs::Changes(_)
            | CommandArgs::Disconnect
            | CommandArgs::Notify(_)
            | CommandArgs::ElbAdd(_)
            | CommandArgs::ElbRemove(_)
            | CommandArgs::Status(_)
            | CommandArgs::History(_)
            | CommandArgs::Logs(_)
            | CommandArgs::Recipe
            | CommandArgs::Config(_)
            | CommandArgs::List
            | CommandArgs::Demo(_)
            | CommandArgs::Completions(_)
            | CommandArgs::Manage(_)
            | CommandArgs::DjangoShell
            | CommandArgs::Shell(_) => false,
        }
    }

    /// Whether it is about hosts at all, and not only about the checkout, this program, or what is written down here.
    pub(crate) fn needs_hosts(&self) -> bool {
        match self {
            CommandArgs::History(HistoryArgs { run, .. }) => run.is_none(),
            CommandArgs::Config(ConfigArgs { schema, .. }) => !schema,
            CommandArgs::Init(_)
            | CommandArgs::Test(_)
            | CommandArgs::Lint
            | CommandArgs::Setup
            | CommandArgs::List
            | CommandArgs::Demo(_)
            | CommandArgs::Completions(_)
            | CommandArgs::Recipe
            | CommandArgs::Notify(_)
            // Instances are named by whoever types these.
            | CommandArgs::ElbAdd(_)
            | CommandArgs::ElbRemove(_) => false,
            CommandArgs::Check
            | CommandArgs::Deploy(_)
            | CommandArgs::Changes(_)
            | CommandArgs::Rollback(_)
            | CommandArgs::Recover(_)
            | CommandArgs::Adopt(_)
            | CommandArgs::MigrateLayout(_)
            | CommandArgs::Retire(_)
            | CommandArgs::Status(_)
            | CommandArgs::Logs(_)
            | CommandArgs::Hold(_)
            | CommandArgs::Unhold
            | CommandArgs::Drain(_)
            | CommandArgs::Undrain(_)
            | CommandArgs::Env(_)
            | CommandArgs::Maintenance(_)
            | CommandArgs::Enable(_)
            | CommandArgs::Disable(_)
            | CommandArgs::Run(_)
            | CommandArgs::Put(_)
            | CommandArgs::Manage(_)
            | CommandArgs::DjangoShell
            | CommandArgs::Shell(_)
            | CommandArgs::Disconnect
            | CommandArgs::RestartWebserver
            | CommandArgs::Task(_) => true,
        }
    }
}

const ELB_EXAMPLES: &str = "\
Examples:
  buedafab production elb_add i-0123456789abcdef0
  buedafab production elb_remove:i-0123456789abcdef0   Fabric's form
The load balancers are those of `load_balancer` and `target_group`. Why an instance isn't in service yet, AWS says, and so does this.";

const DRAIN_EXAMPLES: &str = "\
How a host is taken out of traffic, the setting `drain` says. No more are taken out than
`min_in_service` lets, and a deploy leaves alone what a person has taken out.

Examples:
  buedafab production drain web1     also: drain:web1
  buedafab production undrain web1";

const UNDRAIN_EXAMPLES: &str = "\
A host is put back in the way in which it was taken out, whatever `drain` says by now. If the
command that puts it back was wrong, mend it in buedafab.toml first.

Examples:
  buedafab production undrain web1              also: undrain:web1
  buedafab production undrain web1 --forget     you have put it back at the load balancer yourself";

const DEPLOY_EXAMPLES: &str = "\
Examples:
  buedafab production deploy                    what HEAD is now; asks for a tag where one is needed
  buedafab production deploy --tag v0.2.0       tags it, deploys it, pushes the tag when all hosts are ready
  buedafab production deploy --commit 6b4943c   also: deploy:commit=6b4943c
  buedafab production deploy --release v0.1.1   also: deploy:release=v0.1.1, deploy:release=latest_tag
  buedafab production deploy --dry-run          shows what it would do; with -v the shell of every step
  buedafab production --hosts web1 deploy       on one host only
  buedafab production deploy --only-outdated    brings hosts that were away, or joined, level with the others
Running it again is always safe, and repairs what a crash left.";

const ROLLBACK_NOTES: &str = "\
Each host goes back to the release that was proven live on it before; all to the same one, or none does. A release that
was rolled back from is no target any more: deploy it by its name, which is quick.

Examples:
  buedafab production rollback
  buedafab production rollback --to v0.1.0    or the beginning of a commit's id; `status` shows which can be named
  buedafab production rollback:to=v0.1.0      Fabric's form";

const ADOPT_NOTES: &str = "\
Nothing of the tree is moved or removed, and what serves goes on serving. What isn't known is left alone, and said. Run again, it catches
up with what the other tool did since, until buedafab deploys.

Examples:
  buedafab production adopt --dry-run    which folder holds which commit, and which one serves
  buedafab production adopt
  buedafab production adopt --undo       until the next deploy";

const MIGRATE_LAYOUT_NOTES: &str = "\
Releases stay where they are, and can be gone back to; the next deploy goes to a folder of the new kind, or with `in-place` to the one that
serves. A link `current` of another tool, beside `releases`, is made to follow buedafab's, so that web servers read through it as before.
`strategy` is changed in buedafab.toml. A tree that nobody has adopted is adopted first.

Examples:
  buedafab production migrate-layout --to timestamp --dry-run
  buedafab production migrate-layout --to ab
  buedafab production migrate-layout --undo    puts that link back, until the next deploy";

const HISTORY_EXAMPLES: &str = "\
Examples:
  buedafab production history                        what the hosts' journals say
  buedafab production history last                   the newest run of this machine again, with its log
  buedafab production history ie2d                   a run by its id, or the beginning or the end of it
  buedafab production history:ie2d                   Fabric's form
  buedafab production history last --json            its events, as `deploy --json` printed them
  buedafab production history --since 30d --csv      a table for other programs
  buedafab production history --stats --since 90d    in numbers
  buedafab production history --notes v0.1.0..v0.2.0 what a release brought, in Markdown
With --stats: deploys are runs that made a release live on any host, also for each week of the time (of at least one week). The lead time \
of a commit is from when it was committed until a host confirmed the release that brought it. A change is a run that switched, whether \
it became live or was reverted; it failed if it was reverted, or its release was rolled back from later. The time to restore is from when \
such a release became live until a host confirmed the rollback; a revert takes seconds, and is part of its own run.
Runs that may change hosts are written down on the machine that they run on, in $XDG_STATE_HOME/buedafab/runs, or else in \
~/.local/state/buedafab/runs: the last 200. Only you can read them, and secrets are masked. No host is asked for them.";

const STATUS_EXAMPLES: &str = "\
Examples:
  buedafab production status
  buedafab status                       of all environments at once
  buedafab production status --watch    again and again, until Ctrl-C
How far an environment is behind its branch is what this checkout knows of the remote: git fetch asks it.";

const LOGS_EXAMPLES: &str = "\
Examples:
  buedafab production logs                           the last lines of every service, on every host
  buedafab production logs -f worker                 one service, as it speaks; Ctrl-C ends it
  buedafab production logs --since 2h --grep 'ERROR|WARN'
  buedafab production --hosts web1 logs --since '2026-11-27 09:30'
Services of systemd are asked for by journalctl. Where the app writes into files, `log_files` says which; lines in them have no \
time that is known, so `--since` leaves out files in which nothing was written since. Nothing is changed, and no lock is taken.";

const DISCONNECT_EXAMPLES: &str = "\
Examples:
  buedafab disconnect                          from every host, whatever project it is of
  buedafab production disconnect
  buedafab production --hosts web1 disconnect
Connections over ssh are kept for `keep_warm_seconds` after their last use. One isn't used for another machine, user or key
once ~/.ssh/config says otherwise; but where a name leads to another machine by DNS, only this tells. What is under way over a \
connection goes on.";

const NOTIFY_EXAMPLES: &str = "\
Examples:
  buedafab production notify --test           one message to each, and what came back
  buedafab production notify --test --json
No host is asked, and nothing is deployed. GitHub and Sentry are only asked whether the token may read there; Airbrake, Hoptoad and \
Errbit keep the test as a deploy of no revision. Ends with 6 if one of them isn't told.";

const RUN_EXAMPLES: &str = "\
Examples:
  buedafab production run -- uptime
  buedafab production run -- 'grep -c ERROR log/*.log | sort'   one argument is shell
  buedafab production run:\"uptime\"                              Fabric's form";

#[derive(Debug, Clone, Args)]
pub(crate) struct InitArgs {
    /// Overwrite a buedafab.toml that is there; its hosts are kept, and what else was answered
    #[arg(long)]
    pub force: bool,
    /// Print it instead of writing it, and ask nothing
    #[arg(long)]
    pub print: bool,
}

/// Which release.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReleaseArgs {
    /// A commit: an id, a branch, anything that git knows [default: `default_revision`]
    #[arg(long, value_name = "COMMIT", conflicts_with = "release")]
    pub commit: Option<String>,
    /// A tag; `latest_tag` means the tag with the highest version
    #[arg(long, value_name = "TAG", add = ArgValueCandidates::new(complete::releases))]
    pub release: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    pub release: ReleaseArgs,
    /// Tag the commit with this name, and push the tag when all hosts are ready
    #[arg(long, value_name = "NAME", conflicts_with = "release")]
    pub tag: Option<String>,
    /// Don't run the project's tests first
    #[arg(long)]
    pub skip_tests: bool,
    /// Tell visitors of maintenance until the deploy ends, however it ends; hosts in maintenance stay so
    #[arg(long)]
    pub maintenance: bool,
    /// Make the virtualenvs anew, even if nothing has changed
    #[arg(long)]
    pub reinstall: bool,
    /// Take the newest packages that the requirements allow, where what was installed before would do
    #[arg(long)]
    pub upgrade: bool,
    /// Deploy a release even if it is older than the live one
    #[arg(long)]
    pub allow_older: bool,
    /// Look at the hosts and show the plan, and change nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Deploy also to hosts on which the release is live already
    #[arg(long)]
    pub force: bool,
    /// Replace a link `current` that another tool made, and files in slots that buedafab didn't make
    #[arg(long)]
    pub take_over: bool,
    /// Lose what the app has written into its releases
    #[arg(long)]
    pub drop_written: bool,
    /// Keep migrations in the database that the release doesn't know
    #[arg(long)]
    pub keep_schema: bool,
    /// Stop and remove the units, init scripts and jobs of this app that its hosts shouldn't have any more
    #[arg(long)]
    pub prune: bool,
    /// Bring hosts that lack what is live on the others level with it, and change nothing else
    #[arg(long, conflicts_with_all = ["commit", "release", "tag", "maintenance", "reinstall", "upgrade", "allow_older", "force", "keep_schema", "prune"])]
    pub only_outdated: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct TestArgs {
    /// The value of DEPLOYMENT_TYPE for the tests [default: `local_deployment_type`, whatever the environment]
    #[arg(long, value_name = "TYPE")]
    pub deployment_type: Option<String>,
    /// The folder to run them in [default: the project's]
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,
}

/// A task, with the arguments that were typed.
#[derive(Debug, Clone)]
pub(crate) struct TaskArgs {
    pub name: String,
    /// Each `NAME=VALUE`.
    pub arguments: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RecoverArgs {
    /// Look at the hosts and show the plan, and change nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct AdoptArgs {
    /// Take away again what was written down, as long as nothing was deployed since
    #[arg(long)]
    pub undo: bool,
    /// Look at the hosts and show the plan, and change nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct MigrateLayoutArgs {
    /// How releases are to be laid out
    #[arg(
        long,
        value_enum,
        value_name = "STRATEGY",
        required_unless_present = "undo",
        conflicts_with = "undo"
    )]
    pub to: Option<LayoutName>,
    /// Put a link of another tool back as it was, as long as nothing was deployed since
    #[arg(long)]
    pub undo: bool,
    /// Look at the hosts and show the plan, and change nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
}

/// A strategy, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutName {
    /// Slots that take turns
    Ab,
    /// A new folder for every deploy
    Timestamp,
    /// A folder for every release
    Revision,
    /// One folder, in which git checks out what is deployed
    InPlace,
}

impl From<LayoutName> for StrategyName {
    fn from(typed: LayoutName) -> StrategyName {
        match typed {
            LayoutName::Ab => StrategyName::Ab,
            LayoutName::Timestamp => StrategyName::Timestamp,
            LayoutName::Revision => StrategyName::Revision,
            LayoutName::InPlace => StrategyName::InPlace,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RetireArgs {
    /// The host, as it was called
    #[arg(value_name = "HOST")]
    pub host: String,
    /// Only have the other hosts forget it: it isn't there any more
    #[arg(long)]
    pub forget: bool,
    /// Look at the hosts and show the plan, and change nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RollbackArgs {
    /// Go to this release, by its tag or its commit, rather than to the one before
    #[arg(long, value_name = "TAG|COMMIT", add = ArgValueCandidates::new(complete::tags))]
    pub to: Option<String>,
    /// Keep migrations in the database that the older release doesn't know
    #[arg(long)]
    pub keep_schema: bool,
    /// Undo migrations that the older release doesn't know, before anything switches; the newer release does it
    #[arg(long, conflicts_with = "keep_schema")]
    pub reverse_migrations: bool,
    /// Only try it: start the older release beside what serves, ask whether it is well, and stop it again
    #[arg(long, conflicts_with = "reverse_migrations")]
    pub rehearse: bool,
    /// Look at the hosts and show the plan, and change nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct HistoryArgs {
    /// Show this run again, from its log on this machine: its id, the beginning or the end of it, or `last`
    #[arg(value_name = "RUN", add = ArgValueCandidates::new(complete::runs), conflicts_with = "most")]
    pub run: Option<String>,
    /// How many entries, the newest ones [default: 20; all with --since]
    #[arg(long, value_name = "COUNT")]
    pub most: Option<usize>,
    /// Only what happened since: 2h, 30d, or a time such as '2026-11-01'
    #[arg(long, value_name = "TIME", conflicts_with = "run")]
    pub since: Option<String>,
    /// Show how often, how fast and how well the app was deployed, in numbers
    #[arg(long, conflicts_with_all = ["run", "most"])]
    pub stats: bool,
    /// Show what lies between two releases, as notes in Markdown; no host is asked
    #[arg(long, value_name = "FROM..TO", conflicts_with_all = ["run", "most", "since", "stats", "csv"])]
    pub notes: Option<String>,
    /// Print a table for other programs
    #[arg(long, conflicts_with_all = ["run", "json"])]
    pub csv: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct StatusArgs {
    /// Again every so many seconds, until Ctrl-C [default: 5]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    pub watch: Option<u32>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct LogsArgs {
    /// Only this service: by its name in `[services.NAME]`, or that of its unit [default: all, and `log_files`]
    #[arg(value_name = "SERVICE", add = ArgValueCandidates::new(complete::services))]
    pub service: Option<String>,
    /// Go on with what is said from now on, until Ctrl-C
    #[arg(long, short = 'f')]
    pub follow: bool,
    /// Only what was said since: 10m, 2h, 1d, or a time such as '2026-11-27 09:30'
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only lines in which this extended regular expression is found
    #[arg(long, value_name = "PATTERN")]
    pub grep: Option<String>,
    /// How many lines of each are read, the last ones [default: 100; all with --since, 10000 with --grep]
    #[arg(long, value_name = "COUNT")]
    pub lines: Option<u32>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct HostsArgs {
    /// Which; names or globs
    #[arg(value_name = "HOST", num_args = 0.., add = ArgValueCandidates::new(complete::hosts))]
    pub host: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct UndrainArgs {
    #[command(flatten)]
    pub hosts: HostsArgs,
    /// Only have the hosts forget that they are out of traffic: you have put them back yourself
    #[arg(long)]
    pub forget: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct InstancesArgs {
    /// Which, by the ids that AWS gives them
    #[arg(value_name = "INSTANCE", num_args = 1.., required = true)]
    pub instances: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct HoldArgs {
    /// Why; shown to everyone whose deploy it stops
    #[arg(long)]
    pub reason: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct NotifyArgs {
    /// Send one message to each, and say what came back
    #[arg(long, required = true)]
    pub test: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// One argument is a line of shell; several are a command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

const PUT_EXAMPLES: &str = "\
Examples:
  buedafab production put robots.txt shared/robots.txt   in the app's directory
  buedafab production put robots.txt /var/www/           in that folder
  buedafab production put:robots.txt,/var/www/           Fabric's form
It arrives whole or not at all. Put nothing into a release: a slot is cleaned before the next one is built in it.";

#[derive(Debug, Clone, Args)]
pub(crate) struct PutArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where it goes, or a folder that it goes into; from the app's directory on, or absolute
    #[arg(value_name = "PLACE")]
    pub place: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct EnvArgs {
    #[command(subcommand)]
    pub what: EnvCommand,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum EnvCommand {
    /// Set a variable; its value is typed at a prompt, or read from standard input
    Set {
        /// Its name
        name: String,
        /// Accept an empty value
        #[arg(long)]
        empty: bool,
    },
    /// Remove a variable
    Unset {
        /// Its name
        name: String,
    },
    /// List the names of the variables, never their values
    List,
    /// Replace all variables by those of a file of yours
    Push {
        /// The file: NAME=value, a line each
        file: PathBuf,
    },
    /// Go back to the version before the last change
    Restore,
}

const ENV_EXAMPLES: &str = "\
Examples:
  buedafab production env set SECRET_KEY                asks for the value, and doesn't show it
  pass show five/db | buedafab production env set DATABASE_URL
  buedafab production env push production.env
  buedafab production env list
The app reads a change when it starts again: buedafab production restart_webserver";

#[derive(Debug, Clone, Args)]
#[command(after_help = MAINTENANCE_EXAMPLES)]
pub(crate) struct MaintenanceArgs {
    /// Whether to start it, to end it, or to say which hosts are in it
    pub state: MaintenanceState,
    /// A message to visitors
    #[arg(long)]
    pub message: Option<String>,
    /// When it will be over, in your words
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MaintenanceState {
    /// Tell visitors of maintenance
    On,
    /// Let visitors in again
    Off,
    /// Say which hosts are in maintenance
    Status,
}

const MAINTENANCE_EXAMPLES: &str = "\
Examples:
  buedafab production maintenance on --message 'We move the database.' --until '10 pm'
  buedafab production maintenance off
  buedafab production enable maintenancemode        Fabric's words
  buedafab production deploy --maintenance          only for as long as the deploy takes";

#[derive(Debug, Clone, Args)]
pub(crate) struct ModeArgs {
    /// The mode; there is only one
    pub mode: Mode,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Mode {
    /// Visitors are told that the site is being worked on
    Maintenancemode,
}

const MANAGE_EXAMPLES: &str = "\
Examples:
  buedafab production manage -- showmigrations
  buedafab production manage createsuperuser";

#[derive(Debug, Clone, Args)]
pub(crate) struct ManageArgs {
    /// The command of manage.py, with its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ShellArgs {
    /// In the release that failed last; where none did, that is refused
    #[arg(long)]
    pub failed: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgs {
    /// Print the JSON schema of buedafab.toml, for editors
    #[arg(long)]
    pub schema: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// The folder of the demo, which must not exist yet
    #[arg(default_value = "buedafab-demo")]
    pub folder: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    pub shell: String,
}

/// The command line of a project with these tasks: what each is called, and what it is for.
pub(crate) fn command_line(tasks: &BTreeMap<String, String>) -> Command {
    let task = |(name, about): (&String, &String)| {
        let arguments = Arg::new(TASK_ARGUMENTS)
            .value_name("NAME=VALUE")
            .action(ArgAction::Append)
            .num_args(0..)
            .help("The task's arguments; also after a colon: NAME:VERBOSE=1");
        Command::new(name.clone()).about(about.clone()).arg(arguments)
    };
    let root = Cli::command().subcommands(tasks.iter().map(task));
    let usages = usages(&root);
    let root = root.mut_subcommands(|command| {
        let typed = usages[command.get_name()].clone();
        let part = |part: Command| {
            let begin =
                format!("{} {}", typed.split(" [OPTIONS]").next().unwrap_or_default(), part.get_name());
            let typed = with_arguments(begin, &part);
            part.override_usage(typed)
        };
        let dots = if command.has_subcommands() { " COMMAND" } else { "" };
        command.mut_subcommands(part).override_usage(format!("{typed}{dots}"))
    });
    let template = help_template(&root, tasks);
    root.help_template(template)
}

/// How each command is typed. What an argument takes is known only of what is built.
fn usages(root: &Command) -> BTreeMap<String, String> {
    let mut built = root.clone();
    built.build();
    built.get_subcommands().map(|command| (command.get_name().to_owned(), usage(command))).collect()
}

/// Wider lines are no longer read.
const WIDEST: usize = 100;

/// The help of the program, with its commands in groups; which clap can't do.
fn help_template(root: &Command, tasks: &BTreeMap<String, String>) -> StyledStr {
    let (heading, name) = (root.get_styles().get_header(), root.get_styles().get_literal());
    let all = groups(root, |name| tasks.contains_key(name));
    let names = all.iter().flat_map(|(_, commands)| commands).map(|command| command.get_name().len());
    let column = names.max().unwrap_or(0) + 4;
    // As clap has it.
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = columns.or_else(|| Some(Term::stdout().size_checked()?.1.into()));
    let width = columns.map_or(WIDEST, |columns| WIDEST.min(columns));
    let mut text = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    for (title, commands) in all {
        text.push_str(&format!("\n{heading}{title}:{heading:#}\n"));
        for command in commands {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let lines = textwrap::wrap(&about, width.saturating_sub(column).max(20));
            let begin = format!("  {name}{}{name:#}", command.get_name());
            let gap = column - 2 - command.get_name().len();
            text.push_str(&format!("{begin}{:gap$}{}\n", "", lines.join(&format!("\n{:column$}", ""))));
        }
    }
    text.push_str(&format!("\n{heading}Options:{heading:#}\n{{options}}{{after-help}}"));
    text.into()
}

impl Cli {
    /// Takes what was typed from what clap has made of the words, in a project with these tasks.
    pub(crate) fn read(
        mut matches: ArgMatches,
        mut words: Vec<String>,
        tasks: &BTreeMap<String, String>,
    ) -> Result<Cli, clap::Error> {
        let called = matches.subcommand().filter(|(name, _)| tasks.contains_key(*name));
        let task = called.map(|(name, typed)| TaskArgs {
            name: name.to_owned(),
            arguments: typed.get_many::<String>(TASK_ARGUMENTS).into_iter().flatten().cloned().collect(),
        });
        let command_name = matches.subcommand_name().unwrap_or_default().to_owned();
        Ok(Cli {
            command_name,
            environment: matches.get_one::<String>("environment").cloned(),
            global: GlobalArgs::from_arg_matches(&matches)?,
            command: match task {
                Some(task) => CommandArgs::Task(task),
                None => CommandArgs::from_arg_matches_mut(&mut matches)?,
            },
            words: words.split_off(1.min(words.len())),
        })
    }

    /// The command that does the same again.
    pub(crate) fn retry_command(&self) -> String {
        let program = "buedafab".to_owned();
        typed_words([program].iter().chain(&self.words))
    }

    /// The same without the environment and what else stands before the command.
    pub(crate) fn command_words(&self) -> String {
        let names = |word: &String| Cli::command().find_subcommand(word).is_some();
        let task = match &self.command {
            CommandArgs::Task(task) => Some(&task.name),
            _ => None,
        };
        let begin = self.words.iter().position(|word| names(word) || Some(word) == task).unwrap_or(0);
        typed_words(&self.words[begin..])
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_environment_comes_first_and_may_be_left_out() {
        let cli = Cli::try_parse_from(["buedafab", "production", "deploy", "-n"]).expect("it parses");
        assert_eq!(cli.environment.as_deref(), Some("production"));
        let cli = Cli::try_parse_from(["buedafab", "init"]).expect("it parses");
        assert_eq!(cli.environment, None);
        let cli = Cli::try_parse_from(["buedafab", "staging", "--hosts", "a,b", "run", "--", "ls", "-l"])
            .expect("ok");
        assert_eq!(cli.global.hosts, ["a", "b"]);
    }
}
