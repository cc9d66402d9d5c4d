//! What buedafab does: git, connections, the runner at the far end, the driver. It decides nothing and prints nothing.

mod connection;
mod connector;
mod drive;
mod fleet;
mod random;
pub mod runner;
mod ssh;

pub use connection::{Closed, Connection, Reply};
pub use connector::{ConnectError, Connector, Opened, Sharing};
pub use drive::execute;
pub use fleet::{Fleet, Look};
pub use random::random_word;
