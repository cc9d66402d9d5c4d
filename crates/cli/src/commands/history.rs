//! `history`: what happened, run by run, from the journals of the hosts.

use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::view::{HistoryEntry, show_history};
use jiff::Timestamp;

use crate::arguments::{Cli, HistoryArgs};
use crate::exit::CliError;
use crate::report::{StepOutput, print_data, print_json};
use crate::session::Session;

pub(crate) async fn history(cli: &Cli, arguments: &HistoryArgs) -> Result<ExitCode, CliError> {
    let mut session = Session::start(cli, "history", StepOutput::Silent)?;
    let look = session.look(Scope::Full).await?;
    let journals: Vec<_> = session
        .hosts
        .iter()
        .filter_map(|host| Some((host.name.clone(), look.facts.get(&host.name)?.journal.clone())))
        .collect();
    let entries = HistoryEntry::collect(&journals);
    let newest = &entries[entries.len().saturating_sub(arguments.most)..];
    if session.global.json {
        newest.iter().for_each(print_json);
    } else if newest.is_empty() {
        session.say("nothing has happened yet");
    } else {
        print_data(&show_history(newest, journals.len(), Timestamp::now()));
    }
    Ok(if look.unreachable.is_empty() { ExitCode::Done } else { ExitCode::Unreachable })
}
