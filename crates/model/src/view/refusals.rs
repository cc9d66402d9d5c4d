//! Why there is no plan, to read: what is said of many hosts is said once.

use crate::plan::refusal::Refusal;

/// Nobody reads a longer list of hosts.
const MOST_HOSTS: usize = 8;

/// A line for each reason, with all the hosts that it is about; and what a person can do about them, each thing once.
pub fn show_refusals(refusals: &[Refusal]) -> (Vec<String>, Vec<String>) {
    let mut reasons: Vec<(Vec<&str>, String)> = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    for refusal in refusals {
        let (host, words) = match refusal.of_host() {
            Some((host, words)) => (Some(host.as_str()), words),
            None => (None, refusal.to_string()),
        };
        match reasons.iter_mut().find(|(hosts, known)| *known == words && hosts.is_empty() == host.is_none())
        {
            Some((hosts, _)) => hosts.extend(host),
            None => reasons.push((host.into_iter().collect(), words)),
        }
        hints.extend(refusal.hint().filter(|hint| !hints.contains(hint)));
    }
    let line = |(hosts, words): (Vec<&str>, String)| match hosts.as_slice() {
        [] => words,
        hosts => format!("{}: {words}", list_hosts(hosts)),
    };
    (reasons.into_iter().map(line).collect(), hints)
}

/// `web1, web2`; of very many the first ones, and how many more there are.
pub(super) fn list_hosts(hosts: &[&str]) -> String {
    match hosts.len().checked_sub(MOST_HOSTS) {
        None | Some(0 | 1) => hosts.join(", "),
        Some(more) => format!("{} and {more} more", hosts[..MOST_HOSTS].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::HostName;

    #[test]
    fn what_is_said_of_many_hosts_is_said_once() {
        let host = |number: usize| HostName::new(format!("web{number}")).expect("a name");
        let nothing = |number| Refusal::NothingLive { host: host(number) };
        let before =
            Refusal::NothingBefore { host: host(1), why: "nothing was ever live".to_owned(), common: None };
        let told = |refusals: &[Refusal]| {
            let (reasons, hints) = show_refusals(refusals);
            let hints = hints.iter().map(|hint| format!("  {hint}"));
            reasons.into_iter().chain(hints).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(told(&[nothing(1), before, nothing(2), Refusal::NoHosts]), @"
        web1, web2: no release is live
        web1: nothing to roll back to: nothing was ever live
        no host to work on
          deploy first
          deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
          give the environment `hosts` in buedafab.toml, or widen --hosts and --roles
        ");
        insta::assert_snapshot!(told(&(1..=30).map(nothing).collect::<Vec<_>>()), @"
        web1, web2, web3, web4, web5, web6, web7, web8 and 22 more: no release is live
          deploy first
        ");
    }
}
