//! What is said of the configuration of web servers in front of an app that hands over by its link.

mod common;

use std::fmt::Write;

use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::web_server::{ConfigFile, FollowedSocket, Software, WebServer, traps};
use buedafab_model::names::HostPath;
use buedafab_model::planner::look_script;
use buedafab_model::shell::inspect::{AlsoLookAt, Scope, inspect_script};
use insta::assert_snapshot;
use jiff::Timestamp;

use common::fleet;
use common::shells::{Place, shells};

fn path(text: &str) -> HostPath {
    HostPath::new(text).expect("a path")
}

fn sockets() -> Vec<FollowedSocket> {
    vec![FollowedSocket {
        path: path("/var/webapps/five/releases/current/run/app.sock"),
        releases: path("/var/webapps/five/releases"),
        socket: "run/app.sock".to_owned(),
        really_in: "/run/five-web".to_owned(),
    }]
}

/// A web server with these files: each its path and its text.
fn server(software: Software, version: &str, files: &[(&str, &str)]) -> WebServer {
    let numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    let files =
        files.iter().map(|(path, text)| ConfigFile { path: (*path).to_owned(), text: (*text).to_owned() });
    WebServer { software, version: numbers.try_into().ok(), files: files.collect(), is_whole: true }
}

/// nginx as Debian has it, with this site.
fn nginx(version: &str, site: &str) -> WebServer {
    let main = "user www-data;\nworker_processes auto;\ninclude /etc/nginx/modules-enabled/*.conf;\nevents {\n\tworker_connections 768;\n}\n\
        http {\n\tsendfile on;\n\tinclude mime.types;\n\tlog_format main '$remote_addr \"$request\" {x}; # y';\n\t\
        include /etc/nginx/conf.d/*.conf;\n\tinclude /etc/nginx/sites-enabled/*;\n}\n";
    let files = [
        ("/etc/nginx/nginx.conf", main),
        ("/etc/nginx/mime.types", "types {\n  text/html html htm;\n}\n"),
        ("/etc/nginx/sites-enabled/five", site),
        ("/etc/nginx/snippets/kept.conf", "proxy_http_version 1.1;\nproxy_set_header Connection \"\";\n"),
        ("/etc/nginx/snippets/pool.conf", "keepalive 8;\n"),
    ];
    server(Software::Nginx, version, &files)
}

fn haproxy(text: &str) -> WebServer {
    server(Software::Haproxy, "", &[("/etc/haproxy/haproxy.cfg", text)])
}

fn caddy(text: &str) -> WebServer {
    let site = "files.example.com {\n\tfile_server\n}\n";
    server(Software::Caddy, "", &[("/etc/caddy/Caddyfile", text), ("/etc/caddy/sites/files", site)])
}

/// What is said of each.
fn said(cases: &[(&str, Vec<WebServer>)]) -> String {
    let mut all = String::new();
    for (name, servers) in cases {
        let _ = writeln!(all, "{name}");
        for trap in traps(servers, &path("/var/webapps/five"), &sockets()) {
            let _ = writeln!(all, "  {}\n    {}", trap.words(), trap.help());
        }
    }
    all
}

/// A site of nginx with an upstream that says this.
fn pool(says: &str) -> String {
    format!(
        "upstream app {{\n  server unix:/var/webapps/five/releases/current/run/app.sock fail_timeout=0;\n  {says}\n}}\n\
         server {{\n  listen 80;\n  server_name five.example.com;\n  location / {{\n    proxy_set_header Host $host;\n    \
         proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n    proxy_pass http://app;\n  }}\n}}\n"
    )
}

