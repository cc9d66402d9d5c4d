//! From a template, the project's or the program's own, and the facts of a release to a unit file or init script.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use crate::app::service::{DefinedBy, NamedService, Service, ServiceDefinition};
use crate::app::service_file::{ServiceFile, ServiceFileKind, service_file_place};
use crate::app::template::{NO_SUCH_FILE, TemplateError};
use crate::config::Settings;
use crate::host::Host;
use crate::host::facts::HostFacts;
use crate::names::HostPath;
use crate::plan::Target;
use crate::shell::command::load_env_file;
use crate::shell::{old_template, quote};

/// Where a service runs, and what it is about.
pub(crate) struct ServedBy<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) host: &'a Host,
    pub(crate) facts: &'a HostFacts,
    pub(crate) target: &'a Target,
}

/// The files of a service for a release on a host; none, if the configuration doesn't say what is in them. A variable that
/// isn't there is an error.
pub(crate) fn render_service_files(
    service: &NamedService,
    served: &ServedBy<'_>,
    template_of: impl Fn(&str) -> Option<String>,
) -> Result<Vec<ServiceFile>, TemplateError> {
    let Some(definition) = &service.definition else { return Ok(Vec::new()) };
    let ServedBy { settings, host, target, .. } = served;
    let layout = settings.layout(host);
    let own = |part: Option<Service>, template: &str| {
        let (path, kind) = service_file_place(&part?)?;
        let named = match &service.service {
            Service::Systemd(name) => name.as_str(),
            _ => "",
        };
        let values = context! {
            unit => settings.app.unit.as_str(),
            environment => settings.environment.as_str(),
            service => service.name.as_str(),
            name => named,
            socket => service.socket_of(&target.slot).as_ref().map(HostPath::as_str),
            current => layout.current().as_str(),
            recovery => recovery_name(settings),
            stop_seconds => definition.stop_seconds,
        };
        let text = fill(template, values).expect("the program's own templates are right");
        Some(ServiceFile { path, text, kind, is_checked: false })
    };
    let mut files = Vec::new();
    let runs = match service.instance(&target.slot) {
        Some(instance) => {
            files.extend(own(Some(service.service.clone()), AT_BOOT));
            instance
        }
        None => {
            files.extend(own(service.socket_unit(), SOCKET));
            service.service.clone()
        }
    };
    files.extend(render_process(service, definition, &runs, served, template_of)?);
    Ok(files)
}

/// The file of what runs.
fn render_process(
    service: &NamedService,
    ServiceDefinition { by, stop_seconds }: &ServiceDefinition,
    runs: &Service,
    served: &ServedBy<'_>,
    template_of: impl Fn(&str) -> Option<String>,
) -> Result<Option<ServiceFile>, TemplateError> {
    let Some((path, kind)) = service_file_place(runs) else { return Ok(None) };
    let (template, command) = match (by, kind) {
        (DefinedBy::Command(command), ServiceFileKind::Unit) => (UNIT.to_owned(), Some(command)),
        (DefinedBy::Command(command), ServiceFileKind::InitScript) => (INIT_SCRIPT.to_owned(), Some(command)),
        (DefinedBy::Template(file), _) => {
            let missing = || TemplateError { why: NO_SUCH_FILE.to_owned() };
            (template_of(file).ok_or_else(missing)?, None)
        }
    };
    let ServedBy { settings, host, facts, target } = served;
    let layout = settings.layout(host);
    let current = layout.current();
    // One of several works in its own slot, wherever the link leads.
    let home = if service.is_side_by_side() { layout.slot(&target.slot) } else { current.clone() };
    let virtualenv = settings.app.recipe.is_python().then(|| home.join(&layout.virtualenv));
    let user = settings.users.run_as.as_deref().unwrap_or(&facts.user);
    if old_template::is_old(&template) {
        let values = old_template::values(settings, service, host, &layout, user);
        let text = old_template::fill(&template, &values)?;
        return Ok(Some(ServiceFile { path, text, kind, is_checked: true }));
    }
    let socket = service.socket_of(&target.slot);
    let text = fill(
        &template,
        context! {
            unit => settings.app.unit.as_str(),
            environment => settings.environment.as_str(),
            deployment_type => settings.app.deployment_type.as_str(),
            service => service.name.as_str(),
            name => path.as_str().rsplit('/').next(),
            host => host.machine(),
            address => host.address.as_str(),
            roles => host.roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
            user => user,
            group => settings.users.deploy_group.as_deref(),
            path => layout.path.as_str(),
            releases => layout.releases.as_str(),
            current => current.as_str(),
            home => home.as_str(),
            directory => settings.app.folder_in(&current).as_str(),
            shared => layout.shared().as_str(),
            slot => target.slot.as_str(),
            release => layout.slot(&target.slot).as_str(),
            virtualenv => virtualenv.as_ref().map(HostPath::as_str),
            env_file => layout.env_file.as_ref().map(HostPath::as_str),
            load_env_file => layout.env_file.as_ref().map(|file| load_env_file(file).trim_end().to_owned()),
            variables => &settings.app.variables,
            commit => target.release.commit.as_str(),
            describe => target.release.describe.as_str(),
            tag => target.release.tag.as_deref(),
            command => command,
            start => command.map(|command| start(command, virtualenv.is_some().then_some(layout.virtualenv.as_str()), settings.app.subdir.as_deref())),
            stop_seconds => stop_seconds,
            socket => socket.as_ref().map(HostPath::as_str),
            socket_unit => service.socket_unit().map(|unit| base_name(&unit)),
            folder => socket.as_ref().filter(|_| service.is_side_by_side()).and_then(|socket| socket.as_str().split('/').nth(2)),
        },
    )?;
    Ok(Some(ServiceFile { path, text, kind, is_checked: true }))
}

