//! Which bundles a plan asks for, and how its steps are with those that were made.

mod common;

use buedafab_model::app::bundle::{Bases, Bundle, Bundles};
use buedafab_model::app::package::FetchedPackage;
use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::record::SlotState;
use buedafab_model::names::{CommitId, SlotName};
use buedafab_model::plan::Plan;
use buedafab_model::plan::action::Schema;
use buedafab_model::planner::{
    DeployRequest, RollbackRequest, WantedBundles, plan_deploy, plan_rollback, wanted_bundles,
};
use insta::assert_snapshot;

use common::{Seen, URL, bare, check, deploy, difference, fleet, release, request, run, second, seen};

const BUNDLE: &str = "source = \"bundle\"";

fn slots(facts: &mut HostFacts, change: impl Fn(&mut buedafab_model::host::facts::SlotFacts)) {
    facts.slots.values_mut().for_each(change);
}

/// What is made is what is asked for, on whatever is known of it: release 1 was pushed away.
fn made(wanted: &WantedBundles) -> Bundles {
    let bundle = |bases: &Bases| {
        let known = |commit: &&CommitId| **commit != release(1).commit;
        let on: Vec<CommitId> = bases.iter().map(|base| &base.commit).filter(known).cloned().collect();
        let sum = "e".repeat(64);
        let file = FetchedPackage {
            name: "bundle".to_owned(),
            key: sum.clone(),
            file: "bundle".to_owned(),
            sha256: sum,
            size_bytes: 1 << 20,
        };
        let lfs = wanted.lfs.then(|| Box::new(FetchedPackage { key: "f".repeat(64), ..file.clone() }));
        Bundle { file: Some(file), on, modules: Vec::new(), lfs }
    };
    wanted.bases.iter().map(|bases| (bases.clone(), bundle(bases))).collect()
}

/// What is asked for, a line a bundle; and the steps by which hosts are filled with what was made.
fn asked(plan: impl Fn(Bundles) -> Plan) -> String {
    let draft = plan(Bundles::new());
    let wanted = wanted_bundles(&draft);
    let bundles = wanted.iter().flat_map(made).collect();
    let plan = plan(bundles);
    assert_eq!(wanted_bundles(&plan), None, "nothing is asked for twice");
    let bases = wanted.iter().flat_map(|wanted| &wanted.bases);
    let mut shown: String = bases
        .map(|bases| {
            let bases: Vec<String> = bases
                .iter()
                .map(|base| {
                    format!(
                        "{}{}{}",
                        base.commit.short(),
                        if base.submodules { " with submodules" } else { "" },
                        if base.lfs { " with LFS files" } else { "" }
                    )
                })
                .collect();
            format!("a bundle on [{}]\n", bases.join(", "))
        })
        .collect();
    for planned in &plan.hosts {
        let works = plan.phases.iter().filter_map(|phase| phase.work_of(&planned.host.name));
        for step in works.flat_map(|work| work.steps()) {
            let title = step.action.to_string();
            let sends = if step.action.effects().input.is_some() { " (sent)" } else { "" };
            if title.starts_with("bring") || title.contains("submodules") || title.contains("LFS") {
                shown += &format!("{}: {title}{sends}\n", planned.host.name);
            }
        }
    }
    shown
}

#[track_caller]
fn asked_by(hosts: &[Seen], request: &DeployRequest) -> String {
    let settings = fleet(BUNDLE, hosts.len());
    asked(|bundles| {
        let request = DeployRequest { bundles, ..request.clone() };
        let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, hosts));
        plan.expect("nothing speaks against it")
    })
}

