//! The user's own OpenSSH as a way to a host: their configuration, agent, jump hosts, keys and certificates apply.
//!
//! Connections are shared and kept warm. The sockets lie in a folder that only the user can enter.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use buedafab_model::config::Settings;
use buedafab_model::host::Host;

use super::warm::{disconnect, private_folder, resolve, socket_of};
use super::{Effort, Launch, Session, Transport};
use crate::process::program;
use crate::runner::one_command;

/// What decides how OpenSSH is called.
#[derive(Debug, Clone)]
pub(crate) struct SshOptions {
    /// For how long an idle connection is kept, in seconds; 0 keeps none.
    keep_warm_seconds: u32,
    /// How long a connection may take to stand, in seconds.
    connect_timeout_seconds: u32,
    /// Whether the agent is lent. Decided by the shared connection, so it is part of that connection's name.
    forward_agent: bool,
    /// The user's private folder; `None` if there is none, and nothing is shared.
    private_folder: Option<PathBuf>,
}

impl SshOptions {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            keep_warm_seconds: settings.connection.keep_warm_seconds,
            connect_timeout_seconds: settings.connection.connect_timeout_seconds,
            forward_agent: settings.source.forward_agent,
            private_folder: private_folder(),
        }
    }
}

/// `ssh HOST`.
#[derive(Debug)]
pub(crate) struct SshTransport {
    host: Host,
    options: SshOptions,
    /// The socket of the connection that is shared, if one is to be.
    control: Option<PathBuf>,
    /// Options against what the user's configuration says of this host.
    against: Vec<&'static str>,
}

impl SshTransport {
    /// Asks ssh what it makes of the host, which takes a process.
    pub(crate) fn new(host: &Host, options: &SshOptions) -> Self {
        let folder = options.private_folder.as_ref().filter(|_| options.keep_warm_seconds > 0);
        let resolved = resolve(host);
        let control = folder
            .zip(resolved.as_ref())
            .and_then(|(folder, resolved)| socket_of(folder, host, resolved, options.forward_agent));
        let against = against(&resolved.unwrap_or_default());
        Self { host: host.clone(), options: options.clone(), control, against }
    }
}

