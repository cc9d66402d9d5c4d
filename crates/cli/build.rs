//! What `--version` says besides the version: the commit that it was built from, and its day.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A copy of the source without git's folder has only its version.
    let Some(head) = git(&["rev-parse", "--git-path", "HEAD"]) else { return };
    println!("cargo:rerun-if-changed={head}");
    if let Some(branch) = git(&["symbolic-ref", "--quiet", "HEAD"])
        && let Some(file) = git(&["rev-parse", "--git-path", &branch]).filter(|file| Path::new(file).exists())
    {
        println!("cargo:rerun-if-changed={file}");
    }
    let format = ["log", "-1", "--abbrev=10", "--date=short", "--format=%h %cd"];
    if let Some(built_from) = git(&format) {
        println!("cargo:rustc-env=BUEDAFAB_BUILT_FROM={built_from}");
    }
}

/// What git says about the project, if the project is what its checkout holds, and not only a folder within another.
fn git(arguments: &[&str]) -> Option<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.join("../../.git").exists().then_some(())?;
    let output = Command::new("git").arg("-C").arg(manifest).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
