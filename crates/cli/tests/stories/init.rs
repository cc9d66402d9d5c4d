//! `init` in real checkouts. What it makes of each kind of project is proven in the model.

use rexpect::reader::Options;
use rexpect::session::spawn_with_options;

use super::developer::Desk;
use super::terminal::{answer, finish};

/// A Flask app, whose remote is called by another name, on a detached HEAD.
fn desk() -> Desk {
    let desk = Desk::new("");
    let git = |words: &[&str]| desk.remote.git(words);
    git(&["remote", "rename", "origin", "upstream"]);
    std::fs::remove_file(desk.remote.checkout_dir().join("buedafab.toml")).expect("it is there");
    desk.write("requirements.txt", "flask\r\n");
    desk.write("wsgi.py", "app = 1\n");
    // What isn't tracked isn't deployed.
    desk.write("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')\n");
    git(&["add", "requirements.txt", "wsgi.py"]);
    git(&["commit", "-q", "-m", "one"]);
    git(&["push", "-q", "upstream", "HEAD"]);
    git(&["checkout", "-q", "--detach"]);
    desk
}

#[test]
fn init_is_silent_where_nobody_is_asked() {
    let desk = desk();
    let branch = desk.remote.git(&[
        "-C",
        &desk.remote.path().display().to_string(),
        "symbolic-ref",
        "--short",
        "HEAD",
    ]);
    let ran = desk.run(&["--yes", "init"], 0);
    // This checkout was never told where the remote's HEAD is: the remote is asked.
    ran.says("recipe wsgi (requirements.txt asks for flask)")
        .says(&format!("production's branch {} (the HEAD of upstream)", branch.trim()));
    ran.says("name your hosts in it");
    let config = desk.run(&["production", "config"], 0).stdout;
    assert!(config.contains(&format!("branch = \"{}\"", branch.trim())), "{config}");
    assert!(config.contains("master_remote = \"upstream\""), "{config}");
    desk.run(&["--yes", "init"], 2).says("exists already").says("--force overwrites it, and keeps its hosts");
}

#[test]
fn init_asks_a_person_for_what_only_they_know() {
    let desk = desk();
    let mut command = desk.command(&["init"]);
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    let options = Options::new().timeout_ms(Some(30_000)).strip_ansi_escape_codes(true);
    let mut session = spawn_with_options(command, options).expect("it starts");
    let before = answer(
        &mut session,
        "Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] ",
        "web[2:1]\n",
    );
    assert!(before.contains("started by: python -m gunicorn"), "{before}");
    answer(&mut session, "`[2:1]` runs backwards", "");
    answer(&mut session, "[later] ", "web1 web2\n");
    answer(&mut session, "[python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] ", "\n");
    answer(&mut session, "[:8000/] ", "/healthz\n");
    let said = finish(session, 0);
    assert!(said.contains("next: commit it"), "{said}");
    let config = desk.run(&["production", "config"], 0).stdout;
    for line in [
        "name = \"web2\"",
        "command = \"python -m gunicorn --bind 127.0.0.1:8000 wsgi:app\"",
        "http = \"http://localhost/healthz\"",
    ] {
        assert!(config.contains(line), "{line}\n{config}");
    }
}

#[test]
fn init_writes_nothing_for_somebody_who_goes_away() {
    let desk = desk();
    let options = Options::new().timeout_ms(Some(30_000)).strip_ansi_escape_codes(true);
    let mut session = spawn_with_options(desk.command(&["init"]), options).expect("it starts");
    answer(&mut session, "[later] ", "\u{4}");
    assert!(finish(session, 130).contains("nothing was written"));
    assert!(!desk.remote.checkout_dir().join("buedafab.toml").exists());
}

/// `clone.defaultRemoteName` is somebody's own, and `master_remote` is the project's.
#[test]
fn a_remote_of_another_name_is_named() {
    let desk = desk();
    desk.write("buedafab.toml", "unit = \"five\"\n");
    desk.run(&["localhost", "check"], 4)
        .says("this checkout has no remote \"origin\", but upstream")
        .says("master_remote = \"upstream\"");
}
