//! Sentences and lists, as all pages write them.

pub(crate) const WIDTH: usize = 100;

/// Sentences, broken so that a terminal can show them.
pub(crate) fn paragraph(text: &str) -> String {
    wrap(text, "", "")
}

pub(crate) fn list_item(text: &str) -> String {
    wrap(text, "- ", "  ")
}

fn wrap(text: &str, first: &str, rest: &str) -> String {
    let mut lines = String::from(first);
    let mut width = first.len();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !is_empty && width + 1 + length > WIDTH {
            lines.push('\n');
            lines.push_str(rest);
            width = rest.len();
        } else if !is_empty {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
        is_empty = false;
    }
    lines.push('\n');
    lines
}
