//! What differs from environment to environment: rules, extending, versions asked of the app, tasks.

use super::*;

/// What these settings come to in an environment, one a line.
fn shown(environment: &str, text: &str, keys: &[&str]) -> String {
    match settings(environment, text) {
        Ok(settings) => {
            let shown = show(&settings);
            let fits = |line: &&str| keys.iter().any(|key| line.split([' ', ':']).any(|word| word == *key));
            shown.lines().filter(fits).collect::<Vec<_>>().join("\n")
        }
        Err(diagnostics) => diagnostics.to_string(),
    }
}

const RULES: [&str; 4] = ["branch", "require_tag", "confirm", "deployment_type"];

#[test]
fn production_has_stricter_rules() {
    let rules = |name: &str| shown(name, "unit = 'five'\n[environments.demo]", &RULES).replace('\n', "; ");
    let all = ["localhost", "development", "staging", "production", "demo"].map(rules);
    insta::assert_snapshot!(all.join("\n"), @r#"
    deployment_type = "SOLO"; branch = "*"; require_tag = false; confirm = "nothing"
    deployment_type = "DEV"; branch = "*"; require_tag = false; confirm = "nothing"
    deployment_type = "STAGING"; branch = "*"; require_tag = false; confirm = "yes"
    deployment_type = "PRODUCTION"; branch = "master"; require_tag = true; confirm = "yes"
    deployment_type = "DEMO"; branch = "*"; require_tag = false; confirm = "yes"
    "#);
}

const FAMILY: &str = "unit = 'five'
default_revision = 'top'
variables = { A = 'top', B = 'top' }
[environments.production]
hosts = ['web1']
branch = 'main'
variables = { B = 'production' }
[environments.blue]
extends = 'production'
default_revision = 'blue'
[environments.blue-two]
extends = 'blue'
hosts = ['web9']
require_tag = false
[environments.preview]
extends = 'staging'
";

#[test]
fn an_environment_has_what_the_one_it_extends_has() {
    let keys = ["default_revision", "branch", "require_tag", "deployment_type", "A", "B", "name", "path"];
    insta::assert_snapshot!(shown("blue", FAMILY, &keys), @r#"
    path = "/var/webapps/five"
    deployment_type = "PRODUCTION"
    default_revision = "blue"
    branch = "main"
    require_tag = true
    A = "top"
    B = "production"
    name = "web1"
    path = "/var/webapps/five"
    "#);
    insta::assert_snapshot!(shown("blue-two", FAMILY, &keys), @r#"
    path = "/var/webapps/five"
    deployment_type = "PRODUCTION"
    default_revision = "blue"
    branch = "main"
    require_tag = false
    A = "top"
    B = "production"
    name = "web9"
    path = "/var/webapps/five"
    "#);
    insta::assert_snapshot!(shown("preview", FAMILY, &["path", "deployment_type"]), @r#"
    path = "/var/webapps/five-staging"
    deployment_type = "STAGING"
    "#);
    for name in ["blue", "blue-two", "preview"] {
        let first = settings(name, FAMILY).unwrap();
        assert_eq!(settings(name, &show(&first)).unwrap(), first, "{name}");
    }
}

#[test]
fn what_can_not_be_extended() {
    let of = |extends: &str| {
        let text = format!(
            "unit = 'five'\n[environments.a]\nextends = '{extends}'\n[environments.b]\nextends = 'a'\n"
        );
        match settings("a", &text) {
            Ok(_) => "nothing wrong".to_string(),
            Err(mistakes) => {
                let told = |d: &Diagnostic| format!("{}; {}", d.message, d.help.clone().unwrap_or_default());
                mistakes.iter().map(told).collect::<Vec<_>>().join("\n")
            }
        }
    };
    insta::assert_snapshot!(["a", "b", "prodcution", "staging"].map(of).join("\n"), @"
    `a` extends itself; name another environment, or leave the line out
    `a` extends itself; name another environment, or leave the line out
    no environment `prodcution`; did you mean `production`? there are `localhost`, `development`, `staging`, `production`, `a`, `b`
    nothing wrong
    ");
    check_mistakes(
        "unit = 'x'\nextends = 'production'",
        "extends → `extends` belongs to an environment; write it below `[environments.NAME]`",
    );
}

#[test]
fn requirements_are_those_of_the_kind_of_environment() {
    let text = "unit = 'five'\npip_requirements = ['common.txt', 'x/y.txt']\npip_requirements_dev = ['dev.txt', 'common.txt']\n\
                pip_requirements_production = ['live.txt']\n[environments.blue]\nextends = 'development'\n[environments.own]\n";
    let of = |name: &str| shown(name, text, &["pip_requirements"]);
    insta::assert_snapshot!(["localhost", "blue", "staging", "own"].map(of).join("\n"), @r#"
    pip_requirements = ["common.txt", "x/y.txt", "dev.txt"]
    pip_requirements = ["common.txt", "x/y.txt", "live.txt", "dev.txt"]
    pip_requirements = ["common.txt", "x/y.txt", "live.txt"]
    pip_requirements = ["common.txt", "x/y.txt", "live.txt"]
    "#);
    for name in ["localhost", "staging"] {
        let first = settings(name, text).unwrap();
        assert_eq!(settings(name, &show(&first)).unwrap(), first, "{name}");
    }
}

#[test]
fn the_app_is_asked_where_it_says_its_version() {
    let url = |environment: &str, url: &str, hosts: &str| {
        let text = format!(
            "unit = 'five'\nversion_url = '{url}'\n[environments.{environment}]\nhosts = [{hosts}]\n"
        );
        let settings = settings(environment, &text).unwrap();
        let of = settings.hosts.iter().filter_map(|host| settings.version.url_of(host));
        let shared = if settings.version.url_is_shared() { "shared: " } else { "" };
        format!("{shared}{}", of.collect::<Vec<_>>().join(" "))
    };
    let all = [
        url("production", "http://{subdomain}.five.com/v", "'web1', 'web2'"),
        url("development", "http://{subdomain}.five.com/v", "'web1'"),
        url("staging", "https://{subdomain}.{unit}.com/{environment}", "'web1'"),
        url("production", "http://localhost:8000/v", "'web1'"),
        url("production", "http://127.0.0.1/v", "'web1'"),
        url("production", "http://{host}/v?{address}", "'web1', { name = 'six', address = '::1' }"),
    ];
    insta::assert_snapshot!(all.join("\n"), @"
    shared: http://www.five.com/v http://www.five.com/v
    shared: http://dev.five.com/v
    shared: https://staging.five.com/staging
    http://localhost:8000/v
    http://127.0.0.1/v
    http://web1/v?web1 http://six/v?[::1]
    ");
}

#[test]
fn tasks_of_an_environment_are_added() {
    let text = "unit = 'five'
[tasks.rechef]
run = 'sudo chef-client'
[environments.production.tasks.rechef]
run = ['true', 'sudo chef-client -l $level']
on = 'role:web'
description = 'Run chef again'
arguments = { level = 'warn' }
[environments.production.tasks.backup]
run = 'pg_dump'
on = 'primary'
";
    let tasks = |name: &str| {
        let shown = show(&settings(name, text).unwrap());
        shown[shown.find("\n[").unwrap_or(shown.len())..].trim().to_string()
    };
    insta::assert_snapshot!(tasks("staging"), @r#"
    [environments.staging.tasks.rechef]
    run = ["sudo chef-client"]
    on = "hosts"
    # description: none
    # arguments: any
    "#);
    insta::assert_snapshot!(tasks("production"), @r#"
    [environments.production.tasks.backup]
    run = ["pg_dump"]
    on = "primary"
    # description: none
    # arguments: any

    [environments.production.tasks.rechef]
    run = ["true", "sudo chef-client -l $level"]
    on = "role:web"
    description = "Run chef again"
    arguments = { level = "warn" }
    "#);
    let first = settings("production", text).unwrap();
    assert_eq!(settings("production", &show(&first)).unwrap(), first);
    let names: Vec<String> =
        parse("buedafab.toml", text).unwrap().tasks().keys().map(ToString::to_string).collect();
    assert_eq!(names, ["backup", "rechef"]);
}

#[test]
fn mistakes_in_what_is_new_here() {
    insta::assert_snapshot!(told_of("unit = 'x'\n…", &[
        "branch = 'refs/heads/main'",
        "version_pattern = 'v('",
        "confirm = 'maybe'",
        "pip_requirements = ['/etc/x', '../y']",
        "pip_requirements = 'x.txt'",
        "verify_signatures = true",
        "version_url = 'five.com'",
        "version_url = 'http://{hots}/'",
        "tasks.a = {}",
        "tasks.a = { run = 'x', on = 'everywhere' }",
        "tasks.a = { run = 'x', restart = 'y' }",
        "tasks.'a b' = { run = 'x' }",
        "tasks.a = { run = 'x', arguments = { 1x = '' } }",
    ]), @r#"
    branch = 'refs/heads/main'
    'refs/heads/main' → `refs/heads/main` isn't the plain name of a branch; leave out where it is: `main`

    version_pattern = 'v('
    'v(' → `v(` isn't a regular expression: unclosed group; write it in single quotes, as in '^v\d+\.\d+$'

    confirm = 'maybe'
    'maybe' → `confirm` can't be `maybe`; write `nothing`, `yes` or `name`

    pip_requirements = ['/etc/x', '../y']
    '/etc/x' → `/etc/x` isn't the path of a file in the project; write it from the root of the project on: `requirements/common.txt`

    pip_requirements = 'x.txt'
    'x.txt' → `pip_requirements` takes a list, not a string; put it in square brackets: `['x.txt']`

    verify_signatures = true
    true → `verify_signatures` needs `allowed_signers`; list who may sign: `allowed_signers = ["ada@example.com ssh-ed25519 AAAA…"]`

    version_url = 'five.com'
    'five.com' → `five.com` isn't the address of a web page; write it like `https://github.com/bueda/five`

    version_url = 'http://{hots}/'
    {hots} → `{hots}` isn't a placeholder here; did you mean `{host}`?

    tasks.a = {}
    {} → this task runs nothing; add `run = "…"`, a shell command

    tasks.a = { run = 'x', on = 'everywhere' }
    'everywhere' → `everywhere` isn't a place where a task could run; write `hosts`, `primary`, `deployer` or `role:NAME`

    tasks.a = { run = 'x', restart = 'y' }
    restart → a task has no key `restart`; write `run`, `on`, `description` or `arguments`

    tasks.'a b' = { run = 'x' }
    'a b' → "a b" can't be a task: only letters, digits, `_`, `-` and `.` may stand in it

    tasks.a = { run = 'x', arguments = { 1x = '' } }
    1x → `1x` isn't the name of a variable; use letters, digits and `_`, and don't begin with a digit
    "#);
}

#[test]
fn services_keep_the_order_of_the_file() {
    let text = "unit = 'five'\n[services.zeta]\nservice = 'systemd:{unit}-z'\nroles = ['worker']\n[services.alpha]\nservice = 'init:a'\nsingle = true\n\
                [environments.production.services.more]\nservice = 'runit:m'\n";
    let first = settings("production", text).unwrap();
    let names: Vec<&str> = first.services.named.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["zeta", "alpha", "more"]);
    assert_eq!(settings("production", &show(&first)).unwrap(), first);
    let described = "unit = 'five'\n[services.celery]\ndefault = 'celery'\nservice = 'init:celeryd-{unit}_{deployment_type}'\n\
                     [services.beat]\ndefault = 'celery-beat'\n[services.web]\ntemplate = 'conf/web.service'\nreload = true\n";
    for environment in ["production", "staging"] {
        let first = settings(environment, described).unwrap();
        assert_eq!(settings(environment, &show(&first)).unwrap(), first);
    }
    insta::assert_snapshot!(show(&settings("staging", described).unwrap()).split_once("[environments.staging.services").unwrap().1, @r#"
    .celery]
    service = "init:celeryd-five_STAGING"
    command = "python -m celery -A five worker --loglevel INFO"
    stop_seconds = 600
    reload = false
    # cutover: a plain restart
    # roles: all hosts
    single = false

    [environments.staging.services.beat]
    service = "systemd:five-beat-staging"
    command = "python -m celery -A five beat --loglevel INFO --pidfile= --schedule ../../shared/celerybeat-schedule"
    stop_seconds = 90
    reload = false
    # cutover: a plain restart
    # roles: all hosts
    single = true

    [environments.staging.services.web]
    service = "systemd:five-web-staging"
    template = "conf/web.service"
    stop_seconds = 90
    reload = true
    # cutover: a plain restart
    # roles: all hosts
    single = false
    "#);
    insta::assert_snapshot!(told_of("unit = 'x'\n…", &[
        "services.a = {}",
        "services.a = { service = 'upstart:x' }",
        "services.a = { service = 'init:x', role = 'y' }",
        "services.a = { command = 'x', template = 'y' }",
        "services.a = { command = 'x', service = 'runit:y' }",
        "services.a = { service = 'init:x', stop_seconds = 5 }",
        "services.a = { command = 'x', stop_seconds = 900 }",
        "services.a = { default = 'celeri' }",
        "services.a = { default = 'celery', reload = true }",
    ]), @r#"
    services.a = {}
    {} → this service isn't defined; add `service = "systemd:{unit}-worker"`, or define it: `command = "python -m celery -A five worker"`

    services.a = { service = 'upstart:x' }
    upstart → `upstart:x` isn't a service; write `none`, `init`, `systemd:NAME`, `systemd-user:NAME`, `supervisor:NAME` or `runit:NAME`

    services.a = { service = 'init:x', role = 'y' }
    role → a service has no key `role`; did you mean `roles`?

    services.a = { command = 'x', template = 'y' }
    'y' → this service is defined twice; keep only one of `command`, `template` and `default`

    services.a = { command = 'x', service = 'runit:y' }
    'x' → `runit:y` can't be defined in this file; `command`, `template` and `default` are for `systemd:NAME` and `init:NAME`; set up other services yourself

    services.a = { service = 'init:x', stop_seconds = 5 }
    5 → `stop_seconds` needs a service that is described here; add a `command` or a `template`

    services.a = { command = 'x', stop_seconds = 900 }
    900 → a step may take 900 s, and this service as long as that to stop; make `step_timeout_seconds` longer than the longest `stop_seconds`

    services.a = { default = 'celeri' }
    'celeri' → `default` can't be `celeri`; did you mean `celery`?

    services.a = { default = 'celery', reload = true }
    true → a reload would go on with the old release's code; the process works in its slot; leave `reload` out, or write a `template` whose process looks where `current` leads
    "#);
}

#[test]
fn what_takes_connections_can_be_handed_over() {
    insta::assert_snapshot!(told_of("unit = 'x'\n…", &[
        "services.a = { service = 'systemd:x', socket = 'run/x.sock' }",
        "services.a = { command = 'x', service = 'init:x', cutover = 'restart' }",
        "services.a = { command = 'x', service = 'systemd:x@1', cutover = 'socket' }",
        "services.a = { command = 'x', keep_warm_instance = true }",
        "services.a = { command = 'x', cutover = 'restart', keep_warm_instance = true }",
        "services.a = { template = 'x', cutover = 'socket', reload = true }",
        "services.a = { command = 'x', cutover = 'soket' }",
        "services.a = { command = 'x', socket = '/run/x.sock' }",
        "services.a = { command = 'granian five:app', cutover = 'restart' }",
        "services.a = { command = 'python -m uvicorn five:app', cutover = 'restart' }",
        "services.a = { command = 'env/bin/gunicorn -b 127.0.0.1:8000 five:app', cutover = 'restart' }",
        "services.a = { command = 'env/bin/gunicorn five:app', cutover = 'socket' }",
        "services.a = { command = 'x', cutover = 'restart' }\nservices.b = { command = 'y', cutover = 'socket' }",
        "shared_dirs = ['run']\nservices.a = { command = 'x', cutover = 'socket' }",
        "strategy = 'in-place'\nservices.a = { command = 'x', cutover = 'socket' }",
        "health = { http = '/healthz' }\nservices.a = { command = 'x', cutover = 'socket' }\nservices.b = { command = 'x', socket = 'run/b.sock' }",
    ]), @r#"
    services.a = { service = 'systemd:x', socket = 'run/x.sock' }
    'run/x.sock' → `socket` needs a service that is described here; add a `command` or a `template`

    services.a = { command = 'x', service = 'init:x', cutover = 'restart' }
    'restart' → only systemd can do what `cutover` says; make it `service = "systemd:NAME"`

    services.a = { command = 'x', service = 'systemd:x@1', cutover = 'socket' }
    'socket' → `x@1` can't name a socket; name the service with at most 40 letters, digits, `-` and `_`

    services.a = { command = 'x', keep_warm_instance = true }
    true → one process can't be kept beside the next; add `cutover = "socket"`

    services.a = { command = 'x', cutover = 'restart', keep_warm_instance = true }
    true → one process can't be kept beside the next; add `cutover = "socket"`

    services.a = { template = 'x', cutover = 'socket', reload = true }
    'socket' → `reload` and `cutover` contradict each other; keep only one of them

    services.a = { command = 'x', cutover = 'soket' }
    'soket' → `cutover` can't be `soket`; did you mean `socket`?

    services.a = { command = 'x', socket = '/run/x.sock' }
    '/run/x.sock' → `/run/x.sock` isn't the path of a file in the project; write it from the root of the project on: `requirements/common.txt`

    services.a = { command = 'granian five:app', cutover = 'restart' }
    'restart' → granian can't take its socket from systemd: every request would hang; write `cutover = "socket"`, and `granian --uds "$SOCKET" …`

    services.a = { command = 'python -m uvicorn five:app', cutover = 'restart' }
    'restart' → uvicorn takes its socket from systemd with `--fd 3` only, and drops some requests as it stops; better write `cutover = "socket"`, and `uvicorn --uds "$SOCKET" …`

    services.a = { command = 'env/bin/gunicorn -b 127.0.0.1:8000 five:app', cutover = 'restart' }
    'restart' → gunicorn doesn't listen where `--bind` says when systemd hands it a socket; leave `--bind` out

    services.a = { command = 'env/bin/gunicorn five:app', cutover = 'socket' }
    'socket' → nothing tells this command where it is to listen; name it: `gunicorn --bind unix:"$SOCKET" …`

    services.a = { command = 'x', cutover = 'restart' }
    services.b = { command = 'y', cutover = 'socket' }
    { command = 'y', cutover = 'socket' } → its socket is that of `services.a`; give one of them another: `socket = "run/b.sock"`

    shared_dirs = ['run']
    services.a = { command = 'x', cutover = 'socket' }
    'socket' → its socket `run/app.sock` would be one for all releases, as `run` is shared; give it another `socket`, or share less

    strategy = 'in-place'
    services.a = { command = 'x', cutover = 'socket' }
    'socket' → with `strategy = "in-place"` there is one folder, in which two releases can't run side by side; write `cutover = "restart"`, or choose another strategy

    health = { http = '/healthz' }
    services.a = { command = 'x', cutover = 'socket' }
    services.b = { command = 'x', socket = 'run/b.sock' }
    { http = '/healthz' } → it isn't known where the app is asked for this path; add `port = 8000`, or `socket = "run/app.sock"`
    "#);
    for fine in [
        "health = { http = '/healthz' }\nservices.a = { command = 'node server.js', cutover = 'socket', roles = ['web'] }",
        "services.a = { command = 'x', cutover = 'socket', roles = ['a'] }\nservices.b = { command = 'x', cutover = 'socket', roles = ['b'] }",
        "services.a = { command = 'python -m uvicorn --fd 3 five:app', cutover = 'restart' }",
        "services.a = { command = 'gunicorn --bind unix:${SOCKET} five:app', cutover = 'socket' }",
    ] {
        let settings =
            settings("production", &format!("unit = 'x'\n{fine}")).unwrap_or_else(|told| panic!("{told}"));
        if let Some(health) = &settings.health.health {
            assert_eq!(
                (health.question.to_string(), health.roles.len()),
                ("/healthz at run/app.sock".to_owned(), 1)
            );
        }
    }
}

#[test]
fn private_packages_say_what_they_are() {
    let sum = "0".repeat(64);
    let text = format!(
        "unit = 'five'\nprivate_requirements = ['private.txt']\nprivate_source = 's3://bueda/{{name}}-{{release}}.tar.gz'\n\
         [python]\ninterpreter = 'python3.12'\n[[python.private]]\nurl = 'git@github.com:bueda/five-utils.git'\nrev = 'v1'\n\
         [[python.private]]\nurl = 's3://bueda/x/plato-1.2.tar.gz'\nsha256 = '{sum}'\n"
    );
    let first = settings("production", &text).unwrap();
    let names: Vec<&str> =
        first.python.base.private_packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!((first.python.base.interpreter.as_str(), names), ("python3.12", vec!["five-utils", "plato"]));
    assert_eq!(settings("production", &show(&first)).unwrap(), first);
    insta::assert_snapshot!(told_of("unit = 'x'\n…", &[
        "python = 3",
        "python = { version = '3.12' }",
        "private_source = 'git@x:{nam}.git'",
        "python.private = [{ url = 'git@x:y.git' }]",
        "python.private = [{ url = 's3://bucket', sha256 = 'x' }]",
        "python.private = [{ url = 's3://bucket/key.tar.gz' }]",
        "python.private = [{ url = 's3://bucket/key.tar.gz', sha256 = 'abc' }]",
        "python.private = [{ rev = 'v1' }]",
    ]), @r#"
    python = 3
    3 → `python` takes a string or a table, not a whole number

    python = { version = '3.12' }
    version → unknown setting `version`; write `interpreter` or `private`

    private_source = 'git@x:{nam}.git'
    {nam} → `{nam}` isn't a placeholder here; did you mean `{name}`?

    python.private = [{ url = 'git@x:y.git' }]
    { url = 'git@x:y.git' } → a package from git needs a `rev`: a tag, a branch or a commit; write `url` and `rev` for git, `url = "s3://…"` and `sha256` for a bucket

    python.private = [{ url = 's3://bucket', sha256 = 'x' }]
    { url = 's3://bucket', sha256 = 'x' } → s3://bucket names no object: write s3://bucket/key.tar.gz; write `url` and `rev` for git, `url = "s3://…"` and `sha256` for a bucket

    python.private = [{ url = 's3://bucket/key.tar.gz' }]
    { url = 's3://bucket/key.tar.gz' } → a package from a bucket needs its check sum: without it, whoever can write there decides what you run; write `url` and `rev` for git, `url = "s3://…"` and `sha256` for a bucket

    python.private = [{ url = 's3://bucket/key.tar.gz', sha256 = 'abc' }]
    { url = 's3://bucket/key.tar.gz', sha256 = 'abc' } → a SHA-256 check sum has 64 hexadecimal digits; write `url` and `rev` for git, `url = "s3://…"` and `sha256` for a bucket

    python.private = [{ rev = 'v1' }]
    { rev = 'v1' } → `private` needs `url`
    "#);
}

#[test]
fn what_is_watched() {
    insta::assert_snapshot!(told_of("unit = 'x'\nbake_seconds = 30\n…", &[
        "watch.a = {}",
        "watch.a = { access_log = '/a', journal = 'b' }",
        "watch.a = { access_log = 'nginx.log' }",
        "watch.a = { access_log = '/a', max = 2 }",
        "watch.a = { access_log = '/a', max = 1.5 }",
        "watch.a = { journal = 'x', max = 0.5 }",
        "watch.a = { journal = 'x', min_requests = 2 }",
        "watch.a = { access_log = '/a', no_data = 'maybe' }",
        "watch.a = { access_log = '/a', minimum = 1 }",
    ]), @r#"
    watch.a = {}
    {} → this doesn't say what is counted; add `access_log = "/var/log/nginx/access.log"`, or `journal = "Traceback|ERROR"`

    watch.a = { access_log = '/a', journal = 'b' }
    { access_log = '/a', journal = 'b' } → two things are counted; give each a table of its own

    watch.a = { access_log = 'nginx.log' }
    { access_log = 'nginx.log' } → it isn't known in which folder this log is; write its whole path: `/var/log/nginx/access.log`

    watch.a = { access_log = '/a', max = 2 }
    { access_log = '/a', max = 2 } → 2 isn't a share; write one from 0 to 1: 0.02 is 2 of 100 answers

    watch.a = { access_log = '/a', max = 1.5 }
    { access_log = '/a', max = 1.5 } → 1.5 isn't a share; write one from 0 to 1: 0.02 is 2 of 100 answers

    watch.a = { journal = 'x', max = 0.5 }
    { journal = 'x', max = 0.5 } → 0.5 isn't a number of lines; write a whole number: `max = 0`

    watch.a = { journal = 'x', min_requests = 2 }
    { journal = 'x', min_requests = 2 } → `min_requests` is about requests, and lines are counted here; leave it out

    watch.a = { access_log = '/a', no_data = 'maybe' }
    'maybe' → `no_data` can't be `maybe`; write `pass` or `fail`

    watch.a = { access_log = '/a', minimum = 1 }
    minimum → unknown setting `minimum`; write `access_log`, `journal`, `max`, `min_requests`, `no_data`, `advisory` or `roles`
    "#);
    let told = mistakes("unit = 'x'\nwatch.a = { journal = 'x' }\n");
    insta::assert_snapshot!(told, @"
    error: nothing is watched, as `bake_seconds` isn't set
     --> buedafab.toml:2:11
      |
    2 | watch.a = { journal = 'x' }
      |           ^^^^^^^^^^^^^^^^^
      |
      = help: say how long each wave is watched: `bake_seconds = 60`
    ");
    let shown = settings(
        "production",
        "unit = 'x'\nbake_seconds = 9\n[watch.a]\naccess_log = '/a'\nmax = 0.02\n[watch.b]\njournal = 'x'\nroles = ['web']\n",
    );
    let first = shown.unwrap();
    assert_eq!(settings("production", &show(&first)).unwrap(), first);
}
