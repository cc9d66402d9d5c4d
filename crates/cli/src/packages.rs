//! What a release needs besides its commit: its private packages, with their files on this machine, and its templates.

use std::time::Instant;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use buedafab_engine::{PackageCache, Repository};
use buedafab_model::app::package::{FetchedPackage, PrivatePackage, read_private_requirements};
use buedafab_model::config::{Settings, SourceName};
use buedafab_model::deployer::action::PackageFile;
use buedafab_model::planner::Workshop;
use buedafab_model::release::Release;
use buedafab_model::run::event::Event;
use buedafab_model::run::outcome::Verdict;

use crate::exit::CliError;
use crate::report::print_talk;
use crate::session::Session;

/// Private packages that this machine has.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    pub(crate) fetched: Vec<FetchedPackage>,
    /// Their files, by what they are.
    pub(crate) files: BTreeMap<String, PathBuf>,
}

/// Fetches what a release wants and this machine hasn't got; Ctrl-C ends it.
pub(crate) async fn fetch_packages(
    session: &mut Session,
    settings: &Settings,
    repository: &Repository,
    release: &Release,
) -> Result<Packages, CliError> {
    let mut packages = Packages::default();
    if !settings.app.recipe.is_python() {
        return Ok(packages);
    }
    let text_of = async |list: &str| repository.file_in(&release.commit, list).await;
    let refuse = |why: String| {
        CliError::verdict(Verdict::Refused, format!("in {release}, {why}: nothing was touched"))
    };
    let wanted = wanted(settings, text_of).await.map_err(refuse);
    let wanted = wanted.map_err(|error| session.give_up(error))?;
    let cache = PackageCache::new(settings);
    for package in &wanted {
        let title = format!("fetch the private package {}", package.name);
        // There is no plan yet that it could be a step of.
        session.event(Event::DeployerStarted { step: 0, title, may_ask: false });
        let began = Instant::now();
        let fetched = session.unless_interrupted(cache.fetch(package)).await?;
        session.event(Event::DeployerEnded {
            step: 0,
            status: i32::from(fetched.is_err()),
            milliseconds: began.elapsed().as_millis() as u64,
        });
        let fetched = fetched.map_err(|error| {
            let error = CliError::verdict(Verdict::Refused, format!("{error}\n  {}", session.untouched()))
                .hint("it is fetched on this machine, with your own git and your AWS credentials");
            session.give_up(error)
        })?;
        packages.files.insert(fetched.key.clone(), cache.path(&fetched));
        packages.fetched.push(fetched);
    }
    Ok(packages)
}

/// Where this machine makes the archive of a release, if it makes one: in the user's cache, and the file for this run alone.
pub(crate) fn workshop(session: &mut Session, settings: &Settings) -> Result<Workshop, CliError> {
    if settings.source.method != SourceName::Archive {
        return Ok(Workshop::default());
    }
    let cache = PackageCache::new(settings);
    let Some(folder) = cache.folder().map(|folder| folder.join("archives")) else {
        let why =
            "there is no place to pack the release in: neither HOME nor XDG_CACHE_HOME is set".to_owned();
        let error = CliError::verdict(Verdict::Refused, format!("{why}\n  {}", session.untouched()));
        return Err(session.give_up(error));
    };
    let path = |name: String| folder.join(name).display().to_string();
    let Settings { app, environment, .. } = settings;
    Ok(Workshop {
        archive: path(format!("{}-{}.packed", app.unit, session.context.run)),
        clone: path(format!("{}-{environment}", app.unit)),
    })
}

/// Those of these templates that a release has, by their paths in the project.
pub(crate) async fn templates_of(
    repository: &Repository,
    release: &Release,
    files: impl IntoIterator<Item = String>,
) -> BTreeMap<String, String> {
    let mut templates = BTreeMap::new();
    for file in files {
        if let Some(text) = repository.file_in(&release.commit, &file).await {
            templates.insert(file, text);
        }
    }
    templates
}

/// Fetches what the checkout's own lists name, for its virtualenv.
pub(crate) async fn packages_of_checkout(
    settings: &Settings,
    root: &Path,
) -> Result<Vec<PackageFile>, CliError> {
    let text_of = async |list: &str| std::fs::read_to_string(root.join(list)).ok();
    let failed = |why: String| CliError::verdict(Verdict::FailedBefore, why);
    let wanted = wanted(settings, text_of).await.map_err(failed)?;
    let cache = PackageCache::new(settings);
    let mut packages = Vec::new();
    for package in wanted {
        print_talk(&format!("→ fetch the private package {}", package.name));
        let fetched = cache.fetch(&package).await.map_err(|error| failed(error.to_string()))?;
        packages.push(PackageFile { name: package.name, path: cache.path(&fetched).display().to_string() });
    }
    Ok(packages)
}

/// The packages that the settings name, and those of the lists whose texts these are.
async fn wanted(
    settings: &Settings,
    text_of: impl AsyncFn(&str) -> Option<String>,
) -> Result<Vec<PrivatePackage>, String> {
    let mut wanted = settings.python.base.private_packages.clone();
    for list in &settings.python.private_requirements {
        let text = text_of(&settings.app.file(list)).await;
        let text = text.ok_or_else(|| format!("{list}: there is no such file"))?;
        let source = settings.python.private_source.as_deref();
        let named = read_private_requirements(&text, source);
        wanted.extend(named.map_err(|error| format!("{list}: {error}"))?);
    }
    Ok(wanted)
}
