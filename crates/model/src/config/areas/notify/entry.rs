//! One notification, as it is written: a service, and of what it is told.

use std::ops::Range;
use std::str::FromStr;

use schemars::json_schema;

use super::secret::{SecretText, ServiceUrl, UrlText, Words};
use crate::app::notify::{CampfireKey, MailRoute, MailTls, Moment, Notify, Recipient};
use crate::app::remote_url::RemoteUrl;
use crate::config::area::table;
use crate::config::areas::SourceLayer;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::rule::{DefaultValue, Written};
use crate::config::values::{Argument, Bounded, Line, Port, Word, schema_of};

table! {
    /// A [`Notify`] as it is typed.
    NotifyLayer;

    /// Of what it is told: `"started"`, `"succeeded"`, `"failed"`, `"rolled_back"`, `"reverted"`, `"maintenance"`, `"held"`.
    on: Option<At<Vec<At<Moment>>>>, default DefaultValue::words(
        "all but `\"started\"`; for `airbrake`, `hoptoad` and `sentry` only `\"succeeded\"` and `\"rolled_back\"`; `github` is told of \
         each deploy and rollback from its start"
    ), example r#"["failed", "reverted"]"#;

    /// A room of Slack, by an incoming webhook.
    slack: Option<SlackTable>, example r#"{ url = { env = "SLACK_URL" } }"#;

    /// A channel of Discord, by a webhook.
    discord: Option<DiscordTable>, example r#"{ url = { env = "DISCORD_URL" } }"#;

    /// A room of Campfire: the classic one by a person's `token`, ONCE by a `bot_key`.
    campfire: Option<At<CampfireTable>>,
        example r#"{ url = "https://bueda.campfirenow.com", room = "Deploys", token = { env = "CAMPFIRE_TOKEN" } }"#;

    /// A project of Airbrake, or of what speaks its fourth API.
    airbrake: Option<AirbrakeTable>, example r#"{ project = "1234", key = { env = "AIRBRAKE_KEY" } }"#;

    /// An app of Hoptoad, as Airbrake was called first, or of Errbit before 0.6.
    hoptoad: Option<HoptoadTable>,
        example r#"{ url = "https://errbit.example.com", api_key = { env = "HOPTOAD_API_KEY" } }"#;

    /// Releases and deploys of Sentry.
    sentry: Option<SentryTable>,
        example r#"{ organization = "bueda", projects = ["five"], token = { env = "SENTRY_AUTH_TOKEN" } }"#;

    /// Deployments of GitHub.
    github: Option<At<GithubTable>>, example r#"{ repository = "bueda/five", token = { env = "GITHUB_TOKEN" } }"#;

    /// Any server: it is sent one event as JSON, signed.
    webhook: Option<WebhookTable>,
        example r#"{ url = "https://deploys.example.com/hook", secret = { env = "WEBHOOK_SECRET" } }"#;

    /// A program on your own machine, which gets the event as JSON on its standard input: its words, for no shell, at the root of the
    /// project.
    command: Option<Words>, example r#""bin/tell-everybody --loud""#;

    /// People, by mail: through `sendmail`, or a server.
    email: Option<At<EmailTable>>, example r#"{ from = "deploy@example.com", to = ["ops@example.com"] }"#;
}

table! {
    /// Slack.
    SlackTable;

    /// The webhook's URL, which is a secret.
    url: SecretText, example r#"{ env = "SLACK_URL" }"#;
}

table! {
    /// Discord.
    DiscordTable;

    /// The webhook's URL, which is a secret.
    url: SecretText, example r#"{ env = "DISCORD_URL" }"#;
}

table! {
    /// Campfire.
    CampfireTable;

    /// Where it is.
    url: ServiceUrl, example r#""https://bueda.campfirenow.com""#;

    /// The room: its name, or with `bot_key` its number in the address bar.
    room: Line, example r#""Deploys""#;

    /// The API token of whoever speaks, in the classic Campfire.
    token: Option<SecretText>, example r#"{ env = "CAMPFIRE_TOKEN" }"#;

    /// The key of a bot, in ONCE's Campfire.
    bot_key: Option<SecretText>, example r#"{ env = "CAMPFIRE_BOT_KEY" }"#;
}

