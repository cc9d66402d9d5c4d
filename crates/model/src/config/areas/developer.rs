//! What is done in a developer's checkout.

use crate::config::area::area;
use crate::config::rule::{Always, Empty, Unset};
use crate::config::values::{Argument, Commands};

area! {
    /// What is done in a developer's checkout.
    developer: DeveloperSettings, DeveloperLayer, "A developer's checkout";

    /// What runs your tests, before a deploy and in `buedafab test`: `"django"`, `"nose"`, `"pytest"`, `"tornado"`,
    /// `"unittest"`, `"webpy"`, or a shell command.
    test_runner: Argument => Option<String> = Unset("none"), example r#""make test""#;

    /// What `buedafab lint` runs: `"pylint"`, `"ruff"`, or a shell command.
    linter: Argument => String = Always("pylint");

    /// Shell commands that `buedafab setup` ends with.
    extra_setup_tasks: Commands => Vec<String> = Empty, example r#"["env/bin/python manage.py migrate"]"#;
}
