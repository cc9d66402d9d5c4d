//! Unit files and init scripts: from a template of the project, or the program's own, and the facts of a release.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;

use crate::config::{DefinedBy, Host, NamedService, Service, ServiceDefinition, Settings};
use crate::facts::HostFacts;
use crate::layout::Layout;
use crate::names::{CommitId, HostPath, SlotName};
use crate::plan::Target;
use crate::shell::quote;
use crate::template::TemplateError;

/// A file that tells a host's service manager how to run a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceFile {
    /// Where the service manager looks for it.
    pub path: HostPath,
    /// All that is in it.
    pub text: String,
    /// Which checker understands it.
    pub kind: ServiceFileKind,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceFileKind {
    /// systemd's.
    Unit,
    /// A program that takes `start`, `stop` and `restart`.
    InitScript,
}

/// Whose files: they are kept until no slot holds the release any more, so that the way back needs no git.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FilesOf {
    /// Of a release in its slot. The same commit in the other slot, under another configuration, has files of its own.
    Release {
        /// The commit.
        commit: CommitId,
        /// The slot.
        slot: SlotName,
    },
    /// What stood there before any release of ours that is known.
    Before,
}

impl FilesOf {
    /// The folder that they are kept in.
    pub(crate) fn folder(&self, layout: &Layout) -> HostPath {
        match self {
            FilesOf::Release { commit, slot } => {
                layout.kept().join(commit.as_str()).join(&format!("units-{slot}"))
            }
            FilesOf::Before => layout.kept().join("before"),
        }
    }
}

/// The file of a service as a release has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleasedServiceFile {
    /// Which.
    pub of: FilesOf,
    /// Where the service manager looks for it.
    pub path: HostPath,
    /// What kind of file it is.
    pub kind: ServiceFileKind,
}

/// Where a service's file lies, and of what kind it is; `None` for service managers whose files are not ours to write.
pub fn service_file_place(service: &Service) -> Option<(HostPath, ServiceFileKind)> {
    let (path, kind) = match service {
        Service::Systemd(name) if name.rsplit_once('.').is_some_and(|(_, kind)| kind == "service") => {
            (format!("/etc/systemd/system/{name}"), ServiceFileKind::Unit)
        }
        Service::Systemd(name) => (format!("/etc/systemd/system/{name}.service"), ServiceFileKind::Unit),
        Service::Init(name) => (format!("/etc/init.d/{name}"), ServiceFileKind::InitScript),
        Service::None | Service::Supervisor(_) | Service::Runit(_) => return None,
    };
    Some((HostPath::new(path).ok()?, kind))
}

/// Where a service runs, and what it is about.
pub(crate) struct ServedBy<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) host: &'a Host,
    pub(crate) facts: &'a HostFacts,
    pub(crate) target: &'a Target,
}

/// The file of a service for a release on a host; `None`, if the configuration doesn't say what is in it. A variable that
/// isn't there is an error.
pub(crate) fn render_service_file(
    service: &NamedService,
    served: &ServedBy<'_>,
    template_of: impl Fn(&str) -> Option<String>,
) -> Result<Option<ServiceFile>, TemplateError> {
    let Some(ServiceDefinition { by, stop_seconds }) = &service.definition else { return Ok(None) };
    let Some((path, kind)) = service_file_place(&service.service) else { return Ok(None) };
    let (template, command) = match (by, kind) {
        (DefinedBy::Command(command), ServiceFileKind::Unit) => (UNIT.to_owned(), Some(command)),
        (DefinedBy::Command(command), ServiceFileKind::InitScript) => (INIT_SCRIPT.to_owned(), Some(command)),
        (DefinedBy::Template(file), _) => {
            let missing = || TemplateError { why: "the release has no such file".to_owned() };
            (template_of(file).ok_or_else(missing)?, None)
        }
    };
    let ServedBy { settings, host, facts, target } = served;
    let layout = Layout::new(settings, host);
    let current = layout.current();
    let virtualenv = settings.recipe.is_python().then(|| current.join(&layout.virtualenv));
    let text = fill(
        &template,
        context! {
            unit => settings.unit.as_str(),
            environment => settings.environment.as_str(),
            deployment_type => settings.deployment_type.as_str(),
            service => service.name.as_str(),
            name => path.as_str().rsplit('/').next(),
            host => host.name.as_str(),
            address => host.address.as_str(),
            roles => host.roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
            user => settings.run_as.as_deref().unwrap_or(&facts.user),
            group => settings.deploy_group.as_deref(),
            path => layout.path.as_str(),
            releases => layout.releases.as_str(),
            current => current.as_str(),
            shared => layout.shared().as_str(),
            slot => target.slot.as_str(),
            release => layout.slot(&target.slot).as_str(),
            virtualenv => virtualenv.as_ref().map(HostPath::as_str),
            env_file => layout.env_file.as_ref().map(HostPath::as_str),
            variables => &settings.variables,
            commit => target.release.commit.as_str(),
            describe => target.release.describe.as_str(),
            tag => target.release.tag.as_deref(),
            command => command,
            start => command.map(|command| start(command, virtualenv.is_some().then_some(layout.virtualenv.as_str()))),
            stop_seconds => stop_seconds,
        },
    )?;
    Ok(Some(ServiceFile { path, text, kind }))
}

/// The shell that becomes the service, in the live release. Its folder is the slot's own and not the link's: a worker that
/// imports something late must not get it from the next release.
fn start(command: &str, virtualenv: Option<&str>) -> String {
    let activate = virtualenv.map_or(String::new(), |folder| {
        let folder = quote(folder);
        format!(" && export VIRTUAL_ENV=\"$PWD\"/{folder} PATH=\"$PWD\"/{folder}/bin:\"$PATH\"")
    });
    format!("cd -P .{activate} && exec {command}")
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

const UNIT: &str = include_str!("service.unit");
const INIT_SCRIPT: &str = include_str!("service.init");
