//! Several apps in one configuration: `[apps.NAME]`, each with what differs from the top level, and what differs for it in an
//! environment.
//!
//! What a person writes goes from the general to the special: the top level, the app, the environment, the app in that
//! environment. An app by itself is a configuration like any other, [`ConfigFile::of_app`]: nothing that reads one knows whether
//! there are others beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::area::Described;
use super::areas::{ConnectionLayer, Layer, LimitsLayer, NotifyKey, RulesLayer, SOURCES, Settings, TasksKey};
use super::at::At;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::file::ConfigFile;
use super::mistake::{Mistake, quoted};
use super::nearest::did_you_mean;
use crate::host::Host;
use crate::names::{AppName, EnvironmentName, HostPath, NameError, Role, Unit};

/// One of several apps, as it is written.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) name: AppName,
    after: Vec<At<AppName>>,
    /// On which hosts of an environment it is; `None`: on all.
    roles: Option<BTreeSet<Role>>,
    layer: Layer,
    /// What differs for it in an environment.
    in_environments: BTreeMap<EnvironmentName, Layer>,
}

/// The one of several apps that a configuration was narrowed to.
#[derive(Debug, Clone)]
pub(super) struct OnlyApp {
    pub(super) name: AppName,
    roles: Option<BTreeSet<Role>>,
}

/// What one of several apps means in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct AppInEnvironment {
    /// The app.
    pub name: AppName,
    /// When it switches, from 0: after all apps of the turns before it, and together with those of its own.
    pub turn: u32,
    /// What it means there.
    pub settings: Settings,
}

/// What only one of several apps may say, and what it means.
pub const APP_KEYS: [(&str, &str); 2] = [
    (
        "after",
        "The apps that switch before this one; a rollback goes the other way round. Apps that wait for none of each other switch together.",
    ),
    (
        "roles",
        "On which hosts of an environment it is, by their roles; on all of them, where nothing is said.",
    ),
];

/// What holds on each host: with several apps, what the host's own one means.
#[derive(Debug, Clone, Copy)]
pub struct SettingsByHost<'a> {
    /// What all apps have in common; all there is, where there is one.
    pub whole: &'a Settings,
    /// The apps, where there are several.
    pub apps: &'a [AppInEnvironment],
}

impl<'a> SettingsByHost<'a> {
    /// What holds on a host.
    pub fn of(self, host: &Host) -> &'a Settings {
        let own = self.apps.iter().find(|app| host.app.as_ref() == Some(&app.name));
        own.map_or(self.whole, |app| &app.settings)
    }
}

impl<'a> From<&'a Settings> for SettingsByHost<'a> {
    fn from(whole: &'a Settings) -> Self {
        SettingsByHost { whole, apps: &[] }
    }
}

/// Takes the tables of the apps out of the top level.
pub(super) fn take_apps(table: &mut DeTable<'_>, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<App> {
    let mut apps = Vec::new();
    for (name, mut table) in take_tables(table, diagnostics) {
        let span = table.span();
        let after = take_names(table.get_mut(), "after", AppName::new, diagnostics).unwrap_or_default();
        let roles = take_names(table.get_mut(), "roles", Role::new, diagnostics);
        refuse_shared(table.get_mut(), diagnostics);
        for setting in ["hosts"].into_iter().chain(SOURCES) {
            if let Some((key, _)) = table.get_mut().remove_entry(setting) {
                let mistake = Mistake::new(format!("`{setting}` belongs to an environment"))
                    .help(format!("write it below `[environments.NAME.apps.{name}]`"));
                diagnostics.push(Diagnostic::at(&key.span(), mistake));
            }
        }
        let roles = roles.map(|roles| roles.into_iter().map(|role| role.value).collect());
        let layer = Layer::read(Spanned::new(span, table.into_inner()), text, diagnostics);
        apps.push(App { name, after, roles, layer, in_environments: BTreeMap::new() });
    }
    check_order(&apps, diagnostics);
    apps
}

