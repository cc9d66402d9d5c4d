//! Many host names in one text: `web[1:3].example.com`, `db[a:c]`, `web[01:20]`.
//!
//! Stricter than what Ansible takes for a range (`host/inventory/ansible/ranges.rs`), whose inventories are read by its own rules: what
//! may be a slip of the finger is a mistake here, with its place in the file, and every bracket is one of a range.

use crate::config::mistake::{Mistake, quoted};

/// No text stands for more hosts than this: a slip of the finger should not fill the memory.
pub(in crate::config) const MOST_HOSTS: usize = 10_000;

/// A host's name with any number of ranges in it. Knows that what it expands to are names that a host can have, and that
/// they are not too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Pattern(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Text(String),
    Numbers { first: u64, last: u64, width: usize },
    Letters { first: char, last: char },
}

impl Segment {
    fn len(&self) -> usize {
        match self {
            Segment::Text(_) => 1,
            Segment::Numbers { first, last, width: _ } => {
                usize::try_from(last - first).unwrap_or(usize::MAX).saturating_add(1)
            }
            Segment::Letters { first, last } => (*first..=*last).count(),
        }
    }

    fn texts(&self) -> Vec<String> {
        match self {
            Segment::Text(text) => vec![text.clone()],
            Segment::Numbers { first, last, width } => {
                (*first..=*last).map(|number| format!("{number:0width$}")).collect()
            }
            Segment::Letters { first, last } => (*first..=*last).map(String::from).collect(),
        }
    }
}

impl Pattern {
    /// One host whose name is this very text.
    pub(in crate::config) fn literal(text: &str) -> Self {
        Pattern(vec![Segment::Text(text.to_string())])
    }

    /// Reads a name with ranges. A leading `[::1]` is an IPv6 address and no range.
    pub(in crate::config) fn parse(text: &str) -> Result<Self, Mistake> {
        check_characters(text)?;
        let mut segments = Vec::new();
        let mut at = ipv6_prefix(text).map_or(0, |inner| inner.len() + 2);
        segments.push(Segment::Text(text[..at].to_string()));
        while let Some(found) = text[at..].find(['[', ']']) {
            let open = at + found;
            if text[open..].starts_with(']') {
                return Err(Mistake::new("a `]` without its `[`").within(open..open + 1).help(HOW));
            }
            let Some(length) = text[open..].find(']') else {
                return Err(Mistake::new("a `[` without its `]`").within(open..open + 1).help(HOW));
            };
            let close = open + length;
            segments.push(Segment::Text(text[at..open].to_string()));
            segments.push(range(&text[open + 1..close]).map_err(|mistake| mistake.within(open..close + 1))?);
            at = close + 1;
        }
        segments.push(Segment::Text(text[at..].to_string()));
        segments.retain(|segment| !matches!(segment, Segment::Text(text) if text.is_empty()));
        let pattern = Pattern(segments);
        match pattern.len() {
            count if count > MOST_HOSTS => Err(too_many()),
            _ => Ok(pattern),
        }
    }

    /// How many names it stands for.
    pub(in crate::config) fn len(&self) -> usize {
        self.0.iter().fold(1, |count: usize, segment| count.saturating_mul(segment.len()))
    }

    /// All the names, the last range running fastest.
    pub(in crate::config) fn expand(&self) -> Vec<String> {
        let mut names = vec![String::new()];
        for segment in &self.0 {
            let texts = segment.texts();
            let longer = |name: &String| texts.iter().map(|text| format!("{name}{text}")).collect::<Vec<_>>();
            names = names.iter().flat_map(longer).collect();
        }
        names
    }
}

const HOW: &str = "ranges look like `web[1:3]`, `web[01:20]` or `db[a:c]`";

/// The address in a text that begins with an IPv6 address in brackets. A range has one colon, an address two or more.
pub(in crate::config) fn ipv6_prefix(text: &str) -> Option<&str> {
    let (inner, _) = text.strip_prefix('[')?.split_once(']')?;
    let plain = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let address = inner.split_once('%').map_or(inner, |(address, _zone)| address);
    (address.matches(':').count() >= 2 && address.chars().all(plain)).then_some(inner)
}

/// Hosts too many to be meant.
pub(in crate::config) fn too_many() -> Mistake {
    Mistake::new("these are more than 10,000 hosts").help("is there a digit too many?")
}

fn check_characters(text: &str) -> Result<(), Mistake> {
    if text.is_empty() {
        return Err(Mistake::new("a host needs a name"));
    }
    if text.starts_with('-') {
        return Err(Mistake::new("ssh would take this host for an option")
            .within(0..1)
            .help("a host's name can't begin with `-`"));
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '{' | '}' | '@' | '/');
    let Some((at, c)) = text.char_indices().find(|&(_, c)| odd(c)) else { return Ok(()) };
    let mistake = Mistake::new(format!("{} can't stand in a host's name", quoted(&c.to_string())))
        .within(at..at + c.len_utf8());
    Err(match c {
        '{' | '}' => mistake.help(HOW),
        ',' | ' ' => mistake.help("write every host as a string of its own: `[\"web1\", \"web2\"]`"),
        '@' => mistake.help("the user has a key of its own: `user = \"deploy\"`"),
        _ => mistake,
    })
}

