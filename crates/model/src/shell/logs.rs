//! What services and files say.

use super::user::SUDO;
use super::{quote, quote_words};
use crate::app::logs::{LogQuery, LogSources};
use crate::host::layout::Layout;

pub(super) fn logs_script(layout: &Layout, sources: &LogSources, query: &LogQuery) -> String {
    let LogQuery { since_seconds, pattern, lines, follow } = query;
    let LogSources { units, files } = sources;
    let (system, user) = units_as_words(units);
    let number = |number: Option<String>| number.unwrap_or_default();
    format!(
        "{SUDO}folder={}\nreleases={}\npath={}\nsystem_units={}\nuser_units={}\nfiles={}\nsince={}\nlines={}\nwanted={}\nfollow={}\nunits={}\nlimits={}\n{}{}",
        quote(layout.current().as_str()),
        quote(layout.releases.as_str()),
        quote(layout.path.as_str()),
        quote(&system),
        quote(&user),
        quote(&files.join("\n")),
        number(since_seconds.map(|seconds| seconds.to_string())),
        number(lines.map(|lines| lines.to_string())),
        quote(pattern.as_deref().unwrap_or_default()),
        if *follow { "yes" } else { "" },
        quote(&units.iter().map(|unit| unit.trim_start_matches("user/")).collect::<Vec<_>>().join(", ")),
        quote(&query.limits()),
        script!("instances_of"),
        script!("logs")
    )
}

/// Units as words for `journalctl`: the system's, and the user's own. Of what each slot has its own, a shell says which there are: asked
/// for all of a kind, a journal that has none fails.
pub(super) fn units_as_words(units: &[String]) -> (String, String) {
    let (mut system, mut user) = (Vec::new(), Vec::new());
    let mut instances = String::new();
    for unit in units {
        match (unit.strip_prefix("user/"), unit.strip_suffix("@*")) {
            (Some(name), _) => user.extend(["--user-unit", name]),
            (None, Some(name)) => instances += &format!(" $(instances_of {})", quote(name)),
            (None, None) => system.extend(["--unit", unit.as_str()]),
        }
    }
    (quote_words(&system) + &instances, quote_words(&user))
}
