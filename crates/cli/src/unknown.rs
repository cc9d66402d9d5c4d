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
    let usual_environment = || {
        let environment = environments.iter().find(|name| *name == "production").or(environments.last());
        environment.map_or("ENVIRONMENT", String::as_str)
    };
    if let Some(word) = words.last().filter(|word| !is_environment(word))
        && let Some((command, option)) = names_release(word, typed, root)
    {
        let environment = if words.len() > 1 { words[0] } else { usual_environment() };
        return Some(
            CliError::usage(format!("{command} takes no word such as {word:?}"))
                .hint(format!("a release has an option: buedafab {environment} {command} {option} {word}")),
        );
    }
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
                    format!(
                        "did you mean {command}? The environment comes first: buedafab {} {command}",
                        usual_environment()
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

/// The command right before a word that probably names a release, and the option of it that takes one.
fn names_release(word: &str, typed: &[String], root: &Command) -> Option<(String, &'static str)> {
    let before = typed.iter().take_while(|other| *other != word);
    let command = before.filter_map(|other| root.find_subcommand(other)).last()?;
    let has = |name: &str| command.get_arguments().any(|argument| argument.get_long() == Some(name));
    let digits = word.trim_start_matches(['v', 'V']);
    let is_version = digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.');
    let is_tag = is_version || word == "latest_tag";
    let is_commit = (7..=40).contains(&word.len()) && word.chars().all(|c| c.is_ascii_hexdigit());
    // Any other word may be a branch, if it isn't just a command that is spelt wrong.
    let is_else = nearest_command(word, root).is_none() && !word.contains(':');
    let option = if has("to") && (is_tag || is_commit) {
        "--to"
    } else if has("release") && is_tag {
        "--release"
    } else if has("commit") && (is_commit || is_else) {
        "--commit"
    } else {
        return None;
    };
    Some((command.get_name().to_owned(), option))
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
    fn a_release_without_its_option_is_told_it() {
        for (typed, word, right) in [
            ("production deploy v0.1.1", "v0.1.1", "production deploy --release v0.1.1"),
            ("production deploy --dry-run 1.2", "1.2", "production deploy --release 1.2"),
            ("production deploy latest_tag", "latest_tag", "production deploy --release latest_tag"),
            ("staging deploy 6b4943c", "6b4943c", "staging deploy --commit 6b4943c"),
            ("staging deploy feature/login", "feature/login", "staging deploy --commit feature/login"),
            ("deploy v0.1.1", "v0.1.1", "production deploy --release v0.1.1"),
            ("production rollback v0.1.0", "v0.1.0", "production rollback --to v0.1.0"),
            ("production rollback 6b4943c status", "6b4943c", "production rollback --to 6b4943c"),
        ] {
            let command = if right.contains("rollback") { "rollback" } else { "deploy" };
            check(
                &format!("buedafab {typed}"),
                &format!(
                    "error: {command} takes no word such as {word:?}\n  help: a release has an option: buedafab {right}"
                ),
            );
        }
        check(
            "buedafab production deploy stauts",
            "error: there is no command \"stauts\"\n  help: did you mean status? buedafab production status",
        );
        check(
            "buedafab production status v0.1.1",
            "error: there is no command \"v0.1.1\"\n  help: buedafab help lists the commands, and a project's own tasks",
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
