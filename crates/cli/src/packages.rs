//! What a release needs besides its commit: its private packages, with their files on this machine, and its templates.

use std::time::Instant;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
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

/// A workshop, and what keeps other runs on this machine out of its clone: a lock that goes with this process, however it ends.
#[derive(Debug, Default)]
pub(crate) struct OwnWorkshop {
    pub(crate) workshop: Workshop,
    pub(crate) lock: Option<File>,
}

/// Where this machine makes the archive of a release, if it makes one: in the user's cache, and the file for this run alone. A dry run
/// makes none, and takes nothing for itself.
pub(crate) fn workshop(
    session: &mut Session,
    settings: &Settings,
    dry_run: bool,
) -> Result<OwnWorkshop, CliError> {
    if settings.source.method != SourceName::Archive {
        return Ok(OwnWorkshop::default());
    }
    let cache = PackageCache::new(settings);
    let Some(folder) = cache.folder().map(|folder| folder.join("archives")) else {
        let why =
            "there is no place to pack the release in: neither HOME nor XDG_CACHE_HOME is set".to_owned();
        let error = CliError::verdict(Verdict::Refused, format!("{why}\n  {}", session.untouched()));
        return Err(session.give_up(error));
    };
    let Settings { app, environment, .. } = settings;
    let name = format!("{}-{environment}", app.unit);
    let archive = folder.join(format!("{}-{}.packed", app.unit, session.context.run));
    let own = if dry_run {
        Ok((folder.join(name), None))
    } else {
        free_clone(&folder, &name).map(|(clone, lock)| (clone, Some(lock)))
    };
    let (clone, lock) = match own {
        Ok(own) => own,
        Err(error) => {
            let why = format!("there is no clone to build in, in {}: {error}", folder.display());
            let error = CliError::verdict(Verdict::Refused, format!("{why}\n  {}", session.untouched()));
            return Err(session.give_up(error));
        }
    };
    let path = |path: &Path| path.display().to_string();
    Ok(OwnWorkshop { workshop: Workshop { archive: path(&archive), clone: path(&clone) }, lock })
}

/// So many runs on this machine may build the same app for the same environment at once.
const MOST_CLONES: usize = 16;

/// The first clone that no other run builds in: what a build has left for the next one is there mostly, and no run waits for another.
fn free_clone(folder: &Path, name: &str) -> std::io::Result<(PathBuf, File)> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for number in 1..=MOST_CLONES {
        let name = if number == 1 { name.to_owned() } else { format!("{name}+{number}") };
        let lock = File::options().create(true).append(true).open(folder.join(format!("{name}.lock")))?;
        match lock.try_lock() {
            Ok(()) => return Ok((folder.join(name), lock)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(std::io::Error::other(format!("{MOST_CLONES} runs are at work in it")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_runs_build_in_one_clone() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("archives");
        let take = || free_clone(&folder, "five-production").expect("it can be written");
        let name = |clone: &(PathBuf, File)| clone.0.strip_prefix(&folder).expect("in it").to_owned();
        let (first, second) = (take(), take());
        let names = [name(&first), name(&second)];
        assert_eq!(names, [Path::new("five-production"), Path::new("five-production+2")]);
        // However a run ends, its clone is the next one's.
        drop(first);
        assert_eq!(name(&take()), Path::new("five-production"));
    }
}
