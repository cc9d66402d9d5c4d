//! A release as one file: the archive that the deployer makes once, and that all hosts get.

use serde::Serialize;

use crate::names::{CommitId, Unit};
use crate::release::Release;

/// What an archive holds besides the files of its commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Artifact {
    /// A file or folder of the project.
    Path {
        /// Its path there, and in the release.
        path: String,
    },
    /// A file from elsewhere: a tar archive is unpacked, and anything else is put at the root of the project.
    Address {
        /// Where it is.
        url: String,
        /// Its check sum, 64 hexadecimal digits.
        sha256: String,
    },
}

impl Artifact {
    /// The name of the file at an address.
    pub fn file_name(url: &str) -> Option<&str> {
        let path = url.split(['?', '#']).next()?.split_once("://")?.1;
        let (_, name) = path.rsplit_once('/')?;
        (!matches!(name, "" | "." | "..") && !name.starts_with('-')).then_some(name)
    }

    /// Whether a file of this name is a tar archive.
    pub fn is_packed(name: &str) -> bool {
        [".tar.gz", ".tgz", ".tar"].iter().any(|end| name.ends_with(end))
    }
}

/// The file of a release, as it is called in `packages`: the unit and the release's name.
pub fn archive_name(unit: &Unit, release: &Release) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-+".contains(c) { c } else { '-' };
    let version = release.tag.as_deref().unwrap_or(&release.describe);
    let version: String = version.chars().map(plain).collect();
    format!("{unit}-{version}.tar.gz")
}

/// The archive of a release that is kept on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptArchive {
    /// The commit that it was made of.
    pub commit: CommitId,
    /// Its file in `packages`.
    pub file: String,
}
