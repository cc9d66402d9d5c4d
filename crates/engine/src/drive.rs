//! Carries out a plan: does what the state of the run says, tells it what happened, and decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use buedafab_model::config::SettingsByHost;
use buedafab_model::names::HostName;
use buedafab_model::plan::action::Pace;
use buedafab_model::plan::{Ended, Found, HostWork, Phase, PhaseKind, Plan, Step};
use buedafab_model::run::event::{Event, Stream, is_told};
use buedafab_model::run::message::{Command, DeployerEnd, Input, Seen};
use buedafab_model::run::outcome::{FailureKind, Outcome, Verdict};
use buedafab_model::run::state::RunState;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::shell::{render_deployer, render_on_failure, render_phases, render_revert};
use buedafab_model::spans::TraceContext;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::debug;

use crate::connection::{Closed, Reply, Upload};
use crate::connector::Sharing;
use crate::deployer::{DeployerCommand, DeployerReply};
use crate::fleet::{Fleet, News};
use crate::inputs::Inputs;
use crate::otlp::otlp_settings;
use crate::runner::LineBuffer;
use crate::traffic;

/// Carries out `plan`; what is done on the deployer is so in `folder`, the project's. Hosts of `fleet` that aren't connected yet are, with their first phase on board; where there are
/// `inputs` they have to be. Every word on `interrupts` is a person's Ctrl-C: the first stops in order, the second
/// at once.
pub async fn execute(
    plan: &Plan,
    inputs: &Inputs,
    settings: SettingsByHost<'_>,
    folder: &Path,
    fleet: &mut Fleet,
    interrupts: &mut mpsc::Receiver<()>,
    events: &mut (dyn FnMut(Event) + Send),
) -> Outcome {
    events(Event::work_started(plan));
    let (state, commands) = RunState::start(plan);
    // What is wrong with the settings is told when traces are sent.
    let traces = otlp_settings().ok().flatten();
    let mut driver = Driver {
        plan,
        inputs,
        settings,
        folder,
        fleet,
        events,
        state,
        trace: traces.map(|traces| TraceContext::of(&plan.run, &plan.by, traces.parent.as_ref())),
        deployer: None,
        works: BTreeMap::new(),
        looks: JoinSet::new(),
        announced: BTreeSet::new(),
        heard: BTreeMap::new(),
        begun: BTreeSet::new(),
        waiting: BTreeMap::new(),
        cancelled: BTreeSet::new(),
        frames: 0,
        interruptions: 0,
        began: Instant::now(),
    };
    driver.run(commands, interrupts).await
}

/// How often time limits are looked at.
const TICK: Duration = Duration::from_millis(200);
/// A cancelled step is killed on its host after about two seconds; one that isn't gone after this is past help.
const CANCEL_PATIENCE: Duration = Duration::from_secs(20);

/// How long a host may take to write down how a run came to nothing.
const NOTE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a host may take to remove what didn't fit.
const CLEAN_UP_PATIENCE: Duration = Duration::from_secs(60);

/// How long runners may take to say bye, once nothing more is wanted of them.
const BYE_PATIENCE: Duration = Duration::from_secs(5);

struct Driver<'a> {
    plan: &'a Plan,
    inputs: &'a Inputs,
    settings: SettingsByHost<'a>,
    folder: &'a Path,
    fleet: &'a mut Fleet,
    events: &'a mut (dyn FnMut(Event) + Send),
    state: RunState<'a>,
    /// Where the run stands among traces, if it is sent as one.
    trace: Option<TraceContext>,
    deployer: Option<OnDeployer>,
    works: BTreeMap<HostName, Work>,
    looks: JoinSet<(HostName, Option<Seen>)>,
    announced: BTreeSet<PhaseKind>,
    /// When each connected host was last heard of.
    heard: BTreeMap<HostName, Instant>,
    /// Hosts that were sent something: a line to one of them that ends is news, at work or not.
    begun: BTreeSet<HostName>,
    /// Phases that wait for a host to be connected to, as their steps read what is sent ahead of them.
    waiting: BTreeMap<HostName, Vec<usize>>,
    /// Hosts that are to stop what is on its way to them with their connection.
    cancelled: BTreeSet<HostName>,
    frames: u32,
    interruptions: u32,
    began: Instant,
}