table! {
    /// Airbrake.
    AirbrakeTable;

    /// Where it is.
    url: Option<ServiceUrl>, default DefaultValue::value("https://api.airbrake.io".into());

    /// The project's number.
    project: Word, example r#""1234""#;

    /// The project's key.
    key: SecretText, example r#"{ env = "AIRBRAKE_KEY" }"#;
}

table! {
    /// Hoptoad.
    HoptoadTable;

    /// Where it is.
    url: ServiceUrl, example r#""https://errbit.example.com""#;

    /// The app's key.
    api_key: SecretText, example r#"{ env = "HOPTOAD_API_KEY" }"#;
}

table! {
    /// Sentry.
    SentryTable;

    /// Where it is.
    url: Option<ServiceUrl>, default DefaultValue::value("https://sentry.io".into());

    /// The organization, as it is called in addresses.
    organization: Word, example r#""bueda""#;

    /// The projects that the release is of.
    projects: Vec<Word>, example r#"["five"]"#;

    /// The repository as Sentry knows it, for the commits of a release.
    repository: Option<Line>, default DefaultValue::words("no commits are told"), example r#""bueda/five""#;

    /// A token with the scope `project:releases`.
    token: SecretText, example r#"{ env = "SENTRY_AUTH_TOKEN" }"#;
}

table! {
    /// GitHub.
    GithubTable;

    /// The API.
    url: Option<ServiceUrl>, default DefaultValue::value("https://api.github.com".into());

    /// The repository, `owner/name`.
    repository: Option<RepositoryText>, default DefaultValue::words("that of `scm_http_url` or `scm`"), example r#""bueda/five""#;

    /// A token that may write deployments.
    token: SecretText, example r#"{ env = "GITHUB_TOKEN" }"#;

    /// Whether a deploy is refused, before anything is touched, if GitHub doesn't say that all checks of its commit have passed.
    require_checks: Option<bool>, default DefaultValue::value(false.into());
}

table! {
    /// Any server.
    WebhookTable;

    /// Where it is.
    url: UrlText, example r#""https://deploys.example.com/hook""#;

    /// What requests are signed with: `X-Buedafab-Signature` is `sha256=` and the HMAC of the body.
    secret: SecretText, example r#"{ env = "WEBHOOK_SECRET" }"#;
}

table! {
    /// Mail.
    EmailTable;

    /// Who sends it.
    from: MailAddress, example r#""deploy@example.com""#;

    /// Who gets it.
    to: Vec<MailAddress>, example r#"["ops@example.com"]"#;

    /// The program that takes it, where there is no `smtp`.
    sendmail: Option<At<Argument>>, default DefaultValue::value("sendmail".into());

    /// The mail server that takes it.
    smtp: Option<Word>, default DefaultValue::words("none: `sendmail` takes it"), example r#""mail.example.com""#;

    /// The server's port.
    port: Option<At<Port>>, default DefaultValue::words("`587`; `465` for `tls = \"tls\"`, `25` for `tls = \"none\"`");

    /// How the connection is kept private: `"starttls"`, before a word is said; `"tls"`, from the first byte; or `"none"`.
    tls: Option<At<MailTls>>, default DefaultValue::value("starttls".into());

    /// Who logs in.
    user: Option<At<Line>>, default DefaultValue::words("nobody"), example r#""deploy@example.com""#;

    /// With what.
    password: Option<At<SecretText>>, example r#"{ env = "SMTP_PASSWORD" }"#;
}

/// `owner/name`.
#[derive(Debug, Clone)]
pub(in crate::config) struct RepositoryText(String);

/// `ops@example.com`.
#[derive(Debug, Clone)]
pub(in crate::config) struct MailAddress(String);

typed_as_text!(RepositoryText, MailAddress);

impl FromStr for RepositoryText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.chars().all(plain);
        match text.split_once('/') {
            Some((owner, name)) if is_name(owner) && is_name(name) => Ok(RepositoryText(text.to_owned())),
            _ => Err(Mistake::new(format!("{} isn't a repository of GitHub", quoted(text)))
                .help("write its owner and its name: `bueda/five`")),
        }
    }
}

