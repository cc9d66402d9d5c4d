//! What the steps for an app do, in every shell: its commands, its services and their files, its settings.

mod common;

use buedafab_model::plan::action::{AppAction, RecordAction, ServiceAction};
use std::collections::BTreeMap;
use std::fmt::Write;

use buedafab_model::app::hooks::HookPoint;
use buedafab_model::app::run_as::RunAs;
use buedafab_model::app::service::Service;
use buedafab_model::app::service_file::{FilesOf, ReleasedServiceFile, ServiceFile, ServiceFileKind};
use buedafab_model::names::{HostPath, RunId};
use buedafab_model::plan::action::{Action, Surroundings};
use buedafab_model::shell::{SessionIn, login_shell, render_step};
use insta::assert_snapshot;

use common::release;
use common::shells::{ODD, everywhere, everywhere_in, slot, told, with_tools};

#[test]
fn commands_run_in_their_folder_with_their_variables() {
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        place.by_hand("cd it*; mkdir releases/a; ln -s a releases/current");
        let variables =
            BTreeMap::from([("ODD".to_owned(), ODD.to_owned()), ("EMPTY".to_owned(), String::new())]);
        let around = |directory| Surroundings {
            directory,
            variables: variables.clone(),
            virtualenv: None,
            run_as: None,
        };
        let hook = |command: &str, directory| AppAction::Hook {
            point: HookPoint::Build,
            command: command.to_owned(),
            around: around(directory),
            optional: false,
        };
        let run = |directory| AppAction::Run { command: "pwd -P".to_owned(), around: around(directory) };
        let restart = ServiceAction::Restart {
            service: Service::None,
            file: None,
            socket: None,
            reload: false,
            commands: vec!["echo one; false".to_owned(), "pwd; echo two".to_owned()],
            around: around(place.layout.slot(&slot("a"))),
        };
        let actions = [
            hook("printf '%s|' \"$ODD\" \"${EMPTY-unset}\"; pwd", place.layout.slot(&slot("a"))).into(),
            hook("exit 7", place.layout.slot(&slot("a"))).into(),
            hook("kill -9 $$", place.layout.slot(&slot("a"))).into(),
            run(place.layout.current()).into(),
            run(place.layout.path.join("nowhere")).into(),
            restart.into(),
        ];
        actions.map(|action: Action| place.act(shell, &action)).join("\n").replace('\u{1b}', "ESC")
    });
    assert_snapshot!(found, @r#"
    0: it's 100% "sure"\n
    $HOME `id` ESC[1m é||ROOT/it's "five" */releases/a
    7
    killed
    0: ROOT/it's "five" */releases/a
    0: ROOT
    1: one
    "#);
}

#[test]
fn services_are_restarted_and_then_asked() {
    let sudo = ("sudo", "shift; exec \"$@\"");
    let good = [
        sudo,
        ("systemctl", "[ \"$1\" = show ] && echo ActiveState=active || echo \"$@\""),
        ("supervisorctl", "echo \"$@\"; [ \"$1\" = restart ] || echo five RUNNING"),
        ("sv", "echo \"$@\""),
    ];
    let bad = [
        sudo,
        ("systemctl", "[ \"$1\" = show ] && echo ActiveState=failed || echo \"$@\""),
        ("supervisorctl", "echo \"$@\"; [ \"$1\" = restart ] || echo five FATAL"),
        ("sv", "echo \"$@\"; [ \"$1\" != check ]"),
    ];
    let name = || "it's five".to_owned();
    let found = everywhere(|shell, place| {
        let mut found = String::new();
        for service in [Service::Systemd(name()), Service::Supervisor(name()), Service::Runit(name())] {
            let action = ServiceAction::Restart {
                service,
                file: None,
                socket: None,
                reload: false,
                commands: Vec::new(),
                around: Surroundings {
                    directory: place.layout.slot(&slot("a")),
                    variables: BTreeMap::new(),
                    virtualenv: None,
                    run_as: None,
                },
            };
            let _ = writeln!(found, "{}", with_tools(shell, place, &good, &action));
            let _ = writeln!(found, "{}", with_tools(shell, place, &bad, &action));
        }
        found
    });
    assert_snapshot!(found, @"
    0: restart it's five
    1: reset-failed it's five
    restart it's five
    it's five is failed
    status --no-pager --lines 15 it's five
    0: restart it's five
    1: restart it's five
    status it's five
    five FATAL
    0: restart it's five
    check it's five
    1: restart it's five
    check it's five
    ");
}

/// A unit that is refused because it was started too often is started nevertheless, one that ends is done, and what doesn't
/// stay up is told in its own words.
#[test]
fn units_are_judged_by_what_systemd_says() {
    // What systemd shows of a unit before and after its restarts are forgotten.
    let systemctl = |before: &str, after: &str| {
        let shown = |words: &str| {
            let words: Vec<&str> = words.split(' ').collect();
            format!(
                "printf 'ActiveState={}\\nResult={}\\nType={}\\nNRestarts={}\\n'",
                words[0], words[1], words[2], words[3]
            )
        };
        format!(
            "case $1 in show) if [ -e \"$0.reset\" ]; then {}; else {}; fi; exit ;; reset-failed) touch \"$0.reset\" ;; esac; echo \"$1\"; \
             [ \"$1\" != restart ] || [ -e \"$0.reset\" ] || [ -z '{}' ]",
            shown(after),
            shown(before),
            if before.ends_with("refused") { "refused" } else { "" },
        )
    };
    let cases = [
        ("active success simple 0", "active success simple 0"),
        ("failed exit-code simple 4 refused", "active success simple 0"),
        ("failed start-limit-hit simple 4 refused", "failed exit-code simple 0"),
        // It was refused when it was asked, though nothing was wrong with it before.
        ("active success simple 0 refused", "active success simple 0"),
        // It was started again long ago, and sudo allows nothing but restarts.
        ("active success simple 9", ""),
        ("inactive success oneshot 0", ""),
        ("activating success oneshot 0", ""),
        ("inactive success simple 0", ""),
        ("failed exit-code oneshot 0", ""),
        ("activating exit-code simple 7", ""),
    ];
    let found = everywhere(|shell, place| {
        let mut found = String::new();
        for (before, after) in cases {
            let after = if after.is_empty() { before } else { after };
            let fake = systemctl(before, after);
            let tools = [
                ("sudo", "shift; exec \"$@\""),
                ("systemctl", fake.as_str()),
                (
                    "journalctl",
                    "case $* in *'--since @'*'--unit five') echo \"no module named five\" ;; esac",
                ),
            ];
            let around = Surroundings {
                directory: place.layout.slot(&slot("a")),
                variables: BTreeMap::new(),
                virtualenv: None,
                run_as: None,
            };
            let restart = ServiceAction::Restart {
                service: Service::Systemd("five".into()),
                file: None,
                socket: None,
                reload: false,
                commands: Vec::new(),
                around,
            };
            place.by_hand("rm -f 'fake tools'/*.reset");
            let _ = writeln!(
                found,
                "{before}\n  restart: {}",
                with_tools(shell, place, &tools, &restart).replace('\n', "\n    ")
            );
            let stays = ServiceAction::VerifyRunning {
                services: vec![(Service::Systemd("five".into()), None)],
                seconds: 0,
            };
            let _ = writeln!(
                found,
                "  stays up: {}",
                with_tools(shell, place, &tools, &stays).replace('\n', "\n    ")
            );
        }
        found
    });
    assert_snapshot!(found, @"
    active success simple 0
      restart: 0: restart
      stays up: 0
    failed exit-code simple 4 refused
      restart: 0: reset-failed
        restart
      stays up: 0
    failed start-limit-hit simple 4 refused
      restart: 1: reset-failed
        restart
        five is failed (exit-code)
        no module named five
      stays up: 1: five didn't stay up:
        five is failed (exit-code)
        no module named five
    active success simple 0 refused
      restart: 0: restart
        reset-failed
        restart
      stays up: 0
    active success simple 9
      restart: 0: reset-failed
        restart
      stays up: 0
    inactive success oneshot 0
      restart: 0: reset-failed
        restart
      stays up: 0
    activating success oneshot 0
      restart: 0: reset-failed
        restart
      stays up: 0
    inactive success simple 0
      restart: 1: reset-failed
        restart
        five is inactive
        no module named five
      stays up: 1: five didn't stay up:
        five is inactive
        no module named five
    failed exit-code oneshot 0
      restart: 1: reset-failed
        restart
        five is failed (exit-code)
        no module named five
      stays up: 1: five didn't stay up:
        five is failed (exit-code)
        no module named five
    activating exit-code simple 7
      restart: 1: reset-failed
        restart
        five is being started (exit-code), started again 7 times
        no module named five
      stays up: 1: five didn't stay up:
        five is being started (exit-code), started again 7 times
        no module named five
    ");
}

/// A unit file is checked before the switch, put in place by it, and taken out of use where a release hasn't got it.
#[test]
fn the_file_of_a_service_is_checked_kept_and_put_in_place() {
    let good = [
        ("sudo", "shift; exec \"$@\""),
        (
            "systemctl",
            "[ \"$1\" = show ] && echo ActiveState=active && exit; echo \"systemctl $*\"; [ \"$1\" != is-enabled ]",
        ),
        ("systemd-analyze", "case $* in *verify*) for f; do :; done; ! grep -n Typ \"$f\" ;; esac"),
    ];
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        let etc = HostPath::new(format!("{}/etc", place.root().display())).expect("a path");
        place.by_hand("mkdir etc");
        let (path, kind) = (etc.join("five-jobs.service"), ServiceFileKind::Unit);
        let of = |number: Option<u8>| match number {
            Some(number) => FilesOf::Release { commit: release(number).commit, slot: slot("a") },
            None => FilesOf::Before,
        };
        let keep = |number: u8, live: Option<u8>, text: &str| ServiceAction::ServiceFiles {
            slot: slot("a"),
            commit: release(number).commit,
            there: of(live),
            files: vec![ServiceFile { path: path.clone(), text: text.to_owned(), kind, is_checked: true }],
        };
        let restart = |number: Option<u8>| ServiceAction::Restart {
            service: Service::Systemd("five-jobs".to_owned()),
            file: Some(ReleasedServiceFile { of: of(number), path: path.clone(), kind }),
            socket: None,
            reload: true,
            commands: Vec::new(),
            around: Surroundings {
                directory: place.layout.slot(&slot("a")),
                variables: BTreeMap::new(),
                virtualenv: None,
                run_as: None,
            },
        };
        let current = place.layout.current();
        let mut found = String::new();
        let mut act = |what: &str, action: Action| {
            let _ = writeln!(found, "{what}: {}", with_tools(shell, place, &good, &action));
        };
        act("a bad one", keep(1, None, "Typ=exec\n").into());
        act("a good one", keep(1, None, &format!("it's {current} \"$HOME\" %h\n\n")).into());
        act("first", restart(Some(1)).into());
        act("the same again", restart(Some(1)).into());
        act("another", keep(2, Some(1), "other\n").into());
        act("installed", restart(Some(2)).into());
        act("back", restart(Some(1)).into());
        act("a release without one", restart(Some(3)).into());
        act("none before either", restart(None).into());
        // What was there before us is put back by a way back.
        place.by_hand("echo theirs >etc/five-jobs.service; rm it*/.buedafab/installed");
        act("over another's", keep(5, Some(4), "ours\n").into());
        act("ours", restart(Some(5)).into());
        act("theirs again", restart(Some(4)).into());
        place.by_hand("rm it*/.buedafab/installed");
        act("over what no release is known of", keep(5, None, "ours\n").into());
        act("ours", restart(Some(5)).into());
        act("theirs again", restart(None).into());
        place.by_hand("cd it*/.buedafab/slots; echo 4444444444444444444444444444444444444444 >b.json");
        act("forget", RecordAction::Prune.into());
        let left = "cat etc/*; ls it*/.buedafab/releases; cat it*/.buedafab/releases/before/*; sed 's|.*/||' it*/.buedafab/installed";
        let _ = write!(found, "{}", place.by_hand(left));
        found
    });
    assert_snapshot!(found, @"
    a bad one: 1: 1:Typ=exec
    five-jobs.service has a mistake: correct the template, or the command, of its service
    a good one: 0
    first: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    the same again: 0: systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl reload-or-restart five-jobs
    another: 0
    installed: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    back: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    a release without one: 0: five-jobs isn't part of this release: it is stopped
    systemctl disable --quiet five-jobs
    systemctl stop five-jobs
    none before either: 0: five-jobs isn't part of this release: it is stopped
    systemctl disable --quiet five-jobs
    systemctl stop five-jobs
    over another's: 0
    ours: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    theirs again: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    over what no release is known of: 0
    ours: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    theirs again: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    forget: 0
    theirs
    4444444444444444444444444444444444444444
    before
    theirs
    five-jobs.service
    ");
}

#[test]
fn a_setting_is_set_and_nothing_around_it() {
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        place.by_hand("cd it*; mkdir releases/a; cd releases/a; printf 'A = True\\nMAINTENANCE_MODE=False  # why\\nMAINTENANCE_MODES = False\\n' >settings.py; echo 'MAINTENANCE_MODE = env()' >other.py; chmod 640 settings.py");
        let mut found = String::new();
        for (file, on) in [
            ("settings.py", true),
            ("settings.py", true),
            ("settings.py", false),
            ("other.py", true),
            ("other.py", false),
            ("gone.py", false),
        ] {
            let action = AppAction::MaintenanceSetting { slot: slot("a"), file: file.to_owned(), on };
            let after = place.by_hand("cd it*/releases/a; ls; stat -c %a settings.py; cat settings.py");
            let _ = writeln!(found, "{file} {on}: {}", place.act(shell, &action));
            let now = place.by_hand("cd it*/releases/a; ls; stat -c %a settings.py; cat settings.py");
            if now != after {
                found.push_str(&now);
            }
        }
        found
    });
    assert_snapshot!(found, @r#"
    settings.py true: 0
    other.py
    settings.py
    640
    A = True
    MAINTENANCE_MODE=True  # why
    MAINTENANCE_MODES = False
    settings.py true: 0
    settings.py false: 0
    other.py
    settings.py
    640
    A = True
    MAINTENANCE_MODE=False  # why
    MAINTENANCE_MODES = False
    other.py true: 1: there is no line MAINTENANCE_MODE = False in ROOT/it's "five" */releases/a/other.py: add it, or name another file by `settings_file` in buedafab.toml
    other.py false: 0
    gone.py false: 0
    "#);
}

/// Who shares the folder may have left links there.
#[test]
fn no_link_is_followed_that_lies_where_a_file_arrives() {
    let found = everywhere(|shell, place| {
        let (commit, before) = (release(1).commit, FilesOf::Before);
        let of = FilesOf::Release { commit: commit.clone(), slot: slot("a") };
        let etc = HostPath::new(format!("{}/etc", place.root().display())).expect("a path");
        let path = etc.join("five-jobs");
        let (kept, there) = (place.layout.service_files(&of), place.layout.service_files(&before));
        place.by_hand(&format!(
            "echo mine >mine; mkdir -p etc five/releases/a {kept} {there}; echo theirs >etc/five-jobs
             echo 'MAINTENANCE_MODE = False' >five/releases/a/settings.py
             for file in {kept}/five-jobs {there}/five-jobs five/releases/a/settings.py; do ln -s \"$PWD/mine\" $file.new; done"
        ));
        let text = "true\n".to_owned();
        let files = vec![ServiceFile { path, text, kind: ServiceFileKind::InitScript, is_checked: true }];
        let actions: [Action; 2] = [
            ServiceAction::ServiceFiles { slot: slot("a"), commit, there: before, files }.into(),
            AppAction::MaintenanceSetting { slot: slot("a"), file: "settings.py".to_owned(), on: true }
                .into(),
        ];
        let said = actions.map(|action| place.act(shell, &action)).join("\n");
        let left = place.by_hand(&format!(
            "cat mine {kept}/five-jobs {there}/five-jobs five/releases/a/settings.py; find . -name '*.new'"
        ));
        format!("{said}\n{left}")
    });
    assert_snapshot!(found, @"
    0
    0
    mine
    true
    theirs
    MAINTENANCE_MODE = True
    ");
}

/// Commands of another user find what the app's commands find, and leave nothing that we can't clean up.
#[test]
fn commands_of_another_user_read_secrets_that_they_may_not_open() {
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        place.by_hand(
            "chmod 755 . it*; cd it*; mkdir shared releases/a; chmod 775 releases/a; chgrp nogroup releases/a; \
             printf 'SECRET=\"it is \\\\\"x\\\\\" \\$HOME\"\\n' >shared/.env; chmod 600 shared/.env",
        );
        let mut layout = place.layout.clone();
        layout.env_file = Some(layout.shared().join(".env"));
        let hook = |command: &str| AppAction::Hook {
            point: HookPoint::Build,
            command: command.to_owned(),
            around: Surroundings {
                directory: layout.slot(&slot("a")),
                variables: BTreeMap::from([("ODD".to_owned(), ODD.to_owned())]),
                virtualenv: None,
                run_as: Some(RunAs { user: "nobody".to_owned(), group: Some("nogroup".to_owned()) }),
            },
            optional: false,
        };
        let act = |command: &str| {
            let script = render_step(&hook(command).into(), &layout, &RunId::new("r1").expect("a word"));
            told(&shell.command(&script, &place.root()).output().expect("it runs"), place)
        };
        let found = [
            act("id -un; pwd; echo \"$SECRET|$ODD\"; cat ../../shared/.env 2>/dev/null || echo closed"),
            act("mkdir made; touch made/file; read x || echo nothing to read"),
            act("exit 7"),
        ];
        let stat = place.by_hand("cd it*/releases/a; stat -c '%U %G %A %n' made made/file");
        format!("{}\n{stat}", found.join("\n")).replace('\u{1b}', "ESC")
    });
    assert_snapshot!(found, @r#"
    0: nobody
    ROOT/it's "five" */releases/a
    it is "x" $HOME|it's 100% "sure"

    $HOME `id` ESC[1m é
    closed
    0: nothing to read
    7
    nobody nogroup drwxrwxr-x made
    nobody nogroup -rw-rw-r-- made/file
    "#);
}

/// A person's session finds what the app's commands find; in the live release, or in the one that failed last.
#[test]
fn a_session_has_the_surroundings_of_the_apps_commands() {
    let found = everywhere(|shell, place| {
        place.by_hand(
            "cd five; mkdir -p releases/a/env/bin releases/b/env/bin shared; ln -s a releases/current; echo 'SECRET=\"it is\"' >shared/.env\n\
             printf '#!/bin/sh\\necho \"python of $0\"\\n' | tee releases/a/env/bin/python >releases/b/env/bin/python; chmod +x releases/*/env/bin/python\n\
             mkdir -p .buedafab/slots; echo '{\"at\":\"\",\"state\":\"live\"}' >.buedafab/slots/a.json",
        );
        let settings = common::settings(&format!(
            "unit = \"five\"\npath = \"{}\"\nrecipe = \"wsgi\"\nenv_file = \".env\"\nvariables = {{ ODD = \"it's $HOME\" }}\n\
             service = \"none\"\n[environments.production]\nhosts = [\"web1\"]\n",
            place.layout.path
        ));
        let told = |which: SessionIn| {
            let script = login_shell(&settings, &settings.hosts[0], which);
            // What a person types.
            let typed = "pwd; echo \"$ODD|$SECRET|$DEPLOYMENT_TYPE|${BUEDAFAB_SESSION-gone}\"; python\n";
            let mut all = Vec::new();
            for login in ["/bin/sh", "/bin/bash"] {
                let mut command = shell.command(&script, &place.root());
                command.env("SHELL", login).env("HOME", place.root()).stdin(std::process::Stdio::piped());
                let mut child = command
                    .stdout(std::process::Stdio::piped())
                    .stderr(std::process::Stdio::piped())
                    .spawn()
                    .expect("it starts");
                // A session that is refused listens to nobody.
                std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), typed.as_bytes()).ok();
                all.push(told(&child.wait_with_output().expect("it ends"), place));
            }
            assert_eq!(all[0], all[1]);
            all.swap_remove(0)
        };
        let mut found = format!("live {}\n", told(SessionIn::Live));
        let _ = writeln!(found, "none failed {}", told(SessionIn::Failed));
        place.by_hand("mv five/.buedafab/slots five/.buedafab/no-slots");
        let _ = writeln!(found, "no slot at all {}", told(SessionIn::Failed));
        place.by_hand("mv five/.buedafab/no-slots five/.buedafab/slots");
        place.by_hand("echo '{\"at\":\"\",\"state\":\"failed\"}' >five/.buedafab/slots/b.json");
        let _ = writeln!(found, "failed {}", told(SessionIn::Failed));
        place.by_hand("echo 'export SECRET=x' >five/shared/.env");
        let _ = write!(found, "bad file {}", told(SessionIn::Live));
        found
    });
    assert_snapshot!(found, @"
    live 0: ROOT/five/releases/current
    it's $HOME|it is|PRODUCTION|gone
    python of ROOT/five/releases/current/env/bin/python
    none failed 4: no slot failed here; there are: a (live)
    no slot at all 4: no slot failed here; there are: none
    failed 0: ROOT/five/releases/b
    it's $HOME|it is|PRODUCTION|gone
    python of ROOT/five/releases/b/env/bin/python
    in slot b, which failed
    bad file 0: ROOT/five/releases/current
    it's $HOME||PRODUCTION|gone
    python of ROOT/five/releases/current/env/bin/python
    line 1 of ROOT/five/shared/.env begins with export, which systemd doesn't know: correct it, or write the file anew by `env push`
    ");
}
