//! All the hosts of a run at once: their connections, and one stream of what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use buedafab_model::config::{Settings, SettingsByHost};
use buedafab_model::host::Host;
use buedafab_model::host::facts::HostFacts;
use buedafab_model::names::HostName;
use buedafab_model::planner::look_script;
use buedafab_model::run::event::{Event, Stream};
use buedafab_model::shell::inspect::Scope;
use buedafab_model::shell::render_look;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::connection::{Closed, Connection, Reply, keep_tail};
use crate::connector::{ConnectError, Connector, Opened, Sharing};

/// The name of the frame that rides inside the command which starts a runner.
pub(crate) const FIRST_FRAME: &str = "p0";

/// How long a host may stop in the middle of a look, at the least. Opening a connection has limits of its own.
const LOOK_PATIENCE: Duration = Duration::from_secs(30);

/// The same, where the look asks code of the app's that has to start first.
const ASK_PATIENCE: Duration = Duration::from_secs(300);

/// How many times as long a whole look may take: one that says a little from time to time isn't waited for without end.
const LOOK_SPANS: u32 = 4;

/// A look at a host is some thousand bytes long. One that never ends must not fill the deployer's memory.
const MOST_SEEN: usize = 4 << 20;

/// Hosts, and the connections to them.
#[derive(Debug)]
pub struct Fleet {
    connector: Connector,
    pub(crate) connections: BTreeMap<HostName, Connection>,
    /// How many connections were begun to be opened, and which of them was each host's last: what an older one still says is
    /// nobody's business any more.
    begun: u64,
    last_begun: BTreeMap<HostName, u64>,
    sender: mpsc::Sender<(Opening, Reply)>,
    replies: mpsc::Receiver<(Opening, Reply)>,
    opening: JoinSet<(HostName, Result<Opened, ConnectError>)>,
    /// Hosts to which this process has logged in itself.
    logged_in: BTreeSet<HostName>,
    look_patience: Duration,
}

/// A connection: its host, and its number in the order in which connections were opened.
type Opening = (HostName, u64);

/// What one look at all hosts brought.
#[derive(Debug, Default)]
pub struct Look {
    /// What was seen.
    pub facts: BTreeMap<HostName, HostFacts>,
    /// Hosts that couldn't be reached, or made no sense.
    pub unreachable: BTreeMap<HostName, ConnectError>,
}

impl Look {
    /// Nothing more will be seen of a host: what was seen over an older login counts then, and nothing else.
    fn give_up(
        &mut self,
        seen_before: Option<HostFacts>,
        host: HostName,
        error: ConnectError,
        events: &mut (dyn FnMut(Event) + Send),
    ) {
        if let Some(facts) = seen_before {
            self.facts.insert(host, facts);
            return;
        }
        events(Event::Unreachable { host: host.clone(), why: error.why.clone(), hint: None });
        self.unreachable.insert(host, error);
    }
}

/// A look at one host, under way.
struct Looking<'h> {
    host: &'h Host,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// When it was reached.
    from: Option<Instant>,
    /// When it was reached, or last said something.
    silent_from: Option<Instant>,
    /// What was seen over a connection of an older login, and may be another thing by now.
    seen_before: Option<HostFacts>,
}

impl<'h> Looking<'h> {
    fn at(host: &'h Host) -> Self {
        Looking {
            host,
            stdout: Vec::new(),
            stderr: Vec::new(),
            from: None,
            silent_from: None,
            seen_before: None,
        }
    }
}

/// Ends the look at a host, and gives back what was seen there over an older login.
fn take_seen_before(open: &mut BTreeMap<HostName, Looking<'_>>, host: &HostName) -> Option<HostFacts> {
    open.remove(host)?.seen_before
}

/// Something that a fleet has to say.
#[derive(Debug)]
pub(crate) enum News {
    /// A host said something.
    Reply(HostName, Reply),
    /// A connection stands, and was added.
    Opened(HostName),
    /// A host can't be reached.
    Unreachable(HostName, ConnectError),
}

