//! A progress bar per host, for terminals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use buedafab_model::names::HostName;
use buedafab_model::run::event::Event;
use buedafab_model::run::outcome::FailureKind;
use buedafab_model::view::{duration, visible};
use console::{Term, measure_text_width, style, truncate_str};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen;

/// Beyond so many hosts, one bar stands for all: a terminal has only so many lines.
const MOST_BARS: usize = 24;

/// The bars of a run.
#[derive(Debug)]
pub(super) struct Bars {
    verbose: bool,
    all: MultiProgress,
    bars: BTreeMap<HostName, ProgressBar>,
    /// Bars that stand for a host of their own; otherwise one is shared.
    one_each: bool,
    /// What the deployer is doing.
    here: String,
    has_ended: bool,
    /// Whether they are off the screen, for a question or another program.
    is_paused: bool,
    /// What each host is doing, as long as it does.
    steps: Arc<Mutex<Steps>>,
}

type Steps = BTreeMap<HostName, (ProgressBar, Running)>;

/// A step that goes on.
#[derive(Debug)]
struct Running {
    title: String,
    since: Instant,
    /// What it printed last.
    last: String,
}

/// A step that takes longer says for how long, and what it said last.
const LONG: Duration = Duration::from_secs(3);

/// What it says is worth more columns than the rest of a long title.
const MOST_OF_A_TITLE: usize = 24;

impl Running {
    fn told(&self) -> String {
        let elapsed = self.since.elapsed();
        if elapsed < LONG {
            return self.title.clone();
        }
        let seconds = elapsed.as_secs();
        let elapsed = if seconds < 60 {
            format!("{seconds} s")
        } else {
            format!("{} min {} s", seconds / 60, seconds % 60)
        };
        let last = if self.last.is_empty() { String::new() } else { format!(" · {}", self.last) };
        format!("{} · {elapsed}{last}", truncate_str(&self.title, MOST_OF_A_TITLE, "…"))
    }
}

/// Tells every second how long the steps have taken, until nobody asks any more.
fn tell_long_steps(steps: Weak<Mutex<Steps>>) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let Some(steps) = steps.upgrade() else { return };
            for (bar, running) in steps.lock().unwrap_or_else(PoisonError::into_inner).values() {
                if running.since.elapsed() >= LONG {
                    bar.set_message(running.told());
                }
            }
        }
    });
}

impl Bars {
    pub(super) fn new(verbose: bool) -> Self {
        Self {
            verbose,
            all: MultiProgress::with_draw_target(screen::target()),
            bars: BTreeMap::new(),
            one_each: true,
            here: String::new(),
            has_ended: false,
            is_paused: false,
            steps: Arc::default(),
        }
    }

    /// Whether all that steps print is told as they do.
    pub(super) fn tells_all(&self) -> bool {
        self.verbose
    }

