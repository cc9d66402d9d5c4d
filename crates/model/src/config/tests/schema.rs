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
    insta::assert_snapshot!(keys(&schema).join(" "), @"allow_older allowed_signers ask_sudo_password branch collectstatic confirm confirm_timeout_seconds connect connect_timeout_seconds crontab crontab_place current_release_symlink default_revision deploy_group deploy_user deployment_type env_file environments extra_fixtures extra_setup_tasks forward_agent hooks installer keep_warm_seconds linter lost_after_seconds maintenance maintenance_page master_remote package_installation_scripts path pip_constraints pip_options pip_requirements pip_requirements_dev pip_requirements_production private_requirements private_source push_before_deploy python recipe release_paths releases_root require_clean require_tag run_as s3_endpoint s3_region scm scm_http_url scm_known_hosts service services settings_file settle_seconds shared_dirs shared_files sign_tags source step_timeout_seconds steps strategy syncdb tasks test_runner unit unreachable variables verify_signatures version_pattern version_timeout_seconds version_url virtualenv waves");
    insta::assert_snapshot!(keys(&schema["definitions"]["environment"]).join(" "), @"allow_older allowed_signers ask_sudo_password branch collectstatic confirm confirm_timeout_seconds connect connect_timeout_seconds crontab crontab_place current_release_symlink default_revision deploy_group deploy_user deployment_type env_file extends extra_fixtures extra_setup_tasks forward_agent hooks hosts installer keep_warm_seconds linter lost_after_seconds maintenance maintenance_page master_remote package_installation_scripts path pip_constraints pip_options pip_requirements pip_requirements_dev pip_requirements_production private_requirements private_source push_before_deploy python recipe release_paths releases_root require_clean require_tag run_as s3_endpoint s3_region scm scm_http_url scm_known_hosts service services settings_file settle_seconds shared_dirs shared_files sign_tags source step_timeout_seconds steps strategy syncdb tasks test_runner unit unreachable variables verify_signatures version_pattern version_timeout_seconds version_url virtualenv waves");
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema["properties"]["waves"]).unwrap(), @r#"
    {
      "description": "How many hosts switch together, wave by wave; the last wave takes all that are left. Default: `[]`, all at once. Example: `[1, \"25%\", \"100%\"]`.",
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
      "description": "In the new slot, once its code is there. Example: `\"make\"`."
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
