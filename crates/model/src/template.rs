//! What is wrong with a template.

/// A template that can't be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct TemplateError {
    /// Where in the template, and what is wrong with it.
    pub why: String,
}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        let line = error.line().map_or(String::new(), |line| format!(" in line {line}"));
        let detail = error.detail().map_or(String::new(), |detail| format!(": {detail}"));
        TemplateError { why: format!("{}{detail}{line}", error.kind()) }
    }
}
