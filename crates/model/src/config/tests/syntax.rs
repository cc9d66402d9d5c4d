//! What is said about files that are no TOML, and files with odd beginnings and line ends.

use super::*;

#[test]
fn a_key_twice() {
    insta::assert_snapshot!(mistakes("unit = \"five\"\nunit = \"six\"\n"), @r#"
    error: `unit` stands here for the second time
     --> buedafab.toml:2:1
      |
    2 | unit = "six"
      | ^^^^
      |
      = help: a key may stand only once in a table, and a table only once in a
              file
    "#);
    insta::assert_snapshot!(mistakes("[hooks]\n[environments.x]\n[hooks]\n"), @"
    error: `hooks` stands here for the second time
     --> buedafab.toml:3:2
      |
    3 | [hooks]
      |  ^^^^^
      |
      = help: a key may stand only once in a table, and a table only once in a
              file
    ");
}

#[test]
fn not_toml() {
    insta::assert_snapshot!(mistakes("unit = five\npath =\n"), @r#"
    error: `five` isn't a value
     --> buedafab.toml:1:8
      |
    1 | unit = five
      |        ^^^^
      |
      = help: put text in quotes: `"five"`

    error: a value is missing
     --> buedafab.toml:2:7
      |
    2 | path =
      |       ^
      |
      = help: write one after the `=`, or leave the line out
    "#);
    insta::assert_snapshot!(mistakes("path = /srv/five\nscm = git@github.com:x\na = x y\nb = [c, d]\nd = true\n"), @r#"
    error: `/srv/five` isn't a value
     --> buedafab.toml:1:8
      |
    1 | path = /srv/five
      |        ^^^^^^^^^
      |
      = help: put text in quotes: `"/srv/five"`

    error: `git@github.com:x` isn't a value
     --> buedafab.toml:2:7
      |
    2 | scm = git@github.com:x
      |       ^^^^^^^^^^^^^^^^
      |
      = help: put text in quotes: `"git@github.com:x"`

    error: `x y` isn't a value
     --> buedafab.toml:3:5
      |
    3 | a = x y
      |     ^^^
      |
      = help: put text in quotes: `"x y"`

    error: `c` isn't a value
     --> buedafab.toml:4:6
      |
    4 | b = [c, d]
      |      ^
      |
      = help: put text in quotes: `"c"`

    error: `d` isn't a value
     --> buedafab.toml:4:9
      |
    4 | b = [c, d]
      |         ^
      |
      = help: put text in quotes: `"d"`
    "#);
    insta::assert_snapshot!(mistakes("#!/bin/sh\nset -e\nif true; then exit 1; fi\n"), @"
    error: key with no value, expected `=`
     --> buedafab.toml:2:5
      |
    2 | set -e
      |     ^

    error: key with no value, expected `=`
     --> buedafab.toml:3:4
      |
    3 | if true; then exit 1; fi
      |    ^
    ");
    insta::assert_snapshot!(mistakes("unit = \"five"), @r#"
    error: invalid basic string, expected `"`
     --> buedafab.toml:1:13
      |
    1 | unit = "five
      |             ^
    "#);
    insta::assert_snapshot!(mistakes("\u{7f}ELF\u{0}\u{1}"), @"
    error: invalid unquoted key, expected letters, numbers, `-`, `_`
     --> buedafab.toml:1:1
      |
    1 | ␡ELF␀␁
      | ^

    error: invalid unquoted key, expected letters, numbers, `-`, `_`
     --> buedafab.toml:1:5
      |
    1 | ␡ELF␀␁
      |     ^^

    error: key with no value, expected `=`
     --> buedafab.toml:1:7
      |
    1 | ␡ELF␀␁
      |       ^
    ");
}

#[test]
fn windows_files_are_read_like_any_other() {
    let text = "\u{feff}unit = \"five\"\r\n[hooks]\r\nbuild = \"\"\"\r\nmake\r\n\"\"\"\r\n";
    assert_eq!(settings("production", text).unwrap().app.unit.as_str(), "five");
    insta::assert_snapshot!(mistakes("\u{feff}unti = \"five\"\r\nwaves = [0]\r\n"), @r#"
    error: unknown setting `unti`
     --> buedafab.toml:1:1
      |
    1 | unti = "five"
      | ^^^^
      |
      = help: did you mean `unit`?

    error: `0` isn't the size of a wave
     --> buedafab.toml:2:10
      |
    2 | waves = [0]
      |          ^
      |
      = help: write a number of hosts such as `2`, or a percentage from `"1%"` to
              `"100%"`
    "#);
}

#[test]
fn a_tab_and_wide_characters_keep_the_caret_in_place() {
    insta::assert_snapshot!(mistakes("\tvariables = { A = \"日本語\", B = 3 }\n"), @r#"
    error: `B` takes a string, not a whole number
     --> buedafab.toml:1:31
      |
    1 |     variables = { A = "日本語", B = 3 }
      |                                     ^
      |
      = help: put it in quotes: `"3"`
    "#);
}

/// What an editor on Windows wrote means the same, also within texts of several lines, which shells get.
#[test]
fn line_ends_of_windows() {
    let text = "unit = \"five\"\n# a word\n[hooks]\nbuild = \"\"\"\nmake\nmake \\\n  more\n\"\"\"\ncheck = \'\'\'\none\ntwo\'\'\'\n[environments.production]\nhosts = [\n  \"web1\",\n]\n";
    let production = EnvironmentName::new("production").unwrap();
    let of = |text: &str| parse("buedafab.toml", text).unwrap().settings(&production).unwrap();
    assert_eq!(of(&text.replace('\n', "\r\n")), of(text));
    assert_eq!(of(text).hooks.on_hosts.check, ["one\ntwo"]);
    insta::assert_snapshot!(mistakes("unit = \"five\"\r\npaht = \"/srv\"\r\n"), @r#"
    error: unknown setting `paht`
     --> buedafab.toml:2:1
      |
    2 | paht = "/srv"
      | ^^^^
      |
      = help: did you mean `path`?
    "#);
}
