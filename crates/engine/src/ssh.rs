//! The user's own OpenSSH as a way to a host: their configuration, agent, jump hosts, keys and certificates apply.
//!
//! Connections are shared and kept warm. The sockets lie in a folder that only the user can enter.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use buedafab_model::host::Host;

use crate::connection::Launch;

/// What decides how OpenSSH is called.
#[derive(Debug, Clone)]
pub(crate) struct SshOptions {
    /// For how long an idle connection is kept, in seconds; 0 keeps none.
    pub keep_warm_seconds: u32,
    /// How long a connection may take to stand, in seconds.
    pub connect_timeout_seconds: u32,
    /// Whether the agent is lent. Decided by the shared connection, so it is part of that connection's name.
    pub forward_agent: bool,
    /// The user's private folder; `None` if there is none, and nothing is shared.
    pub private_folder: Option<PathBuf>,
}

/// The folder for sockets and logs: `$XDG_RUNTIME_DIR/buedafab`, or `/tmp/buedafab-UID` if it is the user's alone.
pub(crate) fn private_folder() -> Option<PathBuf> {
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

/// The socket of the shared connection to a host. A Unix socket's path has 108 bytes at most, and OpenSSH adds some
/// while it makes it.
pub(crate) fn control_path(host: &Host, options: &SshOptions) -> Option<PathBuf> {
    if options.keep_warm_seconds == 0 {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    (&host.address, &host.user, &host.port, options.forward_agent).hash(&mut hasher);
    if options.forward_agent {
        std::env::var_os("SSH_AUTH_SOCK").hash(&mut hasher);
    }
    let path = options.private_folder.as_ref()?.join(format!("{:016x}", hasher.finish()));
    (path.as_os_str().len() <= 85).then_some(path)
}

/// The words of a call of `ssh`.
pub(crate) fn launch(
    host: &Host,
    options: &SshOptions,
    control: Option<&Path>,
    log: Option<PathBuf>,
    command: &str,
) -> Launch {
    let mut words: Vec<String> = vec!["ssh".into(), "-T".into()];
    let mut option = |text: String| words.extend(["-o".to_owned(), text]);
    option("BatchMode=yes".into());
    option("ClearAllForwardings=yes".into());
    option("ForwardX11=no".into());
    option("RemoteCommand=none".into());
    option("PermitLocalCommand=no".into());
    option(format!("ForwardAgent={}", if options.forward_agent { "yes" } else { "no" }));
    option(format!("ConnectTimeout={}", options.connect_timeout_seconds));
    option("ServerAliveInterval=5".into());
    option("ServerAliveCountMax=3".into());
    match control {
        Some(path) => {
            option("ControlMaster=auto".into());
            option(format!("ControlPersist={}", options.keep_warm_seconds));
            option(format!("ControlPath={}", path.display()));
        }
        None => {
            option("ControlMaster=no".into());
            option("ControlPath=none".into());
        }
    }
    if let Some(log) = &log {
        words.extend(["-E".to_owned(), log.display().to_string()]);
    }
    words.extend(target_words(host));
    words.push(command.to_owned());
    Launch { words, first_input: None, log, may_be_killed: true }
}

/// The words that name the host: port, user, address.
pub(crate) fn target_words(host: &Host) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(port) = host.port {
        words.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = &host.user {
        words.extend(["-l".to_owned(), user.clone()]);
    }
    words.extend(["--".to_owned(), host.address.clone()]);
    words
}

/// Whether OpenSSH failed in a way that passes by itself: too many connections at once, mostly.
pub(crate) fn is_passing(why: &str) -> bool {
    ["kex_exchange_identification", "Connection reset by", "banner exchange", "Connection closed by"]
        .iter()
        .any(|sign| why.contains(sign))
}

/// What a person can do about OpenSSH's words.
pub(crate) fn hint(host: &Host, why: &str) -> Option<String> {
    let command = || format!("ssh -o BatchMode=yes {}", target_words(host).join(" ").replace("-- ", ""));
    Some(if why.contains("Permission denied") {
        format!("load your key with ssh-add, then see whether this works: {}", command())
    } else if why.contains("Host key verification failed") || why.contains("host key is known") {
        format!("compare the host's key with the one it should have, and accept it by hand: {}", command())
    } else if why.contains("Could not resolve hostname") {
        format!("check {:?} in buedafab.toml and in ~/.ssh/config", host.address)
    } else {
        format!("see whether this works: {}", command())
    })
}
