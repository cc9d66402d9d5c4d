//! Text of others, made fit to be shown.

use super::mask::mask_urls;

/// The first line of a text, without control characters, at most sixty characters long.
pub fn one_line(text: &str) -> String {
    line_of(text, 60)
}

/// The same, at most so many characters long.
pub fn line_of(text: &str, most: usize) -> String {
    let mut lines = text.trim().lines();
    // Of credentials that are cut in the middle nobody could tell what they are.
    let first = mask_urls(lines.next().unwrap_or_default());
    let clean: String = first.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let short: String = clean.chars().take(most).collect();
    if short.len() < clean.len() || lines.next().is_some() { format!("{short} …") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_shows_no_credentials() {
        let url = format!("https://ada:{}@example.com/five", "x".repeat(80));
        assert_eq!(one_line(&format!(" curl\t{url}\nsecond")), "curl https://********@example.com/five …");
        assert_eq!(one_line(&"a".repeat(61)), format!("{} …", "a".repeat(60)));
        assert_eq!(one_line("uptime\n"), "uptime");
    }
}
