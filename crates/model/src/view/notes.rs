//! What a release brought, as notes in Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;

/// A commit, as git tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedCommit {
    /// Its full id.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// The day on which it was written, `2026-11-27`.
    pub day: String,
    /// Its parents, the one that it was merged into first.
    pub parents: Vec<String>,
    /// The first line of its message.
    pub subject: String,
    /// The first line after it that says something.
    pub more: Option<String>,
}

/// What lies between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseNotes {
    /// The older one, as it was named.
    pub from: String,
    /// The newer one.
    pub to: String,
    /// How many commits it brought, merges aside.
    pub commits: usize,
    /// Who wrote them, those with the most commits first.
    pub authors: Vec<String>,
    /// From the day of the first to that of the last; `None`: it brought none.
    pub days: Option<(String, String)>,
    /// A page that shows it, if the repository has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What it brought, in sections; with one that has no title where nothing tells commits apart.
    pub sections: Vec<NoteSection>,
}

/// Commits that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteSection {
    /// What they are, or the merge that brought them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A line for each, newest first.
    pub entries: Vec<NoteEntry>,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteEntry {
    /// What it does.
    pub subject: String,
    /// The beginning of its id.
    pub commit: String,
    /// Whether it breaks what worked before, as its subject says.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub breaking: bool,
}

/// The words of conventional commits, and what they are called.
const KINDS: [(&str, &str); 11] = [
    ("feat", "Features"),
    ("fix", "Fixes"),
    ("perf", "Performance"),
    ("revert", "Reverts"),
    ("refactor", "Refactoring"),
    ("docs", "Documentation"),
    ("test", "Tests"),
    ("style", "Style"),
    ("build", "Build"),
    ("ci", "Continuous integration"),
    ("chore", "Chores"),
];

const OTHERS: &str = "Other changes";

impl ReleaseNotes {
    /// Folds commits, newest first, into notes: by the merges that brought them, or else by the words of conventional commits, or else
    /// as they are.
    pub fn of(from: &str, to: &str, commits: &[NotedCommit], page: Option<String>) -> ReleaseNotes {
        let own: Vec<&NotedCommit> = commits.iter().filter(|commit| commit.parents.len() < 2).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        own.iter().for_each(|commit| *counts.entry(&commit.author).or_default() += 1);
        let mut authors: Vec<(&str, usize)> = counts.into_iter().collect();
        authors.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let days: BTreeSet<&str> = own.iter().map(|commit| commit.day.as_str()).collect();
        let merges = by_merge(commits);
        let sections = match merges {
            Some(sections) => sections,
            None if own.iter().any(|commit| conventional(&commit.subject).is_some()) => by_kind(&own),
            None if own.is_empty() => Vec::new(),
            None => {
                vec![NoteSection { title: None, entries: own.iter().map(|commit| entry(commit)).collect() }]
            }
        };
        ReleaseNotes {
            from: from.to_owned(),
            to: to.to_owned(),
            commits: own.len(),
            authors: authors.into_iter().map(|(author, _)| author.to_owned()).collect(),
            days: days
                .first()
                .zip(days.last())
                .map(|(first, last)| ((*first).to_owned(), (*last).to_owned())),
            page,
            sections,
        }
    }
}

/// The line of a merge on the branch that releases come from: what it brought, under what it is called. `None`: there are no merges.
fn by_merge(commits: &[NotedCommit]) -> Option<Vec<NoteSection>> {
    let known: BTreeMap<&str, &NotedCommit> =
        commits.iter().map(|commit| (commit.id.as_str(), commit)).collect();
    let mut line = Vec::new();
    let mut next = commits.first();
    while let Some(commit) = next {
        line.push(commit);
        next = commit.parents.first().and_then(|parent| known.get(parent.as_str()).copied());
    }
    let on_line: BTreeSet<&str> = line.iter().map(|commit| commit.id.as_str()).collect();
    if !line.iter().any(|commit| commit.parents.len() > 1) {
        return None;
    }
    let mut told: BTreeSet<&str> = on_line.clone();
    let (mut sections, mut alone) = (Vec::new(), Vec::new());
    // What two merges brought came with the older one.
    for merge in line.iter().rev() {
        if merge.parents.len() < 2 {
            alone.push(entry(merge));
            continue;
        }
        let mut open: Vec<&str> = merge.parents[1..].iter().map(String::as_str).collect();
        let mut brought = BTreeSet::new();
        while let Some(id) = open.pop() {
            if let (Some(commit), true) = (known.get(id), told.insert(id)) {
                brought.insert(id);
                open.extend(commit.parents.iter().map(String::as_str));
            }
        }
        let is_brought =
            |commit: &&NotedCommit| brought.contains(commit.id.as_str()) && commit.parents.len() < 2;
        let entries: Vec<NoteEntry> = commits.iter().filter(is_brought).map(entry).collect();
        sections.push(NoteSection { title: Some(title_of(merge)), entries });
    }
    sections.reverse();
    alone.reverse();
    if !alone.is_empty() {
        sections.push(NoteSection { title: Some(OTHERS.to_owned()), entries: alone });
    }
    Some(sections)
}

