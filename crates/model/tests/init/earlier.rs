//! What the tool before was told, be it another one or an older file.

use super::*;

/// What the tool before was told goes before all guesses.
#[test]
fn earlier_tools() {
    let capistrano = checkout(&[
        ("Gemfile", "gem \"rails\"\n"),
        (
            "config/deploy.rb",
            "lock \"~> 3.19\"\nset :application, \"five\"\nset :repo_url, \"git@git.example.com:bueda/five.git\"\n# set :branch, \"no\"\nset :deploy_to, \"/var/www/#{fetch(:application)}\"\nappend :linked_files, \"config/master.key\"\nappend :linked_dirs, \"log\", \"tmp/pids\",\n  \"storage\"\n",
        ),
        (
            "config/deploy/production.rb",
            "set :branch, \"stable\"\nserver \"web1.example.com\", user: \"deploy\", roles: %w{app web}, port: 2222\nserver \"db1\", user: \"deploy\", roles: [:db]\n",
        ),
        ("config/deploy/qa.rb", "role :app, %w{deploy@qa1}\nrole :web, %w{deploy@qa1}\n"),
    ]);
    insta::assert_snapshot!(shape(&capistrano), @r#"
    recipe = "generic"
    shared_files = ["config/master.key"]
    shared_dirs = ["log", "tmp/pids", "storage"]
    path = "/var/www/five"
    scm = "git@git.example.com:bueda/five.git"
    test_runner = "bin/rails test"
    service = "none"
    # To do: Capistrano's `current` goes on serving until the web server follows releases/current: docs/from-capistrano.md says how to move over, and what to set `service` to then.
    build = "bundle config set --local deployment true && bundle install && bin/rails assets:precompile"    # Gemfile
    once = "bin/rails db:migrate"    # Gemfile
    [environments.qa]
    hosts = [{ name = "qa1", user = "deploy", roles = ["app", "web"] }]
    branch = "stable"
    hosts = [
        { name = "web1.example.com", user = "deploy", port = 2222, roles = ["app", "web"] },
        { name = "db1", user = "deploy", roles = ["db"] },
    ]
    - what the tool before was told (config/deploy.rb)
    - recipe generic (Gemfile)
    - production's branch stable (config/deploy.rb)
    "#);

    let kamal = checkout(&[
        ("Gemfile", "gem \"rails\"\n"),
        (
            "config/deploy.yml",
            "service: five\nimage: bueda/five\nservers:\n  web:\n    - 192.0.2.1\n    - 192.0.2.2\n  job:\n    hosts:\n      - 192.0.2.1\n    cmd: bin/jobs\nssh:\n  user: app\nproxy:\n  app_port: 3000\n  healthcheck:\n    path: /up\naccessories:\n  db:\n    image: mysql\n",
        ),
        ("config/deploy.staging.yml", "servers:\n  - staging.example.com\n"),
    ]);
    insta::assert_snapshot!(shape(&kamal), @r#"
    recipe = "generic"
    test_runner = "bin/rails test"
    service = "systemd:{unit}"
    # To do: Kamal's accessories, databases and the like, are yours to install.
    # To do: what Kamal passes into its containers, `env`, becomes `variables` and `env_file`.
    # [services.web]
    # command = "./bin/serve --port 8000"
    build = "bundle config set --local deployment true && bundle install && bin/rails assets:precompile"    # Gemfile
    once = "bin/rails db:migrate"    # Gemfile
    [health]
    http = "/up"
    port = 3000
    hosts = ["app@staging.example.com"]
    hosts = [
        { name = "192.0.2.1", user = "app", roles = ["web", "job"] },
        { name = "192.0.2.2", user = "app", roles = ["web"] },
    ]
    - what the tool before was told (config/deploy.yml)
    - recipe generic (Gemfile)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);

    let deployer = checkout(&[(
        "deploy.php",
        "<?php\nnamespace Deployer;\nrequire 'recipe/laravel.php';\nset('application', 'five');\nset('repository', 'git@git.example.com:bueda/five.git');\nadd('shared_files', ['.env']);\nadd('shared_dirs', ['storage']);\nhost('web1.example.com')\n    ->set('remote_user', 'deployer')\n    ->set('deploy_path', '/srv/five');\nhost('test')->setHostname('web9')->setLabels(['stage' => 'staging']);\n",
    )]);
    insta::assert_snapshot!(shape(&deployer), @r#"
    recipe = "generic"
    shared_files = [".env"]
    shared_dirs = ["storage"]
    path = "/srv/five"
    scm = "git@git.example.com:bueda/five.git"
    service = "systemd:{unit}"
    # [services.web]
    # command = "./bin/serve --port 8000"
    hosts = ["web9"]
    hosts = ["deployer@web1.example.com"]
    - what the tool before was told (deploy.php)
    - recipe generic (nothing here is known to a recipe)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);
    let deployer = checkout(&[(
        "deploy.yaml",
        "import:\n  - recipe/common.php\nconfig:\n  application: five\n  repository: git@git.example.com:bueda/five.git\n  shared_dirs:\n    - storage\nhosts:\n  web1.example.com:\n    remote_user: deployer\n    deploy_path: ~/five\n",
    )]);
    insta::assert_snapshot!(shape(&deployer), @r#"
    recipe = "generic"
    shared_dirs = ["storage"]
    scm = "git@git.example.com:bueda/five.git"
    service = "systemd:{unit}"
    # [services.web]
    # command = "./bin/serve --port 8000"
    hosts = ["deployer@web1.example.com"]
    - what the tool before was told (deploy.yaml)
    - recipe generic (nothing here is known to a recipe)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);
}

/// A fabfile of the buedafab that was a library for Fabric.
#[test]
fn a_fabfile() {
    let fabfile = "from fabric.api import *\n\
        from buedafab.test import test, django_test_runner as _django_test_runner, lint\n\
        from buedafab.deploy.types import django_deploy as deploy\n\
        from buedafab.environments import (django_development as development, django_localhost as localhost)\n\n\
        env.unit = \"six\"\n\
        env.path = \"/srv/%(unit)s\" % env\n\
        env.scm = \"git@github.com:bueda/%(unit)s.git\" % env\n\
        env.scm_http_url = \"http://github.com/bueda/%(unit)s\" % env\n\
        env.root_dir = os.path.abspath(os.path.dirname(__file__))\n\
        env.test_runner = _django_test_runner\n\
        env.pip_requirements = [\"requirements/common.txt\",\n        'vendor/allo/pip-requirements.txt',]\n\
        env.pip_requirements_dev = [\"requirements/dev.txt\",]\n\
        env.pip_requirements_production = [\"requirements/production.txt\",]\n\
        env.extra_fixtures = [\"permissions\"]\n\
        env.deploy_group = 'bueda'\n\
        env.celeryd = 'scripts/init.d/celeryd'\n\
        env.private_requirements = ['five-utils==v1.2']\n\
        env.load_balancer = 'web'\n\n\
        @task\ndef staging():\n    \"\"\"The two of them.\"\"\"\n    env.hosts = [\"staging.example.com:1222\"]\n    env.deployment_type = 'STAGING'\n\n\
        def production():\n    env.roledefs = {'web': ['deploy@web1:1222', 'web2'], 'worker': ['web2']}\n\n\
        def rechef():\n    \"\"\"Run Chef.\"\"\"\n    sudo('chef-client')\n    run(\"echo %(unit)s\" % env)\n\n\
        def docs():\n    local(\"make docs\")\n\n\
        def clever(x=1):\n    for host in env.hosts:\n        print(host)\n\n\
        def _helper():\n    pass\n";
    insta::assert_snapshot!(shape(&checkout(&[("fabfile.py", fabfile), ("manage.py", MANAGE)])), @r#"
    unit = "six"
    recipe = "django"
    pip_requirements = ["requirements/common.txt", "vendor/allo/pip-requirements.txt"]
    pip_requirements_production = ["requirements/production.txt"]
    pip_requirements_dev = ["requirements/dev.txt"]
    variables = { DJANGO_SETTINGS_MODULE = "hc.settings" }
    steps.collectstatic = []
    path = "/srv/{unit}"
    scm = "git@github.com:bueda/six.git"
    scm_http_url = "http://github.com/bueda/six"
    test_runner = "django"
    service = "init:{unit}"
    deploy_group = "bueda"
    private_requirements = ["five-utils==v1.2"]
    extra_fixtures = ["permissions"]
    # To do: private_source, where those private packages are whose lines hold no URL: docs/from-fabric-buedafab.md.
    # To do: where hosts are found behind it, write load_balancer = "web" below [environments.NAME]: docs/inventories.md.
    # To do: the task clever is Python: write its commands below [tasks.clever].
    [services.celery]
    template = "scripts/init.d/celeryd"
    service = "init:celeryd-{unit}_{deployment_type}"
    [tasks.rechef]
    run = ["sudo chef-client", "echo six"]
    [tasks.docs]
    run = ["make docs"]
    on = "deployer"
    hosts = ["staging.example.com:1222"]
    hosts = [
        { name = "web1", user = "deploy", port = 1222, roles = ["web"] },
        { name = "web2", roles = ["web", "worker"] },
    ]
    - what the tool before was told (fabfile.py)
    - recipe django (fabfile.py)
    - production's settings hc.settings (manage.py)
    - production's branch main (the HEAD of origin)
    "#);
    // Somebody else's says nothing.
    let other = checkout(&[("fabfile.py", "from fabric import task\n"), ("requirements.txt", "flask\n")]);
    assert!(!shape(&other).contains("earlier"));
}

/// What a person has said once isn't asked for again, nor lost.
#[test]
fn what_a_former_file_was_told_is_kept() {
    let facts = checkout(&[("requirements.txt", "flask\n"), ("wsgi.py", "app = Flask()\n")]);
    let former = "unit = \"old\"\nservice = \"none\"\n[services.web]\ncommand = \"python -m gunicorn -b :9000 wsgi:app\"\n\
        [health]\nhttp = \"/well\"\nport = 9000\n[environments.development]\nhosts = [\"dev:1222\"]\n[environments.qa]\nhosts = [\"qa1\"]\n\
        [environments.production]\nbranch = \"stable\"\nhosts = [\"deploy@web[1:3]\", { name = \"jobs1\", roles = [\"worker\"] }]\n";
    let answers = Answers::of_former(former, &facts.files).expect("a file");
    let file = file_of(&facts, &answers);
    let kept = ["service =", "[services", "command", "[health", "http", "port", "[env", "hosts =", "branch"];
    let kept: Vec<&str> =
        file.lines().filter(|line| kept.iter().any(|begin| line.starts_with(begin))).collect();
    insta::assert_snapshot!(kept.join("\n") + "\n" + &told(&facts, &answers), @r#"
    service = "none"
    [services.web]
    command = "python -m gunicorn -b :9000 wsgi:app"
    [health]
    http = "/well"
    port = 9000
    [environments.development]
    hosts = ["dev:1222"]
    [environments.staging]
    hosts = []
    [environments.qa]
    hosts = ["qa1"]
    [environments.production]
    branch = "stable"
    hosts = [
    - development's hosts dev:1222 (the former buedafab.toml)
    - production's hosts deploy@web[1:3], { name = jobs1, roles = [worker] } (the former buedafab.toml)
    - qa's hosts qa1 (the former buedafab.toml)
    - recipe wsgi (requirements.txt asks for flask)
    - started by: python -m gunicorn --bind 127.0.0.1:8000 wsgi:app (wsgi.py)
    "#);
    assert!(guess(&facts, &answers).questions.is_empty());
    // Its own lines are an answer to nothing.
    let own = file_of(&facts, &Answers::default());
    let again = Answers::of_former(&own, &facts.files).expect("a file");
    assert_eq!(file_of(&facts, &again), own);
    assert!(guess(&facts, &again).questions.contains(&Question::Hosts));
    assert!(Answers::of_former("unit =", &facts.files).is_err());
}
