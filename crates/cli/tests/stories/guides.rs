//! The manual, typed to the letter: what its pages show is what happens, but for names and times.

mod fabric;
mod page;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;

use buedafab_testkit::{FleetOptions, Sudo};

use self::page::{Step, Typed, compare, read, root};
use self::world::World;
use super::python::{SECOND_MIGRATION, django_files};
use super::stage::wait_for;

/// A page, where it is typed, and what happens before a command of it: what its text tells, or what its story needs. These come
/// in the order of the page, each with the beginning of the command before which it happens.
struct Guide {
    page: &'static str,
    world: fn() -> World,
    before: &'static [Before],
}

/// The beginning of a command, and what happens before it.
type Before = (&'static str, fn(&World));

macro_rules! guides {
    ($($test:ident: $page:literal, $world:expr, [$($before:expr),* $(,)?];)*) => {
        const GUIDES: &[Guide] = &[$(Guide { page: $page, world: $world, before: &[$($before),*] }),*];
        $(
            #[test]
            fn $test() {
                type_page($page);
            }
        )*
    };
}

guides! {
    readme: "README.md", readme_world, [
        ("buedafab production check", |world| world.commit_all("Deploy it")),
        ("buedafab production changes", |world| {
            world.commit("Sell ink");
        }),
        ("buedafab production rollback", |world| world.runs("buedafab --yes production deploy --tag v0.2.0")),
    ];
    a_first_deploy: "docs/first-deploy.md", first_deploy_world, [
        ("ssh deploy@web1", |world| {
            // Their sshd has no PAM, and takes a user without a password for a locked one.
            world.on_all("usermod -p '*' deploy; cp /root/.gitconfig /home/deploy
                          install -o deploy -m 600 /root/.ssh/authorized_keys /home/deploy/.ssh");
        }),
        ("buedafab production check", |world| {
            // These hosts have no D-Bus, without which only root may ask systemd.
            world.on_all("echo 'deploy ALL=(root) NOPASSWD: /usr/bin/systemctl show *' >/etc/sudoers.d/no-dbus; chmod 440 /etc/sudoers.d/*");
            world.runs("git push --quiet");
        }),
        ("buedafab production status", |world| {
            world.commit("News");
            world.runs("buedafab --yes production deploy --tag v0.1.1");
        }),
    ];
    strategies: "docs/strategies.md", strategies_world, [];
    sources: "docs/sources.md", sources_world, [
        ("buedafab production deploy", |_| {}),
        ("buedafab production deploy", |world| {
            let archive = "source = 'archive'\nartifact = 'target/release/five'";
            world.configure(archive, "[hooks.local]\nbuild = 'cargo build --release'\n");
            world.commit("Sell ink");
            world.runs("git tag v0.4.0 && git push --quiet origin master v0.4.0");
        }),
    ];
    monorepos: "docs/monorepos.md", monorepos_world, [
        ("buedafab production deploy", |world| {
            world.runs("buedafab --yes production deploy");
            world.remote.commit(&[("frontend/app.js", "x\n")], "The other one");
            world.runs("git tag v0.1.1 && git push --quiet origin master v0.1.1");
        }),
        ("buedafab production deploy", |world| {
            let hosts = "[environments.production]\nhosts = ['web1', 'web2', 'web3']\n";
            let made_of = "subdir = 'backend'\nskip_unless_changed = ['backend/', 'libs/']\n";
            let text = format!("unit = 'five'\n{made_of}[hooks]\nrestart = 'touch restart.txt'\n{hosts}");
            world.write("buedafab.toml", &text);
            world.runs("buedafab --yes production deploy --release v0.1.0");
        }),
    ];
    releases: "docs/releases.md", releases_world, [
        ("buedafab production deploy", |world| {
            world.commit("Say which version it is");
            world.commit("Correct the version");
            world.configure("confirm = 'yes'", "");
        }),
        ("buedafab production deploy --tag v0.3.0", |world| {
            world.configure("", "");
            world.release("v0.2.0", "*");
            world.commit("Sell books");
            world.host("web2").run("touch /tmp/fail-check");
        }),
        ("buedafab production deploy --tag v0.3.0", |world| {
            world.on_all("rm -f /tmp/fail-check");
            // A colleague is as quick.
            let push = "git push --quiet origin v0.2.0^0:refs/tags/v0.3.0";
            world.configure("", &format!("[hooks.local]\nbefore = '{push}'\n"));
        }),
        ("buedafab production deploy --commit v0.1.0", |world| {
            world.configure("", "");
            world.runs("git branch v0.1.0");
        }),
        ("buedafab production deploy --tag v0.5.0 --yes", |world| {
            world.commit("Sell pens");
            world.runs("git push --quiet origin master; git checkout --quiet --detach");
        }),
        ("buedafab production deploy --tag v0.6.0", |world| {
            world.runs("git checkout --quiet master; mkdir ~/.ssh; ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519");
            world.runs("ssh-keygen -q -t ed25519 -N '' -f ~/other");
            let key = std::fs::read_to_string(world.home().join("other.pub")).expect("it was made");
            let signed = format!("sign_tags = true\nverify_signatures = true\nallowed_signers = [\"bob@example.com {}\"]", key.trim());
            world.configure(&signed, "");
            world.commit("Sell ink");
        }),
        ("buedafab production deploy --release v0.3.3", |world| {
            world.configure("", "");
            world.releases(&["v0.3.3", "v0.4.0"]);
        }),
        ("buedafab production deploy --release v0.4.0", |world| {
            world.release("v0.3.3", "*");
            world.configure("confirm = 'name'", "");
        }),
        ("buedafab production changes", |world| {
            world.configure("", "");
            world.release("v0.4.0", "*");
            world.commit("Say which version it is");
            world.commit("Correct the version");
        }),
        ("git fetch", |world| {
            world.configure("deployed_ref = true", "");
            world.commit("Sell pens");
            world.runs("buedafab --yes production deploy --tag v0.4.1");
            world.configure("", "");
            world.commit("Say which version it is");
            world.remote.push();
        }),
        ("buedafab production deploy --tag v0.8.1", |world| {
            world.release("v0.8.0", "*");
            world.host("web2").run("cd /tmp && printf v0.8.0 >version && { python3 -m http.server --bind 127.0.0.1 8000 >/dev/null 2>&1 & }");
            world.configure("version_url = 'http://localhost:8000/version'\nversion_timeout_seconds = 2\nwaves = [1, '100%']", "");
            world.commit("Sell maps");
        }),
        ("buedafab production deploy --tag v0.9.0 --dry-run", |world| {
            world.configure("", "");
            let lib = world.home().join("lib").display().to_string();
            world.runs(&format!(
                "git init -q {lib} && git -C {lib} commit -q --allow-empty -m Lib && \
                 git -c protocol.file.allow=always submodule --quiet add {lib} lib && git commit -qm 'Use lib' && \
                 git -C lib commit -q --allow-empty -m More && git add lib && git commit -qm 'Use more of lib'"
            ));
        }),
    ];
    rolling_back: "docs/rollback.md", rolling_back_world, [
        ("buedafab production rollback --to", |world| {
            world.clear();
            world.release("v0.1.0", "web[12]");
            world.release("v0.3.0", "*");
        }),
        ("buedafab production rollback", |world| {
            world.clear();
            world.releases(&["v0.1.0", "v0.2.0"]);
            world.runs("buedafab production rollback --yes");
        }),
        ("buedafab production rollback", |world| {
            world.clear();
            world.configure("release_paths = ['a', 'b']", "");
            world.releases(&["v0.1.0", "v0.2.0"]);
            world.host("web2").run("touch /tmp/fail-check");
            world.line("buedafab production deploy --release v0.3.0 --allow-older");
            world.on_all("rm -f /tmp/fail-check");
        }),
        ("buedafab production status", |world| {
            world.clear();
            world.release("v0.1.0", "*");
            world.release("v0.3.0", "web2");
        }),
    ];
    draining: "docs/draining.md", draining_world, [];
    hosts: "docs/hosts.md", hosts_world, [
        ("buedafab staging deploy", |world| {
            let polls = "[services.polls]\ncommand = 'sleep 1000'\nservice = 'systemd:polls'\nroles = ['web']\n\
                         [environments.staging]\nhosts = ['web1']\n";
            world.configure(SERVICES, polls);
            world.release("v0.1.0", "*");
        }),
        ("buedafab production deploy", |world| {
            world.clear();
            world.configure("unreachable = 'skip'", "[environments.production]\nhosts = ['web1', 'web2', 'web3']\n");
            world.release("v0.1.0", "*");
            world.commit("v0.2.0");
            world.remote.tag("v0.2.0");
            world.remote.push();
            world.host("web3").stop_sshd();
        }),
        ("buedafab production status", |world| world.host("web3").start_sshd()),
        ("buedafab production deploy --only-outdated", |_| {}),
        ("buedafab production deploy --prune", |world| {
            world.clear();
            world.configure(SERVICES, &format!("{WORKER}[{{ name = 'web1', roles = ['worker'] }}, 'web2']\n"));
            world.release("v0.2.0", "*");
            world.configure(SERVICES, &format!("{WORKER}['web1', 'web2']\n"));
        }),
        ("buedafab production status", |world| {
            world.clear();
            world.configure(SERVICES, &format!("{WORKER}['web1', 'web2', {{ name = 'web3', roles = ['worker'] }}]\n"));
            world.release("v0.1.0", "*");
            world.configure(SERVICES, &format!("{WORKER}['web1', 'web2']\n"));
            world.release("v0.1.1", "*");
        }),
    ];
    tasks: "docs/tasks.md", tasks_world, [
        ("buedafab production rechef fails status dump", |world| {
            world.write("buedafab.toml", "# buedafab.toml\n[tasks.fails]\nrun = 'exit 3'\non = 'primary'\n");
        }),
        ("buedafab production enable", |world| {
            world.commit("More");
            world.remote.tag("v1.0.1");
            world.remote.push();
        }),
        ("buedafab --list", |world| world.runs("sed -i '/^.tasks.fails/,/^on = .primary.$/d' buedafab.toml")),
        ("buedafab test", |world| {
            let test = "def test_it():\n    pass\n";
            world.remote.commit(&[("test_it.py", test), ("apps/shop/test_shop.py", test)], "Test it");
        }),
        ("buedafab setup", |world| {
            let files = [
                ("requirements/common.txt", "six==1.17.0\n"),
                ("requirements/dev.txt", "iniconfig==2.0.0\n"),
                ("manage.py", "import six; print('Operations to perform:')\n"),
            ];
            world.remote.commit(&files, "Requirements");
        }),
    ];
    troubleshooting: "docs/troubleshooting.md", troubleshooting_world, [
        ("buedafab production check", |world| world.write("buedafab.toml", "unit = 'five'\nstrateg = \"ab\"\n")),
        ("buedafab production rollback", |world| {
            world.configure("", "");
            begin_what_waits(world);
        }),
        ("buedafab production deploy --tag v0.5.0", |world| {
            end_what_waits(world);
            world.host("web2").run("touch /tmp/fail-check");
            world.commit("Sell ink");
        }),
        ("buedafab production deploy --tag v0.5.0", |world| {
            world.on_all("rm -f /tmp/fail-check");
            world.configure("waves = [1, '100%']", "[health]\nhttp = '/healthz'\nport = 8000\ngrace_seconds = 2\n");
            let server = "import http.server as s\nclass A(s.BaseHTTPRequestHandler):\n def do_GET(self):\n  \
                          bad = 'ink' in open('/var/webapps/five/releases/current/version').read()\n  \
                          self.send_response(500 if bad else 200); self.end_headers()\n  \
                          self.wfile.write(b'no database' if bad else b'')\n\
                          s.HTTPServer(('127.0.0.1', 8000), A).serve_forever()\n";
            world.write("/tmp/app.py", server);
            world.host("web1").run("{ python3 /tmp/app.py >/dev/null 2>&1 & }");
        }),
        ("buedafab production deploy --tag v0.6.0", |world| {
            world.configure("", "");
            world.commit("Sell pens");
            world.host("web2").run("touch /tmp/power-cut");
        }),
        ("buedafab production recover", |world| world.on_all("rm -f /tmp/power-cut")),
    ];
    json: "docs/json.md", json_world, [
        ("buedafab production deploy --tag v0.6.0 --json", |world| {
            world.remote.commit(&[("Makefile", "all:\n\tsleep 0.5\n")], "Take time");
            world.commit("v0.6.0");
        }),
        ("buedafab production deploy --tag v0.9.0", |world| {
            world.commit("Sell ink");
        }),
        ("buedafab production deploy --commit v0.1.0", |world| world.configure("allow_older = true", "")),
    ];
    django: "docs/django.md", django_world, [
        ("buedafab production deploy", |world| {
            world.commit_all("A shop");
            world.runs("buedafab setup && buedafab --yes production deploy --tag v0.1.0");
            // It isn't pushed yet: that is shown, too.
            world.remote.commit(&[("shop/migrations/0002_price.py", SECOND_MIGRATION)], "Items have a price");
        }),
        ("buedafab production env push", |world| {
            world.runs("ssh deploy@web1 cat /var/webapps/five/shared/.env >production.env; echo SECRET_KEY=old >>production.env");
            world.runs("openssl genrsa -out key.pem 2>/dev/null");
        }),
        ("buedafab production deploy --tag v0.8.0", |world| {
            world.commit("Sell ink");
        }),
    ];
    services: "docs/services.md", services_world, [
        ("buedafab production deploy", |world| world.commit_all("Five")),
    ];
    zero_downtime: "docs/zero-downtime.md", zero_downtime_world, [
        ("buedafab production deploy", |world| {
            world.commit_all("Five");
            world.runs("buedafab --yes production deploy --tag v0.1.0");
            world.commit("Sell ink");
        }),
    ];
    from_capistrano: "docs/from-capistrano.md", from_capistrano_world, [];
    from_fabric: "docs/from-fabric-buedafab.md", fabric::world, [
        ("buedafab init", |world| world.commit_all("As it was")),
        ("buedafab setup", |world| {
            world.write("version", "v0.2.0");
            world.commit_all("v0.2.0");
        }),
        ("buedafab production status", fabric::still_serves_as_it_was),
        ("buedafab production rollback", fabric::serves_what_came_over),
        ("buedafab production deploy:v0.2.0", |world| drop(fabric::serves(world, "v0.1.0"))),
        ("buedafab production status", |world| drop(fabric::serves(world, "v0.2.0"))),
    ];
}

/// Pages that something else types.
const ELSEWHERE: &[(&str, &str)] =
    &[("docs/install.md", "script/test-packages, in a Debian that has no Rust")];

/// Commands that no test types, and why.
const UNTYPED: &[(&str, &str, &str)] = &[
    (
        "README.md",
        "uv tool install buedafab     # or pip, cargo, brew, a .deb, a tarball: docs/install.md",
        INSTALLED,
    ),
    (
        "README.md",
        "uvx buedafab demo            # a git remote, a small web app and three hosts on this machine: real deploys, a failure, a rollback",
        INSTALLED,
    ),
    ("README.md", "script/demo                  # the same demo", "script/test-packages runs the demo"),
    (
        "README.md",
        "script/test                  # everything that has to hold, against real sshd, git and shells",
        "it is what runs this",
    ),
    ("docs/first-deploy.md", "uv tool install buedafab", INSTALLED),
    ("docs/first-deploy.md", "apt-get install git", "the hosts of a fleet have the machine's own packages"),
];

const INSTALLED: &str = "script/test-packages installs the wheel that it made, and runs its demo";

fn type_page(name: &str) {
    let guide = GUIDES.iter().find(|guide| guide.page == name).expect("it is in the table");
    let text = std::fs::read_to_string(root().join(name)).expect("it is there");
    let world = (guide.world)();
    let mut before = guide.before.iter().peekable();
    let mut wrong = Vec::new();
    for step in read(&text) {
        let typed = match step {
            Step::Write { file, text } => {
                world.write(&file, &text);
                continue;
            }
            Step::Type(typed) => typed,
        };
        if let Some((_, happens)) = before.next_if(|(command, _)| typed.command.starts_with(command)) {
            happens(&world);
        }
        if UNTYPED.iter().any(|(page, command, _)| *page == name && typed.command == *command) {
            continue;
        }
        if let Err(told) = check(&world, &typed) {
            wrong.push(told);
        }
    }
    let left: Vec<&str> = before.map(|(command, _)| *command).collect();
    assert!(left.is_empty(), "{name} has no such commands: {left:?}\n{}", wrong.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.iter().map(|told| format!("\n{name}:{told}")).collect::<String>());
}

fn check(world: &World, typed: &Typed) -> Result<(), String> {
    let (code, seen) = world.type_in(typed);
    let told = |what: &str| {
        Err(format!(
            "{}: {}: {what}\n--- the page shows\n{}\n--- and it said (exit {code})\n{seen}",
            typed.line,
            typed.command,
            typed.shown.join("\n")
        ))
    };
    if !typed.allows(code) {
        return told("it doesn't end like that");
    }
    let shown = typed.seen();
    if shown.is_empty() {
        return Ok(());
    }
    compare(&shown, &seen).or_else(|line| told(&format!("not so: {line}")))
}

/// The pages that hold such a block.
fn pages_with_console() -> BTreeSet<String> {
    let mut pages = vec![PathBuf::from("README.md")];
    let docs = std::fs::read_dir(root().join("docs")).expect("it is there");
    pages.extend(docs.map(|entry| PathBuf::from("docs").join(entry.expect("it is read").file_name())));
    let is_page = |page: &PathBuf| page.extension().is_some_and(|name| name == "md");
    let has_console = |page: &PathBuf| {
        let text = std::fs::read_to_string(root().join(page)).expect("it is there");
        read(&text).iter().any(|step| matches!(step, Step::Type(_)))
    };
    let found = pages.into_iter().filter(is_page).filter(has_console);
    found.map(|page| page.display().to_string()).collect()
}

/// A service, and the beginning of the hosts.
const WORKER: &str =
    "[services.worker]\ncommand = 'sleep 1000'\nroles = ['worker']\n[environments.production]\nhosts = ";

/// Services of a real systemd, and `restart` none of ours.
const SERVICES: &str = "service = 'none'";

fn systemd() -> FleetOptions {
    FleetOptions { systemd: true, sudo: Sudo::WithoutPassword, ..FleetOptions::default() }
}

const SERVER: &str = "#!/usr/bin/env python3
import http.server as s
class Five(s.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == '/' else 404)
        self.end_headers()
s.HTTPServer(('127.0.0.1', 8000), Five).serve_forever()
";

/// Bare hosts with a unit file, and a web app that says what it runs. As they have their ports in common, the first host
/// answers for all: it is the first to switch.
fn readme_world() -> World {
    let world = World::of(systemd(), &["web1", "web2", "web3", "dev1"]).with_port_8000().with_key();
    world.on_all(
        "mkdir -p /var/log/journal; systemctl start systemd-journald dbus; journalctl --flush
         mount -t tmpfs -o mode=755 host /usr/local/bin; printf '#!/bin/sh\\n' >/usr/local/bin/chef-client; chmod 755 /usr/local/bin/chef-client
         cat >/etc/systemd/system/five.service <<'END'
[Service]
User=deploy
WorkingDirectory=/var/webapps/five/releases/current
ExecStart=/var/webapps/five/releases/current/bin/five
[Install]
WantedBy=multi-user.target
END
         systemctl daemon-reload; systemctl enable --quiet five",
    );
    let files = [
        ("Makefile", "all:\n\tgit rev-parse --short=10 HEAD >bin/commit\n"),
        ("bin/check", "#!/bin/sh\ntest -s bin/commit\n"),
        ("bin/five", FIVE),
        ("test_it.py", "\"\"\"Tests.\"\"\"\n\n\ndef test_it():\n    \"\"\"It holds.\"\"\"\n"),
        (".gitignore", "bin/commit\nenv/\n__pycache__/\n.pytest_cache/\n"),
    ];
    world.remote.commit(&files, "Five");
    world.runs("git branch -m main && git remote set-url origin git@github.com:bueda/five.git && git push --quiet -u origin main && git remote set-head origin main");
    world
}

const FIVE: &str = "#!/usr/bin/env python3
import http.server as s, os, time
commit = open('bin/commit', 'rb').read()
class Five(s.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(commit)
if os.uname().nodename == 'web1':
    s.HTTPServer(('127.0.0.1', 8000), Five).serve_forever()
time.sleep(1000)
";

/// A bare host, and a project that was never deployed.
fn first_deploy_world() -> World {
    let world =
        World::of(FleetOptions { systemd: true, ..FleetOptions::default() }, &["web1"]).with_port_8000();
    world.on_all(
        "deluser --quiet deploy; rm -rf /home/deploy /var/webapps/*; systemctl start systemd-journald",
    );
    let files = [
        ("Makefile", "all:\n\ttrue\n"),
        ("bin/selftest", "#!/bin/sh\ntest -x bin/five\n"),
        ("bin/five", SERVER),
    ];
    world.remote.commit(&files, "Five");
    world.runs("git remote set-url origin git@git.example.com:bueda/five.git; git push --quiet -u origin master; git remote set-head origin -a");
    world
}

fn releases_world() -> World {
    let world = World::hooks(FleetOptions::default()).with_port_8000();
    world.release("v0.1.0", "*");
    world
}

fn rolling_back_world() -> World {
    let world = World::hooks(FleetOptions::default());
    world.configure("release_paths = ['a', 'b', 'c']", "");
    world.releases(&["v0.1.0", "v0.2.0"]);
    world
}

fn strategies_world() -> World {
    let world = World::hooks(FleetOptions::default());
    world.configure("strategy = 'revision'", "");
    world.releases(&["v0.1.0", "v0.2.0"]);
    world
}

fn sources_world() -> World {
    let world = World::hooks(FleetOptions::default());
    world.configure("source = 'bundle'", "");
    world.releases(&["v0.1.0", "v0.2.0"]);
    world.commit("Sell books");
    world.runs("git tag v0.3.0 && git push --quiet origin master v0.3.0");
    world
}

/// A repository of two apps.
fn monorepos_world() -> World {
    let world = World::hooks(FleetOptions::default());
    let files = ["backend/app.py", "frontend/app.js", "libs/x.py"].map(|path| (path, "\n"));
    world.remote.commit(&files, "Two apps");
    world.runs("git tag v0.1.0 && git push --quiet origin master v0.1.0");
    world
}

fn hosts_world() -> World {
    let world = World::hooks(systemd());
    world.configure(
        SERVICES,
        "[environments.production]\nhosts = ['web1', 'web2', { name = 'web3', roles = ['worker'] }]\n",
    );
    world
}

fn draining_world() -> World {
    let world = World::hooks(FleetOptions::default());
    world.configure(
        "drain = 'file'\ndrain_grace_seconds = 0",
        "[environments.production]\nhosts = ['web1', 'web2']\n",
    );
    world.release("v0.2.0", "*");
    world
}

fn tasks_world() -> World {
    let world = World::hooks(FleetOptions { sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    world.configure("", "[environments.production]\nhosts = ['web1', 'web2']\n");
    world.on_all("mkdir -p /srv/www; chown deploy /srv/www; mount -t tmpfs -o mode=755 host /usr/local/bin");
    world.write("/usr/local/bin/chef-client", "#!/bin/sh\necho \"Chef ran, and says $2\"\n");
    world.on_all("chmod 755 /usr/local/bin/chef-client");
    world
        .remote
        .commit(&[("robots.txt", "User-agent: *\n"), ("bin/dump", "#!/bin/sh\nmkdir -p dumps\n")], "Robots");
    world.release("v1.0.0", "*");
    world
}

fn troubleshooting_world() -> World {
    let world = World::hooks(FleetOptions::default()).with_port_8000();
    world.releases(&["v0.1.0", "v0.2.0"]);
    world.host("web2").run("touch /tmp/fail-check");
    world.commit("Sell books");
    world.line("buedafab production deploy --tag v0.3.0");
    world.on_all("rm -f /tmp/fail-check");
    world
}

/// A web app and its tasks, whose units are on hosts with journald and D-Bus.
fn services_world() -> World {
    let names = ["web1", "web2", "jobs1", "jobs2"];
    let world =
        World::of(systemd(), &names).with_port_8000().with_uv().with_packages().with_key().with_broker();
    world.on_all("mkdir -p /var/log/journal; systemctl start systemd-journald dbus; journalctl --flush");
    let files = [
        ("requirements.txt", "celery==5.5.3\nredis==7.0.1\ngunicorn==27.0.1\n"),
        (
            "five.py",
            "import os\nfrom celery import Celery\n\napp = Celery('five', broker=os.environ['BROKER_URL'])\n",
        ),
        ("web.py", WEB),
        ("gunicorn.conf.py", GUNICORN),
        (".gitignore", "env/\n__pycache__/\n"),
    ];
    world.remote.commit(&files, "Five");
    world
}

/// A web app whose hosts have systemd.
fn zero_downtime_world() -> World {
    let world = World::of(systemd(), &["web1", "web2"]).with_packages().with_key();
    world.on_all("systemctl start dbus");
    let web = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'ok']\n";
    let files =
        [("requirements.txt", "gunicorn==27.0.1\n"), ("web.py", web), (".gitignore", "env/\n__pycache__/\n")];
    world.remote.commit(&files, "Begin");
    world
}

/// These hosts have their ports in common, so each web server leaves room for the others.
const GUNICORN: &str = "reuse_port = True\n";

/// A shop, whose hosts have a database in common.
fn django_world() -> World {
    let world = World::of(systemd(), &["web1", "web2"])
        .with_port_8000()
        .with_uv()
        .with_packages()
        .with_key()
        .with_database();
    world.on_all("systemctl start dbus");
    let database = "{'ENGINE': 'django.db.backends.postgresql', 'NAME': 'postgres', 'USER': 'postgres', 'HOST': '127.0.0.1',
                     'PORT': urlsplit(os.environ.get('DATABASE_URL', '')).port}";
    let mut files = django_files(database);
    for (path, text) in &mut files {
        match path.as_str() {
            "five/settings.py" => {
                *text = format!(
                    "import os\nfrom urllib.parse import urlsplit\n{text}MEDIA_ROOT = BASE_DIR / 'media'\n"
                );
            }
            "five/urls.py" => {
                text.push_str("urlpatterns.append(path('healthz', lambda request: HttpResponse('ok')))\n")
            }
            _ => {}
        }
    }
    files.push(("gunicorn.conf.py".to_owned(), GUNICORN.to_owned()));
    files.push((".gitignore".to_owned(), "env/\n__pycache__/\nproduction.env\nkey.pem\n".to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    world.remote.commit(&files, "Begin a shop");
    world
}

/// It complains: on the first host to the journal, and on the others in a file.
const WEB: &str = "import os, sys
if os.uname().nodename == 'web1':
    print('ERROR: no such order: 81', file=sys.stderr)
else:
    open('log/five.log', 'a').write('INFO: started\\nWARN: the mail server took 31 s\\n')


def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'ok']
";

/// Begins a deploy that waits in its build on all hosts, with their locks.
fn begin_what_waits(world: &World) {
    world.on_all("mkfifo -m 666 /tmp/wait");
    world.remote.commit(&[("Makefile", "all:\n\ttouch /tmp/waits; read line </tmp/wait; false\n")], "Wait");
    world.runs("trap '' HUP; setsid -f sh -c 'buedafab --yes production deploy --tag v0.4.0; touch ~/ended' >/dev/null 2>&1 </dev/null");
    wait_for("all hosts build", || {
        world.fleet.hosts().iter().all(|host| host.exec("test -e /tmp/waits").status.success())
    });
}

/// Lets it fail on one host, which ends it on the others.
fn end_what_waits(world: &World) {
    world.host("web1").run("echo go >/tmp/wait");
    wait_for("it ended", || world.home().join("ended").exists());
    world.remote.commit(&[("Makefile", "all:\n\ttrue\n")], "Wait no more");
}

fn json_world() -> World {
    let world = World::hooks(FleetOptions::default());
    world.releases(&["v0.1.0", "v0.5.0"]);
    world
}

fn from_capistrano_world() -> World {
    let world = World::of(FleetOptions::default(), &["web1"]);
    world.configure("", "[environments.production]\nhosts = ['web1']\n");
    world
        .remote
        .commit(&[("Makefile", "all:\n\ttrue\n"), ("bin/selftest", "#!/bin/sh\n")], "Build and check");
    for tag in ["v0.1.0", "v0.2.0"] {
        world.commit(tag);
        world.remote.tag(tag);
    }
    world.remote.push();
    // As Capistrano leaves it: exports, of which one never came to its end, a mirror, and a link by its absolute path.
    let script = format!(
        "set -e; mkdir -p /var/webapps/five/shared /var/webapps/five/releases; cd /var/webapps/five; git clone -q --mirror {} repo
        for of in 20261125090000=v0.1.0 20261126100000=v0.1.0 20261127110000=v0.2.0; do
          mkdir releases/${{of%=*}}; git --git-dir=repo archive ${{of#*=}} | tar -x -C releases/${{of%=*}}
          git --git-dir=repo rev-parse ${{of#*=}}^0 >releases/${{of%=*}}/REVISION
        done
        ln -s /var/webapps/five/releases/20261127110000 current; echo one deployed as release 20261124080000 by ada >revisions.log
        for name in 20261126100000 20261127110000; do echo it deployed as release $name by ada >>revisions.log; done",
        world.remote.url()
    );
    world.on_all(&format!("su deploy -c '{script}'"));
    world.commit("Sell paper");
    world
}

#[test]
fn every_console_block_of_the_manual_is_typed_by_a_test() {
    let others = ELSEWHERE.iter().map(|(page, _)| *page);
    let typed = GUIDES.iter().map(|guide| guide.page).chain(others);
    assert_eq!(pages_with_console(), typed.map(str::to_owned).collect());
    for (name, command, why) in UNTYPED {
        let text = std::fs::read_to_string(root().join(name)).expect("it is there");
        let is_there = |step: &Step| matches!(step, Step::Type(typed) if typed.command == *command);
        assert!(read(&text).iter().any(is_there), "{name} has no {command:?} ({why})");
    }
}
