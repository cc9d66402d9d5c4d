//! Secrets of those who are told: from the environment, or from a command that prints them.

use std::path::Path;
use std::time::Duration;

use buedafab_model::app::clear_text::is_sent_in_the_clear;
use buedafab_model::app::notify::{Recipient, SecretSource};
use buedafab_model::notify::Revealed;

use super::last_words;
use crate::deployer::has_program;
use crate::process::{RunError, async_program, run_to_end};

/// How long a command may take to say a secret: a person may have to touch a key.
const LIMIT: Duration = Duration::from_secs(30);

/// All secrets of a recipient.
pub(super) async fn reveal(recipient: &Recipient, root: &Path) -> Result<Revealed, String> {
    let mut revealed = Revealed::default();
    for (key, source) in recipient.secrets() {
        let value = match source {
            SecretSource::Env(name) => of_variable(name)?,
            SecretSource::Command(words) => of_command(words, root).await?,
        };
        if value.is_empty() {
            return Err(format!("{source} is empty"));
        }
        if value.chars().any(char::is_control) {
            return Err(format!("{source} holds more than one line, or a control character"));
        }
        if key == "url"
            && let Some(why) = wrong_address(recipient, source, &value)
        {
            return Err(why);
        }
        revealed.0.insert(key, value);
    }
    Ok(revealed)
}

/// What is wrong with an address that is a secret. That of a chat's webhook lets whoever reads it speak there.
fn wrong_address(recipient: &Recipient, source: &SecretSource, url: &str) -> Option<String> {
    let lets_speak = matches!(recipient, Recipient::Slack { .. } | Recipient::Discord { .. });
    let is_address = url.starts_with("https://") || url.starts_with("http://");
    if !is_address || (lets_speak && is_sent_in_the_clear(url)) {
        return Some(format!("{source} holds no address that begins with https://"));
    }
    None
}

fn of_variable(name: &str) -> Result<String, String> {
    match std::env::var(name) {
        Ok(value) => Ok(value.trim().to_owned()),
        Err(std::env::VarError::NotPresent) => Err(format!("the variable {name} isn't set")),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("the variable {name} holds no text")),
    }
}

async fn of_command(words: &[String], root: &Path) -> Result<String, String> {
    let (program, arguments) = words.split_first().expect("the configuration has no empty command");
    let mut command = async_program(program);
    command.args(arguments).current_dir(root);
    let output = run_to_end(command, Vec::new(), LIMIT).await.map_err(|error| match error {
        RunError::Start(error) => format!("can't run {program}, which is to say the secret: {error}"),
        RunError::TooLong(limit) => {
            format!("the command {program} took longer than {} s to say the secret", limit.as_secs())
        }
    })?;
    if !output.status.success() {
        return Err(format!(
            "the command {program} ended with {}{}",
            output.status,
            last_words(&output.stderr)
        ));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| format!("the command {program} says no text"))?;
    Ok(text.trim().to_owned())
}

/// What keeps a recipient from being told, as far as that is known without asking a command for a secret or anybody over the network.
pub fn secret_trouble(recipient: &Recipient) -> Option<String> {
    recipient.secrets().into_iter().find_map(|(key, source)| match source {
        SecretSource::Env(name) => match of_variable(name) {
            Ok(value) if value.is_empty() => Some(format!("the variable {name} is empty")),
            Ok(value) if key == "url" => wrong_address(recipient, source, &value),
            Ok(_) => None,
            Err(why) => Some(why),
        },
        SecretSource::Command(words) => {
            let program = words.first().map_or("", String::as_str);
            (!has_program(program))
                .then(|| format!("there is no program {program}, which is to say the secret"))
        }
    })
}
