//! What the web servers on a host do with requests for the app, by their configuration: where a switch by the link doesn't reach
//! those who ask through them. What isn't understood of it is never held against a host.

mod blocks;
mod caddy;
mod haproxy;
mod nginx;

use std::fmt;

use crate::names::HostPath;

/// A web server, and its configuration as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebServer {
    /// Which one.
    pub software: Software,
    /// Its version, where that matters and is known.
    pub version: Option<[u32; 3]>,
    /// Its files: first the one that it begins with.
    pub files: Vec<ConfigFile>,
    /// Whether these are all.
    pub is_whole: bool,
}

/// A program that passes requests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// <https://nginx.org>
    Nginx,
    /// <https://www.haproxy.org>
    Haproxy,
    /// <https://caddyserver.com>
    Caddy,
}

impl fmt::Display for Software {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Software::Nginx => "nginx",
            Software::Haproxy => "HAProxy",
            Software::Caddy => "Caddy",
        })
    }
}

/// A file of a web server's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where it lies.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// A socket that web servers find by the link, so that a switch takes them to the next release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedSocket {
    /// Where they find it.
    pub path: HostPath,
    /// The folder of releases.
    pub releases: HostPath,
    /// Where it is in a release.
    pub socket: String,
    /// The folder of the sockets that these really are, each named for its release's folder.
    pub really_in: String,
}

/// What keeps visitors from the next release after a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trap {
    /// Connections to the old release are kept, and used, after a switch.
    KeepsConnections {
        /// Who keeps them.
        by: Keeper,
        /// The file that says so.
        file: String,
        /// The socket at the end of the link.
        path: HostPath,
    },
    /// A web server doesn't find the socket, as it sees nothing outside of a folder.
    Confined {
        /// That folder.
        folder: String,
        /// The file that says so.
        file: String,
        /// The socket that it doesn't find.
        path: HostPath,
    },
    /// Requests go to the socket of one release, whatever the link says.
    PassesBy {
        /// Which web server.
        software: Software,
        /// The socket that they go to.
        socket: String,
        /// The file that says so.
        file: String,
        /// The one that they should go to.
        path: HostPath,
    },
    /// Requests for the app go to something else, and no web server leads to the socket.
    LeadsElsewhere {
        /// Which web server.
        software: Software,
        /// What they go to, as it is written there.
        target: String,
        /// The file that says so.
        file: String,
        /// The socket that they should go to.
        path: HostPath,
    },
}

/// What keeps connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// An `upstream` of nginx that says how many are kept.
    NginxUpstream {
        /// Its name.
        name: String,
        /// How many.
        connections: u32,
        /// Whether this nginx keeps some as well where nothing is said.
        also_by_default: bool,
    },
    /// An `upstream` of nginx that says nothing, from 1.29.7 on.
    NginxDefault {
        /// Its name.
        name: String,
    },
    /// A section of HAProxy's.
    Haproxy {
        /// `backend app`, `listen app`.
        section: String,
    },
    /// A `reverse_proxy` of Caddy's.
    Caddy,
}

impl Trap {
    /// What it is, for people.
    pub fn words(&self) -> String {
        match self {
            Trap::KeepsConnections { by, file, path: _ } => match by {
                Keeper::NginxUpstream { name, connections, also_by_default: _ } => format!(
                    "nginx keeps connections to the old release after a switch: upstream {name} has `keepalive {connections}` ({file})"
                ),
                Keeper::NginxDefault { name } => format!(
                    "nginx keeps connections to the old release after a switch, as it does since 1.29.7: upstream {name} has no `keepalive 0` ({file})"
                ),
                Keeper::Haproxy { section } => format!(
                    "HAProxy keeps connections to the old release after a switch: {section} has no `option http-server-close` ({file})"
                ),
                Keeper::Caddy => format!(
                    "Caddy keeps connections to the old release after a switch: `reverse_proxy` has no `keepalive off` ({file})"
                ),
            },
            Trap::Confined { folder, file, path } => {
                format!(
                    "HAProxy can't find {path}, as it sees only what is in {folder}: it answers 503 ({file})"
                )
            }
            Trap::PassesBy { software, socket, file, path: _ } => {
                format!(
                    "{software} sends requests to {socket}, which is the socket of one release: a switch changes nothing for visitors ({file})"
                )
            }
            Trap::LeadsElsewhere { software, target, file, path } => {
                format!(
                    "{software} sends requests for the app to {target}, and no web server here sends any to {path} ({file})"
                )
            }
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        let then = |what: String, software: Software| format!("{what}, and reload {software}");
        match self {
            Trap::KeepsConnections { by, file: _, path } => match by {
                Keeper::NginxUpstream { also_by_default: false, .. } => then(
                    format!(
                        "take `keepalive` out of it, or write `{}` without an upstream",
                        nginx_pass(path)
                    ),
                    Software::Nginx,
                ),
                Keeper::NginxUpstream { .. } | Keeper::NginxDefault { .. } => then(
                    format!("write `keepalive 0;` there, or `{}` without an upstream", nginx_pass(path)),
                    Software::Nginx,
                ),
                Keeper::Haproxy { .. } => then("add that option".to_owned(), Software::Haproxy),
                Keeper::Caddy => then(
                    "put a block `transport http` with `keepalive off` into it".to_owned(),
                    Software::Caddy,
                ),
            },
            Trap::Confined { .. } => "take `chroot` out of `global`, and restart HAProxy".to_owned(),
            Trap::PassesBy { software, path, .. } | Trap::LeadsElsewhere { software, path, .. } => then(
                match software {
                    Software::Nginx => format!("send them by the link: `{}`", nginx_pass(path)),
                    Software::Haproxy => format!("send them by the link: `server app unix@{path}`"),
                    Software::Caddy => format!("send them by the link: `reverse_proxy unix/{path}`"),
                },
                *software,
            ),
        }
    }
}

fn nginx_pass(path: &HostPath) -> String {
    format!("proxy_pass http://unix:{path};")
}

/// What keeps visitors of these sockets, of an app in this folder, from the next release.
pub fn traps(servers: &[WebServer], app: &HostPath, sockets: &[FollowedSocket]) -> Vec<Trap> {
    let Some(first) = sockets.first() else { return Vec::new() };
    let mut all = Seen {
        app: app.as_str(),
        sockets,
        traps: Vec::new(),
        leads_there: false,
        unsure: false,
        elsewhere: None,
    };
    for server in servers {
        all.unsure |= !server.is_whole;
        match server.software {
            Software::Nginx => nginx::read(server, &mut all),
            Software::Haproxy => haproxy::read(server, &mut all),
            Software::Caddy => caddy::read(server, &mut all),
        }
    }
    // What leads to the app may be somewhere that can't be read from here.
    if let Some((software, target, file)) = all.elsewhere.filter(|_| !all.leads_there && !all.unsure) {
        all.traps.push(Trap::LeadsElsewhere { software, target, file, path: first.path.clone() });
    }
    all.traps
}

/// What is seen of all web servers of a host.
#[derive(Debug)]
struct Seen<'s> {
    app: &'s str,
    sockets: &'s [FollowedSocket],
    traps: Vec<Trap>,
    /// Whether anything leads to one of the sockets, by whatever way.
    leads_there: bool,
    /// Whether something may, which can't be told from here.
    unsure: bool,
    /// What requests for the app are sent to instead, and the file that says so.
    elsewhere: Option<(Software, String, String)>,
}

