//! The schema knows what the program knows.

use super::*;

#[test]
fn the_schema_knows_every_setting() {
    let schema = schema();
    let keys = |value: &serde_json::Value| {
        value["properties"]
            .as_object()
            .map_or(Vec::new(), |object| object.keys().cloned().collect::<Vec<_>>())
    };
    let areas = reference();
    let mut names: Vec<&str> =
        areas.iter().flat_map(|area| &area.settings).map(|setting| setting.name).collect();
    names.push("apps");
    names.sort_unstable();
    assert_eq!(keys(&schema["definitions"]["environment"]), names);
    names.retain(|name| !["hosts", "extends"].contains(name) && !super::super::areas::SOURCES.contains(name));
    names.push("environments");
    names.sort_unstable();
    assert_eq!(keys(&schema), names);
    let shared = crate::config::apps::shared_keys();
    names.retain(|name| !["apps", "environments"].contains(name) && !shared.contains(name));
    names.extend(APP_KEYS.map(|(key, _)| key));
    names.sort_unstable();
    assert_eq!(keys(&schema["properties"]["apps"]["additionalProperties"]), names);
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema["properties"]["waves"]).unwrap(), @r#"
    {
      "default": [],
      "description": "How many hosts switch together, wave by wave: the first waves. The last takes all that are left, unless `batch` splits them. Default: `[]`, all at once. Example: `[1, \"25%\", \"100%\"]`.",
      "examples": [
        [
          1,
          "25%",
          "100%"
        ]
      ],
      "items": {
        "anyOf": [
          {
            "minimum": 1,
            "type": "integer"
          },
          {
            "pattern": "^([1-9][0-9]?|100)%$",
            "type": "string"
          }
        ]
      },
      "type": "array"
    }
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema["properties"]["hooks"]["properties"]["build"]).unwrap(), @r#"
    {
      "anyOf": [
        {
          "type": "string"
        },
        {
          "items": {
            "type": "string"
          },
          "type": "array"
        }
      ],
      "description": "In the new slot, once its code is there. Example: `\"make\"`.",
      "examples": [
        "make"
      ]
    }
    "#);
    let text = schema.to_string();
    assert!(!text.contains("null"), "TOML has no null: {text}");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["definitions"]["environment"]["additionalProperties"], false);
}

#[test]
fn every_setting_in_the_schema_is_described() {
    fn visit(path: &str, schema: &serde_json::Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if property.get("$ref").is_none() {
                assert!(property["description"].is_string(), "{path} has no description: {property}");
            }
            visit(&path, property);
        }
    }
    visit("", &schema());
    visit("environment", &schema()["definitions"]["environment"]);
}
