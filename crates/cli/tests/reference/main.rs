//! The reference pages and man pages, rendered from what they describe, and the tests that fail when a page has drifted.
//!
//! `UPDATE_REFERENCE=1 cargo test -p buedafab --test reference`, or script/reference, writes them again.

use std::path::PathBuf;

/// Makes a list of all variants of an enum, and a match that stops compiling when one is missing from it.
macro_rules! all {
    ($list:ident: $enum:ident, $told:ty, $($variant:ident => $value:expr, $told_value:expr;)*) => {
        pub(crate) fn $list() -> Vec<($enum, $told)> {
            let _every_variant_is_listed = |value: &$enum| match value {
                $($enum::$variant { .. } => (),)*
            };
            vec![$(($value, $told_value)),*]
        }
    };
}

mod commands;
mod events;
mod exit_codes;
mod fabric;
mod man;
mod markdown;
mod samples;
mod schema;
mod settings;
mod variables;

const HEAD: &str =
    "<!-- Written by script/reference. Change the code that it describes, not this page. -->\n\n";

#[test]
fn the_commands() {
    check("commands.md", &format!("{HEAD}{}", commands::page()));
}

#[test]
fn the_settings() {
    check("settings.md", &format!("{HEAD}{}", settings::page()));
}

#[test]
fn the_schema() {
    check("buedafab.schema.json", &schema::page());
}

#[test]
fn the_exit_codes() {
    check("exit-codes.md", &format!("{HEAD}{}", exit_codes::page()));
}

#[test]
fn the_events() {
    check("events.md", &format!("{HEAD}{}", events::page()));
}

#[test]
fn the_variables() {
    check("variables.md", &format!("{HEAD}{}", variables::page()));
}

#[test]
fn the_man_pages() {
    let pages = man::pages();
    for (name, text) in &pages {
        check(&format!("../man/{name}"), text);
    }
    let folder = page_path("../man");
    let found =
        std::fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it is read").file_name());
    let left: Vec<_> = found.filter(|name| !pages.contains_key(&*name.to_string_lossy())).collect();
    assert!(left.is_empty(), "of commands that are no longer there: {left:?} in docs/man");
}

/// Whoever copies a line that asks the app by hand keeps a broken release up for as long as that retries: `[health]` asks.
#[test]
fn no_page_has_a_hook_ask_whether_the_app_is_well() {
    let docs = page_path("..");
    let pages = |folder: &PathBuf| {
        let found =
            std::fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("an entry").path());
        found.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect::<Vec<_>>()
    };
    let mut paths = [pages(&docs), pages(&page_path("."))].concat();
    paths.push(docs.join("../README.md"));
    paths.push([env!("CARGO_MANIFEST_DIR"), "../model/src/init/write.rs"].iter().collect());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("it is read");
        for line in text.lines().filter(|line| line.contains("verify") && !line.contains("verify_")) {
            assert!(!line.contains("curl") && !line.contains("wget"), "{}: {line}", path.display());
        }
    }
}

fn page_path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../docs/reference", name].iter().collect()
}

/// Compares a page with what it should be, or writes it if that was asked for.
#[track_caller]
fn check(name: &str, text: &str) {
    let path = page_path(name);
    if std::env::var_os("UPDATE_REFERENCE").is_some_and(|wanted| !wanted.is_empty() && wanted != "0") {
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder is made");
        std::fs::write(&path, text).expect("the page is written");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    if found == text {
        return;
    }
    let line = found.lines().zip(text.lines()).take_while(|(found, text)| found == text).count();
    panic!(
        "docs/reference/{name} has drifted, from line {} on:\n  it says:   {}\n  should be: {}\n\
         write it again with script/reference, and look at the change before you commit it",
        line + 1,
        found.lines().nth(line).unwrap_or("(the end)"),
        text.lines().nth(line).unwrap_or("(the end)"),
    );
}
