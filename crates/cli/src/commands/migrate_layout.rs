//! `migrate-layout`: changes how releases are laid out, with the app serving throughout.

use std::path::{Path, PathBuf};

use buedafab_model::config::{self, Settings, StrategyName, with_strategy};
use buedafab_model::names::EnvironmentName;
use buedafab_model::plan::Note;
use buedafab_model::planner::{plan_migrate_layout, plan_put_layout_back};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;

use buedafab_model::view::count_hosts;

use crate::arguments::{Cli, MigrateLayoutArgs};
use crate::exit::CliError;
use crate::project::{Project, require_environment};
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn migrate_layout(cli: &Cli, arguments: &MigrateLayoutArgs) -> Result<ExitCode, CliError> {
    let MigrateLayoutArgs { to, undo: _, dry_run } = arguments;
    match to {
        Some(to) => migrate(cli, (*to).into(), *dry_run).await,
        None => put_back(cli, *dry_run).await,
    }
}

async fn migrate(cli: &Cli, to: StrategyName, dry_run: bool) -> Result<ExitCode, CliError> {
    let edited = EditedFile::read(cli, to)?;
    let settings = edited.settings.clone();
    let mut session =
        Session::start_with(cli, "migrate-layout --to …", StepOutput::Talk, |now| *now = settings)?;
    let url = session.code_url().await;
    let look = session.look_and_recover(Scope::Tree, dry_run).await?;
    let (url, seen) = (url.as_deref(), session.seen(&look));
    let planned = plan_migrate_layout(&session.settings, &session.context, url, edited.from, &seen);
    let mut plan = match planned {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    let text = if edited.changes() {
        let gone = edited.gone();
        let gone =
            if gone.is_empty() { gone } else { format!(", and {gone} no more, which it doesn't have") };
        format!("{}: it will say strategy = \"{}\"{gone}", edited.shown, to.word())
    } else {
        format!("{} says strategy = \"{}\" already", edited.shown, to.word())
    };
    plan.notes.push(Note { host: None, text });
    if plan.is_empty() {
        // No host has anything to do: the setting alone decides.
        let done = session.nothing_to_do(&plan, &look);
        if !dry_run {
            edited.write()?;
        }
        return Ok(done);
    }
    session.show(&plan, dry_run);
    if dry_run {
        return Ok(ExitCode::Done);
    }
    session
        .confirm(&format!(
            "Change the layout on {}?",
            count_hosts(plan.hosts.iter().map(|planned| &planned.host))
        ))
        .await?;
    let code = session.carry_out(&plan).await?;
    if code == ExitCode::Done {
        edited.write()?;
    }
    Ok(code)
}

async fn put_back(cli: &Cli, dry_run: bool) -> Result<ExitCode, CliError> {
    let mut session = Session::start(cli, "migrate-layout --undo", StepOutput::Talk)?;
    let look = session.look_and_recover(Scope::Tree, dry_run).await?;
    let planned = plan_put_layout_back(&session.settings, &session.context, &session.seen(&look));
    let plan = match planned {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    if plan.is_empty() {
        return Ok(session.nothing_to_do(&plan, &look));
    }
    session.show(&plan, dry_run);
    if dry_run {
        return Ok(ExitCode::Done);
    }
    session
        .confirm(&format!(
            "Put the layout back on {}?",
            count_hosts(plan.hosts.iter().map(|planned| &planned.host))
        ))
        .await?;
    session.carry_out(&plan).await
}

/// The project's configuration, as it will be.
struct EditedFile {
    /// The strategy that it says now.
    from: StrategyName,
    path: PathBuf,
    shown: String,
    before: String,
    after: String,
    settings: Settings,
}

impl EditedFile {
    /// The settings that the new strategy doesn't have, and that are taken out.
    fn gone(&self) -> String {
        let says = |text: &str, name: &str| text.lines().any(|line| line.trim_start().starts_with(name));
        let gone = ["release_paths", "keep", "keep_days"].map(|name| format!("{name} ="));
        let gone = gone.iter().filter(|name| says(&self.before, name) && !says(&self.after, name));
        gone.map(|name| name.trim_end_matches(" =")).collect::<Vec<_>>().join(", ")
    }

    fn read(cli: &Cli, to: StrategyName) -> Result<EditedFile, CliError> {
        let color = console::colors_enabled_stderr();
        let environment = require_environment(cli.environment.as_ref(), "migrate-layout --to …")?;
        let environment =
            EnvironmentName::new(&environment).map_err(|error| CliError::usage(error.to_string()))?;
        // What is wrong with it as it is, is told first.
        let project = Project::find(&cli.global, color)?;
        let from = project.settings(environment.as_str(), color)?.layout.strategy;
        let path = project.path.clone();
        let shown = path.file_name().map_or_else(|| path.clone(), PathBuf::from).display().to_string();
        let before = read(&path)?;
        let after = with_strategy(&before, &environment, project.config.only_app(), to)
            .map_err(|error| CliError::configuration(format!("{shown} can't be changed: {error}")))?;
        let settings = config::parse(&shown, &after)
            .and_then(|file| match project.config.only_app().and_then(|app| file.of_app(app)) {
                Some(own) => own.settings(&environment),
                None => file.settings(&environment),
            })
            .map_err(|mistakes| CliError::rendered(mistakes.render(color)))?;
        Ok(EditedFile { from, path, shown, before, after, settings })
    }

    fn changes(&self) -> bool {
        self.before != self.after
    }

    /// Writes it, unless somebody has changed the file meanwhile.
    fn write(&self) -> Result<(), CliError> {
        if !self.changes() {
            return Ok(());
        }
        if read(&self.path)? != self.before {
            return Err(CliError::configuration(format!("{} was changed meanwhile", self.shown))
                .hint("all is done on hosts: run the same command again, or set `strategy` in it yourself"));
        }
        std::fs::write(&self.path, &self.after)
            .map_err(|error| CliError::configuration(format!("can't write {}: {error}", self.path.display())))
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path)
        .map_err(|error| CliError::configuration(format!("can't read {}: {error}", path.display())))
}
