//! What a plan makes of releases that come as archives.

mod common;

use buedafab_model::app::archive::KeptArchive;
use buedafab_model::host::facts::{Capacity, Room};
use buedafab_model::planner::DeployRequest;
use insta::assert_snapshot;

use common::{
    Seen, deploy, deploy_as, difference, plain_deploy, plain_rollback, release, request, rollback, second,
};

const ARCHIVE: &str = "source = \"archive\"\n";

/// A host whose slots were unpacked, and that has kept the archives of these releases.
fn unpacked(kept: &[u8]) -> Seen {
    second().change(|facts| {
        facts.slots.values_mut().for_each(|seen| seen.unpacked = true);
        let archive = |number: &u8| KeptArchive {
            commit: release(*number).commit,
            file: format!("five-v{number}.tar.gz"),
        };
        facts.archives = kept.iter().map(archive).collect();
    })
}

#[test]
fn a_release_is_packed_once_and_sent_to_all() {
    assert_snapshot!(difference(&plain_deploy(), &deploy(ARCHIVE, &[unpacked(&[1, 2])], 3)), @"
    deploy v3 (3333333333)
    + begin
    +   on this machine
    +     pack 3333333333
    + 
    prepare
    -     fetch 3333333333 into a
    -     check out 3333333333 in a
    +     send five-v3.tar.gz
    +     unpack five-v3.tar.gz in a
    ");
    // Who has it already isn't sent it again, and where all have it nobody packs it.
    let hosts = [unpacked(&[1, 2, 3]), unpacked(&[1, 2])];
    assert_snapshot!(difference(&deploy(ARCHIVE, &[unpacked(&[]), unpacked(&[])], 3), &deploy(ARCHIVE, &hosts, 3)), @"
    prepare
    -   on web1, web2
    +   on web1
    +     mark a as being built for v3 (3333333333)
    +     unpack five-v3.tar.gz in a
    +     keep what 3333333333 is built and run with
    +     mark a as ready
    +   on web2
    ");
    let shown = deploy(ARCHIVE, &[unpacked(&[3])], 3);
    assert!(!shown.contains("pack 3") && !shown.contains("send"), "{shown}");
}

#[test]
fn what_is_built_on_the_deployer_goes_along() {
    let text = format!(
        "{ARCHIVE}artifact = \"target/release/five\"\n[hooks.local]\nbefore = \"make check\"\nbuild = [\"npm ci\", \"cargo build --release\"]\n"
    );
    // Another build may come to another thing, so it is sent also where an archive of that commit is kept.
    let plain = deploy(ARCHIVE, &[unpacked(&[])], 3);
    assert_snapshot!(difference(&plain, &deploy(&text, &[unpacked(&[3])], 3)), @"
    begin
    -     pack 3333333333
    +     make check
    +     lay 3333333333 out in a clone
    +     npm ci
    +     cargo build --release
    +     pack 3333333333 with target/release/five
    ");
    let address = format!(
        "{ARCHIVE}artifact = \"https://ci.example.com/five.tar.gz\"\nartifact_sha256 = \"{}\"\n",
        "a".repeat(64)
    );
    assert_snapshot!(difference(&plain, &deploy(&address, &[unpacked(&[])], 3)), @"
    begin
    -     pack 3333333333
    +     pack 3333333333 with https://ci.example.com/five.tar.gz
    ");
    let mut request = request(3);
    request.release.submodules = true;
    assert_snapshot!(difference(&plain, &deploy_as(ARCHIVE, &[unpacked(&[])], &request)), @"
    begin
    +     lay 3333333333 out in a clone
    ");
}

#[test]
fn the_way_back_takes_the_archive_that_was_kept() {
    assert_snapshot!(difference(&plain_rollback(), &rollback(ARCHIVE, &[unpacked(&[1])])), @"");
    let rollback_of = |kept: &[u8], no_git: bool| {
        let seen = unpacked(kept).change(|facts| {
            facts.no_git = no_git;
            facts
                .slots
                .values_mut()
                .for_each(|seen| seen.folder_is_gone = seen.record.as_ref().is_some_and(|r| r.turn == 0));
            let b = facts.slots.get_mut("b").expect("it is live");
            b.folder_is_gone = false;
        });
        rollback(ARCHIVE, &[seen])
    };
    let gone = |kept: &[u8]| rollback_of(kept, false);
    assert_snapshot!(difference(&plain_rollback(), &gone(&[1])), @"
    roll back to v1 (1111111111)
    +   note: web1: v1 (1111111111) has to be built again first: its folder is gone
    prepare
    -     verify that a holds 1111111111, unchanged
    +     mark a as being built for v1 (1111111111)
    +     unpack five-v1.tar.gz in a
    +     keep what 1111111111 is built and run with
    +     mark a as ready
    ");
    // One that came by git, or whose archive somebody took away, is fetched, and that is said.
    assert_snapshot!(difference(&gone(&[1]), &gone(&[])), @"
    roll back to v1 (1111111111)
    -   note: web1: v1 (1111111111) has to be built again first: its folder is gone
    +   note: web1: v1 (1111111111) has to be built again first: its folder is gone; its archive isn't kept here, so git fetches it
    prepare
    -     unpack five-v1.tar.gz in a
    +     keep what somebody changed in a
    +     fetch 1111111111 into a
    +     check out 1111111111 in a
    ");
    // Where there is no git, nobody could; and where nothing has to be filled in, nobody needs it.
    assert_snapshot!(rollback_of(&[], true), @"
    web1: v1 (1111111111) can't be built again: its archive isn't kept there, and there is no git that could fetch it
      hint: this machine makes another archive of it, and sends that: deploy --commit 1111111111 --allow-older
    ");
    assert_eq!(rollback_of(&[1], true), gone(&[1]));
    let no_git = |seen: Seen| seen.change(|facts| facts.no_git = true);
    assert_eq!(rollback(ARCHIVE, &[no_git(unpacked(&[]))]), plain_rollback());
}

/// All of it is unpacked beside what the slot holds, and its archive lies there, too.
#[test]
fn what_comes_as_an_archive_has_to_find_room() {
    let note = |kept: &[u8], kib: u64, inodes: u64| {
        let host = unpacked(kept).change(|facts| {
            facts.disk_kib = Some(Capacity { free: kib, total: 1 << 20 });
            facts.inodes = Some(Capacity { free: inodes, total: 1 << 20 });
        });
        let unpacked = Some(Room { kib: 100 << 10, inodes: 5000 });
        let told = deploy_as(ARCHIVE, &[host], &DeployRequest { unpacked, ..request(3) });
        let told: Vec<&str> = told.lines().filter(|line| line.contains("may not fit")).collect();
        told.join("\n")
    };
    let room = 300 << 10;
    assert_snapshot!([
        note(&[], 150 << 10, 1 << 19),
        note(&[], room, 1 << 19),
        note(&[3], 150 << 10, 1 << 19),
        note(&[3], 99 << 10, 1 << 19),
        note(&[3], room, 4000),
    ].join("\n-\n"), @"
      note: web1: another release may not fit: its archive, and what is unpacked of it, take up to 200 MiB, and 150 MiB are free
    -

    -

    -
      note: web1: another release may not fit: what is unpacked of its archive takes 100 MiB, and 99 MiB are free
    -
      note: web1: another release may not fit: what is unpacked of its archive takes 5000 inodes, and 4000 are free
    ");
}

/// Git finds no clone there, and would tell of what it doesn't know.
#[test]
fn a_slot_that_was_unpacked_is_left_first() {
    for source in ["fetch", "bundle"] {
        let text = format!("source = {source:?}");
        let left = difference(&deploy(&text, &[second()], 3), &deploy(&text, &[unpacked(&[])], 3));
        assert_eq!(left, "prepare\n+     keep what somebody changed in a\n");
    }
}
