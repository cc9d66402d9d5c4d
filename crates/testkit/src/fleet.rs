//! Many hosts on one machine.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::addresses::Addresses;
use crate::cgroup::Cgroup;
use crate::folder::Folder;
use crate::host::{self, FleetHost};
use crate::layout::Layout;
use crate::processes;
use crate::{Agent, Client, Lines, Remote, Sudo};

/// What kind of fleet to start.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// How many hosts: `web1`, `web2` and so on.
    pub hosts: usize,
    /// What runs as `/bin/sh` on the hosts, such as `/bin/busybox` or `/bin/bash`. Without it, what the machine has.
    pub sh: Option<PathBuf>,
    /// The login shell of `deploy`. It may be one of the `home_files`.
    pub login_shell: PathBuf,
    /// Files in the home of `deploy`: a path in it and the content, such as a `.bashrc` that prints something. A file
    /// that begins with `#!` is made executable.
    pub home_files: Vec<(String, String)>,
    /// The size of `/var/webapps`, as `mount` takes it, such as `512k`. Without it, there is room for anything.
    pub webapps_size: Option<String>,
    /// Whether the hosts run systemd, rather than a shell as their init. It has no units to begin with but the
    /// machine's, of which it starts none by itself. Without journald, what a unit writes is lost, and without dbus,
    /// only root may give commands.
    pub systemd: bool,
    /// Whether `deploy` may use `sudo`.
    pub sudo: Sudo,
}

impl Default for FleetOptions {
    fn default() -> FleetOptions {
        FleetOptions {
            hosts: 1,
            sh: None,
            login_shell: "/bin/sh".into(),
            home_files: Vec::new(),
            webapps_size: None,
            systemd: false,
            sudo: Sudo::None,
        }
    }
}

/// A number of hosts, each with a real sshd, processes, users and files of its own.
///
/// Each host is a set of mount, pid and uts namespaces; the network is the machine's. `/var/webapps`, `/srv`,
/// `/home`, `/root`, `/tmp`, `/run`, `/var/log` and all changes in `/etc` are the host's own; the rest is the
/// machine's. `root` and the unprivileged user `deploy`, who owns `/var/webapps`, can log in by key. The user `app`
/// can't log in, but has processes and a home.
///
/// Dropping the fleet ends all its processes and removes all its files. So does the end of the owning process, however
/// it comes, but for some files and cgroups, which the next fleet of any process removes.
#[derive(Debug)]
pub struct Fleet {
    // Hosts end before their cgroups and their folder go: fields are dropped in this order.
    hosts: Vec<FleetHost>,
    client: Client,
    layout: Layout,
    _addresses: Addresses,
    _cgroup: Option<Cgroup>,
    folder: Folder,
}

impl Fleet {
    /// Starts all hosts at the same time and waits until they listen, and until their systemd takes commands.
    ///
    /// # Panics
    ///
    /// If a host doesn't come up, with what it had to say.
    pub fn start(options: FleetOptions) -> Fleet {
        let folder = Folder::create("fleet");
        let addresses = Addresses::claim(options.hosts);
        let named: Vec<(String, SocketAddr)> = addresses
            .list()
            .iter()
            .enumerate()
            .map(|(index, address)| (format!("web{}", index + 1), *address))
            .collect();
        let layout = Layout::write(folder.path(), &options, &named);
        let client = layout.write_client("client", &named);
        let cgroup = options
            .systemd
            .then(|| Cgroup::create(folder.path(), named.iter().map(|(name, _)| name.as_str())));

        let mut children: Vec<Child> = named
            .iter()
            .map(|(name, address)| {
                let cgroup = cgroup.as_ref().map(|cgroup| cgroup.host(name));
                start_host(folder.path(), &layout, cgroup.as_deref(), name, *address)
            })
            .collect();
        for ((name, address), child) in named.iter().zip(&mut children) {
            let is_up = host::wait_until(|| host::accepts(*address) || has_ended(child)) && !has_ended(child);
            if !is_up {
                let log = fs::read_to_string(layout.log(name)).unwrap_or_default();
                panic!("{name} at {address} didn't come up:\n{log}");
            }
        }
        let running = processes::all();
        let hosts: Vec<FleetHost> = named
            .into_iter()
            .zip(children)
            .map(|((name, address), child)| {
                let init = running.iter().find(|process| Ok(process.parent) == i32::try_from(child.id()));
                let init = init.expect("unshare has a child as long as it runs").id;
                FleetHost::new(name, address, child, init, folder.path(), options.webapps_size.is_some())
            })
            .collect();
        if options.systemd {
            hosts.iter().for_each(FleetHost::wait_for_systemd);
        }
        Fleet { hosts, client, layout, _addresses: addresses, _cgroup: cgroup, folder }
    }

