//! Man pages: one for the program, and one for each of its commands.

use std::collections::BTreeMap;

use buedafab::{usage, with_arguments};
use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::commands::{Notes, USAGE, notes};
use crate::exit_codes::codes;

/// The pages by the names of their files.
pub(crate) fn pages() -> BTreeMap<String, String> {
    let mut root = buedafab::command();
    root.build();
    let mut pages = BTreeMap::new();
    for command in root.get_subcommands() {
        let typed = usage(command);
        for part in command.get_subcommands() {
            let begin = typed.replace("[OPTIONS]", part.get_name());
            add(&mut pages, on_its_own(part, with_arguments(begin, part)), list_see_also);
        }
        add(&mut pages, on_its_own(command, typed), list_see_also);
    }
    add(&mut pages, root.override_usage(USAGE), list_exit_codes);
    pages
}

fn add(pages: &mut BTreeMap<String, String>, command: Command, last_section: fn(&mut Roff)) {
    let mut sections = Roff::new();
    list_notes(&mut sections, &command);
    last_section(&mut sections);
    let has_options = command.get_arguments().any(|argument| !argument.is_hide_set());
    let has_parts = command.has_subcommands();
    // No version: a page changes when what it describes does.
    let man = Man::new(command).source("buedafab").manual("buedafab");
    let mut text = Vec::new();
    let written = man
        .render_title(&mut text)
        .and_then(|()| man.render_name_section(&mut text))
        .and_then(|()| man.render_synopsis_section(&mut text))
        .and_then(|()| man.render_description_section(&mut text))
        .and_then(|()| if has_options { man.render_options_section(&mut text) } else { Ok(()) })
        .and_then(|()| if has_parts { man.render_subcommands_section(&mut text) } else { Ok(()) })
        .and_then(|()| sections.to_writer(&mut text));
    written.expect("memory takes it");
    let text = String::from_utf8(text).expect("it is text");
    // Every section brings the definition of an apostrophe; a page needs one.
    let apostrophe = Roff::new().render();
    let text = format!("{apostrophe}{}", text.replace(&apostrophe, ""));
    pages.insert(man.get_filename(), text);
}

/// A command without what every command knows, which has its place on the program's page.
fn on_its_own(command: &Command, usage: String) -> Command {
    let shared = |argument: &Arg| argument.is_global_set() || argument.get_id() == "help";
    command
        .clone()
        .mut_args(|argument| if shared(&argument) { argument.hide(true) } else { argument })
        .override_usage(usage)
}

fn list_notes(roff: &mut Roff, command: &Command) {
    let Notes { examples, sentences } = notes(command);
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
        roff.control("nf", []);
        for line in examples {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    if !sentences.is_empty() {
        roff.control("SH", ["NOTES"]);
        roff.text([roman(sentences)]);
    }
}

fn list_exit_codes(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, [meaning, ..]) in codes() {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(meaning)]);
    }
}

fn list_see_also(roff: &mut Roff) {
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("buedafab"), roman("(1) has the options that every command knows, and the exit codes.")]);
}
