//! Actions on the deployer as the shell that it runs, at the root of the project.

use std::fmt::Write;

use super::{archive, quote, quote_words};
use crate::deployer::action::{DeployerAction, DeployerWay, HostTraffic, TestRunner, TrafficShift};
use crate::names::CommitId;

/// The shell of one action, as it is run and as `--dry-run -v` shows it.
pub fn render_deployer(action: &DeployerAction) -> String {
    match action {
        DeployerAction::Hook { command } => command.clone(),
        DeployerAction::Test { runner, virtualenv, subdir } => {
            format!("{}{}{}", with_virtualenv(virtualenv), enter(subdir.as_deref()), run_tests(runner))
        }
        DeployerAction::SetUp { command, virtualenv, subdir } => {
            format!("{}{}{command}", with_virtualenv(virtualenv), enter(subdir.as_deref()))
        }
        DeployerAction::Lint { command, paths, virtualenv, subdir } => {
            let paths: String = paths.iter().map(|path| format!(" {}", quote(path))).collect();
            let enter = enter(subdir.as_deref());
            format!("{}{enter}{PYTHON_PATH}{command}{paths}", with_virtualenv(virtualenv))
        }
        DeployerAction::Tag { tag, commit, signed, signers, remote: _ } => {
            let how = if *signed { "-s" } else { "-a --no-sign" };
            let message = quote(&format!("Release {tag}"));
            let mut script = format!("git tag {how} -m {message} {} {commit}", quote(tag));
            if !signers.is_empty() {
                let _ = write!(script, " || exit\n{}", verify_tag(tag, &format!("refs/tags/{tag}"), signers));
            }
            script
        }
        // What somebody else has there by now is theirs.
        DeployerAction::RemoveTag { tag, remote } => {
            format!("tag={} remote={}\n{REMOVE_TAG}", quote(tag), quote(remote))
        }
        DeployerAction::PushBranch { remote, branch, commit } => {
            let what = quote(&format!("{commit}:refs/heads/{branch}"));
            format!("git push --quiet --no-follow-tags {} {what}", quote(remote))
        }
        DeployerAction::PushTag { remote, tag } => {
            format!("tag={} remote={}\n{PUSH_TAG}", quote(tag), quote(remote))
        }
        DeployerAction::MoveRef { remote, name, old, commit } => {
            let old = old.as_ref().map_or("", CommitId::as_str);
            let (remote, name, short) = (quote(remote), quote(name), commit.short());
            format!("remote={remote} name={name} old={old} new={commit} short={short}\n{MOVE_REF}")
        }
        DeployerAction::MakeVirtualenv { folder, uv } => {
            let folder = quote(folder);
            if *uv {
                format!("[ -x {folder}/bin/python ] || uv venv --quiet {folder}")
            } else {
                format!("[ -x {folder}/bin/python ] || python3 -m venv {folder}")
            }
        }
        DeployerAction::InstallRequirements {
            virtualenv,
            uv,
            files,
            constraints,
            packages,
            options,
            subdir,
        } => {
            let python = quote(&format!("{virtualenv}/bin/python"));
            let enter = enter(subdir.as_deref());
            let python = if enter.is_empty() || virtualenv.starts_with('/') {
                python
            } else {
                format!("\"$OLDPWD\"/{python}")
            };
            let install = if *uv {
                format!("uv pip install --quiet --python {python}")
            } else {
                format!("{python} -m pip install --quiet --disable-pip-version-check")
            };
            let files = files.iter().map(|file| format!(" -r {}", quote(file)));
            let limits = constraints.iter().map(|file| format!(" -c {}", quote(file)));
            let packages = packages.iter().map(|package| format!(" {}", quote(&package.path)));
            let options = options.iter().map(|option| format!(" {}", quote(option)));
            [enter, install].into_iter().chain(options).chain(limits).chain(files).chain(packages).collect()
        }
        // As on a host: it finds the virtualenv's programs, and the whole path of the virtualenv.
        DeployerAction::InstallByScript { script, virtualenv, subdir } => {
            let (script, enter) = (quote(&format!("./{script}")), enter(subdir.as_deref()));
            format!("{}env={}\n{enter}{script} \"$env\"", with_virtualenv(virtualenv), absolute(virtualenv))
        }
        DeployerAction::LayOut { clone, commit, remote, submodules } => {
            archive::lay_out(clone, commit, remote, *submodules)
        }
        DeployerAction::Build { command, clone } => format!("cd {} || exit\n{command}", quote(clone)),
        DeployerAction::Pack(packing) => archive::pack(packing),
        DeployerAction::Drain(shift) => traffic_script(shift, true),
        DeployerAction::Undrain(shift) => traffic_script(shift, false),
        DeployerAction::UpdateSubmodules => {
            "git submodule --quiet sync --recursive && git submodule --quiet update --init --recursive"
                .to_owned()
        }
    }
}

