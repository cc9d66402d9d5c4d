//! What is done in a developer's checkout.

use crate::config::area::area;
use crate::config::rule::{Always, Empty, Unset};
use crate::config::values::{Argument, Commands, Text};

area! {
    /// What is done in a developer's checkout.
    developer: DeveloperSettings, DeveloperLayer, "A developer's checkout";

    /// What runs your tests, before a deploy and in `buedafab test`: `"django"`, `"nose"`, `"pytest"`, `"tornado"`,
    /// `"unittest"`, `"webpy"`, or a shell command.
    test_runner: Argument => Option<String> = Unset("none"), example r#""make test""#;

    /// What `buedafab lint` runs: `"pylint"`, `"ruff"`, or a shell command.
    linter: Argument => String = Always("pylint");

    /// `DEPLOYMENT_TYPE` of all that runs in your own checkout, whatever the environment: tests, `lint`, `setup`, and the
    /// hooks on your own machine. By `deployment_type` an app finds its databases and caches, and no test may find those
    /// of the hosts.
    local_deployment_type: Text => String = Always("SOLO"), example r#""TEST""#;

    /// Shell commands that `buedafab setup` ends with.
    extra_setup_tasks: Commands => Vec<String> = Empty, example r#"["env/bin/python manage.py migrate"]"#;
}
