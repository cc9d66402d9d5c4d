//! Releases that hosts are sent as archives: they need neither git nor a way to its server.

use buedafab_testkit::FleetOptions;

use super::stage::Stage;

#[test]
fn hosts_without_git_get_what_was_built_once() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    for host in stage.fleet.hosts() {
        host.run(
            "for git in $(which -a git); do mount --bind /bin/false \"$git\" || exit; done; ! git --version",
        );
    }
    let on = |host: &str, script: &str| {
        stage.fleet.host(host).run(&format!("cd /var/webapps/five/releases && {script}"))
    };
    let builds = stage.cache().join("builds");
    let configuration = stage.checkout().join("buedafab.toml");
    stage.configure_with("source = \"archive\"\nartifact = \"built\"");
    let text = std::fs::read_to_string(&configuration).expect("it is there");
    let build = format!(
        "\n[hooks.local]\nbuild = ['mkdir -p built; echo \"built of $(cat version), $(git describe --tags)\" >built/app', 'echo once >>{}']\n",
        builds.display()
    );
    std::fs::write(&configuration, text.clone() + &build).expect("it is written");
    std::fs::create_dir_all(stage.cache()).expect("it is ours");

    stage.production(&["deploy", "--dry-run"], 0).says("pack").says("unpack five-one.tar.gz in a");
    assert!(!builds.exists(), "a dry run builds nothing");
    stage.production(&["deploy"], 0);
    for host in ["web1", "web2"] {
        assert_eq!(
            on(host, "cat current/built/app; ls -A a ../packages"),
            "built of one, one\n../packages:\nfive-one.tar.gz\n\na:\napp.txt\nbuilt\nversion\n"
        );
    }
    assert_eq!(std::fs::read_to_string(&builds).expect("it was built"), "once\n", "for both hosts");

    stage.release("two");
    stage.production(&["deploy"], 0);
    // What the release before in that slot had goes away.
    stage.remote.git(&["rm", "-q", "app.txt"]);
    stage.remote.commit(&[("version", "three")], "three");
    stage.remote.tag("three");
    stage.remote.push();
    on("web2", "mkdir a/env && touch a/env/kept a/litter && touch -d '-1 day' a/litter");
    stage.production(&["deploy"], 0);
    assert_eq!(
        on("web2", "ls current current/env; cat current/built/app"),
        "current:\nbuilt\nenv\nversion\n\ncurrent/env:\nkept\nbuilt of three, three\n"
    );
    assert_eq!(
        on("web1", "ls ../packages"),
        "five-three.tar.gz\nfive-two.tar.gz\n",
        "that of one went with it"
    );
    stage.production(&["status"], 0).says("three");

    // The way back is proven by what was written down of each file, and takes no deployer's archive.
    on("web1", "rm -rf b");
    on("web2", "echo mine >b/version");
    stage.production(&["rollback"], 7).says("b no longer holds exactly").says(" M version");
    assert_eq!(stage.serving(), ["three", "three"]);
    stage.production(&["status"], 0).says("local changes in slot b");
    on("web2", "rm -rf b");
    stage.production(&["rollback"], 0).says("has to be built again");
    assert_eq!(stage.serving(), ["two", "two"]);
    assert_eq!(on("web2", "cat current/built/app"), "built of two, two\n");

    // Without a build a commit says all of it: a host that has it isn't sent it again.
    std::fs::write(&configuration, text.replace("artifact = \"built\"\n", "")).expect("it is written");
    stage.release("four");
    on("web1", "touch /tmp/fail-check");
    stage.production(&["deploy"], 7);
    on("web1", "rm /tmp/fail-check");
    let again = stage.production(&["deploy", "--dry-run"], 0);
    assert!(
        !again.stdout.contains("send five-four") && !again.stderr.contains("send five-four"),
        "{}",
        again.stderr
    );
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["four", "four"]);
}
