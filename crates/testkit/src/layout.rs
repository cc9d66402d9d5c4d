//! The files of a fleet: what its hosts have in common, and its keys.
//!
//! | path in the fleet's folder | what it is |
//! |---|---|
//! | `etc/` | laid over the machine's `/etc` on every host: users, what they may do, names, known hosts |
//! | `home/`, `root/` | copied to `/home` and `/root` of every host |
//! | `fstab` | what is mounted on every host |
//! | `disk/` | where each host mounts a disk of its own, for what it changes in `/etc` |
//! | `sshd_config`, `host_key` | of every sshd |
//! | `identity` | the key that lets in `deploy` and `root` |
//! | `known_hosts` | the pinned host key, by name and by address |
//! | `logs/` | what sshd and the set-up of each host had to say |

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::folder::{create_public_dir, mode_of, set_mode, write_file};
use crate::{Client, FleetOptions, Sudo};

/// The user and group id of `deploy`.
const DEPLOY_ID: u32 = 4242;

/// The user and group id of `app`.
const APP_ID: u32 = 4243;

const SSHD_CONFIG: &str = "\
PidFile none
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowAgentForwarding yes
PermitUserEnvironment no
PrintMotd no
Banner /etc/issue.net
PrintLastLog no
MaxStartups 200
Subsystem sftp internal-sftp
";

/// Hosts read `file://` remotes that belong to root, which git refuses to do unless told otherwise. It is told in
/// each home, because where git looks for the system's configuration depends on how it was built.
const GIT_CONFIG: &str = "\
[safe]
\tdirectory = *
";

/// The paths of a fleet's files.
#[derive(Debug)]
pub(crate) struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// Writes all files that hosts need before they start. Nothing in `folder` depends on them afterwards, so that
    /// hosts can start at the same time.
    pub(crate) fn write(folder: &Path, options: &FleetOptions, addresses: &[(String, SocketAddr)]) -> Layout {
        let FleetOptions { hosts: _, sh, login_shell, home_files, webapps_size, systemd: _, sudo } = options;
        let layout = Layout { folder: folder.to_owned() };
        for name in ["disk", "etc/ssh", "etc/sudoers.d", "home/app", "home/deploy/.ssh", "logs", "root/.ssh"]
        {
            create_public_dir(&folder.join(name));
        }
        layout.write_keys(addresses);
        layout.write_etc(login_shell, *sudo, addresses);
        layout.write_homes(home_files);
        write_file(&folder.join("fstab"), &fstab(folder, sh.as_deref(), webapps_size.as_deref()), 0o644);
        let sshd_config = format!("{SSHD_CONFIG}HostKey {}/host_key\n", folder.display());
        write_file(&folder.join("sshd_config"), &sshd_config, 0o600);
        // The machine needs not have the folder, but a mount needs a place.
        create_public_dir(Path::new("/var/webapps"));
        layout
    }

    /// Writes a client's side: a config in which each name leads to an address, and an `ssh` that reads it.
    pub(crate) fn write_client(&self, name: &str, addresses: &[(String, SocketAddr)]) -> Client {
        let mut config = String::new();
        for (host, address) in addresses {
            // The alias makes the pinned key hold on the way through a relay, which has an address of its own.
            writeln!(
                config,
                "Host {host}\n  HostName {}\n  Port {}\n  HostKeyAlias {host}",
                address.ip(),
                address.port()
            )
            .expect("writing to a string");
        }
        writeln!(
            config,
            "Host *\n  User deploy\n  IdentityFile {folder}/identity\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n  \
             StrictHostKeyChecking yes\n  LogLevel ERROR",
            folder = self.folder.display()
        )
        .expect("writing to a string");
        Client::write(&self.folder.join(name), &config)
    }

    /// The private key that lets in `deploy` and `root`.
    pub(crate) fn identity(&self) -> PathBuf {
        self.folder.join("identity")
    }

    /// Where a host's sshd and its set-up write what they have to say.
    pub(crate) fn log(&self, host: &str) -> PathBuf {
        self.folder.join(format!("logs/{host}.log"))
    }

    fn write_keys(&self, addresses: &[(String, SocketAddr)]) {
        let host_key = self.generate_key("host_key");
        self.generate_key("identity");
        let mut known_hosts = String::new();
        for (name, address) in addresses {
            writeln!(known_hosts, "{name},[{}]:{} {host_key}", address.ip(), address.port())
                .expect("writing to a string");
        }
        write_file(&self.folder.join("known_hosts"), &known_hosts, 0o644);
        // The hosts know each other, too, for `ssh://` remotes.
        write_file(&self.folder.join("etc/ssh/ssh_known_hosts"), &known_hosts, 0o644);
    }

    /// Makes a key pair and returns the public key, without a comment.
    fn generate_key(&self, name: &str) -> String {
        let output = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", name])
            .current_dir(&self.folder)
            .output()
            .expect("ssh-keygen is installed");
        assert!(output.status.success(), "ssh-keygen failed: {}", String::from_utf8_lossy(&output.stderr));
        read(&self.folder.join(format!("{name}.pub"))).trim().to_owned()
    }

    fn write_etc(&self, login_shell: &Path, sudo: Sudo, addresses: &[(String, SocketAddr)]) {
        let etc = self.folder.join("etc");
        let users = ["deploy", "app"];
        let passwd = format!(
            "deploy:x:{DEPLOY_ID}:{DEPLOY_ID}::/home/deploy:{}\napp:x:{APP_ID}:{APP_ID}::/home/app:/usr/sbin/nologin",
            login_shell.display()
        );
        write_file(&etc.join("passwd"), &machine_file("passwd", &users, &passwd), 0o644);
        let group = format!("deploy:x:{DEPLOY_ID}:\napp:x:{APP_ID}:");
        write_file(&etc.join("group"), &machine_file("group", &users, &group), 0o644);
        let shadow = format!("root:*:::::::\ndeploy:{}:::::::\napp:*:::::::", sudo.password_hash());
        let shadow = machine_file("shadow", &["root", "deploy", "app"], &shadow);
        write_file(&etc.join("shadow"), &shadow, 0o600);
        write_file(&etc.join("sudoers.d/deploy"), sudo.sudoers(), 0o440);
        let mut hosts = "127.0.0.1 localhost\n::1 localhost\n".to_owned();
        for (name, address) in addresses {
            writeln!(hosts, "{} {name}", address.ip()).expect("writing to a string");
        }
        write_file(&etc.join("hosts"), &hosts, 0o644);
    }

    fn write_homes(&self, files: &[(String, String)]) {
        let public_key = read(&self.folder.join("identity.pub"));
        for home in ["root", "home/deploy"] {
            let home = self.folder.join(home);
            write_file(&home.join(".gitconfig"), GIT_CONFIG, 0o644);
            write_file(&home.join(".ssh/authorized_keys"), &public_key, 0o600);
        }
        let deploy = self.folder.join("home/deploy");
        for (path, content) in files {
            let path = deploy.join(path);
            create_public_dir(path.parent().expect("a file in a home is in a folder"));
            write_file(&path, content, mode_of(content));
        }
        chown_all(&deploy, DEPLOY_ID);
        chown_all(&self.folder.join("home/app"), APP_ID);
        set_mode(&self.folder.join("root"), 0o700);
    }
}

