//! What is wrong with a template.

/// What may stand in the template of a unit file or init script.
pub const TEMPLATE_VARIABLES: [&str; 25] = [
    "unit",
    "environment",
    "deployment_type",
    "service",
    "name",
    "host",
    "address",
    "roles",
    "user",
    "group",
    "path",
    "releases",
    "current",
    "directory",
    "shared",
    "slot",
    "release",
    "virtualenv",
    "env_file",
    "load_env_file",
    "variables",
    "commit",
    "describe",
    "tag",
    "stop_seconds",
];

/// The keys of Fabric's `env` that a template in Fabric's form knows. `celeryd_beat_option` is `-B` on one host only.
pub const OLD_TEMPLATE_VARIABLES: [&str; 14] = [
    "unit",
    "path",
    "deployment_type",
    "releases_root",
    "current_release_symlink",
    "current_release_path",
    "virtualenv",
    "settings",
    "host",
    "user",
    "deploy_user",
    "deploy_group",
    "celeryd_beat_option",
    "celeryd_options",
];

/// How it begins what is wrong with one of that form.
pub(crate) const OLD_FORM: &str = "in Fabric's form";

/// What is said of a template that a release hasn't got.
pub(crate) const NO_SUCH_FILE: &str = "the release has no such file";

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
