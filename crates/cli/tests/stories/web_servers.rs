//! What `check` says of the web server in front of an app that hands over by its link.

use buedafab_testkit::{FleetHost, FleetOptions, Sudo};

use super::stage::{Stage, wait_for};

/// Answers with its version, and lets visitors keep their connections.
const APP: &str = r#"import http.server, os, socketserver
VERSION = open("version", "rb").read().strip()
class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(VERSION)))
        self.end_headers()
        self.wfile.write(VERSION)
    def address_string(self):
        return "nginx"
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
try:
    os.unlink(os.environ["SOCKET"])
except FileNotFoundError:
    pass
os.umask(0)
Server(os.environ["SOCKET"], Answers).serve_forever()
"#;

const LINK: &str = "/var/webapps/five/releases/current/run/app.sock";

fn stage(sudo: Sudo, systemd: bool) -> Stage {
    let stage = Stage::with(FleetOptions { hosts: 1, systemd, sudo, ..FleetOptions::default() });
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\nsettle_seconds = 0\n[services.web]\ncommand = \"python3 app.py\"\ncutover = \"socket\"\n\
         [health]\nhttp = \"/\"\n[environments.production]\nhosts = [\"web1\"]\n",
    );
    stage
}

fn release(stage: &Stage, name: &str) {
    stage.remote.commit(&[("app.py", APP), ("version", name)], name);
    stage.remote.tag(name);
    stage.remote.push();
}

/// Has nginx serve this site instead of the one that came with it, and says what a visitor is answered.
fn serve(host: &FleetHost, before: &str, pass: &str) -> String {
    let address = host.address().ip();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path /tmp/nginx/{what};\n"))
        .concat();
    host.run(&format!(
        "mkdir -p /tmp/nginx /var/log/nginx; rm -f /etc/nginx/sites-enabled/default; cat >/etc/nginx/sites-enabled/five <<'END'\n{temporary}{before}\n\
         server {{\n  listen {address}:8080;\n  location / {{\n    proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n    \
         proxy_pass {pass};\n  }}\n}}\nEND\nif [ -s /run/nginx.pid ]; then nginx -s reload; else nginx; fi"
    ));
    let asked = format!("curl -sf http://{address}:8080/");
    wait_for("an answer", || host.exec(&asked).status.success());
    host.run(&asked)
}

/// What `check` says of the web server.
fn said(stage: &Stage, code: i32) -> String {
    let ran = stage.production(&["check"], code);
    let mut lines: Vec<&str> = Vec::new();
    for line in ran.stdout.lines().map(str::trim) {
        let is_help =
            line.starts_with("help:") && lines.last().is_some_and(|last| last.contains("web server"));
        if line.contains("web server") || is_help {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[test]
fn a_web_server_that_keeps_the_old_release_is_named_until_it_lets_go() {
    let stage = stage(Sudo::WithoutPassword, true);
    let host = stage.fleet.host("web1");
    release(&stage, "v1");
    stage.production(&["deploy"], 0);
    assert_eq!(said(&stage, 0), "", "nginx serves the site that came with it");
    let pool = format!("upstream app {{\n  server unix:{LINK};\n  keepalive 4;\n}}");
    assert_eq!(serve(host, &pool, "http://app"), "v1");
    let kept = said(&stage, 0);
    insta::assert_snapshot!(kept, @r"
    !  web server  nginx keeps connections to the old release after a switch: upstream app has `keepalive 4` (/etc/nginx/sites-enabled/five)
    help: take `keepalive` out of it, or write `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;` without an upstream, and reload nginx
    ");
    // Not everybody may read it.
    host.run("chmod 600 /etc/nginx/sites-enabled/five");
    assert_eq!(said(&stage, 0), kept);
    assert_eq!(serve(host, "", "http://unix:/run/five-web/a.sock:/"), "v1");
    insta::assert_snapshot!(said(&stage, 0), @r"
    !  web server  nginx sends requests to /run/five-web/a.sock, which is the socket of one release: a switch changes nothing for visitors (/etc/nginx/sites-enabled/five)
    help: send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    ");
    assert_eq!(serve(host, "", &format!("http://unix:{LINK}:/")), "v1");
    assert_eq!(said(&stage, 0), "");
    release(&stage, "v2");
    stage.production(&["deploy"], 0);
    assert_eq!(host.run(&format!("curl -sf http://{}:8080/", host.address().ip())), "v2");
    host.run("nginx -s stop");
}

#[test]
fn a_web_server_whose_files_are_closed_is_left_alone() {
    let stage = stage(Sudo::None, false);
    release(&stage, "v1");
    let host = stage.fleet.host("web1");
    let site = "/etc/nginx/sites-enabled/five";
    host.run(&format!(
        "echo 'server {{ root /var/webapps/five/shared; location / {{ proxy_pass http://127.0.0.1:8000; }} }}' >{site}"
    ));
    // Without sudo nothing can be deployed, which `check` says as well.
    let told = said(&stage, 4);
    insta::assert_snapshot!(told, @r"
    !  web server  nginx sends requests for the app to http://127.0.0.1:8000, and no web server here sends any to /var/webapps/five/releases/current/run/app.sock (/etc/nginx/sites-enabled/five)
    help: send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    ");
    host.run(&format!("chmod 600 {site}"));
    assert_eq!(said(&stage, 4), "");
    // What can't be seen may lead there.
    host.run(&format!("chmod 644 {site}; mkdir -m 700 /etc/nginx/closed; echo 'include closed/deep/*.conf;' >/etc/nginx/conf.d/closed.conf"));
    assert_eq!(said(&stage, 4), "");
    host.run("chmod 755 /etc/nginx/closed");
    assert_eq!(said(&stage, 4), told);
}
