//! A page of the manual, as somebody reads it who types what stands there.
//!
//! A block of `console` holds commands behind their prompts, and below each what it prints:
//!
//! | prompt | where it is typed |
//! |---|---|
//! | `$ ` | in the checkout, at a terminal |
//! | `root@web1# `, `deploy@web1$ ` | on that host, as that user |
//!
//! `…` stands for anything: alone on a line for any lines, and within one for any words. `^C` or `^D` alone on a line is typed, and
//! ends what would go on. What is asked at the terminal is shown with its answer, but for a secret. A command below which nothing is shown has to go well, and may
//! print what it likes.
//!
//! A block of any other language whose first line is a comment with nothing but a file's name is that file's content: on all
//! hosts if the name is absolute, and in the checkout if it isn't.

use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

/// One thing that a page has its reader do.
#[derive(Debug)]
pub(super) enum Step {
    Write { file: String, text: String },
    Type(Typed),
}

/// A command, and what is shown of it.
#[derive(Debug)]
pub(super) struct Typed {
    /// The line of the page.
    pub(super) line: usize,
    /// A user and a host; `None` in the checkout.
    pub(super) on: Option<(String, String)>,
    pub(super) command: String,
    pub(super) shown: Vec<String>,
}

/// A question that is shown, and what is typed after it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Question {
    /// The end of its prompt.
    pub(super) ends: String,
    pub(super) answer: String,
}

pub(super) fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../.."].iter().collect()
}

static PROMPT: LazyLock<Regex> = LazyLock::new(|| regex(r"^(?:([a-z]+)@([a-z0-9]+)[#$]|\$) (.*)$"));
static FILE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^# (/?[a-z0-9._-]*(?:/[a-z0-9._-]+)*\.?[a-z0-9_-]+)$"));
static QUESTION: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(.*?(?:\[y/N\]|\? \[[^\]]*\]|Its name \[[^\]]*\]:|Type its name, \w+:|The value of \w+:|^>>>)) ?(.*)$",
    )
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("it is a pattern")
}

/// What a page has its reader do, in order.
pub(super) fn read(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let block: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line.get(indent..).unwrap_or_default())
            .take_while(|line| !line.starts_with("```"))
            .collect();
        if language == "console" {
            steps.extend(console(&block, number + 2).into_iter().map(Step::Type));
        } else if let Some(file) = block.first().and_then(|line| FILE.captures(line)) {
            steps.push(Step::Write { file: file[1].to_owned(), text: block.join("\n") + "\n" });
        }
    }
    steps
}

/// The commands of a block that begins in this line.
fn console(block: &[&str], first: usize) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    let mut is_unfinished = false;
    for (number, line) in block.iter().enumerate() {
        if is_unfinished {
            let command = &mut commands.last_mut().expect("one began").command;
            command.push('\n');
            command.push_str(line);
            is_unfinished = goes_on(command);
        } else if let Some(found) = PROMPT.captures(line) {
            let on = found.get(1).map(|user| (user.as_str().to_owned(), found[2].to_owned()));
            let command = found[3].to_owned();
            is_unfinished = goes_on(&command);
            commands.push(Typed { line: first + number, on, command, shown: Vec::new() });
        } else {
            let typed = commands.last_mut();
            let typed = typed.unwrap_or_else(|| {
                panic!("line {}: {line:?} is shown, and nothing was typed; a block of no commands has another fence", first + number)
            });
            typed.shown.push((*line).to_owned());
        }
    }
    commands
}

fn goes_on(command: &str) -> bool {
    command.ends_with(['|', '\\']) || command.matches('\'').count() % 2 == 1
}

fn is_typed(line: &str) -> bool {
    line == "^C" || line == "^D"
}

/// Whether what is typed after this isn't shown.
fn is_hidden(prompt: &str) -> bool {
    prompt.starts_with("The value of ")
}

