//! What a far end gets to see that takes no more than it is asked to.

use std::io::Write;
use std::path::Path;

use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, ReadHalf};

use super::*;

/// What lies between the two ends, as in a pipe.
const PIPE: usize = 64 * 1024;
/// Longer than any test: no beats.
const NEVER: Duration = Duration::from_secs(3600);
const LARGE: u64 = 200 * 1024 * 1024;

struct Line {
    outbox: Outbox,
    far_end: BufReader<ReadHalf<DuplexStream>>,
    replies: mpsc::Receiver<((), Reply)>,
}

impl Line {
    fn open(beat: Duration) -> Line {
        let (near, far) = tokio::io::duplex(PIPE);
        let (sender, replies) = mpsc::channel(8);
        let outbox = Outbox::open(near, beat, (), sender);
        // As little as can be read ahead, so that what was read is what was asked for.
        Line { outbox, far_end: BufReader::with_capacity(1, tokio::io::split(far).0), replies }
    }

    /// The next frame or word, as its first line says; `end` when the line is closed.
    async fn next(&mut self) -> String {
        let mut header = String::new();
        self.far_end.read_line(&mut header).await.expect("it can be read");
        let words: Vec<&str> = header.split_ascii_whitespace().collect();
        match words[..] {
            [] => "end".to_owned(),
            ["put", size, name] | ["phase", size, name, _] => {
                let mut body = vec![0; size.parse().expect("a size")];
                self.far_end.read_exact(&mut body).await.expect("all of it comes");
                let mut seal = String::new();
                self.far_end.read_line(&mut seal).await.expect("it can be read");
                assert_eq!(seal, "sealed\n", "nothing falls inside a frame");
                format!("{} {size} {name}", words[0])
            }
            ["check", size, name, _] => format!("check {size} {name}"),
            _ => header.trim_end().to_owned(),
        }
    }

    async fn reply(&mut self) -> Reply {
        self.replies.recv().await.expect("the outbox lives").1
    }

    fn send_file(&self, name: &str, step: u32, file: &Path) {
        let upload = Upload { step, source: Source::File(file.to_owned()) };
        self.outbox.send_phase(name, "text", vec![upload]);
    }
}

/// A file of zeros that takes no room.
fn zeros(size: u64) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    file.as_file().set_len(size).expect("it is ours");
    file
}

/// How far this process has read a file that it has opened once.
fn position(file: &Path) -> u64 {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("it is Linux");
    let mut of_file =
        descriptors.flatten().filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|to| to == file));
    let entry = of_file.next().expect("it is open");
    let info = std::fs::read_to_string(Path::new("/proc/self/fdinfo").join(entry.file_name()));
    let info = info.expect("it is open");
    info.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse().ok()).expect("it has a position")
}

#[tokio::test]
async fn a_file_is_read_no_faster_than_the_line_takes_it() {
    let file = zeros(LARGE);
    // Opened by its path and closed again, so that only the outbox has it open.
    let path = file.into_temp_path();
    let mut line = Line::open(NEVER);
    line.send_file("p1", 7, &path);
    let mut came = 0;
    while came < LARGE {
        assert_eq!(line.next().await, format!("put {UPLOAD_CHUNK} in.7"));
        came += UPLOAD_CHUNK as u64;
        let ahead = if came < LARGE { position(&path) - came } else { 0 };
        assert!(ahead <= UPLOAD_CHUNK as u64, "{ahead} bytes are under way after {came}");
    }
    assert_eq!(line.next().await, format!("check {LARGE} in.7"));
    assert_eq!(line.next().await, "phase 4 p1");
}

#[tokio::test]
async fn to_confirm_and_to_go_back_take_no_file() {
    let mut line = Line::open(NEVER);
    line.outbox.send_phase("p1", "revert\n", Vec::new());
    assert_eq!(line.next().await, "revert p1");
    line.outbox.send_phase("p2", "confirm\nnotes", Vec::new());
    assert_eq!(line.next().await, "confirm p2");
    assert_eq!(line.next().await, "phase 5 p2");
}

