//! Who is told of runs, of which, and with what secret: never the secret itself, only where it is got.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Somebody, or some service, that is told of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notify {
    /// Of what, in the order in which it may happen.
    pub on: Vec<Moment>,
    /// Who.
    #[serde(flatten)]
    pub to: Recipient,
}

/// What is told.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// A deploy or a rollback begins its work.
    Started,
    /// A deploy is live.
    Succeeded,
    /// A run came to nothing, or to something that needs a person.
    Failed,
    /// A rollback is live.
    RolledBack,
    /// Hosts had switched, and were put back.
    Reverted,
    /// Visitors are told of maintenance, or no longer.
    Maintenance,
    /// Deploys are held, or no longer.
    Held,
}

impl Moment {
    /// All of them.
    pub const ALL: [Moment; 7] = [
        Moment::Started,
        Moment::Succeeded,
        Moment::Failed,
        Moment::RolledBack,
        Moment::Reverted,
        Moment::Maintenance,
        Moment::Held,
    ];

    /// What it is called in buedafab.toml and in events.
    pub fn name(self) -> &'static str {
        match self {
            Moment::Started => "started",
            Moment::Succeeded => "succeeded",
            Moment::Failed => "failed",
            Moment::RolledBack => "rolled_back",
            Moment::Reverted => "reverted",
            Moment::Maintenance => "maintenance",
            Moment::Held => "held",
        }
    }
}

/// A service, with what it needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A chat.
    Slack {
        /// The webhook's URL, which is the secret.
        url: SecretSource,
    },
    /// A chat.
    Discord {
        /// The webhook's URL, which is the secret.
        url: SecretSource,
    },
    /// A chat of 37signals.
    Campfire {
        /// Where it is.
        url: String,
        /// The room: its name, or with `bot_key` its number.
        room: String,
        /// Who speaks there.
        #[serde(flatten)]
        by: CampfireKey,
    },
    /// Airbrake, and what speaks its fourth API.
    Airbrake {
        /// Where it is.
        url: String,
        /// The project's number.
        project: String,
        /// The project's key.
        key: SecretSource,
    },
    /// Hoptoad, as Airbrake was called first, and Errbit before 0.6.
    Hoptoad {
        /// Where it is.
        url: String,
        /// The app's key.
        api_key: SecretSource,
    },
    /// Sentry's releases and deploys.
    Sentry {
        /// Where it is.
        url: String,
        /// The organization, by its slug.
        organization: String,
        /// The projects, by their slugs.
        projects: Vec<String>,
        /// The repository as Sentry knows it, for the commits of a release.
        repository: Option<String>,
        /// A token that may write releases.
        token: SecretSource,
    },
    /// GitHub's deployments.
    Github {
        /// The API.
        url: String,
        /// `owner/name`.
        repository: String,
        /// A token that may write deployments.
        token: SecretSource,
        /// Whether a commit is refused whose checks haven't passed there.
        require_checks: bool,
    },
    /// Any server.
    Webhook {
        /// Where it is.
        url: UrlSource,
        /// What requests are signed with.
        secret: SecretSource,
    },
    /// A program on the deployer, which gets the event on its standard input. No shell.
    Command(Vec<String>),
    /// People, by mail.
    Email {
        /// Who sends it.
        from: String,
        /// Who gets it.
        to: Vec<String>,
        /// What takes it.
        #[serde(flatten)]
        by: MailRoute,
    },
}

/// Who speaks in a room of Campfire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CampfireKey {
    /// A person of the classic Campfire, by their token.
    Token(SecretSource),
    /// A bot of ONCE's, by its key.
    BotKey(SecretSource),
}

/// What takes mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum MailRoute {
    /// A program of this machine.
    Sendmail {
        /// Its path.
        sendmail: String,
    },
    /// A server.
    Smtp {
        /// Its name or address.
        smtp: String,
        /// Its port.
        port: u16,
        /// How the connection is kept private.
        tls: MailTls,
        /// Who logs in; nobody, where there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// With what.
        #[serde(skip_serializing_if = "Option::is_none")]
        password: Option<SecretSource>,
    },
}

/// How a connection to a mail server is kept private.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// It begins in the clear, and no word is said before it is private.
    #[default]
    Starttls,
    /// From the first byte.
    Tls,
    /// It isn't.
    None,
}

