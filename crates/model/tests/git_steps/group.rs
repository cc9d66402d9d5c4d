//! Members of a team, who share the slots.

use super::*;

/// What one member of a team has deployed, the next one deploys over.
#[test]
fn members_of_a_team_deploy_one_after_the_other() {
    let place = Place::with_room("five");
    let remote = Remote::of(&place);
    let group = if is_root() { "20000".to_owned() } else { id("-gn") };
    place.by_hand(&format!(
        "chmod a+rx .; rm -r five; mkdir five; chgrp {group} five; chmod g+ws five
         printf '[safe]\\n directory = %s\\n' \"$PWD/remote.git\" >gitconfig"
    ));
    let mut told = Vec::new();
    for (user, name, commit) in [
        (10_001, "a", &remote.first),
        (10_002, "b", &remote.second),
        (10_002, "a", &remote.second),
        (10_001, "b", &remote.first),
    ] {
        let fetch = fetch(&place, name, commit, &["a", "b"]);
        let actions: [Action; 8] = [
            RecordAction::CreateFolders { group: Some(group.clone()), owner: common::owner() }.into(),
            fetch.into(),
            checkout(name, commit).into(),
            prove(name, commit).into(),
            RecordAction::GiveToGroup { slot: slot(name), group: group.clone() }.into(),
            RecordAction::Record {
                slot: slot(name),
                state: SlotState::Ready,
                release: release(1),
                former: None,
                turn: 0,
                optional: false,
            }
            .into(),
            point(name),
            RecordAction::Journal {
                kind: JournalKind::Deployed,
                by: "ada@laptop".to_owned(),
                release: None,
                from: None,
                reason: None,
                skipped: Vec::new(),
            }
            .into(),
        ];
        for action in &actions {
            // A command of the project's sets what it likes.
            if matches!(action, Action::Record(RecordAction::GiveToGroup { .. })) {
                let own = format!(
                    "cd five/releases/{name} && mkdir -m 755 made && mkdir -m 700 made/closed && umask 022 &&
                     echo open >made/closed/open && umask 077 && echo secret >made/secret"
                );
                assert_eq!(run_as(user, &place, &own), "0");
            }
            told.push(format!("{user}, {action} → {}", act_in_group(user, &place, action)));
        }
        told.push(place.by_hand(&format!(
            "cd five/releases/{name}/made; stat -c '%a %n' . * closed/open | paste -sd, | tr -d '\\n'"
        )));
        // As the runner's `lock` does.
        let lock =
            run_as(user, &place, "echo somebody >five/.buedafab/lock && flock five/.buedafab/lock true");
        told.push(format!("{user}, lock → {lock}"));
        // An app leaves files of its own, which nobody else may write.
        place.by_hand(&format!(
            "cd five/releases/{name}; mkdir -p env; echo private >env/file; chmod -R go-w env"
        ));
    }
    assert_snapshot!(remote.name(&told.join("\n")), @"
    10001, create the app's folders → 0
    10001, fetch FIRST into a → 0
    10001, check out FIRST in a → 0
    10001, verify that a holds FIRST, unchanged → 0
    10001, give all of a to the group 20000 → 0
    10001, mark a as ready → 0
    10001, switch the link to a → 0
    10001, note in the journal: deployed → 0
    2775 .,2770 closed,600 secret,600 closed/open
    10001, lock → 0
    10002, create the app's folders → 0
    10002, fetch SECOND into b → 0
    10002, check out SECOND in b → 0
    10002, verify that b holds SECOND, unchanged → 0
    10002, give all of b to the group 20000 → 0
    10002, mark b as ready → 0
    10002, switch the link to b → 0
    10002, note in the journal: deployed → 0
    2775 .,2770 closed,600 secret,600 closed/open
    10002, lock → 0
    10002, create the app's folders → 0
    10002, fetch SECOND into a → 0
    10002, check out SECOND in a → 0
    10002, verify that a holds SECOND, unchanged → 0
    10002, give all of a to the group 20000 → 0
    10002, mark a as ready → 0
    10002, switch the link to a → 0
    10002, note in the journal: deployed → 0
    2775 .,2770 closed,600 secret,600 closed/open
    10002, lock → 0
    10001, create the app's folders → 0
    10001, fetch FIRST into b → 0
    10001, check out FIRST in b → 0
    10001, verify that b holds FIRST, unchanged → 0
    10001, give all of b to the group 20000 → 0
    10001, mark b as ready → 0
    10001, switch the link to b → 0
    10001, note in the journal: deployed → 0
    2775 .,2770 closed,600 secret,600 closed/open
    10001, lock → 0
    ");
}

/// A live app reads its variables through a link, as the user to whom a person gave the file.
#[test]
fn a_file_of_variables_stays_as_a_person_gave_it() {
    let (user, group) =
        if is_root() { ("10001".to_owned(), "20000".to_owned()) } else { (id("-u"), id("-g")) };
    let others = if is_root() { "33" } else { group.as_str() };
    for (given, kept) in [
        (format!("{group} 600"), format!("{group} 640")),
        (format!("{others} 640"), format!("{others} 640")),
        (format!("{group} 644"), format!("{group} 644")),
        (format!("{group} 400"), format!("{group} 400")),
    ] {
        let mut place = Place::with_room("five");
        place.layout.env_file = Some(place.layout.shared().join(".env"));
        let (whose, mode) = given.split_once(' ').expect("both");
        place.by_hand(&format!(
            "chmod a+rx .; mkdir five/shared; : >five/shared/.env; chown -R {user}:{group} five
             chgrp {whose} five/shared/.env; chmod {mode} five/shared/.env"
        ));
        let create = RecordAction::CreateFolders { group: Some(group.clone()), owner: common::owner() };
        assert_eq!(act_in_group(10_001, &place, &create.into()), "0");
        assert_eq!(place.by_hand("stat -c '%g %a' five/shared/.env").trim_end(), kept, "{given}");
    }
}

fn id(option: &str) -> String {
    let output = Command::new("id").arg(option).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