    pub(super) fn event(&mut self, event: &Event) {
        self.has_ended |= matches!(event, Event::RunEnded { .. });
        match event {
            Event::RunStarted { hosts, .. } => {
                self.has_ended = false;
                self.start(hosts);
            }
            Event::Connected { host, warm, milliseconds } => {
                let how = if *warm { "connected (warm)" } else { "connected" };
                self.message(host, &format!("{how} in {}", duration(*milliseconds)));
            }
            // Why, and what to do about it, is told at the end.
            Event::Unreachable { host, .. } => {
                self.message(host, "unreachable");
            }
            Event::HostsSkipped { skipped } => {
                for skipped in skipped {
                    self.message(&skipped.host, "left out");
                }
            }
            Event::WorkStarted { steps, .. } => {
                self.resume();
                let total: u32 = steps.iter().map(|(_, count)| count).sum();
                for (host, count) in steps {
                    if let Some(bar) = self.bars.get(host) {
                        bar.set_length(u64::from(if self.one_each { *count } else { total }).max(1));
                    }
                }
            }
            Event::StepStarted { host, title, .. } => {
                self.message(host, title);
                self.begin_step(host, title);
            }
            Event::Output { host, line, is_told: false, .. } if !self.verbose => {
                if let Some((_, running)) = self.steps().get_mut(host) {
                    running.last = visible(line.trim()).into_owned();
                }
            }
            Event::Output { host, line, is_told, .. } if self.verbose || *is_told => {
                self.line(&format!("{} {}", style(format!("{host} │")).dim(), visible(line)));
            }
            Event::StepEnded { host, .. } => {
                self.steps().remove(host);
                if let Some(bar) = self.bars.get(host) {
                    bar.inc(1);
                }
            }
            // Told in full at the end.
            Event::StepFailed { host, title, what, .. } => {
                self.steps().remove(host);
                self.message(host, &format!("✗ {title}: {what}"));
            }
            Event::StepCancelled { host, .. } => {
                self.steps().remove(host);
                self.message(host, "stopped");
            }
            Event::Interrupted { then } => self.line(&format!("{} interrupted: {then}", style("!").yellow())),
            Event::Reverting { hosts } => {
                for host in hosts {
                    self.message(host, "reverting");
                }
            }
            Event::LookingAgain { host } => self.message(host, "asking again what it serves"),
            Event::DeployerStarted { title, may_ask, .. } => {
                self.line(&format!("here: {}", visible(title)));
                self.here.clone_from(title);
                // A person may have to type something: nothing is drawn over it.
                if *may_ask {
                    self.pause();
                }
            }
            Event::DeployerOutput { line, .. } => {
                self.line(&format!("{} {}", style("here │").dim(), visible(line)));
            }
            Event::DeployerEnded { step, status, .. } => {
                if *step != 0 {
                    self.resume();
                }
                // What comes after the ending isn't told by it.
                if *status != 0 && self.has_ended {
                    let what = FailureKind::Exited { status: *status };
                    self.line(&format!("{} here: {}: {what}", style("✗").red(), visible(&self.here)));
                }
            }
            Event::Refused { .. }
            | Event::Output { .. }
            | Event::OutputCut { .. }
            | Event::PhaseStarted { .. } => {}
            Event::RunEnded { .. } => self.clear(),
        }
    }

    /// Takes the bars off the screen until the work starts.
    pub(super) fn pause(&mut self) {
        // If the terminal is gone, nobody minds what is left on it.
        let _ = self.all.clear();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
        self.is_paused = true;
    }

    /// A new target knows nothing of what the one before has drawn: it is only taken where that was wiped away.
    fn resume(&mut self) {
        if std::mem::take(&mut self.is_paused) {
            self.all.set_draw_target(screen::target());
        }
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_step(&self, host: &HostName, title: &str) {
        let Some(bar) = self.bars.get(host).filter(|_| self.one_each) else { return };
        let running =
            Running { title: visible(title).into_owned(), since: Instant::now(), last: String::new() };
        self.steps().insert(host.clone(), (bar.clone(), running));
    }

    /// Takes the bars off the screen.
    pub(super) fn clear(&mut self) {
        self.steps().clear();
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
        self.bars.clear();
        // If the terminal is gone, nobody minds what is left on it.
        let _ = self.all.clear();
    }

    fn start(&mut self, hosts: &[HostName]) {
        self.one_each = hosts.len() <= MOST_BARS;
        let width = hosts.iter().map(|host| measure_text_width(host.as_str())).max().unwrap_or(0);
        tell_long_steps(Arc::downgrade(&self.steps));
        // What is done is worth more columns than how much of it.
        let bar = if Term::stderr().size().1 < 100 { 8 } else { 20 };
        let template =
            format!("{{prefix:{width}}} {{bar:{bar}.cyan/black.bright}} {{pos:>2}}/{{len:<2}} {{wide_msg}}");
        let bar_style =
            ProgressStyle::with_template(&template).expect("the template is fixed").progress_chars("━╸━");
        let new_bar = |name: String| {
            let bar = self.all.add(ProgressBar::new(1).with_style(bar_style.clone()).with_prefix(name));
            bar.set_message("connecting");
            bar
        };
        if self.one_each {
            self.bars = hosts.iter().map(|host| (host.clone(), new_bar(host.to_string()))).collect();
        } else {
            let shared = new_bar(format!("{} hosts", hosts.len()));
            self.bars = hosts.iter().map(|host| (host.clone(), shared.clone())).collect();
        }
    }

    fn message(&self, host: &HostName, text: &str) {
        let text = visible(text);
        if let Some(bar) = self.bars.get(host) {
            if self.one_each {
                bar.set_message(text.into_owned())
            } else {
                bar.set_message(format!("{host}: {text}"))
            }
        }
    }

    pub(super) fn line(&self, text: &str) {
        // Where no bars are drawn, they would swallow it.
        if self.all.is_hidden() {
            super::print_painted(text);
            return;
        }
        // If the terminal is gone, nobody minds.
        let _ = self.all.println(text);
    }
}
