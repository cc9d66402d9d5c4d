//! Trees that other tools have made, taken over under a web server that reads through them all the time.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use buedafab_testkit::{FleetHost, FleetOptions};

use super::stage::{Stage, wait_for};

/// A web server on a host, and somebody who asks it for one file in a loop.
struct Visitors {
    enough: Arc<AtomicBool>,
    asking: JoinHandle<(u32, BTreeSet<String>, Vec<String>)>,
}

impl Visitors {
    /// Begins to ask for `version` in this folder, by whatever links it leads through.
    fn ask(host: &FleetHost, folder: &str) -> Visitors {
        host.run(&format!(
            "cat >/tmp/web.py <<'END'
import functools, http.server
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory='{folder}')
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
open('/tmp/port.new', 'w').write(str(server.server_port)); import os; os.rename('/tmp/port.new', '/tmp/port')
server.serve_forever()
END
(setsid python3 /tmp/web.py >/dev/null 2>&1 </dev/null &)"
        ));
        wait_for("the web server listens", || host.exec("test -s /tmp/port").status.success());
        let port: u16 = host.read("/tmp/port").trim().parse().expect("a number");
        let enough = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&enough);
        let asking = std::thread::spawn(move || {
            let (mut count, mut seen, mut failed) = (0, BTreeSet::new(), Vec::new());
            while !until.load(Ordering::Relaxed) {
                count += 1;
                match get(port) {
                    Ok(version) => drop(seen.insert(version)),
                    Err(why) => failed.push(why),
                }
            }
            (count, seen, failed)
        });
        Visitors { enough, asking }
    }

    /// What they have seen until now; none may have been turned away.
    #[track_caller]
    fn end(self) -> Vec<String> {
        self.enough.store(true, Ordering::Relaxed);
        let (count, seen, failed) = self.asking.join().expect("it ends");
        assert!(failed.is_empty(), "{} of {count} requests failed: {:?}", failed.len(), failed.first());
        assert!(count > 100, "only {count} requests were made");
        seen.into_iter().collect()
    }
}

fn get(port: u16) -> Result<String, String> {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"GET /version HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| error.to_string())?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.contains(" 200 ") => Ok(body.trim().to_owned()),
        _ => Err(answer),
    }
}

/// A project of Capistrano's, for the stage's host and remote.
fn write_capistrano(stage: &Stage, folder: &Path) {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("it is ours");
        std::fs::write(path, text).expect("it is ours");
    };
    let branch = stage.remote.git(&["branch", "--show-current"]);
    write(
        "Capfile",
        "require 'capistrano/setup'\nrequire 'capistrano/deploy'\nrequire 'capistrano/scm/git'\n\
         install_plugin Capistrano::SCM::Git\n"
            .to_owned(),
    );
    write(
        "config/deploy.rb",
        format!(
            "set :application, 'five'\nset :repo_url, '{}'\nset :deploy_to, '/var/webapps/five'\nset :branch, '{branch}'\n\
             append :linked_dirs, 'log'\nset :ssh_options, {{ config: '{}', verify_host_key: :never }}\n",
            stage.remote.url(),
            stage.fleet.ssh_config().display()
        ),
    );
    write("config/deploy/production.rb", "server 'web1', user: 'deploy', roles: %w{web app}\n".to_owned());
}