#[test]
fn hosts_that_have_the_same_get_the_same() {
    let other = bare().slot("a", SlotState::Live, 1).link("a");
    assert_snapshot!(asked_by(&[second(), second(), other, bare()], &request(3)), @"
    a bundle on []
    a bundle on [1111111111]
    a bundle on [1111111111, 2222222222]
    web1: bring 3333333333 into a by a bundle that builds on 2222222222 (sent)
    web2: bring 3333333333 into a by a bundle that builds on 2222222222 (sent)
    web3: bring 3333333333 into b by a bundle of all of it (sent)
    web4: bring 3333333333 into a by a bundle of all of it (sent)
    ");
    // Release 3 lies on the second already; the first never had it.
    let has = bare().slot("a", SlotState::Retired, 3).slot("b", SlotState::Live, 2).link("b");
    assert_snapshot!(asked_by(&[second(), has], &request(3)), @"
    a bundle on [1111111111, 2222222222]
    web1: bring 3333333333 into a by a bundle that builds on 2222222222 (sent)
    web2: bring 3333333333 into a from what the host has
    ");
}

#[test]
fn nothing_is_built_on_what_is_of_no_use() {
    let damaged = second().change(|facts| {
        let live = SlotName::new("b").expect("a slot");
        facts.slots.get_mut(&live).expect("it is there").damaged = Some("no HEAD in it".to_owned());
    });
    let wants_all = second().change(|facts| facts.wants_all = true);
    let gone = second().change(|facts| slots(facts, |seen| seen.folder_is_gone = true));
    assert_snapshot!(asked_by(&[damaged, wants_all, gone], &request(3)), @"
    a bundle on []
    a bundle on [1111111111]
    web1: bring 3333333333 into a by a bundle of all of it (sent)
    web2: bring 3333333333 into a by a bundle of all of it (sent)
    web3: bring 3333333333 into a by a bundle of all of it (sent)
    ");
}

#[test]
fn submodules_come_with_it() {
    let mut request = request(3);
    request.release.submodules = true;
    let bundled = second().change(|facts| slots(facts, |seen| seen.has_modules = true));
    assert_snapshot!(asked_by(&[second(), bundled], &request), @"
    a bundle on [1111111111, 2222222222]
    a bundle on [1111111111 with submodules, 2222222222 with submodules]
    web1: bring 3333333333 into a by a bundle that builds on 2222222222 (sent)
    web1: check out the submodules of a
    web2: bring 3333333333 into a by a bundle that builds on 2222222222 (sent)
    web2: check out the submodules of a
    ");
    // The commit is there, and what its submodules take isn't.
    let has = bare().slot("a", SlotState::Retired, 3).slot("b", SlotState::Live, 2).link("b");
    let all = has.clone().change(|facts| slots(facts, |seen| seen.has_modules = true));
    assert_snapshot!(asked_by(&[has, all], &request), @"
    a bundle on [2222222222, 3333333333]
    web1: bring 3333333333 into a by a bundle that builds on 2222222222, 3333333333 (sent)
    web1: check out the submodules of a
    web2: bring 3333333333 into a from what the host has
    web2: check out the submodules of a
    ");
}

fn with_lfs(number: u8) -> DeployRequest {
    let mut request = request(number);
    request.release.lfs = true;
    request
}

#[test]
fn lfs_files_come_with_it() {
    let has = |number: u8| move |facts: &mut HostFacts| facts.lfs = [release(number).commit].into();
    let (none, live, new) = (second(), second().change(has(2)), second().change(has(3)));
    // Nothing that the look said of it holds any more.
    let wants_all = second().change(has(3)).change(|facts| facts.wants_all = true);
    assert_snapshot!(asked_by(&[none, live, new, wants_all], &with_lfs(3)), @"
    a bundle on []
    a bundle on [1111111111, 2222222222]
    a bundle on [1111111111, 2222222222 with LFS files]
    web1: bring 3333333333 into a by a bundle that builds on 2222222222 (sent)
    web1: bring the LFS files of a that the host lacks (sent)
    web2: bring 3333333333 into a by a bundle that builds on 2222222222 (sent)
    web2: bring the LFS files of a that the host lacks (sent)
    web3: bring 3333333333 into a by a bundle that builds on 2222222222 (sent)
    web3: bring the LFS files of a from what the host has
    web4: bring 3333333333 into a by a bundle of all of it (sent)
    web4: bring the LFS files of a that the host lacks (sent)
    ");
    // The commit is there, and what Git LFS keeps for it isn't, or is.
    let there = bare().slot("a", SlotState::Retired, 3).slot("b", SlotState::Live, 2).link("b");
    let all = there.clone().change(has(3));
    assert_snapshot!(asked_by(&[there, all], &with_lfs(3)), @"
    a bundle on [2222222222, 3333333333]
    web1: bring 3333333333 into a by a bundle that builds on 2222222222, 3333333333 (sent)
    web1: bring the LFS files of a that the host lacks (sent)
    web2: bring 3333333333 into a from what the host has
    web2: bring the LFS files of a from what the host has
    ");
}

#[test]
fn hosts_that_fetch_lfs_files_need_git_lfs() {
    let settings = fleet("", 4);
    let with_tool = second().change(|facts| facts.has_git_lfs = true);
    let has_it = second().change(|facts| facts.lfs = [release(3).commit].into());
    let stays = bare().slot("a", SlotState::Retired, 1).slot("b", SlotState::Live, 3).link("b");
    let plan = |hosts: &[Seen]| plan_deploy(&settings, &run(60), &with_lfs(3), &seen(&settings, hosts));
    assert_snapshot!(check(plan(&[with_tool.clone(), second(), has_it.clone(), stays.clone()])), @r#"
    web2: git-lfs not found, and this release has files that Git LFS keeps
      hint: install it there; Debian: apt-get install git-lfs; or choose the source "bundle" or "archive", which takes none
    "#);
    let plan = plan(&[with_tool.clone(), with_tool, has_it, stays]).expect("nothing speaks against it");
    let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
    let lfs = steps.map(|step| step.action.to_string()).filter(|title| title.contains("LFS"));
    assert_eq!(lfs.collect::<Vec<_>>(), ["fetch the LFS files of a"; 3]);
}

#[test]
fn a_rollback_sends_what_a_host_lacks() {
    let settings = fleet(BUNDLE, 3);
    // On the first it stands in its slot and is damaged; on the second it was overwritten; the third never had it.
    let damaged = second().change(|facts| {
        let before = SlotName::new("a").expect("a slot");
        facts.slots.get_mut(&before).expect("it is there").damaged = Some("no HEAD in it".to_owned());
    });
    let overwritten =
        bare().slot_with_former("a", SlotState::Building, 3, Some(1)).slot("b", SlotState::Live, 2).link("b");
    let never = bare().slot("b", SlotState::Live, 2).link("b");
    let hosts = [damaged, overwritten, never];
    assert_snapshot!(asked(|bundles| {
        let request = RollbackRequest {
            to: Some("v1".to_owned()),
            bundles,
            ..RollbackRequest::new(URL, Schema::Refuse)
        };
        plan_rollback(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("nothing speaks against it")
    }), @"
    a bundle on [2222222222]
    web1: bring 1111111111 into a by a bundle that builds on 2222222222 (sent)
    web2: bring 1111111111 into a by a bundle that builds on 2222222222 (sent)
    web3: bring 1111111111 into a by a bundle that builds on 2222222222 (sent)
    ");
}

#[test]
fn a_plan_differs_by_how_the_commit_comes() {
    let settings = fleet(BUNDLE, 1);
    let hosts = [second()];
    let plan = |bundles| {
        plan_deploy(&settings, &run(60), &DeployRequest { bundles, ..request(3) }, &seen(&settings, &hosts))
    };
    let wanted = wanted_bundles(&plan(Bundles::new()).expect("it is fit")).expect("it lacks one");
    assert_snapshot!(difference(&deploy("", &hosts, 3), &check(plan(made(&wanted)))), @"
    prepare
    -     fetch 3333333333 into a
    +     bring 3333333333 into a by a bundle that builds on 2222222222
    ");
    // What is sent has to find room.
    let small = hosts[0].clone().change(|facts| {
        facts.disk_kib = Some(buedafab_model::host::facts::Capacity { free: 1000, total: 1 << 20 });
    });
    let request = DeployRequest { bundles: made(&wanted), ..request(3) };
    let told = check(plan_deploy(&settings, &run(60), &request, &seen(&settings, &[small])));
    assert!(
        told.contains("another release may not fit: what is sent takes 1 MiB, and 0 MiB are free"),
        "{told}"
    );
}
