//! From actions to shell: pure, and the only place where shell text is made.

mod quote;
mod render;

pub use quote::{quote, quote_words};
pub use render::{render_phases, render_revert, render_step};