#[test]
fn nginx_keeps_connections() {
    let cases = [
        (
            "no upstream, 1.22",
            vec![nginx(
                "1.22.1",
                "server { location / { proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock; } }",
            )],
        ),
        (
            "no upstream, and a path behind it, 1.30",
            vec![nginx(
                "1.30.4",
                "server { location / { proxy_pass \"http://unix:/var/webapps/five/releases/current/run/app.sock:/\"; } }",
            )],
        ),
        ("a pool, 1.22", vec![nginx("1.22.1", &pool("keepalive 32;"))]),
        ("a pool, 1.30", vec![nginx("1.30.4", &pool("keepalive 32;"))]),
        ("a pool in a snippet", vec![nginx("1.22.1", &pool("include snippets/pool.conf;"))]),
        ("says nothing, 1.22", vec![nginx("1.22.1", &pool(""))]),
        ("says nothing, 1.29.6", vec![nginx("1.29.6", &pool("# keepalive 32;"))]),
        ("says nothing, 1.29.7", vec![nginx("1.29.7", &pool(""))]),
        ("says nothing, who knows which", vec![nginx("", &pool(""))]),
        ("says something that can't be read", vec![nginx("1.30.4", &pool("include /root/pool.conf;"))]),
        ("no pool, 1.30", vec![nginx("1.30.4", &pool("keepalive 0;"))]),
        (
            "a pool that nothing is passed to",
            vec![nginx(
                "1.22.1",
                "upstream app { server unix:/var/webapps/five/releases/current/run/app.sock; keepalive 4; }",
            )],
        ),
        (
            "asked as nginx does by itself, 1.22",
            vec![nginx(
                "1.22.1",
                "upstream app { server unix:/var/webapps/five/releases/current/run/app.sock; keepalive 4; }\nserver { location / { proxy_pass http://app; } }",
            )],
        ),
        (
            "asked so by a snippet around",
            vec![nginx(
                "1.22.1",
                "include snippets/kept.conf;\nupstream app { server unix:/var/webapps/five/releases/current/run/app.sock; keepalive 4; }\nserver { location / { proxy_pass http://app/; } }",
            )],
        ),
        (
            "a header of its own hides those around",
            vec![nginx(
                "1.22.1",
                "include snippets/kept.conf;\nupstream app { server unix:/var/webapps/five/releases/current/run/app.sock; keepalive 4; }\nserver { location / { proxy_set_header Host $host; proxy_pass http://app; } }",
            )],
        ),
        (
            "told to close, 1.30",
            vec![nginx(
                "1.30.4",
                "upstream app { server unix:/var/webapps/five/releases/current/run/app.sock; }\nserver { proxy_set_header Connection close; location / { proxy_pass http://app; } }",
            )],
        ),
        (
            "by a variable",
            vec![nginx("1.22.1", &pool("keepalive 32;").replace("http://app", "http://$backend"))],
        ),
        ("another app's", vec![nginx("1.30.4", &pool("keepalive 32;").replace("five", "six"))]),
        ("uwsgi", vec![nginx("1.30.4", &pool("").replace("proxy_pass http://app", "uwsgi_pass app"))]),
    ];
    assert_snapshot!(said(&cases), @r#"
    no upstream, 1.22
    no upstream, and a path behind it, 1.30
    a pool, 1.22
      nginx keeps connections to the old release after a switch: upstream app has `keepalive 32` (/etc/nginx/sites-enabled/five)
        take `keepalive` out of it, or write `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;` without an upstream, and reload nginx
    a pool, 1.30
      nginx keeps connections to the old release after a switch: upstream app has `keepalive 32` (/etc/nginx/sites-enabled/five)
        write `keepalive 0;` there, or `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;` without an upstream, and reload nginx
    a pool in a snippet
      nginx keeps connections to the old release after a switch: upstream app has `keepalive 8` (/etc/nginx/sites-enabled/five)
        take `keepalive` out of it, or write `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;` without an upstream, and reload nginx
    says nothing, 1.22
    says nothing, 1.29.6
    says nothing, 1.29.7
      nginx keeps connections to the old release after a switch, as it does since 1.29.7: upstream app has no `keepalive 0` (/etc/nginx/sites-enabled/five)
        write `keepalive 0;` there, or `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;` without an upstream, and reload nginx
    says nothing, who knows which
    says something that can't be read
    no pool, 1.30
    a pool that nothing is passed to
    asked as nginx does by itself, 1.22
    asked so by a snippet around
      nginx keeps connections to the old release after a switch: upstream app has `keepalive 4` (/etc/nginx/sites-enabled/five)
        take `keepalive` out of it, or write `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;` without an upstream, and reload nginx
    a header of its own hides those around
    told to close, 1.30
    by a variable
      nginx keeps connections to the old release after a switch: upstream app has `keepalive 32` (/etc/nginx/sites-enabled/five)
        take `keepalive` out of it, or write `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;` without an upstream, and reload nginx
    another app's
    uwsgi
    "#);
}

#[test]
fn nginx_leads_elsewhere() {
    let to = |target: &str| {
        vec![nginx(
            "1.22.1",
            &format!(
                "server {{\n  root /var/webapps/five/releases/current/static;\n  location / {{ try_files $uri @app; }}\n  location @app {{ proxy_pass {target}; }}\n}}"
            ),
        )]
    };
    let cases = [
        ("one slot", to("http://unix:/var/webapps/five/releases/a/run/app.sock")),
        ("one slot's own socket", to("http://unix:/run/five-web/b.sock:/")),
        ("the same by another name", to("http://unix:/var/run/five-web/b.sock")),
        ("one slot in an upstream", vec![nginx("1.22.1", &pool("").replace("current", "b"))]),
        ("another app's socket", to("http://unix:/run/six-web/b.sock")),
        ("a port, as before", to("http://127.0.0.1:8000")),
        ("a socket of its own", to("http://unix:/var/webapps/five/shared/app.sock")),
        ("by a variable", to("http://$app")),
        ("a variable in the path", to("http://unix:/var/webapps/five-$b/releases/current/run/app.sock")),
        ("files alone", vec![nginx("1.22.1", "server { root /var/webapps/five/releases/current/static; }")]),
        (
            "another app alone",
            vec![nginx(
                "1.22.1",
                "server { root /var/webapps/five-old; location / { proxy_pass http://127.0.0.1:8000; } }",
            )],
        ),
        ("another web server leads there", {
            let mut both = to("http://127.0.0.1:8000");
            both.push(caddy(":80 {\n\treverse_proxy unix//var/webapps/five/releases/current/run/app.sock {\n\t\ttransport http {\n\t\t\tkeepalive off\n\t\t}\n\t}\n}\n"));
            both
        }),
        ("a file can't be read", {
            let mut closed = to("http://127.0.0.1:8000");
            closed[0].is_whole = false;
            closed
        }),
        (
            "what isn't ended",
            vec![nginx(
                "1.30.4",
                "upstream app { server unix:/var/webapps/five/releases/current/run/app.sock;",
            )],
        ),
        (
            "what goes round",
            vec![nginx("1.30.4", "include /etc/nginx/sites-enabled/*;\ninclude /etc/nginx/nginx.conf;")],
        ),
    ];
    assert_snapshot!(said(&cases), @r#"
    one slot
      nginx sends requests to /var/webapps/five/releases/a/run/app.sock, which is the socket of one release: a switch changes nothing for visitors (/etc/nginx/sites-enabled/five)
        send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    one slot's own socket
      nginx sends requests to /run/five-web/b.sock, which is the socket of one release: a switch changes nothing for visitors (/etc/nginx/sites-enabled/five)
        send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    the same by another name
      nginx sends requests to /run/five-web/b.sock, which is the socket of one release: a switch changes nothing for visitors (/etc/nginx/sites-enabled/five)
        send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    one slot in an upstream
      nginx sends requests to /var/webapps/five/releases/b/run/app.sock, which is the socket of one release: a switch changes nothing for visitors (/etc/nginx/sites-enabled/five)
        send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    another app's socket
      nginx sends requests for the app to http://unix:/run/six-web/b.sock, and no web server here sends any to /var/webapps/five/releases/current/run/app.sock (/etc/nginx/sites-enabled/five)
        send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    a port, as before
      nginx sends requests for the app to http://127.0.0.1:8000, and no web server here sends any to /var/webapps/five/releases/current/run/app.sock (/etc/nginx/sites-enabled/five)
        send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    a socket of its own
      nginx sends requests for the app to http://unix:/var/webapps/five/shared/app.sock, and no web server here sends any to /var/webapps/five/releases/current/run/app.sock (/etc/nginx/sites-enabled/five)
        send them by the link: `proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock;`, and reload nginx
    by a variable
    a variable in the path
    files alone
    another app alone
    another web server leads there
    a file can't be read
    what isn't ended
    what goes round
    "#);
}

#[test]
fn haproxy_keeps_connections() {
    let to = |defaults: &str, section: &str, server: &str| {
        vec![haproxy(&format!(
            "global\n  log /dev/log local0\n  user haproxy\n  maxconn 2000\n\ndefaults\n  mode http\n  {defaults}\n\nfrontend web\n  bind :80\n  \
             default_backend five\n\nbackend five\n  option httpchk GET /healthz\n  {section}\n  server app {server} check # the app\n"
        ))]
    };
    let link = "/var/webapps/five/releases/current/run/app.sock";
    let by_link = format!("unix@{link}");
    let cases = [
        ("as it does by itself", to("", "", &by_link)),
        ("a plain path", to("", "", link)),
        ("closes", to("", "option http-server-close", &by_link)),
        ("closes by default", to("option http-server-close", "", &by_link)),
        (
            "closes for whoever asks, if not for this",
            to("option http-server-close", "no option http-server-close", &by_link),
        ),
        ("never reuses", to("", "http-reuse never", &by_link)),
        ("never reuses, and closes", to("http-reuse never", "option http-server-close", &by_link)),
        ("no pool", to("", "", &format!("{by_link} pool-max-conn 0"))),
        ("no pool by default", to("default-server pool-max-conn 0", "", &by_link)),
        ("no pool, but each their own", to("http-reuse never", "", &format!("{by_link} pool-max-conn 0"))),
        ("connections as they are", to("", "mode tcp", &by_link)),
        ("another app", to("", "", "unix@/var/webapps/six/releases/current/run/app.sock")),
        ("a port", to("", "", "127.0.0.1:8000")),
        ("one slot", to("", "", "unix@/run/five-web/a.sock")),
        ("another socket of the app's", to("", "", "unix@/var/webapps/five/shared/app.sock")),
        (
            "as Debian has it",
            vec![haproxy(&format!(
                "global\n\tchroot /var/lib/haproxy\n\tstats socket /run/haproxy/admin.sock mode 660 level admin\ndefaults\n\tmode\thttp\n\
                 listen five\n\tbind :80\n\toption http-server-close\n\tserver app unix@{link}\n"
            ))],
        ),
        (
            "named defaults",
            vec![haproxy(&format!(
                "defaults closing\n  mode http\n  option httpclose\ndefaults keeping\n  mode http\nbackend one from closing\n  server app {link}\n\
                 backend two\n  server app {link}\npeers others\n  server app {link}\n"
            ))],
        ),
    ];
    assert_snapshot!(said(&cases), @r#"
    as it does by itself
      HAProxy keeps connections to the old release after a switch: backend five has no `option http-server-close` (/etc/haproxy/haproxy.cfg)
        add that option, and reload HAProxy
    a plain path
      HAProxy keeps connections to the old release after a switch: backend five has no `option http-server-close` (/etc/haproxy/haproxy.cfg)
        add that option, and reload HAProxy
    closes
    closes by default
    closes for whoever asks, if not for this
    never reuses
      HAProxy keeps connections to the old release after a switch: backend five has no `option http-server-close` (/etc/haproxy/haproxy.cfg)
        add that option, and reload HAProxy
    never reuses, and closes
    no pool
    no pool by default
    no pool, but each their own
      HAProxy keeps connections to the old release after a switch: backend five has no `option http-server-close` (/etc/haproxy/haproxy.cfg)
        add that option, and reload HAProxy
    connections as they are
    another app
    a port
    one slot
      HAProxy sends requests to /run/five-web/a.sock, which is the socket of one release: a switch changes nothing for visitors (/etc/haproxy/haproxy.cfg)
        send them by the link: `server app unix@/var/webapps/five/releases/current/run/app.sock`, and reload HAProxy
    another socket of the app's
      HAProxy sends requests for the app to unix@/var/webapps/five/shared/app.sock, and no web server here sends any to /var/webapps/five/releases/current/run/app.sock (/etc/haproxy/haproxy.cfg)
        send them by the link: `server app unix@/var/webapps/five/releases/current/run/app.sock`, and reload HAProxy
    as Debian has it
      HAProxy can't find /var/webapps/five/releases/current/run/app.sock, as it sees only what is in /var/lib/haproxy: it answers 503 (/etc/haproxy/haproxy.cfg)
        take `chroot` out of `global`, and restart HAProxy
    named defaults
      HAProxy keeps connections to the old release after a switch: backend two has no `option http-server-close` (/etc/haproxy/haproxy.cfg)
        add that option, and reload HAProxy
    "#);
}

#[test]
fn caddy_keeps_connections() {
    let link = "unix//var/webapps/five/releases/current/run/app.sock";
    let cases = [
        ("as it does by itself", vec![caddy(&format!("five.example.com {{\n\treverse_proxy {link}\n}}\n"))]),
        ("without a block", vec![caddy(&format!("five.example.com\n\nreverse_proxy {link}\n"))]),
        (
            "keeps none",
            vec![caddy(&format!(
                "five.example.com {{\n\treverse_proxy /api/* {link} {{\n\t\theader_up X-Real-IP {{remote_host}}\n\t\ttransport http {{\n\t\t\tkeepalive off\n\t\t}}\n\t}}\n}}\n"
            ))],
        ),
        (
            "keeps some",
            vec![caddy(&format!(
                "import sites/*\n{{\n\tadmin off\n}}\nfive.example.com {{\n\thandle {{\n\t\treverse_proxy {{\n\t\t\tto {link}\n\t\t\ttransport http {{\n\t\t\t\tkeepalive 30s\n\t\t\t}}\n\t\t}}\n\t}}\n}}\n"
            ))],
        ),
        (
            "by a snippet",
            vec![caddy(&format!(
                "(none) {{\n\ttransport http {{\n\t\tkeepalive off\n\t}}\n}}\nfive.example.com {{\n\treverse_proxy {link} {{\n\t\timport none\n\t}}\n}}\n"
            ))],
        ),
        (
            "by a snippet that can't be read",
            vec![caddy(&format!(
                "five.example.com {{\n\treverse_proxy {link} {{\n\t\timport elsewhere\n\t}}\n}}\n"
            ))],
        ),
        ("one slot", vec![caddy("five.example.com {\n\treverse_proxy unix//run/five-web/a.sock\n}\n")]),
        (
            "a port, as before",
            vec![caddy(
                "five.example.com {\n\troot * /var/webapps/five/shared/static\n\treverse_proxy localhost:8000\n}\n",
            )],
        ),
        (
            "another app's",
            vec![caddy(
                "six.example.com {\n\treverse_proxy unix//var/webapps/six/releases/current/run/app.sock\n}\n",
            )],
        ),
    ];
    assert_snapshot!(said(&cases), @r#"
    as it does by itself
      Caddy keeps connections to the old release after a switch: `reverse_proxy` has no `keepalive off` (/etc/caddy/Caddyfile)
        put a block `transport http` with `keepalive off` into it, and reload Caddy
    without a block
      Caddy keeps connections to the old release after a switch: `reverse_proxy` has no `keepalive off` (/etc/caddy/Caddyfile)
        put a block `transport http` with `keepalive off` into it, and reload Caddy
    keeps none
    keeps some
      Caddy keeps connections to the old release after a switch: `reverse_proxy` has no `keepalive off` (/etc/caddy/Caddyfile)
        put a block `transport http` with `keepalive off` into it, and reload Caddy
    by a snippet
    by a snippet that can't be read
    one slot
      Caddy sends requests to /run/five-web/a.sock, which is the socket of one release: a switch changes nothing for visitors (/etc/caddy/Caddyfile)
        send them by the link: `reverse_proxy unix//var/webapps/five/releases/current/run/app.sock`, and reload Caddy
    a port, as before
      Caddy sends requests for the app to localhost:8000, and no web server here sends any to /var/webapps/five/releases/current/run/app.sock (/etc/caddy/Caddyfile)
        send them by the link: `reverse_proxy unix//var/webapps/five/releases/current/run/app.sock`, and reload Caddy
    another app's
    "#);
}

/// Wherever a text ends: what keeps no connections is never said to.
#[test]
fn what_is_cut_off_is_held_against_nobody() {
    let says = "# }\n  keepalive 0;\n  access_by_lua_block { local t = { '}' }; return t }\n  zone \"a \\\" } b\" 64k; x ${y}z { 1; }";
    let site = pool(says);
    let link = "unix//var/webapps/five/releases/current/run/app.sock";
    let caddyfile = format!(
        "a.example.com {{\n\treverse_proxy `{link}` {{\n\t\theader_up X \"{{ }}\" \\\n\t\t\ty{{$Z}}\n\t\ttransport http {{\n\t\t\tkeepalive off\n\t\t}}\n\t}}\n}}\n"
    );
    for (text, server) in
        [(site.as_str(), (|text| nginx("1.30.4", text)) as fn(&str) -> WebServer), (&caddyfile, caddy)]
    {
        for cut in 0..=text.len() {
            let found = traps(&[server(&text[..cut])], &path("/var/webapps/five"), &sockets());
            assert_eq!(found, [], "{}", &text[..cut]);
        }
    }
    // All of it is understood.
    let kept = [
        nginx("1.30.4", &site.replace("keepalive 0", "keepalive 1")),
        caddy(&caddyfile.replace("off", "1m")),
    ];
    assert_eq!(traps(&kept, &path("/var/webapps/five"), &sockets()).len(), 2);
}

/// What a look tells of each web server, by every shell.
#[track_caller]
fn look(place: &Place, scope: Scope, has_web_servers: bool) -> String {
    let root = place.root().display().to_string();
    let also = AlsoLookAt { has_web_servers, ..AlsoLookAt::default() };
    let script = inspect_script(&place.layout, scope, &also);
    let script = ["haproxy", "caddy"].iter().fold(script, |script, name| {
        script.replace(&format!("/etc/{name}/"), &format!("'{root}'/etc/{name}/"))
    });
    let script = format!("PATH='{root}/bin':$PATH\n{script}");
    let seen = shells().map(|shell| {
        let output = shell.run(&script, &place.root());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", shell.name);
        let facts = HostFacts::parse(&output.stdout, &place.layout, Timestamp::UNIX_EPOCH).expect("facts");
        let mut told = String::new();
        for WebServer { software, version, files, is_whole } in facts.web_servers {
            let _ = writeln!(told, "{software} {version:?}, {}", if is_whole { "all" } else { "not all" });
            for ConfigFile { path, text } in files {
                let _ = writeln!(told, "  {path}: {:?}", &text[..text.len().min(60)]);
            }
        }
        told.replace(&root, "ROOT")
    });
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:?}");
    seen[0].clone()
}

/// A host whose nginx is told this, in a folder of its own; with an HAProxy and a Caddy that have no configuration.
fn host_of(nginx: &str) -> Place {
    let place = Place::with_room("five");
    place.by_hand(
        "mkdir bin etc etc/nginx etc/nginx/conf.d 'etc/nginx/sites on' etc/haproxy etc/caddy
        printf '#!/bin/sh\\n[ \"$*\" = -V ] || exit 9\\necho \"nginx version: nginx/1.22.1 (Debian)\nconfigure arguments: --prefix=/x --conf-path='$PWD'/etc/nginx/nginx.conf --user=x\" >&2\\n' >bin/nginx
        printf '#!/bin/sh\\nexit 9\\n' | tee bin/haproxy >bin/caddy
        chmod +x bin/*",
    );
    std::fs::write(place.root().join("etc/nginx/nginx.conf"), nginx).expect("it is written");
    place
}

const MAIN: &str = "# The main one.\nhttp {\n  # include no.conf;\n\n  include conf.d/*.conf;\n  include 'sites on/*';\n  include none/*.conf; include extra.conf; }\n";

#[test]
fn what_is_read_of_web_servers() {
    let place = host_of(MAIN);
    place.by_hand(
        "cd etc; echo 'server { listen 80; }' >nginx/conf.d/one.conf; echo x >nginx/conf.d/one.bak; echo y >nginx/no.conf; echo z >nginx/extra.conf
        printf 'server {\\n\\tlisten 81;\\n\\tinclude conf.d/one.conf; # again\\n\\tinclude snippets/*; }\\n' >'nginx/sites on/two three'
        mkdir nginx/conf.d/folder.conf; mkfifo nginx/conf.d/pipe.conf
        mkdir haproxy/conf.d; printf 'global # x\\n\\tdaemon\\n' >haproxy/haproxy.cfg; echo 'backend five' >haproxy/conf.d/five.cfg
        mkdir caddy/sites; printf '(x) {\\n}\\nimport sites/*.caddy\\n' >caddy/Caddyfile; printf 'import *.more\\nimport x\\n' >caddy/sites/five.caddy; echo ':80' >caddy/sites/a.more",
    );
    assert_snapshot!(look(&place, Scope::Full, true), @r#"
    nginx Some([1, 22, 1]), all
      ROOT/etc/nginx/nginx.conf: "http {\n  include conf.d/*.conf;\n  include 'sites on/*';\n  in"
      ROOT/etc/nginx/conf.d/one.conf: "server { listen 80; }\n"
      ROOT/etc/nginx/sites on/two three: "server {\n\tlisten 81;\n\tinclude conf.d/one.conf; # again\n\tincl"
      ROOT/etc/nginx/extra.conf: "z\n"
    HAProxy None, all
      ROOT/etc/haproxy/haproxy.cfg: "global # x\n\tdaemon\n"
      ROOT/etc/haproxy/conf.d/five.cfg: "backend five\n"
    Caddy None, all
      ROOT/etc/caddy/Caddyfile: "(x) {\n}\nimport sites/*.caddy\n"
      ROOT/etc/caddy/sites/five.caddy: "import *.more\nimport x\n"
      ROOT/etc/caddy/sites/a.more: ":80\n"
    "#);
    assert_eq!(look(&place, Scope::Full, false), "");
    assert_eq!(look(&place, Scope::Plan, true), "");
}

#[test]
fn no_more_is_read_than_fits() {
    let place = host_of(MAIN);
    place.by_hand(
        "cd etc/nginx/conf.d; head -c 40000 /dev/zero | tr '\\000' 'a' | tee a.conf >b.conf; echo c >c.conf
        { yes '# a comment' | head -n 9000; echo d; } >d.conf",
    );
    assert_snapshot!(look(&place, Scope::Full, true), @r#"
    nginx Some([1, 22, 1]), not all
      ROOT/etc/nginx/nginx.conf: "http {\n  include conf.d/*.conf;\n  include 'sites on/*';\n  in"
      ROOT/etc/nginx/conf.d/a.conf: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      ROOT/etc/nginx/conf.d/c.conf: "c\n"
      ROOT/etc/nginx/conf.d/d.conf: "d\n"
    "#);
    place.by_hand(
        "rm etc/nginx/conf.d/*; for n in $(seq 1000 1300); do echo x >etc/nginx/conf.d/$n.conf; done",
    );
    let told = look(&place, Scope::Full, true);
    assert!(told.starts_with("nginx Some([1, 22, 1]), not all\n") && told.lines().count() == 201, "{told}");
}

/// A host without web servers says nothing, and one whose nginx has none of its files says so.
#[test]
fn nothing_is_read_where_there_is_nothing() {
    let place = host_of("");
    place.by_hand("rm etc/nginx/nginx.conf");
    assert_eq!(look(&place, Scope::Full, true), "nginx Some([1, 22, 1]), all\n");
    place.by_hand("printf '#!/bin/sh\\nexit 127\\n' >bin/nginx");
    assert_eq!(look(&place, Scope::Full, true), "");
}

/// Only what an app hands over by is looked for.
#[test]
fn only_apps_with_a_socket_for_each_slot_ask() {
    let asks = |text: &str| {
        let settings = fleet(text, 1);
        let script = look_script(&settings, &settings.hosts[0], Scope::Full);
        script.contains("web_server nginx")
    };
    assert!(asks("service = \"none\"\n[services.web]\ncommand = \"serve\"\ncutover = \"socket\""));
    assert!(!asks("service = \"none\"\n[services.web]\ncommand = \"serve\"\ncutover = \"restart\""));
    assert!(!asks("service = \"none\"\n[services.web]\ncommand = \"serve\""));
}
