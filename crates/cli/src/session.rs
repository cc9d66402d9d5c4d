//! What the commands that work on hosts have in common: settings, hosts, a reporter, Ctrl-C.

use buedafab_model::run::exit_code::ExitCode;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use buedafab_engine::{
    Fleet, Inputs, LocalError, Look, Repository, Sharing, execute, new_run, run_on_deployer,
};
use buedafab_model::app::env_file::Secret;
use buedafab_model::config::{Confirm, Settings};
use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::host::Host;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Intent, Plan};
use buedafab_model::planner::{RunContext, SeenHost};
use buedafab_model::run::event::{Event, Reason};
use buedafab_model::run::outcome::verdict_of;
use buedafab_model::run::outcome::{Failure, FailureKind, HostOutcome, Outcome, Serving, Verdict};
use buedafab_model::shell::check_plan;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::shell::quote_words;
use tokio::sync::mpsc;

use crate::arguments::{Cli, GlobalArgs};
use crate::exit::CliError;
use crate::project::{Project, choose_hosts, require_environment};
use crate::report::{Reporter, StepOutput, is_interactive};
use crate::sudo;

/// One command at work.
pub(crate) struct Session {
    /// The settings of the environment.
    pub settings: Settings,
    /// The hosts that take part, in order.
    pub hosts: Vec<Host>,
    /// The run.
    pub context: RunContext,
    /// The flags.
    pub global: GlobalArgs,
    /// Who tells what happens.
    pub reporter: Reporter,
    /// The hosts' connections.
    pub fleet: Fleet,
    root: PathBuf,
    retry_command: String,
    interrupts: mpsc::Receiver<()>,
    began: Instant,
}

/// How long a runner may take to say bye, once nothing is left to do.
const BYE_PATIENCE: Duration = Duration::from_secs(5);

impl Session {
    /// Reads the configuration, chooses the hosts, and begins to tell what happens.
    pub(crate) fn start(cli: &Cli, command: &str, output: StepOutput) -> Result<Session, CliError> {
        let color = console::colors_enabled_stderr();
        let environment = require_environment(cli.environment.as_ref(), command)?;
        let project = Project::find(&cli.global, color)?;
        let settings = project.settings(&environment, color)?;
        let hosts: Vec<Host> = choose_hosts(&settings, &cli.global)?.into_iter().cloned().collect();
        let context = new_run();
        let mut session = Session {
            fleet: Fleet::new(&settings),
            reporter: Reporter::new(&cli.global, output),
            global: cli.global.clone(),
            root: project.root,
            retry_command: cli.retry_command(),
            interrupts: watch_interrupts(),
            began: Instant::now(),
            settings,
            hosts,
            context,
        };
        session.event(Event::RunStarted {
            run: session.context.run.clone(),
            unit: session.settings.unit.clone(),
            environment: session.settings.environment.clone(),
            hosts: session.hosts.iter().map(|host| host.name.clone()).collect(),
        });
        Ok(session)
    }

    /// The checkout around the project.
    pub(crate) fn repository(&self) -> Result<Repository, CliError> {
        Repository::find(&self.root).map_err(CliError::from)
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.root.clone()
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.reporter.event(&event);
    }

    /// Looks at all hosts; Ctrl-C ends it.
    pub(crate) async fn look(&mut self, scope: Scope) -> Result<Look, CliError> {
        let hosts: Vec<&Host> = self.hosts.iter().collect();
        let reporter = &mut self.reporter;
        let mut events = |event: Event| reporter.event(&event);
        tokio::select! {
            look = self.fleet.look(&self.settings, &hosts, scope, Sharing::Allowed, &mut events) => Ok(look),
            Some(()) = self.interrupts.recv() => {
                Err(CliError::verdict(Verdict::Interrupted, "interrupted: nothing was touched"))
            }
        }
    }

    /// Waits for something on this machine that changes no host; Ctrl-C ends it.
    pub(crate) async fn unless_interrupted<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, CliError> {
        tokio::select! {
            done = work => Ok(done),
            Some(()) = self.interrupts.recv() => {
                Err(CliError::verdict(Verdict::Interrupted, "interrupted: nothing was touched"))
            }
        }
    }

    /// Looks at all hosts, and stops if one can't be reached.
    pub(crate) async fn look_or_stop(&mut self, scope: Scope) -> Result<Look, CliError> {
        let look = self.look(scope).await?;
        if look.unreachable.is_empty() {
            return Ok(look);
        }
        let names: Vec<&str> = look.unreachable.keys().map(|host| host.as_str()).collect();
        let failures = look.unreachable.iter().map(|(host, error)| Failure {
            host: host.clone(),
            step: None,
            what: FailureKind::Unreachable { why: error.why.clone() },
        });
        let failures = failures.collect();
        let message = format!("{} can't be reached: nothing was changed on any host", names.join(", "));
        self.end_early(Verdict::Unreachable, &look, failures);
        Err(CliError::verdict(Verdict::Unreachable, message)
            .hint(format!("{} check tells more; --hosts leaves hosts out", self.environment_command())))
    }

