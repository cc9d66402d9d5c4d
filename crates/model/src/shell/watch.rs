//! What is counted since a switch.

use super::quote;
use super::service::link_line;
use super::user::SUDO;
use crate::app::watch::{Counted, NoData, Watch};
use crate::host::layout::Layout;
use crate::shell::logs::units_as_words;

/// Notes how far these logs have come.
pub(super) fn begin(layout: &Layout, logs: &[String]) -> String {
    let mut script = format!(
        "{SUDO}noted={}\n{}: >\"$noted\" || exit\n",
        quote(layout.watched().as_str()),
        script!("watch")
    );
    for log in logs {
        script.push_str(&format!("log={}\nmark_log || exit\n", quote(log)));
    }
    script
}

/// Counts, and says whether it is too much.
pub(super) fn watch(layout: &Layout, watch: &Watch, units: &[String]) -> String {
    let Watch { name, counted, advisory, roles: _ } = watch;
    let advisory = if *advisory { "yes" } else { "" };
    let (assignments, call) = match counted {
        Counted::ServerErrors { access_log, most_millionths, min_requests, no_data } => {
            let no_data = match no_data {
                NoData::Pass => "pass",
                NoData::Fail => "fail",
            };
            let log = quote(access_log);
            (
                format!("log={log}\nmost={most_millionths}\nleast={min_requests}\nno_data={no_data}\n"),
                "watch_log",
            )
        }
        Counted::Lines { journal, most } => {
            let (system, user) = units_as_words(units);
            let units = quote(&format!("{system} {user}"));
            (format!("units={units}\npattern={}\nmost={most}\n", quote(journal)), "watch_lines")
        }
    };
    format!(
        "{SUDO}{}noted={}\nname={}\nadvisory={advisory}\n{assignments}{}{call}",
        link_line(layout),
        quote(layout.watched().as_str()),
        quote(name),
        script!("watch"),
    )
}
