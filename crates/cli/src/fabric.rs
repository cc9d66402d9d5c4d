//! The command line as Fabric had it: several commands in one line, and arguments behind a colon.
//!
//! `production deploy:commit=6b4943c restart_webserver` means `production deploy --commit=6b4943c`, and then
//! `production restart_webserver`. What stands before the first command holds for all of them.

use clap::{Arg, ArgAction, Command};

use crate::exit::CliError;

/// The command lines that one line means, each in the usual form and complete.
pub(crate) fn split(words: impl IntoIterator<Item = String>, root: &Command) -> Vec<Vec<String>> {
    let mut before = Vec::new();
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut current: Option<&Command> = None;
    let mut has_environment = false;
    // How many plain words the command still takes.
    let mut room = 0;
    let mut words = words.into_iter();
    before.extend(words.next());
    while let Some(word) = words.next() {
        let line = match lines.last_mut() {
            Some(line) => line,
            None => &mut before,
        };
        if word == "--" {
            line.push(word);
            line.extend(words.by_ref());
        } else if matches!(word.as_str(), "--list" | "-l") && current.is_none() {
            // Fabric's way to ask.
            current = root.find_subcommand("list");
            lines.push(before.iter().cloned().chain(["list".to_owned()]).collect());
        } else if word.starts_with('-') && word.len() > 1 {
            let takes_next = takes_next_word(&word, current, root);
            line.push(word);
            line.extend(takes_next.then(|| words.next()).flatten());
        } else if room > 0 && current.is_some_and(|command| belongs(&word, command, root)) {
            room -= 1;
            line.push(word);
        } else {
            let (name, parameters) = word.split_once(':').unwrap_or((&word, ""));
            match root.find_subcommand(name) {
                Some(command) => {
                    current = Some(command);
                    // What stands behind a colon is all that a command gets.
                    room = if parameters.is_empty() { most_words(command) } else { 0 };
                    let mut line = before.clone();
                    line.push(name.to_owned());
                    line.extend(arguments(command, parameters));
                    lines.push(line);
                }
                None if word == "help" && current.is_none() => {
                    line.extend(words.by_ref());
                    line.push("--help".to_owned());
                }
                None if current.is_none() && !has_environment => {
                    has_environment = true;
                    line.push(word);
                }
                // Whatever it is, it is told in the words of the command line's own errors.
                None => lines.push(before.iter().cloned().chain([word]).collect()),
            }
        }
    }
    if lines.is_empty() { vec![before] } else { lines }
}

/// Whether a plain word is an argument of the command before it, rather than the next command.
fn belongs(word: &str, command: &Command, root: &Command) -> bool {
    match command.get_positionals().next() {
        Some(argument) if argument.get_id() == TASK_ARGUMENTS => {
            word.split_once('=').is_some_and(|(name, _)| !name.contains(':'))
        }
        // `history status` is two commands: no run is called so, and no service, host or instance.
        Some(_)
            if matches!(
                command.get_name(),
                "history" | "logs" | "drain" | "undrain" | "elb_add" | "elb_remove"
            ) =>
        {
            root.find_subcommand(word).is_none()
        }
        Some(_) | None => true,
    }
}

/// How many plain words a command takes: what follows them is the next command.
fn most_words(command: &Command) -> usize {
    if command.has_subcommands() {
        return usize::MAX;
    }
    let most = |argument: &Arg| argument.get_num_args().map_or(1, |range| range.max_values());
    command.get_positionals().map(most).fold(0, usize::saturating_add)
}

/// What could be typed under Fabric and can't here, with what to type.
pub(crate) const FORMER_COMMANDS: [(&str, &str); 6] = [
    ("maintenancemode", "type it after its verb: buedafab production enable maintenancemode"),
    ("rechef", "write a task of your own: [tasks.rechef] with run = \"sudo chef-client\""),
    (
        "spawn",
        "no command: make machines with a tool for that, and find them by `ec2`, or list them in `hosts`",
    ),
    (
        "spawn_ec2_instance",
        "no command: make machines with a tool for that, and find them by `ec2`, or list them in `hosts`",
    ),
    ("sudo", "type it as a command: buedafab production run -- sudo COMMAND"),
    ("upload", "type put: buedafab production put FILE PLACE"),
];

