//! What the commands that work on hosts have in common: settings, hosts, a reporter, Ctrl-C.

mod questions;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use buedafab_engine::{
    Aws, ConnectError, Fleet, Inputs, Look, Notifier, Repository, Sharing, allow_open_files, execute, new_run,
};
use buedafab_model::app::notify::Notify;
use buedafab_model::app::traffic::DrainMethod;
use buedafab_model::config::{
    AppInEnvironment, ConfigFile, Diagnostics, ReleaseSettings, Settings, SettingsByHost,
};
use buedafab_model::deployer::checkout::{CheckoutFacts, ReleaseFile};
use buedafab_model::host::Host;
use buedafab_model::names::{AppName, HostName};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Note, Plan, SkippedHost};
use buedafab_model::planner::{
    RunContext, SeenHost, UnreachableHost, plan_for_each_app, plan_recover, without_unreachable,
};
use buedafab_model::release::Release;
use buedafab_model::run::event::{Event, Reason};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::outcome::{HostOutcome, Outcome, Serving, Verdict, verdict_of};
use buedafab_model::shell::check_plan;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::shell::quote_words;
use buedafab_model::view::{Detail, show_refusals};
use tokio::sync::mpsc;

use crate::arguments::{Cli, GlobalArgs};
use crate::events::Events;
use crate::exit::CliError;
use crate::notifier::Telling;
use crate::project::{Project, choose_hosts, require_environment, require_one_app};
use crate::report::{Reporter, StepOutput};
use crate::run_log::RunLog;
use crate::spans::SpanLog;

/// One command at work.
pub(crate) struct Session {
    /// The settings of the environment: with several apps, those that all have in common.
    pub settings: Settings,
    /// What each of several apps means there, in the order in which they switch; empty, where the command is about one.
    pub apps: Vec<AppInEnvironment>,
    /// The hosts that take part, in order.
    pub hosts: Vec<Host>,
    /// The run.
    pub context: RunContext,
    /// The flags.
    pub global: GlobalArgs,
    /// What happens, on its way to those who read it.
    pub events: Events,
    /// The hosts' connections.
    pub fleet: Fleet,
    project: Project,
    command_name: String,
    retry_command: String,
    interrupts: mpsc::Receiver<()>,
    began: Instant,
    /// Whether hosts that can't be reached may be left out, where the settings say so.
    pub can_skip: bool,
    /// Hosts that take no part, and are only asked what they serve.
    pub only_asked: BTreeSet<HostName>,
    /// Hosts that the run is for and has left out.
    left_out: Vec<Host>,
    /// Whether what another run has left pending was worked on first, however that went.
    has_recovered: bool,
}

/// How long a runner may take to say bye, once nothing is left to do.
const BYE_PATIENCE: Duration = Duration::from_secs(5);

impl Session {
    /// Reads the configuration, chooses the hosts, and begins to tell what happens.
    pub(crate) fn start(cli: &Cli, command: &str, prints: StepOutput) -> Result<Session, CliError> {
        Session::start_with(cli, command, prints, |_| {})
    }

    /// The same, where a command changes what the configuration says.
    pub(crate) fn start_with(
        cli: &Cli,
        command: &str,
        prints: StepOutput,
        change: impl FnOnce(&mut Settings),
    ) -> Result<Session, CliError> {
        let environment = require_environment(cli.environment.as_ref(), command)?;
        Session::start_in(cli, &environment, prints, change)
    }

    /// The same in an environment, whichever was typed.
    fn start_in(
        cli: &Cli,
        environment: &str,
        prints: StepOutput,
        change: impl FnOnce(&mut Settings),
    ) -> Result<Session, CliError> {
        let color = console::colors_enabled_stderr();
        let project = Project::find(&cli.global, color)?;
        require_one_app(&project, &cli.command_name)?;
        let mut settings = project.settings(environment, color)?;
        change(&mut settings);
        let hosts: Vec<Host> = choose_hosts(&settings, &cli.global)?.into_iter().cloned().collect();
        Ok(Session::of(cli, project, settings, Vec::new(), hosts, prints))
    }