impl Typed {
    /// What is asked, in order.
    pub(super) fn questions(&self) -> Vec<Question> {
        let found = self.shown.iter().filter_map(|line| QUESTION.captures(line));
        let question = |prompt: &str, answer: &str| Question {
            // Names of releases may stand before it, and a terminal's letters are bytes.
            ends: prompt[prompt.rfind(['[', '?']).unwrap_or(0)..].to_owned(),
            answer: if is_hidden(prompt) { "secret" } else { answer }.to_owned(),
        };
        found.map(|found| question(&found[1], &found[2])).collect()
    }

    /// What is to be seen.
    pub(super) fn seen(&self) -> Vec<&str> {
        self.shown.iter().map(String::as_str).filter(|line| !is_typed(line)).collect()
    }

    /// Whether what is shown ends with a question that nobody answers.
    pub(super) fn is_left_at_a_question(&self) -> bool {
        let last = self.shown.last().and_then(|line| QUESTION.captures(line));
        last.is_some_and(|found| found[2].is_empty() && !is_hidden(&found[1]))
    }

    /// What is typed to end it: the letter that goes with Control.
    pub(super) fn ended_by(&self) -> Option<char> {
        self.shown.last().filter(|line| is_typed(line)).and_then(|line| line.chars().last())
    }

    /// Says whether a command may end like this, by what is shown of it.
    pub(super) fn allows(&self, code: i32) -> bool {
        static EXIT: LazyLock<Regex> = LazyLock::new(|| regex(r"\(exit (\d+)\)$"));
        let ends = self.shown.iter().rev().find_map(|line| Some(EXIT.captures(line)?[1].to_owned()));
        let fails = |line: &String| line.starts_with("error:") || line.trim_start().starts_with("✗ ");
        match ends {
            _ if self.is_left_at_a_question() => true,
            _ if self.ended_by() == Some('C') => code == 130,
            // A run that is told again.
            _ if self.shown.iter().any(|line| line.starts_with("  served then: ")) => code == 0,
            Some(exit) => exit == code.to_string(),
            None => (code != 0) == self.shown.iter().any(fails),
        }
    }
}

/// What differs between two runs of one command is made alike: commits, times, ages, durations, ids of runs, people.
pub(super) fn alike(line: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\b\d{8}-\d{6}-[a-z0-9]{4}\b", "RUN"),
            (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d{4})?", "TIME"),
            (r"\b\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d UTC)?", "TIME"),
            (r"\b\d\d:\d\d:\d\d\b", "TIME"),
            (r"\b\d+ (MiB free|free) \(\d+ %\)", "N $1"),
            (r"(-g|\b)(?:[0-9a-f]{40}|[0-9a-f]{10}|[0-9a-f]{7})\b", "${1}COMMIT"),
            (r"\b\d+(?:\.\d+)? (?:ms|s|min|h)\b", "DURATION"),
            (r"\b[a-z]+@(?:vm|laptop)\b", "WHO"),
            (r"\bSHA256:[A-Za-z0-9+/]+", "SHA256"),
            (r"^\d+\t", "MILLISECONDS\t"),
            (r"git version [0-9.]+", "git version"),
            (r"\[\d+\]: ", "[PID]: "),
            (r"(\S) {2,}", "$1  "),
        ]
        .into_iter()
        .map(|(pattern, by)| (regex(pattern), by))
        .collect()
    });
    let line = line.trim_end().to_owned();
    RULES.iter().fold(line, |line, (pattern, by)| pattern.replace_all(&line, *by).into_owned())
}

/// The lines of a run, made alike. Hosts speak in any order.
fn all_alike<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    static HOST: LazyLock<Regex> =
        LazyLock::new(|| regex(r"^(?:MILLISECONDS\t)? *([a-z]+\d+)(?:\.example\.com)?(?: +│|\t)"));
    let mut lines: Vec<String> = lines.map(alike).collect();
    let host = |line: &String| HOST.captures(line).map(|found| found[1].to_owned());
    for run in lines.chunk_by_mut(|one, next| host(one).is_some() && host(next).is_some()) {
        run.sort_by_key(host);
    }
    lines
}

