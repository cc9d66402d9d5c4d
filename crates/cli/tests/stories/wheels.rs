//! A package index on loopback: the wheels that script/setup has downloaded.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A web server with a folder of wheels. It ends on drop.
pub(crate) struct Wheels {
    server: Child,
    port: u16,
}

/// Where script/setup puts what it gets from PyPI.
pub(crate) fn target(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(name);
    path.canonicalize().expect("script/setup has run")
}

impl Wheels {
    pub(crate) fn serve() -> Wheels {
        let mut server = Command::new("/usr/bin/python3")
            .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"])
            .arg(target("wheels"))
            .arg("0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is installed");
        let mut said = String::new();
        let stdout = server.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut said).expect("it says its port");
        // "Serving HTTP on 127.0.0.1 port 41235 (http://…"
        let port = said.split(" port ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        Wheels { server, port: port.unwrap_or_else(|| panic!("no port in {said:?}")) }
    }

    /// Where it serves.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// `pip_options` that take packages from here and from nowhere else.
    pub(crate) fn options(&self) -> String {
        format!("pip_options = [\"--no-index\", \"--find-links\", \"{}\"]", self.url())
    }
}

impl Drop for Wheels {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
