//! Those who are told of runs: each hears what happens in its order, beside the run, which waits for none of them.
//!
//! At the end of the program all of them have [`PATIENCE`] together. What doesn't arrive is a warning, and no run fails of it.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use buedafab_engine::Notifier;
use buedafab_model::app::notify::Moment;
use buedafab_model::config::Settings;
use buedafab_model::notify::{Notification, Notifications};
use buedafab_model::run::event::{Consumer, StampedEvent};
use buedafab_model::spans::RunSpans;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::report::print_talk;
use crate::spans;

/// How long the program waits for all who are told, before it ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Reads events, and has others told of what they mean.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    notifications: Notifications,
    /// Of what each is told, and the way to it.
    recipients: Vec<(Vec<Moment>, mpsc::UnboundedSender<Notification>)>,
}

/// One who may still be told something when the run is over.
struct Waiting {
    name: &'static str,
    /// What didn't arrive, in words.
    task: JoinHandle<Vec<String>>,
}

/// Those of all runs of this program.
static WAITING: Mutex<Vec<Waiting>> = Mutex::new(Vec::new());

impl Telling {
    /// Has those told whom the settings name.
    pub(crate) fn of(settings: &Settings, root: &Path) -> Self {
        let mut recipients = Vec::new();
        for notify in &settings.notify {
            let (sender, mut receiver) = mpsc::unbounded_channel::<Notification>();
            let name = notify.to.name();
            let mut notifier = Notifier::new(notify.clone(), root);
            let task = tokio::spawn(async move {
                let mut troubles = Vec::new();
                while let Some(notification) = receiver.recv().await {
                    if let Err(why) = notifier.tell(&notification).await {
                        troubles.push(format!("{name} wasn't told `{}`: {why}", notification.moment.name()));
                    }
                }
                troubles
            });
            WAITING.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { name, task });
            recipients.push((notify.on.clone(), sender));
        }
        Telling { notifications: Notifications::of(settings.source.scm_http_url.clone()), recipients }
    }
}

impl Consumer for Telling {
    fn event(&mut self, event: &StampedEvent) {
        let Some(notification) = self.notifications.note(event) else { return };
        for (on, sender) in &self.recipients {
            if on.contains(&notification.moment) {
                // One that has stopped listening says why at the end.
                let _ = sender.send(notification.clone());
            }
        }
    }
}

/// Waits until all have been told, and the traces of `runs` are sent; and says what wasn't.
pub(crate) async fn finish(runs: Vec<RunSpans>) {
    let traces = tokio::spawn(async move { spans::send(&runs).await.err().into_iter().collect() });
    WAITING
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Waiting { name: "the receiver of traces", task: traces });
    let deadline = Instant::now() + PATIENCE;
    let waiting = std::mem::take(&mut *WAITING.lock().unwrap_or_else(PoisonError::into_inner));
    for Waiting { name, mut task } in waiting {
        let troubles = match timeout_at(deadline, &mut task).await {
            Ok(troubles) => troubles.unwrap_or_else(|error| vec![format!("{name} wasn't told: {error}")]),
            Err(_) => {
                task.abort();
                vec![format!("{name} may not have been told: it took longer than {} s", PATIENCE.as_secs())]
            }
        };
        for trouble in troubles {
            print_talk(&format!("warning: {trouble}"));
        }
    }
}
