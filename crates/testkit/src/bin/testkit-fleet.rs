//! Starts a fleet to play with: `testkit-fleet [--systemd] [HOSTS [ROUND_TRIP_MS]]`. It prints what to put first on
//! `PATH`, so that `ssh web1` works, and lives until its stdin ends.

use std::env;
use std::io::{self, Write};
use std::time::Duration;

use buedafab_testkit::{Fleet, FleetOptions};

fn main() {
    let mut arguments = env::args().skip(1).peekable();
    let systemd = arguments.next_if_eq("--systemd").is_some();
    let mut numbers = arguments.map(|argument| argument.parse::<u16>().expect("arguments are numbers"));
    let hosts = numbers.next().unwrap_or(1).into();
    let round_trip = Duration::from_millis(numbers.next().unwrap_or(0).into());
    let fleet = Fleet::start(FleetOptions { hosts, systemd, ..FleetOptions::default() });
    let lines = (!round_trip.is_zero()).then(|| fleet.with_latency(round_trip));
    let client = lines.as_ref().map_or(fleet.client(), |lines| lines.client());
    writeln!(io::stdout(), "{}", client.bin().display()).expect("stdout is open");
    io::copy(&mut io::stdin(), &mut io::sink()).expect("stdin is open");
}
