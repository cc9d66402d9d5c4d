//! Columns that line up.

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::on_one_line;

/// Rows of cells; each column is as wide as its widest cell.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a row. A cell is one line, whatever it says.
    pub fn row<I: IntoIterator<Item = S>, S: AsRef<str>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().map(|cell| on_one_line(cell.as_ref()).into_owned()).collect());
    }

    /// The rows below their heads, which are the first row; or where they are wider than so many columns, each row as a block of
    /// lines below its first cell.
    pub fn render_within(&self, columns: usize) -> String {
        let text = self.render("");
        let Some((heads, rows)) = self.rows.split_first() else { return text };
        if text.lines().all(|line| line.width() <= columns) {
            return text;
        }
        let mut text = String::new();
        for row in rows {
            let mut block = Table::default();
            for (head, cell) in heads.iter().zip(row).skip(1) {
                block.row([head, cell]);
            }
            text.push_str(row.first().map_or("", String::as_str));
            text.push('\n');
            text.push_str(&block.render("  "));
        }
        text
    }

    /// The rows as lines, each behind `indent`, without blanks at their ends.
    pub fn render(&self, indent: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for (cell, width) in row.iter().zip(&widths) {
                // `format!` counts letters, and some take two columns, others none.
                line.push_str(&format!("{cell}{:1$}  ", "", width - cell.width()));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// How long ago something was, in the largest unit that fits: `12 s ago`, `3 h ago`, `5 d ago`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        ..0 => "in the future".to_owned(),
        0..90 => format!("{seconds} s ago"),
        90..5_400 => format!("{} min ago", seconds / 60),
        5_400..129_600 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_clean() {
        let mut table = Table::default();
        table.row(["web1", "v0.1.0", ""]);
        table.row(["jobs-one", "–", "drift"]);
        assert_eq!(table.render("  "), "  web1      v0.1.0\n  jobs-one  –       drift\n");
    }

    #[test]
    fn what_is_too_wide_for_a_row_is_a_block() {
        let mut table = Table::default();
        table.row(["host", "live", "since"]);
        table.row(["web1", "v0.1.0", "3 h ago"]);
        table.row(["web2", "unreachable"]);
        assert_eq!(table.render_within(80), table.render(""));
        insta::assert_snapshot!(table.render_within(20), @"
        web1
          live   v0.1.0
          since  3 h ago
        web2
          live  unreachable
        ");
    }

    #[test]
    fn letters_of_two_columns_and_of_none_line_up_too() {
        let mut table = Table::default();
        table.row(["host", "live", "by"]);
        table.row(["東京-web", "v1.0.0-春", "ada"]);
        table.row(["web2", "v1.0.0", "re\u{301}my"]);
        table.row(["東京-db", "–", "✓"]);
        insta::assert_snapshot!(table.render(""), @r"
        host      live       by
        東京-web  v1.0.0-春  ada
        web2      v1.0.0     rémy
        東京-db   –          ✓
        ");
    }

    #[test]
    fn ages_use_the_largest_unit() {
        let at = |seconds| Timestamp::from_second(seconds).expect("in range");
        let cases = [
            (5, "5 s ago"),
            (120, "2 min ago"),
            (7_300, "2 h ago"),
            (200_000, "2 d ago"),
            (-5, "in the future"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(ago(at(1_000_000), at(1_000_000 + seconds)), expected);
        }
    }
}
