//! Which groups hosts are in, where Amazon says what no server but it says.

use std::sync::Condvar;
use std::sync::atomic::{AtomicBool, Ordering};

use buedafab_model::host::Host;
use buedafab_model::host::balancer::{MemberState, Traffic, Wanted};

use super::*;

/// What there is in a region.
#[derive(Clone, Default)]
struct World {
    instances: Vec<Machine>,
    balancers: Vec<Balancer>,
    groups: Vec<Group>,
}

/// An instance in a VPC, with its addresses; the first is its primary one.
#[derive(Clone)]
struct Machine {
    id: &'static str,
    vpc: &'static str,
    addresses: Vec<&'static str>,
    names: Vec<&'static str>,
}

/// A classic load balancer with its instances, and what it says of each: its state and why.
#[derive(Clone, Default)]
struct Balancer {
    name: &'static str,
    instances: Vec<(&'static str, &'static str, &'static str)>,
    /// For how long it drains connections; `None`: it doesn't.
    draining: Option<u32>,
    is_gone: bool,
}

#[derive(Clone, Default)]
struct Group {
    name: &'static str,
    kind: &'static str,
    vpc: &'static str,
    /// Id, zone, state and reason of each.
    targets: Vec<(&'static str, &'static str, &'static str, &'static str)>,
    delay: u32,
    is_gone: bool,
}

fn machine(id: &'static str, vpc: &'static str, address: &'static str) -> Machine {
    Machine { id, vpc, addresses: vec![address], names: Vec::new() }
}

fn group(name: &'static str, targets: &[(&'static str, &'static str, &'static str)]) -> Group {
    let targets = targets.iter().map(|(id, state, reason)| (*id, "", *state, *reason)).collect();
    Group { name, kind: "instance", vpc: "vpc-1", targets, ..Group::default() }
}

/// A group of addresses: each with its zone.
fn addresses(name: &'static str, vpc: &'static str, targets: &[(&'static str, &'static str)]) -> Group {
    let targets = targets.iter().map(|(id, zone)| (*id, *zone, "healthy", "")).collect();
    Group { name, kind: "ip", vpc, targets, ..Group::default() }
}

fn members(all: impl IntoIterator<Item = String>) -> String {
    all.into_iter().map(|one| format!("<member>{one}</member>")).collect()
}

