//! A task of the project: a command that its configuration gives a name.

use buedafab_model::run::exit_code::ExitCode;
use std::collections::BTreeMap;

use buedafab_model::config::{Settings, Task, TaskTarget};
use buedafab_model::host::Host;
use buedafab_model::names::Role;
use buedafab_model::planner::plan_task;

use crate::arguments::{Cli, TaskArgs};
use crate::developer;
use crate::exit::CliError;
use crate::project::{Project, choose_hosts, require_environment};
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn task(cli: &Cli, typed: &TaskArgs) -> Result<ExitCode, CliError> {
    let color = console::colors_enabled_stderr();
    let environment = require_environment(cli.environment.as_ref(), &typed.name)?;
    let project = Project::find(&cli.global, color)?;
    let settings = project.settings(&environment, color)?;
    let Some(task) = settings.tasks.get(typed.name.as_str()) else {
        return Err(CliError::usage(format!(
            "{environment} has no task {:?}: another environment has it",
            typed.name
        ))
        .hint("write it above all environments, as [tasks.NAME], to have it everywhere"));
    };
    let arguments = read_arguments(&typed.name, task, &typed.arguments)?;
    if task.on == TaskTarget::Deployer {
        let mut variables = settings.app.variables.clone();
        variables.insert("DEPLOYMENT_TYPE".to_owned(), settings.app.deployment_type.clone());
        variables.insert("BUEDAFAB_ENVIRONMENT".to_owned(), settings.environment.to_string());
        variables.insert("BUEDAFAB_UNIT".to_owned(), settings.app.unit.to_string());
        variables.insert("BUEDAFAB_HOSTS".to_owned(), host_names(cli, &settings)?);
        variables.extend(arguments);
        let variables: Vec<(String, String)> = variables.into_iter().collect();
        for command in &task.run {
            developer::run(&typed.name, command, &project.root, &variables)?;
        }
        return Ok(ExitCode::Done);
    }
    let session = Session::start(cli, &typed.name, StepOutput::Data)?;
    let hosts: Vec<&Host> = match &task.on {
        TaskTarget::Role(role) => with_role(&session, role)?,
        TaskTarget::Primary => session.hosts.iter().take(1).collect(),
        TaskTarget::Hosts | TaskTarget::Deployer => session.hosts.iter().collect(),
    };
    let mut plan = plan_task(&session.settings, &session.context, &task.run, &arguments, &hosts);
    plan.title = Some(typed.name.clone());
    session.carry_out(&plan).await
}

fn host_names(cli: &Cli, settings: &Settings) -> Result<String, CliError> {
    if settings.hosts.is_empty() {
        return Ok(String::new());
    }
    let hosts = choose_hosts(settings, &cli.global)?;
    Ok(hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(","))
}

fn with_role<'s>(session: &'s Session, role: &Role) -> Result<Vec<&'s Host>, CliError> {
    let hosts: Vec<&Host> = session.hosts.iter().filter(|host| host.roles.contains(role)).collect();
    if hosts.is_empty() {
        Err(CliError::usage(format!("this task runs on hosts with the role {role}, and no host has it")))
    } else {
        Ok(hosts)
    }
}

/// The variables that the arguments mean, with the task's defaults.
fn read_arguments(name: &str, task: &Task, typed: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    let mut variables = task.arguments.clone().unwrap_or_default();
    for argument in typed {
        let Some((key, value)) = argument.split_once('=') else {
            return Err(CliError::usage(format!("{name}: {argument:?} isn't NAME=VALUE"))
                .hint(format!("for example: {name}:verbose=1")));
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) || !key.chars().all(plain) {
            return Err(CliError::usage(format!("{name}: {key:?} can't be the name of a variable")));
        }
        if let Some(known) = task.arguments.as_ref().filter(|known| !known.contains_key(key)) {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            let takes = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(CliError::usage(format!("{name} takes no argument {key:?}"))
                .hint(format!("it takes {takes}")));
        }
        variables.insert(key.to_owned(), value.to_owned());
    }
    Ok(variables)
}
