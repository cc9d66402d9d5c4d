//! What only a person can say.

use crate::app::recipe::Recipe;

use super::{ByEnvironment, Files, Guess};

/// Something that has no certain answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which of several apps is deployed, by its folder; the likeliest first.
    Folder {
        /// The folders, `.` for the root.
        choices: Vec<String>,
    },
    /// Which branch production's releases come from.
    Branch {
        /// Those that it could be.
        choices: Vec<String>,
    },
    /// Where production is.
    Hosts,
    /// What starts the app.
    Start {
        /// What probably does.
        usual: Option<String>,
    },
    /// How a host finds out whether the app is well.
    Health {
        /// The port that it probably answers on.
        port: u16,
    },
}

/// What a person has said: for each question one line, which is empty where the usual answer will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    folder: Option<String>,
    branch: Option<String>,
    hosts: Option<Vec<String>>,
    start: Option<Start>,
    health: Option<Option<Page>>,
    /// The hosts of each environment that a former file named, each as TOML.
    kept: ByEnvironment<Vec<String>>,
}

/// What starts the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// A service that is there already.
    Service(String),
    /// A command, for which one is made.
    Command(String),
    /// That is seen to later.
    Later,
}

/// A page that the app answers with when it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) path: String,
    pub(super) port: u16,
}

impl Question {
    /// What a person reads. What stands in brackets is what an empty line means.
    pub fn words(&self) -> String {
        match self {
            Question::Folder { choices } => format!(
                "There are several apps here: {}. Which folder is deployed? [{}]",
                choices.join(", "),
                choices.first().map_or("", String::as_str)
            ),
            Question::Branch { choices } => match choices.as_slice() {
                [] => "Which branch do production's releases come from? [main]".to_owned(),
                [first, ..] => format!(
                    "Which branch do production's releases come from: {}? [{first}]",
                    some_of(choices)
                ),
            },
            Question::Hosts => {
                "Production's hosts, such as deploy@web[1:3].example.com jobs1? [later]".to_owned()
            }
            Question::Start { usual } => format!(
                "What starts the app: a command, or systemd:NAME for a unit that is there? [{}]",
                usual.as_deref().unwrap_or("later")
            ),
            Question::Health { port } => {
                format!("The page that says it is well, such as :{port}/healthz, or - for none? [:{port}/]")
            }
        }
    }

    /// What the file says instead, where nobody is asked.
    pub fn unanswered(&self) -> Option<String> {
        match self {
            Question::Folder { choices } => Some(format!(
                "there are several apps here: {}. This is for the first; `subdir` names another",
                choices.join(", ")
            )),
            Question::Branch { .. } => Some(
                "it isn't known which branch production's releases come from: `branch` says it".to_owned(),
            ),
            Question::Start { usual: None } => Some(
                "nothing here says how the app is started: `service` or `[services.NAME]` does".to_owned(),
            ),
            Question::Hosts | Question::Start { usual: Some(_) } | Question::Health { .. } => None,
        }
    }
}

fn some_of(choices: &[String]) -> String {
    const MOST: usize = 6;
    let mut shown = choices[..choices.len().min(MOST)].join(", ");
    if choices.len() > MOST {
        shown.push_str(", …");
    }
    shown
}

impl Answers {
    /// Takes an answer.
    ///
    /// # Errors
    ///
    /// Why it answers nothing.
    pub fn take(&mut self, question: &Question, typed: &str) -> Result<(), String> {
        let typed = typed.trim();
        let is_later = matches!(typed, "-" | "later" | "none");
        match question {
            Question::Folder { choices } => {
                let chosen = if typed.is_empty() { choices.first().cloned() } else { Some(typed.to_owned()) };
                let chosen = chosen.filter(|chosen| choices.contains(chosen));
                self.folder =
                    Some(chosen.ok_or_else(|| format!("one of these, please: {}", choices.join(", ")))?);
            }
            Question::Branch { choices } => {
                let usual = || choices.first().cloned().unwrap_or_else(|| "main".to_owned());
                self.branch = Some(if typed.is_empty() { usual() } else { typed.to_owned() });
            }
            Question::Hosts => {
                let named = typed.split([' ', ',']).filter(|name| !name.is_empty() && !is_later);
                self.hosts = Some(named.map(str::to_owned).collect());
            }
            Question::Start { usual } => {
                const KINDS: [&str; 5] = ["systemd", "systemd-user", "supervisor", "runit", "init"];
                let kind = typed.split(':').next().unwrap_or_default();
                self.start = Some(match usual {
                    _ if is_later => Start::Later,
                    _ if typed == "init" || (KINDS.contains(&kind) && typed.contains(':')) => {
                        Start::Service(typed.to_owned())
                    }
                    Some(usual) if typed.is_empty() => Start::Command(usual.clone()),
                    None if typed.is_empty() => Start::Later,
                    _ => Start::Command(typed.to_owned()),
                });
            }
            Question::Health { port } => {
                let typed = if typed.is_empty() { "/" } else { typed };
                let place = typed.strip_prefix(':').unwrap_or(typed);
                let (own, path) = place.split_at(place.find('/').unwrap_or(place.len()));
                let port = if own.is_empty() { Ok(*port) } else { own.parse() };
                self.health = Some(match port {
                    _ if is_later => None,
                    Ok(port) if port > 0 => Some(Page {
                        path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
                        port,
                    }),
                    _ => {
                        return Err(
                            "a path such as /healthz, or a port with one such as :8000/healthz, please"
                                .to_owned(),
                        );
                    }
                });
            }
        }
        Ok(())
    }

