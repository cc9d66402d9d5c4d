//! What is done about hosts that can't be reached.

use crate::config::{Settings, Unreachable};
use crate::names::HostName;
use crate::plan::refusal::Refusal;

/// A host that couldn't be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreachableHost {
    /// Which.
    pub host: HostName,
    /// Why, in the words of whoever knows.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What speaks against a plan as long as these hosts can't be reached. A fleet changes together or not at all, and a host
/// that nobody can ask can't be told either.
pub fn without_unreachable(settings: &Settings, unreachable: &[UnreachableHost]) -> Result<(), Vec<Refusal>> {
    if unreachable.is_empty() {
        return Ok(());
    }
    let Unreachable::Fail = settings.rollout.unreachable;
    let refusal = |UnreachableHost { host, why, hint }: &UnreachableHost| Refusal::Unreachable {
        host: host.clone(),
        why: why.clone(),
        hint: hint.clone(),
    };
    Err(unreachable.iter().map(refusal).collect())
}
