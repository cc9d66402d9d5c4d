//! Why a plan can't be made, and what a person can do about it. When one of these is told, nothing was touched.

use crate::app::template::{NO_SUCH_FILE, TEMPLATE_VARIABLES};
use crate::deployer::rules::BrokenRule;
use crate::host::facts::HostFacts;
use crate::host::record::{Hold, LockHolder, PendingSwitch};
use crate::names::HostName;

/// One reason against a plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The environment names no host, or the flags leave none.
    #[error("no host to work on")]
    NoHosts,
    /// Where the link should be there is a folder or file.
    #[error("{host}: {path} is a folder or a file, not a link")]
    NotALink {
        /// Where.
        host: HostName,
        /// The link's path.
        path: String,
    },
    /// The link leads to a folder that is no slot.
    #[error("{host}: {path} points to {target:?}, which is none of the slots")]
    Elsewhere {
        /// Where.
        host: HostName,
        /// The link's path.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// The app's directory can't be written.
    #[error("{host}: {user} can't write {path}")]
    NotWritable {
        /// Where.
        host: HostName,
        /// The user that commands run as.
        user: String,
        /// The app's directory.
        path: String,
    },
    /// Tools are missing.
    #[error("{host}: {} not found", tools.join(", "))]
    MissingTools {
        /// Where.
        host: HostName,
        /// Which.
        tools: Vec<String>,
    },
    /// Files that every release needs aren't there.
    #[error("{host}: not in {path}: {}", files.join(", "))]
    MissingShared {
        /// Where.
        host: HostName,
        /// The folder of what is shared.
        path: String,
        /// Which.
        files: Vec<String>,
    },
    /// A service that would be restarted isn't there.
    #[error("{host}: there is no {}", services.join(" and no "))]
    MissingServices {
        /// Where.
        host: HostName,
        /// Which.
        services: Vec<String>,
    },
    /// The user that the app's own code should run as isn't there.
    #[error("{host}: there is no user {user}, which `run_as` names")]
    MissingUser {
        /// Where.
        host: HostName,
        /// Who.
        user: String,
    },
    /// The unit file or init script of a service can't be made.
    #[error("{}: [services.{service}] {file}: {why}", hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", "))]
    BadTemplate {
        /// Where.
        hosts: Vec<HostName>,
        /// The service.
        service: String,
        /// The template.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A person said "do not deploy".
    #[error("{host}: deploys are on hold: {:?}, says {} since {}", hold.reason, hold.by, hold.at)]
    Held {
        /// Where.
        host: HostName,
        /// Who, when, why.
        hold: Hold,
    },
    /// Another run is at work.
    #[error("{host}: {}", describe_holder(holder.as_ref()))]
    Locked {
        /// Where.
        host: HostName,
        /// Who, as far as they have written it down.
        holder: Option<LockHolder>,
    },
    /// A host can't be reached.
    #[error("{host}: can't be reached: {why}")]
    Unreachable {
        /// Where.
        host: HostName,
        /// Why, in the words of whoever knows.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A run was cut short after it had begun to switch, and nothing has put the host back.
    #[error("{host}: {}", pending.in_words())]
    Pending {
        /// Where.
        host: HostName,
        /// What was left.
        pending: PendingSwitch,
    },
    /// No release was proven live on the host before the one that is.
    #[error("{host}: nothing to roll back to: {why}")]
    NothingBefore {
        /// Where.
        host: HostName,
        /// What was found instead.
        why: String,
    },
    /// The hosts would be rolled back to different releases.
    #[error("the hosts would roll back to different releases: {}", targets.join(", "))]
    DifferentTargets {
        /// A line for each host.
        targets: Vec<String>,
    },
    /// There is nothing live to work on.
    #[error("{host}: no release is live")]
    NothingLive {
        /// Where.
        host: HostName,
    },
    /// The release breaks a rule of the environment.
    #[error(transparent)]
    Rule(#[from] BrokenRule),
    /// The git remote isn't known.
    #[error("where hosts fetch from isn't known: `scm` isn't set, and the checkout has no remote {remote:?}")]
    NoRemote {
        /// The remote that was looked for.
        remote: String,
    },
}

impl Refusal {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Refusal::NoHosts => "give the environment `hosts` in buedafab.toml, or widen --hosts and --roles".into(),
            Refusal::NotALink { path, .. } => {
                format!("move it away on that host, then deploy again: mv {path} {path}.old")
            }
            Refusal::Elsewhere { .. } => {
                "another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure".into()
            }
            Refusal::NotWritable { user, path, .. } => {
                format!("on that host, as root: install -d -o {user} {path}")
            }
            Refusal::MissingTools { .. } => "install them there; Debian: apt-get install git util-linux".into(),
            Refusal::MissingShared { .. } => {
                "put them there, with what they should hold; the file of `env_file` comes by `env push FILE`, or `env set NAME`".into()
            }
            Refusal::MissingServices { .. } => {
                "install its unit file or init script there; or describe it in a table [services.NAME] with a `command`; or set `service`, which is \"init\" by default".into()
            }
            Refusal::MissingUser { .. } => "make that user there, in `deploy_group`, or set another".into(),
            Refusal::BadTemplate { why, .. } if why == NO_SUCH_FILE => {
                "commit it, or name another in buedafab.toml".into()
            }
            Refusal::BadTemplate { .. } => format!("in a template there are: {}", TEMPLATE_VARIABLES.join(", ")),
            Refusal::Held { .. } => "lift it with the command `unhold`, once its reason is gone".into(),
            Refusal::Unreachable { hint, .. } => {
                let more = "the command `check` tells more, and --hosts leaves hosts out";
                hint.as_ref().map_or_else(|| more.to_owned(), |hint| format!("{hint}; {more}"))
            }
            Refusal::Pending { .. } => "the command `recover` puts it back; so do `deploy` and `rollback`, before anything else".into(),
            Refusal::Locked { .. } => "wait until it ends; a lock never outlives its run".into(),
            Refusal::NothingBefore { .. } => {
                "deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA".into()
            }
            Refusal::DifferentTargets { .. } => {
                "deploy one release everywhere (deploy:commit=SHA), or narrow the rollback with --hosts".into()
            }
            Refusal::Rule(rule) => rule.hint(),
            Refusal::NothingLive { .. } => "deploy first".into(),
            Refusal::NoRemote { .. } => "set `scm` in buedafab.toml to the URL that hosts fetch from".into(),
        })
    }
}

