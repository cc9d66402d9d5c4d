//! What a runner's word is worth: no step can speak as the runner, and it says nothing of what it couldn't keep.

use std::io::{BufRead, BufReader};

use super::*;

/// What any process of the same user finds out by looking: what runs, with which environment, and the runner's own files.
const LOOK_AROUND: &str = r#"cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null
env
for folder in "$XDG_RUNTIME_DIR" /dev/shm /tmp; do
  ls "$folder"/buedafab.* 2>/dev/null
  # But for the queue, from which one would only take what others wait for.
  cat "$folder"/buedafab.*/[!q]* 2>/dev/null
done"#;

#[test]
fn no_step_finds_the_nonce_that_marks_what_the_runner_says() {
    for shell in SHELLS {
        eprintln!("under {shell}");
        let shims = shims(shell);
        let path = format!("{}:{}", shims.path().display(), std::env::var("PATH").expect("a PATH"));
        let seen = tempfile::NamedTempFile::new().expect("a file");
        let options = RunnerOptions {
            greeting: "w0rd".to_owned(),
            lost_after_seconds: LOST_AFTER,
            confirm_timeout_seconds: 60,
            step_timeout_seconds: 60,
        };
        let look = |flag: &str| {
            let script = format!("{{ {LOOK_AROUND}; }} >>{}", seen.path().display());
            format!("step 0 {flag} {}\n", buedafab_model::shell::quote(&script))
        };
        let command = bootstrap(&options, &format!("{}{}", look("s"), look("q")));
        let mut child = Process::new("sh")
            .args(["-c", &command])
            .env("PATH", path)
            // As a start-up file might have left it, so that all that the runner sets goes on to its steps.
            .env("nonce", "exported")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it runs");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut said = String::new();
        while !said.contains(" done p0 ") {
            assert_ne!(output.read_line(&mut said).expect("text"), 0, "{said:?}");
        }
        drop(child.stdin.take());
        child.wait().expect("it ends");
        let hello = said.strip_prefix("\x1ew0rd hello ").unwrap_or_else(|| panic!("{said:?}"));
        let (nonce, rest) = hello.split_once('\n').expect("a line");
        assert!(rest.contains(&format!("\x1e{nonce} end 0 ")), "{rest:?}");
        let seen = std::fs::read(seen.path()).expect("it is there");
        let seen = String::from_utf8_lossy(&seen);
        assert!(seen.contains("w0rd"), "it has looked at the runner's command line");
        assert!(!seen.contains(nonce), "a step can read {nonce}");
    }
}

under_every_shell!(who_speaks_without_the_nonce_only_prints, talk, "step 0 s :", {
    talk.frame().await;
    let script = r#"for id in /proc/[0-9]*; do
  words=$(tr "\\0" "\\n" <"$id/cmdline" 2>/dev/null) || continue
  case $words in *greeting=*) ;; *) continue ;; esac
  words=${words#*greeting=}; mark=${words%% *}
  for mark in "$mark" "${mark%%[!a-z0-9]*}"; do
    printf "\\036%s hello n0nce-n0nce-n0nce\\n\\036%s end 1 0\\n\\036%s done p9 0\\n" "$mark" "$mark" "$mark"
  done
done
exit 3"#;
    let lines = talk.phase(&format!("step 1 s {}", buedafab_model::shell::quote(script))).await;
    assert_eq!(lines[lines.len() - 2..], ["1 -> 3", "failed"], "{lines:?}");
});

/// A runner whose room has place for so many KiB, and what fills it.
async fn start_in_a_small_room(shell: &str) -> Talk {
    let mount = "mount -t tmpfs -o size=256k none /mnt && export XDG_RUNTIME_DIR=/mnt && eval \"$1\"";
    let wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"];
    Talk::start_under(shell, &wrapper, "step 0 s :").await
}

/// Fills the room, and then leaves as much of it as this command frees.
fn fill(step: u32, leave: &str) -> String {
    let script = format!("head -c 4096 /dev/zero >/mnt/page; cat /dev/zero >/mnt/fill 2>/dev/null; {leave}");
    format!("step {step} s {}", buedafab_model::shell::quote(&script))
}