#[tokio::test]
async fn a_cancel_overtakes_an_upload_and_its_phase_is_never_sent() {
    let file = zeros(LARGE);
    let mut line = Line::open(NEVER);
    line.send_file("p1", 7, file.path());
    line.send_file("p2", 8, file.path());
    assert_eq!(line.next().await, format!("put {UPLOAD_CHUNK} in.7"));
    line.outbox.cancel();
    // What is sent after it isn't meant by it.
    line.outbox.send_phase("p3", "text", Vec::new());
    let mut overtaken = 0;
    while line.next().await != "cancel" {
        overtaken += 1;
    }
    assert!(overtaken <= 1, "no more than the chunk that was on its way comes before it");
    assert_eq!(line.next().await, "phase 4 p3");
    assert_eq!(line.reply().await, Reply::Done("p1".to_owned(), false));
    assert_eq!(line.reply().await, Reply::Done("p2".to_owned(), false));
}

#[tokio::test]
async fn a_cancel_follows_a_phase_that_was_sent() {
    let mut line = Line::open(NEVER);
    line.outbox.send_phase("p1", "text", Vec::new());
    assert_eq!(line.next().await, "phase 4 p1");
    line.outbox.cancel();
    line.outbox.cancel();
    assert_eq!(line.next().await, "cancel");
    line.outbox.send_phase("p2", "text", Vec::new());
    assert_eq!(line.next().await, "phase 4 p2");
    assert!(line.replies.try_recv().is_err(), "the runner answers for both");
}

#[tokio::test]
async fn bye_overtakes_all_that_waits() {
    let file = zeros(LARGE);
    let mut line = Line::open(NEVER);
    line.send_file("p1", 7, file.path());
    line.outbox.send_phase("p2", "text", Vec::new());
    assert_eq!(line.next().await, format!("put {UPLOAD_CHUNK} in.7"));
    line.outbox.say_bye();
    let Line { outbox, mut far_end, .. } = line;
    // It is said even if nobody waits for it.
    drop(outbox);
    let mut rest = Vec::new();
    far_end.read_to_end(&mut rest).await.expect("it can be read");
    let before = rest.strip_suffix(b"bye\n").expect("it is the last word");
    assert!(before.is_empty() || before.ends_with(b"sealed\n"), "it falls inside no frame");
    assert!(before.len() < 2 * UPLOAD_CHUNK, "no more than the chunk that was on its way comes before it");
}

#[tokio::test]
async fn beats_pass_between_the_chunks_of_an_upload() {
    let file = zeros(LARGE);
    let mut line = Line::open(Duration::from_millis(1));
    line.send_file("p1", 7, file.path());
    let mut seen = Vec::new();
    loop {
        let next = line.next().await;
        if next.starts_with("phase") {
            break;
        }
        seen.push(next);
    }
    let last_chunk = seen.iter().rposition(|next| next.starts_with("put")).expect("chunks came");
    assert!(seen[..last_chunk].iter().any(|next| next == "beat"));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_keeps_its_phase_from_being_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().display();
    let mut line = Line::open(NEVER);
    for (source, expected) in [
        (
            Source::File(folder.path().join("gone")),
            format!("can't read {name}/gone: No such file or directory (os error 2)"),
        ),
        (
            Source::File(folder.path().to_owned()),
            format!("can't read {name} after 0 bytes: Is a directory (os error 21)"),
        ),
        (Source::Missing("variables".to_owned()), "this run was given no variables".to_owned()),
    ] {
        line.outbox.send_phase("p1", "text", vec![Upload { step: 7, source }]);
        let expected = Reply::Unreadable { frame: "p1".to_owned(), step: 7, why: expected };
        assert_eq!(line.reply().await, expected);
    }
    line.outbox.send_phase("p2", "text", Vec::new());
    assert_eq!(line.next().await, "phase 4 p2");
}

#[tokio::test]
async fn the_password_of_sudo_comes_first_and_no_cancel_takes_it_back() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"package").expect("it is ours");
    let mut line = Line::open(NEVER);
    line.outbox.put("sudo", b"secret\n");
    line.send_file("p1", 7, file.path());
    line.outbox.cancel();
    assert_eq!(line.reply().await, Reply::Done("p1".to_owned(), false));
    line.send_file("p2", 7, file.path());
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(line.next().await);
    }
    let expected = ["cancel", "put 7 sudo", "check 7 sudo", "put 7 in.7", "check 7 in.7", "phase 4 p2"];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_line_that_is_asked_for_too_much_is_closed() {
    let mut line = Line::open(NEVER);
    for _ in 0..=MOST_ORDERS {
        line.outbox.send_phase("p1", "text", Vec::new());
    }
    assert_eq!(line.next().await, "end");
}
