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
    /// The name of a folder in it that is ours alone.
    pub(super) but: Option<&'a str>,
}

/// A script as another user, after `exports`. The variables of `secrets`, a file that only we can read, come ahead of its
/// input: on a command line everybody could see them.
pub(super) fn as_user(
    user: &str,
    secrets: Option<&HostPath>,
    input: Input,
    exports: &str,
    script: &str,
    give: Option<&GiveToGroup<'_>>,
) -> String {
    let user = quote(user);
    let feed = match secrets.map(|file| quote(file.as_str())) {
        Some(file) => format!(
            "{}secrets=\nif [ -e {file} ]; then\n  \
               [ -r {file} ] || {{ echo {file}\" can't be read by $(id -un): it belongs to another deployer\" >&2; exit 1; }}\n  \
               secrets=$(read_env {file}) || exit\nfi\n\
             said() {{ cat <<END\n$secrets\nEND\n}}\n\
             feed() {{ said | wc -c; said; }}\n",
            script!("read_env"),
        ),
        None => "feed() { echo 0; }\n".to_owned(),
    };
    let inner = match give {
        Some(give) => given(script, give),
        None => format!("(\n{script}\n)\nstatus=$?\n"),
    };
    match input {
        Input::Nothing => {
            format!(
                "{SUDO}{}{feed}{AS_A_STEP}{}\nwait $!\n",
                become_user(&user, "$sudo"),
                fed_from(&format!(
                    "{exports}{READ_SECRETS_OF_3}{WATCH}{inner}kill \"$watch\" 2>/dev/null\nexit \"$status\"\n"
                ))
            )
        }
        Input::Person => format!(
            "{}{feed}{{ feed; [ -t 0 ] || cat; }} | \"$@\" {}",
            become_user(&user, "sudo"),
            quote(&format!(
                "{exports}{READ_SECRETS_OF_0}[ ! -t 2 ] || exec </dev/tty\n{inner}exit \"$status\"\n"
            ))
        ),
    }
}

/// Sets the arguments to what runs a script as the user. Whoever is root may have no sudo, and whoever is that user
/// already may not use it.
fn become_user(user: &str, sudo: &str) -> String {
    format!(
        "case $(id -un) in\n  {user}) set -- sh -c ;;\n  root) set -- su -s /bin/sh {user} -c ;;\n  \
         *) set -- {sudo} -H -u {user} sh -c ;;\nesac\n"
    )
}

/// The script in the background, with the pipe as its input; and what it is fed with.
fn fed_from(inner: &str) -> String {
    format!(
        "\"$@\" {} <\"$pipe/in\" &\nexec 3>\"$pipe/in\"\nrm -rf \"$pipe\"\n\
         (trap '' PIPE; feed 2>/dev/null) >&3",
        quote(inner)
    )
}

/// Signals don't reach a process of another user. But this shell holds the pipe for as long as it lives, and whoever reads
/// it can tell.
const AS_A_STEP: &str = "pipe=$(mktemp -d) && mkfifo \"$pipe/in\" || exit\n";

/// Ends the script and all that it has started when the pipe does: politely for two seconds, as the runner ends a step.
const WATCH: &str = "{ cat <&3 >/dev/null; trap '' TERM; kill -TERM 0; sleep 2; kill -KILL 0; } 2>/dev/null &\nwatch=$!\nexec 3<&-\n";

const READ_SECRETS_OF_3: &str = "exec 3<&0 </dev/null\nread -r size <&3 || exit\n\
    [ \"$size\" -eq 0 ] || eval \"$(dd bs=\"$size\" count=1 iflag=fullblock <&3 2>/dev/null)\"\n";

const READ_SECRETS_OF_0: &str = "read -r size || exit\n\
    [ \"$size\" -eq 0 ] || eval \"$(dd bs=\"$size\" count=1 iflag=fullblock 2>/dev/null)\"\n";

fn given(script: &str, give: &GiveToGroup<'_>) -> String {
    let GiveToGroup { folder, group, but } = give;
    // The folder may be the link to a release.
    let (inside, group) = (quote(&format!("{folder}/.")), quote(group));
    let but = but.map(|name| format!("-name {} -prune -o ", quote(name))).unwrap_or_default();
    let mine = format!("find {inside} -xdev {but}-user \"$(id -u)\" -type d");
    format!(
        "umask 002\n(\n{script}\n)\nstatus=$?\ncd /\n\
         {mine} ! -group {group} -exec chgrp {group} {{}} +\n{mine} ! -perm -070 -exec chmod g+rwx {{}} +\n"
    )
}
