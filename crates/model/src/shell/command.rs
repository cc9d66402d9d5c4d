//! A command of the app, with all that it finds around it: folder, variables, secrets, virtualenv, user.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::user::{GiveToGroup, Input, as_user};
use super::{quote, quote_words};
use crate::app::run_as::RunAs;
use crate::config::Settings;
use crate::host::Host;
use crate::host::layout::Layout;
use crate::names::HostPath;
use crate::plan::action::Surroundings;

/// A command in the live release of a host, at a person's terminal, with what the app's commands find around them as far
/// as it doesn't belong to a run.
pub fn app_shell(settings: &Settings, host: &Host, command: &str) -> String {
    let layout = settings.layout(host);
    let around = lasting_surroundings(settings, &layout);
    within(&layout, &around, Input::Person, &format!("{}{command}", enter(&around.directory)))
}

/// What the commands of the live release find around them that belongs to no run.
pub(crate) fn lasting_surroundings(settings: &Settings, layout: &Layout) -> Surroundings {
    let mut variables = settings.app.variables.clone();
    variables.insert("DEPLOYMENT_TYPE".to_owned(), settings.app.deployment_type.clone());
    let current = layout.current();
    let directory = settings.app.folder_in(&current);
    let virtualenv = settings.app.recipe.is_python().then(|| current.join(&layout.virtualenv));
    Surroundings { directory, variables, virtualenv, run_as: settings.users.run_as() }
}

/// A command of Django's `manage.py`, as [`app_shell`] runs it.
pub fn manage_shell(settings: &Settings, host: &Host, words: &[String]) -> String {
    app_shell(settings, host, &format!("exec python manage.py {}", quote_words(words)))
}

/// Where a person's own session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionIn {
    /// In the live release where there is one, and else in the app's directory.
    Live,
    /// In the release whose preparation or switch came to nothing last; where there is none, the session ends with
    /// 4, as a refusal does, and says which slots there are.
    Failed,
}

/// A person's own session, as themselves, with the variables, secrets and programs that the app's commands find.
pub fn login_shell(settings: &Settings, host: &Host, place: SessionIn) -> String {
    let layout = settings.layout(host);
    let mut variables = settings.app.variables.clone();
    variables.insert("DEPLOYMENT_TYPE".to_owned(), settings.app.deployment_type.clone());
    let failed = match place {
        SessionIn::Live => String::new(),
        SessionIn::Failed => format!(
            "slots={}\nreleases={}\nnone_failed={NONE_FAILED}\n{FIND_FAILED}",
            quote(layout.state().join("slots").as_str()),
            quote(layout.releases.as_str())
        ),
    };
    let environment = quote(&layout.virtualenv);
    let activate = if settings.app.recipe.is_python() {
        format!(
            "[ ! -d \"$project\"/{environment}/bin ] || export VIRTUAL_ENV=\"$project\"/{environment} PATH=\"$project\"/{environment}/bin:\"$PATH\"\n"
        )
    } else {
        String::new()
    };
    let inner = format!(
        "unset BUEDAFAB_SESSION\nproject={current}\n{failed}cd \"$project\"{subdir} 2>/dev/null || cd {path} 2>/dev/null\n\
         {exports}{secrets}{activate}exec \"${{SHELL:-/bin/sh}}\"",
        current = quote(layout.current().as_str()),
        subdir = settings.app.subdir.as_ref().map_or(String::new(), |subdir| quote(&format!("/{subdir}"))),
        path = quote(layout.path.as_str()),
        exports = exports(&variables),
        // Who is told to correct that file corrects it here.
        secrets =
            layout.env_file.as_ref().map(|file| load_env_file_or(file, "variables=")).unwrap_or_default(),
    );
    // What a person's profile does to PATH comes first. Any shell hands on a variable; only some take a script beside `-l`.
    format!(
        "export BUEDAFAB_SESSION={}\ncase ${{SHELL##*/}} in\n  \
           bash | dash | zsh | ksh | fish) exec \"$SHELL\" -l -c 'exec sh -c \"$BUEDAFAB_SESSION\"' ;;\n  \
           *) exec sh -c \"$BUEDAFAB_SESSION\" ;;\nesac",
        quote(&inner)
    )
}

/// What a session ends with that was to be in a slot that failed, where none did.
const NONE_FAILED: i32 = 4;

