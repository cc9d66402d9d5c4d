//! Where the app says which release it runs.

use std::str::FromStr;

use schemars::json_schema;

use crate::config::area::area;
use crate::config::areas::AppLayer;
use crate::config::mistake::{Mistake, typed_as_text};
use crate::config::rule::{Always, DefaultValue, Rule, Written, means};
use crate::config::template::Template;
use crate::config::values::{Seconds, Url, schema_of};
use crate::host::Host;

area! {
    /// Where the app says which release it runs.
    version: VersionSettings, VersionLayer, "Asking the app which release it runs";

    /// Where the app says which release it runs: its commit, or the name of its tag. `{host}`, `{address}`,
    /// `{environment}`, `{unit}` and `{subdomain}` (`www`, `dev`, `staging`) may stand in it. Asked from the hosts,
    /// before a deploy and after the switch: another answer then reverts it.
    version_url as url: VersionUrlText => Option<String> = VersionUrl, example r#""http://localhost:8000/version""#;

    /// How long an app that was just switched to may take to say so at `version_url`, in seconds.
    version_timeout_seconds as timeout_seconds: Seconds<0> => u32 = Always(30_u32);
}

/// An address with placeholders.
#[derive(Debug, Clone)]
pub(in crate::config) struct VersionUrlText(Template);

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

means! { VersionUrlText => VersionUrlText: itself => itself }

schema_of! {
    VersionUrlText => json_schema!({ "type": "string", "pattern": "^https?://" }),
}

/// All is filled in but what differs from host to host.
struct VersionUrl;

impl Rule<VersionUrlText, Option<String>> for VersionUrl {
    fn resolve(&self, typed: Option<&VersionUrlText>, written: &Written<'_>) -> Option<String> {
        let unit = AppLayer::unit(written);
        let subdomain = match written.lineage.kind_or_name() {
            "production" => "www",
            "development" => "dev",
            other => other,
        };
        let value = |name: &str| match name {
            "host" => Some("{host}"),
            "address" => Some("{address}"),
            "subdomain" => Some(subdomain),
            other => written.common(&unit)(other),
        };
        let fill = |VersionUrlText(template): &VersionUrlText| {
            template
                .fill(value)
                .unwrap_or_else(|name| unreachable!("{name} has a value in every environment"))
        };
        typed.map(fill)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("none, and the app isn't asked")
    }
}

impl VersionSettings {
    /// Where the app on this host says which release it runs.
    pub fn url_of(&self, host: &Host) -> Option<String> {
        let url = self.url.as_ref()?;
        let address =
            if host.address.contains(':') { format!("[{}]", host.address) } else { host.address.clone() };
        Some(url.replace("{host}", host.machine()).replace("{address}", &address))
    }

    /// Whether any host may answer at that address, as behind a load balancer: it names no host.
    pub fn url_is_shared(&self) -> bool {
        let Some(url) = &self.url else { return false };
        let host = url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        let own = host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]");
        !own && !OF_A_HOST.iter().any(|name| url.contains(&format!("{{{name}}}")))
    }
}