/// Who is at work, in words.
pub fn describe_holder(holder: Option<&LockHolder>) -> String {
    match holder {
        Some(holder) => {
            format!("locked by {} since {} ({}, run {})", holder.by, holder.at, holder.doing, holder.run)
        }
        None => "locked by a run that hasn't said who it is".to_owned(),
    }
}

/// What speaks against changing a host at all.
pub(crate) fn host_refusals(host: &HostName, path: &str, facts: &HostFacts) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if !facts.missing_tools.is_empty() {
        refusals.push(Refusal::MissingTools { host: host.clone(), tools: facts.missing_tools.clone() });
    }
    if !facts.writable {
        refusals.push(Refusal::NotWritable {
            host: host.clone(),
            user: facts.user.clone(),
            path: path.to_owned(),
        });
    }
    if let Some(hold) = &facts.hold {
        refusals.push(Refusal::Held { host: host.clone(), hold: hold.clone() });
    }
    match (&facts.lock, &facts.pending) {
        (Some(lock), _) => {
            refusals.push(Refusal::Locked { host: host.clone(), holder: lock.holder.clone() });
        }
        // Whoever is at work would say how it goes on.
        (None, Some(pending)) => {
            refusals.push(Refusal::Pending { host: host.clone(), pending: pending.clone() });
        }
        (None, None) => {}
    }
    refusals
}
