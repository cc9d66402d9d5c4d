//! A file of variables that a person wrote on the host: it has one meaning, whoever reads it, and nothing of it runs.

mod common;

use std::collections::BTreeMap;

use buedafab_model::app::env_file::{normalize, odd_readers, render_line};
use buedafab_model::host::facts::HostFacts;
use buedafab_model::names::RunId;
use buedafab_model::plan::action::{AppAction, EnvEdit, RecordAction, Surroundings};
use buedafab_model::shell::inspect::{AlsoLookAt, Scope, inspect_script};
use buedafab_model::shell::render_step;
use insta::assert_snapshot;
use jiff::Timestamp;
use proptest::prelude::*;

use common::shells::{Place, Shell, everywhere_in, shells, told, with_tools};

/// What a command finds in its environment where the file holds this text: its variables, or why there are none.
fn found_by(shell: &Shell, place: &Place, text: &str, command: &str) -> String {
    let mut layout = place.layout.clone();
    let file = layout.shared().join(".env");
    layout.env_file = Some(file.clone());
    std::fs::create_dir_all(layout.shared().as_str()).expect("a folder");
    std::fs::write(file.as_str(), text).expect("a file");
    let action = AppAction::Run {
        command: command.to_owned(),
        around: Surroundings {
            directory: layout.path.clone(),
            variables: BTreeMap::from([("A".to_owned(), "from the settings".to_owned())]),
            virtualenv: None,
            run_as: None,
        },
    };
    let step = render_step(&action.into(), &layout, &RunId::new("r1").expect("a word"));
    told(&shell.run(&step, &place.root()), place)
}

