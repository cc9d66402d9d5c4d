//! Services, as they are written: `none`, `init`, `systemd:five`, `systemd-user:five`, `supervisor:{unit}`, `runit:five`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use schemars::{JsonSchema, json_schema};
use serde::Deserialize;
use toml::Value;

use crate::app::service::{Cutover, DefinedBy, Listening, NamedService, Service, ServiceDefinition};
use crate::app::service_file::service_file_place;
use crate::config::area::table;
use crate::config::areas::hosts::entry::Roles;
use crate::config::areas::layout::LayoutLayer;
use crate::config::areas::shared::SharedLayer;
use crate::config::areas::{AppLayer, LimitsLayer, StrategyName};
use crate::config::at::At;
use crate::config::diagnostics::Diagnostic;
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::nearest::nearest;
use crate::config::rule::{DefaultValue, Written};
use crate::config::template::{Template, common, unfilled};
use crate::config::values::{Argument, Bounded, FilePath, Seconds, schema_of};
use crate::names::{EnvironmentName, Unit};

/// A [`Service`] whose name may still hold placeholders.
#[derive(Debug, Clone)]
pub(in crate::config) struct ServiceText(pub(in crate::config) Template);

table! {
    /// A service besides the app's own, as it is typed.
    ServiceLayer;

    /// Which service it is, as `service` says it; `{deployment_type}` may stand in it, too.
    service: Option<At<ServiceText>>, default DefaultValue::words(
        "`\"systemd:{unit}-NAME\"`, and outside of production `\"systemd:{unit}-NAME-{environment}\"`, if `command`, \
         `template` or `default` is set"
    ), example r#""init:celeryd-{unit}_{deployment_type}""#;

    /// The command that it is, in the live release with its virtualenv: one program with its arguments, or any shell, whose
    /// last part should begin with `exec`. A unit file, or an init script, is made of it.
    command: Option<At<Argument>>, example r#""python -m celery -A five worker""#;

    /// Its unit file or init script, a template of the project.
    template: Option<At<FilePath>>, example r#""conf/worker.service""#;

    /// What it is, in a word: `"celery"`, workers of the app that is called like the unit, or `"celery-beat"`, their
    /// scheduler, which is `single`.
    default: Option<At<ServiceDefault>>;

    /// How long it may take to stop before it is killed, in seconds; less than `step_timeout_seconds`.
    stop_seconds: Option<At<Seconds<1>>>, default Some(DefaultValue {
        value: Some(USUAL_STOP_SECONDS.into()),
        words: Some("and `600` for `default = \"celery\"`".to_string()),
    });

    /// Whether a new release only takes a reload, as long as its file is the same; for a `template`, or a unit of your own,
    /// whose process looks where `current` leads.
    reload: Option<At<bool>>, default Some(DefaultValue {
        value: Some(false.into()),
        words: Some("a restart".to_string()),
    });

    /// Where web servers find its socket: a path in the live release. Given by `cutover`, too. Its processes find where they are to listen
    /// in `$SOCKET`, or are handed it by systemd (`cutover = "restart"`).
    socket: Option<At<FilePath>>, default DefaultValue::words("with `cutover`, `\"run/app.sock\"`"), example r#""run/app.sock""#;

    /// How its connections come to the next release: `"restart"`, systemd holds the socket while it restarts, and who asks meanwhile waits;
    /// `"socket"`, the new release runs beside the old one, at a socket of its own, and is well before the link moves.
    cutover: Option<At<Cutover>>, default DefaultValue::words("with `socket`, `\"restart\"`; else a plain restart"), example r#""socket""#;

    /// With `cutover = "socket"`: whether the release before goes on running, so that a rollback is one rename, for as much memory again.
    keep_warm_instance: Option<At<bool>>, default DefaultValue::value(Value::Boolean(false));

    /// The roles of the hosts that have it.
    roles: Option<Roles>, default DefaultValue::words("all hosts"), example r#"["worker"]"#;

    /// Whether it runs on the first of these hosts only, and is stopped on the others, as a scheduler has to.
    single: Option<bool>, default Some(DefaultValue {
        value: Some(false.into()),
        words: Some("and `true` for `default = \"celery-beat\"`".to_string()),
    });
}

const USUAL_STOP_SECONDS: u32 = 90;

/// A service that needs no further words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum ServiceDefault {
    Celery,
    CeleryBeat,
}

