//! Plans that go back.

use super::*;

#[test]
fn a_rollback_flips_back() {
    assert_snapshot!(plain_rollback(), @"
    roll back to v1 (1111111111)
      web1  v2 (2222222222)  → v1 (1111111111) in slot a
      note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used

    lock
      on web1
        take the lock
        check that nothing changed since the look

    prepare
      on web1
        verify that a holds 1111111111, unchanged

    switch
      on web1
        switch the link to a
        restart init:five
        if it fails: switch the link to b
        if it fails: restart init:five
        if it fails: mark a as failed
        if it fails: note in the journal: reverted

    finish
      on web1
        mark a as live
        mark b as ready
        note in the journal: rolled back
    ");
    assert_snapshot!(difference(&plain_rollback(), &rollback("", &[second(), second()])), @"
    roll back to v1 (1111111111)
    -   note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    +   web2  v2 (2222222222)  → v1 (1111111111) in slot a
    +   note: web1, web2: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    lock
    -   on web1
    +   on web1, web2
    prepare
    -   on web1
    +   on web1, web2
    switch
    -   on web1
    +   on web1, web2
    finish
    -   on web1
    +   on web1, web2
    +     note which hosts there are
    ");
}

#[test]
fn a_second_rollback_has_nowhere_to_go() {
    let rolled_back = bare().slot("a", SlotState::Live, 1).slot("b", SlotState::Ready, 2).link("a");
    assert_snapshot!(rollback("", &[rolled_back]), @r#"
    web1: nothing to roll back to: v2 (2222222222) in slot b isn't older than what is live: it was rolled back from, or never served
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    "#);
}

#[test]
fn there_is_nothing_before_a_first_release() {
    assert_snapshot!(rollback("", &[live(), bare()]), @r#"
    web1: nothing to roll back to: what serves is the first release on this host
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    web2: nothing to roll back to: nothing was ever live on this host
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    "#);
}

#[test]
fn a_release_that_was_overwritten_is_built_again() {
    let failed =
        bare().slot_with_former("a", SlotState::Building, 3, Some(1)).slot("b", SlotState::Live, 2).link("b");
    assert_snapshot!(difference(&plain_rollback(), &rollback("", &[failed])), @"
    roll back to v1 (1111111111)
    +   note: web1: v1 (1111111111) has to be built again first: it was overwritten by a later attempt
    prepare
    -     verify that a holds 1111111111, unchanged
    +     mark a as being built for v1 (1111111111)
    +     fetch 1111111111 into a
    +     check out 1111111111 in a
    +     keep what 1111111111 is built and run with
    +     mark a as ready
    ");
}

#[test]
fn a_failed_first_attempt_leaves_nothing_to_roll_back_to() {
    let failed = live().slot("b", SlotState::Failed, 2);
    assert_snapshot!(rollback("", &[failed]), @r#"
    web1: nothing to roll back to: v2 (2222222222) in slot b never served
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    "#);
}

#[test]
fn hosts_that_would_roll_back_to_different_releases() {
    let ahead = bare().slot("a", SlotState::Live, 3).slot("b", SlotState::Retired, 2).link("a");
    assert_snapshot!(rollback("", &[second(), ahead]), @r#"
    the hosts would roll back to different releases: web1 to v1 (1111111111), web2 to v2 (2222222222)
      hint: deploy one release everywhere (deploy:commit=SHA), or narrow the rollback with --hosts
    "#);
}

/// Three slots keep the release before until the new one is live: the oldest goes first.
#[test]
fn the_least_worthy_of_three_slots_is_overwritten() {
    let text = "release_paths = [\"a\", \"b\", \"c\"]";
    let order = |host: Seen| {
        let settings = fleet(text, 1);
        let hosts = [host];
        let plan = plan_deploy(&settings, &run(60), &request(9), &seen(&settings, &hosts)).expect("a plan");
        assert_sound(&plan);
        plan.hosts[0].to.as_ref().expect("a target").slot.to_string()
    };
    let full = bare().slot("a", SlotState::Retired, 1).slot("b", SlotState::Retired, 2).slot(
        "c",
        SlotState::Live,
        3,
    );
    let found = [
        ("an empty one", order(live().slot("b", SlotState::Retired, 2))),
        ("the oldest of those that served", order(full.clone().link("c"))),
        (
            "one that failed, rather than one that served",
            order(live().slot("b", SlotState::Retired, 2).slot("c", SlotState::Failed, 3)),
        ),
        (
            "one that is being built",
            order(live().slot("b", SlotState::Building, 5).slot("c", SlotState::Ready, 3)),
        ),
        (
            "one that was never live",
            order(live().slot("b", SlotState::Retired, 2).slot("c", SlotState::Ready, 3)),
        ),
        ("the oldest, if nothing is live", order(full)),
    ];
    let found: Vec<String> = found.iter().map(|(why, slot)| format!("{slot}: {why}")).collect();
    assert_snapshot!(found.join("\n"), @r#"
    c: an empty one
    a: the oldest of those that served
    c: one that failed, rather than one that served
    b: one that is being built
    c: one that was never live
    a: the oldest, if nothing is live
    "#);
}

#[test]
fn a_rollback_on_three_slots_goes_one_back() {
    let full = bare()
        .slot("a", SlotState::Retired, 1)
        .slot("b", SlotState::Retired, 2)
        .slot("c", SlotState::Live, 3)
        .link("c");
    assert_snapshot!(difference(&plain_rollback(), &rollback("release_paths = [\"a\", \"b\", \"c\"]", &[full])), @"
    - roll back to v1 (1111111111)
    -   web1  v2 (2222222222)  → v1 (1111111111) in slot a
    -   note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    + roll back to v2 (2222222222)
    +   web1  v3 (3333333333)  → v2 (2222222222) in slot b
    +   note: web1: what v2 (2222222222) was prepared with wasn't kept: the commands of today's configuration are used
    prepare
    -     verify that a holds 1111111111, unchanged
    +     verify that b holds 2222222222, unchanged
    switch
    -     switch the link to a
    +     switch the link to b
    -     if it fails: switch the link to b
    +     if it fails: switch the link to c
    -     if it fails: mark a as failed
    +     if it fails: mark b as failed
    finish
    -     mark a as live
    -     mark b as ready
    +     mark b as live
    +     mark c as ready
    ");
}