impl<'s> Seen<'s> {
    /// The socket that a path of a web server's is by the link. What leads to one of a release is told.
    fn followed(&mut self, software: Software, path: &str, file: &str) -> Option<&'s FollowedSocket> {
        let plain = plain(path);
        self.unsure |= path.contains(['$', '{', '%']);
        for socket in self.sockets {
            if plain == socket.path.as_str() {
                self.leads_there = true;
                return Some(socket);
            }
            if socket.is_of_one_release(&plain) {
                self.leads_there = true;
                let (file, path) = (file.to_owned(), socket.path.clone());
                self.trap(Trap::PassesBy { software, socket: plain, file, path });
                return None;
            }
        }
        None
    }

    /// The same trap is told once.
    fn trap(&mut self, trap: Trap) {
        if !self.traps.contains(&trap) {
            self.traps.push(trap);
        }
    }

    /// Whether this names something in the app's folder.
    fn is_in_app(&self, word: &str) -> bool {
        let behind = word.find(self.app).map(|at| &word[at + self.app.len()..]);
        behind.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', ';']))
    }
}

impl FollowedSocket {
    /// Whether this path is a release's own socket.
    fn is_of_one_release(&self, path: &str) -> bool {
        let really = path.strip_prefix(&self.really_in).and_then(|rest| rest.strip_prefix('/'));
        let in_slot = path.strip_prefix(self.releases.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let in_slot = in_slot.and_then(|rest| rest.split_once('/'));
        really.is_some_and(|rest| !rest.contains('/') && rest.ends_with(".sock"))
            || in_slot.is_some_and(|(_, rest)| rest == self.socket)
    }
}

/// A path without slashes in a row, and with the folder that `/var/run` is.
fn plain(path: &str) -> String {
    let mut plain = String::new();
    for c in path.chars() {
        if c != '/' || !plain.ends_with('/') {
            plain.push(c);
        }
    }
    match plain.strip_prefix("/var/run/") {
        Some(rest) => format!("/run/{rest}"),
        None => plain,
    }
}

impl WebServer {
    /// Reads back what a look tells: which web server, its version, whether this is all, and behind a line with the name of each file what
    /// that says.
    pub fn read(value: &str) -> Option<WebServer> {
        let mut lines = value.splitn(4, '\n');
        let software = match lines.next()? {
            "nginx" => Software::Nginx,
            "haproxy" => Software::Haproxy,
            "caddy" => Software::Caddy,
            _ => return None,
        };
        let version = read_version(lines.next()?);
        let is_whole = lines.next()? == "yes";
        let mut files: Vec<ConfigFile> = Vec::new();
        for line in lines.next().unwrap_or_default().lines() {
            match line.strip_prefix("# configuration file ").and_then(|rest| rest.strip_suffix(':')) {
                Some(path) => files.push(ConfigFile { path: path.to_owned(), text: String::new() }),
                None => {
                    if let Some(file) = files.last_mut() {
                        file.text.push_str(line);
                        file.text.push('\n');
                    }
                }
            }
        }
        Some(WebServer { software, version, files, is_whole })
    }

    /// The files that a pattern of this one's names.
    fn included<'f>(&'f self, folder: &str, pattern: &str) -> impl Iterator<Item = &'f ConfigFile> {
        let pattern =
            if pattern.starts_with('/') { pattern.to_owned() } else { format!("{folder}/{pattern}") };
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        let read = glob::Pattern::new(&pattern).ok();
        self.files.iter().filter(move |file| {
            file.path == pattern
                || read.as_ref().is_some_and(|pattern| pattern.matches_with(&file.path, options))
        })
    }
}

fn read_version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(str::parse);
    let [Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))] = [parts.next(), parts.next(), parts.next()]
    else {
        return None;
    };
    Some([major, minor, patch])
}

/// The folder of a file.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
