//! The app's directory, as it is written.

use std::str::FromStr;

use schemars::json_schema;

use super::mistake::{Mistake, quoted, typed_as_text};
use super::template::Template;
use super::values::schema_of;

/// What may stand in braces in a path.
const PLACEHOLDERS: [&str; 2] = ["unit", "environment"];

/// An absolute path with placeholders.
#[derive(Debug, Clone)]
pub(super) struct PathText(pub(super) Template);

typed_as_text!(PathText);

impl FromStr for PathText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        Ok(PathText(absolute(text, &PLACEHOLDERS)?))
    }
}

/// Reads an absolute path in which these placeholders may stand. That it doesn't lead through `..` is checked once they
/// are filled.
pub(super) fn absolute(text: &str, placeholders: &[&str]) -> Result<Template, Mistake> {
    if !text.starts_with('/') {
        return Err(Mistake::new(format!("{} isn't an absolute path", quoted(text)))
            .help("begin it with `/`, as in `/var/webapps/{unit}`"));
    }
    Template::parse(text, placeholders)
}

schema_of! {
    PathText => json_schema!({ "type": "string", "pattern": "^/" }),
}
