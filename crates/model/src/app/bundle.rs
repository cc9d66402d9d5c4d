//! What the deployer sends of a commit to hosts that can't, or needn't, ask the git remote: a bundle of what they lack.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::package::FetchedPackage;
use crate::names::CommitId;

/// A commit that a host holds with all its history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Base {
    /// The commit.
    pub commit: CommitId,
    /// Whether the same clone holds what its submodules take.
    pub submodules: bool,
    /// Whether the host has the contents that Git LFS keeps for it.
    pub lfs: bool,
}

/// All that a host has to build on. Hosts that have the same get the same bundle.
pub type Bases = BTreeSet<Base>;

/// The bundles of a release, by what they build on.
pub type Bundles = BTreeMap<Bases, Bundle>;

/// What a host is sent of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bundle {
    /// The file; `None`: what the host has is all of it.
    pub file: Option<FetchedPackage>,
    /// The commits that it builds on; empty where all of the release is in it.
    pub on: Vec<CommitId>,
    /// The commits of the release's submodules, and of theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<CommitId>,
    /// The contents of Git LFS that the host lacks, as a tar archive of files that are called by their check sums.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lfs: Option<Box<FetchedPackage>>,
}
