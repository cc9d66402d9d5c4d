//! The page of commands, from clap's own knowledge of them.

use std::collections::BTreeSet;
use std::fmt::Write;

use buedafab::{option_name, usage, value_name};
use clap::{Arg, ArgAction, Command};

use crate::markdown::{list_item, paragraph};

/// How any command is typed.
pub(crate) const USAGE: &str = "buedafab [OPTIONS] [ENVIRONMENT] COMMAND …";

pub(crate) fn page() -> String {
    let mut root = buedafab::command();
    root.build();
    let mut text = String::from("# Commands\n\n");
    text.push_str(&paragraph(&root.get_long_about().expect("it says what it is for").to_string()));
    let _ = write!(text, "\n```console\n{USAGE}\n```\n\n");
    text.push_str(&paragraph(
        "The environment stands before the command, as in `fab production deploy`. Flags may stand before or after \
         the command's name; `run` takes its first word, and all that follows it, for the command to run. Several commands \
         run one after the other, up to the first that fails: `production deploy restart_webserver`. Flags before the first \
         hold for all, those after a command's name for that one. A project's own tasks are commands too.",
    ));
    text.push('\n');
    for command in root.get_subcommands() {
        let name = command.get_name();
        text.push_str(&list_item(&format!("[`{name}`](#{name}): {}", about(command))));
    }
    text.push_str("\n## What every command knows\n\n");
    let shared: BTreeSet<&str> = root
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .map(|a| a.get_id().as_str())
        .collect();
    for argument in root.get_arguments() {
        list_argument(&mut text, argument);
    }
    text.push_str("\n### Examples\n\n");
    text.push_str(&show_notes(&root));
    text.push_str("\nThe exit codes have [a page of their own](exit-codes.md).\n");
    for command in root.get_subcommands() {
        let _ = write!(text, "\n## {}\n\n{}", command.get_name(), paragraph(&format!("{}.", about(command))));
        let _ = write!(text, "\n```console\n{}\n```\n", usage(command));
        let aliases: Vec<String> = command.get_all_aliases().map(|alias| format!("`{alias}`")).collect();
        if !aliases.is_empty() {
            let _ = write!(text, "\nAlso: {}.\n", aliases.join(", "));
        }
        let own: Vec<&Arg> = command
            .get_arguments()
            .filter(|argument| !shared.contains(argument.get_id().as_str()) && argument.get_id() != "help")
            .collect();
        if !own.is_empty() {
            text.push('\n');
        }
        for argument in own {
            list_argument(&mut text, argument);
        }
        for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
            let words: Vec<String> = part.get_positionals().map(value_name).collect();
            let name = [vec![part.get_name().to_owned()], words].concat().join(" ");
            text.push_str(&list_item(&format!("`{name}`: {}", about(part))));
            let known = |argument: &&Arg| {
                argument.is_positional()
                    || argument.get_id() == "help"
                    || shared.contains(argument.get_id().as_str())
            };
            for argument in part.get_arguments().filter(|argument| !known(argument)) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                text.push_str(&format!("  - `{}`: {help}\n", option_name(argument)));
            }
        }
        let notes = show_notes(command);
        if !notes.is_empty() {
            let _ = write!(text, "\n{notes}");
        }
    }
    text
}

fn about(command: &Command) -> String {
    command.get_about().expect("every command says what it does").to_string()
}

fn list_argument(text: &mut String, argument: &Arg) {
    let mut what = argument.get_help().map(ToString::to_string).unwrap_or_default();
    // The defaults of clap's own flags say less than they seem to.
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(what, " [default: {}]", defaults.join(" "));
    }
    let values: Vec<String> =
        argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if argument.is_positional() && !values.is_empty() {
        let _ = write!(what, ": {}", values.join(", "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(what, " [environment: `{}`]", variable.to_string_lossy());
    }
    if matches!(argument.get_action(), ArgAction::Count) {
        what.push_str(" (may be repeated)");
    }
    let name = if argument.is_positional() { value_name(argument) } else { option_name(argument) };
    text.push_str(&list_item(&format!("`{name}`: {what}")));
}

/// What stands below the help.
pub(crate) struct Notes {
    /// Lines that are set out, to be shown as they are.
    pub(crate) examples: Vec<String>,
    /// The rest.
    pub(crate) sentences: String,
}

/// What stands below the help, but for the exit codes.
pub(crate) fn notes(command: &Command) -> Notes {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let text = text.split("\n\nExit codes:").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty() && *line != "Examples:");
    let (lines, sentences): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("  "));
    let examples = lines.iter().map(|line| line[2..].to_owned()).collect();
    Notes { examples, sentences: sentences.join(" ") }
}

fn show_notes(command: &Command) -> String {
    let Notes { examples, sentences } = notes(command);
    let mut parts = Vec::new();
    if !examples.is_empty() {
        parts.push(format!("```console\n{}\n```\n", examples.join("\n")));
    }
    if !sentences.is_empty() {
        parts.push(paragraph(&sentences));
    }
    parts.join("\n")
}
