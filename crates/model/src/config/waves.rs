//! The sizes of waves as they are written: `2` or `"25%"`.

use std::fmt;

use schemars::json_schema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

use super::mistake::{Mistake, quoted};
use super::settings::WaveSize;
use super::values::schema_of;

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

schema_of! {
    WaveSize => json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^([1-9][0-9]?|100)%$" },
        ]
    }),
}
