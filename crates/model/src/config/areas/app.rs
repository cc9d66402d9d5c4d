//! The app itself.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use schemars::json_schema;
use toml::Value;

use crate::app::recipe::{Recipe, Steps};
use crate::config::area::area;
use crate::config::at::At;
use crate::config::diagnostics::Diagnostic;
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::nearest::did_you_mean;
use crate::config::path::absolute;
use crate::config::path::host_path;
use crate::config::rule::{Always, DefaultValue, Empty, Rule, Typed, Unset, Written, means, means_itself};
use crate::config::template::{Template, unfilled};
use crate::config::values::{Commands, FilePath, ProjectPath, Text, VariableName, schema_of};
use crate::names::{HostPath, Unit};

means_itself!(Recipe);

area! {
    /// The app itself.
    app: AppSettings, AppLayer, "The app";

    /// The app's short name: its folder, service and init script on a host. Required.
    unit: At<Unit> => Unit = Required, example r#""five""#;

    /// The app's directory on a host. `{unit}` and `{environment}` may stand in it.
    path: At<PathText> => HostPath = OwnPath, example r#""/srv/{unit}""#;

    /// What kind of app it is, which says what a deploy does besides the hooks: `buedafab recipe` shows it.
    recipe: Recipe => Recipe = Always(Recipe::Generic), example r#""django""#;

    /// The folder of the project in which the app lies, where that isn't its root: there its commands run, and there the paths
    /// of other settings begin.
    subdir: FilePath => Option<String> = Unset("the root of the project"), example r#""src""#;

    /// What the app is made of, as paths from the root of the repository on: where nothing of it has changed, nor in `buedafab.toml`, since
    /// the release that a host serves, a deploy leaves that host as it is. A path that the release hasn't counts as changed.
    skip_unless_changed: Vec<ProjectPath> => Vec<String> = Empty, example r#"["backend/", "libs/"]"#;

    /// The folders of the repository that a release is made of, besides `subdir` and the files at the root: nothing else of it is checked
    /// out or packed. An empty list: nothing besides.
    sparse_checkout: Vec<ProjectPath> => Option<Vec<String>> = Unset("all of the repository"), example r#"["libs"]"#;

    /// Commands in place of steps of the recipe.
    steps: BTreeMap<String, At<Commands>> => Steps = StepsOfTheRecipe,
        example r#"{ check = "python manage.py check", collectstatic = [] }"#;

    /// `DEPLOYMENT_TYPE` in the environment of every command of the app.
    deployment_type: Text => String = DeploymentType, example r#""SOLO""#;

    /// More variables for every command of the app. Those of an environment are added to those of the top level.
    variables: BTreeMap<VariableName, Text> => BTreeMap<String, String> = Empty,
        example r#"{ DJANGO_SETTINGS_MODULE = "five.settings" }"#;
}

/// Where the app lies in a project, and nothing else says that.
impl AppSettings {
    /// The app's folder in a folder of the whole project.
    pub fn folder_in(&self, project: &HostPath) -> HostPath {
        self.subdir.as_ref().map_or_else(|| project.clone(), |subdir| project.join(subdir))
    }

    /// The app's folder in the project and those above it, from there up, each as the beginning of a path.
    pub fn folders(&self) -> Vec<String> {
        let subdir = self.subdir.as_deref().unwrap_or_default();
        let mut folders = if subdir.is_empty() { Vec::new() } else { vec![format!("{subdir}/")] };
        folders.extend(subdir.rmatch_indices('/').map(|(at, _)| subdir[..=at].to_owned()));
        folders.push(String::new());
        folders
    }

    /// The folders that a release is made of; `None`: all that there are.
    pub fn part(&self) -> Option<Vec<String>> {
        let more = self.sparse_checkout.as_ref()?;
        let all: BTreeSet<&String> = self.subdir.iter().chain(more).collect();
        Some(all.into_iter().cloned().collect())
    }

    /// A file of the app by its path in the project.
    pub fn file(&self, path: &str) -> String {
        self.subdir.as_ref().map_or_else(|| path.to_owned(), |subdir| format!("{subdir}/{path}"))
    }
}

/// Without its name nothing can be deployed; the other settings are still checked, for an app of any name.
struct Required;

