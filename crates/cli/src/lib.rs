//! `buedafab`, the command: a library only so that the tests which write the reference can ask for what it knows.

mod arguments;
mod bundles;
mod commands;
mod complete;
mod developer;
mod discover;
mod events;
mod exit;
mod fabric;
mod log;
mod notifier;
mod packages;
mod project;
mod prompt;
mod release;
mod report;
mod run_log;
mod runs;
mod session;
mod sources;
mod spans;
mod sudo;
mod unknown;
mod usage;

use std::collections::BTreeMap;

use buedafab_model::app::maintenance::Announcement;
use buedafab_model::app::mask::mask_urls;
use buedafab_model::host::balancer::Wanted;
use buedafab_model::run::exit_code::ExitCode;

use crate::arguments::{Cli, CommandArgs, RetireArgs, command_line};
use crate::exit::CliError;

/// Does what the words of this process say, and comes back with the exit code.
#[doc(hidden)]
pub fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let tasks = project::tasks_nearby(&words);
    complete::answer(&tasks);
    // All of them have to be right before the first one does anything.
    let lines = match understand(&words, &tasks) {
        Ok(lines) => lines,
        Err(error) => return stop_at_once(&error),
    };
    let verbose = lines.iter().map(|cli| cli.global.verbose).max().unwrap_or_default();
    if let Err(error) = log::begin(verbose) {
        return stop_at_once(&error);
    }
    // One thread is enough: the work is done elsewhere, and what blocks here is a prompt.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return stop_at_once(&CliError::bug(format!("can't start: {error}"))),
    };
    let mut code = ExitCode::Done;
    for (index, cli) in lines.iter().enumerate() {
        code = match runtime.block_on(run_for_each_app(cli)) {
            Ok(ExitCode::Done) => continue,
            Ok(failed) => failed,
            Err(error) => stop(&error),
        };
        let left: Vec<String> = lines[index + 1..].iter().map(Cli::command_words).collect();
        if !left.is_empty() {
            report::print_talk(&format!("not started: {}", left.join(", ")));
        }
        break;
    }
    let runs = spans::take();
    if let Some(path) = lines.iter().find_map(|cli| cli.global.junit.as_ref())
        && let Err(why) = spans::write_report(path, &runs)
    {
        report::print_talk(&format!("warning: {why}"));
    }
    // Whoever doesn't want to wait for others to be told has said so once more.
    runtime.block_on(async {
        tokio::select! {
            () = notifier::finish(runs) => {}
            () = session::interrupted() => report::print_talk("not everybody may have been told"),
        }
    });
    // All hosts are let go: from here on, this program may wait for a reader as any other does.
    let is_written = runtime.block_on(async {
        tokio::select! {
            _ = tokio::task::spawn_blocking(report::write_all) => true,
            () = session::interrupted() => false,
        }
    });
    if code == ExitCode::Done && (!is_written || report::output::is_broken()) {
        code = ExitCode::OutputLost;
    }
    // A prompt that nobody answered must not keep the program.
    runtime.shutdown_background();
    code.into()
}

#[doc(hidden)]
pub use usage::{option_name, usage, value_name, with_arguments};

/// The command line, without a project's own tasks.
#[doc(hidden)]
pub fn command() -> clap::Command {
    command_line(&BTreeMap::new())
}

/// What was a command under Fabric and is refused, each with what to type.
#[doc(hidden)]
pub fn former_commands() -> &'static [(&'static str, &'static str)] {
    &fabric::FORMER_COMMANDS
}

/// The commands of one line. What clap has to say about a wrong one ends the program.
fn understand(words: &[String], tasks: &BTreeMap<String, String>) -> Result<Vec<Cli>, CliError> {
    let mut root = command_line(tasks);
    root.build();
    let mut lines = Vec::new();
    for (number, line) in fabric::split(words.iter().cloned(), &root).into_iter().enumerate() {
        if let Some(unknown) = unknown::explain(&line, number, words, &root) {
            // The word may be a task of a configuration that can't be read, or one of Fabric's: what isn't known stands last, as
            // nothing was taken for an argument of it.
            let former = line.last().and_then(|word| fabric::former(word));
            return Err(project::mistakes_nearby(words).or(former).unwrap_or(unknown));
        }
        let matches = command_line(tasks).try_get_matches_from(&line);
        match matches.and_then(|matches| Cli::read(matches, line, tasks)) {
            Ok(cli) => {
                fabric::refuse_arguments(cli.environment.as_ref())?;
                lines.push(cli);
            }
            Err(error) => error.exit(),
        }
    }
    Ok(lines)
}

fn stop(error: &CliError) -> ExitCode {
    let text = mask_urls(&error.to_string());
    if error.is_rendered() {
        report::print_painted(&text)
    } else {
        report::print_talk(&text)
    }
    error.code()
}

/// The same, where nothing was begun that could be waited for.
fn stop_at_once(error: &CliError) -> std::process::ExitCode {
    let code = stop(error);
    report::write_all();
    code.into()
}

