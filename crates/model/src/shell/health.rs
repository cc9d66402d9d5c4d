//! The question to the app whether it is well, as the shell that asks it.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::command::app_command;
use super::service::link_line;
use super::user::SUDO;
use super::{quote, quote_words};
use crate::app::health::{Health, HealthQuestion, HttpPlace, HttpQuestion};
use crate::app::service::Service;
use crate::host::layout::Layout;
use crate::plan::action::{Answerer, Surroundings};

/// Asks until the app is well, or its time is over: then it says what was answered, and what its services said.
pub(super) fn health_script(
    layout: &Layout,
    health: &Health,
    around: &Surroundings,
    services: &[Service],
    in_maintenance: bool,
    by: Answerer,
) -> String {
    let units = services.iter().filter_map(Service::unit);
    // Visitors who are told of maintenance are told with this status, and all is as it should be.
    let ask = ask(layout, health, if in_maintenance { "also=503" } else { "also=none" });
    let Health { grace_seconds, interval_seconds, .. } = health;
    let until = format!("grace={grace_seconds}\ninterval={interval_seconds}\n{UNTIL}");
    let until = match &health.question {
        HealthQuestion::Http(_) | HealthQuestion::Tcp { .. } => {
            format!("{ask}{}{until}", is_ours(layout, &health.question, by))
        }
        // As the app's own commands run, which see nothing of units.
        HealthQuestion::Command { .. } => {
            format!(
                "(\n{}\n)\n",
                app_command(layout, around, &format!("has_died() {{ false; }}\n{ANYBODY}{ask}{until}"))
            )
        }
    };
    let mut script = format!(
        "{SUDO}{}{}set -- {}\n{HAS_DIED}{until}",
        link_line(layout),
        script!("systemd"),
        quote_words(units)
    );
    script.push_str("[ $? != 0 ] || exit 0\n");
    script.push_str("for unit; do show_words \"$unit\"; done\nexit 1\n");
    script
}

const ANYBODY: &str = "is_ours() { true; }\n";

/// Defines `is_ours`.
fn is_ours(layout: &Layout, question: &HealthQuestion, by: Answerer) -> String {
    let listens = listens(layout, question).filter(|_| by == Answerer::ThisRelease);
    listens.map_or(ANYBODY.to_owned(), |(_, asked)| {
        format!(
            "releases={}\nlistens={}\n{}",
            quote(layout.releases.as_str()),
            quote(&quote_words(&asked)),
            script!("answerer")
        )
    })
}

/// An app that says nothing for so long isn't well, as far as a look is concerned.
const LOOK_SECONDS: u32 = 10;

/// Reports the answer as a fact of a look: `yes` or `no`, and the words for it.
pub(super) fn look_script(layout: &Layout, health: &Health, around: &Surroundings) -> String {
    // A look has a limit of its own, which nobody who is slow to answer may reach.
    let health = &Health { timeout_seconds: health.timeout_seconds.min(LOOK_SECONDS), ..health.clone() };
    let also = format!("also=none; [ ! -e {} ] || also=503", quote(layout.maintenance().as_str()));
    let ask = ask(layout, health, &also);
    let once = format!("{ask}is_well\nstatus=$?\nprintf '%s' \"$words\" | head -c 4096\n(exit \"$status\")");
    let once = match &health.question {
        HealthQuestion::Http(_) | HealthQuestion::Tcp { .. } => once,
        HealthQuestion::Command { .. } => app_command(layout, around, &once),
    };
    format!("if words=$(\n{once}\n); then fact health \"yes $words\"; else fact health \"no $words\"; fi\n")
}

/// Reports as a fact of a look who listens where the app is asked.
pub(super) fn listener_script(layout: &Layout, question: &HealthQuestion) -> String {
    let Some((place, asked)) = listens(layout, question) else { return String::new() };
    format!("place={}\nset -- {}\n{}", quote(&place), quote_words(asked), script!("listener"))
}

