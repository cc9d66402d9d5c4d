//! Absolute paths, as they are written.

use super::mistake::{Mistake, quoted};
use super::template::Template;
use crate::names::HostPath;

/// Reads an absolute path in which these placeholders may stand. That it doesn't lead through `..` is checked once they
/// are filled.
pub(super) fn absolute(text: &str, placeholders: &[&str]) -> Result<Template, Mistake> {
    if !text.starts_with('/') {
        return Err(Mistake::new(format!("{} isn't an absolute path", quoted(text)))
            .help("begin it with `/`, as in `/var/webapps/{unit}`"));
    }
    Template::parse(text, placeholders)
}

/// A path with all its placeholders filled, without slashes at its end.
pub(super) fn host_path(text: &str) -> Result<HostPath, Mistake> {
    let trimmed = text.trim_end_matches('/');
    HostPath::new(if trimmed.is_empty() { text } else { trimmed })
        .map_err(|error| Mistake::new(error.to_string()))
}
