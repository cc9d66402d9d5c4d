//! Git on a host, as the shell that does it.

use std::fmt::Write;

use super::archive::difference;
use super::{quote, quote_words};
use crate::app::env_file::Secret;
use crate::app::package::FetchedPackage;
use crate::app::remote_url::RemoteUrl;
use crate::app::sparse::Part;
use crate::host::layout::Layout;
use crate::names::{CommitId, RunId, SlotName};
use crate::plan::action::{GitAction, Sent};

/// Git takes a folder of another user for an attack; here a team's deployers share folders on purpose. Where a slot has no whole
/// clone, one that lies around all slots is none of theirs. A git-lfs of the host's leaves pointers alone: they have a step of their own.
pub(super) fn git(layout: &Layout) -> String {
    format!(
        "export GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'\n\
         export GIT_CEILING_DIRECTORIES={}\n",
        quote(layout.releases.as_str())
    )
}

pub(super) fn render(action: &GitAction, layout: &Layout, run: &RunId) -> String {
    match action {
        GitAction::Fetch {
            slot,
            commit,
            url,
            credentials,
            siblings,
            partial,
            known_hosts,
            lend_agent: _,
        } => {
            let credentials = read_credentials(*credentials, url);
            let partial = format!("partial={}\n", if *partial { "yes" } else { "" });
            let pinned = pin_keys(layout, known_hosts);
            let fill = fill(layout, slot, commit, url, siblings, run);
            git(layout)
                + &credentials
                + &pinned
                + &fill
                + &partial
                + &script!("from_remote")
                + &script!("fetch")
        }
        GitAction::Unbundle { slot, commit, url, sent, siblings, submodules } => {
            let taken = take_bundle(layout, commit, sent, *submodules);
            let fill = fill(layout, slot, commit, url, siblings, run);
            git(layout) + &taken + &fill + &script!("from_bundle") + &script!("fetch")
        }
        GitAction::Checkout { slot, commit, lfs, only, closed, shared, aside, group, in_place: _ } => {
            let close = match (closed, group) {
                (false, _) => "",
                (true, None) => "chmod go-rwx .git || exit\n",
                // It may be another member's, who closed it.
                (true, Some(_)) => {
                    "chmod o-rwx .git 2>/dev/null || [ -z \"$(find .git -prune -perm -1)\" ] || exit\n"
                }
            };
            let forget = if *lfs { String::new() } else { script!("forget_lfs") + FORGET };
            let checkout = checkout(layout, slot, commit, only.as_deref(), shared, run);
            set_aside(layout, slot, aside, run) + &checkout + &forget + close
        }
        GitAction::Submodules { slot, url, credentials, known_hosts, lend_agent: _, lfs } => {
            let credentials = read_credentials(*credentials, url);
            let hint =
                "a submodule can't be fetched: this host must reach its remote, and its commit must be there";
            let before = format!("{}before=: hint={}\n", pin_keys(layout, known_hosts), quote(hint));
            git(layout) + &credentials + &submodules(layout, slot, url, *lfs, &before)
        }
        GitAction::OwnSubmodules { slot, url, lfs } => {
            let hint = "a submodule isn't among what was sent: its commit must be on its remote, as .gitmodules names it";
            let before = format!("hint={}\n{}", quote(hint), script!("own_modules"));
            git(layout) + &submodules(layout, slot, url, *lfs, &before)
        }
        GitAction::FetchLfs { slot, commit, url, credentials, known_hosts, lend_agent: _ } => {
            let credentials = read_credentials(*credentials, url);
            let hint = "this host must reach the LFS server of its remote, and whoever committed the file must have pushed it there: git lfs push --all origin";
            let bring = format!("url={} whole=\n{}", quote(url), script!("bring_lfs"));
            git(layout)
                + &credentials
                + &pin_keys(layout, known_hosts)
                + &lfs(layout, slot, commit, hint, &bring)
        }
        GitAction::PlaceLfs { slot, commit, sent } => {
            let hint =
                "it isn't among what was sent, nor on this host: do it again, and all of the release is sent";
            let whole = quote(layout.wants_all().as_str()).to_string();
            let bring = format!("whole={whole}\n{}bring_lfs() {{ :; }}\n", take_lfs(commit, sent.as_deref()));
            git(layout) + &lfs(layout, slot, commit, hint, &bring)
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

/// The environment of a git that this machine runs, in which it is told the same: `before` settings stand there already.
pub fn environment_of_git(remote: &RemoteUrl, before: usize) -> Vec<(String, Secret)> {
    let Some(credentials) = &remote.credentials else { return Vec::new() };
    let setting = |name: &str| format!("credential.{}.{name}", RemoteUrl::server(&remote.url));
    let (user, password) = credentials.parts();
    let (settings, mut environment) = match password {
        Some(password) => (
            vec![("helper", ""), ("helper", ANSWER)],
            vec![("git_user".to_owned(), user), ("git_password".to_owned(), password)],
        ),
        None => (vec![("username", user)], Vec::new()),
    };
    let count = (before + settings.len()).to_string();
    let names: Vec<String> = settings.iter().map(|(name, _)| setting(name)).collect();
    for (at, ((_, value), name)) in settings.iter().zip(&names).enumerate() {
        environment.push((format!("GIT_CONFIG_KEY_{}", before + at), name));
        environment.push((format!("GIT_CONFIG_VALUE_{}", before + at), value));
    }
    environment.push(("GIT_CONFIG_COUNT".to_owned(), &count));
    environment.into_iter().map(|(name, value)| (name, Secret::new(value))).collect()
}

/// What git runs to be told. It is told to keep them, too, and doesn't.
const ANSWER: &str =
    "!answer() { [ \"$1\" != get ] || cat <<END\nusername=$git_user\npassword=$git_password\nEND\n}; answer";

/// What every way to fill a slot's clone expects.
fn fill(
    layout: &Layout,
    slot: &SlotName,
    commit: &CommitId,
    url: &str,
    siblings: &[SlotName],
    run: &RunId,
) -> String {
    let mut script = format!(
        "slot={} name={} url={} commit={commit} aside={} filled={} shares={}\n",
        quote(layout.slot(slot).as_str()),
        quote(slot.as_str()),
        quote(url),
        quote(layout.aside(slot, run).as_str()),
        quote(layout.filled(slot).as_str()),
        if layout.adds_up { "yes" } else { "" },
    );
    let siblings: Vec<String> = siblings.iter().map(|slot| quote(layout.slot(slot).as_str())).collect();
    let _ = writeln!(script, "set -- {}", siblings.join(" "));
    script.push_str(&script!("mounts"));
    script.push_str(&script!("clone"));
    script.push_str(&script!("holds"));
    script.push_str(&script!("in_the_way"));
    script.push_str(&script!("left_out"));
    script
}

/// Takes what the deployer sends, and keeps it only for as long as the step lasts.
fn take_bundle(layout: &Layout, commit: &CommitId, sent: &Sent, submodules: bool) -> String {
    let (on, modules) = match sent {
        Sent::Bundle(bundle) => (&bundle.on[..], &bundle.modules[..]),
        Sent::Nothing | Sent::NotYet(_) => (&[][..], &[][..]),
    };
    let modules: Vec<&str> = modules.iter().map(CommitId::as_str).collect();
    let file = layout.state().join("bundle");
    let yes = |is: bool| if is { "yes" } else { "" };
    let mut script = format!(
        "submodules={} thin={} modules={} whole={} bundle=\n",
        yes(submodules),
        yes(!on.is_empty()),
        quote(&modules.join(" ")),
        quote(layout.wants_all().as_str()),
    );
    if let Some(FetchedPackage { sha256, .. }) = sent.file() {
        let _ = writeln!(
            script,
            "file={} sha256={} bundle={file}\ntrap 'rm -f \"$bundle\"' EXIT\n{}take \"$bundle\"",
            quote(&format!("the bundle of {}", commit.short())),
            quote(sha256),
            script!("take"),
            file = quote(file.as_str()),
        );
    }
    script
}

/// Takes the contents that the deployer sends, each by its check sum, into the store.
fn take_lfs(commit: &CommitId, sent: Option<&FetchedPackage>) -> String {
    let Some(FetchedPackage { sha256, .. }) = sent else { return String::new() };
    format!(
        "file={} sha256={}\n{}{}",
        quote(&format!("the LFS files of {}", commit.short())),
        quote(sha256),
        script!("take"),
        script!("take_lfs"),
    )
}

/// The shell that prints what Git LFS keeps for a commit: the check sum, size and path of each file, a line each.
pub fn list_lfs_files(commit: &CommitId) -> String {
    format!("{}lfs_files {commit}\n", script!("lfs_files"))
}

/// `bring` defines by what the store gets contents that it lacks.
fn lfs(layout: &Layout, slot: &SlotName, commit: &CommitId, hint: &str, bring: &str) -> String {
    let store = layout.lfs_store();
    let assign = |name: &str, value: &str| format!("{name}={}\n", quote(value));
    let objects = quote(store.join("objects").as_str()).to_string();
    let parts = [
        assign("slot", layout.slot(slot).as_str()),
        assign("store", store.as_str()),
        assign("note", layout.lfs_note(commit).as_str()),
        assign("clean", LFS_CLEAN),
        assign("smudge", &LFS_SMUDGE.replace("OBJECTS", &objects)),
        assign("hint", hint),
        script!("replace"),
        script!("lfs_files"),
        script!("forget_lfs"),
        script!("place_lfs"),
        bring.to_owned(),
        script!("lfs"),
    ];
    parts.concat()
}

/// What git is told of a file, and gives to the file: as git-lfs would, but that no content is kept besides. A pointer to a content that
/// isn't there stays as it is.
const LFS_CLEAN: &str = r#"printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %s\n' "$(sha256sum <%f | cut -c 1-64)" "$(($(wc -c <%f)))" && cat >/dev/null"#;
const LFS_SMUDGE: &str = r#"f=$(mktemp) && cat >"$f" && { k=; [ "$(wc -c <"$f")" -ge 1024 ] || k=$(sed -n -e '1{' -e '/^version https:\/\/git-lfs\.github\.com\/spec\/v1$/!q' -e '}' -e '2s,^oid sha256:\(\(..\)\(..\)[0-9a-f]*\)$,\2/\3/\1,p' "$f"); if [ -n "$k" ] && [ "$(sha256sum 2>/dev/null <OBJECTS/"$k")" = "${k##*/}  -" ]; then cat OBJECTS/"$k"; else cat "$f"; fi; s=$?; rm -f "$f"; exit $s; }"#;

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
fn submodules(layout: &Layout, slot: &SlotName, url: &str, lfs: bool, before: &str) -> String {
    format!(
        "cd {slot_path} || exit\nname={slot} lfs={lfs}\n{before}git config remote.origin.url {url} || exit\n{mounts}{left_out}{lfs_files}{submodules}",
        left_out = script!("left_out"),
        lfs = if lfs { "yes" } else { "" },
        lfs_files = if lfs { String::new() } else { script!("lfs_files") },
        slot_path = quote(layout.slot(slot).as_str()),
        slot = quote(slot.as_str()),
        url = quote(url),
        mounts = script!("mounts"),
        submodules = script!("submodules"),
    )
}

/// Moves what may not be lost out of the way, before anything in the slot changes.
pub(super) fn set_aside(layout: &Layout, slot: &SlotName, paths: &[String], run: &RunId) -> String {
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

fn checkout(
    layout: &Layout,
    slot: &SlotName,
    commit: &CommitId,
    only: Option<&[String]>,
    shared: &[String],
    run: &RunId,
) -> String {
    let (only, patterns) = match only {
        None => (String::new(), String::new()),
        Some(only) => (quote_words(only), Part::of(only).patterns()),
    };
    let left = shared.iter().map(String::as_str).chain([layout.virtualenv.as_str()]);
    let left: Vec<String> = left.map(|path| format!("-e {}", quote(&ignored(path)))).collect();
    format!(
        "{git}{mounts}cd {slot_path} || exit\n\
         no_mount_in . || exit\n\
         slot={slot} commit={commit} changes={changes} aside={aside} filled={filled} overwritten={overwritten} unpacked=\n{difference}{in_the_way}{left_out}only={only} patterns={patterns}\n{KEEP}{sparse}{CHECKOUT}checked_out\n\
         clean() {{ git clean -ffdxq {left}; }}\n{CLEAN}",
        git = git(layout),
        in_the_way = script!("in_the_way"),
        only = quote(&only),
        patterns = quote(&patterns),
        left_out = script!("left_out"),
        sparse = script!("sparse"),
        mounts = script!("mounts"),
        difference = script!("difference"),
        filled = quote(layout.filled(slot).as_str()),
        slot = quote(slot.as_str()),
        slot_path = quote(layout.slot(slot).as_str()),
        changes = quote(layout.state().join(&format!("changes-{slot}-{run}.patch")).as_str()),
        overwritten = quote(layout.overwritten(slot).as_str()),
        aside = quote(layout.aside(slot, run).as_str()),
        left = left.join(" "),
    )
}

/// Nothing of this release lies elsewhere; a step of its own says so of one of which something does.
const FORGET: &str = r#"if [ -f .git/buedafab-lfs ]; then
  attributes_of /dev/null .git/info/attributes && forget_lfs .git/buedafab-lfs /dev/null && rm -f .git/buedafab-lfs || exit
fi
"#;

/// Objects are read to their ends only here. A clone in which one can't be is left to the next `Fetch`, which has the remote.
const KEEP: &str = r#"# No filter of the project's has a part in it: git-lfs may have nobody to ask.
is_whole() {
  git ls-tree -r "$1" >/dev/null 2>&1 || return
  git ls-tree -r "$1" | sed -n 's/^[0-9]* blob \([0-9a-f]*\).*/\1/p' | git cat-file --batch >/dev/null 2>&1
}
against=HEAD
with=--ignore-submodules=untracked
differs() {
  said=$("$@" 2>&1)
  differs=$?
  # Of an index that was cut git says so, and goes on.
  [ -z "$said" ] || differs=2
}
differs git diff-index --quiet $with HEAD --
# It may be the clone of a submodule, which the step after this one mends.
if [ $differs -gt 1 ] && [ -f .gitmodules ]; then
  with=--ignore-submodules=all
  differs git diff-index --quiet $with HEAD --
fi
if [ $differs -gt 1 ] && [ -e .git/index ]; then
  # The commit that was checked out is damaged, or the index is. One is enough to see what somebody changed.
  against=
  differs git diff-files --quiet $with
  if [ $differs -gt 1 ]; then
    rm -f .git/index
    against=HEAD
    ! { git read-tree HEAD && skip_left_out; } 2>/dev/null || differs=1
  fi
fi
if [ $differs = 1 ] && [ -e .git/index ] && ! is_as_built . "$filled"; then
  keep() { said=$({ git diff --binary --submodule=diff $1 $against -- >"$changes"; } 2>&1); }
  if ! keep $with && { [ ! -f .gitmodules ] || ! keep --ignore-submodules=all; }; then
    printf '%s\n' "$said" >&2
    rm -f "$changes"
    is_whole "${against:-HEAD}" || : >.git/damaged
    echo "local changes of $slot can't be kept in $changes, so they stay where they are" >&2
    exit 1
  elif [ -s "$changes" ] && [ -s .git/unfinished ]; then
    echo "what a build that came to nothing, or somebody, changed in $slot is kept in $changes"
  elif [ -s "$changes" ]; then
    echo "local changes of $slot were kept in $changes"
  else rm -f "$changes"; fi
  # Of what Git LFS keeps a patch names the content, and has none.
  if [ -s .git/buedafab-lfs ]; then
    git diff --name-only -z $with $against -- 2>/dev/null | tr '\0' '\n' >.git/buedafab-lfs.changed
    awk 'FNR == NR { changed[$0] = 1; next } { path = substr($0, length($1 $2) + 3) } path in changed { print path }' .git/buedafab-lfs.changed .git/buedafab-lfs >.git/buedafab-lfs.lost
    while IFS= read -r path; do
      [ -f "./$path" ] || continue
      case $path in */*) into=$aside/${path%/*} ;; *) into=$aside ;; esac
      mkdir -p "$into" && mv -f "./$path" "$into/" || exit
      printf '%s\n' "$path as somebody changed it is kept in $into"
    done <.git/buedafab-lfs.lost
    rm -f .git/buedafab-lfs.changed .git/buedafab-lfs.lost
  fi
fi
"#;

/// From here on nothing in it is anybody's but this run's.
const CHECKOUT: &str = r#"{ true >"$overwritten" || { rm -f "$overwritten" && true >"$overwritten"; }; } 2>/dev/null
said=$(git -c advice.detachedHead=false -c submodule.recurse=false checkout --quiet --force --detach "$commit" 2>&1) || {
  status=$?
  printf '%s\n' "$said" >&2
  if git cat-file -e "$commit^{commit}" 2>/dev/null && ! is_whole "$commit"; then
    : >.git/damaged
    echo "what git keeps in $slot is damaged: the next deploy makes it anew" >&2
  fi
  tell_what_is_in_the_way "$PWD"
  exit $status
}
echo yes >.git/unfinished
"#;

/// Some tools make folders that their owner can't write, which the owner may change.
const CLEAN: &str = r#"said=$(clean 2>&1) || {
  find . -xdev -type d -user "$(id -u)" ! -perm -700 -exec chmod u+rwx {} +
  clean
} || {
  status=$?
  tell_what_is_in_the_way "$PWD"
  exit $status
}
"#;

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
        "{git}cd {slot_path} || exit\nslot={slot} commit={commit} short={short} filled={filled} unpacked={unpacked} app={app}\n{difference}{left_out}{unpacked_one}{export}{VERIFY}",
        git = git(layout),
        export = script!("verify_export"),
        app = quote(layout.path.as_str()),
        difference = difference(),
        left_out = script!("left_out"),
        unpacked_one = VERIFY_UNPACKED,
        filled = quote(layout.filled(slot).as_str()),
        unpacked = quote(layout.unpacked(slot).as_str()),
        slot_path = quote(layout.slot(slot).as_str()),
        slot = quote(slot.as_str()),
        short = commit.short(),
    )
}

/// The list of the files of what came as an archive says whether it is whole.
const VERIFY_UNPACKED: &str = r#"if [ -f "$unpacked" ]; then
  head=
  IFS= read -r head <"$unpacked"
  if [ "$head" = "$commit" ]; then
    is_unchanged .
    case $? in
      0) exit 0 ;;
      1) ! is_as_built . "$filled" || exit 0 ;;
      *)
        echo "the list of the files of $slot can't be read, so $short can't be proven there" >&2
        exit 1
        ;;
    esac
  fi
  echo "$slot no longer holds exactly $short:" >&2
  [ "$head" = "$commit" ] || echo "it holds $head" >&2
  changed_since "$unpacked" >&2
  exit 1
fi
"#;

/// What its own build has changed belongs to a release. Without an index the files can be compared all the same; without the commit's objects they can't, and then the next look says
/// so, and whoever goes back builds the release again.
const VERIFY: &str = r#"if [ "$(git rev-parse HEAD)" = "$commit" ]; then
  git diff --quiet --ignore-submodules=untracked HEAD -- 2>/dev/null
  differs=$?
  if [ $differs -gt 1 ]; then
    rm -f .git/index
    ! { git read-tree HEAD && skip_left_out; } 2>/dev/null || { git diff --quiet --ignore-submodules=untracked HEAD -- 2>/dev/null; differs=$?; }
  fi
  case $differs in
    0) exit 0 ;;
    1) ! is_as_built . "$filled" || exit 0 ;;
    *)
      : >.git/damaged
      echo "what git keeps in $slot is damaged, so $short can't be proven there: do it again, and it is built again first" >&2
      exit 1
      ;;
  esac
fi
echo "$slot no longer holds exactly $short:" >&2
git status --short --branch >&2
exit 1
"#;
