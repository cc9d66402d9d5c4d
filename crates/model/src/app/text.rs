//! Text of others, made fit to be shown.

/// The first line of a text, without control characters, at most sixty characters long.
pub fn one_line(text: &str) -> String {
    let first = text.trim().lines().next().unwrap_or_default();
    let clean: String = first.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let short: String = clean.chars().take(60).collect();
    if short.len() < clean.len() || first.len() < text.trim().len() { format!("{short} …") } else { short }
}