/// The command for each host, one after the other; `BUEDAFAB_HOST` and `BUEDAFAB_ADDRESS` say which. On the way back none is left out because
/// another one failed. What asks a load balancer of Amazon's is no shell: it is only shown.
fn traffic_script(shift: &TrafficShift, takes_out: bool) -> String {
    let TrafficShift { hosts, way, grace_seconds } = shift;
    let (command, undo) = match way {
        DeployerWay::Command { command, undo, timeout_seconds: _ } => (command, undo),
        DeployerWay::LoadBalancer { .. } => {
            let verb = if takes_out { "deregister" } else { "register" };
            let memberships = hosts.iter().flat_map(|host| &host.memberships);
            return memberships.map(|membership| format!("# {verb} {membership}\n")).collect();
        }
    };
    let mut script = String::from("failed=0\n");
    for HostTraffic { host, address, memberships: _ } in hosts {
        let _ = writeln!(
            script,
            "BUEDAFAB_HOST={0} BUEDAFAB_ADDRESS={1} sh -c {2} || {{ failed=$?; echo {0}: exit status $failed; }}{3}",
            quote(host.as_str()),
            quote(address),
            quote(if takes_out { command } else { undo }),
            if takes_out { "\n[ $failed = 0 ] || exit $failed" } else { "" }
        );
    }
    if takes_out && *grace_seconds > 0 {
        let _ = writeln!(script, "sleep {grace_seconds}");
    }
    script + "exit $failed\n"
}

fn run_tests(runner: &TestRunner) -> String {
    let words = runner.words();
    match runner {
        TestRunner::Nose => {
            format!("python -c {} || exit\n{words}", quote(include_str!("scripts/has_nose.py")))
        }
        TestRunner::Tornado => {
            format!("if [ -f tests/run_tests.py ]; then python tests/run_tests.py; else {words}; fi")
        }
        TestRunner::Django | TestRunner::Pytest | TestRunner::Unittest | TestRunner::Command(_) => {
            words.to_owned()
        }
    }
}

/// Goes where the app lies.
fn enter(subdir: Option<&str>) -> String {
    subdir.map_or(String::new(), |subdir| format!("cd {} || exit\n", quote(subdir)))
}

/// Puts a virtualenv's programs first, and makes do with `python3` where there is no `python`.
fn with_virtualenv(folder: &str) -> String {
    let bin = format!("{folder}/bin");
    let (bin, absolute) = (quote(&bin), absolute(&bin));
    format!(
        "[ -n \"$VIRTUAL_ENV\" ] || [ ! -d {bin} ] || export PATH={absolute}:\"$PATH\"\n\
         command -v python >/dev/null || python() {{ python3 \"$@\"; }}\n"
    )
}

/// A folder of the project, wherever that lies.
fn absolute(folder: &str) -> String {
    let quoted = quote(folder);
    if folder.starts_with('/') { quoted } else { format!("\"$PWD\"/{quoted}") }
}

/// Where Bueda's projects keep what they import.
const PYTHON_PATH: &str = r#"for folder in apps lib vendor/*; do
  [ ! -d "$folder" ] || export PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}$PWD/$folder"
done
"#;

/// Two may choose the same name in the same minute: git's own words don't say whose the other is.
const PUSH_TAG: &str = r#"git push --quiet --no-follow-tags "$remote" "refs/tags/$tag" && exit 0
there=$(git ls-remote "$remote" "refs/tags/$tag^{}" "refs/tags/$tag" 2>/dev/null | sed -n '1s/[^0-9a-f].*//p')
ours=$(git rev-parse --verify --quiet "refs/tags/$tag")
if [ -n "$there" ] && [ "$there" != "$ours" ]; then
  echo "somebody else has pushed $tag to $remote meanwhile, for $there: choose another name" >&2
fi
exit 1
"#;

/// The remote compares and moves in one. A checkout that doesn't have the commit, as somebody else deployed it, fetches it: no ref of
/// ours moves. Where it doesn't move, nothing is wrong with what is live, and the words say so first.
const MOVE_REF: &str = r#"[ "$old" != "$new" ] || exit 0
fetch=
lags() {
  echo "$short is live; only $name on $remote lags behind: $1" >&2
  echo "$2: ${fetch}git push --force-with-lease=$name:$3 $remote $new:$name" >&2
  exit 1
}
if git cat-file -e "$new^{commit}" 2>/dev/null ||
  git fetch --quiet --no-tags --no-write-fetch-head --refmap= "$remote" "$new"; then
  git push --quiet --no-follow-tags --force-with-lease="$name:$old" "$remote" "$new:$name" && exit 0
else
  fetch="git fetch $remote $new && "
fi
there=$(git ls-remote "$remote" "$name" 2>/dev/null) ||
  lags "$remote doesn't answer" "once it does, this moves it" "$old"
there=${there%%[!0-9a-f]*}
case $there in
  "$new") exit 0 ;;
  "$old")
    if [ -n "$old" ]; then says="it still says $old"; else says="it isn't there yet"; fi
    lags "$says" "this moves it" "$old" ;;
  "") lags "somebody else has removed it meanwhile" "if this run was the last, this puts it back" "" ;;
  *)
    lags "somebody else has moved it meanwhile, to $there, and it stays there" \
      "if this run was the last, this moves it" "$there" ;;
esac
"#;

