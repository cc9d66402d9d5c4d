//! Releases some of whose files Git LFS keeps, or that are a part of the repository, by whichever way they come.

use std::fs;
use std::process::Command;

use buedafab_testkit::FleetOptions;

use super::stage::Stage;

/// Commits a file as a pointer, as git-lfs does, tags and pushes it; and what it stands for goes to the server, if anywhere.
fn release(stage: &Stage, name: &str, is_pushed: bool) {
    let content = format!("the logo of {name}\n");
    let folder = stage.cache();
    fs::create_dir_all(&folder).expect("it is ours");
    fs::write(folder.join("logo"), &content).expect("it is written");
    let summed = Command::new("sha256sum").arg(folder.join("logo")).output().expect("it runs");
    let sum = String::from_utf8_lossy(&summed.stdout)[..64].to_owned();
    if is_pushed {
        let kept = stage.remote.path().join("lfs/objects").join(&sum[..2]).join(&sum[2..4]);
        fs::create_dir_all(&kept).expect("it is ours");
        fs::write(kept.join(&sum), &content).expect("it is written");
    }
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sum}\nsize {}\n", content.len());
    stage.release_with(
        name,
        &[(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n"), ("logo.png", &pointer)],
    );
}

#[test]
fn lfs_files_are_served_whichever_way_they_come() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    let on_all = |script: &str| -> Vec<String> {
        let hosts = stage.fleet.hosts();
        hosts
            .iter()
            .map(|host| host.run(&format!("cd /var/webapps/five/releases 2>/dev/null; {script}")))
            .collect()
    };
    let logos =
        |name: &str| assert_eq!(on_all("cat current/logo.png"), vec![format!("the logo of {name}\n"); 2]);
    let proven = || {
        let status = stage.production(&["status"], 0);
        assert!(!status.stdout.contains("changed"), "{}", status.stdout);
    };

    // Each host fetches them by its own git-lfs, and is refused before anything where it has none.
    release(&stage, "two", true);
    let git_lfs = on_all("command -v git-lfs")[0].trim().to_owned();
    on_all(&format!("mount --bind /dev/null {git_lfs}"));
    stage.production(&["deploy"], 4).says("web2: git-lfs not found").says("apt-get install git-lfs");
    assert_eq!(on_all("[ ! -e /var/webapps/five ] || echo touched"), ["", ""]);
    on_all(&format!("umount {git_lfs}"));
    stage.production(&["deploy"], 0);
    logos("two");
    proven();

    // From here on no host has git-lfs, or a way to any server.
    on_all(&format!(
        "mount --bind /dev/null {git_lfs}; mount -t tmpfs none {}",
        stage.remote.path().display()
    ));
    for (release_name, source) in [("three", "bundle"), ("four", "archive"), ("five", "bundle")] {
        stage.configure_with(&format!("source = {source:?}"));
        release(&stage, release_name, true);
        stage.production(&["deploy"], 0);
        logos(release_name);
        proven();
    }
    // Somebody's change to one is seen.
    on_all("echo edited >>current/logo.png");
    stage.production(&["status"], 0).says("logo.png");
    on_all("git -C current checkout -q logo.png");
    logos("five");
    proven();

    // What isn't on the server is named before any host changes; and so is what doesn't go into an archive.
    release(&stage, "six", false);
    stage.production(&["deploy"], 4).says("the content of logo.png");
    stage.configure_with("source = \"archive\"");
    stage.production(&["deploy"], 4).says("logo.png").says("serving now: five");
    logos("five");
    // A way back asks nobody, also where a release is built again.
    stage.configure_with("source = \"bundle\"");
    release(&stage, "seven", true);
    stage.production(&["deploy"], 0);
    on_all("for slot in a b; do [ $slot -ef current ] || rm -rf $slot; done");
    fs::rename(stage.remote.path(), stage.remote.path().with_extension("away")).expect("it is ours");
    stage.production(&["rollback"], 0).says("has to be built again first");
    logos("five");
    proven();
}

#[test]
fn a_part_of_the_repository_is_served_whichever_way_it_comes() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..FleetOptions::default() });
    let host = &stage.fleet.hosts()[0];
    let holds = || {
        host.run("cd /var/webapps/five/releases/current/ && ls -d libs/* other/* 2>/dev/null | tr '\\n' ' '")
    };
    let files = |name: &str| {
        stage.release_with(name, &[("libs/one/code", name), ("libs/two", name), ("other/file", name)]);
    };
    for (name, settings, expected) in [
        ("two", "source = \"fetch\"", "libs/one libs/two other/file "),
        ("three", "source = \"fetch\"\nsparse_checkout = [\"libs\"]", "libs/one libs/two "),
        ("four", "source = \"bundle\"\nsparse_checkout = [\"libs/one\"]", "libs/one libs/two "),
        ("five", "source = \"bundle\"\nsparse_checkout = [\"other\"]", "other/file "),
        ("six", "source = \"archive\"\nsparse_checkout = [\"libs\"]", "libs/one libs/two "),
        ("seven", "source = \"archive\"", "libs/one libs/two other/file "),
        ("eight", "source = \"fetch\"\nsparse_checkout = []", ""),
    ] {
        stage.configure_with(settings);
        files(name);
        stage.production(&["deploy"], 0);
        assert_eq!(holds(), expected, "{name}");
        assert!(!stage.production(&["status"], 0).stdout.contains("changed"));
    }
    // A release that is built again to go back to it is made of the folders that it was made of.
    let slots =
        "cd /var/webapps/five/releases; for slot in a b; do [ $slot -ef current ] || rm -rf $slot; done";
    host.run(slots);
    stage.production(&["rollback"], 0).says("has to be built again first");
    assert_eq!(holds(), "libs/one libs/two other/file ");
    stage.configure_with("sparse_checkout = [\"gone\"]");
    stage.production(&["deploy", "--dry-run"], 0).says("check out gone of");
    stage.production(&["deploy"], 7).says("there is no folder gone in this release");
    assert_eq!(stage.serving(), ["seven"]);
}
