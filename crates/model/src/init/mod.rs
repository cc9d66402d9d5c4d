//! `buedafab init`: what a checkout says about how it is deployed, and the buedafab.toml that follows from it.
//!
//! [`guess`] takes the paths that git tracks and the texts of those that [`matters`] names, and says what it made of them,
//! why, and what only a person can tell. Nothing of the project is run: what is read has regular shapes, and what hasn't is
//! passed over.

mod app;
mod django;
mod earlier;
mod files;
mod python;
mod question;
mod start;
mod write;
mod yaml;

use std::collections::BTreeMap;

pub use files::{Files, matters};
pub use question::{Answers, Question};
pub use write::write;

use crate::app::recipe::Recipe;
use crate::app::remote_url::RemoteUrl;
use crate::config;
use crate::names::{EnvironmentName, Unit};
use earlier::Earlier;
use start::Hook;

/// Locks of other tools than pip and uv.
const LOCKS: [&str; 3] = ["poetry.lock", "Pipfile.lock", "pdm.lock"];

/// What is known of a checkout.
#[derive(Debug, Clone, Default)]
pub struct CheckoutFacts {
    /// The name of its folder.
    pub folder: String,
    /// The remote that releases come from: its name and its URL.
    pub remote: Option<(String, String)>,
    /// The branch that is checked out; none on a detached HEAD.
    pub branch: Option<String>,
    /// The branch that the remote's own HEAD stands on.
    pub default_branch: Option<String>,
    /// All branches of the remote; of the checkout, if there is no remote.
    pub branches: Vec<String>,
    /// Whether git is set up to sign tags.
    pub can_sign: bool,
    /// Whether `STATIC_ROOT` stands in any tracked file.
    pub mentions_static_root: bool,
    /// What git tracks.
    pub files: Files,
}

/// What was made of it.
#[derive(Debug, Clone)]
pub struct Guess {
    pub(in crate::init) unit: String,
    pub(in crate::init) path: Option<String>,
    pub(in crate::init) scm: Option<String>,
    pub(in crate::init) scm_http_url: Option<String>,
    /// The remote's name, where it isn't the usual one.
    pub(in crate::init) remote: Option<String>,
    /// The branch that production's releases come from.
    pub(in crate::init) branch: Option<String>,
    pub(in crate::init) can_sign: bool,
    pub(in crate::init) recipe: Recipe,
    /// The folder that the app is in; empty for the root.
    pub(in crate::init) folder: String,
    pub(in crate::init) requirements: python::Requirements,
    pub(in crate::init) collects_static_files: bool,
    pub(in crate::init) shared_files: Vec<String>,
    pub(in crate::init) shared_dirs: Vec<String>,
    /// What was found in Django's settings needs a file in `shared` first.
    pub(in crate::init) databases: Vec<String>,
    pub(in crate::init) settings_modules: django::SettingsModules,
    pub(in crate::init) test_runner: Option<String>,
    pub(in crate::init) linter: Option<String>,
    pub(in crate::init) hooks: Vec<Hook>,
    /// How the app is started, if that is known.
    pub(in crate::init) command: Option<String>,
    /// More that runs of it, by name.
    pub(in crate::init) workers: Vec<(String, String)>,
    pub(in crate::init) uses_celery: bool,
    /// What an earlier tool was told.
    pub(in crate::init) earlier: Earlier,
    /// What a person has said.
    pub(in crate::init) answers: Answers,
    /// Whether the remote's URL holds a password or token.
    pub has_credentials: bool,
    /// What was concluded, and from what.
    pub reasons: Vec<(String, String)>,
    /// What a person has to see to, whatever they answer.
    pub notes: Vec<String>,
    /// What wasn't answered yet, and has no certain answer. A guess without any of them is as good as it gets.
    pub questions: Vec<Question>,
}

