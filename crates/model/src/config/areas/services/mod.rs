//! What runs of the app, and how it is restarted.

mod entry;

use std::collections::BTreeMap;

use toml::Value;

use self::entry::{NamedAfter, ServiceLayer, ServiceText, resolve_service, resolve_services};
use crate::app::service::{Cutover, DefinedBy, Listening, NamedService, Service, ServiceDefinition};
use crate::config::area::area;
use crate::config::areas::AppLayer;
use crate::config::at::At;
use crate::config::rule::{Always, DefaultValue, Empty, Rule, Written, means};
use crate::config::show::{Out, Show, Valued, key, text};
use crate::config::template::escape;
use crate::config::values::{Line, Seconds};

area! {
    /// What runs of the app, and how it is restarted.
    services: ServicesSettings, ServicesLayer, "Restarts";

    /// How the app is restarted when no `restart` hook says it: `"none"`, `"init:NAME"` (`/etc/init.d/NAME restart`),
    /// `"systemd:NAME"`, `"systemd-user:NAME"`, `"supervisor:NAME"` or `"runit:NAME"`. `{unit}` and `{environment}` may stand in the name.
    service as app: At<ServiceText> => Service = AppService, example r#""systemd:{unit}""#;

    /// More services than the app's own, such as workers: each `[services.NAME]`, in the order of the file. On the way to a
    /// new release they are restarted in that order, before the app; on the way back after it, the last first.
    services as named: BTreeMap<String, At<ServiceLayer>> => Vec<NamedService> = NamedServices;

    /// Files that the app writes what it does into, by names or patterns of the shell, from the live release on; `logs` shows
    /// them, with the journal of its services.
    log_files: Vec<Line> => Vec<String> = Empty, example r#"["log/*.log"]"#;

    /// For how long services of systemd, and those that have a `command` or a `template`, have to stay up before a switch
    /// counts, in seconds: one that dies of its first import takes the switch back.
    settle_seconds: Seconds<0> => u32 = Always(2_u32);
}

/// An init script of the unit's name, where the recipe has a process at all.
struct AppService;

impl Rule<At<ServiceText>, Service> for AppService {
    fn resolve(&self, typed: Option<&At<ServiceText>>, written: &Written<'_>) -> Service {
        let named = NamedAfter::of(written);
        let usual = || {
            if AppLayer::recipe(written).has_process() {
                Service::Init(if named.is_production {
                    named.unit.to_string()
                } else {
                    // It may share a machine with production.
                    format!("{}-{}", named.unit, named.environment)
                })
            } else {
                Service::None
            }
        };
        let typed = typed.map(|typed| resolve_service(&named, typed));
        typed.transpose().map_err(|diagnostic| written.note(diagnostic)).ok().flatten().unwrap_or_else(usual)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("`\"init:{unit}\"`, and outside of production `\"init:{unit}-{environment}\"`")
    }
}

/// In the order of the file, which is that of their restarts.
struct NamedServices;

impl Rule<BTreeMap<String, At<ServiceLayer>>, Vec<NamedService>> for NamedServices {
    fn resolve(
        &self,
        typed: Option<&BTreeMap<String, At<ServiceLayer>>>,
        written: &Written<'_>,
    ) -> Vec<NamedService> {
        resolve_services(written, typed.cloned().unwrap_or_default())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        None
    }
}

means! {
    ServiceText => ServiceText: itself => itself,
    ServiceLayer => ServiceLayer: itself => itself,
}

impl Valued for Service {
    /// Braces would be placeholders.
    fn value(&self) -> Value {
        text(&escape(&String::from(self.clone())))
    }
}

impl Show for Vec<NamedService> {
    fn entry(&self, _: &str, _: Option<&DefaultValue>, _: &mut Out) {}

    fn tables(&self, table: &str, out: &mut Out) {
        for NamedService { name, service, definition, reload, roles, single, listening } in self {
            out.header(&format!("[{table}.{}]", key(name)));
            out.entry("service", service.value());
            match definition {
                Some(ServiceDefinition { by, stop_seconds }) => {
                    match by {
                        DefinedBy::Command(command) => out.entry("command", text(command)),
                        DefinedBy::Template(file) => out.entry("template", text(file)),
                    }
                    out.entry("stop_seconds", stop_seconds.value());
                }
                None => out.entry_or("command", None::<Value>, "its unit file or init script is yours"),
            }
            out.entry("reload", *reload);
            match listening {
                Some(Listening { socket, cutover, keep_warm }) => {
                    out.entry("socket", text(socket));
                    let cutover = match cutover {
                        Cutover::Restart => "restart",
                        Cutover::Socket => "socket",
                    };
                    out.entry("cutover", text(cutover));
                    out.entry("keep_warm_instance", *keep_warm);
                }
                None => out.entry_or("cutover", None::<Value>, "a plain restart"),
            }
            let roles: Vec<Value> = roles.iter().map(Valued::value).collect();
            out.entry_or("roles", Some(roles).filter(|roles| !roles.is_empty()), "all hosts");
            out.entry("single", *single);
        }
    }
}
