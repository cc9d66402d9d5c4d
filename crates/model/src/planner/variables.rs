//! What commands of the app find in their environment.

use std::collections::BTreeMap;

use super::{RunContext, SeenHost};
use crate::config::Settings;
use crate::names::{HostPath, SlotName};
use crate::plan::Target;
use crate::release::Release;

/// What every app command finds in its environment.
pub(super) fn variables(
    settings: &Settings,
    context: &RunContext,
    seen: SeenHost<'_>,
    target: &Target,
) -> BTreeMap<String, String> {
    let directory = settings.layout(seen.host).slot(&target.slot);
    common_variables(settings, context, seen, Some(&target.slot), Some(&target.release), &directory)
}

/// The same, where the release may have no name and lie in no slot.
pub(super) fn common_variables(
    settings: &Settings,
    context: &RunContext,
    seen: SeenHost<'_>,
    slot: Option<&SlotName>,
    release: Option<&Release>,
    directory: &HostPath,
) -> BTreeMap<String, String> {
    let layout = settings.layout(seen.host);
    let roles = seen.host.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(",");
    let mut variables = settings.variables.clone();
    let mut set = |name: &str, value: &str| drop(variables.insert(name.to_owned(), value.to_owned()));
    set("DEPLOYMENT_TYPE", &settings.deployment_type);
    set("BUEDAFAB_BY", &context.by);
    set("BUEDAFAB_COMMIT", release.map_or("", |release| release.commit.as_str()));
    set("BUEDAFAB_DESCRIBE", release.map_or("", |release| release.describe.as_str()));
    set("BUEDAFAB_ENVIRONMENT", settings.environment.as_str());
    set("BUEDAFAB_HOST", seen.host.name.as_str());
    set("BUEDAFAB_PATH", layout.path.as_str());
    set(
        "BUEDAFAB_PREVIOUS_COMMIT",
        seen.facts.live().map_or(String::new(), |r| r.commit.to_string()).as_str(),
    );
    set("BUEDAFAB_RELEASE_PATH", directory.as_str());
    set("BUEDAFAB_ROLES", &roles);
    set("BUEDAFAB_RUN", context.run.as_str());
    set("BUEDAFAB_SLOT", slot.map_or("", SlotName::as_str));
    set("BUEDAFAB_TAG", release.and_then(|release| release.tag.as_deref()).unwrap_or_default());
    set("BUEDAFAB_UNIT", settings.unit.as_str());
    variables
}
