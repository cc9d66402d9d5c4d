//! Amazon's cloud, or a server that understands its older, plain calls: a form is posted, XML comes back.
//!
//! No SDK: signatures and credentials come from a library, and what is said is a dozen calls.

mod action;
mod auto_scaling;
mod balancing;
mod credentials;
mod ec2;
mod elb;
mod elbv2;
mod error;
mod machines;
mod many;
mod profile;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

pub use error::AwsError;

pub(crate) use credentials::{Credentials, variable};

use crate::http::{Bounds, send};
use action::Action;
use credentials::profile_key;
use error::{error_of, is_busy, refused};

/// The services that are spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Ec2,
    /// Classic load balancers.
    Elb,
    /// Application and network load balancers.
    Elbv2,
    AutoScaling,
    Sts,
}

impl Service {
    /// By which a request is signed, permissions are called, and the server is.
    fn name(self) -> &'static str {
        match self {
            Service::Ec2 => "ec2",
            Service::Elb | Service::Elbv2 => "elasticloadbalancing",
            Service::AutoScaling => "autoscaling",
            Service::Sts => "sts",
        }
    }

    /// The version of its calls.
    fn version(self) -> &'static str {
        match self {
            Service::Ec2 => "2016-11-15",
            Service::Elb => "2012-06-01",
            Service::Elbv2 => "2015-12-01",
            Service::AutoScaling => "2011-01-01",
            Service::Sts => "2011-06-15",
        }
    }

    /// The end of the variable that names another server for it alone, as Amazon's tools call it.
    fn variable(self) -> &'static str {
        match self {
            Service::Ec2 => "EC2",
            Service::Elb => "ELASTIC_LOAD_BALANCING",
            Service::Elbv2 => "ELASTIC_LOAD_BALANCING_V2",
            Service::AutoScaling => "AUTO_SCALING",
            Service::Sts => "STS",
        }
    }
}

/// Amazon, as it is asked in one run.
#[derive(Debug)]
pub struct Aws {
    region: String,
    credentials: Credentials,
    /// How long to wait before the second try; twice as long before each that follows.
    first_pause: Duration,
    /// Between two questions to a load balancer whose answer is waited for.
    pause: Duration,
    /// Another server for all services, where tests have one; else the environment says it.
    endpoint: Option<String>,
}

/// How often a call is tried.
const TRIES: u32 = 5;

/// So many pages are read at most.
const MOST_PAGES: usize = 1000;

impl Aws {
    /// In the region that the settings name, or else the environment, or the profile.
    ///
    /// # Errors
    ///
    /// None of them names one.
    pub async fn new(region: Option<&str>) -> Result<Self, AwsError> {
        Ok(Aws::with(region_of(region).await.ok_or(AwsError::NoRegion)?, Credentials::default()))
    }

    pub(crate) fn with(region: String, credentials: Credentials) -> Self {
        Aws {
            region,
            credentials,
            first_pause: Duration::from_millis(400),
            pause: Duration::from_secs(2),
            endpoint: None,
        }
    }

