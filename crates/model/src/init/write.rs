//! The buedafab.toml that a guess comes to, with a word about every line.

use std::collections::BTreeSet;

use crate::app::recipe::Recipe;

use super::earlier::EarlierHost;
use super::question::Start;
use super::start::{USUAL_PORT, port_of};
use super::{Guess, written};

/// The text of the file.
pub fn write(guess: &Guess) -> String {
    let unit = &guess.unit;
    let mut text = format!(
        "# How {unit} is deployed. All settings: buedafab config --schema; their values: buedafab production config\n\n\
         # The app's short name: its folder and its service on the hosts.\nunit = {}\n\n",
        string(unit)
    );
    write_recipe(guess, &mut text);
    write_layout(guess, &mut text);
    write_source(guess, &mut text);
    write_rules(guess, &mut text);
    write_service(guess, &mut text);
    for (name, value) in &guess.earlier.more {
        text.push_str(&format!("{name} = {value}\n"));
    }
    if !guess.earlier.more.is_empty() {
        text.push('\n');
    }
    for line in &guess.earlier.left {
        text.push_str(&format!("# To do: {line}.\n"));
    }
    if !guess.earlier.left.is_empty() {
        text.push('\n');
    }
    write_units(guess, &mut text);
    write_hooks(guess, &mut text);
    write_health(guess, &mut text);
    for task in &guess.earlier.tasks {
        text.push_str(&format!("[tasks.{}]\nrun = {}\n", task.name, strings(&task.run)));
        if task.is_local {
            text.push_str("on = \"deployer\"\n");
        }
        text.push('\n');
    }
    write_environments(guess, &mut text);
    text
}

impl Guess {
    /// The port that the app answers on, as far as is known.
    pub(super) fn port(&self) -> u16 {
        let said = match self.answers.start() {
            Some(Start::Command(command)) => port_of(command),
            Some(Start::Service(_) | Start::Later) | None => None,
        };
        said.or(self.command.as_deref().and_then(port_of)).unwrap_or(USUAL_PORT)
    }

    /// What `service` says.
    fn service(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        match self.answers.start() {
            Some(Start::Service(service)) => service.clone(),
            Some(Start::Command(_)) => "none".to_owned(),
            Some(Start::Later) => "none".to_owned(),
            None => match &self.earlier.service {
                Some(service) => service.clone(),
                // No service could have another name; and what starts a package isn't known.
                None if self.recipe.has_process() && self.unit.chars().all(plain) => {
                    "systemd:{unit}".to_owned()
                }
                None => "none".to_owned(),
            },
        }
    }
}

fn string(text: &str) -> String {
    serde_json::to_string(text).expect("a string is plain data")
}

fn strings(list: &[String]) -> String {
    let items: Vec<String> = list.iter().map(|text| string(text)).collect();
    format!("[{}]", items.join(", "))
}

