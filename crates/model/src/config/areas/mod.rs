//! The settings by area, a file each: what may be typed and what it means, its default, its example, and what it can't be
//! together with.
//!
//! A setting that is added to one of these files is merged, read, checked, shown and documented.

mod app;
mod connection;
mod crontab;
mod developer;
mod django;
mod drain;
mod health;
mod hooks;
mod hosts;
mod inventory;
mod layout;
mod limits;
mod maintenance;
mod notify;
mod python;
mod rollout;
mod rules;
mod services;
mod shared;
mod source;
mod tasks;
mod users;
mod version;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap, Serializer};
use toml::Spanned;
use toml::de::DeTable;

pub use app::AppSettings;
pub use connection::ConnectionSettings;
pub use crontab::CrontabSettings;
pub use developer::DeveloperSettings;
pub use django::DjangoSettings;
pub use drain::DrainSettings;
pub use health::HealthSettings;
pub use hooks::HookSettings;
pub use inventory::{AddressKind, HostSourceSettings, InventoryPlace, InventorySettings};
pub use layout::{LayoutSettings, StrategyName};
pub use limits::LimitsSettings;
pub use maintenance::MaintenanceSettings;
pub use python::{PythonBase, PythonSettings};
pub use rollout::{MostUnreachable, OnWaveFailure, RolloutSettings, Unreachable, WaveSize};
pub use rules::{BranchPattern, Confirm, RulesSettings, VersionPattern};
pub use services::ServicesSettings;
pub use shared::SharedSettings;
pub use source::{SourceName, SourceSettings};
pub use tasks::{Task, TaskTarget};
pub use users::UsersSettings;
pub use version::VersionSettings;
pub use watch::WatchSettings;

pub(super) use app::AppLayer;
pub(super) use connection::ConnectionLayer;
pub(super) use crontab::CrontabLayer;
pub(super) use hooks::{HooksKey, HooksLayer, LocalHooksLayer};
pub(super) use inventory::{InventoryLayer, SOURCES};
pub(super) use limits::LimitsLayer;
pub(super) use notify::{NotifyKey, SECRET_KEYS};
pub(super) use rules::RulesLayer;
pub(super) use shared::SharedLayer;
pub(super) use source::SourceLayer;
pub(super) use tasks::TasksKey;
pub(super) use users::UsersLayer;

use super::area::{Area, AreaLayer, AreaReference};
use super::diagnostics::Diagnostic;
use super::read::{read_keys, refuse_unknown};
use super::rule::Written;
use super::schema::AreaSchema;
use super::show::Out;
use crate::app::notify::Notify;
use crate::host::Host;
use crate::names::{EnvironmentName, TaskName};

/// Makes of a list of areas: the layer with all that may be typed, the settings with all that is meant, and what goes
/// through all of them.
macro_rules! areas {
    ($($(#[$doc:meta])* $area:ident: $Area:ty,)*) => {
        /// Settings as they were typed. All are optional; what is typed in an environment goes before what is typed at the
        /// top.
        #[derive(Debug, Clone, Default)]
        pub(super) struct Layer {
            $(pub(super) $area: <$Area as Area>::Layer,)*
            /// The keys with a value that couldn't be read, and those that were probably meant by unknown ones.
            pub(super) unread: BTreeSet<String>,
        }

        impl Layer {
            /// Reads a table, area by area. Whatever is wrong with it is added to the diagnostics.
            pub(super) fn read(table: Spanned<DeTable<'_>>, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Layer {
                let span = table.span();
                let mut table = table.into_inner();
                let mut unread = BTreeSet::new();
                $(let $area = read_keys(&mut table, &span, text, &mut unread, diagnostics);)*
                refuse_unknown(&table, &mut unread, diagnostics);
                Layer { $($area,)* unread }
            }

            /// This layer, with the gaps filled from the one below it. Tables are merged key by key; any other value
            /// replaces the one below.
            pub(super) fn over(self, below: Layer) -> Layer {
                Layer {
                    $($area: AreaLayer::over(self.$area, below.$area),)*
                    unread: self.unread.into_iter().chain(below.unread).collect(),
                }
            }

            /// This layer over another one. Where it says itself where hosts are, the other one's are another place's.
            pub(super) fn over_place(self, below: Layer) -> Layer {
                if !(self.hosts.hosts.is_some() || self.inventory.names_hosts()) {
                    return self.over(below);
                }
                let Layer { mut hosts, inventory, .. } = below;
                hosts.hosts = None;
                self.over(Layer { hosts, inventory: inventory.without_hosts(), ..below })
            }

            /// The schemas of all areas.
            pub(super) fn schemas() -> Vec<AreaSchema> {
                vec![$(AreaSchema::of::<<$Area as Area>::Layer>()),*]
            }
        }

        /// All settings of one environment, by area. What was typed is a `Layer`; this is what was meant.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Settings {
            /// The environment that these settings are of.
            pub environment: EnvironmentName,
            $($(#[$doc])* pub $area: $Area,)*
        }

        impl Settings {
            /// What it all means. Whatever is wrong is noted in what was written.
            pub(super) fn resolve(written: &Written<'_>) -> Settings {
                Settings { environment: written.environment().clone(), $($area: Area::resolve(written),)* }
            }

            pub(super) fn show_entries(&self, out: &mut Out) {
                $(Area::show_entries(&self.$area, out);)*
            }

            pub(super) fn show_tables(&self, table: &str, out: &mut Out) {
                $(Area::show_tables(&self.$area, table, out);)*
            }
        }

        /// Flat, as in the file.
        impl Serialize for Settings {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("environment", &self.environment)?;
                $(Area::serialize_into(&self.$area, &mut map)?;)*
                map.end()
            }
        }

        /// What the reference says about every setting, area by area, in the order in which a person meets them.
        pub fn reference() -> Vec<AreaReference> {
            vec![$(<<$Area as Area>::Layer>::reference()),*]
        }
    };
}

areas! {
    /// The app itself.
    app: AppSettings,
    /// Where the code comes from.
    source: SourceSettings,
    /// What may be deployed.
    rules: RulesSettings,
    /// Where the app says which release it runs.
    version: VersionSettings,
    /// How it is found out whether the app is well.
    health: HealthSettings,
    /// What is done in a developer's checkout.
    developer: DeveloperSettings,
    /// Virtualenvs.
    python: PythonSettings,
    /// What only apps of Django have.
    django: DjangoSettings,
    /// What outlives releases.
    shared: SharedSettings,
    /// The app's periodic jobs.
    crontab: CrontabSettings,
    /// How visitors are told of maintenance.
    maintenance: MaintenanceSettings,
    /// The layout on a host.
    layout: LayoutSettings,
    /// Who does what on a host.
    users: UsersSettings,
    /// What runs of the app, and how it is restarted.
    services: ServicesSettings,
    /// How several hosts are deployed together.
    rollout: RolloutSettings,
    /// Numbers that decide while a wave bakes.
    watch: WatchSettings,
    /// How hosts are taken out of traffic while they change.
    drain: DrainSettings,
    /// The connections to hosts.
    connection: ConnectionSettings,
    /// How long things may take.
    limits: LimitsSettings,
    /// Shell commands at named points of a run.
    hooks: HookSettings,
    /// Who is told of runs.
    notify: Vec<Notify>,
    /// Commands of the project's own.
    tasks: BTreeMap<TaskName, Task>,
    /// Who is asked for hosts.
    inventory: InventorySettings,
    /// The hosts, in the order in which they were written, and after them those that were found.
    hosts: Vec<Host>,
}
