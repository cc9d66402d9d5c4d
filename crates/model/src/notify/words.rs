//! What is told, in words: a title of one line, and what there is to say below it.

use super::Notification;
use crate::app::notify::Moment;
use crate::run::outcome::Verdict;
use crate::view::{duration, on_one_line};

/// So many hosts are named; of more, the number is told.
const MOST_HOSTS: usize = 8;

/// A notification for people. No line holds anything that a terminal, a mail header or a chat would obey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What happened.
    pub title: String,
    /// Who, where, and what else there is to know, line by line.
    pub lines: Vec<String>,
    /// The page that shows what has changed.
    pub link: Option<String>,
}

impl Message {
    /// A notification in words.
    pub fn of(notification: &Notification) -> Self {
        let Notification {
            moment,
            by,
            unit,
            environment,
            headline,
            hosts,
            skipped,
            from,
            to,
            compare,
            milliseconds,
            verdict,
            why,
            serving,
            is_test,
            ..
        } = notification;
        let place = format!("{unit} · {environment}: {headline}");
        let took = milliseconds.map(duration);
        let within = took.as_ref().map_or(String::new(), |took| format!(" in {took}"));
        let after = took.as_ref().map_or(String::new(), |took| format!(" ({took})"));
        let title = match (moment, verdict) {
            _ if *is_test => place,
            (Moment::Started, _) => format!("▶ {place}"),
            // What a run that was cut short had left is back as it was.
            (Moment::Reverted, Some(Verdict::Done)) => {
                format!("↩ {unit} · {environment}: a switch that was never confirmed was put back{within}")
            }
            (_, Some(Verdict::Done) | None) => format!("✓ {place}: done{within}"),
            (_, Some(verdict)) => format!("✗ {place}: {verdict}{after}"),
        };
        let on = match hosts.as_slice() {
            [] => String::new(),
            few if few.len() <= MOST_HOSTS => {
                format!(", on {}", few.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
            many => format!(", on {} hosts", many.len()),
        };
        let mut lines = vec![format!("by {by}{on}")];
        lines.extend(match (from, to) {
            (Some(from), Some(to)) => Some(format!("{from} → {to}")),
            (None, Some(to)) => Some(format!("→ {to}")),
            (_, None) => None,
        });
        lines.extend(why.iter().cloned());
        lines.extend(serving.iter().cloned());
        lines.extend(skipped.iter().map(|skipped| format!("left out: {}", skipped.in_words())));
        let plain = |text: String| on_one_line(&text).replace('\t', " ");
        Message {
            title: plain(title),
            lines: lines.into_iter().map(plain).collect(),
            link: compare.clone().map(plain),
        }
    }

    /// All of it, line by line.
    pub fn text(&self) -> String {
        let lines = std::iter::once(&self.title).chain(&self.lines).chain(&self.link);
        lines.map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// No longer than so many characters; what is cut ends with a sign for that.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