impl ServiceDefault {
    pub(in crate::config) fn command(self, unit: &Unit) -> String {
        let app = shlex::try_quote(unit.as_str()).expect("a unit's name holds no NUL byte");
        match self {
            ServiceDefault::Celery => format!("python -m celery -A {app} worker --loglevel INFO"),
            // What it remembers has to outlive releases.
            ServiceDefault::CeleryBeat => format!(
                "python -m celery -A {app} beat --loglevel INFO --pidfile= --schedule ../../shared/celerybeat-schedule"
            ),
        }
    }

    /// Tasks are finished, not killed.
    pub(in crate::config) fn stop_seconds(self) -> u32 {
        match self {
            ServiceDefault::Celery => 600,
            ServiceDefault::CeleryBeat => USUAL_STOP_SECONDS,
        }
    }

    pub(in crate::config) fn is_single(self) -> bool {
        self == ServiceDefault::CeleryBeat
    }
}

/// What may stand in braces in a service's name.
const PLACEHOLDERS: [&str; 3] = ["unit", "environment", "deployment_type"];

typed_as_text!(ServiceText);

impl FromStr for ServiceText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        // An init script is called after its unit nearly always.
        let text = if text == "init" { "init:{unit}" } else { text };
        read_service(text)?;
        Ok(ServiceText(Template::parse(text, &PLACEHOLDERS)?))
    }
}

/// Reads a service once its placeholders are filled.
pub(in crate::config) fn read_service(text: &str) -> Result<Service, Mistake> {
    const WITH_NAME: [&str; 5] = ["init", "systemd", "systemd-user", "supervisor", "runit"];
    let mistake = || Mistake::new(format!("{} isn't a service", quoted(text)));
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    let make = match kind {
        "none" if text == "none" => return Ok(Service::None),
        "none" => return Err(mistake().help("write `none` alone")),
        "init" => Service::Init,
        "systemd" => Service::Systemd,
        "systemd-user" => Service::SystemdUser,
        "supervisor" => Service::Supervisor,
        "runit" => Service::Runit,
        _ => {
            let help = match nearest(kind, WITH_NAME.into_iter().chain(["none"])) {
                Some(right) => format!("did you mean `{right}`?"),
                None => "write `none`, `init`, `systemd:NAME`, `systemd-user:NAME`, `supervisor:NAME` or `runit:NAME`"
                    .to_string(),
            };
            return Err(mistake().within(0..kind.len()).help(help));
        }
    };
    // An init script is called after its unit, and a unit may be called anything that a folder may.
    let odd = |c: char| kind != "init" && (c.is_whitespace() || c.is_control());
    if name.is_empty() || name.starts_with('-') || name.contains(odd) {
        let mistake = if name.is_empty() {
            Mistake::new(format!("{} doesn't say which service", quoted(text)))
        } else {
            Mistake::new(format!("{} isn't the name of a service", quoted(name)))
                .within(kind.len() + 1..text.len())
        };
        return Err(mistake.help(format!("name it: `{kind}:{{unit}}`")));
    }
    Ok(make(name.to_string()))
}

/// What the name of a service may be made of.
pub(in crate::config) struct NamedAfter<'a> {
    pub(in crate::config) environment: &'a EnvironmentName,
    pub(in crate::config) unit: Unit,
    pub(in crate::config) deployment_type: String,
    pub(in crate::config) is_production: bool,
}

impl<'a> NamedAfter<'a> {
    pub(in crate::config) fn of(written: &'a Written<'_>) -> Self {
        NamedAfter {
            environment: written.environment(),
            unit: AppLayer::unit(written),
            deployment_type: AppLayer::deployment_type(written),
            is_production: written.lineage.is_production(),
        }
    }
}

pub(in crate::config) fn resolve_service(
    named: &NamedAfter<'_>,
    typed: &At<ServiceText>,
) -> Result<Service, Diagnostic> {
    let At { value: ServiceText(template), span } = typed;
    let filled = template.fill(|placeholder| match placeholder {
        "deployment_type" => Some(named.deployment_type.as_str()),
        other => common(named.environment, &named.unit)(other),
    });
    let service = filled.map_err(|name| unfilled(&name)).and_then(|filled| read_service(&filled));
    service.map_err(|mistake| Diagnostic::at(span, mistake))
}

