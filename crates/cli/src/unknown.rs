//! A word that is no command: what was probably meant by it.

use buedafab_model::config::nearest;
use clap::Command;

use crate::discover::environment_names_nearby;
use crate::exit::CliError;
use crate::fabric::takes_next_word;
use crate::usage::needs_environment;

/// What is wrong with a command line in which no command is found; `None` if there is one, or nothing but a question for help.
/// `number`: how many command lines stand before it in what was typed.
pub(crate) fn explain(line: &[String], number: usize, typed: &[String], root: &Command) -> Option<CliError> {
    explain_among(line, number, typed, root, &environment_names_nearby(typed))
}

fn explain_among(
    line: &[String],
    number: usize,
    typed: &[String],
    root: &Command,
    environments: &[String],
) -> Option<CliError> {
    let words = plain_words(line, root)?;
    let asks_for_help = line.iter().any(|word| matches!(word.as_str(), "--help" | "-h" | "--version" | "-V"));
    let is_environment = |word: &str| environments.iter().any(|known| known == word);
    match words.as_slice() {
        [] => None,
        [environment] if is_environment(environment) && asks_for_help => None,
        [environment] if is_environment(environment) && number > 0 => {
            let others: Vec<&str> =
                typed.iter().skip(1).filter(|word| word != environment).map(String::as_str).collect();
            let right = format!("buedafab {environment} {}", others.join(" "));
            Some(CliError::usage("the environment comes before the command").hint(right))
        }
        [environment] if is_environment(environment) => {
            let hint =
                format!("for example: buedafab {environment} status; buedafab help lists the commands");
            Some(
                CliError::usage(format!("what shall be done in {environment}? The command is missing"))
                    .hint(hint),
            )
        }
        [word] => {
            let missing = format!("there is no command and no environment {word:?}");
            let hint = match nearest_command(word, root) {
                Some(command) if needs_environment(&command) => {
                    let environment =
                        environments.iter().find(|name| *name == "production").or(environments.last());
                    let environment = environment.map_or("ENVIRONMENT", String::as_str);
                    format!(
                        "did you mean {command}? The environment comes first: buedafab {environment} {command}"
                    )
                }
                Some(command) => format!("did you mean {command}?"),
                None => match nearest(word, environments.iter().map(String::as_str)) {
                    Some(environment) => format!("did you mean {environment}?"),
                    None => "buedafab help lists the commands".to_owned(),
                },
            };
            Some(CliError::usage(missing).hint(hint))
        }
        [environment, word, ..] => {
            let hint = match nearest_command(word, root) {
                Some(command) => format!("did you mean {command}? buedafab {environment} {command}"),
                None => "buedafab help lists the commands, and a project's own tasks".to_owned(),
            };
            Some(CliError::usage(format!("there is no command {word:?}")).hint(hint))
        }
    }
}

/// The words of a line that are no flags and no values of them; `None` if one of them is a command.
fn plain_words<'l>(line: &'l [String], root: &Command) -> Option<Vec<&'l str>> {
    let mut plain = Vec::new();
    let mut words = line.iter().skip(1);
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        } else if word.starts_with('-') && word.len() > 1 {
            if takes_next_word(word, None, root) {
                words.next();
            }
        } else if root.find_subcommand(word).is_some() {
            return None;
        } else {
            plain.push(word.as_str());
        }
    }
    Some(plain)
}

fn nearest_command(word: &str, root: &Command) -> Option<String> {
    let name = word.split(':').next().unwrap_or(word);
    let names = root.get_subcommands().flat_map(Command::get_name_and_visible_aliases);
    nearest(name, names).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::arguments::command_line;
    use crate::fabric::split;

    /// All that is said about a line.
    #[track_caller]
    fn check(typed: &str, expected: &str) {
        let tasks = BTreeMap::from([("rechef".to_owned(), String::new())]);
        let mut root = command_line(&tasks);
        root.build();
        let environments = ["localhost", "staging", "production"].map(str::to_owned);
        let typed: Vec<String> = typed.split(' ').map(str::to_owned).collect();
        let lines = split(typed.iter().cloned(), &root);
        let mut told = lines.iter().enumerate().filter_map(|(number, line)| {
            explain_among(line, number, &typed, &root, &environments).map(|error| error.to_string())
        });
        assert_eq!(told.next().unwrap_or_default(), expected, "{lines:?}");
    }

    #[test]
    fn what_was_meant_is_said() {
        check(
            "buedafab depoy",
            "error: there is no command and no environment \"depoy\"\n  help: did you mean deploy? The environment comes first: buedafab production deploy",
        );
        check(
            "buedafab depoy --dry-run",
            "error: there is no command and no environment \"depoy\"\n  help: did you mean deploy? The environment comes first: buedafab production deploy",
        );
        check(
            "buedafab iint",
            "error: there is no command and no environment \"iint\"\n  help: did you mean init?",
        );
        check(
            "buedafab prodction",
            "error: there is no command and no environment \"prodction\"\n  help: did you mean production?",
        );
        check(
            "buedafab production depoy:release=v1",
            "error: there is no command \"depoy:release=v1\"\n  help: did you mean deploy? buedafab production deploy",
        );
        check(
            "buedafab --hosts web1 production rechf",
            "error: there is no command \"rechf\"\n  help: did you mean rechef? buedafab production rechef",
        );
        check(
            "buedafab help statsu",
            "error: there is no command and no environment \"statsu\"\n  help: did you mean status?",
        );
        check(
            "buedafab production",
            "error: what shall be done in production? The command is missing\n  help: for example: buedafab production status; buedafab help lists the commands",
        );
        check(
            "buedafab deploy production",
            "error: the environment comes before the command\n  help: buedafab production deploy",
        );
        check(
            "buedafab production xyzzy",
            "error: there is no command \"xyzzy\"\n  help: buedafab help lists the commands, and a project's own tasks",
        );
    }

    #[test]
    fn of_what_is_right_nothing_is_said() {
        for line in [
            "buedafab",
            "buedafab production status",
            "buedafab help",
            "buedafab production --help",
            "buedafab production help deploy",
            "buedafab other deploy",
            "buedafab --version",
        ] {
            check(line, "");
        }
    }
}
