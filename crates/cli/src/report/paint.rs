//! Colour, and the columns that a terminal has, for what was made as plain text.

use std::borrow::Cow;
use std::sync::LazyLock;

use console::{Style, measure_text_width};
use regex::{Captures, Regex};

/// A line that says how all of it went; a mark before a line or in its second column; the word that says what a line is for;
/// and how a host is, in a column of its own.
static MARKED: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    let rule = |pattern: &str| Regex::new(pattern).expect("the pattern is fixed");
    [
        rule(r"^(?P<before>\s*(?:\S+\s{2,})?)(?P<word>[✓✗!])(?P<after>\s)"),
        rule(r"^(?P<before>\s*)(?P<word>(?:error|help|note|drift):)(?P<after>\s)"),
        rule(
            r"(?P<before>\s{2}|: )(?P<word>runs|well|down|not well|stale|unreachable|building|failed|on hold)(?P<after>\s{2}|:|$)",
        ),
    ]
});

/// The same with colours.
pub(super) fn painted(text: &str, is_talk: bool) -> String {
    let style = |style: Style| if is_talk { style.for_stderr() } else { style.for_stdout() };
    text.split_inclusive('\n').map(|line| paint_line(line, &style)).collect()
}

fn paint_line<'l>(line: &'l str, style: &impl Fn(Style) -> Style) -> Cow<'l, str> {
    let whole = match line.chars().next() {
        Some('✓') => Some(Style::new().green().bold()),
        Some('✗') => Some(Style::new().red().bold()),
        _ => None,
    };
    if let Some(whole) = whole {
        let (text, end) = line.split_at(line.trim_end_matches('\n').len());
        return Cow::Owned(format!("{}{end}", style(whole).apply_to(text)));
    }
    // What steps print is theirs.
    let (own, rest) = line.split_at(line.find('│').unwrap_or(line.len()));
    let paint = |found: &Captures<'_>| {
        let word = &found["word"];
        format!("{}{}{}", &found["before"], style(style_of(word)).apply_to(word), &found["after"])
    };
    let mut own = Cow::Borrowed(own);
    for rule in MARKED.iter() {
        if rule.is_match(&own) {
            own = Cow::Owned(rule.replace(&own, paint).into_owned());
        }
    }
    match own {
        Cow::Borrowed(_) => Cow::Borrowed(line),
        Cow::Owned(own) => Cow::Owned(own + rest),
    }
}

fn style_of(word: &str) -> Style {
    match word {
        "✓" | "runs" | "well" => Style::new().green(),
        "✗" | "down" | "not well" | "failed" | "unreachable" => Style::new().red(),
        "error:" => Style::new().red().bold(),
        "help:" => Style::new().cyan(),
        _ => Style::new().yellow(),
    }
}

/// Nothing is put into fewer columns.
const NARROWEST: usize = 40;

/// The same with sentences broken between words, and what goes on set in below where it began. What can be typed or copied stays
/// on its line.
pub(super) fn fitted(text: &str, columns: usize) -> Cow<'_, str> {
    let columns = columns.max(NARROWEST);
    if text.lines().all(|line| measure_text_width(line) <= columns) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_inclusive('\n').map(|line| fit_line(line, columns)).collect())
}

fn fit_line(line: &str, columns: usize) -> Cow<'_, str> {
    let (text, end) = line.split_at(line.trim_end_matches('\n').len());
    let begin = text.trim_start();
    let is_typed = ["$ ", "help: ", "again: ", "see: ", "look: ", "buedafab "]
        .iter()
        .any(|word| begin.starts_with(word));
    if measure_text_width(text) <= columns || is_typed || text.contains('│') {
        return Cow::Borrowed(line);
    }
    let indent = text.len() - begin.len();
    // In a table, below the last of its columns.
    let column = begin.rfind("  ").map_or(indent + 2, |at| measure_text_width(&text[..indent + at]) + 2);
    let hang = " ".repeat(if column < columns / 2 { column } else { indent + 2 });
    // Not at a hyphen: a name, a date and a path are one word each.
    let options = textwrap::Options::new(columns)
        .subsequent_indent(&hang)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    Cow::Owned(format!("{}{end}", textwrap::wrap(text, options).join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The colours that a line gets, in words.
    #[track_caller]
    fn check(line: &str, expected: &str) {
        console::set_colors_enabled(true);
        let names =
            [("31", "red"), ("32", "green"), ("33", "yellow"), ("36", "cyan"), ("1", "bold"), ("0", "/")];
        let named = names.iter().fold(painted(line, false), |text, (code, name)| {
            text.replace(&format!("\x1b[{code}m"), &format!("<{name}>"))
        });
        assert_eq!(named, expected);
    }

    #[test]
    fn marks_and_states_are_in_colour_and_nothing_else() {
        check("✓ deploy: done\n", "<green><bold>✓ deploy: done</>\n");
        check("  ✗  rights  no\n", "  <red>✗</>  rights  no\n");
        check("  web1  ✗ check: no", "  web1  <red>✗</> check: no");
        check("error: not so\n  help: do this\n", "<red><bold>error:</> not so\n  <cyan>help:</> do this\n");
        check("web1  v1  b  runs  3 h ago", "web1  v1  b  <green>runs</>  3 h ago");
        check("web1  v1  b  not well  3 h ago", "web1  v1  b  <red>not well</>  3 h ago");
        check("web1 │ ✗ theirs  runs  !", "web1 │ ✗ theirs  runs  !");
        check("it runs well! or not", "it runs well! or not");
    }

    #[test]
    fn what_is_too_wide_goes_on_below_and_what_can_be_typed_does_not() {
        let fit = |text: &str| fitted(text, 40).into_owned();
        assert_eq!(fit("a short line\n"), "a short line\n");
        assert_eq!(
            fit("  note: one two three four five six seven eight nine\n"),
            "  note: one two three four five six\n    seven eight nine\n"
        );
        assert_eq!(
            fit("  ✓  rights  one two three four five six seven\n"),
            "  ✓  rights  one two three four five six\n             seven\n"
        );
        assert_eq!(
            fit("error: held by ada since 2026-11-27T14:17:38Z in notes-web.service\n"),
            "error: held by ada since\n  2026-11-27T14:17:38Z in\n  notes-web.service\n"
        );
        let typed = "  again: buedafab production deploy --release v0.1.0\n";
        assert_eq!(fit(typed), typed);
    }
}
