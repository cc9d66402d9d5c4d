//! Which release is meant: from what was typed, by the rules of the environment and a person's answers, to what may be
//! deployed.

use std::collections::BTreeMap;

use buedafab_engine::{Look, Repository, Wanted};
use buedafab_model::config::Settings;
use buedafab_model::deployer::checkout::{CheckoutFacts, LiveRelease, ReleaseFile};
use buedafab_model::deployer::rules::{
    Allowed, BrokenRule, Question, Ruling, TagChoice, check_new_tag, judge,
};
use buedafab_model::names::{CommitId, Unit};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::DeployedRef;
use buedafab_model::release::Release;

use crate::arguments::ReleaseArgs;
use crate::exit::CliError;
use crate::prompt::Echo;
use crate::session::Session;

/// What was asked for on the command line.
pub(crate) fn wanted(arguments: &ReleaseArgs, settings: &Settings) -> Wanted {
    let ReleaseArgs { commit, release } = arguments;
    match (commit, release.as_deref()) {
        (Some(commit), _) => Wanted::Commit(commit.clone()),
        (None, Some("latest_tag")) => Wanted::LatestTag,
        (None, Some(tag)) => Wanted::Tag(tag.to_owned()),
        (None, None) => Wanted::Commit(settings.source.default_revision.clone()),
    }
}

/// The releases that are live, each once.
pub(crate) fn live_releases(look: &Look) -> Vec<Release> {
    let live = look.facts.values().filter_map(|facts| facts.live());
    let distinct: BTreeMap<_, _> = live.map(|release| (release.commit.clone(), release)).collect();
    distinct.into_values().collect()
}

/// The refs that say what is live, app by app, as they are on the remote now. Where it can't be asked, a run goes on without them: what is
/// live is so, whoever knows it.
pub(crate) async fn deployed_refs(
    all: &[&Settings],
    repository: &Repository,
) -> BTreeMap<Unit, Result<DeployedRef, String>> {
    let mut found = BTreeMap::new();
    for settings in all {
        let remote = settings.source.master_remote.clone();
        let Some(name) = settings.source.deployed_ref.clone() else { continue };
        let asked = match repository.ref_on(&remote, &name).await {
            Ok(old) => Ok(DeployedRef { remote, name, old }),
            // It only lags behind what is live.
            Err(error) => Err(format!(
                "this run can't move {name}, which will lag behind what is live: {error}; once {remote} answers, this moves it to the \
                 COMMIT that `status` says is live: git push --force {remote} COMMIT:{name}"
            )),
        };
        found.insert(settings.app.unit.clone(), asked);
    }
    found
}

/// The paths of which an app is made. What a release does is decided by its configuration, too.
pub(crate) fn made_of(settings: &Settings, configuration: Option<&ReleaseFile>) -> Vec<String> {
    let mut made_of = settings.app.skip_unless_changed.clone();
    let own = configuration.filter(|own| own.text.is_some() && !made_of.is_empty());
    made_of.extend(own.map(|own| own.path.clone()));
    made_of
}

/// How many of the commits between two releases are told.
pub(crate) const MOST_COMMITS: usize = 12;

/// A release on its way to be chosen: by the rules, and by what a person says where the rules leave it to them.
pub(crate) struct Choosing {
    pub(crate) facts: CheckoutFacts,
    /// What is live now, and how the release relates to it.
    pub(crate) live: Vec<LiveRelease>,
    new_tag: Option<String>,
}

impl Choosing {
    /// What was asked for, with a tag that shall be made.
    pub(crate) fn new(facts: CheckoutFacts, new_tag: Option<String>) -> Choosing {
        Choosing { facts, live: Vec::new(), new_tag }
    }

    /// Applies the rules. What they leave to a person is refused where nobody can be asked.
    pub(crate) async fn judge(
        &mut self,
        session: &mut Session,
        repository: &Repository,
        look: &Look,
    ) -> Result<Ruling, CliError> {
        let settings = session.settings.clone();
        self.live = self.ancestry(session, repository, &settings, live_releases(look)).await?;
        let mut shared = session.settings.shared_paths();
        shared.extend(session.apps.iter().flat_map(|app| app.settings.shared_paths()));
        let tracked =
            session.unless_interrupted(repository.tracked_at(&self.facts.release.commit, &shared)).await?;
        self.facts.shared_in_git = tracked.map_err(|error| session.give_up(error.into()))?;
        match judge(&session.settings, &self.facts, &self.live, self.new_tag.as_deref()) {
            Ok(Ruling::NeedsTag(choice)) if !session.can_ask() => {
                let TagChoice { release, proposed, .. } = choice;
                let rule = BrokenRule::NeedsTag { release, proposed };
                Err(session.refuse(&[Refusal::Rule(rule)], look))
            }
            Ok(ruling) => Ok(ruling),
            Err(broken) => {
                let refusals: Vec<Refusal> = broken.into_iter().map(Refusal::Rule).collect();
                Err(session.refuse(&refusals, look))
            }
        }
    }