/// What people call a merge: the title of its request, where the message has that below the first line, or its branch.
fn title_of(merge: &NotedCommit) -> String {
    let subject = &merge.subject;
    if let Some(rest) = subject.strip_prefix("Merge pull request ") {
        let number = rest.split_whitespace().next().unwrap_or_default();
        return format!("{} ({number})", merge.more.as_deref().unwrap_or(rest));
    }
    let branch = subject
        .strip_prefix("Merge branch '")
        .and_then(|rest| rest.split_once('\''))
        .map(|(branch, _)| branch);
    match (branch, &merge.more) {
        // GitLab writes the title below.
        (Some(_), Some(more)) => more.clone(),
        (Some(branch), None) => branch.to_owned(),
        (None, _) => subject.clone(),
    }
}

/// The kind of a conventional commit, whether it breaks something, and what it does: `feat(shop)!: sell maps`.
fn conventional(subject: &str) -> Option<(&'static str, bool, String)> {
    let (head, what) = subject.split_once(": ")?;
    let (head, breaking) = match head.strip_suffix('!') {
        Some(head) => (head, true),
        None => (head, false),
    };
    let (kind, scope) = match head.split_once('(') {
        Some((kind, scope)) => (kind, Some(scope.strip_suffix(')')?)),
        None => (head, None),
    };
    let (_, title) = KINDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(kind))?;
    let what = scope.map_or_else(|| what.to_owned(), |scope| format!("{scope}: {what}"));
    Some((title, breaking, what))
}

fn by_kind(commits: &[&NotedCommit]) -> Vec<NoteSection> {
    let kinds = KINDS.iter().map(|(_, title)| *title).chain([OTHERS]);
    let section = |title: &'static str| {
        let entries = commits.iter().filter_map(|commit| match conventional(&commit.subject) {
            Some((kind, breaking, subject)) => {
                (kind == title).then(|| NoteEntry { subject, breaking, ..entry(commit) })
            }
            None => (title == OTHERS).then(|| entry(commit)),
        });
        NoteSection { title: Some(title.to_owned()), entries: entries.collect() }
    };
    kinds.map(section).filter(|section| !section.entries.is_empty()).collect()
}

fn entry(commit: &NotedCommit) -> NoteEntry {
    NoteEntry {
        subject: commit.subject.clone(),
        commit: commit.id.chars().take(10).collect(),
        breaking: false,
    }
}

/// The notes as Markdown.
pub fn show_notes(notes: &ReleaseNotes) -> String {
    let ReleaseNotes { from, to, commits, authors, days, page, sections } = notes;
    let mut text = format!("# {}\n\n", escaped(to));
    let what = if *commits == 1 { "1 commit".to_owned() } else { format!("{commits} commits") };
    let by = match authors.split_last() {
        None => String::new(),
        Some((last, [])) => format!(" by {}", escaped(last)),
        Some((last, others)) => {
            let others: Vec<String> = others.iter().map(|author| escaped(author)).collect();
            format!(" by {} and {}", others.join(", "), escaped(last))
        }
    };
    let when = match days {
        Some((first, last)) if first == last => format!(", on {first}"),
        Some((first, last)) => format!(", from {first} to {last}"),
        None => String::new(),
    };
    let _ = writeln!(text, "{what} since {}{by}{when}.", escaped(from));
    if let Some(page) = page {
        let _ = writeln!(text, "[All changes]({page})");
    }
    for NoteSection { title, entries } in sections {
        text.push('\n');
        if let Some(title) = title {
            let _ = writeln!(text, "## {}\n", escaped(title));
        }
        for NoteEntry { subject, commit, breaking } in entries {
            let breaking = if *breaking { "**Breaking:** " } else { "" };
            let _ = writeln!(text, "- {breaking}{} ({commit})", escaped(subject));
        }
    }
    text
}

/// A text in which Markdown sees nothing but a text.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if "\\`*_[]<>".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
