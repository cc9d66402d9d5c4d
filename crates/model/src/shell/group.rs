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

/// Defines `twice`, for a walk through what others change meanwhile: a file that has gone stops none that is begun again.
pub(super) const TWICE: &str = "twice() { \"$@\" 2>/dev/null || \"$@\"; }\n";

/// Gives what this user owns in a folder to the group. Its members can then remove all of it, and write what they can read:
/// what a command made for its user alone stays so. What belongs to another member isn't ours to change, and was given by
/// them. `twice` is defined.
pub(super) fn give(path: &HostPath, group: &str) -> String {
    let mine = mine_in(path);
    let group = quote(group);
    // Whoever changes a group takes the setgid bit away.
    format!(
        "{mine} ! -type l ! -group {group} -exec chgrp {group} {{}} + &&\n\
         {mine} -type d ! -perm -2070 -exec chmod g+rwxs {{}} + &&\n\
         {mine} -type f -perm -040 ! -perm -020 -exec chmod g+w {{}} +\n"
    )
}

/// The same of what a command of the project's may have made. In a folder that it closed to the group it relied on that: the next
/// who deploys has to be able to remove all of it, and still reads none of its files. What git keeps is theirs to read: it may
/// have been closed before there was a group.
pub(super) fn give_slot(path: &HostPath, group: &str) -> String {
    let close = "find \"$@\" -xdev -type f -perm -040 -user \"$(id -u)\" -print0 | xargs -0r chmod go-rwx";
    format!(
        "{} -type d ! -name .git ! -perm -040 ! -perm -020 ! -perm -010 -exec sh -c {} sh {{}} + &&\n{}",
        mine_in(path),
        quote(close),
        give(path, group)
    )
}

/// What lies in a folder that is mounted there is somebody else's.
fn mine_in(path: &HostPath) -> String {
    format!("twice find {} -xdev -user \"$(id -u)\"", quote(path.as_str()))
}

/// What only those who deploy may read, whether that is a user or a group that shares this folder.
pub(super) fn close(folder: &str) -> String {
    format!("if [ -g {folder} ]; then umask 007; else umask 077; fi\n")
}
