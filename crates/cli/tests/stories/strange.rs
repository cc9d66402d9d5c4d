//! Hosts, names and shells that are not as one would like them.

use buedafab_testkit::FleetOptions;

use super::stage::Stage;

#[test]
fn a_current_that_is_a_folder_is_refused() {
    let stage = Stage::new();
    stage
        .fleet
        .host("web2")
        .run("mkdir -p /var/webapps/five/releases/current && chown -R deploy /var/webapps/five");
    let ran = stage.production(&["deploy"], 4);
    ran.says("web2: /var/webapps/five/releases/current is a folder")
        .says("mv /var/webapps/five/releases/current");
    assert!(
        !stage.fleet.host("web1").exec("test -e /var/webapps/five").status.success(),
        "nothing was touched"
    );
}

#[test]
fn a_current_that_dangles_is_repaired() {
    let stage = Stage::new();
    stage.fleet.host("web2").run(
        "mkdir -p /var/webapps/five/releases && ln -s gone /var/webapps/five/releases/current && chown -Rh deploy /var/webapps/five",
    );
    stage.production(&["deploy"], 0).says("points to \"gone\", which isn't there");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

#[test]
fn a_current_that_leads_elsewhere_is_taken_over_only_when_asked() {
    let stage = Stage::new();
    let host = stage.fleet.host("web2");
    host.run(
        "mkdir -p /var/webapps/five/releases/20240101 && cd /var/webapps/five/releases && echo cap >20240101/version \
         && ln -s /var/webapps/five/releases/20240101 current && cp 20240101/version ../served && chown -Rh deploy /var/webapps/five",
    );
    stage.production(&["deploy"], 4).says("which is none of the slots").says("--take-over");
    stage.production(&["rollback"], 4);
    host.run("echo one >/tmp/fail-restart");
    stage.production(&["deploy", "--take-over"], 8);
    assert_eq!(
        host.run("readlink /var/webapps/five/releases/current").trim(),
        "/var/webapps/five/releases/20240101"
    );
    assert_eq!(host.read("/var/webapps/five/served"), "cap\n", "its app was restarted as it was");
    host.run("rm /tmp/fail-restart");
    stage.production(&["deploy", "--take-over"], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

#[test]
fn a_folder_of_the_older_buedafab_is_taken_as_it_is() {
    let stage = Stage::new();
    let url = stage.remote.url();
    // As Fabric left it: two clones, an absolute link, and no notes.
    stage.fleet.host("web1").run(&format!(
        "mkdir -p /var/webapps/five/releases && cd /var/webapps/five/releases && git clone -q {url} a && git clone -q {url} b \
         && ln -s /var/webapps/five/releases/a current && cp a/version ../served && chown -Rh deploy /var/webapps/five"
    ));
    stage.release("two");
    stage.production(&["--hosts", "web1", "deploy"], 0);
    stage.production(&["--hosts", "web1", "rollback"], 0);
    assert_eq!(stage.serving()[0], "one");
}

#[test]
fn local_changes_in_a_slot_are_told_and_kept() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    let host = stage.fleet.host("web1");
    host.run("echo 'a fix by hand' >>/var/webapps/five/releases/a/app.txt");
    stage.production(&["status"], 0).says("local changes in slot a").says("app.txt");
    // What was changed by hand isn't what was proven.
    stage.production(&["rollback"], 7).says("no longer holds exactly");
    assert_eq!(stage.serving(), ["two", "two", "two"]);
    stage.release("three");
    stage.production(&["deploy"], 0);
    let kept = host.run("cat /var/webapps/five/.buedafab/changes-a-*.patch");
    assert!(kept.contains("+a fix by hand"), "{kept}");
    assert_eq!(host.read("/var/webapps/five/releases/a/app.txt"), "the app, three\n");
}

/// What power cuts and full disks leave of a clone ends no deploy and no rollback.
#[test]
fn a_damaged_slot_is_made_whole_by_deploys_and_rollbacks() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    let damage = |name: &str, script: &str| {
        stage.fleet.host(name).run(&format!("cd /var/webapps/five/releases && {{ {script}; }}"))
    };
    damage("web1", ": >a/.git/HEAD");
    damage("web2", "rm a/.git/objects/pack/*");
    let status = stage.production(&["status"], 0);
    status.says("web1: what git keeps in slot a is damaged: no HEAD in it").says("built again");
    let ran = stage.production(&["rollback"], 0);
    ran.says("has to be built again first: what git keeps in its folder is damaged");
    ran.says("what git keeps in a was damaged (no HEAD in it), so it was made anew");
    assert_eq!(stage.serving(), ["one", "one"]);

    damage("web1", ": >b/.git/index; touch b/.git/index.lock b/.git/packed-refs.lock");
    damage("web2", "find b/.git/objects -type f -exec sh -c ': >\"$1\"' x {} \\;");
    damage("web2", ": >a/.git/config");
    stage.production(&["status"], 0).says("web2: what git keeps in slot a is damaged: no config in it");
    stage.release("three");
    stage.production(&["deploy"], 0).says("what git keeps in b was damaged");
    assert_eq!(stage.serving(), ["three", "three"]);
    // Nothing in the slot that served was touched, so it is built again.
    stage.production(&["rollback"], 0).says("what git keeps in a was damaged (no config in it)");
    assert_eq!(stage.serving(), ["one", "one"]);
}

/// As npm does with package-lock.json.
#[test]
fn what_a_build_rewrites_is_no_change_by_hand() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..FleetOptions::default() });
    stage.configure(
        "unit = \"five\"\n[hooks]\nbuild = \"echo built >>app.txt\"\nrestart = \"cat version >../../served\"\n\
         [environments.production]\nhosts = [\"web1\"]\n",
    );
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    let host = stage.fleet.host("web1");
    let status = stage.production(&["status"], 0);
    assert!(!status.stdout.contains("local changes"), "{}", status.stdout);
    stage.production(&["rollback"], 0);
    assert_eq!(stage.serving(), ["one"]);
    assert_eq!(host.read("/var/webapps/five/releases/a/app.txt").lines().last(), Some("built"));
    // Nobody's work is kept where nobody has done any.
    stage.release("three");
    stage.production(&["deploy"], 0);
    assert_eq!(host.run("ls /var/webapps/five/.buedafab | grep changes || true"), "");
    // What a person does on top of it is told, refused and kept.
    host.run("echo 'a fix by hand' >>/var/webapps/five/releases/a/app.txt");
    stage.production(&["status"], 0).says("local changes in slot a").says("app.txt");
    stage.production(&["rollback"], 7).says("no longer holds exactly");
    stage.release("four");
    stage.production(&["deploy"], 0).says("local changes of a were kept in");
    let kept = host.run("cat /var/webapps/five/.buedafab/changes-a-*.patch");
    assert!(kept.contains("+a fix by hand"), "{kept}");
}

