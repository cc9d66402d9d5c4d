//! Sentences and lists, as all pages write them.

use textwrap::{Options, WordSplitter};

pub(crate) const WIDTH: usize = 100;

/// Sentences, broken so that a terminal can show them.
pub(crate) fn paragraph(text: &str) -> String {
    wrap(text, "", "")
}

pub(crate) fn list_item(text: &str) -> String {
    wrap(text, "- ", "  ")
}

fn wrap(text: &str, first: &str, rest: &str) -> String {
    let options = Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(rest)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    textwrap::fill(&text, options) + "\n"
}