    /// The hosts with what was seen on them.
    pub(crate) fn seen<'l>(&'l self, look: &'l Look) -> Vec<SeenHost<'l>> {
        let seen = |host: &'l Host| Some(SeenHost { host, facts: look.facts.get(&host.name)? });
        self.hosts.iter().filter_map(seen).collect()
    }

    /// Tells why there is no plan.
    pub(crate) fn refuse(&mut self, refusals: &[Refusal], look: &Look) -> CliError {
        let verdict = verdict_of(refusals);
        let reasons = refusals
            .iter()
            .map(|refusal| Reason { message: refusal.to_string(), hint: refusal.hint() })
            .collect();
        self.event(Event::Refused { reasons });
        self.end_early(verdict, look, Vec::new());
        let mut lines: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        lines.push("nothing was touched".to_owned());
        let mut hints: Vec<String> = refusals.iter().filter_map(Refusal::hint).collect();
        hints.dedup();
        let stop = CliError::verdict(verdict, lines.join("\n  "));
        if hints.is_empty() { stop } else { stop.hint(hints.join("\n        ")) }
    }

    fn end_early(&mut self, verdict: Verdict, look: &Look, failures: Vec<Failure>) {
        let hosts = self.hosts.iter().map(|host| HostOutcome {
            host: host.name.clone(),
            serving: look.facts.get(&host.name).map_or(Serving::Unknown, |facts| Serving::of(facts.live())),
        });
        let outcome = Outcome { verdict, hosts: hosts.collect(), failures };
        // For those who read events; a person reads the reason.
        if self.global.json {
            self.run_ended(outcome);
        }
    }

    fn run_ended(&mut self, outcome: Outcome) {
        let exit_code = outcome.verdict.exit_code().number();
        let milliseconds = self.began.elapsed().as_millis() as u64;
        self.event(Event::RunEnded { outcome, exit_code, milliseconds });
    }

    /// Whether a person is there to be asked.
    pub(crate) fn can_ask(&self) -> bool {
        !self.global.yes && is_interactive(&self.global)
    }

