//! Where the code comes from, and how it reaches a host.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::AppLayer;
use crate::config::area::area;
use crate::config::at::At;
use crate::config::mistake::Mistake;
use crate::config::rule::{Always, DefaultValue, Rule, Typed, Unset, Written, means_itself};
use crate::config::show::Valued;
use crate::config::values::{Argument, Bounded, Line, Url};

/// How a commit reaches a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceName {
    /// The host fetches from the git remote.
    Fetch,
    /// The deployer sends what the host lacks, as a git bundle.
    Bundle,
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

    /// What is deployed when nothing is named.
    default_revision: Argument => String = Always("HEAD"), example r#""main""#;

    /// How a commit reaches a host: `"fetch"`, the host fetches it from the git remote; `"bundle"`, this machine sends each host what it
    /// lacks, so that no host needs the remote.
    source as method: SourceName => SourceName = Always(SourceName::Fetch);

    /// How many hosts fetch from the git remote at the same time.
    fetch_concurrency: At<Bounded<1, 10000>> => Option<u32> = FetchConcurrency, example "4";
}

/// What only means something where hosts ask the git remote themselves.
fn only_where_hosts_fetch(written: &Written<'_>, span: &Range<usize>, what: &str) {
    if SourceLayer::source(written) == SourceName::Bundle {
        let mistake = Mistake::new(format!("with the source \"bundle\" {what}"))
            .help("take it out, or choose the source \"fetch\"");
        written.note_at(span, mistake);
    }
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
