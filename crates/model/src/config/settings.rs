//! What rests on several areas of settings at once.

use super::areas::Settings;
use crate::app::crontab::CrontabLocation;
use crate::app::recipe::Recipe;
use crate::app::service::{NamedService, Service};
use crate::host::Host;
use crate::host::layout::Layout;
use crate::host::running::KnownBy;
use crate::names::SlotName;

/// Nothing that is configured starts the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing starts the app: `service` is \"none\", and there is no [services.NAME]")]
pub struct Unstarted(Recipe);

impl Unstarted {
    /// What to write.
    pub fn hint(self) -> String {
        format!(
            "in buedafab.toml, a table [services.web] with command = \"{}\"; or `service`, for a unit that is there already; or a \
             `restart` hook",
            self.0.sample_command()
        )
    }
}

impl Settings {
    /// Where in a release links to what outlives it stand, by their paths in the project.
    pub fn shared_paths(&self) -> Vec<String> {
        let super::areas::SharedSettings { files, folders, .. } = &self.shared;
        let listening = self.services.named.iter().filter_map(|named| named.listening.as_ref());
        let sockets = listening.map(|listening| &listening.socket);
        files.iter().chain(folders).chain(sockets).map(|path| self.app.file(path)).collect()
    }

    /// Where everything lies on a host.
    pub fn layout(&self, host: &Host) -> Layout {
        Layout {
            releases: host.path.join(&self.layout.releases_root),
            path: host.path.clone(),
            link: self.layout.current_release_symlink.clone(),
            virtualenv: self.layout.virtualenv.clone(),
            adds_up: self.layout.strategy.adds_up(),
            env_file: self.shared.env_file.as_ref().map(|file| host.path.join("shared").join(file)),
        }
    }

    /// Whether a service runs on a host: of what is `single` there is one, on the first host that has it.
    pub fn runs_on(&self, named: &NamedService, host: &Host) -> bool {
        let first = self.hosts.iter().find(|other| named.is_on(&other.roles));
        named.is_on(&host.roles) && !(named.single && first.is_some_and(|first| first.name != host.name))
    }

    /// The services that are restarted on a host, whoever describes them.
    pub fn services_on(&self, host: &Host) -> Vec<&Service> {
        let named = self.services.named.iter().filter(|named| self.runs_on(named, host));
        named.map(|named| &named.service).chain(self.own_service()).collect()
    }

    /// What runs the release in a slot on a host, whoever describes it.
    pub fn units_on(&self, host: &Host, slot: &SlotName) -> Vec<Service> {
        let named = self.services.named.iter().filter(|named| self.runs_on(named, host));
        let units = named.map(|named| named.instance(slot).unwrap_or_else(|| named.service.clone()));
        units.chain(self.own_service().cloned()).collect()
    }

    /// The units whose words are those of what runs on a host: where each slot has its own, all of them.
    pub fn units_told_on(&self, host: &Host) -> Vec<String> {
        let named = self.services.named.iter().filter(|named| self.runs_on(named, host));
        let own = self.own_service().and_then(Service::unit);
        named.filter_map(NamedService::journal).chain(own).collect()
    }

    /// How a look is told of what runs on a host.
    pub fn watched_on(&self, host: &Host) -> Vec<String> {
        let named = self.services.named.iter().filter(|named| self.runs_on(named, host));
        let own = self.own_service().and_then(Service::watched);
        named.filter_map(NamedService::watched).chain(own).collect()
    }

    /// Whether a host puts back, as it starts, a switch that was cut short, before its services start.
    pub fn has_recovery(&self, host: &Host) -> bool {
        let mut here = self.services.named.iter().filter(|named| named.is_on(&host.roles));
        here.any(|named| named.listening.is_some() && named.definition.is_some())
    }

    /// The app's own service, where neither a hook nor a table of its own restarts it.
    pub fn own_service(&self) -> Option<&Service> {
        let has_table = self.services.named.iter().any(|named| named.service == self.services.app);
        let is_restarted =
            self.hooks.on_hosts.restart.is_empty() && self.services.app != Service::None && !has_table;
        is_restarted.then_some(&self.services.app)
    }

    /// What to do about an app that nothing would start, though apps of its kind are processes: no service or table, and no hook that
    /// could see to it.
    pub fn starts_nothing(&self) -> Option<Unstarted> {
        let hooks = &self.hooks.on_hosts;
        let may_be_started = self.services.app != Service::None
            || !self.services.named.is_empty()
            || [&hooks.restart, &hooks.before_switch, &hooks.after_switch].iter().any(|it| !it.is_empty());
        (self.app.recipe.is_python() && !may_be_started).then_some(Unstarted(self.app.recipe))
    }

    /// What the app's jobs are marked with: environments may share a host.
    pub fn crontab_label(&self) -> String {
        match self.environment.as_str() {
            "production" => self.app.unit.to_string(),
            environment => format!("{}-{environment}", self.app.unit),
        }
    }

    /// By what it is known, after a switch of a host, that the release serves there.
    pub fn serving_known_by(&self, host: &Host) -> KnownBy {
        let hooks = &self.hooks.on_hosts;
        let asks = self.health.health.as_ref().is_some_and(|health| health.is_on(&host.roles))
            || self.version.url.is_some()
            || !self.services_on(host).is_empty()
            || [&hooks.restart, &hooks.verify].iter().any(|commands| !commands.is_empty());
        if asks { KnownBy::App } else { KnownBy::Link }
    }

    /// Those of them whose unit file or init script has to be there already.
    pub fn services_of_others(&self, host: &Host) -> Vec<Service> {
        let is_ours = |service: &Service| {
            self.services.named.iter().any(|n| n.service == *service && n.definition.is_some())
        };
        self.services_on(host).into_iter().filter(|service| !is_ours(service)).cloned().collect()
    }

    /// Whether anything that a deploy or a rollback does may be done by sudo.
    pub fn may_use_sudo(&self) -> bool {
        let has_hooks = self.hooks.on_hosts.by_name().iter().any(|(_, commands)| !commands.is_empty());
        self.needs_sudo()
            || self.app.recipe == Recipe::Django
            || self.crontab.location == CrontabLocation::System
            || has_hooks
    }

    /// Whether something is done by sudo, where the user isn't root.
    pub fn needs_sudo(&self) -> bool {
        let asks = |command: &String| command.trim_start().starts_with("sudo ");
        let restarts = if self.hooks.on_hosts.restart.is_empty() {
            self.services.app.needs_root()
                || self.services.named.iter().any(|named| named.service.needs_root())
        } else {
            self.hooks.on_hosts.restart.iter().any(asks)
        };
        restarts || self.users.run_as.is_some()
    }
}
