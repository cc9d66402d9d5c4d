//! Visitors who ask in a loop, and notice whatever goes wrong.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// How long an answer may take before it counts as none.
const LONGEST: Duration = Duration::from_secs(30);
/// What a visitor does between two requests.
const THINKS: Duration = Duration::from_millis(15);

/// Visitors of a web server: half of them send POST, each over a connection that is kept, and one request of fifty is for `/slow`. Before
/// a connection is used again it is looked at whether the server has closed it: who doesn't do that sees failures that are their own.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<LoadReport>>,
}

/// What visitors have seen.
#[derive(Debug, Default)]
pub struct LoadReport {
    /// The answers, in no order.
    pub answers: Vec<Answered>,
    /// What went wrong, each in a line.
    pub failed: Vec<String>,
}

/// A good answer.
#[derive(Debug, Clone)]
pub struct Answered {
    /// When it was asked for.
    pub asked: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// What it said.
    pub body: String,
}

impl Load {
    /// So many visitors, from now on, of `ADDRESS:PORT`.
    pub fn start(address: &str, visitors: usize) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let visitors = (0..visitors).map(|number| {
            let (address, stop) = (address.to_owned(), stop.clone());
            std::thread::spawn(move || visit(&address, number % 2 == 1, &stop))
        });
        Load { visitors: visitors.collect(), stop }
    }

    /// What they have seen until now, when they leave.
    pub fn stop(self) -> LoadReport {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = LoadReport::default();
        for visitor in self.visitors {
            let LoadReport { answers, failed } = visitor.join().expect("a visitor doesn't panic");
            all.answers.extend(answers);
            all.failed.extend(failed);
        }
        all
    }
}

impl LoadReport {
    /// The longest that anybody waited for a good answer.
    pub fn slowest(&self) -> Duration {
        self.answers.iter().map(|answered| answered.took).max().unwrap_or_default()
    }
}

fn visit(address: &str, posts: bool, stop: &AtomicBool) -> LoadReport {
    let mut seen = LoadReport::default();
    let mut kept: Option<BufReader<TcpStream>> = None;
    let mut number = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let path = if number.is_multiple_of(50) { "/slow" } else { "/" };
        let (asked, since) = (SystemTime::now(), Instant::now());
        let answer = ask(address, &mut kept, path, posts);
        match answer {
            Ok((200, body)) => seen.answers.push(Answered { asked, took: since.elapsed(), body }),
            Ok((status, body)) => {
                let body = body.lines().next().unwrap_or_default().to_owned();
                seen.failed.push(format!("{status} {body}"));
            }
            Err(error) => {
                kept = None;
                seen.failed.push(error.to_string());
            }
        }
        std::thread::sleep(THINKS);
    }
    seen
}

fn ask(
    address: &str,
    kept: &mut Option<BufReader<TcpStream>>,
    path: &str,
    posts: bool,
) -> io::Result<(u16, String)> {
    if kept.as_ref().is_some_and(|connection| was_closed(connection.get_ref())) {
        *kept = None;
    }
    let connection = match kept {
        Some(connection) => connection,
        None => {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(LONGEST))?;
            stream.set_nodelay(true)?;
            kept.insert(BufReader::new(stream))
        }
    };
    let (method, body) = if posts { ("POST", "name=value") } else { ("GET", "") };
    let length = if posts { format!("Content-Length: {}\r\n", body.len()) } else { String::new() };
    let request = format!("{method} {path} HTTP/1.1\r\nHost: www.example.com\r\n{length}\r\n{body}");
    connection.get_mut().write_all(request.as_bytes())?;
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(io::Error::other(format!("{method} closed without an answer")));
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("{line:?} is no answer")))?;
    let (mut length, mut is_last, mut is_chunked) = (0, false, false);
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap_or(0),
            Some(("connection", "close")) => is_last = true,
            Some(("transfer-encoding", _)) => is_chunked = true,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    if is_chunked {
        loop {
            line.clear();
            connection.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
            let mut chunk = vec![0; size + 2];
            connection.read_exact(&mut chunk)?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    } else {
        body.resize(length, 0);
        connection.read_exact(&mut body)?;
    }
    if is_last {
        *kept = None;
    }
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn was_closed(stream: &TcpStream) -> bool {
    let mut byte = [0];
    if stream.set_nonblocking(true).is_err() {
        return true;
    }
    let seen = stream.peek(&mut byte);
    let is_silent = matches!(&seen, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).is_err() || !is_silent
}
