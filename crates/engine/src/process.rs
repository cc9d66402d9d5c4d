//! Processes that this program starts. None of them finds what only this program is meant to know; and what runs for a person's own
//! command ends with it, and in time.

use std::ffi::OsStr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The variable that holds the password of sudo, where nobody can type it. It is nobody else's to read.
pub const SUDO_PASSWORD: &str = "BUEDAFAB_SUDO_PASSWORD";

/// How long what a command has left behind may still use its pipes, and how long it may take to end when it is told to.
const PATIENCE: Duration = Duration::from_millis(200);

/// How often it is asked whether all of it has ended.
const TICK: Duration = Duration::from_millis(20);

/// So many bytes of what a command prints are kept.
const MOST_PRINTED: usize = 16 << 20;

/// A program that is to be started.
pub fn program(name: impl AsRef<OsStr>) -> std::process::Command {
    let mut command = std::process::Command::new(name);
    command.env_remove(SUDO_PASSWORD);
    command
}

/// The same, of which this program waits for nothing.
pub(crate) fn async_program(name: impl AsRef<OsStr>) -> Command {
    program(name).into()
}

/// A command that has ended, with what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// Whether it printed more than is kept.
    pub(crate) is_cut: bool,
}

/// Why a command has come to no end of its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Start(#[from] std::io::Error),
    #[error("it took longer than {} s, and was ended", .0.as_secs_f32())]
    TooLong(Duration),
}

/// Runs a person's command, with this on its standard input, which it may leave unread. It may take so long, and has a process group of
/// its own: Ctrl-C is for this program, and all that it has started ends with it.
pub(crate) async fn run_to_end(
    mut command: Command,
    input: Vec<u8>,
    limit: Duration,
) -> Result<Ended, RunError> {
    let mut child = command
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = Group::of(&child);
    let ended = match timeout(limit, hear(&mut child, &group, input)).await {
        Ok(ended) => ended?,
        Err(_) => {
            group.end().await;
            return Err(RunError::TooLong(limit));
        }
    };
    group.end().await;
    Ok(ended)
}

/// Hears a command to its end. What it has left behind may hold its pipes for ever, and is ended.
async fn hear(child: &mut Child, group: &Group, input: Vec<u8>) -> std::io::Result<Ended> {
    let stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Printed::default(), Printed::default());
    let status = {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // Whoever has read enough closes its end.
                let _ = stdin.write_all(&input).await;
            }
        };
        let heard = async { tokio::join!(out.read(stdout), err.read(stderr), feed) };
        let mut heard = std::pin::pin!(heard);
        tokio::select! {
            _ = &mut heard => child.wait().await?,
            status = child.wait() => {
                if timeout(PATIENCE, &mut heard).await.is_err() {
                    group.end().await;
                    // One that has left the group may still hold them.
                    let _ = timeout(PATIENCE, &mut heard).await;
                }
                status?
            }
        }
    };
    let is_cut = out.is_cut || err.is_cut;
    Ok(Ended { status, stdout: out.bytes, stderr: err.bytes, is_cut })
}

#[derive(Default)]
struct Printed {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Printed {
    /// Reads to the end. What doesn't fit is read all the same, so that nobody waits for a reader.
    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut chunk = vec![0; 16 << 10];
        while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
            let room = MOST_PRINTED - self.bytes.len();
            self.bytes.extend_from_slice(&chunk[..count.min(room)]);
            self.is_cut |= count > room;
        }
    }
}

