//! `buedafab.toml`: from its text to the settings of one environment.
//!
//! [`parse`] reads a file and says all that is wrong with it at once, each mistake with the line it stands in and what to
//! write instead. [`ConfigFile::settings`] lays an environment over the top level, fills in defaults and placeholders and
//! expands the hosts; what comes out needs no further checking. Nothing here reads a file or asks a machine anything.

mod apps;
mod area;
mod areas;
mod at;
mod diagnostics;
mod edit;
mod file;
mod former;
mod lineage;
mod mistake;
mod nearest;
mod path;
mod read;
mod release_file;
mod rule;
mod schema;
mod settings;
mod show;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod values;

pub use apps::{APP_KEYS, AppInEnvironment, SettingsByHost};
pub use area::{AreaReference, SettingReference};
pub use areas::{
    AddressKind, AppSettings, BranchPattern, Confirm, ConnectionSettings, CrontabSettings, DeveloperSettings,
    DjangoSettings, DrainSettings, HealthSettings, HookSettings, HostSourceSettings, InventoryPlace,
    InventorySettings, LayoutSettings, LimitsSettings, MaintenanceSettings, MostUnreachable, OnWaveFailure,
    PythonBase, PythonSettings, RolloutSettings, RulesSettings, ServicesSettings, Settings, SharedSettings,
    SourceName, SourceSettings, StrategyName, Task, TaskTarget, Unreachable, UsersSettings, VersionPattern,
    VersionSettings, WatchSettings, WaveSize, reference,
};
pub use diagnostics::{Diagnostic, Diagnostics};
pub use edit::with_strategy;
pub use file::{ConfigFile, parse};
pub use former::FORMER_KEYS;
pub use nearest::nearest;
pub use release_file::ReleaseSettings;
pub use rule::DefaultValue;
pub use schema::schema;
pub use show::show;
