//! The configuration file as a whole.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::apps::{App, OnlyApp, take_apps, take_apps_in};
use super::areas::{Layer, SECRET_KEYS, SOURCES, Settings, Task};
use super::at::At;
use super::diagnostics::{Diagnostic, Diagnostics, Source};
use super::lineage::{BUILT_IN, Lineage};
use super::mistake::{Mistake, quoted};
use super::nearest::{nearest, one_of};
use super::rule::Written;
use super::syntax;
use super::values::Name;
use crate::host::inventory::{Answers, Question};
use crate::names::{EnvironmentName, TaskName};

/// A configuration file in which every value by itself is right.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    pub(super) source: Source,
    pub(super) top: Layer,
    /// In the order of the file.
    pub(super) environments: Vec<(EnvironmentName, Layer)>,
    /// The apps, where there are several.
    pub(super) apps: Vec<App>,
    /// The one of them that this was narrowed to.
    pub(super) only: Option<OnlyApp>,
    /// What those have answered who know hosts.
    pub(super) answers: Answers,
}

/// Reads the text of a configuration file. The name is only used in diagnostics.
///
/// # Errors
///
/// All the mistakes that can be found in one go: either what isn't TOML; or what isn't a setting, with what contradicts
/// itself in any environment.
pub fn parse(file_name: &str, text: &str) -> Result<ConfigFile, Diagnostics> {
    // Editors on Windows begin a file with a byte order mark, which is no column of its first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // They end its lines with two characters, too, the first of which no shell should get from a hook of several lines.
    let text = text.replace("\r\n", "\n");
    let text = text.as_str();
    let (table, errors) = DeTable::parse_recoverable(text);
    let source = Source { file_name: file_name.into(), text: without_secrets(&table, text).into() };
    if !errors.is_empty() {
        let list = errors.iter().map(|error| syntax::explain(error, text)).collect();
        return Err(Diagnostics::new(source, list));
    }
    let mut diagnostics = Vec::new();
    let span = table.span();
    let mut table = table.into_inner();
    let environments = take_environments(&mut table, &mut diagnostics);
    refuse_top_level(&mut table, &mut diagnostics);
    let mut apps = take_apps(&mut table, text, &mut diagnostics);
    let top = Layer::read(Spanned::new(span, table), text, &mut diagnostics);
    let mut read_one = |(name, mut table): (EnvironmentName, Spanned<DeTable<'_>>)| {
        take_apps_in(&name, table.get_mut(), text, &mut apps, &mut diagnostics);
        (name, Layer::read(table, text, &mut diagnostics))
    };
    let environments = environments.into_iter().map(&mut read_one).collect();
    let file = ConfigFile { source, top, environments, apps, only: None, answers: Answers::new() };
    if diagnostics.is_empty() {
        return Ok(file);
    }
    // What contradicts itself is told as well, so that a file is mended in one go; that something is missing altogether can
    // wait until it is known what the file says.
    let apps = file.app_names();
    for file in std::iter::once(file.clone()).chain(apps.iter().filter_map(|app| file.of_app(app))) {
        for (lineage, own) in file.environment_names().iter().filter_map(|name| file.lineage(name).ok()) {
            let contradictions = file.resolve(&lineage, &own).err().unwrap_or_default();
            let new =
                |diagnostic: &Diagnostic| diagnostic.span.is_some() && !diagnostics.contains(diagnostic);
            let contradictions: Vec<Diagnostic> = contradictions.into_iter().filter(new).collect();
            diagnostics.extend(contradictions);
        }
    }
    Err(Diagnostics::new(file.source, diagnostics))
}

impl ConfigFile {
    /// The environments: localhost, development, staging and production, and then the file's own in their order there.
    pub fn environment_names(&self) -> Vec<EnvironmentName> {
        let own = self.environments.iter().map(|(name, _)| name.clone());
        built_in().chain(own.filter(|name| !BUILT_IN.contains(&name.as_str()))).collect()
    }

