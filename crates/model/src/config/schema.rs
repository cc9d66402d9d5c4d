//! The JSON schema of the configuration file, for editors.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::apps::{APP_KEYS, shared_keys};
use super::area::{AreaLayer, Described, SettingReference};
use super::areas::{Layer, SOURCES};
use super::lineage::BUILT_IN;

/// The schema of what may be typed of one area.
pub(super) struct AreaSchema(Value);

impl AreaSchema {
    pub(super) fn of<T: AreaLayer>() -> Self {
        let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
        let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
        tidy(&mut schema);
        AreaSchema(schema)
    }
}

/// Adds to the schema of a table the defaults and examples of its keys, for programs and in words.
pub(super) fn describe<T: Described>(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for SettingReference { name, default, example } in T::keys() {
        let Some(property) = properties.get_mut(name).and_then(Value::as_object_mut) else { continue };
        let Some(Value::String(description)) = property.get_mut("description") else { continue };
        if let Some(default) = &default {
            description.push_str(&format!(" Default: {default}."));
        }
        if let Some(example) = example {
            description.push_str(&format!(" Example: `{example}`."));
        }
        let value = default.and_then(|default| default.value).and_then(plain);
        property.extend(value.map(|value| ("default".to_string(), value)));
        let example = example.and_then(|example| format!("x = {example}").parse::<toml::Table>().ok());
        let example = example.and_then(|mut table| table.remove("x")).and_then(plain);
        property.extend(example.map(|value| ("examples".to_string(), json!([value]))));
    }
}

fn plain(value: toml::Value) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// The schema of `buedafab.toml`, as draft 7, which is what TOML editors know.
pub fn schema() -> Value {
    let mut properties = Map::new();
    let mut meta = None;
    for AreaSchema(mut area) in Layer::schemas() {
        meta = area.as_object_mut().and_then(|area| area.remove("$schema"));
        if let Some(Value::Object(own)) = area.get_mut("properties").map(Value::take) {
            properties.extend(own);
        }
    }
    let mut environment =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let mut top = environment.clone();
    let reference = json!({ "$ref": "#/definitions/environment" });
    let apps = app_schema(&environment);
    let built_in: Map<String, Value> =
        BUILT_IN.into_iter().map(|name| (name.to_string(), reference.clone())).collect();
    let properties = top.get_mut("properties").and_then(Value::as_object_mut);
    if let Some(properties) = properties {
        for of_environments in ["hosts", "extends"].into_iter().chain(SOURCES) {
            properties.remove(of_environments);
        }
        properties.insert(
            "environments".to_string(),
            json!({
                "description": "Environments by name: the hosts of each, and the settings that differ there.",
                "type": "object",
                "properties": built_in,
                "additionalProperties": reference,
            }),
        );
        properties.insert("apps".to_string(), apps);
    }
    if let Some(properties) = environment.get_mut("properties").and_then(Value::as_object_mut) {
        let apps = json!({
            "description": "What differs in this environment for each of several apps, by their names.",
            "type": "object",
            "additionalProperties": reference,
        });
        properties.insert("apps".to_string(), apps);
    }
    if let (Some(top), Some(environment)) = (top.as_object_mut(), environment.as_object_mut()) {
        environment.insert("title".into(), "An environment".into());
        environment.insert(
            "description".into(),
            "Hosts, and settings that go before those of the top level.".into(),
        );
        top.extend(meta.map(|meta| ("$schema".to_string(), meta)));
        top.insert("title".into(), "buedafab.toml".into());
        top.insert("description".into(), "How an app is deployed by buedafab, and where to.".into());
        top.insert("definitions".into(), json!({ "environment": environment }));
    }
    top
}

/// The schema of the apps, where there are several: what an environment may say but for its hosts, and two keys of their own.
fn app_schema(environment: &Value) -> Value {
    let mut app = environment.clone();
    if let Some(properties) = app.get_mut("properties").and_then(Value::as_object_mut) {
        for elsewhere in ["hosts"].into_iter().chain(SOURCES).chain(shared_keys()) {
            properties.remove(elsewhere);
        }
        for (key, about) in APP_KEYS {
            let list = json!({ "description": about, "type": "array", "items": { "type": "string" } });
            properties.insert(key.to_string(), list);
        }
    }
    json!({
        "description": "Several apps by name: the settings that differ for each.",
        "type": "object",
        "additionalProperties": app,
    })
}

/// Takes `null` out, which TOML doesn't have, and the line breaks of the source out of descriptions.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| *choice != json!({ "type": "null" }));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            if let Some(Value::Array(values)) = object.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}