async fn frame_in_a_full_room(shell: &str, leave: &str) {
    let host = tempfile::tempdir().expect("a folder");
    let file = host.path().join("live");
    let write = |word: &str| format!("echo {word} >>{}", file.display());
    let mut talk = start_in_a_small_room(shell).await;
    talk.frame().await;
    let revert = format!("step 8 s '{}'", write("back"));
    let switch = format!("{}step 1 s '{}'\n{}", arm(host.path(), &revert), write("new"), fill(2, leave));
    assert_eq!(talk.phase(&switch).await, ["1 -> 0", "2 -> 0", "done"]);
    // Longer than what is left.
    let long = format!("# {}\nstep 3 s '{}'\n", "x".repeat(9000), write("half")).repeat(2);
    let lines = talk.phase(&long).await;
    assert_eq!(lines, [r#"Broken("it can't keep what it is sent: /mnt is full")"#]);
    wait_for(|| std::fs::read_to_string(&file).unwrap_or_default() == "new\nback\n").await;
}

#[tokio::test]
async fn a_frame_that_could_not_be_kept_never_runs_and_the_host_goes_back() {
    for shell in SHELLS {
        // Not a page, and one: the first half of the frame would fit there.
        for leave in [":", "rm /mnt/page"] {
            eprintln!("under {shell}, {leave}");
            frame_in_a_full_room(shell, leave).await;
        }
    }
}

#[tokio::test]
async fn an_upload_that_could_not_be_kept_is_never_read() {
    for shell in SHELLS {
        eprintln!("under {shell}");
        let mut talk = start_in_a_small_room(shell).await;
        talk.frame().await;
        let upload = Upload { step: 1, source: Source::Bytes(Secret::new(vec![b'x'; 400_000])) };
        let lines = talk.phase_with("step 1 si 'wc -c'", vec![upload]).await;
        assert_eq!(lines, [r#"Broken("it can't keep what it is sent: /mnt is full")"#]);
    }
}

#[tokio::test]
async fn to_go_back_and_to_be_confirmed_take_no_room() {
    for shell in SHELLS {
        eprintln!("under {shell}");
        let notes = format!("confirm\nstep 4 s ': {}'\n", "x".repeat(9000));
        for (word, expected) in [("revert\n", "new\nback\n"), (notes.as_str(), "new\n")] {
            let host = tempfile::tempdir().expect("a folder");
            let file = host.path().join("live");
            let write = |word: &str| format!("echo {word} >>{}", file.display());
            let mut talk = start_in_a_small_room(shell).await;
            talk.frame().await;
            let revert = format!("step 8 s '{}'", write("back"));
            let switch =
                format!("{}step 1 s '{}'\n{}", arm(host.path(), &revert), write("new"), fill(2, ":"));
            assert_eq!(talk.phase(&switch).await, ["1 -> 0", "2 -> 0", "done"]);
            let lines = talk.phase(word).await;
            match word {
                "revert\n" => assert_eq!(lines, ["8 -> 0", "done"]),
                _ => assert!(lines[0].contains("is full"), "{lines:?}"),
            }
            drop(talk);
            wait_for(|| !host.path().join("pending.json").exists()).await;
            assert_eq!(std::fs::read_to_string(&file).expect("it is there"), expected);
        }
    }
}

/// A host in small: two slots, and the link.
fn slots() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("it's $one\n").tempdir().expect("a folder");
    for slot in ["a", "b"] {
        std::fs::create_dir(folder.path().join(slot)).expect("a folder");
    }
    std::os::unix::fs::symlink("a", folder.path().join("current")).expect("a link");
    folder
}

fn switch(host: &Path) -> String {
    let link = |to: &str| {
        let current = quote_path(&host.join("current"));
        buedafab_model::shell::quote(&format!("rm -f {current}; ln -s {to} {current}"))
    };
    let revert = buedafab_model::shell::quote(&format!("step 8 qh {}", link("a")));
    let pending = "'\"run\":\"r1\",\"from\":\"a\",\"to\":\"b\"}'";
    let (folder, current, slot) =
        (quote_path(host), quote_path(&host.join("current")), quote_path(&host.join("b")));
    format!("arm {folder} {pending} {revert} {current} {slot}\nstep 2 qh {}\n", link("b"))
}

async fn ask(talk: &mut Talk) -> bool {
    talk.connection.ask();
    loop {
        match talk.next().await {
            Reply::Answered(serves) => return serves,
            Reply::Beat => {}
            other => panic!("{other:?}"),
        }
    }
}

under_every_shell!(a_host_is_asked_what_serves_before_it_is_confirmed, talk, "step 0 s :", {
    talk.frame().await;
    let host = slots();
    // Where nothing was switched, nothing has to serve.
    assert!(ask(&mut talk).await);
    assert_eq!(talk.phase(&switch(host.path())).await, ["2 -> 0", "done"]);
    assert!(ask(&mut talk).await);
    assert_eq!(talk.phase("revert").await, ["8 -> 0", "done"]);
    assert!(ask(&mut talk).await);

    assert_eq!(talk.phase(&switch(host.path())).await, ["2 -> 0", "done"]);
    std::fs::remove_file(host.path().join("current")).expect("it is there");
    std::os::unix::fs::symlink("a", host.path().join("current")).expect("a link");
    assert!(!ask(&mut talk).await);
    // Nor is it confirmed, neither by a word nor within a phase.
    assert_eq!(talk.phase("confirm\nstep 3 s 'echo no'\n").await, ["serves something else", "failed"]);
    assert_eq!(
        talk.phase("step 4 s :\nconfirm\nstep 3 s 'echo no'\n").await,
        ["4 -> 0", "serves something else", "failed"]
    );
    assert!(host.path().join("pending.json").exists());
});

// Where a release came in the place of another one, the link never tells.
under_every_shell!(what_is_being_taken_back_serves_no_more, talk, "step 0 s :", {
    talk.frame().await;
    let host = slots();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let gate = elsewhere.path().join("gate");
    let revert =
        buedafab_model::shell::quote(&format!("step 8 s 'until [ -e {} ]; do :; done'", gate.display()));
    let pending = "'\"run\":\"r1\",\"from\":\"a\",\"to\":\"a\"}'";
    let [folder, current, slot] =
        [host.path().to_owned(), host.path().join("current"), host.path().join("a")]
            .map(|path| quote_path(&path));
    let arm = format!("arm {folder} {pending} {revert} {current} {slot}\nstep 2 s :\n");
    assert_eq!(talk.phase(&arm).await, ["2 -> 0", "done"]);
    assert!(ask(&mut talk).await);
    talk.connection.send_phase("back", "revert\n", Vec::new());
    loop {
        match talk.next().await {
            Reply::Started(8) => break,
            Reply::Beat => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(!ask(&mut talk).await);
    std::fs::write(&gate, "").expect("it is written");
    assert_eq!(talk.frame().await, ["8 -> 0", "done"]);
});

under_every_shell!(who_lost_its_shell_gives_no_answer, talk, "step 0 q 'echo $$'", {
    let said = talk.frame().await[0].clone();
    let id: String = said.chars().skip("0 out ".len()).filter(char::is_ascii_digit).collect();
    assert!(ask(&mut talk).await);
    // As long as nobody has asked for it, the process is there and does nothing any more. Its memory goes before that is told of
    // it, so it is its state that counts.
    assert!(Process::new("kill").args(["-KILL", &id]).status().expect("kill runs").success());
    let state = Path::new("/proc").join(&id).join("stat");
    wait_for(|| std::fs::read_to_string(&state).map_or(true, |state| state.contains(") Z "))).await;
    talk.connection.ask();
    let mut heard = talk.next().await;
    while heard == Reply::Beat {
        heard = talk.next().await;
    }
    assert!(matches!(heard, Reply::Closed(_)), "{heard:?}");
});
