//! A run without hosts: the real state of a run, over hosts and runners that are only modelled, and whatever can go wrong
//! between them. Deterministic: the same plan, hosts, faults and seed give the same run.
//!
//! [`simulate`] carries out a plan and checks, after every single action and at the end, what is promised of every run:
//!
//! - A host that served a complete release serves a complete release after every action, by a link that leads to a slot
//!   that isn't being built. A host that served nothing goes on to serve nothing, or serves a complete release.
//!   Where the strategy changes a release in its place, this holds but for the time between the two in which the way back lies on the
//!   disk.
//! - No link moves before every slot of the run is ready, and no wave begins before the one before it has switched.
//! - Nothing is done on a host without its lock, and nothing twice.
//! - What is told of a host is what it serves. "Not known" is told only of a host that couldn't be asked, couldn't go
//!   back, or wasn't waited for.
//! - The verdict holds: *done* means that every host serves the new release and was confirmed; every other verdict but
//!   *mixed* means that every host serves what it served; *mixed* is said only of hosts that need a person. A person who
//!   leaves without waiting is told how it will end: hosts that have switched are on their way back.
//! - No lock outlives its run.
//! - The app's process runs what the link leads to. What is promised here is less than it seems: it holds at the end of
//!   a run rather than within it, for an app that is restarted at all, where something was live before or is now, and
//!   where the way back didn't fail itself. After a power loss it is the init system that starts what the link leads to.
//!   A first deploy that is taken back may leave the app running: there is nothing to run instead.
//!
//! What a host that has no power serves is nobody's to know, and no promise is checked there but that its disk is right.

mod deployer;
mod fault;
mod host;
mod network;
mod promises;
mod runner;
mod schedule;

pub use deployer::SimDeployer;
pub use fault::{Fault, FaultKind, Progress};
pub use host::{Content, Process, SimHost, SimPending, SimSlot};
pub use network::{Scenario, SimulatedRun, simulate};
pub use promises::Violation;
