//! The password of sudo: asked for once, however many runs one command line makes.

use std::sync::OnceLock;

use buedafab_engine::SUDO_PASSWORD;
use buedafab_model::env_file::Secret;
use buedafab_model::outcome::Verdict;

use crate::exit::Stop;
use crate::report::is_interactive;
use crate::session::Session;

static KNOWN: OnceLock<Secret> = OnceLock::new();

/// What a person types, or has put into the environment.
pub(crate) async fn password(session: &mut Session) -> Result<Secret, Stop> {
    if let Some(known) = KNOWN.get() {
        return Ok(known.clone());
    }
    let typed = match std::env::var(SUDO_PASSWORD) {
        Ok(value) => value,
        Err(_) if is_interactive(&session.global) => {
            let prompt = format!("The password of sudo on the hosts of {}", session.settings.environment);
            session
                .ask(move || {
                    dialoguer::Password::new().with_prompt(prompt).allow_empty_password(true).interact()
                })
                .await?
        }
        Err(_) => {
            return Err(Stop::verdict(
                Verdict::Refused,
                "nobody is here to type the password of sudo: nothing was touched",
            )
            .hint(format!("put it into the variable {SUDO_PASSWORD}")));
        }
    };
    if typed.is_empty() {
        return Err(Stop::verdict(Verdict::Refused, "no password for sudo: nothing was touched")
            .hint("type it when it is asked for; without `ask_sudo_password`, sudo has to do without"));
    }
    Ok(KNOWN.get_or_init(|| Secret::new(typed)).clone())
}
