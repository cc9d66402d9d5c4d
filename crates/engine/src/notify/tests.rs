//! Real servers, real programs, a real mail server.

use std::process::{Child, Command as Blocking};

use buedafab_model::app::notify::{MailRoute, MailTls, Moment, SecretSource};
use buedafab_model::names::{EnvironmentName, RunId, Unit};
use buedafab_testkit::{Certificates, HttpAnswer, HttpServer, SmtpServer};

use super::*;

fn notification() -> Notification {
    Notification::test(
        RunId::new("20261123-203221-ie2d").expect("a word"),
        "ada@laptop".to_owned(),
        Unit::new("five").expect("a word"),
        EnvironmentName::new("production").expect("a word"),
        None,
        "2026-11-23T20:32:21Z".parse().expect("a time"),
    )
}

fn notifier(to: Recipient) -> Notifier {
    let notify = Notify { on: Moment::ALL.to_vec(), to };
    let bounds = Bounds { answer: Duration::from_millis(500), all: Duration::from_secs(2), largest: 1 << 20 };
    Notifier { bounds, ..Notifier::new(notify, Path::new("/")) }
}

fn says(text: &str) -> SecretSource {
    SecretSource::Command(vec!["printf".to_owned(), "%s\n".to_owned(), text.to_owned()])
}

async fn tell_slack(url: &str) -> Result<String, String> {
    notifier(Recipient::Slack { url: says(url) }).tell(&notification()).await
}

#[tokio::test]
async fn what_a_server_answers_is_told_without_the_address() {
    let cases = [
        (HttpAnswer::Says(200, String::new(), "ok".to_owned()), Ok("it answers 200")),
        (
            HttpAnswer::Says(302, "Location: /elsewhere\r\n".to_owned(), String::new()),
            Err("it answers 302; it sends us elsewhere, where no secret is taken"),
        ),
        (
            HttpAnswer::Says(404, String::new(), "no hook /T0/hunter2".to_owned()),
            Err("it answers 404 (no hook /********)"),
        ),
        (
            HttpAnswer::Says(403, String::new(), r#"{"message":"go away"}"#.to_owned()),
            Err("it answers 403 (go away); the key or token may be wrong, or not allowed to do this"),
        ),
        (HttpAnswer::Says(500, String::new(), "<html>".to_owned()), Err("it answers 500")),
        (HttpAnswer::Silence, Err("timeout: receive response")),
    ];
    for (answer, expected) in cases {
        let server = HttpServer::start(move |_| answer.clone());
        let told = tell_slack(&format!("{}/T0/hunter2", server.url())).await;
        assert_eq!(told.as_deref().map_err(String::as_str), expected);
        let requests = server.take();
        assert_eq!(requests.len(), 1, "nothing is followed or sent twice");
        assert_eq!((requests[0].method.as_str(), requests[0].target.as_str()), ("POST", "/T0/hunter2"));
        assert_eq!(requests[0].header("user-agent"), Some(USER_AGENT));
    }
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn servers_that_cant_be_trusted_or_reached() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = free.local_addr().expect("it has one").port();
    drop(free);
    let refused =
        tell_slack(&format!("http://127.0.0.1:{port}/T0/hunter2")).await.expect_err("nobody listens");
    assert!(refused.contains("onnection refused") && !refused.contains("hunter2"), "{refused}");
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::make(folder.path());
    let server = Blocking::new("openssl")
        .args(["s_server", "-quiet", "-www", "-accept"])
        .arg(port.to_string())
        .arg("-cert")
        .arg(certificates.certificate())
        .arg("-key")
        .arg(certificates.key())
        .spawn()
        .expect("openssl is installed");
    let _server = Ended(server);
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::task::yield_now().await;
    }
    let untrusted =
        tell_slack(&format!("https://127.0.0.1:{port}/T0/hunter2")).await.expect_err("nobody knows it");
    assert!(untrusted.contains("certificate") && !untrusted.contains("hunter2"), "{untrusted}");
}

