//! The reference pages, rendered from what they describe, and the test that fails when a page has drifted.
//!
//! `UPDATE_REFERENCE=1 cargo test -p buedafab reference`, or script/reference, writes them again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use buedafab_model::config::{self, Settings, schema};
use buedafab_model::host::facts::{Capacity, CurrentLink, HostFacts};
use buedafab_model::names::{CommitId, EnvironmentName, HostName, RunId, Unit};
use buedafab_model::plan::action::Action;
use buedafab_model::planner::{DeployRequest, RunContext, SeenHost, plan_deploy};
use buedafab_model::release::Release;
use buedafab_model::run::event::{Event, Stream};
use buedafab_model::run::outcome::{Failure, FailureKind, HostOutcome, Outcome, Serving, Verdict};
use clap::{Arg, ArgAction, Command, CommandFactory};
use jiff::Timestamp;
use serde_json::Value;

use crate::arguments::Cli;

const HEAD: &str =
    "<!-- Written by script/reference. Change the code that it describes, not this page. -->\n\n";
const WIDTH: usize = 100;

#[test]
fn commands() {
    check("commands.md", &format!("{HEAD}{}", command_pages()));
}

#[test]
fn settings() {
    check("settings.md", &format!("{HEAD}{}", setting_pages()));
}

#[test]
fn the_schema() {
    let text = serde_json::to_string_pretty(&schema()).expect("a schema is plain data");
    check("buedafab.schema.json", &format!("{text}\n"));
}

#[test]
fn exit_codes() {
    check("exit-codes.md", &format!("{HEAD}{}", exit_code_page()));
}

#[test]
fn events() {
    check("events.md", &format!("{HEAD}{}", event_page()));
}

#[test]
fn variables() {
    check("variables.md", &format!("{HEAD}{}", variable_page()));
}

/// Compares a page with what it should be, or writes it if that was asked for.
#[track_caller]
fn check(name: &str, text: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../docs/reference", name].iter().collect();
    if std::env::var_os("UPDATE_REFERENCE").is_some_and(|wanted| !wanted.is_empty() && wanted != "0") {
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder is made");
        std::fs::write(&path, text).expect("the page is written");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    if found == text {
        return;
    }
    let line = found.lines().zip(text.lines()).take_while(|(found, text)| found == text).count();
    panic!(
        "docs/reference/{name} has drifted, from line {} on:\n  it says:   {}\n  should be: {}\n\
         write it again with script/reference, and look at the change before you commit it",
        line + 1,
        found.lines().nth(line).unwrap_or("(the end)"),
        text.lines().nth(line).unwrap_or("(the end)"),
    );
}

// Commands

fn command_pages() -> String {
    let mut root = Cli::command();
    root.build();
    let mut text = String::from("# Commands\n\n");
    text.push_str(&paragraph(&root.get_long_about().expect("it says what it is for").to_string()));
    text.push_str("\n```console\nbuedafab [OPTIONS] [ENVIRONMENT] COMMAND …\n```\n\n");
    text.push_str(&paragraph(
        "The environment stands before the command, as in `fab production deploy`. Flags may stand before or after \
         the command's name; `run` takes its first word, and all that follows it, for the command to run. Several commands \
         run one after the other, up to the first that fails: `production deploy restart_webserver`. Flags before the first \
         hold for all, those after a command's name for that one. A project's own tasks are commands too.",
    ));
    text.push('\n');
    for command in root.get_subcommands() {
        let name = command.get_name();
        text.push_str(&list_item(&format!("[`{name}`](#{name}): {}", about(command))));
    }
    text.push_str("\n## What every command knows\n\n");
    let shared: BTreeSet<&str> = root
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .map(|a| a.get_id().as_str())
        .collect();
    for argument in root.get_arguments() {
        list_argument(&mut text, argument);
    }
    text.push_str("\n### Examples\n\n");
    text.push_str(&notes(&root));
    text.push_str("\nThe exit codes have [a page of their own](exit-codes.md).\n");
    for command in root.get_subcommands() {
        let _ = write!(text, "\n## {}\n\n{}", command.get_name(), paragraph(&format!("{}.", about(command))));
        let _ = write!(text, "\n```console\n{}\n```\n", usage(command));
        let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
        if !aliases.is_empty() {
            let _ = write!(text, "\nAlso: {}.\n", aliases.join(", "));
        }
        let own: Vec<&Arg> = command
            .get_arguments()
            .filter(|argument| !shared.contains(argument.get_id().as_str()) && argument.get_id() != "help")
            .collect();
        if !own.is_empty() {
            text.push('\n');
        }
        for argument in own {
            list_argument(&mut text, argument);
        }
        for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
            let words: Vec<String> = part.get_positionals().map(value_name).collect();
            let name = [vec![part.get_name().to_owned()], words].concat().join(" ");
            text.push_str(&list_item(&format!("`{name}`: {}", about(part))));
            let known = |argument: &&Arg| {
                argument.is_positional()
                    || argument.get_id() == "help"
                    || shared.contains(argument.get_id().as_str())
            };
            for argument in part.get_arguments().filter(|argument| !known(argument)) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                text.push_str(&format!("  - `{}`: {help}\n", option_name(argument)));
            }
        }
        let notes = notes(command);
        if !notes.is_empty() {
            let _ = write!(text, "\n{notes}");
        }
    }
    text
}