/// What puts back, when its host starts, a switch that the power cut short: before any of these services starts.
pub(crate) fn render_recovery(settings: &Settings, host: &Host, user: &str) -> Option<ServiceFile> {
    let layout = settings.layout(host);
    let here = settings.services.named.iter().filter(|named| named.is_on(&host.roles));
    // Not before their sockets, which come before all services: what they start comes after.
    let before: Vec<String> = here.map(|named| base_name(&named.service)).collect();
    let (path, kind) = service_file_place(&recovery_unit(settings))?;
    let values = context! {
        unit => settings.app.unit.as_str(),
        environment => settings.environment.as_str(),
        user => user,
        before => before,
        path => layout.path.as_str(),
        pending => layout.pending().as_str(),
        way_back => layout.way_back().as_str(),
        lock => layout.lock().as_str(),
    };
    let text = fill(RECOVERY, values).expect("the program's own template is right");
    Some(ServiceFile { path, text, kind, is_checked: false })
}

/// The unit that does so.
pub(crate) fn recovery_unit(settings: &Settings) -> Service {
    Service::Systemd(recovery_name(settings))
}

/// No service of an app is called so.
fn recovery_name(settings: &Settings) -> String {
    format!("buedafab-{}", settings.crontab_label())
}

/// A unit's file, without its folder.
fn base_name(service: &Service) -> String {
    let path = service_file_place(service).map(|(path, _)| path);
    path.and_then(|path| path.as_str().rsplit('/').next().map(str::to_owned)).unwrap_or_default()
}

/// The shell that becomes the service, in the live release. Its folder is the slot's own and not the link's: a worker that
/// imports something late must not get it from the next release.
fn start(command: &str, virtualenv: Option<&str>, subdir: Option<&str>) -> String {
    let activate = virtualenv.map_or(String::new(), |folder| {
        let folder = quote(folder);
        format!(" && export VIRTUAL_ENV=\"$PWD\"/{folder} PATH=\"$PWD\"/{folder}/bin:\"$PATH\"")
    });
    let enter = subdir.map_or(String::new(), |subdir| format!(" && cd {}", quote(subdir)));
    format!("cd -P .{activate}{enter} && {}", with_exec(command))
}

/// A command that is a single program with its arguments, so that the program itself is the service, which is told to stop. What
/// else a shell can be told has to say `exec` by itself where that matters.
fn with_exec(command: &str) -> String {
    const WORDS: [&str; 14] =
        ["exec", "cd", "export", "set", "trap", ".", "if", "while", "until", "for", "case", "{", "!", "eval"];
    let words = plain_words(command);
    let is_variable = |word: &&&str| {
        let name = word.split_once('=').map_or("", |(name, _)| name);
        let starts = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
        starts && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    };
    match words.as_deref().and_then(|words| words.iter().find(|word| !is_variable(word))) {
        Some(first) if !WORDS.contains(first) => {
            // It is a part of the command, so it says where it stands.
            let at = first.as_ptr() as usize - command.as_ptr() as usize;
            format!("{}exec {}", &command[..at], &command[at..])
        }
        Some(_) | None => command.to_owned(),
    }
}

