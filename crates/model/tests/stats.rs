//! Numbers from journals, and notes from commits.

use std::collections::BTreeMap;

use buedafab_model::host::record::{JournalKind, JournalRecord, StoppedAt};
use buedafab_model::names::{CommitId, HostName, RunId};
use buedafab_model::release::Release;
use buedafab_model::view::{
    DeployStats, HistoryEntry, NotedCommit, ReleaseNotes, deliveries, history_csv, show_notes, show_stats,
};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};

fn release(number: u8) -> Release {
    let commit = CommitId::new(number.to_string().repeat(40)).expect("40 digits");
    Release::unnamed(commit).tagged(&format!("v{number}"))
}

/// So many hours after the beginning.
fn at(hours: i64) -> Timestamp {
    let begin: Timestamp = "2026-11-01T00:00:00Z".parse().expect("a time");
    begin + SignedDuration::from_hours(hours)
}

fn line(hours: i64, kind: JournalKind, run: u8, to: u8, from: Option<u8>) -> JournalRecord {
    let is_bad = matches!(kind, JournalKind::Failed | JournalKind::Reverted);
    JournalRecord {
        at: at(hours),
        kind,
        run: RunId::new(format!("r{run}")).expect("a word"),
        by: "ada@laptop".to_owned(),
        release: Some(release(to)),
        from: from.map(release),
        skipped: Vec::new(),
        reason: is_bad.then(|| "web1: restart: exit status 3, \"no\"".to_owned()),
        stopped: is_bad.then(|| StoppedAt { phase: "switch".to_owned(), milliseconds: 3_400 }),
    }
}

/// Two hosts through a month: four deploys, one of them rolled back from, a revert, and a run that never switched.
fn month() -> Vec<HistoryEntry> {
    use JournalKind::{Deployed, Failed, Reverted, RolledBack};
    let web1 = vec![
        line(0, Deployed, 1, 1, None),
        line(100, Deployed, 2, 2, Some(1)),
        line(200, Failed, 3, 3, Some(2)),
        line(201, Deployed, 4, 3, Some(2)),
        line(203, RolledBack, 5, 2, Some(3)),
        line(300, Reverted, 6, 4, Some(2)),
        line(302, Deployed, 7, 4, Some(2)),
    ];
    // It was away once, and the host that a run fails on isn't the only one to say so.
    let web2 = web1.iter().filter(|line| line.run.as_str() != "r2").cloned().collect();
    let name = |name: &str| HostName::new(name).expect("a name");
    HistoryEntry::collect(&[(name("web1"), web1), (name("web2"), web2)])
}

/// When the commits were made: three for the second release, two for the third, which came again with the fourth, and one for that.
fn made() -> BTreeMap<(CommitId, CommitId), Vec<(CommitId, Timestamp)>> {
    let made = |hours: &i64| (CommitId::new(format!("{hours:040}")).expect("40 digits"), at(*hours));
    let between = |from: u8, to: u8, hours: &[i64]| {
        ((release(from).commit, release(to).commit), hours.iter().map(made).collect())
    };
    [between(1, 2, &[10, 50, 99]), between(2, 3, &[150, 199]), between(2, 4, &[150, 199, 301])].into()
}

