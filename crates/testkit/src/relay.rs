//! A TCP line that can be long, silent or cut.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc as blocking};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// How much is read at once.
const CHUNK_BYTES: usize = 32 * 1024;
/// How many chunks may be under way in one direction: 16 MiB, far more than ssh has under way at any latency.
const CHUNKS_UNDER_WAY: usize = 512;

/// Passes TCP connections on to a target, and everything in them as late as on a long line, but no slower: what is
/// sent at once arrives at once.
///
/// A connection costs its round trip, too: the target's first byte comes two round trips after the connect, as it does
/// for real, although the connect itself returns at once. Times are exact to about a millisecond, and never too short.
///
/// It works in a thread of its own, so blocking tests can use it. Dropping it closes all its connections.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    orders: mpsc::UnboundedSender<(Order, blocking::Sender<()>)>,
    kept_back: Arc<AtomicUsize>,
    carried: Arc<Carried>,
    thread: Option<JoinHandle<()>>,
}

/// How many bytes were passed on, each way.
#[derive(Debug, Default)]
struct Carried {
    there: AtomicU64,
    back: AtomicU64,
}

/// What can be told to a relay that runs.
#[derive(Debug)]
enum Order {
    /// Pass nothing on.
    Freeze,
    /// Pass on again, beginning with what was kept back.
    Thaw,
    /// End all connections.
    Cut,
    /// End all connections and take no more.
    Stop,
}

impl Relay {
    /// Starts a relay to `target`. It listens on the target's own address, if that is a loopback one, at a free port:
    /// so relays to different hosts have different addresses.
    pub fn start(target: SocketAddr, one_way: Duration) -> Relay {
        let ip = if target.ip().is_loopback() { target.ip() } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let listener = std::net::TcpListener::bind((ip, 0)).expect("a loopback address has a free port");
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        // At most one order is in it for each thread that waits for an answer, so it needs no bound.
        let (orders, received) = mpsc::unbounded_channel();
        let kept_back = Arc::new(AtomicUsize::new(0));
        let carried = Arc::new(Carried::default());
        let (counted, passed) = (Arc::clone(&kept_back), Arc::clone(&carried));
        let work = move || {
            let runtime =
                Builder::new_current_thread().enable_all().build().expect("the machine has an epoll");
            runtime.block_on(work(listener, target, one_way, counted, passed, received));
        };
        let thread = thread::Builder::new().name(format!("relay to {target}")).spawn(work);
        let thread = Some(thread.expect("the machine has room for a thread"));
        Relay { address, orders, kept_back, carried, thread }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the line silent: nothing is passed on any more, in either direction, but no connection is closed, and new
    /// ones are taken and left without an answer.
    pub fn freeze(&self) {
        self.order(Order::Freeze);
    }

    /// Ends the silence. What was sent in it arrives now.
    pub fn thaw(&self) {
        self.order(Order::Thaw);
    }

    /// How many bytes were sent since the line became silent.
    pub fn kept_back(&self) -> usize {
        self.kept_back.load(Ordering::Relaxed)
    }

    /// How many bytes all its connections have brought to the target.
    pub fn carried_there(&self) -> u64 {
        self.carried.there.load(Ordering::Relaxed)
    }

    /// How many bytes all its connections have brought from the target.
    pub fn carried_back(&self) -> u64 {
        self.carried.back.load(Ordering::Relaxed)
    }

    /// Resets all connections, on both sides, even on a frozen line. What is under way is lost. New connections are
    /// taken as before.
    pub fn cut(&self) {
        self.order(Order::Cut);
    }

    fn order(&self, order: Order) {
        let (done, answer) = blocking::channel();
        self.orders.send((order, done)).expect("the relay runs until it is dropped");
        answer.recv().expect("the relay answers every order");
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let (done, _) = blocking::channel();
            let _ = self.orders.send((Order::Stop, done));
            let _ = thread.join();
        }
    }
}

/// What all connections of a relay have to know.
#[derive(Clone)]
struct Line {
    target: SocketAddr,
    one_way: Duration,
    frozen: watch::Receiver<bool>,
    kept_back: Arc<AtomicUsize>,
    carried: Arc<Carried>,
    cut: watch::Receiver<()>,
}

