//! Hosts, from what is written to what is reached.

use super::*;

#[test]
fn hosts_from_strings() {
    insta::assert_snapshot!(hosts(r#""web1", "deploy@web2:1222", "[::1]", "ada@[fe80::1]:22""#), @r#"
    web1: web1 {"web"} /var/webapps/five ssh
    web2: deploy@web2 1222 {"web"} /var/webapps/five ssh
    ::1: ::1 {"web"} /var/webapps/five ssh
    fe80::1: ada@fe80::1 22 {"web"} /var/webapps/five ssh
    "#);
    insta::assert_snapshot!(hosts(r#""web[08:10].example.com", "db[a:b]""#), @r#"
    web08.example.com: web08.example.com {"web"} /var/webapps/five ssh
    web09.example.com: web09.example.com {"web"} /var/webapps/five ssh
    web10.example.com: web10.example.com {"web"} /var/webapps/five ssh
    dba: dba {"web"} /var/webapps/five ssh
    dbb: dbb {"web"} /var/webapps/five ssh
    "#);
    insta::assert_snapshot!(hosts(""), @"");
}

#[test]
fn one_address_with_many_ports_has_many_names() {
    insta::assert_snapshot!(hosts(r#""127.0.0.1:2201", "127.0.0.1:2202", "127.0.0.1", "[::1]:1", "[::1]:2", "web1:9""#), @r#"
    127.0.0.1:2201: 127.0.0.1 2201 {"web"} /var/webapps/five ssh
    127.0.0.1:2202: 127.0.0.1 2202 {"web"} /var/webapps/five ssh
    127.0.0.1: 127.0.0.1 {"web"} /var/webapps/five ssh
    [::1]:1: ::1 1 {"web"} /var/webapps/five ssh
    [::1]:2: ::1 2 {"web"} /var/webapps/five ssh
    web1: web1 9 {"web"} /var/webapps/five ssh
    "#);
    insta::assert_snapshot!(hosts(r#""web1:22", "ada@web1:22""#), @r#"
    error: there are two hosts called `web1`
     --> buedafab.toml:3:21
      |
    3 | hosts = ["web1:22", "ada@web1:22"]
      |                     ^^^^^^^^^^^^^
      |
      = help: leave one out, or tell them apart: `{ name = "…", address = "…" }`
    "#);
    insta::assert_snapshot!(hosts(r#""web[1:3]", "web2""#), @r#"
    error: there are two hosts called `web2`
     --> buedafab.toml:3:22
      |
    3 | hosts = ["web[1:3]", "web2"]
      |                      ^^^^^^
      |
      = help: leave one out, or tell them apart: `{ name = "…", address = "…" }`
    "#);
}

#[test]
fn hosts_from_tables() {
    insta::assert_snapshot!(hosts(r#"{ name = "web1" }"#), @r#"web1: web1 {"web"} /var/webapps/five ssh"#);
    insta::assert_snapshot!(
        hosts(r#"{ name = "w[1:2]", address = "{name}.{environment}.example.com", port = 1222, user = "ada", roles = ["worker", "web"], path = "/srv/{unit}/{name}", connect = "docker exec -i -u {user} {host} sh" }"#), @r#"
    w1: ada@w1.x.example.com 1222 {"web", "worker"} /srv/five/w1 docker·exec·-i·-u·ada·w1·sh
    w2: ada@w2.x.example.com 1222 {"web", "worker"} /srv/five/w2 docker·exec·-i·-u·ada·w2·sh
    "#);
    insta::assert_snapshot!(hosts(r#"{ name = "six", address = "[::1]" }, { name = "::1" }"#), @r#"
    six: ::1 {"web"} /var/webapps/five ssh
    ::1: ::1 {"web"} /var/webapps/five ssh
    "#);
}

#[test]
fn hosts_from_an_array_of_tables() {
    let text = "
        unit = 'five'
        [[environments.x.hosts]]
        name = 'web1'
        [[environments.x.hosts]]
        name = 'web2'
        port = 22
    ";
    insta::assert_snapshot!(hosts_of("x", text), @r#"
    web1: web1 {"web"} /var/webapps/five ssh
    web2: web2 22 {"web"} /var/webapps/five ssh
    "#);
}

#[test]
fn connect_holds_for_all_hosts_that_say_nothing_else() {
    let text = "
        unit = 'five'
        connect = 'nc {address} 7'
        [environments.x]
        hosts = ['a', { name = 'b', connect = 'ssh' }]
        [environments.y]
        connect = 'docker exec -i {host} sh'
        hosts = ['a', { name = 'b', connect = 'sh' }]
    ";
    insta::assert_snapshot!(hosts_of("x", text), @r#"
    a: a {"web"} /var/webapps/five nc·a·7
    b: b {"web"} /var/webapps/five ssh
    "#);
    insta::assert_snapshot!(hosts_of("y", text), @r#"
    a: a {"web"} /var/webapps/five docker·exec·-i·a·sh
    b: b {"web"} /var/webapps/five sh
    "#);
    insta::assert_snapshot!(hosts_of("localhost", text), @r#"localhost: localhost {"web"} /var/webapps/five sh"#);
    insta::assert_snapshot!(hosts_of("localhost", "unit = 'five'\nenvironments.localhost.connect = 'dash -e'"), @r#"localhost: localhost {"web"} /var/webapps/five dash·-e"#);
    insta::assert_snapshot!(hosts_of("localhost", "unit = 'five'\nenvironments.localhost.hosts = ['a']"), @r#"a: a {"web"} /var/webapps/five ssh"#);
}

#[test]
fn wrong_hosts() {
    insta::assert_snapshot!(told_of("unit = 'five'\n[environments.production]\nhosts = […]", &[
        "'web[1:3', 'web1:0'",
        "'deploy@web[1:20000]'",
        "'a[1:6000]', 'b[1:6000]'",
        "'-oProxyCommand=x'",
        "'web1', 'web1'",
        "'web1', { name = 'web1', address = 'x' }",
        "{ name = 'a', adress = 'b' }",
        "{ address = 'b' }",
        "{ name = 'a', port = 0 }",
        "{ name = 'a', port = 65536 }",
        "{ name = 'a', address = '-b' }",
        "{ name = 'a', address = '{nam}' }",
        "{ name = 'a', user = '-l' }",
        "{ name = 'a', roles = [] }",
        "{ name = 'a', roles = ['a b'] }",
        "{ name = 'a', path = 'b' }",
        "{ name = 'a', path = '/b/../{name}' }",
        "{ name = 'ada@a' }",
        "{ name = 'a:22' }",
        "{ name = 'a', connect = 'sh {port}' }",
    ]), @r#"
    'web[1:3', 'web1:0'
    [ → a `[` without its `]`; ranges look like `web[1:3]`, `web[01:20]` or `db[a:c]`
    :0 → `0` isn't a port; a port is a number from 1 to 65535

    'deploy@web[1:20000]'
    'deploy@web[1:20000]' → these are more than 10,000 hosts; is there a digit too many?

    'a[1:6000]', 'b[1:6000]'
    'b[1:6000]' → these are more than 10,000 hosts; is there a digit too many?

    '-oProxyCommand=x'
    - → ssh would take this host for an option; a host's name can't begin with `-`

    'web1', 'web1'
    'web1' → there are two hosts called `web1`; leave one out, or tell them apart: `{ name = "…", address = "…" }`

    'web1', { name = 'web1', address = 'x' }
    { name = 'web1', address = 'x' } → there are two hosts called `web1`; leave one out, or tell them apart: `{ name = "…", address = "…" }`

    { name = 'a', adress = 'b' }
    adress → a host has no key `adress`; did you mean `address`?

    { address = 'b' }
    { address = 'b' } → this host has no name; add `name = "web1"`

    { name = 'a', port = 0 }
    0 → 0 is too small; the smallest is 1

    { name = 'a', port = 65536 }
    65536 → 65536 is too large; the largest is 65535

    { name = 'a', address = '-b' }
    - → ssh would take `-b` for an option; an address can't begin with `-`

    { name = 'a', address = '{nam}' }
    {nam} → `{nam}` isn't a placeholder here; did you mean `{name}`?

    { name = 'a', user = '-l' }
    -l → `-l` isn't the name of a user; it has no spaces and doesn't begin with `-`

    { name = 'a', roles = [] }
    [] → a host needs a role; leave `roles` out for `["web"]`, or name one

    { name = 'a', roles = ['a b'] }
    'a b' → "a b" can't be a role: only letters, digits, `_`, `-` and `.` may stand in it

    { name = 'a', path = 'b' }
    'b' → `b` isn't an absolute path; begin it with `/`, as in `/var/webapps/{unit}`

    { name = 'a', path = '/b/../{name}' }
    '/b/../{name}' → "/b/../a" can't be a path on a host: it leads through `.` or `..`

    { name = 'ada@a' }
    @ → `@` can't stand in a host's name; the user has a key of its own: `user = "deploy"`

    { name = 'a:22' }
    { name = 'a:22' } → `a:22` names a host and a port; the port has a key of its own: `port = 1222`

    { name = 'a', connect = 'sh {port}' }
    'sh {port}' → `{port}` has no value for the host `a`; give the host a port, or leave `{port}` out
    "#);
}

#[test]
fn the_guilty_part_of_a_host_is_underlined() {
    insta::assert_snapshot!(mistakes("[environments.production]\nhosts = [\"web0\", \"deploy@web[3:1]:1222\"]\n"), @r#"
    error: `[3:1]` runs backwards
     --> buedafab.toml:2:29
      |
    2 | hosts = ["web0", "deploy@web[3:1]:1222"]
      |                             ^^^^^
      |
      = help: write `[1:3]`
    "#);
}

#[test]
fn two_hosts_of_one_name() {
    insta::assert_snapshot!(mistakes("unit = \"five\"\n[environments.production]\nhosts = [\n  \"web[1:3]\",\n  \"web2\",\n]\n"), @r#"
    error: there are two hosts called `web2`
     --> buedafab.toml:5:3
      |
    5 |   "web2",
      |   ^^^^^^
      |
      = help: leave one out, or tell them apart: `{ name = "…", address = "…" }`
    "#);
}
