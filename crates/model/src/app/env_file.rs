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
    #[error(
        "the value of {name} holds a carriage return or a NUL byte, which programs read in different ways"
    )]
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

/// One variable of the file. In single quotes everybody takes what stands there as it is: a shell, systemd, python-dotenv and
/// python-decouple. What can't stand in them stands in double ones, where a shell and systemd take the same four characters
/// for special.
pub fn render_line(name: &str, value: &str) -> Result<Secret, EnvFileError> {
    check_name(name)?;
    if value.contains(['\r', '\0']) {
        return Err(EnvFileError::BadValue { name: name.to_owned() });
    }
    if fits_in_single_quotes(value) {
        return Ok(Secret::new(format!("{name}='{value}'\n")));
    }
    let mut line = format!("{name}=\"");
    for c in value.chars() {
        if SPECIAL.contains(&c) {
            line.push('\\');
        }
        line.push(c);
    }
    Ok(Secret::new(line + "\"\n"))
}

/// What a shell and systemd take for special in double quotes.
const SPECIAL: [char; 4] = ['"', '\\', '`', '$'];

/// python-dotenv takes two backslashes for one, and one at the end for a part of the quote.
fn fits_in_single_quotes(value: &str) -> bool {
    !value.contains('\'') && !value.contains("\\\\") && !value.ends_with('\\')
}

/// Who reads a value in another way than a shell and systemd do, where they open the file themselves: there is no writing of it
/// that all of them know.
pub fn odd_readers(value: &str) -> Vec<&'static str> {
    let in_single_quotes = fits_in_single_quotes(value);
    // It fills those in whatever quotes they stand in, and knows only some of what a backslash stands before.
    let dotenv = value.contains("${") || !in_single_quotes && value.contains(['$', '`']);
    // It knows neither a second line nor a backslash.
    let decouple = value.contains('\n') || !in_single_quotes && value.contains(SPECIAL);
    let all = [(dotenv, "python-dotenv"), (decouple, "python-decouple")];
    all.into_iter().filter_map(|(is_odd, name)| is_odd.then_some(name)).collect()
}

/// A file of variables, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFile {
    /// The variables' names, in the order of the file.
    pub names: Vec<String>,
    /// The file.
    pub text: Secret,
    /// Variables that not everybody who opens the file reads in the same way, and who doesn't.
    pub odd: Vec<(String, Vec<&'static str>)>,
}

/// A file as a person wrote it, in the form in which it is kept: comments and `export` are left out, and a name that
/// comes twice means what comes last. What stands in quotes may go on over several lines, as keys do.
pub fn normalize(text: &str) -> Result<EnvFile, EnvFileError> {
    // Whoever writes on Windows means the same.
    let text = text.replace("\r\n", "\n");
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut lines = text.split('\n').enumerate();
    while let Some((index, raw)) = lines.next() {
        let number = index + 1;
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let exported = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
        let line = exported.unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(EnvFileError::NotAVariable { line: number })?;
        let name = name.trim().to_owned();
        check_name(&name)?;
        let mut value = value.trim_start().to_owned();
        if let Some(quote) = value.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            // What was trimmed off the end of the line belongs to the value then.
            if !is_closed(&value, quote) {
                value = raw[raw.find('=').map_or(0, |at| at + 1)..].trim_start().to_owned();
            }
            while !is_closed(&value, quote) {
                let (_, more) = lines.next().ok_or(EnvFileError::OpenQuote { line: number })?;
                value = value + "\n" + more;
            }
        }
        let value = read_value(value.trim_end(), number)?;
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
    }
    let mut kept = Vec::new();
    let mut odd = Vec::new();
    for (name, value) in &variables {
        kept.extend(render_line(name, value)?.reveal());
        let readers = odd_readers(value);
        if !readers.is_empty() {
            odd.push((name.clone(), readers));
        }
    }
    let names = variables.into_iter().map(|(name, _)| name).collect();
    Ok(EnvFile { names, text: Secret::new(kept), odd })
}

/// Whether a value that begins with a quote has its other one.
fn is_closed(value: &str, quote: char) -> bool {
    let mut characters = value.chars().skip(1);
    while let Some(c) = characters.next() {
        match c {
            '\\' if quote == '"' => drop(characters.next()),
            c if c == quote => return true,
            _ => {}
        }
    }
    false
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
                        // The line goes on.
                        Some((_, '\n')) => {}
                        Some((_, other)) => value.extend(['\\', other]),
                        None => break,
                    },
                    c => value.push(c),
                }
            }
            Err(open)
        }
        _ => {
            let comment = [" #", "\t#"].iter().filter_map(|mark| text.find(mark)).min();
            Ok(text[..comment.unwrap_or(text.len())].trim_end().to_owned())
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
            Ok(file) => String::from_utf8_lossy(file.text.reveal()).into_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn files_are_read_as_people_write_them() {
        let text = "# secrets\nexport A=1\n B = two words  # why\nC='it \"is\" $HOME'\nD=\"a \\\"b\\\" \\$c\" # x\n\nE=\nA=2\nF=a#b=c\n";
        let expected = "B='two words'\nC='it \"is\" $HOME'\nD='a \"b\" $c'\nE=''\nA='2'\nF='a#b=c'\n";
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
        assert!(render_line("A", "x\ry").is_err());
    }

    #[test]
    fn what_stands_in_quotes_goes_on_over_lines() {
        let key = "-----BEGIN KEY-----\nMIIE=\nB=no variable\n-----END KEY-----";
        let text = format!("export\tKEY=\"{key}\n\" # why\r\nA='one \n two'\nC=\"it's\"\n");
        let file = normalize(&text).expect("it is one");
        assert_eq!(file.names, ["KEY", "A", "C"]);
        assert_eq!(
            file.odd,
            [("KEY".to_owned(), vec!["python-decouple"]), ("A".to_owned(), vec!["python-decouple"])]
        );
        let expected = format!("KEY='{key}\n'\nA='one \n two'\nC=\"it's\"\n");
        assert_eq!(normal(&text), expected);
        assert_eq!(normal(&expected), expected, "what is kept means itself");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn a_shell_reads_what_was_written(value in "[^\0\r]{0,30}|[\n '\"$`\\\\!*#=;&|()]{0,15}") {
            let line = render_line("A", &value).expect("it is one line");
            let script = format!("{}printf '%s.' \"$A\"", String::from_utf8_lossy(line.reveal()));
            let output = Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{value}."));
            let again = normalize(&String::from_utf8_lossy(line.reveal())).expect("it is read again");
            prop_assert_eq!(again.text.reveal(), line.reveal());
        }
    }
}
