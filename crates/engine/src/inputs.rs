//! What is sent to hosts besides the plan. None of it is shown, or kept.

use std::collections::BTreeMap;
use std::path::PathBuf;

use buedafab_model::app::env_file::Secret;
use buedafab_model::app::mask::mask;
use buedafab_model::app::remote_url::Credentials;
use buedafab_model::plan::action::StepInput;

use crate::connection::Source;

/// What steps of a plan read, and what sudo asks.
#[derive(Debug, Default)]
pub struct Inputs {
    /// One variable, or a whole file of them.
    pub variables: Option<Secret>,
    /// Who to be at the git remote.
    pub credentials: Option<Credentials>,
    /// Files of private packages, by what they are.
    pub packages: BTreeMap<String, PathBuf>,
    /// The archives of the release, by their names on hosts, which steps of the plan may make first: each app has its own.
    pub archives: BTreeMap<String, PathBuf>,
    /// The password of sudo.
    pub sudo_password: Option<Secret>,
}

impl Inputs {
    /// Where what a step reads comes from. No file is opened before it is sent.
    pub(crate) fn of(&self, input: &StepInput<'_>) -> Source {
        match input {
            StepInput::Variables => match &self.variables {
                Some(secret) => Source::Bytes(secret.clone()),
                None => Source::Missing("variables".to_owned()),
            },
            StepInput::Credentials => match &self.credentials {
                Some(credentials) => Source::Bytes(credentials.input()),
                None => Source::Missing("name and password for the git remote".to_owned()),
            },
            StepInput::Package(package) => match self.packages.get(&package.key) {
                Some(path) => Source::File(path.clone()),
                None => Source::Missing(format!("file of the package {}", package.name)),
            },
            StepInput::Archive(file) => match self.archives.get(*file) {
                Some(path) => Source::File(path.clone()),
                None => Source::Missing(format!("archive {file}")),
            },
        }
    }

    /// A line of output without what must not be seen in it.
    pub(crate) fn mask(&self, line: String) -> String {
        let secrets = [self.sudo_password.clone(), self.credentials.as_ref().map(Credentials::secrets)];
        let secrets = secrets.iter().flatten();
        let secrets = secrets.filter_map(|secret| std::str::from_utf8(secret.reveal()).ok());
        mask(&line, &secrets.collect::<Vec<_>>())
    }
}
