//! The user's side of ssh: a config, and an `ssh` that reads it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::folder::{create_public_dir, write_file};

/// A user who can log in to the hosts of a fleet as `deploy` by their names, `web1` and so on, without a question.
///
/// The product uses plain `ssh`, so that the user's own config applies. The user's config is stood in for by an
/// `ssh` in [`bin`](Client::bin) that comes first on the product's `PATH`.
#[derive(Clone, Debug)]
pub struct Client {
    ssh_config: PathBuf,
    bin: PathBuf,
}

impl Client {
    pub(crate) fn write(folder: &Path, config: &str) -> Client {
        let client = Client { ssh_config: folder.join("ssh_config"), bin: folder.join("bin") };
        create_public_dir(&client.bin);
        write_file(&client.ssh_config, config, 0o644);
        let script = format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", client.ssh_config.display());
        write_file(&client.bin.join("ssh"), &script, 0o755);
        client
    }

    /// The config, for `ssh -F`.
    pub fn ssh_config(&self) -> &Path {
        &self.ssh_config
    }

    /// A folder with an `ssh` that reads [`ssh_config`](Client::ssh_config), and nothing else.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The value of `PATH` with [`bin`](Client::bin) first, for the program under test.
    pub fn path_variable(&self) -> OsString {
        let mut path = self.bin.clone().into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()));
        path
    }

    /// Runs a command on a host through a connection of its own, as `ssh HOST COMMAND` does.
    pub fn ssh(&self, host: &str, command: &str) -> Output {
        Command::new(self.bin.join("ssh"))
            .args([host, command])
            .stdin(Stdio::null())
            .output()
            .expect("the wrapper was written")
    }
}
