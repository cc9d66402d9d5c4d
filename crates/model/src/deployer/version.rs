//! Versions in the names of tags: their order, the latest one, and the next.

use std::cmp::Ordering;

use crate::config::VersionPattern;

/// Compares the names of two tags: versions by their numbers (v1.9 before v1.13), and after all of them the odd names.
/// A total order, which tells any two different names apart.
pub fn compare(one: &str, other: &str) -> Ordering {
    match (Version::read(one), Version::read(other)) {
        (Some(a), Some(b)) => a.compare(&b).then_with(|| one.cmp(other)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}

/// Whether one version is older than another; no if either is no version.
pub fn is_older(one: &str, other: &str) -> bool {
    match (Version::read(one), Version::read(other)) {
        (Some(one), Some(other)) => one.compare(&other) == Ordering::Less,
        _ => false,
    }
}

/// The latest of these tags that is a release: the highest version, or else the last odd name.
pub fn latest<'t>(tags: impl IntoIterator<Item = &'t str>, pattern: &VersionPattern) -> Option<&'t str> {
    tags.into_iter().filter(|tag| pattern.matches(tag)).max_by(|one, other| {
        let is_version = |tag| Version::read(tag).is_some();
        is_version(one).cmp(&is_version(other)).then_with(|| compare(one, other))
    })
}

/// The version after the latest of these tags: its last number, plus one. `v0.1.0` where there is none yet. `None` if
/// that isn't what a release is called here.
pub fn next<'t>(tags: impl IntoIterator<Item = &'t str>, pattern: &VersionPattern) -> Option<String> {
    let next = match latest(tags, pattern) {
        Some(tag) => Version::read(tag)?.next(),
        None => "v0.1.0".to_owned(),
    };
    pattern.matches(&next).then_some(next)
}

/// Letters, then numbers with dots between: `v0.10.3`, `release-7`, `2026.11.1`.
#[derive(Debug)]
struct Version<'t> {
    prefix: &'t str,
    /// In digits: a number in a tag may be longer than any of ours.
    numbers: Vec<&'t str>,
}

impl<'t> Version<'t> {
    fn read(tag: &'t str) -> Option<Self> {
        let (prefix, rest) = tag.split_at(tag.find(|c: char| c.is_ascii_digit())?);
        let numbers: Vec<&str> = rest.split('.').collect();
        let all_digits = |number: &&str| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        numbers.iter().all(all_digits).then_some(Version { prefix, numbers })
    }

    /// Number by number; a version that goes on is later than one that ends.
    fn compare(&self, other: &Version<'_>) -> Ordering {
        let value = |number: &'_ str| {
            let digits = number.trim_start_matches('0');
            (digits.len(), digits.to_owned())
        };
        let values = |version: &Version<'_>| version.numbers.iter().map(|n| value(n)).collect::<Vec<_>>();
        values(self).cmp(&values(other))
    }

    fn next(&self) -> String {
        let (last, before) = self.numbers.split_last().expect("a version has a number");
        let mut numbers: Vec<String> = before.iter().map(|number| (*number).to_owned()).collect();
        numbers.push(plus_one(last));
        format!("{}{}", self.prefix, numbers.join("."))
    }
}

/// The number after this one, in digits.
fn plus_one(number: &str) -> String {
    let kept = number.trim_end_matches('9');
    let zeros = "0".repeat(number.len() - kept.len());
    match kept.char_indices().next_back() {
        None => format!("1{zeros}"),
        Some((at, digit)) => {
            let next = char::from_digit(digit.to_digit(10).unwrap_or(0) + 1, 10).unwrap_or('9');
            format!("{}{next}{zeros}", &kept[..at])
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(tags: &[&str], sorted: &str, latest_and_next: (Option<&str>, Option<&str>)) {
        let mut found = tags.to_vec();
        found.sort_by(|one, other| compare(one, other));
        assert_eq!(found.join(" "), sorted);
        let pattern = VersionPattern::default();
        let next = next(tags.iter().copied(), &pattern);
        assert_eq!((latest(tags.iter().copied(), &pattern), next.as_deref()), latest_and_next);
    }

    #[test]
    fn versions_come_by_number_and_odd_names_last() {
        check(
            &["v1.13", "nightly", "v1.9", "v1.9.1", "v01.9", "v2"],
            "v01.9 v1.9 v1.9.1 v1.13 v2 nightly",
            (Some("v1.13"), Some("v1.14")),
        );
        check(&["v0.1.9", "v0.1.99"], "v0.1.9 v0.1.99", (Some("v0.1.99"), Some("v0.1.100")));
        check(&["v0.2.0", "v0.2.0-rc1", "v"], "v0.2.0 v v0.2.0-rc1", (Some("v0.2.0"), Some("v0.2.1")));
        check(&[], "", (None, Some("v0.1.0")));
        let huge = "v1.99999999999999999999999999999";
        check(
            &[huge, "v1.2"],
            &format!("v1.2 {huge}"),
            (Some(huge), Some("v1.100000000000000000000000000000")),
        );
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in "v?[0-9.]{0,6}|[a-z0-9.-]{0,6}", b in "v?[0-9.]{0,6}", c in "v?[0-9.]{0,6}|rel-[0-9]") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &b) == Ordering::Equal, a == b);
            let mut sorted = [a.as_str(), b.as_str(), c.as_str()];
            sorted.sort_by(|one, other| compare(one, other));
            prop_assert!(compare(sorted[0], sorted[2]) != Ordering::Greater);
        }

        #[test]
        fn the_numbers_decide(a in prop::collection::vec(0u32.., 1..4), b in prop::collection::vec(0u32.., 1..4)) {
            let tag = |numbers: &[u32]| {
                format!("v{}", numbers.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
            };
            prop_assert_eq!(compare(&tag(&a), &tag(&b)), a.cmp(&b));
            prop_assert_eq!(is_older(&tag(&a), &tag(&b)), a < b);
        }

        #[test]
        fn the_next_version_is_later_than_all(tags in prop::collection::vec("v[0-9]{1,3}(\\.[0-9]{1,3}){1,2}", 0..6)) {
            let pattern = VersionPattern::default();
            let next = next(tags.iter().map(String::as_str), &pattern).expect("the pattern fits");
            prop_assert!(pattern.matches(&next));
            prop_assert!(tags.iter().all(|tag| is_older(tag, &next)));
        }
    }
}
