//! How a host is reached, as it is written: `ssh`, `sh`, `docker exec -i {host} sh`.

use std::str::FromStr;

use schemars::json_schema;

use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::template::{Template, escape};
use crate::config::values::schema_of;
use crate::host::Connect;

/// A [`Connect`] whose words may still hold placeholders.
#[derive(Debug, Clone)]
pub(in crate::config) enum ConnectText {
    /// `ssh` and nothing else: the user's own OpenSSH.
    Ssh,
    /// The words of a command. They are told apart before anything is filled in, so that no value can become two words.
    Command(Vec<Template>),
}

const PLACEHOLDERS: [&str; 4] = ["host", "address", "user", "port"];

typed_as_text!(ConnectText);

impl FromStr for ConnectText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        if text.contains('\0') {
            return Err(Mistake::new("a NUL byte can't stand in here"));
        }
        let words = shlex::split(text).ok_or_else(|| {
            Mistake::new(format!("a quote in {} is never closed", quoted(text)))
                .help("quotes work as in a shell: close the quote, or write `\\` before it")
        })?;
        match words.as_slice() {
            [] => Err(Mistake::new("this command is empty")
                .help("write `ssh`, `sh` or a command that gives a shell")),
            [only] if only == "ssh" => Ok(ConnectText::Ssh),
            words => words
                .iter()
                .map(|word| template(word, text))
                .collect::<Result<_, _>>()
                .map(ConnectText::Command),
        }
    }
}

/// Reads one word, and points into the whole text where that is where the word stands unquoted.
fn template(word: &str, text: &str) -> Result<Template, Mistake> {
    Template::parse(word, &PLACEHOLDERS).map_err(|mut mistake| {
        mistake.within = mistake.within.and_then(|within| {
            let start = text.find(&word[within.clone()])?;
            Some(start..start + within.len())
        });
        mistake
    })
}

impl ConnectText {
    /// The command for one host.
    ///
    /// # Errors
    ///
    /// The name of the first placeholder that has no value for this host.
    pub(in crate::config) fn fill<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Connect, String> {
        match self {
            ConnectText::Ssh => Ok(Connect::Ssh),
            ConnectText::Command(words) => {
                words.iter().map(|word| word.fill(&value)).collect::<Result<_, _>>().map(Connect::Command)
            }
        }
    }
}

/// The text that is read as this very [`Connect`].
pub(in crate::config) fn write_connect(connect: &Connect) -> String {
    match connect {
        Connect::Ssh => "ssh".to_string(),
        Connect::Command(words) => {
            let words: Vec<String> = words.iter().map(|word| escape(word)).collect();
            let quoter = shlex::Quoter::new().allow_nul(true);
            quoter.join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
        }
    }
}

schema_of! {
    ConnectText => json_schema!({ "type": "string" }),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Connect, Mistake> {
        let filled = ConnectText::from_str(text)?.fill(|name| match name {
            "host" => Some("web 1"),
            "address" => Some("10.0.0.1"),
            "port" => Some("22"),
            _ => None,
        });
        filled.map_err(|name| Mistake::new(format!("no {name}")))
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match read(text) {
            Ok(Connect::Ssh) => "ssh".to_string(),
            Ok(Connect::Command(words)) => format!("{words:?}"),
            Err(mistake) => format!("{} at {:?}", mistake.message, mistake.within),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn commands_are_split_before_they_are_filled() {
        check("ssh", "ssh");
        check(" ssh ", "ssh");
        check("sh", r#"["sh"]"#);
        check("docker exec -i {host} sh", r#"["docker", "exec", "-i", "web 1", "sh"]"#);
        check("nc '{address} x' {port}", r#"["nc", "10.0.0.1 x", "22"]"#);
        check("echo {{host}}", r#"["echo", "{host}"]"#);
        check("ssh -l {user} x", "no user at None");
        check("", "this command is empty at None");
        check("sh -c 'x", "a quote in `sh -c 'x` is never closed at None");
        check("docker exec {hsot} sh", "`{hsot}` isn't a placeholder here at Some(12..18)");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(words in prop::collection::vec("[^\0]*", 1..5)) {
            let connect = if words == ["ssh"] { Connect::Ssh } else { Connect::Command(words) };
            prop_assert_eq!(read(&write_connect(&connect)), Ok(connect));
        }
    }
}
