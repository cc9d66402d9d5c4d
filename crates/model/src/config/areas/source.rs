//! Where the code comes from, and how it reaches a host.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use schemars::json_schema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use super::AppLayer;
use super::layout::{LayoutLayer, StrategyName};
use crate::app::archive::Artifact;
use crate::config::area::area;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::rule::{Always, DefaultValue, Rule, Typed, Unset, Written, means, means_itself};
use crate::config::show::Valued;
use crate::config::template::Template;
use crate::config::values::{Argument, Bounded, FilePath, Line, Url, schema_of};

/// How a commit reaches a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceName {
    /// The host fetches from the git remote.
    #[default]
    Fetch,
    /// The deployer sends what the host lacks, as a git bundle.
    Bundle,
    /// The deployer packs the release's files once, and sends them to all hosts.
    Archive,
}

means_itself!(SourceName);

area! {
    /// Where the code comes from.
    source: SourceSettings, SourceLayer, "Where the code comes from";

    /// The git remote's URL, as whoever fetches from it reaches it: the hosts, or with the source `"bundle"` this machine.
    scm: Argument => Option<String> = Unset("the URL of `master_remote` in your checkout"), example r#""git@github.com:bueda/five.git""#;

    /// The repository's page, for links in reports.
    scm_http_url: Url => Option<String> = Unset("none"), example r#""https://github.com/bueda/five""#;

    /// Lines of a `known_hosts` file that pin the git server's keys.
    scm_known_hosts: At<Vec<Line>> => Vec<String> = KnownHosts;

    /// Whether your SSH agent is lent to the step that fetches from the git remote.
    forward_agent: At<bool> => bool = ForwardAgent;

    /// The remote in your checkout that a commit has to be on.
    master_remote: Argument => String = Always("origin");

    /// A ref of `master_remote` that moves with every deploy and rollback of all hosts, so that git tells what is live where: `true` is
    /// `"refs/deployed/{environment}"`. `{environment}` and `{unit}` may stand in it. Not moved, unless it is set.
    deployed_ref: At<DeployedRefText> => Option<String> = DeployedRef, example "true";

    /// What is deployed when nothing is named.
    default_revision: Argument => String = Always("HEAD"), example r#""main""#;

    /// How a commit reaches a host: `"fetch"`, the host fetches it from the git remote; `"bundle"`, this machine sends each host what it
    /// lacks, so that no host needs the remote; `"archive"`, it packs the release's files once and sends all of them, so that no host
    /// needs git.
    source as method: At<SourceName> => SourceName = Method, example r#""bundle""#;

    /// How many hosts fetch from the git remote at the same time.
    fetch_concurrency: At<Bounded<1, 10000>> => Option<u32> = FetchConcurrency, example "4";

    /// Whether a new clone on a host holds only what releases take of the repository, where the git server can leave out the rest: less to
    /// fetch and to keep of one with a long history of large files. Clones that are there stay as they are.
    partial_clone: At<bool> => bool = PartialClone;

    /// What the archive of a release holds besides the files of its commit: a file or folder of the project, say
    /// `"target/release/five"`, which `[hooks.local] build` has made, or which lies in your checkout; or the address of a file, with `artifact_sha256`: a tar
    /// archive is unpacked, and anything else is put at the root of the project.
    artifact: At<ArtifactText> => Option<String> = OfAnArchive;

    /// The check sum of what is at the address in `artifact`, 64 hexadecimal digits.
    artifact_sha256: At<CheckSumText> => Option<String> = OfAnAddress;
}

/// A name of a ref with placeholders; `true` is the usual one.
#[derive(Debug, Clone)]
pub(in crate::config) struct DeployedRefText(Option<Template>);

/// The ref that `true` stands for.
const USUAL_REF: &str = "refs/deployed/{environment}";

impl FromStr for DeployedRefText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let template = Template::parse(text, &["environment", "unit"])?;
        let bad = |why: &str| {
            Mistake::new(format!("{} {why}", quoted(text)))
                .help(format!("write `true`, or a name such as `{USUAL_REF:?}`"))
        };
        let rest = text
            .strip_prefix("refs/")
            .ok_or_else(|| bad("isn't the name of a ref: these begin with `refs/`"))?;
        if let Some(kind) =
            ["heads", "tags", "remotes"].iter().find(|kind| rest.split('/').next() == Some(**kind))
        {
            return Err(bad(&format!("would be taken for one of your own: `refs/{kind}` isn't for this")));
        }
        let is_word = |word: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_-.{}".contains(c);
            !word.is_empty()
                && word.chars().all(fits)
                && !word.starts_with(['.', '-'])
                && !word.ends_with('.')
                && !word.ends_with(".lock")
                && !word.contains("..")
        };
        if !rest.contains('/') || !rest.split('/').all(is_word) {
            return Err(bad("isn't a name that git takes for a ref"));
        }
        Ok(DeployedRefText(Some(template)))
    }
}

