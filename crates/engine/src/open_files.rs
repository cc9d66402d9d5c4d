//! How many files this program may have open: every connection takes some.

use buedafab_model::host::Host;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a connection takes while it comes to stand: three pipes, the process, its log, and one that is only there until the
/// process has started.
const PER_HOST: u64 = 6;

/// What the rest of the program takes: outputs, the run's log, git, hooks.
const BESIDE: u64 = 100;

/// Raises the limit, if these hosts at once need more than is allowed by default; for no more than they need, since programs
/// that are started from here get it, too. `Err` says what is short: how many hosts can be reached at once.
pub fn allow_open_files(hosts: &[Host]) -> Result<(), String> {
    let wanted = BESIDE + PER_HOST * hosts.len() as u64;
    let allowed = getrlimit(Resource::Nofile);
    match raised(wanted, allowed) {
        Ok(None) => Ok(()),
        Ok(Some(limit)) => {
            let raised = setrlimit(Resource::Nofile, limit);
            raised.map_err(|error| format!("the limit of open files can't be raised to {wanted}: {error}"))
        }
        Err(most) => {
            // As far as it goes.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: allowed.maximum, ..allowed });
            Err(format!(
                "{} hosts at once need {wanted} open files, and this machine allows {}: about {most} can be reached; \
                 raise the hard limit (`ulimit -Hn`), or name fewer with --hosts",
                hosts.len(),
                allowed.maximum.unwrap_or(u64::MAX),
            ))
        }
    }
}

/// The limit to set, if any; or how many hosts there can be.
fn raised(wanted: u64, allowed: Rlimit) -> Result<Option<Rlimit>, u64> {
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if is_enough(allowed.current) {
        return Ok(None);
    }
    if is_enough(allowed.maximum) {
        return Ok(Some(Rlimit { current: Some(wanted), ..allowed }));
    }
    Err(allowed.maximum.unwrap_or(u64::MAX).saturating_sub(BESIDE) / PER_HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_raised_than_is_needed() {
        let limit = |current, maximum| Rlimit { current, maximum };
        let cases = [
            (700, limit(Some(1024), Some(4096)), Ok(None)),
            (1600, limit(Some(1024), Some(4096)), Ok(Some(limit(Some(1600), Some(4096))))),
            (1600, limit(Some(1024), None), Ok(Some(limit(Some(1600), None)))),
            (1600, limit(None, None), Ok(None)),
            (6100, limit(Some(1024), Some(4096)), Err(666)),
            (6100, limit(Some(64), Some(64)), Err(0)),
        ];
        for (wanted, allowed, expected) in cases {
            assert_eq!(raised(wanted, allowed), expected, "{wanted} of {allowed:?}");
        }
    }
}