impl Fleet {
    /// A fleet with no connection yet.
    pub fn new(settings: &Settings) -> Self {
        let (sender, replies) = mpsc::channel(256);
        Self {
            connector: Connector::new(settings),
            connections: BTreeMap::new(),
            begun: 0,
            last_begun: BTreeMap::new(),
            sender,
            replies,
            opening: JoinSet::new(),
            logged_in: BTreeSet::new(),
            look_patience: LOOK_PATIENCE,
        }
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Whether there are connections already.
    pub fn is_connected(&self) -> bool {
        !self.connections.is_empty()
    }

    /// Begins to open a connection that starts with this phase.
    pub(crate) fn open(&mut self, host: &Host, sharing: Sharing, first_phase: String) {
        let (connector, host, sender) = (self.connector.clone(), host.clone(), self.sender.clone());
        self.begun += 1;
        self.last_begun.insert(host.name.clone(), self.begun);
        let tag = (host.name.clone(), self.begun);
        self.opening.spawn(async move {
            let opened = connector.open(&host, sharing, &first_phase, tag, sender).await;
            (host.name, opened)
        });
    }

    /// Waits for the next thing to happen, and reports connections that come to stand or don't.
    pub(crate) async fn next(&mut self, events: &mut (dyn FnMut(Event) + Send)) -> News {
        tokio::select! {
            // A connection has to be known before what comes over it.
            biased;
            Some(joined) = self.opening.join_next() => {
                let (host, opened) = joined.expect("opening a connection doesn't panic");
                match opened {
                    Ok(Opened { connection, warm, took }) => {
                        events(Event::Connected { host: host.clone(), warm, milliseconds: took.as_millis() as u64 });
                        self.connections.insert(host.clone(), connection);
                        if !warm {
                            self.logged_in.insert(host.clone());
                        }
                        News::Opened(host)
                    }
                    Err(error) => {
                        let ConnectError { why, hint } = error.clone();
                        events(Event::Unreachable { host: host.clone(), why, hint });
                        News::Unreachable(host, error)
                    }
                }
            }
            Some((host, reply)) = next_reply(&mut self.replies, &self.last_begun) => News::Reply(host, reply),
        }
    }

    /// Looks at all these hosts at once. Their connections stay open for what follows.
    pub async fn look(
        &mut self,
        settings: SettingsByHost<'_>,
        hosts: &[&Host],
        scope: Scope,
        sharing: Sharing,
        events: &mut (dyn FnMut(Event) + Send),
    ) -> Look {
        let script = |host: &Host| look_script(settings.of(host), host, scope);
        self.look_by(settings, hosts, &script, self.look_patience, sharing, events).await
    }

    /// Looks at one host again, by a script that also asks the app's own code, which may take its time to start.
    pub async fn look_and_ask(
        &mut self,
        settings: SettingsByHost<'_>,
        host: &Host,
        script: &str,
        events: &mut (dyn FnMut(Event) + Send),
    ) -> Look {
        let ask = |_: &Host| script.to_owned();
        self.look_by(settings, &[host], &ask, ASK_PATIENCE, Sharing::Allowed, events).await
    }

    async fn look_by(
        &mut self,
        settings: SettingsByHost<'_>,
        hosts: &[&Host],
        script: &(dyn Fn(&Host) -> String + Sync),
        patience: Duration,
        sharing: Sharing,
        events: &mut (dyn FnMut(Event) + Send),
    ) -> Look {
        let mut look = Look::default();
        let mut open: BTreeMap<HostName, Looking<'_>> = BTreeMap::new();
        for host in hosts {
            self.open(host, sharing, render_look(&script(host)));
            open.insert(host.name.clone(), Looking::at(host));
        }
        let patience = self.connector.lost_after().max(patience);
        let failed = |why: String| ConnectError { why, hint: None };
        // What a host says may come before its connection is counted as open: wait for both.
        while !open.is_empty() || !self.opening.is_empty() {
            // Its beats say that a host lives, and not that its look goes on.
            let limits = open.iter().filter_map(|(name, looking)| {
                let whole = looking.from? + patience * LOOK_SPANS;
                Some(((looking.silent_from? + patience).min(whole), name))
            });
            let next_limit = limits.min().map(|(until, name)| (until, name.clone()));
            let news = match next_limit {
                None => self.next(events).await,
                Some((until, host)) => match tokio::time::timeout_at(until, self.next(events)).await {
                    Ok(news) => news,
                    Err(_) => {
                        let said = open.get(&host).is_some_and(|looking| looking.silent_from != looking.from);
                        let why = if said {
                            "it was reached, and its look didn't end"
                        } else {
                            "it was reached, and then said nothing"
                        };
                        let error = failed(format!("{why}: does a file system hang there?"));
                        self.connections.remove(&host);
                        look.give_up(take_seen_before(&mut open, &host), host, error, events);
                        continue;
                    }
                },
            };
            match news {
                News::Opened(host) => {
                    if let Some(looking) = open.get_mut(&host) {
                        looking.from = Some(Instant::now());
                        looking.silent_from = looking.from;
                    }
                }
                News::Unreachable(host, error) => {
                    let seen_before = take_seen_before(&mut open, &host);
                    // That it can't be reached was told.
                    look.give_up(seen_before, host, error, &mut |_| {});
                }
                News::Reply(host, Reply::Output(0, stream, bytes)) => {
                    if let Some(looking) = open.get_mut(&host) {
                        looking.silent_from = Some(Instant::now());
                        match stream {
                            Stream::Stdout => looking.stdout.extend(bytes),
                            Stream::Stderr => keep_tail(&mut looking.stderr, &bytes),
                        }
                        if looking.stdout.len() > MOST_SEEN {
                            let error = failed(format!(
                                "what it says of itself is longer than {} MiB: does something lie in the app's folder that is no record?",
                                MOST_SEEN >> 20
                            ));
                            self.connections.remove(&host);
                            look.give_up(take_seen_before(&mut open, &host), host, error, events);
                        }
                    }
                }
                News::Reply(host, Reply::Done(..)) => {
                    let Some(Looking { host: planned, stdout, stderr, seen_before, .. }) = open.remove(&host)
                    else {
                        continue;
                    };
                    let layout = settings.of(planned).layout(planned);
                    match HostFacts::parse(&stdout, &layout, jiff::Timestamp::now()) {
                        Ok(facts)
                            if seen_before.is_none()
                                && facts.may_be_of_an_old_login()
                                && !self.logged_in.contains(&host)
                                && let Some(connection) = self.connections.get(&host) =>
                        {
                            // When it has ended, a new one is opened: what it says then can't be taken for the old one's.
                            connection.say_bye();
                            let silent_from = Some(Instant::now());
                            let seen_before = Some(facts);
                            let again = Looking {
                                from: silent_from,
                                silent_from,
                                seen_before,
                                ..Looking::at(planned)
                            };
                            open.insert(host, again);
                        }
                        Ok(facts) => drop(look.facts.insert(host, facts)),
                        Err(error) => {
                            let why = format!("{error}\n{}", String::from_utf8_lossy(&stderr));
                            let error = failed(why.trim().to_owned());
                            look.give_up(seen_before, host, error, events);
                        }
                    }
                }
                News::Reply(host, Reply::Closed(_))
                    if open.get(&host).is_some_and(|looking| looking.seen_before.is_some())
                        && self.logged_in.insert(host.clone()) =>
                {
                    self.connections.remove(&host);
                    if let Some(looking) = open.get_mut(&host) {
                        (looking.from, looking.silent_from) = (None, None);
                        self.open(looking.host, Sharing::Fresh, render_look(&script(looking.host)));
                    }
                }
                News::Reply(host, Reply::Closed(closed)) => {
                    self.connections.remove(&host);
                    if let Some(looking) = open.remove(&host) {
                        let error = failed(match closed {
                            Closed::Broken(why) if !why.is_empty() => why,
                            _ => "the connection ended in the middle of the look".to_owned(),
                        });
                        look.give_up(looking.seen_before, host, error, events);
                    }
                }
                News::Reply(..) => {}
            }
        }
        look
    }

    /// Lets all runners end, and with them the locks; waits for that as long as `patience`.
    pub async fn close(&mut self, patience: Duration) {
        for connection in self.connections.values() {
            connection.say_bye();
        }
        let all_closed = async {
            while !self.connections.is_empty() {
                match next_reply(&mut self.replies, &self.last_begun).await {
                    Some((host, Reply::Closed(_))) => drop(self.connections.remove(&host)),
                    Some(_) => {}
                    None => break,
                }
            }
        };
        let _ = tokio::time::timeout(patience, all_closed).await;
        self.connections.clear();
    }
}

/// What comes next over a connection that is its host's last.
async fn next_reply(
    replies: &mut mpsc::Receiver<(Opening, Reply)>,
    last_begun: &BTreeMap<HostName, u64>,
) -> Option<(HostName, Reply)> {
    loop {
        let ((host, number), reply) = replies.recv().await?;
        if last_begun.get(&host) == Some(&number) {
            return Some((host, reply));
        }
    }
}

#[cfg(test)]
mod tests {
    use buedafab_model::config::parse;
    use buedafab_model::names::EnvironmentName;

