//! What must not be seen in what is told: known secrets, and the credentials of URLs, which people type into commands and
//! which git and pip print again.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in place of a secret.
const MASK: &str = "********";

/// Shorter ones stand in any line by chance, which then would tell more than it hides.
const SHORTEST_SECRET: usize = 4;

/// A URL up to the end of its authority. The last `@` before the path ends the credentials: passwords may hold others.
static CREDENTIALS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#'"<>`@]*(?:@[^\s/?#'"<>`@]*)*)@"#).expect("it is fixed")
});

/// A password with a slash in it, which should have been escaped: what stands behind the colon is no port.
static UNESCAPED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#'"<>`@:]*):([^\s'"<>`@]*)@"#).expect("it is fixed")
});

/// A text without secrets.
pub fn mask(text: &str, secrets: &[&str]) -> String {
    let mut text = mask_urls(text);
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET) {
        if text.contains(secret) {
            text = text.replace(secret, MASK);
        }
    }
    text
}

/// A text whose URLs carry no credentials.
pub fn mask_urls(text: &str) -> String {
    if !text.contains("://") || !text.contains('@') {
        return text.to_owned();
    }
    let text = CREDENTIALS.replace_all(text, |found: &Captures<'_>| hide(&found[1], &found[2]));
    let unescaped = UNESCAPED.replace_all(&text, |found: &Captures<'_>| {
        let port: String = found[3].chars().take_while(|c| *c != '/').collect();
        if found[3] == *MASK || port.chars().all(|c| c.is_ascii_digit()) {
            found[0].to_owned()
        } else {
            hide(&found[1], &format!("{}:{}", &found[2], &found[3]))
        }
    });
    unescaped.into_owned()
}

/// The web's user names are tokens as often as not; those of ssh and of databases are names.
fn hide(scheme: &str, credentials: &str) -> String {
    if scheme.to_ascii_lowercase().contains("http") {
        return format!("{scheme}://{MASK}@");
    }
    match credentials.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:{MASK}@"),
        None => format!("{scheme}://{credentials}@"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_urls_are_masked() {
        let cases = [
            (
                "can't read https://ada:pw@example.com/five.git: 403",
                "can't read https://********@example.com/five.git: 403",
            ),
            ("https://ghp_token@github.com/x", "https://********@github.com/x"),
            ("pip --index 'https://a:p%40w@x/simple'", "pip --index 'https://********@x/simple'"),
            ("git+https://a:b@x and http://c:d@y", "git+https://********@x and http://********@y"),
            ("ssh://git@example.com:2222/five", "ssh://git@example.com:2222/five"),
            ("ssh://git:pw@example.com/five", "ssh://git:********@example.com/five"),
            ("postgres://app:p@ss@db/five", "postgres://app:********@db/five"),
            ("postgres://app:pa/ss@db/five", "postgres://app:********@db/five"),
            ("redis://:pw@cache:6379/0", "redis://:********@cache:6379/0"),
            ("http://localhost:8000/@scope/x", "http://localhost:8000/@scope/x"),
            ("git@example.com:five.git of ada@laptop", "git@example.com:five.git of ada@laptop"),
            (
                "see https://example.com and mail ada@example.com",
                "see https://example.com and mail ada@example.com",
            ),
        ];
        for (text, masked) in cases {
            assert_eq!(mask_urls(text), masked);
            assert_eq!(mask_urls(masked), masked, "once more changes nothing");
        }
    }

    #[test]
    fn given_secrets_are_masked_unless_they_stand_everywhere_by_chance() {
        assert_eq!(mask("sudo: hunter-two, x", &["hunter-two", "x"]), "sudo: ********, x");
    }
}
