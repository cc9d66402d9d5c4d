//! Several environments and projects on one host: none takes what is another's, unless it is told to.

use buedafab_testkit::{FleetOptions, Sudo};

use super::stage::Stage;

const WORK: &str = "while :; do sleep 0.1; done\n";

#[test]
fn nobody_takes_over_what_is_anothers() {
    let stage =
        Stage::with(FleetOptions { systemd: true, sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    stage.remote.git(&["branch", "-m", "master"]);
    stage.release_with("v1", &[("work.sh", WORK), ("conf/jobs", "1 1 * * * true\n")]);
    let configure = |staging: &str| {
        stage.configure(&format!(
            "unit = \"five\"\nservice = \"none\"\ncrontab = \"conf/jobs\"\n[services.web]\nservice = \"systemd:polls\"\ncommand = \"sh ./work.sh\"\n\
             [environments.production]\nhosts = [\"web1\"]\n[environments.staging]\nhosts = [\"web1\"]\n{staging}\n"
        ));
    };
    let staging = |words: &[&str], code: i32| {
        let ran = stage.run(&[&["staging"], words].concat());
        assert_eq!(ran.code, code, "{words:?}\n{}{}", ran.stdout, ran.stderr);
        ran
    };
    let unit = || host.read("/etc/systemd/system/polls.service");
    let pid = || host.run("systemctl show --property MainPID polls");
    configure("path = \"/var/webapps/five\"");
    stage.production(&["deploy"], 0);
    let (before, serves) = (unit(), pid());

    // The folder, then the unit file: whose it is, and what to do.
    staging(&["deploy"], 4)
        .says("/var/webapps/five belongs to five in production")
        .says("path = \"/var/webapps/{unit}-{environment}\"");
    staging(&["check"], 4).says("✗  owner");
    configure("path = \"/var/webapps/five\"\nenv_file = \".env\"");
    staging(&["env", "unset", "KEY"], 4).says("/var/webapps/five belongs to five in production");
    configure("");
    staging(&["deploy"], 4).says("/etc/systemd/system/polls.service belongs to five in production");
    // A unit that nobody has put there runs what is another's.
    configure(
        "service = \"systemd:polls\"\n[environments.staging.services.web]\nservice = \"systemd:five-other\"\ncommand = \"sh ./work.sh\"",
    );
    staging(&["deploy"], 4).says("polls.service runs /var/webapps/five, of five in production");
    assert_eq!((unit(), pid()), (before.clone(), serves.clone()), "it goes on");

    // With names of its own it stands beside the other, jobs and all.
    configure("[environments.staging.services.web]\ncommand = \"sh ./work.sh\"");
    staging(&["deploy"], 0);
    assert!(
        host.read("/etc/systemd/system/five-web-staging.service").contains("five-staging/releases/current")
    );
    let jobs = host.run("crontab -u deploy -l");
    assert!(
        jobs.contains("# begin five, kept by buedafab\n")
            && jobs.contains("# begin five-staging, kept by buedafab\n"),
        "{jobs}"
    );
    assert_eq!((unit(), pid()), (before, serves));

    // Another project with a copied configuration.
    let text =
        std::fs::read_to_string(stage.remote.checkout_dir().join("buedafab.toml")).expect("it is there");
    let url = stage.remote.url();
    let elsewhere = format!("{url}-copy");
    stage.remote.git(&["clone", "--quiet", "--bare", &url, &elsewhere]);
    std::fs::write(
        stage.remote.checkout_dir().join("buedafab.toml"),
        format!("scm = \"{elsewhere}\"\n{text}"),
    )
    .expect("it is written");
    stage.production(&["deploy", "--force"], 4).says("/var/webapps/five belongs to five in production from ");
    // Somebody means it.
    stage.production(&["deploy", "--force", "--take-over"], 0).says("it is taken over");
    stage.production(&["deploy", "--force"], 0);
}

/// An answer at a port, or at a socket, is another's where another listens there: nothing would be known of this one.
#[test]
fn what_another_listens_at_is_anothers() {
    let stage =
        Stage::with(FleetOptions { systemd: true, sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    let address = host.address().ip();
    stage.release_with("v1", &[]);
    let configure = |command: &str, staging: &str| {
        stage.configure(&format!(
            "unit = \"five\"\nservice = \"none\"\n[services.web]\ncommand = {command:?}\n\
             [environments.production]\nhosts = [\"web1\"]\n[environments.staging]\nhosts = [\"web1\"]\n{staging}\n"
        ));
    };
    let by_socket = "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind('/tmp/five.sock'); s.listen(); time.sleep(9999)";
    for (command, health, place) in [
        (
            format!("python3 -m http.server 8125 --bind {address}"),
            format!("http = \"http://{address}:8125/version\""),
            "port 8125",
        ),
        (
            format!("rm -f /tmp/five.sock; exec python3 -c \"{by_socket}\""),
            "http = \"/\"\nsocket = \"/tmp/five.sock\"".to_owned(),
            "/tmp/five.sock",
        ),
    ] {
        let staging = format!("[environments.staging.health]\n{health}");
        configure(&command, &staging);
        stage.production(&["deploy", "--force"], 0);
        let ran = stage.run(&["staging", "deploy"]);
        assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
        ran.says(&format!("{place} belongs to five in production"))
            .says("five-web.service listens there")
            .says("nothing was touched");
    }
}
