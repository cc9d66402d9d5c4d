//! What a setting means, whether it is written or not: its default, as data.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::Value;

use super::areas::Layer;
use super::at::At;
use super::diagnostics::Diagnostic;
use super::lineage::Lineage;
use super::mistake::Mistake;
use super::show::Valued;
use crate::host::inventory::Answers;
use crate::names::{EnvironmentName, Unit};

/// Settings whose defaults serve as well, where they couldn't be read, to check others against.
const ANY_WILL_DO: [&str; 3] = ["unit", "path", "deployment_type"];

/// All that was written for one environment, and what turned out to be wrong with it.
///
/// The meaning of each setting is a function of this alone, so a setting that rests on another asks for it, whichever area
/// that belongs to and in whatever order: `AppLayer::unit(written)`.
pub(super) struct Written<'a> {
    pub(super) lineage: &'a Lineage,
    /// What stands in the environment and those that it extends.
    pub(super) own: &'a Layer,
    /// The same over the top level.
    pub(super) all: &'a Layer,
    /// What those have answered who know hosts; nothing, where nobody was asked.
    pub(super) answers: &'a Answers,
    mistakes: RefCell<Vec<Diagnostic>>,
    /// Whether the setting that is resolved rests on one that couldn't be read.
    is_doubtful: Cell<bool>,
}

impl<'a> Written<'a> {
    pub(super) fn new(lineage: &'a Lineage, own: &'a Layer, all: &'a Layer, answers: &'a Answers) -> Self {
        Written { lineage, own, all, answers, mistakes: RefCell::default(), is_doubtful: Cell::new(false) }
    }

    pub(super) fn environment(&self) -> &EnvironmentName {
        self.lineage.environment()
    }

    /// Notes a mistake and goes on, so that all of them are told at once. A setting that others rest on may note its
    /// mistake more than once.
    pub(super) fn note(&self, diagnostic: Diagnostic) {
        let mut mistakes = self.mistakes.borrow_mut();
        if !mistakes.contains(&diagnostic) {
            mistakes.push(diagnostic);
        }
    }

    pub(super) fn note_at(&self, span: &Range<usize>, mistake: Mistake) {
        self.note(Diagnostic::at(span, mistake));
    }

    /// Says that the setting that is resolved rests on this one.
    pub(super) fn rests_on(&self, key: &str) {
        if !ANY_WILL_DO.contains(&key) && self.all.unread.contains(key) {
            self.is_doubtful.set(true);
        }
    }

    /// Resolves one setting. Where it rests on one that couldn't be read, which is a mistake already, nobody knows whether
    /// it is wrong.
    pub(super) fn apart<R>(&self, resolve: impl FnOnce() -> R) -> R {
        let before = self.mistakes.borrow().len();
        self.is_doubtful.set(false);
        let resolved = resolve();
        if self.is_doubtful.get() {
            self.mistakes.borrow_mut().truncate(before);
        }
        resolved
    }

    pub(super) fn mistakes(self) -> Vec<Diagnostic> {
        self.mistakes.into_inner()
    }

    /// The placeholders that have a value in every environment.
    pub(super) fn common<'v>(&'v self, unit: &'v Unit) -> impl Fn(&str) -> Option<&'v str> {
        super::template::common(self.environment(), unit)
    }
}

/// A kind of value as it is typed: what it means by itself, and what becomes of it where two layers have it.
pub(super) trait Typed: Clone {
    type Meaning;

    fn meaning(self) -> Self::Meaning;

    /// This value, which stands above the other. Most replace it.
    fn over(self, _below: Self) -> Self {
        self
    }
}

/// The value of two layers. What only one of them has is kept.
pub(super) fn over<T: Typed>(upper: Option<T>, below: Option<T>) -> Option<T> {
    match (upper, below) {
        (Some(upper), Some(below)) => Some(upper.over(below)),
        (upper, below) => upper.or(below),
    }
}

/// From what was typed, or from nothing, to what is meant.
///
/// A rule always has an answer: after a mistake, which it notes, some value that others can be checked against.
pub(super) trait Rule<T, R> {
    fn resolve(&self, typed: Option<&T>, written: &Written<'_>) -> R;

    /// What holds where nothing is written; `None` where that goes without saying.
    fn default_value(&self) -> Option<DefaultValue>;
}

/// What holds where a setting isn't written: a value, or words, or a value with words about it.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultValue {
    /// The value, where it is the same everywhere.
    pub value: Option<Value>,
    /// What there is to say about it.
    pub words: Option<String>,
}

impl DefaultValue {
    pub(super) fn value(value: Value) -> Option<Self> {
        Some(DefaultValue { value: Some(value), words: None })
    }

    pub(super) fn words(words: impl Into<String>) -> Option<Self> {
        Some(DefaultValue { value: None, words: Some(words.into()) })
    }
}

impl fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, &self.words) {
            (Some(value), Some(words)) => write!(f, "`{value}`, {words}"),
            (Some(value), None) => write!(f, "`{value}`"),
            (None, words) => f.write_str(words.as_deref().unwrap_or("none")),
        }
    }
}

/// One value by default, everywhere.
pub(super) struct Always<D>(pub(super) D);

/// Nothing in a list or a table, by default.
pub(super) struct Empty;

