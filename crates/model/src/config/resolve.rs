//! From layers to settings: defaults, placeholders, hosts, and contradictions between settings.

use std::collections::BTreeMap;
use std::ops::Range;

use super::at::At;
use super::diagnostics::Diagnostic;
use super::expand::{HostDefaults, expand, host_path, this_machine};
use super::hosts::UserText;
use super::layer::{HooksLayer, Layer, LocalHooksLayer};
use super::mistake::{Mistake, quoted};
use super::nearest::did_you_mean;
use super::path::PathText;
use super::python::PythonEntry;
use super::release::{BranchPattern, BranchText, Confirm, VersionText};
use super::service::{NamedAfter, resolve_service, resolve_services};
use super::settings::{Settings, SourceName, StrategyName, Unreachable};
use super::template::{Template, common, unfilled};
use super::values::{
    Argument, Commands, FilePath, FolderName, Line, Name, Seconds, Text, Url, VariableName, Word,
};
use crate::app::crontab::CrontabLocation;
use crate::app::hooks::{Hooks, LocalHooks};
use crate::app::maintenance::MaintenanceMethod;
use crate::app::recipe::{Collectstatic, Recipe, Steps};
use crate::app::service::Service;
use crate::app::virtualenv::Installer;
use crate::names::{EnvironmentName, HostPath, SlotName, Unit};

/// The environments that exist without a word about them.
pub(super) const BUILT_IN: [&str; 4] = ["localhost", "development", "staging", "production"];

/// An environment and those that it extends, the nearest first.
pub(super) struct Lineage(pub(super) Vec<EnvironmentName>);

impl Lineage {
    fn environment(&self) -> &EnvironmentName {
        &self.0[0]
    }

    /// The built-in environment whose defaults hold: the nearest one.
    fn kind(&self) -> Option<&str> {
        self.0.iter().map(EnvironmentName::as_str).find(|name| BUILT_IN.contains(name))
    }

    /// Whether it is there to be played with.
    fn is_playground(&self) -> bool {
        matches!(self.kind(), Some("localhost" | "development"))
    }

    fn is_production(&self) -> bool {
        self.kind() == Some("production")
    }
}

