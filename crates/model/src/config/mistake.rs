//! What is wrong with one text, before anybody knows where in the file it stands.

use std::fmt;
use std::ops::Range;

use serde::de::Visitor;
use serde::{Deserialize, Serialize};

/// Why a text can't be what it was meant to be, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mistake {
    /// Lower case, no full stop.
    pub(super) message: String,
    /// What to write instead.
    pub(super) help: Option<String>,
    /// The guilty bytes of the text, counted from its start. `None`: all of it.
    pub(super) within: Option<Range<usize>>,
}

/// No message of serde's own begins with this character.
const MARK: char = '\u{1}';

impl Mistake {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Mistake { message: message.into(), help: None, within: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn within(mut self, within: Range<usize>) -> Self {
        self.within = Some(within);
        self
    }

    /// Hands the mistake to serde. Its errors carry one text and nothing else, so all of it travels in there and
    /// [`Mistake::from_message`] takes it out again on the other side of the deserializer.
    pub(super) fn into_error<E: serde::de::Error>(self) -> E {
        match serde_json::to_string(&self) {
            Ok(json) => E::custom(format_args!("{MARK}{json}")),
            Err(_) => E::custom(self.message),
        }
    }

    /// The mistake in an error's message, if it came from here.
    pub(super) fn from_message(message: &str) -> Option<Mistake> {
        serde_json::from_str(message.strip_prefix(MARK)?).ok()
    }
}

/// A text in a message: in backquotes, with control characters escaped, and cut when it is long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.push('`');
    shown
}

/// Reads a string as some type. It fails inside of a visitor, which is where the deserializer of TOML still knows the span
/// of the very string; one step further out it only knows the span of the list around it.
pub(super) struct TextVisitor<F>(pub(super) F);

impl<T, F: FnOnce(&str) -> Result<T, Mistake>> Visitor<'_> for TextVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        self.0(text).map_err(Mistake::into_error)
    }
}

/// Implements `Deserialize` for a type that is typed as a string and checked by its `FromStr<Err = Mistake>`.
macro_rules! typed_as_text {
    ($($type:ty),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::config::mistake::TextVisitor(str::parse::<Self>))
            }
        }
    )*};
}
pub(super) use typed_as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_survives_serde() {
        let mistake = Mistake::new("bad \"x\"\n").help("good").within(1..2);
        let error: serde::de::value::Error = mistake.clone().into_error();
        assert_eq!(Mistake::from_message(&error.to_string()), Some(mistake));
        assert_eq!(Mistake::from_message("unknown field `x`"), None);
    }

    #[test]
    fn quoted_texts_stay_on_one_short_line() {
        assert_eq!(quoted("a\nb\u{1b}[1m"), r"`a\nb\u{1b}[1m`");
        assert_eq!(quoted(&"x".repeat(90)).chars().count(), 43);
    }
}
