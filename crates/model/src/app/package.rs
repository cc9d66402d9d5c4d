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
    /// Its size.
    pub size_bytes: u64,
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

/// Reads a list in the forms of buedafab's `private_requirements`, a line each: `name==release`, which is where `source` says, a
/// URL with `{name}` and `{release}`; `name` alone, where `source` has no `{release}`; and `name==URL` or `name==URL==rev` for
/// what lies elsewhere. What comes from a bucket has `--hash=sha256:…` after it.
pub fn read_private_requirements(
    text: &str,
    source: Option<&str>,
) -> Result<Vec<PrivatePackage>, PrivateRequirementsError> {
    let mut packages = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let wrong = |why: &str| PrivateRequirementsError { line: index + 1, why: why.to_owned() };
        let mut words = raw.split_whitespace().take_while(|word| !word.starts_with('#'));
        let Some(requirement) = words.next() else { continue };
        let parts: Vec<&str> = requirement.split("==").collect();
        let sha256 = match words.next() {
            None => None,
            Some(word) => {
                let digits = word.strip_prefix("--hash=sha256:");
                Some(digits.ok_or_else(|| wrong("only --hash=sha256:… may follow"))?)
            }
        };
        if words.next().is_some() {
            return Err(wrong("there is something after the package"));
        }
        let plain = |text: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '!');
            !text.is_empty() && !text.starts_with(['-', '.']) && text.chars().all(fits)
        };
        let is_rev = |rev: &str| rev.split('/').all(plain);
        let is_url = |text: &str| text.contains(['/', ':']) && !text.starts_with('-');
        let (url, release) = match parts[..] {
            [name, url, rev] if plain(name) && is_url(url) && is_rev(rev) => (url.to_owned(), Some(rev)),
            [name, url] if plain(name) && is_url(url) => (url.to_owned(), None),
            [name] | [name, _] if plain(name) => {
                let release = parts.get(1).copied();
                if release.is_some_and(|release| !plain(release)) {
                    return Err(wrong(NO_FORM));
                }
                let source = source.ok_or_else(|| wrong(NO_SOURCE))?;
                if release.is_none() && source.contains("{release}") {
                    return Err(wrong("`private_source` asks for a release: write name==release"));
                }
                let url = source.replace("{name}", name).replace("{release}", release.unwrap_or_default());
                (url, release)
            }
            _ => return Err(wrong(NO_FORM)),
        };
        let source = locate(&url, Some(release.unwrap_or(HEAD)), sha256).map_err(|why| wrong(&why))?;
        packages.push(PrivatePackage { name: parts[0].to_owned(), source });
    }
    Ok(packages)
}

/// The revision of a git repository that no line names: what its default branch has now.
pub const HEAD: &str = "HEAD";

const NO_FORM: &str = "this is none of name==release, name==URL and name==URL==rev";
const NO_SOURCE: &str = "nothing says where this is: set `private_source`, or write name==URL==rev";

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
        match read_private_requirements(text, Some(source).filter(|source| !source.is_empty())) {
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
            ("\nplato>=1", NO_FORM),
            ("-e==1", NO_FORM),
            ("../x==1", NO_FORM),
            ("plato==1==2", NO_FORM),
            ("plato==-o/x", NO_FORM),
            ("plato==git@x:y.git==-x", NO_FORM),
            ("plato==git@x:y.git==1==2", NO_FORM),
            ("plato==1 --pre", "only --hash=sha256:… may follow"),
        ] {
            let line = wrong.lines().count();
            assert_eq!(read(wrong, git), format!("line {line}: {why}"));
        }
        assert_eq!(read("plato==1", ""), format!("line 1: {NO_SOURCE}"));
        assert!(read("plato", "s3://bueda/{name}-{release}.tar.gz").contains("asks for a release"));
        assert!(read("plato==3", "s3://bueda/{name}.tar.gz").contains("needs its check sum"));
        assert!(read("plato==3 --hash=sha256:abc", "s3://bueda/{name}.tar.gz").contains("64 hexadecimal"));
        assert!(read("plato==3", "s3://bueda").contains("names no object"));
    }

    /// As the lists were under Fabric: what nothing says of came from the bucket, and the rest from git.
    #[test]
    fn the_old_forms_are_read_and_may_be_mixed() {
        let sum = "a".repeat(64);
        let list = format!(
            "plato --hash=sha256:{sum}\nfive==git@github.com:bueda/five.git\nutils==https://x.example.com/u.git#x==release/1.2\nlda==s3://other/lda-1.tar.gz --hash=sha256:{sum}\n"
        );
        insta::assert_snapshot!(read(&list, "s3://bueda.deploy/{name}.tar.gz").replace(&sum, "…"), @r#"
        plato S3 { bucket: "bueda.deploy", key: "plato.tar.gz", sha256: "…" }
        five Git { url: "git@github.com:bueda/five.git", rev: "HEAD" }
        utils Git { url: "https://x.example.com/u.git#x", rev: "release/1.2" }
        lda S3 { bucket: "other", key: "lda-1.tar.gz", sha256: "…" }
        "#);
        insta::assert_snapshot!(read("five==git@github.com:bueda/five.git", ""), @r#"five Git { url: "git@github.com:bueda/five.git", rev: "HEAD" }"#);
        insta::assert_snapshot!(read("plato\nfive==2", "git@github.com:bueda/{name}.git"), @r#"
        plato Git { url: "git@github.com:bueda/plato.git", rev: "HEAD" }
        five Git { url: "git@github.com:bueda/five.git", rev: "2" }
        "#);
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
