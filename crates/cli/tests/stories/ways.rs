//! Every way to lay releases out, with every way by which they reach hosts: one life for all of them.

use std::fmt::Write;
use std::sync::Arc;

use buedafab_testkit::{Fleet, FleetOptions, Remote};
use insta::assert_snapshot;

use crate::stage::Stage;

/// Strategies, with what they keep.
const STRATEGIES: [(&str, &str); 4] =
    [("ab", ""), ("timestamp", "keep = 3\n"), ("revision", "keep = 3\n"), ("in-place", "")];

/// Sources, and what a plan says of each: for a host that has nothing, and for one that has the release before.
const SOURCES: [(&str, [&str; 2]); 4] = [
    ("fetch", ["fetch ", "fetch "]),
    // Into clones that hold only what releases take.
    ("partial", ["fetch ", "fetch "]),
    ("bundle", ["by a bundle of all of it", "by a bundle that builds on "]),
    ("archive", ["send UNIT-one.tar.gz", "send UNIT-two.tar.gz"]),
];

/// The app notes which release it serves. Files beside its releases make a check fail, and name the release whose restart does.
const HOOKS: &str = r#"
[hooks]
check = "test ! -e ../../fail-check"
restart = "cat version >../../served; ! grep -qsx \"$(cat version)\" ../../fail-restart"
"#;

