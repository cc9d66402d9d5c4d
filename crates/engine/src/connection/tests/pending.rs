//! What a host keeps of a switch that isn't confirmed, for the case that its runner doesn't live to put it back.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

/// A host in small: `live` is the link, in one word.
struct Host(tempfile::TempDir);

/// What the two files hold, if they are there.
#[derive(Debug, PartialEq, Eq)]
enum Kept {
    Nothing,
    Pending,
    /// Only one of the two.
    Half,
}

impl Host {
    fn new() -> Host {
        // A name that tests how it is quoted.
        let folder = tempfile::Builder::new().prefix("it's $one \"").tempdir().expect("a folder");
        std::fs::write(folder.path().join("live"), "old\n").expect("it is written");
        Host(folder)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write_live(&self, word: &str) -> String {
        buedafab_model::shell::quote(&format!("echo {word} >{}", quote_path(&self.path("live"))))
    }

    /// A phase that arms and switches.
    fn switch(&self) -> String {
        let back = format!(
            "step 7 so 'echo no matter; exit 5'\nstep 8 s {}\nstep 9 q {}\n",
            self.write_live("old"),
            buedafab_model::shell::quote(&format!("echo noted >>{}", quote_path(&self.path("journal"))))
        );
        format!("{}step 2 s {}\n", arm(self.0.path(), &back), self.write_live("new"))
    }

    fn live(&self) -> String {
        std::fs::read_to_string(self.path("live")).expect("it is there").trim().to_owned()
    }

    fn kept(&self) -> Kept {
        match (self.path("pending.json").exists(), self.path("back.sh").exists()) {
            (true, true) => Kept::Pending,
            (false, false) => Kept::Nothing,
            _ => Kept::Half,
        }
    }

    /// Runs the way back as a later run does, under this shell: its exit status, and all that it says.
    fn go_back(&self, shell: &str) -> (i32, String) {
        let shims = shims(shell);
        let path = format!("{}:{}", shims.path().display(), std::env::var("PATH").expect("a PATH"));
        let output = Process::new(shims.path().join("sh"))
            .arg(self.path("back.sh"))
            .env("PATH", path)
            .current_dir("/")
            .output()
            .expect("sh runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8(said).expect("UTF-8"))
    }
}

under_every_shell!(
    a_runner_that_is_killed_leaves_a_way_back_that_any_shell_goes,
    talk,
    "step 0 q 'echo $$'",
    {
        let said = talk.frame().await[0].clone();
        let id: String = said.chars().skip("0 out ".len()).filter(char::is_ascii_digit).collect();
        let host = Host::new();
        assert_eq!(talk.phase(&host.switch()).await, ["2 -> 0", "done"]);
        // All of it: nobody is left to take over.
        let killed = Process::new("kill").args(["-KILL", "--", &format!("-{id}")]).status();
        assert!(killed.expect("kill runs").success());
        while !matches!(talk.next().await, Reply::Closed(_)) {}
        assert_eq!((host.live().as_str(), host.kept()), ("new", Kept::Pending));

        let pending = std::fs::read_to_string(host.path("pending.json")).expect("it is there");
        let at = pending.strip_prefix("{\"at\":\"").and_then(|rest| rest.get(..20)).expect("a time");
        at.parse::<jiff::Timestamp>().expect("a time");
        assert_eq!(&pending[27..], "\",\"run\":\"r1\",\"from\":\"a\",\"to\":\"b\"}\n");
        let mode = std::fs::metadata(host.path("back.sh")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        // Cut off in its middle, and then gone to its end, under whatever shell comes next.
        let script = std::fs::read(host.path("back.sh")).expect("it is there");
        for shell in ["dash", "bash", "busybox"] {
            std::fs::write(host.path("live"), "new\n").expect("it is written");
            std::fs::write(host.path("back.sh"), &script).expect("it is written");
            std::fs::write(host.path("pending.json"), &pending).expect("it is written");
            let (status, said) = host.go_back(shell);
            assert_eq!(
                (status, said.as_str()),
                (
                    0,
                    "way back, step 7\nno matter\nway back, step 8\nway back, step 9\n\
                     way back, step 7 failed with status 5\n"
                )
            );
            assert_eq!((host.live().as_str(), host.kept()), ("old", Kept::Nothing));

            // What is left of a crash in the last moment does nothing.
            std::fs::write(host.path("back.sh"), &script).expect("it is written");
            std::fs::write(host.path("live"), "newer\n").expect("it is written");
            let (status, said) = host.go_back(shell);
            assert_eq!(status, 75);
            assert!(said.starts_with("nothing is pending in ") && said.lines().count() == 1, "{said}");
            assert_eq!(host.live(), "newer");
        }
    }
);

under_every_shell!(
    /// Its other processes see it, end what runs, and go the way back under the lock.
    a_runner_whose_shell_is_killed_goes_back_all_the_same,
    talk,
    "step 0 q 'echo $$'",
    {
        let said = talk.frame().await[0].clone();
        let id: String = said.chars().skip("0 out ".len()).filter(char::is_ascii_digit).collect();
        let host = Host::new();
        let lock = host.path("lock");
        let text = format!("lock 1 {} ada\n{}", quote_path(&lock), host.switch());
        assert_eq!(talk.phase(&text).await, ["1 -> 0", "2 -> 0", "done"]);
        let mark = crate::random_word(12);
        let step = format!("step 3 s 'echo begun; sh -c \"while :; do sleep 1; done\" {mark}; :'");
        talk.connection.send_phase("p3", &step, Vec::new());
        while !matches!(talk.next().await, Reply::Output(3, ..)) {}
        assert!(Process::new("kill").args(["-KILL", &id]).status().expect("kill runs").success());
        while !matches!(talk.next().await, Reply::Closed(_)) {}
        // Who asks what serves waits until the lock is free.
        wait_for(|| flock_is_free(&lock)).await;
        assert_eq!((host.live().as_str(), host.kept()), ("old", Kept::Nothing));
        assert!(!is_running(&mark), "the step that ran is ended");
        assert_eq!(std::fs::read_to_string(&lock).expect("it is there"), "");
    }
);

under_every_shell!(
    /// What another run has pending by now is that run's.
    a_runner_whose_shell_is_killed_takes_back_only_what_it_switched,
    talk,
    "step 0 q 'echo $$'",
    {
        let said = talk.frame().await[0].clone();
        let id: String = said.chars().skip("0 out ".len()).filter(char::is_ascii_digit).collect();
        let host = Host::new();
        assert_eq!(talk.phase(&host.switch()).await, ["2 -> 0", "done"]);
        std::fs::write(host.path("pending.json"), "{\"run\":\"r2\"}\n").expect("it is written");
        assert!(Process::new("kill").args(["-KILL", &id]).status().expect("kill runs").success());
        while !matches!(talk.next().await, Reply::Closed(_)) {}
        assert_eq!((host.live().as_str(), host.kept()), ("new", Kept::Pending));
    }
);

/// The processes of a runner, but for its steps.
fn processes(id: &str) -> Vec<String> {
    let output = Process::new("pgrep").args(["-g", id]).output().expect("pgrep runs");
    String::from_utf8(output.stdout).expect("numbers").split_whitespace().map(str::to_owned).collect()
}

/// A user of its own, since there is no limit for root.
const AS_A_USER: [&str; 4] = ["/usr/bin/setpriv", "--reuid=61234", "--regid=61234", "--clear-groups"];

/// How many processes their user may have, for whoever of them is to make one; no more than is allowed at all for `None`.
fn limit_processes(of: &[String], most: Option<u32>) {
    let hard = Process::new("prlimit").args(["--nproc", "-o", "HARD", "--noheadings"]).output();
    let hard = String::from_utf8(hard.expect("prlimit runs").stdout).expect("a number");
    let limit = most.map_or_else(|| hard.trim().to_owned(), |most| most.to_string());
    for id in of {
        // One that has just ended needs no limit.
        let mut command = Process::new(AS_A_USER[0]);
        command.args(&AS_A_USER[1..]).args(["prlimit", "--pid", id, &format!("--nproc={limit}:")]);
        let _ = command.output().expect("it runs");
    }
}

#[tokio::test]
async fn a_host_that_can_make_no_process_goes_back_as_soon_as_it_can() {
    for shell in ["dash", "bash", "busybox"] {
        eprintln!("under {shell}");
        let wrapper = [&AS_A_USER[..], &["sh", "-c"]].concat();
        let mut talk = Talk::start_under(shell, &wrapper, "step 0 q 'echo $$'").await;
        let said = talk.frame().await[0].clone();
        let id: String = said.chars().skip("0 out ".len()).filter(char::is_ascii_digit).collect();
        let host = Host::new();
        for (name, mode) in [("", 0o777), ("live", 0o666)] {
            let path = if name.is_empty() { host.0.path().to_owned() } else { host.path(name) };
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
        }
        assert_eq!(talk.phase(&host.switch()).await, ["2 -> 0", "done"]);
        limit_processes(&processes(&id), Some(1));
        talk.connection.send_phase("p3", "step 3 s :", Vec::new());
        let main = std::path::PathBuf::from(format!("/proc/{id}/cmdline"));
        // Some shells try for a quarter of a minute.
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::fs::read(&main).is_ok_and(|words| !words.is_empty()) {
            assert!(Instant::now() < deadline, "it still runs");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!((host.live().as_str(), host.kept()), ("new", Kept::Pending), "nothing can be done");
        limit_processes(&processes(&id), None);
        wait_for(|| host.kept() == Kept::Nothing).await;
        assert_eq!(host.live(), "old");
    }
}

under_every_shell!(what_fails_on_the_way_back_stays_pending, talk, "step 0 s :", {
    talk.frame().await;
    let host = Host::new();
    let back = format!(
        "step 6 sk 'test -e {ok}'\nstep 7 s 'echo goes on'\nstep 8 s 'test -e {better}'\nstep 9 s {live}",
        ok = "/nowhere",
        better = "/nowhere",
        live = host.write_live("old")
    );
    assert_eq!(talk.phase(&arm(host.0.path(), &back)).await, ["done"]);
    let lines = talk.phase("revert").await;
    assert_eq!(lines, ["6 -> 1", r#"7 out "goes on\n""#, "7 -> 0", "8 -> 1", "failed"]);
    assert_eq!(host.kept(), Kept::Pending);
    let (status, said) = host.go_back("dash");
    assert_eq!(status, 1);
    assert!(said.contains("goes on\n") && said.contains("step 8 failed with status 1\n"), "{said}");
    assert!(!said.contains("step 9"), "{said}");
    assert_eq!(host.kept(), Kept::Pending);
});

under_every_shell!(what_is_confirmed_or_taken_back_is_pending_no_longer, talk, "step 0 s :", {
    talk.frame().await;
    let host = Host::new();
    assert_eq!(talk.phase(&host.switch()).await, ["2 -> 0", "done"]);
    assert_eq!((host.live().as_str(), host.kept()), ("new", Kept::Pending));
    assert_eq!(talk.phase("revert").await.last().map(String::as_str), Some("done"));
    assert_eq!((host.live().as_str(), host.kept()), ("old", Kept::Nothing));
    // Nothing is there to be taken back a second time.
    assert_eq!(talk.phase("revert").await, ["done"]);

    assert_eq!(talk.phase(&host.switch()).await, ["2 -> 0", "done"]);
    assert_eq!(talk.phase("confirm").await, ["done"]);
    assert_eq!((host.live().as_str(), host.kept()), ("new", Kept::Nothing));
    let names: Vec<_> = std::fs::read_dir(host.0.path())
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| *name != "live" && *name != "journal")
        .collect();
    assert!(names.is_empty(), "{names:?}");
});

under_every_shell!(a_way_back_that_cannot_be_kept_stops_the_switch, talk, "step 0 s :", {
    talk.frame().await;
    let host = Host::new();
    // A folder stands in its way, or the one for it is missing.
    for (make, undo) in
        [("mkdir pending.json", "rmdir pending.json; rm back.sh"), ("mkdir back.sh", "rmdir back.sh")]
    {
        let in_folder = |command: &str| {
            let status = Process::new("sh").args(["-c", command]).current_dir(host.0.path()).status();
            assert!(status.expect("sh runs").success());
        };
        in_folder(make);
        let lines = talk.phase(&host.switch()).await;
        let reason = "/pending.json, without which nothing is switched\\n\"";
        assert!(lines[0].starts_with("2 err ") && lines[0].ends_with(reason), "{lines:?}");
        assert_eq!(lines[1..], ["2 -> 73", "failed"], "{make}");
        assert_eq!(host.live(), "old");
        in_folder(undo);
        assert_ne!(host.kept(), Kept::Pending);
    }
    let nowhere = arm(&host.path("missing"), "step 8 s :");
    assert_eq!(talk.phase(&format!("{nowhere}step 2 s 'echo no'")).await[1..], ["2 -> 73", "failed"]);
    // Nothing is armed.
    assert_eq!(talk.phase("revert").await, ["done"]);
    assert_eq!(talk.phase(&host.switch()).await, ["2 -> 0", "done"]);
});

under_every_shell!(a_link_in_place_of_what_is_kept_is_replaced, talk, "step 0 s :", {
    talk.frame().await;
    let host = Host::new();
    let precious = host.path("live");
    for name in ["pending.json", "back.sh"] {
        symlink(&precious, host.path(name)).expect("a link");
    }
    assert_eq!(talk.phase(&arm(host.0.path(), "step 8 s :")).await, ["done"]);
    assert_eq!(host.live(), "old");
    for name in ["pending.json", "back.sh"] {
        let there = std::fs::symlink_metadata(host.path(name)).expect("it is there");
        assert!(there.is_file() && there.nlink() == 1, "{name}");
    }
});

under_every_shell!(a_group_that_deploys_together_may_go_back_for_each_other, talk, "step 0 s :", {
    talk.frame().await;
    let host = Host::new();
    let shared = std::fs::Permissions::from_mode(0o2770);
    std::fs::set_permissions(host.0.path(), shared).expect("it is ours");
    assert_eq!(talk.phase(&arm(host.0.path(), "step 8 s :")).await, ["done"]);
    let mode = std::fs::metadata(host.path("back.sh")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    // The steps that follow make files as those before, and so does the way back, whoever goes it.
    let same = "'case $(umask) in *027) ;; *) exit 1 ;; esac'";
    let text = format!(
        "umask 027\n{}step 2 s {same}",
        arm(host.0.path(), &format!("step 8 s {same}\nstep 9 q {same}"))
    );
    assert_eq!(talk.phase(&text).await, ["2 -> 0", "done"]);
    let (status, said) = host.go_back("dash");
    assert_eq!(status, 0, "{said}");
});
