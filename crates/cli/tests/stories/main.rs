//! Stories: the real program, real sshd hosts, real git, and what people see.

mod crontab;
mod deploying;
mod developer;
mod faults;
mod lines;
mod maintenance;
mod python;
mod releases;
mod secrets;
mod services;
mod serving;
mod stage;
mod strange;
mod submodules;
mod tasks;
mod versions;
mod wheels;
