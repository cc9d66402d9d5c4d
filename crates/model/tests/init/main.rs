//! What `init` makes of a checkout: of each shape of project the file that it writes, without its comments, and what it says or asks.
//! Every such file passes the configuration's own reader, in every environment.

mod answers;
mod earlier;
mod languages;
mod python;
mod whole;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use buedafab_model::config;
use buedafab_model::init::{Answers, CheckoutFacts, Files, Question, guess, matters, understand, write};

/// A checkout of `five`, on `main`, with these files.
fn checkout(files: &[(&str, &str)]) -> CheckoutFacts {
    let paths = files.iter().map(|(path, _)| (*path).to_owned());
    let texts: BTreeMap<String, String> = files
        .iter()
        .filter(|(path, _)| matters(path))
        .map(|(p, t)| ((*p).to_owned(), (*t).to_owned()))
        .collect();
    CheckoutFacts {
        folder: "checkout".to_owned(),
        remote: Some(("origin".to_owned(), "git@github.com:bueda/five.git".to_owned())),
        branch: Some("main".to_owned()),
        default_branch: Some("main".to_owned()),
        branches: vec!["main".to_owned()],
        can_sign: false,
        mentions_static_root: files.iter().any(|(_, text)| text.contains("STATIC_ROOT")),
        files: Files::new(paths, texts),
    }
}

/// The whole file, once it can be read.
#[track_caller]
fn file_of(facts: &CheckoutFacts, answers: &Answers) -> String {
    let text = write(&guess(facts, answers));
    let parsed =
        config::parse("buedafab.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
    for environment in parsed.environment_names() {
        parsed.settings(&environment).unwrap_or_else(|mistakes| panic!("{environment}: {mistakes}\n{text}"));
    }
    text
}

/// What the file says of its own, and what is told beside it: the rest is the same for every project.
#[track_caller]
fn shape(facts: &CheckoutFacts) -> String {
    same_for_all(&file_of(facts, &Answers::default())) + &told(facts, &Answers::default())
}

fn same_for_all(text: &str) -> String {
    const SAME: [&str; 11] = [
        "unit = \"five\"",
        "path = \"/var/webapps/{unit}\"",
        "release_paths = [\"a\", \"b\", \"c\"]",
        "scm = \"git@github.com:bueda/five.git\"",
        "default_revision = \"HEAD\"",
        "sign_tags = false",
        "hosts = []",
        "[environments.development]",
        "[environments.staging]",
        "[environments.production]",
        "branch = \"main\"",
    ];
    let own = text.lines().filter(|line| {
        let offered = ["# [services.", "# command", "# build =", "# default =", "# To do"];
        let is_said = !line.starts_with('#') || offered.iter().any(|begin| line.starts_with(begin));
        let is_same = SAME.iter().any(|same| line.split(" #").next().unwrap_or(line).trim_end() == *same);
        is_said && !is_same && !["", "[hooks]", "# build = \"make\""].contains(line)
    });
    own.map(|line| format!("{line}\n")).collect()
}

fn told(facts: &CheckoutFacts, answers: &Answers) -> String {
    let guess = guess(facts, answers);
    let mut told = String::new();
    for (what, why) in &guess.reasons {
        let _ = writeln!(told, "- {what} ({why})");
    }
    for note in &guess.notes {
        let _ = writeln!(told, "! {note}");
    }
    for question in &guess.questions {
        match question {
            Question::Hosts | Question::Health { .. } | Question::Start { usual: Some(_) } => {}
            other => {
                let _ = writeln!(told, "? {}", other.words());
            }
        }
    }
    told
}

const MANAGE: &str = "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"hc.settings\")\n";
