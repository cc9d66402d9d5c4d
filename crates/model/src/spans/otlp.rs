//! Where traces go: what the variables of OpenTelemetry say, as its specification has them.

use percent_encoding::percent_decode_str;

use crate::app::clear_text::is_sent_in_the_clear;

/// Where traces go, and as what.
#[derive(Clone, PartialEq, Eq)]
pub struct OtlpSettings {
    /// The address that takes them.
    pub endpoint: String,
    /// What is sent with each request; it may be secret.
    pub headers: Vec<(String, String)>,
    /// How long it may take.
    pub timeout_milliseconds: u64,
    /// What spans are put down to, `service.name` among it.
    pub resource: Vec<(String, String)>,
    /// The span that the run is a part of.
    pub parent: Option<Parent>,
}

/// Headers are left out.
impl std::fmt::Debug for OtlpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} within {} ms", self.endpoint, self.timeout_milliseconds)
    }
}

/// The span that a run is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its trace.
    pub trace: [u8; 16],
    /// The span.
    pub span: [u8; 8],
    /// What else is passed on.
    pub state: String,
}

/// What of them can't be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OtlpError {
    /// Another protocol.
    #[error("{name} is {value:?}, and this program speaks http/protobuf only")]
    Protocol {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: String,
    },
    /// Anybody could read the credentials on the way.
    #[error("{name} begins with http://, and what is sent there has credentials: use https://")]
    Clear {
        /// The variable.
        name: &'static str,
    },
    /// No address.
    #[error("{name} holds no address that begins with http:// or https://")]
    Endpoint {
        /// The variable.
        name: &'static str,
    },
}

