//! What people read: plain text, made purely from plans, facts and events.

mod changes;
mod check;
mod csv;
mod history;
mod lines;
mod notes;
mod plan;
mod recipe;
mod refusals;
mod replay;
mod stats;
mod status;
mod summary;
mod table;
mod visible;

pub use changes::{Change, show_changes, show_commits};
pub use check::{CheckPoint, CheckState, HostCheck, show_checks};
pub use csv::csv_line;
pub use history::{HistoryEntry, history_csv, show_history};
pub use lines::{Line, RunLines, StepOutput, duration};
pub use notes::{NotedCommit, ReleaseNotes, show_notes};
pub use plan::{Detail, count_hosts, show_plan};
pub use recipe::show_recipe;
pub use refusals::show_refusals;
pub use replay::show_replay;
pub use stats::{Delivery, DeployStats, deliveries, show_stats};
pub use status::{HostStatus, Missed, compare_hosts, describe_maintenance, show_status};
pub use summary::{Seen, Summary};
pub use table::{Table, ago};
pub use visible::{on_one_line, visible, visible_json};
