//! What an area of settings is, and the macro that makes one of a list of settings.

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;

use super::rule::{DefaultValue, Written};
use super::show::Out;

/// What the reference says about an area of settings.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaReference {
    /// A heading.
    pub title: &'static str,
    /// Its settings, in the order in which a person meets them.
    pub settings: Vec<SettingReference>,
}

/// What the reference says about a setting, besides what its schema says.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingReference {
    /// The key.
    pub name: &'static str,
    /// What holds where it isn't written. `None`: that goes without saying.
    pub default: Option<DefaultValue>,
    /// A value, as it is written.
    pub example: Option<&'static str>,
}

/// A table whose keys are documented.
pub(super) trait Described {
    /// What the reference says about each key.
    fn keys() -> Vec<SettingReference>;
}

/// What may be typed of an area. All of it is optional.
pub(super) trait AreaLayer:
    Clone + Default + DeserializeOwned + schemars::JsonSchema + Described
{
    /// A heading.
    const TITLE: &'static str;

    /// This layer, with the gaps filled from the one below it.
    fn over(self, below: Self) -> Self;

    /// What the reference says.
    fn reference() -> AreaReference {
        AreaReference { title: Self::TITLE, settings: Self::keys() }
    }
}

/// What is meant by an area, with every default filled in.
pub(super) trait Area: Sized {
    type Layer: AreaLayer;

    /// Whatever is wrong is noted in what was written.
    fn resolve(written: &Written<'_>) -> Self;

    /// Writes what stands on one line each.
    fn show_entries(&self, out: &mut Out);

    /// Writes what has a table of its own, below this one.
    fn show_tables(&self, table: &str, out: &mut Out);

    /// The settings as they are in JSON, side by side with those of all other areas.
    fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

/// A table as it is typed: `key: type, default …, example "…";` for each key, with its meaning as the comment above it. A
/// default and an example may be left out.
macro_rules! table {
    (
        $(#[$table_doc:meta])*
        $Table:ident;
        $($(#[$doc:meta])* $key:ident: $typed:ty $(, default $default:expr)? $(, example $example:literal)?;)*
    ) => {
        #[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
        $(#[$table_doc])*
        #[serde(deny_unknown_fields)]
        #[schemars(transform = $crate::config::schema::describe::<$Table>)]
        pub(in crate::config) struct $Table {
            $($(#[$doc])* pub(in crate::config) $key: $typed,)*
        }

        impl $crate::config::area::Described for $Table {
            fn keys() -> Vec<$crate::config::area::SettingReference> {
                vec![$($crate::config::area::SettingReference {
                    name: stringify!($key),
                    default: None$(.or($default))?,
                    example: None$(.or(Some($example)))?,
                }),*]
            }
        }
    };
}
pub(super) use table;

/// The same for a table whose keys are all optional, and which may stand in several layers.
macro_rules! layer {
    (
        $(#[$layer_doc:meta])*
        $Layer:ident, $title:literal;
        $($(#[$doc:meta])* $key:ident: $typed:ty $(, default $default:expr)? $(, example $example:literal)?;)*
    ) => {
        $crate::config::area::table! {
            $(#[$layer_doc])*
            #[derive(Default)]
            #[serde(default)]
            $Layer;
            $($(#[$doc])* $key: Option<$typed> $(, default $default)? $(, example $example)?;)*
        }

        impl $crate::config::area::AreaLayer for $Layer {
            const TITLE: &'static str = $title;

            fn over(self, below: Self) -> Self {
                $Layer { $($key: $crate::config::rule::over(self.$key, below.$key),)* }
            }
        }
    };
}
pub(super) use layer;

/// Makes an area of its settings: what may be typed, what is resolved, how, how it is shown, and what the reference says.
///
/// A setting is `key: what is typed => what is meant = rule, example "as it is written";` with its meaning as the comment
/// above it, which an editor and the reference show to those who deploy. The rule says what the default is, and the
/// example may be left out. `key as name:` gives the resolved setting a shorter name.
macro_rules! area {
    // Settings are read one by one, for those without a name of their own to get that of their key.
    (@read $head:tt [$($read:tt)*]
        $(#[$doc:meta])* $key:ident: $typed:ty => $meant:ty = $rule:expr $(, example $example:literal)?; $($rest:tt)*) => {
        area! { @read $head [$($read)* { [$(#[$doc])*] $key $key [$typed] [$meant] [$rule] [$($example)?] }] $($rest)* }
    };
    (@read $head:tt [$($read:tt)*]
        $(#[$doc:meta])* $key:ident as $field:ident: $typed:ty => $meant:ty = $rule:expr $(, example $example:literal)?; $($rest:tt)*) => {
        area! { @read $head [$($read)* { [$(#[$doc])*] $key $field [$typed] [$meant] [$rule] [$($example)?] }] $($rest)* }
    };
    (@read [$area:ident $Settings:ident $Layer:ident $title:literal $(#[$area_doc:meta])*]
        [$({ [$(#[$doc:meta])*] $key:ident $field:ident [$typed:ty] [$meant:ty] [$rule:expr] [$($example:literal)?] })*]
    ) => {
        $(#[$area_doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Settings {
            $($(#[$doc])* pub $field: $meant,)*
        }

        $crate::config::area::layer! {
            /// The same as it is typed.
            $Layer, $title;
            $($(#[$doc])* $key: $typed,
                default $crate::config::rule::Rule::<$typed, $meant>::default_value(&$rule)
                $(, example $example)?;)*
        }

        impl $Layer {
            $(
                /// What this setting means, whether it is written or not.
                pub(in crate::config) fn $key(written: &$crate::config::rule::Written<'_>) -> $meant {
                    written.rests_on(stringify!($key));
                    let typed = written.all.$area.$key.as_ref();
                    $crate::config::rule::Rule::<$typed, $meant>::resolve(&$rule, typed, written)
                }
            )*
        }

        impl $crate::config::area::Area for $Settings {
            type Layer = $Layer;

            fn resolve(written: &$crate::config::rule::Written<'_>) -> Self {
                $Settings { $($field: written.apart(|| $Layer::$key(written)),)* }
            }

            fn show_entries(&self, out: &mut $crate::config::show::Out) {
                $({
                    let default = $crate::config::rule::Rule::<$typed, $meant>::default_value(&$rule);
                    $crate::config::show::Show::entry(&self.$field, stringify!($key), default.as_ref(), out);
                })*
            }

            fn show_tables(&self, table: &str, out: &mut $crate::config::show::Out) {
                $($crate::config::show::Show::tables(&self.$field, &format!("{table}.{}", stringify!($key)), out);)*
            }

            fn serialize_into<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                $($crate::config::show::Show::serialize_into(&self.$field, stringify!($key), map)?;)*
                Ok(())
            }
        }
    };
    (
        $(#[$area_doc:meta])*
        $area:ident: $Settings:ident, $Layer:ident, $title:literal;
        $($settings:tt)*
    ) => {
        area! { @read [$area $Settings $Layer $title $(#[$area_doc])*] [] $($settings)* }
    };
}
pub(super) use area;
