//! Kamal: `config/deploy.yml`, and `config/deploy.STAGE.yml` for more destinations.

use super::{Earlier, EarlierHost, add, environment};
use crate::init::Files;
use crate::init::question::Page;
use crate::init::start::USUAL_PORT;
use crate::init::yaml::Yaml;

pub(super) fn read(files: &Files) -> Option<Earlier> {
    const FILE: &str = "config/deploy.yml";
    let yaml = Yaml::read(files.text(FILE));
    yaml.at(&["service"])?;
    let mut earlier = Earlier {
        file: Some(FILE.to_owned()),
        unit: yaml.text_at(&["service"]).map(str::to_owned),
        ..Earlier::default()
    };
    let port = yaml.text_at(&["proxy", "app_port"]).and_then(|port| port.parse().ok());
    earlier.health = yaml
        .text_at(&["proxy", "healthcheck", "path"])
        .map(|path| Page { path: path.to_owned(), port: port.unwrap_or(USUAL_PORT) });
    let own = servers(&yaml, &yaml);
    if !own.is_empty() {
        earlier.environments.insert("production".to_owned(), own);
    }
    let stages: Vec<&str> = files
        .below("config")
        .filter_map(|path| path.strip_prefix("deploy.")?.strip_suffix(".yml"))
        .filter(|stage| !stage.contains(['/', '.']))
        .collect();
    for stage in stages {
        let of_stage = Yaml::read(files.text(&format!("config/deploy.{stage}.yml")));
        let hosts = servers(&of_stage, &yaml);
        if !hosts.is_empty() {
            earlier.environments.insert(environment(stage), hosts);
        }
    }
    if yaml.at(&["accessories"]).is_some() {
        earlier.left.push("Kamal's accessories, databases and the like, are yours to install".to_owned());
    }
    earlier
        .left
        .push("what Kamal passes into its containers, `env`, becomes `variables` and `env_file`".to_owned());
    Some(earlier)
}

/// A list of machines, or a list per role.
fn servers(yaml: &Yaml, usual: &Yaml) -> Vec<EarlierHost> {
    let user =
        yaml.text_at(&["ssh", "user"]).or(usual.text_at(&["ssh", "user"])).filter(|user| *user != "root");
    let port =
        yaml.text_at(&["ssh", "port"]).or(usual.text_at(&["ssh", "port"])).filter(|port| *port != "22");
    let mut hosts = Vec::new();
    let mut put = |names: Vec<String>, roles: Vec<String>| {
        for name in names {
            let read = EarlierHost::read(&name);
            add(
                &mut hosts,
                EarlierHost {
                    user: read.user.or(user.map(str::to_owned)),
                    port: read.port.or(port.map(str::to_owned)),
                    name: read.name,
                    roles: roles.clone(),
                },
            );
        }
    };
    let Some(servers) = yaml.at(&["servers"]) else { return hosts };
    put(servers.texts(), Vec::new());
    for (role, machines) in servers.entries() {
        let names = machines.at(&["hosts"]).unwrap_or(machines).texts();
        put(names, vec![role.clone()]);
    }
    hosts
}
