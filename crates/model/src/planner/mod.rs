//! From configuration and facts to a plan, or to the reasons why not. Pure: time, names and ids come in as arguments.

mod adopt;
mod archive;
mod assemble;
mod bake;
mod context;
mod cutover;
mod deploy;
mod diagnosis;
mod examine;
mod in_place;
mod logs;
mod look;
mod maintenance;
mod migrations;
mod numbers;
mod prepare;
mod reach;
mod recover;
mod rehearse;
mod resolved;
mod retire;
mod rollback;
mod services;
mod sources;
mod surroundings;
mod switch;
mod together;
mod traffic;
pub(crate) mod virtualenv;
mod waits;
mod watch;
mod waves;
mod work;

pub use adopt::{plan_adopt, plan_migrate_layout, plan_put_layout_back, plan_unadopt};
pub use archive::Workshop;
pub use assemble::DeployedRef;
pub use context::{RunContext, SeenHost};
pub use deploy::{DeployRequest, plan_deploy};
pub use diagnosis::diagnose_host;
pub use examine::same_folders;
pub use logs::{NoLogs, names_on, plan_logs};
pub use look::look_script;
pub use maintenance::plan_maintenance;
pub use migrations::UndoQuestion;
pub use reach::{UnreachableHost, without_unreachable};
pub use recover::plan_recover;
pub use retire::{gone_host, plan_forget, plan_retire, settings_without_services};
pub use rollback::{
    Preparation, RollbackRequest, plan_rollback, releases_not_kept, rollback_preparation, undo_question,
};
pub use sources::{WantedBundles, wanted_bundles};
pub use together::{plan_deploy_together, plan_for_each_app, what_stays};
pub use traffic::{plan_drain, plan_forget_drain, plan_undrain};
pub use work::{
    PutPlace, plan_env, plan_env_list, plan_hold, plan_put, plan_restart, plan_run, plan_task, plan_unhold,
};
