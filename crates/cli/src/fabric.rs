//! Fabric's argument form: `deploy:commit=6b4943c`, `run:"uptime"`, `hold:reason="…"`.

/// The same arguments in the usual form. Only the command's own word is looked at, and only if nothing after `--`.
pub(crate) fn expand(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut expanded = Vec::new();
    let mut verbatim = false;
    for (index, argument) in arguments.into_iter().enumerate() {
        verbatim |= argument == "--";
        match argument.split_once(':') {
            Some((command, parameters)) if index > 0 && !verbatim && is_command(command) => {
                expanded.push(command.to_owned());
                if command == "run" {
                    expanded.extend(["--".to_owned(), parameters.to_owned()]);
                    verbatim = true;
                } else {
                    expanded.extend(split_parameters(parameters).iter().map(|parameter| flag(parameter)));
                }
            }
            _ => expanded.push(argument),
        }
    }
    expanded
}

fn is_command(word: &str) -> bool {
    ["deploy", "rollback", "run", "hold", "history", "config"].contains(&word)
}

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

fn flag(parameter: &str) -> String {
    match parameter.split_once('=') {
        // `--force=true` isn't how a switch is typed.
        Some((name, "true" | "True" | "1")) => format!("--{}", name.replace('_', "-")),
        Some((name, value)) => format!("--{}={value}", name.replace('_', "-")),
        None => format!("--{}", parameter.replace('_', "-")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &[&str], meant: &[&str]) {
        let typed = typed.iter().map(|word| word.to_string());
        assert_eq!(expand(typed), meant);
    }

    #[test]
    fn parameters_become_flags() {
        check(
            &["buedafab", "production", "deploy:commit=6b4943c"],
            &["buedafab", "production", "deploy", "--commit=6b4943c"],
        );
        check(
            &["b", "p", "deploy:release=v0.1.1,dry_run"],
            &["b", "p", "deploy", "--release=v0.1.1", "--dry-run"],
        );
        check(&["b", "p", "hold:reason=a\\, b"], &["b", "p", "hold", "--reason=a, b"]);
        check(&["b", "p", "run:uptime | wc: x"], &["b", "p", "run", "--", "uptime | wc: x"]);
        check(&["b", "p", "deploy:"], &["b", "p", "deploy"]);
    }

    #[test]
    fn other_words_stay_as_they_are() {
        check(&["b", "p", "run", "--", "deploy:x=1"], &["b", "p", "run", "--", "deploy:x=1"]);
        check(&["b", "--hosts", "web:1222", "status"], &["b", "--hosts", "web:1222", "status"]);
    }
}
