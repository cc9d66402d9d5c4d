//! What a developer has done on their own checkout: tests, lint, set-up.

use crate::config::Settings;
use crate::deployer::action::{DeployerAction, PackageFile, TestRunner};

/// What decides how a checkout is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupFacts {
    /// The virtualenv that is active.
    pub active_virtualenv: Option<String>,
    /// Whether the project has its own.
    pub has_virtualenv: bool,
    /// Whether there is `uv`.
    pub has_uv: bool,
    /// Whether the project has submodules.
    pub has_submodules: bool,
    /// Its private packages.
    pub packages: Vec<PackageFile>,
}

/// The project's tests; `None` where nothing says how to run them.
pub fn tests_of(settings: &Settings) -> Option<DeployerAction> {
    Some(DeployerAction::Test {
        runner: TestRunner::named(settings.developer.test_runner.as_deref()?),
        virtualenv: settings.layout.virtualenv.clone(),
        subdir: settings.app.subdir.clone(),
    })
}

/// A look over the project's code; `None` where there is none. `python_roots`: the files and folders at the project's
/// root that hold Python.
pub fn lint_of(settings: &Settings, python_roots: &[String]) -> Option<DeployerAction> {
    let is_pylint = settings.developer.linter == "pylint";
    let paths = if is_pylint { python_roots.to_vec() } else { Vec::new() };
    let command = match settings.developer.linter.as_str() {
        "pylint" if python_roots.is_empty() => return None,
        "pylint" => "pylint --recursive=y".to_owned(),
        "ruff" => "ruff check".to_owned(),
        command => command.to_owned(),
    };
    Some(DeployerAction::Lint {
        command,
        paths,
        virtualenv: settings.layout.virtualenv.clone(),
        subdir: settings.app.subdir.clone(),
    })
}

/// All that makes a developer's checkout ready, in order. Doing it again brings it up to date.
pub fn plan_setup(settings: &Settings, facts: &SetupFacts) -> Vec<DeployerAction> {
    let SetupFacts { active_virtualenv, has_virtualenv, has_uv, has_submodules, packages } = facts;
    let mut actions = Vec::new();
    // Requirements may name folders of submodules.
    if *has_submodules {
        actions.push(DeployerAction::UpdateSubmodules);
    }
    let mut files = settings.python.requirements.clone();
    files.extend(
        settings
            .python
            .requirements_dev
            .iter()
            .filter(|file| !settings.python.requirements.contains(file))
            .cloned(),
    );
    let virtualenv = active_virtualenv.clone().unwrap_or_else(|| settings.layout.virtualenv.clone());
    let scripts = &settings.python.installation_scripts;
    let wants_virtualenv = !(files.is_empty() && packages.is_empty() && scripts.is_empty());
    if wants_virtualenv && active_virtualenv.is_none() && !has_virtualenv {
        actions.push(DeployerAction::MakeVirtualenv { folder: virtualenv.clone(), uv: *has_uv });
    }
    if !(files.is_empty() && packages.is_empty()) {
        actions.push(DeployerAction::InstallRequirements {
            virtualenv: virtualenv.clone(),
            uv: *has_uv,
            files,
            constraints: settings.python.constraints.clone(),
            packages: packages.clone(),
            options: settings.python.options.clone(),
            subdir: settings.app.subdir.clone(),
        });
    }
    let scripts = scripts.iter().map(|script| DeployerAction::InstallByScript {
        script: script.clone(),
        virtualenv: virtualenv.clone(),
        subdir: settings.app.subdir.clone(),
    });
    let extra = settings.developer.extra_setup_tasks.iter();
    let extra = extra.map(|command| DeployerAction::SetUp {
        command: command.clone(),
        virtualenv: virtualenv.clone(),
        subdir: settings.app.subdir.clone(),
    });
    actions.extend(scripts.chain(extra));
    actions
}
