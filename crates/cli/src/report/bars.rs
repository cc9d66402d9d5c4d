//! A progress bar per host, for terminals.

use std::collections::BTreeMap;

use buedafab_model::names::HostName;
use buedafab_model::run::event::Event;
use buedafab_model::run::outcome::FailureKind;
use buedafab_model::view::{duration, visible};
use console::{measure_text_width, style};
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
}

impl Bars {
    pub(super) fn new(verbose: bool) -> Self {
        Self {
            verbose,
            all: MultiProgress::with_draw_target(screen::target()),
            bars: BTreeMap::new(),
            one_each: true,
            here: String::new(),
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { hosts, .. } => self.start(hosts),
            Event::Connected { host, warm, milliseconds } => {
                let how = if *warm { "connected (warm)" } else { "connected" };
                self.message(host, &format!("{how} in {}", duration(*milliseconds)));
            }
            Event::Unreachable { host, why, hint } => {
                let why = why.lines().next_back().unwrap_or_default();
                self.line(&format!("{} {host}: unreachable: {}", style("✗").red(), visible(why)));
                if let Some(hint) = hint {
                    self.line(&format!("  help: {}", visible(hint)));
                }
                self.message(host, "unreachable");
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
            Event::StepStarted { host, title, .. } => self.message(host, title),
            Event::Output { host, line, is_told, .. } if self.verbose || *is_told => {
                self.line(&format!("{} {}", style(format!("{host} │")).dim(), visible(line)));
            }
            Event::StepEnded { host, .. } => {
                if let Some(bar) = self.bars.get(host) {
                    bar.inc(1);
                }
            }
            // Told in full at the end.
            Event::StepFailed { host, title, what, .. } => {
                self.message(host, &format!("✗ {title}: {what}"));
            }
            Event::StepCancelled { host, .. } => self.message(host, "stopped"),
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
                if *status != 0 {
                    let what = FailureKind::Exited { status: *status };
                    self.line(&format!("{} here: {}: {what}", style("✗").red(), visible(&self.here)));
                }
            }
            Event::Refused { .. }
            | Event::Output { .. }
            | Event::OutputCut { .. }
            | Event::PhaseStarted { .. }
            | Event::RunEnded { .. } => {}
        }
    }

    /// Takes the bars off the screen until the work starts.
    pub(super) fn pause(&mut self) {
        // If the terminal is gone, nobody minds what is left on it.
        let _ = self.all.clear();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn resume(&mut self) {
        self.all.set_draw_target(screen::target());
    }

    /// Takes the bars off the screen.
    pub(super) fn clear(&mut self) {
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
        let template =
            format!("{{prefix:{width}}} {{bar:20.cyan/black.bright}} {{pos:>2}}/{{len:<2}} {{wide_msg}}");
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
