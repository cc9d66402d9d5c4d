//! A project that was deployed by buedafab on Fabric, and its host as Fabric left it.

use buedafab_testkit::{FleetOptions, Remote, Sudo};

use super::world::World;
use crate::stage::wait_for;

const APP: &str = "import tornado.ioloop, tornado.web, five_utils, words

class Version(tornado.web.RequestHandler):
    def get(self):
        self.write(open('version').read() + ' ' + five_utils.SAYS + ' ' + words.SAYS)

tornado.web.Application([('/version', Version)]).listen(8005, '127.0.0.1')
tornado.ioloop.IOLoop.current().start()
";

/// The init script that Chef put there.
const INIT: &str = "#!/bin/sh
pid=/run/five.pid
[ \"$1\" = restart ] || { kill -0 $(cat $pid); exit; }
[ ! -s $pid ] || kill $(cat $pid) 2>/dev/null
while [ -s $pid ] && kill -0 $(cat $pid) 2>/dev/null; do sleep 0.05; done
cd -P /var/webapps/five/releases/current && su deploy -s /bin/sh -c 'exec env/bin/python app.py >/tmp/five.log 2>&1 & echo $!' >$pid
";

/// As Fabric's `upload_template` took it.
const CELERYD: &str = "#!/bin/sh
# celeryd of %(unit)s, at 100%%
echo \"$1 %(path)s/%(current_release_path)s/%(virtualenv)s %(celeryd_options)s %(celeryd_beat_option)s %(deployment_type)s\" >>/tmp/celeryd
";

/// By its type an app finds its cache: these tests empty it.
const RUN_TESTS: &str = "import os
open('emptied', 'a').write(os.environ['DEPLOYMENT_TYPE'] + os.environ.get('BUEDAFAB_ENVIRONMENT', '') + '\\n')
";

const UTILS: &str = "[build-system]
requires = [\"setuptools\"]
build-backend = \"setuptools.build_meta\"
[project]
name = \"five-utils\"
version = \"1.0\"
[tool.setuptools]
py-modules = [\"five_utils\"]
";

const INSTALL_WORDS: &str = "#!/bin/sh
echo \"SAYS = 'words'\" >\"$(\"$1/bin/python\" -c 'import site; print(site.getsitepackages()[0])')/words.py\"
";

pub(super) fn world() -> World {
    let options = FleetOptions { sudo: Sudo::WithoutPassword, ..FleetOptions::default() };
    let mut world = World::of(options, &["web1"]).with_packages().with_key();
    let utils = Remote::temp();
    utils.commit(&[("pyproject.toml", UTILS), ("five_utils.py", "SAYS = 'utils'\n")], "Utils");
    utils.push();
    utils.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    let files = [
        ("app.py", APP),
        ("requirements/common.txt", "tornado==6.6.1\n"),
        ("requirements/production.txt", "six==1.17.0\n"),
        ("requirements/dev.txt", "iniconfig==2.0.0\n"),
        ("requirements/private.txt", &format!("five-utils=={}==master\n", utils.url())),
        ("bin/install-words", INSTALL_WORDS),
        ("scripts/init.d/celeryd", CELERYD),
        ("tests/run_tests.py", RUN_TESTS),
        (".gitignore", "env/\nemptied\n__pycache__/\n"),
        ("version", "v0.1.0"),
    ];
    world.keep(utils);
    world.remote.commit(&files, "Five");
    world.runs("git push --quiet -u origin master && git tag v0.1.0 -m v0.1.0 && git push --quiet --tags");
    // Folders of root's, clones of the login's in them, and an absolute link.
    world.on_all(&format!(
        "groupadd bueda && usermod -aG bueda deploy; rm -rf /var/webapps/five; mkdir -p /var/webapps/five/releases
         chgrp bueda /var/webapps/five/releases && chmod g+w /var/webapps/five/releases
         su deploy <<'END'
         set -e; umask 002; cd /var/webapps/five/releases
         git clone -q {} a && git -C a reset -q --hard v0.1.0 && cp -R a b && ln -s /var/webapps/five/releases/a current
         cd a && python3 -m venv env && env/bin/pip install -q tornado setuptools
         echo 'SAYS = str(1)' >env/lib/python3.11/site-packages/words.py
         echo 'SAYS = str(1)' >env/lib/python3.11/site-packages/five_utils.py
END
         cat >/etc/init.d/five <<'END'\n{INIT}END
         chmod 755 /etc/init.d/five; /etc/init.d/five restart",
        world.remote.url()
    ));
    serves(&world, "v0.1.0");
    world
}

/// Waits until the app says this release, and gives back what else it says.
pub(super) fn serves(world: &World, release: &str) -> String {
    let said = || {
        let said = world.host("web1").exec("curl -fsS http://127.0.0.1:8005/version").stdout;
        String::from_utf8_lossy(&said).into_owned()
    };
    wait_for(release, || said().starts_with(release));
    said()
}

pub(super) fn still_serves_as_it_was(world: &World) {
    assert_eq!(serves(world, "v0.1.0"), "v0.1.0 1 1");
}

pub(super) fn serves_what_came_over(world: &World) {
    assert_eq!(serves(world, "v0.2.0"), "v0.2.0 utils words");
    let host = world.host("web1");
    host.run("/var/webapps/five/releases/current/env/bin/python -c 'import six'");
    let celeryd = "restart /var/webapps/five/releases/current/env -E -B PRODUCTION";
    let said = host.read("/tmp/celeryd");
    assert!(said.lines().any(|line| line == celeryd), "{said}");
    let emptied = std::fs::read_to_string(world.checkout().join("emptied")).unwrap_or_default();
    assert!(!emptied.is_empty() && emptied.lines().all(|line| line == "SOLO"), "{emptied}");
}