/// What is `own` to the environment and those that it extends goes before what stands at the `top`, and defaults come
/// last.
pub(super) fn resolve(lineage: &Lineage, top: &Layer, own: &Layer) -> Result<Settings, Vec<Diagnostic>> {
    let environment = lineage.environment();
    let Layer {
        unit,
        path: _,
        scm,
        scm_http_url,
        scm_known_hosts,
        forward_agent,
        master_remote,
        default_revision,
        push_before_deploy,
        branch,
        require_tag,
        version_pattern,
        sign_tags,
        allow_older,
        require_clean,
        verify_signatures,
        allowed_signers,
        confirm,
        version_url,
        version_timeout_seconds,
        test_runner,
        linter,
        pip_requirements,
        pip_constraints,
        pip_requirements_dev,
        pip_requirements_production,
        extra_setup_tasks,
        recipe,
        steps,
        collectstatic,
        shared_files,
        shared_dirs,
        python,
        private_requirements,
        private_source,
        s3_endpoint,
        s3_region,
        installer,
        pip_options,
        package_installation_scripts,
        extra_fixtures,
        syncdb,
        env_file,
        crontab,
        crontab_place,
        maintenance,
        settings_file,
        maintenance_page,
        strategy,
        source,
        releases_root,
        current_release_symlink,
        release_paths,
        virtualenv,
        deploy_user,
        run_as,
        ask_sudo_password,
        deploy_group,
        deployment_type,
        variables,
        service,
        services,
        settle_seconds,
        hooks,
        waves,
        connect_timeout_seconds,
        step_timeout_seconds,
        confirm_timeout_seconds,
        lost_after_seconds,
        keep_warm_seconds,
        unreachable,
        connect,
        tasks,
        extends: _,
        hosts,
    } = own.over(top);

    let Some(At { value: unit, span: _ }) = unit else {
        return Err(vec![Diagnostic::nowhere(
            Mistake::new("`unit` is missing")
                .help("name the app in the first line of the file: `unit = \"five\"`"),
        )]);
    };
    let mut diagnostics = Vec::new();
    let path = keep(resolve_path(lineage, &unit, top, own), &mut diagnostics);
    let recipe = recipe.unwrap_or(Recipe::Generic);
    let deployment_type = deployment_type.map_or_else(|| default_deployment_type(lineage), |Text(text)| text);
    let named = NamedAfter {
        environment,
        unit: &unit,
        deployment_type: &deployment_type,
        is_production: lineage.is_production(),
    };
    let service = match &service {
        Some(typed) => keep(resolve_service(&named, typed), &mut diagnostics),
        None if recipe.has_process() => Some(Service::Init(unit.to_string())),
        None => Some(Service::None),
    };
    let folders = resolve_folders(releases_root, current_release_symlink, release_paths);
    let folders = folders.map_err(|more| diagnostics.extend(more)).ok();
    let hosts = path.as_ref().and_then(|path| {
        let mut defaults = HostDefaults {
            unit: &unit,
            environment,
            path,
            user: deploy_user.as_ref(),
            connect: connect.as_ref(),
        };
        let hosts = match &hosts {
            Some(entries) => expand(entries, &defaults),
            None if lineage.kind() == Some("localhost") => {
                // A `connect` for all environments is meant for other machines than this one.
                defaults.connect = own.connect.as_ref();
                this_machine(&defaults).map_err(|diagnostic| vec![diagnostic])
            }
            None => Ok(Vec::new()),
        };
        hosts.map_err(|more| diagnostics.extend(more)).ok()
    });
    let signers: Vec<String> =
        allowed_signers.unwrap_or_default().into_iter().map(|Line(text)| text).collect();
    if let Some(At { value: true, span }) = &verify_signatures
        && signers.is_empty()
    {
        let mistake = Mistake::new("`verify_signatures` needs `allowed_signers`")
            .help("list who may sign: `allowed_signers = [\"ada@example.com ssh-ed25519 AAAA…\"]`");
        diagnostics.push(Diagnostic::at(span, mistake));
        return Err(diagnostics);
    }
    let step_timeout_seconds = seconds(step_timeout_seconds, 900);
    let services = resolve_services(&named, step_timeout_seconds, services.unwrap_or_default());
    let services = services.map_err(|more| diagnostics.extend(more));
    let Ok(services) = services else { return Err(diagnostics) };
    let python = python.map(PythonEntry::resolve).transpose().map_err(|more| diagnostics.extend(more));
    let Ok(python) = python else { return Err(diagnostics) };
    let (interpreter, private_packages) = python.unwrap_or_default();
    if let (Some(At { value: lists, span }), None) = (&private_requirements, &private_source)
        && !lists.is_empty()
    {
        let mistake = Mistake::new("`private_requirements` needs `private_source`").help(
            "say where they are: `private_source = \"git@github.com:bueda/{name}.git\"`, or `\"s3://bueda/{name}-{release}.tar.gz\"`",
        );
        diagnostics.push(Diagnostic::at(span, mistake));
        return Err(diagnostics);
    }
    if let Some(At { value: Argument(text), span }) = &private_source
        && let Err(mistake) = Template::parse(text, &["name", "release"])
    {
        diagnostics.push(Diagnostic::at(span, mistake));
        return Err(diagnostics);
    }
    let steps = resolve_steps(recipe, steps.unwrap_or_default()).map_err(|more| diagnostics.extend(more));
    let Ok(steps) = steps else { return Err(diagnostics) };
    let (Some(path), Some(service), Some(folders), Some(hosts)) = (path, service, folders, hosts) else {
        return Err(diagnostics);
    };

    let (hooks, local_hooks) = resolve_hooks(hooks.unwrap_or_default());
    Ok(Settings {
        environment: environment.clone(),
        path,
        scm: scm.map(|Argument(text)| text),
        scm_http_url: scm_http_url.map(|Url(text)| text),
        scm_known_hosts: scm_known_hosts.unwrap_or_default().into_iter().map(|Line(text)| text).collect(),
        forward_agent: forward_agent.unwrap_or(false),
        master_remote: master_remote.map_or_else(|| "origin".to_string(), |Argument(text)| text),
        default_revision: default_revision.map_or_else(|| "HEAD".to_string(), |Argument(text)| text),
        push_before_deploy: push_before_deploy.unwrap_or(true),
        branch: branch.map_or_else(|| default_branch(lineage), |BranchText(pattern)| pattern),
        require_tag: require_tag.unwrap_or(lineage.is_production()),
        version_pattern: version_pattern.map(|VersionText(pattern)| pattern).unwrap_or_default(),
        sign_tags: sign_tags.unwrap_or(true),
        allow_older: allow_older.unwrap_or(false),
        require_clean: require_clean.unwrap_or(false),
        verify_signatures: verify_signatures.is_some_and(|verify| verify.value),
        allowed_signers: signers,
        confirm: confirm.unwrap_or(match lineage.is_playground() {
            true => Confirm::Nothing,
            false => Confirm::Yes,
        }),
        version_url: version_url.map(|url| {
            url.fill(|name| match name {
                "subdomain" => Some(subdomain(lineage)),
                name => common(environment, &unit)(name),
            })
        }),
        version_timeout_seconds: seconds(version_timeout_seconds, 30),
        test_runner: test_runner.map(|Argument(text)| text),
        linter: linter.map_or_else(|| "pylint".to_string(), |Argument(text)| text),
        pip_requirements: own_requirements(
            files(pip_requirements),
            match lineage.is_playground() {
                true => files(pip_requirements_dev.clone()),
                false => files(pip_requirements_production.clone()),
            },
        ),
        pip_constraints: files(pip_constraints),
        pip_requirements_dev: files(pip_requirements_dev),
        pip_requirements_production: files(pip_requirements_production),
        extra_setup_tasks: extra_setup_tasks.map_or_else(Vec::new, |Commands(commands)| commands),
        recipe,
        steps,
        collectstatic: collectstatic.unwrap_or(Collectstatic::EveryHost),
        shared_files: files(shared_files),
        shared_dirs: files(shared_dirs),
        python: interpreter.unwrap_or_else(|| "python3".to_string()),
        private_packages,
        private_requirements: files(private_requirements.map(|list| list.value)),
        private_source: private_source.map(|source| source.value.0),
        s3_endpoint: s3_endpoint.map(|Url(text)| text),
        s3_region: s3_region.map(|Word(text)| text),
        installer: installer.unwrap_or(Installer::Auto),
        pip_options: pip_options.unwrap_or_default().into_iter().map(|Line(text)| text).collect(),
        package_installation_scripts: files(package_installation_scripts),
        extra_fixtures: extra_fixtures.unwrap_or_default().into_iter().map(|Argument(text)| text).collect(),
        syncdb: syncdb.unwrap_or(false),
        env_file: env_file.map(|FilePath(path)| path),
        crontab: crontab.map(|FilePath(path)| path),
        crontab_place: crontab_place.unwrap_or(CrontabLocation::User),
        maintenance: maintenance.unwrap_or(MaintenanceMethod::File),
        settings_file: settings_file.map_or_else(|| "settings.py".to_string(), |FilePath(path)| path),
        maintenance_page: maintenance_page.map(|FilePath(path)| path),
        strategy: strategy.unwrap_or(StrategyName::Ab),
        source: source.unwrap_or(SourceName::Fetch),
        releases_root: folders.releases_root,
        current_release_symlink: folders.current_release_symlink,
        release_paths: folders.release_paths,
        virtualenv: virtualenv.map_or_else(|| "env".to_string(), |FolderName(name)| name),
        deploy_user: deploy_user.map(|UserText(name)| name),
        run_as: run_as.map(|UserText(name)| name),
        ask_sudo_password: ask_sudo_password.unwrap_or(false),
        deploy_group: deploy_group.map(|Word(text)| text),
        deployment_type,
        variables: plain_variables(variables.unwrap_or_default()),
        service,
        services,
        settle_seconds: seconds(settle_seconds, 2),
        unit,
        hooks,
        local_hooks,
        waves: waves.unwrap_or_default(),
        connect_timeout_seconds: seconds(connect_timeout_seconds, 10),
        step_timeout_seconds,
        confirm_timeout_seconds: seconds(confirm_timeout_seconds, 1800),
        lost_after_seconds: seconds(lost_after_seconds, 15),
        keep_warm_seconds: seconds(keep_warm_seconds, 300),
        unreachable: unreachable.unwrap_or(Unreachable::Fail),
        tasks: tasks.unwrap_or_default().into_iter().map(|(Name(name), task)| (name, task.into())).collect(),
        hosts,
    })
}

