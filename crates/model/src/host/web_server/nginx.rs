//! What nginx is told to do with requests. What it keeps, and when, was seen of 1.22 and 1.30; since when it keeps connections without
//! being told so, its list of changes says: 1.29.7.

use super::blocks::{Directive, Ends, read as read_blocks};
use super::{FollowedSocket, Keeper, Seen, Software, Trap, WebServer};

/// From here on nginx keeps connections to each upstream, and asks by HTTP/1.1.
const KEEPS_BY_DEFAULT: [u32; 3] = [1, 29, 7];

pub(super) fn read(server: &WebServer, seen: &mut Seen<'_>) {
    let said = read_blocks(server, Ends::Semicolons, "include");
    let keeps_by_default = server.version.is_some_and(|version| version >= KEEPS_BY_DEFAULT);
    for context in &said {
        let upstreams: Vec<&Directive> =
            context.block.iter().filter(|directive| directive.name() == "upstream").collect();
        let is_http = match context.name() {
            "http" => true,
            "stream" => false,
            _ => continue,
        };
        let mut reading = Reading { seen, upstreams, keeps_by_default, is_http };
        reading.block(&context.block, &Asks::default());
        for server in context.block.iter().filter(|directive| directive.name() == "server") {
            reading.look_elsewhere(server);
        }
    }
}

struct Reading<'r, 's> {
    seen: &'r mut Seen<'s>,
    upstreams: Vec<&'r Directive>,
    keeps_by_default: bool,
    is_http: bool,
}

/// How nginx asks what it passes requests on to: as the innermost block says that says anything.
#[derive(Clone, Default)]
struct Asks {
    by_version: Option<String>,
    connection: Option<String>,
}

impl Asks {
    fn in_block(&self, block: &[Directive]) -> Asks {
        let mut asks = self.clone();
        let headers: Vec<&Directive> =
            block.iter().filter(|directive| directive.name() == "proxy_set_header").collect();
        // One header of its own, and a block takes none from outside.
        if !headers.is_empty() {
            let connection =
                headers.iter().find(|header| header.argument().eq_ignore_ascii_case("connection"));
            asks.connection = connection.map(|header| header.arguments().get(1).cloned().unwrap_or_default());
        }
        if let Some(version) = block.iter().find(|directive| directive.name() == "proxy_http_version") {
            asks.by_version = Some(version.argument().to_owned());
        }
        asks
    }

    /// Whether what is asked may keep the connection.
    fn lets_keep(&self, keeps_by_default: bool) -> bool {
        let by_version = self.by_version.as_deref().unwrap_or(if keeps_by_default { "1.1" } else { "1.0" });
        let connection = self.connection.as_deref().unwrap_or(if keeps_by_default { "" } else { "close" });
        !connection.eq_ignore_ascii_case("close")
            && (by_version != "1.0" || connection.eq_ignore_ascii_case("keep-alive"))
    }
}

/// Where requests are passed on to.
enum Target<'t> {
    Socket(&'t str),
    Named(&'t str),
    Unknown,
}

impl Target<'_> {
    fn of(word: &str) -> Target<'_> {
        let place = word.split_once("://").map_or(word, |(_, rest)| rest);
        let place = match place.strip_prefix("unix:") {
            Some(socket) => return Target::Socket(socket.split(':').next().unwrap_or(socket)),
            None => place.split('/').next().unwrap_or(place),
        };
        if place.contains('$') { Target::Unknown } else { Target::Named(place) }
    }
}

fn is_pass(directive: &Directive) -> bool {
    matches!(directive.name(), "proxy_pass" | "grpc_pass" | "uwsgi_pass" | "fastcgi_pass" | "scgi_pass")
}

impl Reading<'_, '_> {
    fn block(&mut self, block: &[Directive], around: &Asks) {
        let asks = around.in_block(block);
        for directive in block {
            if is_pass(directive) {
                self.pass(directive, &asks);
            }
            if directive.name() != "upstream" {
                self.block(&directive.block, &asks);
            }
        }
    }

    fn pass(&mut self, pass: &Directive, asks: &Asks) {
        let named: Vec<&Directive> = match Target::of(pass.argument()) {
            Target::Socket(path) => {
                self.seen.followed(Software::Nginx, path, &pass.file);
                return;
            }
            Target::Named(name) => {
                self.upstreams.iter().copied().filter(|upstream| upstream.argument() == name).collect()
            }
            Target::Unknown => {
                self.seen.unsure = true;
                self.upstreams.clone()
            }
        };
        // By other protocols nginx keeps none unless it is told so elsewhere.
        let lets_keep = self.is_http
            && match pass.name() {
                "proxy_pass" => asks.lets_keep(self.keeps_by_default),
                "grpc_pass" => true,
                _ => false,
            };
        for upstream in named {
            let sockets = upstream.block.iter().filter(|directive| directive.name() == "server");
            let sockets: Vec<&str> =
                sockets.filter_map(|server| server.argument().strip_prefix("unix:")).collect();
            for socket in sockets {
                let followed = self.seen.followed(Software::Nginx, socket, &upstream.file);
                if let Some(followed) = followed.filter(|_| lets_keep) {
                    self.keep(upstream, followed);
                }
            }
        }
    }

    fn keep(&mut self, upstream: &Directive, followed: &FollowedSocket) {
        let name = upstream.argument().to_owned();
        let says = upstream.block.iter().find(|directive| directive.name() == "keepalive");
        let by = match says.map(|says| says.argument().parse()) {
            Some(Ok(connections)) if connections > 0 => {
                Keeper::NginxUpstream { name, connections, also_by_default: self.keeps_by_default }
            }
            // What a file says that couldn't be read may be about this, too.
            None if self.keeps_by_default
                && !upstream.block.iter().any(|directive| directive.name() == "include") =>
            {
                Keeper::NginxDefault { name }
            }
            Some(_) | None => return,
        };
        let (file, path) = (upstream.file.clone(), followed.path.clone());
        self.seen.trap(Trap::KeepsConnections { by, file, path });
    }

    /// A site that gives out files of the app, and passes requests on to something that isn't the app's socket.
    fn look_elsewhere(&mut self, server: &Directive) {
        if !self.is_http || !server.all_words().iter().any(|word| self.seen.is_in_app(word)) {
            return;
        }
        if let Some(pass) = first_pass(&server.block) {
            let elsewhere = (Software::Nginx, pass.argument().to_owned(), pass.file.clone());
            self.seen.elsewhere.get_or_insert(elsewhere);
        }
    }
}

fn first_pass(block: &[Directive]) -> Option<&Directive> {
    block
        .iter()
        .find_map(|directive| if is_pass(directive) { Some(directive) } else { first_pass(&directive.block) })
}
