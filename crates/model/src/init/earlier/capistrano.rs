//! Capistrano 3: `config/deploy.rb` and a file per stage.

use regex::Regex;

use super::{Earlier, EarlierHost, add, environment};
use crate::init::Files;

pub(super) fn read(files: &Files) -> Option<Earlier> {
    const FILE: &str = "config/deploy.rb";
    if !files.has(FILE) {
        return None;
    }
    let text = without_comments(files.text(FILE));
    let mut earlier = Earlier {
        file: Some(FILE.to_owned()),
        unit: set(&text, "application"),
        scm: set(&text, "repo_url"),
        branch: set(&text, "branch"),
        shared_files: list(&text, "linked_files"),
        shared_dirs: list(&text, "linked_dirs"),
        ..Earlier::default()
    };
    let application = earlier.unit.clone().unwrap_or_default();
    let path = set(&text, "deploy_to").unwrap_or_else(|| format!("/var/www/{application}"));
    let path =
        path.replace("#{fetch(:application)}", &application).replace("#{fetch :application}", &application);
    earlier.path = Some(path).filter(|path| !path.contains("#{") && !path.ends_with('/'));
    // It moves to folders of its own beside the link that serves.
    earlier.service = Some("none".to_owned());
    earlier.left.push(
        "Capistrano's `current` goes on serving until the web server follows releases/current: docs/from-capistrano.md says how to \
         move over, and what to set `service` to then"
            .to_owned(),
    );
    let stages: Vec<&str> = files
        .below("config/deploy")
        .filter(|path| !path.contains('/'))
        .filter_map(|path| path.strip_suffix(".rb"))
        .collect();
    for stage in stages {
        let text = without_comments(files.text(&format!("config/deploy/{stage}.rb")));
        let name = environment(stage);
        if name == "production"
            && let Some(branch) = set(&text, "branch")
        {
            earlier.branch = Some(branch);
        }
        earlier.environments.insert(name, servers(&text));
    }
    Some(earlier)
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// `set :branch, "main"`, if it is that plain.
fn set(text: &str, name: &str) -> Option<String> {
    let pattern = format!(r#"(?m)^\s*set\s*\(?\s*:{name}\s*,\s*(?:["']([^"']+)["']|:(\w+))"#);
    let found = Regex::new(&pattern).expect("it is fixed").captures(text)?;
    Some(found.get(1).or(found.get(2))?.as_str().to_owned())
}

/// `append :linked_dirs, "log", "tmp"`, or `set :linked_dirs, %w{log tmp}`.
fn list(text: &str, name: &str) -> Vec<String> {
    let pattern = format!(r"(?m)^\s*(?:append|set)\s*\(?\s*:{name}\s*,((?:.*,\s*\n)*.*)$");
    let Some(found) = Regex::new(&pattern).expect("it is fixed").captures(text) else { return Vec::new() };
    texts(&found[1])
}

/// The texts of `"a", 'b'` and `%w{a b}`.
fn texts(list: &str) -> Vec<String> {
    let words = Regex::new(r#"%[wi][\[({<]([^\])}>]*)[\])}>]|["']([^"']+)["']"#).expect("it is fixed");
    let found = words.captures_iter(list).flat_map(|found| match (found.get(1), found.get(2)) {
        (Some(words), _) => words.as_str().split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        (None, Some(one)) => vec![one.as_str().to_owned()],
        (None, None) => Vec::new(),
    });
    found.filter(|text| !text.contains("#{")).collect()
}

/// `server "web1", user: "deploy", roles: %w{app web}` and `role :app, %w{deploy@web1}`.
fn servers(text: &str) -> Vec<EarlierHost> {
    let mut hosts = Vec::new();
    let server =
        Regex::new(r#"(?m)^\s*server\s*\(?\s*["']([^"']+)["']((?:.*,\s*\n)*.*)$"#).expect("it is fixed");
    let user = Regex::new(r#"\buser:\s*["']([^"']+)["']"#).expect("it is fixed");
    let port = Regex::new(r"\bport:\s*(\d+)").expect("it is fixed");
    let roles = Regex::new(r#"\broles?:\s*(%[wi][\[({<][^\])}>]*[\])}>]|\[[^\]]*\]|["']\w+["']|:\w+)"#)
        .expect("it is fixed");
    let symbol = Regex::new(r":(\w+)").expect("it is fixed");
    for found in server.captures_iter(text) {
        let mut host = EarlierHost::read(&found[1]);
        let rest = &found[2];
        host.user = user.captures(rest).map(|found| found[1].to_owned()).or(host.user);
        host.port =
            port.captures(rest).map(|found| found[1].to_owned()).filter(|port| port != "22").or(host.port);
        if let Some(list) = roles.captures(rest) {
            host.roles = texts(&list[1]);
            if host.roles.is_empty() {
                host.roles = symbol.captures_iter(&list[1]).map(|found| found[1].to_owned()).collect();
            }
        }
        // Everybody else's word for all roles is none.
        host.roles.retain(|role| role != "all");
        add(&mut hosts, host);
    }
    let role = Regex::new(r"(?m)^\s*role\s*\(?\s*:(\w+)\s*,(.*)$").expect("it is fixed");
    for found in role.captures_iter(text) {
        for name in texts(&found[2]) {
            let host = EarlierHost { roles: vec![found[1].to_owned()], ..EarlierHost::read(&name) };
            add(&mut hosts, host);
        }
    }
    hosts
}