impl FromStr for MailAddress {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let odd =
            |c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')' | '\\');
        match text.rsplit_once('@') {
            Some((local, domain))
                if !local.is_empty()
                    && !domain.is_empty()
                    && !local.contains('@')
                    && !text.starts_with('-')
                    && !text.contains(odd) =>
            {
                Ok(MailAddress(text.to_owned()))
            }
            _ => Err(Mistake::new(format!("{} isn't a mail address", quoted(text)))
                .help("write it without a name: `ops@example.com`")),
        }
    }
}

/// What one of them means; nothing, after a mistake.
pub(super) fn resolve_notify(
    written: &Written<'_>,
    typed: NotifyLayer,
    span: &Range<usize>,
) -> Option<Notify> {
    let NotifyLayer {
        on,
        slack,
        discord,
        campfire,
        airbrake,
        hoptoad,
        sentry,
        github,
        webhook,
        command,
        email,
    } = typed;
    let mut found: Vec<Option<Recipient>> = Vec::new();
    found.extend(slack.map(|SlackTable { url: SecretText(url) }| Some(Recipient::Slack { url })));
    found.extend(discord.map(|DiscordTable { url: SecretText(url) }| Some(Recipient::Discord { url })));
    found.extend(campfire.map(|typed| campfire_of(written, typed)));
    found.extend(airbrake.map(|AirbrakeTable { url, project: Word(project), key: SecretText(key) }| {
        Some(Recipient::Airbrake { url: url_or(url, "https://api.airbrake.io"), project, key })
    }));
    found.extend(hoptoad.map(|HoptoadTable { url: ServiceUrl(url), api_key: SecretText(api_key) }| {
        Some(Recipient::Hoptoad { url, api_key })
    }));
    found.extend(sentry.map(
        |SentryTable {
             url,
             organization: Word(organization),
             projects,
             repository,
             token: SecretText(token),
         }| {
            Some(Recipient::Sentry {
                url: url_or(url, "https://sentry.io"),
                organization,
                projects: projects.into_iter().map(|Word(project)| project).collect(),
                repository: repository.map(|Line(repository)| repository),
                token,
            })
        },
    ));
    found.extend(github.map(|typed| github_of(written, typed)));
    found.extend(webhook.map(|WebhookTable { url: UrlText(url), secret: SecretText(secret) }| {
        Some(Recipient::Webhook { url, secret })
    }));
    found.extend(command.map(|Words(words)| Some(Recipient::Command(words))));
    found.extend(email.map(|typed| email_of(written, typed)));
    if found.len() != 1 {
        let mistake = if found.is_empty() {
            Mistake::new("this notification names no service")
                .help("add one, such as `slack = { url = { env = \"SLACK_URL\" } }`")
        } else {
            Mistake::new("this notification names several services")
                .help("begin each with a line `[[notify]]` of its own")
        };
        written.note_at(span, mistake);
        return None;
    }
    let to = found.pop().flatten()?;
    let on = moments_of(written, &to, on)?;
    Some(Notify { on, to })
}

fn url_or(url: Option<ServiceUrl>, usual: &str) -> String {
    url.map_or_else(|| usual.to_owned(), |ServiceUrl(url)| url)
}

/// Of what it is told, each once.
fn moments_of(written: &Written<'_>, to: &Recipient, on: Option<At<Vec<At<Moment>>>>) -> Option<Vec<Moment>> {
    let Some(At { value: typed, span }) = on else { return Some(to.usual_moments().to_vec()) };
    if matches!(to, Recipient::Github { .. }) {
        let mistake = Mistake::new("`github` is told of each deploy and rollback, from its start to its end")
            .help("leave `on` out");
        written.note_at(&span, mistake);
        return None;
    }
    let possible = to.possible_moments();
    if let Some(At { value, span }) = typed.iter().find(|typed| !possible.contains(&typed.value)) {
        let mistake = Mistake::new(format!("`{}` can't be told of {}", to.name(), quoted(value.name())))
            .help("it keeps what is live: `on` may hold `succeeded` and `rolled_back`");
        written.note_at(span, mistake);
        return None;
    }
    Some(Moment::ALL.into_iter().filter(|moment| typed.iter().any(|typed| typed.value == *moment)).collect())
}

