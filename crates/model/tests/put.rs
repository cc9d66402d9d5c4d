//! A file of a person's on a host: whole or not at all, and read by nobody who can't read it on the deployer.

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use buedafab_model::app::package::FetchedPackage;
use buedafab_model::host::Host;
use buedafab_model::names::{HostPath, RunId};
use buedafab_model::plan::action::Action;
use buedafab_model::planner::{PutPlace, plan_put};
use buedafab_model::shell::render_step;
use insta::assert_snapshot;

use common::shells::{Place, Shell, everywhere, told};
use common::{run, settings};

/// What a host is told of a file with these permissions.
fn put(by: &Place, permissions: u32, text: &str, place: &str) -> Action {
    let settings = settings("unit = \"five\"\n[environments.production]\nhosts = [\"web1\"]\n");
    let sha256 = by.by_hand(&format!("printf '%s' '{text}' | sha256sum"))[..64].to_owned();
    let file =
        FetchedPackage { name: "key".into(), key: sha256.clone(), file: "key".into(), sha256, size_bytes: 0 };
    let place = PutPlace::Absolute(HostPath::new(place).expect("an absolute path"));
    let hosts: Vec<&Host> = settings.hosts.iter().collect();
    let plan = plan_put(&settings, &run(7), &file, &place, permissions, &hosts);
    let steps: Vec<_> =
        plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps()).collect();
    assert_eq!(steps.len(), 1);
    steps[0].action.clone()
}

fn feed(shell: &Shell, place: &Place, action: &Action, text: &str) -> String {
    let step = render_step(action, &place.layout, &RunId::new("r1").expect("a word"));
    let mut command = shell.command(&step, &place.root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // Who refuses the place doesn't read what would go there.
    let _ = child.stdin.take().expect("it is piped").write_all(text.as_bytes());
    told(&child.wait_with_output().expect("it ends"), place)
}

#[test]
fn nobody_reads_it_who_could_not_before() {
    let found = everywhere(|shell, place| {
        let path = format!("{}/five/x", place.root().display());
        let mut found = String::new();
        for (before, permissions) in [
            ("rm -f five/x", 0o100_600),
            ("rm -f five/x", 0o100_664),
            ("rm -f five/x", 0o100_775),
            ("rm -f five/x", 0o100_400),
            ("echo old >five/x; chmod 640 five/x; chgrp 7 five/x", 0o100_644),
            ("echo old >five/x; chmod 644 five/x", 0o100_755),
            ("echo old >five/x; chmod 600 five/x", 0o100_755),
            ("echo old >five/x; chmod 644 five/x", 0o100_600),
            // Whoever shares the folder has made a trap.
            ("rm -f five/x; echo mine >five/y; ln -s y five/x.buedafab-new", 0o100_600),
        ] {
            place.by_hand(before);
            let came = feed(shell, place, &put(place, permissions, "secret\n", &path), "secret\n");
            let seen = place.by_hand("stat -c '%a %g' five/x; cat five/x; cat five/y 2>/dev/null || :");
            let _ =
                writeln!(found, "{before}, {permissions:o}: {came}: {}", seen.trim_end().replace('\n', " "));
        }
        found
    });
    assert_snapshot!(found, @"
    rm -f five/x, 100600: 0: ROOT/five/x: 600 0 secret
    rm -f five/x, 100664: 0: ROOT/five/x: 644 0 secret
    rm -f five/x, 100775: 0: ROOT/five/x: 755 0 secret
    rm -f five/x, 100400: 0: ROOT/five/x: 600 0 secret
    echo old >five/x; chmod 640 five/x; chgrp 7 five/x, 100644: 0: ROOT/five/x: 640 7 secret
    echo old >five/x; chmod 644 five/x, 100755: 0: ROOT/five/x: 755 7 secret
    echo old >five/x; chmod 600 five/x, 100755: 0: ROOT/five/x: 700 7 secret
    echo old >five/x; chmod 644 five/x, 100600: 0: ROOT/five/x: 600 7 secret
    rm -f five/x; echo mine >five/y; ln -s y five/x.buedafab-new, 100600: 0: ROOT/five/x: 600 0 secret mine
    ");
}

#[test]
fn it_comes_whole_or_not_at_all() {
    let found = everywhere(|shell, place| {
        let root = place.root().display().to_string();
        place.by_hand("echo old >five/x; mkdir -p five/folder/key");
        let mut found = String::new();
        for (to, sent) in [("x", "half"), ("none/x", "all"), ("folder", "all"), ("x", "all")] {
            let came = feed(shell, place, &put(place, 0o644, "all", &format!("{root}/five/{to}")), sent);
            let _ =
                writeln!(found, "{to}: {came}: {}", place.by_hand("cat five/x; ls five").replace('\n', " "));
        }
        found
    });
    assert_snapshot!(found, @"
    x: 1: key arrived damaged, or there was no room for all of it: its check sum is a11ae06469c63740d7b0ecf802f282a0d46e94f31a654dfcd3c0dc6dc277f904 instead of 5ef5ef0364b6939c4ca61f34b393f7b368d1be8619647aaf83d5b395919ab629: old folder releases x 
    none/x: 1: there is no folder ROOT/five/none: make it first, say by `run -- mkdir -p ROOT/five/none`: old folder releases x 
    folder: 1: ROOT/five/folder/key is a folder: old folder releases x 
    x: 0: ROOT/five/x: allfolder releases x
    ");
}
