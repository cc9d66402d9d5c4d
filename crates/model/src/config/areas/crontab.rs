//! The app's periodic jobs.

use crate::app::crontab::CrontabLocation;
use crate::config::area::area;
use crate::config::rule::{Always, Unset, means_itself};
use crate::config::values::FilePath;

means_itself!(CrontabLocation);

area! {
    /// The app's periodic jobs.
    crontab: CrontabSettings, CrontabLayer, "Periodic jobs";

    /// A crontab in the project, whose jobs run on the first host: put there when a release is live, and again after a
    /// rollback.
    crontab as file: FilePath => Option<String> = Unset("none"), example r#""conf/crontab""#;

    /// Where its jobs stand: `"user"`, a block of the deploying user's crontab, or `"system"`, `/etc/cron.d`, which takes
    /// root and has a user in each line.
    crontab_place as location: CrontabLocation => CrontabLocation = Always(CrontabLocation::User);
}
