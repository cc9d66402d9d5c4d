//! Quoting for POSIX shells. All of it lives here.

/// The text as one word of a POSIX shell, whatever it holds; NUL bytes, which no word can hold, are left out.
pub fn quote(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':' | '@' | '%' | '+' | ',')
}

/// A command as a person would type it. The first word is its name, so that no `=` after it means an assignment.
pub fn typed_words<I: IntoIterator<Item = S>, S: AsRef<str>>(words: I) -> String {
    let typed = |word: &str| match !word.starts_with('=') && word.chars().all(|c| is_plain(c) || c == '=') {
        true if !word.is_empty() => word.to_owned(),
        _ => quote(word),
    };
    let mut words = words.into_iter();
    let name = words.next().map(|word| quote(word.as_ref()));
    name.into_iter().chain(words.map(|word| typed(word.as_ref()))).collect::<Vec<_>>().join(" ")
}

/// Several words, each quoted, with spaces between.
pub fn quote_words<I: IntoIterator<Item = S>, S: AsRef<str>>(words: I) -> String {
    words.into_iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn through_sh(text: &str) -> String {
        let script = format!("printf '%s.' {}", quote(text));
        let output = Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
        String::from_utf8(output.stdout).expect("what went in was UTF-8")
    }

    #[test]
    fn plain_words_stay_readable() {
        assert_eq!(quote("/var/webapps/five"), "/var/webapps/five");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote_words(["ls", "a b"]), "ls 'a b'");
        assert_eq!(
            typed_words(["a=b", "--release=v1", "deploy:tag=v1,x=2", "=x", "a b=c", ""]),
            "'a=b' --release=v1 deploy:tag=v1,x=2 '=x' 'a b=c' ''"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn a_real_sh_gets_back_what_was_quoted(text in "[^\0]{0,40}|[ '\"$`\\\\!*?\\n\\t~#&;|<>(){}\\[\\]=-]{0,20}") {
            prop_assert_eq!(through_sh(&text), format!("{text}."));
        }
    }
}