#[track_caller]
fn cap(folder: &Path, task: &str) {
    let output = Command::new("cap")
        .args(["production", task])
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .output()
        .expect("script/setup installs it");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_tree_of_capistrano_moves_over_and_on_and_back_while_it_serves() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..FleetOptions::default() });
    let configure = |top: &str| {
        stage.configure(&format!(
            "unit = \"five\" # as ever\nservice = \"none\"\nshared_dirs = [\"log\"]\n{top}[environments.production]\nhosts = [\"web1\"]\n"
        ));
    };
    configure("");
    let folder = tempfile::tempdir().expect("a folder");
    write_capistrano(&stage, folder.path());
    cap(folder.path(), "deploy");
    stage.release("two");
    cap(folder.path(), "deploy");
    let host = stage.fleet.host("web1");
    let links = || {
        host.run("cd /var/webapps/five; cat current/version; echo; readlink current releases/current || true")
    };
    let before = links();
    let visitors = Visitors::ask(host, "/var/webapps/five/current");

    stage.production(&["check"], 4).says("`adopt` writes down which releases are there");
    stage.release("three");
    stage
        .production(&["deploy"], 4)
        .says("wouldn't see what is deployed")
        .says("`migrate-layout` makes it follow");
    stage
        .production(&["adopt", "--dry-run"], 0)
        .says("two (")
        .says("serves")
        .says("one (")
        .says("can be gone back to");
    stage.production(&["adopt"], 0);
    stage.production(&["adopt"], 0).says("nothing to do on any host");
    stage.production(&["history"], 0).says("adopted");
    stage.production(&["adopt", "--undo"], 0);
    assert_eq!(host.run("ls -A /var/webapps/five/.buedafab/slots"), "");

    // Adopted by the way; there and back, and there again.
    stage
        .production(&["migrate-layout", "--to", "timestamp"], 0)
        .says("the next deploy goes to a folder that is called by its time");
    let text = std::fs::read_to_string(stage.checkout().join("buedafab.toml")).expect("it is there");
    assert!(text.contains("strategy = \"timestamp\"\n") && text.contains("# as ever\n"), "{text}");
    assert!(links().starts_with("two\nreleases/current\n"), "{}", links());
    stage.production(&["migrate-layout", "--undo"], 0);
    assert_eq!(links(), before);
    stage
        .production(&["migrate-layout", "--to", "timestamp"], 0)
        .says("says strategy = \"timestamp\" already");
    stage.production(&["status"], 0).says("two (");

    stage.production(&["deploy"], 0);
    assert!(links().starts_with("three\nreleases/current\n"), "{}", links());
    stage.production(&["migrate-layout", "--undo"], 4).says("buedafab has deployed since");
    // To what Capistrano left there, as it is.
    stage.production(&["rollback"], 0);
    assert!(links().starts_with("two\n"), "{}", links());
    stage.production(&["deploy"], 0);
    for (to, release, folder) in [("ab", "four", "a"), ("revision", "five", "five"), ("ab", "six", "b")] {
        stage.production(&["migrate-layout", "--to", to], 0);
        stage.release(release);
        stage.production(&["deploy"], 0);
        assert_eq!(links(), format!("{release}\nreleases/current\n{folder}\n"), "{to}");
        stage.production(&["rollback"], 0);
        stage.production(&["deploy"], 0);
    }
    assert_eq!(visitors.end(), ["five", "four", "six", "three", "two"]);
}

#[test]
fn a_tree_of_buedafab_on_fabric_is_adopted_and_laid_out_anew() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..FleetOptions::default() });
    stage.configure("unit = \"five\"\nservice = \"none\"\n[environments.production]\nhosts = [\"web1\"]\n");
    stage.release("two");
    let host = stage.fleet.host("web1");
    // As it made them: a clone in each, checked out by commit, and a link by its absolute path.
    host.run(&format!(
        "su deploy -c 'set -e; mkdir -p /var/webapps/five/releases; cd /var/webapps/five/releases
        for slot in a b; do git clone -q {} $slot; done
        git -C a checkout -q one; git -C b checkout -q two; ln -fns /var/webapps/five/releases/b current'",
        stage.remote.url()
    ));
    let visitors = Visitors::ask(host, "/var/webapps/five/releases/current");
    let version = || host.run("cat /var/webapps/five/releases/current/version");

    stage.production(&["check"], 0).says("`adopt` writes one");
    stage.production(&["rollback"], 4).says("nothing to roll back to");
    stage.production(&["adopt"], 0).says("two (").says("serves");
    stage.production(&["rollback"], 0);
    assert_eq!(version(), "one");
    stage.production(&["deploy"], 0);
    stage.production(&["migrate-layout", "--to", "timestamp"], 0).says("nothing to do on any host");
    stage.release("three");
    stage.production(&["deploy"], 0);
    assert_eq!(version(), "three");
    stage.production(&["rollback", "--to", "one"], 0);
    assert_eq!(version(), "one");
    assert_eq!(visitors.end(), ["one", "three", "two"]);
}