/// What people write, and what came of each as shell: parts ran, parts were lost, and the rest was cut.
#[test]
fn each_line_means_what_it_says() {
    let found = everywhere_in("it's", |shell, place| {
        let lines = [
            "A=a$b&touch it-ran;x",
            "A=https://x.example/?a=1&b=2",
            "A=My App",
            "A=$(touch it-ran) `touch it-ran` $HOME",
            "A=dos\r",
            "A=\"dos\"\r",
            " A =  spaced\t",
            "A=it's \"so\"",
            "A='it is $HOME \\'",
            "A=\"a \\\"b\\\" \\$c \\z\"",
            "A=one\nA=two",
            "A=",
            "A=#x",
            "# A=x\n\nB=x",
            "A=never ended by a newline é",
            "A='one\nB=two \n three'\nC=x",
            "A=\"one \\\n two \\\" \nB=\"\r",
        ];
        let mut found = String::new();
        for line in lines {
            let value = found_by(shell, place, line, "printf %s. \"$A\"");
            found += &format!("{line:?} → {value}\n");
        }
        assert!(!place.root().join("it-ran").exists() && !place.root().join("it's/it-ran").exists());
        found
    });
    assert_snapshot!(found, @r##"
    "A=a$b&touch it-ran;x" → 0: a$b&touch it-ran;x.
    "A=https://x.example/?a=1&b=2" → 0: https://x.example/?a=1&b=2.
    "A=My App" → 0: My App.
    "A=$(touch it-ran) `touch it-ran` $HOME" → 0: $(touch it-ran) `touch it-ran` $HOME.
    "A=dos\r" → 0: dos.
    "A=\"dos\"\r" → 0: dos.
    " A =  spaced\t" → 0: spaced.
    "A=it's \"so\"" → 0: it's "so".
    "A='it is $HOME \\'" → 0: it is $HOME \.
    "A=\"a \\\"b\\\" \\$c \\z\"" → 0: a "b" $c \z.
    "A=one\nA=two" → 0: two.
    "A=" → 0: .
    "A=#x" → 0: #x.
    "# A=x\n\nB=x" → 0: from the settings.
    "A=never ended by a newline é" → 0: never ended by a newline é.
    "A='one\nB=two \n three'\nC=x" → 0: one
    B=two 
     three.
    "A=\"one \\\n two \\\" \nB=\"\r" → 0: one  two " 
    B=.
    "##);
}

/// What systemd would read in another way than people do is refused, before anything is done and without a word of it.
#[test]
fn lines_with_two_meanings_are_refused() {
    let found = everywhere_in("five", |shell, place| {
        let lines = [
            "A=1\nexport S3CRET=x",
            "S3CRET",
            "1A=s3cret",
            "A-B=s3cret",
            "A='s3cret",
            "A=\"s3cret\\\"",
            "A='s3cret' # why",
            "A=s3cret # why",
            "A=s3\\cret",
            "A=s3\rB=cret",
            "A='s3\r\ncret'",
            "A=1\nB='s3\ncret\n",
            "# s3cret\\\nA=1",
        ];
        let mut found = String::new();
        for line in lines {
            let told = found_by(shell, place, line, "echo it ran");
            assert!(!told.to_lowercase().contains("s3"), "{told}");
            let mut layout = place.layout.clone();
            layout.env_file = Some(layout.shared().join(".env"));
            let look = inspect_script(&layout, Scope::Plan, &AlsoLookAt::default());
            let look = shell.run(&look, &place.root()).stdout;
            let facts = HostFacts::parse(&look, &layout, Timestamp::UNIX_EPOCH).expect("it is one");
            let seen = facts
                .bad_env_file
                .expect("the look sees it")
                .replace(&place.root().display().to_string(), "ROOT");
            assert_eq!(format!("78: {seen}"), told);
            found += &format!("{line:?} → {told}\n");
        }
        found
    });
    assert_snapshot!(found, @r##"
    "A=1\nexport S3CRET=x" → 78: line 2 of ROOT/five/shared/.env begins with export, which systemd doesn't know: correct it, or write the file anew by `env push`
    "S3CRET" → 78: line 1 of ROOT/five/shared/.env isn't NAME=value: correct it, or write the file anew by `env push`
    "1A=s3cret" → 78: line 1 of ROOT/five/shared/.env has a name that no variable can have: correct it, or write the file anew by `env push`
    "A-B=s3cret" → 78: line 1 of ROOT/five/shared/.env has a name that no variable can have: correct it, or write the file anew by `env push`
    "A='s3cret" → 78: line 1 of ROOT/five/shared/.env has a quote that is never closed: correct it, or write the file anew by `env push`
    "A=\"s3cret\\\"" → 78: line 1 of ROOT/five/shared/.env has a quote that is never closed: correct it, or write the file anew by `env push`
    "A='s3cret' # why" → 78: line 1 of ROOT/five/shared/.env goes on after its closing quote: correct it, or write the file anew by `env push`
    "A=s3cret # why" → 78: line 1 of ROOT/five/shared/.env has a # outside of quotes that some take for a comment: correct it, or write the file anew by `env push`
    "A=s3\\cret" → 78: line 1 of ROOT/five/shared/.env has a backslash outside of quotes: correct it, or write the file anew by `env push`
    "A=s3\rB=cret" → 78: line 1 of ROOT/five/shared/.env holds a carriage return: correct it, or write the file anew by `env push`
    "A='s3\r\ncret'" → 78: line 1 of ROOT/five/shared/.env holds a carriage return: correct it, or write the file anew by `env push`
    "A=1\nB='s3\ncret\n" → 78: line 2 of ROOT/five/shared/.env has a quote that is never closed: correct it, or write the file anew by `env push`
    "# s3cret\\\nA=1" → 78: line 1 of ROOT/five/shared/.env is a comment that ends in a backslash, to which some take the next line: correct it, or write the file anew by `env push`
    "##);
}

/// A variable is changed and taken away however a person wrote it.
#[test]
fn what_a_person_wrote_is_replaced() {
    let found = everywhere_in("five", |shell, place| {
        let file = place.layout.shared().join(".env");
        std::fs::create_dir_all(place.layout.shared().as_str()).expect("a folder");
        let act = |edit: EnvEdit| {
            std::fs::write(file.as_str(), " A = 1\nexport  A=2\nexport B=3\nAA=4\r\n").expect("a file");
            let told = place.act(shell, &AppAction::EnvFile { edit, file: file.clone(), group: None });
            format!("{told} {:?}\n", std::fs::read_to_string(file.as_str()).expect("it is there"))
        };
        let first = [EnvEdit::Unset { name: "A".to_owned() }, EnvEdit::Set { name: "B".to_owned() }].map(act);
        // What stands in quotes over several lines is one variable, and nothing in it is another.
        let act = |edit: EnvEdit, text: &str| {
            std::fs::write(file.as_str(), text).expect("a file");
            let told = place.act(shell, &AppAction::EnvFile { edit, file: file.clone(), group: None });
            format!("{told} {:?}\n", std::fs::read_to_string(file.as_str()).expect("it is there"))
        };
        let unset = |name: &str| EnvEdit::Unset { name: name.to_owned() };
        let key = "# a key\nexport KEY='-----BEGIN\nA=no variable\n-----END'\nA=1\n";
        let then = [
            act(unset("A"), key),
            act(unset("KEY"), key),
            act(unset("B"), key),
            act(EnvEdit::Set { name: "A".to_owned() }, "A='never closed\nB=1\n"),
        ];
        first.concat() + &then.concat()
    });
    assert_snapshot!(found, @r##"
    0 "export B=3\nAA=4\r\n"
    0 " A = 1\nexport  A=2\nAA=4\r\n"
    0 "# a key\nexport KEY='-----BEGIN\nA=no variable\n-----END'\n"
    0 "# a key\nA=1\n"
    1: there is no B in ROOT/five/shared/.env "# a key\nexport KEY='-----BEGIN\nA=no variable\n-----END'\nA=1\n"
    78: line 1 has a quote that is never closed: write the file anew by `env push` "A='never closed\nB=1\n"
    "##);
}

/// Who shares a folder may leave half a file there, or a link to something else: nothing is written through it.
#[test]
fn what_lies_where_a_file_is_written_is_in_no_way() {
    let found = everywhere_in("five", |shell, place| {
        let shared = place.layout.shared();
        let hold = RecordAction::Hold { by: "ada".to_owned(), reason: "audit".to_owned() };
        let take_over = RecordAction::TakeOver { owner: common::owner() };
        let env = AppAction::EnvFile {
            edit: EnvEdit::Unset { name: "B".to_owned() },
            file: shared.join(".env"),
            group: None,
        };
        let mut found = String::new();
        for left in ["ln -s ../../mine", "ln -s nowhere", "touch"] {
            place.by_hand(&format!(
                "mkdir -p five/shared; printf 'A=1\nB=2\n' >five/shared/.env; echo mine >mine
                 for file in shared/.env shared/.env.former .buedafab/hold .buedafab/owner.json; do {left} five/$file.new; done
                 [ '{left}' != touch ] || chmod 0 five/*/.env*.new five/.buedafab/*.new"
            ));
            let told =
                [place.act(shell, &hold), place.act(shell, &take_over), place.act(shell, &env)].join(" ");
            found += &format!(
                "{left} → {told} {}",
                place.by_hand("cat mine five/shared/.env; find . -name '*.new' -o -name nowhere")
            );
        }
        found
    });
    assert_snapshot!(found, @"
    ln -s ../../mine → 0 0 0 mine
    A=1
    ln -s nowhere → 0 0 0 mine
    A=1
    touch → 0 0 0 mine
    A=1
    ");
}

/// There are secrets in it, so no half of a new file stays, however an edit ends.
#[test]
fn an_edit_that_fails_leaves_nothing_behind() {
    let found = everywhere_in("five", |shell, place| {
        let file = place.layout.shared().join(".env");
        let edits = [EnvEdit::Unset { name: "B".to_owned() }, EnvEdit::Replace, EnvEdit::Restore];
        let mut found = String::new();
        for (name, script) in [
            ("cat", "echo half; exit 1"),
            ("chmod", "exit 1"),
            ("mv", "exit 1"),
            // A person interrupts it, or its time is over.
            ("mv", "kill \"$PPID\"; exit 1"),
            ("cmp", "kill -HUP \"$PPID\"; exit 1"),
        ] {
            for edit in &edits {
                place.by_hand(
                    "mkdir -p five/shared; cd five/shared; printf 'A=1\nB=2\n' >.env; echo C=3 >.env.former",
                );
                let action = AppAction::EnvFile { edit: edit.clone(), file: file.clone(), group: None };
                let told = with_tools(shell, place, &[(name, script)], &action);
                let left = place.by_hand("rm -r 'fake tools'; ls -A five/shared; head -n 1 five/shared/.env");
                found += &format!("{name}, {edit}: {told} {}\n", left.replace('\n', " "));
            }
        }
        found
    });
    assert_snapshot!(found, @"
    cat, unset B: 1 .env .env.former A=1 
    cat, replace all variables: 1 .env .env.former A=1 
    cat, restore the previous variables: 1 .env .env.former A=1 
    chmod, unset B: 1 .env .env.former A=1 
    chmod, replace all variables: 1 .env .env.former A=1 
    chmod, restore the previous variables: 1 .env .env.former A=1 
    mv, unset B: 1 .env .env.former A=1 
    mv, replace all variables: 1 .env .env.former A=1 
    mv, restore the previous variables: 1 .env .env.former A=1 
    mv, unset B: 1 .env .env.former A=1 
    mv, replace all variables: 1 .env .env.former A=1 
    mv, restore the previous variables: 1 .env .env.former A=1 
    cmp, unset B: 1 .env .env.former A=1 
    cmp, replace all variables: 1 .env .env.former A=1 
    cmp, restore the previous variables: 1 .env .env.former A=1
    ");
}

/// What a person let a web server read it reads on.
#[test]
fn a_change_leaves_the_file_to_whom_it_was_given() {
    let mut found = String::new();
    for mode in ["600", "640", "644"] {
        let place = Place::with_room("five");
        place.by_hand(&format!(
            "mkdir five/shared; echo A=1 >five/shared/.env; chmod {mode} five/shared/.env"
        ));
        let file = place.layout.shared().join(".env");
        let action = AppAction::EnvFile { edit: EnvEdit::Unset { name: "A".to_owned() }, file, group: None };
        found += &place.act(&shells()[0], &action);
        found += &place.by_hand("stat -c ' %a' five/shared/.env");
    }
    assert_eq!(found, "0 600\n0 640\n0 644\n");
}

/// systemd's own reader, `parse_env_file_internal` of its `env-file.c`, state by state.
fn as_systemd_reads(text: &str) -> BTreeMap<String, String> {
    #[derive(PartialEq)]
    enum State {
        PreKey,
        Key,
        PreValue,
        Value,
        ValueEscape,
        Single,
        Double,
        DoubleEscape,
        Comment,
        CommentEscape,
    }
    let (mut state, mut key, mut value) = (State::PreKey, String::new(), String::new());
    let mut found = BTreeMap::new();
    let mut bare_from = None;
    let mut push = |key: &mut String, value: &mut String, bare_from: &mut Option<usize>| {
        if let Some(from) = bare_from.take() {
            let kept = value[from..].trim_end_matches([' ', '\t']).len();
            value.truncate(from + kept);
        }
        let name = key.trim_end_matches([' ', '\t']).to_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(plain) && !name.is_empty() {
            found.insert(name, std::mem::take(value));
        }
        key.clear();
        value.clear();
    };
    for c in text.chars() {
        let ends = c == '\n' || c == '\r';
        let blank = c == ' ' || c == '\t' || ends;
        state = match state {
            State::PreKey if c == '#' || c == ';' => State::Comment,
            State::PreKey if blank => State::PreKey,
            State::PreKey => {
                key.push(c);
                State::Key
            }
            State::Key if ends => {
                key.clear();
                State::PreKey
            }
            State::Key if c == '=' => State::PreValue,
            State::Key => {
                key.push(c);
                State::Key
            }
            State::PreValue | State::Value if ends => {
                push(&mut key, &mut value, &mut bare_from);
                State::PreKey
            }
            State::PreValue if c == '\'' => State::Single,
            State::PreValue if c == '"' => State::Double,
            State::PreValue | State::Value if c == '\\' => State::ValueEscape,
            State::PreValue if blank => State::PreValue,
            State::PreValue | State::Value => {
                bare_from.get_or_insert(value.len());
                value.push(c);
                State::Value
            }
            State::ValueEscape => {
                if !ends {
                    value.push(c);
                }
                State::Value
            }
            State::Single if c == '\'' => State::PreValue,
            State::Single => {
                value.push(c);
                State::Single
            }
            State::Double if c == '"' => State::PreValue,
            State::Double if c == '\\' => State::DoubleEscape,
            State::Double => {
                value.push(c);
                State::Double
            }
            State::DoubleEscape => {
                match c {
                    '"' | '\\' | '`' | '$' => value.push(c),
                    '\n' => {}
                    c => value.extend(['\\', c]),
                }
                State::Double
            }
            State::Comment if c == '\\' => State::CommentEscape,
            State::Comment if ends => State::PreKey,
            State::Comment | State::CommentEscape => State::Comment,
        };
    }
    if !matches!(state, State::PreKey | State::Key | State::Comment | State::CommentEscape) {
        push(&mut key, &mut value, &mut bare_from);
    }
    found
}

/// A value may have lines of its own.
const SAYS: &str = r#"[ -z "${A+set}" ] || printf 'A=%s\n' "$A"; [ -z "${B+set}" ] || printf 'B=%s\n' "$B""#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// What our commands accept, systemd and `env push` read the same.
    #[test]
    fn all_readers_read_the_same(lines in prop::collection::vec("[AB ]{0,2}=?[ '\"\\\\$`#xé&;=\t]{0,7}\r?", 1..4)) {
        let text = lines.join("\n");
        let shells = shells();
        let shell = &shells[text.len() % shells.len()];
        let place = Place::with_room("five");
        let ours = found_by(shell, &place, &text, SAYS);
        prop_assert!(!ours.contains("it ran"));
        if !ours.starts_with("78: ") {
            let mut theirs = as_systemd_reads(&text);
            theirs.retain(|name, _| name == "A" || name == "B");
            theirs.entry("A".to_owned()).or_insert_with(|| "from the settings".to_owned());
            let theirs: Vec<String> = theirs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let theirs = format!("0: {}", theirs.join("\n"));
            prop_assert_eq!(&ours, theirs.trim_end(), "{:?}", text);
            let pushed = normalize(&text).expect("it is read when it is pushed, too");
            let pushed = found_by(shell, &place, &String::from_utf8_lossy(pushed.text.reveal()), SAYS);
            prop_assert_eq!(ours, pushed, "{:?}", text);
        }
    }
}

/// What Python reads in a file: python-dotenv and python-decouple, as script/setup has downloaded them.
fn as_python_reads(file: &str) -> [Option<String>; 2] {
    const READ: &str = "import glob, sys
sys.path[:0] = glob.glob(sys.argv[1] + '/wheels/python_decouple-*.whl') + glob.glob(sys.argv[1] + '/tools/lib/python3*/site-packages')
from decouple import RepositoryEnv
from dotenv import dotenv_values
for found in (dotenv_values(sys.argv[2]), RepositoryEnv(sys.argv[2]).data):
    print(found['A'].encode().hex() if found.get('A') is not None else '-')";
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
    let output = std::process::Command::new("/usr/bin/python3").args(["-c", READ, target, file]).output();
    let output = output.expect("python3 is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("ASCII");
    let mut values = said
        .lines()
        .map(|line| hex::decode(line).ok().map(|bytes| String::from_utf8(bytes).expect("it was a text")));
    [values.next().flatten(), values.next().flatten()]
}

/// There is one writing that a shell, systemd, python-dotenv and python-decouple read alike; and where there is none for a
/// value, it is known whose reading is another.
#[test]
fn what_is_written_means_the_same_to_whoever_opens_it() {
    let place = Place::with_room("five");
    let shells = shells();
    let values = [
        ("plain", ""),
        ("", ""),
        (" two  words ", ""),
        ("pa$$word $HOME $(id) `id`", ""),
        ("it's", ""),
        ("a \"b\" # c; d", ""),
        ("C:\\temp\\new", ""),
        ("postgres://a:b%40c@host/db?x=1&y=2", ""),
        ("-----BEGIN KEY-----\nMIIE=\nB=1\n-----END KEY-----", "python-decouple"),
        ("it's $HOME", "python-dotenv python-decouple"),
        ("it's \"so\"", "python-decouple"),
        ("two \\\\ of them", "python-decouple"),
        ("at the end \\", "python-decouple"),
        ("${HOME}", "python-dotenv"),
    ];
    for (value, odd) in values {
        let text = String::from_utf8(render_line("A", value).expect("it can be written").reveal().to_vec());
        let text = text.expect("UTF-8");
        for shell in &shells {
            assert_eq!(found_by(shell, &place, &text, "printf %s. \"$A\""), format!("0: {value}."), "{text}");
        }
        assert_eq!(as_systemd_reads(&text).remove("A").as_deref(), Some(value), "{text}");
        let python = as_python_reads(place.layout.shared().join(".env").as_str());
        let differs =
            |(read, name): (Option<String>, &'static str)| (read.as_deref() != Some(value)).then_some(name);
        let found: Vec<&str> =
            python.into_iter().zip(["python-dotenv", "python-decouple"]).filter_map(differs).collect();
        assert_eq!(found.join(" "), odd, "{text}");
        assert_eq!(odd_readers(value), found, "{text}");
    }
}
