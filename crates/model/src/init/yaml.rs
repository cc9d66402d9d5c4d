//! The regular part of YAML: maps, lists and plain values, by their indentation. What deploy tools are told is written in
//! it.

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Yaml {
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Reads a text. What isn't understood is passed over.
    pub(super) fn read(text: &str) -> Yaml {
        let lines: Vec<(usize, &str)> = text
            .lines()
            .map(|line| line.split(" #").next().unwrap_or(line).trim_end())
            .filter(|line| {
                !line.trim_start().is_empty() && !line.trim_start().starts_with('#') && *line != "---"
            })
            .map(|line| (line.len() - line.trim_start().len(), line.trim_start()))
            .collect();
        block(&mut lines.into_iter().peekable())
    }

    /// The value of a key, level by level.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Yaml> {
        keys.iter().try_fold(self, |value, key| {
            value.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
        })
    }

    pub(super) fn text_at(&self, keys: &[&str]) -> Option<&str> {
        match self.at(keys)? {
            Yaml::Text(text) if !text.is_empty() && !text.contains("<%") => Some(text),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> &[(String, Yaml)] {
        match self {
            Yaml::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The texts of a list; of a list of maps, their first keys.
    pub(super) fn texts(&self) -> Vec<String> {
        let Yaml::List(list) = self else { return Vec::new() };
        let texts = list.iter().filter_map(|item| match item {
            Yaml::Text(text) => Some(text.clone()),
            Yaml::Map(entries) => entries.first().map(|(key, _)| key.clone()),
            Yaml::List(_) => None,
        });
        texts.filter(|text| !text.contains("<%")).collect()
    }
}

type Lines<'t> = std::iter::Peekable<std::vec::IntoIter<(usize, &'t str)>>;

/// All that stands as deep as the next line.
fn block(lines: &mut Lines<'_>) -> Yaml {
    let Some(&(depth, first)) = lines.peek() else { return Yaml::Text(String::new()) };
    if is_item(first) {
        let mut list = Vec::new();
        while let Some((_, line)) = lines.next_if(|(own, line)| *own == depth && is_item(line)) {
            let item = line[1..].trim_start();
            list.push(match key_of(item) {
                Some((key, rest)) => {
                    // The other keys of the same map stand below it.
                    let mut entries = vec![(key, value(rest, depth + 1, lines))];
                    if lines.peek().is_some_and(|(own, _)| *own > depth)
                        && let Yaml::Map(more) = block(lines)
                    {
                        entries.extend(more);
                    }
                    Yaml::Map(entries)
                }
                None => plain(item),
            });
        }
        return Yaml::List(list);
    }
    let mut entries = Vec::new();
    while let Some((_, line)) = lines.next_if(|(own, line)| *own == depth && !is_item(line)) {
        if let Some((key, rest)) = key_of(line) {
            entries.push((key, value(rest, depth, lines)));
        }
        // What is deeper than it should be belongs to nothing that is understood.
        while lines.next_if(|(own, _)| *own > depth).is_some() {}
    }
    Yaml::Map(entries)
}

/// What follows a key: on its line, or below it.
fn value(rest: &str, depth: usize, lines: &mut Lines<'_>) -> Yaml {
    if !rest.is_empty() {
        return plain(rest);
    }
    match lines.peek() {
        // The items of a list may stand as far left as its key.
        Some((own, line)) if *own > depth || (*own == depth && is_item(line)) => block(lines),
        _ => Yaml::Text(String::new()),
    }
}

fn is_item(line: &str) -> bool {
    line == "-" || line.starts_with("- ")
}

fn key_of(line: &str) -> Option<(String, &str)> {
    let at = line.find(": ").or_else(|| line.ends_with(':').then(|| line.len() - 1))?;
    let key = line[..at].trim_matches(['"', '\'']);
    (!key.starts_with(['[', '{'])).then(|| (key.to_owned(), line[at + 1..].trim()))
}

fn plain(text: &str) -> Yaml {
    let bare = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(list) => {
            Yaml::List(list.split(',').map(bare).filter(|item| !item.is_empty()).map(Yaml::Text).collect())
        }
        None => Yaml::Text(bare(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deploy_tools_are_told_is_read() {
        let yaml = Yaml::read(
            "# Name\nservice: five\nservers:\n  web:\n    hosts:\n      - 10.0.0.1 # first\n      - \"10.0.0.2\"\n  job: [a, b]\n\
             ssh:\n  user: app\nlist:\n- one: 1\n  two: 2\n- three\n",
        );
        assert_eq!(yaml.text_at(&["service"]), Some("five"));
        assert_eq!(yaml.text_at(&["ssh", "user"]), Some("app"));
        assert_eq!(yaml.at(&["servers", "web", "hosts"]).unwrap().texts(), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(yaml.at(&["servers", "job"]).unwrap().texts(), ["a", "b"]);
        assert_eq!(yaml.at(&["list"]).unwrap().texts(), ["one", "three"]);
        for odd in ["", "-", ":", "  x\n y\nz", "a: b: c", "- - -", "&x *y !z", "a:\n    - b\n  - c\n d: e"] {
            Yaml::read(odd);
        }
    }
}