    /// How the release relates to these that are live.
    async fn ancestry(
        &self,
        session: &mut Session,
        repository: &Repository,
        settings: &Settings,
        live: Vec<Release>,
    ) -> Result<Vec<LiveRelease>, CliError> {
        let made_of = made_of(settings, self.facts.release_file.as_ref());
        let (commit, remote) = (&self.facts.release.commit, &settings.source.master_remote);
        let ancestry = repository.ancestry(commit, live, remote, MOST_COMMITS, &made_of);
        session.unless_interrupted(ancestry).await
    }

    /// The commits that are live and differ from the release in nothing that an app is made of.
    pub(crate) async fn same(
        &self,
        session: &mut Session,
        repository: &Repository,
        settings: &Settings,
    ) -> Result<Vec<CommitId>, CliError> {
        let is_same = |live: &&LiveRelease| live.is_same;
        let commit = |live: &LiveRelease| live.release.commit.clone();
        if session.apps.is_empty() {
            return Ok(self.live.iter().filter(is_same).map(commit).collect());
        }
        let releases = self.live.iter().map(|live| live.release.clone()).collect();
        let live = self.ancestry(session, repository, settings, releases).await?;
        Ok(live.iter().filter(is_same).map(commit).collect())
    }

    /// Asks a person for a tag.
    pub(crate) async fn choose_tag(
        &mut self,
        session: &mut Session,
        repository: &Repository,
        choice: TagChoice,
        look: &Look,
    ) -> Result<(), CliError> {
        match choose_tag(session, &self.facts, choice, look).await? {
            Chosen::New(tag) => self.new_tag = Some(tag),
            Chosen::Latest(tag) => {
                let (settings, tag) = (session.settings.clone(), Wanted::Tag(tag));
                let configuration = session.configuration_in(repository);
                let survey = repository.survey(&settings, &tag, None, configuration.as_deref());
                let surveyed = session.unless_interrupted(survey).await?;
                self.facts = surveyed.map_err(|error| session.give_up(error.into()))?;
            }
        }
        Ok(())
    }
}

/// What a run would ask, as notes: a dry run asks for nothing but the tag, without which there is nothing to show.
pub(crate) fn told(allowed: Allowed) -> Allowed {
    let Allowed { release, before, publish, goes_back, questions, mut notes } = allowed;
    notes.extend(questions.iter().map(|question| format!("{question}: a deploy asks about it")));
    Allowed { release, before, publish, goes_back, questions: Vec::new(), notes }
}

/// The questions that the command line leaves open. All of them are refused where nobody can be asked.
pub(crate) fn open_questions(
    session: &mut Session,
    questions: Vec<Question>,
    look: &Look,
) -> Result<Vec<Question>, CliError> {
    let is_open = |question: &Question| !(session.global.yes && question.yes_is_enough());
    let open: Vec<Question> = questions.into_iter().filter(is_open).collect();
    if open.is_empty() || session.can_ask() {
        return Ok(open);
    }
    let refusals: Vec<Refusal> =
        open.into_iter().map(|question| Refusal::Rule(BrokenRule::Unanswered(question))).collect();
    Err(session.refuse(&refusals, look))
}

enum Chosen {
    New(String),
    Latest(String),
}

/// "Tag this release?" No, which is what an empty line means, takes the latest release instead.
async fn choose_tag(
    session: &mut Session,
    facts: &CheckoutFacts,
    choice: TagChoice,
    look: &Look,
) -> Result<Chosen, CliError> {
    let TagChoice { release, last, latest, proposed } = choice;
    session.say(&format!("{release} has no release tag, and only releases are deployed here"));
    let question = match &latest {
        Some(latest) => {
            session.say(&format!("  the last tags: {}", last.join(", ")));
            format!("Tag this release? If not, {latest} is deployed.")
        }
        None => "Tag this release? No release has a tag yet.".to_owned(),
    };
    if !session.ask_whether(&question).await? {
        return match latest {
            Some(latest) => Ok(Chosen::Latest(latest)),
            None => {
                let pattern = session.settings.rules.version_pattern.as_str().to_owned();
                Err(session.refuse(&[Refusal::Rule(BrokenRule::NoLatestTag { pattern })], look))
            }
        };
    }
    let settings = session.settings.clone();
    let question = match &proposed {
        Some(proposed) => format!("Its name [{proposed}]:"),
        None => "Its name:".to_owned(),
    };
    let understand = |typed: String| {
        let tag = match (typed.trim(), &proposed) {
            ("", Some(proposed)) => proposed,
            (typed, _) => typed,
        };
        check_new_tag(&settings, facts, tag).map(|()| tag.to_owned()).map_err(|rule| rule.to_string())
    };
    session.ask(&question, Echo::Shown, understand).await.map(Chosen::New)
}
