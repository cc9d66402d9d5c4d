//! Hosts that nobody writes down: real ones, behind a load balancer of moto's and in inventories of Ansible's.

use buedafab_testkit::{FleetOptions, Moto};

use super::stage::{Ran, Stage};

/// The program, as somebody whom moto knows.
fn as_known(stage: &Stage, moto: &Moto, words: &[&str], code: i32) -> Ran {
    let mut command = stage.command(words);
    command.envs(moto.environment()).env("HOME", stage.state());
    let ran = Ran::of(command.output().expect("it runs"));
    assert_eq!(ran.code, code, "{words:?}\nstdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
    ran
}

/// The hosts of the fleet as instances, in their order, behind the classic load balancer `web`; the last of them is stopped. Gives back
/// their ids.
fn instances(stage: &Stage, moto: &Moto) -> Vec<String> {
    let addresses: Vec<String> =
        stage.fleet.hosts().iter().map(|host| format!("{:?}", host.address().ip().to_string())).collect();
    let script = format!(
        r#"
ec2, elb = client('ec2'), client('elb')
addresses = [{}]
network = '.'.join(addresses[0].split('.')[:2]) + '.0.0/16'
vpc = ec2.create_vpc(CidrBlock=network)['Vpc']['VpcId']
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=network, AvailabilityZone='eu-west-1b')['Subnet']['SubnetId']
image = ec2.describe_images()['Images'][0]['ImageId']
ids = []
for number, address in enumerate(addresses, 1):
    tags = [{{'ResourceType': 'instance', 'Tags': [{{'Key': 'Name', 'Value': f'five-{{number}}'}}, {{'Key': 'App', 'Value': 'five'}}]}}]
    ids.append(ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, PrivateIpAddress=address, TagSpecifications=tags)['Instances'][0]['InstanceId'])
ec2.stop_instances(InstanceIds=ids[-1:])
elb.create_load_balancer(LoadBalancerName='web', Listeners=[{{'Protocol': 'HTTP', 'LoadBalancerPort': 80, 'InstancePort': 80}}], AvailabilityZones=['eu-west-1b'])
elb.register_instances_with_load_balancer(LoadBalancerName='web', Instances=[{{'InstanceId': i}} for i in ids])
print(' '.join(ids))
"#,
        addresses.join(", ")
    );
    moto.python(&script).split(' ').map(str::to_owned).collect()
}

/// Hosts are reached by their addresses: their keys are known by their names.
fn know_by_address(stage: &Stage) {
    let config = stage.fleet.client().ssh_config().to_owned();
    let before = std::fs::read_to_string(&config).expect("it is there");
    let alias = |host: &buedafab_testkit::FleetHost| {
        format!("Host {}\n  HostKeyAlias {}\n", host.address().ip(), host.name())
    };
    let aliases: String = stage.fleet.hosts().iter().map(alias).collect();
    std::fs::write(&config, aliases + &before).expect("it is written");
}

