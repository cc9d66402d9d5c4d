//! HTTP for all who need it here: with the machine's own certificates, a bound to every wait and size, and no redirects.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use ureq::tls::{RootCerts, TlsConfig};

/// How long each part of a request may take, and how much may come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Until the connection stands, and until the answer begins.
    pub answer: Duration,
    /// All of it.
    pub all: Duration,
    /// The largest answer, in bytes.
    pub largest: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { answer: Duration::from_secs(30), all: Duration::from_secs(60), largest: 64 << 20 }
    }
}

/// What sends requests. Every status is an answer, and none is followed elsewhere: a redirect would take a signature or a token to
/// another server.
pub(crate) fn agent(bounds: Bounds) -> ureq::Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(bounds.answer))
        .timeout_recv_response(Some(bounds.answer))
        .timeout_global(Some(bounds.all))
        .max_redirects(0)
        .tls_config(tls)
        .build();
    config.into()
}

/// Sends a request, and reads the whole answer. Nothing else waits meanwhile.
///
/// # Errors
///
/// Why there is no answer, or no whole one, in words.
pub(crate) async fn send(
    request: http::Request<Bytes>,
    bounds: Bounds,
) -> Result<http::Response<Bytes>, String> {
    let sent = tokio::task::spawn_blocking(move || {
        let (parts, body) = request.into_parts();
        let response = agent(bounds)
            .run(http::Request::from_parts(parts, &body[..]))
            .map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        // One byte more than may come tells a large answer from a cut one.
        let mut reader = body.into_with_config().limit(bounds.largest + 1).reader();
        let mut read = Vec::new();
        reader.read_to_end(&mut read).map_err(|error| format!("it broke off: {error}"))?;
        if read.len() as u64 > bounds.largest {
            return Err(format!("its answer is longer than {} MB", bounds.largest >> 20));
        }
        Ok(http::Response::from_parts(parts, Bytes::from(read)))
    });
    sent.await.expect("sending a request doesn't panic")
}
