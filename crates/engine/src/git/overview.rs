//! What a checkout says about its project, for `init`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use buedafab_model::init::{CheckoutFacts, Files, matters};

use super::Repository;

/// No file that a person wrote about a project is longer, in bytes.
const LONGEST_TEXT: u64 = 256 * 1024;

impl Repository {
    /// All that `init` goes by. The remote is asked only where this checkout doesn't know which branch its HEAD stands on, and it may
    /// stay away.
    pub async fn overview(&self) -> CheckoutFacts {
        let folder = self.root.file_name().map(|name| name.to_string_lossy().into_owned());
        let remote = match self.usual_remote().await {
            Some(name) => self.remote_url(&name).await.map(|url| (name, url)),
            None => None,
        };
        let name = remote.as_ref().map(|(name, _)| name.as_str());
        let branches = self.branches(name).await;
        let default_branch = match name {
            Some(name) => self.default_branch(name, &branches).await,
            None => None,
        };
        let paths = self.tracked().await;
        let texts = paths.iter().filter(|path| matters(path));
        let texts: BTreeMap<String, String> =
            texts.filter_map(|path| Some((path.clone(), read_text(&self.root.join(path))?))).collect();
        CheckoutFacts {
            folder: folder.unwrap_or_default(),
            branch: self.branch().await,
            can_sign: self.can_sign().await,
            mentions_static_root: self.mentions("STATIC_ROOT").await,
            remote,
            default_branch,
            branches,
            files: Files::new(paths, texts),
        }
    }

    /// The remote that this checkout was cloned from, whatever `clone.defaultRemoteName` called it.
    pub async fn usual_remote(&self) -> Option<String> {
        let listed = self.git(&["remote"]).await.ok()?;
        let remotes: Vec<&str> = listed.lines().collect();
        let configured = self.git(&["config", "--get", "clone.defaultRemoteName"]).await.unwrap_or_default();
        let branch = self.branch().await.unwrap_or_default();
        let tracked =
            self.git(&["config", "--get", &format!("branch.{branch}.remote")]).await.unwrap_or_default();
        let likely = ["origin", configured.as_str(), tracked.as_str()];
        let found = likely.into_iter().find(|name| remotes.contains(name)).or(remotes.first().copied());
        found.map(str::to_owned)
    }

    /// The branches of a remote, as this checkout knows them; its own, if there is no remote.
    async fn branches(&self, remote: Option<&str>) -> Vec<String> {
        let (format, refs) = match remote {
            Some(remote) => ("%(refname:lstrip=3)", format!("refs/remotes/{remote}")),
            None => ("%(refname:lstrip=2)", "refs/heads".to_owned()),
        };
        let listed =
            self.git(&["for-each-ref", &format!("--format={format}"), &refs]).await.unwrap_or_default();
        listed.lines().filter(|name| *name != "HEAD").map(str::to_owned).collect()
    }

    /// The branch that the remote's HEAD stands on: as it was when this was cloned, as long as that branch is still there; else as the
    /// remote says.
    async fn default_branch(&self, remote: &str, branches: &[String]) -> Option<String> {
        let head = format!("refs/remotes/{remote}/HEAD");
        let known = self.git(&["symbolic-ref", "--quiet", &head]).await.ok();
        let known =
            known.and_then(|full| full.strip_prefix(&format!("refs/remotes/{remote}/")).map(str::to_owned));
        if let Some(branch) = known.filter(|branch| branches.contains(branch)) {
            return Some(branch);
        }
        self.remote_head(remote).await
    }

    async fn tracked(&self) -> Vec<String> {
        let listed = self.git(&["ls-files", "-z"]).await.unwrap_or_default();
        listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect()
    }
}

/// A file's text, unless it is no plain file, or none that a person wrote.
fn read_text(path: &Path) -> Option<String> {
    let about = fs::symlink_metadata(path).ok()?;
    if !about.is_file() || about.len() > LONGEST_TEXT {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
}
