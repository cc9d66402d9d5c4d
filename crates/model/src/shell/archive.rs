//! The archive of a release, as the shell that takes and unpacks it on a host, and that makes it on the deployer.

use super::git::{git, set_aside};
use super::{quote, quote_words};
use crate::app::archive::Artifact;
use crate::app::sparse::Part;
use crate::deployer::action::Packing;
use crate::host::layout::Layout;
use crate::names::{CommitId, RunId, SlotName};
use crate::plan::action::ArchiveAction;

pub(super) fn render(action: &ArchiveAction, layout: &Layout, run: &RunId) -> String {
    match action {
        ArchiveAction::TakeArchive { commit, file } => format!(
            "packages={}\nfile={}\nnote={}\n{}{}{}",
            quote(layout.packages().as_str()),
            quote(file),
            quote(layout.archive_note(commit).as_str()),
            script!("take"),
            script!("replace"),
            script!("archive"),
        ),
        ArchiveAction::Leave { slot, commit: _ } => leave(layout, slot, run),
        ArchiveAction::Unpack { slot, commit, file, shared, aside } => {
            set_aside(layout, slot, aside, run) + &unpack(layout, slot, commit, file, shared, run)
        }
    }
}

/// Without those notes git takes what it finds for nothing that it filled.
fn leave(layout: &Layout, slot: &SlotName, run: &RunId) -> String {
    format!(
        "name={} slot={} unpacked={} filled={} overwritten={} aside={}\n{}{}\
         keep_changes\nrm -f \"$unpacked\" \"$filled\" \"$overwritten\"\n",
        quote(slot.as_str()),
        quote(layout.slot(slot).as_str()),
        quote(layout.unpacked(slot).as_str()),
        quote(layout.filled(slot).as_str()),
        quote(layout.overwritten(slot).as_str()),
        quote(layout.aside(slot, run).as_str()),
        difference(),
        script!("keep_changes"),
    )
}

fn unpack(
    layout: &Layout,
    slot: &SlotName,
    commit: &CommitId,
    file: &str,
    shared: &[String],
    run: &RunId,
) -> String {
    let left = shared.iter().map(String::as_str).chain([layout.virtualenv.as_str()]);
    let assign = |name: &str, value: &str| format!("{name}={}\n", quote(value));
    let changes = layout.state().join(&format!("changes-{slot}-{run}.patch"));
    let parts = [
        git(layout),
        format!("commit={commit}\n"),
        assign("name", slot.as_str()),
        assign("slot", layout.slot(slot).as_str()),
        assign("archive", layout.packages().join(file).as_str()),
        assign("note", layout.archive_note(commit).as_str()),
        assign("unpacked", layout.unpacked(slot).as_str()),
        assign("filled", layout.filled(slot).as_str()),
        assign("overwritten", layout.overwritten(slot).as_str()),
        assign("aside", layout.aside(slot, run).as_str()),
        assign("changes", changes.as_str()),
        assign("left", &quote_words(left)),
        script!("mounts"),
        script!("clone"),
        script!("in_the_way"),
        script!("safe_tar"),
        difference(),
        script!("keep_changes"),
        script!("unpack"),
    ];
    parts.concat()
}

/// Whether, and in what, a release differs from its commit. Expects `unpacked`, the list of the slot's files.
pub(super) fn difference() -> String {
    script!("unpacked") + &script!("difference")
}

/// The shell that lays a commit out for its build, in a clone of its own.
pub(super) fn lay_out(clone: &str, commit: &CommitId, remote: &str, submodules: bool) -> String {
    format!(
        "clone={} commit={commit} remote={} submodules={}\n{}{}{}",
        quote(clone),
        quote(remote),
        yes_or_no(submodules),
        script!("lfs_files"),
        script!("with_lfs"),
        script!("lay_out"),
    )
}

/// The shell that packs a release.
pub(super) fn pack(packing: &Packing) -> String {
    let Packing { commit, archive, clone, is_built, submodules, only, artifact } = packing;
    let assign = |name: &str, value: &str| format!("{name}={}\n", quote(value));
    let mut text = format!("commit={commit}\nsubmodules={}\n", yes_or_no(*submodules));
    text.push_str(&assign("archive", archive));
    text.push_str(&assign("clone", clone.as_deref().unwrap_or_default()));
    text.push_str(&format!("built={}\n", yes_or_no(*is_built)));
    let part = only.as_deref().map(Part::of);
    let lines = |folders: &[&str]| quote(&folders.join("\n"));
    match &part {
        None => text.push_str("part=no folders= above=\n"),
        Some(Part { folders, above }) => {
            text.push_str(&format!("part=yes folders={} above={}\n", lines(folders), lines(above)));
        }
    }
    match artifact {
        None => text.push_str("path= url=\n"),
        Some(Artifact::Path { path }) => text.push_str(&(assign("path", path) + "url=\n")),
        Some(Artifact::Address { url, sha256 }) => {
            let file = Artifact::file_name(url).unwrap_or("artifact");
            let packed = match Artifact::is_packed(file) {
                true if file.ends_with(".tar") => "tar",
                true => "gzip",
                false => "no",
            };
            text.push_str("path=\n");
            for (name, value) in
                [("url", url.as_str()), ("sha256", sha256), ("file", file), ("packed", packed)]
            {
                text.push_str(&assign(name, value));
            }
        }
    }
    text + &script!("safe_tar") + &script!("lfs_files") + &script!("with_lfs") + &script!("pack")
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
