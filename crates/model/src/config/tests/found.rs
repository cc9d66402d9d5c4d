//! Hosts that nobody writes down: from what was answered to hosts.

use std::collections::BTreeMap;

use super::*;
use crate::host::inventory::{Answer, Answers, HostSource, Instance, Listed, ListedHost, Question};

/// An instance that runs, and says what each text says: `public=1.2.3.4`, `state=stopped`, `tag:Name=web1`.
fn instance(id: &str, said: &[&str]) -> Instance {
    let mut instance = Instance {
        id: id.to_owned(),
        state: "running".to_owned(),
        zone: Some("eu-west-1b".to_owned()),
        private: Some(format!("10.0.0.{}", id.trim_start_matches("i-"))),
        ..Instance::default()
    };
    for (key, value) in said.iter().map(|said| said.split_once('=').expect("a key and a value")) {
        let value = value.to_owned();
        match key {
            "state" => instance.state = value,
            "private" => instance.private = Some(value).filter(|value| !value.is_empty()),
            "public" => instance.public = Some(value),
            "public_dns" => instance.public_dns = Some(value),
            "launched" => instance.launched = Some(value),
            "left_out" => instance.left_out = Some(value),
            "address" => instance = Instance { is_address: true, zone: None, ..instance },
            tag => drop(instance.tags.insert(tag.trim_start_matches("tag:").to_owned(), value)),
        }
    }
    instance
}

fn listed(name: &str) -> ListedHost {
    ListedHost { name: name.to_owned(), ..ListedHost::default() }
}

fn balancer(name: &str) -> HostSource {
    HostSource::LoadBalancer(name.to_owned())
}

/// What an environment with these settings finds with these answers: its hosts, one a line, and then all else that is told.
fn found(settings: &str, answers: Vec<(HostSource, Answer)>) -> String {
    found_in("x", &format!("unit = \"five\"\n[environments.x]\n{settings}\n"), answers)
}

