//! What moved, was renamed or left the configuration: told, and removed when a person says so.

use buedafab_testkit::{FleetOptions, Sudo};

use super::stage::Stage;

const WORK: &str = "while :; do sleep 0.1; done\n";

#[test]
fn what_hosts_should_not_have_any_more_is_told_and_then_removed() {
    let stage = Stage::with(FleetOptions {
        hosts: 2,
        systemd: true,
        sudo: Sudo::WithoutPassword,
        ..FleetOptions::default()
    });
    stage.release_with("v1", &[("work.sh", WORK), ("conf/jobs", "1 1 * * * true\n")]);
    let configure = |top: &str, clock: &str, worker: &str, other: &str| {
        stage.configure(&format!(
            "unit = \"five\"\nservice = \"none\"\n{top}\n[services.worker]\ncommand = \"sh ./work.sh\"\nroles = [\"worker\"]\n\
             [services.{clock}]\ncommand = \"sh ./work.sh\"\n\
             [environments.production]\nhosts = [{{ name = \"{worker}\", roles = [\"worker\", \"web\"] }}, \"{other}\"]\n"
        ));
    };
    let active = |host: &str| {
        let ask = "cd /etc/systemd/system; for unit in five-*.service; do echo $(systemctl is-active $unit) $unit; done; crontab -u deploy -l 2>/dev/null | grep '^[0-9]'; cat /etc/cron.d/five 2>/dev/null | grep '^[0-9]'; true";
        stage.fleet.host(host).run(ask).replace('\n', ", ")
    };
    // Other things of the machine, and of another environment, stand beside ours.
    for host in stage.fleet.hosts() {
        host.run(
            "cd /etc/systemd/system; printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >five-other.service
             { echo '# buedafab keeps this for {\"unit\":\"five\",\"environment\":\"staging\"}'; cat five-other.service; } >five-web-staging.service
             systemctl daemon-reload; systemctl start five-other five-web-staging; printf '3 3 * * * mine\\n' | crontab -u deploy -",
        );
    }
    let beside = "active five-other.service, ";
    configure("crontab = \"conf/jobs\"", "clock", "web1", "web2");
    stage.production(&["deploy"], 0);
    assert_eq!(
        active("web1"),
        format!(
            "active five-clock.service, {beside}active five-web-staging.service, active five-worker.service, 3 3 * * * mine, 1 1 * * * true, "
        )
    );
    assert_eq!(
        active("web2"),
        format!("active five-clock.service, {beside}active five-web-staging.service, 3 3 * * * mine, ")
    );

    // The hosts are swapped, a service has another name, and there are no jobs any more.
    configure("", "beat", "web2", "web1");
    stage.release_with("v2", &[("work.sh", WORK)]);
    let left = |ran: &super::stage::Ran| {
        ran.says("five-worker.service is no service of this host any more")
            .says("five-clock.service is no service of this host any more")
            .says("the jobs of five in the user's crontab aren't this host's to do any more");
    };
    left(&stage.production(&["deploy"], 0));
    left(&stage.production(&["status"], 0));
    left(&stage.production(&["check"], 0));
    assert_eq!(
        active("web1"),
        format!(
            "active five-beat.service, active five-clock.service, {beside}active five-web-staging.service, active five-worker.service, 3 3 * * * mine, 1 1 * * * true, "
        )
    );

    // An alias leads to what is wanted, and a person keeps a copy.
    let beat = stage.fleet.host("web1").run(
        "cd /etc/systemd/system; ln -s five-beat.service pulse.service; cp five-beat.service five-beat.service.bak
         systemctl daemon-reload; systemctl show -p MainPID --value pulse.service",
    );
    // Nobody is asked who isn't there.
    stage
        .production(&["deploy", "--prune"], 4)
        .says("nobody is there to confirm what is removed")
        .says("--yes confirms it");
    stage
        .production(&["deploy", "--prune", "--dry-run"], 0)
        .says("stop and remove /etc/systemd/system/five-worker.service")
        .says("removes: web2: /etc/systemd/system/five-clock.service");
    stage.production(&["--yes", "deploy", "--prune"], 0).says("remove what isn't wanted any more: done");
    assert_eq!(
        active("web1"),
        format!("active five-beat.service, {beside}active five-web-staging.service, 3 3 * * * mine, ")
    );
    assert_eq!(
        active("web2"),
        format!(
            "active five-beat.service, {beside}active five-web-staging.service, active five-worker.service, 3 3 * * * mine, "
        )
    );
    let still = "cd /etc/systemd/system; ls five-beat.service.bak >&2; systemctl show -p MainPID --value pulse.service";
    assert_eq!(stage.fleet.host("web1").run(still), beat, "it was never stopped");
    stage.production(&["--yes", "deploy", "--prune"], 0).says("nothing to do");
    let said = stage.production(&["status"], 0);
    assert!(!said.stdout.contains("any more"), "{}", said.stdout);
    stage.production(&["history"], 0).says("pruned");

    // A rollback brings back what the release before had, and a deploy takes it with it.
    stage.production(&["rollback"], 0);
    assert!(active("web2").contains("active five-worker.service"));
    stage.release_with("v3", &[("work.sh", WORK)]);
    stage.production(&["--yes", "deploy", "--prune"], 0);
    assert_eq!(
        active("web1"),
        format!("active five-beat.service, {beside}active five-web-staging.service, 3 3 * * * mine, ")
    );

    // A whole host leaves: the other one tells of it, until it is retired.
    let configure = |hosts: &str| {
        stage.configure(&format!(
            "unit = \"five\"\nservice = \"none\"\n[services.beat]\ncommand = \"sh ./work.sh\"\n[environments.production]\nhosts = [{hosts}]\n"
        ));
    };
    configure("\"web1\"");
    stage.production(&["deploy", "--force"], 0).says("web2 was deployed to until");
    stage.production(&["status"], 0).says("web1: web2 was deployed to until");
    stage.production(&["check"], 0).says("`retire web2` stops and removes it there");
    assert!(active("web2").contains("active five-worker.service"), "what runs there still runs");
    stage.production(&["retire", "web1"], 2).says("web1 is one of the hosts of production");
    stage
        .production(&["retire", "web2", "--dry-run"], 0)
        .says("stop and remove /etc/systemd/system/five-worker.service");
    // One that can't be reached doesn't keep another from being retired.
    configure("\"web1\", \"web9\"");
    stage
        .production(&["retire", "web2", "--dry-run"], 0)
        .says("stop and remove /etc/systemd/system/five-worker.service")
        .says("web9: can't be reached: it may go on telling of web2, until it is retired again");
    stage.production(&["retire", "web3", "--forget"], 6).says("web9: can't be reached");
    // What stays isn't stopped by the name that it had.
    configure("{ name = \"front\", address = \"web1\" }");
    let said = stage.production(&["status"], 0);
    assert!(!said.stdout.contains("web1 was deployed to"), "{}", said.stdout);
    stage.production(&["--yes", "retire", "web1"], 4).says("web1 is front, by another name");
    assert!(active("web1").contains("active five-beat.service"));
    configure("\"web1\"");
    // Nor is a host left half done, where sudo doesn't allow all of it.
    let web2 = stage.fleet.host("web2");
    let allow = |commands: &str| {
        web2.run(&format!("echo 'deploy ALL=(ALL:ALL) NOPASSWD: {commands}' >/etc/sudoers.d/deploy"))
    };
    allow("/usr/bin/systemctl");
    stage
        .production(&["--yes", "retire", "web2"], 4)
        .says("deploy may not do this by sudo without a password")
        .says("rm -f /etc/systemd/system/five-worker.service");
    assert!(active("web2").contains("active five-worker.service"));
    allow("ALL");
    stage
        .production(&["--yes", "retire", "web2"], 0)
        .says("releases and what they share stay in /var/webapps/five");
    assert_eq!(active("web2"), format!("{beside}active five-web-staging.service, 3 3 * * * mine, "));
    stage.fleet.host("web2").run("cat /var/webapps/five/releases/current/version && grep -q host_retired /var/webapps/five/.buedafab/journal.jsonl");
    let said = stage.production(&["status"], 0);
    assert!(!said.stdout.contains("web2"), "{}", said.stdout);
    stage.production(&["retire", "web3", "--forget"], 0).says("no host of production knows web3");
    // Whoever removed the folder first has it told, and not what a step says that doesn't find it.
    web2.run("rm -r /var/webapps/five");
    stage
        .production(&["--yes", "retire", "web2"], 0)
        .says("web2: there is no /var/webapps/five, and nothing else here is this app's");
}