/// Sets `project` to the slot whose record was written last of those that came to nothing, or ends.
const FIND_FAILED: &str = r#"known= project=
for record in $(ls -t "$slots" 2>/dev/null); do
  case $record in *.json) ;; *) continue ;; esac
  IFS= read -r line <"$slots/$record" || continue
  case $line in
    *'"state":"failed"'* | *'"state":"building"'*)
      project=$releases/${record%.json}
      echo "in slot ${record%.json}, which failed" >&2
      break
      ;;
    *'"state":"'*)
      state=${line#*'"state":"'}
      known="$known${known:+, }${record%.json} (${state%%'"'*})"
      ;;
  esac
done
[ -n "$project" ] || { echo "no slot failed here; there are: ${known:-none}" >&2; exit $none_failed; }
"#;

/// The names in a file of variables; never what they are.
pub(crate) fn list_variables(file: &HostPath) -> String {
    let file = quote(file.as_str());
    format!("{}[ ! -f {file} ] || env_entries names {file}", script!("env_entries"))
}

/// A command in its folder, which has to be there.
pub(super) fn app_command(layout: &Layout, around: &Surroundings, command: &str) -> String {
    within(layout, around, Input::Nothing, &format!("{}{command}", enter(&around.directory)))
}

/// A command in its folder, or where the user logs in as long as there is none.
pub(super) fn app_command_anywhere(layout: &Layout, around: &Surroundings, command: &str) -> String {
    let directory = quote(around.directory.as_str());
    within(
        layout,
        around,
        Input::Nothing,
        &format!("[ ! -d {directory} ] || cd {directory} || exit\n{command}"),
    )
}

/// A script with the variables, secrets and programs of the app, as the app's user; its folder is its own business.
pub(super) fn within(layout: &Layout, around: &Surroundings, input: Input, script: &str) -> String {
    let Surroundings { directory, variables, virtualenv, run_as } = around;
    // As in a unit file, what the file of variables says comes after the settings, and holds.
    let (before, after) = (exports(variables), activate(virtualenv.as_ref()));
    let Some(RunAs { user, group }) = run_as else {
        return format!("{before}{}{after}{script}", secrets(layout));
    };
    let folder = &release_around(layout, directory);
    let give = group.as_deref().map(|group| GiveToGroup {
        folder,
        group,
        but: virtualenv.as_ref().map(|_| layout.virtualenv.as_str()),
    });
    let secrets = layout.env_file.as_ref();
    as_user(user, secrets, input, &before, &format!("{after}{script}"), give.as_ref())
}

/// The whole release that a folder lies in: what a command makes there needn't be below where it runs.
fn release_around(layout: &Layout, directory: &HostPath) -> HostPath {
    let inside =
        directory.as_str().strip_prefix(layout.releases.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let slot = inside.and_then(|inside| inside.split('/').next());
    slot.map_or_else(|| directory.clone(), |slot| layout.releases.join(slot))
}

fn enter(directory: &HostPath) -> String {
    format!("cd {} || exit\n", quote(directory.as_str()))
}

pub(super) fn exports(variables: &BTreeMap<String, String>) -> String {
    variables.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "export {name}={}", quote(value));
        text
    })
}

/// Puts a virtualenv's programs first, as activating it does.
pub(super) fn activate(virtualenv: Option<&HostPath>) -> String {
    let Some(folder) = virtualenv.map(|path| quote(path.as_str())) else { return String::new() };
    format!("[ ! -d {folder}/bin ] || export VIRTUAL_ENV={folder} PATH={folder}/bin:\"$PATH\"\n")
}

/// Reads the file of variables, if there is one.
pub(super) fn secrets(layout: &Layout) -> String {
    layout.env_file.as_ref().map(load_env_file).unwrap_or_default()
}

/// Puts the variables of a file, if it is there, in the environment. What they are is never run.
pub(super) fn load_env_file(file: &HostPath) -> String {
    load_env_file_or(file, "exit")
}

fn load_env_file_or(file: &HostPath, otherwise: &str) -> String {
    let file = quote(file.as_str());
    format!(
        "{}if [ -e {file} ]; then\n  variables=$(read_env {file}) || {otherwise}\n  \
           eval \"unset variables\n$variables\"\nfi\n",
        script!("read_env"),
    )
}
