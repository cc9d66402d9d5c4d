//! `init`: looks at the repository, and writes a commented buedafab.toml.

mod detect;

use buedafab_model::run::exit_code::ExitCode;
use std::path::PathBuf;

use buedafab_engine::Repository;
use buedafab_model::app::recipe::Recipe;
use buedafab_model::config;
use detect::{Found, detect};

use crate::arguments::InitArgs;
use crate::commands::check::CREDENTIALS_SHOULD_GO;
use crate::discover::FILE_NAME;
use crate::exit::CliError;
use crate::report::{print_data, print_talk};

pub(crate) async fn init(arguments: &InitArgs) -> Result<ExitCode, CliError> {
    let InitArgs { force, print } = arguments;
    let folder = std::env::current_dir()
        .map_err(|error| CliError::usage(format!("the current folder is gone: {error}")))?;
    let repository = Repository::find(&folder)?;
    let found = detect(&repository).await;
    let text = write_configuration(&found);
    if let Err(mistakes) = config::parse(FILE_NAME, &text) {
        return Err(CliError::bug(format!("what init wrote can't be read:\n{mistakes}")));
    }
    if found.has_credentials {
        print_talk(&format!(
            "! the URL of \"origin\" {CREDENTIALS_SHOULD_GO}; it isn't written into {FILE_NAME}"
        ));
    }
    if *print {
        print_data(&text);
        return Ok(ExitCode::Done);
    }
    let path: PathBuf = repository.root().join(FILE_NAME);
    if path.exists() && !force {
        return Err(
            CliError::usage(format!("{} exists already", path.display())).hint("--force overwrites it")
        );
    }
    std::fs::write(&path, text)
        .map_err(|error| CliError::usage(format!("can't write {}: {error}", path.display())))?;
    print_talk(&format!(
        "wrote {}\nnext: name your hosts in it, commit it, then, for those of production: buedafab production check",
        path.display()
    ));
    Ok(ExitCode::Done)
}

fn write_configuration(found: &Found) -> String {
    let string = |text: &str| serde_json::to_string(text).expect("a string is plain data");
    let scm = match &found.scm {
        // What is committed is no place for a password; without one here, hosts are lent that of the checkout.
        Some(url) if found.has_credentials => format!("# scm = {}", string(url)),
        Some(url) => format!("scm = {}", string(url)),
        None => "# scm = \"git@github.com:you/app.git\"".to_owned(),
    };
    let mut hooks = String::new();
    for (name, command) in &found.hooks {
        hooks.push_str(&format!("# {name} = {}\n", string(command)));
    }
    if hooks.is_empty() {
        hooks.push_str("# build = \"make\"\n# check = \"./bin/check\"\n");
    }
    let recipe = write_recipe(found);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    // No service could have another name.
    let service =
        if found.recipe.has_process() && found.unit.chars().all(plain) { "systemd:{unit}" } else { "none" };
    let branch = found.branch.as_deref().unwrap_or("HEAD");
    let release_branch = string(found.branch.as_deref().unwrap_or("master"));
    let test_runner = match found.test_runner {
        Some(runner) => format!("test_runner = {}", string(runner)),
        None => "# test_runner = \"pytest\"".to_owned(),
    };
    let sign_tags = if found.can_sign {
        "# Tags that a deploy makes are signed with your git's key.\nsign_tags = true"
    } else {
        "# Your git has no key to sign tags with. Once it has: sign_tags = true\nsign_tags = false"
    };
    format!(
        r#"# How {unit} is deployed. All settings: buedafab config --schema; their values: buedafab production config

# The app's short name: its folder and its service on the hosts.
unit = {unit_word}

{recipe}
# The app's folder on every host. {{unit}} and {{environment}} are replaced.
path = "/var/webapps/{{unit}}"

# The folders that releases take turns in, in `releases` on every host. Two are enough; with a third one, a deploy that
# fails never costs you the release that you could go back to.
release_paths = ["a", "b", "c"]

# Where hosts fetch from. Without it: the URL of this checkout's remote `origin`.
{scm}
# Lend your SSH agent to the one step that fetches, for hosts that may not read the repository themselves:
# forward_agent = true

# What is deployed when no commit is named. You are on {branch:?} now.
default_revision = "HEAD"

# What runs the tests, before every deploy and in `buedafab test`: "django", "pytest", "unittest", or a command.
{test_runner}

{sign_tags}

# How the app is restarted once the link has moved: "systemd:NAME", "systemd-user:NAME", "supervisor:NAME",
# "runit:NAME", "init:NAME", or "none" if it needs no restart.
service = {service}
{services}
# Shell commands at named points, in the new release. A failure before the switch changes nothing that serves; a
# failure after it puts every host back.
#   before_prepare · build · check · once (one host) · before_switch · restart · after_switch · verify · after_finish
[hooks]
{hooks}
{health}
# Environments: localhost, development, staging and production are there without being declared. Each may override any
# setting above.
[environments.development]
hosts = []                                # "dev.example.com:1222"

[environments.staging]
hosts = []
{beside_production}
# Production takes only tagged commits of this branch; a deploy offers to make the tag.
[environments.production]
branch = {release_branch}
hosts = []                                # "deploy@web[1:3].example.com", {{ name = "jobs1", roles = ["worker"] }}
# waves = [1, "100%"]                     # one host first, then all the others
"#,
        unit = found.unit,
        unit_word = string(&found.unit),
        service = string(service),
        services = write_services(found, service),
        health = write_health(found),
        beside_production = write_beside_production(service),
    )
}

