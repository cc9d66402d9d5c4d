//! Where the code comes from, and how it reaches a host.

use serde::{Deserialize, Serialize};

use crate::config::area::area;
use crate::config::rule::{Always, Empty, Noted, Unset, means_itself};
use crate::config::values::{Argument, Line, Url};

/// How a commit reaches a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceName {
    /// The host fetches from the git remote.
    Fetch,
}

means_itself!(SourceName);

area! {
    /// Where the code comes from.
    source: SourceSettings, SourceLayer, "Where the code comes from";

    /// The git remote's URL, as the hosts reach it.
    scm: Argument => Option<String> = Unset("the URL of `master_remote` in your checkout"), example r#""git@github.com:bueda/five.git""#;

    /// The repository's page, for links in reports.
    scm_http_url: Url => Option<String> = Unset("none"), example r#""https://github.com/bueda/five""#;

    /// Lines of a `known_hosts` file that pin the git server's keys.
    scm_known_hosts: Vec<Line> => Vec<String> = Noted(Empty, "the host's own files decide");

    /// Whether your SSH agent is lent to the step that fetches from the git remote.
    forward_agent: bool => bool = Always(false);

    /// The remote in your checkout that a commit has to be on.
    master_remote: Argument => String = Always("origin");

    /// What is deployed when nothing is named.
    default_revision: Argument => String = Always("HEAD"), example r#""main""#;

    /// How a commit reaches a host.
    source as method: SourceName => SourceName = Always(SourceName::Fetch);
}