    /// The same for a command that takes several apps together.
    pub(crate) fn start_together(cli: &Cli, command: &str, prints: StepOutput) -> Result<Session, CliError> {
        let environment = require_environment(cli.environment.as_ref(), command)?;
        Session::start_together_in(cli, &environment, prints)
    }

    /// The same, where hosts that weren't chosen are asked, too, what they serve.
    pub(crate) fn start_beside_others(
        cli: &Cli,
        command: &str,
        prints: StepOutput,
    ) -> Result<Session, CliError> {
        let (hosts, roles) = (Vec::new(), Vec::new());
        let all = Cli { global: GlobalArgs { hosts, roles, ..cli.global.clone() }, ..cli.clone() };
        // What was chosen may be wrong, and is told before anything happens.
        let environment = require_environment(cli.environment.as_ref(), command)?;
        let color = console::colors_enabled_stderr();
        let project = Project::find(&cli.global, color)?;
        let settings = project.settings(&environment, color)?;
        let apps = project.apps(&settings.environment, color)?;
        let chosen = chosen_of(&settings, &apps, cli)?;
        let mut session = Session::start_together(&all, command, prints)?;
        let names = session.hosts.iter().map(|host| host.name.clone());
        session.only_asked = names.filter(|name| chosen.iter().all(|host| host.name != *name)).collect();
        Ok(session)
    }

    /// The same in an environment, whichever was typed.
    pub(crate) fn start_together_in(
        cli: &Cli,
        environment: &str,
        prints: StepOutput,
    ) -> Result<Session, CliError> {
        let color = console::colors_enabled_stderr();
        let project = Project::find(&cli.global, color)?;
        let settings = project.settings(environment, color)?;
        let apps = project.apps(&settings.environment, color)?;
        let hosts = chosen_of(&settings, &apps, cli)?;
        let has_hosts =
            |app: &AppInEnvironment| hosts.iter().any(|host| host.app.as_ref() == Some(&app.name));
        let apps = apps.into_iter().filter(has_hosts).collect();
        Ok(Session::of(cli, project, settings, apps, hosts, prints))
    }

    fn of(
        cli: &Cli,
        project: Project,
        settings: Settings,
        apps: Vec<AppInEnvironment>,
        hosts: Vec<Host>,
        prints: StepOutput,
    ) -> Session {
        let context = new_run();
        let (log, telling) = match cli.command.changes_hosts() {
            true => (RunLog::wanted(), Telling::of(&settings, &project.root)),
            false => (RunLog::default(), Telling::default()),
        };
        let spans = SpanLog::wanted(cli.command.changes_hosts() || cli.global.junit.is_some());
        let mut session = Session {
            fleet: Fleet::new(&settings),
            events: Events::new(Reporter::new(&cli.global, prints), log, telling, spans),
            global: cli.global.clone(),
            project,
            command_name: cli.command_name.clone(),
            retry_command: cli.retry_command(),
            interrupts: watch_interrupts(),
            began: Instant::now(),
            can_skip: false,
            only_asked: BTreeSet::new(),
            left_out: Vec::new(),
            has_recovered: false,
            settings,
            apps,
            hosts,
            context,
        };
        if let Err(short) = allow_open_files(&session.hosts) {
            session.events.reporter.warn(&short);
        }
        session.run_started();
        session
    }

    /// The settings of each app that takes part, or of the only one.
    pub(crate) fn all_settings(&self) -> Vec<&Settings> {
        if self.apps.is_empty() {
            return vec![&self.settings];
        }
        self.apps.iter().map(|app| &app.settings).collect()
    }

