//! What an app's services and files say: which part of it, and where it is found.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanTotal, Timestamp, Unit};
use serde::Serialize;

/// Which lines are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LogQuery {
    /// Only what was said since, in seconds before now.
    pub since_seconds: Option<u64>,
    /// Only lines in which this extended regular expression is found.
    pub pattern: Option<String>,
    /// How many lines of each source are read, the last ones; `None`: all.
    pub lines: Option<u32>,
    /// Whether what is said from now on is told as it comes.
    pub follow: bool,
}

/// Where a host has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LogSources {
    /// Units of systemd, as [`Service::unit`](super::service::Service::unit) has them.
    pub units: Vec<String>,
    /// Files, by names or patterns of the shell, from the live release on.
    pub files: Vec<String>,
}

/// Without a pattern, a person reads the end.
const LINES: u32 = 100;

/// With one, it is looked for in so many lines: a journal may be endless.
const LINES_SEARCHED: u32 = 10_000;

impl LogQuery {
    /// How many lines are read where nobody says it.
    pub fn usual_lines(since_seconds: Option<u64>, pattern: Option<&str>) -> Option<u32> {
        match (since_seconds, pattern) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(LINES_SEARCHED),
            (None, None) => Some(LINES),
        }
    }
}

impl LogQuery {
    /// What is asked of the lines but their number, as the end of a sentence.
    pub fn limits(&self) -> String {
        let since = self.since_seconds.map_or(String::new(), |seconds| {
            let of = |unit: u64, word: &str| {
                (seconds >= unit && seconds % unit == 0).then(|| format!("{} {word}", seconds / unit))
            };
            let ago = of(86_400, "d").or_else(|| of(3600, "h")).or_else(|| of(60, "min"));
            format!(" since {} ago", ago.unwrap_or_else(|| format!("{seconds} s")))
        });
        let matches =
            self.pattern.as_ref().map_or(String::new(), |pattern| format!(" that matches {pattern:?}"));
        since + &matches
    }
}

/// How long ago something was, in seconds: `10m`, `2 h`, `1d 12h`, or a time such as `2026-11-27 09:30`, which is one of this
/// machine's clock.
pub fn seconds_since(text: &str, now: Timestamp, zone: &TimeZone) -> Option<u64> {
    if let Ok(span) = text.parse::<Span>() {
        let seconds = span.total(SpanTotal::from(Unit::Second).days_are_24_hours()).ok()?;
        return (seconds >= 0.0).then_some(seconds.ceil() as u64);
    }
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => zone.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    u64::try_from(now.duration_since(time).as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_span_or_a_moment() {
        let now: Timestamp = "2026-11-27T10:00:00Z".parse().expect("a time");
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (text, expected) in [
            ("10m", Some(600)),
            ("2 h", Some(7200)),
            ("1d 12h", Some(129_600)),
            ("90s", Some(90)),
            ("2026-11-27 10:30", Some(1800)),
            ("2026-11-27T09:00:00Z", Some(3600)),
            ("2026-11-27 12:00", None),
            ("ten", None),
            ("-10m", None),
            ("10", None),
            ("", None),
        ] {
            assert_eq!(seconds_since(text, now, &zone), expected, "{text:?}");
        }
    }
}