fn keep<T>(result: Result<T, Diagnostic>, diagnostics: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|diagnostic| diagnostics.push(diagnostic)).ok()
}

fn seconds<const MIN: u32>(typed: Option<Seconds<MIN>>, default: u32) -> u32 {
    typed.map_or(default, |seconds| seconds.0)
}

fn default_deployment_type(lineage: &Lineage) -> String {
    match lineage.kind().unwrap_or(lineage.environment().as_str()) {
        "localhost" => "SOLO".to_string(),
        "development" => "DEV".to_string(),
        other => other.to_uppercase(),
    }
}

fn default_branch(lineage: &Lineage) -> BranchPattern {
    BranchPattern::fixed(if lineage.is_production() { "master" } else { "*" })
}

fn subdomain(lineage: &Lineage) -> &str {
    match lineage.kind() {
        Some("production") => "www",
        Some("development") => "dev",
        Some(other) => other,
        None => lineage.environment().as_str(),
    }
}

fn files(typed: Option<Vec<FilePath>>) -> Vec<String> {
    typed.unwrap_or_default().into_iter().map(|FilePath(path)| path).collect()
}

/// The requirement files of all environments and those of this kind, each once.
fn own_requirements(mut all: Vec<String>, own: Vec<String>) -> Vec<String> {
    for file in own {
        if !all.contains(&file) {
            all.push(file);
        }
    }
    all
}

