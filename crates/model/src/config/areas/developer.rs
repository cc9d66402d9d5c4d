//! What is done in a developer's checkout.

use std::str::FromStr;

use schemars::json_schema;

use crate::config::area::area;
use crate::config::mistake::{Mistake, typed_as_text};
use crate::config::rule::{Always, Empty, Unset, means};
use crate::config::values::{Argument, Commands, Text, schema_of};

area! {
    /// What is done in a developer's checkout.
    developer: DeveloperSettings, DeveloperLayer, "A developer's checkout";

    /// What runs your tests, before a deploy and in `buedafab test`: `"django"`, `"nose"`, `"pytest"`, `"tornado"`,
    /// `"unittest"`, or a shell command.
    test_runner: RunnerText => Option<String> = Unset("none"), example r#""make test""#;

    /// What `buedafab lint` runs: `"pylint"`, `"ruff"`, or a shell command.
    linter: Argument => String = Always("pylint");

    /// `DEPLOYMENT_TYPE` of all that runs in your own checkout, whatever the environment: tests, `lint`, `setup`, and the
    /// hooks on your own machine. By `deployment_type` an app finds its databases and caches, and no test may find those
    /// of the hosts.
    local_deployment_type: Text => String = Always("SOLO"), example r#""TEST""#;

    /// Shell commands that `buedafab setup` ends with.
    extra_setup_tasks: Commands => Vec<String> = Empty, example r#"["env/bin/python manage.py migrate"]"#;
}

/// What runs tests.
#[derive(Debug, Clone)]
pub(in crate::config) struct RunnerText(String);

typed_as_text!(RunnerText);

impl FromStr for RunnerText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let Argument(text) = text.parse()?;
        if text == "webpy" {
            return Err(Mistake::new("`webpy` is no runner of tests: under Fabric it ran none")
                .help("leave `test_runner` out; or write `pytest` or `unittest`, or a command"));
        }
        Ok(RunnerText(text))
    }
}

schema_of! {
    RunnerText => json_schema!({ "type": "string", "pattern": "^[^-]" }),
}

means! { RunnerText => String: RunnerText(text) => text }