    /// The hosts, `web1` first.
    pub fn hosts(&self) -> &[FleetHost] {
        &self.hosts
    }

    /// The host of this name.
    pub fn host(&self, name: &str) -> &FleetHost {
        self.hosts
            .iter()
            .find(|host| host.name() == name)
            .unwrap_or_else(|| panic!("the fleet has no {name}"))
    }

    /// The user's side of ssh, straight to the hosts.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The ssh config of [`client`](Fleet::client).
    pub fn ssh_config(&self) -> &Path {
        self.client.ssh_config()
    }

    /// The folder with the `ssh` of [`client`](Fleet::client).
    pub fn bin(&self) -> &Path {
        self.client.bin()
    }

    /// The private key that lets in `deploy` and `root`.
    pub fn identity(&self) -> PathBuf {
        self.layout.identity()
    }

    /// Starts an ssh agent that has the fleet's key.
    pub fn agent(&self) -> Agent {
        Agent::start(&self.identity())
    }

    /// The address of a remote as served by the first host over ssh: see [`FleetHost::git_url`].
    pub fn git_url(&self, remote: &Remote) -> String {
        self.hosts.first().expect("a fleet that serves a remote has a host").git_url(remote)
    }

    /// Another way to the same hosts, through a relay each, that takes this time there and back. With a time of zero,
    /// lines are as short as the direct ones, but can be frozen and cut.
    pub fn with_latency(&self, round_trip: Duration) -> Lines {
        Lines::start(&self.layout, &self.hosts, round_trip)
    }

    /// The fleet's folder. It is at the same path on all hosts, but only root may write to it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // All at once, and only then is each one waited for.
        for host in &self.hosts {
            host.kill();
        }
    }
}

/// Puts pid 1 of a host into its cgroup and makes a cgroup namespace of that. The `unshare` outside stays where it is:
/// systemd means to move all processes from the root of its cgroups, and can't move one that it can't see.
const ENTER_CGROUP: &str = r#"echo 0 >"$1/cgroup.procs" && shift && exec unshare --cgroup "$@""#;

/// With a cgroup, the host runs systemd.
fn start_host(
    folder: &Path,
    layout: &Layout,
    cgroup: Option<&Path>,
    name: &str,
    address: SocketAddr,
) -> Child {
    let log = File::options().create(true).append(true).open(layout.log(name)).expect("the folder is ours");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"]);
    let script = match cgroup {
        Some(cgroup) => {
            command.args(["sh", "-c", ENTER_CGROUP, "sh"]).arg(cgroup);
            concat!(include_str!("host.sh"), include_str!("systemd.sh"))
        }
        None => concat!(include_str!("host.sh"), include_str!("init.sh")),
    };
    command
        .args(["sh", "-c", script, "sh"])
        .arg(folder)
        .args([name, &address.to_string()])
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("a file can be cloned"))
        .stderr(log);
    host::clean_environment(&mut command);
    // A Ctrl-C that a test sends to its group isn't meant for the hosts.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().expect("unshare of util-linux is installed")
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().expect("the child is ours").is_some()
}
