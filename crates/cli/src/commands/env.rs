//! `env`: the app's secrets on the hosts. Values come on standard input, and are shown nowhere.

use buedafab_model::run::exit_code::ExitCode;
use std::io::{IsTerminal, Read};

use buedafab_engine::Inputs;
use buedafab_model::app::env_file::{EnvFile, EnvFileError, check_name, normalize, odd_readers, render_line};
use buedafab_model::host::Host;
use buedafab_model::host::facts::HostFacts;
use buedafab_model::plan::action::EnvEdit;
use buedafab_model::planner::{plan_env, plan_env_list};
use buedafab_model::shell::inspect::Scope;

use crate::arguments::{Cli, EnvCommand};
use crate::exit::CliError;
use crate::prompt::Echo;
use crate::report::{StepOutput, print_talk};
use crate::session::Session;

pub(crate) async fn env(cli: &Cli, what: &EnvCommand) -> Result<ExitCode, CliError> {
    let wrong = |error: EnvFileError| CliError::usage(error.to_string());
    let output = if matches!(what, EnvCommand::List) { StepOutput::Data } else { StepOutput::Talk };
    let mut session = Session::start(cli, "env list", output)?;
    let Some(file) = session.settings.shared.env_file.clone() else {
        return Err(CliError::configuration("this app has no file of variables")
            .hint("name one, which will be kept in `shared` on the hosts: env_file = \".env\""));
    };
    let edit = match what {
        EnvCommand::List => return list(session, &file).await,
        EnvCommand::Set { name, .. } => {
            if let Some((name, _)) = name.split_once('=') {
                return Err(CliError::usage("everybody on this machine can see a value on the command line")
                    .hint(format!(
                        "name it alone, and its value is asked for, or read from standard input: {} env set {name}",
                        session.environment_command()
                    )));
            }
            check_name(name).map_err(wrong)?;
            EnvEdit::Set { name: name.clone() }
        }
        EnvCommand::Unset { name } => {
            check_name(name).map_err(wrong)?;
            EnvEdit::Unset { name: name.clone() }
        }
        EnvCommand::Push { .. } => EnvEdit::Replace,
        EnvCommand::Restore => EnvEdit::Restore,
    };
    // What is wrong with what was given is told before anybody is asked anything, and before a host is reached.
    let given = match what {
        EnvCommand::Set { name, empty } if !std::io::stdin().is_terminal() => {
            Some(one(name, &read_value(name, *empty)?).map_err(wrong)?)
        }
        EnvCommand::Push { file } => {
            session.require_confirmation()?;
            let text = std::fs::read_to_string(file)
                .map_err(|error| CliError::usage(format!("can't read {}: {error}", file.display())))?;
            let kept = normalize(&text);
            Some(kept.map_err(|error| CliError::usage(format!("{}: {error}", file.display())))?)
        }
        EnvCommand::Set { .. } | EnvCommand::Unset { .. } | EnvCommand::Restore | EnvCommand::List => None,
    };
    // All hosts are reached before the first is changed.
    let look = session.look_or_stop(Scope::Plan).await?;
    let plan = match plan_env(&session.settings, &session.context, &edit, &file, &session.seen(&look)) {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    let input = match (what, given) {
        (EnvCommand::Set { name, empty }, None) => {
            let question = format!("The value of {name}:");
            let understand = |typed: String| match typed.is_empty() && !empty {
                true => Err("an empty value is set by --empty".to_owned()),
                false => Ok(typed),
            };
            let typed = session.ask(&question, Echo::Hidden, understand).await?;
            Some(one(name, &typed).map_err(wrong)?)
        }
        (EnvCommand::Push { file }, Some(kept)) => {
            let (names, environment) = (kept.names.clone(), session.settings.environment.clone());
            session.say(&format!("{}: {}", file.display(), names.join(", ")));
            session
                .confirm(&format!("Replace all variables of {environment} by these {}?", names.len()))
                .await?;
            Some(kept)
        }
        (_, given) => given,
    };
    for (name, readers) in input.iter().flat_map(|file| &file.odd) {
        session.say(&format!(
            "{name}: the app finds this value in its environment as it is; but {} would read it in another way from the file",
            readers.join(" and ")
        ));
    }
    let input = input.map(|EnvFile { names: _, text, odd: _ }| text);
    let reads = session.seen(&look).iter().all(|seen| live_release_reads(seen.facts, &file));
    let begins = session.environment_command();
    let then = match reads {
        true => format!("the app reads it when it starts again: {begins} restart_webserver"),
        false => {
            format!("the live release doesn't know {file} yet: the app reads it from the next deploy on")
        }
    };
    let code = session.carry_out_with(&plan, Inputs { variables: input, ..Inputs::default() }).await?;
    if code == ExitCode::Done && !cli.global.json {
        print_talk(&then);
    }
    Ok(code)
}

/// Whether what is live reads the file of variables when it starts again. Its units are those of its deploy; of a release that
/// nothing was kept of that isn't known.
fn live_release_reads(facts: &HostFacts, file: &str) -> bool {
    let live = facts.live_slot().and_then(|slot| Some((slot, facts.slots.get(slot)?.commit.as_ref()?)));
    let kept = live.and_then(|(slot, commit)| facts.resolved_for(slot, commit));
    kept.is_none_or(|kept| kept.env_file.as_deref() == Some(file))
}

/// One variable, as a file of that alone.
fn one(name: &str, value: &str) -> Result<EnvFile, EnvFileError> {
    // Whoever writes on Windows means the same.
    let value = value.replace("\r\n", "\n");
    let (text, readers) = (render_line(name, &value)?, odd_readers(&value));
    let odd = if readers.is_empty() { Vec::new() } else { vec![(name.to_owned(), readers)] };
    Ok(EnvFile { names: vec![name.to_owned()], text, odd })
}

/// What comes on standard input.
fn read_value(name: &str, may_be_empty: bool) -> Result<String, CliError> {
    let mut value = String::new();
    std::io::stdin()
        .read_to_string(&mut value)
        .map_err(|error| CliError::usage(format!("the value can't be read: {error}")))?;
    let value = value.strip_suffix('\n').unwrap_or(&value);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.is_empty() && !may_be_empty {
        return Err(CliError::usage(format!(
            "standard input holds no value for {name}: no variable was changed"
        ))
        .hint("did the command before the pipe fail? --empty sets an empty value"));
    }
    Ok(value.to_owned())
}

async fn list(session: Session, file: &str) -> Result<ExitCode, CliError> {
    let hosts: Vec<&Host> = session.hosts.iter().collect();
    let plan = plan_env_list(&session.settings, &session.context, file, &hosts);
    session.carry_out(&plan).await
}
