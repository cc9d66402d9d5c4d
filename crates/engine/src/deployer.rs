//! Commands on the deployer: steps of a plan, and what has the terminal to itself.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::process::{async_program, program};

/// How long a command that is told to end may take to do so by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked whether all of it has ended.
const TICK: Duration = Duration::from_millis(20);

/// How long the pipe of a command that has ended may stay silent before nobody listens any more.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How long anybody listens to it in any case.
const MOST_LAST_WORDS: Duration = Duration::from_secs(2);

/// Runs a script, and ends it with all that it has started where standard input ends before it does: this process is gone then.
const WATCHED: &str = r#"exec 2>&1 3<&0 </dev/null
{ read -r _ <&3; kill -s KILL -- "-$$"; } >/dev/null 2>&1 &
watcher=$!
sh -c "$1" sh 3<&-
status=$?
kill "$watcher" 2>/dev/null
exit $status"#;

/// A command that runs on the deployer. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct DeployerCommand {
    replies: mpsc::Receiver<DeployerReply>,
    cancel: mpsc::Sender<()>,
}

/// What a command on the deployer has to say.
#[derive(Debug)]
pub(crate) enum DeployerReply {
    /// It printed a line.
    Line(String),
    /// It ended, with this exit status; above 128, what a shell would say of the signal that ended it.
    Ended(i32),
    /// It was ended because a person wanted that, or somebody told it to.
    Stopped(i32),
    /// It took longer than it may, and was ended.
    TimedOut {
        /// How long it may take.
        seconds: u32,
        /// What it ended with.
        status: i32,
    },
}

impl DeployerCommand {
    /// Starts a script in `folder`. `keeps_terminal`: it may ask a person for something there. Any other ends with this process, however that
    /// ends: nobody would know what it still does.
    pub(crate) fn start(
        script: &str,
        folder: &Path,
        variables: &BTreeMap<String, String>,
        keeps_terminal: bool,
        limit_seconds: Option<u32>,
    ) -> DeployerCommand {
        let mut command = async_program("sh");
        command
            // One pipe for both outputs keeps their lines in order.
            .args(["-c", if keeps_terminal { "exec 2>&1\neval \"$1\"" } else { WATCHED }, "sh", script])
            .current_dir(folder)
            .envs(variables)
            .stdin(if keeps_terminal { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if !keeps_terminal {
            // A group of its own can be ended with all that it has started.
            command.process_group(0);
        }
        let (to_driver, replies) = mpsc::channel(64);
        let (cancel, cancelled) = mpsc::channel(1);
        tokio::spawn(run(command, keeps_terminal, limit_seconds, cancelled, to_driver));
        DeployerCommand { replies, cancel }
    }

    /// Starts work that is no command. It says lines, and ends with an exit status; told to end, it is dropped.
    pub(crate) fn work<W: Future<Output = i32> + Send + 'static>(
        work: impl FnOnce(mpsc::Sender<DeployerReply>) -> W,
    ) -> DeployerCommand {
        let (to_driver, replies) = mpsc::channel(64);
        let (cancel, mut cancelled) = mpsc::channel(1);
        let work = work(to_driver.clone());
        tokio::spawn(async move {
            let end = tokio::select! {
                status = work => DeployerReply::Ended(status),
                // The sender is gone with the driver: then nobody wants it to go on.
                _ = cancelled.recv() => DeployerReply::Stopped(130),
            };
            // Nobody may listen any more.
            let _ = to_driver.send(end).await;
        });
        DeployerCommand { replies, cancel }
    }

    /// The next thing that it says. Its end is the last.
    pub(crate) async fn next(&mut self) -> DeployerReply {
        // The task that listens to it says its end, whatever happens.
        self.replies.recv().await.unwrap_or(DeployerReply::Stopped(130))
    }

    /// Has it end: politely, and then for good.
    pub(crate) fn cancel(&self) {
        // One word is enough.
        let _ = self.cancel.try_send(());
    }
}

async fn run(
    mut command: Command,
    keeps_terminal: bool,
    limit_seconds: Option<u32>,
    mut cancelled: mpsc::Receiver<()>,
    replies: mpsc::Sender<DeployerReply>,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let _ = replies.send(DeployerReply::Line(format!("can't run sh: {error}"))).await;
            let _ = replies.send(DeployerReply::Ended(127)).await;
            return;
        }
    };
    let stdout = child.stdout.take().expect("it is piped");
    // Closed with this process, if not before.
    let life = child.stdin.take();
    let mut lines = BufReader::new(stdout).split(b'\n');
    // What comes from a git server is padded with blanks.
    let line = |line: Vec<u8>| DeployerReply::Line(String::from_utf8_lossy(&line).trim_end().to_owned());
    let mut stopped = false;
    let mut timed_out = false;
    let mut open = true;
    let began = tokio::time::Instant::now();
    let until = limit_seconds.map(|seconds| began + Duration::from_secs(seconds.into()));
    let status = loop {
        tokio::select! {
            segment = lines.next_segment(), if open => match segment {
                Ok(Some(segment)) => drop(replies.send(line(segment)).await),
                _ => open = false,
            },
            status = child.wait() => break status,
            // The sender is gone with the driver: then nobody wants it to go on.
            _ = cancelled.recv(), if !stopped => {
                stopped = true;
                end(&mut child, keeps_terminal).await;
            }
            () = tokio::time::sleep_until(until.unwrap_or(began)), if until.is_some() && !stopped && !timed_out => {
                timed_out = true;
                end(&mut child, keeps_terminal).await;
            }
        }
    };
    drop(life);
    // What it said last; a daemon that it left behind may hold the pipe for ever, and talk.
    let last_words = async {
        while let Ok(Ok(Some(segment))) = tokio::time::timeout(LAST_WORDS, lines.next_segment()).await {
            let _ = replies.send(line(segment)).await;
        }
    };
    let _ = tokio::time::timeout(MOST_LAST_WORDS, last_words).await;
    let status = status.unwrap_or_else(|_| ExitStatus::from_raw(1 << 8));
    // Ctrl-C at a terminal reaches the command too, and it may be faster.
    stopped |= status.signal() == Some(Signal::INT.as_raw());
    let status = exit_status(status);
    let reply = match limit_seconds {
        Some(seconds) if timed_out => DeployerReply::TimedOut { seconds, status },
        _ if stopped && status != 0 => DeployerReply::Stopped(status),
        _ => DeployerReply::Ended(status),
    };
    let _ = replies.send(reply).await;
}

