//! Changes of a buedafab.toml that a command makes: all else in it, comments too, stays as a person wrote it.

use toml_edit::{Array, DocumentMut, Item, TableLike, TomlError, value};

use super::areas::StrategyName;
use crate::names::{AppName, EnvironmentName};

/// The text of a configuration file with this strategy in an environment: where it is set already, else in the environment if there are
/// others besides, else at the top; of one of several apps, with the app in that environment. What only another kind of strategy has goes
/// with it.
pub fn with_strategy(
    text: &str,
    environment: &EnvironmentName,
    app: Option<&AppName>,
    strategy: StrategyName,
) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    if let Some(app) = app {
        let above = [&[][..], &["apps", app.as_str()][..], &["environments", environment.as_str()][..]];
        let slots_in = |path: &&[&str]| {
            let table = path.iter().try_fold(document.as_item(), |item, name| item.get(name))?;
            table.get(SLOTS)?.as_array().cloned()
        };
        let names = above.iter().filter_map(slots_in).next_back();
        let own = ["environments", environment.as_str(), "apps", app.as_str()];
        let own = own.into_iter().try_fold(document.as_table_mut() as &mut dyn TableLike, table_in);
        // What isn't a table was refused when the file was read.
        if let Some(own) = own {
            set(own, strategy);
            // Those are meant for others, too.
            if let Some(names) = names.filter(|names| !fits(strategy, names.len())) {
                own.insert(SLOTS, value(names_for(strategy, &names)));
            }
        }
        return Ok(document.to_string());
    }
    let environments = document.get("environments").and_then(|item| item.as_table_like());
    let others =
        environments.map_or(0, |all| all.iter().filter(|(name, _)| *name != environment.as_str()).count());
    let names = document.get(SLOTS).and_then(|item| item.as_array()).cloned();
    let own = document
        .get_mut("environments")
        .and_then(|item| item.as_table_like_mut()?.get_mut(environment.as_str())?.as_table_like_mut());
    match own {
        Some(own) if others > 0 || own.contains_key(STRATEGY) => {
            set(own, strategy);
            // Those at the top are meant for the other environments.
            if let Some(names) = names.filter(|names| !fits(strategy, names.len())) {
                own.insert(SLOTS, value(names_for(strategy, &names)));
            }
        }
        _ => set(document.as_table_mut(), strategy),
    }
    Ok(document.to_string())
}

/// The table of this name in another, which is made where there is none.
fn table_in<'t>(table: &'t mut dyn TableLike, name: &str) -> Option<&'t mut dyn TableLike> {
    if !table.contains_key(name) {
        let mut new = toml_edit::Table::new();
        new.set_implicit(true);
        table.insert(name, Item::Table(new));
    }
    table.get_mut(name)?.as_table_like_mut()
}

/// Whether so many slots may be named.
fn fits(strategy: StrategyName, names: usize) -> bool {
    match strategy {
        StrategyName::Ab => names > 1,
        StrategyName::InPlace => names == 1,
        StrategyName::Timestamp | StrategyName::Revision => names == 0,
    }
}

/// What stands in one environment, where others are arranged as these names say.
fn names_for(strategy: StrategyName, names: &Array) -> Array {
    match strategy {
        StrategyName::Ab => Array::from_iter(["a", "b"]),
        StrategyName::InPlace => names.iter().take(1).cloned().collect(),
        StrategyName::Timestamp | StrategyName::Revision => Array::new(),
    }
}

const STRATEGY: &str = "strategy";
const SLOTS: &str = "release_paths";

