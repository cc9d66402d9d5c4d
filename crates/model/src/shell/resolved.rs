//! Keeping what was resolved for a release.

use crate::app::resolved::ResolvedRelease;
use crate::host::layout::Layout;
use crate::shell::group::close;
use crate::shell::quote;

/// The shell that keeps it: one line, which the look reads back. It may hold what an installer is told, so it is for those
/// who deploy, and nobody else. No rename is needed: half of it is as good as nothing, and its slot isn't ready yet.
pub(super) fn keep_resolved(layout: &Layout, resolved: &ResolvedRelease) -> String {
    let file = layout.resolved(&resolved.commit, &resolved.slot);
    let folder = file.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
    let text = serde_json::to_string(resolved).expect("plain data");
    format!(
        "[ -d {folder} ] || mkdir -p {folder} || exit\n{close}\
         printf '%s\\n' {text} >{file} || {{ echo \"can't write \"{file} >&2; exit 1; }}\n",
        folder = quote(folder),
        close = close(&quote(folder)),
        text = quote(&text),
        file = quote(file.as_str()),
    )
}