/// How the app could be asked whether it is well, to be commented in.
fn write_health(found: &Found) -> &'static str {
    if found.recipe.has_process() {
        "# How each host finds out whether the app is well: after a restart until it is, or the host goes back; and for `status`.\n\
         # [health]\n# http = \"/\"                              # or tcp = 8000, or a command\n# port = 8000\n"
    } else {
        "# How each host finds out whether the app is well: after a switch, or the host goes back; and for `status`.\n\
         # [health]\n# http = \"http://www.example.com/\"         # asked by this name, at this host's own web server\n# port = 80\n"
    }
}

/// What two environments on one host can't share, to be commented in.
fn write_beside_production(service: &str) -> &'static str {
    match service {
        "none" => "",
        _ => {
            "# On a host of production's, it needs a service of its own.\n# service = \"systemd:{unit}-staging\"\n"
        }
    }
}

/// Unit files that could come along with a release, to be commented in.
fn write_services(found: &Found, service: &str) -> String {
    let module = found.unit.replace('-', "_");
    let command = match found.recipe {
        _ if !service.starts_with("systemd:") => return String::new(),
        Recipe::Django => format!("python -m gunicorn --bind 127.0.0.1:8000 {module}.wsgi"),
        Recipe::Wsgi | Recipe::Webpy => "python -m gunicorn --bind 127.0.0.1:8000 app:app".to_owned(),
        Recipe::Asgi => "python -m uvicorn --port 8000 app:app".to_owned(),
        Recipe::Tornado => "python app.py --port=8000".to_owned(),
        Recipe::Static | Recipe::Generic => "./bin/serve --port 8000".to_owned(),
    };
    let mut text = format!(
        "# Unit files can come along with the release that they belong to; without these lines they are yours to install. With\n\
         # them, `service` above is \"none\", and the unit is called {unit}-web; outside of production {unit}-web-ENVIRONMENT.\n\
         # [services.web]\n# command = \"{command}\"\n",
        unit = found.unit,
    );
    if found.uses_celery {
        text.push_str(
            "# [services.celery]\n# default = \"celery\"\n# roles = [\"worker\"]\n\
             # [services.beat]\n# default = \"celery-beat\"\n# roles = [\"worker\"]\n",
        );
    }
    text
}

/// The lines that say what kind of app it is.
fn write_recipe(found: &Found) -> String {
    let named = |recipe: Recipe| serde_json::to_value(recipe).expect("an enum without fields is a string");
    let mut text = format!(
        "# What kind of app it is: \"django\", \"tornado\", \"wsgi\", \"asgi\", \"webpy\", \"static\", or \"generic\" for any other.\n\
         # `buedafab recipe` shows what that brings.\nrecipe = {}\n",
        named(found.recipe)
    );
    if found.recipe.is_python() {
        let files = serde_json::to_string(&found.requirements).expect("strings are plain data");
        text.push_str(&format!("pip_requirements = {files}\n"));
    }
    if found.recipe == Recipe::Django && !found.collects_static_files {
        text.push_str("# No STATIC_ROOT was found in the settings, so no static files are collected.\nsteps.collectstatic = []\n");
    }
    if !(found.databases.is_empty() && found.uploads.is_empty()) {
        text.push_str(&format!(
            "# The settings place these in the release, where every deploy would lose them. Files have to be in `shared` before\n\
             # the first deploy: on each host, touch /var/webapps/{}/shared/db.sqlite3\n",
            found.unit
        ));
        for (setting, paths) in [("shared_files", &found.databases), ("shared_dirs", &found.uploads)] {
            if !paths.is_empty() {
                let paths = serde_json::to_string(paths).expect("strings are plain data");
                text.push_str(&format!("{setting} = {paths}\n"));
            }
        }
    }
    text.push_str(
        "# Files and folders that outlive releases, in `shared` on every host: shared_files = [\".env\"], shared_dirs = [\"media\"]\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_can_be_read() {
        for unit in ["five", "it's \"5\""] {
            let found = Found {
                unit: unit.to_owned(),
                scm: Some("git@github.com:bueda/five.git".to_owned()),
                has_credentials: false,
                branch: Some("master".to_owned()),
                can_sign: false,
                recipe: Recipe::Django,
                uses_celery: true,
                requirements: vec!["requirements.txt".to_owned()],
                collects_static_files: false,
                databases: vec!["db.sqlite3".to_owned()],
                uploads: vec!["media".to_owned()],
                test_runner: Some("django"),
                hooks: vec![("build", "make \"all\"".to_owned())],
            };
            let text = write_configuration(&found);
            let commented_in = [
                "build",
                "waves",
                "[services",
                "service =",
                "command",
                "default =",
                "roles",
                "[health]",
                "http",
                "port",
            ]
            .iter()
            .fold(text.clone(), |text, line| text.replace(&format!("\n# {line}"), &format!("\n{line}")));
            assert_eq!(commented_in.contains("\n[services.celery]\n"), unit == "five");
            for text in [text, commented_in] {
                if let Err(mistakes) = config::parse(FILE_NAME, &text) {
                    panic!("{mistakes}");
                }
            }
        }
    }
}