impl MailTls {
    /// The port that servers have for it.
    pub fn usual_port(self) -> u16 {
        match self {
            MailTls::Starttls => 587,
            MailTls::Tls => 465,
            MailTls::None => 25,
        }
    }
}

/// Where a secret is got, on the deployer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// A variable of the environment.
    Env(String),
    /// What a command prints: its words, for no shell.
    Command(Vec<String>),
}

impl fmt::Display for SecretSource {
    /// Where it is looked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) => write!(f, "the variable {name}"),
            // Its arguments may say more than everybody should read.
            SecretSource::Command(words) => {
                write!(f, "the command {}", words.first().map_or("", String::as_str))
            }
        }
    }
}

/// Where a URL is got: in the file, or like a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum UrlSource {
    /// It is this one.
    Written(String),
    /// It says too much for a file that everybody reads.
    Secret(SecretSource),
}

impl Recipient {
    /// What it is called, in buedafab.toml and to people.
    pub fn name(&self) -> &'static str {
        match self {
            Recipient::Slack { .. } => "slack",
            Recipient::Discord { .. } => "discord",
            Recipient::Campfire { .. } => "campfire",
            Recipient::Airbrake { .. } => "airbrake",
            Recipient::Hoptoad { .. } => "hoptoad",
            Recipient::Sentry { .. } => "sentry",
            Recipient::Github { .. } => "github",
            Recipient::Webhook { .. } => "webhook",
            Recipient::Command(_) => "command",
            Recipient::Email { .. } => "email",
        }
    }

    /// Its secrets by their keys.
    pub fn secrets(&self) -> Vec<(&'static str, &SecretSource)> {
        match self {
            Recipient::Slack { url } | Recipient::Discord { url } => vec![("url", url)],
            Recipient::Campfire { by: CampfireKey::Token(token), .. } => vec![("token", token)],
            Recipient::Campfire { by: CampfireKey::BotKey(key), .. } => vec![("bot_key", key)],
            Recipient::Airbrake { key, .. } => vec![("key", key)],
            Recipient::Hoptoad { api_key, .. } => vec![("api_key", api_key)],
            Recipient::Sentry { token, .. } | Recipient::Github { token, .. } => vec![("token", token)],
            Recipient::Webhook { url, secret } => {
                let url = match url {
                    UrlSource::Written(_) => None,
                    UrlSource::Secret(source) => Some(("url", source)),
                };
                url.into_iter().chain([("secret", secret)]).collect()
            }
            Recipient::Email { by: MailRoute::Smtp { password, .. }, .. } => {
                password.iter().map(|password| ("password", password)).collect()
            }
            Recipient::Command(_) | Recipient::Email { by: MailRoute::Sendmail { .. }, .. } => Vec::new(),
        }
    }

    /// Whether it is asked before a release is deployed.
    pub fn has_a_say(&self) -> bool {
        matches!(self, Recipient::Github { require_checks: true, .. })
    }

    /// Of what it is told where nothing is said about it.
    pub fn usual_moments(&self) -> &'static [Moment] {
        match self {
            // A person who deploys doesn't want two messages for each.
            Recipient::Slack { .. }
            | Recipient::Discord { .. }
            | Recipient::Campfire { .. }
            | Recipient::Webhook { .. }
            | Recipient::Command(_)
            | Recipient::Email { .. } => &Moment::ALL[1..],
            Recipient::Airbrake { .. } | Recipient::Hoptoad { .. } | Recipient::Sentry { .. } => {
                Recipient::LIVE
            }
            Recipient::Github { .. } => Recipient::DEPLOYMENT,
        }
    }

    /// Of what it can be told at all.
    pub fn possible_moments(&self) -> &'static [Moment] {
        match self {
            Recipient::Airbrake { .. } | Recipient::Hoptoad { .. } | Recipient::Sentry { .. } => {
                Recipient::LIVE
            }
            Recipient::Github { .. } => Recipient::DEPLOYMENT,
            _ => &Moment::ALL,
        }
    }

    /// What errors are put down to is what is live.
    const LIVE: &'static [Moment] = &[Moment::Succeeded, Moment::RolledBack];

    /// A deployment begins, and ends in one of these ways.
    const DEPLOYMENT: &'static [Moment] =
        &[Moment::Started, Moment::Succeeded, Moment::Failed, Moment::RolledBack, Moment::Reverted];
}
