//! The page of exit codes.

use std::collections::BTreeMap;
use std::fmt::Write;

use buedafab_model::run::outcome::Verdict;
use serde_json::Value;

use crate::markdown::{list_item, paragraph};

all! {
    verdicts: Verdict, [&'static str; 3],
    Done => Verdict::Done, [
        "Everything was done, or there was nothing to do.",
        "what was wanted",
        "nothing",
    ];
    Refused => Verdict::Refused, [
        "Refused, and nothing was touched. The reason stands in the message.",
        "what served before",
        "`check`",
    ];
    Locked => Verdict::Locked, [
        "Another run holds a lock, or a person holds deploys.",
        "what served before",
        "`status`, then the same again",
    ];
    Unreachable => Verdict::Unreachable, [
        "A host couldn't be reached, and nothing was changed anywhere.",
        "what served before",
        "`check`, then the same again",
    ];
    FailedBefore => Verdict::FailedBefore, [
        "Something failed before any host switched. A command of `run` that failed ends so too.",
        "the old release, everywhere",
        "mend it, then the same again",
    ];
    Reverted => Verdict::Reverted, [
        "Something failed after a host switched, and every host went back.",
        "the old release, everywhere",
        "mend it, then the same again",
    ];
    Mixed => Verdict::Mixed, [
        "The hosts serve different releases, or what some serve isn't known: a person is needed.",
        "the message says it, host by host",
        "`status`, then the same again",
    ];
    Interrupted => Verdict::Interrupted, [
        "A person interrupted, and no host was left half-way.",
        "the old release, everywhere",
        "`status`",
    ];
}

pub(crate) fn page() -> String {
    let mut rows: BTreeMap<u8, (String, [&str; 3])> = BTreeMap::new();
    for (verdict, told) in verdicts() {
        rows.insert(verdict.exit_code(), (format!("`{}`", text_of(&verdict)), told));
    }
    // Ways to stop before there is a run; `exit.rs` has them.
    for (code, told) in [
        (1, ["A bug in buedafab: please report it.", "not known", "`status`"]),
        (2, ["The command line can't be meant as it stands.", "what served before", "`buedafab --help`"]),
        (
            3,
            [
                "The configuration is missing, wrong or incomplete. The message shows where.",
                "what served before",
                "`config`",
            ],
        ),
    ] {
        assert!(rows.insert(code, (String::new(), told)).is_none(), "{code} has two meanings");
    }
    let mut text = String::from("# Exit codes\n\n");
    text.push_str(&paragraph(
        "One number says how a command ended. The codes are part of the interface: they are only ever added to. The \
         verdict is what the last event says under `--json`.",
    ));
    for (code, (verdict, [meaning, serves, next])) in rows {
        let _ = write!(text, "\n## {code}\n\n{}\n", paragraph(meaning));
        if !verdict.is_empty() {
            text.push_str(&list_item(&format!("Verdict: {verdict}")));
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

pub(crate) fn text_of(verdict: &Verdict) -> String {
    match serde_json::to_value(verdict) {
        Ok(Value::String(text)) => text,
        other => panic!("a verdict is a word: {other:?}"),
    }
}