/// Compares what is shown with what was printed. The error is the first line that is shown, and wasn't said where it should be.
pub(super) fn compare(shown: &[&str], printed: &str) -> Result<(), String> {
    let (shown, printed) = (all_alike(shown.iter().copied()), all_alike(printed.lines()));
    let is_gap = |line: &String| line.trim() == "…";
    let mut parts: Vec<&[String]> = shown.split(is_gap).collect();
    let fits = |part: &[String], at: usize| {
        let there = printed.get(at..at + part.len());
        there.is_some_and(|there| part.iter().zip(there).all(|(shown, said)| is_like(shown, said)))
    };
    let missing = |part: &[String], at: usize| {
        let line =
            part.iter().zip(&printed[at.min(printed.len())..]).find(|(shown, said)| !is_like(shown, said));
        let line = line.map(|(shown, _)| shown).or(part.first());
        Err(line.cloned().unwrap_or_else(|| "(more than is shown)".to_owned()))
    };
    let (first, last) = (parts.remove(0), parts.pop());
    if !fits(first, 0) {
        return missing(first, 0);
    }
    let mut at = first.len();
    for part in parts {
        let Some(found) = (at..=printed.len()).find(|at| fits(part, *at)) else {
            return missing(part, printed.len());
        };
        at = found + part.len();
    }
    match last {
        None if at == printed.len() => Ok(()),
        None => Err(format!("(more than is shown: {:?})", printed[at])),
        Some(last) => {
            let begin = printed.len().checked_sub(last.len()).filter(|begin| *begin >= at);
            match begin {
                Some(begin) if fits(last, begin) => Ok(()),
                Some(begin) => missing(last, begin),
                None => missing(last, printed.len()),
            }
        }
    }
}

/// Whether a line is what is shown, in which `…` stands for anything.
pub(super) fn is_like(shown: &str, said: &str) -> bool {
    if !shown.contains('…') {
        return shown == said;
    }
    let mut parts: Vec<String> = shown.split('…').map(regex::escape).collect();
    let last = parts.pop().unwrap_or_default();
    let first = parts.remove(0);
    let middle: String = parts.iter().map(|part| format!(".*{part}")).collect();
    regex(&format!("^{first}{middle}.*{last}$")).is_match(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_it_is_typed() {
        let page = "Text.\n\n```toml\n# buedafab.toml\nunit = 'five'\n```\n\n1. so:\n   ```console\n   root@web1# id\n   $ jq 'a\n   b' |\n     tail\n   …\n   Sure? [y/N] y\n   ```\n```\n$ not typed\n```\n";
        let steps = read(page);
        let [Step::Write { file, text }, Step::Type(id), Step::Type(jq)] = &steps[..] else {
            panic!("{steps:?}")
        };
        assert_eq!((file.as_str(), text.as_str()), ("buedafab.toml", "# buedafab.toml\nunit = 'five'\n"));
        let on = id.on.as_ref().map(|(user, host)| (user.as_str(), host.as_str()));
        assert_eq!((on, id.command.as_str(), id.line), (Some(("root", "web1")), "id", 10));
        assert_eq!((&jq.on, jq.command.as_str()), (&None, "jq 'a\nb' |\n  tail"));
        assert_eq!(jq.questions(), [Question { ends: "[y/N]".to_owned(), answer: "y".to_owned() }]);
        assert_eq!(jq.seen(), ["…", "Sure? [y/N] y"]);
    }

    #[test]
    fn what_is_shown_is_compared_with_what_was_printed() {
        let printed = "web1: a1b2c3d4e5 4 s ago\n  lock      0.03 s\nmore\n✓ done in 0.2 s\n";
        assert_eq!(compare(&["web1: 0123456789 1 min ago", "…", "✓ done in 9.1 s"], printed), Ok(()));
        assert_eq!(compare(&["web1: …", "  lock  1 s", "more", "✓ done in 1 s"], printed), Ok(()));
        assert_eq!(compare(&["…", "more"], printed), Err("more".to_owned()));
        assert_eq!(compare(&["…", "less", "…"], printed), Err("less".to_owned()));
        assert_eq!(compare(&["web2: …", "…"], printed), Err("web2: …".to_owned()));
        assert!(compare(&["web1: …", "  lock  1 s"], printed).is_err());
    }
}
