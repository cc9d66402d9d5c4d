//! From actions to shell: pure, and the only place where shell text is made.

/// A script of this folder, as hosts get it.
macro_rules! script {
    ($name:literal) => {
        $crate::shell::without_comments(include_str!(concat!("scripts/", $name, ".sh")))
    };
}

mod app;
mod git;
mod local;
mod python;
mod quote;
mod render;
mod service;
mod user;

pub use app::app_shell;
pub use local::{render_local, render_local_undo, verify_tag};
pub use quote::{quote, quote_words, typed_words};
pub use render::{render_phases, render_revert, render_step};

/// The same program without what is written for those who work on it: a plan is long enough to read, and a first packet
/// holds more of it.
pub fn without_comments(source: &str) -> String {
    let is_said = |line: &&str| !line.trim_start().starts_with('#') && !line.trim().is_empty();
    source.lines().filter(is_said).map(|line| format!("{line}\n")).collect()
}
