//! The password of sudo: asked for once, however many runs one command line makes.

use std::sync::OnceLock;

use buedafab_engine::SUDO_PASSWORD;
use buedafab_model::app::env_file::Secret;
use buedafab_model::run::outcome::Verdict;

use crate::exit::CliError;

static KNOWN: OnceLock<Secret> = OnceLock::new();

/// What was typed before, or put into the environment by those who deploy where nobody can type.
pub(crate) fn known_password() -> Option<Secret> {
    let given = || std::env::var(SUDO_PASSWORD).ok().filter(|password| !password.is_empty());
    KNOWN.get().cloned().or_else(|| given().map(Secret::new))
}

/// Keeps what was typed, for the runs that follow.
pub(crate) fn remember_password(typed: String) -> Result<Secret, CliError> {
    if typed.is_empty() {
        return Err(CliError::verdict(Verdict::Refused, "no password for sudo: nothing was touched").hint(
            "type it at the prompt; or unset `ask_sudo_password`, if sudo needs no password on these hosts",
        ));
    }
    Ok(KNOWN.get_or_init(|| Secret::new(typed)).clone())
}

/// What is said where it can't be asked for.
pub(crate) fn nobody_to_ask() -> CliError {
    CliError::verdict(
        Verdict::Refused,
        "there is no terminal at which to type the password of sudo: nothing was touched",
    )
    .hint(format!("put it into the environment variable {SUDO_PASSWORD}"))
}