/// A push that failed may have got there all the same: what others can see stays.
const REMOVE_TAG: &str = r#"ours=$(git rev-parse --verify --quiet "refs/tags/$tag") || exit 0
there=$(git ls-remote "$remote" "refs/tags/$tag") || {
  echo "$tag isn't removed: $remote doesn't answer whether it has that tag" >&2
  exit 1
}
case $there in "$ours"*) exit 0 ;; esac
git tag --delete "$tag" >/dev/null
"#;

/// The shell that fails, and says why, unless the git object is a tag that was made under this name and signed by one of
/// `signers`: lines of an OpenSSH `allowed_signers` file, and fingerprints of OpenPGP keys.
pub fn verify_tag(tag: &str, object: &str, signers: &[String]) -> String {
    let fingerprints: Vec<String> = signers.iter().filter_map(|line| fingerprint(line)).collect();
    let lines: Vec<&String> = signers.iter().filter(|line| fingerprint(line).is_none()).collect();
    format!(
        "tag={} object={}\nfingerprints={}\nset -- {}\n{VERIFY}",
        quote(tag),
        quote(object),
        quote(&fingerprints.join(" ")),
        quote_words(lines)
    )
}

/// The fingerprint of an OpenPGP key, however it is written: gpg itself puts blanks in.
fn fingerprint(line: &str) -> Option<String> {
    let digits: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits).to_uppercase();
    hex::decode(&digits).is_ok_and(|key| matches!(key.len(), 20 | 32)).then_some(digits)
}

/// A signature says who made which tag: one of another name, moved here, is somebody else's word about something else.
const VERIFY: &str = r#"made=$(git cat-file tag "$object" 2>/dev/null | sed -n -e 's/^tag //p' -e '/^$/q')
[ "$made" = "$tag" ] || { echo "$tag carries no signature: it isn't a tag that was made under this name" >&2; exit 1; }
signers=$(mktemp) || exit
trap 'rm -f "$signers"' EXIT
[ $# = 0 ] || printf '%s\n' "$@" >"$signers"
said=$(LC_ALL=C git -c gpg.ssh.allowedSignersFile="$signers" verify-tag --raw "$object" 2>&1)
status=$?
case $said in
  *'[GNUPG:] '*)
    if [ $status = 0 ]; then
      for key in $(printf '%s\n' "$said" | sed -n 's/^\[GNUPG:\] VALIDSIG //p'); do
        case " $fingerprints " in *" $key "*) exit 0 ;; esac
      done
    fi ;;
  *) [ $status != 0 ] || exit 0 ;;
esac
echo "$tag carries no signature of an allowed signer:" >&2
printf '%s\n' "$said" | grep -v '^\[GNUPG:\]' | sed 's/^error: //' | tail -n 3 >&2
exit 1
"#;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::config::parse;
    use crate::deployer::developer::tests_of;
    use crate::names::EnvironmentName;

    /// What a runner does in a project with these files: its exit status and what it prints.
    #[track_caller]
    fn check(runner: &str, files: &[(&str, &str)], expected: (i32, &str)) {
        let text = format!("unit = \"five\"\ntest_runner = {runner:?}\n");
        let localhost = EnvironmentName::new("localhost").expect("a word");
        let settings = parse("buedafab.toml", &text).and_then(|file| file.settings(&localhost));
        let tests = tests_of(&settings.expect("settings")).expect("there is a runner");
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is ours");
            std::fs::write(path, text).expect("it is ours");
        }
        let script = format!("exec 2>&1\n{}", render_deployer(&tests));
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(folder.path()).env_remove("VIRTUAL_ENV");
        let ran = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(said.contains(expected.1), "{said}");
        assert_eq!(ran.status.code(), Some(expected.0), "{said}");
    }

    #[test]
    fn tornado_projects_run_their_own_script_where_they_have_one() {
        let runs = ("tests/run_tests.py", "print('ours'); raise SystemExit(3)");
        let testing = [
            ("tornado/__init__.py", ""),
            ("tornado/testing.py", "import sys; print('discovers', sys.argv[1:])"),
        ];
        check("tornado", &[runs, testing[0], testing[1]], (3, "ours"));
        check("tornado", &testing, (0, "discovers ['discover']"));
    }

    #[test]
    fn a_command_of_the_configuration_is_no_runner_by_its_words() {
        let main = ("nose/__main__.py", "print('runs')");
        // Nobody is asked about nose who names its command themselves.
        check("python -m nose", &[("nose/__init__.py", "__version__ = '1.3.7'"), main], (0, "runs"));
    }

    /// nose 1.3.7 is the last, and says on Python 3.11 that collections has no Callable.
    #[test]
    fn nose_is_refused_where_it_cannot_work() {
        let main = ("nose/__main__.py", "print('runs')");
        let refused = "write test_runner = \"pytest\"";
        check("nose", &[("nose/__init__.py", "__version__ = '1.3.7'"), main], (1, refused));
        check("nose", &[("nose/__init__.py", "import imp_of_old"), main], (1, refused));
        check("nose", &[("nose/__init__.py", "__version__ = '1.5.5'"), main], (0, "runs"));
    }
}
