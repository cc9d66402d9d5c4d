//! All of what is written, and what of it is only offered.

use super::*;

/// The whole of what is written, once.
#[test]
fn the_whole_file() {
    let facts =
        checkout(&[("requirements.txt", "flask\ncelery\n"), ("tasks.py", ""), ("wsgi.py", "app = 1\n")]);
    insta::assert_snapshot!(file_of(&facts, &Answers::default()), @r#"
    # How five is deployed. All settings: buedafab config --schema; their values: buedafab production config

    # The app's short name: its folder and its service on the hosts.
    unit = "five"

    # What kind of app it is: "django", "tornado", "wsgi", "asgi", "webpy", "static", or "generic" for any other.
    # `buedafab recipe` shows what that brings.
    recipe = "wsgi"
    pip_requirements = ["requirements.txt"]
    # Files and folders that outlive releases, in `shared` on every host: shared_files = [".env"], shared_dirs = ["media"]

    # The app's folder on every host. {unit} and {environment} are replaced.
    path = "/var/webapps/{unit}"

    # The folders that releases take turns in, in `releases` on every host. Two are enough; with a third one, a deploy that
    # fails never costs you the release that you could go back to.
    release_paths = ["a", "b", "c"]

    # Where hosts fetch from. Without it: the URL of this checkout's remote `origin`.
    scm = "git@github.com:bueda/five.git"
    # Lend your SSH agent to the one step that fetches, for hosts that may not read the repository themselves:
    # forward_agent = true

    # What is deployed when no commit is named.
    default_revision = "HEAD"

    # What runs the tests, before every deploy and in `buedafab test`: "django", "pytest", "unittest", or a command.
    # test_runner = "pytest"

    # Your git has no key to sign tags with. Once it has: sign_tags = true
    sign_tags = false

    # How the app is restarted once the link has moved: "systemd:NAME", "systemd-user:NAME", "supervisor:NAME",
    # "runit:NAME", "init:NAME", or "none" if it needs no restart.
    service = "systemd:{unit}"

    # Unit files can come along with the release that they belong to; without these lines they are yours to install. With
    # them, `service` above is "none", and the unit is called five-web; outside of production five-web-ENVIRONMENT.
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 wsgi:app"
    # [services.celery]
    # default = "celery"
    # roles = ["worker"]
    # [services.beat]
    # default = "celery-beat"
    # roles = ["worker"]

    # Shell commands at named points, in the new release. A failure before the switch changes nothing that serves; a
    # failure after it puts every host back.
    #   before_prepare · build · check · once (one host) · before_switch · restart · after_switch · verify · after_finish
    [hooks]
    # build = "make"
    # check = "./bin/check"

    # How each host finds out whether the app is well: after a restart until it is, or the host goes back; and for `status`.
    # [health]
    # http = "/"                              # or tcp = 8000, or a command
    # port = 8000

    # Environments: localhost, development, staging and production are there without being declared. Each may override any
    # setting above.
    [environments.development]
    hosts = []                                # "dev.example.com:1222"

    [environments.staging]
    hosts = []
    # On a host of production's, it needs a service of its own.
    # service = "systemd:{unit}-staging"

    # Production takes only tagged commits of this branch; a deploy offers to make the tag.
    [environments.production]
    branch = "main"
    hosts = []                                # "deploy@web[1:3].example.com", { name = "jobs1", roles = ["worker"] }
    # waves = [1, "100%"]                     # one host first, then all the others
    "#);
}

/// What is offered can be commented in.
#[test]
fn what_is_commented_out_can_be_read() {
    for unit in ["five", "it's \"5\""] {
        let mut facts = checkout(&[
            ("manage.py", MANAGE),
            ("requirements.txt", "django\ncelery\n"),
            ("package.json", "{\"scripts\": {\"build\": \"x\"}}"),
            ("hc/celery.py", ""),
            ("hc/wsgi.py", ""),
        ]);
        facts.remote = Some(("origin".to_owned(), format!("/srv/{unit}")));
        let text = file_of(&facts, &Answers::default());
        let offered = [
            "build",
            "waves",
            "[services",
            "service =",
            "command",
            "default =",
            "roles",
            "[health]",
            "http",
            "port",
        ];
        let text = offered
            .iter()
            .fold(text, |text, line| text.replace(&format!("\n# {line}"), &format!("\n{line}")));
        assert_eq!(text.contains("\n[services.celery]\n"), unit == "five");
        config::parse("buedafab.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}

#[test]
fn what_serves_is_what_the_requirements_ask_for() {
    let command = |requirements: &str, name: &str, text: &str| {
        let facts = checkout(&[("requirements.txt", requirements), (name, text)]);
        let offered = file_of(&facts, &Answers::default());
        let line = offered.lines().find_map(|line| line.strip_prefix("# command = "));
        line.unwrap_or("nothing").to_owned()
    };
    let app = "app = make()\n";
    let commands: String = [
        command("falcon\n", "app.py", app),
        command("bottle\nwaitress\n", "app.py", app),
        command("flask\nwaitress\n", "app.py", "def create_app():\n"),
        command("gunicorn\n", "app.py", app),
        command("six\n", "app.py", app),
        command("fastapi\nhypercorn\n", "app.py", "app = FastAPI()\n"),
        command("starlette\ndaphne\n", "app.py", "app = Starlette()\n"),
        command("starlette\n", "app.py", "app = Starlette()\n"),
    ]
    .map(|line| line + "\n")
    .concat();
    insta::assert_snapshot!(commands, @r#"
    "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    "python -m waitress --listen=127.0.0.1:8000 app:app"
    "python -m waitress --listen=127.0.0.1:8000 --call app:create_app"
    "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    "python -m hypercorn --bind 127.0.0.1:8000 app:app"
    "python -m daphne --port 8000 app:app"
    "python -m uvicorn --port 8000 app:app"
    "#);
}
