//! Steps that are stopped in the very instant in which they start, and those that nothing but their time limit stops.

use super::*;

/// How often a shell is asked to stop a step, each time a little later after the step was sent.
const ROUNDS: usize = 60;

/// Signs of life before the word that stops a step: each keeps the reader busy for some microseconds, so that over the
/// rounds the word comes in every instant from before the step's process is made until after it has said its start.
fn delay(round: usize) -> Vec<u8> {
    b"beat\n".repeat(1 + round * 17 % 199)
}

/// No step of these ends by itself before this.
const LIMIT: Duration = Duration::from_secs(60);

/// All that happens up to the end of a frame, which comes in time, or a step wasn't stopped.
async fn frame(talk: &mut Talk) -> Vec<String> {
    tokio::time::timeout(LIMIT, talk.frame()).await.expect("the step is stopped")
}

/// The process that a step has told of on its standard output, if it came so far.
fn told_process(lines: &[String]) -> Option<String> {
    let told = lines.iter().find(|line| line.contains(" out "))?;
    Some(told.split('"').nth(1)?.trim_end_matches("\\n").to_owned())
}

under_every_shell!(a_step_is_cancelled_in_whatever_instant_of_its_start, talk, "step 0 s :", {
    frame(&mut talk).await;
    for round in 1..=ROUNDS {
        talk.connection.send_phase("p1", &format!("step {round} s 'echo $$; exec sleep 1000'"), Vec::new());
        talk.connection.outbox.send_raw([delay(round), b"cancel\n".to_vec()].concat());
        let lines = frame(&mut talk).await;
        assert_eq!(lines.last().map(String::as_str), Some("failed"), "{round}: {lines:?}");
        if let Some(process) = told_process(&lines) {
            assert!(!Path::new("/proc").join(&process).exists(), "{round}: {process} is there still");
        }
    }
    // As the deployer does that acts on what it hears.
    for step in 1..=ROUNDS as u32 / 5 {
        talk.connection.send_phase("p1", &format!("step {step} s 'exec sleep 1000'"), Vec::new());
        while talk.next().await != Reply::Started(step) {}
        talk.connection.cancel();
        let lines = frame(&mut talk).await;
        // Some shells have a word of their own for a job that was killed.
        let (_, end) = lines.split_at(lines.len().saturating_sub(2));
        assert_eq!(end, [format!("{step} -> 143"), "failed".to_owned()], "{lines:?}");
    }
    assert_eq!(talk.phase("step 1 s 'echo again'").await, [r#"1 out "again\n""#, "1 -> 0", "done"]);
});

#[tokio::test]
async fn a_step_is_stopped_by_a_loss_in_whatever_instant_of_its_start() {
    for shell in SHELLS {
        eprintln!("under {shell}");
        for round in 1..=12 {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("file");
            let back = format!("step 8 s 'sleep 0.01; echo back >>{}'", file.display());
            let mut talk = Talk::start(shell, "step 0 s :").await;
            frame(&mut talk).await;
            let text = format!("{}step 1 s 'exec sleep 1000'", arm(folder.path(), &back));
            talk.connection.send_phase("p1", &text, Vec::new());
            talk.connection.outbox.send_raw(delay(round * 16));
            talk.connection.outbox.hang_up();
            let closed = async { while !matches!(talk.next().await, Reply::Closed(_)) {} };
            tokio::time::timeout(LIMIT, closed).await.expect("the step is stopped");
            let went_back = std::fs::read_to_string(&file).unwrap_or_default();
            // Or it was lost before it was armed.
            assert!(went_back == "back\n" || went_back.is_empty(), "{went_back:?}");
        }
    }
}

/// What ends a quick step must not end what comes after it: the steps of the way back have no groups of their own, either.
#[tokio::test]
async fn a_loss_among_quick_steps_ends_no_step_of_the_way_back() {
    for shell in SHELLS {
        eprintln!("under {shell}");
        for round in 1..=8 {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("file");
            let back = format!(
                "step 8 qh 'sleep 0.05 && echo back >>{file}'\nstep 9 q 'sleep 0.05 && echo all >>{file}'",
                file = file.display()
            );
            let quick: String = (1..=6).map(|step| format!("step {step} qh 'sleep 0.004'\n")).collect();
            let mut talk = Talk::start(shell, "step 0 s :").await;
            frame(&mut talk).await;
            let text = format!("{}{quick}step 7 s 'exec sleep 1000'", arm(folder.path(), &back));
            talk.connection.send_phase("p1", &text, Vec::new());
            while talk.next().await != Reply::Started(1) {}
            talk.connection.outbox.send_raw(delay(round * 23));
            talk.connection.outbox.hang_up();
            let closed = async { while !matches!(talk.next().await, Reply::Closed(_)) {} };
            tokio::time::timeout(LIMIT, closed).await.expect("it goes back");
            let went_back = std::fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(went_back, "back\nall\n", "{shell}, {round}");
        }
    }
}

under_every_shell!(
    /// The deployer hears of a failure on another host, cancels, and has this one go back at once.
    nothing_stops_the_way_back,
    talk,
    "step 0 s :",
    {
        frame(&mut talk).await;
        let folder = tempfile::tempdir().expect("a folder");
        for round in 1..=ROUNDS / 5 {
            let back = "step 8 s 'sleep 0.01; echo back'\nstep 9 s 'sleep 0.01; echo all of it'";
            assert_eq!(talk.phase(&arm(folder.path(), back)).await, ["done"]);
            talk.connection.send_phase("p2", "revert", Vec::new());
            talk.connection.outbox.send_raw([delay(round * 5), b"cancel\n".to_vec()].concat());
            let lines = frame(&mut talk).await;
            assert_eq!(
                lines,
                [r#"8 out "back\n""#, "8 -> 0", r#"9 out "all of it\n""#, "9 -> 0", "done"],
                "{round}"
            );
        }
    }
);

under_every_shell!(a_cancel_is_for_what_came_before_it, talk, "step 0 s :", {
    frame(&mut talk).await;
    for round in 1..=ROUNDS / 5 {
        talk.connection.send_phase("p1", "step 1 so 'exec sleep 1000'\nstep 2 s 'echo no'", Vec::new());
        talk.connection.outbox.send_raw([delay(round), b"cancel\n".to_vec()].concat());
        talk.connection.send_phase("p2", "step 3 s 'echo yes'", Vec::new());
        let lines = frame(&mut talk).await;
        assert_eq!(lines.last().map(String::as_str), Some("failed"), "{round}: {lines:?}");
        assert!(!lines.iter().any(|line| line.contains("no")), "{round}: {lines:?}");
        assert_eq!(frame(&mut talk).await, [r#"3 out "yes\n""#, "3 -> 0", "done"], "{round}");
    }
});

#[tokio::test]
async fn a_way_back_that_hangs_is_ended_by_the_runner_itself() {
    for shell in SHELLS {
        eprintln!("under {shell}");
        let mut talk = Talk::start_patiently(shell, &[], 2, "step 0 s :").await;
        frame(&mut talk).await;
        let folder = tempfile::tempdir().expect("a folder");
        let back = "step 8 sk 'exec sleep 1000'\nstep 9 s 'echo the rest'";
        assert_eq!(talk.phase(&arm(folder.path(), back)).await, ["done"]);
        assert_eq!(talk.phase("revert").await, ["8 -> 143", r#"9 out "the rest\n""#, "9 -> 0", "failed"]);
    }
}

under_every_shell!(
    /// Neither has a group of its own, and both may hang in what they start.
    quick_steps_can_be_ended_too,
    talk,
    "step 0 q :",
    {
        frame(&mut talk).await;
        for flags in ["q", "qh"] {
            let mark = crate::random_word(12);
            // One that hears no politeness, with a child.
            let script = format!("sh -c \"trap : TERM; while :; do sleep 1; done\" {mark} || echo ended; echo more");
            talk.connection.send_phase("p1", &format!("step 1 {flags} '{script}'\nstep 2 s 'echo no'"), Vec::new());
            while talk.next().await != Reply::Started(1) {}
            wait_for(|| is_running(&mark)).await;
            talk.connection.cancel();
            let lines = frame(&mut talk).await;
            assert_eq!(lines.last().map(String::as_str), Some("failed"), "{flags}: {lines:?}");
            assert!(!lines.iter().any(|line| line.contains("no\\n")), "{flags}: {lines:?}");
            assert!(!is_running(&mark), "{flags}");
            assert_eq!(talk.phase("step 3 s 'echo again'").await, [r#"3 out "again\n""#, "3 -> 0", "done"]);
        }
    }
);

#[tokio::test]
async fn a_quick_step_of_the_way_back_that_hangs_is_ended_by_the_runner_itself() {
    for shell in SHELLS {
        eprintln!("under {shell}");
        let mut talk = Talk::start_patiently(shell, &[], 2, "step 0 s :").await;
        frame(&mut talk).await;
        let folder = tempfile::tempdir().expect("a folder");
        let back = "step 8 qk 'sleep 1000'\nstep 9 s 'echo the rest'";
        assert_eq!(talk.phase(&arm(folder.path(), back)).await, ["done"]);
        talk.connection.send_phase("p9", "revert", Vec::new());
        let lines = frame(&mut talk).await;
        assert_eq!(lines[lines.len() - 3..], [r#"9 out "the rest\n""#, "9 -> 0", "failed"], "{lines:?}");
    }
}