async fn work(
    listener: std::net::TcpListener,
    target: SocketAddr,
    one_way: Duration,
    kept_back: Arc<AtomicUsize>,
    carried: Arc<Carried>,
    mut orders: mpsc::UnboundedReceiver<(Order, blocking::Sender<()>)>,
) {
    let listener = TcpListener::from_std(listener).expect("the runtime is here");
    let (frozen, frozen_seen) = watch::channel(false);
    let (cut, cut_seen) = watch::channel(());
    let counted = Arc::clone(&kept_back);
    let line = Line { target, one_way, frozen: frozen_seen, kept_back: counted, carried, cut: cut_seen };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error is about one connection that was gone before it was taken.
                if let Ok((near, _)) = accepted {
                    connections.spawn(connection(near, line.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
            order = orders.recv() => {
                let Some((order, done)) = order else { return };
                match order {
                    Order::Freeze => {
                        kept_back.store(0, Ordering::Relaxed);
                        let _ = frozen.send(true);
                    }
                    Order::Thaw => _ = frozen.send(false),
                    Order::Cut => {
                        let _ = cut.send(());
                        while connections.join_next().await.is_some() {}
                    }
                    Order::Stop => return,
                }
                // Nobody waits for the answer of a relay that is being dropped.
                let _ = done.send(());
            }
        }
    }
}

/// Serves one connection until it ends or is cut.
async fn connection(mut near: TcpStream, line: Line) {
    let mut cut = line.cut.clone();
    cut.mark_unchanged();
    let mut far = None;
    let is_cut = tokio::select! {
        _ = cut.changed() => true,
        carried = carry(&mut near, &mut far, &line) => {
            if carried.is_err() {
                // Bad news travels no faster than good news, and not at all over a frozen line.
                tokio::select! {
                    _ = cut.changed() => {}
                    () = async { sleep(line.one_way).await; thawed(&line).await } => {}
                }
            }
            carried.is_err()
        }
    };
    if is_cut {
        // Without lingering, closing a socket resets its connection.
        let _ = near.set_zero_linger();
        let _ = far.as_ref().map(TcpStream::set_zero_linger);
    }
}

/// Connects to the target and carries everything both ways. The streams stay the caller's, for how they end.
async fn carry(near: &mut TcpStream, far: &mut Option<TcpStream>, line: &Line) -> io::Result<()> {
    near.set_nodelay(true)?;
    // The target hears of a connection when the last packet of the handshake is there, after three ways.
    pause_until(Instant::now() + 3 * line.one_way).await;
    thawed(line).await;
    let far = far.insert(TcpStream::connect(line.target).await?);
    far.set_nodelay(true)?;
    let (near_read, near_write) = near.split();
    let (far_read, far_write) = far.split();
    let Carried { there, back } = &*line.carried;
    tokio::try_join!(pump(near_read, far_write, there, line), pump(far_read, near_write, back, line))?;
    Ok(())
}

/// Carries one direction to its end. Each chunk is passed on at a time of its own, however many are on their way.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    carried: &AtomicU64,
    line: &Line,
) -> io::Result<()> {
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_UNDER_WAY);
    let read = async move {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let length = from.read(&mut buffer).await?;
            if *line.frozen.borrow() {
                line.kept_back.fetch_add(length, Ordering::Relaxed);
            }
            let chunk = (Instant::now() + line.one_way, buffer[..length].to_vec());
            if sender.send(chunk).await.is_err() || length == 0 {
                return io::Result::Ok(());
            }
        }
    };
    let write = async move {
        while let Some((due, chunk)) = under_way.recv().await {
            pause_until(due).await;
            thawed(line).await;
            if chunk.is_empty() {
                to.shutdown().await?;
            } else {
                // Before anybody can know that it came.
                carried.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                to.write_all(&chunk).await?;
            }
        }
        Ok(())
    };
    tokio::try_join!(read, write)?;
    Ok(())
}

/// Waits until the line isn't frozen.
async fn thawed(line: &Line) {
    // An error means that the relay is about to end, and everything with it.
    let _ = line.frozen.clone().wait_for(|frozen| !frozen).await;
}

/// Sleeps unless the time has come: even the shortest sleep takes a millisecond.
async fn pause_until(due: Instant) {
    if due > Instant::now() {
        sleep_until(due).await;
    }
}
