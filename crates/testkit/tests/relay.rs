//! Lines are as long, silent and cut as they are told.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use buedafab_testkit::Relay;

const ONE_WAY: Duration = Duration::from_millis(50);

/// A server that sends back what it gets.
fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut back = stream.try_clone().unwrap();
            thread::spawn(move || {
                let _ = std::io::copy(&mut stream, &mut back);
                let _ = back.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

/// Connects, and says hello, so that the handshake is over.
fn connect(relay: &Relay) -> TcpStream {
    let mut stream = TcpStream::connect(relay.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    round_trip(&mut stream);
    stream
}

fn round_trip(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    stream.write_all(b"hello").unwrap();
    stream.read_exact(&mut [0; 5]).unwrap();
    start.elapsed()
}

/// Says whether nothing comes for a while, though the connection is open.
fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = stream.read(&mut [0; 1]).map_err(|error| error.kind());
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    matches!(error, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

#[test]
fn every_byte_is_late_and_a_connect_costs_its_round_trip() {
    let relay = Relay::start(echo_server(), ONE_WAY);
    let start = Instant::now();
    let mut stream = connect(&relay);
    // A way there, one back and one there for the handshake, then one back for the echo.
    assert!(start.elapsed() >= 4 * ONE_WAY);
    let round_trip = round_trip(&mut stream);
    println!("a round trip of {:?} took {round_trip:.2?}", 2 * ONE_WAY);
    assert!(round_trip >= 2 * ONE_WAY);
}

#[test]
fn a_long_line_is_not_a_narrow_one() {
    let relay = Relay::start(echo_server(), ONE_WAY);
    let mut stream = connect(&relay);
    let data: Vec<u8> = (0..8_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    // All of it gets under way, although nothing arrives.
    relay.freeze();
    stream.write_all(&data).unwrap();
    while relay.kept_back() < data.len() {
        thread::yield_now();
    }
    relay.thaw();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    assert!(received == data);
    let all = "hello".len() as u64 + data.len() as u64;
    assert_eq!((relay.carried_there(), relay.carried_back()), (all, all));
}

#[test]
fn a_frozen_line_is_silent_and_loses_nothing() {
    let relay = Relay::start(echo_server(), Duration::ZERO);
    let mut stream = connect(&relay);
    relay.freeze();
    stream.write_all(b"late").unwrap();
    assert!(is_silent(&mut stream));
    let mut newcomer = TcpStream::connect(relay.address()).unwrap();
    newcomer.write_all(b"too").unwrap();
    assert!(is_silent(&mut newcomer));
    relay.thaw();
    let (mut late, mut too) = ([0; 4], [0; 3]);
    stream.read_exact(&mut late).unwrap();
    newcomer.read_exact(&mut too).unwrap();
    assert_eq!((&late, &too), (b"late", b"too"));
}

#[test]
fn a_frozen_line_hides_the_end_of_the_other_side() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let relay = Relay::start(listener.local_addr().unwrap(), Duration::ZERO);
    let mut stream = TcpStream::connect(relay.address()).unwrap();
    let (far, _) = listener.accept().unwrap();
    relay.freeze();
    drop(far);
    assert!(is_silent(&mut stream));
    relay.thaw();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_cut_resets_what_there_is_and_takes_new_connections() {
    let relay = Relay::start(echo_server(), Duration::ZERO);
    for frozen in [false, true] {
        let mut stream = connect(&relay);
        if frozen {
            relay.freeze();
        }
        relay.cut();
        assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        relay.thaw();
        round_trip(&mut connect(&relay));
    }
}

#[test]
fn a_dropped_relay_is_gone() {
    let relay = Relay::start(echo_server(), Duration::ZERO);
    let mut stream = connect(&relay);
    let address = relay.address();
    drop(relay);
    assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)));
    assert!(TcpStream::connect(address).is_err());
}