    /// Asks a person something. Beats go on meanwhile: they may think for as long as they like.
    pub(crate) async fn ask<T: Send + 'static>(
        &mut self,
        prompt: impl FnOnce() -> dialoguer::Result<T> + Send + 'static,
    ) -> Result<T, CliError> {
        self.reporter.pause();
        let asked = Instant::now();
        let answer = tokio::task::spawn_blocking(prompt).await;
        // What a person takes to answer isn't what the run takes.
        self.began += asked.elapsed();
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(CliError::verdict(Verdict::Interrupted, "interrupted: nothing was touched")),
        }
    }

    /// Asks for a yes; what is left empty is a no.
    pub(crate) async fn ask_whether(&mut self, question: String) -> Result<bool, CliError> {
        self.ask(move || dialoguer::Confirm::new().with_prompt(question).default(false).interact()).await
    }

    /// What sudo wants to hear on the hosts.
    async fn sudo_password(&mut self) -> Result<Secret, CliError> {
        if let Some(known) = sudo::known_password() {
            return Ok(known);
        }
        if !is_interactive(&self.global) {
            return Err(sudo::nobody_to_ask());
        }
        let prompt = format!("The password of sudo on the hosts of {}", self.settings.environment);
        let ask =
            move || dialoguer::Password::new().with_prompt(prompt).allow_empty_password(true).interact();
        sudo::remember_password(self.ask(ask).await?)
    }

    /// Asks for what the environment wants to hear before hosts are changed, where a person is there to say it.
    pub(crate) async fn confirm(&mut self, question: String) -> Result<(), CliError> {
        let environment = self.settings.environment.to_string();
        let confirmed = match self.settings.confirm {
            Confirm::Nothing => true,
            _ if self.global.yes => true,
            Confirm::Yes if !is_interactive(&self.global) => true,
            Confirm::Yes => self.ask_whether(question).await?,
            Confirm::Name if !is_interactive(&self.global) => {
                return Err(CliError::verdict(
                    Verdict::Refused,
                    format!("nobody is here to type the name of {environment}: nothing was touched"),
                )
                .hint("say it with --yes"));
            }
            Confirm::Name => {
                let prompt = format!("{question} Type its name, {environment}");
                let typed: String = self
                    .ask(move || {
                        dialoguer::Input::new().with_prompt(prompt).allow_empty(true).interact_text()
                    })
                    .await?;
                typed.trim() == environment
            }
        };
        match confirmed {
            true => Ok(()),
            false => Err(CliError::verdict(Verdict::Refused, "not confirmed: nothing was touched")),
        }
    }

    /// Carries out a plan with its local hooks, tells the end, and gives back the exit code.
    pub(crate) async fn carry_out(self, plan: &Plan) -> Result<ExitCode, CliError> {
        self.carry_out_with(plan, Inputs::default()).await
    }

    /// The same, for a plan whose steps take inputs; its hosts have to be looked at before.
    pub(crate) async fn carry_out_with(
        mut self,
        plan: &Plan,
        mut inputs: Inputs,
    ) -> Result<ExitCode, CliError> {
        debug_assert_eq!(check_plan(plan), [], "the planner made a plan that breaks a rule");
        if self.settings.ask_sudo_password && plan.may_use_sudo() {
            inputs.sudo_password = Some(self.sudo_password().await?);
            if !self.fleet.is_connected() {
                self.look_or_stop(Scope::Plan).await?;
            }
        }
        let changes = matches!(plan.intent, Intent::Deploy | Intent::Rollback);
        let variables = local_variables(&self.settings, plan);
        let hooks = self.settings.local_hooks.clone();
        if let Err(error) = self.local(&plan.local, &variables).await {
            let verdict = match &error {
                LocalError::Failed { .. } => Verdict::Refused,
                LocalError::Interrupted { .. } => Verdict::Interrupted,
            };
            self.fleet.close(BYE_PATIENCE).await;
            let reasons = vec![Reason { message: error.to_string(), hint: None }];
            self.event(Event::Refused { reasons });
            let hosts = plan.hosts.iter().map(|planned| HostOutcome {
                host: planned.host.name.clone(),
                serving: Serving::of(planned.from.clone()),
            });
            let hosts = hosts.collect();
            self.run_ended(Outcome { verdict, hosts, failures: Vec::new() });
            self.reporter.say(&format!("{error}"));
            let (retry, environment_command) = (self.retry_command.clone(), self.environment_command());
            self.reporter.tell_end(&retry, &environment_command);
            return Ok(verdict.exit_code());
        }
        let reporter = &mut self.reporter;
        let mut events = |event: Event| reporter.event(&event);
        let outcome =
            execute(plan, &inputs, &self.settings, &mut self.fleet, &mut self.interrupts, &mut events).await;
        let verdict = outcome.verdict;
        // A lock must be free when this program has ended.
        self.fleet
            .close(if verdict == Verdict::Interrupted { Duration::from_secs(1) } else { BYE_PATIENCE })
            .await;
        self.run_ended(outcome);
        if changes {
            let after = if verdict == Verdict::Done { &hooks.after } else { &hooks.on_failure };
            let mut variables = variables;
            variables.insert("BUEDAFAB_EXIT_CODE".to_owned(), verdict.exit_code().to_string());
            let after: Vec<DeployerAction> =
                after.iter().map(|command| DeployerAction::Hook { command: command.clone() }).collect();
            if let Err(error) = self.local(&after, &variables).await {
                self.reporter.say(&error.to_string());
            }
        }
        let retry = self.retry_command.clone();
        let environment_command = self.environment_command();
        self.reporter.tell_end(&retry, &environment_command);
        Ok(verdict.exit_code())
    }

    async fn local(
        &mut self,
        actions: &[DeployerAction],
        variables: &BTreeMap<String, String>,
    ) -> Result<(), LocalError> {
        let root = self.root();
        let reporter = &mut self.reporter;
        let mut events = |event: Event| reporter.event(&event);
        run_on_deployer(actions, &root, variables, &mut self.interrupts, &mut events).await
    }

    /// How a command for this environment begins.
    pub(crate) fn environment_command(&self) -> String {
        let mut words = vec!["buedafab".to_owned()];
        if let Some(config) = &self.global.config {
            words.extend(["--config".to_owned(), config.display().to_string()]);
        }
        words.push(self.settings.environment.to_string());
        quote_words(words)
    }
}

fn local_variables(settings: &Settings, plan: &Plan) -> BTreeMap<String, String> {
    let target = plan.hosts.iter().find_map(|planned| planned.to.as_ref());
    let from = plan.hosts.iter().find_map(|planned| planned.from.as_ref());
    let hosts: Vec<&str> = plan.hosts.iter().map(|planned| planned.host.name.as_str()).collect();
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(variables.insert(name.to_owned(), value));
    set("DEPLOYMENT_TYPE", settings.deployment_type.clone());
    set("BUEDAFAB_BY", plan.by.clone());
    set("BUEDAFAB_ENVIRONMENT", plan.environment.to_string());
    set("BUEDAFAB_HOSTS", hosts.join(","));
    set("BUEDAFAB_RUN", plan.run.to_string());
    set("BUEDAFAB_UNIT", plan.unit.to_string());
    set("BUEDAFAB_COMMIT", target.map(|target| target.release.commit.to_string()).unwrap_or_default());
    set("BUEDAFAB_DESCRIBE", target.map(|target| target.release.describe.clone()).unwrap_or_default());
    set("BUEDAFAB_TAG", target.and_then(|target| target.release.tag.clone()).unwrap_or_default());
    set("BUEDAFAB_PREVIOUS_COMMIT", from.map(|from| from.commit.to_string()).unwrap_or_default());
    variables
}

/// Ctrl-C, and what asks for the same: a closed terminal, a service manager that stops us.
fn watch_interrupts() -> mpsc::Receiver<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = mpsc::channel(4);
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let Ok(mut signals) = signal(kind) else { continue };
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if sender.send(()).await.is_err() {
                    return;
                }
            }
        });
    }
    receiver
}