/// What was typed as under Fabric and isn't known here, if the word that clap doesn't know is of that kind.
pub(crate) fn former(word: &str) -> Option<CliError> {
    let name = word.split(':').next().unwrap_or_default();
    let (name, instead) = FORMER_COMMANDS.iter().find(|(former, _)| *former == name)?;
    Some(CliError::usage(format!("{name} belongs to buedafab on Fabric, and isn't a command")).hint(*instead))
}

/// Refuses what Fabric's environments could be told: `localhost:deployment_type=STAGING`.
pub(crate) fn refuse_arguments(environment: Option<&String>) -> Result<(), CliError> {
    match environment.and_then(|typed| typed.split_once(':')) {
        Some((name, parameters)) if parameters.contains('=') => {
            let (key, value) = parameters.split_once('=').unwrap_or_default();
            let setting = format!("write it below [environments.{name}] in buedafab.toml: {key} = {value:?}");
            Err(CliError::usage(format!("{name} is an environment, and takes no arguments")).hint(setting))
        }
        Some(_) | None => Ok(()),
    }
}

/// The id of a task's arguments, each `NAME=VALUE`: those of any other command aren't told from a command's name.
pub(crate) const TASK_ARGUMENTS: &str = "arguments";

pub(crate) fn takes_next_word(word: &str, current: Option<&Command>, root: &Command) -> bool {
    let mut known = current.into_iter().chain([root]).flat_map(Command::get_arguments);
    let takes_value = |argument: &&Arg| {
        matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
            && !argument.is_require_equals_set()
    };
    if let Some(long) = word.strip_prefix("--") {
        let named = known.find(|argument| argument.get_long() == Some(long));
        return named.as_ref().is_some_and(takes_value);
    }
    let known: Vec<_> = known.collect();
    let mut letters = word[1..].chars();
    while let Some(letter) = letters.next() {
        let named = known.iter().find(|argument| argument.get_short() == Some(letter));
        if named.is_some_and(takes_value) {
            return letters.next().is_none();
        }
    }
    false
}

/// A command's parameters in the usual form.
fn arguments(command: &Command, parameters: &str) -> Vec<String> {
    if parameters.is_empty() {
        return Vec::new();
    }
    if command.get_name() == "run" {
        return vec!["--".to_owned(), parameters.to_owned()];
    }
    let takes_words = command.get_positionals().next().is_some();
    let is_task = command.get_positionals().any(|argument| argument.get_id() == TASK_ARGUMENTS);
    let mut first = FIRST_PARAMETERS.iter().find(|(name, _)| *name == command.get_name());
    let mut meant = Vec::new();
    for parameter in split_parameters(parameters) {
        let (name, value) = match parameter.split_once('=') {
            _ if is_task => {
                meant.push(parameter);
                continue;
            }
            Some((name, value)) => (name, Some(value)),
            None => (parameter.as_str(), None),
        };
        let long = name.replace('_', "-");
        let flag = command.get_arguments().find(|argument| argument.get_long() == Some(&long));
        let is_switch = flag.is_some_and(|flag| matches!(flag.get_action(), ArgAction::SetTrue));
        match (value, first) {
            // `--force=true` isn't how a switch is typed.
            (Some("true" | "True" | "1"), _) if is_switch => meant.push(format!("--{long}")),
            (Some("false" | "False" | "0"), _) if is_switch => {}
            (Some(value), _) => meant.push(format!("--{long}={value}")),
            (None, _) if flag.is_some() => meant.push(format!("--{long}")),
            (None, Some((_, flag))) => {
                meant.push(format!("--{flag}={parameter}"));
                first = None;
            }
            (None, None) if takes_words => meant.push(parameter),
            (None, None) => meant.push(format!("--{long}")),
        }
    }
    meant
}