/// No value by default; the words say what happens then.
pub(super) struct Unset(pub(super) &'static str);

/// One value by default in production, another elsewhere.
pub(super) struct InProduction<D> {
    pub(super) value: D,
    pub(super) elsewhere: D,
}

/// One value by default in localhost and development, another elsewhere.
pub(super) struct InPlayground<D> {
    pub(super) value: D,
    pub(super) elsewhere: D,
}

/// A rule whose default needs another word.
pub(super) struct Noted<T>(pub(super) T, pub(super) &'static str);

fn meant<T: Typed>(typed: Option<&T>) -> Option<T::Meaning> {
    typed.cloned().map(T::meaning)
}

impl<T: Typed<Meaning = R>, R: Valued, D: Clone + Into<R>> Rule<T, R> for Always<D> {
    fn resolve(&self, typed: Option<&T>, _: &Written<'_>) -> R {
        meant(typed).unwrap_or_else(|| self.0.clone().into())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value(self.0.clone().into().value())
    }
}

impl<T: Typed<Meaning = R>, R: EmptyValue> Rule<T, R> for Empty {
    fn resolve(&self, typed: Option<&T>, _: &Written<'_>) -> R {
        meant(typed).unwrap_or_default()
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value(R::empty_value())
    }
}

/// A list or a table, which may be empty.
pub(super) trait EmptyValue: std::default::Default {
    fn empty_value() -> Value;
}

impl<V> EmptyValue for Vec<V> {
    fn empty_value() -> Value {
        Value::Array(Vec::new())
    }
}

impl<K: Ord, V> EmptyValue for BTreeMap<K, V> {
    fn empty_value() -> Value {
        Value::Table(toml::Table::new())
    }
}

impl<T: Typed> Rule<T, Option<T::Meaning>> for Unset {
    fn resolve(&self, typed: Option<&T>, _: &Written<'_>) -> Option<T::Meaning> {
        meant(typed)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words(self.0)
    }
}

impl<T: Typed<Meaning = R>, R: Valued, D: Clone + Into<R>> Rule<T, R> for InProduction<D> {
    fn resolve(&self, typed: Option<&T>, written: &Written<'_>) -> R {
        let default = if written.lineage.is_production() { &self.value } else { &self.elsewhere };
        meant(typed).unwrap_or_else(|| default.clone().into())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        let [value, elsewhere] = [&self.value, &self.elsewhere].map(|value| value.clone().into().value());
        DefaultValue::words(format!("`{value}` in production, elsewhere `{elsewhere}`"))
    }
}

impl<T: Typed<Meaning = R>, R: Valued, D: Clone + Into<R>> Rule<T, R> for InPlayground<D> {
    fn resolve(&self, typed: Option<&T>, written: &Written<'_>) -> R {
        let default = if written.lineage.is_playground() { &self.value } else { &self.elsewhere };
        meant(typed).unwrap_or_else(|| default.clone().into())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        let [value, elsewhere] = [&self.value, &self.elsewhere].map(|value| value.clone().into().value());
        DefaultValue::words(format!("`{value}` in localhost and development, elsewhere `{elsewhere}`"))
    }
}

impl<T, R, Inner: Rule<T, R>> Rule<T, R> for Noted<Inner> {
    fn resolve(&self, typed: Option<&T>, written: &Written<'_>) -> R {
        self.0.resolve(typed, written)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        self.0.default_value().map(|default| DefaultValue { words: Some(self.1.to_string()), ..default })
    }
}

impl<T: Typed> Typed for At<T> {
    type Meaning = T::Meaning;

    fn meaning(self) -> T::Meaning {
        self.value.meaning()
    }
}

impl<T: Typed> Typed for Vec<T> {
    type Meaning = Vec<T::Meaning>;

    fn meaning(self) -> Vec<T::Meaning> {
        self.into_iter().map(T::meaning).collect()
    }
}

/// Merged key by key.
impl<K: Typed<Meaning: Ord> + Ord, T: Typed> Typed for BTreeMap<K, T> {
    type Meaning = BTreeMap<K::Meaning, T::Meaning>;

    fn meaning(self) -> Self::Meaning {
        self.into_iter().map(|(key, value)| (key.meaning(), value.meaning())).collect()
    }

    fn over(mut self, below: Self) -> Self {
        for (name, value) in below {
            self.entry(name).or_insert(value);
        }
        self
    }
}

/// Implements [`Typed`] for what means one plain thing.
macro_rules! means {
    ($($typed:ty => $meaning:ty: $pattern:pat => $value:expr),* $(,)?) => {$(
        impl $crate::config::rule::Typed for $typed {
            type Meaning = $meaning;

            fn meaning(self) -> $meaning {
                let $pattern = self;
                $value
            }
        }
    )*};
}
pub(super) use means;

/// Implements [`Typed`] for what means what it says, and [`Valued`] as its name.
macro_rules! means_itself {
    ($($typed:ty),* $(,)?) => {$(
        $crate::config::rule::means! { $typed => $typed: itself => itself }

        impl $crate::config::show::Valued for $typed {
            fn value(&self) -> toml::Value {
                toml::Value::try_from(self).expect("an enum without fields is a string")
            }
        }
    )*};
}
pub(super) use means_itself;

means! {
    bool => bool: itself => itself,
    String => String: itself => itself,
}
