//! What Fabric's `env` knew and `buedafab.toml` doesn't, with what to use.
//!
//! Every key of buedafab on Fabric is either a setting of the same name, or stands here.

/// The keys, each with what to use in its place.
pub const FORMER_KEYS: [(&str, &str); 29] = [
    ("allow_no_tag", "write `require_tag`, its opposite, below the environment"),
    ("aws_access_key", "set the variable AWS_ACCESS_KEY_ID where you deploy from"),
    ("aws_secret_key", "set the variable AWS_SECRET_ACCESS_KEY where you deploy from"),
    ("campfire_room", "write it below `[[notify]]`, as the room of its campfire"),
    (
        "campfire_subdomain",
        "write it below `[[notify]]`, in the address of its campfire: https://SUBDOMAIN.campfirenow.com",
    ),
    (
        "campfire_token",
        "say below `[[notify]]` where the token of its campfire is got: `{ env = \"CAMPFIRE_TOKEN\" }`",
    ),
    (
        "celeryd",
        "write a table: `[services.celery]`, with `template` and `service = \"init:celeryd-{unit}_{deployment_type}\"`",
    ),
    (
        "celeryd_beat_option",
        "leave it out: a template finds `-B` on one host; or put another into `variables`",
    ),
    ("celeryd_options", "put it into `variables`, where a template finds it; without it, it is `-E`"),
    ("current_release_path", "leave it out: it is made of `releases_root` and `current_release_symlink`"),
    ("deployed_version", "leave it out: hooks find BUEDAFAB_PREVIOUS_COMMIT, and `version_url` asks the app"),
    ("ec2_connection", "leave it out: who you are to AWS, and where, is found as by all its tools"),
    ("elb_connection", "leave it out: who you are to AWS, and where, is found as by all its tools"),
    ("extra_deploy_tasks", "write shell commands as `build` below `[hooks]`"),
    (
        "hoptoad_api_key",
        "say below `[[notify]]` where the api_key of its hoptoad is got: `{ env = \"HOPTOAD_API_KEY\" }`",
    ),
    ("migrate", "write `recipe = \"django\"`, which migrates; or leave it out by `steps.migrate = []`"),
    ("parallel", "leave it out: hosts always work at the same time"),
    ("pip_install_command", "write its options: `pip_options = [\"--index-url\", \"…\"]`"),
    ("roledefs", "write roles with the hosts: `hosts = [{ name = \"web1\", roles = [\"web\"] }]`"),
    ("root_dir", "leave it out: it is the folder of buedafab.toml"),
    ("s3_bucket_name", "write `private_source = \"s3://BUCKET/{name}.tar.gz\"`"),
    ("s3_key", "write `private_source = \"s3://BUCKET/{name}.tar.gz\"`"),
    ("scm_url_template", "write `scm`"),
    ("scratch_path", "leave it out: private packages have a cache of their own"),
    ("settings", "write `settings_file`, with `maintenance = \"setting\"`"),
    ("sha_url_template", "write `version_url`, with `{subdomain}` in place of `%s`"),
    ("tagged", "leave it out: `require_tag` says what an environment takes"),
    ("time_now", "leave it out: hooks find BUEDAFAB_RUN, which no other run has"),
    ("warn_only", "leave it out: a failed restart puts all hosts back"),
];

/// What to use in place of a key of Fabric's.
pub(super) fn former(key: &str) -> Option<&'static str> {
    FORMER_KEYS.iter().find(|(name, _)| *name == key).map(|(_, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{parse, reference};

    /// One that is a setting is none of them, and each is refused with what to use, wherever it stands.
    #[test]
    fn each_is_refused_by_name() {
        let settings: Vec<&str> =
            reference().iter().flat_map(|area| &area.settings).map(|setting| setting.name).collect();
        assert!(FORMER_KEYS.is_sorted());
        for (key, instead) in FORMER_KEYS {
            assert!(!settings.contains(&key), "{key}");
            for text in
                [format!("unit = 'x'\n{key} = 1\n"), format!("unit = 'x'\n[environments.blue]\n{key} = 1\n")]
            {
                let told = parse("buedafab.toml", &text).expect_err("it is refused");
                let told: Vec<_> =
                    told.iter().map(|told| (told.message.as_str(), told.help.as_deref())).collect();
                let message = format!("`{key}` belongs to buedafab on Fabric, and isn't a setting");
                assert_eq!(told, [(message.as_str(), Some(instead))]);
            }
        }
    }
}
