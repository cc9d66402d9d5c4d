//! `elb_add` and `elb_remove`: instances into the environment's load balancers and out of them, as buedafab on Fabric did it.

use std::time::Duration;

use buedafab_engine::{Aws, AwsError};
use buedafab_model::config::{Confirm, Settings};
use buedafab_model::host::balancer::{MemberState, Membership, Wanted};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::outcome::Verdict;
use serde::Serialize;

use crate::arguments::{Cli, InstancesArgs};
use crate::exit::CliError;
use crate::project::{Project, require_environment};
use crate::prompt::{Echo, Terminal, understand_yes};
use crate::report::{print_data, print_json, print_talk};
use crate::session::interrupted;

fn command(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::In => "elb_add",
        Wanted::Out => "elb_remove",
    }
}

/// How one member ended, with `--json`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    member: &'a Membership,
    #[serde(flatten)]
    state: &'a MemberState,
    /// Whether it got where it was wanted.
    done: bool,
}

pub(crate) async fn elb(cli: &Cli, arguments: &InstancesArgs, wanted: Wanted) -> Result<ExitCode, CliError> {
    let environment = require_environment(cli.environment.as_ref(), &format!("{} i-…", command(wanted)))?;
    let color = console::colors_enabled_stderr();
    let settings = Project::find(&cli.global, color)?.settings(&environment, color)?;
    for id in &arguments.instances {
        if !id.starts_with("i-") {
            return Err(CliError::usage(format!("{id:?} isn't the id of an instance")).hint(format!(
                "ids look like i-0123456789abcdef0: buedafab {environment} {} i-…",
                command(wanted)
            )));
        }
    }
    let from = &settings.inventory.from;
    if from.load_balancer.is_empty() && from.target_group.is_empty() {
        return Err(CliError::configuration(format!("{environment} has no load balancer")).hint(format!(
            "write into buedafab.toml: [environments.{environment}] load_balancer = \"web\""
        )));
    }
    let aws = Aws::new(from.aws_region.as_deref()).await?;
    let members = aws.places_for(&from.load_balancer, &from.target_group, &arguments.instances).await?;
    let mut names: Vec<String> = members.iter().map(|member| member.group.to_string()).collect();
    names.dedup();
    let (ids, names) = (arguments.instances.join(", "), names.join(" and "));
    let question = match wanted {
        Wanted::In => format!("Put {ids} into {names}?"),
        Wanted::Out => format!("Take {ids} out of {names}?"),
    };
    confirm(cli, &settings, &question).await?;
    let mut touched = false;
    for member in &members {
        let changed = match wanted {
            Wanted::In => aws.register(member).await,
            Wanted::Out => aws.deregister(member).await,
        };
        if let Err(error) = changed {
            return Err(if touched { broken_off(&format!("{member}: "), &error) } else { error.into() });
        }
        touched = true;
    }
    let limit = Duration::from_secs(u64::from(settings.drain.timeout_seconds));
    let tell = |member: &Membership, state: &MemberState| {
        if !wanted.is_met(state) {
            print_talk(&format!("{member}: {state}"));
        }
    };
    let states = tokio::select! {
        states = aws.wait_until(&members, wanted, limit, tell) => states.map_err(|error| broken_off("", &error))?,
        () = interrupted() => {
            return Err(CliError::verdict(Verdict::Interrupted, "interrupted: AWS goes on with what it was told"));
        }
    };
    let mut left = Vec::new();
    for (member, state) in members.iter().zip(&states) {
        let done = wanted.is_met(state);
        if cli.global.json {
            print_json(&Document { member, state, done });
        } else {
            print_data(&format!("{member}: {state}"));
        }
        if !done {
            left.push(format!("{member} is {state}"));
        }
    }
    if left.is_empty() {
        return Ok(ExitCode::Done);
    }
    Err(undecided(&format!("after {} s: {}", limit.as_secs(), left.join("; "))))
}

/// Asks what the environment wants to hear before anything changes.
async fn confirm(cli: &Cli, settings: &Settings, question: &str) -> Result<(), CliError> {
    let confirm = settings.rules.confirm;
    if cli.global.yes || confirm == Confirm::Nothing {
        return Ok(());
    }
    let refused = |why: &str| CliError::verdict(Verdict::Refused, format!("{why}: nothing was touched"));
    let Some(terminal) = Terminal::find().filter(|_| !cli.global.json) else {
        return Err(refused("nobody is there to confirm this").hint("--yes confirms it"));
    };
    let environment = settings.environment.as_str();
    let question = match confirm {
        Confirm::Name => format!("{question} Type the environment's name, {environment}:"),
        Confirm::Yes | Confirm::Nothing => format!("{question} [y/N]"),
    };
    let typed = tokio::select! {
        typed = terminal.ask(&question, Echo::Shown) => typed,
        () = interrupted() => None,
    };
    let Some(typed) = typed else {
        return Err(CliError::verdict(Verdict::Interrupted, "interrupted: nothing was touched"));
    };
    let confirmed = match confirm {
        Confirm::Name => typed.trim() == environment,
        Confirm::Yes | Confirm::Nothing => understand_yes(&typed).unwrap_or_default(),
    };
    if confirmed { Ok(()) } else { Err(refused("not confirmed")) }
}

/// AWS says no when something has changed already.
fn broken_off(about: &str, error: &AwsError) -> CliError {
    let hint = error.hint().map_or_else(String::new, |hint| format!("{hint}; then "));
    undecided(&format!("{about}{error}")).hint(format!("{hint}{AGAIN}"))
}

const AGAIN: &str = "run it again: what is done stays done";

/// Something has changed, and not all that was wanted.
fn undecided(why: &str) -> CliError {
    CliError::verdict(Verdict::Mixed, why).hint(AGAIN)
}
