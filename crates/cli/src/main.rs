//! `buedafab`, the command.

mod arguments;
mod commands;
mod exit;
mod fabric;
mod project;
#[cfg(test)]
mod reference;
mod report;
mod session;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::arguments::{Cli, CommandArgs};
use crate::exit::Stop;

fn main() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(Cli::command).complete();
    let arguments: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let cli = Cli::parse_from(fabric::expand(arguments));
    // One thread is enough: the work is done elsewhere, and what blocks here is a prompt.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return stop(&Stop::bug(format!("can't start: {error}"))),
    };
    let ended = runtime.block_on(run(cli));
    // A prompt that nobody answered must not keep the program.
    runtime.shutdown_background();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => stop(&error),
    }
}

fn stop(stop: &Stop) -> ExitCode {
    report::print_talk(&stop.to_string());
    ExitCode::from(stop.code())
}

async fn run(cli: Cli) -> Result<u8, Stop> {
    match &cli.command {
        CommandArgs::Init(arguments) => commands::init::init(arguments).await,
        CommandArgs::Check => commands::check::check(&cli).await,
        CommandArgs::Deploy(arguments) => commands::deploy::deploy(&cli, arguments).await,
        CommandArgs::Rollback(arguments) => commands::rollback::rollback(&cli, arguments).await,
        CommandArgs::Status => commands::status::status(&cli).await,
        CommandArgs::History(arguments) => commands::history::history(&cli, arguments).await,
        CommandArgs::Hold(arguments) => commands::hold::hold(&cli, &arguments.reason).await,
        CommandArgs::Unhold => commands::hold::unhold(&cli).await,
        CommandArgs::Run(arguments) => commands::run::run(&cli, arguments).await,
        CommandArgs::Shell => commands::shell::shell(&cli),
        CommandArgs::RestartWebserver => commands::restart::restart(&cli).await,
        CommandArgs::Config(arguments) => commands::config::config(&cli, arguments),
        CommandArgs::Demo(arguments) => commands::demo::demo(arguments),
        CommandArgs::Completions(arguments) => commands::completions::completions(arguments),
    }
}
