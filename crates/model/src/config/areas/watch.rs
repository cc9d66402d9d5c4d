//! Numbers that decide while a wave bakes.

use std::collections::BTreeMap;

use toml::Value;

use super::rollout::RolloutLayer;
use crate::app::watch::{Counted, NoData, Watch};
use crate::config::area::{area, table};
use crate::config::areas::hosts::entry::Roles;
use crate::config::at::At;
use crate::config::mistake::Mistake;
use crate::config::rule::{DefaultValue, Rule, Written, means};
use crate::config::show::{Out, Show, Valued, key, text};
use crate::config::values::{Bounded, Line};

area! {
    /// Numbers that decide while a wave bakes.
    watch: WatchSettings, WatchAreaLayer, "Watches";

    /// What is counted on each host from its switch to the end of each `bake_seconds`, each `[watch.NAME]`: too much of it takes all hosts back.
    watch as watches: BTreeMap<String, At<WatchLayer>> => Vec<Watch> = Watches;
}

table! {
    /// Something that is counted, as it is typed.
    WatchLayer;

    /// A web server's log, in the usual form or with JSON lines: the share of answers with a status of 500 or more is counted.
    access_log: Option<Line>, example r#""/var/log/nginx/five.log""#;

    /// A pattern as `grep -E` knows it: the lines of the app's services in the journal that it matches are counted.
    journal: Option<Line>, example r#""Traceback|ERROR""#;

    /// How much may be: a share from 0 to 1 for `access_log`, such as 0.02; a number of lines for `journal`.
    max: Option<At<f64>>, default DefaultValue::words("0.01 with `access_log`, 0 with `journal`"), example "0.02";

    /// With `access_log`: fewer answers than these say nothing.
    min_requests: Option<Bounded<1, 1_000_000_000>>, default DefaultValue::value(Value::Integer(50));

    /// What it means that there were fewer: `"pass"` or `"fail"`.
    no_data: Option<NoData>, default DefaultValue::words("`\"pass\"`"), example r#""fail""#;

    /// Whether too much is only told, and takes nothing back.
    advisory: Option<bool>, default DefaultValue::value(Value::Boolean(false));

    /// The roles of the hosts that are watched.
    roles: Option<Roles>, default DefaultValue::words("all hosts"), example r#"["web"]"#;
}

means! { WatchLayer => WatchLayer: itself => itself }

/// Each of them, by its name.
struct Watches;

impl Rule<BTreeMap<String, At<WatchLayer>>, Vec<Watch>> for Watches {
    fn resolve(&self, typed: Option<&BTreeMap<String, At<WatchLayer>>>, written: &Written<'_>) -> Vec<Watch> {
        let typed = typed.into_iter().flatten();
        typed
            .filter_map(|(name, At { value, span })| {
                let watch = read(name, value).map_err(|mistake| written.note_at(span, mistake)).ok()?;
                if RolloutLayer::bake_seconds(written) == 0 {
                    let mistake = Mistake::new("nothing is watched, as `bake_seconds` isn't set")
                        .help("say how long each wave is watched: `bake_seconds = 60`");
                    written.note_at(span, mistake);
                }
                Some(watch)
            })
            .collect()
    }

    fn default_value(&self) -> Option<DefaultValue> {
        None
    }
}

fn read(name: &str, layer: &WatchLayer) -> Result<Watch, Mistake> {
    let WatchLayer { access_log, journal, max, min_requests, no_data, advisory, roles } = layer;
    let most = max.as_ref().map(|max| max.value);
    let counted = match (access_log, journal) {
        (Some(Line(access_log)), None) => {
            let most = most.unwrap_or(0.01);
            if !(0.0..1.0).contains(&most) {
                return Err(Mistake::new(format!("{most} isn't a share"))
                    .help("write one from 0 to 1: 0.02 is 2 of 100 answers"));
            }
            if !access_log.starts_with('/') {
                return Err(Mistake::new("it isn't known in which folder this log is")
                    .help("write its whole path: `/var/log/nginx/access.log`"));
            }
            Counted::ServerErrors {
                access_log: access_log.clone(),
                // It is below one.
                most_millionths: (most * 1_000_000.0).round() as u32,
                min_requests: min_requests.map_or(50, |Bounded(least)| least),
                no_data: no_data.unwrap_or(NoData::Pass),
            }
        }
        (None, Some(Line(journal))) => {
            let most = most.unwrap_or(0.0);
            if most.fract() != 0.0 || !(0.0..1e9).contains(&most) {
                return Err(Mistake::new(format!("{most} isn't a number of lines"))
                    .help("write a whole number: `max = 0`"));
            }
            if let Some(of_requests) =
                [("min_requests", min_requests.is_some()), ("no_data", no_data.is_some())]
                    .iter()
                    .find(|(_, is_typed)| *is_typed)
            {
                return Err(Mistake::new(format!(
                    "`{}` is about requests, and lines are counted here",
                    of_requests.0
                ))
                .help("leave it out"));
            }
            Counted::Lines { journal: journal.clone(), most: most as u32 }
        }
        (Some(_), Some(_)) => {
            return Err(Mistake::new("two things are counted").help("give each a table of its own"));
        }
        (None, None) => {
            return Err(Mistake::new("this doesn't say what is counted").help(
                "add `access_log = \"/var/log/nginx/access.log\"`, or `journal = \"Traceback|ERROR\"`",
            ));
        }
    };
    let roles = roles.clone().map(|Roles(roles)| roles.into_iter().collect()).unwrap_or_default();
    Ok(Watch { name: name.to_owned(), counted, advisory: advisory.unwrap_or(false), roles })
}

impl Show for Vec<Watch> {
    fn entry(&self, _: &str, _: Option<&DefaultValue>, _: &mut Out) {}

    fn tables(&self, table: &str, out: &mut Out) {
        for Watch { name, counted, advisory, roles } in self {
            out.header(&format!("[{table}.{}]", key(name)));
            match counted {
                Counted::ServerErrors { access_log, most_millionths, min_requests, no_data } => {
                    out.entry("access_log", text(access_log));
                    out.entry("max", Value::Float(f64::from(*most_millionths) / 1_000_000.0));
                    out.entry("min_requests", min_requests.value());
                    let no_data = match no_data {
                        NoData::Pass => "pass",
                        NoData::Fail => "fail",
                    };
                    out.entry("no_data", text(no_data));
                }
                Counted::Lines { journal, most } => {
                    out.entry("journal", text(journal));
                    out.entry("max", most.value());
                }
            }
            out.entry("advisory", *advisory);
            let roles: Vec<Value> = roles.iter().map(Valued::value).collect();
            out.entry_or("roles", Some(roles).filter(|roles| !roles.is_empty()), "all hosts");
        }
    }
}