/// What a parameter without a name is, by the command: only the first may have none.
const FIRST_PARAMETERS: [(&str, &str); 5] =
    [("changes", "release"), ("deploy", "release"), ("hold", "reason"), ("rollback", "to"), ("test", "dir")];

/// Fabric separates parameters by commas, and a backslash keeps one.
fn split_parameters(parameters: &str) -> Vec<String> {
    let mut split = vec![String::new()];
    let mut characters = parameters.chars().peekable();
    while let Some(character) = characters.next() {
        let last = split.last_mut().expect("it is never empty");
        match character {
            '\\' if characters.peek() == Some(&',') => last.extend(characters.next()),
            ',' => split.push(String::new()),
            other => last.push(other),
        }
    }
    split.retain(|parameter| !parameter.is_empty());
    split
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::arguments::command_line;

    /// What a line means, each command line on a line of its own.
    #[track_caller]
    fn check(typed: &[&str], meant: &[&str]) {
        let tasks = BTreeMap::from([("rechef".to_owned(), String::new())]);
        let mut root = command_line(&tasks);
        root.build();
        let typed = typed.iter().map(|word| word.to_string());
        let found: Vec<String> = split(typed, &root).iter().map(|line| line.join("|")).collect();
        assert_eq!(found, meant);
    }

    #[test]
    fn parameters_become_flags() {
        check(
            &["buedafab", "production", "deploy:commit=6b4943c"],
            &["buedafab|production|deploy|--commit=6b4943c"],
        );
        check(&["b", "p", "deploy:release=v0.1.1,dry_run"], &["b|p|deploy|--release=v0.1.1|--dry-run"]);
        check(&["b", "p", "hold:reason=a\\, b"], &["b|p|hold|--reason=a, b"]);
        check(&["b", "p", "run:uptime | wc: x"], &["b|p|run|--|uptime | wc: x"]);
        check(&["b", "p", "deploy:"], &["b|p|deploy"]);
        check(&["b", "test:deployment_type=DEV"], &["b|test|--deployment-type=DEV"]);
        check(&["b", "p", "history:ie2d"], &["b|p|history|ie2d"]);
        check(&["b", "p", "history:last,json"], &["b|p|history|last|--json"]);
        check(&["b", "p", "logs:worker,follow"], &["b|p|logs|worker|--follow"]);
        check(&["b", "p", "history:most=3"], &["b|p|history|--most=3"]);
        check(&["b", "p", "deploy:v1.0.1"], &["b|p|deploy|--release=v1.0.1"]);
        check(
            &["b", "p", "deploy:latest_tag,skip_tests=1"],
            &["b|p|deploy|--release=latest_tag|--skip-tests"],
        );
        check(&["b", "p", "deploy:skip_tests=False,dry_run=True"], &["b|p|deploy|--dry-run"]);
        check(&["b", "p", "deploy:v1,v2"], &["b|p|deploy|--release=v1|--v2"]);
        check(&["b", "p", "deploy:tag=1"], &["b|p|deploy|--tag=1"]);
        check(&["b", "p", "changes:v1.0.1"], &["b|p|changes|--release=v1.0.1"]);
        check(&["b", "p", "rollback:v1.0.1,keep_schema"], &["b|p|rollback|--to=v1.0.1|--keep-schema"]);
        check(&["b", "p", "hold:a fair"], &["b|p|hold|--reason=a fair"]);
        check(&["b", "p", "retire:web3,forget"], &["b|p|retire|web3|--forget"]);
        check(&["b", "p", "put:a b.txt,/tmp"], &["b|p|put|a b.txt|/tmp"]);
        check(&["b", "p", "put", "a", "/tmp", "status"], &["b|p|put|a|/tmp", "b|p|status"]);
        check(&["b", "p", "enable:maintenancemode"], &["b|p|enable|maintenancemode"]);
        check(&["b", "test:apps/shop"], &["b|test|--dir=apps/shop"]);
        check(
            &["b", "test:apps/shop,deployment_type=DEV"],
            &["b|test|--dir=apps/shop|--deployment-type=DEV"],
        );
        check(&["b", "p", "rechef:verbose=1,why=a b"], &["b|p|rechef|verbose=1|why=a b"]);
    }

    #[test]
    fn other_words_stay_as_they_are() {
        check(&["b", "p", "run", "--", "deploy:x=1"], &["b|p|run|--|deploy:x=1"]);
        check(&["b", "--hosts", "web:1222", "status"], &["b|--hosts|web:1222|status"]);
        check(&["b", "completions", "bash"], &["b|completions|bash"]);
        check(&["b", "demo", "status"], &["b|demo|status"]);
        check(&["b", "p"], &["b|p"]);
        check(&["b"], &["b"]);
        check(&["b", "p", "--list"], &["b|p|list"]);
        check(&["b", "-l"], &["b|list"]);
        check(&["b", "--config", "status", "p", "deploy"], &["b|--config|status|p|deploy"]);
    }

    #[test]
    fn what_fabric_had_is_refused_by_name() {
        let tasks = BTreeMap::new();
        assert!(FORMER_COMMANDS.is_sorted());
        for (name, instead) in FORMER_COMMANDS {
            assert!(command_line(&tasks).find_subcommand(name).is_none(), "{name}");
            for typed in [name.to_owned(), format!("{name}:i-12,x=1")] {
                let error = former(&typed).expect("it is one of them");
                assert!(error.message().contains(name) && error.hinted().is_some_and(|hint| hint == instead));
            }
        }
        assert!(former("deplyo").is_none());
        let refused =
            |typed: &str| refuse_arguments(Some(&typed.to_owned())).map_err(|error| error.to_string());
        assert!(
            refused("localhost:deployment_type=STAGING")
                .is_err_and(|why| why.contains("deployment_type = \"STAGING\""))
        );
        assert_eq!(refused("localhost"), Ok(()));
    }

    #[test]
    fn several_commands_are_several_lines() {
        check(
            &["b", "-v", "p", "--hosts=a", "deploy", "-n", "restart_webserver"],
            &["b|-v|p|--hosts=a|deploy|-n", "b|-v|p|--hosts=a|restart_webserver"],
        );
        check(
            &["b", "p", "deploy", "--commit", "status", "status", "-vH", "a", "rechef", "x=1", "status"],
            &["b|p|deploy|--commit|status", "b|p|status|-vH|a", "b|p|rechef|x=1", "b|p|status"],
        );
        check(&["b", "p", "run:uptime", "status"], &["b|p|run|--|uptime", "b|p|status"]);
        check(&["b", "p", "history", "status"], &["b|p|history", "b|p|status"]);
        check(&["b", "p", "history", "last", "status"], &["b|p|history|last", "b|p|status"]);
        check(&["b", "p", "logs", "-f", "worker", "status"], &["b|p|logs|-f|worker", "b|p|status"]);
        check(&["b", "help"], &["b|--help"]);
        check(&["b", "help", "deploy"], &["b|deploy|--help"]);
        check(&["b", "p", "help", "env", "set"], &["b|p|env|set|--help"]);
        check(&["b", "p", "status", "run", "deploy"], &["b|p|status", "b|p|run|deploy"]);
        check(
            &["b", "p", "enable", "maintenancemode", "deploy", "disable", "maintenancemode", "status"],
            &["b|p|enable|maintenancemode", "b|p|deploy", "b|p|disable|maintenancemode", "b|p|status"],
        );
        check(
            &["b", "p", "maintenance", "on", "--message", "a b", "deploy:v1", "maintenance", "off"],
            &["b|p|maintenance|on|--message|a b", "b|p|deploy|--release=v1", "b|p|maintenance|off"],
        );
        check(&["b", "p", "run", "a", "status", "b"], &["b|p|run|a|status|b"]);
        check(&["b", "p", "env", "set", "status", "deploy"], &["b|p|env|set|status|deploy"]);
        check(&["b", "p", "status", "sttaus"], &["b|p|status", "b|p|sttaus"]);
        check(&["b", "p", "q", "status"], &["b|p|q", "b|p|status"]);
    }
}