fn about(command: &Command) -> String {
    command.get_about().expect("every command says what it does").to_string()
}

fn usage(command: &Command) -> String {
    let mut words = format!("buedafab ENVIRONMENT {}", command.get_name());
    if ["init", "demo", "completions", "list"].contains(&command.get_name()) {
        words = format!("buedafab {}", command.get_name());
    }
    if ["config", "recipe", "test", "lint", "setup"].contains(&command.get_name()) {
        words = format!("buedafab [ENVIRONMENT] {}", command.get_name());
    }
    for argument in command.get_opts().filter(|argument| argument.is_required_set()) {
        let _ = write!(words, " {}", option_name(argument));
    }
    words.push_str(" [OPTIONS]");
    for argument in command.get_positionals() {
        let dots =
            if argument.get_num_args().is_some_and(|range| range.max_values() > 1) { " …" } else { "" };
        let open = if argument.is_required_set() { ("", "") } else { ("[", "]") };
        let _ = write!(words, " {}{}{dots}{}", open.0, value_name(argument), open.1);
    }
    words
}

fn list_argument(text: &mut String, argument: &Arg) {
    let mut what = argument.get_help().map(ToString::to_string).unwrap_or_default();
    // The defaults of clap's own flags say less than they seem to.
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(what, " [default: {}]", defaults.join(" "));
    }
    let values: Vec<String> =
        argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if argument.is_positional() && !values.is_empty() {
        let _ = write!(what, ": {}", values.join(", "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(what, " [environment: `{}`]", variable.to_string_lossy());
    }
    if matches!(argument.get_action(), ArgAction::Count) {
        what.push_str(" (may be repeated)");
    }
    let name = if argument.is_positional() { value_name(argument) } else { option_name(argument) };
    text.push_str(&list_item(&format!("`{name}`: {what}")));
}

fn option_name(argument: &Arg) -> String {
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    match argument.get_action().takes_values() {
        true => format!("{} {}", names.join(", "), value_name(argument)),
        false => names.join(", "),
    }
}

fn value_name(argument: &Arg) -> String {
    match argument.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => argument.get_id().as_str().to_uppercase(),
    }
}

/// What stands below the help: lines that are set out are shown as they are, sentences as a paragraph.
fn notes(command: &Command) -> String {
    let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let notes = notes.split("\n\nExit codes:").next().unwrap_or_default().to_owned();
    let Some(examples) = notes.strip_prefix("Examples:\n") else {
        return if notes.is_empty() { notes } else { paragraph(&notes.replace('\n', " ")) };
    };
    let (lines, sentences): (Vec<&str>, Vec<&str>) =
        examples.lines().partition(|line| line.starts_with("  "));
    let lines: Vec<&str> = lines.iter().map(|line| &line[2..]).collect();
    let mut text = format!("```console\n{}\n```\n", lines.join("\n"));
    if !sentences.is_empty() {
        let _ = write!(text, "\n{}", paragraph(&sentences.join(" ")));
    }
    text
}

// Settings

/// Every setting of the top level, in the order in which a person meets them.
const GROUPS: [(&str, &[&str]); 9] = [
    ("The app", &["unit", "path", "recipe", "steps", "deployment_type", "variables"]),
    (
        "Where the code comes from",
        &[
            "scm",
            "scm_http_url",
            "scm_known_hosts",
            "forward_agent",
            "master_remote",
            "default_revision",
            "source",
        ],
    ),
    (
        "What may be deployed",
        &[
            "branch",
            "push_before_deploy",
            "require_tag",
            "version_pattern",
            "sign_tags",
            "verify_signatures",
            "allowed_signers",
            "require_clean",
            "allow_older",
            "confirm",
            "version_url",
            "version_timeout_seconds",
        ],
    ),
    (
        "A developer's checkout",
        &[
            "test_runner",
            "linter",
            "pip_requirements",
            "pip_constraints",
            "pip_requirements_dev",
            "pip_requirements_production",
            "extra_setup_tasks",
        ],
    ),
    (
        "Python, and what outlives releases",
        &[
            "python",
            "private_requirements",
            "private_source",
            "s3_endpoint",
            "s3_region",
            "installer",
            "pip_options",
            "package_installation_scripts",
            "collectstatic",
            "extra_fixtures",
            "syncdb",
            "shared_files",
            "shared_dirs",
            "env_file",
            "crontab",
            "crontab_place",
            "maintenance",
            "settings_file",
            "maintenance_page",
        ],
    ),
    (
        "The layout on a host",
        &[
            "strategy",
            "releases_root",
            "current_release_symlink",
            "release_paths",
            "virtualenv",
            "deploy_user",
            "deploy_group",
            "run_as",
            "ask_sudo_password",
        ],
    ),
    ("Restarting, and waves", &["service", "settle_seconds", "waves"]),
    ("Connections", &["connect", "keep_warm_seconds"]),
    (
        "Limits on time",
        &["connect_timeout_seconds", "step_timeout_seconds", "confirm_timeout_seconds", "lost_after_seconds"],
    ),
];

