//! What a kind of app needs to be deployed: named steps at the points of a run, which a project may replace one by one.
//!
//! A recipe is a table of commands, and nothing but the planner reads it. What a project would have to write into its
//! hooks without one is what stands here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::HookPoint;
use crate::config::Settings;
use crate::shell::quote_words;

/// A kind of app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// Django: virtualenv, static files, checks, migrations.
    Django,
    /// Tornado: a virtualenv.
    Tornado,
    /// Any WSGI app, Flask for one: a virtualenv.
    Wsgi,
    /// Any ASGI app, FastAPI for one: a virtualenv.
    Asgi,
    /// web.py: a virtualenv.
    Webpy,
    /// Files that a web server serves: nothing is built, and nothing restarted.
    Static,
    /// Any language: what the hooks say.
    Generic,
}

/// Where Django's static files are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Collectstatic {
    /// On every host, as its slot is built: into the slot, or a folder that is linked into it.
    EveryHost,
    /// On the first host only, when all are ready: into storage that they share.
    Once,
}

/// One named step of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipeStep {
    /// What it is called, also below `[steps]`.
    pub name: &'static str,
    /// Where in a run.
    pub point: HookPoint,
    /// On which side of the project's own hooks at that point.
    pub side: Side,
    /// Commands, for `sh`, in the new slot.
    pub commands: Vec<String>,
}

/// Before or after the project's own hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Before.
    Before,
    /// After.
    After,
}

impl Recipe {
    /// Whether its apps have a virtualenv.
    pub fn is_python(self) -> bool {
        match self {
            Recipe::Django | Recipe::Tornado | Recipe::Wsgi | Recipe::Asgi | Recipe::Webpy => true,
            Recipe::Static | Recipe::Generic => false,
        }
    }

    /// Whether there is a process to restart.
    pub fn has_process(self) -> bool {
        self != Recipe::Static
    }

    /// The names of its steps, in the order of a run.
    pub fn step_names(self) -> &'static [&'static str] {
        match self {
            Recipe::Django => &["collectstatic", "check", "migrate"],
            _ => &[],
        }
    }
}

/// The steps of the recipe, as the project has them: its own commands in place of the recipe's.
pub fn steps(settings: &Settings) -> Vec<RecipeStep> {
    let mut steps = match settings.recipe {
        Recipe::Django => django(settings),
        Recipe::Tornado | Recipe::Wsgi | Recipe::Asgi | Recipe::Webpy | Recipe::Static | Recipe::Generic => {
            Vec::new()
        }
    };
    for step in &mut steps {
        if let Some(commands) = settings.steps.get(step.name) {
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
    let (collect_at, side) = match settings.collectstatic {
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
    if !settings.extra_fixtures.is_empty() {
        work.push(manage(&format!("loaddata {}", quote_words(&settings.extra_fixtures))));
    }
    let pending = manage("migrate --check");
    let migrate = format!("{pending} >/dev/null 2>&1 || {{ {}; }}", work.join(" && "));
    match settings.syncdb {
        true => format!("{} && {{ {migrate}; }}", manage("syncdb --noinput")),
        false => migrate,
    }
}

fn manage(command: &str) -> String {
    format!("python manage.py {command}")
}

/// What a project has put in place of the recipe's own steps.
pub type Steps = BTreeMap<String, Vec<String>>;
