//! A tree of releases that another tool made, or a person: what was seen of it, before anything is decided.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host::layout::Layout;
use crate::names::{CommitId, RunId, SlotName};
use crate::release::Release;

/// The link that other tools keep beside the folder of releases, and web servers read through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OuterLink {
    /// Its text.
    pub text: String,
    /// The folder among the releases that it leads to, by whatever way.
    pub slot: Option<SlotName>,
}

impl OuterLink {
    /// Whether it follows the link that decides what is live, and so leads to whatever that does.
    pub fn follows(&self, layout: &Layout) -> bool {
        let text = self.text.strip_prefix("./").unwrap_or(&self.text);
        let ours = layout.current();
        let below = layout.path.as_str().trim_end_matches('/');
        let relative = ours.as_str().strip_prefix(below).map(|rest| rest.trim_start_matches('/'));
        [Some(ours.as_str()), relative]
            .into_iter()
            .flatten()
            .any(|ours| text.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// The release that it leads to past the link that decides what is live.
    pub fn passes_by(&self, layout: &Layout) -> Option<&SlotName> {
        self.slot.as_ref().filter(|_| !self.follows(layout))
    }
}

/// What was seen of a tree, where somebody asked for that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Its folders.
    pub folders: BTreeMap<SlotName, TreeFolder>,
    /// What a tool has written down of its deploys, line by line.
    pub log: Option<DeployLog>,
    /// What of the release that serves leads to where things outlive releases.
    pub shared: Vec<String>,
    /// When the link that leads to what serves was made, in seconds.
    pub link_made: Option<i64>,
    /// What was written down when the tree was adopted, if it was.
    pub adoption: Option<AdoptionRecord>,
}

/// A folder of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeFolder {
    /// What `REVISION` says, where the folder is no clone.
    pub revision: Option<String>,
    /// The release that it holds, as git knows it, in the folder or in the tool's mirror.
    pub release: Option<Release>,
    /// When its commit was put there, in seconds.
    pub made: Option<i64>,
    /// Whether the tool has marked it as bad.
    pub is_bad: bool,
}

/// What a tool has written down of its deploys: the folder of each that came to its end, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployLog {
    /// The file, from the app's folder on.
    pub file: &'static str,
    /// Their names.
    pub folders: Vec<String>,
}

/// `.buedafab/adopted.json`: which runs wrote the records of a tree that others had made. A run stands there before its records do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptionRecord {
    /// When, by the host's clock.
    pub at: Timestamp,
    /// The runs.
    pub runs: Vec<RunId>,
    /// The text of the tool's link before it was made to follow ours; `None` as long as it wasn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Tree {
    /// Takes in one thing that was seen. A look that asks for trees prints, of each folder, its name, what `REVISION` says, the commit,
    /// what git describes it as, when it was made, and the words `modules` and `bad` where they are true; a line each.
    pub fn read(&mut self, key: &str, value: &str) {
        match key {
            "tree_folder" => {
                let mut lines = value.lines();
                let mut next = || lines.next().unwrap_or_default();
                let (name, revision, commit) = (next(), next(), next());
                let (described, made, words) = (next(), next(), next());
                let Ok(slot) = SlotName::new(name) else { return };
                let commit = CommitId::new(if commit.is_empty() { revision } else { commit }).ok();
                let release = commit.map(|commit| Release {
                    submodules: words.contains("modules"),
                    ..Release::described(commit, described)
                });
                let folder = TreeFolder {
                    revision: Some(revision.to_owned()).filter(|revision| !revision.is_empty()),
                    release,
                    made: made.parse().ok(),
                    is_bad: words.contains("bad"),
                };
                self.folders.insert(slot, folder);
            }
            "tree_shared" => self.shared = value.lines().map(str::to_owned).collect(),
            "tree_link_made" => self.link_made = value.parse().ok(),
            "capistrano_log" => {
                let folders = value.lines().filter_map(capistrano_deploy).map(str::to_owned).collect();
                self.log = Some(DeployLog { file: "revisions.log", folders });
            }
            "deployer_log" => {
                let folders = value.lines().filter_map(deployer_deploy).collect();
                self.log = Some(DeployLog { file: ".dep/releases_log", folders });
            }
            _ => {}
        }
    }
}

/// `Branch main (at 6b4943c) deployed as release 20261127101500 by ada`, and `ada rolled back to release 20261127101500`.
fn capistrano_deploy(line: &str) -> Option<&str> {
    let (_, rest) =
        line.split_once(" deployed as release ").or_else(|| line.split_once(" rolled back to release "))?;
    rest.split_whitespace().next()
}

/// `{"created_at":"…","release_name":"12","user":"ada","target":"main"}`, one that it writes before the release is live.
fn deployer_deploy(line: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Line {
        release_name: String,
    }
    serde_json::from_str(line).ok().map(|Line { release_name }| release_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::HostPath;

    #[test]
    fn a_link_follows_ours_or_passes_it_by() {
        let layout = Layout {
            path: HostPath::new("/srv/five").expect("a path"),
            releases: HostPath::new("/srv/five/releases").expect("a path"),
            link: "current".into(),
            virtualenv: "env".into(),
            adds_up: false,
            env_file: None,
        };
        let follows = |text: &str| OuterLink { text: text.to_owned(), slot: None }.follows(&layout);
        for text in [
            "releases/current",
            "./releases/current",
            "/srv/five/releases/current",
            "releases/current/public",
        ] {
            assert!(follows(text), "{text}");
        }
        for text in [
            "releases/currently",
            "/srv/five/releases/20261127101500",
            "releases/1",
            "/srv/four/releases/current",
        ] {
            assert!(!follows(text), "{text}");
        }
    }

    #[test]
    fn what_tools_write_down_of_their_deploys() {
        let mut tree = Tree::default();
        tree.read(
            "capistrano_log",
            "Branch main (at 6b4943c012) deployed as release 20261127101500 by ada\nbob rolled back to release 20261127090000\nrubbish",
        );
        assert_eq!(tree.log.take().expect("a log").folders, ["20261127101500", "20261127090000"]);
        tree.read(
            "deployer_log",
            "{\"created_at\":\"x\",\"release_name\":\"12\",\"user\":\"ada\",\"target\":\"main\"}\n{",
        );
        assert_eq!(tree.log.expect("a log").folders, ["12"]);
    }
}
