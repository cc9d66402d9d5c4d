//! The connections to hosts. How each host is reached belongs to the [hosts](super::hosts).

use crate::config::area::area;
use crate::config::rule::Always;
use crate::config::values::Seconds;

area! {
    /// The connections to hosts.
    connection: ConnectionSettings, ConnectionLayer, "Connections";

    /// How long a connection may take to stand, in seconds.
    connect_timeout_seconds: Seconds<1> => u32 = Always(10_u32);

    /// After how many seconds of silence either side takes the other for dead, at least 3.
    lost_after_seconds: Seconds<3> => u32 = Always(15_u32);

    /// How long an idle SSH connection is kept open for the next command, in seconds; `0` keeps none.
    keep_warm_seconds: Seconds<0> => u32 = Always(300_u32);
}
