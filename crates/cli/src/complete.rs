//! What a shell offers for the word at the cursor: clap's engine does it, for what this project has, and for Fabric's form
//! (`deploy:release=v0.1.0`), too.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use buedafab_engine::Repository;
use buedafab_model::config::Settings;
use buedafab_model::deployer::version;
use clap::{ArgAction, Command};
use clap_complete::CompleteEnv;
use clap_complete::engine::{self, CompletionCandidate};

use crate::arguments::command_line;
use crate::discover::{
    app_names_nearby, current_folder, environment_names_nearby, service_names_nearby, settings_nearby,
};
use crate::runs::RunFolder;

/// The variable by which a shell asks.
const ASKED_BY: &str = "COMPLETE";

/// Answers a shell that asks, and ends the program then.
pub(crate) fn answer(tasks: &BTreeMap<String, String>) {
    if let Some(answer) = std::env::var_os(ASKED_BY).and_then(|shell| answer_after_colon(&shell, tasks)) {
        crate::report::print_data(&answer);
        crate::report::write_all();
        std::process::exit(0);
    }
    CompleteEnv::with_factory(|| command_line(tasks)).complete();
}

fn answer_after_colon(shell: &OsString, tasks: &BTreeMap<String, String>) -> Option<String> {
    let shell = shell.to_str()?;
    let words: Vec<String> = std::env::args().skip_while(|word| word != "--").skip(1).collect();
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let words = words.get(..=index.unwrap_or(words.len().checked_sub(1)?))?;
    let words = if shell == "bash" { rejoined(words) } else { words.to_vec() };
    let offered = after_colon(&command_line(tasks), &words)?;
    let separator = std::env::var("_CLAP_IFS").unwrap_or_else(|_| "\n".to_owned());
    let current = words.last()?;
    let written = offered.iter().map(|word| match shell {
        // It replaces what stands behind its last break, and nothing before that.
        "bash" => word[current.rfind([':', '=']).map_or(0, |at| at + 1)..].to_owned(),
        // There a colon parts a word from what it means.
        "zsh" => word.replace(':', "\\:"),
        _ => word.clone(),
    });
    Some(written.collect::<Vec<_>>().join(&separator))
}

/// bash takes colons and equal signs for words of their own.
fn rejoined(words: &[String]) -> Vec<String> {
    let is_break = |word: &str| matches!(word, ":" | "=");
    let mut joined: Vec<String> = Vec::new();
    let mut follows = false;
    for word in words {
        match joined.last_mut() {
            Some(last) if follows || is_break(word) => last.push_str(word),
            _ => joined.push(word.clone()),
        }
        follows = is_break(word);
    }
    joined
}

/// What may stand where `NAME:…` ends, if the last word is so far one in Fabric's form.
fn after_colon(root: &Command, words: &[String]) -> Option<Vec<String>> {
    let (last, before) = words.split_last()?;
    let (name, parameters) = last.split_once(':')?;
    let command = root.find_subcommand(name)?;
    let (done, open) = match parameters.rsplit_once(',') {
        Some((done, open)) => (format!("{name}:{done},"), open),
        None => (format!("{name}:"), parameters),
    };
    let typed = match open.split_once('=') {
        Some((flag, value)) => format!("--{}={value}", flag.replace('_', "-")),
        None => format!("--{}", open.replace('_', "-")),
    };
    let words: Vec<OsString> =
        before.iter().cloned().chain([name.to_owned(), typed]).map(OsString::from).collect();
    let index = words.len() - 1;
    let found = engine::complete(&mut root.clone(), words, index, None).ok()?;
    let own = |flag: &str| command.get_arguments().find(|argument| argument.get_long() == Some(flag));
    let offer = |candidate: &CompletionCandidate| {
        let word = candidate.get_value().to_str()?.strip_prefix("--")?.to_owned();
        let flag = word.split('=').next().unwrap_or_default();
        let takes_value = matches!(own(flag)?.get_action(), ArgAction::Set | ArgAction::Append);
        let value = match word.split_once('=') {
            Some((_, value)) => format!("={value}"),
            None if takes_value => "=".to_owned(),
            None => String::new(),
        };
        Some(format!("{done}{}{value}", flag.replace('-', "_")))
    };
    Some(found.iter().filter_map(offer).collect())
}

