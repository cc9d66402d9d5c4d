//! What a person is asked, and what the file then says.

use super::*;

/// The branch that happens to be checked out is none to release from.
#[test]
fn production_s_branch() {
    let facts = |branch: Option<&str>, default: Option<&str>, branches: &[&str]| CheckoutFacts {
        branch: branch.map(str::to_owned),
        default_branch: default.map(str::to_owned),
        branches: branches.iter().map(|name| (*name).to_owned()).collect(),
        ..checkout(&[])
    };
    let cases = [
        ("a feature branch", facts(Some("feature"), Some("trunk"), &["feature", "trunk"])),
        ("a detached HEAD", facts(None, Some("main"), &["main"])),
        ("no HEAD of the remote", facts(Some("feature"), None, &["feature", "master"])),
        ("several could be", facts(Some("feature"), None, &["feature", "main", "master"])),
        ("none of a usual name", facts(Some("feature"), None, &["feature", "one"])),
        ("nothing committed", facts(Some("main"), None, &[])),
        ("nothing committed on another", facts(Some("wip"), None, &[])),
        ("no remote", CheckoutFacts { remote: None, ..facts(Some("wip"), None, &["wip", "main"]) }),
        (
            "a remote of another name",
            CheckoutFacts {
                remote: Some(("upstream".to_owned(), "https://git.example.com/five".to_owned())),
                ..facts(Some("wip"), Some("main"), &["main"])
            },
        ),
    ];
    let mut all = String::new();
    for (name, facts) in cases {
        let text = file_of(&facts, &Answers::default());
        let said: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("branch = ") || line.starts_with("master_remote"))
            .collect();
        let told: Vec<String> = told(&facts, &Answers::default())
            .lines()
            .filter(|l| l.contains("branch"))
            .map(str::to_owned)
            .collect();
        let _ = writeln!(all, "{name}: {}\n    {}", said.join("; "), told.join("; "));
    }
    insta::assert_snapshot!(all, @r#"
    a feature branch: branch = "trunk"
        - production's branch trunk (the HEAD of origin)
    a detached HEAD: branch = "main"
        - production's branch main (the HEAD of origin)
    no HEAD of the remote: branch = "master"
        - production's branch master (the only branch of such a name)
    several could be: # branch = "master"
        ? Which branch do production's releases come from: main, master? [main]
    none of a usual name: # branch = "master"
        ? Which branch do production's releases come from: feature, one? [feature]
    nothing committed: branch = "main"
        - production's branch main (it is checked out, and there is no other)
    nothing committed on another: # branch = "master"
        ? Which branch do production's releases come from? [main]
    no remote: branch = "main"
        - production's branch main (the only branch of such a name)
    a remote of another name: master_remote = "upstream"; branch = "main"
        - production's branch main (the HEAD of upstream)
    "#);
}

/// What a person answers, and what the file then says.
#[test]
fn answers() {
    let facts = checkout(&[
        ("requirements.txt", "flask\n"),
        ("wsgi.py", "from five import create_app\napp = create_app()\n"),
    ]);
    let answer = |typed: &[&str]| {
        let mut answers = Answers::default();
        let mut talk = String::new();
        for typed in typed {
            let Some(question) = guess(&facts, &answers).questions.first().cloned() else { break };
            let _ = writeln!(talk, "{}", format!("{} {typed}", question.words()).trim_end());
            match understand(&facts, &answers, &question, typed) {
                Ok(more) => answers = more,
                Err(why) => talk.push_str(&format!("  {why}\n")),
            }
        }
        let open = guess(&facts, &answers).questions;
        assert!(open.is_empty(), "{open:?}");
        let file = file_of(&facts, &answers);
        let own = file.lines().filter(|line| {
            let begins = ["hosts = [\"", "service =", "[services", "command", "[health", "http", "port"];
            begins.iter().any(|begin| line.starts_with(begin))
        });
        talk + &own.map(|line| format!("    {line}\n")).collect::<String>()
    };
    insta::assert_snapshot!(answer(&["", "", ""]), @r#"
    Production's hosts, such as deploy@web[1:3].example.com jobs1? [later]
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app]
    The page that says it is well, such as :8000/healthz, or - for none? [:8000/]
        service = "none"
        [services.web]
        command = "python -m gunicorn --bind 127.0.0.1:8000 wsgi:app"
        [health]
        http = "/"
        port = 8000
    "#);
    insta::assert_snapshot!(answer(&["deploy@web[1:3].example.com, jobs1", "systemd:five", "/healthz"]), @r#"
    Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] deploy@web[1:3].example.com, jobs1
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] systemd:five
    The page that says it is well, such as :8000/healthz, or - for none? [:8000/] /healthz
        service = "systemd:five"
        [health]
        http = "/healthz"
        port = 8000
    "#);
    insta::assert_snapshot!(
        answer(&["web[3:1]", "web1", "python -m gunicorn -b 127.0.0.1:9000 wsgi:app", "well", ":9001/well"]), @r#"
        Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] web[3:1]
          `[3:1]` runs backwards
        Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] web1
        What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] python -m gunicorn -b 127.0.0.1:9000 wsgi:app
        The page that says it is well, such as :9000/healthz, or - for none? [:9000/] well
          a path such as /healthz, or a port with one such as :8000/healthz, please
        The page that says it is well, such as :9000/healthz, or - for none? [:9000/] :9001/well
            service = "none"
            [services.web]
            command = "python -m gunicorn -b 127.0.0.1:9000 wsgi:app"
            [health]
            http = "/well"
            port = 9001
            hosts = ["web1"]
        "#);
    insta::assert_snapshot!(answer(&["later", "-"]), @r#"
    Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] later
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] -
        service = "none"
    "#);
    insta::assert_snapshot!(answer(&["web1", "systemd:a b c", "systemd:", "systemd:five", "-"]), @r#"
    Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] web1
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] systemd:a b c
      `a b c` isn't the name of a service
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] systemd:
      `systemd:` doesn't say which service
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] systemd:five
    The page that says it is well, such as :8000/healthz, or - for none? [:8000/] -
        service = "systemd:five"
        hosts = ["web1"]
    "#);
}

#[test]
fn who_starts_it_later_finds_in_the_file_how() {
    let facts = checkout(&[("requirements.txt", "flask\n"), ("wsgi.py", "app = Flask()\n")]);
    let mut answers = Answers::default();
    answers.take(&Question::Start { usual: None }, "later").expect("it is an answer");
    let file = file_of(&facts, &answers);
    let about = file.lines().skip_while(|line| !line.starts_with("# Nothing starts")).take(4);
    insta::assert_snapshot!(about.collect::<Vec<_>>().join("\n"), @r#"
    # Nothing starts the app yet. With these lines a unit file comes along with each release: five-web, and outside of
    # production five-web-ENVIRONMENT.
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 wsgi:app"
    "#);
}
