//! Real apps of every recipe, on real servers: after a deploy it is the new code, on the new packages, that answers.

use std::process::Command;

use buedafab_testkit::FleetOptions;

use super::stage::{Stage, wait_for};
use super::wheels::Wheels;

/// An app that says which release and which `six` it runs, and how it is started.
struct Kind {
    recipe: &'static str,
    requirements: &'static str,
    app: &'static str,
    start: &'static str,
}

const FIND: &str = "from pathlib import Path\nimport six\n\n\ndef version():\n    return Path(__file__).with_name('version').read_text() + ' six ' + six.__version__\n\n\n";

const KINDS: [Kind; 3] = [
    Kind {
        recipe: "wsgi",
        requirements: "gunicorn==27.0.1\n",
        app: "SAYS = version().encode()\n\n\ndef app(environ, start_response):\n    start_response('200 OK', [('Content-Type', 'text/plain')])\n    return [SAYS]\n",
        start: "python -m gunicorn --bind ADDRESS:8124 app:app",
    },
    Kind {
        recipe: "asgi",
        requirements: "fastapi==0.121.0\nuvicorn==0.38.0\n",
        app: "from fastapi import FastAPI\nSAYS = version()\napp = FastAPI()\n\n\n@app.get('/version')\ndef say():\n    return SAYS\n",
        start: "python -m uvicorn --host ADDRESS --port 8124 app:app",
    },
    Kind {
        recipe: "tornado",
        requirements: "tornado==6.6.1\n",
        app: "import asyncio, sys\nimport tornado.web\nSAYS = version()\n\n\nclass Say(tornado.web.RequestHandler):\n    def get(self):\n        self.write(SAYS)\n\n\nasync def main():\n    tornado.web.Application([('/version', Say)]).listen(8124, sys.argv[1])\n    await asyncio.Event().wait()\n\n\nasyncio.run(main())\n",
        start: "python app.py ADDRESS",
    },
];

fn serves_what_was_deployed(kind: &Kind) {
    let stage = Stage::with(FleetOptions::default());
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    let address = host.address().ip().to_string();
    let start = kind.start.replace("ADDRESS", &address);
    stage.configure(&format!(
        "unit = \"five\"\nrecipe = \"{}\"\npip_requirements = [\"requirements.txt\"]\ninstaller = \"pip\"\n{}\n\
         version_url = \"http://{address}:8124/version\"\nversion_timeout_seconds = 8\n[hooks]\n\
         restart = '[ ! -e /tmp/pid ] || kill $(cat /tmp/pid); while curl -s {address}:8124 >/dev/null; do sleep 0.1; done; \
         cd ../current; setsid {start} >/tmp/log 2>&1 & echo $! >/tmp/pid'\n[environments.production]\nhosts = [\"web1\"]\n",
        kind.recipe,
        wheels.options(),
    ));
    let release = |name: &str, six: &str, app: &str| {
        let requirements = format!("{}six=={six}\n", kind.requirements);
        let files = [("requirements.txt", requirements.as_str()), ("app.py", app), ("version", name)];
        stage.remote.commit(&files, name);
        stage.remote.tag(name);
        stage.remote.push();
    };
    let says = || {
        let said = Command::new("curl").args(["-fsS", &format!("http://{address}:8124/version")]).output();
        String::from_utf8_lossy(&said.expect("curl is installed").stdout).trim_matches('"').to_owned()
    };
    let app = format!("{FIND}{}", kind.app);
    release("v1", "1.16.0", &app);
    stage.production(&["deploy"], 0);
    assert_eq!(says(), "v1 six 1.16.0");
    release("v2", "1.17.0", &app);
    stage.production(&["deploy"], 0);
    assert_eq!(says(), "v2 six 1.17.0");
    // It starts, and dies of its first import: the app never says that it runs, and the old release serves again.
    release("v3", "1.17.0", &format!("import nothing_of_that_name\n{app}"));
    stage.production(&["deploy"], 8).says("the app doesn't say that it runs v3").says("serving now: v2 (");
    wait_for("the old release answers", || says() == "v2 six 1.17.0");
    stage.production(&["rollback"], 0);
    assert_eq!(says(), "v1 six 1.16.0");
    host.run("kill $(cat /tmp/pid)");
}

#[test]
fn a_wsgi_app_on_gunicorn() {
    serves_what_was_deployed(&KINDS[0]);
}

#[test]
fn an_asgi_app_of_fastapi_on_uvicorn() {
    serves_what_was_deployed(&KINDS[1]);
}

#[test]
fn a_tornado_app() {
    serves_what_was_deployed(&KINDS[2]);
}
