//! Who is told of runs.

use super::*;

pub(super) const EVERY_SERVICE: &str = r##"
unit = "five"
scm_http_url = "https://github.com/bueda/five"

[[notify]]
slack = { url = { env = "SLACK_URL" } }
on = ["failed", "started", "failed"]

[[notify]]
discord = { url = { command = "op read 'op://deploy/a b'" } }

[[notify]]
campfire = { url = "https://bueda.campfirenow.com/", room = "Deploys", token = { env = "CAMPFIRE_TOKEN" } }

[[notify]]
campfire = { url = "https://chat.example.com", room = "3", bot_key = { env = "BOT" } }

[[notify]]
airbrake = { project = "12", key = { env = "KEY" } }

[[notify]]
hoptoad = { url = "https://errbit.example.com", api_key = { env = "HOPTOAD_API_KEY" } }

[[notify]]
on = ["rolled_back"]
[notify.sentry]
organization = "bueda"
projects = ["five", "six"]
repository = "bueda/five"
token = { command = ["pass", "show", "sentry"] }

[[notify]]
github = { token = { env = "GITHUB_TOKEN" } }

[[notify]]
webhook = { url = "https://example.com/hook", secret = { env = "SECRET" } }

[[notify]]
webhook = { url = { env = "HOOK" }, secret = { env = "SECRET" } }

[[notify]]
command = "bin/tell 'every body'"

[[notify]]
email = { from = "deploy@example.com", to = ["ops@example.com"] }

[[notify]]
email = { from = "deploy@example.com", to = ["a@x", "b@x"], smtp = "mail.example.com", user = "deploy", password = { env = "P" } }

[[notify]]
email = { from = "deploy@example.com", to = ["a@x"], smtp = "127.0.0.1", tls = "none", port = 2525 }
"##;

fn shown(environment: &str, text: &str) -> String {
    let settings = settings(environment, text).unwrap_or_else(|error| panic!("{error}"));
    let text = show(&settings);
    text.find("[[").map_or(String::new(), |at| text[at..].to_owned())
}