impl Transport for SshTransport {
    fn launch(&self, command: &str, attempt: &str) -> Launch {
        let options = &self.options;
        let log = options.private_folder.as_ref().map(|folder| folder.join(format!("log-{attempt}")));
        let mut words: Vec<String> = vec!["ssh".into(), "-T".into()];
        let mut option = |text: String| words.extend(["-o".to_owned(), text]);
        option("BatchMode=yes".into());
        option("ClearAllForwardings=yes".into());
        option("ForwardX11=no".into());
        option("RemoteCommand=none".into());
        option("PermitLocalCommand=no".into());
        self.against.iter().for_each(|text| option((*text).to_owned()));
        option(format!("ForwardAgent={}", if options.forward_agent { "yes" } else { "no" }));
        option(format!("ConnectTimeout={}", options.connect_timeout_seconds));
        option("ServerAliveInterval=5".into());
        option("ServerAliveCountMax=3".into());
        match &self.control {
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
        words.extend(target_words(&self.host));
        words.push(command.to_owned());
        let is_shared = self.control.as_ref().is_some_and(|path| path.exists());
        let effort = if is_shared { Effort::Shared } else { Effort::Handshake };
        Launch { words, first_input: None, log, may_be_killed: true, effort }
    }

    fn shared(&self) -> Option<&Path> {
        self.control.as_deref()
    }

    fn interactive(&self, session: &Session) -> Command {
        let (Session::Script(script) | Session::Shell { script, .. }) = session;
        let mut command = program("ssh");
        // A pipe is no terminal: what comes through one stays as it is.
        command.arg(if std::io::stdin().is_terminal() { "-t" } else { "-T" });
        if let Some(path) = &self.control {
            command.args(["-o", &format!("ControlPath={}", path.display())]);
        }
        command.args(self.against.iter().flat_map(|text| ["-o", text]));
        command.args(target_words(&self.host)).arg(one_command(script));
        command
    }

    fn words(&self, why: String) -> String {
        match ChangedKey::read(&why) {
            Some(ChangedKey { kind, now, place, .. }) => {
                format!("its host key has changed: its {kind} key is {now} now, and another one in {place}")
            }
            None => why,
        }
    }

    fn hint(&self, why: &str) -> Option<String> {
        let host = &self.host;
        let command = || format!("ssh -o BatchMode=yes {}", target_words(host).join(" ").replace("-- ", ""));
        if let Some(ChangedKey { name, now, place, .. }) = ChangedKey::read(why) {
            let file = place.rsplit_once(':').map_or(place.as_str(), |(file, _)| file);
            let typed =
                |text: &str| shlex::try_quote(text).map_or_else(|_| text.to_owned(), |t| t.into_owned());
            return Some(format!(
                "somebody may stand in between. If the host was set up anew, and its own console shows {now}, have ssh forget the old \
                 key and accept the new one: ssh-keygen -f {} -R {}; ssh {}",
                typed(file),
                typed(&name),
                target_words(host).join(" ").replace("-- ", "")
            ));
        }
        Some(if why.contains("Permission denied") {
            format!("load your key with ssh-add, then see whether this works: {}", command())
        } else if why.contains("Host key verification failed") || why.contains("host key is known") {
            // In batch mode nothing can be accepted.
            let by_hand = command().replace("-o BatchMode=yes ", "");
            format!("compare the host's key with the one it should have, and accept it by hand: {by_hand}")
        } else if ["account is currently not available", "account is not available"]
            .iter()
            .any(|w| why.contains(w))
        {
            "its login shell lets nobody in: log in as a user with a shell, `deploy_user`, or give this one a shell: chsh -s /bin/sh"
                .to_owned()
        } else if why.contains("Could not resolve hostname") {
            format!("check {:?} in buedafab.toml and in ~/.ssh/config", host.address)
        } else {
            format!("see whether this works: {}", command())
        })
    }

    /// Too many connections at once, mostly.
    fn is_passing(&self, why: &str) -> bool {
        ["kex_exchange_identification", "Connection reset by", "banner exchange", "Connection closed by"]
            .iter()
            .any(|sign| why.contains(sign))
    }

    fn forget_shared(&self) {
        let _ = self.control.as_deref().map(disconnect);
    }
}

/// Options against what ssh would make of a host by its configuration, as `ssh -G` shows it: a session without standard input, or
/// without a command, is none for us, and a banner of the law is no reason why a connection failed. What the user's ssh doesn't
/// know, it doesn't show.
fn against(resolved: &str) -> Vec<&'static str> {
    const AGAINST: [(&str, &str); 5] = [
        ("stdinnull yes", "StdinNull=no"),
        ("sessiontype none", "SessionType=default"),
        ("sessiontype subsystem", "SessionType=default"),
        ("forkafterauthentication yes", "ForkAfterAuthentication=no"),
        // Whoever asked for more is looking for something.
        ("loglevel INFO", "LogLevel=ERROR"),
    ];
    let says = |line: &str| resolved.lines().any(|own| own.trim() == line);
    AGAINST.iter().filter(|(line, _)| says(line)).map(|(_, option)| *option).collect()
}

/// A host key that is another than the one that is known, by the words of OpenSSH.
#[derive(Debug, PartialEq, Eq)]
struct ChangedKey {
    /// The name that it is known by.
    name: String,
    /// `ED25519`.
    kind: String,
    /// The fingerprint of the one that the host has.
    now: String,
    /// The file and the line of the one that is known.
    place: String,
}

impl ChangedKey {
    fn read(why: &str) -> Option<ChangedKey> {
        let line = |begin: &str| why.lines().find_map(|line| line.trim().strip_prefix(begin));
        let name = line("Host key for ")?.split_once(" has changed")?.0.to_owned();
        let (kind, place) = line("Offending ")?.split_once(" key in ")?;
        let now = line("SHA256:")
            .map_or_else(|| "another one".to_owned(), |sum| format!("SHA256:{}", sum.trim_end_matches('.')));
        Some(ChangedKey { name, kind: kind.to_owned(), now, place: place.to_owned() })
    }
}

