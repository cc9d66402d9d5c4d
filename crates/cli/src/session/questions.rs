//! What a person is asked before hosts are changed, and what is refused where nobody can be.

use std::time::Instant;

use buedafab_model::app::env_file::Secret;
use buedafab_model::config::Confirm;
use buedafab_model::plan::Plan;
use buedafab_model::run::outcome::Verdict;

use super::Session;
use crate::exit::CliError;
use crate::prompt::{Echo, Terminal, understand_yes};
use crate::report::leave_outputs;
use crate::sudo;

impl Session {
    /// Whether a person is there to be asked.
    pub(crate) fn can_ask(&self) -> bool {
        !self.global.yes && self.terminal().is_some()
    }

    /// Where a person can be asked. Whoever reads documents isn't one.
    fn terminal(&self) -> Option<Terminal> {
        if self.global.json { None } else { Terminal::find() }
    }

    /// Asks a person something, who may think for as long as they like: beats go on meanwhile. What `understand` can't
    /// make sense of is asked again, after its words.
    pub(crate) async fn ask<T>(
        &mut self,
        question: &str,
        echo: Echo,
        understand: impl Fn(String) -> Result<T, String>,
    ) -> Result<T, CliError> {
        self.events.reporter.pause();
        let Some(terminal) = Terminal::find() else { return Err(self.interrupted()) };
        let asked = Instant::now();
        // A reader of the outputs may pause; the question doesn't wait for it, and neither do beats.
        let _ = tokio::task::spawn_blocking(leave_outputs).await;
        let answer = loop {
            let typed = tokio::select! {
                typed = terminal.ask(question, echo) => typed,
                Some(()) = self.interrupts.recv() => None,
            };
            match typed.map(&understand) {
                Some(Ok(answer)) => break Some(answer),
                Some(Err(why)) => terminal.put(&format!("{why}\n")),
                None => {
                    terminal.put("\n");
                    break None;
                }
            }
        };
        // What a person takes to answer isn't what the run takes.
        self.began += asked.elapsed();
        answer.ok_or_else(|| self.interrupted())
    }

    /// Asks for a yes; what is left empty is a no.
    pub(crate) async fn ask_whether(&mut self, question: &str) -> Result<bool, CliError> {
        let question = format!("{question} [y/N]");
        let understand = |typed: String| understand_yes(&typed).ok_or("a yes or a no, please".to_owned());
        self.ask(&question, Echo::Shown, understand).await
    }

    /// What sudo wants to hear on the hosts.
    pub(super) async fn sudo_password(&mut self) -> Result<Secret, CliError> {
        if let Some(known) = sudo::known_password() {
            return Ok(known);
        }
        if self.terminal().is_none() {
            return Err(self.give_up(sudo::nobody_to_ask()));
        }
        let question = format!("The password of sudo on the hosts of {}:", self.settings.environment);
        let typed = self.ask(&question, Echo::Hidden, Ok).await?;
        sudo::remember_password(typed).map_err(|error| self.give_up(error))
    }

    /// Stops where something would be asked later that nobody is there to answer: before the first question.
    pub(crate) fn require_answers(&mut self, plan: &Plan) -> Result<(), CliError> {
        let asks_sudo = self.settings.users.ask_sudo_password && plan.may_use_sudo();
        if asks_sudo && sudo::known_password().is_none() && self.terminal().is_none() {
            return Err(self.give_up(sudo::nobody_to_ask()));
        }
        let removes = (!plan.removals().is_empty()).then_some("what is removed");
        let undoes = (!plan.undoes().is_empty()).then_some("which migrations are undone");
        if let Some(what) = removes.or(undoes)
            && !self.global.yes
            && self.terminal().is_none()
        {
            let message = format!("nobody is there to confirm {what}: {}", self.untouched());
            return Err(self.give_up(CliError::verdict(Verdict::Refused, message).hint("--yes confirms it")));
        }
        if plan.is_empty() { Ok(()) } else { self.require_confirmation() }
    }

    /// Asks before migrations are undone, whatever the environment wants to hear: what that drops is gone.
    pub(crate) async fn confirm_undoing(&mut self, plan: &Plan) -> Result<(), CliError> {
        let undoes = plan.undoes();
        if undoes.is_empty() || self.global.yes {
            return Ok(());
        }
        let names: Vec<String> = undoes.iter().map(ToString::to_string).collect();
        let question = format!("Undo {}? No rollback brings back what that drops.", names.join(", "));
        if self.ask_whether(&question).await? { Ok(()) } else { Err(self.not_confirmed()) }
    }

    /// Asks before anything is stopped and removed, whatever the environment wants to hear.
    pub(crate) async fn confirm_removals(&mut self, plan: &Plan) -> Result<(), CliError> {
        let removals = plan.removals();
        if removals.is_empty() || self.global.yes {
            return Ok(());
        }
        let names: Vec<String> =
            removals.iter().map(|(host, left)| format!("{} on {host}", left.name())).collect();
        let question = format!("Stop and remove {}?", names.join(", "));
        if self.ask_whether(&question).await? { Ok(()) } else { Err(self.not_confirmed()) }
    }

    /// The same, for the confirmation alone.
    pub(crate) fn require_confirmation(&mut self) -> Result<(), CliError> {
        let environment = &self.settings.environment;
        let what = match self.settings.rules.confirm {
            Confirm::Nothing => return Ok(()),
            _ if self.global.yes || self.terminal().is_some() => return Ok(()),
            Confirm::Yes => format!("confirm this for {environment}"),
            Confirm::Name => format!("type the name of {environment}"),
        };
        let nobody = if self.global.json {
            "with --json nobody is asked to"
        } else {
            "there is no terminal at which to"
        };
        let message = format!("{nobody} {what}: {}", self.untouched());
        Err(self.give_up(CliError::verdict(Verdict::Refused, message).hint("--yes confirms it")))
    }

    /// Asks for what the environment wants to hear before hosts are changed.
    pub(crate) async fn confirm(&mut self, question: &str) -> Result<(), CliError> {
        self.require_confirmation()?;
        let confirmed = match self.settings.rules.confirm {
            Confirm::Nothing => true,
            _ if self.global.yes => true,
            Confirm::Yes => self.ask_whether(question).await?,
            Confirm::Name => {
                let environment = self.settings.environment.to_string();
                let question = format!("{question} Type its name, {environment}:");
                self.ask(&question, Echo::Shown, Ok).await?.trim() == environment
            }
        };
        if confirmed { Ok(()) } else { Err(self.not_confirmed()) }
    }

    /// A person said no.
    pub(crate) fn not_confirmed(&mut self) -> CliError {
        self.give_up(CliError::verdict(Verdict::Refused, format!("not confirmed: {}", self.untouched())))
    }
}
