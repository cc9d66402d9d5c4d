//! Who the app's own code runs as.

use serde::Serialize;

/// Another user than the one who logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunAs {
    /// The user.
    pub user: String,
    /// The group that what they make in a release is given to, so that both can write it.
    pub group: Option<String>,
}
