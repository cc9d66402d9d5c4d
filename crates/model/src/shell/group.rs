//! What a folder's group needs, where a team's deployers share folders.

use super::quote;
use crate::names::HostPath;

/// What new files of a step are readable and writable for.
pub(super) fn umask(group: Option<&str>) -> String {
    if group.is_some() { "umask 002\n".to_owned() } else { String::new() }
}

/// Gives a folder and all in it to the group. What belongs to another member of the group isn't ours to change, and
/// was given by them.
pub(super) fn own(path: &HostPath, group: Option<&str>) -> String {
    let Some(group) = group else { return String::new() };
    let mine = format!("find {} -user \"$(id -u)\" ! -type l", quote(path.as_str()));
    let group = quote(group);
    format!(
        "{mine} ! -group {group} -exec chgrp {group} {{}} + || exit\n\
         {mine} ! -perm -020 -exec chmod g+w {{}} + || exit\n"
    )
}