#[test]
fn hosts_behind_a_load_balancer_are_deployed_and_those_that_stand_still_are_told() {
    let stage = Stage::with(FleetOptions { hosts: 3, ..Default::default() });
    know_by_address(&stage);
    let moto = Moto::start();
    let ids = instances(&stage, &moto);
    let port = stage.fleet.host("web1").port();
    let hooks = "[hooks]\nrestart = 'cat version >../../served'\n";
    let configure = |sources: &str| {
        stage.configure(&format!(
            "unit = 'five'\n{hooks}[environments.production]\nssh_port = {port}\n{sources}\n"
        ));
    };
    configure("load_balancer = 'web'");
    let known = |words: &[&str], code: i32| as_known(&stage, &moto, &[&["production"], words].concat(), code);

    let left_out = format!("  left out: {}, five-3 (load balancer web): it is stopped\n", ids[2]);
    let from = |host: usize| format!("{} (five-{}, eu-west-1b)", ids[host], host + 1);
    let mut both = [from(0), from(1)];
    both.sort();
    let plan = known(&["deploy", "--dry-run"], 0);
    plan.says(&format!("  from load balancer web: {}\n{left_out}", both.join(", ")));
    let plan = known(&["--json", "deploy", "--dry-run"], 0);
    let document = plan.stdout.lines().find(|line| line.contains("\"phases\"")).expect("a plan");
    let document: serde_json::Value = serde_json::from_str(document).expect("a document");
    let document = if document["hosts"].is_array() { document } else { document["plan"].clone() };
    assert_eq!(document["left_out"][0]["why"], "it is stopped");
    assert_eq!(document["hosts"][0]["host"]["origin"]["source"], "load balancer web");

    known(&["deploy"], 0);
    assert_eq!(stage.serving(), ["one", "one", "-"]);
    known(&["config"], 0).says(&format!("# found: {} at ", ids[0])).says("# left out: ");
    let hosts = known(&["--hosts", &ids[0], "run", "--", "hostname"], 0);
    hosts.says(&format!("{} │ web1", ids[0]));

    // Out of the balancer and in again; the instance that isn't in it is found no more.
    let ran = known(&[&format!("elb_remove:{}", ids[0]), "-y"], 0);
    ran.says(&format!("{} in load balancer web: not registered\n", ids[0]));
    let status = known(&["status"], 0);
    assert!(!status.stdout.contains(&ids[0]) && status.stdout.contains(&ids[1]), "{}", status.stdout);
    let ran = known(&["--json", "-y", "elb_add", &ids[0]], 0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("a document");
    assert_eq!((&document["traffic"], &document["done"]), (&"serves".into(), &true.into()), "{document}");
    known(&["elb_add", "web1"], 2).says("isn't the id of an instance");
    known(&["elb_add"], 2);

    // One ends by itself: nobody misses it, in this run or in any other.
    moto.python(&format!("client('ec2').terminate_instances(InstanceIds=['{}'])", ids[1]));
    stage.release("two");
    let ran = known(&["deploy"], 0);
    ran.says(&format!("left out: {} (load balancer web): it is terminated", ids[1]));
    assert_eq!(stage.serving(), ["two", "one", "-"]);
    let status = known(&["status"], 0);
    assert!(!status.stdout.contains(&ids[1]), "{}", status.stdout);

    // The same by a tag. Nobody there, no such balancer, and nobody whom AWS knows.
    configure("ec2 = { 'tag:App' = 'five' }");
    known(&["run", "--", "hostname"], 0).says("│ web1");
    moto.python(&format!("client('ec2').stop_instances(InstanceIds=['{}'])", ids[0]));
    known(&["deploy"], 6)
        .says("error: the EC2 tag:App=five has no host for production\n")
        .says("it is stopped");
    configure("load_balancer = 'none'");
    known(&["status"], 3).says("the hosts of the load balancer none aren't known: ").says("aws_region");
    known(&["config"], 0).says("warning: ").says("load_balancer = [\"none\"]");
    // Tests, completions and the list of commands ask nobody.
    let mut command = stage.command(&["list"]);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("HOME", stage.state());
    assert_eq!(Ran::of(command.output().expect("it runs")).code, 0);
    let mut command = stage.command(&["production", "status"]);
    command
        .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "eu-west-1")])
        .env("AWS_ENDPOINT_URL", &moto.url)
        .env("HOME", stage.state());
    let ran = Ran::of(command.output().expect("it runs"));
    ran.says("no AWS credentials: none were found\n  nothing was touched\n  help: set AWS_PROFILE");
    assert_eq!(ran.code, 6);
}

