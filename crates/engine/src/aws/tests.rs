//! Real requests: to moto, which answers as Amazon does, and to a server of the tests' own for what moto has no notion of.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use buedafab_model::host::balancer::{BalancerGroup, Membership};
use buedafab_model::host::inventory::{HostSource, Instance};
use buedafab_testkit::{Moto, run_python};
use reqsign_aws_v4::Credential;

use super::*;

mod memberships;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

pub(crate) fn aws(url: &str) -> Aws {
    let credential = Credential {
        access_key_id: KEY.to_owned(),
        secret_access_key: SECRET.to_owned(),
        session_token: Some("a/session+token==".to_owned()),
        expires_in: None,
    };
    let aws = Aws::with("eu-west-1".to_owned(), Credentials::of(credential));
    Aws {
        endpoint: Some(url.to_owned()),
        first_pause: Duration::from_millis(1),
        pause: Duration::from_millis(1),
        ..aws
    }
}

/// One line of all that is said of instances.
fn lines(found: &[Instance]) -> String {
    let line = |instance: &Instance| {
        let Instance { id, is_address: _, state, zone, private, public, left_out, tags, .. } = instance;
        let id = tags.get("Name").unwrap_or(id);
        format!("{id} {state} {zone:?} {private:?} {} {left_out:?}", public.is_some())
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Three instances, the last of them stopped, behind a balancer of each kind and in a group that scales.
const FIVE: &str = r#"
ec2, elb, v2, scaling = client('ec2'), client('elb'), client('elbv2'), client('autoscaling')
vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.0.{n}.0/24', AvailabilityZone=f'eu-west-1{z}')['Subnet']['SubnetId'] for n, z in enumerate('ab')]
image = ec2.describe_images()['Images'][0]['ImageId']
ids = []
for n in range(3):
    tags = [{'ResourceType': 'instance', 'Tags': [{'Key': 'App', 'Value': 'five'}, {'Key': 'Name', 'Value': f'web{n}'}]}]
    ids.append(ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnets[0], PrivateIpAddress=f'10.0.0.{10 + n}', TagSpecifications=tags)['Instances'][0]['InstanceId'])
other = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnets[1])['Instances'][0]['InstanceId']
ec2.stop_instances(InstanceIds=[ids[2]])
elb.create_load_balancer(LoadBalancerName='web', Listeners=[{'Protocol': 'HTTP', 'LoadBalancerPort': 80, 'InstancePort': 80}], AvailabilityZones=['eu-west-1a'])
elb.create_load_balancer(LoadBalancerName='empty', Listeners=[{'Protocol': 'HTTP', 'LoadBalancerPort': 80, 'InstancePort': 80}], AvailabilityZones=['eu-west-1a'])
elb.register_instances_with_load_balancer(LoadBalancerName='web', Instances=[{'InstanceId': i} for i in ids])
arn = v2.create_target_group(Name='five', Protocol='HTTP', Port=80, VpcId=vpc)['TargetGroups'][0]['TargetGroupArn']
v2.register_targets(TargetGroupArn=arn, Targets=[{'Id': ids[0], 'Port': 8000}, {'Id': ids[0], 'Port': 8001}, {'Id': ids[1], 'Port': 8000}])
addresses = v2.create_target_group(Name='addresses', Protocol='TCP', Port=443, VpcId=vpc, TargetType='ip')['TargetGroups'][0]['TargetGroupArn']
v2.register_targets(TargetGroupArn=addresses, Targets=[{'Id': '10.0.0.10'}, {'Id': '192.168.0.7', 'AvailabilityZone': 'all'}])
elb.modify_load_balancer_attributes(LoadBalancerName='web', LoadBalancerAttributes={'ConnectionDraining': {'Enabled': True, 'Timeout': 60}})
v2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{'Key': 'deregistration_delay.timeout_seconds', 'Value': '30'}])
scaling.create_launch_configuration(LaunchConfigurationName='five', ImageId=image, InstanceType='t2.micro')
scaling.create_auto_scaling_group(AutoScalingGroupName='five', LaunchConfigurationName='five', MinSize=2, MaxSize=2, AvailabilityZones=['eu-west-1a'])
print(ids[0], arn)
"#;

