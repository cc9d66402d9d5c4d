//! One host of a fleet.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::Remote;

/// The longest that anything in a fleet may take to happen. It is long, for machines with much else to do.
const LIMIT: Duration = Duration::from_secs(30);

/// A host with its own processes and files, reached through its sshd, or past it by [`exec`](FleetHost::exec).
#[derive(Debug)]
pub struct FleetHost {
    name: String,
    address: SocketAddr,
    /// The `unshare` that started the host. It ends after the last process of the host.
    unshare: Child,
    /// The process id of the host's init, as seen from outside.
    init: i32,
    /// Refers to that very process, even after its id belongs to another.
    init_handle: OwnedFd,
    fleet: PathBuf,
    has_webapps_size: bool,
}

impl FleetHost {
    pub(crate) fn new(
        name: String,
        address: SocketAddr,
        unshare: Child,
        init: i32,
        fleet: &Path,
        has_webapps_size: bool,
    ) -> FleetHost {
        let pid = Pid::from_raw(init).expect("a process id isn't zero");
        let init_handle = pidfd_open(pid, PidfdFlags::empty()).expect("init runs");
        FleetHost { name, address, unshare, init, init_handle, fleet: fleet.to_owned(), has_webapps_size }
    }

    /// The name by which ssh knows it, and its hostname: `web1` and so on.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its sshd listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of [`address`](FleetHost::address).
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address of a remote as served by this host over ssh, for `deploy`. All hosts know this host's key, but to
    /// log in takes the fleet's key, say by a forwarded [`Agent`](crate::Agent).
    pub fn git_url(&self, remote: &Remote) -> String {
        format!("ssh://deploy@{}{}", self.address, remote.path().display())
    }

    /// Runs a shell command on the host, as root, in `/`, with a plain environment, without ssh. It also works while
    /// sshd is stopped, and while the host is frozen. What it leaves in the background must not keep its stdout open.
    pub fn exec(&self, script: &str) -> Output {
        self.enter(script, &[])
    }

    /// Runs a shell command as [`exec`](FleetHost::exec) does, and returns its stdout.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn run(&self, script: &str) -> String {
        self.enter_and_succeed(script, &[])
    }

    /// Reads a file of the host.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn read(&self, path: &str) -> String {
        self.enter_and_succeed(r#"cat -- "$1""#, &[path])
    }

    /// Kills all processes of sshd: connections end, new ones are refused. What was started over ssh lives on.
    pub fn stop_sshd(&self) {
        // Until none is left: an sshd may start another while we look.
        self.run(
            r#"found=yes
            while [ "$found" ]; do
                found=
                for process in /proc/[0-9]*; do
                    read -r name 2>/dev/null <"$process/comm" || continue
                    case $name in sshd*) kill -KILL "${process#/proc/}" 2>/dev/null && found=yes ;; esac
                done
            done
            # The last kill may have failed, for a process that had just ended.
            true"#,
        );
        self.wait_until_refused();
    }

    /// Starts sshd after [`stop_sshd`](FleetHost::stop_sshd) or [`power_off`](FleetHost::power_off).
    pub fn start_sshd(&self) {
        let fleet = self.fleet.display();
        let (name, address) = (&self.name, self.address);
        self.run(&format!(
            "/usr/sbin/sshd -f '{fleet}/sshd_config' -E '{fleet}/logs/{name}.log' -o ListenAddress={address}"
        ));
        assert!(wait_until(|| accepts(address)), "the sshd of {name} at {address} didn't come up");
    }

    /// Kills all processes of the host at one moment, as a loss of power does. The files stay as they are.
    ///
    /// This isn't for hosts with systemd, which lives on, starts some of them again, and may outlive the owner.
    pub fn power_off(&self) {
        self.run("kill -KILL -1");
        self.wait_until_refused();
    }

    /// Stops all processes of the host: nothing is answered any more, but no connection is closed either.
    ///
    /// This isn't for hosts with systemd, which goes on.
    pub fn freeze(&self) {
        self.run("kill -STOP -1");
    }

    /// Lets all processes go on after [`freeze`](FleetHost::freeze).
    pub fn thaw(&self) {
        self.run("kill -CONT -1");
    }

    /// Fills what is left of `/var/webapps`, so that no file can be written to it. Empty ones can still be created.
    ///
    /// # Panics
    ///
    /// If the fleet was started without a `webapps_size`: the file would fill the machine's memory.
    pub fn fill_disk(&self) {
        assert!(self.has_webapps_size, "a disk that can be filled takes a fleet with a webapps_size");
        // In this it succeeds by failing.
        let output = self.exec("cat /dev/zero >/var/webapps/.filler");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("No space left"), "the disk of {} didn't fill: {stderr}", self.name);
    }

    /// Gives back what [`fill_disk`](FleetHost::fill_disk) took.
    pub fn free_disk(&self) {
        self.run("rm /var/webapps/.filler");
    }

    /// Ends the host, without waiting until it has ended.
    pub(crate) fn kill(&self) {
        // It may have ended by itself. As it is pid 1 of its namespace, all other processes there end with it.
        let _ = pidfd_send_signal(&self.init_handle, Signal::KILL);
    }

    /// Waits until systemd has come up and takes commands.
    pub(crate) fn wait_for_systemd(&self) {
        let mut state = String::new();
        let is_up = wait_until(|| {
            let output = self.exec("systemctl is-system-running 2>&1");
            state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            // Degraded is one in which a unit failed.
            state == "running" || state == "degraded"
        });
        let log = fs::read_to_string(self.fleet.join(format!("logs/{}.log", self.name))).unwrap_or_default();
        assert!(is_up, "the systemd of {} didn't come up: {state}\n{log}", self.name);
    }

    fn wait_until_refused(&self) {
        assert!(wait_until(|| !accepts(self.address)), "the sshd of {} didn't end", self.name);
    }

    fn enter(&self, script: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command
            .args([&LIMIT.as_secs().to_string(), "nsenter", "-t", &self.init.to_string(), "-m", "-p", "-u"])
            .args(["--", "sh", "-c", &format!("umask 022\n{script}"), "sh"])
            .args(arguments)
            .stdin(Stdio::null());
        clean_environment(&mut command);
        command.output().expect("timeout of coreutils is installed")
    }

    fn enter_and_succeed(&self, script: &str, arguments: &[&str]) -> String {
        let output = self.enter(script, arguments);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "on {}: {script} {arguments:?}: {}\n{stdout}{}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        stdout
    }
}

impl Drop for FleetHost {
    fn drop(&mut self) {
        self.kill();
        let _ = self.unshare.wait();
    }
}

/// Takes away the environment of the test, of which a host knows nothing.
pub(crate) fn clean_environment(command: &mut Command) {
    command
        .env_clear()
        .env("HOME", "/root")
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.current_dir("/");
}

/// Says whether somebody listens there.
pub(crate) fn accepts(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, LIMIT).is_ok()
}

/// Waits until a condition holds, and says whether it came to that.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + LIMIT;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
