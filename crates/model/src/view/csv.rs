//! Tables for other programs: RFC 4180, with a line feed at the end of a line.

/// A line of these cells. One that a spreadsheet would take for a formula is made a text.
pub fn csv_line<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cell = |cell: &str| {
        let is_number = cell.parse::<f64>().is_ok();
        let cell = match cell.chars().next() {
            Some('=' | '+' | '-' | '@' | '\t' | '\r') if !is_number => format!("'{cell}"),
            _ => cell.to_owned(),
        };
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    cells.into_iter().map(cell).collect::<Vec<String>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_text_whatever_is_in_it() {
        let cells = ["web1", "a, b", "say \"no\"", "two\nlines", "=1+1", "-3", "@SUM", "", "é"];
        assert_eq!(csv_line(cells), "web1,\"a, b\",\"say \"\"no\"\"\",\"two\nlines\",'=1+1,-3,'@SUM,,é\n");
    }
}
