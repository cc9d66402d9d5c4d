//! Changes of a buedafab.toml that a command makes: all else in it, comments too, stays as a person wrote it.

use toml_edit::{Array, DocumentMut, TableLike, TomlError, value};

use super::areas::StrategyName;
use crate::names::EnvironmentName;

/// The text of a configuration file with this strategy in an environment: where it is set already, else in the environment if there are
/// others besides, else at the top. What only another kind of strategy has goes with it.
pub fn with_strategy(
    text: &str,
    environment: &EnvironmentName,
    strategy: StrategyName,
) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let environments = document.get("environments").and_then(|item| item.as_table_like());
    let others =
        environments.map_or(0, |all| all.iter().filter(|(name, _)| *name != environment.as_str()).count());
    let names_slots = document.contains_key(SLOTS);
    let own = document
        .get_mut("environments")
        .and_then(|item| item.as_table_like_mut()?.get_mut(environment.as_str())?.as_table_like_mut());
    match own {
        Some(own) if others > 0 || own.contains_key(STRATEGY) => {
            set(own, strategy);
            // Those at the top are meant for the other environments.
            if names_slots && strategy.adds_up() {
                own.insert(SLOTS, value(Array::new()));
            }
        }
        _ => set(document.as_table_mut(), strategy),
    }
    Ok(document.to_string())
}

const STRATEGY: &str = "strategy";
const SLOTS: &str = "release_paths";

fn set(table: &mut dyn TableLike, strategy: StrategyName) {
    let of_others: &[&str] = if strategy.adds_up() { &[SLOTS] } else { &["keep", "keep_days"] };
    for name in of_others {
        table.remove(name);
    }
    // An empty list said that there were none.
    if table.get(SLOTS).and_then(|item| item.as_array()).is_some_and(Array::is_empty) {
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
        let changed =
            changed.map(|text| with_strategy(text, &production, StrategyName::Revision).expect("it is TOML"));
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

    /// What is written can be read again: nothing of the former layout is left that the new one doesn't know.
    #[test]
    fn what_belongs_to_another_strategy_goes() {
        let production = EnvironmentName::new("production").expect("a name");
        let slots = "release_paths = [\"a\", \"b\", \"c\"]\n";
        let one = format!("unit = \"five\"\n{slots}[environments.production]\nhosts = [\"web1\"]\n");
        let two = format!("{one}[environments.staging]\nhosts = [\"s\"]\npath = \"/srv/s\"\n");
        for text in [one, two] {
            let there = with_strategy(&text, &production, StrategyName::Timestamp).expect("it is TOML");
            let kept = there.replace("\"timestamp\"", "\"timestamp\"\nkeep = 3\nkeep_days = 9");
            let back = with_strategy(&kept, &production, StrategyName::Ab).expect("it is TOML");
            for (text, strategy) in [
                (&there, StrategyName::Timestamp),
                (&kept, StrategyName::Timestamp),
                (&back, StrategyName::Ab),
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
