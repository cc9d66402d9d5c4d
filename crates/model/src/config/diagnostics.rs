//! Mistakes in the configuration, shown as rustc shows its own.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::mistake::Mistake;

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Where, in bytes from the start of the file. `None`: something is missing, or the file isn't to blame.
    pub span: Option<Range<usize>>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake at this place.
    pub(super) fn at(span: &Range<usize>, mistake: Mistake) -> Self {
        let Mistake { message, help, within: _ } = mistake;
        Diagnostic { message, span: Some(span.clone()), help }
    }

    /// A mistake that stands nowhere in the file.
    pub(super) fn nowhere(mistake: Mistake) -> Self {
        let Mistake { message, help, within: _ } = mistake;
        Diagnostic { message, span: None, help }
    }
}

/// The text of a configuration file and its name, shared by all that point into it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) file_name: Arc<str>,
    pub(super) text: Arc<str>,
}

/// All that is wrong with a configuration file, in the order of the file. Displayed without colours.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    source: Source,
    list: Vec<Diagnostic>,
}

/// A file that isn't TOML at all has a mistake on every line; nobody reads more than these.
const MOST_SHOWN: usize = 20;

/// The columns that everything fits into, where the texts allow it.
const WIDTH: usize = 80;

impl Diagnostics {
    pub(super) fn new(source: Source, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| (span.start, span.end)));
        list.dedup();
        Diagnostics { source, list }
    }

    /// The mistakes, in the order of the file; those without a place come first.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// The file's name, as it was given to [`parse`](super::parse).
    pub fn file_name(&self) -> &str {
        &self.source.file_name
    }

    /// The mistakes as text that ends with a line break, with ANSI colours or without.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
        let shown = self.list.iter().take(MOST_SHOWN);
        let mut parts: Vec<String> = shown.map(|diagnostic| self.render_one(diagnostic, &renderer)).collect();
        match self.list.len().saturating_sub(MOST_SHOWN) {
            0 => {}
            1 => parts.push("… and one more mistake".to_string()),
            more => parts.push(format!("… and {more} more mistakes")),
        }
        parts.join("\n\n") + "\n"
    }

    fn render_one(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let Source { file_name, text } = &self.source;
        let title = Level::ERROR.primary_title(wrap(&diagnostic.message, "error: "));
        let mut group = match &diagnostic.span {
            Some(span) => title.element(
                Snippet::source(&**text)
                    .path(&**file_name)
                    .annotation(AnnotationKind::Primary.span(shown_span(text, span))),
            ),
            None => title.element(Origin::path(&**file_name)),
        };
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(wrap(help, "    = help: ")));
        }
        let rendered = renderer.render(&[group]);
        // The gutter leaves blanks at the ends of lines.
        let lines: Vec<&str> = rendered.lines().map(str::trim_end).collect();
        lines.join("\n")
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

/// The part of a span that is shown: whole characters of its first line only, for a caret under fifty lines of a list
/// tells nobody anything.
fn shown_span(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor(text, span.start);
    let end = floor(text, span.end.max(start));
    let first_line = text[start..end].find(['\n', '\r']).map_or(end, |length| start + length);
    start..first_line
}

fn floor(text: &str, mut index: usize) -> usize {
    index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// Breaks a text between words, so that its lines fit beside what stands before them. What stands in backquotes stays on
/// one line, to be copied.
fn wrap(text: &str, before: &str) -> String {
    let width = WIDTH - before.len();
    let mut wrapped = String::new();
    let mut column = 0;
    let mut in_code = false;
    for word in text.split(|c| {
        in_code ^= c == '`';
        c == ' ' && !in_code
    }) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostics(text: &str, list: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics::new(Source { file_name: "buedafab.toml".into(), text: text.into() }, list)
    }

    fn one(text: &str, span: Option<Range<usize>>) -> String {
        let diagnostic = Diagnostic { message: "no".into(), span, help: Some("yes".into()) };
        diagnostics(text, vec![diagnostic]).to_string()
    }

    #[test]
    fn looks_like_rustc() {
        insta::assert_snapshot!(one("a = 1\nb = 2\n", Some(6..7)), @"
        error: no
         --> buedafab.toml:2:1
          |
        2 | b = 2
          | ^
          |
          = help: yes
        ");
    }

    #[test]
    fn nothing_to_point_at() {
        insta::assert_snapshot!(one("a = 1\n", None), @"
        error: no
        --> buedafab.toml
         = help: yes
        ");
    }

    #[test]
    fn only_the_first_line_of_a_long_value_is_underlined() {
        insta::assert_snapshot!(one("a = [\n  1,\n  2,\n]\n", Some(4..16)), @"
        error: no
         --> buedafab.toml:1:5
          |
        1 | a = [
          |     ^
          |
          = help: yes
        ");
    }

    #[test]
    fn a_long_line_is_cut_and_long_words_are_wrapped() {
        let text = format!("variables = {{ A = \"{}\", B = 1 }}\n", "x".repeat(100));
        let span = text.len() - 4..text.len() - 3;
        let message = "many words ".repeat(12).trim_end().to_string();
        let help = Some("more words than fit into one line of help ".repeat(3).trim_end().to_string());
        let list = vec![Diagnostic { message, span: Some(span), help }];
        insta::assert_snapshot!(diagnostics(&text, list), @r#"
        error: many words many words many words many words many words many words many
               words many words many words many words many words many words
         --> buedafab.toml:1:127
          |
        1 | ...xxxxxxxxxxxxxxxxxxxxxxxxxxx", B = 1 }
          |                                      ^
          |
          = help: more words than fit into one line of help more words than fit into
                  one line of help more words than fit into one line of help
        "#);
    }

    #[test]
    fn spans_outside_of_the_text_do_no_harm() {
        for span in [(0, 0), (3, 3), (2, 1), (90, 100), (1, 2)] {
            let span = span.0..span.1;
            assert!(one("é\r\n", Some(span.clone())).contains("yes"));
            assert!(one("", Some(span)).contains("yes"));
        }
    }

    #[test]
    fn they_stand_in_the_order_of_the_file_and_not_too_many() {
        let mistake =
            |at: usize| Diagnostic { message: format!("m{at}"), span: Some(at..at + 1), help: None };
        let all = diagnostics("x\n", vec![mistake(3), mistake(1), mistake(1)]);
        assert_eq!(all.iter().map(|d| d.message.as_str()).collect::<Vec<_>>(), ["m1", "m3"]);
        let many = diagnostics("x\n", (0..30).map(mistake).collect()).render(false);
        assert!(many.ends_with("\n\n… and 10 more mistakes\n"));
        assert!(!many.contains('\u{1b}'));
        assert!(all.render(true).contains('\u{1b}'));
    }
}