/// In the order of the file, which is that of their restarts.
pub(in crate::config) fn resolve_services(
    written: &Written<'_>,
    typed: BTreeMap<String, At<ServiceLayer>>,
) -> Vec<NamedService> {
    let named = NamedAfter::of(written);
    let mut typed: Vec<_> = typed.into_iter().collect();
    typed.sort_by_key(|(_, layer)| layer.span.start);
    let mut services: Vec<NamedService> = Vec::new();
    for (name, At { value: layer, span }) in typed {
        let Some(service) = resolve_named_service(&named, written, name, layer, &span) else { continue };
        let same = |other: &&NamedService| other.service == service.service;
        if let Some(other) = services.iter().find(same).filter(|_| service.service != Service::None) {
            let mistake = Mistake::new(format!(
                "{} is {} already",
                quoted(&String::from(service.service.clone())),
                quoted(&format!("services.{}", other.name))
            ))
            .help("each table is a service of its own");
            written.note_at(&span, mistake);
        }
        let socket_of = |service: &NamedService| service.listening.as_ref().map(|it| it.socket.clone());
        let are_together = |other: &NamedService| service.is_on(&other.roles) || other.roles.is_empty();
        let same = |other: &&NamedService| {
            socket_of(other).is_some() && socket_of(other) == socket_of(&service) && are_together(other)
        };
        if let Some(other) = services.iter().find(same) {
            let mistake = Mistake::new(format!(
                "its socket is that of {}",
                quoted(&format!("services.{}", other.name))
            ))
            .help(format!("give one of them another: `socket = \"run/{}.sock\"`", service.name));
            written.note_at(&span, mistake);
        }
        services.push(service);
    }
    services
}

/// One of them, unless it isn't known which service it is. All that is wrong with it is noted.
fn resolve_named_service(
    named: &NamedAfter<'_>,
    written: &Written<'_>,
    name: String,
    layer: ServiceLayer,
    span: &Range<usize>,
) -> Option<NamedService> {
    let ServiceLayer {
        service: typed,
        command,
        template,
        default,
        stop_seconds,
        reload,
        socket,
        cutover,
        keep_warm_instance,
        roles,
        single,
    } = layer;
    let preset = default.as_ref().map(|default| default.value);
    let mut says = Vec::new();
    if let Some(At { value: Argument(command), span }) = command {
        says.push((DefinedBy::Command(command), span));
    }
    if let Some(At { value: FilePath(file), span }) = template {
        says.push((DefinedBy::Template(file), span));
    }
    if let Some(At { value: default, span }) = default {
        says.push((DefinedBy::Command(default.command(&named.unit)), span));
    }
    if let [_, (_, span), ..] = says.as_slice() {
        let mistake = Mistake::new("this service is defined twice")
            .help("keep only one of `command`, `template` and `default`");
        written.note_at(span, mistake);
    }
    let service = match &typed {
        Some(typed) => resolve_service(named, typed).map_err(|diagnostic| written.note(diagnostic)).ok(),
        None if !says.is_empty() => Some(Service::Systemd(if named.is_production {
            format!("{}-{name}", named.unit)
        } else {
            // It may share a machine with production.
            format!("{}-{name}-{}", named.unit, named.environment)
        })),
        None => {
            let mistake = Mistake::new("this service isn't defined").help(
                "add `service = \"systemd:{unit}-worker\"`, or define it: `command = \"python -m celery -A five worker\"`",
            );
            written.note_at(span, mistake);
            None
        }
    };
    let says = says.into_iter().next();
    if let (Some((_, span)), Some(service)) = (&says, &service)
        && service_file_place(service).is_none()
    {
        let mistake =
            Mistake::new(format!("{} can't be defined in this file", quoted(&String::from(service.clone()))))
                .help("`command`, `template` and `default` are for `systemd:NAME` and `init:NAME`; set up other services yourself");
        written.note_at(span, mistake);
    }
    let step_timeout_seconds = LimitsLayer::step_timeout_seconds(written);
    if let Some(At { value: Bounded(seconds), span }) = &stop_seconds {
        if says.is_none() {
            let mistake = Mistake::new("`stop_seconds` needs a service that is described here")
                .help("add a `command` or a `template`");
            written.note_at(span, mistake);
        }
        if *seconds >= step_timeout_seconds {
            let mistake = Mistake::new(format!(
                "a step may take {step_timeout_seconds} s, and this service as long as that to stop"
            ))
            .help("make `step_timeout_seconds` longer than the longest `stop_seconds`");
            written.note_at(span, mistake);
        }
    }
    if let (Some((DefinedBy::Command(_), _)), Some(At { value: true, span })) = (&says, &reload) {
        let mistake = Mistake::new("a reload would go on with the old release's code").help(
            "the process works in its slot; leave `reload` out, or write a `template` whose process looks where `current` leads",
        );
        written.note_at(span, mistake);
    }
    let stop_seconds = stop_seconds.map(|stop| stop.value.0).unwrap_or_else(|| {
        let usual = preset.map_or(USUAL_STOP_SECONDS, ServiceDefault::stop_seconds);
        usual.min(step_timeout_seconds.saturating_sub(1)).max(1)
    });
    let listens = Listens { socket, cutover, keep_warm_instance };
    let by = says.as_ref().map(|(by, _)| by);
    let listening = listens.resolve(written, service.as_ref(), by, reload.as_ref());
    Some(NamedService {
        name,
        service: service?,
        definition: says.map(|(by, _)| ServiceDefinition { by, stop_seconds }),
        reload: reload.is_some_and(|reload| reload.value),
        roles: roles.map(|roles| roles.0.into_iter().collect()).unwrap_or_default(),
        single: single.unwrap_or(preset.is_some_and(ServiceDefault::is_single)),
        listening,
    })
}

