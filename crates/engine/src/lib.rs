//! What buedafab does: git, connections, the runner at the far end, the driver. It decides nothing and prints nothing.

mod aws;
mod connection;
mod connector;
mod deployer;
mod drive;
mod fleet;
mod git;
mod http;
mod inputs;
mod inventory;
mod mirror;
mod notify;
mod open_files;
mod operator;
mod packages;
mod random;
pub mod runner;
mod s3;
mod traffic;
mod transport;

pub use aws::{Aws, AwsError};
pub use connection::{Closed, Connection, Reply, Source, Upload};
pub use connector::{ConnectError, Connector, Opened, Sharing};
pub use deployer::{SUDO_PASSWORD, has_program, run_in_terminal};
pub use drive::execute;
pub use fleet::{Fleet, Look};
pub use git::{GitError, Repository, Wanted};
pub use inputs::Inputs;
pub use inventory::{SourceError, ask};
pub use mirror::{MadeBundles, Mirror, MirrorError};
pub use notify::{Notifier, secret_trouble};
pub use open_files::allow_open_files;
pub use operator::new_run;
pub use packages::{PackageCache, PackageError};
pub use random::random_word;
pub use transport::{Disconnected, disconnect, interactive_command, interactive_shell, warm_connections};
