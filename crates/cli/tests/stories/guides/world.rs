//! Where a page is typed: hosts, a git server, a checkout, and somebody at a terminal.

use std::any::Any;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use buedafab_testkit::{Fleet, FleetHost, FleetOptions, Remote};
use rexpect::reader::Options;
use rexpect::session::spawn_with_options;

use super::page::Typed;
use crate::python::{Postgres, install_uv_on};
use crate::redis::Redis;
use crate::terminal::screen_of;
use crate::wheels::{Wheels, target};

/// So wide that nothing is cut or wrapped.
const COLUMNS: usize = 250;

/// How the pages call the git server's project.
const ADDRESSES: [&str; 2] = ["git@git.example.com:bueda/five.git", "git@github.com:bueda/five.git"];

/// What the manual is typed in. All names of its pages lead here: hosts by the ssh of this person, the git server by git's
/// `insteadOf`, here and on the hosts. So a page is typed as it stands.
pub(super) struct World {
    pub(super) fleet: Fleet,
    pub(super) remote: Remote,
    home: tempfile::TempDir,
    path: OsString,
    /// What stands beside the hosts, until all of it ends: a port that is held, an index of packages, a broker.
    beside: Vec<Box<dyn Any>>,
}

impl World {
    /// Waits for port 8000, which all hosts have in common.
    pub(super) fn with_port_8000(mut self) -> World {
        self.beside.push(Box::new(claim_port_8000()));
        self
    }

    pub(super) fn with_uv(self) -> World {
        for host in self.fleet.hosts() {
            install_uv_on(&self.remote, host);
        }
        self
    }

    /// An index of packages beside the hosts, of which they know by their own configuration.
    pub(super) fn with_packages(mut self) -> World {
        let index = Wheels::serve();
        self.on_all(&format!(
            "install -d -o deploy /home/deploy/.config /home/deploy/.config/pip
             printf '[global]\nno-index = true\nfind-links = %s\n' '{}' >/home/deploy/.config/pip/pip.conf",
            index.url()
        ));
        self.beside.push(Box::new(index));
        self
    }

    /// A repository beside the hosts.
    pub(super) fn keep(&mut self, remote: Remote) {
        self.beside.push(Box::new(remote));
    }

    /// Gives this person's git a key to sign with.
    pub(super) fn with_key(self) -> World {
        self.runs(
            "mkdir -p ~/.ssh && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519 && git config --global gpg.format ssh &&
             git config --global user.signingKey ~/.ssh/id_ed25519",
        );
        self
    }

    /// A broker beside the hosts, of which the app knows.
    pub(super) fn with_broker(mut self) -> World {
        let broker = Redis::start();
        let variable = format!("BROKER_URL={}", broker.url());
        self.beside.push(Box::new(broker));
        self.with_variable(&variable)
    }

    /// A database beside the hosts, of which the app knows.
    pub(super) fn with_database(mut self) -> World {
        let database = Postgres::start();
        let variable = format!("DATABASE_URL=postgres://postgres@127.0.0.1:{}/postgres", database.port());
        self.beside.push(Box::new(database));
        self.with_variable(&variable)
    }

    /// As a person puts it there before the first deploy.
    fn with_variable(self, variable: &str) -> World {
        self.on_all(&format!(
            "install -d -o deploy /var/webapps/five /var/webapps/five/shared
             echo '{variable}' >/tmp/variables; install -o deploy -g deploy -m 600 /tmp/variables /var/webapps/five/shared/.env"
        ));
        self
    }

    /// Hosts of these names, in the order of the fleet's, and an empty project on branch `master`.
    pub(super) fn of(options: FleetOptions, names: &[&str]) -> World {
        let fleet = Fleet::start(FleetOptions { hosts: names.len(), ..options });
        let remote = Remote::temp();
        let home = tempfile::tempdir().expect("a folder");
        let world =
            World { path: path_of(&fleet, home.path(), names), fleet, remote, home, beside: Vec::new() };
        let mut git =
            "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = master\n".to_owned();
        let mut addresses = format!("[safe]\n\tdirectory = *\n[url \"{}\"]\n", world.remote.url());
        for address in ADDRESSES {
            addresses += &format!("\tinsteadOf = {address}\n");
        }
        git += &addresses;
        world.write_home(".gitconfig", &git);
        let wheels = target("wheels").display().to_string();
        world.write_home(".config/uv/uv.toml", &format!("no-index = true\nfind-links = [\"{wheels}\"]\n"));
        for host in world.fleet.hosts() {
            host.run(&format!(
                "cat >/home/deploy/.gitconfig <<'END'\n{addresses}END\ncp /home/deploy/.gitconfig /root"
            ));
        }
        std::fs::write(world.checkout().join(".git/info/exclude"), "/events.jsonl\n").expect("it is written");
        world
    }

