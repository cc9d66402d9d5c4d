//! The commands of recipes.

use super::quote_words;
use crate::app::hooks::HookPoint;
use crate::app::recipe::{Collectstatic, Recipe, RecipeStep, Side};
use crate::config::Settings;

/// The steps of the recipe, as the project has them: its own commands in place of the recipe's.
pub fn steps(settings: &Settings) -> Vec<RecipeStep> {
    let mut steps = match settings.app.recipe {
        Recipe::Django => django(settings),
        Recipe::Tornado | Recipe::Wsgi | Recipe::Asgi | Recipe::Webpy | Recipe::Static | Recipe::Generic => {
            Vec::new()
        }
    };
    for step in &mut steps {
        if let Some(commands) = settings.app.steps.get(step.name) {
            step.commands.clone_from(commands);
        }
    }
    steps
}

/// The recipe's commands at one point, on one side of the project's own.
pub(crate) fn commands_at(settings: &Settings, point: HookPoint, side: Side) -> Vec<String> {
    let here = |step: &RecipeStep| step.point == point && step.side == side;
    steps(settings).into_iter().filter(here).flat_map(|step| step.commands).collect()
}

fn django(settings: &Settings) -> Vec<RecipeStep> {
    let step = |name, point, side, command: String| RecipeStep { name, point, side, commands: vec![command] };
    let (collect_at, side) = match settings.django.collectstatic {
        // Hooks may build what is collected.
        Collectstatic::EveryHost => (HookPoint::Build, Side::After),
        Collectstatic::Once => (HookPoint::Once, Side::Before),
    };
    vec![
        step("collectstatic", collect_at, side, manage("collectstatic --noinput --verbosity 0")),
        step("check", HookPoint::Check, Side::Before, manage("check --deploy")),
        step("migrate", HookPoint::Once, Side::Before, migrate(settings)),
    ]
}

/// Migrates only where something is pending, and says what before it does.
fn migrate(settings: &Settings) -> String {
    let mut work = vec![manage("migrate --plan"), manage("migrate --noinput")];
    if !settings.django.extra_fixtures.is_empty() {
        work.push(manage(&format!("loaddata {}", quote_words(&settings.django.extra_fixtures))));
    }
    let pending = manage("migrate --check");
    let migrate = format!("{pending} >/dev/null 2>&1 || {{ {}; }}", work.join(" && "));
    if settings.django.syncdb {
        format!("{} && {{ {migrate}; }}", manage("syncdb --noinput"))
    } else {
        migrate
    }
}

fn manage(command: &str) -> String {
    format!("python manage.py {command}")
}