/// What kind of app it is, and what comes with that.
fn write_recipe(guess: &Guess, text: &mut String) {
    text.push_str(
        "# What kind of app it is: \"django\", \"tornado\", \"wsgi\", \"asgi\", \"webpy\", \"static\", or \"generic\" for any other.\n\
         # `buedafab recipe` shows what that brings.\n",
    );
    text.push_str(&format!("recipe = {}\n", string(&written(guess.recipe))));
    if !guess.folder.is_empty() {
        text.push_str(&format!(
            "# The folder of the repository that the app is in: all that is run is run there.\nsubdir = {}\n",
            string(&guess.folder)
        ));
    }
    if guess.recipe.is_python() {
        let requirements = &guess.requirements;
        if requirements.common.is_empty() && requirements.is_empty() {
            text.push_str(
                "# What uv.lock, pyproject.toml or setup.py ask for is installed, unless files are named here.\n",
            );
        }
        text.push_str(&format!("pip_requirements = {}\n", strings(&requirements.common)));
        for (name, list) in [
            ("pip_requirements_production", &requirements.production),
            ("pip_requirements_dev", &requirements.development),
        ] {
            if !list.is_empty() {
                text.push_str(&format!("{name} = {}\n", strings(list)));
            }
        }
    }
    if let Some(module) = &guess.settings_modules.usual {
        text.push_str(&format!("variables = {{ DJANGO_SETTINGS_MODULE = {} }}\n", string(module)));
    }
    if guess.recipe == Recipe::Django && !guess.collects_static_files {
        text.push_str(
            "# No STATIC_ROOT was found in the settings, so no static files are collected.\nsteps.collectstatic = []\n",
        );
    }
    if !(guess.databases.is_empty() && guess.shared_dirs.is_empty() && guess.shared_files.is_empty()) {
        if guess.earlier.shared_files.is_empty() && guess.earlier.shared_dirs.is_empty() {
            text.push_str("# The settings place these in the release, where every deploy would lose them.");
        } else {
            text.push_str("# These outlive releases.");
        }
        match (guess.databases.first(), guess.shared_files.first()) {
            (Some(file), _) | (None, Some(file)) => text.push_str(&format!(
                " Files have to be in `shared` before\n# the first deploy: on each host, touch {}/shared/{file}\n",
                guess.path.clone().unwrap_or_else(|| "/var/webapps/{unit}".to_owned()).replace("{unit}", &guess.unit)
            )),
            (None, None) => text.push('\n'),
        }
        for (setting, paths) in [("shared_files", &guess.shared_files), ("shared_dirs", &guess.shared_dirs)] {
            if !paths.is_empty() {
                text.push_str(&format!("{setting} = {}\n", strings(paths)));
            }
        }
    }
    text.push_str(
        "# Files and folders that outlive releases, in `shared` on every host: shared_files = [\".env\"], shared_dirs = [\"media\"]\n\n",
    );
}

fn write_layout(guess: &Guess, text: &mut String) {
    let path = guess.path.as_deref().unwrap_or("/var/webapps/{unit}");
    let says_slots = guess.earlier.more.iter().any(|(name, _)| name == "release_paths");
    text.push_str(&format!(
        "# The app's folder on every host. {{unit}} and {{environment}} are replaced.\npath = {}\n\n",
        string(path)
    ));
    if !says_slots {
        text.push_str(
            "# The folders that releases take turns in, in `releases` on every host. Two are enough; with a third one, a deploy that\n\
             # fails never costs you the release that you could go back to.\nrelease_paths = [\"a\", \"b\", \"c\"]\n\n",
        );
    }
}

fn write_source(guess: &Guess, text: &mut String) {
    let remote = guess.remote.as_deref().unwrap_or("origin");
    text.push_str(&format!(
        "# Where hosts fetch from. Without it: the URL of this checkout's remote `{remote}`.\n"
    ));
    text.push_str(&match &guess.scm {
        // What is committed is no place for a password; without one here, hosts are lent that of the checkout.
        Some(url) if guess.has_credentials => format!("# scm = {}\n", string(url)),
        Some(url) => format!("scm = {}\n", string(url)),
        None => "# scm = \"git@github.com:you/app.git\"\n".to_owned(),
    });
    if let Some(url) = &guess.scm_http_url {
        text.push_str(&format!("scm_http_url = {}\n", string(url)));
    }
    let says_remote = guess.earlier.more.iter().any(|(name, _)| name == "master_remote");
    if let Some(remote) = guess.remote.as_ref().filter(|_| !says_remote) {
        text.push_str(&format!(
            "# The remote of your checkout that releases come from.\nmaster_remote = {}\n",
            string(remote)
        ));
    }
    text.push_str(
        "# Lend your SSH agent to the one step that fetches, for hosts that may not read the repository themselves:\n\
         # forward_agent = true\n\n",
    );
    if !guess.earlier.more.iter().any(|(name, _)| name == "default_revision") {
        text.push_str("# What is deployed when no commit is named.\ndefault_revision = \"HEAD\"\n\n");
    }
}

fn write_rules(guess: &Guess, text: &mut String) {
    text.push_str(
        "# What runs the tests, before every deploy and in `buedafab test`: \"django\", \"pytest\", \"unittest\", or a command.\n",
    );
    text.push_str(&match &guess.test_runner {
        Some(runner) => format!("test_runner = {}\n", string(runner)),
        None => "# test_runner = \"pytest\"\n".to_owned(),
    });
    if let Some(linter) = &guess.linter {
        text.push_str(&format!("# What `buedafab lint` runs.\nlinter = {}\n", string(linter)));
    }
    text.push_str(if guess.can_sign {
        "\n# Tags that a deploy makes are signed with your git's key.\nsign_tags = true\n\n"
    } else {
        "\n# Your git has no key to sign tags with. Once it has: sign_tags = true\nsign_tags = false\n\n"
    });
}

