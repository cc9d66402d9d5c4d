//! How a host is reached.

use serde::Serialize;

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connect {
    /// The user's own OpenSSH.
    Ssh,
    /// A command that gives a POSIX shell on its standard input: `sh`, `docker exec -i web1 sh`. Placeholders are
    /// replaced already.
    Command(Vec<String>),
}
