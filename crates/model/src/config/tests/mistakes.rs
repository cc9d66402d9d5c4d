//! What is said about settings that are wrong.

use super::*;

#[test]
fn an_unknown_setting() {
    insta::assert_snapshot!(mistakes("unit = \"five\"\n\nstrateg = \"ab\"\n"), @r#"
    error: unknown setting `strateg`
     --> buedafab.toml:3:1
      |
    3 | strateg = "ab"
      | ^^^^^^^
      |
      = help: did you mean `strategy`?
    "#);
}

#[test]
fn an_unknown_setting_far_from_all() {
    insta::assert_snapshot!(mistakes("colour = \"red\"\n"), @r#"
    error: unknown setting `colour`
     --> buedafab.toml:1:1
      |
    1 | colour = "red"
      | ^^^^^^
      |
      = help: `buedafab config` shows all that there are
    "#);
}

#[test]
fn the_right_key_in_the_wrong_table() {
    check_mistakes(
        "restart = 'x'",
        "restart → unknown setting `restart`; `restart` is a hook: write it below `[hooks]`",
    );
    check_mistakes(
        "on_failure = 'x'",
        "on_failure → unknown setting `on_failure`; `on_failure` runs on your own machine: write it below `[hooks.local]`",
    );
    check_mistakes(
        "[hooks]\nwaves = [1]",
        "waves → unknown hook `waves`; `waves` isn't a hook: write it above the first line in square brackets",
    );
    check_mistakes(
        "[production]\n",
        "production → unknown setting `production`; write `[environments.production]`",
    );
    check_mistakes(
        "hosts = ['web1']",
        "hosts → `hosts` belongs to an environment; write it below `[environments.NAME]`, where NAME is `localhost`, `development`, `staging` or `production`",
    );
    check_mistakes(
        "[environments.production]\nhost = 'a'",
        "host → unknown setting `host`; did you mean `hosts`?",
    );
}

#[test]
fn a_runner_that_ran_nothing_is_refused() {
    check_mistakes(
        "test_runner = 'webpy'",
        "'webpy' → `webpy` is no runner of tests: under Fabric it ran none; leave `test_runner` out; or write `pytest` or `unittest`, or a command",
    );
}

#[test]
fn many_mistakes_are_told_at_once() {
    let text = r#"
        unti = "five"
        waves = [0]
        forward_agent = "yes"
        lost_after_seconds = 2
        [hooks]
        biuld = "make"
        verify = [1]
        [hooks.local]
        befor = ""
        [variables]
        "1A" = "x"
        B = 3
        [environments.production]
        hosts = ["web[3:1]", "ok", { nam = "x" }, { port = 1 }, 7]
        path = "var"
        [environments.x]
        step_timeout_seconds = 0
    "#;
    insta::assert_snapshot!(told(text), @r#"
    unti → unknown setting `unti`; did you mean `unit`?
    0 → `0` isn't the size of a wave; write a number of hosts such as `2`, or a percentage from `"1%"` to `"100%"`
    "yes" → `forward_agent` takes `true` or `false`, not a string
    2 → 2 is too small; the smallest is 3
    biuld → unknown hook `biuld`; did you mean `build`?
    1 → `verify` takes a string, not a whole number; put it in quotes: `"1"`
    befor → unknown hook `befor`; did you mean `before`?
    "1A" → `1A` isn't the name of a variable; use letters, digits and `_`, and don't begin with a digit
    3 → `B` takes a string, not a whole number; put it in quotes: `"3"`
    [3:1] → `[3:1]` runs backwards; write `[1:3]`
    nam → a host has no key `nam`; did you mean `name`?
    { port = 1 } → this host has no name; add `name = "web1"`
    7 → `hosts` takes a string or a table, not a whole number
    "var" → `var` isn't an absolute path; begin it with `/`, as in `/var/webapps/{unit}`
    0 → 0 is too small; the smallest is 1
    "#);
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(told_of("…", &[
        "unit = 3",
        "scm = 2026-01-01",
        "release_paths = 'a'",
        "hooks = 'make'",
        "hooks.build = 1",
        "hooks.build = {}",
        "variables = []",
        "waves = ['1%', true]",
        "waves = 2",
        "forward_agent = 'true'",
        "forward_agent = 'yes'",
        "step_timeout_seconds = '60'",
        "step_timeout_seconds = 1.5",
        "environments = 3",
        "[environments]\nproduction = 'web1'",
        "[environments.production]\nhosts = 'web1'",
        "[environments.production]\nhosts = [3]",
        "[environments.production]\nhosts = [{ name = 3 }]",
        "[environments.production]\nhosts = [{ name = 'a', port = '22' }]",
        "[environments.production]\nhosts = [{ name = 'a', roles = 'web' }]",
        "[environments.production]\nhosts = { name = 'a' }",
    ]), @r#"
    unit = 3
    3 → `unit` takes a string, not a whole number; put it in quotes: `"3"`

    scm = 2026-01-01
    2026-01-01 → `scm` takes a string, not a date or time; put it in quotes: `"2026-01-01"`

    release_paths = 'a'
    'a' → `release_paths` takes a list, not a string; put it in square brackets: `['a']`

    hooks = 'make'
    'make' → `hooks` takes a table, not a string

    hooks.build = 1
    1 → `build` takes a command or a list of commands, not a whole number

    hooks.build = {}
    {} → `build` takes a command or a list of commands, not a table

    variables = []
    [] → `variables` takes a table, not a list

    waves = ['1%', true]
    true → `waves` takes a number of hosts or a percentage, not a boolean

    waves = 2
    2 → `waves` takes a list, not a whole number; put it in square brackets: `[2]`

    forward_agent = 'true'
    'true' → `forward_agent` takes `true` or `false`, not a string; write it without quotes: `true`

    forward_agent = 'yes'
    'yes' → `forward_agent` takes `true` or `false`, not a string

    step_timeout_seconds = '60'
    '60' → `step_timeout_seconds` takes a whole number, not a string; write it without quotes: `60`

    step_timeout_seconds = 1.5
    1.5 → `step_timeout_seconds` takes a whole number, not a decimal number

    environments = 3
    3 → `environments` takes tables; begin one with `[environments.production]`

    [environments]
    production = 'web1'
    'web1' → the environment `production` takes a table; write its settings below `[environments.production]`

    [environments.production]
    hosts = 'web1'
    'web1' → `hosts` takes a list, not a string; put it in square brackets: `['web1']`

    [environments.production]
    hosts = [3]
    3 → `hosts` takes a string or a table, not a whole number

    [environments.production]
    hosts = [{ name = 3 }]
    3 → `name` takes a string, not a whole number; put it in quotes: `"3"`

    [environments.production]
    hosts = [{ name = 'a', port = '22' }]
    '22' → `port` takes a whole number, not a string; write it without quotes: `22`

    [environments.production]
    hosts = [{ name = 'a', roles = 'web' }]
    'web' → `roles` takes a list, not a string; put it in square brackets: `['web']`

    [environments.production]
    hosts = { name = 'a' }
    { name = 'a' } → `hosts` takes a list, not a table; put it in square brackets: `[{ name = 'a' }]`
    "#);
}

#[test]
fn wrong_values() {
    insta::assert_snapshot!(told_of("…", &[
        "unit = 'a/b'",
        "unit = ''",
        "path = 'srv'",
        "path = '/srv/{unti}'",
        "path = \"/srv/\\u0078{host}\"",
        "unit = 'x'\npath = '/srv/../{unit}'",
        "unit = 'x'\npath = '/'",
        "scm = '-oProxyCommand=x'",
        "scm = ' '",
        "scm_http_url = 'github.com/x'",
        "scm_known_hosts = [\"a\\nb\"]",
        "master_remote = '--all'",
        "strategy = 'abc'",
        "source = 'rsync'",
        "service = 'sytemd:five'",
        "service = 'systemd:{host}'",
        "releases_root = 'a/b'",
        "unit = 'x'\nreleases_root = 'shared'",
        "current_release_symlink = '-c'",
        "virtualenv = '..'",
        "deploy_group = 'www data'",
        "deployment_type = \"a\\u0000b\"",
        "lost_after_seconds = -1",
        "step_timeout_seconds = 9223372036854775807",
        "keep_warm_seconds = 99999999999999999999",
        "waves = ['0%']",
        "waves = ['101%']",
        "waves = [-1, 1]",
        "waves = [99999999999999999999]",
        "batch = 0",
        "unit = 'x'\nwaves = [1, '100%']\nbatch = 2",
        "variables.DEPLOYMENT_TYPE = 'x'",
        "variables.A = \"\\u0000\"",
        "hooks.build = ''",
        "hooks.build = ['make', ' ']",
        "connect = \"sh -c 'x\"",
        "connect = 'docker exec {hots} sh'",
        "[environments.'-x']",
        "[environments.'a b']",
    ]), @r#"
    unit = 'a/b'
    'a/b' → "a/b" can't be a unit: a file can't have this name

    unit = ''
    '' → "" can't be a unit: it is empty

    path = 'srv'
    'srv' → `srv` isn't an absolute path; begin it with `/`, as in `/var/webapps/{unit}`

    path = '/srv/{unti}'
    {unti} → `{unti}` isn't a placeholder here; did you mean `{unit}`?

    path = "/srv/\u0078{host}"
    "/srv/\u0078{host}" → `{host}` isn't a placeholder here; write `{unit}` or `{environment}`; `{{` and `}}` stand for braces

    unit = 'x'
    path = '/srv/../{unit}'
    '/srv/../{unit}' → "/srv/../x" can't be a path on a host: it leads through `.` or `..`

    unit = 'x'
    path = '/'
    '/' → "/" can't be a path on a host: it is the root of the file system

    scm = '-oProxyCommand=x'
    - → commands would take `-oProxyCommand=x` for an option; it can't begin with `-`

    scm = ' '
    ' ' → this is empty; leave the line out, or write a value

    scm_http_url = 'github.com/x'
    'github.com/x' → `github.com/x` isn't the address of a web page; write it like `https://github.com/bueda/five`

    scm_known_hosts = ["a\nb"]
    "a\nb" → this has to be exactly one line; write a list with one string per line

    master_remote = '--all'
    - → commands would take `--all` for an option; it can't begin with `-`

    strategy = 'abc'
    'abc' → `strategy` can't be `abc`; did you mean `ab`?

    source = 'rsync'
    'rsync' → `source` can't be `rsync`; write `fetch`, `bundle` or `archive`

    service = 'sytemd:five'
    sytemd → `sytemd:five` isn't a service; did you mean `systemd`?

    service = 'systemd:{host}'
    {host} → `{host}` isn't a placeholder here; write `{unit}`, `{environment}` or `{deployment_type}`; `{{` and `}}` stand for braces

    releases_root = 'a/b'
    'a/b' → `a/b` isn't the plain name of a folder; write one name, without `/` and not beginning with `-`

    unit = 'x'
    releases_root = 'shared'
    'shared' → `shared` is used for something else in `path`; choose another folder; the default is `releases`

    current_release_symlink = '-c'
    '-c' → `-c` isn't the plain name of a folder; write one name, without `/` and not beginning with `-`

    virtualenv = '..'
    '..' → `..` isn't the plain name of a folder; write one name, without `/` and not beginning with `-`

    deploy_group = 'www data'
    'www data' → `www data` isn't a plain word; use letters, digits, `_`, `-` and `.`, and don't begin with `-`

    deployment_type = "a\u0000b"
    "a\u0000b" → a NUL byte can't stand in here

    lost_after_seconds = -1
    -1 → -1 is too small; the smallest is 3

    step_timeout_seconds = 9223372036854775807
    9223372036854775807 → 9223372036854775807 is too large; the largest is 604800

    keep_warm_seconds = 99999999999999999999
    99999999999999999999 → 99999999999999999999 is too large; the largest is 604800

    waves = ['0%']
    '0%' → `0%` isn't the size of a wave; write a number of hosts such as `2`, or a percentage from `"1%"` to `"100%"`

    waves = ['101%']
    '101%' → `101%` isn't the size of a wave; write a number of hosts such as `2`, or a percentage from `"1%"` to `"100%"`

    waves = [-1, 1]
    -1 → `-1` isn't the size of a wave; write a number of hosts such as `2`, or a percentage from `"1%"` to `"100%"`

    waves = [99999999999999999999]
    99999999999999999999 → `99999999999999999999` isn't the size of a wave; write a number of hosts such as `2`, or a percentage from `"1%"` to `"100%"`

    batch = 0
    0 → `0` isn't the size of a wave; write a number of hosts such as `2`, or a percentage from `"1%"` to `"100%"`

    unit = 'x'
    waves = [1, '100%']
    batch = 2
    2 → `waves` leaves no hosts for it: one of them takes "100%"; leave `"100%"` out of `waves`, or `batch` out

    variables.DEPLOYMENT_TYPE = 'x'
    DEPLOYMENT_TYPE → `DEPLOYMENT_TYPE` has a setting of its own; write `deployment_type = "…"` outside of `variables`

    variables.A = "\u0000"
    "\u0000" → a NUL byte can't stand in here

    hooks.build = ''
    '' → this command is empty; write `[]` to run nothing

    hooks.build = ['make', ' ']
    ' ' → this command is empty; write `[]` to run nothing

    connect = "sh -c 'x"
    "sh -c 'x" → a quote in `sh -c 'x` is never closed; quotes work as in a shell: close the quote, or write `\` before it

    connect = 'docker exec {hots} sh'
    {hots} → `{hots}` isn't a placeholder here; did you mean `{host}`?

    [environments.'-x']
    '-x' → "-x" can't be an environment: it would be taken for an option

    [environments.'a b']
    'a b' → "a b" can't be an environment: only letters, digits, `_`, `-` and `.` may stand in it
    "#);
}

#[test]
fn contradictions() {
    insta::assert_snapshot!(told_of("…", &[
        "",
        "unit = 'x'\nrelease_paths = ['a']",
        "unit = 'x'\nrelease_paths = ['a', 'b', 'a']",
        "unit = 'x'\nrelease_paths = ['a', 'current']",
        "unit = 'x'\nrelease_paths = ['a', 'b/c']",
        "unit = 'x'\nrelease_paths = ['current', 'b']",
        "unit = 'x'\ncurrent_release_symlink = 'b'",
        "unit = 'x'\nrelease_paths = ['c', 'd']\n[environments.production]\ncurrent_release_symlink = 'd'",
        "unit = 'x'\nshared_dirs = ['media', 'media/thumbs', 'mediate']\nshared_files = ['media', 'conf/a', '.env']\n[environments.production]\nshared_dirs = ['conf']",
        "unit = 'x'\nshared_dirs = ['media', 'media/thumbs', 'mediate']\nshared_files = ['media/a']",
        "unit = 'x'\nshared_dirs = ['media', 'media']\nshared_files = ['.env', 'media', 'conf', 'conf/a', '.git/config', 'env']\nrecipe = 'wsgi'",
        "unit = 'x'\nenv_file = 'conf'\nshared_dirs = ['conf']",
        "unit = 'x'\nenv_file = 'conf'\nshared_dirs = ['conf/d']",
        "unit = 'x'\nenv_file = 'conf/.env'\nshared_dirs = ['conf']\nshared_files = ['.env']",
        "unit = 'x'\nsource = 'bundle'\nforward_agent = true\nscm_known_hosts = ['git.example.com ssh-ed25519 AAAA']\nfetch_concurrency = 4\npartial_clone = true",
        "unit = 'x'\nsource = 'bundle'\nrecipe = 'wsgi'\nforward_agent = true\nscm_known_hosts = []",
        "unit = 'x'\nforward_agent = true\nfetch_concurrency = 0\n[environments.production]\nsource = 'bundle'",
        "unit = 'x'\nartifact = 'target/five'\n[hooks.local]\nbuild = 'make'",
        "unit = 'x'\nsource = 'archive'\nartifact = 'https://ci.example.com/five.tar.gz'\n[hooks.local]\nbuild = 'make'",
        "unit = 'x'\nsource = 'archive'\nartifact = 'https://ada:secret@ci.example.com/five.tar.gz'\nartifact_sha256 = 'abc'",
        "unit = 'x'\nsource = 'archive'\nartifact = 'https://ci.example.com/'",
        "unit = 'x'\nsource = 'archive'\nartifact = '../five'\nartifact_sha256 = '0000000000000000000000000000000000000000000000000000000000000000'",
        "unit = 'x'\nsource = 'archive'\nartifact_sha256 = '0000000000000000000000000000000000000000000000000000000000000000'",
        "unit = 'x'\nsource = 'archive'\nartifact = 'https://ci.example.com/five?x=1'\nartifact_sha256 = 'ABCDEF0000000000000000000000000000000000000000000000000000000000'",
        "unit = 'x'\nconnect = 'nc {address} {port}'\n[environments.production]\nhosts = ['a:1', 'b', 'c']",
        "unit = 'x'\nservice = 'systemd:{unit}'\npath = '/{unit}/..'\nrelease_paths = []",
    ]), @r#"

    nowhere → `unit` is missing; name the app in the first line of the file: `unit = "five"`

    unit = 'x'
    release_paths = ['a']
    ['a'] → `release_paths` needs two slots or more; one serves while another is prepared: `["a", "b"]`

    unit = 'x'
    release_paths = ['a', 'b', 'a']
    'a' → there are two slots called `a`; every slot is a folder of its own

    unit = 'x'
    release_paths = ['a', 'current']
    'current' → `current` can't be both a slot and the link to it; rename the slot in `release_paths`, or the link in `current_release_symlink`

    unit = 'x'
    release_paths = ['a', 'b/c']
    'b/c' → "b/c" can't be a slot: a file can't have this name

    unit = 'x'
    release_paths = ['current', 'b']
    'current' → `current` can't be both a slot and the link to it; rename the slot in `release_paths`, or the link in `current_release_symlink`

    unit = 'x'
    current_release_symlink = 'b'
    'b' → `b` can't be both a slot and the link to it; rename the slot in `release_paths`, or the link in `current_release_symlink`

    unit = 'x'
    release_paths = ['c', 'd']
    [environments.production]
    current_release_symlink = 'd'
    'd' → `d` can't be both a slot and the link to it; rename the slot in `release_paths`, or the link in `current_release_symlink`

    unit = 'x'
    shared_dirs = ['media', 'media/thumbs', 'mediate']
    shared_files = ['media', 'conf/a', '.env']
    [environments.production]
    shared_dirs = ['conf']
    'conf/a' → `conf/a` is shared with `conf` already; leave it out: all that lies in a shared folder is shared

    unit = 'x'
    shared_dirs = ['media', 'media/thumbs', 'mediate']
    shared_files = ['media/a']
    'media/thumbs' → `media/thumbs` is shared with `media` already; leave it out: all that lies in a shared folder is shared
    'media/a' → `media/a` is shared with `media` already; leave it out: all that lies in a shared folder is shared

    unit = 'x'
    shared_dirs = ['media', 'media']
    shared_files = ['.env', 'media', 'conf', 'conf/a', '.git/config', 'env']
    recipe = 'wsgi'
    'media' → `media` is shared twice; name it once: a folder in `shared_dirs`, a file in `shared_files`
    'media' → `media` is shared twice; name it once: a folder in `shared_dirs`, a file in `shared_files`
    'conf/a' → `conf/a` is shared with `conf` already; leave it out: all that lies in a shared folder is shared
    '.git/config' → `.git/config` can't be shared: `.git` belongs to each release; choose another place for what outlives releases
    'env' → `env` can't be shared: `env` belongs to each release; choose another place for what outlives releases

    unit = 'x'
    env_file = 'conf'
    shared_dirs = ['conf']
    'conf' → `conf` can't be a file: `conf` is shared; choose another name for one of them

    unit = 'x'
    env_file = 'conf'
    shared_dirs = ['conf/d']
    'conf' → `conf` can't be a file: `conf/d` is shared; choose another name for one of them

    unit = 'x'
    env_file = 'conf/.env'
    shared_dirs = ['conf']
    shared_files = ['.env']
    nothing wrong

    unit = 'x'
    source = 'bundle'
    forward_agent = true
    scm_known_hosts = ['git.example.com ssh-ed25519 AAAA']
    fetch_concurrency = 4
    partial_clone = true
    true → with the source "bundle" no host asks the git server, so there is no use for your agent; take it out, or choose the source "fetch"
    ['git.example.com ssh-ed25519 AAAA'] → with the source "bundle" no host asks the git server, so there are no keys to pin; take it out, or choose the source "fetch"
    4 → with the source "bundle" no host fetches from the git remote; take it out, or choose the source "fetch"
    true → with the source "bundle" hosts get no more than they lack, and ask no git server for the rest; take it out, or choose the source "fetch"

    unit = 'x'
    source = 'bundle'
    recipe = 'wsgi'
    forward_agent = true
    scm_known_hosts = []
    nothing wrong

    unit = 'x'
    forward_agent = true
    fetch_concurrency = 0
    [environments.production]
    source = 'bundle'
    true → with the source "bundle" no host asks the git server, so there is no use for your agent; take it out, or choose the source "fetch"
    0 → 0 is too small; the smallest is 1

    unit = 'x'
    artifact = 'target/five'
    [hooks.local]
    build = 'make'
    'target/five' → only an archive holds what no commit has; write `source = "archive"`, or leave it out
    'make' → nothing that is built on your own machine reaches a host by this `source`; write `source = "archive"`, or build on the hosts: `build` below `[hooks]`

    unit = 'x'
    source = 'archive'
    artifact = 'https://ci.example.com/five.tar.gz'
    [hooks.local]
    build = 'make'
    'https://ci.example.com/five.tar.gz' → what comes from an address needs its check sum: without it, whoever can write there decides what you run; add `artifact_sha256`, as `sha256sum` prints it

    unit = 'x'
    source = 'archive'
    artifact = 'https://ada:secret@ci.example.com/five.tar.gz'
    artifact_sha256 = 'abc'
    'https://ada:secret@ci.example.com/five.tar.gz' → a name and a password can't stand in this address: plans show it; curl, which fetches it, finds them in ~/.netrc
    'abc' → `abc` isn't a SHA-256 check sum; 64 hexadecimal digits, as `sha256sum` prints them

    unit = 'x'
    source = 'archive'
    artifact = 'https://ci.example.com/'
    'https://ci.example.com/' → `https://ci.example.com/` doesn't say which file it is; write the whole address: `https://ci.example.com/five-1.2.tar.gz`

    unit = 'x'
    source = 'archive'
    artifact = '../five'
    artifact_sha256 = '0000000000000000000000000000000000000000000000000000000000000000'
    '../five' → `../five` isn't the path of a file in the project; write it from the root of the project on: `requirements/common.txt`

    unit = 'x'
    source = 'archive'
    artifact_sha256 = '0000000000000000000000000000000000000000000000000000000000000000'
    '0000000000000000000000000000000000000000000000000000000000000000' → this is the check sum of nothing: `artifact` is no address; leave it out: what is made on your own machine is packed as it is

    unit = 'x'
    source = 'archive'
    artifact = 'https://ci.example.com/five?x=1'
    artifact_sha256 = 'ABCDEF0000000000000000000000000000000000000000000000000000000000'
    nothing wrong

    unit = 'x'
    connect = 'nc {address} {port}'
    [environments.production]
    hosts = ['a:1', 'b', 'c']
    'nc {address} {port}' → `{port}` has no value for the host `b`; give the host a port, or leave `{port}` out
    'nc {address} {port}' → `{port}` has no value for the host `c`; give the host a port, or leave `{port}` out

    unit = 'x'
    service = 'systemd:{unit}'
    path = '/{unit}/..'
    release_paths = []
    '/{unit}/..' → "/x/.." can't be a path on a host: it leads through `.` or `..`
    [] → `release_paths` needs two slots or more; one serves while another is prepared: `["a", "b"]`
    "#);
}

/// Every line of these is at odds with another one, or with what it stands for, and every one of them is told.
#[test]
fn how_the_app_is_asked() {
    insta::assert_snapshot!(told_of("unit = 'x'\n[health]\n…", &[
        "http = '/healthz'",
        "http = 'healthz'",
        "http = 'ftp://example.com/'",
        "http = 'http://ada@example.com/'",
        "http = 'http://example.com:0/'",
        "http = '/a b'",
        "http = '/'\nport = 0",
        "http = '/'\nport = 8000\nsocket = 'run/app.sock'",
        "http = '/'\nport = 8000\nstatus = 99",
        "http = '/'\nport = 8000\nstatus = []",
        "http = '/'\nport = 8000\nstatus = [200, '404']",
        "tcp = 70000",
        "tcp = 'localhost'",
        "tcp = 8000\nport = 8000",
        "tcp = 8000\ncommand = 'true'",
        "http = '/'\nport = 8000\ncommand = 'true'",
        "command = []",
        "grace_seconds = 5",
        "timeout_seconds = 0\ntcp = 8000",
        "urL = '/healthz'",
    ]), @r#"
    http = '/healthz'
    [health] → it isn't known where the app is asked for this path; add `port = 8000`, or `socket = "run/app.sock"`

    http = 'healthz'
    'healthz' → `healthz` is neither a path nor the address of a web page; write `/healthz`, or `http://www.example.com/healthz`

    http = 'ftp://example.com/'
    'ftp://example.com/' → `ftp://example.com/` is neither a path nor the address of a web page; write `/healthz`, or `http://www.example.com/healthz`

    http = 'http://ada@example.com/'
    'http://ada@example.com/' → `http://ada@example.com/` is neither a path nor the address of a web page; write `/healthz`, or `http://www.example.com/healthz`

    http = 'http://example.com:0/'
    'http://example.com:0/' → `http://example.com:0/` is neither a path nor the address of a web page; write `/healthz`, or `http://www.example.com/healthz`

    http = '/a b'
    '/a b' → `/a b` is neither a path nor the address of a web page; write `/healthz`, or `http://www.example.com/healthz`

    http = '/'
    port = 0
    0 → 0 is too small; the smallest is 1

    http = '/'
    port = 8000
    socket = 'run/app.sock'
    [health] → the app is asked at two places; keep only one of `port` and `socket`

    http = '/'
    port = 8000
    status = 99
    99 → a status is a number from 100 to 599

    http = '/'
    port = 8000
    status = []
    [] → a status is a number from 100 to 599

    http = '/'
    port = 8000
    status = [200, '404']
    [200, '404'] → a status is a number from 100 to 599

    tcp = 70000
    70000 → this is neither a port nor an address with one: write `8000`, or `"127.0.0.1:8000"`

    tcp = 'localhost'
    'localhost' → this is neither a port nor an address with one: write `8000`, or `"127.0.0.1:8000"`

    tcp = 8000
    port = 8000
    [health] → `port` needs a page to ask for; add `http = "/healthz"`

    tcp = 8000
    command = 'true'
    [health] → the app is asked in two ways; keep only one of `http`, `tcp` and `command`

    http = '/'
    port = 8000
    command = 'true'
    [health] → the app is asked in two ways; keep only one of `http`, `tcp` and `command`

    command = []
    [health] → this doesn't say how the app is asked; add `http = "/healthz"` with a `port`, `tcp = 8000`, or a `command`

    grace_seconds = 5
    [health] → this doesn't say how the app is asked; add `http = "/healthz"` with a `port`, `tcp = 8000`, or a `command`

    timeout_seconds = 0
    tcp = 8000
    0 → 0 is too small; the smallest is 1

    urL = '/healthz'
    urL → unknown setting `urL`; write `http`, `port`, `socket`, `status`, `contains`, `tcp`, `command`, `timeout_seconds`, `interval_seconds`, `grace_seconds` or `roles`
    "#);
}

#[test]
fn all_contradictions_are_told_at_once() {
    insta::assert_snapshot!(told_of("…", &[
        "unit = 'x'\nverify_signatures = true\nprivate_requirements = ['p.txt']\nrelease_paths = ['a']\n\
         steps.biuld = 'make'\npath = '/srv/../{unit}'\nreleases_root = 'shared'\npython.private = [{ url = 'git@x:y.git' }]",
        "releases_root = 'packages'\ncurrent_release_symlink = 'a'\n[environments.production]\n\
         hosts = [{ name = 'web1:22' }, 'a', 'a']",
        "unit = 'x'\npath = '/{unit}/..'\nconnect = 'nc {address} {port}'\n[environments.production]\n\
         hosts = ['b', { name = 'c', path = '/srv/..' }]",
        "unit = 'x'\nstep_timeout_seconds = 60\nverify_signatures = true\n[services]\na = {}\n\
         b = { command = 'x', template = 'y', stop_seconds = 60, reload = true, service = 'runit:y' }\n\
         c = { service = 'init:x', stop_seconds = 5 }\nd = { service = 'init:x' }",
    ]), @r#"
    unit = 'x'
    verify_signatures = true
    private_requirements = ['p.txt']
    release_paths = ['a']
    steps.biuld = 'make'
    path = '/srv/../{unit}'
    releases_root = 'shared'
    python.private = [{ url = 'git@x:y.git' }]
    true → `verify_signatures` needs `allowed_signers`; list who may sign: `allowed_signers = ["ada@example.com ssh-ed25519 AAAA…"]`
    ['a'] → `release_paths` needs two slots or more; one serves while another is prepared: `["a", "b"]`
    'make' → the recipe has no step `biuld`; this recipe has no steps of its own: write hooks
    '/srv/../{unit}' → "/srv/../x" can't be a path on a host: it leads through `.` or `..`
    'shared' → `shared` is used for something else in `path`; choose another folder; the default is `releases`
    { url = 'git@x:y.git' } → a package from git needs a `rev`: a tag, a branch or a commit; write `url` and `rev` for git, `url = "s3://…"` and `sha256` for a bucket

    releases_root = 'packages'
    current_release_symlink = 'a'
    [environments.production]
    hosts = [{ name = 'web1:22' }, 'a', 'a']
    nowhere → `unit` is missing; name the app in the first line of the file: `unit = "five"`
    'packages' → `packages` is used for something else in `path`; choose another folder; the default is `releases`
    'a' → `a` can't be both a slot and the link to it; rename the slot in `release_paths`, or the link in `current_release_symlink`
    { name = 'web1:22' } → `web1:22` names a host and a port; the port has a key of its own: `port = 1222`
    'a' → there are two hosts called `a`; leave one out, or tell them apart: `{ name = "…", address = "…" }`

    unit = 'x'
    path = '/{unit}/..'
    connect = 'nc {address} {port}'
    [environments.production]
    hosts = ['b', { name = 'c', path = '/srv/..' }]
    '/{unit}/..' → "/x/.." can't be a path on a host: it leads through `.` or `..`
    'nc {address} {port}' → `{port}` has no value for the host `b`; give the host a port, or leave `{port}` out
    '/srv/..' → "/srv/.." can't be a path on a host: it leads through `.` or `..`

    unit = 'x'
    step_timeout_seconds = 60
    verify_signatures = true
    [services]
    a = {}
    b = { command = 'x', template = 'y', stop_seconds = 60, reload = true, service = 'runit:y' }
    c = { service = 'init:x', stop_seconds = 5 }
    d = { service = 'init:x' }
    true → `verify_signatures` needs `allowed_signers`; list who may sign: `allowed_signers = ["ada@example.com ssh-ed25519 AAAA…"]`
    {} → this service isn't defined; add `service = "systemd:{unit}-worker"`, or define it: `command = "python -m celery -A five worker"`
    'x' → `runit:y` can't be defined in this file; `command`, `template` and `default` are for `systemd:NAME` and `init:NAME`; set up other services yourself
    'y' → this service is defined twice; keep only one of `command`, `template` and `default`
    60 → a step may take 60 s, and this service as long as that to stop; make `step_timeout_seconds` longer than the longest `stop_seconds`
    true → a reload would go on with the old release's code; the process works in its slot; leave `reload` out, or write a `template` whose process looks where `current` leads
    5 → `stop_seconds` needs a service that is described here; add a `command` or a `template`
    { service = 'init:x' } → `init:x` is `services.c` already; each table is a service of its own
    "#);
}

/// What can't be read doesn't hide what contradicts itself; but nothing is said to be missing that only couldn't be read.
#[test]
fn contradictions_are_told_beside_what_can_not_be_read() {
    insta::assert_snapshot!(told_of("…", &[
        "unit = 'x'\nwaves = 2\nreleases_root = 'shared'\n[environments.production]\nhosts = ['a', 7, 'a']",
        "unit = 3\nrelease_paths = ['a']\nservices.a = {}\nservices.b = 1",
        "verify_signatures = true\nallowed_signers = 'ada'\nprivate_requirements = ['p.txt']\nprivate_sorce = 'git@x:y.git'",
        "unit = 'x'\ncurrent_release_symlink = 'a'\nrelease_paths = 3\nrecipe = 'djnago'\nsteps.migrate = 'x'\n\
         connect = 'nc {user}'\ndeploy_user = 1\n[environments.production]\nhosts = ['a']",
        "unit = 'x'\nwaves = 2\n[environments.blue]\nrelease_paths = ['a']\n[environments.production]\nreleases_root = 'shared'",
    ]), @r#"
    unit = 'x'
    waves = 2
    releases_root = 'shared'
    [environments.production]
    hosts = ['a', 7, 'a']
    2 → `waves` takes a list, not a whole number; put it in square brackets: `[2]`
    'shared' → `shared` is used for something else in `path`; choose another folder; the default is `releases`
    7 → `hosts` takes a string or a table, not a whole number
    'a' → there are two hosts called `a`; leave one out, or tell them apart: `{ name = "…", address = "…" }`

    unit = 3
    release_paths = ['a']
    services.a = {}
    services.b = 1
    3 → `unit` takes a string, not a whole number; put it in quotes: `"3"`
    ['a'] → `release_paths` needs two slots or more; one serves while another is prepared: `["a", "b"]`
    {} → this service isn't defined; add `service = "systemd:{unit}-worker"`, or define it: `command = "python -m celery -A five worker"`
    1 → `b` takes a table, not a whole number

    verify_signatures = true
    allowed_signers = 'ada'
    private_requirements = ['p.txt']
    private_sorce = 'git@x:y.git'
    'ada' → `allowed_signers` takes a list, not a string; put it in square brackets: `['ada']`
    private_sorce → unknown setting `private_sorce`; did you mean `private_source`?

    unit = 'x'
    current_release_symlink = 'a'
    release_paths = 3
    recipe = 'djnago'
    steps.migrate = 'x'
    connect = 'nc {user}'
    deploy_user = 1
    [environments.production]
    hosts = ['a']
    3 → `release_paths` takes a list, not a whole number; put it in square brackets: `[3]`
    'djnago' → `recipe` can't be `djnago`; did you mean `django`?
    1 → `deploy_user` takes a string, not a whole number; put it in quotes: `"1"`

    unit = 'x'
    waves = 2
    [environments.blue]
    release_paths = ['a']
    [environments.production]
    releases_root = 'shared'
    2 → `waves` takes a list, not a whole number; put it in square brackets: `[2]`
    ['a'] → `release_paths` needs two slots or more; one serves while another is prepared: `["a", "b"]`
    'shared' → `shared` is used for something else in `path`; choose another folder; the default is `releases`
    "#);
}

#[test]
fn no_unit() {
    insta::assert_snapshot!(mistakes(""), @r#"
    error: `unit` is missing
    --> buedafab.toml
     = help: name the app in the first line of the file: `unit = "five"`
    "#);
    insta::assert_snapshot!(mistakes("# nothing yet\n"), @r#"
    error: `unit` is missing
    --> buedafab.toml
     = help: name the app in the first line of the file: `unit = "five"`
    "#);
}
