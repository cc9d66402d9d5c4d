//! `notify --test`: sends one message to each of those who are told of runs.

use std::time::Instant;

use buedafab_engine::{Notifier, new_run};
use buedafab_model::app::notify::Notify;
use buedafab_model::notify::Notification;
use buedafab_model::planner::RunContext;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::view::{Table, duration};
use serde::Serialize;

use crate::arguments::{Cli, NotifyArgs};
use crate::exit::CliError;
use crate::project::{Project, require_environment};
use crate::report::{print_json, print_talk, print_view};

/// What came of one message.
#[derive(Debug, Serialize)]
struct Document<'a> {
    /// Who.
    to: &'a str,
    /// Whether it arrived, as far as its service says.
    told: bool,
    /// What came back, or why nothing did.
    answer: &'a str,
    /// How long it took.
    milliseconds: u64,
}

pub(crate) async fn notify(cli: &Cli, arguments: &NotifyArgs) -> Result<ExitCode, CliError> {
    let NotifyArgs { test: _ } = arguments;
    let environment = require_environment(cli.environment.as_ref(), "notify --test")?;
    let color = console::colors_enabled_stderr();
    let project = Project::find(&cli.global, color)?;
    let settings = project.settings(&environment, color)?;
    if settings.notify.is_empty() {
        print_talk(&format!(
            "nobody is told of runs in {environment}: no `[[notify]]` stands in buedafab.toml"
        ));
        return Ok(ExitCode::Done);
    }
    let RunContext { run, at, by, .. } = new_run();
    let notification = Notification::test(
        run,
        by,
        settings.app.unit.clone(),
        settings.environment.clone(),
        settings.source.scm_http_url.clone(),
        at,
    );
    let tests: Vec<_> = settings
        .notify
        .iter()
        .map(|notify: &Notify| {
            let mut notifier = Notifier::new(notify.clone(), &project.root);
            let notification = notification.clone();
            tokio::spawn(async move {
                let began = Instant::now();
                let told = notifier.tell(&notification).await;
                (told, began.elapsed().as_millis() as u64)
            })
        })
        .collect();
    let mut table = Table::default();
    let mut all_told = true;
    for (notify, test) in settings.notify.iter().zip(tests) {
        let (told, milliseconds) = tokio::select! {
            test = test => test.expect("it doesn't panic"),
            () = crate::session::interrupted() => {
                return Err(CliError::verdict(
                    buedafab_model::run::outcome::Verdict::Interrupted,
                    "interrupted: not all of them may have been told",
                ));
            }
        };
        all_told &= told.is_ok();
        let (sign, answer) = match &told {
            Ok(answer) => ("✓", answer),
            Err(why) => ("✗", why),
        };
        if cli.global.json {
            print_json(&Document { to: notify.to.name(), told: told.is_ok(), answer, milliseconds });
        } else {
            table.row([format!("{sign} {}", notify.to.name()), duration(milliseconds), answer.clone()]);
        }
    }
    if !cli.global.json {
        print_view(&table.render(""));
    }
    Ok(if all_told { ExitCode::Done } else { ExitCode::Unreachable })
}
