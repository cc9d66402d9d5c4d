//! An ssh agent.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::folder::Folder;

/// A real ssh agent that has one key. It ends on drop, and with the process that started it.
#[derive(Debug)]
pub struct Agent {
    shell: Child,
    socket: PathBuf,
    _folder: Folder,
}

impl Agent {
    pub(crate) fn start(identity: &Path) -> Agent {
        let folder = Folder::create("agent");
        let socket = folder.path().join("socket");
        // The shell tells when the agent listens, and ends it when our end of the pipe closes.
        let mut shell = Command::new("ssh-agent")
            .arg("-a")
            .arg(&socket)
            .args(["sh", "-c", "echo ready; cat >/dev/null; kill $SSH_AGENT_PID"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("ssh-agent is installed");
        let mut line = String::new();
        let stdout = shell.stdout.take().expect("stdout is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the pipe is open");
        assert_eq!(line, "ready\n", "ssh-agent didn't start");
        let agent = Agent { shell, socket, _folder: folder };
        let output = Command::new("ssh-add")
            .arg("-q")
            .arg(identity)
            .env("SSH_AUTH_SOCK", &agent.socket)
            .stdin(Stdio::null())
            .output()
            .expect("ssh-add is installed");
        assert!(output.status.success(), "ssh-add failed: {}", String::from_utf8_lossy(&output.stderr));
        agent
    }

    /// The value of `SSH_AUTH_SOCK`.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
