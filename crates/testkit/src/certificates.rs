//! Certificates of the tests' own, made by openssl.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A certificate of 127.0.0.1 and localhost, and the authority that it is of. Nobody trusts that but who is told to.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// New ones in a folder.
    pub fn make(folder: &Path) -> Certificates {
        let script = "set -e
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=the tests' -keyout authority.key -out authority.pem 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout server.key -out server.csr 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\nextendedKeyUsage=serverAuth\\n' >server.ext
openssl x509 -req -days 2 -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -extfile server.ext -out server.pem 2>/dev/null";
        let status = Command::new("sh").args(["-c", script]).current_dir(folder).status();
        assert!(status.expect("sh runs").success(), "openssl is installed");
        Certificates { folder: folder.to_owned() }
    }

    /// What has to be trusted.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The server's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// The server's key.
    pub fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }
}
