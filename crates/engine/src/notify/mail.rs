//! Mail, through `sendmail` or a server.

use std::path::Path;
use std::time::Duration;

use buedafab_model::app::notify::{MailRoute, MailTls};
use buedafab_model::notify::{Message, Revealed};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};

use super::run;

/// How long each word of a server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a message. Once it is taken, it is on its way: nobody knows more.
pub(super) async fn send(
    from: &str,
    to: &[String],
    by: &MailRoute,
    secrets: &Revealed,
    message: &Message,
    root: &Path,
) -> Result<String, String> {
    let mail = compose(from, to, message)?;
    match by {
        MailRoute::Sendmail { sendmail } => {
            // A dot on a line of its own doesn't end it, and no address is taken for an option.
            let mut words = [sendmail.as_str(), "-i", "-f", from, "--"].map(str::to_owned).to_vec();
            words.extend(to.iter().cloned());
            run(&words, root, mail.formatted()).await.map(|()| format!("{sendmail} took it"))
        }
        MailRoute::Smtp { smtp, port, tls, user, password: _ } => {
            let (smtp, port, tls) = (smtp.clone(), *port, *tls);
            let password = || secrets.0.get("password").cloned().unwrap_or_default();
            let credentials = user.clone().map(|user| Credentials::new(user, password()));
            let sent = tokio::task::spawn_blocking(move || send_to(&smtp, port, tls, credentials, &mail));
            sent.await.expect("sending a mail doesn't panic")
        }
    }
}

fn send_to(
    smtp: &str,
    port: u16,
    tls: MailTls,
    credentials: Option<Credentials>,
    mail: &lettre::Message,
) -> Result<String, String> {
    let parameters =
        TlsParameters::new(smtp.to_owned()).map_err(|error| format!("{smtp}: {}", chain(&error)))?;
    let mut transport =
        SmtpTransport::builder_dangerous(smtp).port(port).timeout(Some(PATIENCE)).tls(match tls {
            MailTls::Starttls => Tls::Required(parameters),
            MailTls::Tls => Tls::Wrapper(parameters),
            MailTls::None => Tls::None,
        });
    if let Some(credentials) = credentials {
        transport = transport.credentials(credentials);
    }
    let sent = transport.build().send(mail).map_err(|error| format!("{smtp}:{port}: {}", chain(&error)))?;
    if sent.is_positive() {
        Ok(format!("{smtp}:{port} took it ({})", sent.code()))
    } else {
        Err(format!("{smtp}:{port} answers {}", sent.code()))
    }
}

fn compose(from: &str, to: &[String], message: &Message) -> Result<lettre::Message, String> {
    let mailbox = |address: &str| -> Result<Mailbox, String> {
        let address = address.parse().map_err(|_| format!("{address} isn't a mail address"))?;
        Ok(Mailbox::new(None, address))
    };
    let mut mail = lettre::Message::builder()
        .from(mailbox(from)?)
        .subject(&message.title)
        .message_id(None)
        .header(ContentType::TEXT_PLAIN);
    for address in to {
        mail = mail.to(mailbox(address)?);
    }
    mail.body(format!("{}\n", message.text())).map_err(|error| format!("it can't be written: {error}"))
}

/// What went wrong, and why.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
