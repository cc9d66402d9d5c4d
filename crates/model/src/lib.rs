//! What buedafab decides.
//!
//! Configuration and facts go in, plans and events come out. Nothing here reads a file, opens a connection, looks at
//! a clock or throws dice: time, ids and what was seen are arguments.

pub mod action;
pub mod app_version;
pub mod checkout;
pub mod config;
pub mod developer;
pub mod env_file;
pub mod event;
pub mod facts;
pub mod inspect;
pub mod layout;
pub mod lint;
pub mod local;
pub mod machine;
pub mod maintenance;
pub mod names;
pub mod outcome;
pub mod package;
pub mod plan;
pub mod planner;
pub mod recipe;
pub mod record;
pub mod refusal;
pub mod release;
pub mod rules;
pub mod service_file;
pub mod shell;
pub mod simulate;
pub mod strategy;
pub mod template;
pub mod version;
pub mod view;
pub mod virtualenv;
