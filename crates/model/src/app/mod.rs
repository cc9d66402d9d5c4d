//! What is deployed: the kind of app, its services and their files, its hooks, packages, variables and pages.

pub mod archive;
pub mod bundle;
pub mod clear_text;
pub mod crontab;
pub mod env_file;
pub mod health;
pub mod hooks;
pub mod logs;
pub mod maintenance;
pub mod mask;
pub mod migration;
pub mod notify;
pub mod owner;
pub mod package;
pub mod placeholder;
pub mod recipe;
pub mod remote_url;
pub mod resolved;
pub mod run_as;
pub mod service;
pub mod service_file;
pub mod sparse;
pub mod template;
pub mod text;
pub mod traffic;
pub mod virtualenv;
