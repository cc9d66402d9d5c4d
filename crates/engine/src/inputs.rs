//! What is sent to hosts besides the plan. None of it is shown, or kept.

use std::collections::BTreeMap;
use std::path::PathBuf;

use buedafab_model::app::env_file::Secret;
use buedafab_model::plan::action::StepInput;

/// What steps of a plan read, and what sudo asks.
#[derive(Debug, Default)]
pub struct Inputs {
    /// One variable, or a whole file of them.
    pub variables: Option<Secret>,
    /// Files of private packages, by what they are.
    pub packages: BTreeMap<String, PathBuf>,
    /// The password of sudo.
    pub sudo_password: Option<Secret>,
}

impl Inputs {
    /// What a step reads.
    pub(crate) fn of(&self, input: &StepInput) -> Vec<u8> {
        match input {
            StepInput::Variables => self.variables.as_ref().map(|secret| secret.reveal().to_vec()),
            // One that can't be read is sent as nothing, and its check sum tells.
            StepInput::Package { key } => self.packages.get(key).and_then(|path| std::fs::read(path).ok()),
        }
        .unwrap_or_default()
    }

    /// A line of output without what must not be seen in it.
    pub(crate) fn mask(&self, line: String) -> String {
        let secrets = [&self.sudo_password].into_iter().flatten();
        secrets.filter_map(|secret| std::str::from_utf8(secret.reveal()).ok()).fold(line, |line, secret| {
            if secret.len() >= SHORTEST_SECRET && line.contains(secret) {
                line.replace(secret, "********")
            } else {
                line
            }
        })
    }
}

/// Shorter ones stand in any line by chance, which then would tell more than it hides.
const SHORTEST_SECRET: usize = 4;
