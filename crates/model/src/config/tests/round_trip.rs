//! Settings that are shown are read again as the same; and no text at all makes the program stumble.

use proptest::prelude::*;

use super::notify::EVERY_SERVICE;
use super::*;

#[test]
fn what_is_shown_means_the_same_again() {
    for (environment, text) in [
        ("staging", "unit = 'five'\npath = '/srv/{{x}}'"),
        ("localhost", "unit = 'five'"),
        (
            "production",
            "unit = 'five'\nhealth = { http = '/a?b=c', port = 8000, status = 200, contains = \"it's\\n\", roles = ['web'] }",
        ),
        (
            "production",
            "unit = 'five'\nhealth = { http = 'https://www.example.com:81/', socket = 'run/{x}.sock', status = [200, 418] }",
        ),
        (
            "production",
            "unit = 'five'\nhealth = { http = 'http://[::1]:81', timeout_seconds = 2, interval_seconds = 3, grace_seconds = 0 }",
        ),
        ("production", "unit = 'five'\nhealth.tcp = 8000"),
        ("production", "unit = 'five'\nhealth.tcp = '[fe80::1]:8000'"),
        (
            "production",
            "unit = 'five'\nhealth.tcp = 'db.example.com:5432'\n[environments.production.health]\ncommand = ['a {b}', 'c']",
        ),
        (
            "a.b",
            "unit = 'x y'\nhooks.build = \"a\\r\\n\\tb'\\\"\"\nservice = 'runit:{{}}'\n[environments.'a.b']",
        ),
        (
            "x",
            "unit = 'x'\n[environments.x]\nhosts = ['127.0.0.1:1', '127.0.0.1:2', '[::1]:1', '[::1]:2', { name = 'a', address = '{{', connect = \"sh -c 'a b {{' {host}\" }]",
        ),
        ("production", EVERY_SERVICE),
    ] {
        let first = settings(environment, text).unwrap();
        let again = settings(environment, &show(&first)).unwrap_or_else(|e| panic!("{e}\n{}", show(&first)));
        assert_eq!(first, again);
    }
}

#[test]
fn json_has_every_setting_under_its_key() {
    let json = serde_json::to_value(settings("production", "unit = 'five'").unwrap()).unwrap();
    let mut found: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let areas = reference();
    let names = areas.iter().flat_map(|area| &area.settings).map(|setting| setting.name);
    // What a host is reached by stands with each host, and what was extended has been.
    let mut expected: Vec<&str> = names.filter(|name| !["connect", "extends"].contains(name)).collect();
    expected.extend(["environment", "local_hooks", "private_packages"]);
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

fn snippets() -> impl Strategy<Value = String> {
    const WORDS: &str = "unit path hosts hooks variables environments production waves connect name = = [ ] [[ ]] { } . , \
        ' \" \"\"\" 1 -1 'five' 'web[1:3]' '/srv/{unit}' true 1.5 2026-01-01 # é 0x nan";
    let words = WORDS.split(' ').chain(["\n", "\r\n", "\t", " ", "\u{feff}", "\0"]).collect::<Vec<_>>();
    prop::collection::vec(prop::sample::select(words), 0..40).prop_map(|words| words.concat())
}

fn read_everything(text: &str) {
    match parse("buedafab.toml", text) {
        Ok(file) => {
            for name in file.environment_names() {
                match file.settings(&name) {
                    Ok(settings) => drop(show(&settings)),
                    Err(diagnostics) => drop(diagnostics.render(true)),
                }
            }
        }
        Err(diagnostics) => drop(diagnostics.render(false)),
    }
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in ".*|(?s).*") {
        read_everything(&text);
    }

    #[test]
    fn no_toml_is_too_odd(text in snippets()) {
        read_everything(&text);
    }

    #[test]
    fn no_value_is_too_odd(key in "unit|path|scm|service|connect|waves|release_paths|hooks.build|variables.A|environments.production.hosts", value in r#"'[^'\n\x00-\x1f]*'|\[('[\[\]:0-9a-c@{}é-]{0,9}', ){0,3}\]|\{ name = '[^'\n\x00-\x1f]*' \}|-?[0-9]{1,22}"#) {
        read_everything(&format!("unit = 'x'\n{key} = {value}\n"));
    }

    #[test]
    fn what_is_shown_is_read_again(command in "[^\0]*[a-z]", value in "[^\0]*", path in "(/[^/\0.]+){1,3}") {
        let mut config = toml::Table::new();
        let quoted = |text: &str| toml::Value::String(text.into());
        config.insert("unit".into(), quoted("x"));
        config.insert("path".into(), quoted(&super::template::escape(&path)));
        config.insert("hooks".into(), toml::Value::Table([("build".to_string(), quoted(&command))].into_iter().collect()));
        config.insert("variables".into(), toml::Value::Table([("A".to_string(), quoted(&value))].into_iter().collect()));
        let first = settings("production", &config.to_string()).unwrap();
        prop_assert_eq!(&settings("production", &show(&first)).unwrap(), &first);
        prop_assert_eq!(&first.hooks.on_hosts.build, &[command]);
    }
}
