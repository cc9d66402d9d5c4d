//! `logs`: what the app's services and files say, on every host, prefixed by host.

use buedafab_model::app::logs::{LogQuery, seconds_since};
use buedafab_model::host::Host;
use buedafab_model::planner::plan_logs;
use buedafab_model::run::exit_code::ExitCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::arguments::{Cli, LogsArgs};
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

/// How long logs may be followed: until a person has had enough of it, and so ten years.
const WITHOUT_END: u32 = 10 * 365 * 24 * 60 * 60;

pub(crate) async fn logs(cli: &Cli, arguments: &LogsArgs) -> Result<ExitCode, CliError> {
    let LogsArgs { service, follow, since, grep, lines } = arguments;
    let since_seconds = since.as_deref().map(read_time).transpose()?;
    let pattern = grep.clone().filter(|pattern| !pattern.is_empty());
    let usual = || LogQuery::usual_lines(since_seconds, pattern.as_deref());
    let query = LogQuery { lines: lines.or_else(usual), follow: *follow, since_seconds, pattern };
    let session = Session::start_with(cli, "logs", StepOutput::Data, |settings| {
        if *follow {
            settings.limits.step_timeout_seconds = WITHOUT_END;
        }
    })?;
    let hosts: Vec<&Host> = session.hosts.iter().collect();
    let planned = plan_logs(&session.settings, &session.context, &query, service.as_deref(), &hosts);
    let plan = planned.map_err(|why| CliError::usage(why.to_string()).hint(why.hint()))?;
    if *follow { session.carry_out_until_interrupted(&plan).await } else { session.carry_out(&plan).await }
}

fn read_time(text: &str) -> Result<u64, CliError> {
    seconds_since(text, Timestamp::now(), &TimeZone::system()).ok_or_else(|| {
        CliError::usage(format!("--since: {text:?} is no time before now"))
            .hint("for example: 10m, 2h, 1d, or '2026-11-27 09:30'")
    })
}
