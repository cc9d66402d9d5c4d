//! Connections of OpenSSH that are kept warm: how their sockets are called, and how they are ended.
//!
//! A socket's name has two halves. The first is made of what the configuration says of a host; the second of all that ssh makes of
//! that, so that a connection isn't used for another machine, user or key once an alias says otherwise.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use buedafab_model::host::Host;
use rustix::process::{Pid, test_kill_process};

use super::ssh::target_words;
use crate::process::program;

/// What a connection that is kept warm does once nobody else may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnected {
    /// It is gone.
    Closed,
    /// Something is still under way over it; then it goes.
    InUse,
}

/// ssh asks only a process on this machine, and that answers at once, unless it is stopped.
const ANSWER: Duration = Duration::from_secs(2);

/// How long a process may take to go that has nothing left to do.
const LEAVING: Duration = Duration::from_secs(1);

/// The folder for sockets and logs: `$XDG_RUNTIME_DIR/buedafab`, or `/tmp/buedafab-UID` if it is the user's alone.
pub(super) fn private_folder() -> Option<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    let folder = match runtime {
        Some(runtime) => runtime.join("buedafab"),
        None => PathBuf::from(format!("/tmp/buedafab-{uid}")),
    };
    let _ = std::fs::DirBuilder::new().mode(0o700).create(&folder);
    // Somebody else may have made it first, to listen in.
    let found = std::fs::symlink_metadata(&folder).ok()?;
    (found.is_dir() && found.uid() == uid && found.mode() & 0o077 == 0).then_some(folder)
}

/// What `ssh -G` says of a host now; `None` where ssh can't make anything of it.
pub(super) fn resolve(host: &Host) -> Option<String> {
    let mut resolve = program("ssh");
    resolve.args(["-T", "-G"]).args(target_words(host));
    let resolved = resolve.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    resolved.status.success().then(|| String::from_utf8_lossy(&resolved.stdout).into_owned())
}

/// Where ssh goes for a host: the `HostName` that its configuration has for it, or else its address.
pub(crate) fn host_name(host: &Host) -> Option<String> {
    let resolved = resolve(host)?;
    resolved.lines().find_map(|line| line.strip_prefix("hostname ")).map(str::to_owned)
}

/// The socket of the shared connection to a host, by what ssh makes of it. A Unix socket's path has 108 bytes at most, and OpenSSH
/// adds some while it makes it.
pub(super) fn socket_of(folder: &Path, host: &Host, resolved: &str, forward_agent: bool) -> Option<PathBuf> {
    let mut hasher = DefaultHasher::new();
    (resolved, forward_agent).hash(&mut hasher);
    // What is lent is the agent of whoever opened it.
    if forward_agent {
        std::env::var_os("SSH_AUTH_SOCK").hash(&mut hasher);
    }
    let path = folder.join(format!("{}-{:016x}", first_half(host), hasher.finish()));
    (path.as_os_str().len() <= 85).then_some(path)
}

fn first_half(host: &Host) -> String {
    let mut hasher = DefaultHasher::new();
    (&host.address, &host.user, host.port).hash(&mut hasher);
    format!("{:08x}", hasher.finish() >> 32)
}

/// The sockets of all connections that are kept warm, or of those to one host, whatever its name meant when they were opened.
pub fn warm_connections(host: Option<&Host>) -> Vec<PathBuf> {
    let Some(found) = private_folder().and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return Vec::new();
    };
    let half = host.map(first_half);
    let is_wanted = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        half.as_ref().is_none_or(|half| name.starts_with(half))
    };
    let sockets = found.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()));
    let mut sockets: Vec<PathBuf> = sockets.map(|entry| entry.path()).filter(is_wanted).collect();
    sockets.sort();
    sockets
}

/// Lets nobody use a warm connection any more. What is under way over it goes on, and then it ends.
pub fn disconnect(socket: &Path) -> Disconnected {
    let ask = |what: &str| {
        let mut command = program("ssh");
        // Nothing is connected to: any name will do, and no setting of the user's.
        command.args([
            "-F",
            "none",
            "-T",
            "-O",
            what,
            "-o",
            &format!("ControlPath={}", socket.display()),
            "none",
        ]);
        ask_briefly(command)
    };
    // `Master running (pid=4711)`
    let master = ask("check").and_then(|told| {
        let number = told.split_once("pid=")?.1.split(')').next()?.parse().ok()?;
        Pid::from_raw(number)
    });
    if master.is_some() {
        ask("stop");
    }
    // Where nobody listens, it is only a file.
    let _ = std::fs::remove_file(socket);
    let lives = || master.is_some_and(|master| test_kill_process(master).is_ok() && !is_zombie(master));
    let limit = Instant::now() + LEAVING;
    while lives() && Instant::now() < limit {
        sleep(Duration::from_millis(10));
    }
    if lives() { Disconnected::InUse } else { Disconnected::Closed }
}

/// Whether a process has ended, and only waits for its parent to ask how, which not every parent does.
fn is_zombie(process: Pid) -> bool {
    let stat =
        std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// What a command says on standard error, if it comes to its end.
fn ask_briefly(mut command: Command) -> Option<String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut asked = command.spawn().ok()?;
    let limit = Instant::now() + ANSWER;
    while asked.try_wait().ok()?.is_none() {
        if Instant::now() > limit {
            let _ = asked.kill();
            let _ = asked.wait();
            return None;
        }
        sleep(Duration::from_millis(5));
    }
    let mut told = String::new();
    asked.stderr.take()?.read_to_string(&mut told).ok()?;
    Some(told)
}
