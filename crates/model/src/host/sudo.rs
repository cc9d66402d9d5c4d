//! What sudo lets a user do without a password, by its own listing.
//!
//! `sudo -n -l COMMAND` says whether a command is allowed; that it takes a password it doesn't say, where another command takes
//! none. The long listing (`sudo -ll`) does: the last entry that matches a command decides. What isn't understood of it is
//! never held against a host.

use glob::{MatchOptions, Pattern};

use crate::names::HostPath;

/// A command that is done by sudo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SudoCommand {
    /// Its words.
    pub words: Vec<String>,
    /// When.
    pub needed: SudoNeeded,
}

/// When a command is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SudoNeeded {
    /// In every run.
    Always,
    /// Where this unit file or init script changes, and so in any case as long as it isn't there.
    ForFile(HostPath),
}

/// Stands in for a release's commit where sudo is asked about a command that any release may need.
pub const ANY_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Commands as a rule of sudo's allows them, for any release and in any slot.
pub fn rule(commands: &[String]) -> String {
    let commands = commands.iter().map(|command| {
        // A comma, a colon and `=` mean something in sudoers.
        let words = command.split(' ').map(|word| {
            let mut escaped = String::new();
            for c in for_any_release(word).chars() {
                if ",:=\\".contains(c) {
                    escaped.push('\\');
                }
                escaped.push(c);
            }
            escaped
        });
        words.collect::<Vec<_>>().join(" ")
    });
    // Those of several slots are one rule.
    let mut rules: Vec<String> = Vec::new();
    for command in commands {
        if !rules.contains(&command) {
            rules.push(command);
        }
    }
    rules.join(", ")
}

/// A path below what is kept of a release, with what differs from release to release left open.
fn for_any_release(word: &str) -> String {
    let parts = word.split_once(&format!("/{ANY_COMMIT}/units-"));
    match parts.and_then(|(before, after)| Some((before, after.split_once('/')?.1))) {
        Some((before, file)) => format!("{before}/*/units-*/{file}"),
        None => word.to_owned(),
    }
}

/// What a user may do by sudo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SudoRules {
    /// In the order of the listing.
    entries: Vec<SudoEntry>,
    /// Whether no command takes a password.
    never_asks: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct SudoEntry {
    asks: bool,
    /// Whether it says how a command is done as root.
    is_of_root: bool,
    commands: Vec<String>,
}

impl SudoRules {
    /// Reads what `sudo -n -ll` prints in the language of computers.
    pub fn read(listing: &str) -> Self {
        let mut rules = SudoRules::default();
        let mut in_commands = false;
        for line in listing.lines() {
            if line.starts_with("Sudoers entry") {
                rules.entries.push(SudoEntry { asks: true, is_of_root: true, commands: Vec::new() });
                in_commands = false;
                continue;
            }
            let text = line.trim();
            let Some(entry) = rules.entries.last_mut() else {
                let mut defaults = text.split(", ");
                rules.never_asks |= defaults.any(|word| word.trim_end_matches(',') == "!authenticate");
                continue;
            };
            if let Some(users) = text.strip_prefix("RunAsUsers:") {
                entry.is_of_root = users.split(',').any(|user| matches!(user.trim(), "root" | "ALL" | "#0"));
            } else if let Some(options) = text.strip_prefix("Options:") {
                entry.asks = !options.split(", ").any(|option| option.trim() == "!authenticate");
            } else if text == "Commands:" {
                in_commands = true;
            } else if in_commands && line.starts_with('\t') {
                entry.commands.push(text.to_owned());
            }
        }
        rules
    }

    /// Whether a command that is allowed takes a password: `/usr/bin/systemctl restart five`.
    pub fn want_a_password(&self, command: &str) -> bool {
        let fits = |entry: &&SudoEntry| {
            entry.is_of_root && entry.commands.iter().any(|pattern| fits(pattern, command))
        };
        !self.never_asks && self.entries.iter().rev().find(fits).is_some_and(|entry| entry.asks)
    }
}

