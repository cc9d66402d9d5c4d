//! How several hosts are deployed together.

use std::fmt;

use schemars::json_schema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::area::area;
use crate::config::mistake::{Mistake, quoted};
use crate::config::rule::{Always, Empty, Noted, means, means_itself};
use crate::config::show::{Valued, text};
use crate::config::values::schema_of;

/// How many hosts switch together. Written `2` or `"25%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveSize {
    /// So many hosts, at least one.
    Hosts(u32),
    /// So many of every hundred hosts of the run, rounded up.
    Percent(u32),
}

/// What a run does about hosts that can't be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unreachable {
    /// It ends before anything is changed on any host.
    Fail,
}

means_itself!(Unreachable);

area! {
    /// How several hosts are deployed together.
    rollout: RolloutSettings, RolloutLayer, "Several hosts";

    /// How many hosts switch together, wave by wave; the last wave takes all that are left.
    waves: Vec<WaveSize> => Vec<WaveSize> = Noted(Empty, "all at once"), example r#"[1, "25%", "100%"]"#;

    /// What a run does about hosts that can't be reached: `"fail"`, it ends before anything is changed.
    unreachable: Unreachable => Unreachable = Always(Unreachable::Fail);
}

impl<'de> Deserialize<'de> for WaveSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WaveSizeVisitor;

        impl Visitor<'_> for WaveSizeVisitor {
            type Value = WaveSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of hosts or a percentage")
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<WaveSize, E> {
                match u32::try_from(number) {
                    Ok(hosts) if hosts > 0 => Ok(WaveSize::Hosts(hosts)),
                    _ => Err(bad(&number.to_string()).into_error()),
                }
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<WaveSize, E> {
                Err(bad(&number.to_string()).into_error())
            }

            fn visit_i128<E: serde::de::Error>(self, number: i128) -> Result<WaveSize, E> {
                Err(bad(&number.to_string()).into_error())
            }

            fn visit_u128<E: serde::de::Error>(self, number: u128) -> Result<WaveSize, E> {
                Err(bad(&number.to_string()).into_error())
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WaveSize, E> {
                percent(text).map(WaveSize::Percent).map_err(Mistake::into_error)
            }
        }

        deserializer.deserialize_any(WaveSizeVisitor)
    }
}

fn percent(text: &str) -> Result<u32, Mistake> {
    let digits = text.strip_suffix('%').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(percent @ 1..=100) => Ok(percent),
        _ => Err(bad(text)),
    }
}

fn bad(text: &str) -> Mistake {
    Mistake::new(format!("{} isn't the size of a wave", quoted(text)))
        .help("write a number of hosts such as `2`, or a percentage from `\"1%\"` to `\"100%\"`")
}

means! { WaveSize => WaveSize: itself => itself }

impl Valued for WaveSize {
    fn value(&self) -> toml::Value {
        match self {
            WaveSize::Hosts(hosts) => hosts.value(),
            WaveSize::Percent(percent) => text(&format!("{percent}%")),
        }
    }
}

schema_of! {
    WaveSize => json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^([1-9][0-9]?|100)%$" },
        ]
    }),
}