/// Makes of a checkout what can be made of it, in the light of what a person has said so far. The answer to one question can
/// raise or settle others.
pub fn guess(facts: &CheckoutFacts, answers: &Answers) -> Guess {
    let files = &facts.files;
    let mut reasons = Vec::new();
    let mut notes = Vec::new();
    let mut questions = Vec::new();
    let remote = facts.remote.as_ref().map(|(name, url)| (name.as_str(), RemoteUrl::of(url)));
    let has_credentials = remote.as_ref().is_some_and(|(_, url)| url.credentials.is_some());
    let earlier = earlier::read(files);
    if let Some(tool) = &earlier.file {
        reasons.push(("what the tool before was told".to_owned(), tool.clone()));
    }

    for (environment, hosts) in answers.kept() {
        reasons.push((
            format!("{environment}'s hosts {}", hosts.join(", ").replace('"', "")),
            "the former buedafab.toml".to_owned(),
        ));
    }
    let app = app::find(files, answers, &mut questions);
    let folder = app.folder;
    let recipe = earlier.recipe.unwrap_or(app.recipe);
    reasons.push((
        match folder.as_str() {
            "" => format!("recipe {}", written(recipe)),
            folder => format!("recipe {}, in {folder}", written(recipe)),
        },
        if earlier.recipe.is_some() { earlier.file.clone().unwrap_or_default() } else { app.why },
    ));
    let python = python::look(files, &folder).or_else(|| python::above(files, &folder));
    let django =
        if recipe == Recipe::Django { django::look(files, &folder) } else { django::Django::default() };
    if let (Some(module), Some(source)) = (&django.modules.production, &django.source) {
        reasons.push((format!("production's settings {module}"), source.clone()));
    }
    let start = start::look(files, &folder, recipe, python.as_ref(), &django);
    if let Some((command, why)) = &start.command {
        reasons.push((format!("started by: {command}"), why.clone()));
    }

    let branch = branch_of(facts, &earlier, answers, &mut reasons, &mut questions);
    let scm = earlier.scm.clone().or(remote.as_ref().map(|(_, url)| url.url.clone()));
    let named = earlier.unit.clone().or(scm.as_deref().and_then(name_in_url).map(str::to_owned));
    let named = named.unwrap_or_else(|| facts.folder.clone());
    let unit = if Unit::new(named.clone()).is_ok() { named } else { "app".to_owned() };

    let is_program = |python: &python::Python| {
        python.says_needs
            && start.command.as_ref().is_some_and(|(command, _)| python.programs == [command.as_str()])
    };
    let requirements = match (&earlier.requirements, &python) {
        (Some(own), _) => own.clone(),
        // Requirement files alone don't bring the program; the project brings what it needs.
        (None, Some(python)) if is_program(python) => python::Requirements {
            development: python.requirements.development.clone(),
            ..Default::default()
        },
        (None, Some(python)) => python.requirements.clone(),
        (None, None) => python::Requirements::default(),
    };
    if recipe.is_python()
        && let Some(python) = &python
        && requirements.is_empty()
    {
        if !is_inside(&folder, &python.file) && !python.has_project {
            let up = folder.split('/').map(|_| "../").collect::<String>();
            notes.push(format!(
                "nothing would be installed: {0} lies above {folder}. A requirement file in {folder} with the line `-r {up}{0}` includes it",
                python.file
            ));
        } else if let Some(lock) = LOCKS.iter().find(|lock| files.has(&within(&folder, lock))) {
            notes.push(format!(
                "a deploy won't read {lock}: have its tool write a requirement file of it, and name that in `pip_requirements`"
            ));
        } else if !python.has_project {
            notes.push(format!(
                "nothing would be installed: {} isn't read by itself. A requirement file with the line `.` installs the project",
                python.file
            ));
        }
    }
    if recipe.is_python()
        && files.has("uv.lock")
        && !folder.is_empty()
        && !files.has(&within(&folder, "uv.lock"))
        && !python::is_workspace(files)
        && python.as_ref().is_some_and(|python| is_inside(&folder, &python.file))
    {
        notes.push(format!(
            "uv.lock lies above {folder}, and isn't read from there: the versions are those of the day"
        ));
    }
    let test_runner = earlier.test_runner.clone().or(start.test_runner);
    let command = start.command.map(|(command, _)| command);
    let mut shared_files = earlier.shared_files.clone();
    let mut shared_dirs = earlier.shared_dirs.clone();
    shared_files.extend(django.databases.iter().cloned());
    shared_dirs.extend(django.uploads.iter().cloned());
    let mut guess = Guess {
        unit,
        path: earlier.path.clone(),
        scm,
        scm_http_url: earlier.scm_http_url.clone(),
        remote: remote.map(|(name, _)| name.to_owned()).filter(|name| name != "origin"),
        branch,
        can_sign: facts.can_sign,
        recipe,
        folder,
        requirements,
        collects_static_files: facts.mentions_static_root,
        shared_files,
        shared_dirs,
        databases: django.databases,
        settings_modules: django.modules,
        test_runner,
        linter: start.linter,
        hooks: start.hooks,
        command,
        workers: start.workers,
        uses_celery: start.uses_celery,
        earlier,
        answers: answers.clone(),
        has_credentials,
        reasons,
        notes,
        questions,
    };
    guess.questions.extend(question::of_deployment(&guess));
    guess.questions.retain(|question| !answers.has(question));
    guess
}

