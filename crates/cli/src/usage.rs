//! How commands are typed, and in what groups a person looks for them.

use std::fmt::Write;

use clap::{Arg, Command};

/// The groups, each with its commands in the order in which a person meets them. What stands in none is shown last.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Releases",
        &[
            "check",
            "changes",
            "deploy",
            "rollback",
            "recover",
            "hold",
            "unhold",
            "drain",
            "undrain",
            "elb_add",
            "elb_remove",
            "retire",
            "adopt",
            "migrate-layout",
        ],
    ),
    ("What runs", &["status", "logs", "history"]),
    (
        "The app on its hosts",
        &["run", "put", "shell", "manage", "django_shell", "restart_webserver", "maintenance", "env"],
    ),
    ("Your checkout", &["init", "setup", "test", "lint"]),
    ("This program", &["config", "recipe", "list", "disconnect", "demo", "completions"]),
];

/// A heading, and the commands below it.
pub(crate) type Group<'c> = (&'static str, Vec<&'c Command>);

/// The commands that are shown, by their groups; the project's own tasks are the last.
pub(crate) fn groups<'c>(root: &'c Command, is_task: impl Fn(&str) -> bool) -> Vec<Group<'c>> {
    let shown = || root.get_subcommands().filter(|command| !command.is_hide_set());
    let named = |name: &&str| shown().find(|command| command.get_name() == *name);
    let mut groups: Vec<Group<'c>> =
        GROUPS.iter().map(|(title, names)| (*title, names.iter().filter_map(&named).collect())).collect();
    let is_grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let (tasks, others) = shown()
        .filter(|command| !is_grouped(command.get_name()))
        .partition(|command| is_task(command.get_name()));
    groups.push(("More", others));
    groups.push(("Tasks of this project", tasks));
    groups.retain(|(_, commands)| !commands.is_empty());
    groups
}

/// Commands that are about no environment.
const WITHOUT_ENVIRONMENT: [&str; 4] = ["init", "demo", "completions", "list"];

/// Those that may be.
const ENVIRONMENT_OPTIONAL: [&str; 7] = ["config", "recipe", "test", "lint", "setup", "disconnect", "status"];

/// Whether a command means nothing without an environment.
pub(crate) fn needs_environment(name: &str) -> bool {
    !WITHOUT_ENVIRONMENT.contains(&name) && !ENVIRONMENT_OPTIONAL.contains(&name)
}

/// How the command is typed.
#[doc(hidden)]
pub fn usage(command: &Command) -> String {
    let name = command.get_name();
    let environment = match name {
        _ if WITHOUT_ENVIRONMENT.contains(&name) => "",
        _ if ENVIRONMENT_OPTIONAL.contains(&name) => "[ENVIRONMENT] ",
        _ => "ENVIRONMENT ",
    };
    with_arguments(format!("buedafab {environment}{name}"), command)
}

/// The same with its options and arguments.
#[doc(hidden)]
pub fn with_arguments(mut words: String, command: &Command) -> String {
    for argument in command.get_opts().filter(|argument| argument.is_required_set()) {
        let _ = write!(words, " {}", option_name(argument));
    }
    words.push_str(" [OPTIONS]");
    for argument in command.get_positionals() {
        let dots =
            if argument.get_num_args().is_some_and(|range| range.max_values() > 1) { " …" } else { "" };
        let open = if argument.is_required_set() { ("", "") } else { ("[", "]") };
        let _ = write!(words, " {}{}{dots}{}", open.0, value_name(argument), open.1);
    }
    words
}

/// `-f, --flag VALUE`.
#[doc(hidden)]
pub fn option_name(argument: &Arg) -> String {
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    if argument.get_action().takes_values() {
        format!("{} {}", names.join(", "), value_name(argument))
    } else {
        names.join(", ")
    }
}

/// What a value is called.
#[doc(hidden)]
pub fn value_name(argument: &Arg) -> String {
    match argument.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => argument.get_id().as_str().to_uppercase(),
    }
}
