//! `manage` and `django_shell`: Django's own commands on the primary, in the live release, at the person's terminal.

use std::os::unix::process::CommandExt;

use buedafab_engine::interactive_command;
use buedafab_model::recipe::Recipe;
use buedafab_model::shell::{app_shell, quote_words};

use crate::arguments::Cli;
use crate::commands::shell::one_host;
use crate::exit::Stop;

pub(crate) fn manage(cli: &Cli, words: &[String]) -> Result<u8, Stop> {
    let (settings, host) = one_host(cli, "manage -- COMMAND")?;
    if settings.recipe != Recipe::Django {
        return Err(
            Stop::configuration("only a Django project has a manage.py").hint("set recipe = \"django\"")
        );
    }
    let manage = format!("exec python manage.py {}", quote_words(words));
    let mut command = interactive_command(&settings, &host, &app_shell(&settings, &host, &manage));
    let program = command.get_program().to_string_lossy().into_owned();
    // On success this program is gone, and the command has its place.
    Err(Stop::bug(format!("can't run {program}: {}", command.exec())))
}