/// The words of a command as a shell takes them apart, quotes and all; `None` for more than one command. What stands in quotes
/// or behind a backslash, or is made by another command, is a part of its word.
fn plain_words(command: &str) -> Option<Vec<&str>> {
    let mut words = Vec::new();
    let mut start = None;
    // What is open, the innermost last: quotes, and commands in parentheses.
    let mut open: Vec<char> = Vec::new();
    let mut chars = command.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let is_blank = c == ' ' || c == '\t';
        if start.is_none() && !is_blank {
            start = Some(at);
        }
        match (open.last().copied(), c) {
            (Some('\''), '\'')
            | (Some('"'), '"')
            | (Some('`'), '`')
            | (Some('('), ')')
            | (Some('{'), '}') => {
                open.pop();
            }
            (Some('\''), _) => {}
            (_, '\\') => drop(chars.next()),
            (_, '$') if chars.next_if(|(_, next)| *next == '(').is_some() => open.push('('),
            (_, '$') if chars.next_if(|(_, next)| *next == '{').is_some() => open.push('{'),
            (Some('('), '(' | '\'' | '"' | '`')
            | (Some('{'), '\'' | '"' | '`')
            | (Some('"'), '`')
            | (None, '\'' | '"' | '`') => open.push(c),
            // `2>&1`
            (None, '&') if command[..at].ends_with(['<', '>']) => {}
            (None, ';' | '&' | '|' | '\n' | '(' | ')') => return None,
            (None, _) if is_blank => words.extend(start.take().map(|start| &command[start..at])),
            (Some(_) | None, _) => {}
        }
    }
    words.extend(start.map(|start| &command[start..]));
    Some(words)
}

/// Fills a template. Besides what minijinja has there are the filters `systemd`, a text as one word of a unit file, and
/// `sh`, one of a shell.
fn fill(template: &str, values: minijinja::Value) -> Result<String, TemplateError> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder().trim_blocks(true).keep_trailing_newline(true).build();
    templates.set_syntax(syntax.expect("the usual delimiters are fine"));
    templates.add_filter("systemd", |text: String| {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
        // A line break would end the directive.
        let escaped = escaped.replace('\n', "\\n");
        format!("\"{escaped}\"")
    });
    templates.add_filter("sh", |text: String| quote(&text));
    Ok(templates.render_str(template, values)?)
}

const UNIT: &str = include_str!("templates/service.unit");
const SOCKET: &str = include_str!("templates/socket.unit");
const AT_BOOT: &str = include_str!("templates/at_boot.unit");
const RECOVERY: &str = include_str!("templates/recovery.unit");
const INIT_SCRIPT: &str = include_str!("templates/service.init");

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Whether what a command starts is the shell's own process: what it is told to stop is told to that.
    #[track_caller]
    fn check(command: &str, is_one: bool) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("serve"), "#!/bin/sh\necho \"$$ $VAR $*\"\n")
            .expect("it is written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path().join("serve"), mode).expect("it is ours");
        for shell in ["dash", "bash", "busybox"] {
            let mut process = Command::new(shell);
            if shell == "busybox" {
                process.arg("sh");
            }
            let script = format!("echo $$; {}; :", start(command, None, None));
            let run = process.args(["-c", &script]).current_dir(folder.path()).output().expect("it runs");
            let said = String::from_utf8_lossy(&run.stdout).into_owned();
            let [own, served] = said.lines().collect::<Vec<_>>()[..] else {
                panic!("{shell}: {command}: {said}")
            };
            let (pid, rest) = served.split_once(' ').expect("words");
            assert_eq!(pid == own, is_one, "{shell}: {command}: {said}");
            assert_eq!(rest.trim(), "1 (a; b & c | d) e", "{shell}: {command}");
        }
    }

    #[test]
    fn an_app_below_the_root_is_started_where_it_lies() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("back end/src")).expect("it is ours");
        let script =
            start("printf '%s\\n%s' \"$PWD\" \"$VIRTUAL_ENV\"; true", Some("env"), Some("back end/src"));
        let run = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output();
        let root = folder.path().canonicalize().expect("it is there");
        let said = String::from_utf8_lossy(&run.expect("it runs").stdout).into_owned();
        assert_eq!(said, format!("{}\n{}", root.join("back end/src").display(), root.join("env").display()));
    }

    #[test]
    fn a_single_program_is_the_service_itself() {
        check("VAR=1 ./serve '(a; b & c | d)' e", true);
        check("VAR=1 OTHER='a b' ./serve \"(a; b & c | d)\" e", true);
        check("VAR=1 ./serve \\(a\\; b \\& c \\| d\\) e", true);
        check("VAR=1 ./serve $(echo '(a; b & c |'; echo \"d)\") e", true);
        check("VAR=1 ./serve \"$(echo '(a; b &') c | d)\" `echo e`", true);
        check("  env VAR=1 ./serve '(a; b & c | d)' e 2>/dev/null", true);
        check("VAR=1 ./serve '(a; b & c | d)' e 2>&1", true);
        check("VAR=${NOTHING:-1} ./serve \"${NOTHING:-(a; b & c | d)}\" ${NOTHING:-e} ", true);
        check("exec env VAR=1 ./serve '(a; b & c | d)' e", true);
        check("export VAR=1; ./serve '(a; b & c | d)' e", false);
        check("VAR=1 ./serve '(a; b & c | d)' e | cat", false);
        check("true && VAR=1 ./serve '(a; b & c | d)' e", false);
        check("if true; then VAR=1 ./serve '(a; b & c | d)' e; fi", false);
    }
}