/// Takes the tables of the apps out of an environment's.
pub(super) fn take_apps_in(
    environment: &EnvironmentName,
    table: &mut DeTable<'_>,
    text: &str,
    apps: &mut [App],
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (name, mut table) in take_tables(table, diagnostics) {
        let names: Vec<String> = apps.iter().map(|app| app.name.to_string()).collect();
        let Some(app) = apps.iter_mut().find(|app| app.name == name) else {
            let help = if names.is_empty() {
                format!("begin it with `[apps.{name}]`")
            } else {
                did_you_mean(name.as_str(), names.iter().map(String::as_str))
            };
            let mistake = Mistake::new(format!("no app {}", quoted(name.as_str()))).help(help);
            diagnostics.push(Diagnostic::at(&table.span(), mistake));
            continue;
        };
        refuse_shared(table.get_mut(), diagnostics);
        app.in_environments.insert(environment.clone(), Layer::read(table, text, diagnostics));
    }
}

/// The tables below `apps`, in the order of the file.
fn take_tables<'i>(
    table: &mut DeTable<'i>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(AppName, Spanned<DeTable<'i>>)> {
    let Some(apps) = table.remove("apps") else { return Vec::new() };
    let span = apps.span();
    let mut complain =
        |span: &std::ops::Range<usize>, mistake| diagnostics.push(Diagnostic::at(span, mistake));
    let DeValue::Table(apps) = apps.into_inner() else {
        complain(&span, Mistake::new("`apps` takes tables").help("begin one with `[apps.web]`"));
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, value) in apps {
        let (key_span, value_span) = (key.span(), value.span());
        let name = match AppName::new(key.into_inner()) {
            Ok(name) => name,
            Err(error) => {
                complain(&key_span, Mistake::new(error.to_string()));
                continue;
            }
        };
        match value.into_inner() {
            DeValue::Table(table) => found.push((key_span.start, name, Spanned::new(value_span, table))),
            _ => complain(
                &value_span,
                Mistake::new(format!("the app {} takes a table", quoted(name.as_str())))
                    .help(format!("write its settings below `[apps.{name}]`")),
            ),
        }
    }
    found.sort_by_key(|(start, _, _)| *start);
    found.into_iter().map(|(_, name, table)| (name, table)).collect()
}

/// Takes a list of names out of an app's table.
fn take_names<T>(
    table: &mut DeTable<'_>,
    key: &str,
    read: impl Fn(String) -> Result<T, NameError>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<At<T>>> {
    let value = table.remove(key)?;
    let span = value.span();
    let Ok(words) = Vec::<Spanned<String>>::deserialize(ValueDeserializer::from(value)) else {
        let mistake = Mistake::new(format!("`{key}` takes a list of names"))
            .help(format!("put them in square brackets: `{key} = [\"…\"]`"));
        diagnostics.push(Diagnostic::at(&span, mistake));
        return None;
    };
    let mut names = Vec::new();
    for word in words {
        let span = word.span();
        match read(word.into_inner()) {
            Ok(value) => names.push(At { value, span }),
            Err(error) => diagnostics.push(Diagnostic::at(&span, Mistake::new(error.to_string()))),
        }
    }
    Some(names)
}

/// What is no app's own: one release of all apps is judged, tagged and pushed once, and one run goes over one set of connections.
pub(super) fn shared_keys() -> Vec<&'static str> {
    let areas = [
        RulesLayer::keys(),
        ConnectionLayer::keys(),
        LimitsLayer::keys(),
        TasksKey::keys(),
        NotifyKey::keys(),
    ];
    let areas = areas.into_iter().flatten().map(|setting| setting.name);
    let more = [
        "scm",
        "scm_http_url",
        "scm_known_hosts",
        "forward_agent",
        "master_remote",
        "default_revision",
        "local_deployment_type",
        "connect",
        "extends",
        "deploy_user",
        "deploy_group",
        "ask_sudo_password",
    ];
    areas.chain(more).collect()
}

