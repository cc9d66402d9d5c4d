//! The guide for those who come from buedafab on Fabric, compared with what Fabric had and with what there is.

use std::collections::BTreeSet;

use buedafab_model::config::{FORMER_KEYS, reference};

/// Every key of Fabric's `env` that buedafab read, set or had a default for.
const KEYS: &str = "allow_no_tag aws_access_key aws_secret_key campfire_room campfire_subdomain campfire_token celeryd \
    celeryd_beat_option celeryd_options crontab current_release_path current_release_symlink default_revision deploy_group \
    deploy_user deployed_version deployment_type ec2_connection elb_connection extra_deploy_tasks extra_fixtures \
    extra_setup_tasks hoptoad_api_key hosts load_balancer master_remote migrate package_installation_scripts parallel path \
    pip_install_command pip_requirements pip_requirements_dev pip_requirements_production private_requirements release_paths \
    releases_root roledefs root_dir s3_bucket_name s3_key scm scm_http_url scm_url_template scratch_path settings \
    sha_url_template ssh_port tagged test_runner time_now unit version_pattern virtualenv warn_only";

/// Every task that its fabfiles had.
const TASKS: &str = "deploy disable elb_add elb_remove enable lint maintenancemode put rechef restart_webserver rollback run \
    setup shell spawn_ec2_instance sudo test";

/// What stands in backquotes on the page, word by word.
fn words(page: &str) -> BTreeSet<&str> {
    let code = page.split('`').skip(1).step_by(2);
    code.flat_map(|code| code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))).collect()
}

#[test]
fn the_guide_names_every_key_and_every_task_of_fabrics() {
    let page = include_str!("../../../../docs/from-fabric-buedafab.md");
    let code = page.replace("```", "");
    let words = words(&code);
    let settings: BTreeSet<&str> =
        reference().iter().flat_map(|area| &area.settings).map(|setting| setting.name).collect();
    for key in KEYS.split_whitespace() {
        assert!(words.contains(key), "the guide doesn't name {key}");
        let is_former = FORMER_KEYS.iter().any(|(former, _)| *former == key);
        assert!(settings.contains(key) != is_former, "{key} is a setting, or it is refused with what to use");
    }
    for (key, instead) in FORMER_KEYS {
        assert!(KEYS.split_whitespace().any(|known| known == key), "Fabric had no {key}");
        // What is recommended is there.
        for named in instead.split('`').skip(1).step_by(2) {
            let first = named.split([' ', '.', '=']).next().unwrap_or_default();
            let is_hook = ["before_switch", "after_switch", "restart", "after", "build"].contains(&first);
            let is_other = first.starts_with(['[', '{', '%', '-'])
                || ["curl", "sh", "steps", "template"].contains(&first);
            assert!(is_hook || is_other || settings.contains(first), "{key}: {first} is no setting");
        }
    }
    let command = buedafab::command();
    for task in TASKS.split_whitespace() {
        assert!(words.contains(task), "the guide doesn't name {task}");
        let is_command = command.find_subcommand(task).is_some();
        let is_former = buedafab::former_commands().iter().any(|(former, _)| *former == task);
        assert!(is_command != is_former, "{task} is a command, or it is refused with what to use");
    }
    // What it sends people to is there.
    for row in page.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.matches(" | ").count(), 1, "{row}");
    }
}