fn candidates<S: Into<OsString>>(words: impl IntoIterator<Item = S>) -> Vec<CompletionCandidate> {
    words.into_iter().map(|word| CompletionCandidate::new(word.into())).collect()
}

/// The words so far, which stand behind our own.
fn typed() -> Vec<String> {
    std::env::args().collect()
}

pub(crate) fn environments() -> Vec<CompletionCandidate> {
    candidates(environment_names_nearby(&typed()))
}

pub(crate) fn apps() -> Vec<CompletionCandidate> {
    candidates(app_names_nearby(&typed()))
}

pub(crate) fn services() -> Vec<CompletionCandidate> {
    candidates(service_names_nearby(&typed()))
}

/// Those of the environment that was typed, or else of all.
fn settings_meant() -> Vec<Settings> {
    let typed = typed();
    let all = settings_nearby(&typed);
    let is_typed = |settings: &&Settings| typed.iter().any(|word| word == settings.environment.as_str());
    let meant: Vec<Settings> = all.iter().filter(is_typed).cloned().collect();
    if meant.is_empty() { all } else { meant }
}

pub(crate) fn hosts() -> Vec<CompletionCandidate> {
    let mut seen = BTreeSet::new();
    let all = settings_meant().into_iter().flat_map(|settings| settings.hosts);
    // In the order of the file.
    candidates(all.map(|host| host.machine().to_owned()).filter(|name| seen.insert(name.clone())))
}

pub(crate) fn roles() -> Vec<CompletionCandidate> {
    let all = settings_meant().into_iter().flat_map(|settings| settings.hosts).flat_map(|host| host.roles);
    candidates(all.map(|role| role.to_string()).collect::<BTreeSet<_>>())
}

/// The newest first.
fn tag_names() -> Vec<String> {
    let Some(repository) = current_folder().ok().and_then(|folder| Repository::find(&folder).ok()) else {
        return Vec::new();
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tags = runtime.ok().and_then(|runtime| runtime.block_on(repository.tags()).ok()).unwrap_or_default();
    let mut names: Vec<String> = tags.into_iter().map(|tag| tag.name).collect();
    names.sort_by(|one, other| version::compare(other, one));
    names
}

pub(crate) fn tags() -> Vec<CompletionCandidate> {
    candidates(tag_names())
}

pub(crate) fn releases() -> Vec<CompletionCandidate> {
    candidates(tag_names().into_iter().chain(["latest_tag".to_owned()]))
}

/// The newest first, as they are asked for.
pub(crate) fn runs() -> Vec<CompletionCandidate> {
    let runs = RunFolder::find().ok().flatten().and_then(|folder| folder.list().ok()).unwrap_or_default();
    let runs = runs.iter().rev().map(ToString::to_string);
    candidates(["last".to_owned()].into_iter().chain(runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], offered: &[&str]) {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        let tasks = BTreeMap::from([("rechef".to_owned(), String::new())]);
        let found = after_colon(&command_line(&tasks), &rejoined(&words)).unwrap_or_default();
        assert_eq!(found, offered);
    }

    #[test]
    fn parameters_are_offered_behind_a_colon() {
        check(&["buedafab", "production", "deploy:re"], &["deploy:release=", "deploy:reinstall"]);
        check(&["buedafab", "production", "deploy:dry_"], &["deploy:dry_run"]);
        check(&["buedafab", "production", "deploy:tag=v1,dry"], &["deploy:tag=v1,dry_run"]);
        check(
            &["buedafab", "production", "deploy:tag=v1,release=latest"],
            &["deploy:tag=v1,release=latest_tag"],
        );
        check(
            &["buedafab", "production", "rollback:"],
            &[
                "rollback:to=",
                "rollback:keep_schema",
                "rollback:reverse_migrations",
                "rollback:rehearse",
                "rollback:dry_run",
            ],
        );
        check(&["buedafab", "production", "nothing:re"], &[]);
        check(&["buedafab", "production", "deploy"], &[]);
    }

    #[test]
    fn the_words_of_bash_are_put_together_again() {
        check(&["buedafab", "production", "deploy", ":", "re"], &["deploy:release=", "deploy:reinstall"]);
        check(
            &["buedafab", "production", "deploy", ":", "release", "=", "late"],
            &["deploy:release=latest_tag"],
        );
        check(&["buedafab", "production", "rollback", ":", "t"], &["rollback:to="]);
    }
}