/// What stands between the brackets.
fn range(text: &str) -> Result<Segment, Mistake> {
    let bad = || Mistake::new(format!("{} isn't a range", quoted(&format!("[{text}]")))).help(HOW);
    let reversed = |first: &str, last: &str| {
        Mistake::new(format!("{} runs backwards", quoted(&format!("[{text}]"))))
            .help(format!("write `[{last}:{first}]`"))
    };
    let (first, last) = text.split_once(':').ok_or_else(bad)?;
    if let (Some(a), Some(b)) = (letter(first), letter(last)) {
        if a.is_ascii_lowercase() != b.is_ascii_lowercase() {
            return Err(bad());
        }
        if a > b {
            return Err(reversed(first, last));
        }
        return Ok(Segment::Letters { first: a, last: b });
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse::<u64>().map_err(|_| too_many()) } else { Err(bad()) }
    };
    let (a, b) = (number(first)?, number(last)?);
    let padded = |text: &str| text.len() > 1 && text.starts_with('0');
    let width = match padded(first) || padded(last) {
        false => 0,
        true if first.len() == last.len() => first.len(),
        true => {
            return Err(Mistake::new(format!(
                "the ends of {} differ in width",
                quoted(&format!("[{text}]"))
            ))
            .help("write as many digits at either end: `[01:20]`, `[001:100]`"));
        }
    };
    if a > b {
        return Err(reversed(first, last));
    }
    Ok(Segment::Numbers { first: a, last: b, width })
}

fn letter(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(char::is_ascii_alphabetic).filter(|_| chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match Pattern::parse(text) {
            Ok(pattern) => pattern.expand().join(" "),
            Err(Mistake { message, within: Some(within), .. }) => format!("{within:?} {message}"),
            Err(mistake) => mistake.message,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn ranges_expand() {
        check("web1", "web1");
        check("web[1:3].example.com", "web1.example.com web2.example.com web3.example.com");
        check("web[9:11]", "web9 web10 web11");
        check("web[08:10]", "web08 web09 web10");
        check("web[0:1]", "web0 web1");
        check("web[00:01]", "web00 web01");
        check("db[a:c]", "dba dbb dbc");
        check("[A:B]", "A B");
        check("r[1:2]n[a:b]", "r1na r1nb r2na r2nb");
        check("[1:2][3:3]", "13 23");
        check("[::1]", "[::1]");
        check("[fe80::1%eth0]x[1:2]", "[fe80::1%eth0]x1 [fe80::1%eth0]x2");
        check("[1:1]", "1");
    }

    #[test]
    fn mistakes_are_pointed_at() {
        check("", "a host needs a name");
        check("web[3:1]", "3..8 `[3:1]` runs backwards");
        check("web[c:a]", "3..8 `[c:a]` runs backwards");
        check("web[1:3", "3..4 a `[` without its `]`");
        check("web1]", "4..5 a `]` without its `[`");
        check("web[]", "3..5 `[]` isn't a range");
        check("web[1-3]", "3..8 `[1-3]` isn't a range");
        check("web[1,3]", "5..6 `,` can't stand in a host's name");
        check("web[a:3]", "3..8 `[a:3]` isn't a range");
        check("web[a:C]", "3..8 `[a:C]` isn't a range");
        check("web[1:2:3]", "3..10 `[1:2:3]` isn't a range");
        check("web[+1:3]", "3..9 `[+1:3]` isn't a range");
        check("web[01:100]", "3..11 the ends of `[01:100]` differ in width");
        check("web[1:03]", "3..9 the ends of `[1:03]` differ in width");
        check("web{1..3}", "3..4 `{` can't stand in a host's name");
        check("-web", "0..1 ssh would take this host for an option");
        check("web 1", "3..4 ` ` can't stand in a host's name");
        check("wéb\n", "4..5 `\\n` can't stand in a host's name");
    }

    #[test]
    fn a_slip_of_the_finger_does_not_fill_the_memory() {
        assert_eq!(Pattern::parse("web[1:10000]").expect("just as many as are allowed").len(), 10_000);
        for text in
            ["web[1:10001]", "r[1:101]n[1:100]", "[0:18446744073709551615]", "[1:99999999999999999999]"]
        {
            assert!(Pattern::parse(text).expect_err(text).message.contains("10,000"));
        }
        let steep = "[0:18446744073709551615]".repeat(40);
        assert!(Pattern::parse(&steep).is_err());
    }

    proptest! {
        #[test]
        fn as_many_names_as_promised_and_none_twice(a in 0u64..300, more in 0u64..30, pad in any::<bool>(), c in b'a'..b'm', d in b'n'..b'z') {
            let (b, width) = (a + more, if pad { 4 } else { 0 });
            let pattern = Pattern::parse(&format!("n[{a:0width$}:{b:0width$}]-[{}:{}].x", c as char, d as char)).unwrap();
            let names = pattern.expand();
            prop_assert_eq!(names.len(), pattern.len());
            prop_assert_eq!(names.len() as u64, (more + 1) * u64::from(d - c + 1));
            prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
            if pad {
                prop_assert!(names.iter().all(|name| name.len() == "n0000-a.x".len()));
            }
        }

        #[test]
        fn no_text_is_too_odd(text in r"[\[\]:0-9a-c%é-]{0,30}|.*") {
            if let Ok(pattern) = Pattern::parse(&text) {
                prop_assert_eq!(pattern.expand().len(), pattern.len());
            }
        }
    }
}