fn write_service(guess: &Guess, text: &mut String) {
    text.push_str(&format!(
        "# How the app is restarted once the link has moved: \"systemd:NAME\", \"systemd-user:NAME\", \"supervisor:NAME\",\n\
         # \"runit:NAME\", \"init:NAME\", or \"none\" if it needs no restart.\nservice = {}\n\n",
        string(&guess.service())
    ));
}

/// Unit files that come along with a release, or could.
fn write_units(guess: &Guess, text: &mut String) {
    if let Some(template) = &guess.earlier.celeryd {
        text.push_str(&format!(
            "[services.celery]\ntemplate = {}\nservice = \"init:celeryd-{{unit}}_{{deployment_type}}\"\n\n",
            string(template)
        ));
    }
    let answered = match guess.answers.start() {
        Some(Start::Command(command)) => Some(command),
        _ => None,
    };
    let usual = answered.or(guess.command.as_ref());
    // Who says "later" finds here how.
    let is_later = guess.answers.start() == Some(&Start::Later) && guess.recipe.has_process();
    let offers = is_later || guess.service().starts_with("systemd:");
    if answered.is_none() && !offers {
        return;
    }
    let mark = if answered.is_some() { "" } else { "# " };
    if answered.is_some() {
        text.push_str(&format!(
            "# A unit of systemd is made of it, which comes and goes with its release: {unit}-web, and outside of production\n\
             # {unit}-web-ENVIRONMENT.\n",
            unit = guess.unit
        ));
    } else if is_later {
        text.push_str(&format!(
            "# Nothing starts the app yet. With these lines a unit file comes along with each release: {unit}-web, and outside of\n\
             # production {unit}-web-ENVIRONMENT.\n",
            unit = guess.unit
        ));
    } else {
        text.push_str(&format!(
            "# Unit files can come along with the release that they belong to; without these lines they are yours to install. With\n\
             # them, `service` above is \"none\", and the unit is called {unit}-web; outside of production {unit}-web-ENVIRONMENT.\n",
            unit = guess.unit
        ));
    }
    let command = usual.map_or(guess.recipe.sample_command(), String::as_str);
    text.push_str(&format!("{mark}[services.web]\n{mark}command = {}\n", string(command)));
    for (name, command) in &guess.workers {
        text.push_str(&format!("{mark}[services.{name}]\n{mark}command = {}\n", string(command)));
    }
    if guess.uses_celery && guess.earlier.celeryd.is_none() {
        text.push_str(
            "# [services.celery]\n# default = \"celery\"\n# roles = [\"worker\"]\n\
             # [services.beat]\n# default = \"celery-beat\"\n# roles = [\"worker\"]\n",
        );
    }
    text.push('\n');
}

fn write_hooks(guess: &Guess, text: &mut String) {
    text.push_str(
        "# Shell commands at named points, in the new release. A failure before the switch changes nothing that serves; a\n\
         # failure after it puts every host back.\n\
         #   before_prepare · build · check · once (one host) · before_switch · restart · after_switch · verify · after_finish\n\
         [hooks]\n",
    );
    for hook in &guess.hooks {
        let mark = if hook.is_needed { "" } else { "# " };
        text.push_str(&format!("{mark}{} = {}    # {}\n", hook.point, string(&hook.command), hook.why));
    }
    if guess.hooks.is_empty() {
        text.push_str("# build = \"make\"\n# check = \"./bin/check\"\n");
    }
    text.push('\n');
}

