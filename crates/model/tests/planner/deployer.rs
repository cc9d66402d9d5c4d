//! What is done on the deployer.

use super::*;

#[test]
fn what_comes_first_on_the_deployer_stands_in_the_plan() {
    let text = "test_runner = \"django\"\n[hooks]\nlocal.before = \"make docs\"\nlocal.after = \"tell them\"\nlocal.on_failure = \"warn them\"\n";
    let (remote, tag) = ("origin".to_owned(), "v3".to_owned());
    let tagging = DeployerAction::Tag {
        tag: tag.clone(),
        commit: release(3).commit,
        signed: false,
        signers: Vec::new(),
        remote: remote.clone(),
    };
    let push = DeployerAction::PushTag { remote, tag };
    let request = DeployRequest { before: vec![tagging], publish: vec![push], ..request(3) };
    let settings = fleet(text, 1);
    let hosts = [second()];
    let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
    let shown = show_plan(&plan, Detail::Shell);
    assert_snapshot!(shown[..shown.find("\nlock").expect("there is one")], @r#"
      web1  v2 (2222222222)  → v3 (3333333333) in slot a
      if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then

    begin
      on this machine
        run the tests: python manage.py test --noinput
          $ [ -n "$VIRTUAL_ENV" ] || [ ! -d env/bin ] || export PATH="$PWD"/env/bin:"$PATH"
          $ command -v python >/dev/null || python() { python3 "$@"; }
          $ python manage.py test --noinput
        make docs
          $ make docs
        tag 3333333333 as v3
          $ git tag -a --no-sign -m 'Release v3' v3 3333333333333333333333333333333333333333
        if it fails: remove the tag v3
          $ tag=v3 remote=origin
          $ ours=$(git rev-parse --verify --quiet "refs/tags/$tag") || exit 0
          $ there=$(git ls-remote "$remote" "refs/tags/$tag") || {
          $   echo "$tag isn't removed: $remote doesn't answer whether it has that tag" >&2
          $   exit 1
          $ }
          $ case $there in "$ours"*) exit 0 ;; esac
          $ git tag --delete "$tag" >/dev/null
    "#);
    assert_snapshot!(show_plan(&plan, Detail::Changes), @"
    web1  v2 (2222222222)  → v3 (3333333333) in slot a
    first: run the tests: python manage.py test --noinput
    first: make docs
    first: tag 3333333333 as v3
    when all hosts are ready: push v3 to origin
    ");
    // Tests can be left out; and where nothing changes, nothing comes first.
    let request = DeployRequest { tests: false, ..request };
    let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
    let first = |plan: &Plan| plan.phases.first().map(|phase| phase.deployer[0].action.clone());
    assert_eq!(first(&plan), Some(DeployerAction::Hook { command: "make docs".to_owned() }));
    let there = [bare().slot("a", SlotState::Live, 3).link("a")];
    let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &there)).expect("a plan");
    assert!(plan.is_empty() && plan.closing.is_empty());
}

/// By `DEPLOYMENT_TYPE` an app finds its databases and caches: tests that found those of the hosts emptied them.
#[test]
fn nothing_on_the_deployer_but_hooks_finds_out_where_a_release_goes() {
    let text = |more: &str| {
        format!(
            "{more}test_runner = \"make test\"\ndeployment_type = \"LIVE\"\nenv_file = \".env\"\n\
             variables = {{ CACHE = \"live\" }}\n[hooks]\nlocal.before = \"before\"\n"
        )
    };
    let push =
        DeployerAction::PushBranch { remote: "o".into(), branch: "master".into(), commit: release(3).commit };
    let request = DeployRequest { before: vec![push], ..request(3) };
    let found = |more: &str| {
        let settings = fleet(&text(more), 1);
        let hosts = [second()];
        let plan =
            plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("nothing is wrong");
        let steps = plan.deployer_steps().filter_map(|found| match found {
            Found::OnDeployer { step, .. } => Some(&step.action),
            Found::OnHost { .. } => None,
        });
        let lines = steps.map(|action| {
            let all = plan.variables_of(action);
            let told = all.keys().filter(|name| name.starts_with("BUEDAFAB_")).count();
            format!("{action}: {} and {told} of the run\n", all["DEPLOYMENT_TYPE"])
        });
        assert_eq!(plan.variables["BUEDAFAB_DEPLOYMENT_TYPE"], "LIVE");
        assert!(!plan.variables.contains_key("CACHE"));
        lines.collect::<String>()
    };
    assert_snapshot!(found(""), @"
    run the tests: make test: SOLO and 0 of the run
    before: SOLO and 12 of the run
    push 3333333333 to master on o: SOLO and 0 of the run
    ");
    assert_snapshot!(found("local_deployment_type = \"TEST\"\n"), @"
    run the tests: make test: TEST and 0 of the run
    before: TEST and 12 of the run
    push 3333333333 to master on o: TEST and 0 of the run
    ");
    let (settings, hosts) = (fleet("", 1), [second()]);
    let request = RollbackRequest::new(URL, Schema::Refuse);
    let back = plan_rollback(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
    assert_eq!(back.variables["BUEDAFAB_COMMAND"], "rollback");
}
