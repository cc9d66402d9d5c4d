//! What a kind of app needs to be deployed: named steps at the points of a run, which a project may replace one by one.
//!
//! What a project would have to write into its hooks without a recipe is what stands in one. The commands themselves are
//! made in [`shell::recipe`](crate::shell::recipe).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::app::hooks::HookPoint;

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

/// What a recipe may do, by its name below `[steps]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// Collect Django's static files.
    Collectstatic,
    /// See that Django's databases and uploads outlive the release.
    Data,
    /// Ask Django what is wrong.
    Check,
    /// Migrate the database, where something is pending.
    Migrate,
    /// Load Django's fixtures: what is in them may change without a migration.
    Fixtures,
}

/// One named step of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipeStep {
    /// What it is called.
    pub name: StepName,
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

    /// What starts an app of it, in the words of one that stands for many.
    pub fn sample_command(self) -> &'static str {
        match self {
            Recipe::Django | Recipe::Wsgi | Recipe::Webpy => {
                "python -m gunicorn --bind 127.0.0.1:8000 app:app"
            }
            Recipe::Asgi => "python -m uvicorn --port 8000 app:app",
            Recipe::Tornado => "python app.py --port=8000",
            Recipe::Static | Recipe::Generic => "./bin/serve --port 8000",
        }
    }

    /// Its steps, in the order of a run.
    pub fn step_names(self) -> &'static [StepName] {
        match self {
            Recipe::Django => &[
                StepName::Collectstatic,
                StepName::Data,
                StepName::Check,
                StepName::Migrate,
                StepName::Fixtures,
            ],
            Recipe::Tornado
            | Recipe::Wsgi
            | Recipe::Asgi
            | Recipe::Webpy
            | Recipe::Static
            | Recipe::Generic => &[],
        }
    }
}

impl StepName {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            StepName::Collectstatic => "collectstatic",
            StepName::Data => "data",
            StepName::Check => "check",
            StepName::Migrate => "migrate",
            StepName::Fixtures => "fixtures",
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a project has put in place of the recipe's own steps.
pub type Steps = BTreeMap<String, Vec<String>>;
