//! The runner under every shell that it may meet, with steps that behave badly.

use std::path::Path;
use std::process::Command as Process;

use buedafab_model::app::env_file::Secret;

use super::*;
use crate::runner::{RunnerOptions, bootstrap};
use crate::transport::Effort;

/// A folder for PATH in which `sh` is the shell under test; for BusyBox, all its tools come with it.
fn shims(shell: &str) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    if shell == "busybox" {
        let status =
            Process::new("busybox").args(["--install", "-s"]).arg(folder.path()).status().expect("it runs");
        assert!(status.success());
    } else {
        let found =
            Process::new("sh").args(["-c", &format!("command -v {shell}")]).output().expect("sh runs");
        let path = String::from_utf8(found.stdout).expect("a path");
        std::os::unix::fs::symlink(path.trim(), folder.path().join("sh")).expect("a link");
    }
    folder
}

struct Talk {
    connection: Connection,
    replies: mpsc::Receiver<((), Reply)>,
    _shims: tempfile::TempDir,
}

const LOST_AFTER: u32 = 3;

impl Talk {
    async fn start(shell: &str, first_phase: &str) -> Talk {
        Self::start_under(shell, &[], first_phase).await
    }

    /// `wrapper` is a command that gives a shell, such as a login shell of another kind.
    async fn start_under(shell: &str, wrapper: &[&str], first_phase: &str) -> Talk {
        Self::start_patiently(shell, wrapper, 60, first_phase).await
    }

    async fn start_patiently(
        shell: &str,
        wrapper: &[&str],
        step_timeout_seconds: u32,
        first_phase: &str,
    ) -> Talk {
        let shims = shims(shell);
        let path = format!("{}:{}", shims.path().display(), std::env::var("PATH").expect("a PATH"));
        let greeting = crate::random_word(12);
        let options = RunnerOptions {
            greeting: greeting.clone(),
            lost_after_seconds: LOST_AFTER,
            confirm_timeout_seconds: 60,
            step_timeout_seconds,
        };
        let command = bootstrap(&options, first_phase);
        let mut words = vec!["env".to_owned(), format!("PATH={path}")];
        let first_input = if wrapper.is_empty() {
            words.push("sh".to_owned());
            Some(format!("{command}\n"))
        } else {
            words.extend(wrapper.iter().map(|word| word.to_string()));
            words.push(command);
            None
        };
        let launch =
            Launch { words, first_input, log: None, may_be_killed: false, effort: Effort::Handshake };
        let (sender, replies) = mpsc::channel(64);
        let lost_after = Duration::from_secs(LOST_AFTER.into());
        let limit = Duration::from_secs(20);
        let connection =
            Connection::open(&launch, &greeting, lost_after, limit, (), sender).await.expect("hello");
        Talk { connection, replies, _shims: shims }
    }

    async fn next(&mut self) -> Reply {
        let reply = tokio::time::timeout(Duration::from_secs(60), self.replies.recv());
        reply.await.expect("an answer in time").map_or(Reply::Closed(Closed::Bye), |((), reply)| reply)
    }

    /// All that happens up to the end of a frame: `3 out "text"`, `3 err "text"`, `3 -> status`, `done`.
    async fn frame(&mut self) -> Vec<String> {
        let mut seen: Vec<(u32, Stream, Vec<u8>)> = Vec::new();
        let mut lines = Vec::new();
        loop {
            match self.next().await {
                Reply::Started(_) | Reply::Confirmed | Reply::Answered(true) | Reply::Beat => {}
                Reply::Answered(false) => lines.push("serves something else".to_owned()),
                Reply::Output(step, stream, bytes) => {
                    match seen.iter_mut().find(|(s, t, _)| (*s, *t) == (step, stream)) {
                        Some((.., all)) => all.extend(bytes),
                        None => seen.push((step, stream, bytes)),
                    }
                }
                Reply::Ended(step, status) => {
                    seen.sort_by_key(|(step, stream, _)| (*step, *stream == Stream::Stderr));
                    for (step, stream, bytes) in seen.drain(..) {
                        let stream = if stream == Stream::Stdout { "out" } else { "err" };
                        lines.push(format!("{step} {stream} {:?}", String::from_utf8_lossy(&bytes)));
                    }
                    lines.push(format!("{step} -> {status}"));
                }
                Reply::Done(_, ok) => {
                    lines.push(if ok { "done".to_owned() } else { "failed".to_owned() });
                    return lines;
                }
                Reply::Unreadable { frame, step, why } => {
                    lines.push(format!("{step} of {frame} can't begin: {why}"));
                    return lines;
                }
                Reply::Closed(closed) => {
                    lines.push(format!("{closed:?}"));
                    return lines;
                }
            }
        }
    }

