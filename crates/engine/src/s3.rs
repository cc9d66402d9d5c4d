//! Objects of S3, Amazon's or anybody's: got with the credentials that Amazon's own tools would use.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use buedafab_model::config::Settings;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::Deserialize;

use crate::aws::{AwsError, Credentials, region_of, variable};
use crate::http::{Bounds, agent};

/// A server that understands S3.
#[derive(Debug)]
pub(crate) struct S3 {
    endpoint: Option<String>,
    region: Option<String>,
    credentials: Credentials,
}

/// Why an object can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum S3Error {
    #[error("{url} answers {status}{}", told(said))]
    Status { url: String, status: u16, said: String },
    #[error("{url}: {why}")]
    NoAnswer { url: String, why: String },
    #[error("{0}")]
    Credentials(#[from] AwsError),
    #[error("the cache can't be written: {0}")]
    Write(#[from] std::io::Error),
}

fn told(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(" ({said})") }
}

/// How long a server may take to answer, and to send a whole object.
const BOUNDS: Bounds =
    Bounds { answer: Duration::from_secs(30), all: Duration::from_secs(600), largest: 2 << 30 };

impl S3 {
    /// The server that the settings name, or the environment, or Amazon's.
    pub(crate) fn new(settings: &Settings) -> Self {
        let python = &settings.python;
        S3 {
            endpoint: python.s3_endpoint.clone(),
            region: python.s3_region.clone(),
            credentials: Credentials::default(),
        }
    }

    /// Writes an object into a file.
    pub(crate) async fn get(&self, bucket: &str, key: &str, to: &Path) -> Result<(), S3Error> {
        // The bucket in the path and not in the host's name: every server understands that, and every certificate fits.
        let region = region_of(self.region.as_deref()).await.unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint = self.endpoint.clone();
        let endpoint =
            endpoint.or_else(|| variable("AWS_ENDPOINT_URL_S3")).or_else(|| variable("AWS_ENDPOINT_URL"));
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let url = format!("{}/{}/{}", endpoint.trim_end_matches('/'), encode(bucket), encode(key));
        let request = http::Request::get(&url)
            .body(())
            .map_err(|error| S3Error::NoAnswer { url: url.clone(), why: error.to_string() })?;
        let (mut parts, ()) = request.into_parts();
        self.credentials.sign(&mut parts, "s3", &region).await?;
        let (to, request) = (to.to_owned(), http::Request::from_parts(parts, ()));
        let got = tokio::task::spawn_blocking(move || download(request, &to, &url)).await;
        got.expect("a download doesn't panic")
    }
}

fn download(request: http::Request<()>, to: &PathBuf, url: &str) -> Result<(), S3Error> {
    let no_answer = |error: ureq::Error| S3Error::NoAnswer { url: url.to_owned(), why: error.to_string() };
    let response = agent(BOUNDS).run(request).map_err(no_answer)?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    if status != 200 {
        let text = body.with_config().limit(4096).read_to_string().unwrap_or_default();
        return Err(S3Error::Status { url: url.to_owned(), status, said: message_of(&text) });
    }
    let mut file = std::fs::File::create(to)?;
    let mut reader = body.with_config().limit(BOUNDS.largest).reader();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // Which of the two sides broke is what a person has to know.
        let read = reader.read(&mut buffer).map_err(|error| S3Error::NoAnswer {
            url: url.to_owned(),
            why: format!("it broke off: {error}"),
        })?;
        if read == 0 {
            return Ok(file.sync_all()?);
        }
        file.write_all(&buffer[..read])?;
    }
}

/// What S3 says when it says no.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorBody {
    code: String,
    #[serde(default)]
    message: String,
}

/// Its words; none, if it isn't S3 that answers.
fn message_of(answer: &str) -> String {
    match quick_xml::de::from_str(answer) {
        Ok(ErrorBody { code, message }) => format!("{code}: {message}"),
        Err(_) => String::new(),
    }
}

/// A path in a URL, as S3 wants it to be signed.
fn encode(path: &str) -> PercentEncode<'_> {
    utf8_percent_encode(path, ENCODED)
}

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'_').remove(b'-').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_paths() {
        let answer = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>The key isn't there.</Message></Error>";
        assert_eq!(message_of(answer), "NoSuchKey: The key isn't there.");
        assert_eq!(message_of("<html>"), "");
        assert_eq!(encode("a b/é+c.tar.gz").to_string(), "a%20b/%C3%A9%2Bc.tar.gz");
    }
}