fn set(table: &mut dyn TableLike, strategy: StrategyName) {
    if !strategy.adds_up() {
        table.remove("keep");
        table.remove("keep_days");
    }
    // An empty list said that there were none.
    let names = table.get(SLOTS).and_then(|item| item.as_array());
    if names.is_some_and(|names| names.is_empty() || !fits(strategy, names.len())) {
        table.remove(SLOTS);
    }
    match table.get_mut(STRATEGY).and_then(|item| item.as_value_mut()) {
        // What stands around it, such as a comment behind it, stays.
        Some(there) => {
            let around = there.decor().clone();
            *there = strategy.word().into();
            *there.decor_mut() = around;
        }
        None => drop(table.insert(STRATEGY, value(strategy.word()))),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn only_the_strategy_changes() {
        let production = EnvironmentName::new("production").expect("a name");
        let changed = [
            "# ours\nunit = \"five\" # it\n\n[environments.production]\nhosts = [\"web1\"] # one\n",
            "strategy = \"ab\" # as ever\nunit = \"five\"\n",
            "unit = \"five\"\nstrategy = \"ab\"\n[environments.staging]\nhosts = [\"s\"]\n[environments.production] # live\nhosts = [\"web1\"]\n\n[hooks]\n# none\n",
            "unit = \"five\"\n[environments]\nproduction = { hosts = [\"web1\"], strategy = \"ab\" }\n",
        ];
        let changed = changed
            .map(|text| with_strategy(text, &production, None, StrategyName::Revision).expect("it is TOML"));
        assert_snapshot!(changed.join("-----\n"), @r#"
        # ours
        unit = "five" # it
        strategy = "revision"

        [environments.production]
        hosts = ["web1"] # one
        -----
        strategy = "revision" # as ever
        unit = "five"
        -----
        unit = "five"
        strategy = "ab"
        [environments.staging]
        hosts = ["s"]
        [environments.production] # live
        hosts = ["web1"]
        strategy = "revision"

        [hooks]
        # none
        -----
        unit = "five"
        [environments]
        production = { hosts = ["web1"], strategy = "revision" }
        "#);
    }

    #[test]
    fn one_of_several_apps_has_a_strategy_of_its_own() {
        let (production, web) =
            (EnvironmentName::new("production").expect("a name"), AppName::new("web").expect("a name"));
        for (text, there) in [
            ("[environments.production]\nhosts = [\"web1\"]\n", "[environments.production.apps.web]\n"),
            ("[environments]\nproduction = { hosts = [\"web1\"] }\n", "apps"),
            ("[environments.production.apps.web]\nstrategy = \"ab\" # as ever\n", "\"revision\" # as ever\n"),
        ] {
            let text = format!(
                "unit = \"five\"\nrelease_paths = [\"a\", \"b\", \"c\"]\n[apps.web]\n[apps.api]\n{text}"
            );
            let changed =
                with_strategy(&text, &production, Some(&web), StrategyName::Revision).expect("it is TOML");
            assert!(changed.contains(there), "{changed}");
            let apps =
                crate::config::parse("buedafab.toml", &changed).and_then(|file| file.apps_in(&production));
            let apps = apps.unwrap_or_else(|mistakes| panic!("{changed}\n{mistakes}"));
            let strategies = apps.iter().map(|app| (app.name.as_str(), app.settings.layout.strategy));
            assert_eq!(
                strategies.collect::<Vec<_>>(),
                [("web", StrategyName::Revision), ("api", StrategyName::Ab)],
                "{changed}"
            );
        }
    }

    /// What is written can be read again: nothing of the former layout is left that the new one doesn't know.
    #[test]
    fn what_belongs_to_another_strategy_goes() {
        let production = EnvironmentName::new("production").expect("a name");
        let slots = "release_paths = [\"a\", \"b\", \"c\"]\n";
        let one = format!("unit = \"five\"\n{slots}[environments.production]\nhosts = [\"web1\"]\n");
        let two = format!("{one}[environments.staging]\nhosts = [\"s\"]\npath = \"/srv/s\"\n");
        for text in [one, two] {
            let there = with_strategy(&text, &production, None, StrategyName::Timestamp).expect("it is TOML");
            let kept = there.replace("\"timestamp\"", "\"timestamp\"\nkeep = 3\nkeep_days = 9");
            let back = with_strategy(&kept, &production, None, StrategyName::Ab).expect("it is TOML");
            let one = |text: &str| {
                with_strategy(text, &production, None, StrategyName::InPlace).expect("it is TOML")
            };
            let named = one(&back);
            // The one folder has a name where the slots at the top are others'.
            let named = match named.contains("[\"a\"]") {
                true => named,
                false => named.replace("\"in-place\"", "\"in-place\"\nrelease_paths = [\"app\"]"),
            };
            let again = with_strategy(&named, &production, None, StrategyName::Ab).expect("it is TOML");
            for (text, strategy) in [
                (&there, StrategyName::Timestamp),
                (&kept, StrategyName::Timestamp),
                (&back, StrategyName::Ab),
                (&one(&text), StrategyName::InPlace),
                (&one(&kept), StrategyName::InPlace),
                (&again, StrategyName::Ab),
            ] {
                let read =
                    crate::config::parse("buedafab.toml", text).and_then(|file| file.settings(&production));
                match read {
                    Ok(settings) => assert_eq!(settings.layout.strategy, strategy, "{text}"),
                    Err(mistakes) => panic!("{text}{mistakes}"),
                }
            }
        }
    }
}
