//! What another tool has left, or a person: links that lead elsewhere, and slots without records.

use super::*;

#[test]
fn a_folder_where_the_link_should_be() {
    let folder = second().change(|facts| facts.current = CurrentLink::NotALink);
    assert_snapshot!(deploy("", std::slice::from_ref(&folder), 3), @r#"
    web1: /var/webapps/five/releases/current is a folder or a file, not a link
      hint: move it away on that host, then deploy again: mv /var/webapps/five/releases/current /var/webapps/five/releases/current.old
    "#);
    assert_snapshot!(rollback("", &[folder]), @r#"
    web1: /var/webapps/five/releases/current is a folder or a file, not a link
      hint: move it away on that host, then deploy again: mv /var/webapps/five/releases/current /var/webapps/five/releases/current.old
    "#);
}

/// Slot b was removed by hand, and the link still names it: it is not where the new release goes.
#[test]
fn a_link_that_leads_to_nothing() {
    let dangling = bare()
        .slot("a", SlotState::Retired, 1)
        .change(|facts| facts.current = CurrentLink::Dangling("b".to_owned()));
    assert_snapshot!(difference(&plain_deploy(), &deploy("", std::slice::from_ref(&dangling), 3)), @r#"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    +   web1  nothing live  → v3 (3333333333) in slot a
    +   note: web1: /var/webapps/five/releases/current points to "b", which isn't there: nothing is live here
    switch
    -     if it fails: restart init:five
    finish
    -     keep b for a rollback to v2 (2222222222)
    "#);
    assert_snapshot!(difference(&plain_rollback(), &rollback("", &[dangling])), @r#"
    roll back to v1 (1111111111)
    -   web1  v2 (2222222222)  → v1 (1111111111) in slot a
    +   web1  nothing live  → v1 (1111111111) in slot a
    +   note: web1: /var/webapps/five/releases/current points to "b", which isn't there: nothing is live here
    switch
    -     if it fails: restart init:five
    finish
    -     mark b as ready
    "#);
}

#[test]
fn a_link_that_leads_elsewhere() {
    let elsewhere = bare().link("/srv/old");
    assert_snapshot!(deploy("", std::slice::from_ref(&elsewhere), 1), @r#"
    web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      hint: another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
    "#);
    assert_snapshot!(difference(&plain_deploy(), &deploy_as("", &[elsewhere], &DeployRequest { take_over: true, ..request(3) })), @r#"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  nothing live  → v3 (3333333333) in slot a
    +   note: web1: /var/webapps/five/releases/current points to "/srv/old": it will be replaced, and a rollback can't go back to it
    lock
    +     create the app's folders
    switch
    -     if it fails: switch the link to b
    +     if it fails: switch the link to /srv/old
    finish
    -     keep b for a rollback to v2 (2222222222)
    "#);
}

/// A slot that served once is no licence to replace what serves now.
#[test]
fn a_rollback_over_a_link_that_leads_elsewhere() {
    let taken = live().slot("b", SlotState::Retired, 2).link("/srv/old");
    assert_snapshot!(rollback("", &[taken]), @r#"
    web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      hint: another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
    "#);
}

/// What another tool put into a slot has no record, and perhaps no commit; it is restarted all the same if the switch
/// fails.
#[test]
fn slots_that_another_tool_filled() {
    let foreign = second().change(|facts| {
        for seen in facts.slots.values_mut() {
            seen.record = None;
        }
    });
    assert_snapshot!(difference(&plain_deploy(), &deploy("", std::slice::from_ref(&foreign), 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  2222222222  → v3 (3333333333) in slot a
    +   note: web1: buedafab didn't make slot a: files in it that git doesn't know will be removed
    finish
    -     keep b for a rollback to v2 (2222222222)
    +     keep b for a rollback to 2222222222
    ");
    let nameless = foreign.change(|facts| facts.slots.values_mut().for_each(|seen| seen.commit = None));
    assert_snapshot!(difference(&plain_deploy(), &deploy("", std::slice::from_ref(&nameless), 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  nothing live  → v3 (3333333333) in slot a
    +   note: web1: buedafab didn't make slot a: files in it that git doesn't know will be removed
    finish
    -     keep b for a rollback to v2 (2222222222)
    ");
    assert_snapshot!(rollback("", &[nameless]), @r#"
    web1: nothing to roll back to: what serves is the first release on this host
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    "#);
}
