//! From actions to shell: pure, and the only place where shell text is made.

/// A script of this folder, as hosts get it.
macro_rules! script {
    ($name:literal) => {
        $crate::shell::without_comments(include_str!(concat!("scripts/", $name, ".sh")))
    };
}

mod app;
mod archive;
mod ask;
mod check;
mod command;
mod deployer;
mod frame;
mod git;
mod group;
mod health;
pub mod inspect;
mod logs;
mod old_template;
mod python;
mod quote;
pub mod recipe;
mod record;
mod resolved;
mod service;
pub(crate) mod service_file;
mod traffic;
mod user;
mod watch;

pub use check::{LONGEST_STEP, check_plan};
pub(crate) use command::lasting_surroundings;
pub(crate) use command::list_variables;
pub use command::{SessionIn, app_shell, login_shell, manage_shell};
pub use deployer::{render_deployer, verify_tag};
pub use frame::{render_look, render_on_failure, render_phases, render_revert, render_step};
pub use git::{environment_of_git, list_lfs_files};
pub use group::umask;
pub use python::ask_for_migrations;
pub(crate) use python::look_for_migrations;
pub use quote::{quote, quote_words, typed_words, words_for_printf};

/// The same program without what is written for those who work on it: a plan is long enough to read, and a first packet
/// holds more of it.
pub fn without_comments(source: &str) -> String {
    let is_said = |line: &&str| !line.trim_start().starts_with('#') && !line.trim().is_empty();
    source.lines().filter(is_said).map(|line| format!("{line}\n")).collect()
}
