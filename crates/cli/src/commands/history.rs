//! `history`: what happened, run by run, from the journals of the hosts; and one run again, from its log on this machine.

use std::collections::BTreeMap;

use buedafab_engine::{Look, Repository};
use buedafab_model::app::logs::seconds_since;
use buedafab_model::config::Settings;
use buedafab_model::names::{EnvironmentName, HostName, RunId, Unit};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::log::{RunLog, runs_meant, short_id};
use buedafab_model::shell::inspect::Scope;
use buedafab_model::view::{
    Delivery, DeployStats, HistoryEntry, ReleaseNotes, Table, ago, deliveries, history_csv, show_history,
    show_notes, show_replay, show_stats,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::arguments::{Cli, GlobalArgs, HistoryArgs};
use crate::exit::CliError;
use crate::project::{Project, require_environment};
use crate::report::{StepOutput, columns, print_data, print_json, print_talk, print_view};
use crate::runs::RunFolder;
use crate::session::Session;

/// How many runs are named where none was meant.
const MOST_NAMED: usize = 12;

pub(crate) async fn history(cli: &Cli, arguments: &HistoryArgs) -> Result<ExitCode, CliError> {
    let HistoryArgs { run, most, since, stats, notes, csv } = arguments;
    let since = since.as_deref().map(read_time).transpose()?;
    match (run, notes) {
        (Some(run), _) => show_run(cli, run).await,
        (None, Some(range)) => show_release_notes(cli, range).await,
        (None, None) if *stats => show_numbers(cli, since, *csv).await,
        (None, None) => list(cli, *most, since, *csv).await,
    }
}

/// The time that was meant.
fn read_time(text: &str) -> Result<Timestamp, CliError> {
    let now = Timestamp::now();
    let seconds = seconds_since(text, now, &TimeZone::system());
    let time = seconds
        .and_then(|seconds| now.checked_sub(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok());
    time.ok_or_else(|| {
        CliError::usage(format!("--since: {text:?} is no time before now"))
            .hint("write how long ago, such as 2h or 30d, or a time such as '2026-11-01 09:30'")
    })
}

/// How often, how fast and how well the app was deployed.
async fn show_numbers(cli: &Cli, since: Option<Timestamp>, csv: bool) -> Result<ExitCode, CliError> {
    let mut session = Session::start(cli, "history --stats", StepOutput::Silent)?;
    let look = session.look(Scope::Full).await?;
    let entries = HistoryEntry::collect(&journals(&session, &look));
    let mut made = BTreeMap::new();
    if let Ok(repository) = session.repository() {
        for Delivery { from, to, at: _ } in deliveries(&entries) {
            let commits = session.unless_interrupted(repository.made_between(&from, &to)).await?;
            if let Some(commits) = commits {
                made.insert((from, to), commits);
            }
        }
    }
    let stats = DeployStats::of(&entries, since, Timestamp::now(), &made);
    if session.global.json {
        print_json(&stats);
    } else if csv {
        print_data(stats.csv().trim_end());
    } else if entries.is_empty() {
        session.say("nothing has happened yet");
    } else {
        print_view(&show_stats(&stats));
    }
    say_unasked(&session, &look);
    Ok(if look.unreachable.is_empty() { ExitCode::Done } else { ExitCode::Unreachable })
}

/// What lies between two releases. That is asked of the checkout alone.
async fn show_release_notes(cli: &Cli, range: &str) -> Result<ExitCode, CliError> {
    let color = console::colors_enabled_stderr();
    let environment = require_environment(cli.environment.as_ref(), "history --notes FROM..TO")?;
    let project = Project::find(&cli.global, color)?;
    let settings = project.settings(&environment, color)?;
    let (from, to) = range
        .split_once("..")
        .filter(|(from, to)| !from.is_empty() && !to.is_empty() && !to.starts_with('.'))
        .ok_or_else(|| {
            CliError::usage(format!("--notes: {range:?} names no two releases"))
                .hint("write both, the older one first: v0.1.0..v0.2.0")
        })?;
    let repository = Repository::find(&project.root)?;
    let commits = repository.noted_commits(from, to).await?;
    let page = settings.source.scm_http_url.as_ref();
    let page = page.map(|page| format!("{}/compare/{from}...{to}", page.trim_end_matches('/')));
    let notes = ReleaseNotes::of(from, to, &commits, page);
    if cli.global.json {
        print_json(&notes);
    } else {
        print_view(&show_notes(&notes));
    }
    Ok(ExitCode::Done)
}

/// How many entries are shown where nobody says it.
const USUAL_ENTRIES: usize = 20;

async fn list(
    cli: &Cli,
    most: Option<usize>,
    since: Option<Timestamp>,
    csv: bool,
) -> Result<ExitCode, CliError> {
    let mut session = Session::start(cli, "history", StepOutput::Silent)?;
    let look = session.look(Scope::Full).await?;
    let journals = journals(&session, &look);
    let mut entries = HistoryEntry::collect(&journals);
    entries.retain(|entry| since.is_none_or(|since| entry.record.at >= since));
    let usual = if since.is_some() { usize::MAX } else { USUAL_ENTRIES };
    let newest = &entries[entries.len().saturating_sub(most.unwrap_or(usual))..];
    if csv {
        print_data(history_csv(newest).trim_end());
        say_unasked(&session, &look);
        return Ok(if look.unreachable.is_empty() { ExitCode::Done } else { ExitCode::Unreachable });
    }
    let logs = LogsHere::of(&units(cli, &session.settings)?, &session.settings.environment);
    if session.global.json {
        newest.iter().for_each(print_json);
    } else if newest.is_empty() {
        session.say("nothing has happened yet");
    } else {
        let shown = |run: &RunId| logs.runs.contains(run).then(|| short_id(run, &logs.runs).to_owned());
        let (all, zone) = (session.hosts.len(), TimeZone::system());
        print_view(&show_history(newest, all, shown, Timestamp::now(), &zone, columns()));
    }
    say_unasked(&session, &look);
    // Runs that were refused stand in no journal.
    if !logs.runs.is_empty() && !session.global.json {
        let command = session.environment_command();
        session
            .say(&format!("{command} history last shows the newest run of this machine again, with its log"));
    }
    Ok(if look.unreachable.is_empty() { ExitCode::Done } else { ExitCode::Unreachable })
}

/// What a host that wasn't asked has in its journal isn't known.
fn say_unasked(session: &Session, look: &Look) {
    for (host, error) in session.unreachable(look) {
        let why = error.why.lines().next_back().unwrap_or_default();
        print_talk(&format!("{host} couldn't be asked, and its journal isn't in this: {why}"));
    }
    for host in &session.hosts {
        let Some(facts) = look.facts.get(&host.name) else { continue };
        let journal = session.settings.layout(host).journal();
        if let Some(bad) = facts.bad_record(&journal) {
            print_talk(&format!("the journal of {} isn't in this: {}", host.name, bad.in_words(&facts.user)));
        }
        if facts.garbled_lines > 0 {
            print_talk(&format!("{}: {}", host.name, facts.gaps_in_words(&journal)));
        }
    }
}

fn journals(
    session: &Session,
    look: &Look,
) -> Vec<(HostName, Vec<buedafab_model::host::record::JournalRecord>)> {
    let journal =
        |name: &HostName| Some((name.clone(), look.facts.get(name).map(|facts| facts.journal.clone())?));
    session.hosts.iter().filter_map(|host| journal(&host.name)).collect()
}

/// The units whose runs are meant: the app's own, and where there are several also that of all together, and of each if all are meant.
fn units(cli: &Cli, settings: &Settings) -> Result<Vec<Unit>, CliError> {
    let color = console::colors_enabled_stderr();
    let (hosts, apps) = (Vec::new(), Vec::new());
    let all = Project::find(&GlobalArgs { hosts, apps, ..cli.global.clone() }, color)?;
    let whole = all.settings(settings.environment.as_str(), color)?;
    let mut units = vec![settings.app.unit.clone(), whole.app.unit.clone()];
    if settings.app.unit == whole.app.unit {
        let apps = all.apps(&settings.environment, color)?;
        units.extend(apps.into_iter().map(|app| app.settings.app.unit));
    }
    Ok(units)
}

/// The logs on this machine of one app in one environment.
struct LogsHere {
    folder: Option<RunFolder>,
    /// The oldest first.
    runs: Vec<RunId>,
    /// Of what other logs are.
    others: Vec<(RunId, Unit, EnvironmentName)>,
}

impl LogsHere {
    /// Finds them. What can't be read is said, and then isn't there.
    fn of(units: &[Unit], environment: &EnvironmentName) -> LogsHere {
        let mut logs = LogsHere { folder: None, runs: Vec::new(), others: Vec::new() };
        let found = RunFolder::find().and_then(|folder| {
            let runs = folder.as_ref().map(RunFolder::list).transpose()?;
            Ok(folder.zip(runs))
        });
        let (folder, runs) = match found {
            Ok(Some(found)) => found,
            Ok(None) => return logs,
            Err(error) => {
                print_talk(&format!("the logs on this machine can't be read: {error}"));
                return logs;
            }
        };
        for run in runs {
            // Another program may have removed it just now.
            let Ok(first) = folder.read_first_line(&run) else { continue };
            match RunLog::parse(&first).place() {
                Some((its, place)) if units.contains(its) && place == environment => logs.runs.push(run),
                Some((its, place)) => logs.others.push((run, its.clone(), place.clone())),
                None => {}
            }
        }
        logs.folder = Some(folder);
        logs
    }

    fn read(&self, run: &RunId) -> Result<String, CliError> {
        let folder = self.folder.as_ref().expect("a run is listed only where there is a folder");
        folder.read(run).map_err(|error| CliError::usage(format!("the log of {run} can't be read: {error}")))
    }
}

/// Shows one run again. No host is asked, unless no log here is meant.
async fn show_run(cli: &Cli, typed: &str) -> Result<ExitCode, CliError> {
    let color = console::colors_enabled_stderr();
    let environment = require_environment(cli.environment.as_ref(), "history RUN")?;
    let settings = Project::find(&cli.global, color)?.settings(&environment, color)?;
    let logs = LogsHere::of(&units(cli, &settings)?, &settings.environment);
    let meant = match typed {
        "last" => logs.runs.last().into_iter().collect(),
        _ => runs_meant(typed, &logs.runs),
    };
    match meant[..] {
        [run] => {
            let text = logs.read(run)?;
            if cli.global.json {
                RunLog::documents(&text).for_each(print_data);
            } else {
                print_view(&show_replay(&RunLog::parse(&text), Timestamp::now(), &TimeZone::system()));
            }
            Ok(ExitCode::Done)
        }
        [] => {
            let other = logs.others.iter().find(|(run, ..)| run.as_str() == typed);
            if let Some((run, unit, environment)) = other {
                return Err(CliError::usage(format!("the run {run} was one of {unit}, in {environment}")));
            }
            ask_hosts(cli, typed, &logs).await
        }
        _ => Err(CliError::usage(format!("{typed:?} may mean several runs")).hint(name_runs(&logs, &meant))),
    }
}

/// What the journals of the hosts know of a run that has no log here.
async fn ask_hosts(cli: &Cli, typed: &str, logs: &LogsHere) -> Result<ExitCode, CliError> {
    let all: Vec<&RunId> = logs.runs.iter().collect();
    let named = || match all[..] {
        [] => "no run of this app and environment was written down on this machine".to_owned(),
        _ => name_runs(logs, &all),
    };
    if typed == "last" {
        return Err(CliError::usage("there is no last run").hint(named()));
    }
    let mut session = Session::start(cli, "history RUN", StepOutput::Silent)?;
    let look = session.look(Scope::Full).await?;
    let journals = journals(&session, &look);
    let mut entries = HistoryEntry::collect(&journals);
    let mut known: Vec<RunId> = entries.iter().map(|entry| entry.record.run.clone()).collect();
    known.sort_unstable();
    known.dedup();
    let meant: Vec<RunId> = runs_meant(typed, &known).into_iter().cloned().collect();
    entries.retain(|entry| meant.contains(&entry.record.run));
    if entries.is_empty() {
        let unasked: Vec<&str> = session.unreachable(&look).map(|(host, _)| host.as_str()).collect();
        let where_ = match unasked[..] {
            [] => "neither on this machine nor in the hosts' journals".to_owned(),
            _ => format!("not on this machine, and {} can't be asked", unasked.join(", ")),
        };
        return Err(CliError::usage(format!("there is no run {typed:?}: {where_}")).hint(named()));
    }
    if session.global.json {
        entries.iter().for_each(print_json);
    } else {
        session.say("there is no log of it on this machine; the hosts' journals say:");
        let (all, zone) = (session.hosts.len(), TimeZone::system());
        print_view(&show_history(&entries, all, |_| None, Timestamp::now(), &zone, columns()));
    }
    say_unasked(&session, &look);
    Ok(ExitCode::Done)
}

/// The newest of these runs, each with what it was.
fn name_runs(logs: &LogsHere, runs: &[&RunId]) -> String {
    let mut table = Table::default();
    for run in runs.iter().rev().take(MOST_NAMED) {
        let log = RunLog::parse(&logs.read(run).unwrap_or_default());
        let when = log.events.first().map_or_else(String::new, |first| ago(first.at, Timestamp::now()));
        let verdict = log.verdict().map_or_else(|| "never ended".to_owned(), |verdict| verdict.to_string());
        table.row([run.to_string(), when, log.headline().to_owned(), verdict]);
    }
    format!("written down on this machine are\n{}", table.render("        ").trim_end())
}
