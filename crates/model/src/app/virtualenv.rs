//! What a slot's virtualenv is made from: data, which [`shell`](crate::shell) turns into what a host runs.

use serde::{Deserialize, Serialize};

use crate::app::package::FetchedPackage;

/// What installs packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Installer {
    /// uv where the host has it, else pip.
    Auto,
    /// uv, which the host must have.
    Uv,
    /// pip, of the virtualenv's own Python.
    Pip,
}

/// Which private packages a virtualenv holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Packages {
    /// These. The host writes them down for its release.
    These(Vec<FetchedPackage>),
    /// Those that the host has written down for the release: the way back asks nobody.
    WrittenDown,
}

/// What a virtualenv holds, and how it gets there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VirtualenvSpec {
    /// The Python that it is made with.
    pub python: String,
    /// Where in the slot the app lies, with all files that are named here; `None`: at its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdir: Option<String>,
    /// What installs packages.
    pub installer: Installer,
    /// Words for the installer, which both understand: indexes, folders of wheels.
    pub options: Vec<String>,
    /// Requirement files, in the slot. None: what `uv.lock` or `pyproject.toml` say.
    pub requirements: Vec<String>,
    /// Files in the slot that limit versions.
    pub constraints: Vec<String>,
    /// Private packages, which lie on the host.
    pub packages: Packages,
    /// Scripts of the release that install what a requirement file can't name; the env's path is their argument.
    pub scripts: Vec<String>,
    /// Whether it is made anew even though nothing has changed.
    pub reinstall: bool,
    /// Whether what it is asked for is resolved anew: else what was resolved before stays, as far as it fits.
    pub upgrade: bool,
}
