//! Two files that speak of one deploy: what belongs to the release is decided by the release's own buedafab.toml, and where
//! it goes and who does it by the one in the working tree.
//!
//! What belongs to the release is what is kept with it on its hosts ([`crate::app::resolved`]), so that a way back finds the
//! same again; and how the app that it is says which release it runs.

use serde_json::Value;

use super::apps::OnlyApp;
use super::areas::{
    AppLayer, CrontabLayer, HooksKey, HooksLayer, Layer, LocalHooksLayer, Settings, SharedLayer, SourceLayer,
};
use super::diagnostics::{Diagnostic, Diagnostics, Source};
use super::file::{ConfigFile, parse};
use super::mistake::quoted;
use crate::names::EnvironmentName;

/// What the two files mean together.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseSettings {
    /// The settings that the release is deployed by.
    pub settings: Settings,
    /// Which file was used for what, where they differ.
    pub notes: Vec<String>,
}

impl ConfigFile {
    /// What this file, which is the working tree's, means for one environment together with that of a release. `file_name`
    /// is the file's name there, `release` what people call it, and `own` the text that it has; `None`: it has no such file.
    ///
    /// # Errors
    ///
    /// The mistakes in either file, and what the two contradict each other in.
    pub fn settings_of_release(
        &self,
        environment: &EnvironmentName,
        file_name: &str,
        release: &str,
        own: Option<&str>,
    ) -> Result<ReleaseSettings, Diagnostics> {
        let here = self.settings(environment)?;
        let all_of_it = |why: String| ReleaseSettings {
            settings: here.clone(),
            notes: vec![format!("{why}: your working tree's is used for all of it")],
        };
        let Some(own) = own else {
            return Ok(all_of_it(format!("{release} has no {file_name}")));
        };
        // Who was asked which hosts there are, was asked for both.
        let mut file = parse(&format!("{file_name} of {release}"), own)?.with_answers(self.answers.clone());
        if let Some(OnlyApp { name, .. }) = &self.only {
            match file.of_app(name) {
                Some(own) => file = own,
                None => {
                    return Ok(all_of_it(format!(
                        "{file_name} of {release} has no app {}",
                        quoted(name.as_str())
                    )));
                }
            }
        }
        if !file.environment_names().contains(environment) {
            let environment = quoted(environment.as_str());
            return Ok(all_of_it(format!("{file_name} of {release} has no environment {environment}")));
        }
        let alone = file.settings(environment)?;
        let settings = self.joined(environment, &file).map_err(|list| {
            // Each of them is right by itself, so there is no line to point at.
            let list = list.into_iter().map(|diagnostic| Diagnostic { span: None, ..diagnostic }).collect();
            let file_name = format!("{file_name} of {release}, together with your working tree's");
            Diagnostics::new(Source { file_name: file_name.into(), text: "".into() }, list)
        })?;
        let mut notes = Vec::new();
        if let Some(names) = differing(&settings, &here) {
            notes.push(format!(
                "taken from the release's own {file_name}, not from your working tree's: {names}"
            ));
        }
        if let Some(names) = differing(&settings, &alone) {
            notes.push(format!(
                "taken from your working tree's {file_name}, not from the release's own: {names}"
            ));
        }
        Ok(ReleaseSettings { settings, notes })
    }

    fn joined(
        &self,
        environment: &EnvironmentName,
        release: &ConfigFile,
    ) -> Result<Settings, Vec<Diagnostic>> {
        let (lineage, here) = self.lineage(environment).map_err(|diagnostic| vec![diagnostic])?;
        let (_, own) = release.lineage(environment).map_err(|diagnostic| vec![diagnostic])?;
        let top = release.top.clone().at_place_of(self.top.clone());
        ConfigFile { top, ..self.clone() }.resolve(&lineage, &own.at_place_of(here))
    }
}

impl Layer {
    /// The layer of a release's own file, in the place that the working tree's gives it.
    fn at_place_of(self, here: Layer) -> Layer {
        let Layer {
            app:
                AppLayer {
                    recipe,
                    steps,
                    subdir,
                    sparse_checkout,
                    unit: _,
                    path: _,
                    skip_unless_changed: _,
                    deployment_type: _,
                    variables: _,
                },
            version,
            health,
            python,
            django,
            shared: SharedLayer { shared_files, shared_dirs, scratch_files, env_file: _ },
            crontab: CrontabLayer { crontab, crontab_place: _ },
            services,
            hooks: HooksKey { hooks },
            source:
                SourceLayer {
                    artifact,
                    artifact_sha256,
                    scm: _,
                    scm_http_url: _,
                    scm_known_hosts: _,
                    forward_agent: _,
                    master_remote: _,
                    default_revision: _,
                    source: _,
                    fetch_concurrency: _,
                    partial_clone: _,
                    deployed_ref: _,
                },
            // Where and who: always today's.
            rules: _,
            developer: _,
            maintenance: _,
            layout: _,
            users: _,
            rollout: _,
            watch: _,
            drain: _,
            connection: _,
            limits: _,
            notify: _,
            tasks: _,
            inventory: _,
            hosts: _,
            unread,
        } = self;
        // What runs on the deployer runs in the working tree; but what builds the release runs in a clone of it.
        let built_by = hooks.as_ref().and_then(|hooks| hooks.local.as_ref()?.build.clone());
        let local = here.hooks.hooks.and_then(|hooks| hooks.local);
        let local = (local.is_some() || built_by.is_some())
            .then(|| LocalHooksLayer { build: built_by, ..local.unwrap_or_default() });
        let hooks = HooksLayer { local, ..hooks.unwrap_or_default() };
        Layer {
            app: AppLayer { recipe, steps, subdir, sparse_checkout, ..here.app },
            version,
            health,
            python,
            django,
            shared: SharedLayer { shared_files, shared_dirs, scratch_files, ..here.shared },
            crontab: CrontabLayer { crontab, ..here.crontab },
            services,
            hooks: HooksKey { hooks: Some(hooks) },
            source: SourceLayer { artifact, artifact_sha256, ..here.source },
            unread,
            ..here
        }
    }
}

/// The names of the settings that differ; `None`: none does. The project's own tasks are no part of a deploy, nor is
/// who is told of it.
fn differing(used: &Settings, other: &Settings) -> Option<String> {
    let [used, other] = [used, other].map(|settings| serde_json::to_value(settings).expect("plain data"));
    let (Value::Object(used), Value::Object(other)) = (used, other) else { return None };
    let differs =
        |name: &&String| !matches!(name.as_str(), "tasks" | "notify") && used.get(*name) != other.get(*name);
    let mut names: Vec<String> = used
        .keys()
        .chain(other.keys().filter(|name| !used.contains_key(*name)))
        .filter(differs)
        .map(|name| format!("`{}`", if name == "local_hooks" { "hooks.local" } else { name }))
        .collect();
    names.sort();
    match names.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        [most @ .., last] => Some(format!("{} and {last}", most.join(", "))),
    }
}
