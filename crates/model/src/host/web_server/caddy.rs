//! What Caddy is told to do with requests by a Caddyfile. What it keeps was seen of 2.6.

use super::blocks::{Directive, Ends, read as read_blocks};
use super::{Keeper, Seen, Software, Trap, WebServer};

/// What passes requests on.
const PASSES: &str = "reverse_proxy";

pub(super) fn read(server: &WebServer, seen: &mut Seen<'_>) {
    let said = read_blocks(server, Ends::Lines, "import");
    let (snippets, sites): (Vec<Directive>, Vec<Directive>) =
        said.into_iter().partition(|directive| directive.name().starts_with('('));
    // A file of one site may have no braces around it.
    let (loose, sites): (Vec<Directive>, Vec<Directive>) =
        sites.into_iter().partition(|site| site.block.is_empty() || site.name() == PASSES);
    for block in sites.iter().map(|site| &site.block).chain([&loose]) {
        let block = with_snippets(block, &snippets, MOST_WITHIN);
        let mut to = Vec::new();
        passes(&block, seen, &mut to);
        let names_app = block.iter().flat_map(Directive::all_words).any(|word| seen.is_in_app(word));
        if let Some((target, file)) = to.into_iter().next().filter(|_| names_app) {
            seen.elsewhere.get_or_insert((Software::Caddy, target, file));
        }
    }
}

/// Snippets may take in each other so deep.
const MOST_WITHIN: usize = 4;

fn with_snippets(block: &[Directive], snippets: &[Directive], left: usize) -> Vec<Directive> {
    let mut all = Vec::new();
    for directive in block {
        let name = format!("({})", directive.argument());
        let snippet = snippets.iter().find(|snippet| directive.name() == "import" && snippet.name() == name);
        match snippet.filter(|_| left > 0) {
            Some(snippet) => all.extend(with_snippets(&snippet.block, snippets, left - 1)),
            None => {
                let block = with_snippets(&directive.block, snippets, left);
                all.push(Directive { block, ..directive.clone() });
            }
        }
    }
    all
}

/// Looks at all that passes requests on; `to` is what isn't a socket of the app's, and its file.
fn passes(block: &[Directive], seen: &mut Seen<'_>, to: &mut Vec<(String, String)>) {
    for directive in block {
        if directive.name() != PASSES {
            passes(&directive.block, seen, to);
            continue;
        }
        let inner = directive.block.iter().filter(|inner| inner.name() == "to");
        let addresses = directive.arguments().iter().chain(inner.flat_map(Directive::arguments));
        // What takes in something that isn't here may say anything.
        let is_open = directive.all_words().contains(&"import");
        seen.unsure |= is_open;
        for address in addresses.filter(|word| !word.starts_with(['/', '@', '*'])) {
            seen.unsure |= address.contains(['{', '$']);
            let socket = address.strip_prefix("unix").and_then(|rest| rest.split_once('/'));
            let followed = socket.and_then(|(_, path)| seen.followed(Software::Caddy, path, &directive.file));
            match followed {
                Some(followed) if !is_open && !keeps_nothing(directive) => {
                    let (file, path) = (directive.file.clone(), followed.path.clone());
                    seen.trap(Trap::KeepsConnections { by: Keeper::Caddy, file, path });
                }
                Some(_) => {}
                None => to.push((address.clone(), directive.file.clone())),
            }
        }
    }
}

fn keeps_nothing(proxy: &Directive) -> bool {
    let transports = proxy.block.iter().filter(|inner| inner.name() == "transport");
    let mut inner = transports.flat_map(|transport| &transport.block);
    inner.any(|directive| directive.name() == "keepalive" && directive.argument() == "off")
}
