//! What is promised of every deploy, as far as the strategy can keep it.

use std::fmt;

use serde::Serialize;

/// What is promised of every deploy, as long as the strategy can keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// Nothing before the switch touches what serves.
    LiveUntouched,
    /// A switch is one rename, so that there is no moment without a release.
    SwitchInOneMoment,
    /// A release is built and has passed every check before any host begins to serve it.
    ReadyBeforeSwitch,
    /// A host goes back to the release before without building anything.
    WayBackAtHand,
}

impl fmt::Display for Promise {
    /// What a person has to reckon with where it isn't kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Promise::LiveUntouched => "the release that serves is changed while the new one is prepared",
            Promise::SwitchInOneMoment => "there is a moment in which neither release is complete",
            Promise::ReadyBeforeSwitch => {
                "the new release is built and checked where the one before serves, once the switch has begun"
            }
            Promise::WayBackAtHand => "going back builds the release before again",
        })
    }
}