    use super::*;

    /// A host on which `id` does this instead of what it should.
    async fn look_where_id(script: &str) -> String {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let id = folder.path().join("id");
        std::fs::write(&id, format!("#!/bin/sh\n{script}\n")).expect("it is written");
        std::fs::set_permissions(&id, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").expect("a PATH"));
        let text = format!(
            "unit = \"five\"\nlost_after_seconds = 3\n[environments.production]\n\
             hosts = [{{ name = \"web1\", connect = \"env 'PATH={path}' sh\" }}]\n"
        );
        let production = EnvironmentName::new("production").expect("a word");
        let settings =
            parse("buedafab.toml", &text).and_then(|file| file.settings(&production)).expect("settings");
        let mut fleet = Fleet { look_patience: Duration::from_secs(1), ..Fleet::new(&settings) };
        let hosts: Vec<&Host> = settings.hosts.iter().collect();
        let mut silently = |_: Event| {};
        let look = fleet.look((&settings).into(), &hosts, Scope::Plan, Sharing::Allowed, &mut silently);
        let look = tokio::time::timeout(Duration::from_secs(60), look).await.expect("it has a bound");
        // What hung there was ended, or nobody could ever come in again.
        let mark = id.display().to_string();
        fleet.close(Duration::from_secs(1)).await;
        let deadline = Instant::now() + Duration::from_secs(20);
        let lives = || {
            let found = std::process::Command::new("pgrep").args(["-f", &mark]).output();
            found.expect("pgrep runs").status.success()
        };
        while lives() {
            assert!(Instant::now() < deadline, "what hung still runs");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        look.unreachable.into_values().map(|error| error.why).collect()
    }

    #[tokio::test]
    async fn a_look_that_hangs_has_a_bound() {
        let silent = look_where_id("exec 2>&-; while :; do sleep 1; done").await;
        assert_eq!(silent, "it was reached, and then said nothing: does a file system hang there?");
        let chatting = look_where_id("while :; do echo still here >&2; sleep 0.3; done").await;
        assert_eq!(chatting, "it was reached, and its look didn't end: does a file system hang there?");
    }

    #[tokio::test]
    async fn what_an_older_connection_still_says_is_nobodys_business() {
        let text =
            "unit = \"five\"\n[environments.production]\nhosts = [{ name = \"web1\", connect = \"sh\" }]\n";
        let production = EnvironmentName::new("production").expect("a word");
        let settings =
            parse("buedafab.toml", text).and_then(|file| file.settings(&production)).expect("settings");
        let hosts: Vec<&Host> = settings.hosts.iter().collect();
        let mut fleet = Fleet::new(&settings);
        let mut silently = |_: Event| {};
        for _ in 0..10 {
            let look =
                fleet.look((&settings).into(), &hosts, Scope::Plan, Sharing::Allowed, &mut silently).await;
            assert_eq!(look.facts.len(), 1, "{:?}", look.unreachable);
            // It ends in a while, and says so.
            fleet.connections.clear();
        }
        fleet.close(Duration::from_secs(1)).await;
    }
}