    /// Those that the file says something about.
    pub fn written_environments(&self) -> Vec<EnvironmentName> {
        self.environments.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The project's own commands in any environment, with what they are for.
    pub fn tasks(&self) -> BTreeMap<TaskName, Task> {
        let layers = self.environments.iter().map(|(_, layer)| layer).chain([&self.top]);
        let tasks = layers.flat_map(|layer| layer.tasks.tasks.iter().flatten());
        tasks.map(|(Name(name), task)| (name.clone(), task.clone().into())).collect()
    }

    /// What the file means for one environment.
    ///
    /// # Errors
    ///
    /// No such environment; or no `unit`, and all settings that contradict each other.
    pub fn settings(&self, environment: &EnvironmentName) -> Result<Settings, Diagnostics> {
        let fail = |list| Diagnostics::new(self.source.clone(), list);
        if !self.environment_names().contains(environment) {
            return Err(fail(vec![self.unknown_environment(environment)]));
        }
        let (lineage, own) = self.lineage(environment).map_err(|diagnostic| fail(vec![diagnostic]))?;
        self.resolve(&lineage, &own).map_err(fail)
    }

    /// Who has to be asked for the hosts of an environment, of all apps.
    ///
    /// # Errors
    ///
    /// As for the settings.
    pub fn questions(&self, environment: &EnvironmentName) -> Result<Vec<Question>, Diagnostics> {
        let apps = self.app_names();
        let files: Vec<ConfigFile> = apps.iter().filter_map(|app| self.of_app(app)).collect();
        let files = if files.is_empty() { vec![self.clone()] } else { files };
        let mut questions = Vec::new();
        for file in &files {
            let asked = file.settings(environment)?.inventory.from.questions();
            let new: Vec<Question> =
                asked.into_iter().filter(|question| !questions.contains(question)).collect();
            questions.extend(new);
        }
        Ok(questions)
    }

    /// The same file, together with what was answered.
    pub fn with_answers(self, answers: Answers) -> ConfigFile {
        ConfigFile { answers, ..self }
    }

    pub(super) fn resolve(&self, lineage: &Lineage, own: &Layer) -> Result<Settings, Vec<Diagnostic>> {
        let all = own.clone().over(self.top.clone());
        let written = Written::new(lineage, own, &all, &self.answers);
        let mut settings = Settings::resolve(&written);
        if let Some(only) = &self.only {
            settings.hosts = only.hosts(settings.hosts);
        }
        match written.mistakes() {
            mistakes if mistakes.is_empty() => Ok(settings),
            mistakes => Err(mistakes),
        }
    }

    /// The environment and those that it extends, and what all of them say together.
    pub(super) fn lineage(&self, environment: &EnvironmentName) -> Result<(Lineage, Layer), Diagnostic> {
        let layer = |wanted: &EnvironmentName| {
            self.environments.iter().find(|(name, _)| name == wanted).map(|(_, layer)| layer)
        };
        let mut lineage = vec![environment.clone()];
        let mut own = layer(environment).cloned().unwrap_or_default();
        let mut next = own.hosts.extends.take();
        while let Some(At { value: Name(parent), span }) = next {
            if lineage.contains(&parent) {
                let mistake = Mistake::new(format!("{} extends itself", quoted(environment.as_str())));
                return Err(Diagnostic::at(
                    &span,
                    mistake.help("name another environment, or leave the line out"),
                ));
            }
            if !self.environment_names().contains(&parent) {
                let Diagnostic { message, span: _, help } = self.unknown_environment(&parent);
                return Err(Diagnostic { message, span: Some(span), help });
            }
            let below = layer(&parent).cloned().unwrap_or_default();
            next = below.hosts.extends.clone();
            own = own.over_place(below);
            lineage.push(parent);
        }
        Ok((Lineage(lineage), own))
    }

    fn unknown_environment(&self, typed: &EnvironmentName) -> Diagnostic {
        let names = self.environment_names();
        let names = || names.iter().map(EnvironmentName::as_str);
        let there_are =
            format!("there are {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
        let help = match nearest(typed.as_str(), names()) {
            Some(right) => format!("did you mean `{right}`? {there_are}"),
            None => format!("{there_are}; another one begins with the line `[environments.{typed}]`"),
        };
        Diagnostic::nowhere(Mistake::new(format!("no environment {}", quoted(typed.as_str()))).help(help))
    }
}

/// The text as it is shown where it is wrong: what may be the secret of a notification is covered, letter by letter. It can't stand
/// in the file, and people show each other what is said about it.
fn without_secrets(table: &Spanned<DeTable<'_>>, text: &str) -> String {
    let table = table.get_ref();
    let mut spans = Vec::new();
    find_secrets(table, &mut spans);
    for (_, environment) in
        table.get("environments").and_then(|tables| tables.get_ref().as_table()).into_iter().flatten()
    {
        spans.extend(environment.get_ref().as_table().into_iter().flat_map(|table| {
            let mut own = Vec::new();
            find_secrets(table, &mut own);
            own
        }));
    }
    let mut text = text.to_owned();
    for span in spans {
        let covered: String = text[span.clone()].chars().map(|c| if c == '\n' { c } else { '*' }).collect();
        // Every later place stays where it was.
        let filled = format!("{covered}{}", "*".repeat(span.len() - covered.len()));
        text.replace_range(span, &filled);
    }
    text
}

fn find_secrets(table: &DeTable<'_>, spans: &mut Vec<std::ops::Range<usize>>) {
    let Some(DeValue::Array(list)) = table.get("notify").map(Spanned::get_ref) else { return };
    for entry in list.iter().filter_map(|entry| entry.get_ref().as_table()) {
        for service in entry.iter().filter_map(|(_, service)| service.get_ref().as_table()) {
            let secrets = service.iter().filter(|(key, value)| {
                SECRET_KEYS.contains(&key.get_ref().as_ref()) && matches!(value.get_ref(), DeValue::String(_))
            });
            spans.extend(secrets.map(|(_, value)| value.span()));
        }
    }
}

fn built_in() -> impl Iterator<Item = EnvironmentName> {
    BUILT_IN.into_iter().map(|name| EnvironmentName::new(name).expect("the built-in names are plain words"))
}

/// Takes the tables of the environments out of the top level, so that what is left is a layer like each of them.
fn take_environments<'i>(
    table: &mut DeTable<'i>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(EnvironmentName, Spanned<DeTable<'i>>)> {
    let Some(environments) = table.remove("environments") else { return Vec::new() };
    let span = environments.span();
    let DeValue::Table(environments) = environments.into_inner() else {
        let mistake =
            Mistake::new("`environments` takes tables").help("begin one with `[environments.production]`");
        diagnostics.push(Diagnostic::at(&span, mistake));
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, value) in environments {
        let (key_span, value_span) = (key.span(), value.span());
        let name = match EnvironmentName::new(key.into_inner()) {
            Ok(name) => name,
            Err(error) => {
                diagnostics.push(Diagnostic::at(&key_span, Mistake::new(error.to_string())));
                continue;
            }
        };
        match value.into_inner() {
            DeValue::Table(table) => found.push((key_span.start, name, Spanned::new(value_span, table))),
            _ => {
                let mistake =
                    Mistake::new(format!("the environment {} takes a table", quoted(name.as_str())))
                        .help(format!("write its settings below `[environments.{name}]`"));
                diagnostics.push(Diagnostic::at(&value_span, mistake));
            }
        }
    }
    // The parser sorts keys by name; people expect the order of their file.
    found.sort_by_key(|(start, _, _)| *start);
    found.into_iter().map(|(_, name, table)| (name, table)).collect()
}

/// Takes out and explains what is right elsewhere in the file, but not at its top level.
fn refuse_top_level(table: &mut DeTable<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut refuse = |name: &str, mistake: Mistake| {
        if let Some((key, _)) = table.remove_entry(name) {
            diagnostics.push(Diagnostic::at(&key.span(), mistake));
        }
    };
    refuse(
        "hosts",
        Mistake::new("`hosts` belongs to an environment")
            .help(format!("write it below `[environments.NAME]`, where NAME is {}", one_of(BUILT_IN))),
    );
    for name in SOURCES {
        let mistake = Mistake::new(format!("`{name}` belongs to an environment"))
            .help(format!("write it below `[environments.NAME]`, where NAME is {}", one_of(BUILT_IN)));
        refuse(name, mistake);
    }
    refuse(
        "extends",
        Mistake::new("`extends` belongs to an environment").help("write it below `[environments.NAME]`"),
    );
    for name in BUILT_IN {
        let mistake =
            Mistake::new(format!("unknown setting `{name}`")).help(format!("write `[environments.{name}]`"));
        refuse(name, mistake);
    }
}
