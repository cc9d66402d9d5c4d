//! Text as a terminal may have it: what hosts, repositories and steps say is shown, and never obeyed.

use std::borrow::Cow;
use std::fmt::Write;

/// The text without anything that a terminal obeys but line ends and tabs. Colours are taken out; whatever else would
/// move the cursor, hide something or turn the direction of writing has a sign in its place. So a line is one line.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = without_color(rest) {
            rest = after;
            continue;
        }
        if !rest.starts_with("\r\n") {
            shown.push(if is_obeyed(letter) { sign(letter) } else { letter });
        }
        rest = &rest[letter.len_utf8()..];
    }
    Cow::Owned(shown)
}

/// The same on one line, whatever it was.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    match visible(text.trim_end_matches('\n')) {
        shown if shown.contains('\n') => Cow::Owned(shown.replace('\n', "␊")),
        shown => shown,
    }
}

/// A document of JSON, which means the same, without anything that a terminal obeys: JSON itself escapes only some of it.
pub fn visible_json(document: &str) -> Cow<'_, str> {
    if !document.contains(is_obeyed) {
        return Cow::Borrowed(document);
    }
    let mut shown = String::with_capacity(document.len());
    for letter in document.chars() {
        if is_obeyed(letter) {
            // All of them fit: none lies beyond the basic plane.
            write!(shown, "\\u{:04x}", u32::from(letter)).expect("a string takes all");
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

fn is_obeyed(letter: char) -> bool {
    let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(letter, '\u{2028}' | '\u{2029}');
    letter.is_control() && !matches!(letter, '\n' | '\t') || turns || ends_line
}

/// Unicode has pictures of the oldest ones.
fn sign(letter: char) -> char {
    match u32::from(letter) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// What follows a change of colour.
fn without_color(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let end = rest.find(|letter: char| !matches!(letter, '0'..='9' | ';' | ':'))?;
    rest[end..].strip_prefix('m')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_obeyed() {
        let cases = [
            ("plain\ttext, ünï\n", "plain\ttext, ünï\n"),
            ("\u{1b}[1;31mred\u{1b}[0m and \u{1b}[38:2::1:2:3mmore", "red and more"),
            // The title of the window, the clipboard, the screen.
            ("\u{1b}]0;mine\u{7}", "␛]0;mine␇"),
            ("\u{1b}[2J\u{1b}[1A", "␛[2J␛[1A"),
            ("\u{1b}[31", "␛[31"),
            // The same in one letter, as terminals may take it.
            ("\u{9b}2J\u{9d}0;mine\u{9c}", "\u{fffd}2J\u{fffd}0;mine\u{fffd}"),
            ("10 %\r20 %\r\n", "10 %␍20 %\n"),
            ("fail\u{8}\u{8}\u{8}\u{8}good\u{7f}\0", "fail␈␈␈␈good␡␀"),
            ("user\u{202e}txt.exe\u{2028}next\u{85}", "user\u{fffd}txt.exe\u{fffd}next\u{fffd}"),
        ];
        for (text, shown) in cases {
            assert_eq!(visible(text), shown, "{text:?}");
        }
    }

    #[test]
    fn a_line_is_a_line() {
        assert_eq!(on_one_line("plain\n"), "plain");
        assert_eq!(on_one_line("wait\nweb9: all is well\r\n\u{1b}[2J"), "wait␊web9: all is well␊␛[2J");
    }

    #[test]
    fn documents_mean_the_same() {
        let said = "\u{9b}2J \u{7f} \u{202e} \u{1b}[2J \n ü";
        let document = serde_json::to_string(said).expect("plain data");
        let shown = visible_json(&document);
        assert!(!shown.contains(is_obeyed) && shown.contains('ü'), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).expect("it is JSON"), said);
    }
}
