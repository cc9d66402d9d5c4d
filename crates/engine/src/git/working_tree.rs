//! What is checked out, and what was changed since.

use buedafab_model::names::CommitId;

use super::{GitError, Repository};

/// A checkout as `git status` tells it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WorkingTree {
    pub head: Option<CommitId>,
    /// `None` where no branch is checked out.
    pub branch: Option<String>,
    /// A line each, as `git status --short` prints them.
    pub changes: Vec<String>,
}

impl Repository {
    /// Asks for all of it by one process.
    pub(super) async fn working_tree(&self) -> Result<WorkingTree, GitError> {
        let status = ["status", "--porcelain=v2", "--branch", "--no-ahead-behind"];
        Ok(WorkingTree::read(&self.git(&status).await?))
    }
}

impl WorkingTree {
    /// Reads version 2 of git's porcelain format, see git-status(1).
    fn read(text: &str) -> WorkingTree {
        let mut tree = WorkingTree::default();
        for line in text.lines() {
            let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
            // How many words stand before the path: the first of them says what has changed, a full stop stands for nothing.
            let words = match kind {
                "#" => {
                    match rest.split_once(' ') {
                        Some(("branch.oid", id)) => tree.head = CommitId::new(id).ok(),
                        Some(("branch.head", name)) if name != "(detached)" => {
                            tree.branch = Some(name.to_owned())
                        }
                        _ => {}
                    }
                    continue;
                }
                "?" => {
                    tree.changes.push(format!("?? {rest}"));
                    continue;
                }
                "1" => 7,
                "2" => 8,
                "u" => 9,
                _ => continue,
            };
            let mut parts = rest.splitn(words + 1, ' ');
            let (Some(state), Some(path)) = (parts.next(), parts.last()) else { continue };
            let path = match path.split_once('\t') {
                Some((new, old)) => format!("{old} -> {new}"),
                None => path.to_owned(),
            };
            tree.changes.push(format!("{} {path}", state.replace('.', " ")));
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::WorkingTree;

    #[test]
    fn a_status_is_read() {
        let (id, none, mode) = ("1".repeat(40), "0".repeat(40), "100644");
        let text = [
            format!("# branch.oid {id}"),
            "# branch.head feature/x".to_owned(),
            "# branch.upstream origin/feature/x".to_owned(),
            format!("1 .M N... {mode} {mode} {mode} {id} {id} a file.py"),
            format!("2 R. N... {mode} {mode} {mode} {id} {id} R100 new.py\told.py"),
            format!("u UU N... {mode} {mode} {mode} {mode} {id} {id} {none} both.py"),
            "? env/".to_owned(),
        ];
        let tree = WorkingTree::read(&text.join("\n"));
        assert_eq!(tree.head.expect("there is one").as_str(), id);
        assert_eq!(tree.branch.as_deref(), Some("feature/x"));
        assert_eq!(tree.changes, [" M a file.py", "R  old.py -> new.py", "UU both.py", "?? env/"]);

        let nothing = "# branch.oid (initial)\n# branch.head (detached)";
        assert_eq!(WorkingTree::read(nothing), WorkingTree::default());
    }
}