fn setting_pages() -> String {
    let schema = schema();
    let mut left: BTreeSet<String> = keys(&schema);
    let mut text = String::from("# Settings\n\n");
    for sentences in [
        "All settings stand in `buedafab.toml`, at the root of the project. `buedafab init` writes one; \
         `buedafab production config` shows what it comes to; a key that isn't listed here is an error, with the \
         line and the nearest right name.",
        "Settings stand at the top level, before the first `[table]`. An environment may override any of them. Only \
         `unit` has to be there.",
        "For completion and checks in an editor, point it to the [schema](buedafab.schema.json): with Taplo or Even \
         Better TOML by a first line `#:schema ./buedafab.schema.json`, once `buedafab config --schema >\
         buedafab.schema.json` has written it.",
    ] {
        let _ = writeln!(text, "{}", paragraph(sentences));
    }
    for (title, names) in GROUPS {
        let _ = write!(text, "## {title}\n\n");
        for name in names {
            assert!(left.remove(*name), "{name} is no setting, or in two groups");
            list_setting(&mut text, name, &schema["properties"][*name], try_setting);
        }
    }
    for table in ["hooks", "tasks", "services", "environments"] {
        assert!(left.remove(table));
    }
    assert!(left.is_empty(), "in no group of reference.rs: {left:?}");

    let hooks = &schema["properties"]["hooks"];
    let _ = write!(text, "## Hooks\n\n{}\n", paragraph(&described(hooks).meaning));
    let _ = writeln!(text, "{}", paragraph(HOOKS));
    let mut names = keys(hooks);
    for name in HOOKS_IN_ORDER {
        assert!(names.remove(name), "{name} is no hook");
        list_setting(&mut text, name, &hooks["properties"][name], try_hook);
    }
    assert!(names.remove("local"));
    assert!(names.is_empty(), "hooks that reference.rs doesn't know: {names:?}");
    let local = &hooks["properties"]["local"];
    let _ = write!(text, "### Hooks on your own machine\n\n{}\n", paragraph(&described(local).meaning));
    for name in ["before", "after", "on_failure"] {
        list_setting(&mut text, &format!("local.{name}"), &local["properties"][name], try_hook);
    }
    assert_eq!(keys(local).len(), 3, "local hooks that reference.rs doesn't know");

    let services = &schema["properties"]["services"];
    let _ = write!(text, "## Services\n\n{}\n", paragraph(&described(services).meaning));
    text.push_str(SERVICES_EXAMPLE);
    let _ = write!(text, "\n{}\n", paragraph("The keys of a service:"));
    list_keys(
        &mut text,
        find_table(services).expect("a service is a table"),
        &["service", "command", "template", "default", "stop_seconds", "reload", "roles", "single"],
    );
    try_text(&format!("unit = \"five\"\n{}", without_fence(SERVICES_EXAMPLE)));
    text.push('\n');

    let private = find_table(&schema["properties"]["python"]).expect("python may be a table");
    let private = &private["properties"]["private"];
    let _ = write!(text, "## Private packages\n\n{}\n", paragraph(&described(private).meaning));
    text.push_str(PRIVATE_EXAMPLE);
    let _ = write!(text, "\n{}\n", paragraph("The keys of a private package:"));
    list_keys(&mut text, &private["items"], &["url", "rev", "sha256", "name"]);
    try_text(&format!("unit = \"five\"\n{}", without_fence(PRIVATE_EXAMPLE)));
    text.push('\n');

    let tasks = &schema["properties"]["tasks"];
    let _ = write!(text, "## Tasks\n\n{}\n", paragraph(&described(tasks).meaning));
    text.push_str(TASKS_EXAMPLE);
    let task = find_table(tasks).expect("a task is a table");
    let _ = write!(text, "\n{}\n", paragraph("The keys of a task:"));
    list_keys(&mut text, task, &["run", "on", "description", "arguments"]);
    try_text(&format!("unit = \"five\"\n{}", without_fence(TASKS_EXAMPLE)));
    text.push('\n');

    let _ = write!(text, "## Environments\n\n{}\n", paragraph(ENVIRONMENTS));
    text.push_str(ENVIRONMENTS_EXAMPLE);
    let hosts = &schema["definitions"]["environment"]["properties"]["hosts"];
    let _ = write!(text, "\n## Hosts\n\n{}\n", paragraph(&described(hosts).meaning));
    let _ = writeln!(text, "{}", paragraph("The keys of a table:"));
    let table = find_table(hosts).expect("hosts may be tables");
    list_keys(&mut text, table, &["name", "address", "port", "user", "roles", "path", "connect"]);
    let _ = write!(text, "\n{}\n", paragraph("The guide to [hosts](../hosts.md) has examples."));
    try_text(&format!("unit = \"five\"\n{}", without_fence(ENVIRONMENTS_EXAMPLE)));
    text.trim_end().to_owned() + "\n"
}

