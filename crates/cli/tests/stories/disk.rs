//! Disks on which there is no room left.

use buedafab_testkit::{FleetHost, FleetOptions};

use super::stage::{Stage, wait_for};

/// A host whose apps lie on a file system of their own.
fn stage_on(mount: &str) -> Stage {
    let stage = Stage::with(FleetOptions { hosts: 1, ..Default::default() });
    // The app notes what it serves where there is room.
    stage.fleet.host("web1").run(&format!(
        "cd /srv && {mount} && mkdir /var/webapps/five && ln -s /tmp/served /var/webapps/five/served && \
         chown deploy: /var/webapps /var/webapps/five"
    ));
    stage
}

const EXT4: &str = "truncate -s 64M disk && mkfs.ext4 -q -F disk && mount -o loop disk /var/webapps";

/// Takes what is left, to the last byte or the last inode, as anybody could: for root some more is kept.
fn fill(host: &FleetHost, with: &str) {
    host.run(&format!("su -s /bin/sh deploy -c '{with}' >/dev/null 2>&1 || true"));
}

const BYTES: &str = "mkdir -p /var/webapps/filler; cd /var/webapps/filler; cat /dev/zero >zero; n=0; \
                     while [ $n -lt 2000 ] && echo more >$n; do n=$((n + 1)); done";

const INODES: &str = "mkdir -p /var/webapps/filler; cd /var/webapps/filler; n=0; \
                      while [ $n -lt 100000 ] && : >$n; do n=$((n + 1)); done";

fn free(host: &FleetHost) -> String {
    host.run("stat -f -c '%a blocks, %d inodes' /var/webapps")
}

#[test]
fn a_release_that_does_not_fit_gives_its_room_back() {
    let stage = stage_on(EXT4);
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    stage.configure(
        "unit = \"five\"\n[hooks]\nbuild = \"[ ! -e huge ] || cat /dev/zero >made\"\nrestart = \"cat version >../../served\"\n\
         [environments.production]\nhosts = [\"web1\"]\n",
    );
    std::fs::write(stage.checkout().join("huge"), "").expect("it is written");
    stage.remote.git(&["add", "huge"]);
    stage.release("huge");
    let ran = stage.production(&["deploy"], 7);

    ran.says("there was no room for the release: what slot a held of it was removed")
        .says("MiB are free now");
    ran.says("serving now: two (");
    assert_eq!(stage.serving(), ["two"]);
    let left = stage
        .fleet
        .host("web1")
        .run("cd /var/webapps/five; ls releases .buedafab/slots; ls .buedafab | grep probe || :");
    assert_eq!(
        left, ".buedafab/slots:\na.json\nb.filled\nb.json\nb.overwritten\nb.takes\n\nreleases:\nb\ncurrent\n",
        "{left}"
    );
    stage.production(&["status"], 0).says("two (");
    // Neither a smaller one nor a rollback has to wait for a person.
    stage.production(&["rollback"], 0).says("has to be built again first");
    assert_eq!(stage.serving(), ["one"]);
    stage.remote.git(&["rm", "--quiet", "huge"]);
    stage.release("three");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["three"]);
}

/// On whatever there is no more of.
#[test]
fn a_rollback_needs_no_room() {
    let few_inodes = "mount -t tmpfs -o size=32m,nr_inodes=2k none /var/webapps";
    for (mount, filler) in [(EXT4, BYTES), (few_inodes, INODES)] {
        let stage = stage_on(mount);
        stage.configure_with("release_paths = [\"a\", \"b\", \"c\", \"d\"]");
        let host = stage.fleet.host("web1");
        stage.production(&["deploy"], 0);
        for release in ["two", "three", "four"] {
            // Of two releases of the same second nobody could say which came later.
            let second = host.run("date +%s");
            wait_for("the next second", || host.run("date +%s") != second);
            stage.release(release);
            stage.production(&["deploy"], 0);
        }
        fill(host, filler);
        let full = free(host);
        assert!(full.starts_with("0 blocks") || full.contains(" 0 inodes"), "{full}");
        stage.production(&["status"], 0).says("the disk is full").says("four (");
        stage.production(&["check"], 4).says("the disk is full");
        stage.release("five");
        stage.production(&["deploy"], 4).says("no release fits").says("nothing was touched");
        stage.production(&["rollback", "--to", "three"], 0).says("serving now: three (");
        assert_eq!(stage.serving(), ["three"]);
        stage.production(&["history"], 0).says("rolled back");
        // Room is kept again.
        fill(host, filler);
        stage.production(&["rollback", "--to", "two"], 0).says("serving now: two (");
        assert_eq!(stage.serving(), ["two"]);
        // Where somebody has taken what was kept, the link stays where it is.
        host.run("rm /var/webapps/five/.buedafab/reserve.*");
        fill(host, filler);
        stage
            .production(&["rollback", "--to", "one"], 7)
            .says("without which nothing is switched")
            .says("serving now: two (");
        assert_eq!(stage.serving(), ["two"]);
        host.run("rm -r /var/webapps/filler");
        stage.production(&["deploy"], 0);
        assert_eq!(stage.serving(), ["five"]);
        host.run("test -s /var/webapps/five/.buedafab/reserve.4");
    }
}
