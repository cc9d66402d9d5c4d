//! What is done with the app, as the shell that does it.

use jiff::Timestamp;

use super::ask::ask_script;
use super::command::{app_command, app_command_anywhere};
use super::health::health_script;
use super::logs::logs_script;
use super::record::{replace_file, write_new};
use super::watch;
use super::{quote, quote_words};
use crate::app::maintenance::{MaintenanceMethod, MaintenanceRecord};
use crate::app::package::FetchedPackage;
use crate::app::placeholder::PLACEHOLDERS;
use crate::host::layout::Layout;
use crate::names::{RunId, SlotName};
use crate::plan::action::{AppAction, EnvEdit, ToldVisitors};

pub(super) fn render(action: &AppAction, layout: &Layout, run: &RunId) -> String {
    match action {
        AppAction::Shared { slot, subdir, files, dirs, group } => {
            let app = subdir.as_deref().unwrap_or(".");
            shared(layout, slot, app, files, dirs, group.as_deref(), run)
        }
        AppAction::Hook { command, around, point: _, optional: _ } => app_command(layout, around, command),
        AppAction::AskApp { url, release, patience_seconds, in_maintenance } => {
            ask_script(url, release, *patience_seconds, *in_maintenance)
        }
        AppAction::BeginWatch { logs } => watch::begin(layout, logs),
        AppAction::Watch { watch, units } => watch::watch(layout, watch, units),
        AppAction::AskHealth { health, services, in_maintenance, by, around } => {
            health_script(layout, health, around, services, *in_maintenance, *by)
        }
        AppAction::EnvFile { edit, file, group } => {
            let (edit, name) = match edit {
                EnvEdit::Set { name } => ("set", name.as_str()),
                EnvEdit::Unset { name } => ("unset", name.as_str()),
                EnvEdit::Replace => ("replace", ""),
                EnvEdit::Restore => ("restore", ""),
            };
            let (file, group) = (quote(file.as_str()), quote(group.as_deref().unwrap_or_default()));
            format!(
                "{}file={file}\nedit={edit}\nname={name}\ngroup={group}\n{}",
                script!("env_entries"),
                script!("env_file")
            )
        }
        AppAction::MaintenanceSetting { slot, file, on } => format!(
            "file={}\nvalue={}\n{}",
            quote(layout.slot(slot).join(file).as_str()),
            if *on { "True" } else { "False" },
            script!("maintenance_setting")
        ),
        AppAction::Maintenance { method, told, around } => {
            let command = maintenance(layout, *method, told.as_ref());
            match method {
                MaintenanceMethod::File | MaintenanceMethod::Setting => command,
                MaintenanceMethod::Command => app_command(layout, around, &command),
            }
        }
        AppAction::Put {
            file: FetchedPackage { name: _, key: _, file, sha256, size_bytes: _ },
            place,
            mode,
        } => {
            format!(
                "place={}\nfile={}\nsha256={}\nmode={mode:o}\n{}{}",
                quote(place.as_str()),
                quote(file),
                quote(sha256),
                script!("take"),
                script!("put")
            )
        }
        AppAction::Logs { sources, query } => logs_script(layout, sources, query),
        AppAction::Run { command, around } => app_command_anywhere(layout, around, command),
    }
}

/// What tells visitors, and then the note that says so; or what takes both away.
fn maintenance(layout: &Layout, method: MaintenanceMethod, told: Option<&ToldVisitors>) -> String {
    let page = quote(layout.maintenance_page().as_str());
    let Some(ToldVisitors { by, message, until, page: text }) = told else {
        let undo = match method {
            MaintenanceMethod::File => format!("rm -f {page}"),
            MaintenanceMethod::Command => "python manage.py maintenance_mode off".to_owned(),
            MaintenanceMethod::Setting => "true".to_owned(),
        };
        return format!("{undo} && rm -f {}", quote(layout.maintenance().as_str()));
    };
    let show = match method {
        MaintenanceMethod::File => format!(
            "mkdir -p {} && {} && mv -f {page}.new {page}",
            quote(layout.shared().as_str()),
            write_new(&format!("printf %s {}", quote(text)), &format!("{page}.new"))
        ),
        MaintenanceMethod::Command => "python manage.py maintenance_mode on".to_owned(),
        MaintenanceMethod::Setting => "true".to_owned(),
    };
    let record = MaintenanceRecord {
        at: Timestamp::UNIX_EPOCH,
        by: by.clone(),
        message: message.clone(),
        until: until.clone(),
    };
    let note = replace_file(layout, &layout.maintenance(), &record);
    format!("{show} && mkdir -p {} && {{ {note}; }}", quote(layout.state().as_str()))
}

/// Links what outlives releases into a slot.
fn shared(
    layout: &Layout,
    slot: &SlotName,
    app: &str,
    files: &[String],
    dirs: &[String],
    group: Option<&str>,
    run: &RunId,
) -> String {
    format!(
        "slot={}\napp={}\nplaceholders={}\nshared={}\nfiles={}\ndirs={}\ngroup={}\naside={}\nunpacked={}\n{}{}{}",
        quote(layout.slot(slot).as_str()),
        quote(app),
        quote(&format!("\\({}\\)", PLACEHOLDERS.map(|name| name.replace('.', "\\.")).join("\\|"))),
        quote(layout.shared().as_str()),
        quote(&quote_words(files)),
        quote(&quote_words(dirs)),
        quote(group.unwrap_or_default()),
        quote(layout.aside(slot, run).as_str()),
        quote(layout.unpacked(slot).as_str()),
        script!("mounts"),
        script!("unpacked"),
        script!("shared")
    )
}
