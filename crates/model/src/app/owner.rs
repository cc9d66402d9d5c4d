//! Whose a thing on a host is: an app in an environment, written down with the thing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::app::mask::mask_urls;
use crate::app::remote_url::RemoteUrl;
use crate::names::{EnvironmentName, Unit};

/// An app in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The app.
    pub unit: Unit,
    /// Where.
    pub environment: EnvironmentName,
    /// Where its code comes from: a host and a path, whatever the way there; `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}

impl Owner {
    /// An app whose code comes from this address.
    pub fn new(unit: Unit, environment: EnvironmentName, url: Option<&str>) -> Self {
        Owner { unit, environment, repository: url.map(repository_of) }
    }

    /// Whether both may be the same. An address that isn't known is no difference.
    pub fn may_be(&self, other: &Owner) -> bool {
        let repositories = self.repository.as_ref().zip(other.repository.as_ref());
        self.unit == other.unit
            && self.environment == other.environment
            && repositories.is_none_or(|(one, other)| name_in(one) == name_in(other))
    }

    /// The comment that a file of ours says it in.
    pub fn line(&self) -> String {
        format!("{MARK}{}", serde_json::to_string(self).expect("plain data"))
    }

    /// Reads what [`line`](Self::line) says.
    pub fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(MARK)?).ok()
    }
}

const MARK: &str = "# buedafab keeps this for ";

impl fmt::Display for Owner {
    /// `five in staging from github.com/bueda/five`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.unit, self.environment)?;
        match &self.repository {
            Some(repository) => write!(f, " from {repository}"),
            None => Ok(()),
        }
    }
}

/// What a repository is called wherever it is reached: a host may have other names, and paths are written in any case.
fn name_in(repository: &str) -> String {
    let parts: Vec<&str> = repository.rsplitn(3, '/').take(2).collect();
    parts.join("/").to_lowercase()
}

/// What two addresses of one repository have in common: `git@github.com:bueda/five.git` and
/// `https://token@github.com/bueda/five`.
fn repository_of(url: &str) -> String {
    let url = mask_urls(url);
    let path = match RemoteUrl::place(&url) {
        Some((server, path)) => format!("{server}/{path}"),
        None => url.split_once("://").map_or(url.as_str(), |(_, path)| path).to_owned(),
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.chars().map(|c| if c.is_whitespace() || c.is_control() { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(url: Option<&str>) -> Owner {
        let unit = Unit::new("five").expect("a unit");
        Owner::new(unit, EnvironmentName::new("staging").expect("a word"), url)
    }

    #[test]
    fn one_repository_has_many_addresses() {
        for url in [
            "git@github.com:bueda/five.git",
            "github.com:bueda/five",
            "https://github.com/bueda/five",
            "https://ada:secret@github.com/bueda/five.git/",
            "ssh://git@github.com:2222/bueda/five.git",
        ] {
            assert_eq!(repository_of(url), "github.com/bueda/five", "{url}");
        }
        assert_eq!(repository_of("/srv/git/a:b@c/five.git"), "/srv/git/a:b@c/five");
        assert_eq!(repository_of("file:///srv/git/my five.git"), "/srv/git/my_five");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for owner in [owner(None), owner(Some("https://github.com/bueda/five"))] {
            assert_eq!(Owner::read(&owner.line()), Some(owner));
        }
        assert_eq!(Owner::read("# web of five in production, written by buedafab"), None);
        assert_eq!(Owner::read("# buedafab keeps this for nobody"), None);
    }

    #[test]
    fn an_unknown_address_is_no_difference() {
        let (one, other) = (owner(Some("https://a.example/x/five")), owner(Some("https://b.example/y/five")));
        assert!(one.may_be(&owner(Some("git@work:X/Five.git"))), "by an alias of ssh");
        assert!(one.may_be(&owner(None)) && owner(None).may_be(&other) && !one.may_be(&other));
        let production =
            Owner { environment: EnvironmentName::new("production").expect("a word"), ..one.clone() };
        assert!(!one.may_be(&production));
    }
}
