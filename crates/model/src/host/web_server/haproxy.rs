//! What HAProxy is told to do with requests. Which of its options let go of a connection was seen of 2.6: `http-reuse never` doesn't, as
//! each visitor then keeps one of their own.

use super::{Keeper, Seen, Software, Trap, WebServer};

/// A section, with the defaults that hold in it.
struct Section<'t> {
    kind: &'t str,
    name: &'t str,
    file: &'t str,
    lines: Vec<Vec<String>>,
}

const KINDS: [&str; 5] = ["global", "defaults", "frontend", "backend", "listen"];

pub(super) fn read(server: &WebServer, seen: &mut Seen<'_>) {
    let sections = sections(server);
    let last = |kind: &str| sections.iter().rev().find(|section| section.kind == kind);
    let chroot = last("global").and_then(|section| {
        let line = section.lines.iter().rev().find(|line| line[0] == "chroot")?;
        Some((line.get(1)?.clone(), section.file.to_owned()))
    });
    let all_close = sections.iter().any(|section| section.kind == "frontend" && section.closes());
    for section in sections.iter().filter(|section| matches!(section.kind, "backend" | "listen")) {
        for line in section.lines.iter().filter(|line| line[0] == "server") {
            let Some(address) = line.get(2) else { continue };
            let path = address.strip_prefix("unix@").unwrap_or(address);
            let Some(followed) = seen.followed(Software::Haproxy, path, section.file) else {
                if !path.starts_with('/') || !seen.is_in_app(path) {
                    continue;
                }
                let elsewhere = (Software::Haproxy, address.clone(), section.file.to_owned());
                seen.elsewhere.get_or_insert(elsewhere);
                continue;
            };
            let path = followed.path.clone();
            if let Some((folder, file)) = &chroot {
                let (folder, file) = (folder.clone(), file.clone());
                seen.trap(Trap::Confined { folder, file, path: path.clone() });
            }
            if section.is_http() && !all_close && !section.closes() && !section.pools_nothing(line) {
                let by = Keeper::Haproxy { section: format!("{} {}", section.kind, section.name) };
                seen.trap(Trap::KeepsConnections { by, file: section.file.to_owned(), path });
            }
        }
    }
}

fn sections(server: &WebServer) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut defaults: Vec<(&str, Vec<Vec<String>>)> = Vec::new();
    for file in &server.files {
        for text in file.text.lines() {
            let Some(words) = shlex::split(text).filter(|words| !words.is_empty()) else { continue };
            let plain: Vec<&str> = text.split_whitespace().collect();
            let name = plain.get(1).copied().unwrap_or_default();
            if let Some(kind) = KINDS.into_iter().find(|kind| *kind == words[0]) {
                let from = plain.iter().position(|word| *word == "from").and_then(|at| plain.get(at + 1));
                let inherited = match from {
                    Some(from) => defaults.iter().rev().find(|(name, _)| name == from),
                    None => defaults.last(),
                };
                let lines = match kind {
                    "global" => Vec::new(),
                    "defaults" if from.is_none() => Vec::new(),
                    _ => inherited.map(|(_, lines)| lines.clone()).unwrap_or_default(),
                };
                if kind == "defaults" {
                    defaults.push((name, lines.clone()));
                }
                sections.push(Section { kind, name, file: &file.path, lines });
            } else if let Some(section) = sections.last_mut() {
                if section.kind == "defaults"
                    && let Some((_, lines)) = defaults.last_mut()
                {
                    lines.push(words.clone());
                }
                section.lines.push(words);
            }
        }
    }
    sections
}

impl Section<'_> {
    fn is_http(&self) -> bool {
        let mode = self.lines.iter().rev().find(|line| line[0] == "mode");
        mode.and_then(|line| line.get(1)).is_some_and(|mode| mode == "http")
    }

    /// Whether each connection is closed when it has answered: the last line counts that says how it is.
    fn closes(&self) -> bool {
        let mut closes = false;
        for line in &self.lines {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            match words[..] {
                ["option", "http-server-close" | "httpclose" | "forceclose", ..] => closes = true,
                ["option", "http-keep-alive" | "http-tunnel", ..]
                | ["no", "option", "http-server-close" | "httpclose" | "forceclose", ..] => closes = false,
                _ => {}
            }
        }
        closes
    }

    /// Whether no connection waits to be used again, not even by who has it.
    fn pools_nothing(&self, server: &[String]) -> bool {
        let reuse = self.lines.iter().rev().find(|line| line[0] == "http-reuse");
        let is_own = reuse.and_then(|line| line.get(1)).is_some_and(|how| how == "never");
        let by_default = self.lines.iter().filter(|line| line[0] == "default-server");
        let mut most = by_default.map(Vec::as_slice).chain([server]).filter_map(|words| {
            let at = words.iter().rposition(|word| word == "pool-max-conn")?;
            words.get(at + 1)
        });
        !is_own && most.next_back().is_some_and(|most| most == "0")
    }
}
