//! What a run does on the deployer: the plan's local actions, and commands of the configuration.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::run::event::Event;
use buedafab_model::shell::{render_deployer, render_deployer_undo};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// An action on the deployer didn't end well. What those before it made in the checkout has been taken back.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// It failed.
    #[error("{title}: {why}")]
    Failed {
        /// What it was to do.
        title: String,
        /// Its exit status, or why it couldn't be run.
        why: String,
    },
    /// A person asked to stop.
    #[error("interrupted: {title}")]
    Interrupted {
        /// What it was to do.
        title: String,
    },
}

/// The variable that holds the password of sudo, where nobody can type it. It is nobody else's to read.
pub const SUDO_PASSWORD: &str = "BUEDAFAB_SUDO_PASSWORD";

/// How long an interrupted command may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the pipe of a command that has ended may stay silent before nobody listens any more.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Carries out the actions in order, in `folder`. After a failure, or a word on `interrupts`, what has been made is taken
/// back, last first.
pub async fn run_on_deployer(
    actions: &[DeployerAction],
    folder: &Path,
    variables: &BTreeMap<String, String>,
    interrupts: &mut mpsc::Receiver<()>,
    events: &mut (dyn FnMut(Event) + Send),
) -> Result<(), LocalError> {
    for (index, action) in actions.iter().enumerate() {
        let title = action.to_string();
        events(Event::LocalStarted { command: title.clone() });
        let script = render_deployer(action);
        let command = Local { script: &script, folder, variables, keeps_terminal: action.may_ask() };
        let error = match command.run(interrupts, events).await {
            Ok(Ended::Status(status)) if status.success() => continue,
            Ok(Ended::Status(status)) => LocalError::Failed { title, why: describe(status) },
            Ok(Ended::Interrupted) => LocalError::Interrupted { title },
            Err(error) => LocalError::Failed { title, why: error.to_string() },
        };
        for made in actions[..=index].iter().rev().filter_map(render_deployer_undo) {
            let undo =
                Command::new("sh").args(["-c", &made]).current_dir(folder).stdin(Stdio::null()).output();
            // It is taken back as far as that goes; what failed is told.
            let _ = undo.await;
        }
        return Err(error);
    }
    Ok(())
}

/// Runs a command that has the terminal to itself, and gives back its exit status; above 128, what a shell would say of
/// the signal that ended it.
pub fn run_in_terminal(script: &str, folder: &Path, variables: &[(String, String)]) -> std::io::Result<i32> {
    let variables = variables.iter().map(|(name, value)| (name, value));
    let status = std::process::Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .envs(variables)
        .env_remove(SUDO_PASSWORD)
        .status()?;
    Ok(exit_status(status))
}

/// Whether a program can be found, and run.
pub fn has_program(name: &str) -> bool {
    which::which(name).is_ok()
}

fn exit_status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

struct Local<'a> {
    script: &'a str,
    folder: &'a Path,
    variables: &'a BTreeMap<String, String>,
    /// Whether it may ask a person for something, at the terminal.
    keeps_terminal: bool,
}

enum Ended {
    Status(ExitStatus),
    Interrupted,
}

impl Local<'_> {
    async fn run(
        &self,
        interrupts: &mut mpsc::Receiver<()>,
        events: &mut (dyn FnMut(Event) + Send),
    ) -> std::io::Result<Ended> {
        let mut command = Command::new("sh");
        command
            // One pipe for both outputs keeps their lines in order.
            .args(["-c", "exec 2>&1\neval \"$1\"", "sh", self.script])
            .current_dir(self.folder)
            .envs(self.variables)
            .env_remove(SUDO_PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if !self.keeps_terminal {
            // A group of its own can be ended with all that it has started.
            command.process_group(0);
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).split(b'\n');
        let mut tell = |line: Vec<u8>| {
            // What comes from a git server is padded with blanks.
            events(Event::LocalOutput { line: String::from_utf8_lossy(&line).trim_end().to_owned() });
        };
        let mut interrupted = false;
        let mut open = true;
        let status = loop {
            tokio::select! {
                line = lines.next_segment(), if open => match line {
                    Ok(Some(line)) => tell(line),
                    _ => open = false,
                },
                status = child.wait() => break status?,
                Some(()) = interrupts.recv(), if !interrupted => {
                    interrupted = true;
                    self.end(&mut child).await;
                }
            }
        };
        // What it said last; a daemon that it left behind may hold the pipe for ever.
        while let Ok(Ok(Some(line))) = tokio::time::timeout(LAST_WORDS, lines.next_segment()).await {
            tell(line);
        }
        events(Event::LocalEnded { status: exit_status(status) });
        // Ctrl-C at a terminal reaches the command too, and it may be faster.
        interrupted |= status.signal() == Some(Signal::INT.as_raw()) || interrupts.try_recv().is_ok();
        Ok(if interrupted && !status.success() { Ended::Interrupted } else { Ended::Status(status) })
    }

    async fn end(&self, child: &mut Child) {
        let Some(id) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) else { return };
        let send = |signal: Signal| {
            if self.keeps_terminal { kill_process(id, signal) } else { kill_process_group(id, signal) }
        };
        // One that is gone already needs no signal.
        let _ = send(Signal::TERM);
        if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
            let _ = send(Signal::KILL);
        }
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "it ended in no known way".to_owned(),
    }
}
