//! What serves is what answers: real units under a real systemd, that die, hang on to an old slot, or say that they aren't well.

use buedafab_testkit::{FleetHost, FleetOptions, Sudo};

use super::stage::{Stage, wait_for};

/// An app that answers with its release; it dies, or is unwell, as its files say.
const APP: &str = "import http.server, os, sys, time
version = open('version').read()
if os.path.exists('dies'):
    time.sleep(0.4)
    import nothing_of_that_name
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if os.path.exists('unwell') else 200)
        self.end_headers()
        self.wfile.write(version.encode())
print('listening', flush=True)
http.server.HTTPServer((sys.argv[1], 8125), App).serve_forever()
";

/// A unit that its owner wrote, which systemd starts again and again, until it has had enough.
fn own_unit(host: &FleetHost, user: &str) {
    let address = host.address().ip();
    host.run(&format!(
        "cat >/etc/systemd/system/five.service <<'END'\n[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=5\n[Service]\nUser={user}\nWorkingDirectory=/var/webapps/five/releases/current\n\
         ExecStart=/usr/bin/python3 app.py {address}\nRestart=always\nRestartSec=100ms\n[Install]\nWantedBy=multi-user.target\nEND\n\
         systemctl daemon-reload; systemctl enable --quiet five"
    ));
}

