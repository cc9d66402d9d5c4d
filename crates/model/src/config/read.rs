//! From a parsed table to a typed one, with every mistake that can be found on the way.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use super::area::{AreaLayer, Described};
use super::areas::{HooksLayer, LocalHooksLayer, reference};
use super::diagnostics::Diagnostic;
use super::former::former;
use super::mistake::{Mistake, quoted};
use super::nearest::{nearest, one_of};

/// Serde gives up at the first mistake. So the entry with the mistake is taken out and the rest is read again; this
/// often at most, because each time costs as much as the first.
const MOST_MISTAKES: usize = 20;

/// Takes the keys of an area out of a table and reads them. Whatever is wrong is added to the diagnostics, and the keys
/// whose values are missed by it to the unread ones.
pub(super) fn read_keys<'i, T: AreaLayer>(
    table: &mut DeTable<'i>,
    span: &Range<usize>,
    text: &str,
    unread: &mut BTreeSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> T {
    let names = T::keys().into_iter().map(|setting| setting.name);
    let mut own: DeTable<'i> = names.filter_map(|name| table.remove_entry(name)).collect();
    for _ in 0..MOST_MISTAKES {
        let value = Spanned::new(span.clone(), DeValue::Table(own.clone()));
        let error = match T::deserialize(ValueDeserializer::from(value)) {
            Ok(read) => return read,
            Err(error) => error,
        };
        let path = error.span().and_then(|span| locate_in_table(&own, &span)).unwrap_or_default();
        diagnostics.push(explain(&error, &path, &own, text));
        if let Some(Step::Key(key)) = path.first()
            && (path.len() == 1 || !(is_list_of_tables(key) || is_named_table(key)))
        {
            unread.insert(key.clone());
        }
        if !take_out(&mut own, &path) {
            break;
        }
    }
    T::default()
}

/// Refuses what is left of a table when every area has taken its keys.
pub(super) fn refuse_unknown(
    table: &DeTable<'_>,
    unread: &mut BTreeSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for key in table.keys() {
        let names = settings();
        unread.extend(nearest(key.get_ref(), names.iter().map(String::as_str)).map(str::to_string));
        let path = [Step::Key(key.get_ref().to_string())];
        diagnostics.push(Diagnostic::at(&key.span(), unknown_key(key.get_ref(), &path, &names)));
    }
}

/// The names of all settings.
fn settings() -> Vec<String> {
    reference().into_iter().flat_map(|area| area.settings).map(|setting| setting.name.to_string()).collect()
}

/// Nobody reads a longer list of right names than this.
const MOST_TOLD: usize = 12;

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The way to the deepest entry whose key or value has this span.
fn locate_in_table(table: &DeTable<'_>, span: &Range<usize>) -> Option<Vec<Step>> {
    table.iter().find_map(|(key, value)| {
        let step = Step::Key(key.get_ref().to_string());
        if key.span() == *span {
            return Some(vec![step]);
        }
        locate_in_value(value, span, step)
    })
}

fn locate_in_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>, step: Step) -> Option<Vec<Step>> {
    let deeper = match value.get_ref() {
        DeValue::Table(table) => locate_in_table(table, span),
        DeValue::Array(list) => {
            list.iter().enumerate().find_map(|(index, item)| locate_in_value(item, span, Step::Index(index)))
        }
        _ => None,
    };
    let here = || (value.span().start <= span.start && span.end <= value.span().end).then(Vec::new);
    let mut path = deeper.or_else(here)?;
    path.insert(0, step);
    Some(path)
}

fn value_at<'t, 'i>(table: &'t DeTable<'i>, path: &[Step]) -> Option<&'t Spanned<DeValue<'i>>> {
    let (first, rest) = path.split_first()?;
    let Step::Key(key) = first else { return None };
    let mut value = table.get(key.as_str())?;
    for step in rest {
        value = match step {
            Step::Key(key) => value.get_ref().get(key.as_str())?,
            Step::Index(index) => value.get_ref().get(*index)?,
        };
    }
    Some(value)
}