fn refuse_shared(table: &mut DeTable<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for name in shared_keys() {
        if let Some((key, _)) = table.remove_entry(name) {
            let mistake = Mistake::new(format!("`{name}` is the same for all apps"))
                .help("write it at the top level, or below `[environments.NAME]`");
            diagnostics.push(Diagnostic::at(&key.span(), mistake));
        }
    }
    // What runs on the deployer before and after does so once, for all of them; only what builds is an app's own.
    let hooks = table.get_mut("hooks").map(Spanned::get_mut);
    let local = match hooks {
        Some(DeValue::Table(hooks)) => hooks.get_mut("local").map(Spanned::get_mut),
        _ => None,
    };
    if let Some(DeValue::Table(local)) = local {
        let shared: Vec<String> =
            local.keys().map(|key| key.get_ref().to_string()).filter(|key| key != "build").collect();
        for name in shared {
            if let Some((key, _)) = local.remove_entry(name.as_str()) {
                let mistake = Mistake::new(format!("the local hook `{name}` runs once, for all apps"))
                    .help("write it below `[hooks.local]`");
                diagnostics.push(Diagnostic::at(&key.span(), mistake));
            }
        }
    }
}

/// Every app that another one comes after is there, and none comes after itself.
fn check_order(apps: &[App], diagnostics: &mut Vec<Diagnostic>) {
    for app in apps {
        for At { value: before, span } in &app.after {
            let mistake = if !apps.iter().any(|other| other.name == *before) {
                let names =
                    apps.iter().map(|app| app.name.as_str()).filter(|name| *name != app.name.as_str());
                Mistake::new(format!("no app {}", quoted(before.as_str())))
                    .help(did_you_mean(before.as_str(), names))
            } else if comes_after(apps, before, &app.name, &mut BTreeSet::new()) {
                Mistake::new(format!("{} would switch after itself", quoted(app.name.as_str())))
                    .help("take one of them out of `after`")
            } else {
                continue;
            };
            diagnostics.push(Diagnostic::at(span, mistake));
        }
    }
}

/// Whether an app is the other, or waits for it.
fn comes_after(apps: &[App], name: &AppName, other: &AppName, seen: &mut BTreeSet<AppName>) -> bool {
    name == other
        || (seen.insert(name.clone())
            && apps
                .iter()
                .filter(|app| app.name == *name)
                .flat_map(|app| &app.after)
                .any(|before| comes_after(apps, &before.value, other, seen)))
}

fn turn_of(apps: &[App], name: &AppName) -> u32 {
    let app = apps.iter().find(|app| app.name == *name);
    let before = app.into_iter().flat_map(|app| &app.after);
    before.map(|before| turn_of(apps, &before.value) + 1).max().unwrap_or_default()
}

impl ConfigFile {
    /// The apps, where there are several, in the order of the file.
    pub fn app_names(&self) -> Vec<AppName> {
        self.apps.iter().map(|app| app.name.clone()).collect()
    }

    /// The one of several apps that this is the configuration of.
    pub fn only_app(&self) -> Option<&AppName> {
        self.only.as_ref().map(|only| &only.name)
    }

    /// The configuration of one of several apps by itself; `None` if there is none of that name.
    pub fn of_app(&self, name: &AppName) -> Option<ConfigFile> {
        let App { name, after: _, roles, layer, in_environments } =
            self.apps.iter().find(|app| app.name == *name)?;
        let mut top = layer.clone().over(self.top.clone());
        if layer.app.unit.is_none()
            && let Some(At { value: unit, span }) = &self.top.app.unit
        {
            let value = Unit::new(format!("{unit}-{name}")).expect("two words and a dash are one");
            top.app.unit = Some(At { value, span: span.clone() });
        }
        let environments = self.environments.iter().map(|(environment, layer)| {
            let own = in_environments.get(environment).cloned().unwrap_or_default();
            (environment.clone(), own.over_place(layer.clone()))
        });
        Some(ConfigFile {
            source: self.source.clone(),
            top,
            environments: environments.collect(),
            apps: Vec::new(),
            only: Some(OnlyApp { name: name.clone(), roles: roles.clone() }),
            answers: self.answers.clone(),
        })
    }

