//! Out of traffic and back, as the shell that does it.

use jiff::Timestamp;

use super::command::app_command_anywhere;
use super::quote;
use super::record::{replace_file, write_new};
use crate::host::layout::Layout;
use crate::host::record::DrainRecord;
use crate::names::RunId;
use crate::plan::action::{HostWay, TrafficAction};

pub(super) fn render(action: &TrafficAction, layout: &Layout, run: &RunId) -> String {
    let flag = quote(layout.drained_flag().as_str());
    let ask = |way: &HostWay, by_file: String| match way {
        HostWay::File => by_file,
        HostWay::Command { command, around } => {
            format!("sh -c {}", quote(&app_command_anywhere(layout, around, command)))
        }
        HostWay::ByDeployer => "true".to_owned(),
    };
    match action {
        TrafficAction::Drain { way, method, by, is_by_hand, memberships, grace_seconds } => {
            let record = DrainRecord {
                at: Timestamp::UNIX_EPOCH,
                by: by.clone(),
                run: run.clone(),
                is_by_hand: *is_by_hand,
                method: Some(method.clone()),
                memberships: memberships.clone(),
            };
            // Whoever finds the host out of traffic has to find by whom, too.
            let note = replace_file(layout, &layout.drained(), &record);
            let raise = format!(
                "mkdir -p {} && {} && {{ mv -fT {flag}.new {flag} || {{ rm -f {flag}.new; false; }}; }}",
                quote(layout.shared().as_str()),
                write_new(
                    &format!("echo {}", quote(&format!("taken out of traffic by {by}"))),
                    &format!("{flag}.new")
                )
            );
            format!(
                "mkdir -p {} && {{ {note}; }} && {}{}",
                quote(layout.state().as_str()),
                ask(way, raise),
                wait(*grace_seconds)
            )
        }
        TrafficAction::Undrain { way, grace_seconds } => {
            // A folder is none of ours: where one was in the way, the host was never taken out.
            let lower = format!("{{ [ -d {flag} ] && [ ! -L {flag} ] || rm -f {flag}; }}");
            format!(
                "{} && rm -f {}{}",
                ask(way, lower),
                quote(layout.drained().as_str()),
                wait(*grace_seconds)
            )
        }
    }
}

fn wait(seconds: u32) -> String {
    if seconds == 0 { String::new() } else { format!(" && sleep {seconds}") }
}
