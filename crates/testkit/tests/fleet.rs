//! Hosts behave as hosts.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use buedafab_testkit::{Fleet, FleetHost, FleetOptions, PASSWORD, Remote, Sudo};

fn fleet(hosts: usize) -> Fleet {
    Fleet::start(FleetOptions { hosts, ..FleetOptions::default() })
}

/// A fleet with systemd, and a unit `five` on each host, which is enabled and runs.
fn fleet_with_units(hosts: usize) -> Fleet {
    let fleet = Fleet::start(FleetOptions { hosts, systemd: true, ..FleetOptions::default() });
    for host in fleet.hosts() {
        host.run(INSTALL_UNIT);
    }
    fleet
}

const INSTALL_UNIT: &str = "set -e
cat >/etc/systemd/system/five.service <<'.'
[Service]
User=app
ExecStart=/bin/sleep 600
[Install]
WantedBy=multi-user.target
.
systemd-analyze verify /etc/systemd/system/five.service
systemctl daemon-reload
systemctl enable --quiet five
systemctl start five
";

/// What systemd says of `five`: whether it is active, and the id of its process.
fn unit_state(host: &FleetHost) -> String {
    host.run("systemctl show --value --property ActiveState --property MainPID five | xargs")
}

/// Whether there are cgroups of the hosts of a fleet, wherever the machine mounts them.
fn has_cgroups(folder: &Path) -> bool {
    let name = format!("buedafab-testkit-{}", folder.file_name().unwrap().display());
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].iter().any(|root| Path::new(root).join(&name).exists())
}

