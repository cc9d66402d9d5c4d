//! The app's secrets, a file of variables in `shared`: read as people write them, and written so that a shell and systemd
//! read the same.

use std::fmt;

/// Something that never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Keeps these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Secret(bytes.into())
    }

    /// The bytes, for whoever sends them on.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a text can't be a variable, or a file of variables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvFileError {
    /// A line is none.
    #[error("line {line} isn't NAME=value")]
    NotAVariable {
        /// Which, from 1.
        line: usize,
    },
    /// A quote is never closed.
    #[error("the quote in line {line} is never closed")]
    OpenQuote {
        /// Which, from 1.
        line: usize,
    },
    /// A name can't be that of a variable.
    #[error("{name:?} can't be the name of a variable")]
    BadName {
        /// The name.
        name: String,
    },
    /// A value that not all readers of the file would read the same.
    #[error("the value of {name} holds a line break or a NUL byte, which programs read in different ways")]
    BadValue {
        /// Whose.
        name: String,
    },
}

/// Whether a variable may be called so.
pub fn check_name(name: &str) -> Result<(), EnvFileError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(plain);
    if fits { Ok(()) } else { Err(EnvFileError::BadName { name: name.to_owned() }) }
}

/// One line of the file. In double quotes a shell and systemd take the same four characters for special.
pub fn render_line(name: &str, value: &str) -> Result<Secret, EnvFileError> {
    check_name(name)?;
    if value.contains(['\n', '\r', '\0']) {
        return Err(EnvFileError::BadValue { name: name.to_owned() });
    }
    let mut line = format!("{name}=\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '`' | '$') {
            line.push('\\');
        }
        line.push(c);
    }
    Ok(Secret::new(line + "\"\n"))
}

/// A file as a person wrote it, in the form in which it is kept: comments and `export` are left out, and a name that
/// comes twice means what comes last.
pub fn normalize(text: &str) -> Result<Secret, EnvFileError> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let number = index + 1;
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(EnvFileError::NotAVariable { line: number })?;
        let name = name.trim().to_owned();
        check_name(&name)?;
        let value = read_value(value.trim(), number)?;
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
    }
    let mut kept = Vec::new();
    for (name, value) in &variables {
        kept.extend(render_line(name, value)?.reveal());
    }
    Ok(Secret::new(kept))
}

/// A value: in single quotes as it is, in double quotes with backslashes, or bare up to a comment.
fn read_value(text: &str, line: usize) -> Result<String, EnvFileError> {
    let open = EnvFileError::OpenQuote { line };
    match text.chars().next() {
        Some('\'') => {
            let (value, rest) = text[1..].split_once('\'').ok_or(open)?;
            ends(rest, line).map(|()| value.to_owned())
        }
        Some('"') => {
            let mut value = String::new();
            let mut characters = text[1..].char_indices();
            while let Some((at, c)) = characters.next() {
                match c {
                    '"' => return ends(&text[at + 2..], line).map(|()| value),
                    '\\' => match characters.next() {
                        Some((_, escaped @ ('"' | '\\' | '`' | '$'))) => value.push(escaped),
                        Some((_, other)) => value.extend(['\\', other]),
                        None => break,
                    },
                    c => value.push(c),
                }
            }
            Err(open)
        }
        _ => {
            let comment = text.find(" #").unwrap_or(text.len());
            Ok(text[..comment].trim_end().to_owned())
        }
    }
}

/// After a closing quote there may be a comment, and nothing else.
fn ends(rest: &str, line: usize) -> Result<(), EnvFileError> {
    let rest = rest.trim();
    if rest.is_empty() || rest.starts_with('#') { Ok(()) } else { Err(EnvFileError::NotAVariable { line }) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> String {
        match normalize(text) {
            Ok(secret) => String::from_utf8_lossy(secret.reveal()).into_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn files_are_read_as_people_write_them() {
        let text = "# secrets\nexport A=1\n B = two words  # why\nC='it \"is\" $HOME'\nD=\"a \\\"b\\\" \\$c\" # x\n\nE=\nA=2\nF=a#b=c\n";
        let expected = "B=\"two words\"\nC=\"it \\\"is\\\" \\$HOME\"\nD=\"a \\\"b\\\" \\$c\"\nE=\"\"\nA=\"2\"\nF=\"a#b=c\"\n";
        assert_eq!(normal(text), expected);
        assert_eq!(normal(expected), expected, "what is kept means itself");
        assert_eq!(normal("A=1\nnonsense"), "line 2 isn't NAME=value");
        assert_eq!(normal("A='x"), "the quote in line 1 is never closed");
        assert_eq!(normal("A=\"x\\"), "the quote in line 1 is never closed");
        assert_eq!(normal("A='x' y"), "line 1 isn't NAME=value");
        assert_eq!(normal("1A=x"), "\"1A\" can't be the name of a variable");
    }

    #[test]
    fn a_secret_never_prints() {
        assert_eq!(format!("{:?}", Secret::new("x")), "Secret(…)");
        assert!(render_line("A", "x\ny").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn a_shell_reads_what_was_written(value in "[^\0\r\n]{0,30}|[ '\"$`\\\\!*#=;&|()]{0,15}") {
            let line = render_line("A", &value).expect("it is one line");
            let script = format!("{}printf '%s.' \"$A\"", String::from_utf8_lossy(line.reveal()));
            let output = Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{value}."));
            let again = normalize(&String::from_utf8_lossy(line.reveal())).expect("it is read again");
            prop_assert_eq!(again.reveal(), line.reveal());
        }
    }
}