    /// What a person has said to a former file, by its text: the hosts of all environments, the folder of the app, the branch, what
    /// starts it and the page that says it is well.
    ///
    /// # Errors
    ///
    /// It is no TOML.
    pub fn of_former(text: &str, files: &Files) -> Result<Answers, String> {
        let former: toml::Table =
            text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let mut answers = Answers::default();
        let string = |table: &toml::Table, key: &str| table.get(key)?.as_str().map(str::to_owned);
        let table = |key: &str| former.get(key).and_then(toml::Value::as_table);
        for (name, environment) in table("environments").into_iter().flatten() {
            let hosts = environment.get("hosts").and_then(toml::Value::as_array);
            let hosts: Vec<String> = hosts.into_iter().flatten().map(ToString::to_string).collect();
            if !hosts.is_empty() {
                answers.kept.insert(name.clone(), hosts);
            }
        }
        if answers.kept.contains_key("production") {
            answers.hosts = Some(Vec::new());
        }
        let production = table("environments").and_then(|all| all.get("production")?.as_table());
        answers.branch = production.and_then(|production| string(production, "branch"));
        answers.folder = string(&former, "subdir").filter(|folder| files.below(folder).next().is_some());
        let web = table("services").and_then(|services| services.get("web")?.as_table());
        let command = web.and_then(|web| string(web, "command")).map(Start::Command);
        // What nobody was asked about is as it is written without an answer.
        let is_answer = |service: &String| !matches!(service.as_str(), "none" | "systemd:{unit}");
        answers.start = command.or_else(|| string(&former, "service").filter(is_answer).map(Start::Service));
        let page = table("health").and_then(|health| {
            let port = health.get("port").and_then(toml::Value::as_integer)?;
            Some(Page { path: string(health, "http")?, port: u16::try_from(port).ok()? })
        });
        answers.health = page.map(Some);
        Ok(answers)
    }

    /// The hosts of each environment that a former file named, each as TOML.
    pub(super) fn kept(&self) -> &ByEnvironment<Vec<String>> {
        &self.kept
    }

    /// Whether this was answered.
    pub(super) fn has(&self, question: &Question) -> bool {
        match question {
            Question::Folder { .. } => self.folder.is_some(),
            Question::Branch { .. } => self.branch.is_some(),
            Question::Hosts => self.hosts.is_some(),
            Question::Start { .. } => self.start.is_some(),
            Question::Health { .. } => self.health.is_some(),
        }
    }

    /// The folder that was chosen; empty for the root.
    pub(super) fn folder(&self) -> Option<&str> {
        self.folder.as_deref().map(|folder| if folder == "." { "" } else { folder })
    }

    pub(super) fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    pub(super) fn hosts(&self) -> &[String] {
        self.hosts.as_deref().unwrap_or_default()
    }

    pub(super) fn start(&self) -> Option<&Start> {
        self.start.as_ref()
    }

    pub(super) fn health(&self) -> Option<&Page> {
        self.health.as_ref()?.as_ref()
    }
}

/// What is asked of every project whose earlier tool didn't say it.
pub(super) fn of_deployment(guess: &Guess) -> Vec<Question> {
    let mut questions = Vec::new();
    if !guess.earlier.environments.contains_key("production") {
        questions.push(Question::Hosts);
    }
    if guess.recipe != Recipe::Static && guess.earlier.service.is_none() {
        questions.push(Question::Start { usual: guess.command.clone() });
        if guess.earlier.health.is_none() && guess.answers.start() != Some(&Start::Later) {
            questions.push(Question::Health { port: guess.port() });
        }
    }
    questions
}