/// Takes out the smallest entry with the mistake that isn't missed by what is around it: a key of a table, or one of many
/// hosts, notifications, tasks or services. A list with a gap, or a host without its name, would only look like another mistake.
fn take_out(table: &mut DeTable<'_>, path: &[Step]) -> bool {
    match path {
        [Step::Key(tables), Step::Index(index), ..] if is_list_of_tables(tables) => {
            let Some(DeValue::Array(list)) = table.get_mut(tables.as_str()).map(Spanned::get_mut) else {
                return false;
            };
            let before = list.len();
            let kept =
                std::mem::replace(list, DeArray::new()).into_iter().enumerate().filter(|(at, _)| at != index);
            *list = kept.map(|(_, entry)| entry).collect();
            list.len() < before
        }
        [Step::Key(tables), Step::Key(name), ..] if is_named_table(tables) => {
            match table.get_mut(tables.as_str()).map(Spanned::get_mut) {
                Some(DeValue::Table(inner)) => inner.remove(name.as_str()).is_some(),
                _ => false,
            }
        }
        [Step::Key(key), deeper @ ..] => {
            if let ([Step::Key(_), ..], Some(DeValue::Table(inner))) =
                (deeper, table.get_mut(key.as_str()).map(Spanned::get_mut))
            {
                return take_out(inner, deeper);
            }
            table.remove(key.as_str()).is_some()
        }
        _ => false,
    }
}

/// Whether a key holds a list of which each entry stands for itself.
fn is_list_of_tables(key: &str) -> bool {
    matches!(key, "hosts" | "notify")
}

/// Whether a key holds tables by names of the project's own, some of whose keys have to be there.
fn is_named_table(key: &str) -> bool {
    matches!(key, "tasks" | "services")
}

/// Puts an error of serde's into the words of this program.
fn explain(error: &toml::de::Error, path: &[Step], table: &DeTable<'_>, text: &str) -> Diagnostic {
    let span = error.span();
    let message = error.message();
    let key = path.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    let key = key.unwrap_or_default();
    if let Some(mistake) = Mistake::from_message(message) {
        let span = span.map(|span| narrow(span, mistake.within.as_ref(), text));
        return Diagnostic { message: mistake.message, span, help: mistake.help };
    }
    let mistake = if message.starts_with("unknown field ") {
        unknown_key(key, path, &candidates(message))
    } else if let Some(rest) = message.strip_prefix("unknown variant ") {
        let value = rest.split_once(", expected ").map_or(rest, |(value, _)| value).trim_matches('`');
        unknown_choice(key, value, &candidates(message))
    } else if message.starts_with("invalid type: ") {
        wrong_type(key, message, value_at(table, path), text)
    } else if message == "missing field `name`" {
        Mistake::new("this host has no name").help("add `name = \"web1\"`")
    } else if message == "missing field `run`" {
        Mistake::new("this task runs nothing").help("add `run = \"…\"`, a shell command")
    } else if let Some(missing) = message.strip_prefix("missing field ") {
        Mistake::new(format!("`{key}` needs {missing}"))
    } else {
        Mistake::new(message)
    };
    Diagnostic { message: mistake.message, span, help: mistake.help }
}

/// The names that serde expected: "…, expected `a` or `b`", "…, expected one of `a`, `b`, `c`".
fn candidates(message: &str) -> Vec<String> {
    let expected = message.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    expected.split('`').skip(1).step_by(2).map(str::to_string).collect()
}

/// Whether this is a key of these.
fn has_key<T: Described>(key: &str) -> bool {
    T::keys().iter().any(|setting| setting.name == key)
}

