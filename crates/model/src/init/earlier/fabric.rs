//! `fabfile.py` of the buedafab that was a library for Fabric: its plain assignments to `env`, its functions for environments,
//! and tasks that only run commands. It is read, never run.

use std::collections::BTreeMap;

use regex::Regex;

use super::{Earlier, EarlierHost, EarlierTask, add};
use crate::app::recipe::Recipe;
use crate::config::FORMER_KEYS;
use crate::init::Files;
use crate::init::python::Requirements;

pub(super) fn read(files: &Files) -> Option<Earlier> {
    const FILE: &str = "fabfile.py";
    let text = files.text(FILE);
    let is_ours = ["from buedafab", "import buedafab", "from fab_shared", "import fab_shared"]
        .iter()
        .any(|words| text.contains(words));
    if !is_ours {
        return None;
    }
    // What functions assign is theirs, and stands further to the right.
    let env = assignments(text, "^");
    let string = |name: &str| env.get(name).and_then(|value| text_of(value, &env));
    let list = |name: &str| env.get(name).map(|value| texts_of(value)).unwrap_or_default();
    let imports = |what: &str| text.contains(&format!("{what}_deploy"));
    let mut by_name = env.clone();
    by_name.insert("unit".to_owned(), quoted("{unit}"));
    let mut earlier = Earlier {
        file: Some(FILE.to_owned()),
        unit: string("unit"),
        // It is made of the unit's name nearly always.
        path: env.get("path").and_then(|path| text_of(path, &by_name)),
        scm: string("scm"),
        scm_http_url: string("scm_http_url").filter(|url| url.starts_with("http")),
        recipe: [("django", Recipe::Django), ("tornado", Recipe::Tornado), ("webpy", Recipe::Webpy)]
            .into_iter()
            .find_map(|(what, recipe)| imports(what).then_some(recipe)),
        requirements: Some(Requirements {
            common: list("pip_requirements"),
            development: list("pip_requirements_dev"),
            production: list("pip_requirements_production"),
        })
        .filter(|files| *files != Requirements::default()),
        test_runner: env.get("test_runner").and_then(|runner| test_runner(runner)),
        service: Some("init:{unit}".to_owned()),
        celeryd: string("celeryd"),
        ..Earlier::default()
    };
    for name in [
        "deploy_user",
        "deploy_group",
        "master_remote",
        "default_revision",
        "virtualenv",
        "releases_root",
        "current_release_symlink",
        "crontab",
    ] {
        if let Some(value) = string(name) {
            earlier.more.push((name.to_owned(), quoted(&value)));
        }
    }
    for name in ["private_requirements", "extra_fixtures", "package_installation_scripts", "release_paths"] {
        let list = list(name);
        if !list.is_empty() {
            earlier
                .more
                .push((name.to_owned(), serde_json::to_string(&list).expect("strings are plain data")));
        }
    }
    if !list("private_requirements").is_empty() {
        earlier.left.push(
            "private_source, where those private packages are whose lines hold no URL: docs/from-fabric-buedafab.md"
                .to_owned(),
        );
    }
    // What is only left out needs nobody.
    let is_left = |name: &str, instead: &str| {
        env.contains_key(name) && name != "celeryd" && !instead.starts_with("leave it out")
    };
    for (name, instead) in FORMER_KEYS.iter().filter(|(name, instead)| is_left(name, instead)) {
        earlier.left.push(format!("for env.{name}: {instead}"));
    }
    behind(&env, "NAME", &mut earlier);
    read_functions(text, &env, &mut earlier);
    Some(earlier)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is plain data")
}

/// What was assigned, as it is written.
type Env = BTreeMap<String, String>;

/// `env.NAME = …`, to the end of its brackets.
fn assignments(text: &str, before: &str) -> Env {
    let begin = Regex::new(&format!(r"(?m){before}env\.(\w+)\s*=\s*")).expect("it is fixed");
    let mut all = BTreeMap::new();
    for found in begin.captures_iter(text) {
        let rest = &text[found.get(0).map_or(0, |all| all.end())..];
        let mut depth = 0_i32;
        let mut value = String::new();
        for line in rest.lines() {
            value.push_str(line);
            depth +=
                line.matches(['[', '(', '{']).count() as i32 - line.matches([']', ')', '}']).count() as i32;
            if depth <= 0 {
                break;
            }
            value.push('\n');
        }
        all.insert(found[1].to_owned(), value.trim().to_owned());
    }
    all
}

/// A plain string, or one that `% env` fills.
fn text_of(value: &str, env: &Env) -> Option<String> {
    let plain = Regex::new(r#"^["']([^"']*)["'](\s*%\s*env)?\s*(?:#.*)?$"#).expect("it is fixed");
    let found = plain.captures(value)?;
    if found.get(2).is_none() {
        return Some(found[1].to_owned());
    }
    let gap = Regex::new(r"%\((\w+)\)s").expect("it is fixed");
    let mut is_known = true;
    let filled = gap.replace_all(&found[1], |name: &regex::Captures<'_>| {
        let filled =
            env.get(&name[1]).filter(|inner| !inner.contains("%(")).and_then(|inner| text_of(inner, env));
        is_known &= filled.is_some();
        filled.unwrap_or_default()
    });
    let filled = filled.into_owned();
    is_known.then_some(filled)
}

