//! Settings, written as configuration again.

use std::fmt::Write as _;

use toml::Value;

use super::connect::write_connect;
use super::settings::{Settings, WaveSize};
use super::task::Task;
use super::template::escape;
use crate::app::hooks::LocalHooks;
use crate::app::package::{PackageSource, PrivatePackage};
use crate::app::service::{DefinedBy, NamedService, ServiceDefinition};
use crate::host::{Connect, Host};

/// The settings of one environment as TOML, with every default written out. Put into a file of its own, it means the same
/// settings again; so all of it stands below the environment, where nothing else is added to it.
pub fn show(settings: &Settings) -> String {
    let Settings {
        environment,
        unit,
        path,
        scm,
        scm_http_url,
        scm_known_hosts,
        forward_agent,
        master_remote,
        default_revision,
        push_before_deploy,
        branch,
        require_tag,
        version_pattern,
        sign_tags,
        allow_older,
        require_clean,
        verify_signatures,
        allowed_signers,
        confirm,
        version_url,
        version_timeout_seconds,
        test_runner,
        linter,
        pip_requirements,
        pip_constraints,
        pip_requirements_dev,
        pip_requirements_production,
        extra_setup_tasks,
        recipe,
        steps,
        collectstatic,
        shared_files,
        shared_dirs,
        python,
        private_packages,
        private_requirements,
        private_source,
        s3_endpoint,
        s3_region,
        installer,
        pip_options,
        package_installation_scripts,
        extra_fixtures,
        syncdb,
        env_file,
        crontab,
        crontab_place,
        maintenance,
        settings_file,
        maintenance_page,
        strategy,
        source,
        releases_root,
        current_release_symlink,
        release_paths,
        virtualenv,
        deploy_user,
        run_as,
        ask_sudo_password,
        deploy_group,
        deployment_type,
        variables,
        service,
        services,
        settle_seconds,
        hooks,
        local_hooks,
        waves,
        connect_timeout_seconds,
        step_timeout_seconds,
        confirm_timeout_seconds,
        lost_after_seconds,
        keep_warm_seconds,
        unreachable,
        tasks,
        hosts,
    } = settings;
    let table = format!("environments.{}", key(environment.as_str()));
    let mut out = Out::default();
    out.header(&format!("[{table}]"));
    out.entry("unit", text(unit.as_str()));
    out.entry("path", text(&escape(path.as_str())));
    out.entry_or("scm", scm.as_deref().map(text), &format!("the URL of `{}`", master_remote.escape_debug()));
    out.entry_or("scm_http_url", scm_http_url.as_deref().map(text), "none");
    out.entry("scm_known_hosts", texts(scm_known_hosts));
    out.entry("forward_agent", *forward_agent);
    out.entry("master_remote", text(master_remote));
    out.entry("default_revision", text(default_revision));
    out.entry("push_before_deploy", *push_before_deploy);
    out.entry("branch", text(branch.as_str()));
    out.entry("require_tag", *require_tag);
    out.entry("version_pattern", text(version_pattern.as_str()));
    out.entry("sign_tags", *sign_tags);
    out.entry("allow_older", *allow_older);
    out.entry("require_clean", *require_clean);
    out.entry("verify_signatures", *verify_signatures);
    out.entry("allowed_signers", texts(allowed_signers));
    out.entry("confirm", named(confirm));
    out.entry_or("version_url", version_url.as_deref().map(text), "the app isn't asked");
    out.entry("version_timeout_seconds", i64::from(*version_timeout_seconds));
    out.entry_or("test_runner", test_runner.as_deref().map(text), "none");
    out.entry("linter", text(linter));
    out.entry("pip_requirements", texts(pip_requirements));
    out.entry("pip_constraints", texts(pip_constraints));
    out.entry("pip_requirements_dev", texts(pip_requirements_dev));
    out.entry("pip_requirements_production", texts(pip_requirements_production));
    out.entry("extra_setup_tasks", texts(extra_setup_tasks));
    out.entry("recipe", named(recipe));
    out.entry("collectstatic", named(collectstatic));
    out.entry("shared_files", texts(shared_files));
    out.entry("shared_dirs", texts(shared_dirs));
    if private_packages.is_empty() {
        out.entry("python", text(python));
    }
    out.entry("private_requirements", texts(private_requirements));
    out.entry_or("private_source", private_source.as_deref().map(text), "none");
    out.entry_or("s3_endpoint", s3_endpoint.as_deref().map(text), "what AWS_ENDPOINT_URL_S3 says");
    out.entry_or("s3_region", s3_region.as_deref().map(text), "what AWS_REGION says");
    out.entry("installer", named(installer));
    out.entry("pip_options", texts(pip_options));
    out.entry("package_installation_scripts", texts(package_installation_scripts));
    out.entry("extra_fixtures", texts(extra_fixtures));
    out.entry("syncdb", *syncdb);
    out.entry_or("env_file", env_file.as_deref().map(text), "none");
    out.entry_or("crontab", crontab.as_deref().map(text), "none");
    out.entry("crontab_place", named(crontab_place));
    out.entry("maintenance", named(maintenance));
    out.entry("settings_file", text(settings_file));
    out.entry_or("maintenance_page", maintenance_page.as_deref().map(text), "the program's own");
    out.entry("strategy", named(strategy));
    out.entry("source", named(source));
    out.entry("releases_root", text(releases_root));
    out.entry("current_release_symlink", text(current_release_symlink));
    out.entry("release_paths", release_paths.iter().map(|slot| text(slot.as_str())).collect::<Vec<_>>());
    out.entry("virtualenv", text(virtualenv));
    out.entry_or("deploy_user", deploy_user.as_deref().map(text), "what ssh_config says");
    out.entry_or("run_as", run_as.as_deref().map(text), "the user who logs in");
    out.entry("ask_sudo_password", *ask_sudo_password);
    out.entry_or("deploy_group", deploy_group.as_deref().map(text), "the group of the user");
    out.entry("deployment_type", text(deployment_type));
    out.entry("service", text(&escape(&String::from(service.clone()))));
    out.entry("settle_seconds", i64::from(*settle_seconds));
    out.entry("waves", waves.iter().map(wave).collect::<Vec<_>>());
    out.entry("connect_timeout_seconds", i64::from(*connect_timeout_seconds));
    out.entry("step_timeout_seconds", i64::from(*step_timeout_seconds));
    out.entry("confirm_timeout_seconds", i64::from(*confirm_timeout_seconds));
    out.entry("lost_after_seconds", i64::from(*lost_after_seconds));
    out.entry("keep_warm_seconds", i64::from(*keep_warm_seconds));
    out.entry("unreachable", named(unreachable));
    if hosts.is_empty() {
        out.entry("hosts", Vec::<Value>::new());
    }
    if !private_packages.is_empty() {
        out.header(&format!("[{table}.python]"));
        out.entry("interpreter", text(python));
    }
    for PrivatePackage { name, source } in private_packages {
        out.header(&format!("[[{table}.python.private]]"));
        out.entry("name", text(name));
        match source {
            PackageSource::Git { url, rev } => {
                out.entry("url", text(url));
                out.entry("rev", text(rev));
            }
            PackageSource::S3 { bucket, key, sha256 } => {
                out.entry("url", text(&format!("s3://{bucket}/{key}")));
                out.entry("sha256", text(sha256));
            }
        }
    }
    if !variables.is_empty() {
        out.header(&format!("[{table}.variables]"));
        for (name, value) in variables {
            out.entry(name, text(value));
        }
    }
    for NamedService { name, service, definition, reload, roles, single } in services {
        out.header(&format!("[{table}.services.{}]", key(name)));
        out.entry("service", text(&escape(&String::from(service.clone()))));
        match definition {
            Some(ServiceDefinition { by, stop_seconds }) => {
                match by {
                    DefinedBy::Command(command) => out.entry("command", text(command)),
                    DefinedBy::Template(file) => out.entry("template", text(file)),
                }
                out.entry("stop_seconds", i64::from(*stop_seconds));
            }
            None => out.entry_or("command", None::<Value>, "its unit file or init script is yours"),
        }
        out.entry("reload", *reload);
        match roles.is_empty() {
            true => out.entry_or("roles", None::<Value>, "all hosts"),
            false => out.entry("roles", roles.iter().map(|role| text(role.as_str())).collect::<Vec<_>>()),
        }
        out.entry("single", *single);
    }
    if !steps.is_empty() {
        out.header(&format!("[{table}.steps]"));
        for (name, commands) in steps {
            out.entry(name, texts(commands));
        }
    }
    out.commands(&format!("[{table}.hooks]"), &hooks.by_name());
    out.commands(&format!("[{table}.hooks.local]"), &commands_by_local_hook(local_hooks));
    for (name, task) in tasks {
        out.header(&format!("[{table}.tasks.{}]", key(name.as_str())));
        show_task(&mut out, task);
    }
    for host in hosts {
        out.header(&format!("[[{table}.hosts]]"));
        show_host(&mut out, host);
    }
    out.0
}

