//! A run: what to do next given what has happened, what is told of it, and how it ended.

mod belief;
mod ending;
pub mod event;
pub mod exit_code;
pub mod log;
pub mod mask;
pub mod message;
pub mod outcome;
mod settle;
pub mod state;
mod traffic;