#[test]
fn every_service_with_what_goes_without_saying() {
    insta::assert_snapshot!(shown("production", EVERY_SERVICE), @r#"
    [[environments.production.notify]]
    on = ["started", "failed"]
    slack = { url = { env = "SLACK_URL" } }

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    discord = { url = { command = ["op", "read", "op://deploy/a b"] } }

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    campfire = { room = "Deploys", token = { env = "CAMPFIRE_TOKEN" }, url = "https://bueda.campfirenow.com" }

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    campfire = { bot_key = { env = "BOT" }, room = "3", url = "https://chat.example.com" }

    [[environments.production.notify]]
    on = ["succeeded", "rolled_back"]
    airbrake = { key = { env = "KEY" }, project = "12", url = "https://api.airbrake.io" }

    [[environments.production.notify]]
    on = ["succeeded", "rolled_back"]
    hoptoad = { api_key = { env = "HOPTOAD_API_KEY" }, url = "https://errbit.example.com" }

    [[environments.production.notify]]
    on = ["rolled_back"]
    sentry = { organization = "bueda", projects = ["five", "six"], repository = "bueda/five", token = { command = ["pass", "show", "sentry"] }, url = "https://sentry.io" }

    [[environments.production.notify]]
    github = { repository = "bueda/five", require_checks = false, token = { env = "GITHUB_TOKEN" }, url = "https://api.github.com" }

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    webhook = { secret = { env = "SECRET" }, url = "https://example.com/hook" }

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    webhook = { secret = { env = "SECRET" }, url = { env = "HOOK" } }

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    command = ["bin/tell", "every body"]

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    email = { from = "deploy@example.com", sendmail = "sendmail", to = ["ops@example.com"] }

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    email = { from = "deploy@example.com", password = { env = "P" }, port = 587, smtp = "mail.example.com", tls = "starttls", to = ["a@x", "b@x"], user = "deploy" }

    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    email = { from = "deploy@example.com", port = 2525, smtp = "127.0.0.1", tls = "none", to = ["a@x"] }
    "#);
}

#[test]
fn those_of_an_environment_replace_those_of_the_top_level() {
    let text = "unit = 'five'\n[[notify]]\ncommand = 'a'\n[environments.staging]\nnotify = []\n[[environments.production.notify]]\ncommand = 'b'\n";
    insta::assert_snapshot!(["staging", "production", "development"].map(|name| shown(name, text)).join("--\n"), @r#"
    --
    [[environments.production.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    command = ["b"]
    --
    [[environments.development.notify]]
    on = ["succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
    command = ["a"]
    "#);
}

#[test]
fn mistakes_say_what_to_write() {
    let services = [
        "slack = { }",
        "slack = { url = 'https://hooks.slack.com/T0/B0/x' }",
        "slack = { url = 5 }",
        "slack = { url = { } }",
        "slack = { url = { env = 'A', command = 'b' } }",
        "slack = { url = { env = '$A' } }",
        "slack = { url = { file = 'a' } }",
        "slack = { url = { command = \"op 'x\" } }",
        "slack = { url = { command = [] } }",
        "slak = { url = { env = 'A' } }",
        "on = ['failed']",
        "slack = { url = { env = 'A' } }\ncommand = 'x'",
        "command = 'x'\non = ['finished']",
        "command = 'x'\non = 'failed'",
        "command = ''",
        "kind = 'slack'",
        "campfire = { url = 'https://x', room = '3' }",
        "[notify.campfire]\nurl = 'https://x'\nroom = '3'\ntoken = { env = 'A' }\nbot_key = { env = 'A' }",
        "campfire = { url = 'https://x', room = 'Deploys', bot_key = { env = 'A' } }",
        "campfire = { url = 'https://token:X@x', room = 'Deploys', token = { env = 'A' } }",
        "campfire = { url = 'x', room = 'Deploys', token = { env = 'A' } }",
        "campfire = { url = 'http://chat.example.com', room = 'Deploys', token = { env = 'A' } }",
        "airbrake = { url = 'http://errors.example.com', project = '1', key = { env = 'A' } }",
        "hoptoad = { url = 'http://errbit.example.com', api_key = { env = 'A' } }",
        "sentry = { url = 'http://10.0.0.5:9000', organization = 'b', projects = ['five'], token = { env = 'A' } }",
        "github = { url = 'http://git.example.com/api/v3', repository = 'b/five', token = { env = 'A' } }",
        "sentry = { organization = 'bueda', projects = ['five'], token = { env = 'A' } }\non = ['failed']",
        "github = { token = { env = 'A' } }",
        "github = { repository = 'five', token = { env = 'A' } }",
        "github = { repository = 'bueda/five', token = { env = 'A' } }\non = ['failed']",
        "webhook = { url = 'https://x' }",
        "email = { from = 'x', to = ['a@x'] }",
        "email = { from = 'a@x', to = [] }",
        "email = { from = 'a@x', to = ['a@x'], port = 25 }",
        "email = { from = 'a@x', to = ['a@x'], smtp = 'm', sendmail = 's' }",
        "email = { from = 'a@x', to = ['a@x'], smtp = 'm', user = 'u' }",
        "email = { from = 'a@x', to = ['a@x'], smtp = 'm', user = 'u', password = 'hunter2' }",
        "[notify.email]\nfrom = 'a@x'\nto = ['a@x']\nsmtp = 'm'\ntls = 'none'\nuser = 'u'\npassword = { env = 'P' }",
    ];
    insta::assert_snapshot!(told_of("unit = 'five'\n[[notify]]\n…\n", &services), @r#"
    slack = { }
    { } → `slack` needs `url`

    slack = { url = 'https://hooks.slack.com/T0/B0/x' }
    'https://hooks.slack.com/T0/B0/x' → a secret can't stand in this file, which everybody reads who reads the project; write where it is got, `{ env = "NAME" }` or `{ command = "op read …" }`, and give it a new value if this file was shared

    slack = { url = 5 }
    5 → `url` takes a table, not a whole number

    slack = { url = { } }
    { } → this doesn't say where the secret is got; write `{ env = "NAME" }` or `{ command = "op read …" }`

    slack = { url = { env = 'A', command = 'b' } }
    { env = 'A', command = 'b' } → a secret is got in one way; keep only one of `env` and `command`

    slack = { url = { env = '$A' } }
    '$A' → `$A` isn't the name of a variable; use letters, digits and `_`, and don't begin with a digit

    slack = { url = { file = 'a' } }
    file → `slack` has no key `file`; write `env` or `command`

    slack = { url = { command = "op 'x" } }
    "op 'x" → a quote in this command is never closed; close it, or write a list of words: `["bin/tell", "it's"]`

    slack = { url = { command = [] } }
    [] → this command is empty; write a program and its arguments

    slak = { url = { env = 'A' } }
    slak → a notification has no key `slak`; did you mean `slack`?

    on = ['failed']
    [[notify]] → this notification names no service; add one, such as `slack = { url = { env = "SLACK_URL" } }`

    slack = { url = { env = 'A' } }
    command = 'x'
    [[notify]] → this notification names several services; begin each with a line `[[notify]]` of its own

    command = 'x'
    on = ['finished']
    'finished' → `on` can't be `finished`; write `started`, `succeeded`, `failed`, `rolled_back`, `reverted`, `maintenance` or `held`

    command = 'x'
    on = 'failed'
    'failed' → `on` takes a list, not a string; put it in square brackets: `['failed']`

    command = ''
    '' → this command is empty; write a program and its arguments

    kind = 'slack'
    kind → a notification has no key `kind`; write `on`, `slack`, `discord`, `campfire`, `airbrake`, `hoptoad`, `sentry`, `github`, `webhook`, `command` or `email`

    campfire = { url = 'https://x', room = '3' }
    { url = 'https://x', room = '3' } → `campfire` needs a `token` or a `bot_key`; add `token = { env = "CAMPFIRE_TOKEN" }`, or for ONCE's `bot_key = { env = "CAMPFIRE_BOT_KEY" }`

    [notify.campfire]
    url = 'https://x'
    room = '3'
    token = { env = 'A' }
    bot_key = { env = 'A' }
    [notify.campfire] → somebody speaks in a room by one key; keep `token` for the classic Campfire, or `bot_key` for ONCE's

    campfire = { url = 'https://x', room = 'Deploys', bot_key = { env = 'A' } }
    { url = 'https://x', room = 'Deploys', bot_key = { env = 'A' } } → `Deploys` isn't the number of a room; ONCE's Campfire shows it in the address bar: `…/rooms/3` is `room = "3"`

    campfire = { url = 'https://token:X@x', room = 'Deploys', token = { env = 'A' } }
    'https://token:X@x' → a name or password can't stand in this address; write where it is got, `{ env = "NAME" }` or `{ command = "op read …" }`, and give it a new value if this file was shared

    campfire = { url = 'x', room = 'Deploys', token = { env = 'A' } }
    'x' → this isn't the address of a server; write it like `https://chat.example.com`

    campfire = { url = 'http://chat.example.com', room = 'Deploys', token = { env = 'A' } }
    'http://chat.example.com' → a secret would be sent there in the clear; begin the address with `https://`; only this machine, `localhost`, is sent secrets without it

    airbrake = { url = 'http://errors.example.com', project = '1', key = { env = 'A' } }
    'http://errors.example.com' → a secret would be sent there in the clear; begin the address with `https://`; only this machine, `localhost`, is sent secrets without it

    hoptoad = { url = 'http://errbit.example.com', api_key = { env = 'A' } }
    'http://errbit.example.com' → a secret would be sent there in the clear; begin the address with `https://`; only this machine, `localhost`, is sent secrets without it

    sentry = { url = 'http://10.0.0.5:9000', organization = 'b', projects = ['five'], token = { env = 'A' } }
    'http://10.0.0.5:9000' → a secret would be sent there in the clear; begin the address with `https://`; only this machine, `localhost`, is sent secrets without it

    github = { url = 'http://git.example.com/api/v3', repository = 'b/five', token = { env = 'A' } }
    'http://git.example.com/api/v3' → a secret would be sent there in the clear; begin the address with `https://`; only this machine, `localhost`, is sent secrets without it

    sentry = { organization = 'bueda', projects = ['five'], token = { env = 'A' } }
    on = ['failed']
    'failed' → `sentry` can't be told of `failed`; it keeps what is live: `on` may hold `succeeded` and `rolled_back`

    github = { token = { env = 'A' } }
    { token = { env = 'A' } } → nothing says which repository of GitHub this is; add `repository = "bueda/five"`, or set `scm_http_url`

    github = { repository = 'five', token = { env = 'A' } }
    'five' → `five` isn't a repository of GitHub; write its owner and its name: `bueda/five`

    github = { repository = 'bueda/five', token = { env = 'A' } }
    on = ['failed']
    ['failed'] → `github` is told of each deploy and rollback, from its start to its end; leave `on` out

    webhook = { url = 'https://x' }
    { url = 'https://x' } → `webhook` needs `secret`

    email = { from = 'x', to = ['a@x'] }
    'x' → `x` isn't a mail address; write it without a name: `ops@example.com`

    email = { from = 'a@x', to = [] }
    { from = 'a@x', to = [] } → nobody gets this mail; add an address to `to`

    email = { from = 'a@x', to = ['a@x'], port = 25 }
    25 → `port` belongs to a mail server; add `smtp = "mail.example.com"`

    email = { from = 'a@x', to = ['a@x'], smtp = 'm', sendmail = 's' }
    's' → a mail goes one way; keep only one of `sendmail` and `smtp`

    email = { from = 'a@x', to = ['a@x'], smtp = 'm', user = 'u' }
    'u' → who logs in needs a `user` and a `password`; add the other one, or leave both out

    email = { from = 'a@x', to = ['a@x'], smtp = 'm', user = 'u', password = 'hunter2' }
    'hunter2' → a secret can't stand in this file, which everybody reads who reads the project; write where it is got, `{ env = "NAME" }` or `{ command = "op read …" }`, and give it a new value if this file was shared

    [notify.email]
    from = 'a@x'
    to = ['a@x']
    smtp = 'm'
    tls = 'none'
    user = 'u'
    password = { env = 'P' }
    { env = 'P' } → the password would be sent in the clear; leave `tls` out, or write `tls = "tls"`
    "#);
    check_mistakes(
        "unit = 'five'\n[notify]\ncommand = 'x'",
        "[notify] → `notify` takes a list, not a table; write two pairs of brackets: `[[notify]]`",
    );
    check_mistakes(
        "unit = 'five'\n[apps.web]\n[[apps.web.notify]]\ncommand = 'x'",
        "notify → `notify` is the same for all apps; write it at the top level, or below `[environments.NAME]`",
    );
}

/// People paste what is said about their file into chats.
#[test]
fn no_mistake_shows_a_secret() {
    insta::assert_snapshot!(mistakes(
        "unit = 'five'\n[[notify]]\nslack = { url = 'https://hooks.slack.com/T0/B0/hunter2é', chanel = 'x' }\n[[environments.production.notify]]\nairbrake = { projct = '1', project = '2', key = \"hunter3\" }\n"
    ), @r#"
    error: `slack` has no key `chanel`
     --> buedafab.toml:3:60
      |
    3 | slack = { url = *****************************************, chanel = 'x' }
      |                                                            ^^^^^^
      |
      = help: write `url`

    error: a secret can't stand in this file, which everybody reads who reads the
           project
     --> buedafab.toml:5:49
      |
    5 | airbrake = { projct = '1', project = '2', key = ********* }
      |                                                 ^^^^^^^^^
      |
      = help: write where it is got, `{ env = "NAME" }` or
              `{ command = "op read …" }`, and give it a new value if this file
              was shared
    "#);
}
