//! What may be deployed, and what a person is asked for first.

use std::str::FromStr;

use schemars::json_schema;
use serde::{Deserialize, Serialize};

use crate::config::area::area;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::rule::{
    Always, DefaultValue, Empty, InPlayground, InProduction, Rule, Written, means, means_itself,
};
use crate::config::show::{Valued, text};
use crate::config::values::{Argument, Line, schema_of};

area! {
    /// What may be deployed.
    rules: RulesSettings, RulesLayer, "What may be deployed";

    /// The branch of the remote that a release has to be on; `*` in it stands for any characters, and `"*"` alone for
    /// any branch.
    branch: BranchText => BranchPattern = InProduction {
        value: BranchPattern::fixed("master"),
        elsewhere: BranchPattern::fixed("*"),
    }, example r#""main""#;

    /// Whether a commit that isn't on the remote yet is pushed there before a deploy, with the branch that is checked
    /// out; never by force.
    push_before_deploy: bool => bool = Always(true);

    /// Whether only tagged commits are deployed; a deploy offers to make the tag.
    require_tag: bool => bool = InProduction { value: true, elsewhere: false };

    /// What the name of a release's tag looks like, as a regular expression.
    version_pattern: VersionText => VersionPattern = Always(VersionPattern::default());

    /// Whether tags that a deploy makes are signed, with the key that your git is set up with.
    sign_tags: bool => bool = Always(true);

    /// Whether the tag of a release has to carry a signature of one of `allowed_signers`.
    verify_signatures: At<bool> => bool = VerifySignatures;

    /// Who may sign releases: lines of an OpenSSH `allowed_signers` file, and fingerprints of OpenPGP keys.
    allowed_signers: Vec<Line> => Vec<String> = Empty;

    /// Whether a deploy is refused while files in your checkout aren't committed.
    require_clean: bool => bool = Always(false);

    /// Whether a release that is older than the one that is live, by its version or as a commit that the live one was built
    /// on, is deployed without asking.
    allow_older: bool => bool = Always(false);

    /// What a person is asked for before a deploy or a rollback: `"nothing"`, a `"yes"`, or the `"name"` of the
    /// environment. Where there is no terminal, `--yes` answers.
    confirm: Confirm => Confirm = InPlayground { value: Confirm::Nothing, elsewhere: Confirm::Yes };
}

/// Signatures are of somebody.
struct VerifySignatures;

impl Rule<At<bool>, bool> for VerifySignatures {
    fn resolve(&self, typed: Option<&At<bool>>, written: &Written<'_>) -> bool {
        if let Some(At { value: true, span }) = typed
            && RulesLayer::allowed_signers(written).is_empty()
        {
            let mistake = Mistake::new("`verify_signatures` needs `allowed_signers`")
                .help("list who may sign: `allowed_signers = [\"ada@example.com ssh-ed25519 AAAA…\"]`");
            written.note_at(span, mistake);
        }
        typed.is_some_and(|verify| verify.value)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value(false.into())
    }
}

/// The names of branches, with `*` for any characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct BranchPattern(glob::Pattern);

/// A [`BranchPattern`] as it is typed.
#[derive(Debug, Clone)]
pub(in crate::config) struct BranchText(pub(in crate::config) BranchPattern);

/// What the name of a release's tag looks like.
#[derive(Debug, Clone)]
pub struct VersionPattern(regex::Regex);

/// A [`VersionPattern`] as it is typed.
#[derive(Debug, Clone)]
pub(in crate::config) struct VersionText(pub(in crate::config) VersionPattern);

/// What a person is asked for before hosts are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confirm {
    /// Nothing.
    Nothing,
    /// A yes.
    Yes,
    /// The environment's name.
    Name,
}

impl BranchPattern {
    /// Whether any branch will do.
    pub fn is_any(&self) -> bool {
        self.0.as_str() == "*"
    }

    /// Whether a branch of this name will do.
    pub fn matches(&self, branch: &str) -> bool {
        self.0.matches(branch)
    }

    /// The branch, if it is one alone.
    pub fn name(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|pattern| !pattern.contains(['*', '?', '[']))
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// A pattern that stands in this program.
    pub(in crate::config) fn fixed(text: &str) -> Self {
        BranchPattern(glob::Pattern::new(text).expect("it is a plain name or a star"))
    }
}

impl From<BranchPattern> for String {
    fn from(pattern: BranchPattern) -> String {
        pattern.0.as_str().to_string()
    }
}

impl VersionPattern {
    /// Whether a tag of this name is a release.
    pub fn matches(&self, tag: &str) -> bool {
        self.0.is_match(tag)
    }

    /// The regular expression.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Default for VersionPattern {
    /// `v1.2`, `v0.10.3`.
    fn default() -> Self {
        VersionPattern(regex::Regex::new(r"^v\d+(\.\d+)+?$").expect("it is a regular expression"))
    }
}

impl PartialEq for VersionPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for VersionPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

typed_as_text!(BranchText, VersionText);

impl FromStr for BranchText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let Argument(text) = text.parse()?;
        let pattern = glob::Pattern::new(&text).map_err(|error| {
            Mistake::new(format!("{} isn't a pattern of branches: {}", quoted(&text), error.msg))
                .help("write a branch such as `main`, or a pattern such as `release/*`")
        })?;
        match text.strip_prefix("refs/heads/").or(text.strip_prefix("origin/")) {
            Some(name) => Err(Mistake::new(format!("{} isn't the plain name of a branch", quoted(&text)))
                .help(format!("leave out where it is: `{name}`"))),
            None => Ok(BranchText(BranchPattern(pattern))),
        }
    }
}

impl FromStr for VersionText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        regex::Regex::new(text).map(|regex| VersionText(VersionPattern(regex))).map_err(|error| {
            // The last line says what is wrong; those before draw it.
            let why = error.to_string();
            let why = why.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_string();
            Mistake::new(format!("{} isn't a regular expression: {why}", quoted(text)))
                .help(r"write it in single quotes, as in '^v\d+\.\d+$'")
        })
    }
}

means_itself!(Confirm);

means! {
    BranchText => BranchPattern: BranchText(pattern) => pattern,
    VersionText => VersionPattern: VersionText(pattern) => pattern,
}

impl Valued for BranchPattern {
    fn value(&self) -> toml::Value {
        text(self.as_str())
    }
}

impl Valued for VersionPattern {
    fn value(&self) -> toml::Value {
        text(self.as_str())
    }
}

schema_of! {
    BranchText => json_schema!({ "type": "string", "pattern": "^[^-]" }),
    VersionText => json_schema!({ "type": "string", "format": "regex" }),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_names_or_patterns() {
        let fits = |pattern: &str, branch: &str| {
            BranchText::from_str(pattern).map(|BranchText(pattern)| pattern.matches(branch)).ok()
        };
        assert_eq!(fits("master", "master"), Some(true));
        assert_eq!(fits("master", "masters"), Some(false));
        assert_eq!(fits("release/*", "release/1.0"), Some(true));
        assert_eq!(fits("*", "any/thing"), Some(true));
        assert_eq!(fits("origin/master", "master"), None);
        assert_eq!(fits("", "master"), None);
        assert_eq!(fits("a***b", "master"), None);
    }

    #[test]
    fn the_default_version_is_buedafabs() {
        let versions = ["v1.0", "v0.10.3", "v1", "1.0", "v1.0-rc1", "v1.0\n", "xv1.0", ""];
        let fits = versions.map(|tag| VersionPattern::default().matches(tag));
        assert_eq!(fits, [true, true, false, false, false, false, false, false]);
    }
}