    /// Three hosts whose app is started by a hook, and a `buedafab.toml` that is in no release.
    pub(super) fn hooks(options: FleetOptions) -> World {
        let world = World::of(options, &["web1", "web2", "web3"]);
        std::fs::write(world.checkout().join(".git/info/exclude"), "/events.jsonl\n/buedafab.toml\n")
            .expect("it is written");
        world.remote.commit(&[("Makefile", "all:\n\ttrue\n"), ("bin/selftest", SELFTEST)], "Build and check");
        world.configure("", "");
        world
    }

    /// The usual configuration of such a world, with something at the top, and at the end.
    pub(super) fn configure(&self, top: &str, end: &str) {
        let hosts = if end.contains("[environments.production]") {
            ""
        } else {
            "[environments.production]\nhosts = ['web1', 'web2', 'web3']\n"
        };
        let confirm = if top.contains("confirm =") { "" } else { "confirm = 'nothing'\n" };
        let signed = if top.contains("sign_tags =") { "" } else { "sign_tags = false\n" };
        let config = format!(
            "unit = 'five'\nscm = '{}'\nlost_after_seconds = 3\n{confirm}{signed}{top}\n\
             [hooks]\nbuild = 'make'\ncheck = './bin/selftest'\nverify = 'test -e version'\nrestart = '{RESTART}'\n{hosts}{end}\n",
            ADDRESSES[0]
        );
        std::fs::write(self.checkout().join("buedafab.toml"), config).expect("it is ours");
    }

    /// Deploys a release to these hosts, or to all: one that is there, or what is committed for it now.
    pub(super) fn release(&self, tag: &str, hosts: &str) {
        let is_there = !self.remote.git(&["tag", "--list", tag]).is_empty();
        let which = if is_there { "--release" } else { "--tag" };
        if !is_there {
            self.commit(tag);
        }
        self.runs(&format!("buedafab --yes production --hosts '{hosts}' deploy --allow-older {which} {tag}"));
    }

    /// Deploys these to all hosts, one after the other.
    pub(super) fn releases(&self, tags: &[&str]) {
        tags.iter().for_each(|tag| self.release(tag, "*"));
    }