/// What root, or a colleague, has left in a slot stops no deploy half-way.
#[test]
fn what_can_not_be_removed_is_told_with_what_mends_it() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..FleetOptions::default() });
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    let host = stage.fleet.host("web1");
    stage.release("three");
    let slot = "/var/webapps/five/releases/a";
    for (leave, why, mend) in [
        ("mkdir {}/cache && touch {}/cache/x", "/cache", "chown -R deploy "),
        ("touch {}/late && chown deploy {}/late && chattr +i {}/late", "/late", "chattr -R -i "),
    ] {
        host.run(&leave.replace("{}", slot));
        let (why, mend) = (format!("{slot}{why}"), format!("{mend}{slot}"));
        let warns = format!("a deploy may be stopped by {why}, which");
        stage.production(&["check"], 0).says(&warns).says(&format!("sudo {mend}"));
        stage.production(&["status"], 0).says(&warns);
        stage.production(&["deploy"], 7).says(&why).says(&format!("sudo {mend}")).says("serving now: two (");
        host.run(&mend);
    }
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["three"]);
}

#[test]
fn names_may_hold_spaces_quotes_dollars_and_newlines() {
    let mut stage = Stage::new();
    let unit = "it's \"five\" $HOME `id`\n!\\x";
    stage.app = format!("/srv/{unit}").replace('\'', "'\\''");
    stage.configure_with(&format!(
        "unit = {}\npath = \"/srv/{{unit}}\"\nbranch = \"*\"",
        serde_json::to_string(unit).expect("a string")
    ));
    for host in stage.fleet.hosts() {
        host.run("chown deploy /srv");
    }
    stage.remote.branch("it's/$HOME-`id`\"&;");
    stage.release("v1'\"$x");
    stage.production(&["deploy"], 0);
    stage.release("v2;&|");
    stage.production(&["deploy:commit=it's/$HOME-`id`\"&;"], 0);
    assert_eq!(stage.serving(), ["v2;&|", "v2;&|", "v2;&|"]);
    stage.production(&["rollback"], 0);
    assert_eq!(stage.serving(), ["v1'\"$x", "v1'\"$x", "v1'\"$x"]);
    stage.production(&["status"], 0).says("v1'\"$x");
}

