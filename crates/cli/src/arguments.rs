//! What may be typed.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::project::environment_names_nearby;

/// Everything on the command line.
#[derive(Debug, Parser)]
#[command(
    name = "buedafab",
    version,
    about = "Deploys that change a fleet together or not at all",
    long_about = "Deploys git releases to hosts that you own, over your own ssh: all hosts change together, or none \
                  does. A release is prepared beside the one that serves, checked, and switched to by one rename; what \
                  fails is put back, also when the deployer is lost.",
    after_help = EXAMPLES,
    subcommand_precedence_over_arg = true,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// Where: localhost, development, staging, production, or an environment of your own
    #[arg(value_name = "ENVIRONMENT", add = ArgValueCandidates::new(complete_environments))]
    pub environment: Option<String>,

    #[command(flatten)]
    pub global: GlobalArgs,

    #[command(subcommand)]
    pub command: CommandArgs,
}

const EXAMPLES: &str = "\
Examples:
  buedafab init                              write a commented buedafab.toml
  buedafab production check                  can I deploy?
  buedafab production deploy --dry-run -v    the plan, down to the shell of every step
  buedafab production deploy
  buedafab production deploy:release=v0.1.1  Fabric's argument form works too
  buedafab production rollback
  buedafab demo                              a fleet of three on this machine

Exit codes:
  0 done   2 usage   3 configuration   4 refused, nothing touched   5 locked or held
  6 unreachable, nothing changed       7 failed before the switch   8 failed after it, reverted
  9 mixed or unknown, a person is needed   130 interrupted";

/// Flags that every command knows.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// The configuration [default: buedafab.toml here or in a folder above]
    #[arg(long, global = true, value_name = "FILE", env = "BUEDAFAB_CONFIG")]
    pub config: Option<PathBuf>,

    /// Only these hosts; names or globs, with commas: web1,jobs*
    #[arg(long, short = 'H', global = true, value_name = "HOSTS", value_delimiter = ',')]
    pub hosts: Vec<String>,

    /// Only hosts with one of these roles; names or globs, with commas
    #[arg(long, short = 'R', global = true, value_name = "ROLES", value_delimiter = ',')]
    pub roles: Vec<String>,

    /// One JSON document a line on standard output: events, or what was asked for
    #[arg(long, global = true)]
    pub json: bool,

    /// Ask nothing
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,

    /// Show what steps print; with --dry-run their shell
    #[arg(long, short = 'v', global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum CommandArgs {
    /// Look at the repository and write a commented buedafab.toml
    Init(InitArgs),
    /// Can I deploy? Look at every host, and say what would stop a deploy
    Check,
    /// Make a release live on all hosts, or on none
    #[command(after_help = DEPLOY_EXAMPLES)]
    Deploy(DeployArgs),
    /// Make the release before the live one live again
    #[command(after_help = ROLLBACK_NOTES)]
    Rollback(RollbackArgs),
    /// What runs where, since when, by whom; drift, locks, holds
    Status,
    /// What happened, run by run
    History(HistoryArgs),
    /// Stop deploys until `unhold`; rollbacks still work
    Hold(HoldArgs),
    /// Allow deploys again
    Unhold,
    /// Run a command on every host, in the live release
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// An interactive shell on one host, in the live release
    Shell,
    /// Restart the app as it is
    #[command(name = "restart_webserver", visible_alias = "restart")]
    RestartWebserver,
    /// The resolved configuration of an environment
    Config(ConfigArgs),
    /// See it work: deploys, a failed check and a rollback, on three hosts on this machine
    Demo(DemoArgs),
    /// Print what makes a shell complete buedafab's commands: add `source <(buedafab completions bash)` to its start
    Completions(CompletionsArgs),
}

const DEPLOY_EXAMPLES: &str = "\
Examples:
  buedafab production deploy                    what HEAD is now
  buedafab production deploy --commit 6b4943c   also: deploy:commit=6b4943c
  buedafab production deploy --release v0.1.1   also: deploy:release=v0.1.1
  buedafab production deploy --dry-run          what it would do; with -v every step's shell
  buedafab production --hosts web1 deploy       on one host only
Running it again is always safe, and repairs what a crash left.";

const ROLLBACK_NOTES: &str = "\
Each host goes back to the release that was proven live on it before; all to the same one, or none does. A release that
was rolled back from isn't gone back to: deploy it by its name, which is quick.";

const RUN_EXAMPLES: &str = "\
Examples:
  buedafab production run -- uptime
  buedafab production run -- 'grep -c ERROR log/*.log | sort'   one argument is shell
  buedafab production run:\"uptime\"                              Fabric's form";

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Overwrite a buedafab.toml that is there
    #[arg(long)]
    pub force: bool,
    /// Print it instead of writing it
    #[arg(long)]
    pub print: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    /// A commit: an id, a branch, anything that git knows [default: `default_revision`]
    #[arg(long, value_name = "COMMIT", conflicts_with = "release")]
    pub commit: Option<String>,
    /// A tag
    #[arg(long, value_name = "TAG")]
    pub release: Option<String>,
    /// Look at the hosts and show the plan, and change nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Deploy also where the release is live already
    #[arg(long)]
    pub force: bool,
    /// Replace a `current` that another tool made
    #[arg(long)]
    pub take_over: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// Look at the hosts and show the plan, and change nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// How many entries, the newest ones
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    pub most: usize,
}

#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    /// Why, for those who are stopped by it
    #[arg(long)]
    pub reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// One argument is a line of shell; several are a command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The JSON schema of buedafab.toml, for editors
    #[arg(long)]
    pub schema: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The folder of the demo; it is made, and must not be there
    #[arg(default_value = "buedafab-demo")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    pub shell: String,
}

fn complete_environments() -> Vec<CompletionCandidate> {
    environment_names_nearby().into_iter().map(CompletionCandidate::new).collect()
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