/// What is said of how a service is given connections.
struct Listens {
    socket: Option<At<FilePath>>,
    cutover: Option<At<Cutover>>,
    keep_warm_instance: Option<At<bool>>,
}

impl Listens {
    /// All that is wrong with it is noted.
    fn resolve(
        &self,
        written: &Written<'_>,
        service: Option<&Service>,
        by: Option<&DefinedBy>,
        reload: Option<&At<bool>>,
    ) -> Option<Listening> {
        let Listens { socket, cutover, keep_warm_instance } = self;
        let cutover_is = cutover.as_ref().map_or(Cutover::Restart, |cutover| cutover.value);
        let keep_warm = keep_warm_instance.as_ref().is_some_and(|keep| keep.value);
        if let Some(At { value: true, span }) = keep_warm_instance
            && cutover_is != Cutover::Socket
        {
            let mistake =
                Mistake::new("one process can't be kept beside the next").help("add `cutover = \"socket\"`");
            written.note_at(span, mistake);
        }
        let (said, span) = match (cutover, socket) {
            (Some(At { span, .. }), _) => ("cutover", span),
            (None, Some(At { span, .. })) => ("socket", span),
            (None, None) => return None,
        };
        let wrong = |message: String, help: &str| written.note_at(span, Mistake::new(message).help(help));
        let is_plain = |name: &str| {
            name.len() <= MOST_OF_A_NAME
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        match (service, by) {
            (_, None) => wrong(
                format!("`{said}` needs a service that is described here"),
                "add a `command` or a `template`",
            ),
            (Some(Service::Systemd(name)), _) if !is_plain(name) => wrong(
                format!("{} can't name a socket", quoted(name)),
                "name the service with at most 40 letters, digits, `-` and `_`",
            ),
            (Some(Service::Systemd(_)) | None, _) => {}
            (Some(_), _) => {
                wrong(
                    format!("only systemd can do what `{said}` says"),
                    "make it `service = \"systemd:NAME\"`",
                );
            }
        }
        if reload.is_some_and(|reload| reload.value) {
            wrong(format!("`reload` and `{said}` contradict each other"), "keep only one of them");
        }
        if cutover_is == Cutover::Socket && LayoutLayer::strategy(written) == StrategyName::InPlace {
            wrong(
                "with `strategy = \"in-place\"` there is one folder, in which two releases can't run side by side".to_owned(),
                "write `cutover = \"restart\"`, or choose another strategy",
            );
        }
        if let Some(DefinedBy::Command(command)) = by
            && let Err(mistake) = can_listen(command, cutover_is)
        {
            written.note_at(span, mistake);
        }
        let socket = socket.as_ref().map_or(USUAL_SOCKET, |At { value: FilePath(path), .. }| path);
        let SharedLayer { shared_files, shared_dirs, .. } = &written.all.shared;
        let shared = shared_dirs.iter().chain(shared_files).flatten().map(|shared| &shared.value.0);
        let is_around = |shared: &&String| {
            socket.strip_prefix(shared.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some(shared) = shared.into_iter().find(is_around) {
            wrong(
                format!(
                    "its socket {} would be one for all releases, as {} is shared",
                    quoted(socket),
                    quoted(shared)
                ),
                "give it another `socket`, or share less",
            );
        }
        Some(Listening { socket: socket.to_owned(), cutover: cutover_is, keep_warm })
    }
}

/// A socket's whole path has at most 107 bytes, and a slot may be called by a commit.
const MOST_OF_A_NAME: usize = 40;
const USUAL_SOCKET: &str = "run/app.sock";

/// What is known of servers: which can't be handed a socket, and which listen elsewhere as they are started.
fn can_listen(command: &str, cutover: Cutover) -> Result<(), Mistake> {
    let words = shlex::split(command).unwrap_or_default();
    let runs =
        |server: &str| words.iter().any(|word| word == server || word.ends_with(&format!("/{server}")));
    let has = |options: &[&str]| {
        words.iter().any(|word| {
            options.iter().any(|option| {
                let rest = word.strip_prefix(option);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || !option.starts_with("--"))
            })
        })
    };
    let names_socket = command.contains("$SOCKET") || command.contains("${SOCKET");
    let side_by_side = "write `cutover = \"socket\"`";
    match cutover {
        Cutover::Restart if runs("granian") => {
            Err(Mistake::new("granian can't take its socket from systemd: every request would hang")
                .help(format!("{side_by_side}, and `granian --uds \"$SOCKET\" …`")))
        }
        Cutover::Restart if runs("uvicorn") && !has(&["--fd"]) => Err(Mistake::new(
            "uvicorn takes its socket from systemd with `--fd 3` only, and drops some requests as it stops",
        )
        .help(format!("better {side_by_side}, and `uvicorn --uds \"$SOCKET\" …`"))),
        Cutover::Restart if runs("gunicorn") && has(&["-b", "--bind"]) => {
            Err(Mistake::new("gunicorn doesn't listen where `--bind` says when systemd hands it a socket")
                .help("leave `--bind` out"))
        }
        Cutover::Socket if !names_socket => {
            let option = match () {
                () if runs("gunicorn") => "gunicorn --bind unix:\"$SOCKET\" …",
                () if runs("uvicorn") => "uvicorn --uds \"$SOCKET\" …",
                () if runs("granian") => "granian --uds \"$SOCKET\" …",
                // Any other may read the variable by itself.
                () => return Ok(()),
            };
            Err(Mistake::new("nothing tells this command where it is to listen")
                .help(format!("name it: `{option}`")))
        }
        Cutover::Restart | Cutover::Socket => Ok(()),
    }
}

impl From<Service> for String {
    fn from(service: Service) -> String {
        match service {
            Service::Init(name) => format!("init:{name}"),
            Service::None => "none".to_string(),
            Service::Systemd(name) => format!("systemd:{name}"),
            Service::SystemdUser(name) => format!("systemd-user:{name}"),
            Service::Supervisor(name) => format!("supervisor:{name}"),
            Service::Runit(name) => format!("runit:{name}"),
        }
    }
}

schema_of! {
    ServiceText => json_schema!({
        "type": "string",
        "anyOf": [{ "enum": ["init", "none"] }, { "pattern": "^(init|systemd|systemd-user|supervisor|runit):[^-\\s]\\S*$" }]
    }),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match read_service(text) {
            Ok(service) => String::from(service),
            Err(mistake) => format!("{}; {}", mistake.message, mistake.help.unwrap()),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn services_are_read_and_written() {
        for same in [
            "init:five",
            "none",
            "systemd:five",
            "systemd-user:five",
            "supervisor:five:*",
            "runit:/srv/five",
            "systemd:five@1.service",
        ] {
            check(same, same);
        }
        check("systemd", "`systemd` doesn't say which service; name it: `systemd:{unit}`");
        check("runit:", "`runit:` doesn't say which service; name it: `runit:{unit}`");
        check("systemd:-H", "`-H` isn't the name of a service; name it: `systemd:{unit}`");
        check("systemd:a b", "`a b` isn't the name of a service; name it: `systemd:{unit}`");
        check("sytemd:five", "`sytemd:five` isn't a service; did you mean `systemd`?");
        check("none:five", "`none:five` isn't a service; write `none` alone");
        check(
            "upstart:five",
            "`upstart:five` isn't a service; write `none`, `init`, `systemd:NAME`, `systemd-user:NAME`, `supervisor:NAME` or `runit:NAME`",
        );
    }

    #[test]
    fn only_known_placeholders() {
        assert!(ServiceText::from_str("systemd:{unit}-{environment}").is_ok());
        assert!(ServiceText::from_str("systemd:{host}").is_err());
    }
}
