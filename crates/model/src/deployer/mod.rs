//! The machine that deploys: its checkout, what may be deployed from there, and what is done on it.

pub mod action;
pub mod checkout;
pub mod developer;
pub mod rules;
pub mod version;
