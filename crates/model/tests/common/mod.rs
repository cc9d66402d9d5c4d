//! What the tests of plans share.

#![allow(dead_code)]

use buedafab_model::config::{Settings, parse};
use buedafab_model::lint::lint;
use buedafab_model::names::{CommitId, EnvironmentName, RunId};
use buedafab_model::plan::Plan;
use buedafab_model::planner::RunContext;
use buedafab_model::release::Release;
use jiff::Timestamp;

/// The settings of the environment `production` of a `buedafab.toml`.
#[track_caller]
pub(crate) fn settings(text: &str) -> Settings {
    let production = EnvironmentName::new("production").expect("a word");
    match parse("buedafab.toml", text).and_then(|file| file.settings(&production)) {
        Ok(settings) => settings,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// Release 3 is the tag v3 on the commit 3333….
pub(crate) fn release(number: u8) -> Release {
    let commit = format!("{number:x}").repeat(40)[..40].to_owned();
    let tag = format!("v{number}");
    Release { commit: CommitId::new(commit).expect("40 digits"), describe: tag.clone(), tag: Some(tag) }
}

/// Run 7 begins at seven minutes past midnight.
pub(crate) fn run(number: u32) -> RunContext {
    let midnight: Timestamp = "2026-11-05T00:00:00Z".parse().expect("a time");
    RunContext {
        run: RunId::new(format!("r{number}")).expect("a word"),
        at: midnight + jiff::SignedDuration::from_mins(number.into()),
        by: "ada@laptop".to_owned(),
    }
}

pub(crate) const URL: &str = "git@git.example.com:bueda/five.git";

/// No plan may be harmful, whatever it was made from.
#[track_caller]
pub(crate) fn assert_lints(plan: &Plan) {
    let findings = lint(plan);
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
