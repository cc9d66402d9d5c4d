//! Shell commands of the project at named points of a run.

use serde::ser::SerializeMap;

use super::source::{SourceLayer, SourceName};
use crate::app::hooks::{Hooks, LocalHooks};
use crate::config::area::{Area, AreaLayer, layer};
use crate::config::at::At;
use crate::config::mistake::Mistake;
use crate::config::rule::{Typed, Written};
use crate::config::show::Out;
use crate::config::values::Commands;

/// Shell commands of the project at named points of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookSettings {
    /// On the hosts.
    pub on_hosts: Hooks,
    /// On the deployer.
    pub local: LocalHooks,
}

layer! {
    /// The one key of this area.
    HooksKey, "Hooks";

    /// Shell commands at named points of a deploy. Those of an environment replace those of the top level, hook by hook.
    hooks: HooksLayer;
}

layer! {
    /// Shell commands at named points of a run. Each is a string or a list of strings, run by `sh` on the hosts, in the
    /// release that the run is about.
    HooksLayer, "Hooks";

    /// On every host, before anything in the idle slot changes; in the app's directory.
    before_prepare: Commands;

    /// In the new slot, once its code is there.
    build: Commands, example r#""make""#;

    /// In the new slot, last before it counts as ready: what fails here never gets live.
    check: Commands, example r#"["env/bin/python manage.py check --deploy"]"#;

    /// In the new slot of the primary host only, when all hosts are ready and none has switched.
    once: Commands, example r#""env/bin/python manage.py migrate""#;

    /// In the new slot, right before the link moves.
    before_switch: Commands;

    /// Instead of `service`: makes the app run the code of `current`.
    restart: Commands, example r#""sudo systemctl restart five""#;

    /// In the new slot, after the restart.
    after_switch: Commands;

    /// In the new slot, last before the switch counts: what fails here reverts the host. Whether the app answers is asked by
    /// `[health]`, with a bound, and again when its maintenance is over.
    verify: Commands, example r#""bin/smoke-test""#;

    /// After the release is live for good; a failure is told and changes nothing.
    after_finish: Commands;

    /// Shell commands on your own machine.
    local: LocalHooksLayer;
}

layer! {
    /// Shell commands on the machine that deploys, at the root of the project.
    LocalHooksLayer, "Hooks on your own machine";

    /// Before any host is touched; a failure stops the run.
    before: Commands, example r#""make test""#;

    /// Builds a release once, for all hosts that get it as an archive: in a clone of the project that holds just the commit that
    /// is deployed, kept in your cache with all that git ignores there, for the next build. What it makes, say by
    /// `"cargo build --release"`, is packed by `artifact`.
    build: At<Commands>;

    /// After a run that succeeded.
    after: Commands;

    /// After a run that failed.
    on_failure: Commands;
}

impl Typed for HooksLayer {
    type Meaning = HookSettings;

    fn meaning(self) -> HookSettings {
        let HooksLayer {
            before_prepare,
            build,
            check,
            once,
            before_switch,
            restart,
            after_switch,
            verify,
            after_finish,
            local,
        } = self;
        let on_hosts = Hooks {
            before_prepare: commands(before_prepare),
            build: commands(build),
            check: commands(check),
            once: commands(once),
            before_switch: commands(before_switch),
            restart: commands(restart),
            after_switch: commands(after_switch),
            verify: commands(verify),
            after_finish: commands(after_finish),
        };
        HookSettings { on_hosts, local: local.unwrap_or_default().meaning() }
    }

    fn over(self, below: Self) -> Self {
        AreaLayer::over(self, below)
    }
}

impl Typed for LocalHooksLayer {
    type Meaning = LocalHooks;

    fn meaning(self) -> LocalHooks {
        let LocalHooksLayer { before, build, after, on_failure } = self;
        LocalHooks {
            before: commands(before),
            build: commands(build.map(|At { value, .. }| value)),
            after: commands(after),
            on_failure: commands(on_failure),
        }
    }

    fn over(self, below: Self) -> Self {
        AreaLayer::over(self, below)
    }
}

fn commands(typed: Option<Commands>) -> Vec<String> {
    typed.map_or_else(Vec::new, |Commands(commands)| commands)
}

impl Area for HookSettings {
    type Layer = HooksKey;

    fn resolve(written: &Written<'_>) -> Self {
        let hooks = written.all.hooks.hooks.clone().unwrap_or_default();
        if let Some(At { value: Commands(commands), span }) =
            hooks.local.as_ref().and_then(|local| local.build.as_ref())
        {
            let source = written.apart(|| SourceLayer::source(written));
            if source != SourceName::Archive && !commands.is_empty() && !written.all.unread.contains("source")
            {
                let mistake =
                    Mistake::new("nothing that is built on your own machine reaches a host by this `source`")
                        .help("write `source = \"archive\"`, or build on the hosts: `build` below `[hooks]`");
                written.note_at(span, mistake);
            }
        }
        hooks.meaning()
    }

    fn show_entries(&self, _: &mut Out) {}

    fn show_tables(&self, table: &str, out: &mut Out) {
        let HookSettings { on_hosts, local: LocalHooks { before, build, after, on_failure } } = self;
        out.commands(&format!("[{table}.hooks]"), &on_hosts.by_name());
        let local = [("before", before), ("build", build), ("after", after), ("on_failure", on_failure)];
        out.commands(&format!("[{table}.hooks.local]"), &local);
    }

    fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("hooks", &self.on_hosts)?;
        map.serialize_entry("local_hooks", &self.local)
    }
}
