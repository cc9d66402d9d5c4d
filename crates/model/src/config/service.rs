//! How the app is restarted, as it is written: `none`, `init`, `systemd:five`, `supervisor:{unit}`, `runit:five`.

use std::str::FromStr;

use schemars::{JsonSchema, json_schema};
use serde::Deserialize;

use super::at::At;
use super::hosts::Roles;
use super::mistake::{Mistake, quoted, typed_as_text};
use super::nearest::nearest;
use super::path::PLACEHOLDERS;
use super::settings::Service;
use super::template::Template;
use super::values::schema_of;

/// A [`Service`] whose name may still hold placeholders.
#[derive(Debug, Clone)]
pub(super) struct ServiceText(pub(super) Template);

/// A service besides the app's own, as it is typed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceLayer {
    /// Which service it is, as `service` says it. Example: `"systemd:{unit}-worker"`.
    pub(super) service: At<ServiceText>,
    /// The roles of the hosts that have it. Default: all hosts. Example: `["worker"]`.
    #[serde(default)]
    pub(super) roles: Option<Roles>,
    /// Whether it runs on the first of these hosts only, and is stopped on the others, as a scheduler has to. Default:
    /// `false`.
    #[serde(default)]
    pub(super) single: Option<bool>,
}

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
pub(super) fn read_service(text: &str) -> Result<Service, Mistake> {
    const WITH_NAME: [&str; 4] = ["init", "systemd", "supervisor", "runit"];
    let mistake = || Mistake::new(format!("{} isn't a service", quoted(text)));
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    let make = match kind {
        "none" if text == "none" => return Ok(Service::None),
        "none" => return Err(mistake().help("write `none` alone")),
        "init" => Service::Init,
        "systemd" => Service::Systemd,
        "supervisor" => Service::Supervisor,
        "runit" => Service::Runit,
        _ => {
            let help = match nearest(kind, WITH_NAME.into_iter().chain(["none"])) {
                Some(right) => format!("did you mean `{right}`?"),
                None => "write `none`, `init`, `systemd:NAME`, `supervisor:NAME` or `runit:NAME`".to_string(),
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

impl From<Service> for String {
    fn from(service: Service) -> String {
        match service {
            Service::Init(name) => format!("init:{name}"),
            Service::None => "none".to_string(),
            Service::Systemd(name) => format!("systemd:{name}"),
            Service::Supervisor(name) => format!("supervisor:{name}"),
            Service::Runit(name) => format!("runit:{name}"),
        }
    }
}

schema_of! {
    ServiceText => json_schema!({
        "type": "string",
        "anyOf": [{ "enum": ["init", "none"] }, { "pattern": "^(init|systemd|supervisor|runit):[^-\\s]\\S*$" }]
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
            "`upstart:five` isn't a service; write `none`, `init`, `systemd:NAME`, `supervisor:NAME` or `runit:NAME`",
        );
    }

    #[test]
    fn only_known_placeholders() {
        assert!(ServiceText::from_str("systemd:{unit}-{environment}").is_ok());
        assert!(ServiceText::from_str("systemd:{host}").is_err());
    }
}
