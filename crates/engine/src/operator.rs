//! The operator, who runs it all, and which run this is.

use std::collections::BTreeSet;

use buedafab_model::names::RunId;
use buedafab_model::planner::RunContext;
use jiff::Timestamp;

use crate::process::program;
use crate::random_word;

/// The context of a run that begins now.
pub fn new_run() -> RunContext {
    let at = Timestamp::now();
    let day = at.strftime("%Y%m%d-%H%M%S");
    let run = RunId::new(format!("{day}-{}", random_word(4))).expect("letters, digits and dashes");
    RunContext {
        run,
        at: at.round(jiff::Unit::Second).unwrap_or(at),
        by: person_and_machine(),
        skipped: Vec::new(),
        in_traffic: BTreeSet::new(),
    }
}

/// `ada@laptop`.
fn person_and_machine() -> String {
    let named =
        ["LOGNAME", "USER"].iter().filter_map(|name| std::env::var(name).ok()).find(|name| !name.is_empty());
    let person =
        named.or_else(account_name).unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()));
    let machine = rustix::system::uname();
    format!("{person}@{}", machine.nodename().to_string_lossy())
}

/// The account's name, where the environment doesn't say it, as under cron.
fn account_name() -> Option<String> {
    let output = program("id").arg("-un").output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}