/// Runs a command; one that is about a single app at a time for each of those that are meant, until it fails for one.
async fn run_for_each_app(cli: &Cli) -> Result<ExitCode, CliError> {
    let mut asked = cli.clone();
    asked.global.answers = sources::ask(cli).await?;
    let cli = &asked;
    if !cli.command.is_for_each_app() {
        return run(cli).await;
    }
    let color = console::colors_enabled_stderr();
    let project = project::Project::find(&cli.global, color)?;
    if project.several_apps().is_empty() {
        return run(cli).await;
    }
    // Those that are nowhere among the hosts that are meant have nothing to do.
    let mut apps = match &cli.environment {
        Some(environment) => project.apps_on_hosts(environment, &cli.global, color)?,
        None => project.several_apps().to_vec(),
    };
    // A host that has left may be named as an app's, too.
    if let CommandArgs::Retire(RetireArgs { host, .. }) = &cli.command
        && let Some(app) = apps.iter().find(|app| host.ends_with(&format!("/{app}"))).cloned()
    {
        apps = vec![app];
    }
    for app in apps {
        report::print_talk(&format!("{app}:"));
        let mut global = cli.global.clone();
        global.apps = vec![app.to_string()];
        match run(&Cli { global, ..cli.clone() }).await? {
            ExitCode::Done => {}
            failed => return Ok(failed),
        }
    }
    Ok(ExitCode::Done)
}

async fn run(cli: &Cli) -> Result<ExitCode, CliError> {
    match &cli.command {
        CommandArgs::Init(arguments) => commands::init::init(arguments, &cli.global).await,
        CommandArgs::Test(arguments) => commands::test::test(cli, arguments).await,
        CommandArgs::Lint => commands::lint::lint(cli).await,
        CommandArgs::Setup => commands::setup::setup(cli).await,
        CommandArgs::Check => commands::check::check(cli).await,
        CommandArgs::Changes(arguments) => commands::changes::changes(cli, arguments).await,
        CommandArgs::Deploy(arguments) => commands::deploy::deploy(cli, arguments).await,
        CommandArgs::Rollback(arguments) => commands::rollback::rollback(cli, arguments).await,
        CommandArgs::Adopt(arguments) => commands::adopt::adopt(cli, arguments).await,
        CommandArgs::MigrateLayout(arguments) => {
            commands::migrate_layout::migrate_layout(cli, arguments).await
        }
        CommandArgs::Recover(arguments) => commands::recover::recover(cli, arguments.dry_run).await,
        CommandArgs::Status(arguments) => commands::status::status(cli, arguments).await,
        CommandArgs::History(arguments) => commands::history::history(cli, arguments).await,
        CommandArgs::Logs(arguments) => commands::logs::logs(cli, arguments).await,
        CommandArgs::Retire(arguments) => commands::retire::retire(cli, arguments).await,
        CommandArgs::Drain(arguments) => commands::drain::drain(cli, arguments).await,
        CommandArgs::Undrain(arguments) => commands::drain::undrain(cli, arguments).await,
        CommandArgs::Hold(arguments) => commands::hold::hold(cli, &arguments.reason).await,
        CommandArgs::Unhold => commands::hold::unhold(cli).await,
        CommandArgs::ElbAdd(arguments) => commands::elb::elb(cli, arguments, Wanted::In).await,
        CommandArgs::ElbRemove(arguments) => commands::elb::elb(cli, arguments, Wanted::Out).await,
        CommandArgs::Run(arguments) => commands::run::run(cli, arguments).await,
        CommandArgs::Put(arguments) => commands::put::put(cli, arguments).await,
        CommandArgs::Env(arguments) => commands::env::env(cli, &arguments.what).await,
        CommandArgs::Maintenance(arguments) => commands::maintenance::maintenance(cli, arguments).await,
        CommandArgs::Enable(_) => commands::maintenance::switch(cli, Announcement::default().into()).await,
        CommandArgs::Disable(_) => commands::maintenance::switch(cli, None).await,
        CommandArgs::Manage(arguments) => commands::manage::manage(cli, &arguments.command),
        CommandArgs::DjangoShell => commands::manage::manage(cli, &["shell".to_owned()]),
        CommandArgs::Shell(arguments) => commands::shell::shell(cli, arguments),
        CommandArgs::Disconnect => commands::disconnect::disconnect(cli).await,
        CommandArgs::RestartWebserver => commands::restart::restart(cli).await,
        CommandArgs::Notify(arguments) => commands::notify::notify(cli, arguments).await,
        CommandArgs::Config(arguments) => commands::config::config(cli, arguments),
        CommandArgs::Recipe => commands::recipe::recipe(cli),
        CommandArgs::List => commands::list::list(cli),
        CommandArgs::Demo(arguments) => commands::demo::demo(arguments),
        CommandArgs::Completions(arguments) => commands::completions::completions(arguments),
        CommandArgs::Task(arguments) => commands::task::task(cli, arguments).await,
    }
}
