//! `disconnect`: ends the connections that are kept warm.

use std::path::{Path, PathBuf};

use buedafab_engine::{Disconnected, disconnect as end, warm_connections};
use buedafab_model::names::HostName;
use buedafab_model::run::exit_code::ExitCode;
use serde::Serialize;

use crate::arguments::Cli;
use crate::exit::CliError;
use crate::project::{Project, choose_hosts};
use crate::report::{print_data, print_json};

/// What became of one connection.
#[derive(Debug, Serialize)]
struct Document<'a> {
    /// The host, where an environment was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a HostName>,
    /// The socket by which it was shared.
    socket: &'a Path,
    /// Whether something is still under way over it, after which it ends.
    in_use: bool,
}

pub(crate) async fn disconnect(cli: &Cli) -> Result<ExitCode, CliError> {
    let mut connections: Vec<(Option<HostName>, PathBuf)> = Vec::new();
    match &cli.environment {
        None if !(cli.global.hosts.is_empty() && cli.global.roles.is_empty()) => {
            return Err(CliError::usage("--hosts and --roles choose among the hosts of an environment")
                .hint("name one: buedafab production --hosts web1 disconnect"));
        }
        None => connections.extend(warm_connections(None).into_iter().map(|socket| (None, socket))),
        Some(environment) => {
            let color = console::colors_enabled_stderr();
            let settings = Project::find(&cli.global, color)?.settings(environment, color)?;
            for host in choose_hosts(&settings, &cli.global)? {
                let warm = warm_connections(Some(host)).into_iter();
                connections.extend(warm.map(|socket| (Some(host.name.clone()), socket)));
            }
        }
    }
    // Each takes a moment, and none waits for another.
    let ends = connections.iter().map(|(_, socket)| {
        let socket = socket.clone();
        tokio::task::spawn_blocking(move || end(&socket))
    });
    let ends: Vec<_> = ends.collect();
    let mut closed = 0;
    let mut words = Vec::new();
    for ((host, socket), ended) in connections.iter().zip(ends) {
        let in_use = ended.await.expect("it doesn't panic") == Disconnected::InUse;
        closed += usize::from(!in_use);
        if cli.global.json {
            print_json(&Document { host: host.as_ref(), socket, in_use });
        } else if let Some(host) = host {
            let end = if in_use { "in use: it ends with what is under way" } else { "closed" };
            words.push(format!("{host}: {end}"));
        }
    }
    if !cli.global.json {
        print_data(&match (connections.len(), &cli.environment) {
            (0, None) => "no connection is kept open".to_owned(),
            (0, Some(environment)) => format!("no connection to a host of {environment} is kept open"),
            (_, Some(_)) => words.join("\n"),
            (all, None) if closed == all => format!("closed: {all}"),
            (all, None) => {
                format!("closed: {closed}\nin use, and closed when what is under way ends: {}", all - closed)
            }
        });
    }
    Ok(ExitCode::Done)
}