/// The answers, with one more.
///
/// # Errors
///
/// Why it can't be the answer: it answers nothing, or the file that it would come to couldn't be read.
pub fn understand(
    facts: &CheckoutFacts,
    answers: &Answers,
    question: &Question,
    typed: &str,
) -> Result<Answers, String> {
    let mut more = answers.clone();
    more.take(question, typed)?;
    let parsed = config::parse("buedafab.toml", &write(&guess(facts, &more)));
    let production = EnvironmentName::new("production").expect("it is a plain word");
    match parsed.and_then(|file| file.settings(&production)) {
        Ok(_) => Ok(more),
        Err(mistakes) => Err(mistakes.iter().next().map(|first| first.message.clone()).unwrap_or_default()),
    }
}

impl Guess {
    /// Whether it is known which app it is.
    pub fn is_certain(&self) -> bool {
        !self.questions.iter().any(|question| matches!(question, Question::Folder { .. }))
    }

    /// Whether production has hosts.
    pub fn names_production(&self) -> bool {
        let earlier = self.earlier.environments.get("production");
        let is_kept = self.answers.kept().contains_key("production");
        is_kept || !self.answers.hosts().is_empty() || earlier.is_some_and(|hosts| !hosts.is_empty())
    }
}

/// The branch that releases come from: never just the one that happens to be checked out.
fn branch_of(
    facts: &CheckoutFacts,
    earlier: &Earlier,
    answers: &Answers,
    reasons: &mut Vec<(String, String)>,
    questions: &mut Vec<Question>,
) -> Option<String> {
    let mut because = |branch: String, why: &str| {
        reasons.push((format!("production's branch {branch}"), why.to_owned()));
        Some(branch)
    };
    if let Some(answer) = answers.branch() {
        return Some(answer.to_owned());
    }
    if let (Some(branch), Some(file)) = (&earlier.branch, &earlier.file) {
        return because(branch.clone(), file);
    }
    if let (Some(branch), Some((remote, _))) = (&facts.default_branch, &facts.remote) {
        return because(branch.clone(), &format!("the HEAD of {remote}"));
    }
    let usual = ["main", "master", "trunk"].map(str::to_owned);
    let known: Vec<&String> = usual.iter().filter(|name| facts.branches.contains(name)).collect();
    match known.as_slice() {
        [one] => because((*one).clone(), "the only branch of such a name"),
        // An empty repository has no branch yet but the one that its first commit will be on.
        [] if facts.branches.is_empty() && facts.branch.as_ref().is_some_and(|b| usual.contains(b)) => {
            because(facts.branch.clone()?, "it is checked out, and there is no other")
        }
        several => {
            let choices = if several.is_empty() {
                facts.branches.clone()
            } else {
                several.iter().map(|name| (*name).clone()).collect()
            };
            questions.push(Question::Branch { choices });
            None
        }
    }
}

/// The last part of a git URL: `five` of `git@github.com:bueda/five.git`.
fn name_in_url(url: &str) -> Option<&str> {
    let last = url.trim_end_matches('/').rsplit(['/', ':']).next()?;
    Some(last.strip_suffix(".git").unwrap_or(last)).filter(|name| !name.is_empty())
}

/// As the file has it, without quotes.
fn written(recipe: Recipe) -> String {
    serde_json::to_value(recipe)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .expect("an enum without fields is a string")
}

/// A path within a folder; the root is the empty one.
fn within(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether a path is in a folder, or below it.
fn is_inside(folder: &str, path: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The tables of a TOML text, or none of what isn't one.
fn toml_of(text: &str) -> toml::Table {
    text.parse().unwrap_or_default()
}

/// What a person has in each environment, by its name.
type ByEnvironment<T> = BTreeMap<String, T>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_named_for_their_repository() {
        assert_eq!(name_in_url("git@github.com:bueda/five.git"), Some("five"));
        assert_eq!(name_in_url("https://github.com/bueda/five/"), Some("five"));
        assert_eq!(name_in_url(""), None);
    }
}
