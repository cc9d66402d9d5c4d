//! The release's own file beside that of the working tree.

use insta::assert_snapshot;

use super::*;

const HERE: &str = r#"
unit = "five"
path = "/srv/{unit}"
recipe = "django"
shared_files = [".env"]
env_file = "conf"
version_url = "http://localhost/version"
[hooks]
restart = "touch {path}/new"
local.before = "make new"
[tasks]
hello.run = "echo new"
[environments.production]
hosts = ["web1", "web2"]
require_tag = false
"#;

/// What is used of both files, as it is shown, and what is said about it; or all that is wrong.
fn together(own: Option<&str>) -> String {
    let production = EnvironmentName::new("production").expect("a plain word");
    let here = parse("buedafab.toml", HERE).expect("nothing is wrong with it");
    let plain = show(&here.settings(&production).expect("nothing is wrong with it"));
    let release = here.settings_of_release(&production, "buedafab.toml", "v0.1.0 (1111111111)", own);
    let ReleaseSettings { settings, notes } = match release {
        Ok(both) => both,
        Err(diagnostics) => return diagnostics.to_string(),
    };
    let shown = show(&settings);
    let changed = shown.lines().filter(|line| !plain.lines().any(|known| known == *line));
    let notes = notes.iter().map(|note| format!("note: {note}"));
    changed.map(str::to_owned).chain(notes).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_file_that_is_the_same_or_differs_in_words_alone_is_not_worth_a_word() {
    assert_snapshot!(together(Some(HERE)), @"");
    assert_snapshot!(together(Some(&format!("# As it was.\n{HERE}"))), @"");
    assert_snapshot!(together(Some(&HERE.replace("echo new", "echo old"))), @"");
}

#[test]
fn the_release_decides_what_belongs_to_it_and_the_working_tree_where_and_who() {
    assert_snapshot!(together(Some(r#"
unit = "six"
path = "/old"
recipe = "wsgi"
service = "systemd:{unit}"
shared_files = [".env", "secret.key"]
env_file = "old.env"
[hooks]
restart = "touch old"
local.before = "make old"
[tasks]
hello.run = "echo old"
[environments.production]
hosts = ["old1"]
shared_dirs = ["media"]
"#)), @r#"
    recipe = "wsgi"
    # version_url: none, and the app isn't asked
    shared_files = [".env", "secret.key"]
    shared_dirs = ["media"]
    service = "systemd:five"
    restart = ["touch old"]
    note: taken from the release's own buedafab.toml, not from your working tree's: `hooks`, `recipe`, `service`, `shared_dirs`, `shared_files` and `version_url`
    note: taken from your working tree's buedafab.toml, not from the release's own: `env_file`, `hooks.local`, `hosts`, `path`, `require_tag`, `service` and `unit`
    "#);
}

#[test]
fn what_a_release_says_nothing_about_is_the_working_trees() {
    assert_snapshot!(together(None), @"note: v0.1.0 (1111111111) has no buedafab.toml: your working tree's is used for all of it");
    let other = HERE.replace("[environments.production]", "[environments.live]\nextends = \"production\"");
    let live = EnvironmentName::new("live").expect("a plain word");
    let here = parse("buedafab.toml", &other).expect("nothing is wrong with it");
    let notes = here.settings_of_release(&live, "buedafab.toml", "v0.1.0", Some(HERE)).map(|both| both.notes);
    assert_snapshot!(
        notes.expect("nothing is wrong").join("\n"),
        @"buedafab.toml of v0.1.0 has no environment `live`: your working tree's is used for all of it"
    );
}

#[test]
fn what_cannot_be_read_or_contradicts_the_working_tree_is_refused() {
    assert_snapshot!(together(Some("unit = \"five\"\nshared_fils = []\n")), @r"
    error: unknown setting `shared_fils`
     --> buedafab.toml of v0.1.0 (1111111111):2:1
      |
    2 | shared_fils = []
      | ^^^^^^^^^^^
      |
      = help: did you mean `shared_files`?
    ");
    let contradicts = HERE
        .replace("shared_files = [\".env\"]", "shared_dirs = [\"conf\"]")
        .replace("env_file = \"conf\"", "");
    assert_snapshot!(together(Some(&contradicts)), @"
    error: `conf` can't be a file: `conf` is shared
    --> buedafab.toml of v0.1.0 (1111111111), together with your working tree's
     = help: choose another name for one of them
    ");
}