fn show_task(out: &mut Out, task: &Task) {
    let Task { run, on, description, arguments } = task;
    out.entry("run", texts(run));
    out.entry("on", text(&String::from(on.clone())));
    out.entry_or("description", description.as_deref().map(text), "none");
    let table = arguments.as_ref().map(|arguments| {
        Value::Table(arguments.iter().map(|(name, value)| (name.clone(), text(value))).collect())
    });
    out.entry_or("arguments", table, "any");
}

fn show_host(out: &mut Out, host: &Host) {
    let Host { name, address, user, port, roles, path, connect } = host;
    out.entry("name", text(name.as_str()));
    out.entry("address", text(&escape(address)));
    out.entry_or("user", user.as_deref().map(text), unsaid(connect));
    out.entry_or("port", port.map(i64::from), unsaid(connect));
    out.entry("roles", roles.iter().map(|role| text(role.as_str())).collect::<Vec<_>>());
    out.entry("path", text(&escape(path.as_str())));
    out.entry("connect", text(&write_connect(connect)));
}

/// What decides when nothing is written.
fn unsaid(connect: &Connect) -> &'static str {
    match connect {
        Connect::Ssh => "what ssh_config says",
        Connect::Command(_) => "none",
    }
}

fn commands_by_local_hook(hooks: &LocalHooks) -> [(&'static str, &Vec<String>); 3] {
    let LocalHooks { before, after, on_failure } = hooks;
    [("before", before), ("after", after), ("on_failure", on_failure)]
}

#[derive(Default)]
struct Out(String);

impl Out {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.0.write_fmt(line).expect("a string takes whatever is written to it");
        self.0.push('\n');
    }

    fn header(&mut self, header: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.line(format_args!("{header}"));
    }

    fn entry(&mut self, name: &str, value: impl Into<Value>) {
        self.line(format_args!("{name} = {}", value.into()));
    }

    /// A value that is left out is told in a comment, so that the setting can be found.
    fn entry_or(&mut self, name: &str, value: Option<impl Into<Value>>, unsaid: &str) {
        match value {
            Some(value) => self.entry(name, value),
            None => self.line(format_args!("# {name}: {unsaid}")),
        }
    }

    fn commands(&mut self, header: &str, hooks: &[(&str, &Vec<String>)]) {
        let mut header = Some(header);
        for (name, commands) in hooks.iter().filter(|(_, commands)| !commands.is_empty()) {
            if let Some(header) = header.take() {
                self.header(header);
            }
            self.entry(name, texts(commands));
        }
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_string())
}

fn texts(list: &[String]) -> Vec<Value> {
    list.iter().map(|item| text(item)).collect()
}

fn wave(size: &WaveSize) -> Value {
    match size {
        WaveSize::Hosts(hosts) => Value::Integer(i64::from(*hosts)),
        WaveSize::Percent(percent) => Value::String(format!("{percent}%")),
    }
}

/// An enum that is written as its name.
fn named(value: &impl serde::Serialize) -> Value {
    Value::try_from(value).expect("an enum without fields is a string")
}

/// A key, in quotes where it needs them.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.chars().all(bare) { name.to_string() } else { text(name).to_string() }
}
