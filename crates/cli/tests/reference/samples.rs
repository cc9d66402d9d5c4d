//! What examples are made of.

use buedafab_model::names::{CommitId, EnvironmentName, HostName, RunId, Unit};
use buedafab_model::release::Release;
use jiff::Timestamp;

pub(crate) fn at() -> Timestamp {
    "2026-11-23T20:32:21.5Z".parse().expect("a time")
}

pub(crate) fn run() -> RunId {
    RunId::new("20261123-203221-ie2d").expect("a word")
}

pub(crate) fn unit() -> Unit {
    Unit::new("five").expect("a name")
}

pub(crate) fn production() -> EnvironmentName {
    EnvironmentName::new("production").expect("a word")
}

pub(crate) fn web(number: u8) -> HostName {
    HostName::new(format!("web{number}")).expect("a name")
}

pub(crate) fn release() -> Release {
    let commit = CommitId::new("5ed17b1b2bb7bae1ea611c84ada59cb77d77b850").expect("an id");
    Release::unnamed(commit).tagged("v0.2.0")
}
