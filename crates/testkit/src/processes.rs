//! What runs on this machine, read from `/proc`.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// One process, as the kernel shows it.
pub(crate) struct Process {
    /// Its id in our namespace.
    pub(crate) id: i32,
    /// The id of its parent.
    pub(crate) parent: i32,
    /// Its arguments, the program first.
    pub(crate) arguments: Vec<String>,
}

/// All processes. One that ends while we look may be missing.
pub(crate) fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted");
    entries.flatten().filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// Kills the namespaces of hosts whose files were in `folder`: `unshare --kill-child` takes the host with it.
pub(crate) fn kill_namespaces_of(folder: &Path) {
    let Some(folder) = folder.to_str() else { return };
    for process in all() {
        let is_host = process.arguments.first().is_some_and(|program| program == "unshare")
            && process.arguments.iter().any(|argument| argument == folder);
        if let (true, Some(id)) = (is_host, Pid::from_raw(process.id)) {
            // It may have ended in the meantime, which is what we want.
            let _ = kill_process(id, Signal::KILL);
        }
    }
}

fn read(id: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything, so the fields are counted from its end: state, parent, …
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    let line = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    let arguments = String::from_utf8_lossy(&line).split_terminator('\0').map(str::to_owned).collect();
    Some(Process { id, parent, arguments })
}