/// Where the app is asked, in words, and what `ss` shows of who listens there.
fn listens(layout: &Layout, question: &HealthQuestion) -> Option<(String, Vec<String>)> {
    match question {
        HealthQuestion::Http(HttpQuestion { place: HttpPlace::Tcp { port, .. }, .. })
        | HealthQuestion::Tcp { port, .. } => {
            Some((format!("port {port}"), vec!["-t".to_owned(), "-e".to_owned(), format!("sport = :{port}")]))
        }
        HealthQuestion::Http(HttpQuestion { place: HttpPlace::Socket { path }, .. }) => {
            let path = socket_path(layout, path);
            Some((path.clone(), vec!["-x".to_owned(), "src".to_owned(), path]))
        }
        HealthQuestion::Command { .. } => None,
    }
}

/// Reports as a fact of a look where the app gives out git's folder, which holds the whole project and its history.
pub(super) fn look_for_git_script(layout: &Layout, question: &HttpQuestion, timeout_seconds: u32) -> String {
    let question = HealthQuestion::Http(HttpQuestion {
        path: GIT_CONFIG.to_owned(),
        statuses: vec![200],
        contains: Some(ONLY_IN_IT.to_owned()),
        ..question.clone()
    });
    let address = quote(&question.to_string());
    let health =
        Health { question, timeout_seconds, interval_seconds: 1, grace_seconds: 0, roles: BTreeSet::new() };
    let ask = ask(layout, &health, "also=none");
    format!("if (\n{ask}is_well\n) >/dev/null 2>&1; then fact exposed {address}; fi\n")
}

/// What git always has, what stands in it, and where a web server would have it.
pub(super) const GIT_CONFIG: &str = "/.git/config";
pub(super) const ONLY_IN_IT: &str = "repositoryformatversion";

/// Defines `is_well`; `also` says which status is good besides.
fn ask(layout: &Layout, health: &Health, also: &str) -> String {
    let mut script = format!("{also}\ntimeout={}\naddress= port= socket=\n", health.timeout_seconds);
    match &health.question {
        HealthQuestion::Http(HttpQuestion { tls, host, path, place, statuses, contains }) => {
            let statuses: Vec<String> = statuses.iter().map(ToString::to_string).collect();
            let _ = writeln!(
                script,
                "by=http scheme={} host={} path={}\nstatuses={} contains={}",
                if *tls { "https" } else { "http" },
                quote(host),
                quote(path),
                quote(&statuses.join(" ")),
                quote(contains.as_deref().unwrap_or_default()),
            );
            match place {
                HttpPlace::Tcp { address, port } => {
                    let _ = writeln!(script, "address={} port={port}", quote(address));
                }
                HttpPlace::Socket { path } => {
                    let _ = writeln!(script, "socket={}", quote(&socket_path(layout, path)));
                }
            }
        }
        HealthQuestion::Tcp { address, port } => {
            let _ = writeln!(script, "by=tcp address={} port={port}", quote(address));
        }
        HealthQuestion::Command { commands } => {
            let _ = writeln!(script, "by=command command={}", quote(&commands.join(" && ")));
        }
    }
    script + &script!("health")
}

fn socket_path(layout: &Layout, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { layout.current().join(path).to_string() }
}

/// Whether a unit is down for good: nothing that is waited for will come.
const HAS_DIED: &str = "has_died() {
  for unit; do
    look_at_unit \"$unit\" && [ \"$active\" = failed ] && return
  done
  return 1
}
";

const UNTIL: &str = r#"ask_until_well() {
  end=$(($(date +%s) + grace))
  until is_well && is_ours; do
    if [ "$(date +%s)" -ge "$end" ] || has_died "$@"; then
      echo "the app isn't well: $(printf '%s' "$words" | head -n 5)" >&2
      return 1
    fi
    sleep "$interval"
  done
  echo "$words"
}
ask_until_well "$@"
"#;