fn campfire_of(written: &Written<'_>, typed: At<CampfireTable>) -> Option<Recipient> {
    let At { value: CampfireTable { url: ServiceUrl(url), room: Line(room), token, bot_key }, span } = typed;
    let by = match (token, bot_key) {
        (Some(SecretText(token)), None) => CampfireKey::Token(token),
        (None, Some(SecretText(key))) => CampfireKey::BotKey(key),
        (token, _) => {
            let mistake = match token {
                Some(_) => Mistake::new("somebody speaks in a room by one key")
                    .help("keep `token` for the classic Campfire, or `bot_key` for ONCE's"),
                None => Mistake::new("`campfire` needs a `token` or a `bot_key`")
                    .help("add `token = { env = \"CAMPFIRE_TOKEN\" }`, or for ONCE's `bot_key = { env = \"CAMPFIRE_BOT_KEY\" }`"),
            };
            written.note_at(&span, mistake);
            return None;
        }
    };
    if matches!(by, CampfireKey::BotKey(_)) && !room.bytes().all(|byte| byte.is_ascii_digit()) {
        let mistake = Mistake::new(format!("{} isn't the number of a room", quoted(&room)))
            .help("ONCE's Campfire shows it in the address bar: `…/rooms/3` is `room = \"3\"`");
        written.note_at(&span, mistake);
        return None;
    }
    Some(Recipient::Campfire { url, room, by })
}

fn github_of(written: &Written<'_>, typed: At<GithubTable>) -> Option<Recipient> {
    let At { value: GithubTable { url, repository, token: SecretText(token), require_checks }, span } = typed;
    let url = url_or(url, "https://api.github.com");
    let of_urls = || {
        let urls = [SourceLayer::scm_http_url(written), SourceLayer::scm(written)];
        urls.iter().flatten().find_map(|address| repository_in(address, &url))
    };
    let Some(repository) = repository.map(|RepositoryText(name)| name).or_else(of_urls) else {
        let mistake = Mistake::new("nothing says which repository of GitHub this is")
            .help("add `repository = \"bueda/five\"`, or set `scm_http_url`");
        written.note_at(&span, mistake);
        return None;
    };
    Some(Recipient::Github { url, repository, token, require_checks: require_checks.unwrap_or_default() })
}

/// `owner/name` of a repository's address, if it lies at the GitHub that has this API.
fn repository_in(address: &str, api: &str) -> Option<String> {
    let (server, path) = RemoteUrl::place(address)?;
    if !is_server_of(api, &server.to_ascii_lowercase()) {
        return None;
    }
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.parse().ok().map(|RepositoryText(name)| name)
}

/// Whether repositories at a server belong to an API. GitHub itself, and an enterprise's part of it (`api.bueda.ghe.com`), have the API
/// at a name of its own; an enterprise's own server has it in a folder (`/api/v3`).
fn is_server_of(api: &str, server: &str) -> bool {
    let Some((host, path)) = RemoteUrl::place(api) else { return false };
    let host = host.to_ascii_lowercase();
    match host.strip_prefix("api.").filter(|_| path.is_empty()) {
        // The last is its way through firewalls that let only port 443 pass.
        Some("github.com") => ["github.com", "www.github.com", "ssh.github.com"].contains(&server),
        Some(rest) => server == rest,
        None => server == host,
    }
}

