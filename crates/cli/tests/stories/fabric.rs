//! A project that was deployed by buedafab on Fabric, brought over by the guide, which is typed to the letter.

use std::process::Command;

use buedafab_testkit::{FleetOptions, Remote, Sudo};

use super::stage::{Ran, Stage, wait_for};
use super::wheels::Wheels;

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

#[test]
fn an_old_project_is_brought_over_by_the_guide() {
    const GUIDE: &str = "from-fabric-buedafab.md";
    let (console, toml) = (blocks(GUIDE, "console"), blocks(GUIDE, "toml"));
    let stage = Stage::with(FleetOptions { sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    let wheels = Wheels::serve();
    let utils = Remote::temp();
    let package = |name: &str| {
        format!(
            "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\
             [project]\nname = \"{name}\"\nversion = \"1.0\"\n[tool.setuptools]\npy-modules = [\"five_utils\"]\n"
        )
    };
    utils.commit(
        &[("pyproject.toml", &package("five-utils")), ("five_utils.py", "SAYS = 'utils'\n")],
        "Utils",
    );
    utils.push();

    // The project as it was.
    stage.remote.git(&["branch", "-m", "master"]);
    stage.remote.git(&["tag", "-d", "one"]);
    stage.remote.git(&["push", "-q", "origin", ":refs/tags/one"]);
    let private = format!("five-utils=={}==master\n", utils.url());
    utils.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    let script = "#!/bin/sh\necho \"SAYS = 'words'\" >\"$(\"$1/bin/python\" -c 'import site; print(site.getsitepackages()[0])')/words.py\"\n";
    let release = |name: &str, more: &[(&str, &str)]| {
        let commit = stage.remote.commit(&[&[("version", name)], more].concat(), name);
        stage.remote.push();
        commit
    };
    let files = [
        ("app.py", APP),
        ("requirements/common.txt", "tornado==6.6.1\n"),
        ("requirements/production.txt", "six==1.17.0\n"),
        ("requirements/dev.txt", "iniconfig==2.0.0\n"),
        ("requirements/private.txt", &private),
        ("bin/install-words", script),
        ("scripts/init.d/celeryd", CELERYD),
        ("tests/run_tests.py", RUN_TESTS),
        (".gitignore", "env/\nemptied\n__pycache__/\n"),
    ];
    stage.remote.commit(&files, "Five");
    stage.remote.git(&["update-index", "--chmod=+x", "bin/install-words"]);
    let script = stage.checkout().join("bin/install-words");
    std::fs::set_permissions(script, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it is ours");
    let old = release("v0.1.0", &[]);
    stage.remote.tag("v0.1.0");
    stage.remote.push();

    // The host as Fabric left it: folders of root's, clones of the login's in them, and an absolute link.
    let host = stage.fleet.host("web1");
    host.run("groupadd bueda && usermod -aG bueda deploy; rm -rf /var/webapps/five; mkdir -p /var/webapps/five/releases");
    host.run("chgrp bueda /var/webapps/five/releases && chmod g+w /var/webapps/five/releases");
    let clone = format!(
        "su deploy -c 'umask 002; cd /var/webapps/five/releases && git clone -q {url} a && git -C a reset -q --hard v0.1.0 && cp -R a b && \
         ln -s /var/webapps/five/releases/a current && cd a && python3 -m venv env && \
         env/bin/pip install -q --no-index --find-links {wheels} tornado setuptools && \
         echo \"SAYS = str(1)\" >env/lib/python3.11/site-packages/words.py && echo \"SAYS = str(1)\" >env/lib/python3.11/site-packages/five_utils.py'",
        url = stage.remote.url(),
        wheels = wheels.url(),
    );
    host.run(&clone);
    host.run(&format!(
        "cat >/etc/init.d/five <<'END'\n{INIT}END\nchmod 755 /etc/init.d/five; /etc/init.d/five restart"
    ));
    let answer = || host.exec("curl -fsS http://127.0.0.1:8005/version").stdout;
    let serves = |what: &str| {
        wait_for(what, || String::from_utf8_lossy(&answer()).starts_with(what));
        String::from_utf8_lossy(&answer()).into_owned()
    };
    serves("v0.1.0");

    // The guide, with names of this stage.
    let config = block(&toml, "[services.celery]")
        .replace("git@github.com:bueda/five.git", &stage.remote.url())
        .replace("deploy@web1.example.com:1222", "web1");
    stage.commit_configuration();
    let config = format!("{}\nlost_after_seconds = 3\n{config}", wheels.options());
    release("v0.2.0", &[("buedafab.toml", &config)]);
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("key").display().to_string();
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status();
    assert!(made.expect("ssh-keygen runs").success());
    stage.remote.git(&["config", "gpg.format", "ssh"]);
    stage.remote.git(&["config", "user.signingKey", &key]);
    let typed = |line: &str, code: i32| -> Ran {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let ran = stage.run(&[&["--yes"][..], &words].concat());
        assert_eq!(ran.code, code, "{line}\n{}{}", ran.stdout, ran.stderr);
        ran
    };
    let shown = |text: &str| text.replace("83a087a19f", &old[..10]);
    let lines = |block: &str| block.lines().map(str::to_owned).collect::<Vec<String>>();
    let emptied = || std::fs::read_to_string(stage.checkout().join("emptied")).unwrap_or_default();

    for line in lines(&block(&console, "$ buedafab setup")).iter().filter(|line| line.starts_with("$ ")) {
        typed(&line[2..], 0);
    }
    let checked = typed("buedafab production check", 4);
    let said = block(&console, "can't write /var/webapps/five");
    for line in lines(&said).iter().skip(1).filter(|line| line.trim() != "…") {
        assert!(checked.stdout.contains(line.trim()), "{line:?} isn't said:\n{}", checked.stdout);
    }
    let as_root = block(&console, "root@web1# chgrp");
    host.run(as_root.trim_start_matches("root@web1# "));
    serves("v0.1.0");
    let status = typed("buedafab production status", 0);
    for line in shown(&block(&console, "has no record")).lines().skip(1) {
        assert!(status.stdout.contains(line), "{line:?} isn't said:\n{}", status.stdout);
    }
    let ran = typed("buedafab production deploy --tag v0.2.0", 0);
    ran.says("run the tests").says(&format!("{} (", "serving now: v0.2.0"));
    assert_eq!(serves("v0.2.0"), "v0.2.0 utils words");
    assert!(host.exec("/var/webapps/five/releases/current/env/bin/python -c 'import six'").status.success());
    let celeryd = "restart /var/webapps/five/releases/current/env -E -B PRODUCTION";
    assert!(host.read("/tmp/celeryd").lines().any(|line| line == celeryd), "{}", host.read("/tmp/celeryd"));
    let seen = emptied();
    assert!(!seen.is_empty() && seen.lines().all(|line| line == "SOLO"), "{seen}");
    typed("buedafab production rollback", 0).says(&old[..10]);
    serves("v0.1.0");
    for line in lines(&block(&console, "deploy:v0.2.0")).iter().filter(|line| line.starts_with("$ ")) {
        typed(&line[2..], 0);
    }
    serves("v0.2.0");
}

/// The blocks of a guide in this language, `""` for those without one, in order.
pub(crate) fn blocks(guide: &str, language: &str) -> Vec<String> {
    let path: std::path::PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../docs", guide].iter().collect();
    let text = std::fs::read_to_string(path).expect("it is there");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(found) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        if found == language {
            blocks.push(block.join("\n") + "\n");
        }
    }
    blocks
}

/// The one of these that holds this.
#[track_caller]
pub(crate) fn block(blocks: &[String], holds: &str) -> String {
    let mut found = blocks.iter().filter(|block| block.contains(holds));
    found.next().unwrap_or_else(|| panic!("no block says {holds:?}")).clone()
}
