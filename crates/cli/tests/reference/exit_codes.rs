//! The page of exit codes.

use std::fmt::Write;

use buedafab_model::run::exit_code::ExitCode;

use crate::events::{text_of, verdicts};
use crate::markdown::{list_item, paragraph};

// What each means, what serves then, and what to do next.
all! {
    codes: ExitCode, [&'static str; 3],
    Done => ExitCode::Done, [
        "Everything was done, or there was nothing to do.",
        "what was wanted",
        "nothing",
    ];
    Bug => ExitCode::Bug, [
        "A bug in buedafab: please report it.",
        "not known",
        "`status`",
    ];
    Usage => ExitCode::Usage, [
        "The command line can't be meant as it stands.",
        "what served before",
        "`buedafab --help`",
    ];
    Configuration => ExitCode::Configuration, [
        "The configuration is missing, wrong or incomplete. The message shows where.",
        "what served before",
        "`config`",
    ];
    Refused => ExitCode::Refused, [
        "Refused, and nothing was touched. The reason stands in the message.",
        "what served before",
        "`check`",
    ];
    Locked => ExitCode::Locked, [
        "Another run holds a lock, or a person holds deploys.",
        "what served before",
        "`status`, then the same again",
    ];
    Unreachable => ExitCode::Unreachable, [
        "A host couldn't be reached, and nothing was changed anywhere.",
        "what served before",
        "`check`, then the same again",
    ];
    FailedBefore => ExitCode::FailedBefore, [
        "Something failed before any host switched. A command of `run` that failed ends so too.",
        "the old release, everywhere",
        "mend it, then the same again",
    ];
    Reverted => ExitCode::Reverted, [
        "Something failed after a host switched, and every host went back.",
        "the old release, everywhere",
        "mend it, then the same again",
    ];
    Mixed => ExitCode::Mixed, [
        "The hosts serve different releases, or what some serve isn't known: a person is needed.",
        "the message says it, host by host",
        "`status`, then the same again",
    ];
    OutputLost => ExitCode::OutputLost, [
        "All was done, but standard output was closed or full before all was said.",
        "what the command made serve",
        "`status`, or `history last` to see the run again",
    ];
    Interrupted => ExitCode::Interrupted, [
        "A person interrupted, and no host was left half-way.",
        "the old release, everywhere",
        "`status`",
    ];
}

pub(crate) fn page() -> String {
    let mut text = String::from("# Exit codes\n\n");
    text.push_str(&paragraph(
        "One number says how a command ended. The codes are part of the interface: they are only ever added to. The \
         verdict is what the last event says under `--json`.",
    ));
    let mut last = None;
    for (code, [meaning, serves, next]) in codes() {
        assert!(last < Some(code.number()), "{code} has two meanings, or stands out of order");
        last = Some(code.number());
        let _ = write!(text, "\n## {code}\n\n{}\n", paragraph(meaning));
        for (verdict, ()) in verdicts().iter().filter(|(verdict, ())| verdict.exit_code() == code) {
            text.push_str(&list_item(&format!("Verdict: `{}`", text_of(verdict))));
        }
        text.push_str(&list_item(&format!("Serving: {serves}")));
        text.push_str(&list_item(&format!("Next: {next}")));
    }
    text.push_str("\n## Questions\n\n");
    text.push_str(&paragraph(
        "`status` and `history` end with 6 when a host couldn't be asked, and `check` with 6 or 4. `shell` ends with \
         the code of the shell itself. [Troubleshooting](../troubleshooting.md) goes through them one by one.",
    ));
    text
}