fn email_of(written: &Written<'_>, typed: At<EmailTable>) -> Option<Recipient> {
    let At { value, span } = typed;
    let EmailTable { from: MailAddress(from), to, sendmail, smtp, port, tls, user, password } = value;
    let to: Vec<String> = to.into_iter().map(|MailAddress(address)| address).collect();
    if to.is_empty() {
        written.note_at(&span, Mistake::new("nobody gets this mail").help("add an address to `to`"));
        return None;
    }
    let by = match smtp {
        None => {
            let of_servers = [
                ("port", port.map(|typed| typed.span)),
                ("tls", tls.map(|typed| typed.span)),
                ("user", user.map(|typed| typed.span)),
                ("password", password.map(|typed| typed.span)),
            ];
            if let Some((key, span)) = of_servers.into_iter().find_map(|(key, span)| Some((key, span?))) {
                let mistake = Mistake::new(format!("`{key}` belongs to a mail server"))
                    .help("add `smtp = \"mail.example.com\"`");
                written.note_at(&span, mistake);
                return None;
            }
            let sendmail = sendmail.map_or_else(|| "sendmail".to_owned(), |typed| typed.value.0);
            MailRoute::Sendmail { sendmail }
        }
        Some(Word(smtp)) => {
            if let Some(At { span, .. }) = sendmail {
                let mistake =
                    Mistake::new("a mail goes one way").help("keep only one of `sendmail` and `smtp`");
                written.note_at(&span, mistake);
                return None;
            }
            let tls = tls.map(|typed| typed.value).unwrap_or_default();
            if let (Some(At { span, .. }), None) | (None, Some(At { span, .. })) = (
                user.as_ref().map(|user| At { value: (), span: user.span.clone() }),
                password.as_ref().map(|password| At { value: (), span: password.span.clone() }),
            ) {
                let mistake = Mistake::new("who logs in needs a `user` and a `password`")
                    .help("add the other one, or leave both out");
                written.note_at(&span, mistake);
                return None;
            }
            if let (MailTls::None, Some(At { span, .. })) = (tls, &password) {
                let mistake = Mistake::new("the password would be sent in the clear")
                    .help("leave `tls` out, or write `tls = \"tls\"`");
                written.note_at(span, mistake);
                return None;
            }
            MailRoute::Smtp {
                smtp,
                port: port.map_or_else(|| tls.usual_port(), |At { value: Bounded(port), .. }| port as u16),
                tls,
                user: user.map(|At { value: Line(user), .. }| user),
                password: password.map(|At { value: SecretText(password), .. }| password),
            }
        }
    };
    Some(Recipient::Email { from, to, by })
}

schema_of! {
    RepositoryText => json_schema!({ "type": "string", "pattern": "^[^/]+/[^/]+$" }),
    MailAddress => json_schema!({ "type": "string", "pattern": "^[^@]+@[^@]+$" }),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_of_an_address() {
        let own = "https://api.github.com";
        let enterprise = "https://git.example.com/api/v3";
        let cases = [
            (own, "git@github.com:bueda/five.git", Some("bueda/five")),
            (own, "github.com:bueda/five.git", Some("bueda/five")),
            (own, "https://github.com/bueda/five", Some("bueda/five")),
            (own, "https://GitHub.com/bueda/five/", Some("bueda/five")),
            (own, "https://www.github.com/bueda/five", Some("bueda/five")),
            (own, "https://github.com:443/bueda/five.git", Some("bueda/five")),
            (own, "https://ada:secret@github.com/bueda/five.git", Some("bueda/five")),
            (own, "ssh://git@github.com/bueda/five.git", Some("bueda/five")),
            (own, "ssh://git@github.com:22/bueda/five.git", Some("bueda/five")),
            (own, "ssh://git@ssh.github.com:443/bueda/five.git", Some("bueda/five")),
            (own, "https://github.com/bueda", None),
            (own, "git@github.com:a/b/c", None),
            (own, "https://example.com/bueda/five", None),
            (own, "https://notgithub.com/bueda/five", None),
            (own, "git@notgithub.com:bueda/five", None),
            (own, "https://github.com.evil.org/bueda/five", None),
            (own, "git@github.com.evil.org:bueda/five", None),
            (own, "https://evil.org/github.com/bueda/five", None),
            (own, "git@evil.org:github.com/bueda/five", None),
            (own, "https://github.com@evil.org/bueda/five", None),
            (own, "https://evil.org/?github.com/bueda/five", None),
            (own, "/srv/github.com/bueda/five", None),
            (own, "github.com/bueda/five", None),
            (own, "https://git.example.com/bueda/five", None),
            (own, "https://api.github.com/bueda/five", None),
            (enterprise, "git@git.example.com:bueda/five.git", Some("bueda/five")),
            (enterprise, "https://git.example.com:8443/bueda/five", Some("bueda/five")),
            (enterprise, "https://example.com/bueda/five", None),
            (enterprise, "https://github.com/bueda/five", None),
            ("https://api.example.com/api/v3", "https://api.example.com/bueda/five", Some("bueda/five")),
            ("https://api.bueda.ghe.com", "https://bueda.ghe.com/bueda/five", Some("bueda/five")),
        ];
        for (api, address, repository) in cases {
            assert_eq!(repository_in(address, api).as_deref(), repository, "{address} with {api}");
        }
    }
}
