//! The guides, typed to the letter: what they show is what happens, but for names and times.

use std::path::PathBuf;
use std::process::Command;

use buedafab_testkit::{FleetOptions, Sudo};

use super::python::{SECOND_MIGRATION, django_files};
use super::stage::Stage;
use super::wheels::Wheels;

/// The blocks of a guide in this language, `""` for those without one, in order.
pub(crate) fn blocks(guide: &str, language: &str) -> Vec<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../docs", guide].iter().collect();
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

const SERVER: &str = "#!/usr/bin/env python3
import http.server, sys
http.server.HTTPServer(('127.0.0.1', 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
";

/// One after the other: both have port 8000.
#[test]
fn guides_are_true_to_the_letter() {
    a_first_deploy();
    a_django_project();
}

fn a_first_deploy() {
    const GUIDE: &str = "first-deploy.md";
    let (console, toml, plain) = (blocks(GUIDE, "console"), blocks(GUIDE, "toml"), blocks(GUIDE, ""));
    let stage = Stage::with(FleetOptions { systemd: true, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    host.run("rm -rf /var/webapps/*; systemctl start systemd-journald");

    // On the host, as root; the user and the packages are there.
    let once = block(&console, "install -d -o deploy -g deploy /var/webapps");
    let folders: Vec<&str> = once.lines().filter(|line| line.starts_with("install ")).collect();
    assert_eq!(folders.len(), 2);
    host.run(&folders.join("\n"));
    let write = |path: &str, text: &str| host.run(&format!("cat >{path} <<'END'\n{text}END\n"));
    write("/etc/systemd/system/five.service", &block(&plain, "[Service]"));
    host.run(&block(&console, "systemctl enable five"));
    let systemctl = host.run("command -v systemctl").trim().to_owned();
    let rule = block(&plain, "NOPASSWD").replace("/usr/bin/systemctl", &systemctl);
    // These hosts have no D-Bus, without which only root may ask systemd.
    write("/etc/sudoers.d/five", &format!("{rule}deploy ALL=(root) NOPASSWD: {systemctl} show *\n"));
    host.run("chmod 440 /etc/sudoers.d/five");

    // In the project, which has a name of its own for all of this.
    let named = |text: &str| {
        text.replace("deploy@web1.example.com", "web1")
            .replace("web1.example.com", "web1")
            .replace("git@git.example.com:bueda/five.git", &stage.remote.url())
    };
    stage.commit_configuration();
    stage.remote.git(&["branch", "-m", "master"]);
    stage.remote.git(&["tag", "-d", "one"]);
    stage.remote.git(&["push", "-q", "origin", ":refs/tags/one"]);
    let config = named(&block(&toml, "[health]"));
    stage.remote.commit(
        &[
            ("buedafab.toml", config.as_str()),
            ("Makefile", "all:\n\ttrue\n"),
            ("bin/selftest", "#!/bin/sh\ntest -x bin/five\n"),
            ("bin/five", SERVER),
        ],
        "Deploy with buedafab",
    );
    stage.remote.push();
    let commit = stage.remote.git(&["rev-parse", "HEAD"]).trim()[..10].to_owned();
    let shown = |text: &str| named(text).replace("74dd9c97df", &commit);

    // What `check` finds is the host's own; what it says of each point is the guide's.
    let checked = stage.production(&["check"], 0);
    for line in shown(&block(&console, "\nhere\n")).lines().skip(1) {
        let point: Vec<&str> = line.split_whitespace().take(2).collect();
        let said =
            checked.stdout.lines().any(|said| said.split_whitespace().take(2).collect::<Vec<_>>() == point);
        assert!(said, "{line:?} isn't said:\n{}", checked.stdout);
    }
    let dry = block(&console, "--dry-run");
    let run = stage.production(&["deploy", "--tag", "v0.1.0", "--dry-run"], 0);
    for line in shown(&dry).lines().skip(1).take_while(|line| line.trim() != "…") {
        assert!(
            run.stderr.lines().chain(run.stdout.lines()).any(|said| said == line),
            "{line:?} isn't said:\n{}{}",
            run.stderr,
            run.stdout
        );
    }
    let ran = stage.run(&["--yes", "production", "deploy", "--tag", "v0.1.0"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for line in shown(&block(&console, "Tag this release?")).lines().skip(3) {
        let line = line.split(": done in").next().unwrap_or_default();
        if !line.starts_with("Its name") && !line.starts_with("Deploy ") {
            assert!(ran.stderr.contains(line), "{line:?} isn't said:\n{}", ran.stderr);
        }
    }
    assert!(host.exec("curl -fsS http://127.0.0.1:8000/").status.success());

    // The next one, and what can be gone back to then.
    stage.remote.commit(&[("news", "more")], "News");
    stage.remote.push();
    let next = stage.run(&["--yes", "production", "deploy", "--tag", "v0.1.1"]);
    assert_eq!(next.code, 0, "{}{}", next.stdout, next.stderr);
    let status = stage.production(&["status"], 0);
    let words = block(&console, "production status");
    let heads = words.lines().nth(1).expect("a head").split_whitespace();
    assert!(
        status.stdout.lines().next().is_some_and(|head| head.split_whitespace().eq(heads)),
        "{}",
        status.stdout
    );
    status.says("v0.1.1 (").says("  b     well").says(&format!("v0.1.0 ({commit})"));
}

const DJANGO_UNIT: &str = "[Service]
User=deploy
WorkingDirectory=/var/webapps/five/releases/current
Environment=DJANGO_SETTINGS_MODULE=five.settings
ExecStart=/var/webapps/five/releases/current/env/bin/python -m gunicorn --bind 127.0.0.1:8000 five.wsgi
[Install]
WantedBy=multi-user.target
";

fn a_django_project() {
    const GUIDE: &str = "django.md";
    let (console, toml) = (blocks(GUIDE, "console"), blocks(GUIDE, "toml"));
    let stage =
        Stage::with(FleetOptions { systemd: true, sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    host.run(&format!(
        "rm -rf /var/webapps/*; systemctl start systemd-journald; install -d -o deploy /var/webapps/five /var/webapps/five/shared
        cat >/etc/systemd/system/five.service <<'END'\n{DJANGO_UNIT}END\nsystemctl daemon-reload; systemctl enable --quiet five
        install -o deploy /dev/null /var/webapps/five/shared/.env"
    ));
    stage.remote.git(&["branch", "-m", "master"]);
    stage.remote.git(&["tag", "-d", "one"]);
    stage.remote.git(&["push", "-q", "origin", ":refs/tags/one"]);
    let database = "{'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ.get('DATABASE', '/var/webapps/five/shared/db.sqlite3')}";
    let config = block(&toml, "[health]")
        .replace("git@git.example.com:bueda/five.git", &stage.remote.url())
        .replace("deploy@web[1:3].example.com", "web1");
    let mut files = django_files(database);
    for (path, text) in &mut files {
        match path.as_str() {
            "five/settings.py" => *text = format!("import os\n{text}MEDIA_ROOT = BASE_DIR / 'media'\n"),
            "five/urls.py" => {
                text.push_str("urlpatterns.append(path('healthz', lambda request: HttpResponse('ok')))\n")
            }
            _ => {}
        }
    }
    files.push(("buedafab.toml".to_owned(), format!("{}\n{config}", wheels.options())));
    files.push((".gitignore".to_owned(), "env/\n__pycache__/\n".to_owned()));
    stage.commit_configuration();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    stage.remote.commit(&files, "A shop");
    stage.remote.push();
    // Whoever deploys has a key to sign with.
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("key").display().to_string();
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status();
    assert!(made.expect("ssh-keygen runs").success());
    stage.remote.git(&["config", "gpg.format", "ssh"]);
    stage.remote.git(&["config", "user.signingKey", &key]);
    let setup = stage.run(&["setup"]);
    assert_eq!(setup.code, 0, "{}{}", setup.stdout, setup.stderr);
    let deploy = |tag: &str| {
        let ran = stage.run(&["--yes", "production", "deploy", "--tag", tag]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        ran
    };
    deploy("v0.1.0").says("serving now: v0.1.0 (");
    // It isn't pushed yet: that is shown, too.
    let commit =
        stage.remote.commit(&[("shop/migrations/0002_price.py", SECOND_MIGRATION)], "Items have a price");
    let ran = deploy("v0.2.0");
    let shown = block(&console, "deploy --tag v0.2.0")
        .replace("d3117ffb7f", &commit[..10])
        .replace("d3117ff", &commit[..7]);
    for line in shown.lines().skip(2) {
        // What a run takes, and the hosts, are others.
        let takes_time = [" s", ": done in"].iter().any(|sign| line.ends_with(sign) || line.contains(sign));
        if takes_time || line.contains("web1  v0.1.0") || line.contains("web2") {
            continue;
        }
        assert!(ran.stderr.contains(line.trim()), "{line:?} isn't said:\n{}", ran.stderr);
    }
    ran.says("serving now: v0.2.0 (");
    assert!(host.exec("curl -fsS http://127.0.0.1:8000/healthz").status.success());
    let recipe = stage.run(&["recipe"]);
    for line in block(&console, "$ buedafab recipe").lines().skip(1) {
        let begins = line.split('…').next().unwrap_or_default();
        assert!(recipe.stdout.contains(begins), "{line:?} isn't said:\n{}", recipe.stdout);
    }
}
