//! `init`: looks at the repository, asks what only a person can say, and writes a commented buedafab.toml.

use buedafab_engine::Repository;
use buedafab_model::config;
use buedafab_model::init::{Answers, CheckoutFacts, Guess, guess, understand, write};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::outcome::Verdict;

use crate::arguments::{GlobalArgs, InitArgs};
use crate::commands::check::CREDENTIALS_SHOULD_GO;
use crate::discover::{FILE_NAME, current_folder};
use crate::exit::CliError;
use crate::prompt::{Echo, Terminal};
use crate::report::{leave_outputs, print_data, print_talk};

pub(crate) async fn init(arguments: &InitArgs, global: &GlobalArgs) -> Result<ExitCode, CliError> {
    let InitArgs { force, print } = arguments;
    let repository = Repository::find(&current_folder()?)?;
    let path = repository.root().join(FILE_NAME);
    if !print && path.exists() && !force {
        let message = format!("{} exists already", path.display());
        return Err(CliError::usage(message)
            .hint("--force overwrites it, and keeps its hosts and what else was answered"));
    }
    let facts = repository.overview().await;
    let former = if *force { std::fs::read_to_string(&path).ok() } else { None };
    let answers = match former.map(|text| Answers::of_former(&text, &facts.files)) {
        Some(Ok(answers)) => answers,
        Some(Err(why)) => {
            print_talk(&format!("! nothing of the former {FILE_NAME} is kept: it can't be read: {why}"));
            Answers::default()
        }
        None => Answers::default(),
    };
    let terminal = if *print || global.yes || global.json { None } else { Terminal::find() };
    let guess = match terminal {
        Some(terminal) => ask(&facts, answers, &terminal).await?,
        None => {
            let guess = guess(&facts, &answers);
            tell_reasons(&guess);
            for unanswered in guess.questions.iter().filter_map(|question| question.unanswered()) {
                print_talk(&format!("! {unanswered}"));
            }
            guess
        }
    };
    let text = write(&guess);
    if let Err(mistakes) = config::parse(FILE_NAME, &text) {
        return Err(CliError::bug(format!("what init wrote can't be read:\n{mistakes}")));
    }
    for note in &guess.notes {
        print_talk(&format!("! {note}"));
    }
    if guess.has_credentials {
        let remote = facts.remote.as_ref().map_or("origin", |(name, _)| name.as_str());
        print_talk(&format!(
            "! the URL of {remote:?} {CREDENTIALS_SHOULD_GO}; it isn't written into {FILE_NAME}"
        ));
    }
    if *print {
        print_data(&text);
        return Ok(ExitCode::Done);
    }
    std::fs::write(&path, text)
        .map_err(|error| CliError::usage(format!("can't write {}: {error}", path.display())))?;
    let first = if guess.names_production() { "" } else { "name your hosts in it, " };
    print_talk(&format!(
        "wrote {}\nnext: {first}commit it, then, for those of production: buedafab production check",
        path.display()
    ));
    Ok(ExitCode::Done)
}

fn tell_reasons(guess: &Guess) {
    for (what, why) in &guess.reasons {
        print_talk(&format!("{what} ({why})"));
    }
}

/// Asks until nothing is open. An answer that the file couldn't hold is asked for again.
async fn ask(facts: &CheckoutFacts, mut answers: Answers, terminal: &Terminal) -> Result<Guess, CliError> {
    let mut has_told = false;
    loop {
        let guess = guess(facts, &answers);
        // Which app it is comes first, and what is said of it after that.
        if !has_told && guess.is_certain() {
            tell_reasons(&guess);
            has_told = true;
        }
        let Some(question) = guess.questions.first() else { return Ok(guess) };
        // What was told is read before the question.
        let _ = tokio::task::spawn_blocking(leave_outputs).await;
        let Some(typed) = terminal.ask(&question.words(), Echo::Shown).await else {
            terminal.put("\n");
            return Err(CliError::verdict(Verdict::Interrupted, "nothing was written"));
        };
        match understand(facts, &answers, question, &typed) {
            Ok(more) => answers = more,
            Err(why) => terminal.put(&format!("{why}\n")),
        }
    }
}
