//! Git on a host, as the shell that does it.

use std::fmt::Write;

use super::group::{own, umask};
use super::{quote, quote_words};
use crate::app::remote_url::RemoteUrl;
use crate::host::layout::Layout;
use crate::names::{CommitId, RunId, SlotName};
use crate::plan::action::GitAction;

/// Git takes a folder of another user for an attack; here a team's deployers share folders on purpose.
const GIT: &str = "export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'\n";

pub(super) fn render(action: &GitAction, layout: &Layout, run: &RunId) -> String {
    match action {
        GitAction::Fetch { slot, commit, url, credentials, siblings, known_hosts, lend_agent: _, group } => {
            let credentials = read_credentials(*credentials, url);
            umask(group.as_deref())
                + GIT
                + &credentials
                + &fetch(layout, slot, commit, url, siblings, known_hosts)
        }
        GitAction::Checkout { slot, commit, closed, shared, aside, group } => {
            let close = match (closed, group) {
                (false, _) => "",
                (true, None) => "chmod go-rwx .git || exit\n",
                (true, Some(_)) => "chmod o-rwx .git || exit\n",
            };
            umask(group.as_deref())
                + &set_aside(layout, slot, aside, run)
                + &checkout(layout, slot, commit, shared, run)
                + close
                + &own(&layout.slot(slot), group.as_deref())
        }
        GitAction::Submodules { slot, url, credentials, known_hosts, lend_agent: _, group } => {
            let credentials = read_credentials(*credentials, url);
            umask(group.as_deref())
                + GIT
                + &credentials
                + &submodules(layout, slot, url, known_hosts)
                + &own(&layout.slot(slot), group.as_deref())
        }
        GitAction::VerifyCommit { slot, commit } => verify_commit(layout, slot, commit),
        GitAction::RequireFile { slot, file } => {
            let path = quote(layout.slot(slot).join(file).as_str());
            format!("[ -f {path} ] || {{ echo {path}\" isn't in this release\" >&2; exit 1; }}")
        }
    }
}

/// Git asks for the name and the password where its server does. They come on standard input, and stand in no argument, file
/// or setting; nor does a helper of the host's keep them.
fn read_credentials(are_given: bool, url: &str) -> String {
    if !are_given {
        return String::new();
    }
    let setting = |name: &str| quote(&format!("credential.{}.{name}", RemoteUrl::server(url)));
    format!(
        "IFS= read -r git_user || exit\nif IFS= read -r git_password; then\n  export git_user git_password GIT_CONFIG_COUNT=3\n  \
           export GIT_CONFIG_KEY_1={helper} GIT_CONFIG_VALUE_1= GIT_CONFIG_KEY_2={helper} GIT_CONFIG_VALUE_2={answer}\nelse\n  \
           export GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_1={user} GIT_CONFIG_VALUE_1=\"$git_user\"\nfi\n",
        helper = setting("helper"),
        user = setting("username"),
        answer = quote(ANSWER),
    )
}

/// What git runs to be told. It is told to keep them, too, and doesn't.
const ANSWER: &str =
    "!answer() { [ \"$1\" != get ] || cat <<END\nusername=$git_user\npassword=$git_password\nEND\n}; answer";

fn fetch(
    layout: &Layout,
    slot: &SlotName,
    commit: &CommitId,
    url: &str,
    siblings: &[SlotName],
    known_hosts: &[String],
) -> String {
    let mut script =
        format!("slot={} url={} commit={commit}\n", quote(layout.slot(slot).as_str()), quote(url));
    script.push_str(&pin_keys(layout, known_hosts));
    let siblings: Vec<String> = siblings.iter().map(|slot| quote(layout.slot(slot).as_str())).collect();
    let _ = writeln!(script, "set -- {}", siblings.join(" "));
    script.push_str(&script!("mounts"));
    script.push_str(FETCH);
    script
}

/// Git's own servers take nothing from the environment: a sibling of another user has to be called safe where it is read.
const FETCH: &str = r#"serve="git -c safe.directory='*' upload-pack"
if [ ! -d "$slot/.git" ]; then
  rm -rf "$slot.new"
  for sibling; do
    [ -d "$sibling/.git" ] || continue
    git -c init.defaultBranch=master clone --quiet --no-checkout --upload-pack "$serve" "$sibling" "$slot.new" && git -C "$slot.new" remote set-url origin "$url" && break
    rm -rf "$slot.new"
  done
  [ -d "$slot.new" ] || git clone --quiet --no-checkout -- "$url" "$slot.new" || exit
  no_mount_in "$slot" && rm -rf "$slot" && mv "$slot.new" "$slot" || exit
fi
cd "$slot" || exit
# Before, git kept the name and password of the remote.
while IFS= read -r line; do
  case $line in *"url = http"*://*@*) git remote set-url origin "$url" && break ;; esac
