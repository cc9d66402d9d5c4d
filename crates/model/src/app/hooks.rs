//! Shell commands of the project, and the points of a run at which they run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Shell commands at named points of a run on a host. Each runs in the release that the run is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hooks {
    /// On every host, before anything in the idle slot changes; in the app's directory.
    pub before_prepare: Vec<String>,
    /// In the new slot, once its code is there.
    pub build: Vec<String>,
    /// In the new slot, last before it counts as ready: what fails here never gets live.
    pub check: Vec<String>,
    /// In the new slot of the primary host only, when all hosts are ready and none has switched.
    pub once: Vec<String>,
    /// In the new slot, right before the link moves.
    pub before_switch: Vec<String>,
    /// Instead of `service`: makes the app run the code of `current`.
    pub restart: Vec<String>,
    /// In the new slot, after the restart.
    pub after_switch: Vec<String>,
    /// In the new slot, last before the switch counts: what fails here reverts the host.
    pub verify: Vec<String>,
    /// After the release is live for good; a failure is told and changes nothing.
    pub after_finish: Vec<String>,
}

impl Hooks {
    /// All of them with their names, in the order of a run.
    pub fn by_name(&self) -> [(&'static str, &Vec<String>); 9] {
        let Hooks {
            before_prepare,
            build,
            check,
            once,
            before_switch,
            restart,
            after_switch,
            verify,
            after_finish,
        } = self;
        [
            ("before_prepare", before_prepare),
            ("build", build),
            ("check", check),
            ("once", once),
            ("before_switch", before_switch),
            ("restart", restart),
            ("after_switch", after_switch),
            ("verify", verify),
            ("after_finish", after_finish),
        ]
    }
}

/// Shell commands on the deployer, at the root of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LocalHooks {
    /// Before any host is touched; a failure stops the run.
    pub before: Vec<String>,
    /// In a clone that holds just the release, before it is packed for the hosts.
    pub build: Vec<String>,
    /// After a run that succeeded.
    pub after: Vec<String>,
    /// After a run that failed.
    pub on_failure: Vec<String>,
}

/// A named point of a run at which the configuration may run commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HookPoint {
    /// Before anything in the idle slot changes.
    BeforePrepare,
    /// In the new slot, once its code is there.
    Build,
    /// In the new slot, last before it counts as ready.
    Check,
    /// On the primary only, when all hosts are ready.
    Once,
    /// Right before the link moves.
    BeforeSwitch,
    /// After the restart.
    AfterSwitch,
    /// Last before the switch counts.
    Verify,
    /// After the release is live for good.
    AfterFinish,
}

impl fmt::Display for HookPoint {
    /// The name in the configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            HookPoint::BeforePrepare => "before_prepare",
            HookPoint::Build => "build",
            HookPoint::Check => "check",
            HookPoint::Once => "once",
            HookPoint::BeforeSwitch => "before_switch",
            HookPoint::AfterSwitch => "after_switch",
            HookPoint::Verify => "verify",
            HookPoint::AfterFinish => "after_finish",
        })
    }
}