impl<'de> Deserialize<'de> for DeployedRefText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RefVisitor;

        impl Visitor<'_> for RefVisitor {
            type Value = DeployedRefText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false` or the name of a ref")
            }

            fn visit_bool<E: serde::de::Error>(self, is_wanted: bool) -> Result<DeployedRefText, E> {
                Ok(match is_wanted {
                    true => USUAL_REF.parse().map_err(Mistake::into_error)?,
                    false => DeployedRefText(None),
                })
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DeployedRefText, E> {
                text.parse().map_err(Mistake::into_error)
            }
        }

        deserializer.deserialize_any(RefVisitor)
    }
}

struct DeployedRef;

impl Rule<At<DeployedRefText>, Option<String>> for DeployedRef {
    fn resolve(&self, typed: Option<&At<DeployedRefText>>, written: &Written<'_>) -> Option<String> {
        let At { value: DeployedRefText(template), span } = typed?;
        let template = template.as_ref()?;
        let unit = AppLayer::unit(written);
        let filled = template.fill(written.common(&unit));
        // What stands at the top level is every environment's.
        let other =
            template.fill(|name| if name == "environment" { Some("another") } else { Some(unit.as_str()) });
        if written.own.source.deployed_ref.is_none() && filled == other {
            let mistake = Mistake::new("each environment would move the same ref")
                .help("let `{environment}` stand in it, or write it in one environment");
            written.note_at(span, mistake);
        }
        filled.ok()
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("none")
    }
}

struct Method;

impl Rule<At<SourceName>, SourceName> for Method {
    fn resolve(&self, typed: Option<&At<SourceName>>, written: &Written<'_>) -> SourceName {
        let Some(At { value, span }) = typed else { return SourceName::Fetch };
        if *value == SourceName::Archive && LayoutLayer::strategy(written) == StrategyName::InPlace {
            let mistake = Mistake::new("with the strategy \"in-place\" git checks out what is deployed, and an archive has none of it")
                .help("choose the source \"bundle\", which needs no git server either, or the strategy \"ab\"");
            written.note_at(span, mistake);
        }
        *value
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value(SourceName::Fetch.value())
    }
}

/// What only means something where hosts ask the git remote themselves.
fn only_where_hosts_fetch(written: &Written<'_>, span: &Range<usize>, what: &str) {
    let source = match SourceLayer::source(written) {
        SourceName::Fetch => return,
        SourceName::Bundle => "bundle",
        SourceName::Archive => "archive",
    };
    let mistake = Mistake::new(format!("with the source {source:?} {what}"))
        .help("take it out, or choose the source \"fetch\"");
    written.note_at(span, mistake);
}

struct KnownHosts;

impl Rule<At<Vec<Line>>, Vec<String>> for KnownHosts {
    fn resolve(&self, typed: Option<&At<Vec<Line>>>, written: &Written<'_>) -> Vec<String> {
        let Some(typed) = typed else { return Vec::new() };
        if !typed.value.is_empty() {
            only_where_hosts_fetch(
                written,
                &typed.span,
                "no host asks the git server, so there are no keys to pin",
            );
        }
        typed.clone().meaning()
    }

    fn default_value(&self) -> Option<DefaultValue> {
        let words = Some("the host's own files decide".to_owned());
        Some(DefaultValue { value: Some(Vec::<String>::new().value()), words })
    }
}

struct ForwardAgent;

impl Rule<At<bool>, bool> for ForwardAgent {
    fn resolve(&self, typed: Option<&At<bool>>, written: &Written<'_>) -> bool {
        let Some(At { value, span }) = typed else { return false };
        // An installer may need it for packages that come from git.
        if *value && !AppLayer::recipe(written).is_python() {
            only_where_hosts_fetch(
                written,
                span,
                "no host asks the git server, so there is no use for your agent",
            );
        }
        *value
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value(false.into())
    }
}

struct FetchConcurrency;

impl Rule<At<Bounded<1, 10000>>, Option<u32>> for FetchConcurrency {
    fn resolve(&self, typed: Option<&At<Bounded<1, 10000>>>, written: &Written<'_>) -> Option<u32> {
        let typed = typed?;
        only_where_hosts_fetch(written, &typed.span, "no host fetches from the git remote");
        Some(typed.clone().meaning())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("all at once")
    }
}

struct PartialClone;

impl Rule<At<bool>, bool> for PartialClone {
    fn resolve(&self, typed: Option<&At<bool>>, written: &Written<'_>) -> bool {
        let Some(At { value: true, span }) = typed else { return false };
        only_where_hosts_fetch(
            written,
            span,
            "hosts get no more than they lack, and ask no git server for the rest",
        );
        true
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value(false.value())
    }
}

/// A file or folder of the project, or an address.
#[derive(Debug, Clone)]
pub(in crate::config) struct ArtifactText(String);

/// A SHA-256 check sum.
#[derive(Debug, Clone)]
pub(in crate::config) struct CheckSumText(String);

typed_as_text!(ArtifactText, CheckSumText);

means! {
    DeployedRefText => DeployedRefText: itself => itself,
    ArtifactText => String: ArtifactText(text) => text,
    CheckSumText => String: CheckSumText(text) => text,
}

schema_of! {
    DeployedRefText => json_schema!({ "anyOf": [{ "type": "boolean" }, { "type": "string", "pattern": "^refs/.+/.+" }] }),
    ArtifactText => json_schema!({ "type": "string", "pattern": "^[^-]" }),
    CheckSumText => json_schema!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" }),
}

impl FromStr for ArtifactText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        if !text.contains("://") {
            return text.parse().map(|FilePath(path)| ArtifactText(path));
        }
        let Url(url) = text.parse()?;
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
            return Err(Mistake::new("a name and a password can't stand in this address: plans show it")
                .help("curl, which fetches it, finds them in ~/.netrc"));
        }
        if Artifact::file_name(&url).is_none() {
            return Err(Mistake::new(format!("{} doesn't say which file it is", quoted(text)))
                .help("write the whole address: `https://ci.example.com/five-1.2.tar.gz`"));
        }
        Ok(ArtifactText(url))
    }
}

