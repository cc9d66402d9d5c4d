//! What a file means: defaults, environments over the top level, and everything at once.

use super::*;
use crate::app::service::Service;

#[test]
fn defaults() {
    insta::assert_snapshot!(show(&settings("production", "unit = 'five'").unwrap()), @r#"
    [environments.production]
    unit = "five"
    path = "/var/webapps/five"
    recipe = "generic"
    # subdir: the root of the project
    skip_unless_changed = []
    # sparse_checkout: all of the repository
    deployment_type = "PRODUCTION"
    # scm: the URL of `master_remote` in your checkout
    # scm_http_url: none
    scm_known_hosts = []
    forward_agent = false
    master_remote = "origin"
    # deployed_ref: none
    default_revision = "HEAD"
    source = "fetch"
    # fetch_concurrency: all at once
    partial_clone = false
    # artifact: none
    # artifact_sha256: none
    branch = "master"
    push_before_deploy = true
    require_tag = true
    version_pattern = '^v\d+(\.\d+)+?$'
    sign_tags = true
    verify_signatures = false
    allowed_signers = []
    require_clean = false
    allow_older = false
    confirm = "yes"
    # version_url: none, and the app isn't asked
    version_timeout_seconds = 30
    # test_runner: none
    linter = "pylint"
    local_deployment_type = "SOLO"
    extra_setup_tasks = []
    python = "python3"
    pip_requirements = []
    pip_constraints = []
    pip_requirements_dev = []
    pip_requirements_production = []
    private_requirements = []
    # private_source: none
    # s3_endpoint: what `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` says, and else Amazon's
    # s3_region: what `AWS_REGION` or `AWS_DEFAULT_REGION` says, and else `us-east-1`
    installer = "auto"
    pip_options = []
    package_installation_scripts = []
    collectstatic = "every-host"
    extra_fixtures = []
    syncdb = false
    shared_files = []
    shared_dirs = []
    scratch_files = ["*.pyc", "*.pid", "celerybeat-schedule*", "maintenance_mode_state.txt"]
    # env_file: none
    # crontab: none
    crontab_place = "user"
    maintenance = "file"
    settings_file = "settings.py"
    # maintenance_page: the program's own
    strategy = "ab"
    # keep: `5`, where every release has a folder of its own
    # keep_days: `keep` alone decides
    releases_root = "releases"
    current_release_symlink = "current"
    release_paths = ["a", "b"]
    virtualenv = "env"
    # deploy_user: what your ssh_config says
    # deploy_group: the group of the user
    # run_as: the user who logs in
    ask_sudo_password = false
    service = "init:five"
    log_files = []
    settle_seconds = 2
    waves = []
    # batch: all that are left, in one wave
    bake_seconds = 0
    on_wave_failure = "revert"
    unreachable = "fail"
    max_unreachable = "50%"
    # drain: hosts are not taken out of traffic
    # drain_grace_seconds: 30 with "file"; else 10, and 120 behind a network load balancer
    # undrain_grace_seconds: 10; with "load_balancer" it is asked
    drain_timeout_seconds = 600
    drain_roles = []
    min_in_service = 1
    connect_timeout_seconds = 10
    lost_after_seconds = 15
    keep_warm_seconds = 300
    step_timeout_seconds = 900
    confirm_timeout_seconds = 1800
    load_balancer = []
    target_group = []
    auto_scaling_group = []
    # inventory: none
    # ssh_port: what your ssh_config says
    address = "private"
    # role_tag: none, every instance has the role `web`
    # aws_region: what `AWS_REGION` or `AWS_DEFAULT_REGION` says, and else your profile
    hosts = []
    "#);
}

#[test]
fn everything_at_once() {
    let text = r#"
unit = "five"
path = "/srv/{unit}/"
scm = "git@github.com:bueda/five.git"
scm_http_url = "https://github.com/bueda/five"
scm_known_hosts = ["github.com ssh-ed25519 AAAA"]
forward_agent = true
master_remote = "upstream"
default_revision = "main"
strategy = "ab"
source = "fetch"
releases_root = "rel"
current_release_symlink = "live"
release_paths = ["blue", "green", "red"]
virtualenv = "venv"
deploy_group = "www-data"
deployment_type = "LIVE"
service = "systemd:{unit}@{environment}"
waves = [1, "25%", "100%"]
connect_timeout_seconds = 5
step_timeout_seconds = 60
confirm_timeout_seconds = 30
lost_after_seconds = 3
keep_warm_seconds = 0

[variables]
A = "1"
B = 'two "words"'

[hooks]
build = "make"
check = ["env/bin/python manage.py check --deploy", """
set -e
echo 'done'
"""]

[hooks.local]
before = "make test"

[environments.production]
hosts = ["deploy@web[1:2].example.com", { name = "jobs1", roles = ["worker"], path = "/opt/{name}" }]

[environments.production.variables]
B = "{x}"

[environments.production.hooks]
build = []
restart = "sudo systemctl restart five"
local.on_failure = "notify"
"#;
    let shown = show(&settings("production", text).unwrap());
    let defaults = show(&settings("production", "unit = 'five'").unwrap());
    let differs = |line: &&str| line.is_empty() || !defaults.lines().any(|default| default == *line);
    let different: Vec<&str> = shown.lines().filter(differs).collect();
    insta::assert_snapshot!(different.join("\n"), @r#"
    path = "/srv/five"
    deployment_type = "LIVE"
    scm = "git@github.com:bueda/five.git"
    scm_http_url = "https://github.com/bueda/five"
    scm_known_hosts = ["github.com ssh-ed25519 AAAA"]
    forward_agent = true
    master_remote = "upstream"
    default_revision = "main"
    releases_root = "rel"
    current_release_symlink = "live"
    release_paths = ["blue", "green", "red"]
    virtualenv = "venv"
    deploy_group = "www-data"
    service = "systemd:five@production"
    waves = [1, "25%", "100%"]
    connect_timeout_seconds = 5
    lost_after_seconds = 3
    keep_warm_seconds = 0
    step_timeout_seconds = 60
    confirm_timeout_seconds = 30

    [environments.production.variables]
    A = "1"
    B = "{x}"

    [environments.production.hooks]
    check = ["env/bin/python manage.py check --deploy", """
    set -e
    echo 'done'
    """]
    restart = ["sudo systemctl restart five"]

    [environments.production.hooks.local]
    before = ["make test"]
    on_failure = ["notify"]

    [[environments.production.hosts]]
    name = "web1.example.com"
    address = "web1.example.com"
    user = "deploy"
    # port: what ssh_config says
    roles = ["web"]
    path = "/srv/five"
    connect = "ssh"

    [[environments.production.hosts]]
    name = "web2.example.com"
    address = "web2.example.com"
    user = "deploy"
    # port: what ssh_config says
    roles = ["web"]
    path = "/srv/five"
    connect = "ssh"

    [[environments.production.hosts]]
    name = "jobs1"
    address = "jobs1"
    # user: what ssh_config says
    # port: what ssh_config says
    roles = ["worker"]
    path = "/opt/jobs1"
    connect = "ssh"
    "#);
}

#[test]
fn every_environment_has_its_own_defaults() {
    for (environment, kind, path) in [
        ("localhost", "SOLO", "five"),
        ("development", "DEV", "five"),
        ("staging", "STAGING", "five-staging"),
        ("production", "PRODUCTION", "five"),
        ("demo-1", "DEMO-1", "five"),
    ] {
        let text = "unit = 'five'\n[environments.demo-1]";
        check(environment, text, "deployment_type", &format!("deployment_type = \"{kind}\""));
        let typed = settings(environment, text).unwrap();
        assert_eq!(typed.app.path.as_str(), format!("/var/webapps/{path}"));
        assert_eq!(typed.hosts.len(), usize::from(environment == "localhost"));
    }
}

#[test]
fn staging_has_a_path_of_its_own() {
    let staging = |text: &str| settings("staging", text).unwrap().app.path.to_string();
    assert_eq!(staging("unit = 'five'\npath = '/srv/{unit}/{environment}/'"), "/srv/five/staging-staging");
    assert_eq!(staging("unit = 'five'\n[environments.staging]\npath = '/srv/{unit}'"), "/srv/five");
    assert_eq!(staging("unit = 'five'\npath = '/srv/{{{unit}}}'"), "/srv/{five}-staging");
}

#[test]
fn environments_go_before_the_top_level() {
    let text = "
        unit = 'five'
        master_remote = 'origin'
        waves = [1]
        deployment_type = 'X'
        [environments.production]
        unit = 'six'
        master_remote = 'upstream'
        waves = []
    ";
    check("production", text, "unit", "unit = \"six\"");
    check("production", text, "master_remote", "master_remote = \"upstream\"");
    check("production", text, "waves", "waves = []");
    check("development", text, "waves", "waves = [1]");
    check("development", text, "deployment_type", "deployment_type = \"X\"");
}

#[test]
fn services() {
    let service = |text: &str| {
        settings("production", &format!("unit = 'five'\nservice = '{text}'")).unwrap().services.app
    };
    assert_eq!(service("init"), Service::Init("five".into()));
    assert_eq!(service("init:fived"), Service::Init("fived".into()));
    assert_eq!(service("none"), Service::None);
    assert_eq!(service("systemd:{unit}-{environment}"), Service::Systemd("five-production".into()));
    assert_eq!(service("runit:{{x}}"), Service::Runit("{x}".into()));
}

#[test]
fn the_names_of_environments() {
    let text = "[environments.zoo]\n[environments.staging]\n[environments.\"b.c\"]\n[environments.ada]\nwaves = []\n";
    let names = |text| {
        let names = parse("buedafab.toml", text).unwrap().environment_names();
        names.iter().map(EnvironmentName::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(""), "localhost development staging production");
    assert_eq!(names(text), "localhost development staging production zoo b.c ada");
    insta::assert_snapshot!(settings("prodction", text).unwrap_err(), @"
    error: no environment `prodction`
    --> buedafab.toml
     = help: did you mean `production`? there are `localhost`, `development`,
             `staging`, `production`, `zoo`, `b.c`, `ada`
    ");
    insta::assert_snapshot!(settings("qa", text).unwrap_err(), @"
    error: no environment `qa`
    --> buedafab.toml
     = help: there are `localhost`, `development`, `staging`, `production`,
             `zoo`, `b.c`, `ada`; another one begins with the line
             `[environments.qa]`
    ");
}
