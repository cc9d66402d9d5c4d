//! From facts to plans, and to the reasons why not.

mod anything;
#[path = "../common/mod.rs"]
mod common;
mod deployer;
mod deploys;
mod fleets;
mod level;
mod links;
mod refused;
mod rollbacks;
mod work;

use buedafab_model::app::maintenance::MaintenanceRecord;
use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::host::facts::{Capacity, CurrentLink, HostFacts, Lock, SlotFacts};
use buedafab_model::host::record::{Hold, LockHolder, PendingSwitch, SlotState};
use buedafab_model::host::running::UnitFacts;
use buedafab_model::names::SlotName;
use buedafab_model::plan::action::Schema;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Found, Plan};
use buedafab_model::planner::{
    DeployRequest, RollbackRequest, SeenHost, plan_deploy, plan_hold, plan_maintenance, plan_recover,
    plan_restart, plan_rollback, plan_run, plan_unhold,
};
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;
use proptest::prelude::*;

use common::{
    Seen, URL, assert_sound, bare, check, deploy, deploy_as, difference, fleet, live, plain_deploy,
    plain_rollback, release, request, rollback, run, second, seen,
};
