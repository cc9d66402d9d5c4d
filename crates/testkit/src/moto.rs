//! Amazon's services on this machine: moto, as a server of its own, and Amazon's own client to set things up in it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that answers as EC2, its load balancers, its groups that scale, and S3 do. It ends with this.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    /// Where it is.
    pub url: String,
}

/// Where set-up has put the tools.
fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin").join(name)
}

/// How long it may take to listen: it is a large program.
const PATIENCE: Duration = Duration::from_secs(60);

impl Moto {
    /// Starts one on a port of its own.
    ///
    /// # Panics
    ///
    /// If set-up hasn't run, or it doesn't listen in time.
    pub fn start() -> Moto {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it has one").port();
        drop(listener);
        let server = Command::new(tool("moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("script/setup has run");
        let moto = Moto { server, url: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "moto doesn't listen on {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        moto
    }

    /// Whoever asks it is this.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ENDPOINT_URL", self.url.clone()),
        ]
    }

    /// Runs a script of Python with Amazon's own client, `client(SERVICE)`, and gives back what it prints.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn python(&self, script: &str) -> String {
        let begin = "import boto3\nclient = lambda name: boto3.client(name, region_name='eu-west-1')\n";
        run_python(&format!("{begin}{script}"), &self.environment())
    }
}

/// Runs a script with the Python of the tools, and gives back what it prints.
///
/// # Panics
///
/// If it fails.
pub fn run_python(script: &str, environment: &[(&'static str, String)]) -> String {
    let output = Command::new(tool("python"))
        .args(["-c", script])
        .envs(environment.iter().cloned())
        .output()
        .expect("script/setup has run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
