//! Private packages: what no index has, and the deployer fetches.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::names::HostPath;

/// A package, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrivatePackage {
    /// What people call it; the distribution in it may be called otherwise.
    pub name: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: PackageSource,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageSource {
    /// A commit of a git repository.
    Git {
        /// The repository, as the deployer reaches it.
        url: String,
        /// A tag, a branch, or a whole commit id.
        rev: String,
    },
    /// An object of an S3 bucket.
    S3 {
        /// The bucket.
        bucket: String,
        /// The object's key.
        key: String,
        /// Its check sum, 64 hexadecimal digits.
        sha256: String,
    },
}

/// A package that the deployer has, as hosts get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FetchedPackage {
    /// What people call it.
    pub name: String,
    /// What it is, beyond doubt: a commit, or a check sum. Its folder on a host is called so.
    pub key: String,
    /// The name of its file, which tells pip what it is.
    pub file: String,
    /// The check sum of the file that is sent, 64 hexadecimal digits.
    pub sha256: String,
}

impl FetchedPackage {
    /// Where it lies below `packages` on a host.
    pub fn place(&self) -> String {
        format!("{}/{}", self.key, self.file)
    }
}

/// Why a list of private packages can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct PrivateRequirementsError {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Reads a list in the form of buedafab's `private_requirements`: `name==release` a line, and, for what comes from a
/// bucket, `--hash=sha256:…` after it. `source` says where they are: a URL with `{name}` and `{release}`.
pub fn read_private_requirements(
    text: &str,
    source: &str,
) -> Result<Vec<PrivatePackage>, PrivateRequirementsError> {
    let mut packages = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let wrong = |why: &str| PrivateRequirementsError { line: index + 1, why: why.to_owned() };
        let line = raw.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(requirement) = words.next() else { continue };
        let (name, release) =
            requirement.split_once("==").ok_or_else(|| wrong("this isn't name==release"))?;
        let plain = |text: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '!');
            !text.is_empty() && !text.starts_with(['-', '.']) && text.chars().all(fits)
        };
        if !plain(name) || !plain(release) {
            return Err(wrong("this isn't name==release"));
        }
        let sha256 = match words.next() {
            None => None,
            Some(word) => {
                let digits = word.strip_prefix("--hash=sha256:");
                Some(digits.ok_or_else(|| wrong("only --hash=sha256:… may follow"))?.to_owned())
            }
        };
        if words.next().is_some() {
            return Err(wrong("there is something after the package"));
        }
        let url = source.replace("{name}", name).replace("{release}", release);
        let source = locate(&url, Some(release), sha256.as_deref()).map_err(|why| wrong(&why))?;
        packages.push(PrivatePackage { name: name.to_owned(), source });
    }
    Ok(packages)
}

/// What a URL, a revision and a check sum mean together, or what is missing.
pub(crate) fn locate(url: &str, rev: Option<&str>, sha256: Option<&str>) -> Result<PackageSource, String> {
    let Some(object) = url.strip_prefix("s3://") else {
        let Some(rev) = rev else {
            return Err("a package from git needs a `rev`: a tag, a branch or a commit".to_owned());
        };
        return Ok(PackageSource::Git { url: url.to_owned(), rev: rev.to_owned() });
    };
    let Some((bucket, key)) = object
        .split_once('/')
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty() && !key.ends_with('/'))
    else {
        return Err(format!("{url} names no object: write s3://bucket/key.tar.gz"));
    };
    let file = key.rsplit('/').next().unwrap_or(key);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '!');
    if file.starts_with(['-', '.']) || !file.chars().all(plain) {
        return Err(format!("{file} isn't the name of a package's file"));
    }
    let Some(sha256) = sha256 else {
        return Err("a package from a bucket needs its check sum: without it, whoever can write there decides what you run".to_owned());
    };
    if hex::decode_to_slice(sha256, &mut [0; 32]).is_err() {
        return Err("a SHA-256 check sum has 64 hexadecimal digits".to_owned());
    }
    Ok(PackageSource::S3 {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        sha256: sha256.to_ascii_lowercase(),
    })
}

/// The name of a package after its URL: the last part, without what follows the first version number.
pub(crate) fn name_of(url: &str) -> String {
    let last = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(url);
    let last = last.trim_end_matches(".git").trim_end_matches(".tar.gz").trim_end_matches(".whl");
    let version = last
        .char_indices()
        .find(|(at, c)| *c == '-' && last[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let name = version.map_or(last, |(at, _)| &last[..at]);
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
    if plain.starts_with(|c: char| c.is_ascii_alphanumeric()) { plain } else { "package".to_owned() }
}

/// A path as installers take it in a requirement file, whatever it holds.
pub(crate) fn file_url(path: &HostPath) -> String {
    format!("file://{}", utf8_percent_encode(path.as_str(), ENCODED))
}

/// What stands for itself in no path of a URL.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'_')
    .remove(b'-')
    .remove(b'~')
    .remove(b'+')
    .remove(b'!');

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, source: &str) -> String {
        match read_private_requirements(text, source) {
            Ok(packages) => {
                packages.iter().map(|package| format!("{} {:?}\n", package.name, package.source)).collect()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn lists_are_read_as_buedafab_wrote_them() {
        let git = "git@github.com:bueda/{name}.git";
        insta::assert_snapshot!(read("# ours\nfive-utils==1.2\n\nplato==v3  # another\n", git), @r#"
        five-utils Git { url: "git@github.com:bueda/five-utils.git", rev: "1.2" }
        plato Git { url: "git@github.com:bueda/plato.git", rev: "v3" }
        "#);
        let sum = "A".repeat(64);
        insta::assert_snapshot!(read(&format!("plato==3 --hash=sha256:{sum}"), "s3://bueda/{name}/{name}-{release}.tar.gz"), @r#"plato S3 { bucket: "bueda", key: "plato/plato-3.tar.gz", sha256: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }"#);
        for (wrong, why) in [
            ("plato", "line 1: this isn't name==release"),
            ("\nplato>=1", "line 2: this isn't name==release"),
            ("-e==1", "line 1: this isn't name==release"),
            ("../x==1", "line 1: this isn't name==release"),
            ("plato==1 --pre", "line 1: only --hash=sha256:… may follow"),
        ] {
            assert_eq!(read(wrong, git), why);
        }
        assert!(read("plato==3", "s3://bueda/{name}.tar.gz").contains("needs its check sum"));
        assert!(read("plato==3 --hash=sha256:abc", "s3://bueda/{name}.tar.gz").contains("64 hexadecimal"));
        assert!(read("plato==3", "s3://bueda").contains("names no object"));
    }

    #[test]
    fn packages_are_called_after_their_urls() {
        for (url, name) in [
            ("git@github.com:bueda/five-utils.git", "five-utils"),
            ("https://git.example.com/plato/", "plato"),
            ("s3://bueda/wheels/plato-1.2-py3-none-any.whl", "plato"),
            ("s3://bueda/five-utils-1.2.3.tar.gz", "five-utils"),
            ("host:plato", "plato"),
            ("https://git.example.com/p l#a/", "pla"),
            ("host:--", "package"),
        ] {
            assert_eq!(name_of(url), name);
        }
    }

    #[test]
    fn paths_become_urls() {
        let path = HostPath::new("/var/web apps/é/a#b/x-1.tar.gz").expect("a path");
        assert_eq!(file_url(&path), "file:///var/web%20apps/%C3%A9/a%23b/x-1.tar.gz");
    }
}
