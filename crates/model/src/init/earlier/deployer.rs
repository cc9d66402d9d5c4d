//! Deployer: `deploy.php`, `deploy.yaml` or `deploy.yml`.

use regex::Regex;

use super::{Earlier, EarlierHost, add, environment};
use crate::init::Files;
use crate::init::yaml::Yaml;

pub(super) fn read(files: &Files) -> Option<Earlier> {
    let file = ["deploy.php", "deploy.yaml", "deploy.yml"].into_iter().find(|file| files.has(file))?;
    let text = files.text(file);
    let mut earlier = if file.ends_with(".php") { of_php(text) } else { of_yaml(text) }?;
    earlier.file = Some(file.to_owned());
    // A path of a home isn't known here.
    earlier.path = earlier.path.filter(|path| path.starts_with('/') && !path.contains("{{"));
    Some(earlier)
}

fn of_php(text: &str) -> Option<Earlier> {
    if !text.contains("namespace Deployer") && !text.contains("host(") {
        return None;
    }
    let set = |text: &str, name: &str| {
        let pattern = format!(r#"\bset\w*\(\s*['"]{name}['"]\s*,\s*['"]([^'"]+)['"]"#);
        Regex::new(&pattern).expect("it is fixed").captures(text).map(|found| found[1].to_owned())
    };
    let list = |name: &str| -> Vec<String> {
        let pattern = format!(r#"\b(?:add|set)\(\s*['"]{name}['"]\s*,\s*\[([^\]]*)\]"#);
        let string = Regex::new(r#"['"]([^'"]+)['"]"#).expect("it is fixed");
        let found = Regex::new(&pattern).expect("it is fixed").captures(text);
        found
            .map(|found| string.captures_iter(&found[1]).map(|one| one[1].to_owned()).collect())
            .unwrap_or_default()
    };
    let mut earlier = Earlier {
        unit: set(text, "application"),
        scm: set(text, "repository"),
        branch: set(text, "branch"),
        shared_files: list("shared_files"),
        shared_dirs: list("shared_dirs"),
        ..Earlier::default()
    };
    let host = Regex::new(r#"(?s)\bhost\(([^)]*)\)(.*?);"#).expect("it is fixed");
    let string = Regex::new(r#"['"]([^'"]+)['"]"#).expect("it is fixed");
    let label = Regex::new(r#"['"](?:stage|env)['"]\s*=>\s*['"]([^'"]+)['"]"#).expect("it is fixed");
    for found in host.captures_iter(text) {
        let chain = &found[2];
        // Each setting has a method of its name, too.
        let said = |name: &str, method: &str| {
            let pattern = format!(r#"->{method}\(\s*['"]?([^'")]+)"#);
            set(chain, name)
                .or_else(|| Some(Regex::new(&pattern).expect("it is fixed").captures(chain)?[1].to_owned()))
        };
        let stage = label.captures(chain).map_or("production".to_owned(), |found| environment(&found[1]));
        let user = said("remote_user", "setRemoteUser");
        let port = said("port", "setPort").filter(|port| port != "22");
        earlier.path = earlier.path.or(said("deploy_path", "setDeployPath"));
        for name in string.captures_iter(&found[1]) {
            let read = EarlierHost::read(said("hostname", "setHostname").as_deref().unwrap_or(&name[1]));
            let host = EarlierHost {
                user: user.clone().or(read.user.clone()),
                port: port.clone().or(read.port.clone()),
                ..read
            };
            add(earlier.environments.entry(stage.clone()).or_default(), host);
        }
    }
    earlier.path = earlier.path.or(set(text, "deploy_path"));
    Some(earlier)
}

fn of_yaml(text: &str) -> Option<Earlier> {
    let yaml = Yaml::read(text);
    let hosts = yaml.at(&["hosts"])?;
    let config = |name: &str| yaml.text_at(&["config", name]).map(str::to_owned);
    let list = |name: &str| yaml.at(&["config", name]).map(Yaml::texts).unwrap_or_default();
    let mut earlier = Earlier {
        unit: config("application"),
        scm: config("repository"),
        branch: config("branch"),
        path: config("deploy_path"),
        shared_files: list("shared_files"),
        shared_dirs: list("shared_dirs"),
        ..Earlier::default()
    };
    for (name, host) in hosts.entries() {
        let text = |key: &str| host.text_at(&[key]).map(str::to_owned);
        let stage = host.text_at(&["labels", "stage"]).or(host.text_at(&["labels", "env"]));
        earlier.path = earlier.path.or(text("deploy_path"));
        let read = EarlierHost::read(host.text_at(&["hostname"]).unwrap_or(name));
        let host = EarlierHost {
            user: text("remote_user").or(read.user.clone()),
            port: text("port").filter(|port| port != "22").or(read.port.clone()),
            ..read
        };
        add(earlier.environments.entry(environment(stage.unwrap_or("production"))).or_default(), host);
    }
    Some(earlier)
}
