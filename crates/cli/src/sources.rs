//! Those who know the hosts of environments, asked before a command begins: each once.

use buedafab_engine::ask as ask_all;
use buedafab_model::app::mask::mask_urls;
use buedafab_model::config::{ConfigFile, Settings};
use buedafab_model::host::inventory::{Answers, HostSource, LeftOut};
use buedafab_model::names::EnvironmentName;
use buedafab_model::run::outcome::Verdict;

use crate::arguments::{Cli, CommandArgs};
use crate::exit::CliError;
use crate::project::Project;
use crate::report::print_talk;
use crate::session::interrupted;

/// What was answered about the environments that a command is about. Nothing is asked where no host is wanted.
///
/// # Errors
///
/// Somebody doesn't answer, or names no host. Where the configuration is only shown, that is told, and what is written is shown.
pub(crate) async fn ask(cli: &Cli) -> Result<Answers, CliError> {
    if !cli.command.needs_hosts() {
        return Ok(Answers::new());
    }
    let color = console::colors_enabled_stderr();
    // What is wrong with the configuration is told by the command itself.
    let Ok(project) = Project::find(&cli.global, color) else { return Ok(Answers::new()) };
    let config = project.whole();
    let environments: Vec<EnvironmentName> = match &cli.environment {
        Some(typed) => EnvironmentName::new(typed).into_iter().collect(),
        None => config.written_environments(),
    };
    let shows_only = matches!(cli.command, CommandArgs::Config(_));
    let mut answers = Answers::new();
    for environment in environments {
        let Ok(mut questions) = config.questions(&environment) else { continue };
        questions.retain(|question| !answers.contains_key(question));
        let answered = if questions.is_empty() {
            Ok(Answers::new())
        } else {
            tokio::select! {
                answered = ask_all(&questions, &project.root) => answered.map_err(CliError::from),
                // What was asked is no part of what a terminal interrupts, and ends with the question.
                () = interrupted() => {
                    return Err(CliError::verdict(Verdict::Interrupted, "interrupted: nothing was touched"));
                }
            }
        };
        let checked = answered.and_then(|more| {
            answers.extend(more);
            require_hosts(&config.clone().with_answers(answers.clone()), &environment)
        });
        match checked {
            Err(error) if shows_only => print_talk(&format!("warning: {}", mask_urls(error.message()))),
            checked => checked?,
        }
    }
    Ok(answers)
}

/// An answer without a host is no answer: the configuration is right, and there is nobody to reach.
fn require_hosts(config: &ConfigFile, environment: &EnvironmentName) -> Result<(), CliError> {
    let of_apps: Vec<ConfigFile> = config.app_names().iter().filter_map(|app| config.of_app(app)).collect();
    let all = if of_apps.is_empty() { vec![config.clone()] } else { of_apps };
    let settings = all.iter().filter_map(|config| config.settings(environment).ok());
    for Settings { inventory, .. } in settings {
        if let Some(source) = inventory.empty.first() {
            return Err(no_hosts(environment, source, &inventory.left_out));
        }
    }
    Ok(())
}

fn no_hosts(environment: &EnvironmentName, source: &HostSource, left_out: &[LeftOut]) -> CliError {
    let name = source.to_string();
    let its = left_out.iter().filter(|left_out| left_out.source == name);
    let lines = its.map(|left_out| format!("\n  left out: {left_out}"));
    let message = format!("the {name} has no host for {environment}{}", lines.collect::<String>());
    CliError::verdict(Verdict::Unreachable, format!("{message}\n  nothing was touched"))
        .hint("start one, or name another source of hosts in buedafab.toml")
}