#[test]
fn a_month_in_numbers() {
    let until = at(24 * 28);
    let all = DeployStats::of(&month(), None, until, &made());
    assert_snapshot!(show_stats(&all), @"
    from 2026-11-01 00:00 to 2026-11-29 00:00 UTC
    deploys          4      1 a week
    lead time        2.0 h  from commit to live: the median of 6 commits; nine of ten: 3.8 d
    change failure   40 %   of 5 changes: 1 reverted, 1 rolled back
    time to restore  2.0 h  from live to rolled back: the median of 1 rollback; nine of ten: 2.0 h
    1 run failed before any host switched, which nobody noticed: no change, and no failed one
    1 deploy without a lead time: what it brought isn't known here
    ");
    assert_snapshot!(all.csv(), @"
    number,value,unit
    since,2026-11-01T00:00:00Z,time
    until,2026-11-29T00:00:00Z,time
    deploys,4,runs
    deploys_a_week,1,runs a week
    lead_time_commits,6,commits
    lead_time_median,7200,seconds
    lead_time_p90,324000,seconds
    changes,5,runs
    reverted,1,runs
    rolled_back,1,runs
    change_failure,40,percent
    restores,1,rollbacks
    time_to_restore_median,7200,seconds
    time_to_restore_p90,7200,seconds
    failed_before_switch,1,runs
    ");
    assert_snapshot!(serde_json::to_string_pretty(&all).expect("plain data"), @r#"
    {
      "since": "2026-11-01T00:00:00Z",
      "until": "2026-11-29T00:00:00Z",
      "deploys": 4,
      "deploys_a_week": 1.0,
      "lead_time_seconds": {
        "count": 6,
        "median": 7200,
        "p90": 324000
      },
      "deploys_with_lead_time": 3,
      "changes": 5,
      "reverted": 1,
      "rolled_back": 1,
      "change_failure_percent": 40.0,
      "time_to_restore_seconds": {
        "count": 1,
        "median": 7200,
        "p90": 7200
      },
      "failed_before_switch": 1
    }
    "#);
    // What came before isn't counted, but what was rolled back from since is known.
    assert_snapshot!(show_stats(&DeployStats::of(&month(), Some(at(202)), until, &made())), @"
    from 2026-11-09 10:00 to 2026-11-29 00:00 UTC
    deploys          1       0.4 a week
    lead time        60 min  from commit to live: the median of 1 commit; nine of ten: 60 min
    change failure   50 %    of 2 changes: 1 reverted, 0 rolled back
    time to restore  2.0 h   from live to rolled back: the median of 1 rollback; nine of ten: 2.0 h
    ");
    // A checkout that knows nothing; and journals that say nothing.
    assert_snapshot!(show_stats(&DeployStats::of(&month(), None, until, &BTreeMap::new())), @"
    from 2026-11-01 00:00 to 2026-11-29 00:00 UTC
    deploys          4      1 a week
    lead time        –      this checkout doesn't know what the deploys brought
    change failure   40 %   of 5 changes: 1 reverted, 1 rolled back
    time to restore  2.0 h  from live to rolled back: the median of 1 rollback; nine of ten: 2.0 h
    1 run failed before any host switched, which nobody noticed: no change, and no failed one
    ");
    assert_snapshot!(show_stats(&DeployStats::of(&[], None, until, &BTreeMap::new())), @"
    from 2026-11-29 00:00 to 2026-11-29 00:00 UTC
    deploys          0  0 a week
    lead time        –  this checkout doesn't know what the deploys brought
    change failure   –  nothing was changed
    time to restore  –  nothing was rolled back
    ");
    let brought: Vec<String> = deliveries(&month())
        .iter()
        .map(|delivery| format!("{}..{}", &delivery.from.as_str()[..1], &delivery.to.as_str()[..1]))
        .collect();
    assert_eq!(brought, ["1..2", "2..3", "2..4"]);
}

#[test]
fn history_as_a_table() {
    assert_snapshot!(history_csv(&month()[..4]), @r#"
    at,what,release,commit,from,from_commit,hosts,skipped,by,run,phase,milliseconds,reason
    2026-11-01T00:00:00Z,deployed,v1,1111111111111111111111111111111111111111,,,web1 web2,,ada@laptop,r1,,,
    2026-11-05T04:00:00Z,deployed,v2,2222222222222222222222222222222222222222,v1,1111111111111111111111111111111111111111,web1,,ada@laptop,r2,,,
    2026-11-09T08:00:00Z,failed,v3,3333333333333333333333333333333333333333,v2,2222222222222222222222222222222222222222,web1 web2,,ada@laptop,r3,switch,3400,"web1: restart: exit status 3, ""no"""
    2026-11-09T09:00:00Z,deployed,v3,3333333333333333333333333333333333333333,v2,2222222222222222222222222222222222222222,web1 web2,,ada@laptop,r4,,,
    "#);
}

/// Commits, newest first: an id, its parents, and its subject; with more below it after a bar.
fn notes(commits: &[(&str, &[&str], &str)], page: bool) -> ReleaseNotes {
    let commits: Vec<NotedCommit> = commits
        .iter()
        .map(|(id, parents, text)| {
            let (subject, more) = text
                .split_once('|')
                .map_or((*text, None), |(subject, more)| (subject, Some(more.to_owned())));
            NotedCommit {
                id: id.repeat(40)[..40].to_owned(),
                author: if *id == "b" { "Bo" } else { "Ada" }.to_owned(),
                day: format!("2026-11-{:0>2}", u8::from_str_radix(id, 16).expect("a digit")),
                parents: parents.iter().map(|parent| parent.repeat(40)[..40].to_owned()).collect(),
                subject: subject.to_owned(),
                more,
            }
        })
        .collect();
    let page = page.then(|| "https://github.com/bueda/five/compare/v0.1.0...v0.2.0".to_owned());
    ReleaseNotes::of("v0.1.0", "v0.2.0", &commits, page)
}

#[test]
fn what_a_release_brought() {
    let merged = notes(
        &[
            ("f", &["e", "d"], "Merge pull request #12 from bo/maps|Sell maps"),
            ("e", &["c"], "Correct a *word*"),
            ("d", &["b"], "Draw maps"),
            ("b", &["a"], "Load maps"),
            ("c", &["a", "9"], "Merge branch 'ink' into main"),
            ("9", &["8"], "Sell <ink>"),
            ("a", &["8"], "Begin"),
        ],
        true,
    );
    assert_snapshot!(show_notes(&merged), @r"
    # v0.2.0

    5 commits since v0.1.0 by Ada and Bo, from 2026-11-09 to 2026-11-14.
    [All changes](https://github.com/bueda/five/compare/v0.1.0...v0.2.0)

    ## Sell maps (#12)

    - Draw maps (dddddddddd)
    - Load maps (bbbbbbbbbb)

    ## ink

    - Sell \<ink\> (9999999999)

    ## Other changes

    - Correct a \*word\* (eeeeeeeeee)
    - Begin (aaaaaaaaaa)
    ");
    let by_kind = notes(
        &[
            ("c", &["b"], "feat(shop)!: sell maps"),
            ("b", &["a"], "fix: count them right"),
            ("a", &["9"], "Whatever: this is"),
            ("9", &["8"], "docs: say how"),
        ],
        false,
    );
    assert_snapshot!(show_notes(&by_kind), @"
    # v0.2.0

    4 commits since v0.1.0 by Ada and Bo, from 2026-11-09 to 2026-11-12.

    ## Features

    - **Breaking:** shop: sell maps (cccccccccc)

    ## Fixes

    - count them right (bbbbbbbbbb)

    ## Documentation

    - say how (9999999999)

    ## Other changes

    - Whatever: this is (aaaaaaaaaa)
    ");
    assert_snapshot!(show_notes(&notes(&[("b", &["a"], "Sell ink"), ("a", &["9"], "Sell paper")], false)), @"
    # v0.2.0

    2 commits since v0.1.0 by Ada and Bo, from 2026-11-10 to 2026-11-11.

    - Sell ink (bbbbbbbbbb)
    - Sell paper (aaaaaaaaaa)
    ");
    assert_snapshot!(show_notes(&notes(&[], true)), @"
    # v0.2.0

    0 commits since v0.1.0.
    [All changes](https://github.com/bueda/five/compare/v0.1.0...v0.2.0)
    ");
    assert_snapshot!(serde_json::to_string(&by_kind).expect("plain data"), @r#"{"from":"v0.1.0","to":"v0.2.0","commits":4,"authors":["Ada","Bo"],"days":["2026-11-09","2026-11-12"],"sections":[{"title":"Features","entries":[{"subject":"shop: sell maps","commit":"cccccccccc","breaking":true}]},{"title":"Fixes","entries":[{"subject":"count them right","commit":"bbbbbbbbbb"}]},{"title":"Documentation","entries":[{"subject":"say how","commit":"9999999999"}]},{"title":"Other changes","entries":[{"subject":"Whatever: this is","commit":"aaaaaaaaaa"}]}]}"#);
}
