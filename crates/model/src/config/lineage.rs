//! An environment and those that it extends.

use crate::names::EnvironmentName;

/// The environments that exist without a word about them.
pub(super) const BUILT_IN: [&str; 4] = ["localhost", "development", "staging", "production"];

/// An environment and those that it extends, the nearest first.
pub(super) struct Lineage(pub(super) Vec<EnvironmentName>);

impl Lineage {
    pub(super) fn environment(&self) -> &EnvironmentName {
        &self.0[0]
    }

    /// The built-in environment whose defaults hold: the nearest one.
    pub(super) fn kind(&self) -> Option<&str> {
        self.0.iter().map(EnvironmentName::as_str).find(|name| BUILT_IN.contains(name))
    }

    /// The same, or else the name of the project's own kind.
    pub(super) fn kind_or_name(&self) -> &str {
        self.kind().unwrap_or(self.environment().as_str())
    }

    /// Whether it is there to be played with.
    pub(super) fn is_playground(&self) -> bool {
        matches!(self.kind(), Some("localhost" | "development"))
    }

    pub(super) fn is_production(&self) -> bool {
        self.kind() == Some("production")
    }
}