    /// As if nothing had ever been deployed.
    pub(super) fn clear(&self) {
        self.on_all(
            "for unit in /etc/systemd/system/*.service; do
                 [ ! -f \"$unit\" ] || { systemctl stop \"${unit##*/}\" && rm \"$unit\" && systemctl daemon-reload; }
             done
             rm -rf /var/webapps/* /tmp/fail-*",
        );
    }

    /// Types a line that has to go well.
    pub(super) fn runs(&self, line: &str) {
        let (code, said) = self.line(line);
        assert_eq!(code, 0, "{line}\n{said}");
    }

    /// Types a line, however it ends.
    pub(super) fn line(&self, line: &str) -> (i32, String) {
        self.type_in(&Typed { line: 0, on: None, command: line.to_owned(), shown: Vec::new() })
    }

    pub(super) fn commit(&self, message: &str) -> String {
        self.remote.commit(&[("version", message)], message)
    }

    /// Commits what the page has written, and pushes it.
    pub(super) fn commit_all(&self, message: &str) {
        self.runs(&format!(
            "git add --all && git commit --quiet -m '{message}' && git push --quiet -u origin HEAD"
        ));
    }

    pub(super) fn checkout(&self) -> &Path {
        self.remote.checkout_dir()
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn host(&self, name: &str) -> &FleetHost {
        self.fleet.host(name)
    }

    pub(super) fn on_all(&self, script: &str) {
        for host in self.fleet.hosts() {
            host.run(script);
        }
    }

    fn write_home(&self, file: &str, text: &str) {
        let path = self.home.path().join(file);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it is ours");
        std::fs::write(path, text).expect("it is ours");
    }

    /// Writes a file: on all hosts if its name is absolute, in the checkout if it isn't.
    pub(super) fn write(&self, file: &str, text: &str) {
        if file.starts_with('/') {
            self.on_all(&format!("cat >'{file}' <<'END'\n{text}END\n"));
        } else if file == "buedafab.toml" && !text.contains("unit = ") {
            // A part of it.
            let path = self.checkout().join(file);
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            let tables = if text.starts_with("# buedafab.toml\n[") {
                0
            } else {
                text.find("\n[").unwrap_or(text.len())
            };
            let (top, end) = text.split_at(tables);
            std::fs::write(path, format!("{top}\n{there}\n{end}")).expect("it is ours");
        } else {
            let path = self.checkout().join(file);
            std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it is ours");
            std::fs::write(path, text).expect("it is ours");
        }
    }

    /// Types a command at a terminal, answers as it is shown, and returns how it ended, and what is left on the screen.
    pub(super) fn type_in(&self, typed: &Typed) -> (i32, String) {
        let command = match &typed.on {
            None => typed.command.clone(),
            Some((user, host)) => return self.type_on(user, host, &typed.command),
        };
        let mut there = Command::new("sh");
        there
            .args(["-c", &format!("trap : INT\nstty echo cols {COLUMNS} rows 100\n{command}")])
            .current_dir(self.checkout())
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.home.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_PAGER", "cat")
            .env("USER", "ada")
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C.UTF-8");
        let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(false);
        let mut session = spawn_with_options(there, options).expect("it starts");
        let mut told = String::new();
        for question in typed.questions() {
            match session.exp_string(&question.ends) {
                Ok(before) => told += &format!("{before}{}", question.ends),
                Err(error) => return (-1, format!("it doesn't ask {question:?}: {error}\n{told}")),
            }
            let is_answered = session.send_line(&question.answer);
            is_answered.expect("it listens");
        }
        if let Some(letter) = typed.ended_by() {
            // Hosts speak in any order, so it is over when all of it has been said.
            for line in typed.seen().iter().filter(|line| line.trim() != "…") {
                let words = line.rsplit('…').next().unwrap_or_default();
                told += &session.exp_string(words).unwrap_or_else(|error| error.to_string());
                told += words;
            }
            if letter == 'D' {
                // A shell is told when it listens.
                told += &session.exp_string("$ ").unwrap_or_else(|error| error.to_string());
            }
            session.send_control(letter.to_ascii_lowercase()).expect("it listens");
        }
        match session.exp_eof() {
            Ok(rest) => told += &rest,
            // Dropped, the session ends what goes on.
            Err(error) => return (-1, format!("it goes on: {error}\n{told}")),
        }
        let ended = format!("{:?}", session.process().wait());
        let code = ended.rsplit(", ").next().and_then(|code| code.trim_end_matches(')').parse().ok());
        (code.unwrap_or(-1), self.as_shown(screen_of(&told, COLUMNS).trim_end()))
    }

    fn type_on(&self, user: &str, host: &str, command: &str) -> (i32, String) {
        let script = format!("exec 2>&1\n{command}");
        let script = if user == "root" {
            script
        } else {
            format!("cd /home/{user} && exec su -s /bin/sh {user} <<'END'\n{script}\nEND")
        };
        let output = self.host(host).exec(&script);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap_or(-1), self.as_shown(said.trim_end()))
    }

    /// The names of the pages for what has others here.
    fn as_shown(&self, said: &str) -> String {
        said.replace(&self.remote.url(), "file:///srv/git/five.git")
            .replace(&self.checkout().display().to_string(), "/home/ada/five")
            .replace(&self.home.path().display().to_string(), "/home/ada")
    }
}

/// Port 1222, which is that of the pages, isn't these hosts'.
const SSH: &str = "#!/bin/sh
before=
for word; do
    shift
    [ \"$word\" != -p ] || { before=-p; continue; }
    [ \"$before$word\" = -p1222 ] || set -- \"$@\" $before \"$word\"
    before=
done
";

/// The power goes on a host where that file is, as far as the deploying user has any.
const RESTART: &str = "test ! -e /tmp/power-cut || kill -KILL -1";

/// The check fails on a host where this file is.
const SELFTEST: &str = "#!/bin/sh\ntest ! -e /tmp/fail-check || { echo the check says no; exit 1; }\n";

/// This program, and an ssh by which the names of the manual lead to the fleet's hosts, before what the machine has.
fn path_of(fleet: &Fleet, home: &Path, names: &[&str]) -> OsString {
    let config = std::fs::read_to_string(fleet.ssh_config()).expect("the fleet wrote it");
    let (_, common) = config.split_once("Host *\n").expect("it has what holds for all");
    let mut text = String::new();
    for (host, name) in fleet.hosts().iter().zip(names) {
        text += &format!(
            "Host {name} {name}.example.com\n  HostName {}\n  Port {}\n  HostKeyAlias {}\n",
            host.address().ip(),
            host.port(),
            host.name()
        );
    }
    text += &format!("Host *\n{common}");
    let bin = home.join("bin");
    std::fs::create_dir(&bin).expect("it is ours");
    let file = bin.join("ssh_config");
    std::fs::write(&file, text).expect("it is ours");
    let script = format!("{SSH}exec /usr/bin/ssh -F '{}' \"$@\"\n", file.display());
    executable(&bin.join("ssh"), &script);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_buedafab"), bin.join("buedafab")).expect("it is ours");
    let mut path = bin.into_os_string();
    path.push(":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:");
    path.push(target("tools").join("bin"));
    path
}

/// A program in this place.
pub(super) fn executable(path: &PathBuf, text: &str) {
    std::fs::write(path, text).expect("it is ours");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, mode).expect("it is ours");
}

/// Waits for port 8000, until this is dropped.
pub(super) fn claim_port_8000() -> std::fs::File {
    std::fs::create_dir_all("/var/lib/buedafab-testkit").expect("root may");
    let file = std::fs::File::create("/var/lib/buedafab-testkit/port-8000").expect("root may");
    file.lock().expect("it can be locked");
    file
}
