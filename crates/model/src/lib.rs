//! What buedafab decides.
//!
//! Configuration and facts go in, plans and events come out. Nothing here reads a file, opens a connection, looks at
//! a clock or makes random numbers: time, ids and what was seen are arguments.
//!
//! From the ground up: names, release, app, host, config, init, deployer, plan, strategy, shell, planner, run, spans, simulate, view, notify. A
//! folder imports only what stands before it, which `tests/folders.rs` proves. `deployer` stands before `plan` because a plan
//! holds the deployer's actions, and `shell` before `planner` because unit files are rendered for the plan.

pub mod names;
pub mod release;

pub mod app;
pub mod config;
pub mod deployer;
pub mod host;
pub mod init;
pub mod notify;
pub mod plan;
pub mod planner;
pub mod run;
pub mod shell;
pub mod simulate;
pub mod spans;
pub mod strategy;
pub mod view;