/// Whether a command is one of those that sudo's pattern means: a path, or a folder, each with any arguments, or with these.
fn fits(pattern: &str, command: &str) -> bool {
    if pattern == "ALL" {
        return true;
    }
    let split = |text: &str| {
        let (path, arguments) = text.split_once(' ').unwrap_or((text, ""));
        (path.to_owned(), arguments.trim().to_owned())
    };
    let ((path, arguments), (asked_path, asked_arguments)) = (split(pattern), split(command));
    let in_folder = path.ends_with('/')
        && asked_path.rsplit_once('/').is_some_and(|(folder, _)| path == format!("{folder}/"));
    let by_path = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
    (in_folder || matches(&path, &asked_path, by_path))
        && match arguments.as_str() {
            "" => true,
            "\"\"" => asked_arguments.is_empty(),
            arguments => matches(arguments, &asked_arguments, MatchOptions::new()),
        }
}

fn matches(pattern: &str, text: &str, options: MatchOptions) -> bool {
    // What sudo's own language has a meaning for stands behind a backslash.
    let mut plain = String::new();
    let mut escaped = false;
    for c in pattern.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            c if escaped => {
                plain.push_str(&Pattern::escape(&c.to_string()));
                escaped = false;
            }
            c => plain.push(c),
        }
    }
    Pattern::new(&plain).is_ok_and(|pattern| pattern.matches_with(text, options))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a Debian 12.
    const LISTING: &str = "Matching Defaults entries for deploy on web1:
    env_reset, mail_badpass,
    secure_path=/usr/local/sbin\\:/usr/local/bin, use_pty

User deploy may run the following commands on web1:

Sudoers entry:
    RunAsUsers: ALL
    Commands:
\tALL

Sudoers entry:
    RunAsUsers: root
    Options: !authenticate
    Commands:
\t/usr/bin/systemctl restart five
\t/usr/bin/systemctl reload five*
\t/usr/bin/sv
\t/opt/tools/
\t/usr/bin/id \"\"
\t/usr/bin/install * /etc/systemd/system/five.service
\t/usr/bin/env A\\=1

Sudoers entry:
    RunAsUsers: root
    Options: setenv
    Commands:
\t/usr/bin/sv stop *

Sudoers entry:
    RunAsUsers: app, postgres
    Commands:
\tALL
";

    #[test]
    fn the_last_entry_that_matches_decides() {
        let rules = SudoRules::read(LISTING);
        for (command, wants) in [
            ("/usr/bin/systemctl restart five", false),
            ("/usr/bin/systemctl restart six", true),
            ("/usr/bin/systemctl reload five-web", false),
            ("/usr/bin/systemctl", true),
            ("/usr/bin/sv restart five", false),
            ("/usr/bin/sv stop five", true),
            ("/opt/tools/any thing", false),
            ("/opt/tools/below/any", true),
            ("/usr/bin/id", false),
            ("/usr/bin/id -u", true),
            ("/usr/bin/install -m 644 /srv/a/b /etc/systemd/system/five.service", false),
            ("/usr/bin/env A=1", false),
        ] {
            assert_eq!(rules.want_a_password(command), wants, "{command}");
        }
    }

    /// What is shown to be pasted allows what every release and slot asks for.
    #[test]
    fn a_rule_allows_any_release() {
        let install = |commit: &str, slot: &str| {
            format!(
                "/usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/{commit}/units-{slot}/five.service \
                 /etc/systemd/system/five.service.new"
            )
        };
        let asked = [install(ANY_COMMIT, "a"), "/usr/bin/env A=1,b systemctl".to_owned()];
        let rule = rule(&asked);
        assert_eq!(
            rule,
            "/usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service \
             /etc/systemd/system/five.service.new, /usr/bin/env A\\=1\\,b systemctl"
        );
        let (pattern, _) = rule.split_once(", ").expect("two commands");
        assert!(fits(pattern, &install("74dd9c97df", "b")), "{pattern}");
        assert!(fits(pattern, &asked[0]), "{pattern}");
    }

    #[test]
    fn what_is_not_understood_is_not_held_against_anybody() {
        for listing in [
            "",
            "Sorry, user deploy may not run sudo on web1.",
            "Sudoers entry:\n    Commands:\n\t^/usr/.*$ ^x$",
        ] {
            assert!(!SudoRules::read(listing).want_a_password("/usr/bin/id"), "{listing}");
        }
        let free = LISTING.replace("use_pty", "!authenticate");
        assert!(!SudoRules::read(&free).want_a_password("/usr/bin/systemctl restart six"));
    }
}
