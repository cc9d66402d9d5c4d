//! How several hosts are deployed together.

use std::fmt;

use schemars::json_schema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use super::limits::InOneStep;
use crate::config::area::area;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted};
use crate::config::rule::{Always, DefaultValue, Empty, Noted, Rule, Written, means, means_itself};
use crate::config::show::{Valued, text};
use crate::config::values::{Seconds, schema_of};

/// How many hosts switch together. Written `2` or `"25%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveSize {
    /// So many hosts, at least one.
    Hosts(u32),
    /// So many of every hundred hosts of the run, rounded up.
    Percent(u32),
}

/// How many hosts may be left out of a run. Written as a wave is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MostUnreachable(pub WaveSize);

impl MostUnreachable {
    /// Whether it is fewer than so many of all that take part.
    pub fn is_exceeded_by(self, away: usize, all: usize) -> bool {
        match self.0 {
            WaveSize::Hosts(most) => away > most as usize,
            WaveSize::Percent(most) => away * 100 > all * most as usize,
        }
    }
}

impl fmt::Display for MostUnreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            WaveSize::Hosts(most) => write!(f, "{most}"),
            WaveSize::Percent(most) => write!(f, "{most}%"),
        }
    }
}

/// What a run does about hosts that can't be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unreachable {
    /// It ends before anything is changed on any host.
    Fail,
    /// A deploy or a rollback leaves them out, and says so. To all else it is as `Fail`.
    Skip,
}

means_itself!(Unreachable);

/// What becomes of a run when a wave fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnWaveFailure {
    /// Every host that has switched goes back.
    Revert,
    /// The hosts of that wave go back. Waves before it were confirmed by themselves, and stay.
    Stop,
}

means_itself!(OnWaveFailure);

area! {
    /// How several hosts are deployed together.
    rollout: RolloutSettings, RolloutLayer, "Several hosts";

    /// How many hosts switch together, wave by wave: the first waves. The last takes all that are left, unless `batch` splits them.
    waves: Vec<WaveSize> => Vec<WaveSize> = Noted(Empty, "all at once"), example r#"[1, "25%", "100%"]"#;

    /// How many hosts are in each wave after those that `waves` names; without `waves`, in every wave.
    batch: At<WaveSize> => Option<WaveSize> = SplitsTheRest, example "2";

    /// How long a deploy waits after each wave, in seconds, before the next one begins or all are confirmed. At the end of it every host that
    /// has switched has to be well once more, and what runs there must not have been restarted meanwhile; if one isn't, all go back.
    bake_seconds: At<Seconds<0>> => u32 = InOneStep(Always(0_u32)), example "60";

    /// What becomes of hosts that have switched when a later wave fails: `"revert"`, all go back; `"stop"`, only that wave goes back, as each wave is
    /// confirmed by itself before the next one begins. The hosts then serve different releases, and the run ends with exit code 9.
    on_wave_failure: OnWaveFailure => OnWaveFailure = Always(OnWaveFailure::Revert);

    /// What a run does about hosts that can't be reached: `"fail"`, it ends before anything is changed; `"skip"`, a deploy or a
    /// rollback leaves them out and says so; no other command does. One that is lost later is never left out.
    unreachable: Unreachable => Unreachable = Always(Unreachable::Fail);

    /// With `unreachable = "skip"`: how many hosts of a run may be left out, or how many of every hundred. Where more can't be reached, it
    /// ends before anything is changed.
    max_unreachable: MostUnreachable => MostUnreachable = Always(MostUnreachable(WaveSize::Percent(50)));
}

/// What is left by `waves` has to be something.
struct SplitsTheRest;

impl Rule<At<WaveSize>, Option<WaveSize>> for SplitsTheRest {
    fn resolve(&self, typed: Option<&At<WaveSize>>, written: &Written<'_>) -> Option<WaveSize> {
        let At { value, span } = typed?;
        if RolloutLayer::waves(written).contains(&WaveSize::Percent(100)) {
            let mistake = Mistake::new("`waves` leaves no hosts for it: one of them takes \"100%\"")
                .help("leave `\"100%\"` out of `waves`, or `batch` out");
            written.note_at(span, mistake);
        }
        Some(*value)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("all that are left, in one wave")
    }
}

impl<'de> Deserialize<'de> for WaveSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SomeHosts { is: "the size of a wave" })
    }
}

impl<'de> Deserialize<'de> for MostUnreachable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SomeHosts { is: "a number of hosts to leave out" }).map(MostUnreachable)
    }
}

/// Reads how many hosts are meant, and says what that is where it can't.
struct SomeHosts {
    is: &'static str,
}

impl Visitor<'_> for SomeHosts {
    type Value = WaveSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of hosts or a percentage")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<WaveSize, E> {
        match u32::try_from(number) {
            Ok(hosts) if hosts > 0 => Ok(WaveSize::Hosts(hosts)),
            _ => Err(self.bad(&number.to_string()).into_error()),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<WaveSize, E> {
        Err(self.bad(&number.to_string()).into_error())
    }

    fn visit_i128<E: serde::de::Error>(self, number: i128) -> Result<WaveSize, E> {
        Err(self.bad(&number.to_string()).into_error())
    }

    fn visit_u128<E: serde::de::Error>(self, number: u128) -> Result<WaveSize, E> {
        Err(self.bad(&number.to_string()).into_error())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WaveSize, E> {
        let digits = text.strip_suffix('%').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(percent @ 1..=100) => Ok(WaveSize::Percent(percent)),
            _ => Err(self.bad(text).into_error()),
        }
    }
}

impl SomeHosts {
    fn bad(&self, text: &str) -> Mistake {
        Mistake::new(format!("{} isn't {}", quoted(text), self.is))
            .help("write a number of hosts such as `2`, or a percentage from `\"1%\"` to `\"100%\"`")
    }
}

means! { WaveSize => WaveSize: itself => itself }
means! { MostUnreachable => MostUnreachable: itself => itself }

impl Valued for WaveSize {
    fn value(&self) -> toml::Value {
        match self {
            WaveSize::Hosts(hosts) => hosts.value(),
            WaveSize::Percent(percent) => text(&format!("{percent}%")),
        }
    }
}

impl Valued for MostUnreachable {
    fn value(&self) -> toml::Value {
        self.0.value()
    }
}

schema_of! {
    MostUnreachable => json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^([1-9][0-9]?|100)%$" },
        ]
    }),
    WaveSize => json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^([1-9][0-9]?|100)%$" },
        ]
    }),
}
