//! Stories: the real program, real sshd hosts, real git, and what people see.

mod celery;
mod crontab;
mod deploying;
mod developer;
mod faults;
mod going_back;
mod health;
mod history;
mod lines;
mod log;
mod maintenance;
mod ownership;
mod packages;
mod python;
mod redis;
mod releases;
mod secrets;
mod services;
mod serving;
mod stage;
mod strange;
mod submodules;
mod tasks;
mod terminal;
mod versions;
mod wheels;
