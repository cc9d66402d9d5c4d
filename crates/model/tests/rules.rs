//! From a checkout to what may be deployed, and to the reasons why not.

mod common;

use buedafab_model::deployer::checkout::{
    Ancestry, Asked, CheckoutFacts, LiveRelease, PushFacts, PythonFiles, ReleaseFile, RemoteFacts, Tag,
    TrackedPath, UnpushedCommit,
};
use buedafab_model::deployer::rules::{Allowed, Ruling, TagChoice, check_new_tag, judge};
use buedafab_model::release::Release;
use insta::assert_snapshot;

use common::{release, settings};

/// Release 3 is checked out on master, pushed, and tagged v3.0 here and on the remote; before it came v1.0 and v2.0.
fn checkout() -> CheckoutFacts {
    let tags: Vec<Tag> = [1, 2, 3].map(|number| tag(&format!("v{number}.0"), number)).into();
    CheckoutFacts {
        release: release(3).tagged("v3.0"),
        asked: Asked::Commit("HEAD".to_owned()),
        branch: Some("master".to_owned()),
        is_head: true,
        changes: Vec::new(),
        tags: tags.clone(),
        remote: RemoteFacts {
            name: "origin".to_owned(),
            url: Some(common::URL.to_owned()),
            has_release: true,
            branch_has_release: true,
            has_branch: true,
            tags,
            push: None,
        },
        unpushed_submodules: Vec::new(),
        python: None,
        can_sign: true,
        bad_signature: None,
        shared_in_git: Vec::new(),
        release_file: None,
    }
}

/// The same, with release 4 committed on top of it, and neither pushed nor tagged.
fn unpushed() -> CheckoutFacts {
    let mut facts = checkout();
    facts.release = Release::unnamed(release(4).commit);
    facts.remote.has_release = false;
    facts.remote.branch_has_release = false;
    facts.remote.push = Some(PushFacts {
        branch: "master".to_owned(),
        is_new: false,
        is_fast_forward: true,
        commits: vec![UnpushedCommit { line: "4444444 Four".to_owned(), is_own: true }],
    });
    facts
}

fn asked_by_tag(name: &str) -> CheckoutFacts {
    CheckoutFacts { asked: Asked::Tag(name.to_owned()), ..checkout() }
}

fn tag(name: &str, number: u8) -> Tag {
    Tag { name: name.to_owned(), commit: release(number).commit }
}

fn live(number: u8, ancestry: Ancestry) -> Vec<LiveRelease> {
    vec![LiveRelease {
        release: release(number).tagged(&format!("v{number}.0")),
        ancestry,
        commits: None,
        is_same: false,
    }]
}

/// What the rules of production say, with these settings on top of its own.
fn rule(text: &str, facts: &CheckoutFacts) -> String {
    rule_with(text, facts, &[], None)
}

fn rule_with(text: &str, facts: &CheckoutFacts, live: &[LiveRelease], new_tag: Option<&str>) -> String {
    let settings = settings(&format!("unit = \"five\"\n{text}\n"));
    let told = match judge(&settings, facts, live, new_tag) {
        Ok(Ruling::Allowed(allowed)) => {
            let Allowed { release, before, publish, goes_back, questions, notes } = *allowed;
            let mut lines = vec![format!(
                "deploy {release}{}",
                if goes_back { ", which may lack something" } else { "" }
            )];
            lines.extend(before.iter().map(|action| format!("first: {action}")));
            lines.extend(publish.iter().map(|action| format!("when all hosts are ready: {action}")));
            lines.extend(questions.iter().map(|question| format!("ask: {}", question.prompt())));
            lines.extend(notes.iter().map(|note| format!("note: {}", note)));
            lines
        }
        Ok(Ruling::NeedsTag(TagChoice { release, last, latest, proposed })) => {
            vec![format!("tag {release}? last {}; latest {latest:?}; proposed {proposed:?}", last.join(" "))]
        }
        Err(broken) => {
            broken.iter().flat_map(|rule| [rule.to_string(), format!("  hint: {}", rule.hint())]).collect()
        }
    };
    told.join("\n")
}

