//! Ranges in names, as Ansible writes them: `web[01:50]`, `[a:f]`, `db[1:9:2]`.

use super::MOST_LISTED;

/// All names that a pattern stands for.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, range, after)) = next_range(rest) {
        let texts = texts_of(range)?;
        if names.len().saturating_mul(texts.len()) > MOST_LISTED {
            return Err(format!("{pattern} stands for more than {MOST_LISTED} hosts"));
        }
        names = names
            .iter()
            .flat_map(|name| texts.iter().map(move |text| format!("{name}{before}{text}")))
            .collect();
        rest = after;
    }
    Ok(names.into_iter().map(|name| format!("{name}{rest}")).collect())
}

/// What stands before the next range, in it, and after it. Brackets around an address are none.
fn next_range(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('[')?;
    let close = open + text[open..].find(']')?;
    let inner = &text[open + 1..close];
    inner.contains(':').then_some((&text[..open], inner, &text[close + 1..]))
}

fn texts_of(range: &str) -> Result<Vec<String>, String> {
    let wrong = |why: &str| Err(format!("[{range}] {why}"));
    let parts: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match parts.as_slice() {
        [first, last] => (*first, *last, 1),
        [first, last, step] => match step.parse::<usize>() {
            Ok(step) if step > 0 => (*first, *last, step),
            _ => return wrong("has a step that is no number"),
        },
        _ => return wrong("isn't a range"),
    };
    let first = if first.is_empty() { "0" } else { first };
    if let ([a], [b]) = (first.as_bytes(), last.as_bytes())
        && a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
    {
        if a > b {
            return wrong("runs backwards");
        }
        return Ok((*a..=*b).step_by(step).map(|letter| char::from(letter).to_string()).collect());
    }
    let (Ok(from), Ok(to)) = (first.parse::<usize>(), last.parse::<usize>()) else {
        return wrong("isn't a range");
    };
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    if width > 0 && width != last.len() {
        return wrong("has ends of different width");
    }
    if from > to {
        return wrong("runs backwards");
    }
    if (to - from) / step >= MOST_LISTED {
        return wrong("stands for too many hosts");
    }
    Ok((from..=to).step_by(step).map(|number| format!("{number:0width$}")).collect())
}