    /// What the file means for each of several apps in one environment, in the order in which they switch.
    ///
    /// # Errors
    ///
    /// What is wrong with any of them, and what two of them would both have on one host.
    pub fn apps_in(&self, environment: &EnvironmentName) -> Result<Vec<AppInEnvironment>, Diagnostics> {
        let mut apps = Vec::new();
        for App { name, .. } in &self.apps {
            let own = self.of_app(name).expect("it is one of them");
            let settings = own.settings(environment)?;
            apps.push(AppInEnvironment { name: name.clone(), turn: turn_of(&self.apps, name), settings });
        }
        let mut list = Vec::new();
        for (at, one) in apps.iter().enumerate() {
            list.extend(apps[at + 1..].iter().filter_map(|other| clash(one, other)).map(Diagnostic::nowhere));
        }
        if !list.is_empty() {
            return Err(Diagnostics::new(self.source.clone(), list));
        }
        apps.sort_by_key(|app| app.turn);
        Ok(apps)
    }
}

impl OnlyApp {
    /// The hosts that the app is on, by the names that they have for it.
    pub(super) fn hosts(&self, hosts: Vec<Host>) -> Vec<Host> {
        let OnlyApp { name, roles } = self;
        let is_on = |host: &Host| roles.as_ref().is_none_or(|roles| !roles.is_disjoint(&host.roles));
        hosts.into_iter().filter(is_on).map(|host| host.with(name)).collect()
    }
}

/// What two apps would both have on a host.
fn clash(one: &AppInEnvironment, other: &AppInEnvironment) -> Option<Mistake> {
    let (name, beside) = (&one.name, &other.name);
    if one.settings.app.unit == other.settings.app.unit {
        let unit = &one.settings.app.unit;
        let mistake = Mistake::new(format!("the apps `{name}` and `{beside}` are both the unit `{unit}`"));
        return Some(mistake.help(format!("leave out the `unit` of one: it is named after `{beside}` then")));
    }
    let hosts = |app: &AppInEnvironment| -> BTreeMap<String, Host> {
        app.settings.hosts.iter().map(|host| (host.machine().to_owned(), host.clone())).collect()
    };
    let (hosts, others) = (hosts(one), hosts(other));
    let both: Vec<(&String, &HostPath, &HostPath)> = hosts
        .iter()
        .filter_map(|(machine, host)| Some((machine, &host.path, &others.get(machine)?.path)))
        .collect();
    let holds = |path: &HostPath, inner: &HostPath| inner.as_str().starts_with(path.join("").as_str());
    let clashes = |(_, path, other): &&(&String, &HostPath, &HostPath)| {
        path == other || holds(path, other) || holds(other, path)
    };
    if let Some((machine, path, other)) = both.iter().find(clashes) {
        let (words, help) = if path == other {
            (
                format!("have the same folder {path}"),
                "let `{unit}` stand in `path`, or give each of them a `path` of its own",
            )
        } else {
            (
                format!("lie in each other: {path} and {other}"),
                "give each of them a `path` beside the other's",
            )
        };
        let mistake = Mistake::new(format!("the apps `{name}` and `{beside}` {words} on {machine}"));
        return Some(mistake.help(help));
    }
    if let (Some(name_of_ref), true) = (
        &one.settings.source.deployed_ref,
        one.settings.source.deployed_ref == other.settings.source.deployed_ref,
    ) {
        let mistake = Mistake::new(format!("the apps `{name}` and `{beside}` would both move {name_of_ref}"));
        return Some(
            mistake.help("let `{unit}` stand in it: deployed_ref = \"refs/deployed/{environment}/{unit}\""),
        );
    }
    let installs = |app: &AppInEnvironment| -> Vec<String> {
        let own = app.settings.services.named.iter().filter(|named| named.definition.is_some());
        own.filter_map(|named| named.service.watched()).collect()
    };
    let (own, others) = (installs(one), installs(other));
    let service = own.iter().find(|service| !both.is_empty() && others.contains(service))?;
    let mistake = Mistake::new(format!("the apps `{name}` and `{beside}` would both install {service}"));
    Some(mistake.help("let `{unit}` stand in its `service`, or give each of them one of its own"))
}
