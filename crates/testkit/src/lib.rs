//! Real hosts, git remotes and slow lines for buedafab's tests and its benchmark.
//!
//! A [`Fleet`] is a number of real sshd on one machine, each in namespaces of its own, so that each behaves as a
//! host with its own `/var/webapps`, users and processes. A [`Remote`] is a throw-away git remote that every host
//! can read. A [`Relay`] stands in front of a host and makes its line long, silent or cut.
//!
//! Nothing here is mocked, so it needs root, and the packages `openssh-server`, `openssh-client`, `git`, `sudo`,
//! `systemd` and `util-linux`. Every function panics with a full account when the machine doesn't do as it is told: in a
//! test there is nothing better to do with such an error.

mod addresses;
mod agent;
mod certificates;
mod cgroup;
mod claim;
mod client;
mod fleet;
mod folder;
mod host;
mod http;
mod layout;
mod lines;
mod load;
mod moto;
mod processes;
mod relay;
mod remote;
mod smtp;
mod sudo;

pub use agent::Agent;
pub use certificates::Certificates;
pub use client::Client;
pub use fleet::{Fleet, FleetOptions};
pub use host::FleetHost;
pub use http::{HttpAnswer, HttpRequest, HttpServer};
pub use lines::Lines;
pub use load::{Answered, Load, LoadReport};
pub use moto::{Moto, run_python};
pub use relay::Relay;
pub use remote::Remote;
pub use smtp::SmtpServer;
pub use sudo::{PASSWORD, Sudo};
