//! How long things may take.

use crate::config::area::area;
use crate::config::rule::Always;
use crate::config::values::Seconds;

area! {
    /// How long things may take.
    limits: LimitsSettings, LimitsLayer, "Limits on time";

    /// How long one step may run, in seconds.
    step_timeout_seconds: Seconds<1> => u32 = Always(900_u32);

    /// How long a switched host waits to be confirmed before it reverts by itself, in seconds: all waves have to fit in.
    confirm_timeout_seconds: Seconds<1> => u32 = Always(1800_u32);
}
