//! The commands of recipes.

use super::{quote, quote_words};
use crate::app::hooks::HookPoint;
use crate::app::recipe::{Collectstatic, RecipeStep, Side, StepName};
use crate::config::Settings;

/// The steps of the recipe, as the project has them: its own commands in place of the recipe's.
pub fn steps(settings: &Settings) -> Vec<RecipeStep> {
    let step = |name: &StepName| {
        let step = step(*name, settings);
        match settings.app.steps.get(name.as_str()) {
            Some(commands) => RecipeStep { commands: commands.clone(), ..step },
            None => step,
        }
    };
    settings.app.recipe.step_names().iter().map(step).collect()
}

/// The recipe's commands at one point, on one side of the project's own.
pub(crate) fn commands_at(settings: &Settings, point: HookPoint, side: Side) -> Vec<String> {
    let here = |step: &RecipeStep| step.point == point && step.side == side;
    steps(settings).into_iter().filter(here).flat_map(|step| step.commands).collect()
}

fn step(name: StepName, settings: &Settings) -> RecipeStep {
    let (point, side, command) = match (name, settings.django.collectstatic) {
        // Hooks may build what is collected.
        (StepName::Collectstatic, Collectstatic::EveryHost) => {
            (HookPoint::Build, Side::After, manage("collectstatic --noinput --verbosity 0"))
        }
        (StepName::Collectstatic, Collectstatic::Once) => {
            (HookPoint::Once, Side::Before, manage("collectstatic --noinput --verbosity 0"))
        }
        (StepName::Data, _) => {
            (HookPoint::Check, Side::Before, manage(&format!("shell -v 0 -c {}", quote(LASTING_DATA))))
        }
        (StepName::Check, _) => (HookPoint::Check, Side::Before, manage("check --deploy")),
        (StepName::Migrate, _) => (HookPoint::Once, Side::Before, migrate(settings)),
        (StepName::Fixtures, _) => {
            let fixtures = quote_words(&settings.django.extra_fixtures);
            (HookPoint::Once, Side::Before, manage(&format!("loaddata {fixtures}")))
        }
    };
    let has_none = match name {
        // A Django that old takes no command.
        StepName::Data => settings.django.syncdb,
        StepName::Fixtures => settings.django.extra_fixtures.is_empty(),
        StepName::Collectstatic | StepName::Check | StepName::Migrate => false,
    };
    let commands = if has_none { Vec::new() } else { vec![command] };
    RecipeStep { name, point, side, commands }
}

/// Its first line is what people read of it.
const LASTING_DATA: &str = include_str!("scripts/lasting_data.py");

/// Migrates only where something is pending, and says what before it does.
fn migrate(settings: &Settings) -> String {
    // A project may have a `migrate` of its own that knows no plan; and that is only for show.
    let plan = format!("{{ {} || :; }}", manage("migrate --plan"));
    let (pending, work) = (manage("migrate --check"), manage("migrate --noinput"));
    let migrate = format!("{pending} >/dev/null 2>&1 || {{ {plan} && {work}; }}");
    if settings.django.syncdb {
        format!("{} && {{ {migrate}; }}", manage("syncdb --noinput"))
    } else {
        migrate
    }
}

fn manage(command: &str) -> String {
    format!("python manage.py {command}")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::config::parse;
    use crate::names::EnvironmentName;

    /// What `manage.py` is told, where a project's own says so of each of its commands.
    #[track_caller]
    fn check(manage: &str, expected: &str) {
        check_with("", manage, expected);
    }

    /// The same, with more in the configuration.
    #[track_caller]
    fn check_with(more: &str, manage: &str, expected: &str) {
        let text = "unit = \"five\"\nrecipe = \"django\"\n[environments.production]\nhosts = [\"web1\"]\n";
        let text = format!("{more}{text}");
        let production = EnvironmentName::new("production").expect("a word");
        let settings =
            parse("buedafab.toml", &text).and_then(|file| file.settings(&production)).expect("settings");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(
            folder.path().join("manage.py"),
            format!("echo \"$*\" >>told\ncase $* in {manage} esac\n"),
        )
        .expect("it is written");
        let once = commands_at(&settings, HookPoint::Once, Side::Before);
        let once = once.iter().map(|command| format!("({command}) || exit")).collect::<Vec<_>>().join("\n");
        let script = format!("python() {{ sh \"$@\"; }}\n{once}");
        let run =
            Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().expect("it runs");
        let told = std::fs::read_to_string(folder.path().join("told")).expect("it was told");
        assert_eq!(format!("{}{}", told.replace('\n', "; "), run.status.code().expect("it ended")), expected);
    }

    #[test]
    fn what_is_only_shown_fails_no_deploy() {
        check("*) ;;", "migrate --check; 0");
        check("*--check) exit 1 ;;", "migrate --check; migrate --plan; migrate --noinput; 0");
        check("*--check | *--plan) exit 2 ;;", "migrate --check; migrate --plan; migrate --noinput; 0");
        check("*--check | *--noinput) exit 1 ;;", "migrate --check; migrate --plan; migrate --noinput; 1");
    }

    /// A fixture changes without a migration, and then nobody would load it.
    #[test]
    fn fixtures_are_loaded_on_every_deploy() {
        let fixtures = "extra_fixtures = [\"permissions\", \"a b\"]\n";
        check_with(fixtures, "*) ;;", "migrate --check; loaddata permissions a b; 0");
        let pending = "migrate --check; migrate --plan; migrate --noinput; loaddata permissions a b; 0";
        check_with(fixtures, "*--check) exit 1 ;;", pending);
        check_with(fixtures, "loaddata*) exit 1 ;;", "migrate --check; loaddata permissions a b; 1");
        check_with(fixtures, "migrate*) exit 1 ;;", "migrate --check; migrate --plan; migrate --noinput; 1");
        let own = format!("{fixtures}steps = {{ migrate = [] }}\n");
        check_with(&own, "*) ;;", "loaddata permissions a b; 0");
    }
}