fn plain_variables(variables: BTreeMap<VariableName, Text>) -> BTreeMap<String, String> {
    variables.into_iter().map(|(VariableName(name), Text(value))| (name, value)).collect()
}

/// Staging shares its machines with production often enough that their paths must differ unless somebody says otherwise.
fn resolve_path(lineage: &Lineage, unit: &Unit, top: &Layer, own: &Layer) -> Result<HostPath, Diagnostic> {
    let environment = lineage.environment();
    let suffix = if lineage.kind() == Some("staging") && own.path.is_none() { "-staging" } else { "" };
    let path_of = |filled: &str| {
        let path = host_path(filled)?;
        host_path(&format!("{path}{suffix}"))
    };
    match own.path.as_ref().or(top.path.as_ref()) {
        None => path_of(&format!("/var/webapps/{unit}")).map_err(Diagnostic::nowhere),
        Some(At { value: PathText(template), span }) => {
            let filled = template.fill(common(environment, unit));
            let path = filled.map_err(|name| unfilled(&name)).and_then(|filled| path_of(&filled));
            path.map_err(|mistake| Diagnostic::at(span, mistake))
        }
    }
}

/// Only what the recipe does can be replaced.
fn resolve_steps(recipe: Recipe, typed: BTreeMap<String, At<Commands>>) -> Result<Steps, Vec<Diagnostic>> {
    let known = recipe.step_names();
    let unknown = typed.iter().filter(|(name, _)| !known.contains(&name.as_str()));
    let diagnostics: Vec<Diagnostic> = unknown
        .map(|(name, commands)| {
            let help = match known.is_empty() {
                true => "this recipe has no steps of its own: write hooks".to_string(),
                false => did_you_mean(name, known.iter().copied()),
            };
            let mistake = Mistake::new(format!("the recipe has no step {}", quoted(name))).help(help);
            Diagnostic::at(&commands.span, mistake)
        })
        .collect();
    match diagnostics.is_empty() {
        true => Ok(typed.into_iter().map(|(name, At { value: Commands(c), .. })| (name, c)).collect()),
        false => Err(diagnostics),
    }
}

