//! Who a command runs as: the user who logs in, root, or the app's own.

use super::quote;
use crate::names::HostPath;

/// Sets `$sudo` to what makes a command root's. It never waits for an answer: the runner exports `BUEDAFAB_SUDO` where it
/// was given a password, and else sudo has to do without.
pub(super) const SUDO: &str = "sudo=; [ \"$(id -u)\" = 0 ] || sudo=\"sudo ${BUEDAFAB_SUDO:--n}\"\n";

/// What a command of another user reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Nothing.
    Nothing,
    /// What a person types, or pipes in.
    Person,
}

/// Folders that another user has made in a folder of ours are given to a group that both are in, or we couldn't clean them
/// up. Their files stay as they are: whoever may write a folder may remove what is in it.
pub(super) struct GiveToGroup<'a> {
    pub(super) folder: &'a HostPath,
    pub(super) group: &'a str,
    /// A folder in it that is ours alone.
    pub(super) but: Option<&'a str>,
}

/// A script as another user. The variables of `secrets`, a file that only we can read, go ahead of its input: on a command
/// line everybody could see them.
pub(super) fn as_user(
    user: &str,
    secrets: Option<&HostPath>,
    input: Input,
    script: &str,
    give: Option<&GiveToGroup<'_>>,
) -> String {
    let user = quote(user);
    let mut inner = String::from(
        "read -r size; [ \"$size\" = 0 ] || { set -a; eval \"$(dd bs=\"$size\" count=1 iflag=fullblock 2>/dev/null)\"; set +a; }\n",
    );
    if input == Input::Person {
        inner.push_str("[ ! -t 2 ] || exec </dev/tty\n");
    }
    match give {
        Some(give) => inner.push_str(&given(script, give)),
        None => inner.push_str(script),
    }
    let mut feed = match secrets.map(|file| quote(file.as_str())) {
        Some(file) => format!("if [ -f {file} ]; then wc -c <{file}; cat {file}; else echo 0; fi"),
        None => "echo 0".to_owned(),
    };
    if input == Input::Person {
        feed.push_str("; [ -t 0 ] || cat");
    }
    // Whoever is root may have no sudo, and whoever is that user already may not use it.
    format!(
        "{SUDO}case $(id -un) in\n  {user}) set -- sh -c ;;\n  root) set -- su -s /bin/sh {user} -c ;;\n  \
         *) set -- $sudo -H -u {user} sh -c ;;\nesac\n{{ {feed}; }} | \"$@\" {}",
        quote(&inner)
    )
}

fn given(script: &str, give: &GiveToGroup<'_>) -> String {
    let GiveToGroup { folder, group, but } = give;
    let (folder, group) = (quote(folder.as_str()), quote(group));
    let but = but.map(|path| format!("-path {} -prune -o ", quote(path))).unwrap_or_default();
    let mine = format!("find {folder} {but}-user \"$(id -u)\" -type d");
    format!(
        "umask 002\n(\n{script}\n)\nstatus=$?\n\
         {mine} ! -group {group} -exec chgrp {group} {{}} +\n{mine} ! -perm -070 -exec chmod g+rwx {{}} +\nexit $status\n"
    )
}