fn result(action: &str, inner: &str) -> (u16, String) {
    (200, format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"))
}

impl World {
    fn answer(&self, form: &str) -> (u16, String) {
        let action = value(form, "Action");
        match action.as_str() {
            "DescribeInstances" => (200, self.describe_instances(form)),
            "DescribeLoadBalancers" => {
                let all = self.balancers.iter().map(|it| {
                    let ids = it.instances.iter().map(|(id, ..)| format!("<InstanceId>{id}</InstanceId>"));
                    format!(
                        "<LoadBalancerName>{}</LoadBalancerName><Instances>{}</Instances>",
                        it.name,
                        members(ids)
                    )
                });
                let all = members(all);
                result(&action, &format!("<LoadBalancerDescriptions>{all}</LoadBalancerDescriptions>"))
            }
            "DescribeLoadBalancerAttributes" => {
                let name = value(form, "LoadBalancerName");
                let it = self.balancers.iter().find(|it| it.name == name).expect("it was listed");
                // Amazon keeps the number when it is turned off.
                let (enabled, timeout) = (it.draining.is_some(), it.draining.unwrap_or(300));
                let draining = format!("<Enabled>{enabled}</Enabled><Timeout>{timeout}</Timeout>");
                let all = format!("<ConnectionDraining>{draining}</ConnectionDraining>");
                result(&action, &format!("<LoadBalancerAttributes>{all}</LoadBalancerAttributes>"))
            }
            "DescribeTargetGroupAttributes" => {
                let arn = value(form, "TargetGroupArn");
                let it =
                    self.groups.iter().find(|it| arn == format!("arn:{}", it.name)).expect("it was listed");
                let all = [
                    ("stickiness.enabled", "false".to_owned()),
                    ("deregistration_delay.timeout_seconds", it.delay.to_string()),
                ];
                let all = all.map(|(key, value)| format!("<Key>{key}</Key><Value>{value}</Value>"));
                result(&action, &format!("<Attributes>{}</Attributes>", members(all)))
            }
            "DescribeInstanceHealth" => {
                let name = value(form, "LoadBalancerName");
                let it = self.balancers.iter().find(|it| it.name == name).expect("it was listed");
                if it.is_gone {
                    return (400, error("LoadBalancerNotFound", "There is no such load balancer"));
                }
                (200, instance_health(&it.instances))
            }
            "DescribeTargetGroups" => {
                let all = self.groups.iter().map(|Group { name, kind, vpc, .. }| {
                    format!(
                        "<TargetGroupArn>arn:{name}</TargetGroupArn><TargetGroupName>{name}</TargetGroupName><Protocol>HTTP</Protocol>\
                         <TargetType>{kind}</TargetType><VpcId>{vpc}</VpcId>"
                    )
                });
                result(&action, &format!("<TargetGroups>{}</TargetGroups>", members(all)))
            }
            "DescribeTargetHealth" => {
                let arn = value(form, "TargetGroupArn");
                let it =
                    self.groups.iter().find(|it| arn == format!("arn:{}", it.name)).expect("it was listed");
                if it.is_gone {
                    return (400, error("TargetGroupNotFound", "One or more target groups not found"));
                }
                let all = it.targets.iter().map(|(id, zone, state, reason)| {
                    format!(
                        "<Target><Id>{id}</Id><Port>80</Port><AvailabilityZone>{zone}</AvailabilityZone></Target>\
                         <TargetHealth><State>{state}</State><Reason>{reason}</Reason></TargetHealth>"
                    )
                });
                result(
                    &action,
                    &format!("<TargetHealthDescriptions>{}</TargetHealthDescriptions>", members(all)),
                )
            }
            other => panic!("{other} isn't looked at"),
        }
    }

    /// Those that all filters take.
    fn describe_instances(&self, form: &str) -> String {
        let filters = (1..)
            .map(|at| format!("Filter.{at}"))
            .take_while(|at| !value(form, &format!("{at}.Name")).is_empty());
        let filters: Vec<(String, Vec<String>)> = filters
            .map(|filter| {
                let values = (1..).map(|at| value(form, &format!("{filter}.Value.{at}")));
                (
                    value(form, &format!("{filter}.Name")),
                    values.take_while(|value| !value.is_empty()).collect(),
                )
            })
            .collect();
        let is_taken = |it: &&Machine| {
            filters.iter().all(|(name, values)| {
                let has: &[&str] = match name.as_str() {
                    "instance-state-name" => &["running"],
                    "instance-id" => &[it.id],
                    "private-ip-address" => &it.addresses[..1],
                    "private-dns-name" => &it.names,
                    "network-interface.ipv6-addresses.ipv6-address" | "ip-address" | "dns-name" => &[],
                    other => panic!("nobody filters by {other}"),
                };
                has.iter().any(|has| values.iter().any(|value| value == has))
            })
        };
        let item = |Machine { id, vpc, addresses, names }: &Machine| {
            let more: String = addresses
                .iter()
                .map(|it| format!("<item><privateIpAddress>{it}</privateIpAddress></item>"))
                .collect();
            let name = names.first().copied().unwrap_or_default();
            format!(
                "<item><instancesSet><item><instanceId>{id}</instanceId><instanceState><name>running</name></instanceState><vpcId>{vpc}</vpcId>\
                 <privateIpAddress>{}</privateIpAddress><privateDnsName>{name}</privateDnsName><networkInterfaceSet><item><vpcId>{vpc}</vpcId>\
                 <privateIpAddressesSet>{more}</privateIpAddressesSet></item></networkInterfaceSet></item></instancesSet></item>",
                addresses[0]
            )
        };
        let found: String = self.instances.iter().filter(is_taken).map(item).collect();
        format!(
            "<DescribeInstancesResponse><reservationSet>{found}</reservationSet></DescribeInstancesResponse>"
        )
    }

    /// Where these hosts are, a line each.
    async fn memberships(&self, hosts: &str) -> String {
        let world = self.clone();
        let server = Server::that(move |form| world.answer(form));
        told(&aws(&server.url), &written(hosts)).await
    }
}

/// Hosts as a configuration has them.
fn written(hosts: &str) -> Vec<Host> {
    let text = format!("unit = 'five'\n[environments.x]\nhosts = {hosts}\n");
    let file = buedafab_model::config::parse("buedafab.toml", &text);
    let environment = buedafab_model::names::EnvironmentName::new("x").expect("a word");
    file.and_then(|file| file.settings(&environment)).expect("it is right").hosts
}

async fn told(aws: &Aws, hosts: &[Host]) -> String {
    let asked: Vec<&Host> = hosts.iter().collect();
    match aws.groups_of(&asked).await {
        Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
        Ok(found) => {
            let line = |(host, its): (&Host, Vec<Membership>)| {
                let its: Vec<String> = its.iter().map(ToString::to_string).collect();
                format!("{}: {}", host.name, its.join("; "))
            };
            hosts.iter().zip(found).map(line).collect::<Vec<_>>().join("\n")
        }
    }
}

#[tokio::test]
async fn only_what_a_run_has_to_take_out_is_a_membership() {
    let world = World {
        groups: vec![
            group("used", &[("i-1", "healthy", ""), ("i-2", "unhealthy", "Target.Timeout")]),
            group("spare", &[("i-1", "unused", "Target.NotInUse"), ("i-2", "unused", "Target.NotInUse")]),
            // Somebody else takes one out.
            group(
                "left",
                &[
                    ("i-1", "draining", "Target.DeregistrationInProgress"),
                    ("i-2", "unhealthy.draining", "Target.FailedHealthChecks"),
                ],
            ),
            group(
                "starting",
                &[("i-1", "initial", "Elb.RegistrationInProgress"), ("i-2", "unused", "Target.InvalidState")],
            ),
            group("strange", &[("i-1", "asleep", ""), ("i-2", "unused", "Target.IpUnusable")]),
        ],
        balancers: vec![Balancer {
            name: "web",
            instances: vec![
                ("i-1", "InService", "Instance deregistration currently in progress."),
                ("i-2", "InService", "N/A"),
                (
                    "i-3",
                    "OutOfService",
                    "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to.",
                ),
            ],
            ..Balancer::default()
        }],
        ..World::default()
    };
    insta::assert_snapshot!(world.memberships("['i-1', 'i-2', 'i-3']").await, @"
    i-1: i-1 in target group used, port 80; i-1 in target group starting, port 80; i-1 in target group strange, port 80
    i-2: i-2 in load balancer web; i-2 in target group used, port 80; i-2 in target group left, port 80; i-2 in target group starting, port 80
    i-3:
    ");
}

/// Nobody waits for what can't come: the only answer that there is ends it.
#[tokio::test]
async fn a_host_in_a_group_that_nobody_uses_is_where_it_is_wanted() {
    for wanted in [Wanted::In, Wanted::Out] {
        let server = Server::with(vec![(200, targets("unused", "Target.NotInUse", ""))]);
        let states =
            aws(&server.url).wait_until(&[member()], wanted, Duration::from_secs(60), |_, _| ()).await;
        let state = MemberState {
            traffic: Traffic::Unused,
            word: "unused".to_owned(),
            reason: Some("Target.NotInUse".to_owned()),
        };
        assert_eq!(states.expect("it answers"), [state], "{wanted:?}");
    }
}

#[tokio::test]
async fn a_group_that_is_deleted_meanwhile_is_passed_over() {
    let world = World {
        groups: vec![
            Group { is_gone: true, ..group("gone", &[("i-1", "healthy", "")]) },
            group("used", &[("i-1", "healthy", "")]),
        ],
        balancers: vec![
            Balancer {
                name: "old",
                instances: vec![("i-1", "InService", "N/A")],
                is_gone: true,
                ..Balancer::default()
            },
            Balancer { name: "web", instances: vec![("i-1", "InService", "N/A")], ..Balancer::default() },
        ],
        ..World::default()
    };
    insta::assert_snapshot!(world.memberships("['i-1']").await, @"i-1: i-1 in load balancer web; i-1 in target group used, port 80");
}

/// The first answer about targets waits until a second one is asked for.
#[tokio::test]
async fn groups_are_asked_at_the_same_time() {
    let groups = (0..20).map(|at| group(["one", "two"][at % 2], &[("i-1", "healthy", "")])).collect();
    let world = World { groups, ..World::default() };
    let (waiting, came, alone) = (Mutex::new(0), Condvar::new(), Arc::new(AtomicBool::new(false)));
    let is_alone = Arc::clone(&alone);
    let server = Server::that(move |form| {
        if value(form, "Action") == "DescribeTargetHealth" {
            let mut count = waiting.lock().expect("nobody panics");
            *count += 1;
            came.notify_all();
            let limit = Duration::from_secs(10);
            let (_held, waited) =
                came.wait_timeout_while(count, limit, |count| *count < 2).expect("nobody panics");
            is_alone.fetch_or(waited.timed_out(), Ordering::SeqCst);
        }
        world.answer(form)
    });
    let told = told(&aws(&server.url), &written("['i-1']")).await;
    assert!(told.ends_with("i-1 in target group two, port 80"), "{told}");
    assert_eq!(
        server.actions(),
        "1 DescribeInstances, 1 DescribeLoadBalancers, 20 DescribeTargetGroupAttributes, 1 DescribeTargetGroups, 20 DescribeTargetHealth"
    );
    assert!(!alone.load(Ordering::SeqCst), "one was asked after the other");
}

#[tokio::test]
async fn a_host_is_found_by_whatever_it_is_written_by() {
    let world = World {
        instances: vec![
            Machine { addresses: vec!["10.0.0.1", "10.0.1.1"], ..machine("i-1", "vpc-1", "") },
            Machine { names: vec!["ip-10-0-0-2.ec2.internal"], ..machine("i-2", "vpc-1", "10.0.0.2") },
            machine("i-3", "vpc-1", "127.0.0.1"),
        ],
        groups: vec![
            group("ids", &[("i-1", "healthy", ""), ("i-2", "healthy", ""), ("i-3", "healthy", "")]),
            addresses(
                "ips",
                "vpc-1",
                &[("10.0.0.1", "eu-west-1a"), ("10.0.0.2", "eu-west-1a"), ("127.0.0.1", "eu-west-1a")],
            ),
            addresses("second", "vpc-1", &[("10.0.1.1", "eu-west-1a"), ("10.0.9.9", "eu-west-1b")]),
        ],
        ..World::default()
    };
    insta::assert_snapshot!(world.memberships("['i-1', '10.0.0.1', 'IP-10-0-0-2.ec2.internal', 'localhost', '10.0.9.9']").await, @"
    i-1: i-1 in target group ids, port 80; 10.0.0.1 in target group ips, port 80; 10.0.1.1 in target group second, port 80
    10.0.0.1: i-1 in target group ids, port 80; 10.0.0.1 in target group ips, port 80; 10.0.1.1 in target group second, port 80
    IP-10-0-0-2.ec2.internal: i-2 in target group ids, port 80; 10.0.0.2 in target group ips, port 80
    localhost: i-3 in target group ids, port 80; 127.0.0.1 in target group ips, port 80
    10.0.9.9: 10.0.9.9 in target group second, port 80
    ");
}

#[tokio::test]
async fn nobody_guesses_which_of_two_machines_is_meant() {
    let twice = vec![machine("i-a", "vpc-1", "10.0.0.5"), machine("i-b", "vpc-2", "10.0.0.5")];
    let with = |instances: &[Machine], groups: Vec<Group>| World {
        instances: instances.to_vec(),
        groups,
        ..World::default()
    };
    // One address in two networks: only where it makes a difference which one it is.
    let world = with(&twice, vec![group("ids", &[("i-b", "healthy", "")])]);
    insta::assert_snapshot!(world.memberships("[{ name = 'web1', address = '10.0.0.5' }]").await, @"
    it isn't known which machine web1, 10.0.0.5 is: i-a in vpc-1, or i-b in vpc-2
    find it by `ec2` or `auto_scaling_group`, which say which instance it is, or write the id of the instance as its address
    ");
    insta::assert_snapshot!(with(&twice, vec![]).memberships("['10.0.0.5']").await, @"10.0.0.5:");
    // An address of another network is another machine's, whatever it is.
    let there = || addresses("there", "vpc-2", &[("10.0.0.5", "eu-west-1a")]);
    let world = with(&twice, vec![group("ids", &[("i-a", "healthy", "")]), there()]);
    insta::assert_snapshot!(world.memberships("['i-a']").await, @"i-a: i-a in target group ids, port 80");
    insta::assert_snapshot!(world.memberships("['i-b']").await, @"i-b: 10.0.0.5 in target group there, port 80");
    // What is outside of a group's network may be in any that is joined with it.
    let joined = addresses("joined", "vpc-3", &[("10.0.0.5", "all")]);
    let alone = with(&twice[..1], vec![joined.clone()]);
    insta::assert_snapshot!(alone.memberships("['i-a']").await, @"i-a: 10.0.0.5 in target group joined, port 80");
    insta::assert_snapshot!(with(&twice, vec![joined.clone()]).memberships("['i-a']").await, @"
    it isn't known which machine i-a is: i-a in vpc-1, or i-b in vpc-2
    find it by `ec2` or `auto_scaling_group`, which say which instance it is, or write the id of the instance as its address
    ");
    // Of what is no instance there are only addresses.
    let here = addresses("here", "vpc-1", &[("10.0.0.5", "eu-west-1a")]);
    insta::assert_snapshot!(with(&[], vec![here.clone(), joined]).memberships("['10.0.0.5']").await, @"10.0.0.5: 10.0.0.5 in target group here, port 80; 10.0.0.5 in target group joined, port 80");
    insta::assert_snapshot!(with(&[], vec![here, there()]).memberships("['10.0.0.5']").await, @"
    it isn't known which machine 10.0.0.5 is: 10.0.0.5 in target group here, vpc-1, or 10.0.0.5 in target group there, vpc-2
    find it by `ec2` or `auto_scaling_group`, which say which instance it is, or write the id of the instance as its address
    ");
}

/// Each with how long it takes to leave it.
fn with_delays(found: Vec<Membership>) -> String {
    found.iter().map(|it| format!("{it}: {} s", it.delay_seconds)).collect::<Vec<_>>().join("\n")
}

/// Two classic load balancers and two groups, of which one has addresses.
fn slow_to_leave() -> World {
    World {
        instances: vec![
            machine("i-1", "vpc-1", "10.0.0.1"),
            Machine { addresses: vec!["10.0.0.2", "10.0.0.1"], ..machine("i-2", "vpc-2", "") },
        ],
        balancers: vec![
            Balancer {
                name: "web",
                instances: vec![("i-1", "InService", "N/A")],
                draining: Some(60),
                ..Balancer::default()
            },
            Balancer { name: "hard", instances: vec![("i-1", "InService", "N/A")], ..Balancer::default() },
        ],
        groups: vec![
            Group { delay: 30, ..group("ids", &[("i-1", "healthy", "")]) },
            Group { delay: 0, ..addresses("ips", "vpc-1", &[("10.0.0.1", "eu-west-1a")]) },
            Group { delay: 300, ..group("others", &[("i-7", "healthy", "")]) },
        ],
    }
}

#[tokio::test]
async fn memberships_say_how_long_it_takes_to_leave() {
    let world = slow_to_leave();
    let server = Server::that(move |form| world.answer(form));
    let hosts = written("['i-1']");
    let found = aws(&server.url).groups_of(&[&hosts[0]]).await.expect("it answers").remove(0);
    insta::assert_snapshot!(with_delays(found), @"
    i-1 in load balancer web: 60 s
    i-1 in load balancer hard: 0 s
    i-1 in target group ids, port 80: 30 s
    10.0.0.1 in target group ips, port 80: 0 s
    ");
    // Groups that have none of ours aren't asked.
    insta::assert_snapshot!(server.actions(), @"2 DescribeInstanceHealth, 1 DescribeInstances, 2 DescribeLoadBalancerAttributes, 1 DescribeLoadBalancers, 2 DescribeTargetGroupAttributes, 1 DescribeTargetGroups, 3 DescribeTargetHealth");
}

/// Where an instance is, or would be: in a group of addresses by its own.
#[tokio::test]
async fn instances_have_a_place_in_every_group_that_is_named() {
    let world = slow_to_leave();
    let server = Server::that(move |form| world.answer(form));
    let aws = aws(&server.url);
    let named = |name: &str| vec![name.to_owned()];
    let places = async |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        match aws.places_for(&named("web"), &named("ids"), &ids).await {
            Ok(found) => with_delays(found),
            Err(error) => error.to_string(),
        }
    };
    insta::assert_snapshot!(places(&["i-1", "i-2"]).await, @"
    i-1 in load balancer web: 60 s
    i-2 in load balancer web: 60 s
    i-1 in load balancer hard: 0 s
    i-2 in load balancer hard: 0 s
    i-1 in target group ids, port 80: 30 s
    i-2 in target group ids: 30 s
    10.0.0.1 in target group ips, port 80: 0 s
    10.0.0.2 in target group ips: 0 s
    i-1 in target group others: 300 s
    i-2 in target group others: 300 s
    ");
    insta::assert_snapshot!(places(&["i-9"]).await, @"no instance i-9 with an address for target group ips is known (InvalidInstanceID.NotFound)");
    let elsewhere = aws.places_for(&[], &named("ips"), &named("i-2")).await.expect("it answers");
    assert_eq!(elsewhere[1].zone.as_deref(), Some("all"), "{elsewhere:?}");
}