struct Folders {
    releases_root: String,
    current_release_symlink: String,
    release_paths: Vec<SlotName>,
}

/// Folders of the app's directory that are there for something else.
const TAKEN: [&str; 3] = ["shared", "packages", ".buedafab"];

fn resolve_folders(
    releases_root: Option<At<FolderName>>,
    current_release_symlink: Option<At<FolderName>>,
    release_paths: Option<At<Vec<At<Name<SlotName>>>>>,
) -> Result<Folders, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    if let Some(At { value: FolderName(name), span }) = &releases_root
        && TAKEN.contains(&name.as_str())
    {
        let mistake = Mistake::new(format!("{} is used for something else in `path`", quoted(name)))
            .help("choose another folder; the default is `releases`");
        diagnostics.push(Diagnostic::at(span, mistake));
    }
    let link = current_release_symlink.as_ref().map_or("current", |link| link.value.0.as_str());
    // A slot that was typed is to blame before a link that was typed: the link's name is the one that others rely on.
    if let Some(At { value: slots, span }) = &release_paths {
        diagnostics.extend(check_slots(slots, span, link));
    } else if let Some(At { value: FolderName(name), span }) = &current_release_symlink
        && matches!(name.as_str(), "a" | "b")
    {
        diagnostics.push(Diagnostic::at(span, both_slot_and_link(name)));
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let slot = |name: &str| SlotName::new(name).expect("`a` and `b` are plain names");
    Ok(Folders {
        current_release_symlink: link.to_string(),
        releases_root: releases_root.map_or_else(|| "releases".to_string(), |root| root.value.0),
        release_paths: match release_paths {
            Some(slots) => slots.value.into_iter().map(|slot| slot.value.0).collect(),
            None => vec![slot("a"), slot("b")],
        },
    })
}

fn check_slots(slots: &[At<Name<SlotName>>], span: &Range<usize>, link: &str) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if slots.len() < 2 {
        let mistake = Mistake::new("`release_paths` needs two slots or more")
            .help("one serves while another is prepared: `[\"a\", \"b\"]`");
        diagnostics.push(Diagnostic::at(span, mistake));
    }
    for (index, slot) in slots.iter().enumerate() {
        let Name(name) = &slot.value;
        if name.as_str() == link {
            diagnostics.push(Diagnostic::at(&slot.span, both_slot_and_link(link)));
        } else if slots[..index].iter().any(|earlier| earlier.value.0 == *name) {
            let mistake = Mistake::new(format!("there are two slots called {}", quoted(name.as_str())))
                .help("every slot is a folder of its own");
            diagnostics.push(Diagnostic::at(&slot.span, mistake));
        }
    }
    diagnostics
}

fn both_slot_and_link(name: &str) -> Mistake {
    Mistake::new(format!("{} can't be both a slot and the link to it", quoted(name)))
        .help("rename the slot in `release_paths`, or the link in `current_release_symlink`")
}

fn resolve_hooks(layer: HooksLayer) -> (Hooks, LocalHooks) {
    let HooksLayer {
        before_prepare,
        build,
        check,
        once,
        before_switch,
        restart,
        after_switch,
        verify,
        after_finish,
        local,
    } = layer;
    let LocalHooksLayer { before, after, on_failure } = local.unwrap_or_default();
    let commands = |typed: Option<Commands>| typed.map_or_else(Vec::new, |Commands(commands)| commands);
    let hooks = Hooks {
        before_prepare: commands(before_prepare),
        build: commands(build),
        check: commands(check),
        once: commands(once),
        before_switch: commands(before_switch),
        restart: commands(restart),
        after_switch: commands(after_switch),
        verify: commands(verify),
        after_finish: commands(after_finish),
    };
    let local =
        LocalHooks { before: commands(before), after: commands(after), on_failure: commands(on_failure) };
    (hooks, local)
}