async fn end(child: &mut Child, keeps_terminal: bool) {
    let Some(id) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) else { return };
    let send = |signal: Signal| {
        if keeps_terminal { kill_process(id, signal) } else { kill_process_group(id, signal) }
    };
    // One that is gone already needs no signal.
    let _ = send(Signal::TERM);
    let all_ended = async {
        let _ = child.wait().await;
        // The shell is gone before what it has started may be.
        while !keeps_terminal && test_kill_process_group(id).is_ok() {
            tokio::time::sleep(TICK).await;
        }
    };
    if tokio::time::timeout(PATIENCE, all_ended).await.is_err() {
        let _ = send(Signal::KILL);
    }
}

/// Runs a command that has the terminal to itself, and gives back its exit status; above 128, what a shell would say of
/// the signal that ended it.
pub fn run_in_terminal(script: &str, folder: &Path, variables: &[(String, String)]) -> std::io::Result<i32> {
    let variables = variables.iter().map(|(name, value)| (name, value));
    let status = program("sh").args(["-c", script]).current_dir(folder).envs(variables).status()?;
    Ok(exit_status(status))
}

/// Whether a program can be found, and run.
pub fn has_program(name: &str) -> bool {
    which::which(name).is_ok()
}

fn exit_status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> DeployerCommand {
        DeployerCommand::start(script, Path::new("/"), &BTreeMap::new(), false, None)
    }

    /// The next line that it prints, or `None` at its end.
    async fn line(command: &mut DeployerCommand) -> Option<String> {
        match command.next().await {
            DeployerReply::Line(line) => Some(line),
            DeployerReply::Ended(_) | DeployerReply::Stopped(_) | DeployerReply::TimedOut { .. } => None,
        }
    }

    /// The shell dies of the first signal, and what it has started takes none.
    #[tokio::test]
    async fn what_a_command_has_started_ends_with_it() {
        let mut command = start("sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & wait");
        let id = line(&mut command).await.expect("it says its number");
        let id = id.parse().ok().and_then(Pid::from_raw).expect("a number");
        command.cancel();
        assert!(matches!(command.next().await, DeployerReply::Stopped(143)));
        // Killed, it is gone as soon as somebody has taken note of it.
        while kill_process(id, Signal::CONT).is_ok() && !is_zombie(id) {
            tokio::task::yield_now().await;
        }
    }

    fn is_zombie(id: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero()));
        stat.is_ok_and(|stat| stat.contains(") Z "))
    }

    #[tokio::test]
    async fn a_daemon_that_goes_on_talking_keeps_nobody() {
        let mut command = start("(for n in $(seq 400); do echo $n; sleep 0.05; done) & echo started");
        while line(&mut command).await.is_some() {}
    }
}