impl FromStr for CheckSumText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        if hex::decode_to_slice(text, &mut [0; 32]).is_err() {
            return Err(Mistake::new(format!("{} isn't a SHA-256 check sum", quoted(text)))
                .help("64 hexadecimal digits, as `sha256sum` prints them"));
        }
        Ok(CheckSumText(text.to_ascii_lowercase()))
    }
}

/// What only an archive holds.
struct OfAnArchive;

impl Rule<At<ArtifactText>, Option<String>> for OfAnArchive {
    fn resolve(&self, typed: Option<&At<ArtifactText>>, written: &Written<'_>) -> Option<String> {
        let At { value: ArtifactText(artifact), span } = typed?;
        if SourceLayer::source(written) != SourceName::Archive {
            let mistake = Mistake::new("only an archive holds what no commit has")
                .help("write `source = \"archive\"`, or leave it out");
            written.note_at(span, mistake);
        }
        if artifact.contains("://") && written.all.source.artifact_sha256.is_none() {
            let mistake = Mistake::new("what comes from an address needs its check sum: without it, whoever can write there decides what you run")
                .help("add `artifact_sha256`, as `sha256sum` prints it");
            written.note_at(span, mistake);
        }
        Some(artifact.clone())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("none")
    }
}

/// What nothing but an address needs.
struct OfAnAddress;

impl Rule<At<CheckSumText>, Option<String>> for OfAnAddress {
    fn resolve(&self, typed: Option<&At<CheckSumText>>, written: &Written<'_>) -> Option<String> {
        let At { value: CheckSumText(sum), span } = typed?;
        let artifact = written.all.source.artifact.as_ref();
        if !artifact.is_some_and(|artifact| artifact.value.0.contains("://")) {
            written.rests_on("artifact");
            let mistake = Mistake::new("this is the check sum of nothing: `artifact` is no address")
                .help("leave it out: what is made on your own machine is packed as it is");
            written.note_at(span, mistake);
        }
        Some(sum.clone())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("none")
    }
}

impl SourceSettings {
    /// What an archive holds besides the files of the commit.
    pub fn artifact(&self) -> Option<Artifact> {
        let artifact = self.artifact.clone()?;
        Some(match &self.artifact_sha256 {
            Some(sha256) => Artifact::Address { url: artifact, sha256: sha256.clone() },
            None => Artifact::Path { path: artifact },
        })
    }
}