fn found_in(environment: &str, text: &str, answers: Vec<(HostSource, Answer)>) -> String {
    let answers: Answers =
        answers.into_iter().map(|(source, answer)| (Question { source, region: None }, answer)).collect();
    let environment = EnvironmentName::new(environment).expect("a plain word");
    let read =
        parse("buedafab.toml", text).and_then(|file| file.with_answers(answers).settings(&environment));
    let settings = match read {
        Ok(settings) => settings,
        Err(diagnostics) => return diagnostics.to_string(),
    };
    let mut lines = Vec::new();
    for Host { name, address, user, port, roles, connect, origin, .. } in &settings.hosts {
        let user = user.as_ref().map_or(String::new(), |user| format!("{user}@"));
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let roles = roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(",");
        let connect = match connect {
            Connect::Ssh => String::new(),
            Connect::Command(words) => format!(" by {}", words.join("·")),
        };
        let origin = origin.as_ref().map_or("written".to_owned(), ToString::to_string);
        lines.push(format!("{name} {user}{address}{port} [{roles}]{connect} — {origin}"));
    }
    lines.extend(settings.inventory.left_out.iter().map(|left_out| format!("left out: {left_out}")));
    lines.extend(settings.inventory.empty.iter().map(|source| format!("empty: {source}")));
    lines.extend(settings.inventory.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

#[test]
fn running_instances_are_hosts_and_the_others_are_told() {
    let answer = || {
        Answer::Instances(vec![
            instance("i-3", &["launched=2026-03", "tag:Name=web3", "public=1.2.3.3"]),
            instance("i-1", &["launched=2026-01", "tag:Name=web1", "tag:Role=web, worker"]),
            instance("i-2", &["state=stopped", "tag:Name=web2"]),
            instance("i-4", &["state=terminated"]),
            instance("i-5", &["left_out=it is being taken out of its group"]),
            instance("i-6", &["private=", "tag:Name=web6", "tag:Role=not a/role"]),
            instance("i-7", &["private=-oProxyCommand=x", "tag:Name=web7"]),
        ])
    };
    let with = |settings: &str| {
        found(&format!("load_balancer = \"web\"\n{settings}"), vec![(balancer("web"), answer())])
    };
    insta::assert_snapshot!(with("deploy_user = 'ada'\nssh_port = 1222"), @"
    i-1 ada@10.0.0.1:1222 [web] — load balancer web, web1, i-1, eu-west-1b
    i-3 ada@10.0.0.3:1222 [web] — load balancer web, web3, i-3, eu-west-1b
    left out: i-2, web2 (load balancer web): it is stopped
    left out: i-4 (load balancer web): it is terminated
    left out: i-5 (load balancer web): it is being taken out of its group
    left out: i-6, web6 (load balancer web): it has no private address
    left out: i-7, web7 (load balancer web): ssh would take `-oProxyCommand=x` for an option
    ");
    insta::assert_snapshot!(with("address = 'public'\nrole_tag = 'Role'"), @"
    i-3 1.2.3.3 [web] — load balancer web, web3, i-3, eu-west-1b
    left out: i-1, web1 (load balancer web): it has no public address
    left out: i-2, web2 (load balancer web): it is stopped
    left out: i-4 (load balancer web): it is terminated
    left out: i-5 (load balancer web): it is being taken out of its group
    left out: i-6, web6 (load balancer web): it has no public address
    left out: i-7, web7 (load balancer web): it has no public address
    ");
    insta::assert_snapshot!(with("address = 'instance_id'\nrole_tag = 'Role'\nconnect = 'aws-shell {host} {address}'"), @r#"
    i-6 i-6 [not] by aws-shell·i-6·i-6 — load balancer web, web6, i-6, eu-west-1b
    i-7 i-7 [web] by aws-shell·i-7·i-7 — load balancer web, web7, i-7, eu-west-1b
    i-1 i-1 [web,worker] by aws-shell·i-1·i-1 — load balancer web, web1, i-1, eu-west-1b
    i-3 i-3 [web] by aws-shell·i-3·i-3 — load balancer web, web3, i-3, eu-west-1b
    left out: i-2, web2 (load balancer web): it is stopped
    left out: i-4 (load balancer web): it is terminated
    left out: i-5 (load balancer web): it is being taken out of its group
    note: i-6, web6 (load balancer web): "a/role" can't be a role: only letters, digits, `_`, `-` and `.` may stand in it
    "#);
}

#[test]
fn every_machine_is_one_host_whoever_names_it() {
    let first = || {
        Answer::Instances(vec![
            instance("i-1", &["tag:Role=web"]),
            instance("i-2", &["state=stopped"]),
            instance("i-3", &["state=pending", "tag:Name=web3"]),
            instance("i-4", &["state=stopped", "tag:Name=web4"]),
        ])
    };
    let second = Answer::Instances(vec![
        instance("i-1", &["tag:Role=worker"]),
        instance("i-2", &[]),
        instance("i-3", &["tag:Name=web3"]),
    ]);
    let addresses = Answer::Instances(vec![
        instance("10.0.0.2", &["address=", "private=10.0.0.2"]),
        instance("192.168.0.7", &["address=", "private=192.168.0.7"]),
    ]);
    let answers = vec![
        (balancer("web"), first()),
        (HostSource::Ec2(BTreeMap::from([("tag:App".to_owned(), vec!["five".to_owned()])])), second),
        (HostSource::TargetGroup("ips".to_owned()), addresses),
        (HostSource::AutoScalingGroup("none".to_owned()), Answer::Instances(Vec::new())),
    ];
    insta::assert_snapshot!(
        found(
            "hosts = ['db1', { name = 'fixed', address = '192.168.0.7', roles = ['db'] }]\nload_balancer = 'web'\nrole_tag = 'Role'\n\
             target_group = 'ips'\nauto_scaling_group = 'none'\nec2 = { 'tag:App' = 'five' }\naddress = 'private'",
            answers
        ),
        @"
    db1 db1 [web] — written
    fixed 192.168.0.7 [db] — written
    i-1 10.0.0.1 [web,worker] — load balancer web, i-1, eu-west-1b
    10.0.0.2 10.0.0.2 [web] — target group ips
    i-3 10.0.0.3 [web] — EC2 tag:App=five, web3, i-3, eu-west-1b
    left out: i-4, web4 (load balancer web): it is stopped
    empty: auto scaling group none
    "
    );
}

#[test]
fn inventories_say_of_hosts_what_they_say() {
    let inventory = |hosts: Vec<ListedHost>, notes: &[&str]| {
        let notes = notes.iter().map(|note| (*note).to_owned()).collect();
        vec![(HostSource::Inventory("ops/hosts".to_owned()), Answer::Listed(Listed { hosts, notes }))]
    };
    let hosts = vec![
        ListedHost {
            address: Some("10.0.0.1".to_owned()),
            port: Some(2222),
            user: Some("root".to_owned()),
            ..listed("web1")
        },
        ListedHost { roles: ["web".to_owned(), "db".to_owned()].into(), ..listed("web2") },
        ListedHost { is_local: true, ..listed("localhost") },
        ListedHost { left_out: Some("it is reached by winrm, not by ssh".to_owned()), ..listed("win") },
        ListedHost { user: Some("-x".to_owned()), ..listed("bad") },
        listed("two words"),
        listed("web1"),
    ];
    insta::assert_snapshot!(
        found("inventory = 'ops/hosts'\ndeploy_user = 'ada'\nssh_port = 22", inventory(hosts, &["something to know"])),
        @"
    web1 root@10.0.0.1:2222 [web] — inventory ops/hosts
    web2 ada@web2:22 [db,web] — inventory ops/hosts
    localhost ada@localhost:22 [web] by sh — inventory ops/hosts
    left out: bad (inventory ops/hosts): `-x` isn't the name of a user
    left out: two words (inventory ops/hosts): `two words` isn't an address
    left out: win (inventory ops/hosts): it is reached by winrm, not by ssh
    note: something to know
    "
    );
    // Who is asked and gives no answer yet names no host, and nothing is made up.
    insta::assert_snapshot!(found("inventory = 'ops/hosts'", Vec::new()), @"");
    insta::assert_snapshot!(found_in("localhost", "unit = 'five'\n[environments.localhost]\ninventory = 'ops/hosts'\n", Vec::new()), @"");
}

/// What an environment says of where it is replaces all that the one says that it extends: a deploy of staging must not go to production.
#[test]
fn where_an_environment_is_nobody_else_says() {
    let text = "unit = 'five'\naddress = 'public'\n[environments.production]\nload_balancer = 'web'\nhosts = ['db1']\nssh_port = 1222\n\
                [environments.staging]\nextends = 'production'\nhosts = ['stage1']\n\
                [environments.canary]\nextends = 'production'\nauto_scaling_group = 'canary'\n\
                [environments.twin]\nextends = 'production'\n";
    let asked = |environment: &str| {
        let file = parse("buedafab.toml", text).expect("it is right");
        let environment = EnvironmentName::new(environment).expect("a plain word");
        let settings = file.settings(&environment).expect("it is right");
        let hosts: Vec<String> = settings
            .hosts
            .iter()
            .map(|host| format!("{}:{:?}", host.name, host.port.unwrap_or_default()))
            .collect();
        let asked: Vec<String> =
            settings.inventory.from.questions().iter().map(|it| it.source.to_string()).collect();
        format!("{environment}: {hosts:?} {asked:?}")
    };
    insta::assert_snapshot!(["production", "staging", "canary", "twin"].map(asked).join("\n"), @r#"
    production: ["db1:1222"] ["load balancer web"]
    staging: ["stage1:1222"] []
    canary: [] ["auto scaling group canary"]
    twin: ["db1:1222"] ["load balancer web"]
    "#);
    // The same of an app in an environment.
    let text = "unit = 'five'\n[apps.web]\n[apps.api]\n[environments.production]\nload_balancer = 'web'\n\
                [environments.production.apps.api]\ntarget_group = ['api']\n";
    let file = parse("buedafab.toml", text).expect("it is right");
    let production = EnvironmentName::new("production").expect("a plain word");
    let questions = file.questions(&production).expect("it is right");
    let questions: Vec<String> = questions.iter().map(|question| question.source.to_string()).collect();
    assert_eq!(questions, ["load balancer web", "target group api"]);
}

#[test]
fn what_is_shown_is_read_again_and_says_what_was_found() {
    let text = "unit = \"five\"\n[environments.x]\nhosts = []\nload_balancer = \"web\"\nec2 = { \"tag:App\" = [\"a\", \"b\"], instance-type = \"t3.small\" }\n\
                inventory = { command = \"./hosts --list\" }\naddress = \"public_dns\"\nrole_tag = \"Role\"\naws_region = \"eu-west-1\"\nssh_port = 22\n";
    let environment = EnvironmentName::new("x").expect("a plain word");
    let file = parse("buedafab.toml", text).expect("it is right");
    let questions = file.questions(&environment).expect("it is right");
    let answer = Answer::Instances(vec![
        instance("i-1", &["public_dns=a.example.com", "tag:Name=web1"]),
        instance("i-2", &[]),
    ]);
    let file = file.with_answers(Answers::from([(questions[0].clone(), answer)]));
    let settings = file.settings(&environment).expect("it is right");
    // What was found is the same for a release that was committed with it.
    let released =
        file.settings_of_release(&environment, "buedafab.toml", "v1", Some(text)).expect("it is right");
    assert_eq!(released.notes, [""; 0]);
    let shown = show(&settings);
    let lines: Vec<&str> = shown
        .lines()
        .filter(|line| {
            [
                "load_balancer",
                "target_group",
                "ec2]",
                "tag:",
                "instance-",
                "inventory",
                "address",
                "role_tag",
                "aws_",
                "ssh_port",
                "hosts",
                "found",
                "left out",
            ]
            .iter()
            .any(|word| line.contains(word))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    scm_known_hosts = []
    # drain: hosts are not taken out of traffic
    # undrain_grace_seconds: 10; with "load_balancer" it is asked
    load_balancer = ["web"]
    target_group = []
    inventory = { command = "./hosts --list" }
    ssh_port = 22
    address = "public_dns"
    role_tag = "Role"
    aws_region = "eu-west-1"
    # left out: i-2 (load balancer web): it has no public DNS name
    hosts = []
    # found: i-1 at a.example.com:22, for web; from load balancer web, web1, i-1, eu-west-1b
    [environments.x.ec2]
    instance-type = ["t3.small"]
    "tag:App" = ["a", "b"]
    "#);
    let again = parse("shown.toml", &shown)
        .expect("what is shown is read")
        .settings(&environment)
        .expect("it is right");
    assert_eq!(again.inventory.from, settings.inventory.from);
    assert_eq!(again.hosts, []);
    let json = serde_json::to_value(&settings).expect("settings are plain data");
    insta::assert_snapshot!(serde_json::json!([json["hosts"], json["left_out"], json["inventory"], json["ec2"]]).to_string(), @r#"[[{"address":"a.example.com","connect":"ssh","name":"i-1","origin":{"called":"web1","instance":"i-1","source":"load balancer web","zone":"eu-west-1b"},"path":"/var/webapps/five","port":22,"roles":["web"],"user":null}],[{"name":"i-2","source":"load balancer web","why":"it has no public DNS name"}],{"command":"./hosts --list"},{"instance-type":["t3.small"],"tag:App":["a","b"]}]"#);
}

#[test]
fn what_is_written_wrong_is_pointed_at() {
    let frame = "unit = \"five\"\n[environments.production]\n…\n";
    insta::assert_snapshot!(told_of(frame, &[
        "load_balancer = 1",
        "load_balancer = [\"\"]",
        "load_balancer = \"-x\"",
        "target_group = { name = \"web\" }",
        "ec2 = \"tag:App\"",
        "ec2 = { App = \"five\" }",
        "ec2 = { \"tag:\" = \"five\" }",
        "ec2 = { \"tag:App\" = 1 }",
        "inventory = { comand = \"x\" }",
        "inventory = {}",
        "inventory = [\"a\", \"b\"]",
        "address = \"pubilc\"",
        "ssh_port = 0",
        "aws_region = \"eu west\"",
        "hosts = { load_balancer = \"web\" }",
    ]), @r#"
    load_balancer = 1
    1 → `load_balancer` takes a name or a list of names, not a whole number

    load_balancer = [""]
    "" → this is empty; leave the line out, or write a value

    load_balancer = "-x"
    - → commands would take `-x` for an option; it can't begin with `-`

    target_group = { name = "web" }
    { name = "web" } → `target_group` takes a name or a list of names, not a table

    ec2 = "tag:App"
    "tag:App" → `ec2` takes a table, not a string

    ec2 = { App = "five" }
    App → `App` isn't a filter of EC2; write a tag as `"tag:App" = "five"`, or a filter such as `instance-type`

    ec2 = { "tag:" = "five" }
    "tag:" → `tag:` isn't a filter of EC2; write a tag as `"tag:App" = "five"`, or a filter such as `instance-type`

    ec2 = { "tag:App" = 1 }
    1 → `tag:App` takes a name or a list of names, not a whole number

    inventory = { comand = "x" }
    { comand = "x" } → `inventory` needs `command`
    comand → unknown setting `comand`; did you mean `command`?

    inventory = {}
    {} → `inventory` needs `command`

    inventory = ["a", "b"]
    ["a", "b"] → `inventory` takes a path, or a table with `command`, not a list

    address = "pubilc"
    "pubilc" → `address` can't be `pubilc`; did you mean `public`?

    ssh_port = 0
    0 → 0 is too small; the smallest is 1

    aws_region = "eu west"
    "eu west" → `eu west` isn't a plain word; use letters, digits, `_`, `-` and `.`, and don't begin with `-`

    hosts = { load_balancer = "web" }
    { load_balancer = "web" } → `hosts` takes a list, not a table; put it in square brackets: `[{ load_balancer = "web" }]`
    "#);
    insta::assert_snapshot!(told_of("…\nunit = \"five\"\n", &["load_balancer = \"web\"", "ec2 = {}", "inventory = \"hosts\""]), @r#"
    load_balancer = "web"
    load_balancer → `load_balancer` belongs to an environment; write it below `[environments.NAME]`, where NAME is `localhost`, `development`, `staging` or `production`

    ec2 = {}
    ec2 → `ec2` belongs to an environment; write it below `[environments.NAME]`, where NAME is `localhost`, `development`, `staging` or `production`

    inventory = "hosts"
    inventory → `inventory` belongs to an environment; write it below `[environments.NAME]`, where NAME is `localhost`, `development`, `staging` or `production`
    "#);
}