#[tokio::test]
async fn secrets_that_cant_be_had() {
    let fails = |words: &[&str]| SecretSource::Command(words.iter().map(|word| (*word).to_owned()).collect());
    let cases = [
        (SecretSource::Env("BUEDAFAB_NOT_SET".to_owned()), "the variable BUEDAFAB_NOT_SET isn't set"),
        (says(""), "the command printf is empty"),
        (says("a\nb"), "the command printf holds more than one line, or a control character"),
        (says("hunter2"), "the command printf holds no address that begins with https://"),
        (
            says("http://chat.example.com/hunter2"),
            "the command printf holds no address that begins with https://",
        ),
        (
            fails(&["sh", "-c", "echo '  not logged in' >&2; exit 3"]),
            "the command sh ended with exit status: 3: not logged in",
        ),
        (
            fails(&["/nowhere/op", "read"]),
            "can't run /nowhere/op, which is to say the secret: No such file or directory (os error 2)",
        ),
    ];
    for (url, expected) in cases {
        let told = notifier(Recipient::Discord { url }).tell(&notification()).await;
        assert_eq!(told, Err(expected.to_owned()));
    }
    let trouble = |source| secret_trouble(&Recipient::Slack { url: source });
    assert_eq!(
        trouble(SecretSource::Env("BUEDAFAB_NOT_SET".to_owned())).as_deref(),
        Some("the variable BUEDAFAB_NOT_SET isn't set")
    );
    assert_eq!(
        trouble(fails(&["/nowhere/op"])).as_deref(),
        Some("there is no program /nowhere/op, which is to say the secret")
    );
    assert_eq!(trouble(says("x")), None);
}

#[tokio::test]
async fn a_program_gets_the_event_and_no_shell_reads_its_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("it's kept $(id)");
    let path = kept.display().to_string();
    let command = |words: &[&str]| Recipient::Command(words.iter().map(|word| (*word).to_owned()).collect());
    let told = notifier(command(&["tee", &path])).tell(&notification()).await;
    assert_eq!(told.as_deref(), Ok("tee ended well"));
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&kept).expect("it is there")).expect("it is JSON");
    assert_eq!(document["title"], "five · production: a test of this notification");
    assert_eq!((&document["version"], &document["is_test"]), (&1.into(), &true.into()));
    // One that reads nothing isn't minded.
    let told = notifier(command(&["true"])).tell(&notification()).await;
    assert_eq!(told.as_deref(), Ok("true ended well"));
    let told = notifier(command(&["sh", "-c", "echo no >&2; exit 1"])).tell(&notification()).await;
    assert_eq!(told, Err("sh ended with exit status: 1: no".to_owned()));
}

#[tokio::test]
async fn mail_goes_to_a_server_or_to_sendmail() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::make(folder.path());
    let email = |by| Recipient::Email {
        from: "deploy@example.com".to_owned(),
        to: vec!["ops@example.com".to_owned(), "ada@example.com".to_owned()],
        by,
    };
    let smtp =
        |port, tls| MailRoute::Smtp { smtp: "127.0.0.1".to_owned(), port, tls, user: None, password: None };
    let mut server = SmtpServer::start("plain", &certificates, None);
    let told = notifier(email(smtp(server.port, MailTls::None))).tell(&notification()).await;
    assert_eq!(told, Ok(format!("127.0.0.1:{} took it (250)", server.port)));
    let kept: serde_json::Value = serde_json::from_str(&server.next_mail()).expect("it is JSON");
    assert_eq!(kept["to"], serde_json::json!(["ops@example.com", "ada@example.com"]));
    let mail = kept["mail"].as_str().expect("it is text");
    assert!(mail.contains("To: ops@example.com, ada@example.com\r\n"), "{mail}");
    // A server that offers no privacy gets no word.
    let told = notifier(email(smtp(server.port, MailTls::Starttls))).tell(&notification()).await;
    assert!(told.as_ref().is_err_and(|why| why.contains("STARTTLS")), "{told:?}");
    // Nor does one that nobody trusts.
    for (how, tls) in [("starttls", MailTls::Starttls), ("tls", MailTls::Tls)] {
        let server = SmtpServer::start(how, &certificates, None);
        let told = notifier(email(smtp(server.port, tls))).tell(&notification()).await;
        assert!(told.as_ref().is_err_and(|why| why.contains("certificate")), "{told:?}");
    }
    let sendmail = folder.path().join("sendmail");
    let script = format!("#!/bin/sh\necho \"$@\" >'{0}/words'; cat >'{0}/mail'\n", folder.path().display());
    std::fs::write(&sendmail, script).expect("it is ours");
    std::fs::set_permissions(&sendmail, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it is ours");
    let sendmail = sendmail.display().to_string();
    let told =
        notifier(email(MailRoute::Sendmail { sendmail: sendmail.clone() })).tell(&notification()).await;
    assert_eq!(told, Ok(format!("{sendmail} took it")));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("it is there");
    assert_eq!(read("words"), "-i -f deploy@example.com -- ops@example.com ada@example.com\n");
    assert!(read("mail").contains("Subject: five =?utf-8?b?"), "{}", read("mail"));
}