/// The keys of a small table, in this order, which has to be all of them.
fn list_keys(text: &mut String, table: &Value, names: &[&str]) {
    for name in names {
        let Described { meaning, default, example } = described(&table["properties"][name]);
        let more = [
            default.map(|default| format!(" Default: {default}.")),
            example.map(|e| format!(" Example: `{e}`.")),
        ];
        let more: String = more.into_iter().flatten().collect();
        text.push_str(&list_item(&format!(
            "`{name}` ({}): {meaning}{more}",
            kind(&table["properties"][name])
        )));
    }
    assert_eq!(keys(table).len(), names.len(), "keys that reference.rs doesn't know");
}

fn without_fence(example: &str) -> String {
    example.lines().filter(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n")
}

const HOOKS: &str = "They are written below `[hooks]`, or `[environments.NAME.hooks]`. The order here is the order of a \
                     run. The [guide to hooks](../hooks.md) says what a failure means at each, and \
                     [the variables](variables.md) what a command knows about its run.";

const ENVIRONMENTS: &str = "An environment is a table `[environments.NAME]`. `localhost`, `development`, `staging` and `production` are there \
     without one. What is set in an environment goes before what stands at the top level; hooks, services, tasks and variables are \
     merged one by one, any other value is replaced as a whole. `hosts` belongs to environments only, and so does \
     `extends`: an environment with `extends = \"production\"` has production's settings, hosts and defaults, but for what \
     it sets itself.";

const ENVIRONMENTS_EXAMPLE: &str = r#"```toml
[environments.development]
hosts = ["dev.example.com:1222"]

[environments.preview]
extends = "production"
hosts = ["preview.example.com"]
require_tag = false

[environments.production]
hosts = [
    "deploy@web[1:3].example.com",
    { name = "jobs1", address = "jobs1.example.com", roles = ["worker"] },
]
waves = [1, "100%"]

[environments.production.hooks]
verify = "curl -fsS http://localhost:8000/healthz"
```
"#;

const SERVICES_EXAMPLE: &str = r#"```toml
[services.celery]
default = "celery"
roles = ["worker"]

[services.beat]
default = "celery-beat"
roles = ["worker"]

[services.web]
service = "systemd:{unit}"
template = "conf/web.service"
roles = ["web"]
```
"#;

const PRIVATE_EXAMPLE: &str = r#"```toml
[python]
interpreter = "python3.12"

[[python.private]]
url = "git@github.com:bueda/five-utils.git"
rev = "v1.2"

[[python.private]]
url = "s3://bueda/plato-1.2.tar.gz"
sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
```
"#;

const TASKS_EXAMPLE: &str = r#"```toml
[tasks.rechef]
run = "sudo chef-client --log_level $log_level"
on = "role:web"
description = "Run chef again"
arguments = { log_level = "warn" }
```
"#;

const HOOKS_IN_ORDER: [&str; 9] = [
    "before_prepare",
    "build",
    "check",
    "once",
    "before_switch",
    "restart",
    "after_switch",
    "verify",
    "after_finish",
];

/// A description, taken apart: the comments on the settings keep to one form.
struct Described {
    meaning: String,
    default: Option<String>,
    example: Option<String>,
}

fn described(property: &Value) -> Described {
    let text = property["description"].as_str().expect("every setting is described").trim();
    let (text, example) = match text.split_once(" Example: ") {
        Some((text, example)) => {
            let example = example.strip_suffix('.').unwrap_or(example);
            let example = example.strip_prefix('`').and_then(|example| example.strip_suffix('`'));
            (text, Some(example.expect("an example is one value").to_owned()))
        }
        None => (text, None),
    };
    match text.split_once(" Default: ") {
        Some((meaning, default)) => Described {
            meaning: meaning.to_owned(),
            default: Some(default.strip_suffix('.').unwrap_or(default).to_owned()),
            example,
        },
        None => Described { meaning: text.to_owned(), default: None, example },
    }
}

fn list_setting(text: &mut String, name: &str, property: &Value, attempt: impl Fn(&str, &str)) {
    let Described { meaning, default, example } = described(property);
    let _ = write!(text, "### `{name}`\n\n{}\n", paragraph(&meaning));
    text.push_str(&list_item(&format!("Type: {}", kind(property))));
    if let Some(default) = &default {
        text.push_str(&list_item(&format!("Default: {default}")));
    }
    // A default that is a value serves as an example too.
    let value = default.as_deref().and_then(|default| Some(default.strip_prefix('`')?.split_once('`')?.0));
    if let Some(value) = example.as_deref().or(value) {
        attempt(name, value);
        text.push_str(&list_item(&format!("Example: `{name} = {value}`")));
    }
    text.push('\n');
}

#[track_caller]
fn try_hook(name: &str, value: &str) {
    try_text(&format!("unit = \"five\"\n[hooks]\n{name} = {value}\n"));
}

#[track_caller]
fn try_setting(name: &str, value: &str) {
    let unit = match name {
        "unit" => "",
        // Only some recipes have steps.
        "steps" => "unit = \"five\"\nrecipe = \"django\"\n",
        "private_requirements" => "unit = \"five\"\nprivate_source = \"git@github.com:bueda/{name}.git\"\n",
        _ => "unit = \"five\"\n",
    };
    try_text(&format!("{unit}{name} = {value}\n"));
}

/// An example that isn't understood is worse than none.
#[track_caller]
fn try_text(text: &str) {
    let production = EnvironmentName::new("production").expect("a word");
    let read = config::parse("example", text).and_then(|config| config.settings(&production));
    if let Err(mistakes) = read {
        panic!("an example is wrong:\n{text}\n{mistakes}");
    }
}

fn kind(property: &Value) -> String {
    if let Some(values) = property["enum"].as_array() {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        return values.join(" or ");
    }
    if let Some(value) = property.get("const") {
        return format!("`{value}`");
    }
    match property["type"].as_str() {
        Some("array") => {
            let of = kind(&property["items"]);
            if of.contains(" or ") { format!("list, each a {of}") } else { format!("list of {of}s") }
        }
        Some("object") => "table".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer") => match (property["minimum"].as_u64(), property["maximum"].as_u64()) {
            (Some(least), Some(most)) => format!("whole number from {least} to {most}"),
            _ => "whole number".to_owned(),
        },
        Some("string") => "string".to_owned(),
        _ => match property["anyOf"].as_array().or(property["oneOf"].as_array()) {
            Some(choices) => choices.iter().map(kind).collect::<Vec<_>>().join(" or "),
            None => panic!("a type that reference.rs doesn't know: {property}"),
        },
    }
}

fn keys(object: &Value) -> BTreeSet<String> {
    object["properties"].as_object().map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
}

/// The table of a host, somewhere below the schema of `hosts`.
fn find_table(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(object) if object.contains_key("properties") => Some(value),
        Value::Object(object) => object.values().find_map(find_table),
        Value::Array(list) => list.iter().find_map(find_table),
        _ => None,
    }
}

// Exit codes

/// Makes a list of all variants of an enum, and a match that stops compiling when one is missing from it.
macro_rules! all {
    ($list:ident: $enum:ident, $told:ty, $($variant:ident => $value:expr, $told_value:expr;)*) => {
        fn $list() -> Vec<($enum, $told)> {
            let _every_variant_is_listed = |value: &$enum| match value {
                $($enum::$variant { .. } => (),)*
            };
            vec![$(($value, $told_value)),*]
        }
    };
}

all! {
    verdicts: Verdict, [&'static str; 3],
    Done => Verdict::Done, [
        "Everything was done, or there was nothing to do.",
        "what was wanted",
        "nothing",
    ];
    Refused => Verdict::Refused, [
        "Refused, and nothing was touched. The reason stands in the message.",
        "what served before",
        "`check`",
    ];
    Locked => Verdict::Locked, [
        "Another run holds a lock, or a person holds deploys.",
        "what served before",
        "`status`, then the same again",
    ];
    Unreachable => Verdict::Unreachable, [
        "A host couldn't be reached, and nothing was changed anywhere.",
        "what served before",
        "`check`, then the same again",
    ];
    FailedBefore => Verdict::FailedBefore, [
        "Something failed before any host switched. A command of `run` that failed ends so too.",
        "the old release, everywhere",
        "mend it, then the same again",
    ];
    Reverted => Verdict::Reverted, [
        "Something failed after a host switched, and every host went back.",
        "the old release, everywhere",
        "mend it, then the same again",
    ];
    Mixed => Verdict::Mixed, [
        "The hosts serve different releases, or what some serve isn't known: a person is needed.",
        "the message says it, host by host",
        "`status`, then the same again",
    ];
    Interrupted => Verdict::Interrupted, [
        "A person interrupted, and no host was left half-way.",
        "the old release, everywhere",
        "`status`",
    ];
}

fn exit_code_page() -> String {
    let mut rows: BTreeMap<u8, (String, [&str; 3])> = BTreeMap::new();
    for (verdict, told) in verdicts() {
        rows.insert(verdict.exit_code(), (format!("`{}`", text_of(&verdict)), told));
    }
    // Ways to stop before there is a run; `exit.rs` has them.
    for (code, told) in [
        (1, ["A bug in buedafab: please report it.", "not known", "`status`"]),
        (2, ["The command line can't be meant as it stands.", "what served before", "`buedafab --help`"]),
        (
            3,
            [
                "The configuration is missing, wrong or incomplete. The message shows where.",
                "what served before",
                "`config`",
            ],
        ),
    ] {
        assert!(rows.insert(code, (String::new(), told)).is_none(), "{code} has two meanings");
    }
    let mut text = String::from("# Exit codes\n\n");
    text.push_str(&paragraph(
        "One number says how a command ended. The codes are part of the interface: they are only ever added to. The \
         verdict is what the last event says under `--json`.",
    ));
    for (code, (verdict, [meaning, serves, next])) in rows {
        let _ = write!(text, "\n## {code}\n\n{}\n", paragraph(meaning));
        if !verdict.is_empty() {
            text.push_str(&list_item(&format!("Verdict: {verdict}")));
        }
        text.push_str(&list_item(&format!("Serving: {serves}")));
        text.push_str(&list_item(&format!("Next: {next}")));
    }
    text.push_str("\n## Questions\n\n");
    text.push_str(&paragraph(
        "`status` and `history` end with 6 when a host couldn't be asked, and `check` with 6 or 4. `shell` ends with \
         the code of the shell itself. [Troubleshooting](../troubleshooting.md) goes through them one by one.",
    ));
    text
}

// Events

all! {
    events_told: Event, &'static str,
    RunStarted => Event::RunStarted {
        run: run(), unit: unit(), environment: production(), hosts: vec![web(1), web(2)],
    }, "A run began. `hosts` are in order.";
    Connected => Event::Connected { host: web(1), warm: true, milliseconds: 41 },
        "A connection stands. `warm` says whether one was open already.";
    Unreachable => Event::Unreachable {
        host: web(2),
        why: "ssh: connect to host web2 port 22: Connection refused".into(),
        hint: Some("see whether this works: ssh web2".into()),
    }, "A host can't be reached. `hint` says what to do about it, or is `null`.";
    WorkStarted => Event::WorkStarted {
        headline: "deploy v0.2.0 (5ed17b1b2b)".into(),
        phases: ["lock", "prepare", "switch", "finish"].map(str::to_owned).to_vec(),
        steps: vec![(web(1), 13), (web(2), 13)],
    }, "The work is decided, and begins. `steps` says how many each host has.";
    PhaseStarted => Event::PhaseStarted { phase: "prepare".into() },
        "A phase began. No phase begins before the one before it has ended well on all of its hosts.";
    StepStarted => Event::StepStarted { host: web(1), step: 8, title: "fetch 5ed17b1b2b into b".into() },
        "A step began. `step` is its number in the plan, which `deploy --dry-run --json` shows.";
    Output => Event::Output {
        host: web(1), step: 10, stream: Stream::Stderr, line: "SyntaxError: '(' was never closed".into(),
    }, "A step printed a line, to `stdout` or `stderr`. Bytes that aren't UTF-8 are replaced.";
    StepEnded => Event::StepEnded { host: web(1), step: 8, status: 0, milliseconds: 14 },
        "A step ended well, or its failure doesn't matter.";
    StepCancelled => Event::StepCancelled { host: web(2), step: 15 },
        "A step was ended, because the run stops.";
    StepFailed => Event::StepFailed {
        host: web(1),
        step: Some(10),
        title: "check: python3 -m py_compile app.py".into(),
        what: FailureKind::Exited { status: 1 },
    }, "A step failed. `step` is `null` if the host was lost between two steps.";
    Interrupted => Event::Interrupted { then: "stopping, and putting back what has switched".into() },
        "A person asked to stop. `then` says what happens now.";
    Refused => Event::Refused {
        reasons: vec![buedafab_model::run::event::Reason {
            message: "web1: deploy can't write /var/webapps/five".into(),
            hint: Some("on that host, as root: install -d -o deploy /var/webapps/five".into()),
        }],
    },
        "There is no plan: nothing was touched. `reasons` holds all that speaks against it.";
    Reverting => Event::Reverting { hosts: vec![web(1), web(2)] },
        "Hosts go back to the old release.";
    LookingAgain => Event::LookingAgain { host: web(2) },
        "A host that was lost is asked what it serves.";
    LocalStarted => Event::LocalStarted { command: "make test".into() },
        "A local hook runs on the machine that deploys.";
    LocalOutput => Event::LocalOutput { line: "42 passed".into() },
        "A local hook printed a line.";
    LocalEnded => Event::LocalEnded { status: 0 },
        "A local hook ended.";
    RunEnded => Event::RunEnded {
        outcome: Outcome {
            verdict: Verdict::FailedBefore,
            hosts: vec![HostOutcome { host: web(1), serving: Serving::Release { release: release() } }],
            failures: vec![Failure {
                host: web(1), step: Some(10), what: FailureKind::Exited { status: 1 },
            }],
        },
        exit_code: 7,
        milliseconds: 1843,
    }, "The run ended: how, what every host serves now, and the first thing that went wrong on each.";
}

all! {
    failures_told: FailureKind, &'static str,
    Exited => FailureKind::Exited { status: 1 },
        "A step ended with this status; above 128 it usually died of the signal `status - 128`.";
    TimedOut => FailureKind::TimedOut { seconds: 900 },
        "A step ran for longer than `step_timeout_seconds`, and was ended.";
    Unreachable => FailureKind::Unreachable { why: "Permission denied (publickey).".into() },
        "No connection came to stand.";
    Lost => FailureKind::Lost { why: "nothing heard for 15 s".into() },
        "The connection ended.";
}

all! {
    servings_told: Serving, &'static str,
    Release => Serving::Release { release: release() }, "This release.";
    Nothing => Serving::Nothing, "No release: none was ever live.";
    Unknown => Serving::Unknown, "It couldn't be asked, or it was left between two releases.";
}

fn event_page() -> String {
    let mut text = String::from("# Events\n\n");
    text.push_str(&paragraph(
        "With `--json`, a command that changes hosts prints one event a line on standard output, as it happens. Each \
         has `event`, its name, and `at`, the time by the clock of the machine that deploys. Fields and events are only \
         ever added: skip what you don't know. The last event of a run is `run_ended`. \
         [Scripting with --json](../json.md) has examples, and the documents of `status`, `history` and `check`.",
    ));
    text.push('\n');
    for (event, meaning) in events_told() {
        let value = serde_json::to_value(&event).expect("events are plain data");
        let name = value["event"].as_str().expect("every event has a name");
        let document = line(&Envelope { at: at(), event });
        let _ = write!(text, "## `{name}`\n\n{}\n```json\n{document}\n```\n\n", paragraph(meaning));
    }
    text.push_str("## What may go wrong with a step\n\nThe values of `what`, told apart by `kind`.\n\n");
    for (failure, meaning) in failures_told() {
        let _ = write!(text, "{}\n```json\n{}\n```\n\n", paragraph(meaning), line(&failure));
    }
    text.push_str(
        "## What a host serves\n\nThe entries of `hosts` in `run_ended`, told apart by `serving`.\n\n",
    );
    for (serving, meaning) in servings_told() {
        let document = HostOutcome { host: web(1), serving };
        let _ = write!(text, "{}\n```json\n{}\n```\n\n", paragraph(meaning), line(&document));
    }
    let verdicts: Vec<String> =
        verdicts().iter().map(|(verdict, _)| format!("`{}`", text_of(verdict))).collect();
    text.push_str("## How a run ends\n\n");
    text.push_str(&paragraph(&format!(
        "The values of `verdict` in `run_ended`: {}. Each has [an exit code](exit-codes.md).",
        verdicts.join(", ")
    )));
    text
}

/// As the JSON reporter prints it.
#[derive(serde::Serialize)]
struct Envelope {
    at: Timestamp,
    #[serde(flatten)]
    event: Event,
}

/// A document over several lines where one would be too long.
fn line<T: serde::Serialize>(document: &T) -> String {
    let short = serde_json::to_string(document).expect("plain data");
    match short.len() <= WIDTH {
        true => short,
        false => serde_json::to_string_pretty(document).expect("plain data"),
    }
}

fn text_of(verdict: &Verdict) -> String {
    match serde_json::to_value(verdict) {
        Ok(Value::String(text)) => text,
        other => panic!("a verdict is a word: {other:?}"),
    }
}

// Variables

const VARIABLES: [(&str, &str); 14] = [
    ("BUEDAFAB_BY", "the person and machine at the helm"),
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

const LOCAL_VARIABLES: [(&str, &str); 11] = [
    ("BUEDAFAB_BY", "the person and machine at the helm"),
    ("BUEDAFAB_COMMIT", "the full id of the release that will serve; empty if nothing changes"),
    ("BUEDAFAB_DESCRIBE", "its name by `git describe`"),
    ("BUEDAFAB_ENVIRONMENT", "the environment"),
    ("BUEDAFAB_EXIT_CODE", "how the run ended; in `after` and `on_failure` only"),
    ("BUEDAFAB_HOSTS", "the names of the hosts, with commas"),
    ("BUEDAFAB_PREVIOUS_COMMIT", "the full id of what served on the first host before the run"),
    ("BUEDAFAB_RUN", "the id of the run"),
    ("BUEDAFAB_TAG", "the tag that stands on exactly this commit"),
    ("BUEDAFAB_UNIT", "the app's short name"),
    ("DEPLOYMENT_TYPE", "`deployment_type`"),
];

fn variable_page() -> String {
    let seen = hook_variables();
    let told: BTreeSet<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(told, seen.keys().map(String::as_str).collect(), "the variables of a real plan");
    let source = include_str!("session.rs");
    let local: BTreeSet<&str> = source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|word| word.starts_with("BUEDAFAB_") || *word == "DEPLOYMENT_TYPE")
        .collect();
    let told: BTreeSet<&str> = LOCAL_VARIABLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(told, local, "the variables that session.rs sets");

    let mut text = String::from("# Variables of hooks\n\n");
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
    text.push_str(&paragraph("Hooks below `[hooks.local]` find these."));
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

/// What a hook gets in a plan that was made for it.
fn hook_variables() -> BTreeMap<String, String> {
    let file =
        "unit = \"five\"\nhooks = { build = \"true\" }\n[environments.production]\nhosts = [\"web1\"]\n";
    let settings: Settings =
        match config::parse("example", file).and_then(|file| file.settings(&production())) {
            Ok(settings) => settings,
            Err(mistakes) => panic!("{mistakes}"),
        };
    let facts = HostFacts {
        user: "deploy".into(),
        is_root: false,
        clock: Some(at()),
        exists: true,
        has_folders: true,
        writable: true,
        current: CurrentLink::Missing,
        slots: BTreeMap::new(),
        hold: None,
        maintenance: None,
        packages: Vec::new(),
        installed: Vec::new(),
        lock: None,
        journal: Vec::new(),
        disk_kib: Some(Capacity { free: 9, total: 10 }),
        inodes: None,
        missing_tools: Vec::new(),
        sudo: None,
        git_version: None,
        missing_shared: Vec::new(),
        missing_services: Vec::new(),
        missing_user: None,
        services: Vec::new(),
        app: None,
        state_sum: "1 2".into(),
    };
    let context = RunContext { run: run(), at: at(), by: "ada@laptop".into() };
    let request = DeployRequest::new(release(), "git@github.com:bueda/five.git");
    let seen = [SeenHost { host: &settings.hosts[0], facts: &facts }];
    let plan = plan_deploy(&settings, &context, &request, &seen).expect("nothing speaks against it");
    let mut steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| &work.steps);
    let found = steps.find_map(|step| match &step.action {
        Action::Hook { around, .. } => Some(around.variables.clone()),
        _ => None,
    });
    found.expect("the plan has a hook")
}

// What samples are made of

fn at() -> Timestamp {
    "2026-11-23T20:32:21.5Z".parse().expect("a time")
}

fn run() -> RunId {
    RunId::new("20261123-203221-ie2d").expect("a word")
}

fn unit() -> Unit {
    Unit::new("five").expect("a name")
}

fn production() -> EnvironmentName {
    EnvironmentName::new("production").expect("a word")
}

fn web(number: u8) -> HostName {
    HostName::new(format!("web{number}")).expect("a name")
}

fn release() -> Release {
    let commit = CommitId::new("5ed17b1b2bb7bae1ea611c84ada59cb77d77b850").expect("an id");
    Release::unnamed(commit).tagged("v0.2.0")
}

// Markdown

/// Sentences, broken so that a terminal can show them.
fn paragraph(text: &str) -> String {
    wrap(text, "", "")
}

fn list_item(text: &str) -> String {
    wrap(text, "- ", "  ")
}

fn wrap(text: &str, first: &str, rest: &str) -> String {
    let mut lines = String::from(first);
    let mut width = first.len();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !is_empty && width + 1 + length > WIDTH {
            lines.push('\n');
            lines.push_str(rest);
            width = rest.len();
        } else if !is_empty {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
        is_empty = false;
    }
    lines.push('\n');
    lines
}
