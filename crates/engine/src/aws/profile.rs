//! The shared files of Amazon's tools, `~/.aws/config` and `~/.aws/credentials`: the keys of a profile.

use std::collections::BTreeMap;

/// A shared file: its sections, each with its keys.
#[derive(Debug, Default)]
pub(crate) struct SharedFile(BTreeMap<String, BTreeMap<String, String>>);

impl SharedFile {
    /// Reads one. What isn't understood is nobody's key.
    pub(crate) fn read(text: &str) -> Self {
        let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut current = None;
        for line in text.lines() {
            // What is indented belongs to the key above, which has keys of its own (`s3 =`): none of them is wanted here.
            if line.starts_with([' ', '\t', '#', ';']) {
                continue;
            }
            let line = line.trim_end();
            if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                let words: Vec<&str> = header.0.split_whitespace().collect();
                let name = words.join(" ").replace(['"', '\''], "");
                sections.entry(name.clone()).or_default();
                current = Some(name);
            } else if let (Some(section), Some((key, value))) = (&current, line.split_once('=')) {
                let value = value.split(" #").next().unwrap_or_default().trim();
                let keys = sections.get_mut(section).expect("it was begun");
                keys.insert(key.trim().to_ascii_lowercase(), value.to_owned());
            }
        }
        SharedFile(sections)
    }

    /// A section by its name.
    pub(crate) fn section(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        self.0.get(name)
    }

    /// A profile of `config`, which are called `[profile NAME]` there, but for the default one.
    pub(crate) fn profile(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        let named = self.section(&format!("profile {name}"));
        named.or_else(|| (name == "default").then(|| self.section(name)).flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_found_however_they_are_written() {
        let text = "[default]\nregion = eu-west-1 # near\n\n[profile  'live']\nRole_Arn=arn:aws:iam::1:role/a=b\ns3 =\n  region = no\n\
                    # region = no\n[sso-session me]\nsso_region=us-east-1\n[broken\nregion = no\n";
        let file = SharedFile::read(text);
        let key = |profile: &str, key: &str| file.profile(profile)?.get(key).cloned();
        assert_eq!(key("default", "region").as_deref(), Some("eu-west-1"));
        assert_eq!(key("live", "role_arn").as_deref(), Some("arn:aws:iam::1:role/a=b"));
        assert_eq!(key("live", "region"), None);
        assert_eq!(key("me", "sso_region"), None);
        assert!(file.section("sso-session me").is_some());
    }
}
