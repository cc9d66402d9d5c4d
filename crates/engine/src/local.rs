//! Commands of the configuration that run on the deployer.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use buedafab_model::event::Event;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Runs the commands one after the other; gives back the status of the first that fails, and its words.
pub async fn run_local_hooks(
    commands: &[String],
    folder: &Path,
    variables: &BTreeMap<String, String>,
    events: &mut (dyn FnMut(Event) + Send),
) -> Result<(), LocalHookError> {
    for command in commands {
        events(Event::LocalStarted { command: command.clone() });
        let failed = |why: String| LocalHookError { command: command.clone(), why };
        // One pipe for both outputs keeps their lines in order.
        let mut child = Command::new("sh")
            .args(["-c", "exec 2>&1\neval \"$1\"", "sh", command])
            .current_dir(folder)
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            events(Event::LocalOutput { line: String::from_utf8_lossy(&line).into_owned() });
        }
        let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
        events(Event::LocalEnded { status: status.code().unwrap_or(-1) });
        if !status.success() {
            return Err(failed(status.to_string()));
        }
    }
    Ok(())
}

/// A command on the deployer failed.
#[derive(Debug, thiserror::Error)]
#[error("local hook {command:?} failed: {why}")]
pub struct LocalHookError {
    command: String,
    why: String,
}
