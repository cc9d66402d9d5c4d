//! Which release is meant: from what was typed, by the rules of the environment and a person's answers, to what may be
//! deployed.

use std::collections::BTreeMap;

use buedafab_engine::{Look, Repository, Wanted};
use buedafab_model::config::Settings;
use buedafab_model::deployer::checkout::{CheckoutFacts, LiveRelease};
use buedafab_model::deployer::rules::{
    Allowed, BrokenRule, Question, Ruling, TagChoice, check_new_tag, judge,
};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::release::Release;

use crate::arguments::{DeployArgs, ReleaseArgs};
use crate::exit::CliError;
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

/// How many of the commits between two releases are told.
pub(crate) const MOST_COMMITS: usize = 12;

/// What may be deployed.
pub(crate) struct Settled {
    pub(crate) allowed: Allowed,
    pub(crate) facts: CheckoutFacts,
    /// What is live now, and how the release relates to it.
    pub(crate) live: Vec<LiveRelease>,
}

/// Applies the rules, asks a person what only they can say, and gives back what may be deployed. A dry run asks for
/// nothing but the tag, without which there is nothing to show.
pub(crate) async fn settle(
    session: &mut Session,
    repository: &Repository,
    mut facts: CheckoutFacts,
    look: &Look,
    arguments: &DeployArgs,
) -> Result<Settled, CliError> {
    if arguments.allow_older {
        session.settings.rules.allow_older = true;
    }
    let mut new_tag = arguments.tag.clone();
    let (allowed, live) = loop {
        let live = repository.ancestry(&facts.release.commit, live_releases(look), MOST_COMMITS).await;
        match judge(&session.settings, &facts, &live, new_tag.as_deref()) {
            Ok(Ruling::Allowed(allowed)) => break (*allowed, live),
            Ok(Ruling::NeedsTag(choice)) => match choose_tag(session, &facts, choice, look).await? {
                Chosen::New(tag) => new_tag = Some(tag),
                Chosen::Latest(tag) => {
                    let (settings, tag) = (session.settings.clone(), Wanted::Tag(tag));
                    let survey = repository.survey(&settings, &tag, None);
                    let surveyed = session.unless_interrupted(survey).await?;
                    facts = surveyed.map_err(|error| session.give_up(error.into()))?;
                }
            },
            Err(broken) => {
                let refusals: Vec<Refusal> = broken.into_iter().map(Refusal::Rule).collect();
                return Err(session.refuse(&refusals, look));
            }
        }
    };
    if arguments.dry_run {
        return Ok(Settled { allowed: told(allowed), facts, live });
    }
    for question in &allowed.questions {
        if !answer(session, question, look).await? {
            return Err(session.not_confirmed());
        }
    }
    Ok(Settled { allowed, facts, live })
}

/// What a run would ask, as notes.
fn told(allowed: Allowed) -> Allowed {
    let Allowed { release, before, publish, questions, mut notes } = allowed;
    notes.extend(questions.iter().map(|question| format!("{question}: a deploy asks about it")));
    Allowed { release, before, publish, questions: Vec::new(), notes }
}

async fn answer(session: &mut Session, question: &Question, look: &Look) -> Result<bool, CliError> {
    if session.global.yes && question.yes_is_enough() {
        return Ok(true);
    }
    if !session.can_ask() {
        let refusal = Refusal::Rule(BrokenRule::Unanswered(question.clone()));
        return Err(session.refuse(&[refusal], look));
    }
    session.ask_whether(question.prompt()).await
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
    if !session.can_ask() {
        let rule = BrokenRule::NeedsTag { release, proposed };
        return Err(session.refuse(&[Refusal::Rule(rule)], look));
    }
    session.say(&format!("{release} has no release tag, and only releases are deployed here"));
    let question = match &latest {
        Some(latest) => {
            session.say(&format!("  the last tags: {}", last.join(", ")));
            format!("Tag this release? If not, {latest} is deployed.")
        }
        None => "Tag this release? No release has a tag yet.".to_owned(),
    };
    if !session.ask_whether(question).await? {
        return match latest {
            Some(latest) => Ok(Chosen::Latest(latest)),
            None => {
                let pattern = session.settings.rules.version_pattern.as_str().to_owned();
                Err(session.refuse(&[Refusal::Rule(BrokenRule::NoLatestTag { pattern })], look))
            }
        };
    }
    let (settings, facts) = (session.settings.clone(), facts.clone());
    let tag: String = session
        .ask(move || {
            let input =
                dialoguer::Input::new().with_prompt("Its name").validate_with(move |typed: &String| {
                    check_new_tag(&settings, &facts, typed).map_err(|rule| rule.to_string())
                });
            match proposed {
                Some(proposed) => input.default(proposed).interact_text(),
                None => input.interact_text(),
            }
        })
        .await?;
    Ok(Chosen::New(tag))
}
