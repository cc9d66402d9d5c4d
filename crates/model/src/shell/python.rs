//! Virtualenvs as the shell that a host runs.

use std::collections::BTreeMap;

use super::app::{exports, secrets, within};
use super::user::Input;
use super::{quote, quote_words};
use crate::action::{Schema, Surroundings};
use crate::layout::Layout;
use crate::names::SlotName;
use crate::virtualenv::{Installer, VirtualenvSpec};

/// Brings a slot's virtualenv to what its release asks for; nothing is run where it is that already.
pub(super) fn virtualenv(
    layout: &Layout,
    slot: &SlotName,
    spec: &VirtualenvSpec,
    variables: &BTreeMap<String, String>,
) -> String {
    let VirtualenvSpec { python, installer, options, requirements, scripts, reinstall } = spec;
    let installer = match installer {
        Installer::Auto => "auto",
        Installer::Uv => "uv",
        Installer::Pip => "pip",
    };
    let mut text = exports(variables) + &secrets(layout);
    let mut set = |name: &str, value: &str| text.push_str(&format!("{name}={}\n", quote(value)));
    set("slot", layout.slot(slot).as_str());
    set("env", &layout.virtualenv);
    set("python", python);
    set("installer", installer);
    set("options", &quote_words(options));
    set("cache", layout.state().join("uv-cache").as_str());
    set("reinstall", if *reinstall { "yes" } else { "no" });
    set("scripts", &quote_words(scripts));
    set("prune", include_str!("scripts/prune.py"));
    format!("{text}set -- {}\n", quote_words(requirements)) + include_str!("scripts/virtualenv.sh")
}

/// Looks for migrations that a release doesn't know.
pub(super) fn migrations(
    layout: &Layout,
    older: &SlotName,
    newer: &SlotName,
    schema: Schema,
    around: &Surroundings,
) -> String {
    let mode = match schema {
        Schema::Refuse => "refuse",
        Schema::Reverse => "reverse",
        Schema::Keep => return "true".to_owned(),
    };
    let script = format!(
        "older={}\nnewer={}\nenv={}\nmode={mode}\n{}",
        quote(layout.slot(older).as_str()),
        quote(layout.slot(newer).as_str()),
        quote(&layout.virtualenv),
        include_str!("scripts/migrations.sh")
    );
    within(layout, around, Input::Nothing, &script)
}

/// Links what outlives releases into a slot.
pub(super) fn shared(layout: &Layout, slot: &SlotName, files: &[String], dirs: &[String]) -> String {
    format!(
        "slot={}\nshared={}\nfiles={}\ndirs={}\n{}",
        quote(layout.slot(slot).as_str()),
        quote(layout.shared().as_str()),
        quote(&quote_words(files)),
        quote(&quote_words(dirs)),
        include_str!("scripts/shared.sh")
    )
}
