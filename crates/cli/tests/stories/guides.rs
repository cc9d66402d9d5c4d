//! The guides, typed to the letter: what they show is what happens, but for names and times.

use std::path::PathBuf;

use buedafab_testkit::FleetOptions;

use super::stage::Stage;

/// The blocks of a guide in this language, `""` for those without one, in order.
fn blocks(guide: &str, language: &str) -> Vec<String> {
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
fn block(blocks: &[String], holds: &str) -> String {
    let mut found = blocks.iter().filter(|block| block.contains(holds));
    found.next().unwrap_or_else(|| panic!("no block says {holds:?}")).clone()
}

const SERVER: &str = "#!/usr/bin/env python3
import http.server, sys
http.server.HTTPServer(('127.0.0.1', 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
";

#[test]
fn a_first_deploy_to_the_letter() {
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