/// The strings of a list.
fn texts_of(value: &str) -> Vec<String> {
    let string = Regex::new(r#"["']([^"'\n]+)["']"#).expect("it is fixed");
    string.captures_iter(value).map(|found| found[1].to_owned()).collect()
}

/// A load balancer knows the hosts of an environment, of which only a person knows.
fn behind(env: &Env, name: &str, earlier: &mut Earlier) {
    if let Some(balancer) = env.get("load_balancer").and_then(|value| text_of(value, env)) {
        let balancer = quoted(&balancer);
        earlier.left.push(format!(
            "where hosts are found behind it, write load_balancer = {balancer} below [environments.{name}]: docs/inventories.md"
        ));
    }
}

/// `_django_test_runner`, or any other function's name.
fn test_runner(value: &str) -> Option<String> {
    let name = value.trim_matches(['"', '\'']).trim_start_matches('_').rsplit('.').next()?;
    let kind = name.split('_').next()?;
    // That of web.py ran nothing.
    ["django", "tornado", "nose"].contains(&kind).then(|| kind.to_owned())
}

/// Functions at the top: environments set `env.hosts` or `env.roledefs`; tasks run commands.
fn read_functions(text: &str, env: &Env, earlier: &mut Earlier) {
    let head = Regex::new(r"(?m)^def (\w+)\(([^)]*)\):").expect("it is fixed");
    let command = Regex::new(r#"^(run|sudo|local)\(\s*((?:"[^"]*"|'[^']*')(?:\s*%\s*env)?)\s*\)$"#)
        .expect("it is fixed");
    let role = Regex::new(r#"["'](\w+)["']\s*:\s*\[([^\]]*)\]"#).expect("it is fixed");
    let hosts_of = |name: &str, env: &Env, earlier: &mut Earlier| {
        let mut hosts = Vec::new();
        for text in env.get("hosts").map(|value| texts_of(value)).unwrap_or_default() {
            add(&mut hosts, EarlierHost::read(&text));
        }
        for found in env.get("roledefs").into_iter().flat_map(|value| role.captures_iter(value)) {
            for text in texts_of(&found[2]) {
                add(&mut hosts, EarlierHost { roles: vec![found[1].to_owned()], ..EarlierHost::read(&text) });
            }
        }
        if !hosts.is_empty() {
            earlier.environments.insert(name.to_owned(), hosts);
        }
    };
    hosts_of("production", env, earlier);
    for found in head.captures_iter(text) {
        let (name, rest) = (&found[1], &text[found.get(0).map_or(0, |all| all.end())..]);
        let body: Vec<&str> = rest
            .lines()
            .skip(1)
            .take_while(|line| line.trim().is_empty() || line.starts_with([' ', '\t']))
            .collect();
        let own = assignments(&body.join("\n"), r"^\s+");
        behind(&own, name, earlier);
        if ["hosts", "roledefs", "load_balancer"].iter().any(|key| own.contains_key(*key)) {
            hosts_of(name, &own, earlier);
            continue;
        }
        let lines = statements(&body);
        let commands: Option<Vec<(String, String)>> = lines
            .iter()
            .map(|line| {
                let found = command.captures(line)?;
                let filled = text_of(&found[2], env)?;
                Some(match &found[1] {
                    "sudo" => ("run".to_owned(), format!("sudo {filled}")),
                    how => (how.to_owned(), filled),
                })
            })
            .collect();
        let is_private = name.starts_with('_');
        match commands.filter(|commands| !commands.is_empty() && found[2].trim().is_empty()) {
            Some(commands) if !is_private && commands.windows(2).all(|two| two[0].0 == two[1].0) => {
                let is_local = commands[0].0 == "local";
                let run = commands.into_iter().map(|(_, command)| command).collect();
                earlier.tasks.push(EarlierTask { name: name.to_owned(), run, is_local });
            }
            _ if is_private => {}
            _ => earlier
                .left
                .push(format!("the task {name} is Python: write its commands below [tasks.{name}]")),
        }
    }
}

/// The lines of a body that do something: not its words about itself.
fn statements(body: &[&str]) -> Vec<String> {
    let text = body.join("\n");
    let words =
        Regex::new(r#"(?s)^\s*(?:"""(.*?)"""|'''(.*?)'''|"[^"\n]*"|'[^'\n]*')\s*\n?"#).expect("it is fixed");
    let text = words.replace(&text, "");
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "pass");
    lines.map(str::to_owned).collect()
}