#[test]
fn login_shells_and_their_noise_do_not_matter() {
    let noisy = "echo welcome; echo to this host >&2\nexec 2>&2\n".to_owned();
    for (shell, file, text) in [
        ("/bin/bash", ".bashrc", noisy.clone() + "read -t 0.2 line\n"),
        ("/usr/bin/fish", ".config/fish/config.fish", "echo welcome; echo to this host >&2\n".to_owned()),
        ("/bin/csh", ".cshrc", "echo welcome\n".to_owned()),
        ("/usr/bin/zsh", ".zshenv", noisy),
    ] {
        let stage = Stage::with(FleetOptions {
            hosts: 1,
            login_shell: shell.into(),
            home_files: vec![(file.to_owned(), text)],
            ..Default::default()
        });
        let ran = stage.production(&["deploy"], 0);
        assert!(!ran.stderr.contains("welcome"), "{shell}: {}", ran.stderr);
        stage.release("two");
        stage.production(&["deploy"], 0);
        stage.production(&["rollback"], 0);
        assert_eq!(stage.serving(), ["one"], "{shell}");
    }
}

#[test]
fn busybox_is_enough_on_a_host() {
    let stage = Stage::with(FleetOptions { hosts: 2, sh: Some("/bin/busybox".into()), ..Default::default() });
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    stage.production(&["rollback"], 0);
    assert_eq!(stage.serving(), ["one", "one"]);
}

#[test]
fn what_is_deployed_can_belong_to_a_group() {
    let stage = Stage::new();
    stage.configure_with("deploy_group = \"www-data\"");
    for host in stage.fleet.hosts() {
        host.run("usermod -aG www-data deploy");
    }
    stage.production(&["deploy"], 0);
    let listed = stage
        .fleet
        .host("web1")
        .run("stat -c '%G %A' /var/webapps/five /var/webapps/five/releases/a/version");
    assert_eq!(listed, "www-data drwxrwsr-x\nwww-data -rw-rw-r--\n");
}

#[test]
fn localhost_needs_no_ssh() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..Default::default() });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("five").display().to_string();
    stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\n[environments.localhost]\npath = \"{path}\"\n"
    ));
    let ran = stage.run(&["localhost", "deploy"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        std::fs::read_to_string(format!("{path}/releases/current/version")).expect("it is live"),
        "one"
    );
    stage.release("two");
    assert_eq!(stage.run(&["localhost", "deploy"]).code, 0);
    assert_eq!(stage.run(&["localhost", "rollback"]).code, 0);
    assert_eq!(
        std::fs::read_to_string(format!("{path}/releases/current/version")).expect("it is live"),
        "one"
    );
}