/// Each host leaves the load balancer before it changes, and is in it again before the next one leaves.
#[test]
fn hosts_leave_their_load_balancer_while_they_change() {
    let stage = Stage::with(FleetOptions { hosts: 3, ..Default::default() });
    know_by_address(&stage);
    let moto = Moto::start();
    let ids = instances(&stage, &moto);
    let port = stage.fleet.host("web1").port();
    stage.configure(&format!(
        "unit = 'five'\ndrain = 'load_balancer'\ndrain_grace_seconds = 0\n[hooks]\nrestart = 'cat version >../../served'\n\
         [environments.production]\nssh_port = {port}\nec2 = {{ 'tag:App' = 'five' }}\n"
    ));
    let known = |words: &[&str], code: i32| as_known(&stage, &moto, &[&["production"], words].concat(), code);
    let registered = || {
        let ask = "print(' '.join(i['InstanceId'] for i in client('elb').describe_load_balancers()['LoadBalancerDescriptions'][0]['Instances']))";
        let mut found: Vec<String> = moto.python(ask).split_whitespace().map(str::to_owned).collect();
        found.retain(|id| *id != ids[2]);
        found.sort();
        found
    };
    let mut both = ids[..2].to_vec();
    both.sort();
    // On hosts that serve nothing yet there is nobody to be sent away.
    known(&["deploy"], 0);
    stage.release("two");
    let plan = known(&["deploy", "--dry-run"], 0);
    for id in &both {
        plan.says(&format!("take {id} out of traffic: load balancer web\n"));
        plan.says(&format!("put {id} back into traffic: load balancer web\n"));
    }
    let ran = known(&["--json", "deploy"], 0);
    let told: Vec<String> = ran
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["event"] == "deployer_output")
        .filter_map(|event| event["line"].as_str().map(str::to_owned))
        .collect();
    let out = |id: &str| format!("{id} in load balancer web: not registered");
    let back = |id: &str| format!("{id} in load balancer web: InService");
    assert_eq!(told, [out(&both[0]), back(&both[0]), out(&both[1]), back(&both[1])]);
    assert_eq!(
        (stage.serving(), registered()),
        (vec!["two".to_owned(), "two".to_owned(), "-".to_owned()], both.clone())
    );

    // One that fails goes back, and into the load balancer again.
    stage.fleet.host("web1").run("touch /tmp/no");
    stage.configure(&format!(
        "unit = 'five'\ndrain = 'load_balancer'\ndrain_grace_seconds = 0\n[hooks]\nrestart = 'cat version >../../served'\nverify = '! [ -e /tmp/no ]'\n\
         [environments.production]\nssh_port = {port}\nec2 = {{ 'tag:App' = 'five' }}\n"
    ));
    stage.release("three");
    known(&["deploy"], 8).says("serving now: two (");
    assert_eq!((stage.serving()[0].as_str(), registered()), ("two", both.clone()));

    // By hand; and what AWS doesn't allow is told, and leaves all as it is.
    known(&["drain", &ids[0]], 0);
    assert_eq!(registered(), [ids[1].clone()]);
    known(&["status"], 0).says("taken out of traffic");
    known(&["drain", &ids[1]], 4).says("too few hosts would stay in traffic");
    known(&["undrain", &ids[0]], 0);
    assert_eq!(registered(), both);

    // The same machines by names that only ssh knows.
    stage.configure(
        "unit = 'five'\ndrain = 'load_balancer'\ndrain_grace_seconds = 0\n[hooks]\nrestart = 'cat version >../../served'\n\
         [environments.production]\nhosts = ['web1', 'web2']\n",
    );
    let plan = known(&["deploy", "--dry-run"], 0);
    for host in ["web1", "web2"] {
        plan.says(&format!("take {host} out of traffic: load balancer web\n"));
    }
}