/// What each host mounts. The names of the sources are no others that the machine uses: `mount --all` skips what it
/// takes for mounted already.
fn fstab(folder: &Path, sh: Option<&Path>, webapps_size: Option<&str>) -> String {
    let size = webapps_size.map(|size| format!(",size={size}")).unwrap_or_default();
    let sh = sh.map(|sh| format!("{} /bin/sh none bind 0 0\n", sh.display())).unwrap_or_default();
    let folder = folder.display();
    format!(
        "host /run tmpfs mode=755 0 0
host /tmp tmpfs mode=1777 0 0
host /home tmpfs mode=755 0 0
host /root tmpfs mode=700 0 0
host /srv tmpfs mode=755 0 0
host /var/lib/sudo tmpfs mode=700 0 0
host /var/log tmpfs mode=755 0 0
host /var/spool/cron/crontabs tmpfs mode=1777 0 0
host /var/webapps tmpfs mode=755,uid={DEPLOY_ID},gid={DEPLOY_ID}{size} 0 0
host /etc overlay lowerdir={folder}/etc:/etc,upperdir={folder}/disk/upper,workdir={folder}/disk/work 0 0
{sh}"
    )
}

/// The machine's file in `/etc`, without the entries of some users, and with others instead.
fn machine_file(name: &str, without: &[&str], with: &str) -> String {
    let entries = read(&Path::new("/etc").join(name));
    let kept =
        entries.lines().filter(|line| !without.iter().any(|user| line.split(':').next() == Some(user)));
    kept.chain(with.lines()).map(|line| format!("{line}\n")).collect()
}

fn chown_all(path: &Path, id: u32) {
    chown(path, Some(id), Some(id)).expect("root may give files away");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("the folder was just written").flatten() {
            chown_all(&entry.path(), id);
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
