//! The commands, one file each.

pub(crate) mod adopt;
pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod disconnect;
pub(crate) mod env;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod init;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod maintenance;
pub(crate) mod manage;
pub(crate) mod migrate_layout;
pub(crate) mod put;
pub(crate) mod recipe;
pub(crate) mod recover;
pub(crate) mod restart;
pub(crate) mod retire;
pub(crate) mod rollback;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod shell;
pub(crate) mod status;
pub(crate) mod task;
pub(crate) mod test;

/// How many hosts, in words.
pub(crate) fn count_hosts(count: usize) -> String {
    if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") }
}
