//! What isn't TOML, in the words of somebody who doesn't know its grammar.

use super::diagnostics::Diagnostic;
use super::mistake::{Mistake, quoted};
use super::nearest::nearest;

/// Explains an error of the parser: better for the usual slips, in its own words for all others.
pub(super) fn explain(error: &toml::de::Error, text: &str) -> Diagnostic {
    let message = error.message();
    let span = error.span();
    let raw = span.clone().and_then(|span| text.get(span)).unwrap_or_default();
    // The parser takes a value that begins with `t` or `f` for a boolean, whatever follows.
    let bare = message.starts_with("string values must be quoted") || message.starts_with("invalid boolean");
    let mistake = if bare && raw.trim().is_empty() {
        Mistake::new("a value is missing").help("write one after the `=`, or leave the line out")
    } else if bare && !raw.contains(['"', '\'']) {
        unquoted(raw)
    } else if message == "duplicate key" {
        Mistake::new(format!("{} stands here for the second time", quoted(raw)))
            .help("a key may stand only once in a table, and a table only once in a file")
    } else {
        Mistake::new(message)
    };
    Diagnostic { message: mistake.message, span, help: mistake.help }
}

fn unquoted(raw: &str) -> Mistake {
    let mistake = Mistake::new(format!("{} isn't a value", quoted(raw)));
    match nearest(raw, ["true", "false"]) {
        Some(right) => mistake.help(format!("did you mean `{right}`?")),
        None if raw.len() < 40 => mistake.help(format!("put text in quotes: `\"{}\"`", raw.trim())),
        None => mistake.help("put text in quotes"),
    }
}