/// What the deployer is doing.
struct OnDeployer {
    step: u32,
    began: Instant,
    command: DeployerCommand,
}

/// The next word of what the deployer does; never, where it does nothing.
async fn next_word(deployer: &mut Option<OnDeployer>) -> DeployerReply {
    match deployer {
        Some(running) => running.command.next().await,
        None => std::future::pending().await,
    }
}

/// What a host is doing.
struct Work {
    frame: String,
    step: Option<RunningStep>,
    cancelled: Option<Instant>,
    /// The step that took too long. What it was sent comes to nothing then, whatever follows it on a way back.
    timed_out: Option<u32>,
    /// When nobody waits for it any longer, and it is as good as over.
    until: Option<Instant>,
}

/// A host's list of packages is never longer.
const LONGEST_COMPARED: usize = 1 << 20;

struct RunningStep {
    id: u32,
    began: Instant,
    stdout: LineBuffer,
    stderr: LineBuffer,
    /// Whether people should know what it prints, by streams.
    tells: [bool; 2],
    /// What it has printed, where that is for the run and not for people.
    compared: Option<Vec<u8>>,
}

impl Driver<'_> {
    async fn run(&mut self, commands: Vec<Command>, interrupts: &mut mpsc::Receiver<()>) -> Outcome {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut commands = commands;
        loop {
            for command in std::mem::take(&mut commands) {
                if let Command::End(outcome) = command {
                    return outcome;
                }
                debug!(?command, "the run says");
                // A lock must be free before anybody is told that all is over; and a person is answered meanwhile.
                if command == Command::LetGo {
                    tokio::select! {
                        () = self.fleet.close(BYE_PATIENCE) => {}
                        Some(()) = interrupts.recv() => {
                            let input = self.interrupt();
                            commands.extend(self.state.handle(input));
                        }
                    }
                    continue;
                }
                self.obey(command);
            }
            let inputs = tokio::select! {
                news = self.fleet.next(self.events) => self.understand(news),
                Some(look) = self.looks.join_next() => {
                    let (host, seen) = look.expect("a look doesn't panic");
                    vec![Input::Seen { host, seen }]
                }
                reply = next_word(&mut self.deployer) => self.hear_deployer(reply),
                Some(()) = interrupts.recv() => vec![self.interrupt()],
                _ = tick.tick() => self.watch().await,
            };
            for input in inputs {
                debug!(?input, "the run is told");
                commands.extend(self.state.handle(input));
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Send { host, phases } => self.send(host, &phases),
            Command::Cancel { host } => {
                if let Some(work) = self.works.get_mut(&host) {
                    work.cancelled = Some(Instant::now());
                }
                match self.fleet.connections.get(&host) {
                    Some(connection) => connection.cancel(),
                    // It is being connected to, with its first phase on the way.
                    None => drop(self.cancelled.insert(host)),
                }
            }
            Command::Revert { host } => {
                (self.events)(Event::Reverting { hosts: vec![host.clone()] });
                let frame = self.begin_work(&host);
                if let Some(connection) = self.fleet.connections.get(&host) {
                    connection.send_phase(&frame, render_revert(), Vec::new());
                }
            }
            Command::Note { host, ended } => self.note(host, ended),
            Command::Ask { host } => {
                if let Some(connection) = self.fleet.connections.get(&host) {
                    connection.ask();
                }
            }
            Command::Cut { host, why } => {
                self.tell_lost(&host, &why);
                self.works.remove(&host);
                self.fleet.connections.remove(&host);
            }
            Command::LookAgain { host } => self.look_again(host),
            Command::RunOnDeployer { step, verdict, without } => {
                self.run_on_deployer(step, verdict, &without)
            }
            Command::CancelOnDeployer => {
                if let Some(running) = &self.deployer {
                    running.command.cancel();
                }
            }
            Command::LetGo | Command::End(_) => unreachable!("the loop does so"),
        }
    }

    fn send(&mut self, host: HostName, numbers: &[usize]) {
        let Some(planned) = self.plan.host(&host) else { return };
        let phases: Vec<&Phase> = numbers.iter().map(|phase| &self.plan.phases[*phase]).collect();
        let text = render_phases(self.plan, planned, &phases);
        let is_first = self.begun.insert(host.clone()) || self.waiting.remove(&host).is_some();
        if !self.fleet.connections.contains_key(&host) {
            let mut steps = phases.iter().filter_map(|phase| phase.work_of(&host)).flat_map(HostWork::steps);
            let reads = steps.any(|step| step.action.effects().input.is_some());
            if reads || self.inputs.sudo_password.is_some() {
                // What its steps read goes ahead of them, and there is no way for it yet.
                self.waiting.insert(host, numbers.to_vec());
                self.fleet.open(&planned.host, Sharing::Allowed, String::new());
            } else {
                self.fleet.open(&planned.host, Sharing::Allowed, text);
            }
            return;
        }
        let frame = self.begin_work(&host);
        let connection = &self.fleet.connections[&host];
        if let Some(password) = self.inputs.sudo_password.as_ref().filter(|_| is_first) {
            connection.upload_sudo_password(password.reveal());
        }
        let steps = phases.iter().filter_map(|phase| phase.work_of(&host)).flat_map(HostWork::steps);
        let upload = |step: &Step| {
            Some(Upload { step: step.id, source: self.inputs.of(&step.action.effects().input?) })
        };
        let uploads = steps.filter_map(upload);
        connection.send_phase(&frame, &text, uploads.collect());
    }

    /// What can't be written down soon isn't: the outcome is certain.
    fn note(&mut self, host: HostName, mut ended: Ended) {
        ended.reason = self.inputs.mask(ended.reason);
        ended.stopped.milliseconds = self.began.elapsed().as_millis() as u64;
        let Some(planned) = self.plan.host(&host) else { return };
        let text = render_on_failure(self.plan, planned, &ended);
        let frame = self.begin_work(&host);
        if let Some(work) = self.works.get_mut(&host) {
            let mut steps = self.plan.on_failure.iter().filter(|work| work.host == host);
            let is_slow = steps.any(|work| work.steps().any(|s| s.action.effects().pace == Pace::Slow));
            work.until = Some(Instant::now() + if is_slow { CLEAN_UP_PATIENCE } else { NOTE_PATIENCE });
        }
        if let Some(connection) = self.fleet.connections.get(&host) {
            connection.send_phase(&frame, &text, Vec::new());
        }
    }

    fn run_on_deployer(&mut self, id: u32, verdict: Option<Verdict>, without: &BTreeSet<HostName>) {
        let Some(Found::OnDeployer { phase, step, goes_back }) = self.plan.step(id) else { return };
        if let Some(phase) = phase.filter(|phase| !goes_back && self.announced.insert(phase.kind)) {
            (self.events)(Event::PhaseStarted { phase: phase.kind });
        }
        let action = step.action.without(without);
        let (title, may_ask) = (action.to_string(), action.may_ask());
        (self.events)(Event::DeployerStarted { step: id, title, may_ask });
        let mut variables = self.plan.variables_of(&action);
        if let Some(verdict) = verdict {
            variables.insert("BUEDAFAB_EXIT_CODE".to_owned(), verdict.exit_code().to_string());
        }
        if let Some(trace) = &self.trace {
            variables.insert("TRACEPARENT".to_owned(), trace.traceparent(id));
        }
        let command = traffic::start(&action).unwrap_or_else(|| {
            let script = render_deployer(&action);
            DeployerCommand::start(&script, self.folder, &variables, may_ask, action.limit_seconds())
        });
        self.deployer = Some(OnDeployer { step: id, began: Instant::now(), command });
    }

    fn hear_deployer(&mut self, reply: DeployerReply) -> Vec<Input> {
        let Some(OnDeployer { step, began, .. }) = &self.deployer else { return Vec::new() };
        let (step, milliseconds) = (*step, began.elapsed().as_millis() as u64);
        let (status, how) = match reply {
            DeployerReply::Line(line) => {
                let line = self.inputs.mask(line);
                (self.events)(Event::DeployerOutput { step, line });
                return Vec::new();
            }
            DeployerReply::Ended(0) => (0, DeployerEnd::Done),
            DeployerReply::Ended(status) => (status, DeployerEnd::Failed(FailureKind::Exited { status })),
            DeployerReply::Stopped(status) => (status, DeployerEnd::Stopped),
            DeployerReply::TimedOut { seconds, status } => {
                (status, DeployerEnd::Failed(FailureKind::TimedOut { seconds }))
            }
        };
        self.deployer = None;
        (self.events)(Event::DeployerEnded { step, status, milliseconds });
        vec![Input::DeployerEnded { step, how }]
    }

    fn begin_work(&mut self, host: &HostName) -> String {
        self.frames += 1;
        let frame = format!("p{}", self.frames);
        self.works.insert(host.clone(), Work::on(&frame));
        frame
    }

    fn interrupt(&mut self) -> Input {
        self.interruptions += 1;
        let (then, input) = match self.interruptions {
            1 => ("stopping in order; once more to leave at once", Input::Interrupted),
            _ => ("leaving: hosts that aren't confirmed go back by themselves", Input::Abandoned),
        };
        (self.events)(Event::Interrupted { then: then.to_owned() });
        input
    }

    fn understand(&mut self, news: News) -> Vec<Input> {
        match news {
            News::Opened(host) => {
                let is_cancelled = self.cancelled.remove(&host);
                if let Some(phases) = self.waiting.get(&host).cloned() {
                    self.send(host.clone(), &phases);
                } else {
                    // Its first phase came with it.
                    self.works.entry(host.clone()).or_insert_with(Work::first);
                }
                if let (true, Some(connection)) = (is_cancelled, self.fleet.connections.get(&host)) {
                    connection.cancel();
                    if let Some(work) = self.works.get_mut(&host) {
                        work.cancelled = Some(Instant::now());
                    }
                }
                Vec::new()
            }
            News::Unreachable(host, error) => vec![Input::Unreachable { host, why: error.why }],
            News::Reply(host, reply) => self.hear(host, reply),
        }
    }

    fn hear(&mut self, host: HostName, reply: Reply) -> Vec<Input> {
        if let Reply::Closed(closed) = reply {
            // What is being opened anew isn't what was closed.
            if self.fleet.connections.remove(&host).is_none() {
                return Vec::new();
            }
            let was_at_work = self.works.remove(&host).is_some();
            if !self.begun.contains(&host) {
                return Vec::new();
            }
            // Whether a host that isn't at work was through with its part is the machine's to know.
            let why = match closed {
                Closed::Broken(why) => or_unknown(why),
                Closed::Bye => "its runner ended early".to_owned(),
            };
            if was_at_work {
                self.tell_lost(&host, &why);
            }
            return vec![Input::Lost { host, why }];
        }
        if let Some(heard) = self.heard.get_mut(&host) {
            *heard = Instant::now();
        }
        if let Reply::Answered(serves) = reply {
            if !serves {
                let (title, what) = (String::new(), FailureKind::NotServing);
                (self.events)(Event::StepFailed { host: host.clone(), step: None, title, what });
            }
            return vec![Input::Answered { host, serves }];
        }
        if matches!(reply, Reply::Started(_)) {
            self.works.entry(host.clone()).or_insert_with(Work::first);
        }
        let Some(work) = self.works.get_mut(&host) else { return Vec::new() };
        match reply {
            Reply::Started(step) => {
                work.step = Some(RunningStep {
                    id: step,
                    began: Instant::now(),
                    stdout: LineBuffer::default(),
                    stderr: LineBuffer::default(),
                    tells: [Stream::Stdout, Stream::Stderr].map(|stream| is_told(self.plan, step, stream)),
                    compared: is_compared(self.plan, step).then(Vec::new),
                });
                self.announce(&host, step);
                vec![Input::StepStarted { host, step }]
            }
            Reply::Output(step, stream, bytes) => {
                if let Some(running) = work.step.as_mut().filter(|running| running.id == step) {
                    if let (Some(compared), Stream::Stdout) = (&mut running.compared, stream) {
                        let room = LONGEST_COMPARED.saturating_sub(compared.len());
                        compared.extend(&bytes[..bytes.len().min(room)]);
                        return Vec::new();
                    }
                    let [of_stdout, of_stderr] = running.tells;
                    let (buffer, is_told) = match stream {
                        Stream::Stdout => (&mut running.stdout, of_stdout),
                        Stream::Stderr => (&mut running.stderr, of_stderr),
                    };
                    for line in buffer.feed(&bytes) {
                        let line = self.inputs.mask(line);
                        (self.events)(Event::Output { host: host.clone(), step, stream, line, is_told });
                    }
                }
                Vec::new()
            }
            Reply::Ended(step, status) => self.step_ended(host, step, status),
            Reply::Confirmed => vec![Input::Confirmed { host }],
            Reply::Done(frame, ok) if frame == work.frame => {
                // Whatever a step says that was told to end.
                let ok = ok && work.timed_out.is_none();
                self.works.remove(&host);
                vec![Input::Ended { host, ok }]
            }
            Reply::Unreadable { frame, step, why } if frame == work.frame => {
                self.works.remove(&host);
                self.never_began(host, step, why)
            }
            Reply::Done(..)
            | Reply::Unreadable { .. }
            | Reply::Answered(_)
            | Reply::Beat
            | Reply::Closed(_) => Vec::new(),
        }
    }

    /// Nothing of what the host was to be sent reached it.
    fn never_began(&mut self, host: HostName, step: u32, why: String) -> Vec<Input> {
        let title = self.plan.action(step).map(ToString::to_string).unwrap_or_default();
        let what = FailureKind::Unreadable { why };
        (self.events)(Event::StepFailed { host: host.clone(), step: Some(step), title, what: what.clone() });
        vec![Input::StepFailed { host: host.clone(), step, what }, Input::Ended { host, ok: false }]
    }

    fn step_ended(&mut self, host: HostName, id: u32, status: i32) -> Vec<Input> {
        let Some(work) = self.works.get_mut(&host) else { return Vec::new() };
        let Some(mut running) = work.step.take() else { return Vec::new() };
        let [of_stdout, of_stderr] = running.tells;
        for (stream, is_told, rest) in [
            (Stream::Stdout, of_stdout, running.stdout.finish()),
            (Stream::Stderr, of_stderr, running.stderr.finish()),
        ] {
            if let Some(line) = rest.map(|line| self.inputs.mask(line)) {
                (self.events)(Event::Output { host: host.clone(), step: id, stream, line, is_told });
            }
        }
        // On a way back others follow it.
        let (timed_out, cancelled) = (work.timed_out == Some(id), work.cancelled.is_some());
        let is_stopped = cancelled && work.timed_out.is_none();
        if timed_out {
            work.cancelled = None;
        }
        let Some(action) = self.plan.action(id) else { return Vec::new() };
        if status != 0 && is_stopped {
            (self.events)(Event::StepCancelled { host, step: id });
            return Vec::new();
        }
        // What is done once a run has come to nothing decides nothing.
        let is_note = self.plan.step(id).is_none();
        if !timed_out && (status == 0 || is_note || action.effects().is_optional()) {
            let milliseconds = running.began.elapsed().as_millis() as u64;
            (self.events)(Event::StepEnded { host: host.clone(), step: id, status, milliseconds });
            let compared = running.compared.filter(|_| status == 0).map(|text| {
                let text = String::from_utf8_lossy(&text).into_owned();
                Input::Compared { host: host.clone(), step: id, text }
            });
            return compared.into_iter().chain([Input::StepEnded { host, step: id }]).collect();
        }
        let what = if timed_out {
            FailureKind::TimedOut { seconds: self.settings.whole.limits.step_timeout_seconds }
        } else {
            FailureKind::Exited { status }
        };
        let title = action.to_string();
        (self.events)(Event::StepFailed { host: host.clone(), step: Some(id), title, what: what.clone() });
        vec![Input::StepFailed { host, step: id, what }]
    }

    fn announce(&mut self, host: &HostName, id: u32) {
        if let Some(Found::OnHost { phase, goes_back: false, .. }) = self.plan.step(id)
            && self.announced.insert(phase.kind)
        {
            (self.events)(Event::PhaseStarted { phase: phase.kind });
        }
        let Some(title) = self.plan.action(id).map(ToString::to_string) else { return };
        (self.events)(Event::StepStarted { host: host.clone(), step: id, title });
    }

    /// Time limits: of steps, of cancelled steps, and of silence.
    async fn watch(&mut self) -> Vec<Input> {
        let limit = Duration::from_secs(self.settings.whole.limits.step_timeout_seconds.into());
        let lost_after = self.fleet.connector().lost_after();
        let mut too_long = Vec::new();
        let mut lost = Vec::new();
        let mut given_up = Vec::new();
        // A host that is through with its part so far, and waits for others, is as needed as one that is at work.
        self.heard.retain(|host, _| self.fleet.connections.contains_key(host));
        for host in self.fleet.connections.keys() {
            let silence = self.heard.entry(host.clone()).or_insert_with(Instant::now).elapsed();
            if silence > lost_after {
                lost.push((host.clone(), format!("no sign of life for {} s", silence.as_secs())));
            }
        }
        for (host, work) in &mut self.works {
            if lost.iter().any(|(other, _)| other == host) {
                continue;
            }
            if work.until.is_some_and(|until| until < Instant::now()) {
                given_up.push(host.clone());
                continue;
            }
            if work.cancelled.is_some_and(|since| since.elapsed() > CANCEL_PATIENCE) {
                lost.push((host.clone(), "a step doesn't end, although it was asked to".to_owned()));
            } else if work.cancelled.is_none()
                && work.step.as_ref().is_some_and(|step| step.began.elapsed() > limit)
            {
                work.timed_out = work.step.as_ref().map(|step| step.id);
                work.cancelled = Some(Instant::now());
                too_long.push(host.clone());
            }
        }
        for host in too_long {
            if let Some(connection) = self.fleet.connections.get(&host) {
                connection.cancel();
            }
        }
        let mut inputs = Vec::new();
        for host in given_up {
            self.works.remove(&host);
            inputs.push(Input::Ended { host, ok: false });
        }
        for (host, why) in lost {
            let was_at_work = self.works.remove(&host).is_some();
            self.fleet.connections.remove(&host);
            // One that was sent nothing yet is connected to anew when it is.
            if !self.begun.contains(&host) {
                continue;
            }
            if was_at_work {
                self.tell_lost(&host, &why);
            }
            inputs.push(Input::Lost { host, why });
        }
        inputs
    }

    fn tell_lost(&mut self, host: &HostName, why: &str) {
        let what = FailureKind::Lost { why: why.to_owned() };
        (self.events)(Event::StepFailed { host: host.clone(), step: None, title: String::new(), what });
    }

    /// Asks a lost host what it serves, over a connection of its own, as soon as nothing of this run works there.
    fn look_again(&mut self, host: HostName) {
        let Some(planned) = self.plan.host(&host).map(|planned| planned.host.clone()) else { return };
        (self.events)(Event::LookingAgain { host: host.clone() });
        let (settings, run) = (self.settings.of(&planned).clone(), self.plan.run.clone());
        // A runner that lost us notices within one and a half spans, and then has the old release to restart. One that is there
        // has done what it could.
        let is_there = self.fleet.connections.contains_key(&host);
        let patience = self.fleet.connector().lost_after() * 2 + Duration::from_secs(20);
        self.looks.spawn(async move {
            let deadline = Instant::now() + patience;
            while Instant::now() < deadline {
                let mut fleet = Fleet::new(&settings);
                let mut silently = |_: Event| {};
                let hosts = [&planned];
                let look = fleet.look((&settings).into(), &hosts, Scope::Plan, Sharing::Fresh, &mut silently);
                let Ok(look) = tokio::time::timeout_at(deadline.into(), look).await else { break };
                fleet.close(Duration::from_secs(2)).await;
                if let Some(facts) = look.facts.get(&host) {
                    let holder = facts.lock.as_ref().map(|lock| lock.holder.as_ref());
                    let ours = holder.is_some_and(|holder| holder.is_none_or(|holder| holder.run == run));
                    if is_there || !ours {
                        return (host, Some(Seen::of(facts)));
                    }
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            (host, None)
        });
    }
}

impl Work {
    fn first() -> Self {
        Self::on(crate::fleet::FIRST_FRAME)
    }

    fn on(frame: &str) -> Self {
        Work { frame: frame.to_owned(), step: None, cancelled: None, timed_out: None, until: None }
    }
}

fn or_unknown(why: String) -> String {
    if why.is_empty() { "it ended without a word".to_owned() } else { why }
}

/// Whether what a step prints is compared with what it prints on other hosts.
fn is_compared(plan: &Plan, step: u32) -> bool {
    plan.action(step).is_some_and(|action| action.effects().is_compared)
}