    /// Where it is asked.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// One call. What is asked for is safe to ask for again.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        action: Action,
        parameters: &[(String, String)],
    ) -> Result<T, AwsError> {
        let service = action.service();
        let url = self.endpoint_of(service).await;
        let body = form(action, parameters);
        let mut pause = self.first_pause;
        let mut tries = 0;
        loop {
            tries += 1;
            let response = self.post(service, &url, body.clone()).await;
            // A connection that breaks is as good a reason to ask again as a server that says that it has trouble.
            let said = match response {
                Ok((200, body)) => {
                    return quick_xml::de::from_reader(&body[..]).map_err(|error| AwsError::Unreadable {
                        url,
                        status: 200,
                        action: action.name().to_owned(),
                        why: error.to_string(),
                    });
                }
                Ok((status, body)) => {
                    let error = error_of(&body);
                    if !is_busy(status, error.as_ref().map(|(code, _)| code.as_str())) {
                        let Some((code, said)) = error else {
                            let why = beginning(&body);
                            let action = action.name().to_owned();
                            return Err(AwsError::Unreadable { url, status, action, why });
                        };
                        return Err(refused(action, code, said));
                    }
                    error.map_or_else(|| format!("status {status}"), |(code, said)| format!("{code}: {said}"))
                }
                Err(AwsError::NoAnswer { why, .. }) if tries < TRIES => why,
                Err(error) => return Err(error),
            };
            if tries == TRIES {
                return Err(AwsError::Busy { action: action.name().to_owned(), times: tries, said });
            }
            tracing::debug!(action = action.name(), tries, said, "asked again");
            tokio::time::sleep(with_jitter(pause)).await;
            pause *= 2;
        }
    }

    /// All pages of an answer, each of which says where the next one begins.
    pub(crate) async fn pages<T: DeserializeOwned>(
        &self,
        action: Action,
        parameters: &[(String, String)],
        token: &str,
        mut add: impl FnMut(T) -> Option<String>,
    ) -> Result<(), AwsError> {
        let mut asked = parameters.to_vec();
        for _ in 0..MOST_PAGES {
            let page: T = self.call(action, &asked).await?;
            match add(page).filter(|next| !next.is_empty()) {
                None => return Ok(()),
                Some(next) => {
                    asked = parameters.to_vec();
                    asked.push((token.to_owned(), next));
                }
            }
        }
        let said = format!("more than {MOST_PAGES} pages");
        Err(AwsError::Refused {
            action: action.name().to_owned(),
            code: "too long an answer".to_owned(),
            said,
        })
    }

    async fn post(&self, service: Service, url: &str, body: String) -> Result<(u16, Bytes), AwsError> {
        let no_answer = |why: String| AwsError::NoAnswer { url: url.to_owned(), why };
        let request = http::Request::post(url)
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            // Signed with the rest: what these services do with a body that isn't is refuse it.
            .header("x-amz-content-sha256", hex::encode(Sha256::digest(body.as_bytes())))
            .body(())
            .map_err(|error| no_answer(error.to_string()))?;
        let (mut parts, ()) = request.into_parts();
        self.credentials.sign(&mut parts, service.name(), &self.region).await?;
        let request = http::Request::from_parts(parts, Bytes::from(body));
        let response = send(request, Bounds::default()).await.map_err(no_answer)?;
        Ok((response.status().as_u16(), response.into_body()))
    }

    async fn endpoint_of(&self, service: Service) -> String {
        let own = format!("AWS_ENDPOINT_URL_{}", service.variable());
        let named = self.endpoint.clone().or_else(|| variable(&own)).or_else(|| variable("AWS_ENDPOINT_URL"));
        let named = match named {
            Some(named) => Some(named),
            None => profile_key("endpoint_url").await,
        };
        let url = named.unwrap_or_else(|| {
            let domain = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            format!("https://{}.{}.{domain}", service.name(), self.region)
        });
        format!("{}/", url.trim_end_matches('/'))
    }
}

/// The region that is meant: by a setting, the environment, or the profile.
pub(crate) async fn region_of(setting: Option<&str>) -> Option<String> {
    let named = setting.map(str::to_owned);
    let named = named.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
    match named {
        Some(region) => Some(region),
        None => profile_key("region").await.filter(|region| !region.is_empty()),
    }
}

/// What is posted.
fn form(action: Action, parameters: &[(String, String)]) -> String {
    let pair = |name: &str, value: &str| {
        format!("{}={}", utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED))
    };
    let first = [pair("Action", action.name()), pair("Version", action.service().version())];
    let rest = parameters.iter().map(|(name, value)| pair(name, value));
    first.into_iter().chain(rest).collect::<Vec<_>>().join("&")
}

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-').remove(b'~');

/// Names and values of a list: `Name.member.1`.
pub(crate) fn numbered<'a>(
    prefix: &str,
    values: impl IntoIterator<Item = &'a str>,
    suffix: &str,
) -> Vec<(String, String)> {
    let values = values.into_iter().enumerate();
    values.map(|(at, value)| (format!("{prefix}.{}{suffix}", at + 1), value.to_owned())).collect()
}

/// As much of an answer as a person wants to read of it.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(80).collect();
    if shown.is_empty() {
        "it is empty".clone_into(&mut shown);
    }
    shown
}

/// Somewhat more or less, so that many who were refused at once don't all come again at once.
fn with_jitter(pause: Duration) -> Duration {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    pause.mul_f64(0.75 + f64::from(byte[0]) / 512.0)
}

/// A list in an answer: its items are called `member`, or by EC2 `item`.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct List<T> {
    #[serde(rename = "member", alias = "item", default = "Vec::new")]
    pub(crate) items: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { items: Vec::new() }
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
