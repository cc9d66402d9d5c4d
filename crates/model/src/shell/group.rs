//! Whom what a run makes on a host is for: with `deploy_group`, one rule for every file, whoever runs it and whatever their login
//! says.
//!
//! Such a run begins with a umask, and all of its steps have it: everybody may read what is deployed, because web servers do, and
//! all members of that group may write it. Folders that the app's own folder closes stay closed, and so do the files that hold
//! secrets, which say so themselves. A command that sets permissions of its own is made up for when a slot is ready.
//!
//! Without a group the login's own umask holds, which may be how a team shares, or keeps others out.

use super::quote;
use crate::names::HostPath;

/// What a run begins with, where who may read and write its new files isn't the login's to say.
pub fn umask(group: Option<&str>) -> &'static str {
    if group.is_some() { "umask 002\n" } else { "" }
}

/// Gives what this user owns in a folder to the group. Its members can then remove all of it, and write what they can read:
/// what a command made for its user alone stays so. What belongs to another member isn't ours to change, and was given by
/// them.
pub(super) fn give(path: &HostPath, group: &str) -> String {
    let mine = format!("find {} -user \"$(id -u)\"", quote(path.as_str()));
    let group = quote(group);
    // Whoever changes a group takes the setgid bit away.
    format!(
        "{mine} ! -type l ! -group {group} -exec chgrp {group} {{}} + &&\n\
         {mine} -type d ! -perm -2070 -exec chmod g+rwxs {{}} + &&\n\
         {mine} -type f -perm -040 ! -perm -020 -exec chmod g+w {{}} +\n"
    )
}

/// What only those who deploy may read, whether that is a user or a group that shares this folder.
pub(super) fn close(folder: &str) -> String {
    format!("if [ -g {folder} ]; then umask 007; else umask 077; fi\n")
}
