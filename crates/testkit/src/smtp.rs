//! A mail server on loopback: the real aiosmtpd, which script/setup gets from PyPI.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Certificates;

/// A mail server that keeps every mail. It ends with this.
#[derive(Debug)]
pub struct SmtpServer {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl SmtpServer {
    /// A server that is reached so: `plain`, `starttls` or `tls`; with a login, only by that user and password.
    pub fn start(how: &str, certificates: &Certificates, login: Option<(&str, &str)>) -> SmtpServer {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin/python");
        let mut command = Command::new(python);
        command.args(["-W", "ignore", "-c", include_str!("smtp.py"), how]);
        command.arg(certificates.certificate()).arg(certificates.key());
        if let Some((user, password)) = login {
            // Whoever searches what processes were told finds it nowhere.
            command.arg(user).env("PASSWORD", password);
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script/setup has run");
        let mut said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = said.next().expect("it says its port").expect("it is read");
        SmtpServer { child, said, port: port.parse().expect("a number") }
    }

    /// The next mail, as JSON: `from`, `to`, `login`, `private`, and the whole `mail`. Waits for it.
    pub fn next_mail(&mut self) -> String {
        self.said.next().expect("it goes on").expect("it is read")
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
