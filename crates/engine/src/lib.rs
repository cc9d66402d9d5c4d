//! What buedafab does: git, connections, the runner at the far end, the driver. It decides nothing and prints nothing.

mod connection;
mod connector;
mod drive;
mod fleet;
mod git;
mod helm;
mod inputs;
mod local;
mod packages;
mod random;
pub mod runner;
mod s3;
mod shell;
mod ssh;

pub use connection::{Closed, Connection, Reply};
pub use connector::{ConnectError, Connector, Opened, Sharing};
pub use drive::execute;
pub use fleet::{Fleet, Look};
pub use git::{GitError, Repository, Wanted};
pub use helm::new_run;
pub use inputs::Inputs;
pub use local::{LocalError, SUDO_PASSWORD, has_program, run_in_terminal, run_local};
pub use packages::{PackageCache, PackageError};
pub use random::random_word;
pub use shell::{interactive_command, interactive_shell};
