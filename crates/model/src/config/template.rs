//! Texts with placeholders, such as `/var/webapps/{unit}`.

use super::mistake::{Mistake, quoted};
use super::nearest::{nearest, one_of};
use crate::names::{EnvironmentName, Unit};

/// A text with named gaps. The names are checked where it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(String),
}

impl Template {
    /// Reads a text in which `{name}` may stand for any of the `allowed` names, and `{{` and `}}` for a brace.
    pub(super) fn parse(text: &str, allowed: &[&str]) -> Result<Self, Mistake> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let next = at + c.len_utf8();
            match c {
                '{' | '}' if text[next..].starts_with(c) => {
                    plain.push(c);
                    at = next + 1;
                }
                '{' => {
                    let Some(length) =
                        text[next..].find(['{', '}']).filter(|&l| text[next + l..].starts_with('}'))
                    else {
                        return Err(lone_brace(c, at));
                    };
                    let end = next + length;
                    let name = &text[next..end];
                    if !allowed.contains(&name) {
                        return Err(unknown_placeholder(name, allowed).within(at..end + 1));
                    }
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Placeholder(name.to_string()));
                    at = end + 1;
                }
                '}' => return Err(lone_brace(c, at)),
                _ => {
                    plain.push(c);
                    at = next;
                }
            }
        }
        parts.push(Part::Text(plain));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Template(parts))
    }

    /// The text with every gap filled.
    ///
    /// # Errors
    ///
    /// The name of the first placeholder that has no value.
    pub(super) fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Placeholder(name) => filled.push_str(value(name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(filled)
    }
}

/// The template that stands for this very text.
pub(super) fn escape(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// The placeholders that have a value in every environment.
pub(super) fn common<'v>(
    environment: &'v EnvironmentName,
    unit: &'v Unit,
) -> impl Fn(&str) -> Option<&'v str> {
    |placeholder| match placeholder {
        "unit" => Some(unit.as_str()),
        "environment" => Some(environment.as_str()),
        _ => None,
    }
}

/// What is wrong with a placeholder that has no value where it stands.
pub(super) fn unfilled(placeholder: &str) -> Mistake {
    Mistake::new(format!("`{{{placeholder}}}` has no value here"))
}

fn unknown_placeholder(name: &str, allowed: &[&str]) -> Mistake {
    let braced: Vec<String> = allowed.iter().map(|name| format!("{{{name}}}")).collect();
    let help = match nearest(name, allowed.iter().copied()) {
        Some(right) => format!("did you mean `{{{right}}}`?"),
        None => {
            let known = one_of(braced.iter().map(String::as_str));
            format!("write {known}; `{{{{` and `}}}}` stand for braces")
        }
    };
    Mistake::new(format!("{} isn't a placeholder here", quoted(&format!("{{{name}}}")))).help(help)
}

fn lone_brace(brace: char, at: usize) -> Mistake {
    Mistake::new(format!("a lone `{brace}`"))
        .help(format!("placeholders look like `{{unit}}`; `{brace}{brace}` stands for a brace"))
        .within(at..at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fill(text: &str) -> String {
        match Template::parse(text, &["unit", "environment"]) {
            Ok(template) => {
                template.fill(|name| (name == "unit").then_some("five")).unwrap_or_else(|n| format!("no {n}"))
            }
            Err(mistake) => format!("{} at {:?}, {}", mistake.message, mistake.within, mistake.help.unwrap()),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(fill(text), expected);
    }

    #[test]
    fn gaps_are_filled_and_wrong_ones_are_told() {
        check("", "");
        check("/srv/{unit}", "/srv/five");
        check("{unit}{unit}", "fivefive");
        check("{{unit}} }}{{", "{unit} }{");
        check("{{{unit}}}", "{five}");
        check("é{unit}é", "éfiveé");
        check("{environment}", "no environment");
        check("/{unti}", "`{unti}` isn't a placeholder here at Some(1..7), did you mean `{unit}`?");
        check(
            "{}",
            "`{}` isn't a placeholder here at Some(0..2), write `{unit}` or `{environment}`; `{{` and `}}` stand for braces",
        );
        check("a{", "a lone `{` at Some(1..2), placeholders look like `{unit}`; `{{` stands for a brace");
        check(
            "{a{unit}",
            "a lone `{` at Some(0..1), placeholders look like `{unit}`; `{{` stands for a brace",
        );
        check("a}b", "a lone `}` at Some(1..2), placeholders look like `{unit}`; `}}` stands for a brace");
    }

    proptest! {
        #[test]
        fn an_escaped_text_stands_for_itself(text in ".*") {
            prop_assert_eq!(fill(&escape(&text)), text);
        }

        #[test]
        fn no_text_is_too_odd(text in "[{}unit é]*") {
            fill(&text);
        }
    }
}