#[test]
fn what_serves_is_what_answers() {
    let stage =
        Stage::with(FleetOptions { systemd: true, sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    let address = host.address().ip();
    own_unit(host, "deploy");
    host.run("systemctl start systemd-journald");
    let configure = |grace_seconds: u32| {
        stage.configure(&format!(
            "unit = \"five\"\nservice = \"systemd:five\"\nrelease_paths = [\"a\", \"b\", \"c\"]\n\
             [health]\nhttp = \"http://{address}:8125/healthz\"\ngrace_seconds = {grace_seconds}\n\
             [environments.production]\nhosts = [\"web1\"]\n"
        ));
    };
    configure(120);
    let says = || {
        let said = host.exec(&format!("curl -fsS http://{address}:8125/")).stdout;
        String::from_utf8_lossy(&said).into_owned()
    };
    let slot = || host.run("readlink /var/webapps/five/releases/current").trim().to_owned();
    stage.release_with("v1", &[("app.py", APP)]);
    stage.production(&["deploy"], 0).says("serving now: v1 (");
    assert_eq!(says(), "v1");
    stage.production(&["status"], 0).says("well");
    stage
        .production(&["check"], 0)
        .says("✓  service  five.service runs")
        .says("✓  health   /healthz is answered with 200");

    // It dies so often that systemd starts it no more: the way back has it started nevertheless. What it said is told.
    stage.release_with("v2", &[("dies", "")]);
    let ran = stage.production(&["deploy"], 8);
    ran.says("No module named 'nothing_of_that_name'").says("serving now: v1 (");
    assert_eq!(says(), "v1");
    // It stays up, and isn't well.
    stage.remote.git(&["rm", "--quiet", "dies"]);
    stage.release_with("v3", &[("unwell", "")]);
    configure(3);
    stage.production(&["deploy"], 8).says("/healthz is answered with 500: v3").says("serving now: v1 (");
    assert_eq!(says(), "v1");
    configure(120);
    stage.remote.git(&["rm", "--quiet", "unwell"]);
    stage.release_with("v4", &[]);
    stage.production(&["deploy"], 0).says("serving now: v4 (");

    // It is down: to deploy what the link leads to starts it.
    host.run("systemctl stop five");
    let status = stage.production(&["status"], 0);
    status.says("down").says("five.service doesn't run: it is inactive").says("the app isn't well");
    stage.production(&["deploy"], 0).says("is live already, and its app is started again");
    assert_eq!(says(), "v4");
    stage.production(&["deploy"], 0).says("nothing to do");

    // Somebody moves the link by hand: its process goes on with the other release.
    let (now, before) = (
        slot(),
        host.run("cd /var/webapps/five/releases; grep -lx v1 [abc]/version").replace("/version\n", ""),
    );
    host.run(&format!("ln -sfn {before} /var/webapps/five/releases/current"));
    stage
        .production(&["status"], 0)
        .says("stale")
        .says(&format!("five.service still runs slot {now}, in process "))
        .says(&format!("the link leads to {before}"));
    stage.production(&["restart"], 0);
    wait_for("the release of the link answers", || says() == "v1");
    stage.production(&["status"], 0).says("well");
}

/// A process that nobody manages keeps the port: the unit runs and waits for it, and what answers is the release before.
#[test]
fn what_answers_from_another_slot_is_not_the_release() {
    const PATIENT: &str = "import http.server, os, sys, time
version = open('version').read()
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(version.encode())
while True:
    try: http.server.HTTPServer((sys.argv[1], 8125), App).serve_forever()
    except OSError: time.sleep(0.1)
";
    let stage =
        Stage::with(FleetOptions { systemd: true, sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    let address = host.address().ip();
    own_unit(host, "deploy");
    stage.configure(&format!(
        "unit = \"five\"\nservice = \"systemd:five\"\n[health]\nhttp = \"http://{address}:8125/\"\ngrace_seconds = 3\n\
         [environments.production]\nhosts = [\"web1\"]\n"
    ));
    stage.release_with("v1", &[("app.py", PATIENT)]);
    stage.production(&["deploy"], 0).says("serving now: v1 (");
    host.run(&format!(
        "systemctl stop five; systemd-run --quiet --unit stray --uid deploy \
         --working-directory \"$(readlink -f /var/webapps/five/releases/current)\" python3 app.py {address}"
    ));
    let says = |version: &str| {
        let said = host.exec(&format!("curl -fsS http://{address}:8125/")).stdout;
        String::from_utf8_lossy(&said) == version
    };
    wait_for("the stray process answers", || says("v1"));
    stage.release_with("v2", &[]);
    stage
        .production(&["deploy"], 8)
        .says("/ is answered with 200, but by process ")
        .says(", which works in /var/webapps/five/releases/a: it isn't what was started");
    host.run("systemctl stop stray");
    stage.production(&["deploy"], 0).says("serving now: v2 (");
    assert!(says("v2"));
}

/// Sudo is asked for just what a run needs: one rule is enough, and without it nothing is begun.
#[test]
fn one_command_is_all_that_sudo_has_to_allow() {
    let stage = Stage::with(FleetOptions { systemd: true, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    own_unit(host, "deploy");
    host.run("systemctl start systemd-journald");
    stage.configure(
        "unit = \"five\"\nservice = \"systemd:five\"\n[environments.production]\nhosts = [\"web1\"]\n",
    );
    stage.release_with("v1", &[("app.py", APP)]);
    let systemctl = host.run("command -v systemctl").trim().to_owned();
    let allow = |command: &str| {
        // These hosts have no D-Bus, without which only root may ask systemd.
        let rule = format!("deploy ALL=(root) NOPASSWD: {command}, {systemctl} show *");
        host.run(&format!("echo '{rule}' >/etc/sudoers.d/five; chmod 440 /etc/sudoers.d/five"));
    };
    allow(&format!("{systemctl} restart six"));
    let refused = format!("deploy may not do this by sudo without a password: {systemctl} restart five");
    stage.production(&["deploy"], 4).says(&refused).says("NOPASSWD: ").says("nothing was touched");
    stage.production(&["check"], 4).says(&refused);
    // That it is allowed with a password helps nobody, whatever else takes none.
    allow(&format!(
        "{systemctl} restart six, PASSWD: {systemctl} restart five, NOPASSWD: {systemctl} stop five"
    ));
    stage.production(&["deploy"], 4).says(&refused).says("nothing was touched");
    allow(&format!("{systemctl} restart five"));
    stage.production(&["check"], 0).says("ready to deploy");
    stage.production(&["deploy"], 0).says("serving now: v1 (");
}

/// Of an app whose unit is ours to write, all that sudo denies is told at once, before the first deploy; and the line that is
/// shown is the line that is needed, for this release and the next.
#[test]
fn the_rule_that_is_shown_allows_the_unit_of_any_release() {
    let stage = Stage::with(FleetOptions { systemd: true, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    let systemctl = host.run("command -v systemctl").trim().to_owned();
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\n[services.web]\ncommand = \"sleep 1000\"\n[environments.production]\nhosts = [\"web1\"]\n",
    );
    stage.release_with("v1", &[("app.py", APP)]);
    let allow = |rule: &str| {
        // These hosts have no D-Bus, without which only root may ask systemd.
        let rule = format!("{rule}, {systemctl} show *");
        host.run(&format!("echo '{rule}' >/etc/sudoers.d/five; chmod 440 /etc/sudoers.d/five; visudo -c"));
    };
    allow(&format!("deploy ALL=(root) NOPASSWD: {systemctl} restart five-web"));
    let ran = stage.production(&["deploy"], 4);
    ran.says("nothing was touched").says("deploy may not do this by sudo without a password");
    let shown = ran.stderr.split("/etc/sudoers.d: ").nth(1).and_then(|rest| rest.split("; or set").next());
    allow(&format!("{}, {systemctl} restart five-web", shown.expect("a line to paste")));
    stage.production(&["check"], 0).says("ready to deploy");
    stage.production(&["deploy"], 0).says("serving now: v1 (");
    stage.release("v2");
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\n[services.web]\ncommand = \"sleep 2000\"\n[environments.production]\nhosts = [\"web1\"]\n",
    );
    stage.production(&["deploy"], 0).says("serving now: v2 (");
}

/// Where nobody has root, the systemd of the user who logs in runs the app; it has to outlive the session.
#[test]
fn a_user_without_root_has_a_systemd_of_their_own() {
    let stage = Stage::with(FleetOptions { systemd: true, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    let address = host.address().ip();
    // What logind starts for a user who lingers.
    host.run(
        "user=$(id -u deploy); install -d -o deploy -m 700 /run/user/$user
        mkdir -p /var/log/journal; mount -t tmpfs private /var/lib/systemd || exit
        systemctl start systemd-journald; journalctl --flush
        printf '[Service]\\nUser=deploy\\nType=notify\\nDelegate=yes\\nEnvironment=XDG_RUNTIME_DIR=/run/user/%s\\nExecStart=/lib/systemd/systemd --user\\n' \
          $user >/etc/systemd/system/own.service
        systemctl daemon-reload; systemctl start own",
    );
    host.run(&format!(
        "folder=/home/deploy/.config/systemd/user; install -d -o deploy /home/deploy/.config /home/deploy/.config/systemd $folder
        printf '[Service]\\nWorkingDirectory=/var/webapps/five/releases/current\\nExecStart=/usr/bin/python3 app.py {address}\\nRestart=always\\nRestartSec=100ms\\n' \
          >$folder/five.service"
    ));
    stage.configure(&format!(
        "unit = \"five\"\nservice = \"systemd-user:five\"\n[health]\nhttp = \"http://{address}:8125/healthz\"\n\
         [environments.production]\nhosts = [\"web1\"]\n"
    ));
    stage.release_with("v1", &[("app.py", APP)]);
    let ends = "the services of deploy end when deploy isn't logged in any more";
    stage
        .production(&["deploy"], 7)
        .says(ends)
        .says("loginctl enable-linger deploy")
        .says("nothing was touched");
    stage.production(&["check"], 4).says(ends);
    host.run("mkdir -p /var/lib/systemd/linger; touch /var/lib/systemd/linger/deploy");
    stage.production(&["check"], 0).says("ready to deploy");
    stage.production(&["deploy"], 0).says("serving now: v1 (");
    stage.production(&["check"], 0).says("✓  service  five.service runs");
    stage.release_with("v2", &[("dies", "")]);
    let ran = stage.production(&["deploy"], 8);
    ran.says("No module named 'nothing_of_that_name'").says("serving now: v1 (");
    stage.production(&["status"], 0).says("well");
    host.run("su deploy -c 'XDG_RUNTIME_DIR=/run/user/$(id -u) systemctl --user stop five'");
    stage.production(&["status"], 0).says("five.service doesn't run: it is inactive");
    stage.production(&["deploy", "--commit", "HEAD^", "--allow-older"], 0).says("its app is started again");
    // Without its manager nothing can be restarted, and nothing is begun.
    host.run("systemctl stop own");
    stage.production(&["deploy"], 7).says("there is no systemd-user:five");
}

/// The same, at a socket: every host has one of its own.
const APP_AT_SOCKET: &str = "import http.server, os, socketserver
version = open('version').read()
class App(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return 'us'
    def do_GET(self):
        self.send_response(500 if os.path.exists('unwell') else 200)
        self.end_headers()
        self.wfile.write(version.encode())
if os.path.exists('/tmp/five.sock'):
    os.remove('/tmp/five.sock')
socketserver.UnixStreamServer('/tmp/five.sock', App).serve_forever()
";

#[test]
fn status_tells_each_host_as_it_is() {
    let stage = Stage::with(FleetOptions {
        hosts: 4,
        systemd: true,
        sudo: Sudo::WithoutPassword,
        ..FleetOptions::default()
    });
    for host in stage.fleet.hosts() {
        own_unit(host, "deploy");
    }
    stage.configure(
        "unit = \"five\"\nservice = \"systemd:five\"\n[hooks]\n\
         verify = \"test $(hostname) != web3 || test $(cat version) = v1 || { kill -9 -$PPID; exec sleep 60; }\"\n\
         [health]\nhttp = \"/\"\nsocket = \"/tmp/five.sock\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\", \"web4\"]\n",
    );
    stage.release_with("v1", &[("app.py", APP_AT_SOCKET)]);
    stage.production(&["deploy"], 0);
    stage.release_with("v2", &[]);
    stage.production(&["--hosts", "web1,web2,web4", "deploy"], 0);
    stage.production(&["--hosts", "web3", "deploy"], 9);
    // The link is moved by hand, the app says that it isn't well, a run was killed whole, and nobody answers.
    let [stale, unwell, _, silent] = stage.fleet.hosts() else { panic!("four hosts") };
    stale.run("ln -sfn a /var/webapps/five/releases/current");
    unwell.run("touch /var/webapps/five/releases/current/unwell");
    silent.stop_sshd();
    let status = stage.production(&["status"], 6);
    for (host, words) in [
        ("web1", "stale"),
        ("web2", "not well"),
        ("web3", "well"),
        ("web4", "unreachable"),
        ("web1", "the link may have been moved by hand"),
        ("web1", "five.service still runs slot b, in process "),
        ("web2", "the app isn't well: / is answered with 500"),
        ("web3", "a switch to slot b was never confirmed"),
    ] {
        let mut lines = status.stdout.lines().chain(status.stderr.lines());
        let found = lines.any(|line| line.starts_with(host) && line.contains(words));
        assert!(found, "{host}: {words}\n{}{}", status.stdout, status.stderr);
    }
}