    /// What holds on each host.
    pub(crate) fn by_host(&self) -> SettingsByHost<'_> {
        SettingsByHost { whole: &self.settings, apps: &self.apps }
    }

    fn run_started(&mut self) {
        self.event(Event::RunStarted {
            run: self.context.run.clone(),
            command: self.command_name.clone(),
            by: self.context.by.clone(),
            unit: self.settings.app.unit.clone(),
            environment: self.settings.environment.clone(),
            hosts: self.hosts.iter().map(|host| host.name.clone()).collect(),
        });
    }

    /// The checkout around the project.
    pub(crate) fn repository(&self) -> Result<Repository, CliError> {
        Repository::find(&self.project.root).map_err(CliError::from)
    }

    /// Where this checkout's code comes from, if it is one.
    pub(crate) async fn code_url(&self) -> Option<String> {
        self.repository().ok()?.remote_url(&self.settings.source.master_remote).await
    }

    /// The one of several apps that the command is about.
    pub(crate) fn only_app(&self) -> Option<&AppName> {
        self.project.config.only_app()
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.project.root.clone()
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.events.tell(event);
    }

    /// Something to read that is no data.
    pub(crate) fn say(&mut self, text: &str) {
        self.events.reporter.say(text);
    }

    /// Says what a person should know of a plan that nobody is asked about.
    pub(crate) fn say_notes(&mut self, plan: &Plan) {
        for Note { host, text } in &plan.notes {
            self.say(&host.as_ref().map_or_else(|| text.clone(), |host| format!("{host}: {text}")));
        }
    }

    /// The names of the hosts that another command line is about.
    pub(crate) fn names_of(&self, cli: &Cli) -> Result<Vec<HostName>, CliError> {
        let hosts = choose_hosts(&self.settings, &cli.global)?;
        Ok(hosts.into_iter().map(|host| host.name.clone()).collect())
    }

    /// Looks at all hosts; Ctrl-C ends it.
    pub(crate) async fn look(&mut self, scope: Scope) -> Result<Look, CliError> {
        let hosts = self.hosts.clone();
        self.look_at(&hosts.iter().collect::<Vec<_>>(), scope).await
    }

    async fn look_at(&mut self, hosts: &[&Host], scope: Scope) -> Result<Look, CliError> {
        let events = &mut self.events;
        let mut events = |event: Event| events.tell(event);
        let look = tokio::select! {
            look = self.fleet.look(SettingsByHost { whole: &self.settings, apps: &self.apps }, hosts, scope, Sharing::Allowed, &mut events) => Some(look),
            Some(()) = self.interrupts.recv() => None,
        };
        look.ok_or_else(|| self.interrupted())
    }

    /// Looks at hosts, and does something on this machine meanwhile that changes none. Ctrl-C ends both: neither waits for
    /// the other then.
    pub(crate) async fn look_beside<L, T>(
        &mut self,
        look: impl AsyncFnOnce(&mut Session) -> Result<L, CliError>,
        work: impl Future<Output = T>,
    ) -> Result<(L, T), CliError> {
        let mut work = std::pin::pin!(work);
        let mut done = None;
        let look = {
            let mut look = std::pin::pin!(look(self));
            loop {
                tokio::select! {
                    look = &mut look => break look?,
                    ended = &mut work, if done.is_none() => done = Some(ended),
                }
            }
        };
        let done = match done {
            Some(done) => done,
            None => self.unless_interrupted(work).await?,
        };
        Ok((look, done))
    }

    /// Waits for something on this machine that changes no host; Ctrl-C ends it.
    pub(crate) async fn unless_interrupted<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, CliError> {
        let done = tokio::select! {
            done = work => Some(done),
            Some(()) = self.interrupts.recv() => None,
        };
        done.ok_or_else(|| self.interrupted())
    }

    /// Looks at one host again, by a script that also asks the app's own code: what was seen of it is replaced. Ctrl-C ends it.
    pub(crate) async fn look_and_ask(
        &mut self,
        look: &mut Look,
        host: &HostName,
        script: &str,
    ) -> Result<(), CliError> {
        let Some(host) = self.hosts.iter().find(|known| known.name == *host) else { return Ok(()) };
        let events = &mut self.events;
        let mut events = |event: Event| events.tell(event);
        let again = tokio::select! {
            again = self.fleet.look_and_ask(SettingsByHost { whole: &self.settings, apps: &self.apps }, host, script, &mut events) => Some(again),
            Some(()) = self.interrupts.recv() => None,
        };
        let Look { facts, unreachable } = again.ok_or_else(|| self.interrupted())?;
        look.facts.extend(facts);
        if unreachable.is_empty() {
            return Ok(());
        }
        look.unreachable.extend(unreachable);
        *look = self.stop_unless_reached(std::mem::take(look))?;
        Ok(())
    }

    /// Looks at all hosts, and stops if the planner can't do without one that can't be reached.
    pub(crate) async fn look_or_stop(&mut self, scope: Scope) -> Result<Look, CliError> {
        let look = self.look(scope).await?;
        self.stop_unless_reached(look)
    }

    /// What was seen, if the planner can do without those that can't be reached.
    pub(crate) fn stop_unless_reached(&mut self, look: Look) -> Result<Look, CliError> {
        let unreachable: Vec<UnreachableHost> = self
            .unreachable(&look)
            .map(|(host, ConnectError { why, hint })| UnreachableHost {
                host: host.clone(),
                why: why.clone(),
                hint: hint.clone(),
            })
            .collect();
        let is_part = |host: &HostName| !self.only_asked.contains(host);
        let part = self.left_out.iter().chain(&self.hosts);
        let part: Vec<Host> = part.filter(|host| is_part(&host.name)).cloned().collect();
        let (unreachable, unasked): (Vec<UnreachableHost>, Vec<UnreachableHost>) =
            unreachable.into_iter().partition(|away| is_part(&away.host));
        match without_unreachable(&self.settings, &part, &self.context.skipped, &unreachable, self.can_skip) {
            Ok(skipped) => {
                self.hosts.retain(|host| unasked.iter().all(|away| away.host != host.name));
                self.leave_out(skipped);
                Ok(look)
            }
            Err(refusals) => Err(self.refuse(&refusals, &look)),
        }
    }

    /// These hosts have no part in what follows: not even if they can be reached a moment later.
    fn leave_out(&mut self, skipped: Vec<SkippedHost>) {
        if skipped.is_empty() {
            return;
        }
        let is_left_out = |host: &mut Host| skipped.iter().any(|left| left.host == host.name);
        self.left_out.extend(self.hosts.extract_if(.., is_left_out));
        self.context.skipped.extend(skipped);
        self.event(Event::HostsSkipped { skipped: self.context.skipped.clone() });
    }

    /// The same; and what a run that was cut short has left half done is put back first. A dry run only says so.
    pub(crate) async fn look_and_recover(&mut self, scope: Scope, dry_run: bool) -> Result<Look, CliError> {
        let mut look = self.look_or_stop(scope).await?;
        let planned = self.plan_recover(&look);
        let plan = match planned {
            Ok(None) => {
                self.ask_about_traffic(&mut look).await?;
                return Ok(look);
            }
            Ok(Some(plan)) => plan,
            Err(refusals) => return Err(self.refuse(&refusals, &look)),
        };
        self.show(&plan, dry_run);
        if dry_run {
            let error = CliError::verdict(
                Verdict::Refused,
                "a switch was never confirmed: the rest can be planned only when it has been put back",
            )
            .hint(format!("{} recover puts it back", self.environment_command()));
            return Err(self.give_up(error));
        }
        // What the planner says of what is left decides: a link that is back is enough to go on.
        self.carry_out_first(&plan).await?;
        self.has_recovered = true;
        self.begin_again();
        let mut look = self.look_or_stop(scope).await?;
        self.ask_about_traffic(&mut look).await?;
        Ok(look)
    }

    /// Asks what decides which hosts may be taken out of traffic, and from where; Ctrl-C ends it.
    async fn ask_about_traffic(&mut self, look: &mut Look) -> Result<(), CliError> {
        self.look_at_others(look).await?;
        self.ask_load_balancers(look).await
    }

    /// Looks at those hosts, too, that take no part, where enough have to stay in traffic while others are out of it.
    async fn look_at_others(&mut self, look: &Look) -> Result<(), CliError> {
        let is_part = |host: &Host| self.hosts.iter().any(|part| part.name == host.name);
        let was_asked = |host: &Host| look.unreachable.contains_key(&host.name);
        let drains = self.all_settings().into_iter().filter(|settings| settings.drain.method.is_some());
        let hosts = drains.flat_map(|settings| &settings.hosts);
        let others: Vec<Host> = hosts.filter(|host| !is_part(host) && !was_asked(host)).cloned().collect();
        if others.is_empty() {
            return Ok(());
        }
        let others: Vec<&Host> = others.iter().collect();
        let Look { facts, unreachable: _ } = self.look_at(&others, Scope::Plan).await?;
        let serving = facts.into_iter().filter(|(_, facts)| facts.is_in_traffic());
        self.context.in_traffic = serving.map(|(host, _)| host).collect();
        Ok(())
    }

    /// Asks Amazon's load balancers which of their groups the hosts are in, where those have to be taken out of them; Ctrl-C ends it.
    pub(crate) async fn ask_load_balancers(&mut self, look: &mut Look) -> Result<(), CliError> {
        let by_host = self.by_host();
        let is_asked = |host: &&Host| by_host.of(host).drain.method == Some(DrainMethod::LoadBalancer);
        let hosts: Vec<Host> = self.hosts.iter().filter(is_asked).cloned().collect();
        if hosts.is_empty() {
            return Ok(());
        }
        let asked: Vec<&Host> = hosts.iter().collect();
        let region = by_host.of(&hosts[0]).inventory.from.aws_region.clone();
        let ask = async { Aws::new(region.as_deref()).await?.groups_of(&asked).await };
        let found =
            self.unless_interrupted(ask).await?.map_err(|error| self.give_up(CliError::from(error)))?;
        for (host, memberships) in hosts.iter().zip(found) {
            if let Some(facts) = look.facts.get_mut(&host.name) {
                facts.memberships = memberships;
            }
        }
        Ok(())
    }

    /// What puts back what is pending; `None` where nothing is.
    pub(crate) fn plan_recover(&self, look: &Look) -> Result<Option<Plan>, Vec<Refusal>> {
        let plan = |settings: &Settings, seen: &[SeenHost<'_>]| plan_recover(settings, &self.context, seen);
        let mut seen = self.seen(look);
        seen.retain(|seen| !self.only_asked.contains(&seen.host.name));
        plan_for_each_app(self.by_host(), &self.context, &seen, plan)
    }

    /// Carries out a plan before the one that was asked for.
    pub(crate) async fn carry_out_first(&mut self, plan: &Plan) -> Result<Verdict, CliError> {
        let outcome = self.execute(plan, Inputs::default()).await?;
        let verdict = outcome.verdict;
        // Its locks are let go; the connections may be warm.
        self.fleet.close(BYE_PATIENCE).await;
        self.run_ended(outcome);
        if verdict != Verdict::Done {
            self.tell_end();
        }
        if verdict == Verdict::Interrupted {
            return Err(CliError::verdict(verdict, "interrupted: the rest wasn't started"));
        }
        Ok(verdict)
    }

    /// What follows is a run of its own.
    pub(crate) fn begin_again(&mut self) {
        let skipped = std::mem::take(&mut self.context.skipped);
        self.context = RunContext { skipped, ..new_run() };
        self.began = Instant::now();
        self.run_started();
        if !self.context.skipped.is_empty() {
            self.event(Event::HostsSkipped { skipped: self.context.skipped.clone() });
        }
    }

    /// What a run has changed that ends before it has changed anything.
    pub(crate) fn untouched(&self) -> &'static str {
        if self.has_recovered {
            "nothing was touched but the switch that was pending"
        } else {
            "nothing was touched"
        }
    }

    /// Stops unless all who have a say in what is deployed have nothing against a release. Nobody's answer counts as a no.
    pub(crate) async fn require_checks(&mut self, release: &Release) -> Result<(), CliError> {
        let root = self.root();
        let notify: Vec<Notify> =
            self.settings.notify.iter().filter(|notify| notify.to.has_a_say()).cloned().collect();
        for notify in notify {
            let name = notify.to.name();
            let mut notifier = Notifier::new(notify, &root);
            if let Err(why) = self.unless_interrupted(notifier.check(release)).await? {
                let error = CliError::verdict(
                    Verdict::Refused,
                    format!("{name} is against {release}: {why}\n  {}", self.untouched()),
                );
                return Err(self.give_up(error.hint("`require_checks` asks for it, below `[[notify]]`")));
            }
        }
        Ok(())
    }

    /// Where the project's configuration lies in its checkout, if it does.
    pub(crate) fn configuration_in(&self, repository: &Repository) -> Option<String> {
        repository.path_of(&self.project.path)
    }

    /// From here on the release's own file decides what belongs to the release. Gives back which file is used for what, where
    /// they differ; and whether the hosts have to be looked at again, with other questions.
    pub(crate) fn use_release_file(
        &mut self,
        facts: &CheckoutFacts,
    ) -> Result<(Vec<String>, bool), Diagnostics> {
        let Some(ReleaseFile { path, text }) = &facts.release_file else { return Ok((Vec::new(), false)) };
        let release = facts.release.to_string();
        let config = &self.project.config;
        let read = |config: &ConfigFile, now: &Settings| -> Result<(Settings, Vec<String>), Diagnostics> {
            let read = config.settings_of_release(&now.environment, path, &release, text.as_deref())?;
            let ReleaseSettings { settings, notes } = read;
            // What was typed stands above both files.
            Ok((Settings { rules: self.settings.rules.clone(), ..settings }, notes))
        };
        let (settings, mut notes) = read(config, &self.settings)?;
        let mut apps = self.apps.clone();
        let mut of_apps: Vec<(AppName, Vec<String>)> = Vec::new();
        for app in &mut apps {
            let own = config.of_app(&app.name).expect("it was one of them when the run began");
            let (settings, notes) = read(&own, &app.settings)?;
            app.settings = settings;
            of_apps.push((app.name.clone(), notes));
        }
        if !of_apps.is_empty() {
            // What all have in common is no app's.
            let is_of_all = |note: &String| of_apps.iter().all(|(_, notes)| notes.contains(note));
            notes = of_apps[0].1.iter().filter(|note| is_of_all(note)).cloned().collect();
            for (name, own) in &of_apps {
                let own = own.iter().filter(|note| !is_of_all(note));
                notes.extend(own.map(|note| format!("{name}: {note}")));
            }
        }
        let looks_again = settings != self.settings || apps != self.apps;
        (self.settings, self.apps) = (settings, apps);
        Ok((notes, looks_again))
    }

    /// What a release's own file means together with the working tree's for one app, or for the only one, if the checkout has both and
    /// they go together.
    pub(crate) async fn settings_of(
        &self,
        repository: &Repository,
        release: &Release,
        app: Option<&AppName>,
    ) -> Option<Settings> {
        let path = self.configuration_in(repository)?;
        let text = repository.file_in(&release.commit, &path).await?;
        let (environment, name) = (&self.settings.environment, release.to_string());
        let own = app.and_then(|app| self.project.config.of_app(app));
        let config = own.as_ref().unwrap_or(&self.project.config);
        let read = config.settings_of_release(environment, &path, &name, Some(&text));
        read.ok().map(|ReleaseSettings { settings, notes: _ }| settings)
    }

    /// Looks at all hosts over connections of their own: a runner takes only one look.
    pub(crate) async fn look_again(&mut self, scope: Scope) -> Result<Look, CliError> {
        self.let_go().await;
        self.look(scope).await
    }

    /// Lets the runners end.
    pub(crate) async fn let_go(&mut self) {
        self.fleet.close(BYE_PATIENCE).await;
    }

    /// Shows a plan before it is carried out, or instead.
    pub(crate) fn show(&mut self, plan: &Plan, dry_run: bool) {
        let detail = match (dry_run, self.global.verbose) {
            (false, _) => Detail::Changes,
            (true, 0) => Detail::Steps,
            (true, _) => Detail::Shell,
        };
        self.events.reporter.say(&format!("{} · {} · {}", plan.unit, plan.environment, plan.headline()));
        self.events.reporter.plan(plan, detail, dry_run);
    }

    /// The hosts that couldn't be reached, in the order of the configuration; after them one that has left it.
    pub(crate) fn unreachable<'l>(
        &'l self,
        look: &'l Look,
    ) -> impl Iterator<Item = (&'l HostName, &'l ConnectError)> {
        let configured = self.hosts.iter();
        let known = configured.filter_map(|host| look.unreachable.get_key_value(&host.name));
        let is_known = |name: &HostName| self.hosts.iter().any(|host| host.name == *name);
        known.chain(look.unreachable.iter().filter(move |(name, _)| !is_known(name)))
    }

    /// The hosts with what was seen on them.
    pub(crate) fn seen<'l>(&'l self, look: &'l Look) -> Vec<SeenHost<'l>> {
        let seen = |host: &'l Host| Some(SeenHost { host, facts: look.facts.get(&host.name)? });
        self.hosts.iter().filter_map(seen).collect()
    }

    /// The same of one of several apps, or of all hosts where there is one.
    pub(crate) fn seen_of<'l>(&'l self, look: &'l Look, app: Option<&AppName>) -> Vec<SeenHost<'l>> {
        let is_its = |seen: &SeenHost<'_>| app.is_none() || seen.host.app.as_ref() == app;
        self.seen(look).into_iter().filter(is_its).collect()
    }

    /// Tells why there is no plan.
    pub(crate) fn refuse(&mut self, refusals: &[Refusal], look: &Look) -> CliError {
        let verdict = verdict_of(refusals);
        let reasons = refusals
            .iter()
            .map(|refusal| Reason { message: refusal.to_string(), hint: refusal.hint() })
            .collect();
        self.event(Event::Refused { reasons });
        self.end_early(verdict, verdict.exit_code(), look);
        let (mut lines, hints) = show_refusals(refusals);
        lines.push(self.untouched().to_owned());
        let stop = CliError::verdict(verdict, lines.join("\n  "));
        if hints.is_empty() { stop } else { stop.hint(hints.join("\n        ")) }
    }

    /// Tells that the run ends before it has changed anything, for a reason that isn't the planner's.
    pub(crate) fn give_up(&mut self, error: CliError) -> CliError {
        let verdict = match error.code() {
            // A person who stops it knows why.
            ExitCode::Interrupted => Verdict::Interrupted,
            _ => {
                let reason = Reason { message: error.message().to_owned(), hint: error.hinted().cloned() };
                self.event(Event::Refused { reasons: vec![reason] });
                Verdict::Refused
            }
        };
        self.end_early(verdict, error.code(), &Look::default());
        error
    }

    fn interrupted(&mut self) -> CliError {
        self.give_up(CliError::verdict(Verdict::Interrupted, format!("interrupted: {}", self.untouched())))
    }

    /// Tells the end of a run that carries out no plan, beside what the look has seen.
    pub(crate) fn end_early(&mut self, verdict: Verdict, code: ExitCode, look: &Look) {
        let hosts = self.hosts.iter().map(|host| HostOutcome {
            host: host.name.clone(),
            serving: look.facts.get(&host.name).map_or(Serving::Unknown, |facts| {
                let known_by = self.by_host().of(host).serving_known_by(host);
                Serving::of(facts.live(), known_by, facts.trouble_in_words())
            }),
        });
        let outcome =
            Outcome { verdict, hosts: hosts.collect(), failures: Vec::new(), out_of_traffic: Vec::new() };
        self.run_ended_with(outcome, code);
    }

    /// Ends a run whose plan has nothing to do on any host, and says why that is.
    pub(crate) fn nothing_to_do(&mut self, plan: &Plan, look: &Look) -> ExitCode {
        for Note { host, text } in &plan.notes {
            self.say(&host.as_ref().map_or_else(|| text.clone(), |host| format!("{host}: {text}")));
        }
        self.say("nothing to do on any host");
        self.end_early(Verdict::Done, ExitCode::Done, look);
        ExitCode::Done
    }

    fn run_ended(&mut self, outcome: Outcome) {
        let code = outcome.verdict.exit_code();
        self.run_ended_with(outcome, code);
    }

    fn run_ended_with(&mut self, outcome: Outcome, code: ExitCode) {
        let exit_code = code.number();
        let milliseconds = self.began.elapsed().as_millis() as u64;
        self.event(Event::RunEnded { outcome, exit_code, milliseconds });
    }

    /// Carries out a plan, tells the end, and gives back the exit code.
    pub(crate) async fn carry_out(self, plan: &Plan) -> Result<ExitCode, CliError> {
        self.carry_out_with(plan, Inputs::default()).await
    }

    /// The same, for a plan whose steps take inputs; its hosts have to be looked at before.
    pub(crate) async fn carry_out_with(mut self, plan: &Plan, inputs: Inputs) -> Result<ExitCode, CliError> {
        let verdict = self.carry_out_to_its_end(plan, inputs).await?;
        self.tell_end();
        Ok(verdict.exit_code())
    }

    /// Carries out a plan that a person ends, who knows why it ended then.
    pub(crate) async fn carry_out_until_interrupted(mut self, plan: &Plan) -> Result<ExitCode, CliError> {
        let verdict = self.carry_out_to_its_end(plan, Inputs::default()).await?;
        if verdict != Verdict::Interrupted {
            self.tell_end();
        }
        Ok(verdict.exit_code())
    }

    async fn carry_out_to_its_end(&mut self, plan: &Plan, inputs: Inputs) -> Result<Verdict, CliError> {
        let outcome = self.execute(plan, inputs).await?;
        let verdict = outcome.verdict;
        // A lock must be free when this program has ended.
        let patience = if verdict == Verdict::Interrupted { Duration::from_secs(1) } else { BYE_PATIENCE };
        tokio::select! {
            () = self.fleet.close(patience) => {}
            // Whoever doesn't want to wait for that leaves it to the runners, which were told.
            Some(()) = self.interrupts.recv() => {}
        }
        self.run_ended(outcome);
        Ok(verdict)
    }

    async fn execute(&mut self, plan: &Plan, mut inputs: Inputs) -> Result<Outcome, CliError> {
        debug_assert_eq!(check_plan(plan), [], "the planner made a plan that breaks a rule");
        if self.settings.users.ask_sudo_password && plan.may_use_sudo() {
            inputs.sudo_password = Some(self.sudo_password().await?);
            if !self.fleet.is_connected() {
                self.look_or_stop(Scope::Plan).await?;
            }
        }
        let root = self.root();
        let Session { events, settings, apps, fleet, interrupts, .. } = self;
        let settings = SettingsByHost { whole: settings, apps };
        let mut events = |event: Event| events.tell(event);
        Ok(execute(plan, &inputs, settings, &root, fleet, interrupts, &mut events).await)
    }

    fn tell_end(&mut self) {
        let environment_command = self.environment_command();
        self.events.tell_end(&self.retry_command, &environment_command);
    }

    /// How a command for this environment begins.
    pub(crate) fn environment_command(&self) -> String {
        let mut words = vec!["buedafab".to_owned()];
        if let Some(config) = &self.global.config {
            words.extend(["--config".to_owned(), config.display().to_string()]);
        }
        words.push(self.settings.environment.to_string());
        if !self.global.apps.is_empty() {
            words.extend(["--app".to_owned(), self.global.apps.join(",")]);
        }
        quote_words(words)
    }
}

/// The hosts that were chosen, of the app or of several. Whoever names hosts means those of all apps together.
fn chosen_of(settings: &Settings, apps: &[AppInEnvironment], cli: &Cli) -> Result<Vec<Host>, CliError> {
    let of_apps: Vec<Host> = apps.iter().flat_map(|app| app.settings.hosts.iter().cloned()).collect();
    let all =
        if apps.is_empty() { settings.clone() } else { Settings { hosts: of_apps, ..settings.clone() } };
    Ok(choose_hosts(&all, &cli.global)?.into_iter().cloned().collect())
}

/// Waits until a person wants this program to end.
pub(crate) async fn interrupted() {
    watch_interrupts().recv().await;
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
