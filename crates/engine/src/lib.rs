//! What buedafab does: git, connections, the runner at the far end, the driver. It decides nothing and prints nothing.

mod connection;
mod connector;
mod drive;
mod fleet;
mod git;
mod helm;
mod inputs;
mod local;
mod random;
pub mod runner;
mod shell;
mod ssh;

pub use connection::{Closed, Connection, Reply};
pub use connector::{ConnectError, Connector, Opened, Sharing};
pub use drive::execute;
pub use fleet::{Fleet, Look};
pub use git::{GitError, Repository, Wanted};
pub use helm::new_run;
pub use inputs::Inputs;
pub use local::{LocalError, has_program, run_in_terminal, run_local};
pub use random::random_word;
pub use shell::{interactive_command, interactive_shell};
