//! Whole files: what they mean, and what is said about their mistakes.

mod apps;
mod environments;
mod found;
mod hosts;
mod layers;
mod mistakes;
mod notify;
mod release_file;
mod round_trip;
mod schema;
mod syntax;

use super::*;
use crate::host::{Connect, Host};
use crate::names::EnvironmentName;

fn settings(environment: &str, text: &str) -> Result<Settings, Diagnostics> {
    parse("buedafab.toml", text)?.settings(&EnvironmentName::new(environment).expect("a plain word"))
}

/// One value of the resolved settings, as it is shown; or all the mistakes.
#[track_caller]
fn check(environment: &str, text: &str, key: &str, expected: &str) {
    let found = match settings(environment, text) {
        Ok(settings) => {
            let shown = show(&settings);
            let value = |line: &&str| line.split([' ', ':']).any(|word| word == key);
            shown.lines().filter(value).collect::<Vec<_>>().join("\n")
        }
        Err(diagnostics) => diagnostics.to_string(),
    };
    assert_eq!(found, expected);
}

/// The hosts of `[environments.x] hosts = [`…`]`, one a line.
fn hosts(list: &str) -> String {
    let text = format!("unit = \"five\"\n[environments.x]\nhosts = [{list}]\n");
    hosts_of("x", &text)
}

fn hosts_of(environment: &str, text: &str) -> String {
    let settings = match settings(environment, text) {
        Ok(settings) => settings,
        Err(diagnostics) => return diagnostics.to_string(),
    };
    let line = |host: &Host| {
        let Host { name, app: _, address, user, port, roles, path, connect, origin: _ } = host;
        let user = user.as_ref().map_or(String::new(), |user| format!("{user}@"));
        let port = port.map_or(String::new(), |port| format!(" {port}"));
        let connect = match connect {
            Connect::Ssh => "ssh".to_string(),
            Connect::Command(words) => words.join("·"),
        };
        format!("{name}: {user}{address}{port} {roles:?} {path} {connect}")
    };
    settings.hosts.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn mistakes(text: &str) -> String {
    match parse("buedafab.toml", text) {
        Ok(file) => match file.settings(&EnvironmentName::new("production").expect("a plain word")) {
            Ok(_) => "nothing wrong".to_string(),
            Err(diagnostics) => diagnostics.to_string(),
        },
        Err(diagnostics) => diagnostics.to_string(),
    }
}

/// The mistakes in words: where they are, what they are and what helps.
fn told(text: &str) -> String {
    let production = EnvironmentName::new("production").expect("a plain word");
    let diagnostics = match parse("buedafab.toml", text).and_then(|file| file.settings(&production)) {
        Ok(_) => return "nothing wrong".to_string(),
        Err(diagnostics) => diagnostics,
    };
    for line in diagnostics.to_string().lines() {
        assert!(line.chars().count() <= 80, "too long a line: {line}");
    }
    let line = |d: &Diagnostic| {
        let place = d.span.clone().map_or("nowhere", |span| &text[span]);
        let help = d.help.as_ref().map_or(String::new(), |help| format!("; {help}"));
        format!("{place} → {}{help}", d.message)
    };
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The same for each of many texts, put into the frame where it says `…`.
fn told_of(frame: &str, texts: &[&str]) -> String {
    texts
        .iter()
        .map(|text| format!("{text}\n{}\n", told(&frame.replace('…', text))))
        .collect::<Vec<_>>()
        .join("\n")
}

#[track_caller]
fn check_mistakes(text: &str, expected: &str) {
    assert_eq!(told(text), expected);
}
