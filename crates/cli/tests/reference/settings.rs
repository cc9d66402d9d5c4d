//! The page of settings, from the schema; every example on it is tried.

use std::collections::BTreeSet;
use std::fmt::Write;

use buedafab_model::config::{self, schema};
use buedafab_model::names::EnvironmentName;
use serde_json::Value;

use crate::markdown::{list_item, paragraph};

/// Settings that are tables have a part of the page each, below the others.
const TABLES: [&str; 6] = ["health", "hooks", "notify", "tasks", "services", "watch"];

pub(crate) fn page() -> String {
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
    assert!(left.remove("environments") && left.remove("apps"));
    for area in config::reference() {
        // What belongs to environments only isn't there at the top level.
        let names = area.settings.iter().map(|setting| setting.name).filter(|name| left.remove(*name));
        let names: Vec<&str> = names.filter(|name| !TABLES.contains(name)).collect();
        if !names.is_empty() {
            let _ = write!(text, "## {}\n\n", area.title);
        }
        for name in names {
            list_setting(&mut text, name, &schema["properties"][name], try_setting);
        }
    }
    assert!(left.is_empty(), "in no area: {left:?}");

    let hooks = &schema["properties"]["hooks"];
    let _ = write!(text, "## Hooks\n\n{}\n", paragraph(&described(hooks).meaning));
    let _ = writeln!(text, "{}", paragraph(HOOKS));
    let mut names = keys(hooks);
    for name in HOOKS_IN_ORDER {
        assert!(names.remove(name), "{name} is no hook");
        list_setting(&mut text, name, &hooks["properties"][name], try_hook);
    }
    assert!(names.remove("local"));
    assert!(names.is_empty(), "hooks that settings.rs doesn't know: {names:?}");
    let local = &hooks["properties"]["local"];
    let _ = write!(text, "### Hooks on your own machine\n\n{}\n", paragraph(&described(local).meaning));
    for name in ["before", "build", "after", "on_failure"] {
        list_setting(&mut text, &format!("local.{name}"), &local["properties"][name], try_hook);
    }
    assert_eq!(keys(local).len(), 4, "local hooks that settings.rs doesn't know");

    let services = &schema["properties"]["services"];
    let _ = write!(text, "## Services\n\n{}\n", paragraph(&described(services).meaning));
    text.push_str(SERVICES_EXAMPLE);
    let _ = write!(text, "\n{}\n", paragraph("The keys of a service:"));
    list_keys(
        &mut text,
        find_table(services).expect("a service is a table"),
        &[
            "service",
            "command",
            "template",
            "default",
            "stop_seconds",
            "reload",
            "socket",
            "cutover",
            "keep_warm_instance",
            "roles",
            "single",
        ],
    );
    try_text(&format!("unit = \"five\"\n{}", without_fence(SERVICES_EXAMPLE)));
    text.push('\n');

    let health = &schema["properties"]["health"];
    let _ = write!(text, "## Health\n\n{}\n", paragraph(&described(health).meaning));
    text.push_str(HEALTH_EXAMPLE);
    let _ = write!(text, "\n{}\n", paragraph("The keys of the table:"));
    list_keys(
        &mut text,
        find_table(health).expect("health is a table"),
        &[
            "http",
            "port",
            "socket",
            "status",
            "contains",
            "tcp",
            "command",
            "timeout_seconds",
            "interval_seconds",
            "grace_seconds",
            "roles",
        ],
    );
    try_text(&format!("unit = \"five\"\n{}", without_fence(HEALTH_EXAMPLE)));
    text.push('\n');

    let watch = &schema["properties"]["watch"];
    let _ = write!(text, "## Watches\n\n{}\n", paragraph(&described(watch).meaning));
    text.push_str(WATCH_EXAMPLE);
    let _ = write!(text, "\n{}\n", paragraph("The keys of a watch:"));
    list_keys(
        &mut text,
        find_table(watch).expect("a watch is a table"),
        &["access_log", "journal", "max", "min_requests", "no_data", "advisory", "roles"],
    );
    try_text(&format!("unit = \"five\"\n{}", without_fence(WATCH_EXAMPLE)));
    text.push('\n');

    let private = find_table(&schema["properties"]["python"]).expect("python may be a table");
    let private = &private["properties"]["private"];
    let _ = write!(text, "## Private packages\n\n{}\n", paragraph(&described(private).meaning));
    text.push_str(PRIVATE_EXAMPLE);
    let _ = write!(text, "\n{}\n", paragraph("The keys of a private package:"));
    list_keys(&mut text, &private["items"], &["url", "rev", "sha256", "name"]);
    try_text(&format!("unit = \"five\"\n{}", without_fence(PRIVATE_EXAMPLE)));
    text.push('\n');

    let notify = &schema["properties"]["notify"];
    let _ = write!(text, "## Who is told of runs\n\n{}\n", paragraph(&described(notify).meaning));
    text.push_str(NOTIFY_EXAMPLE);
    let _ = write!(text, "\n{}\n", paragraph("The keys of a notification:"));
    let notification = &notify["items"];
    list_keys(
        &mut text,
        notification,
        &[&["on"][..], &SERVICES_TOLD.map(|(name, _)| name), &["command"]].concat(),
    );
    for (name, its_keys) in SERVICES_TOLD {
        let _ = write!(text, "\n{}\n", paragraph(&format!("The keys of `{name}`:")));
        list_keys(&mut text, find_table(&notification["properties"][name]).expect("it is a table"), its_keys);
    }
    try_text(&format!("unit = \"five\"\n{}", without_fence(NOTIFY_EXAMPLE)));
    let _ = write!(
        text,
        "\n{}\n",
        paragraph("The guide to [telling others](../notifications.md) has an example of each service.")
    );

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
    let _ = write!(text, "\n## Who knows hosts\n\n{}\n", paragraph(SOURCES));
    for name in ["load_balancer", "target_group", "auto_scaling_group", "ec2", "inventory"] {
        let property = &schema["definitions"]["environment"]["properties"][name];
        list_setting(&mut text, name, property, |name, value| {
            try_text(&format!("unit = \"five\"\n[environments.production]\n{name} = {value}\n"));
        });
    }
    try_text(&format!("unit = \"five\"\n{}", without_fence(ENVIRONMENTS_EXAMPLE)));
    let _ = write!(text, "\n## Apps\n\n{}\n", paragraph(APPS));
    text.push_str(APPS_EXAMPLE);
    let _ = write!(text, "\n{}\n", paragraph("An app's own keys:"));
    for (key, about) in config::APP_KEYS {
        text.push_str(&list_item(&format!("`{key}` (list of names): {about}")));
    }
    try_text(&without_fence(APPS_EXAMPLE));
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
    assert_eq!(keys(table).len(), names.len(), "keys that settings.rs doesn't know");
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

const SOURCES: &str = "An environment may name who knows its hosts, beside those that it names itself; these settings, too, belong to environments \
     only. One that has any of them, or `hosts`, takes none of them from the one that it extends. \
     [Where hosts come from](../inventories.md) says what is asked, and by whom.";

const APPS: &str = "Where one repository holds several apps, each is a table `[apps.NAME]`, with the settings that differ for it; what differs for it in \
     an environment stands below `[environments.NAME.apps.NAME]`. What is special goes before what is general: the top level, the app, \
     the environment, the app in that environment. `unit` is the top level's with the app's name after it, where an app has none. What \
     decides of a release as a whole, such as rules, connections, tasks and hooks on your own machine, is the same for all. The \
     [guide](../monorepos.md) says what a deploy of several apps is.";

const APPS_EXAMPLE: &str = r#"```toml
unit = "shop"

[apps.web]
subdir = "frontend"
after = ["api"]
roles = ["web"]

[apps.api]
subdir = "backend"
recipe = "django"

[environments.staging.apps.api]
hosts = ["staging-db.example.com"]
```
"#;

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

[environments.production.health]
http = "/healthz"
port = 8000
```
"#;

const WATCH_EXAMPLE: &str = r#"```toml
bake_seconds = 60

[watch.errors]
access_log = "/var/log/nginx/five.log"
max = 0.02
```
"#;

const HEALTH_EXAMPLE: &str = r#"```toml
[health]
http = "http://www.example.com/healthz"
port = 8000
contains = "ok"
roles = ["web"]
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

const NOTIFY_EXAMPLE: &str = r#"```toml
[[notify]]
slack = { url = { env = "SLACK_URL" } }
on = ["failed", "reverted"]

[[notify]]
sentry = { organization = "bueda", projects = ["five"], token = { command = "op read op://deploy/sentry/token" } }
```
"#;

/// The services that are tables, each with its keys.
const SERVICES_TOLD: [(&str, &[&str]); 9] = [
    ("slack", &["url"]),
    ("discord", &["url"]),
    ("campfire", &["url", "room", "token", "bot_key"]),
    ("airbrake", &["url", "project", "key"]),
    ("hoptoad", &["url", "api_key"]),
    ("sentry", &["url", "organization", "projects", "repository", "token"]),
    ("github", &["url", "repository", "token", "require_checks"]),
    ("webhook", &["url", "secret"]),
    ("email", &["from", "to", "sendmail", "smtp", "port", "tls", "user", "password"]),
];

#[test]
fn the_guide_to_draining_can_be_read() {
    let page = include_str!("../../../../docs/draining.md");
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let blocks: Vec<&str> = blocks.collect();
    assert!(blocks.len() >= 3);
    blocks.into_iter().for_each(|block| try_text(&format!("unit = \"five\"\n{block}")));
}

#[test]
fn the_guide_to_notifications_has_a_block_of_each_service_that_can_be_read() {
    let page = include_str!("../../../../docs/notifications.md");
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    for block in &blocks {
        // A repository is named where none is known.
        try_text(&format!("unit = \"five\"\nscm_http_url = \"https://github.com/bueda/five\"\n{block}"));
    }
    for name in SERVICES_TOLD.map(|(name, _)| name).iter().chain(&["command"]) {
        let is_shown = |block: &&str| {
            block.contains(&format!("\n{name} = ")) || block.contains(&format!("[notify.{name}]"))
        };
        assert!(blocks.iter().any(is_shown), "no block shows {name}");
    }
}

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
        // Only where releases add up.
        "keep" | "keep_days" => "unit = \"five\"\nstrategy = \"timestamp\"\n",
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
        Some("number") => "number".to_owned(),
        Some("string") => "string".to_owned(),
        _ => match property["anyOf"].as_array().or(property["oneOf"].as_array()) {
            Some(choices) => choices.iter().map(kind).collect::<Vec<_>>().join(" or "),
            None => panic!("a type that settings.rs doesn't know: {property}"),
        },
    }
}

fn keys(object: &Value) -> BTreeSet<String> {
    object["properties"].as_object().map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
}

/// The first table somewhere below a schema.
fn find_table(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(object) if object.contains_key("properties") => Some(value),
        Value::Object(object) => object.values().find_map(find_table),
        Value::Array(list) => list.iter().find_map(find_table),
        _ => None,
    }
}
