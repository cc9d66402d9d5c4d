//! Names that belong to one living process at a time.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// A name that no other process on this machine has while this value lives.
///
/// It is the binding of an abstract Unix socket: the kernel gives it out atomically and takes it back when the
/// process dies, however it dies. So it never goes stale, leaves no file behind, and isn't fooled by process ids
/// that are used again. Like the loopback addresses it guards, it holds within one network namespace.
#[derive(Debug)]
pub(crate) struct Claim(#[expect(dead_code, reason = "it is held, not used")] UnixDatagram);

impl Claim {
    /// Claims a name, or returns `None` if somebody has it.
    pub(crate) fn take(name: &str) -> Option<Claim> {
        let address = SocketAddr::from_abstract_name(format!("buedafab-testkit {name}"))
            .expect("a claim's name is shorter than a socket address");
        UnixDatagram::bind_addr(&address).ok().map(Claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_owner_and_is_free_again_after_it() {
        let first = Claim::take("a test's name");
        assert!(first.is_some());
        assert!(Claim::take("a test's name").is_none());
        drop(first);
        assert!(Claim::take("a test's name").is_some());
    }
}
