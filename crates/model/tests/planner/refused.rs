//! What speaks against a plan.

use super::*;

#[test]
fn a_hold_stops_deploys_and_no_rollback() {
    let hold = Hold { at: run(5).at, by: "bob@desk".to_owned(), reason: "the audit".to_owned() };
    let held = second().change(|facts| facts.hold = Some(hold));
    assert_snapshot!(deploy("", std::slice::from_ref(&held), 3), @r#"
    web1: deploys are on hold: "the audit", says bob@desk since 2026-11-05T00:05:00Z
      hint: lift it with the command `unhold`, once its reason is gone
    "#);
    assert_eq!(rollback("", &[held]), plain_rollback());
}

#[test]
fn a_lock_stops_both() {
    let holder = LockHolder {
        at: run(5).at,
        by: "bob@desk".to_owned(),
        doing: "deploy v2 (2222222222)".to_owned(),
        run: run(5).run,
    };
    let locked = second().change(|facts| facts.lock = Some(Lock { holder: Some(holder) }));
    let nameless = second().change(|facts| facts.lock = Some(Lock { holder: None }));
    assert_snapshot!(deploy("", &[locked.clone(), nameless], 3), @r#"
    web1: locked by bob@desk since 2026-11-05T00:05:00Z (deploy v2 (2222222222), run r5)
      hint: wait until it ends; a lock never outlives its run
    web2: locked by a run that hasn't said who it is
      hint: wait until it ends; a lock never outlives its run
    "#);
    assert_snapshot!(rollback("", &[locked]), @r#"
    web1: locked by bob@desk since 2026-11-05T00:05:00Z (deploy v2 (2222222222), run r5)
      hint: wait until it ends; a lock never outlives its run
    "#);
}

#[test]
fn all_that_is_wrong_with_a_host_is_told_at_once() {
    let unfit = bare().link("/srv/old").change(|facts| {
        facts.missing_tools = vec!["git".to_owned(), "flock".to_owned()];
        facts.writable = false;
    });
    assert_snapshot!(deploy("", &[unfit], 3), @r#"
    web1: git, flock not found
      hint: install them there; Debian: apt-get install git util-linux
    web1: deploy can't write /var/webapps/five
      hint: on that host, as root: install -d -o deploy /var/webapps/five
    web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      hint: another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
    "#);
}

#[test]
fn no_hosts() {
    assert_snapshot!(deploy("", &[], 3), @r#"
    no host to work on
      hint: give the environment `hosts` in buedafab.toml, or widen --hosts and --roles
    "#);
    assert_snapshot!(rollback("", &[]), @r#"
    no host to work on
      hint: give the environment `hosts` in buedafab.toml, or widen --hosts and --roles
    "#);
}

#[test]
fn a_disk_that_is_nearly_full_is_told() {
    let full = second().change(|facts| {
        facts.disk_kib = Some(Capacity { free: 30_000, total: 1_000_000 });
        facts.inodes = Some(Capacity { free: 400, total: 10_000 });
    });
    assert_snapshot!(deploy("", &[full], 2), @r#"
    nothing to do
      web1  v2 (2222222222)  stays as it is
      note: web1: only 3 % of the disk's space is left
      note: web1: only 4 % of the disk's inodes are left
      note: web1: v2 (2222222222) is live already
    "#);
}