/// Besides a slip of the keyboard, the usual reason is the right key in the wrong table: TOML has no way back to the top
/// level once a table has begun.
fn unknown_key(key: &str, path: &[Step], known: &[String]) -> Mistake {
    let in_hooks = path.first() == Some(&Step::Key("hooks".to_string())) && path.len() > 1;
    let in_host = path.iter().any(|step| matches!(step, Step::Index(_)));
    let table = match path {
        [Step::Key(tables), _, _, ..] if is_named_table(tables) => Some(tables.trim_end_matches('s')),
        _ => None,
    };
    let in_task = table.is_some();
    let message = match (in_host, in_hooks) {
        _ if in_task => format!("a {} has no key {}", table.unwrap_or_default(), quoted(key)),
        (true, _) => {
            let of = match path {
                [Step::Key(list), _, Step::Key(service), _, ..] if list == "notify" => quoted(service),
                [Step::Key(list), ..] if list == "notify" => "a notification".to_owned(),
                _ => "a host".to_owned(),
            };
            format!("{of} has no key {}", quoted(key))
        }
        (_, true) => format!("unknown hook {}", quoted(key)),
        _ => format!("unknown setting {}", quoted(key)),
    };
    if let (Some(instead), [_]) = (former(key), path) {
        let message = format!("{} belongs to buedafab on Fabric, and isn't a setting", quoted(key));
        return Mistake::new(message).help(instead);
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = if let Some(right) = nearest(key, known.iter().copied()) {
        format!("did you mean `{right}`?")
    } else if in_hooks && settings().iter().any(|name| name == key) {
        format!("`{key}` isn't a hook: write it above the first line in square brackets")
    } else if !in_host && !in_task && has_key::<LocalHooksLayer>(key) {
        format!("`{key}` runs on your own machine: write it below `[hooks.local]`")
    } else if !in_host && !in_task && has_key::<HooksLayer>(key) {
        format!("`{key}` is a hook: write it below `[hooks]`")
    } else if known.len() > MOST_TOLD {
        "`buedafab config` shows all that there are".to_string()
    } else {
        format!("write {}", one_of(known))
    };
    Mistake::new(message).help(help)
}

fn unknown_choice(key: &str, value: &str, known: &[String]) -> Mistake {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = super::nearest::did_you_mean(value, known);
    Mistake::new(format!("`{key}` can't be {}", quoted(value))).help(help)
}

fn wrong_type(key: &str, message: &str, found: Option<&Spanned<DeValue<'_>>>, text: &str) -> Mistake {
    let expected = match message.rsplit_once(", expected ").map_or("", |(_, expected)| expected) {
        "a sequence" => "a list",
        "a map" => "a table",
        "a boolean" => "`true` or `false`",
        expected if expected.starts_with("struct ") => "a table",
        expected => expected,
    };
    let kind = match found.map(Spanned::get_ref) {
        Some(DeValue::String(_)) => "a string",
        Some(DeValue::Integer(_)) => "a whole number",
        Some(DeValue::Float(_)) => "a decimal number",
        Some(DeValue::Boolean(_)) => "a boolean",
        Some(DeValue::Datetime(_)) => "a date or time",
        Some(DeValue::Array(_)) => "a list",
        Some(DeValue::Table(_)) => "a table",
        None => "this",
    };
    let mistake = Mistake::new(format!("`{key}` takes {expected}, not {kind}"));
    if (key, kind) == ("notify", "a table") {
        return mistake.help("write two pairs of brackets: `[[notify]]`");
    }
    let raw =
        found.and_then(|value| text.get(value.span())).filter(|raw| raw.len() < 40 && !raw.contains('\n'));
    match (expected, kind, raw) {
        ("a string", "a whole number" | "a decimal number" | "a boolean" | "a date or time", Some(raw)) => {
            mistake.help(format!("put it in quotes: `\"{raw}\"`"))
        }
        ("a list", "a string" | "a whole number" | "a table", Some(raw)) => {
            mistake.help(format!("put it in square brackets: `[{raw}]`"))
        }
        ("a whole number" | "`true` or `false`", "a string", Some(raw)) => {
            match raw.trim_matches(['"', '\'']) {
                plain if matches!(plain, "true" | "false") || plain.parse::<u32>().is_ok() => {
                    mistake.help(format!("write it without quotes: `{plain}`"))
                }
                _ => mistake,
            }
        }
        _ => mistake,
    }
}

/// The guilty part of a string, where its text stands in the file just as it is meant: between one pair of quotes, without
/// escapes. Otherwise all of it.
fn narrow(span: Range<usize>, within: Option<&Range<usize>>, text: &str) -> Range<usize> {
    let (Some(within), Some(raw)) = (within, text.get(span.clone())) else { return span };
    // A key needs no quotes.
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = match quote {
        Some(quote) => raw.strip_prefix(quote).and_then(|raw| raw.strip_suffix(quote)).unwrap_or_default(),
        None => raw,
    };
    if inner.contains(['\\', '"', '\'']) || within.is_empty() || within.end > inner.len() {
        return span;
    }
    let start = span.start + quote.map_or(0, char::len_utf8);
    start + within.start..start + within.end
}