#[tokio::test]
async fn hosts_and_groups_are_found_at_moto() {
    let moto = Moto::start();
    let said = moto.python(FIVE);
    let (first, arn) = said.split_once(' ').expect("it prints both");
    let aws = aws(&moto.url);
    let hosts = async |source: HostSource| match aws.hosts_of(&source).await {
        Ok(found) => lines(&found),
        Err(error) => error.to_string(),
    };
    let name = |name: &str| name.to_owned();
    insta::assert_snapshot!(hosts(HostSource::LoadBalancer(name("web"))).await, @r#"
    web0 running Some("eu-west-1a") Some("10.0.0.10") false None
    web1 running Some("eu-west-1a") Some("10.0.0.11") false None
    web2 stopped Some("eu-west-1a") Some("10.0.0.12") false None
    "#);
    insta::assert_snapshot!(hosts(HostSource::LoadBalancer(name("empty"))).await, @"");
    insta::assert_snapshot!(hosts(HostSource::LoadBalancer(name("none"))).await, @"The specified load balancer does not exist: none (LoadBalancerNotFound)");
    insta::assert_snapshot!(hosts(HostSource::TargetGroup(name("five"))).await, @r#"
    web0 running Some("eu-west-1a") Some("10.0.0.10") false None
    web1 running Some("eu-west-1a") Some("10.0.0.11") false None
    "#);
    assert_eq!(
        hosts(HostSource::TargetGroup(name(arn))).await,
        hosts(HostSource::TargetGroup(name("five"))).await
    );
    insta::assert_snapshot!(hosts(HostSource::TargetGroup(name("addresses"))).await, @r#"
    10.0.0.10 running None Some("10.0.0.10") false None
    192.168.0.7 running None Some("192.168.0.7") false None
    "#);
    insta::assert_snapshot!(hosts(HostSource::TargetGroup(name("none"))).await, @"One or more target groups not found (TargetGroupNotFound)");
    let tagged = BTreeMap::from([(name("tag:App"), vec![name("four"), name("five")])]);
    insta::assert_snapshot!(hosts(HostSource::Ec2(tagged)).await, @r#"
    web0 running Some("eu-west-1a") Some("10.0.0.10") false None
    web1 running Some("eu-west-1a") Some("10.0.0.11") false None
    web2 stopped Some("eu-west-1a") Some("10.0.0.12") false None
    "#);
    let scaled = hosts(HostSource::AutoScalingGroup(name("five"))).await;
    assert_eq!(scaled.matches(" running ").count(), 2, "{scaled}");
    insta::assert_snapshot!(hosts(HostSource::AutoScalingGroup(name("none"))).await, @"there is no such group in eu-west-1");

    // The host is in three groups, in one of them with two ports; out of each and in again, one call each.
    let host = buedafab_model::config::parse(
        "buedafab.toml",
        "unit = 'five'\n[environments.x]\nhosts = ['10.0.0.10']\n",
    )
    .and_then(|file| file.settings(&buedafab_model::names::EnvironmentName::new("x").expect("a word")))
    .expect("it is right")
    .hosts
    .remove(0);
    let groups = aws.groups_of(&[&host]).await.expect("it answers").remove(0);
    let told: Vec<String> = groups.iter().map(|member| member.to_string().replace(first, "FIRST")).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    FIRST in load balancer web
    10.0.0.10 in target group addresses, port 443
    FIRST in target group five, port 8001
    ");
    let states = async || {
        let mut states = Vec::new();
        for member in &groups {
            states.push(aws.state_of(member).await.expect("it answers"));
        }
        states.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    insta::assert_snapshot!(states().await, @"InService, healthy, healthy");
    for member in &groups {
        aws.deregister(member).await.expect("it is in there");
        aws.deregister(member).await.expect("it may be out of there already");
    }
    insta::assert_snapshot!(states().await, @"not registered, unused (Target.NotRegistered: Target is not registered to the target group), unused (Target.NotRegistered: Target is not registered to the target group)");
    assert_eq!(aws.groups_of(&[&host]).await.expect("it answers"), [vec![]]);
    for member in &groups {
        aws.register(member).await.expect("it may come back");
        aws.register(member).await.expect("it may be there already");
    }
    let known = aws.load_balancers(&["web".to_owned()]).await.expect("it answers");
    assert_eq!(known[0].instances.iter().filter(|id| *id == first).count(), 1);
    let again = aws.groups_of(&[&host]).await.expect("it answers");
    assert_eq!(again.first(), Some(&groups));
    assert_eq!(groups.iter().map(|member| member.delay_seconds).collect::<Vec<_>>(), [60, 300, 30]);
}

/// A server that gives these answers, one after the other, and keeps what it was asked.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

struct Asked {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Server {
    pub(crate) fn with(answers: Vec<(u16, String)>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let url = format!("http://{}", listener.local_addr().expect("it has one"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut answers: VecDeque<(u16, String)> = answers.into();
            while let Some((status, answer)) = answers.pop_front() {
                let Ok((stream, _)) = listener.accept() else { return };
                serve(stream, |_| (status, answer), &kept);
            }
        });
        Server { url, asked }
    }

    /// One that answers each question by what it is, however many come at the same time.
    pub(crate) fn that(answer: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let url = format!("http://{}", listener.local_addr().expect("it has one"));
        let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, |asked| answer(asked), &kept));
            }
        });
        Server { url, asked }
    }

    /// What was asked, by name, and how often.
    fn actions(&self) -> String {
        let mut counts = BTreeMap::new();
        for asked in self.asked.lock().expect("nobody panics").iter() {
            *counts.entry(value(&asked.body, "Action")).or_insert(0) += 1;
        }
        counts.iter().map(|(action, count)| format!("{count} {action}")).collect::<Vec<_>>().join(", ")
    }

    fn count(&self) -> usize {
        self.asked.lock().expect("nobody panics").len()
    }
}

/// Status 0 ends the connection without a word.
fn serve(mut stream: TcpStream, answer: impl FnOnce(&str) -> (u16, String), kept: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("it is open"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("a request");
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let body = String::from_utf8(body).expect("it is a form");
    let (status, answer) = answer(&body);
    kept.lock().expect("nobody panics").push(Asked { headers, body });
    if status > 0 {
        let head =
            format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
        // Whoever has read enough may have hung up.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer.as_bytes()));
    }
}

/// A value of a form; nothing where it has none.
fn value(form: &str, name: &str) -> String {
    let found = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    found
        .map(|value| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
        .unwrap_or_default()
}

pub(crate) fn error(code: &str, said: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error></ErrorResponse>"
    )
}

pub(crate) fn targets(state: &str, reason: &str, description: &str) -> String {
    format!(
        "<DescribeTargetHealthResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><DescribeTargetHealthResult>\
         <TargetHealthDescriptions><member><HealthCheckPort>80</HealthCheckPort><Target><Port>80</Port><Id>i-1</Id></Target>\
         <TargetHealth><State>{state}</State><Reason>{reason}</Reason><Description>{description}</Description></TargetHealth></member>\
         </TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>"
    )
}

/// What a classic load balancer says of instances: id, state and description of each.
fn instance_health(all: &[(&str, &str, &str)]) -> String {
    let states = all.iter().map(|(id, state, reason)| {
        format!(
            "<member><Description>{reason}</Description><InstanceId>{id}</InstanceId><State>{state}</State><ReasonCode>x</ReasonCode></member>"
        )
    });
    format!(
        "<DescribeInstanceHealthResponse><DescribeInstanceHealthResult><InstanceStates>{}</InstanceStates>\
         </DescribeInstanceHealthResult></DescribeInstanceHealthResponse>",
        states.collect::<String>()
    )
}

/// A target that somebody has a word about.
fn shifted(state: &str, word: &str) -> String {
    let says = "<AdministrativeOverride><State>WORD</State><Reason>AdministrativeOverride.ZonalShiftActive</Reason><Description>a zonal shift is active</Description></AdministrativeOverride></member>";
    targets(state, "", "").replace("</member>", &says.replace("WORD", word))
}

pub(crate) fn member() -> Membership {
    let group = BalancerGroup::TargetGroup {
        name: "five".to_owned(),
        arn: "arn:x".to_owned(),
        of_connections: false,
    };
    Membership { group, id: "i-1".to_owned(), port: Some(80), zone: None, delay_seconds: 0 }
}

fn classic() -> Membership {
    let group = BalancerGroup::LoadBalancer { name: "web".to_owned() };
    Membership { group, id: "i-1".to_owned(), port: None, zone: None, delay_seconds: 0 }
}

#[tokio::test]
async fn what_a_group_says_of_a_host_is_told_with_its_reason() {
    let mut told = Vec::new();
    for answer in [
        targets("healthy", "", ""),
        targets("initial", "Elb.RegistrationInProgress", "Target registration is in progress"),
        targets("initial", "Elb.InitialHealthChecking", "Initial health checks in progress"),
        targets("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"),
        targets("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
        targets("unused", "Target.NotRegistered", "Target is not registered to the target group"),
        targets("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"),
        targets("unused", "Target.IpUnusable", "The target IP address is reserved for use by a load balancer"),
        targets("unused", "Target.InvalidState", "Target is in the stopped state"),
        targets("unhealthy.draining", "Target.FailedHealthChecks", "Health checks failed"),
        targets("unavailable", "Target.HealthCheckDisabled", "Health checks are not enabled for this target"),
        targets("unavailable", "Elb.InternalError", "Target health is unavailable due to an internal error"),
        targets("asleep", "", ""),
        targets("asleep", "Target.Night", "Target sleeps").replace("<member>", "<member><AnomalyDetection><Result>normal</Result><MitigationInEffect>no</MitigationInEffect></AnomalyDetection>"),
        shifted("healthy", "zonal_shift_active"),
        shifted("unhealthy", "zonal_shift_active"),
        shifted("healthy", "no_override"),
        shifted("healthy", "zonal_shift_delegated_to_dns"),
        "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions/></DescribeTargetHealthResult></DescribeTargetHealthResponse>".to_owned(),
    ] {
        let server = Server::with(vec![(200, answer)]);
        let state = aws(&server.url).state_of(&member()).await.expect("it answers");
        told.push(format!("{:?}: {state}", state.traffic));
    }
    let classic_answer = |state: &str, reason: &str| instance_health(&[("i-1", state, reason)]);
    for (status, answer) in [
        (200, classic_answer("InService", "N/A")),
        (
            200,
            classic_answer(
                "OutOfService",
                "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
            ),
        ),
        (200, classic_answer("OutOfService", "Instance registration is still in progress.")),
        (200, classic_answer("InService", "Instance deregistration currently in progress.")),
        (
            200,
            classic_answer(
                "OutOfService",
                "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to.",
            ),
        ),
        (200, classic_answer("OutOfService", "Instance is not currently registered with the LoadBalancer.")),
        (400, error("InvalidInstance", "i-1 isn't registered")),
    ] {
        let server = Server::with(vec![(status, answer)]);
        let state = aws(&server.url).state_of(&classic()).await.expect("it answers");
        told.push(format!("{:?}: {state}", state.traffic));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    Serves: healthy
    Waits: initial (Elb.RegistrationInProgress: Target registration is in progress)
    Waits: initial (Elb.InitialHealthChecking: Initial health checks in progress)
    Drains: draining (Target.DeregistrationInProgress: Target deregistration is in progress)
    Waits: unhealthy (Target.ResponseCodeMismatch: Health checks failed with these codes: [503])
    Out: unused (Target.NotRegistered: Target is not registered to the target group)
    Unused: unused (Target.NotInUse: Target group is not configured to receive traffic from the load balancer)
    Unused: unused (Target.IpUnusable: The target IP address is reserved for use by a load balancer)
    Out: unused (Target.InvalidState: Target is in the stopped state)
    Waits: unhealthy.draining (Target.FailedHealthChecks: Health checks failed)
    Serves: unavailable (Target.HealthCheckDisabled: Health checks are not enabled for this target)
    Waits: unavailable (Elb.InternalError: Target health is unavailable due to an internal error)
    Waits: asleep (a state that isn't known here)
    Waits: asleep (a state that isn't known here: Target.Night: Target sleeps)
    Shifted: healthy (AdministrativeOverride.ZonalShiftActive: a zonal shift is active)
    Waits: unhealthy
    Serves: healthy
    Shifted: healthy (AdministrativeOverride.ZonalShiftActive: a zonal shift is active)
    Out: not registered
    Serves: InService
    Waits: OutOfService (Instance has failed at least the UnhealthyThreshold number of health checks consecutively.)
    Waits: OutOfService (Instance registration is still in progress.)
    Drains: InService (Instance deregistration currently in progress.)
    Unused: OutOfService (Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to.)
    Out: OutOfService (Instance is not currently registered with the LoadBalancer.)
    Out: not registered
    ");
}

#[tokio::test]
async fn only_those_that_get_requests_are_in_service() {
    let target = |id: &str, state: &str, reason: &str, shift: &str| {
        format!(
            "<member><Target><Port>80</Port><Id>{id}</Id></Target><TargetHealth><State>{state}</State><Reason>{reason}</Reason></TargetHealth>\
             <AdministrativeOverride><State>{shift}</State></AdministrativeOverride></member>"
        )
    };
    let all = [
        target("i-1", "healthy", "", "no_override"),
        target("i-2", "draining", "Target.DeregistrationInProgress", "no_override"),
        target("i-3", "healthy", "", "zonal_shift_active"),
        target("i-4", "unavailable", "Target.HealthCheckDisabled", "unknown"),
        target("i-5", "unused", "Target.NotInUse", "no_override"),
    ];
    let targets = format!(
        "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>{}</TargetHealthDescriptions>\
         </DescribeTargetHealthResult></DescribeTargetHealthResponse>",
        all.concat()
    );
    let instances = instance_health(&[
        ("i-1", "InService", "N/A"),
        ("i-2", "InService", "Instance deregistration currently in progress."),
        ("i-3", "OutOfService", "Instance registration is still in progress."),
    ]);
    let server = Server::with(vec![(200, targets), (200, instances)]);
    let aws = aws(&server.url);
    let serving = async |group: &BalancerGroup| aws.serving_in(group).await.expect("it answers");
    assert_eq!(serving(&member().group).await, ["i-1", "i-4"].map(str::to_owned).into());
    assert_eq!(serving(&classic().group).await, ["i-1"].map(str::to_owned).into());
}

#[tokio::test]
async fn trouble_is_tried_again_with_a_bound_and_everything_else_is_not() {
    let good = || (200, targets("healthy", "", ""));
    let throttled = || (400, error("Throttling", "Rate exceeded"));
    let mut told = Vec::new();
    for answers in [
        vec![
            throttled(),
            (503, "<html>".to_owned()),
            (0, String::new()),
            (500, error("InternalFailure", "x")),
            good(),
        ],
        vec![throttled(), throttled(), throttled(), throttled(), throttled(), good()],
        vec![
            (502, String::new()),
            (502, String::new()),
            (502, String::new()),
            (502, String::new()),
            (502, String::new()),
        ],
        vec![
            (0, String::new()),
            (0, String::new()),
            (0, String::new()),
            (0, String::new()),
            (0, String::new()),
        ],
        vec![(
            403,
            error(
                "AccessDenied",
                "User: arn:aws:sts::1:assumed-role/ci/ada is not authorized to perform: elasticloadbalancing:DescribeTargetHealth on resource: * because no policy allows it",
            ),
        )],
        vec![(403, error("ExpiredToken", "The security token included in the request is expired"))],
        vec![(403, error("SignatureDoesNotMatch", "The request signature we calculated does not match"))],
        vec![(400, error("TargetGroupNotFound", "One or more target groups not found"))],
        vec![(200, "<html><body>Sign in to this network</body></html>".to_owned())],
        vec![(200, "{\"a\": 1}".to_owned())],
        vec![(200, String::new())],
        vec![(404, "no\u{1b}[31m such page".to_owned())],
        vec![(302, String::new())],
    ] {
        let server = Server::with(answers);
        let said = match aws(&server.url).state_of(&member()).await {
            Ok(state) => state.to_string(),
            Err(error) => {
                format!("{error}\n    {}", error.hint().unwrap_or_default()).replace(&server.url, "URL")
            }
        };
        told.push(format!("{} asked: {said}", server.count()));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    5 asked: healthy
    5 asked: DescribeTargetHealth still fails after 5 tries: Throttling: Rate exceeded
        try again in a while
    5 asked: DescribeTargetHealth still fails after 5 tries: status 502
        try again in a while
    5 asked: URL/: io: Peer disconnected
        is the region right, and AWS_ENDPOINT_URL, if it is set?
    1 asked: arn:aws:sts::1:assumed-role/ci/ada may not elasticloadbalancing:DescribeTargetHealth
        allow elasticloadbalancing:DescribeTargetHealth in a policy of arn:aws:sts::1:assumed-role/ci/ada
    1 asked: the AWS credentials aren't accepted for DescribeTargetHealth: ExpiredToken: The security token included in the request is expired
        get new ones: `aws sso login`, or a new session token; variables of the environment go before profiles
    1 asked: the AWS credentials aren't accepted for DescribeTargetHealth: SignatureDoesNotMatch: The request signature we calculated does not match
        are they of this account and region? `aws sts get-caller-identity` tells who you are
    1 asked: One or more target groups not found (TargetGroupNotFound)
        are its name and the region right? `aws_region` says which
    1 asked: URL/ answers 200 with something that isn't an answer of AWS to DescribeTargetHealth: missing field `DescribeTargetHealthResult`
        is the region right, and AWS_ENDPOINT_URL, if it is set?
    1 asked: URL/ answers 200 with something that isn't an answer of AWS to DescribeTargetHealth: invalid type: string "{\"a\": 1}", expected struct Health
        is the region right, and AWS_ENDPOINT_URL, if it is set?
    1 asked: URL/ answers 200 with something that isn't an answer of AWS to DescribeTargetHealth: unexpected `Event::Eof`
        is the region right, and AWS_ENDPOINT_URL, if it is set?
    1 asked: URL/ answers 404 with something that isn't an answer of AWS to DescribeTargetHealth: no[31m such page
        is the region right, and AWS_ENDPOINT_URL, if it is set?
    1 asked: URL/ answers 302 with something that isn't an answer of AWS to DescribeTargetHealth: it is empty
        is the region right, and AWS_ENDPOINT_URL, if it is set?
    "#);
}

#[tokio::test]
async fn pages_are_read_to_their_end() {
    let page = |name: &str, next: &str| {
        let answer = format!(
            "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancerDescriptions><member><LoadBalancerName>{name}\
             </LoadBalancerName><Instances><member><InstanceId>i-{name}</InstanceId></member></Instances></member>\
             </LoadBalancerDescriptions>{next}</DescribeLoadBalancersResult></DescribeLoadBalancersResponse>"
        );
        (200, answer)
    };
    let server = Server::with(vec![
        page("a", "<NextMarker>two of+three</NextMarker>"),
        page("b", "<NextMarker>3</NextMarker>"),
        page("c", "<NextMarker/>"),
    ]);
    let found = aws(&server.url).load_balancers(&[]).await.expect("it answers");
    let names: Vec<String> =
        found.into_iter().map(|found| format!("{} {:?}", found.name, found.instances)).collect();
    assert_eq!(names, ["a [\"i-a\"]", "b [\"i-b\"]", "c [\"i-c\"]"]);
    let asked = server.asked.lock().expect("nobody panics");
    let bodies: Vec<&str> = asked.iter().map(|asked| asked.body.as_str()).collect();
    assert_eq!(
        bodies,
        [
            "Action=DescribeLoadBalancers&Version=2012-06-01",
            "Action=DescribeLoadBalancers&Version=2012-06-01&Marker=two%20of%2Bthree",
            "Action=DescribeLoadBalancers&Version=2012-06-01&Marker=3",
        ]
    );
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() {
    let server = Server::with(vec![(200, " ".repeat((64 << 20) + 1)); TRIES as usize]);
    let error = aws(&server.url).load_balancers(&[]).await.expect_err("it is too long");
    assert_eq!(error.to_string().replace(&server.url, "URL"), "URL/: its answer is longer than 64 MB");
}

/// What Amazon's own client makes of the same request, at the same time and by the same key.
#[tokio::test]
async fn a_request_is_signed_as_amazons_own_client_signs_it() {
    let server = Server::with(vec![(200, targets("healthy", "", ""))]);
    let strange = Membership { id: "i-1 é/+&=~*".to_owned(), ..member() };
    let _ = aws(&server.url).state_of(&strange).await;
    let asked = server.asked.lock().expect("nobody panics");
    let Asked { headers, body } = &asked[0];
    let script = r#"
import datetime, json, os, sys
from unittest import mock
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
asked = json.loads(os.environ['ASKED'])
own = asked['headers']
signed = own['authorization'].split('SignedHeaders=')[1].split(',')[0].split(';')
headers = {name: own[name] for name in signed if name not in ('host', 'x-amz-date', 'x-amz-security-token')}
request = AWSRequest(method='POST', url=asked['url'] + '/', data=asked['body'].encode(), headers=headers)
at = datetime.datetime.strptime(own['x-amz-date'], '%Y%m%dT%H%M%SZ').replace(tzinfo=datetime.timezone.utc)
names = [name for name in ('get_current_datetime',) if hasattr(botocore.auth, name)]
with mock.patch('botocore.auth.get_current_datetime', return_value=at.replace(tzinfo=None)):
    botocore.auth.SigV4Auth(Credentials(asked['key'], asked['secret'], own['x-amz-security-token']), 'elasticloadbalancing', 'eu-west-1').add_auth(request)
print(request.headers['Authorization'])
"#;
    let about = serde_json::json!({ "headers": headers, "body": body, "url": server.url, "key": KEY, "secret": SECRET });
    let expected = run_python(script, &[("ASKED", about.to_string())]);
    assert_eq!(headers["authorization"], expected);
    assert!(body.contains("Targets.member.1.Id=i-1%20%C3%A9%2F%2B%26%3D~%2A"), "{body}");
}