/// The words that name the host: port, user, address.
pub(super) fn target_words(host: &Host) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use buedafab_model::config;
    use buedafab_model::names::EnvironmentName;

    use super::*;

    /// The way to a host of this name, which no configuration knows.
    fn way_to(name: &str) -> SshTransport {
        let text = format!(
            "unit = \"five\"\nkeep_warm_seconds = 0\n[environments.production]\nhosts = [{name:?}]\n"
        );
        let production = EnvironmentName::new("production").expect("it is a plain word");
        let settings = config::parse("buedafab.toml", &text)
            .and_then(|file| file.settings(&production))
            .expect("it is right");
        SshTransport::new(&settings.hosts[0], &SshOptions::new(&settings))
    }

    #[test]
    fn what_would_leave_no_session_is_answered() {
        let check = |resolved: &str, expected: &[&str]| assert_eq!(against(resolved), expected, "{resolved}");
        check(
            "host web1\nstdinnull no\nsessiontype default\nforkafterauthentication no\nloglevel ERROR\n",
            &[],
        );
        check(
            "stdinnull yes\nforkafterauthentication yes\n",
            &["StdinNull=no", "ForkAfterAuthentication=no"],
        );
        check("sessiontype none\n", &["SessionType=default"]);
        check("sessiontype subsystem\nloglevel INFO\n", &["SessionType=default", "LogLevel=ERROR"]);
        check("loglevel DEBUG3\n", &[]);
        check("", &[]);
    }

    #[test]
    fn a_failure_says_what_happened_and_what_to_type() {
        let changed = "@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@\n\
            IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\n\
            The fingerprint for the ED25519 key sent by the remote host is\nSHA256:abc/def.\n\
            Please contact your system administrator.\nAdd correct host key in /home/ada/.ssh/known_hosts to get rid of this message.\n\
            Offending ED25519 key in /home/ada/.ssh/known_hosts:3\nHost key for [web1]:1222 has changed and you have requested strict checking.\n\
            Host key verification failed.";
        let cases = [
            ("changed", changed),
            (
                "unknown",
                "No ED25519 host key is known for web1 and you have requested strict checking.\nHost key verification failed.",
            ),
            ("no shell", "This account is currently not available."),
            ("no key", "ada@web1: Permission denied (publickey)."),
            ("no name", "ssh: Could not resolve hostname web1: Name or service not known"),
            ("anything", "ssh: connect to host web1 port 22: Connection refused"),
        ];
        let way = way_to("ada@web1:1222");
        let told: Vec<String> = cases
            .iter()
            .map(|(name, why)| {
                format!("{name}: {}\n  {}\n", way.words((*why).to_owned()), way.hint(why).unwrap_or_default())
            })
            .collect();
        insta::assert_snapshot!(told.concat(), @r#"
        changed: its host key has changed: its ED25519 key is SHA256:abc/def now, and another one in /home/ada/.ssh/known_hosts:3
          somebody may stand in between. If the host was set up anew, and its own console shows SHA256:abc/def, have ssh forget the old key and accept the new one: ssh-keygen -f /home/ada/.ssh/known_hosts -R '[web1]:1222'; ssh -p 1222 -l ada web1
        unknown: No ED25519 host key is known for web1 and you have requested strict checking.
        Host key verification failed.
          compare the host's key with the one it should have, and accept it by hand: ssh -p 1222 -l ada web1
        no shell: This account is currently not available.
          its login shell lets nobody in: log in as a user with a shell, `deploy_user`, or give this one a shell: chsh -s /bin/sh
        no key: ada@web1: Permission denied (publickey).
          load your key with ssh-add, then see whether this works: ssh -o BatchMode=yes -p 1222 -l ada web1
        no name: ssh: Could not resolve hostname web1: Name or service not known
          check "web1" in buedafab.toml and in ~/.ssh/config
        anything: ssh: connect to host web1 port 22: Connection refused
          see whether this works: ssh -o BatchMode=yes -p 1222 -l ada web1
        "#);
    }
}
