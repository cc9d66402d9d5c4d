//! Who does what on a host: who logs in, who the app runs as, and what sudo wants.

use crate::app::run_as::RunAs;
use crate::config::area::area;
use crate::config::areas::hosts::entry::UserText;
use crate::config::rule::{Always, Noted, Unset};
use crate::config::values::Word;

area! {
    /// Who does what on a host.
    users: UsersSettings, UsersLayer, "Users on a host";

    /// The user who logs in and owns what is deployed, on hosts that name none.
    deploy_user: UserText => Option<String> = Unset("what your ssh_config says"), example r#""deploy""#;

    /// The group of those who deploy, where they are several users: all that a run makes belongs to it, and is writable for
    /// it. Without it, all that a run makes is readable for everybody, and writable for its user.
    deploy_group: Word => Option<String> = Unset("the group of the user"), example r#""deploy""#;

    /// The user that the app's own code runs as, by sudo: the recipe's steps, the hooks `build`, `check` and `once`,
    /// migrations, tasks, `run`, `manage`. What it makes in a release is given to `deploy_group`, which it has to be in.
    run_as: UserText => Option<String> = Unset("the user who logs in"), example r#""www-data""#;

    /// Whether sudo wants a password on the hosts: it is asked for once, before hosts are changed, or taken from
    /// `BUEDAFAB_SUDO_PASSWORD`.
    ask_sudo_password: bool => bool = Noted(Always(false), "sudo has to do without");
}

impl UsersSettings {
    /// Who the app's own code runs as, where that isn't the user who logs in.
    pub fn run_as(&self) -> Option<RunAs> {
        self.run_as.clone().map(|user| RunAs { user, group: self.deploy_group.clone() })
    }
}
