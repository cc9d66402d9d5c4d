//! Who is told of runs: people, and services that keep track of releases.

mod entry;
mod secret;

use serde::ser::SerializeMap;
use toml::Value;

use self::entry::{NotifyLayer, resolve_notify};
pub(in crate::config) use self::secret::SECRET_KEYS;
use crate::app::notify::{CampfireKey, MailRoute, Moment, Notify, Recipient};
use crate::config::area::{Area, layer};
use crate::config::at::At;
use crate::config::rule::{Written, means, means_itself};
use crate::config::show::{Out, Valued, text};

layer! {
    /// The one key of this area.
    NotifyKey, "Notifications";

    /// Who is told of runs, any number: each begins with a line `[[notify]]`, and names one service. Those of an environment
    /// replace those of the top level, all of them.
    notify: Vec<At<NotifyLayer>>;
}

means! { NotifyLayer => NotifyLayer: itself => itself }
means_itself!(Moment);

impl Area for Vec<Notify> {
    type Layer = NotifyKey;

    fn resolve(written: &Written<'_>) -> Self {
        let typed = written.all.notify.notify.iter().flatten();
        typed.filter_map(|At { value, span }| resolve_notify(written, value.clone(), span)).collect()
    }

    fn show_entries(&self, _: &mut Out) {}

    fn show_tables(&self, table: &str, out: &mut Out) {
        for Notify { on, to } in self {
            out.header(&format!("[[{table}.notify]]"));
            // Some are told of one thing only, which nobody may write.
            if !matches!(to, Recipient::Github { .. }) {
                out.entry("on", on.value());
            }
            out.entry(to.name(), to.value());
        }
    }

    fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("notify", self)
    }
}

impl Valued for Recipient {
    fn value(&self) -> Value {
        let entries: Vec<(&str, Value)> = match self {
            Recipient::Slack { url } | Recipient::Discord { url } => vec![("url", url.value())],
            Recipient::Campfire { url, room, by } => {
                let key = match by {
                    CampfireKey::Token(token) => ("token", token.value()),
                    CampfireKey::BotKey(key) => ("bot_key", key.value()),
                };
                vec![("url", text(url)), ("room", text(room)), key]
            }
            Recipient::Airbrake { url, project, key } => {
                vec![("url", text(url)), ("project", text(project)), ("key", key.value())]
            }
            Recipient::Hoptoad { url, api_key } => vec![("url", text(url)), ("api_key", api_key.value())],
            Recipient::Sentry { url, organization, projects, repository, token } => {
                let repository = repository.iter().map(|repository| ("repository", text(repository)));
                let known = [
                    ("url", text(url)),
                    ("organization", text(organization)),
                    ("projects", projects.value()),
                    ("token", token.value()),
                ];
                known.into_iter().chain(repository).collect()
            }
            Recipient::Github { url, repository, token, require_checks } => vec![
                ("url", text(url)),
                ("repository", text(repository)),
                ("token", token.value()),
                ("require_checks", Value::Boolean(*require_checks)),
            ],
            Recipient::Webhook { url, secret } => vec![("url", url.value()), ("secret", secret.value())],
            Recipient::Command(words) => return words.value(),
            Recipient::Email { from, to, by } => {
                let mut entries = vec![("from", text(from)), ("to", to.value())];
                match by {
                    MailRoute::Sendmail { sendmail } => entries.push(("sendmail", text(sendmail))),
                    MailRoute::Smtp { smtp, port, tls, user, password } => {
                        entries.push(("smtp", text(smtp)));
                        entries.push(("port", u32::from(*port).value()));
                        let tls = Value::try_from(tls).expect("an enum without fields is a string");
                        entries.push(("tls", tls));
                        entries.extend(user.iter().map(|user| ("user", text(user))));
                        entries.extend(password.iter().map(|password| ("password", password.value())));
                    }
                }
                entries
            }
        };
        Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}
