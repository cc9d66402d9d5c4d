//! Releases that are made of several repositories.

use std::process::Command;

use buedafab_testkit::{FleetOptions, Remote};

use super::stage::{Ran, Stage};

/// A project with a middle in `lib`, which has a submodule of its own; all remotes are reached over ssh.
struct Family {
    stage: Stage,
    middle: Remote,
    inner: Remote,
    ssh: String,
    agent: buedafab_testkit::Agent,
}

impl Family {
    fn new() -> Family {
        let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
        let (middle, inner) = (Remote::temp(), Remote::temp());
        inner.commit(&[("inner.txt", "inner one\n")], "Inner");
        inner.push();
        middle.commit(&[("lib.txt", "lib one\n")], "Library");
        let family = Family {
            ssh: format!(
                "ssh -F {} -i {}",
                stage.fleet.ssh_config().display(),
                stage.fleet.identity().display()
            ),
            agent: stage.fleet.agent(),
            middle,
            inner,
            stage,
        };
        family.add(&family.middle, &family.url(&family.inner), "deep/inner");
        family.middle.commit(&[], "With its inner");
        family.middle.push();
        family.add(&family.stage.remote, &family.url(&family.middle), "lib");
        let scm = family.url(&family.stage.remote);
        family.stage.configure_with(&format!(
            "scm = \"{scm}\"
forward_agent = true"
        ));
        family
    }

    fn url(&self, remote: &Remote) -> String {
        self.stage.fleet.git_url(remote)
    }

    /// Git in a checkout, with access to the remotes.
    fn git(&self, remote: &Remote, words: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]).args(words);
        command
            .current_dir(remote.checkout_dir())
            .env("GIT_SSH_COMMAND", &self.ssh)
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = command.output().expect("git is installed");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn add(&self, remote: &Remote, url: &str, path: &str) {
        self.git(remote, &["submodule", "--quiet", "add", url, path]);
        self.git(remote, &["submodule", "--quiet", "update", "--init", "--recursive"]);
    }

    fn deploy(&self, code: i32) -> Ran {
        let mut command = self.stage.command(&["production", "deploy"]);
        command.env("SSH_AUTH_SOCK", self.agent.socket()).env("GIT_SSH_COMMAND", &self.ssh);
        let ran = Ran::of(command.output().expect("it runs"));
        assert_eq!(ran.code, code, "{}", ran.stderr);
        ran
    }

    fn live(&self, script: &str) -> String {
        self.stage
            .fleet
            .host("web2")
            .run(&format!("cd /var/webapps/five/releases/current && {{ {script}; }}"))
    }
}

#[test]
fn submodules_are_in_every_slot_on_their_commits() {
    let family = Family::new();
    let Family { stage, middle, inner, .. } = &family;
    stage.release("two");
    family.deploy(0);
    assert_eq!(family.live("cat lib/lib.txt lib/deep/inner/inner.txt version"), "lib one\ninner one\ntwo");
    // The middle goes on, and the project doesn't follow: what is pinned is what is deployed.
    inner.commit(&[("inner.txt", "inner two\n")], "Inner goes on");
    inner.push();
    middle.commit(&[("lib.txt", "lib two\n"), ("extra.txt", "more\n")], "Library goes on");
    middle.push();
    stage.release("three");
    family.deploy(0);
    assert_eq!(
        family.live("cat lib/lib.txt lib/deep/inner/inner.txt; ls lib"),
        "lib one\ninner one\ndeep\nlib.txt\n"
    );
    // Somebody's droppings go; then the project follows.
    stage
        .fleet
        .host("web2")
        .run("cd /var/webapps/five/releases/a && touch lib/dropped lib/deep/inner/dropped");
    let lib = stage.checkout().join("lib");
    family.git(&stage.remote, &["-C", &lib.display().to_string(), "pull", "-q", "origin", "master"]);
    stage.release("four");
    family.deploy(0);
    assert_eq!(
        family.live("cat lib/lib.txt; ls lib lib/deep/inner"),
        "lib two\nlib:\ndeep\nextra.txt\nlib.txt\n\nlib/deep/inner:\ninner.txt\n"
    );
    stage.production(&["rollback"], 0);
    assert_eq!(family.live("cat lib/lib.txt version"), "lib one\nthree");
    // Where it was a repository there are plain files now.
    family.git(&stage.remote, &["rm", "-q", "-f", "lib", ".gitmodules"]);
    stage.remote.commit(&[("lib/lib.txt", "just a file\n"), ("version", "five")], "five");
    stage.remote.tag("five");
    stage.remote.push();
    family.deploy(0);
    assert_eq!(family.live("cat lib/lib.txt version; ls lib"), "just a file\nfivelib.txt\n");
    stage.release("six");
    family.deploy(0);
    assert_eq!(family.live("cat lib/lib.txt version; ls lib"), "just a file\nsixlib.txt\n");
}

#[test]
fn a_submodule_that_can_not_be_had_stops_the_deploy() {
    let family = Family::new();
    let Family { stage, middle, .. } = &family;
    stage.release("two");
    family.deploy(0);
    // A commit of the middle that nobody has pushed.
    let lib = stage.checkout().join("lib").display().to_string();
    family.git(&stage.remote, &["-C", &lib, "commit", "-q", "--allow-empty", "-m", "Not pushed"]);
    stage.release("three");
    let ran = family.deploy(7);
    ran.says("the submodule lib is at a commit that its remote doesn't have");
    ran.says("fetch the submodules of b: exit status 1").says("this host must reach its remote");
    assert_eq!(stage.serving(), ["two", "two"]);
    family.git(&stage.remote, &["-C", &lib, "push", "-q", &middle.url(), "HEAD:master"]);
    family.deploy(0);
    assert_eq!(stage.serving(), ["three", "three"]);
    // The middle's remote refuses.
    stage.release("four");
    std::fs::rename(middle.path(), middle.path().with_extension("gone")).expect("it is ours");
    stage.fleet.hosts().iter().for_each(|host| drop(host.run("rm -rf /var/webapps/five/releases/a")));
    let ran = family.deploy(7);
    ran.says("does not appear to be a git repository").says("serving now: three (");
    assert_eq!(stage.serving(), ["three", "three"]);
}
