//! The right name that is nearest to a wrong one.

/// The candidate that was probably meant, if one is near enough: about one slip in every three letters.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let typed = plain(typed);
    let bound = (typed.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&typed, &plain(candidate)), candidate))
        .filter(|&(distance, _)| distance <= bound)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The help line for a wrong name: the nearest right one, or else all of them.
pub(super) fn did_you_mean<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> String {
    let candidates = candidates.into_iter();
    match nearest(typed, candidates.clone()) {
        Some(right) => format!("did you mean `{right}`?"),
        None => format!("write {}", one_of(candidates)),
    }
}

/// `a`, `b` or `c`.
pub(super) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => "nothing".to_string(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(typed: &str, expected: Option<&str>) {
        let candidates = ["strategy", "unit", "release_paths", "path", "scm"];
        assert_eq!(nearest(typed, candidates), expected);
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        check("strateg", Some("strategy"));
        check("stratgey", Some("strategy"));
        check("Release-Paths", Some("release_paths"));
        check("unti", Some("unit"));
        check("smc", Some("scm"));
        check("x", None);
        check("", None);
        check("colour", None);
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!(one_of(["a"]), "`a`");
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(did_you_mean("zzz", ["a", "b"]), "write `a` or `b`");
    }
}