impl Rule<At<Unit>, Unit> for Required {
    fn resolve(&self, typed: Option<&At<Unit>>, written: &Written<'_>) -> Unit {
        if let Some(At { value: unit, span: _ }) = typed {
            return unit.clone();
        }
        let mistake = Mistake::new("`unit` is missing")
            .help("name the app in the first line of the file: `unit = \"five\"`");
        written.note(Diagnostic::nowhere(mistake));
        Unit::new("app").expect("`app` is a plain word")
    }

    fn default_value(&self) -> Option<DefaultValue> {
        None
    }
}

/// What may stand in braces in a path.
const PLACEHOLDERS: [&str; 2] = ["unit", "environment"];

/// An absolute path with placeholders.
#[derive(Debug, Clone)]
pub(in crate::config) struct PathText(Template);

typed_as_text!(PathText);

impl FromStr for PathText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        Ok(PathText(absolute(text, &PLACEHOLDERS)?))
    }
}

schema_of! {
    PathText => json_schema!({ "type": "string", "pattern": "^/" }),
}

means! {
    Unit => Unit: itself => itself,
    PathText => PathText: itself => itself,
}

/// Staging shares its machines with production often enough that their paths must differ unless somebody says otherwise.
struct OwnPath;

impl OwnPath {
    fn read(typed: Option<&At<PathText>>, written: &Written<'_>) -> Result<HostPath, Diagnostic> {
        let unit = AppLayer::unit(written);
        let is_below_another = written.lineage.kind() == Some("staging") && written.own.app.path.is_none();
        let suffix = if is_below_another { "-staging" } else { "" };
        let path_of = |filled: &str| {
            let path = host_path(filled)?;
            host_path(&format!("{path}{suffix}"))
        };
        match typed {
            None => path_of(&format!("/var/webapps/{unit}")).map_err(Diagnostic::nowhere),
            Some(At { value: PathText(template), span }) => {
                let filled = template.fill(written.common(&unit)).map_err(|name| unfilled(&name));
                filled.and_then(|filled| path_of(&filled)).map_err(|mistake| Diagnostic::at(span, mistake))
            }
        }
    }
}

impl Rule<At<PathText>, HostPath> for OwnPath {
    fn resolve(&self, typed: Option<&At<PathText>>, written: &Written<'_>) -> HostPath {
        OwnPath::read(typed, written).unwrap_or_else(|diagnostic| {
            written.note(diagnostic);
            HostPath::new("/var/webapps/app").expect("it is an absolute path")
        })
    }

    fn default_value(&self) -> Option<DefaultValue> {
        Some(DefaultValue {
            value: Some(Value::String("/var/webapps/{unit}".to_string())),
            words: Some("and in staging the path of the top level with `-staging` after it".to_string()),
        })
    }
}

/// Only what the recipe does can be replaced.
struct StepsOfTheRecipe;

impl Rule<BTreeMap<String, At<Commands>>, Steps> for StepsOfTheRecipe {
    fn resolve(&self, typed: Option<&BTreeMap<String, At<Commands>>>, written: &Written<'_>) -> Steps {
        let typed = typed.cloned().unwrap_or_default();
        let known = AppLayer::recipe(written).step_names().iter().map(|name| name.as_str());
        let known: Vec<&str> = known.collect();
        for (name, commands) in typed.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let help = if known.is_empty() {
                "this recipe has no steps of its own: write hooks".to_string()
            } else {
                did_you_mean(name, known.iter().copied())
            };
            let mistake = Mistake::new(format!("the recipe has no step {}", quoted(name))).help(help);
            written.note_at(&commands.span, mistake);
        }
        typed.meaning()
    }

    fn default_value(&self) -> Option<DefaultValue> {
        Rule::<BTreeMap<String, At<Commands>>, Steps>::default_value(&Empty)
    }
}

/// What buedafab called its environments.
struct DeploymentType;

impl Rule<Text, String> for DeploymentType {
    fn resolve(&self, typed: Option<&Text>, written: &Written<'_>) -> String {
        let default = || match written.lineage.kind_or_name() {
            "localhost" => "SOLO".to_string(),
            "development" => "DEV".to_string(),
            other => other.to_uppercase(),
        };
        typed.cloned().map_or_else(default, Text::meaning)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words(
            "`\"SOLO\"` in localhost, `\"DEV\"` in development, `\"STAGING\"`, `\"PRODUCTION\"`, and elsewhere the \
             environment's name in capitals",
        )
    }
}
