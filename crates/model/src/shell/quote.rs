//! Quoting for shells. All of it lives here.

use std::fmt::Write;

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

/// The csh of the BSDs takes no word that is longer than some thousand bytes.
const LONGEST_WORD: usize = 1000;

/// Words of which `printf %b` makes the text, for whatever shell passes them on: between single quotes they hold no
/// newline, `'` or `!`, and no backslash that fish or csh would take for its own.
pub fn words_for_printf(text: &str) -> String {
    let mut words = String::with_capacity(text.len() * 2);
    let mut room = 0;
    for byte in text.bytes() {
        let is_plain = matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'!' | b'\\');
        let length = if is_plain { 1 } else { 5 };
        if room < length {
            words.push_str(if words.is_empty() { "'" } else { "' '" });
            room = LONGEST_WORD;
        }
        room -= length;
        if is_plain {
            words.push(char::from(byte));
        } else {
            let _ = write!(words, "\\0{byte:03o}");
        }
    }
    words.push_str(if words.is_empty() { "''" } else { "'" });
    words
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn printf_makes_a_text_again_under_any_login_shell(
            text in "[^\0]{0,40}|[ '\"$`\\\\!*?\\n\\t~#&;|<>(){}\\[\\]=%0-7]{0,2500}"
        ) {
            for shell in [&["sh", "-c"][..], &["bash", "-ic"], &["csh", "-f", "-c"], &["fish", "-c"]] {
                let words = words_for_printf(&text);
                let between_quotes = words.trim_start_matches('\'').trim_end_matches('\'');
                prop_assert!(between_quotes.split("' '").all(|word| word.len() <= LONGEST_WORD));
                let command = format!("sh -c 'printf %b \"$@\"; printf .' sh {words}");
                let output = Command::new(shell[0]).args(&shell[1..]).arg(command).output().expect("it runs");
                prop_assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{text}."), "{}", shell[0]);
            }
        }
    }
}
