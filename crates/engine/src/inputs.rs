//! What is sent to hosts besides the plan. None of it is shown, or kept.

use buedafab_model::action::StepInput;
use buedafab_model::env_file::Secret;

/// What steps of a plan read, and what sudo asks.
#[derive(Debug, Default)]
pub struct Inputs {
    /// One variable, or a whole file of them.
    pub variables: Option<Secret>,
    /// The password of sudo.
    pub sudo_password: Option<Secret>,
}

impl Inputs {
    /// What a step reads.
    pub(crate) fn of(&self, input: &StepInput) -> &[u8] {
        match input {
            StepInput::Variables => self.variables.as_ref().map_or(&[], Secret::reveal),
        }
    }

    /// A line of output without what must not be seen in it.
    pub(crate) fn mask(&self, line: String) -> String {
        let secrets = [&self.sudo_password].into_iter().flatten();
        secrets.filter_map(|secret| std::str::from_utf8(secret.reveal()).ok()).fold(line, |line, secret| {
            match secret.len() >= SHORTEST_SECRET && line.contains(secret) {
                true => line.replace(secret, "********"),
                false => line,
            }
        })
    }
}

/// Shorter ones stand in any line by chance, which then would tell more than it hides.
const SHORTEST_SECRET: usize = 4;