#[test]
fn what_is_pushed_and_tagged_is_deployed_as_it_is() {
    assert_snapshot!(rule("", &checkout()), @"deploy v3.0 (3333333333)");
    assert_snapshot!(rule("", &asked_by_tag("v3.0")), @"deploy v3.0 (3333333333)");
    // Of several tags on a commit, it is the latest release; odd ones don't count.
    let mut facts = checkout();
    facts.remote.tags.extend([tag("v3.0.1", 3), tag("zebra", 3)]);
    assert_snapshot!(rule("", &facts), @"deploy v3.0.1 (3333333333)");
}

#[test]
fn production_wants_a_tag() {
    assert_snapshot!(rule("", &unpushed()), @r#"tag 4444444444? last v1.0 v2.0 v3.0; latest Some("v3.0"); proposed Some("v3.1")"#);
    let new = |facts: &CheckoutFacts, tag: &str| rule_with("", facts, &[], Some(tag));
    assert_snapshot!(new(&unpushed(), "v3.1"), @"
    deploy v3.1 (4444444444)
    first: tag 4444444444 as v3.1, signed
    first: push 4444444444 to master on origin
    when all hosts are ready: push v3.1 to origin
    ");
    // A deploy that failed after it had made the tag is tried again in the same words.
    assert_snapshot!(new(&checkout(), "v3.0"), @"deploy v3.0 (3333333333)");
    let first = CheckoutFacts { tags: Vec::new(), ..unpushed() };
    let first = CheckoutFacts { remote: RemoteFacts { tags: Vec::new(), ..first.remote.clone() }, ..first };
    assert_snapshot!(rule("", &first), @r#"tag 4444444444? last ; latest None; proposed Some("v0.1.0")"#);
}

#[test]
fn a_new_tag_has_a_good_name_that_is_free() {
    let settings = settings("unit = \"five\"\n");
    let told: Vec<String> = ["v3.1", "v2.0", "nightly", "v1 .0", "-v1.0", "v1..0", "v1.0.lock", ""]
        .iter()
        .map(|name| match check_new_tag(&settings, &unpushed(), name) {
            Ok(()) => format!("{name}: good"),
            Err(rule) => rule.to_string(),
        })
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    v3.1: good
    the tag "v2.0" exists already, on 2222222222
    "nightly" doesn't look like a release (^v\d+(\.\d+)+?$)
    "v1 .0" can't be the name of a tag in git
    "-v1.0" can't be the name of a tag in git
    "v1..0" can't be the name of a tag in git
    "v1.0.lock" can't be the name of a tag in git
    "" can't be the name of a tag in git
    "#);
}

#[test]
fn a_tag_is_the_same_to_everybody() {
    let mut facts = asked_by_tag("v3.0");
    facts.remote.tags[2] = tag("v3.0", 2);
    assert_snapshot!(rule("", &facts), @r#"
    the tag "v3.0" is 3333333333 here, and 2222222222 on "origin"
      hint: find out which of the two is right; to take theirs: git tag -d v3.0 && git fetch origin tag v3.0
    "#);
    facts.remote.tags.pop();
    assert_snapshot!(rule("", &facts), @"
    deploy v3.0 (3333333333)
    when all hosts are ready: push v3.0 to origin
    ");
    assert_snapshot!(rule("push_before_deploy = false", &facts), @r#"
    the tag "v3.0" isn't on the remote "origin"
      hint: push it first: git push origin v3.0
    "#);
    assert_snapshot!(rule("", &CheckoutFacts { release: release(3).tagged("nightly"), ..asked_by_tag("nightly") }), @r#"
    "nightly" doesn't look like a release (^v\d+(\.\d+)+?$)
      hint: `version_pattern` in buedafab.toml says what the tag of a release looks like
    "#);
}

#[test]
fn what_is_not_on_the_remote_is_pushed_or_refused() {
    let staging = "require_tag = false\nbranch = \"*\"";
    assert_snapshot!(rule(staging, &unpushed()), @"
    deploy 4444444444
    first: push 4444444444 to master on origin
    ");
    let off = "require_tag = false\npush_before_deploy = false";
    assert_snapshot!(rule(off, &unpushed()), @r#"
    4444444444 isn't on the remote "origin": hosts couldn't fetch it
      hint: push it first: git push origin HEAD
    "#);
    let mut facts = unpushed();
    facts.remote.push.as_mut().expect("there is one").is_fast_forward = false;
    assert_snapshot!(rule(staging, &facts), @r#"
    master of "origin" has commits that yours lacks: 4444444444 can't be pushed without losing them
      hint: take them in first: git pull --rebase origin master
    "#);
    // Neither on the remote nor on the branch that is checked out: rewritten, or on another branch.
    facts.remote.push = None;
    assert_snapshot!(rule(staging, &facts), @r#"
    4444444444 isn't on the remote "origin": hosts couldn't fetch it
      hint: a deploy pushes only the branch that is checked out: check out the branch that has this commit. If "origin" had it once, somebody has rewritten the branch there: git fetch origin
    "#);
}

#[test]
fn a_push_that_would_surprise_others_is_asked_about() {
    let staging = "require_tag = false\nbranch = \"*\"";
    let with = |change: fn(&mut PushFacts)| {
        let mut facts = unpushed();
        change(facts.remote.push.as_mut().expect("there is one"));
        rule(staging, &facts)
    };
    assert_snapshot!(with(|push| push.is_new = true), @"
    deploy 4444444444
    first: push 4444444444 to master on origin
    ask: Push master to origin as a new branch?
    ");
    assert_snapshot!(with(|push| push.commits[0].is_own = false), @"
    deploy 4444444444
    first: push 4444444444 to master on origin
    ask: Commits of others would be pushed to master of origin:
      4444444 Four
    Push them?
    ");
}

#[test]
fn releases_come_from_the_branch() {
    let text = "require_tag = false";
    let mut facts = checkout();
    facts.remote.branch_has_release = false;
    facts.branch = Some("topic".to_owned());
    assert_snapshot!(rule(text, &facts), @r#"
    v3.0 (3333333333) isn't on master of "origin", the branch that releases come from
      hint: merge it into master first; `branch` in buedafab.toml names the branch that releases come from
    "#);
    facts.remote.has_branch = false;
    assert_snapshot!(rule(text, &facts), @r#"
    "origin" has no branch master, the branch that releases come from
      hint: set `branch` in buedafab.toml to the branch that releases come from: branch = "main"
    "#);
    assert_snapshot!(rule("require_tag = false\nbranch = \"*\"", &facts), @"deploy v3.0 (3333333333)");
    // Committed and pushed on topic, then merged here by a fast-forward that nobody has pushed: a push settles it.
    let mut facts = unpushed();
    facts.remote.has_release = true;
    assert_snapshot!(rule(text, &facts), @"
    deploy 4444444444
    first: push 4444444444 to master on origin
    ");
    // The same, but others have pushed to master since: that is what has to be settled first.
    facts.remote.push.as_mut().expect("there is one").is_fast_forward = false;
    assert_snapshot!(rule(text, &facts), @r#"
    master of "origin" has commits that yours lacks: 4444444444 can't be pushed without losing them
      hint: take them in first: git pull --rebase origin master
    "#);
    // An unpushed branch that releases don't come from: one reason is enough.
    let mut facts = unpushed();
    facts.remote.push.as_mut().expect("there is one").branch = "topic".to_owned();
    assert_snapshot!(rule(text, &facts), @r#"
    4444444444 isn't on master of "origin", the branch that releases come from
      hint: merge it into master first; `branch` in buedafab.toml names the branch that releases come from
    "#);
}

#[test]
fn an_older_release_needs_a_yes() {
    let old = |live: &[LiveRelease], text: &str| rule_with(text, &checkout(), live, None);
    let asked = old(&live(4, Ancestry::NotOlder), "");
    assert_snapshot!(asked, @"
    deploy v3.0 (3333333333), which may lack something
    ask: v3.0 (3333333333) is older than v4.0 (4444444444), which is live. Deploy it?
    ");
    assert_eq!(old(&live(4, Ancestry::Older), ""), asked);
    assert_eq!(
        old(&live(4, Ancestry::Older), "allow_older = true"),
        "deploy v3.0 (3333333333), which may lack something"
    );
    assert_eq!(old(&live(2, Ancestry::NotOlder), ""), "deploy v3.0 (3333333333)");
    // Without two versions, only history can tell.
    let mut odd = live(4, Ancestry::NotOlder);
    odd[0].release.tag = None;
    assert_eq!(old(&odd, ""), "deploy v3.0 (3333333333)");
}

/// Where nothing has a tag, a clone that nobody has updated, or the job of an old pipeline, would go back unasked.
#[test]
fn an_older_commit_needs_a_yes_too() {
    let text = "require_tag = false";
    let mut facts = checkout();
    facts.release = Release::unnamed(release(3).commit);
    (facts.tags, facts.remote.tags) = (Vec::new(), Vec::new());
    let old = |ancestry, text: &str| {
        let mut live = live(4, ancestry);
        live[0].release = Release::unnamed(release(4).commit);
        rule_with(text, &facts, &live, None)
    };
    assert_snapshot!(old(Ancestry::Older, text), @"
    deploy 3333333333, which may lack something
    ask: 3333333333 is older than 4444444444, which is live. Deploy it?
    ");
    assert_eq!(
        old(Ancestry::Older, &format!("{text}\nallow_older = true")),
        "deploy 3333333333, which may lack something"
    );
    assert_eq!(old(Ancestry::NotOlder, text), "deploy 3333333333");
    // It may lack migrations that the database has, and nobody is asked whether it is older.
    assert_eq!(old(Ancestry::Diverged, text), "deploy 3333333333, which may lack something");
    // What nobody knows is said.
    assert_snapshot!(old(Ancestry::Unknown, text), @r#"
    deploy 3333333333, which may lack something
    note: neither this checkout nor origin has 4444444444, which is live: it may be newer
    "#);
}

/// It is known before anything is tagged.
#[test]
fn what_git_tracks_cannot_be_shared() {
    let rule_of = |text: &str, tracked: &[(&str, bool)]| {
        let tracked = tracked.iter();
        let shared_in_git = tracked
            .map(|(path, is_link)| TrackedPath { path: path.to_string(), is_link: *is_link })
            .collect();
        rule(text, &CheckoutFacts { shared_in_git, ..checkout() })
    };
    let media = "shared_dirs = [\"media\"]";
    let allowed = "deploy v3.0 (3333333333)";
    assert_eq!(rule_of(media, &[("media/.gitkeep", false), ("media/a/.gitignore", false)]), allowed);
    assert_snapshot!(rule_of(media, &[("media/.gitkeep", false), ("media/logo.svg", false)]), @"
    media is in v3.0 (3333333333) (media/logo.svg), so it can't be a link to what is shared
      hint: take it out of git (git rm --cached), or out of `shared_files` and `shared_dirs`; only files that keep a folder there, such as .gitkeep, are in no way
    ");
    assert_snapshot!(rule_of("shared_files = [\"conf/.gitignore\"]", &[("conf/.gitignore", false)]), @"
    conf/.gitignore is in v3.0 (3333333333) (conf/.gitignore), so it can't be a link to what is shared
      hint: take it out of git (git rm --cached), or out of `shared_files` and `shared_dirs`; only files that keep a folder there, such as .gitkeep, are in no way
    ");
    assert_snapshot!(rule_of("shared_dirs = [\"var/media\"]", &[("var", true)]), @"
    var/media lies in var, which is a link in v3.0 (3333333333): it can't be shared by itself
      hint: share var as a whole, or take the link out of git
    ");
    assert_snapshot!(rule_of("subdir = \"src\"\nshared_dirs = [\"media\"]", &[("src/media/x", false)]), @"
    src/media is in v3.0 (3333333333) (src/media/x), so it can't be a link to what is shared
      hint: take it out of git (git rm --cached), or out of `shared_files` and `shared_dirs`; only files that keep a folder there, such as .gitkeep, are in no way
    ");
    assert_eq!(rule_of(media, &[("mediator", false), ("src/media/x", false)]), allowed);
}

#[test]
fn signatures_are_made_and_checked() {
    let cannot = CheckoutFacts { can_sign: false, ..unpushed() };
    assert_snapshot!(rule_with("", &cannot, &[], Some("v3.1")), @"
    deploy v3.1 (4444444444)
    first: tag 4444444444 as v3.1
    first: push 4444444444 to master on origin
    when all hosts are ready: push v3.1 to origin
    ask: Git has no key to sign v3.1 with. Make it without a signature?
    ");
    assert_snapshot!(rule_with("sign_tags = false", &cannot, &[], Some("v3.1")), @"
    deploy v3.1 (4444444444)
    first: tag 4444444444 as v3.1
    first: push 4444444444 to master on origin
    when all hosts are ready: push v3.1 to origin
    ");
    let verify = "verify_signatures = true\nallowed_signers = [\"ada@example.com ssh-ed25519 AAAA\"]";
    let refused = rule_with(verify, &cannot, &[], Some("v3.1"));
    assert_eq!(refused, rule_with(&format!("{verify}\nsign_tags = false"), &cannot, &[], Some("v3.1")));
    assert_snapshot!(refused, @r#"
    "v3.1" has to be signed, and git has no key to sign with
      hint: set up a key, for example: git config --global gpg.format ssh; git config --global user.signingKey ~/.ssh/id_ed25519.pub
    "#);
    let bad = CheckoutFacts { bad_signature: Some("v3.0 carries no signature".to_owned()), ..checkout() };
    assert_snapshot!(rule(verify, &bad), @"
    v3.0 carries no signature
      hint: `allowed_signers` in buedafab.toml says whose signature counts; have one of them make the tag
    ");
    assert_snapshot!(rule("", &bad), @"deploy v3.0 (3333333333)");
}

#[test]
fn what_is_not_committed_is_told_or_refused() {
    let mut facts = checkout();
    facts.changes = (1..=7).map(|number| format!(" M file{number}.py")).collect();
    facts.unpushed_submodules = vec!["vendor/lib".to_owned()];
    // What is used of it is told elsewhere.
    facts.changes.insert(2, " M conf/buedafab.toml".to_owned());
    facts.release_file = Some(ReleaseFile { path: "conf/buedafab.toml".to_owned(), text: None });
    assert_snapshot!(rule("", &facts), @"
    deploy v3.0 (3333333333)
    note: not committed, so not deployed: file1.py, file2.py, file3.py, file4.py, file5.py and 2 more
    note: the submodule vendor/lib is at a commit that its remote doesn't have, as far as this checkout knows
    ");
    assert_snapshot!(rule("require_clean = true", &facts), @"
    files in your checkout aren't committed: file1.py, file2.py, conf/buedafab.toml, file3.py, file4.py and 3 more
      hint: commit or stash them: `require_clean` is set
    ");
}

#[test]
fn all_that_is_broken_is_told_at_once() {
    let mut facts = unpushed();
    facts.changes = vec!["?? new.py".to_owned()];
    facts.remote.push = None;
    let told = rule_with("require_clean = true", &facts, &[], Some("v2.0"));
    let reasons: Vec<&str> = told.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_snapshot!(reasons.join("\n"), @r#"
    files in your checkout aren't committed: new.py
    4444444444 isn't on the remote "origin": hosts couldn't fetch it
    the tag "v2.0" exists already, on 2222222222
    "#);
}

/// What says nothing about what it needs would come up with an empty virtualenv, and what another tool has locked with
/// something else: both are known before any host is touched.
#[test]
fn a_release_says_what_is_to_be_installed() {
    let rule = |settings: &str, paths: &[&str], pyproject: Option<&str>| {
        let python = PythonFiles {
            paths: paths.iter().map(|path| path.to_string()).collect(),
            pyprojects: pyproject.map(str::to_owned).into_iter().collect(),
        };
        let facts = CheckoutFacts { python: Some(python), ..checkout() };
        let settings = common::fleet(settings, 1);
        match judge(&settings, &facts, &[], None) {
            Ok(Ruling::Allowed(allowed)) => allowed.notes.join("\n"),
            Ok(Ruling::NeedsTag(_)) => "needs a tag".to_owned(),
            Err(broken) => {
                broken.iter().map(|rule| format!("✗ {rule}: {}", rule.hint())).collect::<Vec<_>>().join("\n")
            }
        }
    };
    let django = "recipe = \"django\"";
    let wsgi = "recipe = \"wsgi\"";
    let named = |file: &str| format!("{django}\npip_requirements = [\"{file}\"]");
    let package = Some("[project]\nname = \"five\"\n");
    let tools = Some("[tool.ruff]\nline-length = 100\n");
    for (settings, paths, pyproject) in [
        (named("requirements.txt"), &["requirements.txt", "poetry.lock"][..], None),
        (named("vendor/requirements.txt"), &["vendor"], None),
        (format!("{}\nshared_files = [\"local.txt\"]", named("local.txt")), &["manage.py"], None),
        (django.to_owned(), &["uv.lock", "poetry.lock", "pyproject.toml"], package),
        (
            format!("subdir = \"src\"\nshared_dirs = [\"req\"]\n{}", named("req/local.txt")),
            &["src/manage.py"],
            None,
        ),
        (
            format!("subdir = \"src\"\nshared_files = [\"a.txt\"]\n{}", named("a.txt")),
            &["src/manage.py"],
            None,
        ),
        (django.to_owned(), &["pyproject.toml"], package),
        (django.to_owned(), &["pyproject.toml"], Some("[project] # five\nname = \"five\"\n")),
        (django.to_owned(), &["pyproject.toml"], Some(" [ build-system ]\n")),
        (django.to_owned(), &["setup.py"], None),
        // What is installed may lie above the app.
        (format!("{django}\nsubdir = \"src/app\""), &["src/pyproject.toml", "src/app/manage.py"], package),
        (format!("{django}\nsubdir = \"backend\""), &["uv.lock", "backend/manage.py"], None),
        ("recipe = \"static\"".to_owned(), &["index.html"], None),
    ] {
        assert_eq!(rule(&settings, paths, pyproject), "", "{settings} {paths:?}");
    }
    let refused = [
        rule(
            &named("gone.txt"),
            &["requirements.txt", "requirements/production.txt", "docs/other.txt"],
            None,
        ),
        rule(&named("gone.txt"), &["manage.py"], None),
        rule(django, &["poetry.lock", "pyproject.toml"], package),
        rule(wsgi, &["Pipfile", "Pipfile.lock"], None),
        rule(django, &["manage.py", "pyproject.toml"], tools),
        rule(wsgi, &["requirements.txt", "wsgi.py"], None),
        rule(wsgi, &["wsgi.py"], None),
        // A limit is named from the app's folder on.
        rule(
            &format!("{django}\nsubdir = \"src\"\npip_constraints = [\"limits.txt\"]"),
            &["setup.py", "src/limits.txt"],
            None,
        ),
    ];
    assert_snapshot!(refused.join("\n"), @r#"
    ✗ the release has no file gone.txt, which `pip_requirements` names: the release has these: pip_requirements = ["requirements.txt", "requirements/production.txt"]
    ✗ the release has no file gone.txt, which `pip_requirements` names: commit it, or name another in `pip_requirements`
    ✗ what is to be installed stands in poetry.lock, which neither uv nor pip reads: have its tool write a requirement file: poetry export --output requirements.txt; commit that, and name it: pip_requirements = ["requirements.txt"]
    ✗ what is to be installed stands in Pipfile.lock, which neither uv nor pip reads: have its tool write a requirement file: pipenv requirements --hash >requirements.txt; commit that, and name it: pip_requirements = ["requirements.txt"]
    ✗ nothing says what is to be installed: the virtualenv would be empty: commit a requirement file and name it in `pip_requirements`; or a uv.lock, or a pyproject.toml or setup.py that says what it needs
    ✗ nothing says what is to be installed: the virtualenv would be empty: the release has these: pip_requirements = ["requirements.txt"]
    nothing is installed but the virtualenv itself: there is no requirement file, lock or package
    ✗ nothing says what is to be installed: the virtualenv would be empty: commit a requirement file and name it in `pip_requirements`; or a uv.lock, or a pyproject.toml or setup.py that says what it needs
    "#);
}