/// The process group of a command. Dropped, all of it is killed: nobody waits for it any more.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Group {
        Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())))
    }

    /// Ends all of it: politely, and then for good.
    async fn end(&self) {
        let Some(group) = self.0 else { return };
        if kill_process_group(group, Signal::TERM).is_err() {
            return;
        }
        let all_ended = async {
            while test_kill_process_group(group).is_ok() {
                tokio::time::sleep(TICK).await;
            }
        };
        if timeout(PATIENCE, all_ended).await.is_err() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // One that is gone already needs no signal.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rustix::process::test_kill_process;

    use super::*;

    async fn run(script: &str, input: &str, limit: Duration) -> Result<Ended, RunError> {
        let mut command = async_program("sh");
        command.args(["-c", script]);
        run_to_end(command, input.as_bytes().to_vec(), limit).await
    }

    const MINUTE: Duration = Duration::from_secs(60);

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).trim().to_owned()
    }

    /// Waits until a process has ended; one that nobody has asked how it ended has, too.
    async fn wait_for_end(id: &str) {
        let id = id.trim().parse().ok().and_then(Pid::from_raw).expect("a number");
        let is_zombie = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero()));
            stat.is_ok_and(|stat| stat.contains(") Z "))
        };
        let limit = Instant::now() + Duration::from_secs(20);
        while test_kill_process(id).is_ok() && !is_zombie() {
            assert!(Instant::now() < limit, "{id:?} lives");
            tokio::time::sleep(TICK).await;
        }
    }

    #[tokio::test]
    async fn a_command_is_fed_and_heard() {
        let ended = run("cat; echo no >&2; exit 3", "a\nb", MINUTE).await.expect("it runs");
        assert_eq!(
            (text(&ended.stdout), text(&ended.stderr), ended.status.code()),
            ("a\nb".into(), "no".into(), Some(3))
        );
        // One that reads nothing isn't minded.
        let much = "x".repeat(1 << 20);
        let ended = run("exec true", &much, MINUTE).await.expect("it runs");
        assert!(ended.status.success() && !ended.is_cut);
        let ended = run("head -c 20000000 /dev/zero", "", MINUTE).await.expect("it runs");
        assert_eq!((ended.stdout.len(), ended.is_cut), (MOST_PRINTED, true));
        let missing = run_to_end(async_program("/nowhere/op"), Vec::new(), MINUTE).await;
        assert!(matches!(missing, Err(RunError::Start(_))));
    }

    #[tokio::test]
    async fn what_a_command_leaves_behind_ends_with_it_and_keeps_nobody() {
        let began = Instant::now();
        for left_behind in ["sleep 1000", "sh -c 'trap \"\" TERM; while :; do sleep 1; done'"] {
            let ended = run(&format!("{left_behind} & echo $!"), "", MINUTE).await.expect("it runs");
            wait_for_end(&text(&ended.stdout)).await;
        }
        // What it still says is heard: this one prints after the command has ended.
        let ended = run("(sleep 0.05; echo late) & echo early", "", MINUTE).await.expect("it runs");
        assert_eq!(text(&ended.stdout), "early\nlate");
        // One that has made itself a group of its own keeps nobody, either.
        let ended = run("setsid sleep 5 & echo started", "", MINUTE).await.expect("it runs");
        assert_eq!(text(&ended.stdout), "started");
        // Nor one that holds no pipe.
        let ended = run("sleep 1000 >/dev/null 2>&1 & echo $!", "", MINUTE).await.expect("it runs");
        wait_for_end(&text(&ended.stdout)).await;
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn one_that_takes_too_long_or_that_nobody_waits_for_ends_with_all_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let script =
            format!("sleep 1000 & echo $! >{0}/new; mv {0}/new {0}/id; wait", folder.path().display());
        let id = async || {
            let path = folder.path().join("id");
            while !path.exists() {
                tokio::time::sleep(TICK).await;
            }
            let id = std::fs::read_to_string(&path).expect("it is there");
            std::fs::remove_file(&path).expect("it is ours");
            id
        };
        let (ran, of_it) = tokio::join!(run(&script, "", Duration::from_secs(1)), id());
        let error = ran.expect_err("it waits for ever");
        assert_eq!(error.to_string(), "it took longer than 1 s, and was ended");
        wait_for_end(&of_it).await;
        let of_it = tokio::select! {
            _ = run(&script, "", MINUTE) => unreachable!("it waits for ever"),
            of_it = id() => of_it,
        };
        wait_for_end(&of_it).await;
    }

    /// No process begins but by `program`, which knows what none may find.
    #[test]
    fn no_process_begins_another_way() {
        fn check(folder: &std::path::Path) {
            for entry in std::fs::read_dir(folder).expect("it is there").flatten() {
                let path = entry.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if path.is_dir() && name != "tests" {
                    check(&path);
                } else if name.ends_with(".rs") && !["tests.rs", "process.rs"].contains(&name.as_str()) {
                    let text = std::fs::read_to_string(&path).expect("it is there");
                    let own = text.split("#[cfg(test)]").next().unwrap_or_default();
                    assert!(!own.contains("Command::new("), "{} begins a process by itself", path.display());
                }
            }
        }
        let engine = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        check(&engine.join("src"));
    }
}