#[test]
fn the_demo_does_what_it_says() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..Default::default() });
    let folder = tempfile::tempdir().expect("a folder");
    let demo = folder.path().join("demo");
    let output = stage
        .command(&["demo"])
        .arg(&demo)
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .output()
        .expect("it runs");
    let stop = stage
        .command(&["production", "run", "--", "sh restart.sh stop"])
        .current_dir(demo.join("app"))
        .output()
        .expect("it runs");
    let ran = super::stage::Ran::of(output);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    ran.says("SyntaxError")
        .says("roll back to v0.1.0")
        .says("hello from web3, release v0.1.0")
        .says("Try it by hand");
    assert!(stop.status.success());
}

/// What lies where the program's own things belong is somebody's: it isn't followed, written over or cleaned.
#[test]
fn what_is_left_undone_is_told_and_nothing_waits_for_a_journal_that_is_a_queue() {
    let stage = Stage::new();
    let queue = "cd ../../.buedafab && rm -f journal.jsonl && mkfifo journal.jsonl";
    stage.configure(&format!(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\nverify = {queue:?}\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    ));
    stage.production(&["deploy"], 0).says(
        "left undone on web1, web2, web3: note in the journal: deployed: exit status 1\n  \
         │ /var/webapps/five/.buedafab/journal.jsonl is no file\n✓ deploy one",
    );
    stage.production(&["history"], 0);
    stage.production(&["deploy", "--force"], 4).says("no plain file").says("journal.jsonl");
}

#[test]
fn what_is_somebody_elses_is_refused_and_stays() {
    let stage = Stage::with(FleetOptions::default());
    stage.production(&["deploy"], 0);
    stage.release("two");
    let host = stage.fleet.host("web1");
    let app = "/var/webapps/five";
    let precious = "mkdir -p /home/deploy/old && echo precious >/home/deploy/old/file && chown -R deploy /home/deploy/old";
    let cases = [
        (
            "rm -f .buedafab/lock; ln -s /home/deploy/old/file .buedafab/lock",
            "rm .buedafab/lock",
            "no plain file, and so not written to: /var/webapps/five/.buedafab/lock",
        ),
        (
            "mkdir .buedafab/hold; touch .buedafab/hold/mine",
            "rm -r .buedafab/hold",
            "no plain file, and so not written to: /var/webapps/five/.buedafab/hold",
        ),
        (
            "rm -rf releases/b; ln -s /home/deploy/old releases/b",
            "rm releases/b",
            "releases/b is a link: no release is built behind one",
        ),
        (
            "rm -rf releases/b; cp -r /home/deploy/old releases/b",
            "rm -r releases/b",
            "releases/b holds files that buedafab didn't put there",
        ),
    ];
    for (by_hand, mended, words) in cases {
        host.run(&format!("{precious}; cd {app} && {by_hand}"));
        let kept = || {
            host.run(&format!("cat /home/deploy/old/file; ls -lR {app}/releases/b {app}/.buedafab/hold {app}/.buedafab/lock 2>/dev/null || :"))
        };
        let before = kept();
        stage.production(&["check"], 4).says(words);
        stage.production(&["deploy"], 4).says(words).says("nothing was touched");
        assert_eq!(kept(), before, "{by_hand}");
        host.run(&format!("cd {app} && {mended}"));
    }
    // A hold isn't put into a folder, either.
    host.run(&format!("mkdir {app}/.buedafab/hold; chown deploy {app}/.buedafab/hold"));
    stage.production(&["hold", "--reason", "the audit"], 7).says("hold");
    assert_eq!(host.run(&format!("ls {app}/.buedafab/hold; rmdir {app}/.buedafab/hold")), "");
    host.run(&format!("cd {app} && cp -r /home/deploy/old releases/b && chown -R deploy releases/b"));
    stage.production(&["deploy", "--take-over"], 0);
    assert_eq!(stage.serving(), ["two"]);
}
