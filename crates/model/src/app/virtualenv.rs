//! What a slot's virtualenv is made from: data, which [`shell`](crate::shell) turns into what a host runs.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::app::package::FetchedPackage;

/// What installs packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Installer {
    /// uv where the host has it, else pip.
    Auto,
    /// uv, which the host must have.
    Uv,
    /// pip, of the virtualenv's own Python.
    Pip,
}

/// Which private packages a virtualenv holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Packages {
    /// These. The host writes them down for its release.
    These(Vec<FetchedPackage>),
    /// Those that the host has written down for the release: the way back asks nobody.
    WrittenDown,
}

/// What a virtualenv holds, and how it gets there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VirtualenvSpec {
    /// The Python that it is made with.
    pub python: String,
    /// Where in the slot the app lies, with all files that are named here; `None`: at its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdir: Option<String>,
    /// What installs packages.
    pub installer: Installer,
    /// Words for the installer, which both understand: indexes, folders of wheels.
    pub options: Vec<String>,
    /// Requirement files, in the slot. None: what `uv.lock` or `pyproject.toml` say.
    pub requirements: Vec<String>,
    /// Files in the slot that limit versions.
    pub constraints: Vec<String>,
    /// What the environment's other hosts have, where this one knows of nothing: a package and its version each. It is taken as
    /// far as it fits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<String>,
    /// Private packages, which lie on the host.
    pub packages: Packages,
    /// Scripts of the release that install what a requirement file can't name; the env's path is their argument.
    pub scripts: Vec<String>,
    /// Whether it is made anew even though nothing has changed.
    pub reinstall: bool,
    /// Whether what it is asked for is resolved anew: else what was resolved before stays, as far as it fits.
    pub upgrade: bool,
}

/// The line of a `pyproject.toml` that makes its project one that can be installed, for `grep -E`: some have the file for their linter
/// alone.
pub(crate) const IS_PACKAGE: &str =
    r"^[[:blank:]]*\[[[:blank:]]*(project|build-system|tool\.poetry)[[:blank:]]*\]";

/// Whether a project with this `pyproject.toml` can be installed.
pub(crate) fn is_package(pyproject: &str) -> bool {
    static FOUND: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("(?m){IS_PACKAGE}")).expect("it is fixed"));
    FOUND.is_match(pyproject)
}

/// So many packages are named where hosts differ.
const DIFFERING_TOLD: usize = 5;

/// In what the packages of a release's hosts differ, and what can be done about it; `None` if every package has one version.
/// What only some of them have, a requirement may ask for on some Pythons only. Where one of them stays as it is, it takes more to
/// bring them to the same.
pub(crate) fn differing<H: Display>(hosts: &[(H, &str)], stays: bool) -> Option<String> {
    let mut packages: BTreeMap<String, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for (host, text) in hosts {
        for (name, version) in text.lines().filter_map(package) {
            packages.entry(normal(name)).or_default().entry(version).or_default().push(host.to_string());
        }
    }
    let told = |(name, versions): (String, BTreeMap<&str, Vec<String>>)| {
        let mut versions: Vec<(&str, Vec<String>)> = versions.into_iter().collect();
        versions.sort_by(|(_, hosts), (_, others)| hosts.cmp(others));
        let versions: Vec<String> = versions
            .into_iter()
            .map(|(version, hosts)| format!("{version} on {}", hosts.join(", ")))
            .collect();
        format!("{name} is {}", versions.join(" and "))
    };
    let mut all: Vec<String> =
        packages.into_iter().filter(|(_, versions)| versions.len() > 1).map(told).collect();
    if all.is_empty() {
        return None;
    }
    let more = all.len().saturating_sub(DIFFERING_TOLD);
    all.truncate(DIFFERING_TOLD);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    Some(format!(
        "{}; `deploy {}--upgrade` takes the newest on all of them, and a requirement with a version leaves no choice",
        all.join("; "),
        if stays { "--force " } else { "" }
    ))
}

/// A package's name, and which one it is: its version, or where it comes from, as `pip freeze` says it of what is editable, too.
fn package(line: &str) -> Option<(&str, &str)> {
    if let Some(place) = line.strip_prefix("-e ") {
        let (origin, name) = place.split_once("#egg=")?;
        return Some((name.split(['[', '&']).next()?, origin));
    }
    line.split_once(" @ ").or(line.split_once("=="))
}

/// The name of a package as an index compares it: pip tells it as its author writes it, and uv like this.
fn normal(name: &str) -> String {
    let words: Vec<&str> = name.split(['-', '_', '.']).filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_compared_wherever_they_come_from() {
        let cases = [
            ("six==1.0", "Six==1.0", ""),
            ("six==1.0", "six==2.0", "six is 1.0 on web1 and 2.0 on web2"),
            (
                "x @ git+https://h/x@1==2",
                "x @ git+https://h/x@2",
                "x is git+https://h/x@1==2 on web1 and git+https://h/x@2 on web2",
            ),
            ("-e git+https://h/x@1#egg=x", "-e git+https://h/x@1#egg=X", ""),
            (
                "-e git+https://h/x@1#egg=x&subdirectory=y",
                "-e git+https://h/x@2#egg=x&subdirectory=y",
                "x is git+https://h/x@1 on web1 and git+https://h/x@2 on web2",
            ),
            ("six==1.0", "", ""),
        ];
        for (one, other, why) in cases {
            let said = differing(&[("web1", one), ("web2", other)], false).unwrap_or_default();
            assert_eq!(said.split(';').next(), Some(why));
        }
    }
}
