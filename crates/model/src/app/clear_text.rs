//! Whether what is sent to an address can be read by anybody on the way.

use std::net::IpAddr;

use crate::app::remote_url::RemoteUrl;

/// Whether nothing keeps private what is sent to a server: its address says `http`, and it isn't this machine's own, which no line leads
/// to. A name is this machine's only where it is `localhost`: others may lead anywhere.
pub fn is_sent_in_the_clear(url: &str) -> bool {
    let is_encrypted = url.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"));
    !is_encrypted && !RemoteUrl::place(url).is_some_and(|(server, _)| is_this_machine(server))
}

fn is_this_machine(server: &str) -> bool {
    server.eq_ignore_ascii_case("localhost")
        || server.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_anybody_may_read() {
        let private = [
            "https://chat.example.com",
            "HTTPS://chat.example.com/x",
            "http://localhost",
            "http://LOCALHOST:8080/x",
            "http://127.0.0.1:8080",
            "http://127.9.9.9/x?y",
            "http://[::1]:8080/x",
            "http://[::ffff:127.0.0.1]/x",
        ];
        let clear = [
            "http://chat.example.com",
            "http://10.0.0.5:8080/x",
            "http://localhost.example.com",
            "http://mylocalhost",
            "http://127.0.0.1.example.com/x",
            "http://example.com/127.0.0.1",
            "http://example.com/@localhost",
            "http://example.com?@localhost/x",
            "http://example.com#@localhost/x",
            "http://localhost@example.com/x",
            "http://localhost:x@example.com",
            "http://[::2]/x",
            "http://0.0.0.0:8080",
            "http://",
            "",
        ];
        for url in private {
            assert!(!is_sent_in_the_clear(url), "{url}");
        }
        for url in clear {
            assert!(is_sent_in_the_clear(url), "{url}");
        }
    }
}
