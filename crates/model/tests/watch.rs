//! What is counted from a switch to the end of a bake: in plans, and by the shell that counts.

mod common;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;

use buedafab_model::app::watch::{Counted, NoData, Watch};
use buedafab_model::plan::action::AppAction;
use insta::assert_snapshot;

use common::shells::{everywhere_in, with_tools};
use common::{Seen, deploy, difference, rollback, second};

const BAKES: &str = "service = \"systemd:five\"\nwaves = [1]\nbake_seconds = 30\n";

#[test]
fn hosts_that_bake_are_watched() {
    let hosts: Vec<Seen> = vec![second(), second()];
    let watches = format!(
        "{BAKES}[watch.errors]\naccess_log = \"/var/log/nginx/five.log\"\nmax = 0.005\n[watch.words]\njournal = \"Traceback\"\nadvisory = true\n"
    );
    assert_snapshot!(difference(&deploy(BAKES, &hosts, 3), &deploy(&watches, &hosts, 3)), @"
    switch, wave 1 of 2
    +     note how far /var/log/nginx/five.log has come
    bake, wave 1 of 2
    +     watch errors: at most 0.5 % of 5xx
    +     watch words: at most 0 such lines
    switch, wave 2 of 2
    +     note how far /var/log/nginx/five.log has come
    bake, wave 2 of 2
    +     watch errors: at most 0.5 % of 5xx
    +     watch words: at most 0 such lines
    ");
    // What is gone back to was proven.
    assert_eq!(rollback(BAKES, &hosts), rollback(&watches, &hosts));
}

fn errors(access_log: String, most_millionths: u32, no_data: NoData, advisory: bool) -> AppAction {
    let counted = Counted::ServerErrors { access_log, most_millionths, min_requests: 4, no_data };
    let watch = Watch { name: "errors".to_owned(), counted, advisory, roles: BTreeSet::new() };
    AppAction::Watch { watch, units: Vec::new() }
}

#[test]
fn server_errors_are_counted_since_the_switch() {
    let found = everywhere_in("it's five", |shell, place| {
        let log = place.root().join("access log").display().to_string();
        place.by_hand("printf '1 - - [x] \"GET / HTTP/1.1\" 500 1 \"-\"\\n' >'access log'");
        let begin = AppAction::BeginWatch { logs: vec![log.clone()] };
        let mut told = vec![place.act(shell, &begin)];
        let look = |most, no_data, advisory| place.act(shell, &errors(log.clone(), most, no_data, advisory));
        let answer = |status: &str, times: usize| {
            let line = format!(
                "1.2.3.4 - ada [28/Nov/2026] \"GET /a?b=\\\" 599 \\\" HTTP/1.1\" {status} 512 \"-\" \"curl\"\n"
            );
            let mut file = OpenOptions::new().append(true).open(&log).expect("it is there");
            file.write_all(line.repeat(times).as_bytes()).expect("it is written");
        };
        // What was there before doesn't count, and few say nothing.
        told.push(look(0, NoData::Pass, false));
        told.push(look(0, NoData::Fail, false));
        answer("200", 3);
        answer("502", 1);
        told.push(look(250_000, NoData::Fail, false));
        told.push(look(249_999, NoData::Fail, false));
        told.push(look(249_999, NoData::Fail, true));
        // JSON as well, and what was put aside meanwhile.
        place.by_hand("mv 'access log' 'access log.1'; for n in 1 2 3 4; do echo '{ \"status\": \"503\", \"url\": \"/\" }'; done >'access log'; echo nothing >>'access log'");
        told.push(look(249_999, NoData::Pass, false));
        // One that was begun anew in its place.
        place.by_hand("mv 'access log.1' 'access log'; : >'access log'");
        answer("404", 5);
        told.push(look(0, NoData::Pass, false));
        place.by_hand("rm 'access log'");
        told.push(look(0, NoData::Pass, false));
        told.push(look(0, NoData::Pass, true));
        told.join("\n")
    });
    assert_snapshot!(found, @"
    0
    0: 0 requests since the switch are fewer than 4, and say nothing of errors
    1: 0 requests since the switch are fewer than 4, and say nothing of errors
    0: 1 of 4 answers since the switch were errors of the server (25.0 %)
    1: errors: 1 of 4 answers since the switch were errors of the server (25.0 %), which is too much
    0: errors: 1 of 4 answers since the switch were errors of the server (25.0 %), which is too much: it is only told
    1: errors: 5 of 8 answers since the switch were errors of the server (62.5 %), which is too much
    0: 0 of 5 answers since the switch were errors of the server (0.0 %)
    1: ROOT/access log can't be read, so errors can't be counted
    0: ROOT/access log can't be read, so errors can't be counted: it is only told
    ");
}

#[test]
fn lines_of_the_journal_are_counted_and_one_that_is_closed_says_so() {
    let found = everywhere_in("it's five", |shell, place| {
        place.by_hand("mkdir -p \"it's five/releases/a\"; ln -s a \"it's five/releases/current\"");
        let look = |most, said: &str| {
            let counted = Counted::Lines { journal: "ERROR|Traceback".to_owned(), most };
            let watch = Watch { name: "words".to_owned(), counted, advisory: false, roles: BTreeSet::new() };
            let action = AppAction::Watch { watch, units: vec!["five-web@b".to_owned()] };
            with_tools(shell, place, &[("journalctl", said)], &action)
        };
        let lines = "case \"$*\" in *'--unit five-web@b') printf 'ERROR: a\\nfine\\nTraceback\\n' ;; esac";
        [look(2, lines), look(1, lines), look(0, "true"), look(9, "echo 'no permission' >&2; exit 1")]
            .join("\n")
    });
    assert_snapshot!(found, @"
    0: 2 lines since the switch match ERROR|Traceback
    1: words: 2 lines since the switch match ERROR|Traceback: ERROR: a
    Traceback
    0: 0 lines since the switch match ERROR|Traceback
    1: no permission
    the journal can't be read, so words can't be counted
    ");
}