/// How the app is asked whether it is well, or could be.
fn write_health(guess: &Guess, text: &mut String) {
    text.push_str("# How each host finds out whether the app is well: after ");
    text.push_str(if guess.recipe.has_process() { "a restart until it is" } else { "a switch" });
    text.push_str(", or the host goes back; and for `status`.\n");
    match guess.answers.health().or(guess.earlier.health.as_ref()) {
        Some(page) => {
            text.push_str(&format!("[health]\nhttp = {}\nport = {}\n\n", string(&page.path), page.port));
        }
        None if guess.recipe.has_process() => text.push_str(&format!(
            "# [health]\n# http = \"/\"                              # or tcp = {port}, or a command\n# port = {port}\n\n",
            port = guess.port()
        )),
        None => text.push_str(
            "# [health]\n# http = \"http://www.example.com/\"         # asked by this name, at this host's own web server\n# port = 80\n\n",
        ),
    }
}

fn write_environments(guess: &Guess, text: &mut String) {
    text.push_str(
        "# Environments: localhost, development, staging and production are there without being declared. Each may override any\n\
         # setting above.\n",
    );
    let (environments, kept) = (&guess.earlier.environments, guess.answers.kept());
    let hosts = |name: &str| {
        let earlier = || environments.get(name).map(|hosts| hosts.iter().map(write_host).collect::<Vec<_>>());
        kept.get(name).cloned().or_else(earlier)
    };
    let list = |hosts: &[String]| match hosts {
        [] => "[]".to_owned(),
        [one] => format!("[{one}]"),
        several => format!("[\n    {},\n]", several.join(",\n    ")),
    };
    let module = |module: &Option<String>, text: &mut String| {
        if let Some(module) =
            module.as_ref().filter(|module| guess.settings_modules.usual.as_ref() != Some(*module))
        {
            text.push_str(&format!("variables = {{ DJANGO_SETTINGS_MODULE = {} }}\n", string(module)));
        }
    };
    match hosts("development") {
        Some(hosts) => text.push_str(&format!("[environments.development]\nhosts = {}\n\n", list(&hosts))),
        None => text.push_str("[environments.development]\nhosts = []                                # \"dev.example.com:1222\"\n\n"),
    }
    text.push_str(&format!(
        "[environments.staging]\nhosts = {}\n",
        list(&hosts("staging").unwrap_or_default())
    ));
    module(&guess.settings_modules.staging, text);
    if guess.service() != "none" {
        text.push_str("# On a host of production's, it needs a service of its own.\n# service = \"systemd:{unit}-staging\"\n");
    }
    let usual = ["development", "staging", "production", "localhost"];
    let names: BTreeSet<&String> = environments.keys().chain(kept.keys()).collect();
    for name in names.into_iter().filter(|name| !usual.contains(&name.as_str())) {
        let key = if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            name.clone()
        } else {
            string(name)
        };
        text.push_str(&format!(
            "\n[environments.{key}]\nhosts = {}\n",
            list(&hosts(name).unwrap_or_default())
        ));
    }
    text.push_str("\n# Production takes only tagged commits of this branch; a deploy offers to make the tag.\n[environments.production]\n");
    text.push_str(&match &guess.branch {
        Some(branch) => format!("branch = {}\n", string(branch)),
        None => "# branch = \"master\"\n".to_owned(),
    });
    let typed: Vec<String> = guess.answers.hosts().iter().map(|host| string(host)).collect();
    match hosts("production").unwrap_or(typed) {
        none if none.is_empty() => text.push_str(
            "hosts = []                                # \"deploy@web[1:3].example.com\", { name = \"jobs1\", roles = [\"worker\"] }\n",
        ),
        hosts => text.push_str(&format!("hosts = {}\n", list(&hosts))),
    }
    module(&guess.settings_modules.production, text);
    text.push_str("# waves = [1, \"100%\"]                     # one host first, then all the others\n");
}

fn write_host(host: &EarlierHost) -> String {
    let EarlierHost { name, user, port, roles } = host;
    if roles.is_empty() {
        let user = user.as_ref().map_or(String::new(), |user| format!("{user}@"));
        let port = port.as_ref().map_or(String::new(), |port| format!(":{port}"));
        return string(&format!("{user}{name}{port}"));
    }
    let mut text = format!("{{ name = {}", string(name));
    if let Some(user) = user {
        text.push_str(&format!(", user = {}", string(user)));
    }
    if let Some(port) = port {
        text.push_str(&format!(", port = {port}"));
    }
    text.push_str(&format!(", roles = {} }}", strings(roles)));
    text
}
