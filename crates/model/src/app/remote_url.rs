//! A git remote's address, apart from the name and password that people put into it: an address is shown, kept and given in
//! arguments, and they never are.

use super::env_file::Secret;

/// Where git fetches from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    /// The address, with nothing in it that is secret.
    pub url: String,
    /// Who to be there.
    pub credentials: Option<Credentials>,
}

/// A name and its password, either of which may be a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: Option<String>,
}

impl RemoteUrl {
    /// Takes an address apart. Only the web's carry credentials that git would use: ssh reads no password from it, and its user
    /// is a name.
    pub fn of(text: &str) -> RemoteUrl {
        let whole = || RemoteUrl { url: text.to_owned(), credentials: None };
        let Some((scheme, rest)) = text.split_once("://") else { return whole() };
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let Some((user_info, host)) = authority.rsplit_once('@') else { return whole() };
        let (user, password) = match user_info.split_once(':') {
            Some((user, password)) => (user, Some(password).filter(|password| !password.is_empty())),
            None => (user_info, None),
        };
        if !is_web(scheme) {
            return RemoteUrl { url: format!("{scheme}://{user}@{host}{path}"), credentials: None };
        }
        let credentials = Credentials { user: decode(user), password: password.map(decode) };
        RemoteUrl { url: format!("{scheme}://{host}{path}"), credentials: Some(credentials) }
    }

    /// The server of an address and the path there, whichever way leads to it: `github.com` and `bueda/five.git`. `None`: it is a
    /// path of this machine.
    pub fn place(text: &str) -> Option<(&str, &str)> {
        let (authority, path) = match text.split_once("://") {
            Some((_, rest)) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                (&rest[..end], rest[end..].strip_prefix('/').unwrap_or(&rest[end..]))
            }
            None => {
                // A slash before the colon makes it a path, as git reads it.
                let bracketed = text.find('[').and_then(|_| text.find(']')).unwrap_or(0);
                let colon = bracketed + text[bracketed..].find(':')?;
                if text[..colon].contains('/') {
                    return None;
                }
                return server_of(&text[..colon])
                    .map(|host| (host, text[colon + 1..].trim_start_matches('/')));
            }
        };
        server_of(authority).map(|host| (host, path))
    }

    /// The part of the address that git asks credentials for: `https://git.example.com:8443`.
    pub fn server(url: &str) -> &str {
        let from = url.find("://").map_or(0, |scheme| scheme + 3);
        url[from..].find('/').map_or(url, |slash| &url[..from + slash])
    }
}

impl Credentials {
    /// What a step that fetches reads on its standard input: the name, and then the password if there is one.
    pub fn input(&self) -> Secret {
        let password = self.password.iter().map(|password| format!("{password}\n"));
        Secret::new(format!("{}\n{}", self.user, password.collect::<String>()))
    }

    /// Who to be, and the password if there is one.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        (&self.user, self.password.as_deref())
    }

    /// What must not be seen in what is told. A name beside a password is a name; by itself it may be a token.
    pub fn secrets(&self) -> Secret {
        Secret::new(match &self.password {
            Some(password) => password.as_str(),
            None if self.user.len() >= SHORTEST_TOKEN => &self.user,
            None => "",
        })
    }
}

/// The server of `ada:secret@host:22` or `git@[::1]:22`, without who logs in and the port.
fn server_of(authority: &str) -> Option<&str> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    Some(host).filter(|host| !host.is_empty())
}

/// Names of people are shorter.
const SHORTEST_TOKEN: usize = 20;

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

/// What a URL writes as `%40`. What ends a line can be in no credential, as git reads them.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).replace(['\n', '\r', '\0'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let cases = [
            (
                "https://ada:p%40ss:w@git.example.com:8443/five.git",
                "https://git.example.com:8443/five.git",
                "ada|p@ss:w|",
            ),
            ("https://ghp_token@github.com/five", "https://github.com/five", "ghp_token|"),
            ("https://ghp_token:@github.com/five", "https://github.com/five", "ghp_token|"),
            ("HTTP://:secret@host", "HTTP://host", "|secret|"),
            ("https://a:%0aevil%zz@host/x", "https://host/x", "a|evil%zz|"),
            ("https://github.com/@scope/five", "https://github.com/@scope/five", ""),
            ("ssh://git@example.com:2222/five", "ssh://git@example.com:2222/five", ""),
            ("ssh://git:pw@example.com/five", "ssh://git@example.com/five", ""),
            ("git@github.com:bueda/five.git", "git@github.com:bueda/five.git", ""),
            ("/srv/five.git", "/srv/five.git", ""),
        ];
        for (text, url, input) in cases {
            let found = RemoteUrl::of(text);
            assert_eq!(found.url, url);
            let sent = found.credentials.map(|credentials| credentials.input());
            let sent = sent
                .map_or(String::new(), |input| String::from_utf8_lossy(input.reveal()).replace('\n', "|"));
            assert_eq!(sent, input, "{text}");
            assert_eq!(RemoteUrl::of(url).url, url, "once more changes nothing");
        }
        assert_eq!(
            RemoteUrl::server("https://git.example.com:8443/five.git"),
            "https://git.example.com:8443"
        );
        assert_eq!(RemoteUrl::server("https://host"), "https://host");
    }

    #[test]
    fn where_addresses_lead() {
        let cases = [
            ("git@github.com:bueda/five.git", Some(("github.com", "bueda/five.git"))),
            ("github.com:/bueda/five", Some(("github.com", "bueda/five"))),
            ("ssh://git@github.com:22/bueda/five", Some(("github.com", "bueda/five"))),
            ("https://ada:p@github.com:443/bueda/@five", Some(("github.com", "bueda/@five"))),
            ("https://github.com", Some(("github.com", ""))),
            (
                "https://evil.example?@github.com/bueda/five",
                Some(("evil.example", "?@github.com/bueda/five")),
            ),
            ("https://github.com@evil.example/bueda/five", Some(("evil.example", "bueda/five"))),
            ("ssh://git@[::1]:22/five", Some(("::1", "five"))),
            ("git@[::1]:five", Some(("::1", "five"))),
            ("/srv/git/a:b@c/five.git", None),
            ("./a:b", None),
            ("github.com/bueda/five", None),
            ("file:///srv/git/five.git", None),
            ("", None),
        ];
        for (text, place) in cases {
            assert_eq!(RemoteUrl::place(text), place, "{text}");
        }
    }
}