    async fn phase(&mut self, text: &str) -> Vec<String> {
        self.phase_with(text, Vec::new()).await
    }

    async fn phase_with(&mut self, text: &str, uploads: Vec<Upload>) -> Vec<String> {
        self.connection.send_phase("p9", text, uploads);
        self.frame().await
    }
}

const SHELLS: [&str; 5] = ["dash", "bash", "busybox", "zsh", "mksh"];

/// Runs one check under every shell.
macro_rules! under_every_shell {
    ($(#[$doc:meta])* $name:ident, $talk:ident, $first:expr, $body:block) => {
        $(#[$doc])*
        #[tokio::test]
        async fn $name() {
            for shell in SHELLS {
                eprintln!("under {shell}");
                let mut $talk = Talk::start(shell, $first).await;
                $body
            }
        }
    };
}

under_every_shell!(
    /// A step that takes no shell of its own can fail without harm to the runner's.
    what_the_runner_does_itself_leaves_it_as_it_was,
    talk,
    "step 0 qh :",
    {
        assert_eq!(talk.frame().await, ["0 -> 0", "done"]);
        let folder = tempfile::tempdir().expect("a folder");
        let (lock, file) = (folder.path().join("lock"), folder.path().join("file"));
        assert_eq!(talk.phase(&format!("lock 1 {} ada", quote_path(&lock))).await, ["1 -> 0", "done"]);
        let write = |step: u32, file: &Path| {
            let script = format!("{{ echo new >{0}.new && mv -f {0}.new {0}; }} || {{ echo no >&2; false; }}", file.display());
            format!("step {step} qh {}\n", buedafab_model::shell::quote(&script))
        };
        assert_eq!(talk.phase(&write(2, &file)).await, ["2 -> 0", "done"]);
        assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "new\n");
        let lines = talk.phase(&write(3, Path::new("/nowhere/file"))).await;
        assert!(lines[0].starts_with("3 err ") && lines[0].ends_with("no\\n\""), "{lines:?}");
        assert_eq!(lines[1..], ["3 -> 1", "failed"]);
        assert!(!flock_is_free(&lock));
        assert_eq!(talk.phase("step 4 s 'echo again'").await, [r#"4 out "again\n""#, "4 -> 0", "done"]);
        // The line still stands, and so does the queue.
        talk.connection.say_bye();
        while !matches!(talk.next().await, Reply::Closed(_)) {}
        wait_for(|| flock_is_free(&lock)).await;
    }
);

// Below the macro that they use.
mod pending;
mod stopping;
mod trust;

under_every_shell!(
    a_phase_rides_inside_the_command_and_others_follow,
    talk,
    "step 0 s 'echo one; echo two >&2'",
    {
        assert_eq!(talk.frame().await, [r#"0 out "one\n""#, r#"0 err "two\n""#, "0 -> 0", "done"]);
        assert_eq!(talk.phase("step 1 s 'exit 3'\nstep 2 s 'echo no'").await, ["1 -> 3", "failed"]);
        assert_eq!(talk.phase("step 3 so 'exit 4'\nstep 4 s true").await, ["3 -> 4", "4 -> 0", "done"]);
    }
);

under_every_shell!(steps_that_behave_badly, talk, "step 0 s :", {
    assert_eq!(talk.frame().await, ["0 -> 0", "done"]);
    // Reads standard input; prints no final newline; prints bytes that are no UTF-8; dies by a signal.
    assert_eq!(talk.phase("step 1 s 'cat; printf end'").await, [r#"1 out "end""#, "1 -> 0", "done"]);
    assert_eq!(talk.phase(r"step 2 s 'printf \\377'").await, [r#"2 out "�""#, "2 -> 0", "done"]);
    assert_eq!(talk.phase("step 3 s 'kill -9 $$'").await, ["3 -> 137", "failed"]);
    // Leaves a daemon behind that holds both outputs, and would live for longer than the test waits.
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = quote_path(&folder.path().join("daemon"));
    assert_eq!(
        talk.phase(&format!("step 4 s \"sleep 300 & echo \\$! >{daemon}; echo started\"")).await,
        [r#"4 out "started\n""#, "4 -> 0", "done"]
    );
    assert_eq!(talk.phase("step 5 s 'echo next'").await, [r#"5 out "next\n""#, "5 -> 0", "done"]);
    assert_eq!(talk.phase(&kill_recorded(6, &daemon)).await, ["6 -> 0", "done"]);
    // Syntax that no shell takes.
    assert_eq!(talk.phase("step 7 s 'if then'").await.last().map(String::as_str), Some("failed"));
    assert_eq!(talk.phase("step 8 s :").await, ["8 -> 0", "done"]);
});

under_every_shell!(binary_input_arrives_byte_for_byte, talk, "step 0 s :", {
    talk.frame().await;
    let bytes: Vec<u8> = (0..700_000u32).map(|at| (at * 7 % 256) as u8).collect();
    let (sent, came) = (tempfile::NamedTempFile::new(), tempfile::NamedTempFile::new());
    let (sent, came) = (sent.expect("a file"), came.expect("a file"));
    std::fs::write(sent.path(), &bytes).expect("it is ours");
    let sources = [
        (Source::Bytes(Secret::new(bytes.clone())), &bytes[..]),
        (Source::File(sent.path().to_owned()), &bytes[..]),
        (Source::Bytes(Secret::new("")), &[]),
    ];
    for (step, (source, expected)) in (1..).zip(sources) {
        let text = format!("step {step} si 'cat >{}'", came.path().display());
        let said = talk.phase_with(&text, vec![Upload { step, source }]).await;
        assert_eq!(said, [format!("{step} -> 0"), "done".to_owned()]);
        assert!(std::fs::read(came.path()).expect("it is there") == expected);
    }
});

under_every_shell!(a_step_that_is_cancelled_dies_with_all_its_children, talk, "step 0 s :", {
    talk.frame().await;
    let mark = crate::random_word(12);
    let text = format!(
        "step 1 s 'trap \"\" TERM; echo ready; sh -c \"trap : TERM; while :; do sleep 1; done\" {mark}; :'\nstep 2 s 'echo no'"
    );
    talk.connection.send_phase("p1", &text, Vec::new());
    while !matches!(talk.next().await, Reply::Output(1, ..)) {}
    talk.connection.cancel();
    assert_eq!(talk.frame().await, ["1 -> 137", "failed"]);
    assert!(!is_running(&mark), "its group is gone");
    assert_eq!(talk.phase("step 3 s 'echo again'").await, [r#"3 out "again\n""#, "3 -> 0", "done"]);
});

under_every_shell!(the_lock_is_taken_told_and_let_go, talk, "step 0 s :", {
    talk.frame().await;
    let folder = tempfile::tempdir().expect("a folder");
    let lock = folder.path().join("it's a $lock");
    let quoted = quote_path(&lock);
    assert_eq!(talk.phase(&format!("lock 1 {quoted} 'ada'")).await, ["1 -> 0", "done"]);
    let mut other = Talk::start("dash", &format!("lock 1 {quoted} 'bob'")).await;
    assert_eq!(other.frame().await, [r#"1 out "ada\n""#, "1 -> 75", "failed"]);
    // A daemon that is left behind doesn't keep it.
    let daemon = quote_path(&folder.path().join("daemon"));
    talk.phase(&format!("step 2 s \"sleep 300 & echo \\$! >{daemon}\"")).await;
    talk.connection.say_bye();
    while !matches!(talk.next().await, Reply::Closed(_)) {}
    assert_eq!(other.phase(&format!("lock 1 {quoted} 'bob'")).await, ["1 -> 0", "done"]);
    assert_eq!(std::fs::read_to_string(&lock).expect("it is there"), "bob\n");
    assert_eq!(other.phase(&kill_recorded(3, &daemon)).await, ["3 -> 0", "done"]);
});

#[tokio::test]
async fn a_lock_is_closed_to_others_and_nothing_but_a_file() {
    use std::os::unix::fs::PermissionsExt;
    for shell in SHELLS {
        eprintln!("under {shell}");
        for (folder_mode, lock_mode) in [(0o755, 0o600), (0o2775, 0o660)] {
            let folder = tempfile::tempdir().expect("a folder");
            let mode = |mode| std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path(), mode(folder_mode)).expect("it is ours");
            // As an older version left it.
            let lock = folder.path().join("lock");
            std::fs::write(&lock, "").expect("it is written");
            std::fs::set_permissions(&lock, mode(0o644)).expect("it is ours");
            let mut talk = Talk::start(shell, &format!("lock 1 {} ada", quote_path(&lock))).await;
            assert_eq!(talk.frame().await, ["1 -> 0", "done"]);
            assert_eq!(
                std::fs::metadata(&lock).expect("it is there").permissions().mode() & 0o777,
                lock_mode
            );
        }
        let mut talk = Talk::start(shell, "step 0 s :").await;
        talk.frame().await;
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("precious"), "precious").expect("it is written");
        std::os::unix::fs::symlink(path("precious"), path("link")).expect("a link");
        std::fs::create_dir(path("folder")).expect("a folder");
        assert!(Process::new("mkfifo").arg(path("queue")).status().expect("it runs").success());
        for name in ["link", "folder", "queue"] {
            let lines = talk.phase(&format!("lock 1 {} ada", quote_path(&path(name)))).await;
            assert!(lines[0].contains("is no file"), "{lines:?}");
            assert_eq!(lines[1..], ["1 -> 73", "failed"]);
        }
        assert_eq!(std::fs::read_to_string(path("precious")).expect("it is there"), "precious");
    }
}

under_every_shell!(a_step_that_is_asked_for_again_begins_again, talk, "step 0 s :", {
    talk.frame().await;
    let folder = tempfile::tempdir().expect("a folder");
    let lock = quote_path(&folder.path().join("lock"));
    let mut other = Talk::start("dash", &format!("lock 1 {lock} ada")).await;
    assert_eq!(other.frame().await, ["1 -> 0", "done"]);
    let asked = format!("lock 1 {lock} bob");
    for expected in [&[Reply::Started(1), Reply::Ended(1, 75)][..]; 2] {
        talk.connection.send_phase("p1", &asked, Vec::new());
        let mut heard = Vec::new();
        loop {
            match talk.next().await {
                Reply::Done(_, ok) => break assert!(!ok),
                reply @ (Reply::Started(_) | Reply::Ended(..)) => heard.push(reply),
                _ => {}
            }
        }
        assert_eq!(heard, expected);
    }
});

under_every_shell!(a_runner_that_loses_its_deployer_reverts_and_lets_go, talk, "step 0 s :", {
    talk.frame().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (lock, file) = (folder.path().join("lock"), folder.path().join("file"));
    let revert = format!("step 8 s 'echo reverted >>{}'\n", file.display());
    let text = format!(
        "lock 1 {} ada\n{}step 2 s 'echo switched >{}'\n",
        quote_path(&lock),
        arm(folder.path(), &revert),
        file.display()
    );
    assert_eq!(talk.phase(&text).await, ["1 -> 0", "2 -> 0", "done"]);
    // In the middle of a step that would go on for long.
    talk.connection.send_phase("p3", "step 3 s 'sleep 50'\n", Vec::new());
    while talk.next().await != Reply::Started(3) {}
    drop(talk);
    wait_for(|| std::fs::read_to_string(&file).unwrap_or_default() == "switched\nreverted\n").await;
    wait_for(|| flock_is_free(&lock)).await;
});

under_every_shell!(a_runner_that_hears_nothing_reverts_too, talk, "step 0 s :", {
    talk.frame().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (lock, file) = (folder.path().join("lock"), folder.path().join("file"));
    let revert = format!("step 8 s 'echo reverted >>{}'\n", file.display());
    let text = format!(
        "lock 1 {} ada\n{}step 2 s 'echo switched >{}'\n",
        quote_path(&lock),
        arm(folder.path(), &revert),
        file.display()
    );
    assert_eq!(talk.phase(&text).await, ["1 -> 0", "2 -> 0", "done"]);
    // The line is open, and nothing comes: no end of file.
    talk.connection.outbox.fall_silent();
    wait_for(|| std::fs::read_to_string(&file).unwrap_or_default() == "switched\nreverted\n").await;
    wait_for(|| flock_is_free(&lock)).await;
});

under_every_shell!(a_runner_that_is_told_to_end_reverts_first, talk, "step 0 q 'echo $$'", {
    let said = talk.frame().await[0].clone();
    let id: String = said.chars().skip("0 out ".len()).filter(char::is_ascii_digit).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let revert = format!("step 8 s 'echo reverted >>{}'", file.display());
    let text = format!("{}step 2 s 'echo switched >{}'\n", arm(folder.path(), &revert), file.display());
    assert_eq!(talk.phase(&text).await, ["2 -> 0", "done"]);
    // As a host does when it shuts down.
    let killed = Process::new("kill").args(["-TERM", &id]).status().expect("kill runs");
    assert!(killed.success());
    wait_for(|| std::fs::read_to_string(&file).unwrap_or_default() == "switched\nreverted\n").await;
});

under_every_shell!(what_is_confirmed_stays_and_is_finished, talk, "step 0 s :", {
    talk.frame().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let add = |word: &str| format!("echo {word} >>{}", file.display());
    let revert = format!("step 8 s '{}'", add("reverted"));
    let text = format!("{}step 1 s '{}'\n", arm(folder.path(), &revert), add("switched"));
    assert_eq!(talk.phase(&text).await, ["1 -> 0", "done"]);
    let text = format!("confirm\nstep 2 s 'sleep 1'\nstep 3 s '{}'\n", add("finished"));
    talk.connection.send_phase("p2", &text, Vec::new());
    while talk.next().await != Reply::Started(2) {}
    drop(talk);
    wait_for(|| std::fs::read_to_string(&file).unwrap_or_default() == "switched\nfinished\n").await;
});

under_every_shell!(a_frame_that_is_cut_short_never_runs, talk, "step 0 s :", {
    talk.frame().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let half = format!("phase 1000 p1\nstep 1 s 'touch {}'\n", file.display());
    talk.connection.outbox.send_raw(half.into_bytes());
    talk.connection.outbox.hang_up();
    while !matches!(talk.next().await, Reply::Closed(_)) {}
    assert!(!file.exists());
});

#[tokio::test]
async fn login_shells_of_other_kinds_start_it() {
    for (wrapper, noise) in
        [(&["fish", "-c"][..], ""), (&["csh", "-f", "-c"], ""), (&["bash", "-c"], ""), (&["sh", "-c"], "")]
    {
        eprintln!("under {wrapper:?}{noise}");
        let mut talk =
            Talk::start_under("dash", wrapper, "step 0 s 'echo \"it'\\''s\" $((1+1)) \\\\ !'").await;
        assert_eq!(talk.frame().await, [r#"0 out "it's 2 \\ !\n""#, "0 -> 0", "done"]);
    }
}

#[tokio::test]
async fn a_hundred_megabytes_come_through() {
    let mut talk = Talk::start("dash", "step 0 s 'head -c 100000000 /dev/zero | tr \"\\000\" x'").await;
    let mut total = 0;
    loop {
        match talk.next().await {
            Reply::Output(0, _, bytes) => total += bytes.len(),
            Reply::Done(..) => break,
            Reply::Closed(closed) => panic!("{closed:?}"),
            _ => {}
        }
    }
    assert_eq!(total, 100_000_000);
}

#[tokio::test]
async fn a_runner_whose_reader_is_gone_says_so_to_nobody_and_ends() {
    let talk = Talk::start("dash", "step 0 s 'yes'").await;
    let id = talk.connection._child.id().expect("it runs");
    drop(talk);
    wait_for(|| !Path::new(&format!("/proc/{id}")).exists()).await;
}

#[tokio::test]
async fn what_ends_without_hello_says_why() {
    let cases = [
        ("echo no such container >&2; exit 1", "no such container"),
        // A login shell that lets nobody in says so on its standard output, after what a profile says.
        (
            "echo 1; echo 2; echo 3; echo; echo 'This account is currently not available.'; exit 1",
            "2\n3\nThis account is currently not available.",
        ),
        ("echo Welcome; echo no such container >&2; exit 1", "no such container"),
        ("exit 3", "\"sh\" ended with status 3"),
    ];
    for (script, expected) in cases {
        let launch = Launch {
            words: ["sh", "-c", script].map(str::to_owned).to_vec(),
            first_input: Some("exec sh\n".to_owned()),
            log: None,
            may_be_killed: false,
            effort: Effort::Handshake,
        };
        let (sender, _replies) = mpsc::channel(8);
        let second = Duration::from_secs(5);
        let error = Connection::open(&launch, "n", second, second, (), sender).await.expect_err("no hello");
        assert_eq!(error.to_string(), expected);
    }
}

/// A step that ends the process whose id an earlier step wrote down.
fn kill_recorded(step: u32, file: &str) -> String {
    format!("step {step} s \"read -r id <{file} && kill \\$id\"")
}

/// The call that arms a runner whose app's folder is this.
fn arm(folder: &Path, revert: &str) -> String {
    let revert = buedafab_model::shell::quote(revert);
    format!("arm {} '\"run\":\"r1\",\"from\":\"a\",\"to\":\"b\"}}' {revert}\n", quote_path(folder))
}

fn quote_path(path: &Path) -> String {
    buedafab_model::shell::quote(path.to_str().expect("UTF-8"))
}

fn is_running(mark: &str) -> bool {
    Process::new("pgrep").args(["-f", mark]).output().expect("pgrep runs").status.success()
}

fn flock_is_free(lock: &Path) -> bool {
    Process::new("flock").arg("-n").arg(lock).arg("true").status().expect("flock runs").success()
}

/// Waits for a condition, with a limit.
async fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "it didn't come to pass within 20 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