/// Runs `sudo -S` over ssh, types a password, and returns what it printed, or `None` if it failed.
fn sudo(fleet: &Fleet, password: &str, command: &str) -> Option<String> {
    let mut ssh = Command::new("ssh")
        .args(["web1", &format!("sudo -S -p '' {command}")])
        .env("PATH", fleet.client().path_variable())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It may not read what it isn't interested in.
    let _ = writeln!(ssh.stdin.take().unwrap(), "{password}");
    let output = ssh.wait_with_output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// The stdout of a command that succeeded.
fn succeeded(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until a condition holds, with a limit.
fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a process has ended, with a limit, and says whether it succeeded.
fn ends_well(mut child: Child) -> bool {
    let mut status = None;
    wait_for("a process to end", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap().success()
}

/// Starts an ssh that gives up on a silent host after some seconds, as the product does.
fn start_ssh(ssh_config: &Path, command: &str) -> Child {
    Command::new("ssh")
        .arg("-F")
        .arg(ssh_config)
        .args([
            "-o",
            "ConnectTimeout=2",
            "-o",
            "ServerAliveInterval=1",
            "-o",
            "ServerAliveCountMax=2",
            "web1",
            command,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Starts a command over ssh and waits until it has begun.
fn start_sleep(ssh_config: &Path) -> Child {
    let mut child = start_ssh(ssh_config, "echo begun; exec sleep 60");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    child
}

/// The pid namespace of a host. It is held open, because the kernel gives the number of one that is gone to the next.
struct PidNamespace {
    link: PathBuf,
    _file: File,
}

impl PidNamespace {
    /// What prints the namespace on a host.
    const SCRIPT: &str = "readlink /proc/self/ns/pid";

    fn of(host: &FleetHost) -> PidNamespace {
        PidNamespace::named(&host.run(PidNamespace::SCRIPT))
    }

    /// The namespace of a living host, by what `SCRIPT` printed there.
    fn named(link: &str) -> PidNamespace {
        let link = PathBuf::from(link.trim());
        let file = processes_in(&link).iter().find_map(|process| File::open(process.join("ns/pid")).ok());
        PidNamespace { link, _file: file.unwrap() }
    }

    /// The processes of this machine that are in it.
    fn processes(&self) -> Vec<PathBuf> {
        processes_in(&self.link)
    }
}

fn processes_in(namespace: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    all.filter(|process| fs::read_link(process.join("ns/pid")).is_ok_and(|link| link == namespace)).collect()
}

#[test]
fn each_host_has_its_own_files_processes_and_name() {
    let fleet = fleet(3);
    for host in fleet.hosts() {
        let name = host.name();
        for folder in ["/var/webapps", "/srv", "/home", "/root", "/tmp", "/run", "/etc", "/var/log"] {
            host.run(&format!("echo {name} >{folder}/whoami"));
        }
    }
    for host in fleet.hosts() {
        for folder in ["/var/webapps", "/srv", "/home", "/root", "/tmp", "/run", "/etc", "/var/log"] {
            assert_eq!(host.read(&format!("{folder}/whoami")), format!("{}\n", host.name()));
            assert!(!Path::new(folder).join("whoami").exists());
        }
        assert_eq!(host.run("hostname"), format!("{}\n", host.name()));
        assert_eq!(host.run("cat /proc/1/comm"), "sh\n");
    }
}

#[test]
fn both_users_log_in_by_name() {
    let fleet = fleet(2);
    let ssh = |host, command| succeeded(fleet.client().ssh(host, command));
    assert_eq!(ssh("web1", "id -un; id -Gn; hostname; pwd"), "deploy\ndeploy\nweb1\n/home/deploy\n");
    assert_eq!(ssh("root@web2", "id -un; hostname; pwd"), "root\nweb2\n/root\n");
    assert_eq!(ssh("web2", "touch /var/webapps/five && stat -c %U /var/webapps/five"), "deploy\n");
    assert!(!fleet.client().ssh("web1", "touch /etc/five").status.success());
    // What a program does that only knows the user's PATH.
    let plain =
        Command::new("ssh").args(["web2", "hostname"]).env("PATH", fleet.client().path_variable()).output();
    assert_eq!(succeeded(plain.unwrap()), "web2\n");
}

#[test]
fn deploy_has_the_login_shell_and_the_files_that_were_asked_for() {
    for (shell, rc) in
        [("/usr/bin/fish", ".config/fish/config.fish"), ("/bin/csh", ".cshrc"), ("/bin/bash", ".bashrc")]
    {
        let fleet = Fleet::start(FleetOptions {
            login_shell: shell.into(),
            home_files: vec![(rc.into(), "echo welcome\n".into())],
            ..FleetOptions::default()
        });
        assert_eq!(succeeded(fleet.client().ssh("web1", "echo $SHELL")), format!("welcome\n{shell}\n"));
    }
}

#[test]
fn hosts_run_the_sh_that_was_asked_for() {
    let fleet = Fleet::start(FleetOptions {
        sh: Some("/bin/busybox".into()),
        login_shell: "/home/deploy/shell".into(),
        home_files: vec![("shell".into(), "#!/bin/sh\necho noise\nexec sh \"$@\"\n".into())],
        ..FleetOptions::default()
    });
    let output = succeeded(fleet.client().ssh("web1", "cmp /proc/$$/exe /bin/busybox && echo busybox"));
    assert_eq!(output, "noise\nbusybox\n");
}

#[test]
fn hosts_clone_a_remote_from_a_file_and_from_each_other() {
    let fleet = fleet(2);
    let remote = Remote::temp();
    let commit = remote.commit(&[("app.py", "print()\n"), ("bin/run", "#!/bin/sh\n")], "Begin");
    remote.push();

    let clone = |url: &str| {
        format!("git clone -q {url} /var/webapps/five && git -C /var/webapps/five rev-parse HEAD")
    };
    assert_eq!(succeeded(fleet.client().ssh("web1", &clone(&remote.url()))), format!("{commit}\n"));
    assert_eq!(fleet.host("web1").run("stat -c %A /var/webapps/five/bin/run"), "-rwxr-xr-x\n");

    // Without the agent, nobody lets web2 in.
    let from_host = clone(&fleet.git_url(&remote));
    assert!(!fleet.client().ssh("web2", &from_host).status.success());
    let agent = fleet.agent();
    let forwarded = Command::new("ssh")
        .args(["-A", "web2", &from_host])
        .env("PATH", fleet.client().path_variable())
        .env("SSH_AUTH_SOCK", agent.socket())
        .output();
    assert_eq!(succeeded(forwarded.unwrap()), format!("{commit}\n"));
}

#[test]
fn without_sshd_connections_end_and_commands_live_on() {
    let fleet = fleet(1);
    let host = &fleet.hosts()[0];
    let session = start_sleep(fleet.ssh_config());
    host.stop_sshd();
    assert!(!ends_well(session));
    assert!(TcpStream::connect(host.address()).is_err());
    host.run("grep -qx sleep /proc/[0-9]*/comm");
    host.start_sshd();
    succeeded(fleet.client().ssh("web1", "true"));
}

#[test]
fn a_loss_of_power_ends_everything_but_the_files() {
    let fleet = fleet(1);
    let host = &fleet.hosts()[0];
    let session = start_sleep(fleet.ssh_config());
    host.run("echo here >/var/webapps/five");
    host.power_off();
    assert!(!ends_well(session));
    assert!(!host.exec("grep -qx sleep /proc/[0-9]*/comm").status.success());
    assert_eq!(host.read("/var/webapps/five"), "here\n");
    host.start_sshd();
    assert_eq!(succeeded(fleet.client().ssh("web1", "cat /var/webapps/five")), "here\n");
}

#[test]
fn a_frozen_host_is_silent_until_it_thaws() {
    let fleet = fleet(1);
    let host = &fleet.hosts()[0];
    host.freeze();
    assert!(!ends_well(start_ssh(fleet.ssh_config(), "true")));
    assert_eq!(host.run("hostname"), "web1\n");
    host.thaw();
    assert!(ends_well(start_ssh(fleet.ssh_config(), "true")));
}

#[test]
fn a_full_disk_takes_no_more() {
    let fleet = Fleet::start(FleetOptions { webapps_size: Some("64k".into()), ..FleetOptions::default() });
    let host = &fleet.hosts()[0];
    let write = || fleet.client().ssh("web1", "echo more >/var/webapps/more").status.success();
    assert!(write());
    host.run("rm /var/webapps/more");
    host.fill_disk();
    assert!(!write());
    host.free_disk();
    assert!(write());
}

#[test]
fn no_host_keeps_zombies() {
    let fleet = fleet(1);
    let host = &fleet.hosts()[0];
    succeeded(fleet.client().ssh("web1", "(sh -c 'sleep 0.05 &' &)"));
    wait_for("the orphan to end", || !host.run("cat /proc/[0-9]*/comm").contains("sleep"));
    assert!(!host.run("cat /proc/[0-9]*/stat").contains(") Z "));
}

#[test]
fn fleets_stand_side_by_side() {
    let (first, second) = (fleet(2), fleet(2));
    first.host("web1").run("touch /var/webapps/five");
    succeeded(first.client().ssh("web1", "test -e /var/webapps/five"));
    succeeded(second.client().ssh("web1", "test ! -e /var/webapps/five"));
}

#[test]
fn nothing_is_left_of_a_fleet_even_of_a_frozen_one() {
    let fleet = fleet(3);
    let folder = fleet.folder().to_owned();
    let namespaces: Vec<PidNamespace> = fleet.hosts().iter().map(PidNamespace::of).collect();
    let mut session = start_sleep(fleet.ssh_config());
    fleet.host("web2").freeze();
    drop(fleet);
    assert!(namespaces.iter().all(|namespace| namespace.processes().is_empty()));
    assert!(!folder.exists());
    session.wait().unwrap();
}

/// Starts a process that owns hosts, and gives back the `ssh` that leads to them.
fn owner_of_hosts(arguments: &[&str]) -> (Child, PathBuf) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_testkit-fleet"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut bin = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut bin).unwrap();
    (owner, Path::new(bin.trim()).join("ssh"))
}

#[test]
fn hosts_end_with_a_killed_owner_and_the_next_fleet_sweeps_up() {
    let (mut owner, ssh) = owner_of_hosts(&["2"]);
    let namespace = |host| {
        PidNamespace::named(&succeeded(
            Command::new(&ssh).args([host, PidNamespace::SCRIPT]).output().unwrap(),
        ))
    };
    let namespaces = [namespace("web1"), namespace("web2")];
    // A frozen host can't notice that its owner is gone: that is for the sweep.
    let mut freeze =
        Command::new(&ssh).args(["root@web2", "kill -STOP -1"]).stdin(Stdio::null()).spawn().unwrap();
    let is_stopped =
        |process: &PathBuf| fs::read_to_string(process.join("stat")).is_ok_and(|stat| stat.contains(") T "));
    wait_for("the freeze", || namespaces[1].processes().iter().any(is_stopped));
    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_for("the first host to end", || namespaces[0].processes().is_empty());
    let _next = fleet(1);
    wait_for("the second host to end", || namespaces[1].processes().is_empty());
    assert!(!ssh.exists());
    freeze.wait().unwrap();
}

#[test]
fn systemd_keeps_units_of_the_same_name_apart() {
    let fleet = fleet_with_units(2);
    let (first, second) = (fleet.host("web1"), fleet.host("web2"));
    assert_eq!(
        first.run("cat /proc/1/comm; hostname; systemctl is-system-running"),
        "systemd\nweb1\nrunning\n"
    );
    let before = unit_state(second);
    assert!(before.ends_with(" active\n"), "{before}");

    first.run("systemctl stop five");
    assert_eq!(unit_state(first), "0 inactive\n");
    assert!(!first.exec("pgrep -u app").status.success());
    assert_eq!(unit_state(second), before);
    assert_eq!(second.run("pgrep -u app -x sleep | wc -l"), "1\n");

    second.run("systemctl restart five");
    assert!(
        unit_state(second) != before && unit_state(second).ends_with(" active\n"),
        "{}",
        unit_state(second)
    );
    assert_eq!(unit_state(first), "0 inactive\n");

    // The machine has heard nothing of it.
    assert!(!Path::new("/etc/systemd/system/five.service").exists());
}

#[test]
fn systemd_takes_commands_over_ssh() {
    let fleet = Fleet::start(FleetOptions {
        systemd: true,
        sudo: Sudo::WithoutPassword,
        sh: Some("/bin/busybox".into()),
        ..FleetOptions::default()
    });
    let ssh = |host, command: &str| succeeded(fleet.client().ssh(host, command));
    ssh("root@web1", INSTALL_UNIT);
    assert_eq!(ssh("root@web1", "systemctl restart five && systemctl is-active five"), "active\n");
    assert_eq!(ssh("web1", "sudo systemctl stop five; sudo systemctl is-active five; true"), "inactive\n");
    assert!(!fleet.client().ssh("web1", "systemctl start five").status.success());
    // Its sshd is like any other.
    let host = fleet.host("web1");
    host.stop_sshd();
    assert!(TcpStream::connect(host.address()).is_err());
    host.start_sshd();
    assert_eq!(ssh("web1", "sudo systemctl start five; systemctl --version | head -c 7"), "systemd");
}

#[test]
fn nothing_is_left_of_a_fleet_with_systemd() {
    let fleet = fleet_with_units(2);
    let folder = fleet.folder().to_owned();
    let namespaces: Vec<PidNamespace> = fleet.hosts().iter().map(PidNamespace::of).collect();
    assert!(has_cgroups(&folder));
    drop(fleet);
    assert!(namespaces.iter().all(|namespace| namespace.processes().is_empty()));
    assert!(!has_cgroups(&folder));
    assert!(!folder.exists());
}

#[test]
fn hosts_with_systemd_end_with_a_killed_owner_and_the_next_fleet_sweeps_up() {
    let (mut owner, ssh) = owner_of_hosts(&["--systemd", "1"]);
    let ssh_to = |command| succeeded(Command::new(&ssh).args(["root@web1", command]).output().unwrap());
    ssh_to(INSTALL_UNIT);
    let namespace = PidNamespace::named(&ssh_to(PidNamespace::SCRIPT));
    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_for("the host to end", || namespace.processes().is_empty());
    let _next = fleet(1);
    let folder = ssh.ancestors().find(|path| path.ends_with("client")).unwrap().parent().unwrap();
    // Another test's fleet may be sweeping.
    wait_for("the sweep", || !has_cgroups(folder) && !folder.exists());
}

#[test]
fn deploy_has_no_sudo_unless_asked_for() {
    let fleet = fleet(1);
    assert!(!fleet.client().ssh("web1", "sudo -n true").status.success());
    assert_eq!(sudo(&fleet, PASSWORD, "true"), None);
}

#[test]
fn deploy_has_sudo_without_a_password() {
    let fleet = Fleet::start(FleetOptions { sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    let command = "sudo -n id -un; sudo -n -u app sh -c 'id -un; id -Gn; cd && pwd && touch here'";
    assert_eq!(succeeded(fleet.client().ssh("web1", command)), "root\napp\napp\n/home/app\n");
}

#[test]
fn deploy_has_sudo_for_a_password() {
    let fleet = Fleet::start(FleetOptions { sudo: Sudo::WithPassword, ..FleetOptions::default() });
    assert!(!fleet.client().ssh("web1", "sudo -n true").status.success());
    assert_eq!(sudo(&fleet, "wrong", "true"), None);
    assert_eq!(sudo(&fleet, PASSWORD, "id -un").unwrap(), "root\n");
    assert_eq!(sudo(&fleet, PASSWORD, "-u app id -un").unwrap(), "app\n");
}

#[test]
fn fifty_hosts_come_up_and_go() {
    let fleet = fleet(50);
    assert_eq!(succeeded(fleet.client().ssh("web50", "hostname")), "web50\n");
    let address = fleet.host("web50").address();
    drop(fleet);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_way_with_latency_leads_to_the_same_hosts() {
    let fleet = fleet(2);
    let round_trip = Duration::from_millis(40);
    let lines = fleet.with_latency(round_trip);
    let timed = |client: &buedafab_testkit::Client| {
        let start = Instant::now();
        assert_eq!(succeeded(client.ssh("web2", "hostname")), "web2\n");
        start.elapsed()
    };
    let (short, long) = (timed(fleet.client()), timed(lines.client()));
    println!("ssh web2 true: {short:.2?}, at a round trip of {round_trip:?}: {long:.2?}");
    // A login takes some round trips more than four: TCP, banners, key exchange, authentication, command.
    assert!(long > 5 * round_trip);

    let session = start_sleep(lines.ssh_config());
    lines.relay("web1").cut();
    assert!(!ends_well(session));
    lines.relay("web1").freeze();
    assert!(!ends_well(start_ssh(lines.ssh_config(), "true")));
    lines.relay("web1").thaw();
    assert!(ends_well(start_ssh(lines.ssh_config(), "true")));
    // The relay is a matter of the line, not of the host.
    let mut banner = [0; 4];
    TcpStream::connect(fleet.hosts()[0].address()).unwrap().read_exact(&mut banner).unwrap();
    assert_eq!(&banner, b"SSH-");
}