done <.git/config
for lock in index HEAD shallow; do [ ! -e ".git/$lock.lock" ] || rm -f ".git/$lock.lock"; done
has() { git cat-file -e "$commit^{commit}" 2>/dev/null; }
has && exit 0
came() { [ -s ".git/objects/${commit%"${commit#??}"}/${commit#??}" ] || has; }
for sibling; do
  [ -d "$sibling/.git" ] && git -C "$sibling" cat-file -e "$commit^{commit}" 2>/dev/null || continue
  git fetch --quiet --prune --upload-pack "$serve" "$sibling" HEAD '+refs/remotes/origin/*:refs/remotes/origin/*' && has && exit 0
done
git fetch --quiet --force --prune --tags -- "$url" '+refs/heads/*:refs/remotes/origin/*' || exit
# What was just fetched lies there by itself, if it wasn't much.
came && exit 0
git fetch --quiet -- "$url" "$commit"
has && exit 0
echo "the commit $commit isn't on $url" >&2
exit 1
"#;

/// Has git's ssh trust these keys of the git server, and no others.
fn pin_keys(layout: &Layout, known_hosts: &[String]) -> String {
    if known_hosts.is_empty() {
        return String::new();
    }
    let file = layout.state().join("known_hosts");
    let ssh = format!(
        "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null \
         -o UserKnownHostsFile={}",
        // One shell takes the outer quotes away, ssh's own parser the inner ones.
        quote(&format!("\"{file}\""))
    );
    format!(
        "printf '%s\\n' {} >{}\nexport GIT_SSH_COMMAND={}\n",
        quote_words(known_hosts),
        quote(file.as_str()),
        quote(&ssh)
    )
}

/// Addresses that are relative are so to the remote, which may have moved since the clone was made.
fn submodules(layout: &Layout, slot: &SlotName, url: &str, known_hosts: &[String]) -> String {
    format!(
        "cd {slot_path} || exit\n{pinned}git remote set-url origin {url} || exit\n\
         git submodule --quiet sync --recursive &&\n\
         git submodule --quiet update --init --recursive --force &&\n\
         git submodule --quiet foreach --recursive 'git clean -ffdxq' || {{\n  \
           echo 'a submodule can'\\''t be fetched: this host must reach its remote, and its commit must be there' >&2\n  \
           exit 1\n\
         }}\n",
        slot_path = quote(layout.slot(slot).as_str()),
        pinned = pin_keys(layout, known_hosts),
        url = quote(url),
    )
}

/// Moves what may not be lost out of the way, before anything in the slot changes.
fn set_aside(layout: &Layout, slot: &SlotName, paths: &[String], run: &RunId) -> String {
    let aside = layout.aside(slot, run);
    let moves = paths.iter().map(|path| {
        let (from, to) = (layout.slot(slot).join(path), aside.join(path));
        let folder = to.as_str().rsplit_once('/').map_or(aside.as_str(), |(folder, _)| folder);
        let (from, to, folder) = (quote(from.as_str()), quote(to.as_str()), quote(folder));
        format!(
            "if [ -e {from} ]; then\n  no_mount_in {from} && mkdir -p {folder} && mv {from} {to} || exit\n  \
               echo 'what the app wrote is kept in '{to}\nfi\n"
        )
    });
    let moves: String = moves.collect();
    if moves.is_empty() { moves } else { script!("mounts") + &moves }
}

fn checkout(layout: &Layout, slot: &SlotName, commit: &CommitId, shared: &[String], run: &RunId) -> String {
    let left = shared.iter().map(String::as_str).chain([layout.virtualenv.as_str()]);
    let left: Vec<String> = left.map(|path| format!("-e {}", quote(&ignored(path)))).collect();
    format!(
        "{GIT}{mounts}cd {slot_path} || exit\n\
         no_mount_in . || exit\n\
         changes={changes}\n\
         git diff-index --quiet HEAD -- 2>/dev/null\n\
         if [ $? = 1 ] && [ -e .git/index ]; then\n  \
           if ! git diff --binary HEAD >\"$changes\"; then\n    \
             rm -f \"$changes\"\n    \
             echo \"local changes of {slot} can't be kept in $changes, so they stay where they are\" >&2\n    \
             exit 1\n  \
           elif [ -s \"$changes\" ]; then\n    \
             echo \"local changes of {slot} were kept in $changes\"\n  \
           else rm -f \"$changes\"; fi\n\
         fi\n\
         git -c advice.detachedHead=false checkout --quiet --force --detach {commit} || exit\n\
         git clean -ffdxq {left} || exit\n",
        mounts = script!("mounts"),
        slot_path = quote(layout.slot(slot).as_str()),
        changes = quote(layout.state().join(&format!("changes-{slot}-{run}.patch")).as_str()),
        left = left.join(" "),
    )
}

/// A path in the project as a pattern for git, which means this path and no other.
fn ignored(path: &str) -> String {
    path.chars().fold("/".to_owned(), |mut pattern, c| {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | ' ') {
            pattern.push('\\');
        }
        pattern.push(c);
        pattern
    })
}

fn verify_commit(layout: &Layout, slot: &SlotName, commit: &CommitId) -> String {
    format!(
        "{GIT}cd {slot_path} || exit\n\
         if [ \"$(git rev-parse HEAD)\" = {commit} ] && git diff --quiet HEAD --; then exit 0; fi\n\
         echo {slot}' no longer holds exactly '{short}':' >&2\n\
         git status --short --branch >&2\nexit 1\n",
        slot_path = quote(layout.slot(slot).as_str()),
        slot = quote(slot.as_str()),
        short = commit.short(),
    )
}