impl OtlpSettings {
    /// What the variables say; `None`: that nothing is sent.
    ///
    /// # Errors
    ///
    /// What they ask for can't be done.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, OtlpError> {
        // The specification takes an empty one for one that isn't set.
        let set = |name: &'static str| {
            let value = variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            value.map(|value| (name, value))
        };
        let says = |name: &'static str, wanted: &str| {
            set(name).is_some_and(|(_, value)| value.eq_ignore_ascii_case(wanted))
        };
        if says("OTEL_SDK_DISABLED", "true") || says("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        let own = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let all = set("OTEL_EXPORTER_OTLP_ENDPOINT")
            .map(|(name, value)| (name, format!("{}/v1/traces", value.trim_end_matches('/'))));
        let Some((name, endpoint)) = own.or(all) else { return Ok(None) };
        if !(endpoint.starts_with("http://") || endpoint.starts_with("https://")) {
            return Err(OtlpError::Endpoint { name });
        }
        let protocol = set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or(set("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some((name, value)) = protocol.filter(|(_, value)| value != "http/protobuf") {
            return Err(OtlpError::Protocol { name, value });
        }
        let headers = set("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or(set("OTEL_EXPORTER_OTLP_HEADERS"));
        let headers = headers.map_or(Vec::new(), |(_, value)| pairs(&value));
        let has_credentials =
            has_user(&endpoint) || headers.iter().any(|(header, _)| may_be_credentials(header));
        if has_credentials && is_sent_in_the_clear(&endpoint) {
            return Err(OtlpError::Clear { name });
        }
        let timeout = set("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or(set("OTEL_EXPORTER_OTLP_TIMEOUT"));
        let timeout = timeout.and_then(|(_, value)| value.parse().ok());
        let mut resource = set("OTEL_RESOURCE_ATTRIBUTES").map_or(Vec::new(), |(_, value)| pairs(&value));
        if let Some((_, name)) = set("OTEL_SERVICE_NAME") {
            resource.retain(|(key, _)| key != "service.name");
            resource.push(("service.name".to_owned(), name));
        }
        if !resource.iter().any(|(key, _)| key == "service.name") {
            resource.push(("service.name".to_owned(), "buedafab".to_owned()));
        }
        let state = set("TRACESTATE").map_or(String::new(), |(_, value)| value);
        let parent = set("TRACEPARENT").and_then(|(_, value)| Parent::read(&value, state));
        Ok(Some(OtlpSettings {
            endpoint,
            headers,
            timeout_milliseconds: timeout.unwrap_or(10_000),
            resource,
            parent,
        }))
    }
}

/// Whether an address says who sends it.
fn has_user(endpoint: &str) -> bool {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// Whether a header is one of those by which receivers know who may send them something: `Authorization`, `X-Api-Key`. Others, such as
/// `X-Scope-OrgID`, only say whose it is.
fn may_be_credentials(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    ["auth", "key", "token", "secret", "password", "credential", "cookie"]
        .iter()
        .any(|part| header.contains(part))
}

/// `key=value,key=value`, percent-encoded. What is no pair is left out.
fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (decoded(key), decoded(value))).filter(|(key, _)| !key.is_empty()).collect()
}

impl Parent {
    /// `00-TRACE-SPAN-FLAGS`, as W3C has it; `None`: it says nothing that could be followed.
    fn read(text: &str, state: String) -> Option<Parent> {
        let parts: Vec<&str> = text.split('-').collect();
        let [version, trace, span, flags, ..] = parts[..] else { return None };
        let is_known = version.len() == 2 && version != "ff" && flags.len() == 2;
        if !is_known || (version == "00" && parts.len() != 4) || text.contains(char::is_uppercase) {
            return None;
        }
        let mut parent = Parent { trace: [0; 16], span: [0; 8], state };
        let mut byte = [0];
        hex::decode_to_slice(trace, &mut parent.trace).ok()?;
        hex::decode_to_slice(span, &mut parent.span).ok()?;
        hex::decode_to_slice(version, &mut byte).ok()?;
        hex::decode_to_slice(flags, &mut byte).ok()?;
        (parent.trace != [0; 16] && parent.span != [0; 8]).then_some(parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<OtlpSettings>, OtlpError> {
        OtlpSettings::of(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn told(variables: &[(&str, &str)]) -> String {
        match read(variables) {
            Ok(None) => "off".to_owned(),
            Err(error) => error.to_string(),
            Ok(Some(OtlpSettings { endpoint, headers, timeout_milliseconds, resource, parent })) => {
                let pairs = |pairs: Vec<(String, String)>| {
                    pairs.into_iter().map(|(key, value)| format!(" {key}={value}")).collect::<String>()
                };
                let parent =
                    parent.map_or(String::new(), |parent| format!(" below {}", hex::encode(parent.span)));
                format!("{endpoint}{} {timeout_milliseconds}ms{}{parent}", pairs(headers), pairs(resource))
            }
        }
    }

    const AT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4318/");

    const SAFE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel");

    #[test]
    fn what_the_variables_say() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let cases: [(&[(&str, &str)], &str); 18] = [
            (&[], "off"),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], "off"),
            (&[AT, ("OTEL_SDK_DISABLED", "TRUE")], "off"),
            (&[AT, ("OTEL_TRACES_EXPORTER", "none")], "off"),
            (&[AT], "http://otel:4318/v1/traces 10000ms service.name=buedafab"),
            (
                &[AT, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/x")],
                "https://t/x 10000ms service.name=buedafab",
            ),
            (
                &[
                    AT,
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                    ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
                ],
                "http://otel:4318/v1/traces 250ms service.name=buedafab",
            ),
            (
                &[AT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
                "OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\", and this program speaks http/protobuf only",
            ),
            (
                &[("OTEL_EXPORTER_OTLP_ENDPOINT", "otel:4317")],
                "OTEL_EXPORTER_OTLP_ENDPOINT holds no address that begins with http:// or https://",
            ),
            (
                &[SAFE, ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, a=b,c")],
                "https://otel/v1/traces authorization=Bearer x a=b 10000ms service.name=buedafab",
            ),
            (
                &[AT, ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20x")],
                "OTEL_EXPORTER_OTLP_ENDPOINT begins with http://, and what is sent there has credentials: use https://",
            ),
            (
                &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://ada:x@otel/t")],
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT begins with http://, and what is sent there has credentials: use https://",
            ),
            (
                &[
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318"),
                    ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=x"),
                ],
                "http://[::1]:4318/v1/traces x-api-key=x 10000ms service.name=buedafab",
            ),
            (
                &[AT, ("OTEL_EXPORTER_OTLP_HEADERS", "x-scope-orgid=five")],
                "http://otel:4318/v1/traces x-scope-orgid=five 10000ms service.name=buedafab",
            ),
            (
                &[
                    AT,
                    ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,team=ops"),
                    ("OTEL_SERVICE_NAME", "deploys"),
                ],
                "http://otel:4318/v1/traces 10000ms team=ops service.name=deploys",
            ),
            (
                &[AT, ("TRACEPARENT", parent)],
                "http://otel:4318/v1/traces 10000ms service.name=buedafab below b7ad6b7169203331",
            ),
            (&[AT, ("TRACEPARENT", "00-x")], "http://otel:4318/v1/traces 10000ms service.name=buedafab"),
            (
                &[AT, ("TRACEPARENT", "00-00000000000000000000000000000000-b7ad6b7169203331-01")],
                "http://otel:4318/v1/traces 10000ms service.name=buedafab",
            ),
        ];
        for (variables, expected) in cases {
            assert_eq!(told(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn headers_are_not_printed() {
        let settings = read(&[SAFE, ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2")]);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
