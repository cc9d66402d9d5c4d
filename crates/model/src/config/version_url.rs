//! Where the app says which release it runs, as it is written: `http://{host}:8000/version`.

use std::str::FromStr;

use schemars::json_schema;

use super::mistake::{Mistake, typed_as_text};
use super::settings::Settings;
use super::template::Template;
use super::values::{Url, schema_of};
use crate::host::Host;

/// An address with placeholders.
#[derive(Debug, Clone)]
pub(super) struct VersionUrlText(pub(super) Template);

/// What differs from host to host. It stays in the settings.
const OF_A_HOST: [&str; 2] = ["host", "address"];
const PLACEHOLDERS: [&str; 5] = ["host", "address", "environment", "unit", "subdomain"];

typed_as_text!(VersionUrlText);

impl FromStr for VersionUrlText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let Url(text) = text.parse()?;
        // Braces have no place in an address, so none has to be kept from being filled in.
        if let Some(at) = text.find("{{").or_else(|| text.find("}}")) {
            return Err(Mistake::new("an address holds no braces").within(at..at + 2));
        }
        Ok(VersionUrlText(Template::parse(&text, &PLACEHOLDERS)?))
    }
}

impl VersionUrlText {
    /// The address with all filled in but what differs from host to host.
    pub(super) fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> String {
        let own = |name: &str| match name {
            "host" => Some("{host}"),
            "address" => Some("{address}"),
            other => value(other),
        };
        self.0.fill(own).unwrap_or_else(|name| unreachable!("{name} has a value in every environment"))
    }
}

impl Settings {
    /// Where the app on this host says which release it runs.
    pub fn version_url_of(&self, host: &Host) -> Option<String> {
        let url = self.version_url.as_ref()?;
        let address = match host.address.contains(':') {
            true => format!("[{}]", host.address),
            false => host.address.clone(),
        };
        Some(url.replace("{host}", host.name.as_str()).replace("{address}", &address))
    }

    /// Whether any host may answer at that address, as behind a load balancer: it names no host.
    pub fn version_url_is_shared(&self) -> bool {
        let Some(url) = &self.version_url else { return false };
        let host = url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        let own = host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]");
        !own && !OF_A_HOST.iter().any(|name| url.contains(&format!("{{{name}}}")))
    }
}

schema_of! {
    VersionUrlText => json_schema!({ "type": "string", "pattern": "^https?://" }),
}
