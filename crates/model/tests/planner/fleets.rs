//! Plans for several hosts.

use super::*;

#[test]
fn five_hosts_in_waves() {
    let waves = |text: &str| {
        let settings = fleet(text, 5);
        let hosts = vec![live(); 5];
        let plan = plan_deploy(&settings, &run(60), &request(2), &seen(&settings, &hosts)).expect("a plan");
        assert_sound(&plan);
        let switches = plan.phases.iter().filter(|phase| phase.kind.to_string().starts_with("switch"));
        let line = |phase: &buedafab_model::plan::Phase| {
            let hosts: Vec<&str> = phase.work.iter().map(|work| work.host.as_str()).collect();
            format!("  {}: {}", phase.kind, hosts.join(" "))
        };
        format!("{text}\n{}", switches.map(line).collect::<Vec<_>>().join("\n"))
    };
    let texts = [
        "",
        "waves = [1]",
        "waves = [1, \"50%\"]",
        "waves = [2, 2, 2, 2]",
        "waves = [9]",
        "waves = [\"1%\", \"100%\"]",
        "batch = 2",
        "batch = \"25%\"",
        "waves = [1]\nbatch = 3",
        "waves = [9]\nbatch = 3",
    ];
    assert_snapshot!(texts.map(waves).join("\n"), @r#"
      switch: web1 web2 web3 web4 web5
    waves = [1]
      switch, wave 1 of 2: web1
      switch, wave 2 of 2: web2 web3 web4 web5
    waves = [1, "50%"]
      switch, wave 1 of 3: web1
      switch, wave 2 of 3: web2 web3 web4
      switch, wave 3 of 3: web5
    waves = [2, 2, 2, 2]
      switch, wave 1 of 3: web1 web2
      switch, wave 2 of 3: web3 web4
      switch, wave 3 of 3: web5
    waves = [9]
      switch: web1 web2 web3 web4 web5
    waves = ["1%", "100%"]
      switch, wave 1 of 2: web1
      switch, wave 2 of 2: web2 web3 web4 web5
    batch = 2
      switch, wave 1 of 3: web1 web2
      switch, wave 2 of 3: web3 web4
      switch, wave 3 of 3: web5
    batch = "25%"
      switch, wave 1 of 3: web1 web2
      switch, wave 2 of 3: web3 web4
      switch, wave 3 of 3: web5
    waves = [1]
    batch = 3
      switch, wave 1 of 3: web1
      switch, wave 2 of 3: web2 web3 web4
      switch, wave 3 of 3: web5
    waves = [9]
    batch = 3
      switch: web1 web2 web3 web4 web5
    "#);
}

/// A host that has nothing yet gets the packages that the others have.
#[test]
fn a_host_that_joins_takes_the_packages_of_the_others() {
    let settings = fleet("recipe = \"wsgi\"", 3);
    let with = |pin: &str| live().change(|facts| facts.pins = vec![pin.to_owned()]);
    let hosts = [bare(), with("six==1.0"), with("six==2.0")];
    let plan = plan_deploy(&settings, &run(2), &request(2), &seen(&settings, &hosts)).expect("a plan");
    let json = serde_json::to_value(&plan).expect("plain data");
    let works = json["phases"].as_array().into_iter().flatten().flat_map(|phase| phase["work"].as_array());
    let pinned = works.flatten().filter(|work| work.to_string().contains("six=="));
    let pinned: Vec<(&str, bool)> = pinned
        .map(|work| (work["host"].as_str().expect("a name"), work.to_string().contains("six==1.0")))
        .collect();
    assert_eq!(pinned, [("web1", true)]);
}

/// What of a plan is about hosts that differ in nothing but their names is told once, and what is done to each of very many.
#[test]
fn hosts_that_are_alike_are_told_together() {
    let settings = fleet("[hooks]\ncheck = \"check\"\n[health]\nhttp = \"http://localhost/\"", 6);
    let hosts = [(); 6].map(|()| bare());
    let plan = plan_deploy(&settings, &run(60), &request(1), &seen(&settings, &hosts)).expect("a plan");
    let one = fleet("[hooks]\ncheck = \"check\"\n[health]\nhttp = \"http://localhost/\"", 1);
    let alone = plan_deploy(&one, &run(60), &request(1), &seen(&one, &hosts[..1])).expect("a plan");
    let lines = |plan: &Plan| show_plan(plan, Detail::Shell).lines().count();
    // Once is on the primary alone, so the first host may be told apart there.
    assert!(lines(&plan) < lines(&alone) + 20, "{} lines beside {}", lines(&plan), lines(&alone));
    let shown = show_plan(&plan, Detail::Shell);
    assert!(shown.contains("$ export BUEDAFAB_HOST=web1   # each its own\n"), "{shown}");
    insta::assert_snapshot!(show_plan(&plan, Detail::Changes), @"  6 hosts: web1 … web6  nothing live  → v1 (1111111111) in slot a");
}

/// The git server's own bound on connections needn't be met by all hosts at once.
#[test]
fn so_many_hosts_fetch_at_once_as_may() {
    let hosts = [second(), second(), second()];
    let three = deploy("", &hosts, 3);
    assert_snapshot!(difference(&three, &deploy("fetch_concurrency = 2", &hosts, 3)), @"
    lock
    + fetch, batch 1 of 2
    +   on web1, web2
    +     mark a as being built for v3 (3333333333)
    +     fetch 3333333333 into a
    + 
    + fetch, batch 2 of 2
    +   on web3
    +     mark a as being built for v3 (3333333333)
    +     fetch 3333333333 into a
    + 
    prepare
    -     mark a as being built for v3 (3333333333)
    -     fetch 3333333333 into a
    ");
    assert_eq!(three, deploy("fetch_concurrency = 3", &hosts, 3));
    // Where nothing is fetched, nobody waits.
    let bundle = deploy("source = \"bundle\"", &hosts, 3);
    assert!(!bundle.contains("batch"), "{bundle}");
    let many = deploy("", &vec![second(); 10], 3);
    let bounded = deploy("fetch_concurrency = 4", &vec![second(); 10], 3);
    let note = |plan: &str| plan.lines().find(|line| line.contains("git remote")).map(str::to_owned);
    assert_snapshot!(note(&many).expect("it is said"), @r#"  note: 10 hosts fetch from the git remote at the same time: with `source = "bundle"` only this machine does, and sends each of them what it lacks; `fetch_concurrency` lets fewer fetch at once"#);
    assert_eq!(note(&bounded), None);
    assert!(bounded.contains("fetch, batch 3 of 3"), "{bounded}");
}
