//! `buedafab.toml`: from its text to the settings of one environment.
//!
//! [`parse`] reads a file and says all that is wrong with it at once, each mistake with the line it stands in and what to
//! write instead. [`ConfigFile::settings`] lays an environment over the top level, fills in defaults and placeholders and
//! expands the hosts; what comes out needs no further checking. Nothing here reads a file or asks a machine anything.

mod at;
mod connect;
mod diagnostics;
mod expand;
mod file;
mod hosts;
mod layer;
mod mistake;
mod nearest;
mod path;
mod pattern;
mod python;
mod read;
mod release;
mod resolve;
mod schema;
mod service;
mod settings;
mod show;
mod syntax;
mod task;
mod template;
#[cfg(test)]
mod tests;
mod values;
mod version_url;
mod waves;

pub use diagnostics::{Diagnostic, Diagnostics};
pub use file::{ConfigFile, parse};
pub use layer::Layer;
pub use release::{BranchPattern, Confirm, VersionPattern};
pub use schema::schema;
pub use settings::{Settings, SourceName, StrategyName, Unreachable, WaveSize};
pub use show::show;
pub use task::{Task, TaskTarget};
