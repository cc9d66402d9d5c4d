//! The page of variables, compared with those of a plan.

use std::collections::{BTreeMap, BTreeSet};

use buedafab_model::config::{self, Settings};
use buedafab_model::plan::action::{Action, AppAction};
use buedafab_model::planner::{DeployRequest, RunContext, SeenHost, plan_deploy};
use buedafab_model::simulate::SimHost;

use crate::markdown::{list_item, paragraph};
use crate::samples::{at, production, release, run};

const VARIABLES: [(&str, &str); 14] = [
    ("BUEDAFAB_BY", "who runs it: the person and their machine"),
    ("BUEDAFAB_COMMIT", "the full id of the release that the run is about"),
    ("BUEDAFAB_DESCRIBE", "its name by `git describe`; the short id where there is no tag"),
    ("BUEDAFAB_ENVIRONMENT", "the environment"),
    ("BUEDAFAB_HOST", "the host's name, as the configuration has it"),
    ("BUEDAFAB_PATH", "the app's directory on the host"),
    ("BUEDAFAB_PREVIOUS_COMMIT", "the full id of what served before the run; empty if nothing did"),
    ("BUEDAFAB_RELEASE_PATH", "the slot's directory: where the command runs, but for `before_prepare`"),
    ("BUEDAFAB_ROLES", "the host's roles, with commas"),
    ("BUEDAFAB_RUN", "the id of the run, as in `history --json`"),
    ("BUEDAFAB_SLOT", "the slot's name"),
    ("BUEDAFAB_TAG", "the tag that stands on exactly this commit; empty if none does"),
    ("BUEDAFAB_UNIT", "the app's short name"),
    ("DEPLOYMENT_TYPE", "`deployment_type`: `DEV`, `STAGING`, `PRODUCTION`, `SOLO` or your own"),
];

const LOCAL_VARIABLES: [(&str, &str); 14] = [
    ("BUEDAFAB_APPS", "the apps that take part, with commas, where the configuration has several"),
    ("BUEDAFAB_BY", "who runs it: the person and their machine"),
    ("BUEDAFAB_COMMAND", "`deploy` or `rollback`"),
    ("BUEDAFAB_COMMIT", "the full id of the release that will serve"),
    ("BUEDAFAB_DEPLOYMENT_TYPE", "`deployment_type` of the environment"),
    ("BUEDAFAB_DESCRIBE", "its name by `git describe`"),
    ("BUEDAFAB_ENVIRONMENT", "the environment"),
    ("BUEDAFAB_EXIT_CODE", "how the run ended; in `after` and `on_failure` only"),
    ("BUEDAFAB_HOSTS", "the names of the hosts, with commas; each machine once"),
    ("BUEDAFAB_PREVIOUS_COMMIT", "the full id of what served on the first host before the run"),
    ("BUEDAFAB_RUN", "the id of the run"),
    ("BUEDAFAB_TAG", "the tag that stands on exactly this commit"),
    ("BUEDAFAB_UNIT", "the app's short name"),
    ("DEPLOYMENT_TYPE", "`local_deployment_type`, whatever the environment"),
];

const OWN_VARIABLES: [(&str, &str); 4] = [
    ("BUEDAFAB_CONFIG", "the configuration, as with `--config`"),
    (
        "BUEDAFAB_LOG",
        "which connections, frames and retries are logged to standard error, by the directives of Rust's `tracing`. \
         `-vvv` is `buedafab=debug`; `trace` adds each chunk and each sign of life. Example: `buedafab_engine=trace`",
    ),
    (
        "BUEDAFAB_SUDO_PASSWORD",
        "what sudo wants to hear on the hosts, for `ask_sudo_password` where nobody can type it",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "where a run is sent as a trace, with the other variables of OpenTelemetry that the guide to \
         [telling others](../notifications.md#traces) names",
    ),
];

pub(crate) fn page() -> String {
    let (seen, mut local) = hook_variables();
    let told: BTreeSet<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(told, seen.keys().map(String::as_str).collect(), "the variables of a real plan");
    // How it ended is known only then.
    local.insert("BUEDAFAB_EXIT_CODE".to_owned(), String::new());
    let told: BTreeSet<&str> = LOCAL_VARIABLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        told,
        local.keys().map(String::as_str).collect(),
        "the variables of the deployer's part of the plan"
    );

    let mut text = String::from("# Variables\n\n## Of the program itself\n\n");
    for (name, meaning) in OWN_VARIABLES {
        text.push_str(&list_item(&format!("`{name}`: {meaning}")));
    }
    text.push_str("\n## Of hooks\n\n");
    text.push_str(&paragraph(
        "Every hook on a host finds these in its environment, besides the `variables` of the configuration. A restart \
         that goes back to the old release is told the old release's.",
    ));
    text.push('\n');
    for (name, meaning) in VARIABLES {
        let example =
            if seen[name].is_empty() { String::new() } else { format!(". Example: `{}`", seen[name]) };
        text.push_str(&list_item(&format!("`{name}`: {meaning}{example}")));
    }
    text.push_str("\n## On the machine that deploys\n\n");
    text.push_str(&paragraph("Hooks below `[hooks.local]` find these. Tests, and what git runs when a release is pushed, find only \
         `DEPLOYMENT_TYPE`. Where a run has nothing to do, no hook runs."));
    text.push('\n');
    for (name, meaning) in LOCAL_VARIABLES {
        text.push_str(&list_item(&format!("`{name}`: {meaning}")));
    }
    text.push('\n');
    text.push_str(&paragraph(
        "A command of `run` finds `DEPLOYMENT_TYPE` and the `variables` of the configuration, and nothing of a run.",
    ));
    text
}

/// What hooks get in a plan that was made for them: those on a host, and those on the machine that deploys.
fn hook_variables() -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let file =
        "unit = \"five\"\nhooks = { build = \"true\" }\n[environments.production]\nhosts = [\"web1\"]\n";
    let settings: Settings =
        match config::parse("example", file).and_then(|file| file.settings(&production())) {
            Ok(settings) => settings,
            Err(mistakes) => panic!("{mistakes}"),
        };
    let facts = SimHost::bare(&settings, &settings.hosts[0]).facts();
    let context = RunContext {
        run: run(),
        at: at(),
        by: "ada@laptop".into(),
        skipped: Vec::new(),
        in_traffic: BTreeSet::new(),
    };
    let request = DeployRequest::new(release(), "git@github.com:bueda/five.git");
    let seen = [SeenHost { host: &settings.hosts[0], facts: &facts }];
    let plan = plan_deploy(&settings, &context, &request, &seen).expect("nothing speaks against it");
    let mut steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
    let found = steps.find_map(|step| match &step.action {
        Action::App(AppAction::Hook { around, .. }) => Some(around.variables.clone()),
        _ => None,
    });
    (found.expect("the plan has a hook"), plan.variables)
}
