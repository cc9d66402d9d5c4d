//! Virtualenvs as the shell that a host runs.

use std::collections::BTreeMap;

use super::command::{exports, secrets, within};
use super::user::Input;
use super::{quote, quote_words, without_comments};
use crate::app::migration::Migration;
use crate::app::package::{FetchedPackage, file_url};
use crate::app::virtualenv::{IS_PACKAGE, Installer, Packages, VirtualenvSpec};
use crate::host::layout::Layout;
use crate::names::{CommitId, HostPath, SlotName};
use crate::plan::action::{AppIn, PythonAction, Schema, Surroundings};

pub(super) fn render(action: &PythonAction, layout: &Layout) -> String {
    match action {
        PythonAction::Package { package: fetched } => package(layout, fetched),
        PythonAction::Virtualenv { slot, commit, spec, variables, lend_agent: _ } => {
            virtualenv(layout, slot, commit, spec, variables)
        }
        PythonAction::Versions { slot, beside: _ } => {
            let file = quote(layout.slot(slot).join(&layout.virtualenv).join(".versions").as_str());
            format!("[ ! -f {file} ] || cat {file}")
        }
        PythonAction::Migrations { older, newer, schema, undoes, around } => {
            migrations(layout, older, newer, *schema, undoes, around)
        }
    }
}

/// Brings a slot's virtualenv to what its release asks for; nothing is run where it is that already.
fn virtualenv(
    layout: &Layout,
    slot: &SlotName,
    commit: &CommitId,
    spec: &VirtualenvSpec,
    variables: &BTreeMap<String, String>,
) -> String {
    let VirtualenvSpec {
        python,
        subdir,
        installer,
        options,
        requirements,
        constraints,
        pins,
        packages,
        scripts,
        reinstall,
        upgrade,
    } = spec;
    let installer = match installer {
        Installer::Auto => "auto",
        Installer::Uv => "uv",
        Installer::Pip => "pip",
    };
    let mut text = exports(variables) + &secrets(layout);
    let mut set = |name: &str, value: &str| text.push_str(&format!("{name}={}\n", quote(value)));
    set("slot", layout.slot(slot).as_str());
    set("app", subdir.as_deref().unwrap_or("."));
    set("name", &layout.virtualenv);
    set("python", python);
    set("installer", installer);
    set("is_package", IS_PACKAGE);
    // uv knows it where it installs, and not where it resolves.
    let (hashed, options): (Vec<&str>, Vec<&str>) =
        options.iter().map(String::as_str).partition(|word| *word == "--require-hashes");
    set("options", &quote_words(options));
    set("require_hashes", if hashed.is_empty() { "no" } else { "yes" });
    set("cache", layout.uv_cache().as_str());
    set("reinstall", if *reinstall { "yes" } else { "no" });
    set("upgrade", if *upgrade { "yes" } else { "no" });
    set("kept", layout.kept().as_str());
    set("release", commit.as_str());
    set("unpacked", layout.unpacked(slot).as_str());
    set("notes", layout.state().join("slots").as_str());
    set("link", layout.current().as_str());
    set("scripts", &quote_words(scripts));
    set("constraints", &constraints.join("\n"));
    set("pins", &pins.join("\n"));
    set("limits", &quote_words(constraints.iter().flat_map(|file| ["-c", file.as_str()])));
    set("record", layout.kept().join(commit.as_str()).join("packages").as_str());
    set("packages", layout.packages().as_str());
    set("packages_url", &file_url(&layout.packages()));
    match packages {
        Packages::These(these) => {
            let places: Vec<String> = these.iter().map(FetchedPackage::place).collect();
            set("private", &places.join("\n"));
            set("written_down", "no");
        }
        Packages::WrittenDown => set("written_down", "yes"),
    }
    set("decode", include_str!("scripts/decode.py"));
    set("index_settings", include_str!("scripts/index_settings.py"));
    set("resolved", include_str!("scripts/resolved.py"));
    set("move_env", &without_comments(include_str!("scripts/move_env.py")));
    text.push_str(
        &(script!("replace")
            + &script!("unpacked")
            + &script!("asked")
            + &script!("install")
            + &script!("seed_env")),
    );
    format!("{text}set -- {}\n{}", quote_words(requirements), script!("virtualenv"))
}

/// Puts a private package where virtualenvs are made from.
fn package(layout: &Layout, package: &FetchedPackage) -> String {
    let FetchedPackage { name: _, key, file, sha256, size_bytes: _ } = package;
    format!(
        "packages={}\nkey={}\nfile={}\nsha256={}\n{}{}",
        quote(layout.packages().as_str()),
        quote(key),
        quote(file),
        quote(sha256),
        script!("take"),
        script!("package")
    )
}

/// Asks for migrations that a release doesn't know, refuses, or undoes those that were asked for.
fn migrations(
    layout: &Layout,
    older: &AppIn,
    newer: &AppIn,
    schema: Schema,
    undoes: &[Migration],
    around: &Surroundings,
) -> String {
    let mode = match schema {
        Schema::Refuse => Mode::Refuse,
        Schema::Reverse => Mode::Undo(undoes),
        Schema::Keep => return "true".to_owned(),
    };
    within(layout, around, Input::Nothing, &migrations_script(layout, older, newer, mode))
}

/// Reports as a fact of a look which migrations a release doesn't know.
pub(crate) fn look_for_migrations(
    layout: &Layout,
    older: &AppIn,
    newer: &AppIn,
    around: &Surroundings,
) -> String {
    let ask = within(layout, around, Input::Nothing, &ask_for_migrations(layout, older, newer));
    format!("fact migrations \"$({{\n(\n{ask}\n)\n}} 2>&1 | tail -c {MOST_SAID})\"\n")
}

/// Prints which migrations a release doesn't know, for
/// [`UnknownMigrations::read`](crate::app::migration::UnknownMigrations::read).
pub fn ask_for_migrations(layout: &Layout, older: &AppIn, newer: &AppIn) -> String {
    migrations_script(layout, older, newer, Mode::Say)
}

/// A list of migrations is shorter.
const MOST_SAID: u32 = 1 << 20;

enum Mode<'a> {
    Say,
    Refuse,
    Undo(&'a [Migration]),
}

/// Where an app's release lies.
fn folder_of(layout: &Layout, app: &AppIn) -> HostPath {
    match &app.kept {
        Some(commit) => layout.copies(&app.slot).join(commit.as_str()).join("tree"),
        None => layout.slot(&app.slot),
    }
}

fn migrations_script(layout: &Layout, older: &AppIn, newer: &AppIn, mode: Mode<'_>) -> String {
    let (mode, wanted) = match mode {
        Mode::Say => ("say", String::new()),
        Mode::Refuse => ("refuse", String::new()),
        Mode::Undo(these) => ("undo", serde_json::to_string(these).expect("it is words and lists")),
    };
    format!(
        "older={}\nolder_name={}\nolder_app={}\nnewer={}\nnewer_name={}\nnewer_app={}\nenv={}\nmode={mode}\nwanted={}\nprogram={}\n{}",
        quote(folder_of(layout, older).as_str()),
        quote(older.slot.as_str()),
        quote(older.subdir.as_deref().unwrap_or(".")),
        quote(folder_of(layout, newer).as_str()),
        quote(newer.slot.as_str()),
        quote(newer.subdir.as_deref().unwrap_or(".")),
        quote(&layout.virtualenv),
        quote(&wanted),
        quote(&without_comments(include_str!("scripts/migrations.py"))),
        script!("migrations")
    )
}
