//! The question to the app which release it runs.

use super::health::{GIT_CONFIG, ONLY_IN_IT};
use super::quote;
use crate::app::remote_url::RemoteUrl;
use crate::release::Release;

/// Defines `ask_app URL SECONDS`, which prints the answer, or fails and says why.
const ASK: &str = r#"ask_app() {
  if command -v curl >/dev/null; then curl --fail --silent --show-error --location --max-time "$2" -- "$1"
  elif command -v wget >/dev/null; then wget -q -T "$2" -O - -- "$1"
  elif command -v python3 >/dev/null; then
    python3 -c 'import sys, urllib.request
try: sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=int(sys.argv[2])).read(65536).decode())
except Exception as error: sys.exit(str(error))' "$1" "$2"
  else echo 'asking the app takes curl, wget or python3, and this host has none of them' >&2; return 127
  fi
}
"#;

/// Defines `tells_of_maintenance URL SECONDS`: whether the answer is the one that visitors get who are told of maintenance.
const TELLS_OF_MAINTENANCE: &str = r#"tells_of_maintenance() {
  if command -v curl >/dev/null; then [ "$(curl --silent --location --max-time "$2" --output /dev/null --write-out '%{http_code}' -- "$1")" = 503 ]
  elif command -v wget >/dev/null; then wget -S -T "$2" -O /dev/null -- "$1" 2>&1 | grep -q 'HTTP/[0-9.]* 503'
  else
    python3 -c 'import sys, urllib.error, urllib.request
try: urllib.request.urlopen(sys.argv[1], timeout=int(sys.argv[2]))
except urllib.error.HTTPError as error: sys.exit(error.code != 503)
sys.exit(1)' "$1" "$2" 2>/dev/null
  fi
}
"#;

/// Reports the app's answer as a fact of a look: its last 64 KiB, and how asking went.
pub(super) fn look_script(url: &str) -> String {
    format!(
        "{ASK}answer=$({{ ask_app {} 2 2>&1; echo \".$?\"; }} | tail -c 65536)\n\
         case $answer in *.0) fact app \"${{answer%.*}}\" ;; *) fact app_silent \"${{answer%.*}}\" ;; esac\n",
        quote(url)
    )
}

/// Reports as a fact of a look where the app gives out git's folder, at the root of the same server.
pub(super) fn look_for_git_script(url: &str) -> String {
    let address = quote(&format!("{}{GIT_CONFIG}", RemoteUrl::server(url)));
    format!(
        "{ASK}case $(ask_app {address} 2 2>/dev/null | head -c 4096) in *{ONLY_IN_IT}*) fact exposed {address} ;; esac\n"
    )
}

/// Asks until the app names the release, or fails and says what it said last. Who tells visitors of maintenance needn't name it.
pub(super) fn ask_script(
    url: &str,
    release: &Release,
    patience_seconds: u32,
    in_maintenance: bool,
) -> String {
    let excuse = if in_maintenance { TELLS_OF_MAINTENANCE } else { "tells_of_maintenance() { false; }\n" };
    format!(
        "{ASK}{excuse}url={url} commit={commit} tag={tag} name={name}\nend=$(($(date +%s) + {patience_seconds}))\n{NAMES}{UNTIL}",
        url = quote(url),
        commit = release.commit,
        tag = quote(release.tag.as_deref().unwrap_or_default()),
        name = quote(&release.to_string()),
    )
}

const NAMES: &str = r#"names() {
  for word in $(printf '%s' "$1" | tr -cs '0-9a-f' ' '); do
    [ ${#word} -lt 7 ] || case $commit in "$word"*) return 0 ;; esac
  done
  [ -n "$tag" ] && printf '%s' "$1" | tr -cs 'A-Za-z0-9._+/-' '\n' | grep -qxF -e "$tag"
}
"#;

const UNTIL: &str = r#"until answer=$(ask_app "$url" 5 2>&1) && names "$answer"; do
  if tells_of_maintenance "$url" 5; then
    echo "the app tells its visitors of maintenance, and not which release it runs"
    exit 0
  fi
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "the app doesn't say that it runs $name; at $url it says:" >&2
    printf '%s\n' "$answer" | head -n 5 >&2
    exit 1
  fi
  sleep 0.3 2>/dev/null || sleep 1
done
"#;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::host::app_version::AppAnswer;
    use crate::names::CommitId;

    fn release() -> Release {
        let commit = CommitId::new("6b4943c0".repeat(5)).expect("40 digits");
        Release {
            commit,
            describe: "v0.2.0".to_owned(),
            tag: Some("v0.2.0".to_owned()),
            submodules: false,
            lfs: false,
        }
    }

    fn names_in_shell(answer: &str) -> bool {
        let Release { commit, tag, .. } = release();
        let script = format!(
            "commit={commit} tag={} \n{NAMES}names {}",
            quote(&tag.expect("it has one")),
            quote(answer)
        );
        Command::new("sh").arg("-c").arg(script).status().expect("sh runs").success()
    }

    #[track_caller]
    fn check(answer: &str, expected: bool) {
        assert_eq!(AppAnswer::Says(answer.to_owned()).names(&release()), expected, "{answer:?}");
        assert_eq!(names_in_shell(answer), expected, "{answer:?} in the shell");
    }

    #[test]
    fn an_answer_names_a_commit_or_a_tag() {
        check("6b4943c06b4943c06b4943c06b4943c06b4943c0\n", true);
        check("6b4943c", true);
        check("6b4943", false);
        check("6b4943cf", false);
        check("v0.1.0-3-g6b4943c06b", true);
        check("{\"version\": \"v0.2.0\", \"up\": true}", true);
        check("v0.2.0", true);
        check("v0.2.01 or v0.2.0.1", false);
        check("", false);
        check("* $HOME `id`", false);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn the_shell_understands_the_same(answer in "[6b4943c0v.2 \"{}\n*'-]{0,30}|(6b4943c0| |v0.2.0|-|\\{|\"){0,5}") {
            prop_assert_eq!(AppAnswer::Says(answer.clone()).names(&release()), names_in_shell(&answer));
        }
    }
}