#[test]
fn hosts_of_inventories_are_deployed_with_their_groups_as_roles() {
    let stage = Stage::with(FleetOptions { hosts: 3, ..Default::default() });
    let ops = stage.checkout().join("ops");
    std::fs::create_dir(&ops).expect("it is ours");
    let write = |name: &str, text: &str| std::fs::write(ops.join(name), text).expect("it is ours");
    let address = |name: &str| stage.fleet.host(name).address().ip().to_string();
    write(
        "hosts",
        &format!(
            "[web]\nweb[1:2]\n[worker]\nlast ansible_host={} ansible_ssh_extra_args=-q\n[live:children]\nweb\nworker\n\
             [worker:vars]\nansible_port={}\n[windows]\nold ansible_connection=winrm\n",
            address("web3"),
            stage.fleet.host("web3").port()
        ),
    );
    know_by_address(&stage);
    std::fs::write(stage.checkout().join(".git/info/exclude"), "/buedafab.toml\n/ops\n").expect("it is ours");
    let hooks = "[hooks]\nrestart = 'cat version >../../served'\n";
    let configure = |source: &str| {
        stage.configure(&format!("unit = 'five'\n{hooks}[environments.production]\ninventory = {source}\n"));
    };
    configure("'ops/hosts'");
    let ran = stage.production(&["deploy", "--dry-run"], 0);
    ran.says("  from inventory ops/hosts: last, web1, web2\n");
    ran.says("  left out: old (inventory ops/hosts): it is reached by winrm, not by ssh\n");
    ran.says("ansible_ssh_extra_args of last means nothing here");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["one"; 3]);
    let ran = stage.production(&["--roles", "worker", "run", "--", "hostname"], 0);
    assert_eq!(ran.stdout.trim(), "last │ web3");
    // One that leaves an inventory is missed as one that leaves `hosts`: somebody has taken it out.
    write("hosts", "[web]\nweb[1:2]\n");
    stage.production(&["status"], 0).says("last");
    // What a command prints, in either form; and what is no answer.
    configure("{ command = 'cat ops/hosts.json' }");
    write("hosts.json", r#"{ "web": ["web1"], "_meta": { "hostvars": { "web1": {} } } }"#);
    assert_eq!(stage.production(&["run", "--", "hostname"], 0).stdout.trim(), "web1 │ web1");
    write("hosts.json", r#"["web2"]"#);
    assert_eq!(stage.production(&["run", "--", "hostname"], 0).stdout.trim(), "web2 │ web2");
    for (text, code, words) in [
        ("[]", 6, "the command `cat ops/hosts.json` has no host for production"),
        ("{", 3, "cat ops/hosts.json: it isn't JSON: "),
    ] {
        write("hosts.json", text);
        stage.production(&["status"], code).says(words);
    }
    configure("{ command = 'echo no such cloud >&2; exit 3' }");
    stage.production(&["status"], 6).says("it ended with exit status: 3: no such cloud");
    configure("'ops/gone'");
    stage.production(&["status"], 3).says("ops/gone can't be read: No such file or directory");
}

/// A server of files on a port of its own, as the metadata of a container is one. It ends with this.
struct Files(std::process::Child, u16);

impl Files {
    fn start(folder: &std::path::Path) -> Files {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it has one").port();
        drop(listener);
        let server = std::process::Command::new("/usr/bin/python3")
            .args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()])
            .current_dir(folder)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        super::stage::wait_for("it listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Files(server, port)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn credentials_are_found_where_all_tools_of_amazons_find_them_and_none_is_shown() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..Default::default() });
    let moto = Moto::start();
    let ids = instances(&stage, &moto);
    moto.python(&format!("client('ec2').start_instances(InstanceIds=['{}'])", ids[0]));
    stage.configure("unit = 'five'\n[environments.production]\nload_balancer = 'web'\n");
    let home = stage.state().join("home");
    std::fs::create_dir_all(home.join(".aws")).expect("it is ours");
    let write = |name: &str, text: &str| std::fs::write(home.join(name), text).expect("it is ours");
    let secret = "wJalrXUtnFEMI/K7MDENG";
    let document = format!(
        r#"{{"Version": 1, "AccessKeyId": "AKIAPROCESS000000001", "SecretAccessKey": "{secret}", "Token": "t", "SessionToken": "t", "Expiration": "2099-01-01T00:00:00Z"}}"#
    );
    write("credentials.json", &document);
    write(
        ".aws/config",
        &format!(
            "[profile live]\nregion = eu-west-1\n\
             [profile role]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/deploy\nsource_profile = live\n\
             [profile twice]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/deploy\nsource_profile = role\n\
             [profile loop]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = loop2\n\
             [profile loop2]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = loop\n\
             [profile mfa]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = live\nmfa_serial = arn:aws:iam::1:mfa/ada\n\
             [profile process]\nregion = eu-west-1\ncredential_process = cat {}\n\
             [profile sso]\nregion = eu-west-1\nsso_session = us\nsso_account_id = 1\nsso_role_name = deploy\n\
             [sso-session us]\nsso_start_url = https://example.com/start\nsso_region = eu-west-1\n\
             [profile nowhere]\n",
            home.join("credentials.json").display()
        ),
    );
    write(
        ".aws/credentials",
        &format!(
            "[live]\naws_access_key_id = AKIALIVE000000000001\naws_secret_access_key = {secret}\n\
                  [nowhere]\naws_access_key_id = AKIALIVE000000000001\naws_secret_access_key = {secret}\n"
        ),
    );
    let files = Files::start(&home);
    let container = format!("http://127.0.0.1:{}/credentials.json", files.1);
    let found = format!("# found: {} at ", ids[0]);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("AWS_PROFILE", "live")], &found),
        (&[("AWS_PROFILE", "role")], &found),
        (&[("AWS_PROFILE", "twice")], &found),
        (&[("AWS_PROFILE", "process")], &found),
        (&[("AWS_REGION", "eu-west-1"), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container)], &found),
        (
            &[
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT00001"),
                ("AWS_SECRET_ACCESS_KEY", secret),
                ("AWS_SESSION_TOKEN", "session"),
            ],
            &found,
        ),
        (&[("AWS_PROFILE", "loop")], "assumes more than 5 roles one out of the other"),
        (&[("AWS_PROFILE", "mfa")], "needs a code of a second factor"),
        (&[("AWS_PROFILE", "sso")], "has ended: aws sso login --profile sso"),
        (&[("AWS_PROFILE", "gone"), ("AWS_REGION", "x")], "no profile \"gone\" stands in ~/.aws/config"),
        (&[("AWS_PROFILE", "nowhere")], "no region is known for AWS"),
        (&[("AWS_REGION", "eu-west-1")], "no AWS credentials: none were found"),
    ];
    for (variables, expected) in cases {
        let mut command = stage.command(&["-vvv", "production", "config"]);
        command
            .env("HOME", &home)
            .env("AWS_ENDPOINT_URL", &moto.url)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(variables.iter().copied());
        let ran = Ran::of(command.output().expect("it runs"));
        ran.says(expected);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(secret), "{variables:?}: {}", ran.stderr);
    }
}