/// The same serves whichever way is taken; and whatever the source, it lies the same.
#[test]
fn every_strategy_lives_with_every_source() {
    let fleet = Arc::new(Fleet::start(FleetOptions { hosts: 2, ..FleetOptions::default() }));
    let lives = std::thread::scope(|scope| {
        let fleet = &fleet;
        // Of an archive git knows nothing that it could check out.
        let goes_with = |strategy: &str, source: &str| (strategy, source) != ("in-place", "archive");
        let tell = move |(source, says)| -> Vec<String> {
            let strategies = STRATEGIES.into_iter().filter(|(strategy, _)| goes_with(strategy, source));
            strategies.map(|strategy| Life::tell(fleet, strategy, source, says)).collect()
        };
        let told = SOURCES.map(|source| scope.spawn(move || tell(source)));
        told.map(|told| told.join().expect("it has told all"))
    });
    let [fetched, others @ ..] = &lives;
    for (other, (source, _)) in others.iter().zip(&SOURCES[1..]) {
        for ((life, fetched), (strategy, _)) in other.iter().zip(fetched).zip(STRATEGIES) {
            assert_eq!(life, fetched, "{strategy} with {source}");
        }
    }
    let [ab, timestamp, revision, in_place] = &fetched[..] else { panic!("there are four") };
    assert_snapshot!(ab, @"
    deploy one                     one one      a, current -> a
    deploy two                     two two      a, b, current -> b
    roll back                      one one      a, b, current -> a
    deploy two once more           two two      a, b, current -> b
    three fails its check          two two      a, b, current -> b
    deploy three                   three three  a, b, current -> a
    four fails its restart         three three  a, b, current -> a
    deploy four                    four four    a, b, current -> b
    deploy two, which may be there two two      a, b, current -> a
    roll back again                four four    a, b, current -> b
    ");
    assert_snapshot!(timestamp, @"
    deploy one                     one one      time 1, current -> time 1
    deploy two                     two two      time 1, time 2, current -> time 2
    roll back                      one one      time 1, time 2, current -> time 1
    deploy two once more           two two      time 1, time 2, current -> time 2
    three fails its check          two two      time 1, time 2, time 3, current -> time 2
    deploy three                   three three  time 1, time 2, time 3, current -> time 3
    four fails its restart         three three  time 1, time 2, time 3, time 4, current -> time 3
    deploy four                    four four    time 2, time 3, time 5, current -> time 5
    deploy two, which may be there two two      time 3, time 5, time 6, current -> time 6
    roll back again                four four    time 3, time 5, time 6, current -> time 5
    ");
    assert_snapshot!(revision, @"
    deploy one                     one one      one, current -> one
    deploy two                     two two      one, two, current -> two, previous -> one
    roll back                      one one      one, two, current -> one
    deploy two once more           two two      one, two, current -> two, previous -> one
    three fails its check          two two      one, three, two, current -> two, previous -> one
    deploy three                   three three  one, three, two, current -> three, previous -> two
    four fails its restart         three three  four, one, three, two, current -> three, previous -> two
    deploy four                    four four    four, three, two, current -> four, previous -> three
    deploy two, which may be there two two      four, three, two, current -> two, previous -> four
    roll back again                four four    four, three, two, current -> four, previous -> three
    ");
    assert_snapshot!(in_place, @"
    deploy one                     one one      a, current -> a
    deploy two                     two two      a, current -> a
    roll back                      one one      a, current -> a
    deploy two once more           two two      a, current -> a
    three fails its check          two two      a, current -> a
    deploy three                   three three  a, current -> a
    four fails its restart         three three  a, current -> a
    deploy four                    four four    a, current -> a
    deploy two, which may be there two two      a, current -> a
    roll back again                four four    a, current -> a
    ");
}

/// What became of one app.
struct Life {
    stage: Stage,
    /// Folders that are called by times, in the order in which they came.
    times: Vec<String>,
    told: String,
}

impl Life {
    fn tell(fleet: &Arc<Fleet>, (strategy, keeps): (&str, &str), source: &str, says: [&str; 2]) -> String {
        let unit = format!("{strategy}-{source}");
        // Hosts have a /tmp of their own: what lies there only the deployer reaches.
        let folder = tempfile::tempdir().expect("a folder");
        let (method, more) =
            if source == "partial" { ("fetch", "partial_clone = true\n") } else { (source, "") };
        let remote = if method == "fetch" { Remote::temp() } else { Remote::new(folder.path()) };
        let allow = [
            "config",
            "--file",
            &remote.path().join("config").display().to_string(),
            "uploadpack.allowFilter",
        ];
        remote.git(&[&allow[..], &["true"]].concat());
        let mut stage = Stage::bare(Arc::clone(fleet), remote);
        stage.app = format!("/var/webapps/{unit}");
        stage.configure(&format!(
            "unit = \"{unit}\"\nstrategy = \"{strategy}\"\n{keeps}source = \"{method}\"\n{more}{HOOKS}\
             [environments.production]\nhosts = [\"web1\", \"web2\"]\n"
        ));
        let mut life = Life { stage, times: Vec::new(), told: String::new() };
        for (version, says) in ["one", "two"].into_iter().zip(says) {
            life.stage.release(version);
            life.stage.production(&["deploy", "--dry-run"], 0).says(&says.replace("UNIT", &unit));
            life.goes(&format!("deploy {version}"), &["deploy"], 0);
        }
        life.goes("roll back", &["rollback"], 0);
        life.goes("deploy two once more", &["deploy"], 0);
        life.stage.release("three");
        life.on_second("touch fail-check");
        // Where it is built in the place of what serves, its check comes once the switch has begun.
        life.goes("three fails its check", &["deploy"], if strategy == "in-place" { 8 } else { 7 });
        life.on_second("rm fail-check");
        life.goes("deploy three", &["deploy"], 0);
        life.stage.release("four");
        life.on_second("echo four >fail-restart");
        life.goes("four fails its restart", &["deploy"], 8);
        life.on_second("rm fail-restart");
        life.goes("deploy four", &["deploy"], 0);
        life.goes("deploy two, which may be there", &["deploy", "--commit", "two", "--allow-older"], 0);
        life.goes("roll back again", &["rollback"], 0);
        life.stage.production(&["status"], 0).says("four");
        if source == "partial" {
            let config = format!("{}/releases/current/.git/config", life.stage.app);
            let says = fleet.host("web2").run(&format!("git config -f {config} remote.origin.promisor"));
            assert_eq!(says.trim(), "true", "{strategy}");
        }
        life.told
    }

    fn on_second(&self, script: &str) {
        self.stage.fleet.host("web2").run(&format!("cd {} && {script}", self.stage.app));
    }

    /// What the run left: what serves on both hosts, and what lies in `releases` of the second, which comes as far as its failure in
    /// each; the first is stopped before that, or isn't.
    #[track_caller]
    fn goes(&mut self, what: &str, words: &[&str], code: i32) {
        self.stage.production(words, code);
        let list = "cd APP/releases && for name in *; do \
                    if [ -L $name ]; then echo $name=$(readlink $name); else echo $name; fi; done";
        let listed = self.stage.fleet.host("web2").run(&list.replace("APP", &self.stage.app));
        let mut names: Vec<Vec<String>> =
            listed.lines().map(|line| line.split('=').map(|name| self.called(name)).collect()).collect();
        // Links come last.
        names.sort_by_key(Vec::len);
        let names: Vec<String> = names.into_iter().map(|name| name.join(" -> ")).collect();
        let names = names.join(", ");
        let serving = self.stage.serving().join(" ");
        writeln!(self.told, "{what:<30} {serving:<12} {names}").expect("writing to a string");
    }

    /// A folder's name, or, where that is a time, which in a row it is.
    fn called(&mut self, name: &str) -> String {
        if !name.starts_with("20") {
            return name.to_owned();
        }
        let known = self.times.iter().position(|time| time == name);
        let at = known.unwrap_or_else(|| {
            self.times.push(name.to_owned());
            self.times.len() - 1
        });
        format!("time {}", at + 1)
    }
}
