//! From actions to shell: pure, and the only place where shell text is made.

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
