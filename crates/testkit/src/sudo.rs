//! What `deploy` may do as another user.

/// The password of `deploy` on hosts with [`Sudo::WithPassword`]. It is one that a shell would take apart.
pub const PASSWORD: &str = "it's open $esame";

/// `PASSWORD`, as `openssl passwd -6` puts it into `/etc/shadow`.
const PASSWORD_HASH: &str =
    "$6$buedafab$ieauuLuskk4cacVTA2MZn.jLoOzyMjfkBGw0c8faHtX8HWMf0z6Fy5q3BR5hdi7pTsppQ9ywMuuRjnoC.MEl.0";

/// Whether `deploy` may run everything as everybody, by `sudo`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sudo {
    /// Not at all, and `deploy` has no password.
    #[default]
    None,
    /// Without being asked for a password, of which there is none.
    WithoutPassword,
    /// For the [`PASSWORD`].
    WithPassword,
}

impl Sudo {
    /// The content of a file in `/etc/sudoers.d`.
    pub(crate) fn sudoers(self) -> &'static str {
        match self {
            Sudo::None => "",
            Sudo::WithoutPassword => "deploy ALL=(ALL:ALL) NOPASSWD: ALL\n",
            Sudo::WithPassword => "deploy ALL=(ALL:ALL) ALL\n",
        }
    }

    /// The password of `deploy`, as it stands in `/etc/shadow`.
    ///
    /// One of `!` would be a locked account to sshd, and a key would not open it. `*` only has no password.
    pub(crate) fn password_hash(self) -> &'static str {
        match self {
            Sudo::None | Sudo::WithoutPassword => "*",
            Sudo::WithPassword => PASSWORD_HASH,
        }
    }
}
