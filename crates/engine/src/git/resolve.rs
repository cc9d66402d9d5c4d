//! From the name of a commit or tag to the one commit that it means, and what people call it.

use std::collections::BTreeSet;

use buedafab_model::deployer::checkout::{Asked, Tag};
use buedafab_model::host::facts::Room;
use buedafab_model::names::CommitId;
use buedafab_model::release::Release;

use super::remote::Listing;
use super::{GitError, Repository, first_line};

impl Repository {
    /// The one commit that a name means.
    pub(super) async fn resolve(&self, name: &str) -> Result<CommitId, GitError> {
        let unknown = |why: String| GitError::UnknownCommit { reference: name.to_owned(), why };
        if name.is_empty() || name.starts_with('-') {
            return Err(unknown("it would be taken for an option".to_owned()));
        }
        if name.contains('\n') {
            return Err(unknown("it has a line break".to_owned()));
        }
        let full = [format!("refs/tags/{name}"), format!("refs/heads/{name}")];
        let [tag, branch, commit] = self.commits_of([&full[0], &full[1], name]).await?;
        // All that a plain name could mean: git takes the first of these, and warns at most.
        let named = [("a tag", tag), ("a branch", branch)];
        let mut meanings: Vec<(String, CommitId)> =
            named.into_iter().filter_map(|(kind, commit)| Some((kind.to_owned(), commit?))).collect();
        meanings.extend(self.beginning_with(name).await);
        let distinct: BTreeSet<&str> = meanings.iter().map(|(_, id)| id.as_str()).collect();
        if distinct.len() > 1 {
            let meanings = meanings.iter().map(|(what, id)| format!("{what} ({})", id.short())).collect();
            return Err(GitError::Ambiguous { reference: name.to_owned(), meanings });
        }
        match commit {
            Some(commit) => Ok(commit),
            // Why there is none, git tells only about one name.
            None => self.commit_of(name).await.map_err(|error| match error {
                GitError::Failed { why, .. } => unknown(first_line(&why)),
                other => other,
            }),
        }
    }

    async fn commit_of(&self, name: &str) -> Result<CommitId, GitError> {
        let id =
            self.git(&["rev-parse", "--verify", "--end-of-options", &format!("{name}^{{commit}}")]).await?;
        CommitId::new(id)
            .map_err(|error| GitError::UnknownCommit { reference: name.to_owned(), why: error.to_string() })
    }

    /// The commits that names stand for, by one process.
    async fn commits_of<const N: usize>(&self, names: [&str; N]) -> Result<[Option<CommitId>; N], GitError> {
        let lines = names.map(|name| format!("{name}^{{commit}}\n")).concat();
        let answer = self.git_fed(&["cat-file", "--batch-check=%(objectname)"], lines).await?;
        // Of what isn't there, the line says just that.
        let mut found = answer.lines().map(|line| CommitId::new(line).ok());
        Ok([(); N].map(|()| found.next().flatten()))
    }

    /// The commits whose ids begin with a name that may be such a beginning.
    async fn beginning_with(&self, name: &str) -> Vec<(String, CommitId)> {
        let mut found = Vec::new();
        if name.len() < 4 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return found;
        }
        let listed = self.git(&["rev-parse", &format!("--disambiguate={name}")]).await.unwrap_or_default();
        for id in listed.lines() {
            // Ids of files and folders are none of our business.
            if self.git(&["cat-file", "-t", id]).await.is_ok_and(|kind| kind == "commit")
                && let Ok(commit) = CommitId::new(id)
            {
                found.push((format!("the commit {}", &id[..12.min(id.len())]), commit));
            }
        }
        found
    }

    /// The commit of a tag, which may only be on the remote.
    pub(super) async fn find_tag(
        &self,
        name: &str,
        local: &[Tag],
        listing: Option<&Listing>,
        remote: &str,
    ) -> Result<(Asked, CommitId), GitError> {
        let asked = Asked::Tag(name.to_owned());
        if let Some(tag) = local.iter().find(|tag| tag.name == name) {
            return Ok((asked, tag.commit.clone()));
        }
        let missing = || GitError::NoTag { tag: name.to_owned(), remote: remote.to_owned() };
        let there = listing.and_then(|listing| listing.tags.get(name)).ok_or_else(missing)?;
        self.fetch_objects(remote, [format!("refs/tags/{name}")]).await?;
        Ok((asked, self.commit_of(there.commit()).await?))
    }

    /// A commit with the names that people know it by.
    pub(super) async fn describe(&self, commit: &CommitId) -> Release {
        let modules = format!("{commit}:.gitmodules");
        let describe = ["describe", "--tags", "--always", "--long", commit.as_str()];
        let has_modules = ["cat-file", "-e", &modules];
        let (long, modules) = tokio::join!(self.git(&describe), self.git(&has_modules));
        let long = long.unwrap_or_else(|_| commit.short().to_owned());
        Release { submodules: modules.is_ok(), ..Release::described(commit.clone(), &long) }
    }

    /// What the files of a commit take on a disk, without its submodules: a block is 4 KiB nearly everywhere.
    pub async fn room_of(&self, commit: &CommitId) -> Result<Room, GitError> {
        let listed = self.git(&["ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit.as_str()]).await?;
        let sizes =
            listed.split('\0').filter_map(|entry| entry.split_once('\t')?.0.split_whitespace().nth(3));
        Ok(sizes.fold(Room::default(), |room, size| {
            // A folder takes a block, too.
            let blocks = size.parse().unwrap_or(1_u64).div_ceil(4096);
            Room { kib: room.kib + 4 * blocks, inodes: room.inodes + 1 }
        }))
    }

    /// Tags of commits in this checkout.
    pub async fn tags(&self) -> Result<Vec<Tag>, GitError> {
        let format = "--format=%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)";
        let listed = self.git(&["for-each-ref", format, "refs/tags"]).await?;
        let tag = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let commit = match words[1..] {
                ["commit", id, ..] | ["tag", _, "commit", id] => id,
                _ => return None,
            };
            let name = words[0].strip_prefix("refs/tags/")?.to_owned();
            Some(Tag { name, commit: CommitId::new(commit).ok()? })
        };
        Ok(listed.lines().filter_map(tag).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn files_take_whole_blocks() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = "git init -q; mkdir -p deep; : >empty; echo 1 >deep/file; head -c 5000 /dev/zero >large; ln -s large link
            git add .; git -c user.name=Ada -c user.email=ada@example.com commit -qm one; git rev-parse HEAD";
        let output = Command::new("sh").args(["-ec", script]).current_dir(&folder).output().expect("sh runs");
        let commit = CommitId::new(String::from_utf8_lossy(&output.stdout).trim()).expect("a commit");
        let repository = Repository { root: folder.path().to_owned() };
        let room = repository.room_of(&commit).await.expect("it is there");
        assert_eq!(room, Room { kib: 4 + 4 + 8 + 4, inodes: 5 });
    }
}
