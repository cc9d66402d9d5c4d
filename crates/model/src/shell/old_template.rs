//! Templates in the form of buedafab on Fabric, which Python's `%` filled in: `%(unit)s`, and `%%` for a per cent sign.

use std::collections::BTreeMap;

use crate::app::service::NamedService;
use crate::app::template::{OLD_FORM, OLD_TEMPLATE_VARIABLES, TemplateError};
use crate::config::Settings;
use crate::host::Host;
use crate::host::layout::Layout;

/// Whether a template is of that form: it names one of those keys, and holds nothing of the form that is used today.
pub(super) fn is_old(template: &str) -> bool {
    let is_of_today = ["{{", "{%", "{#"].iter().any(|mark| template.contains(mark));
    !is_of_today && OLD_TEMPLATE_VARIABLES.iter().any(|name| template.contains(&format!("%({name})s")))
}

/// What the keys mean for a service on a host. The project's `variables` go before them, and may be named, too.
pub(super) fn values(
    settings: &Settings,
    service: &NamedService,
    host: &Host,
    layout: &Layout,
    user: &str,
) -> BTreeMap<String, String> {
    let first = settings.hosts.iter().find(|host| service.is_on(&host.roles));
    let has_beat = first.is_none_or(|first| first.name == host.name);
    let below = |path: &str| path.strip_prefix(&format!("{}/", layout.path)).unwrap_or(path).to_owned();
    let (releases, current) = (below(layout.releases.as_str()), below(layout.current().as_str()));
    let symlink = current.rsplit('/').next().unwrap_or_default().to_owned();
    let group = settings.users.deploy_group.clone().unwrap_or_else(|| user.to_owned());
    let values = [
        settings.app.unit.to_string(),
        layout.path.to_string(),
        settings.app.deployment_type.clone(),
        releases,
        symlink,
        current,
        layout.virtualenv.clone(),
        settings.maintenance.settings_file.clone(),
        host.machine().to_owned(),
        user.to_owned(),
        user.to_owned(),
        group,
        if has_beat { "-B" } else { "" }.to_owned(),
        "-E".to_owned(),
    ];
    let mut known: BTreeMap<String, String> =
        OLD_TEMPLATE_VARIABLES.map(str::to_owned).into_iter().zip(values).collect();
    known.extend(settings.app.variables.clone());
    known
}

/// Fills such a template. A key that nobody knows is an error, as it was, and so is a per cent sign that stands alone.
pub(super) fn fill(template: &str, values: &BTreeMap<String, String>) -> Result<String, TemplateError> {
    let mut text = String::new();
    for (index, line) in template.split_inclusive('\n').enumerate() {
        let wrong = |why: String| TemplateError { why: format!("{OLD_FORM}: {why} in line {}", index + 1) };
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('%') {
            text.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                text.push('%');
                rest = after;
                continue;
            }
            let named = after.strip_prefix('(').and_then(|after| after.split_once(")s"));
            let lone = "a % that begins no %(name)s, and isn't written %%,";
            let (name, after) = named.ok_or_else(|| wrong(lone.to_owned()))?;
            let value = values.get(name).ok_or_else(|| wrong(format!("nobody knows %({name})s")))?;
            text.push_str(value);
            rest = after;
        }
        text.push_str(rest);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_templates_that_name_one_of_fabrics_keys_are_of_its_form() {
        for (template, expected) in [
            ("CELERYD=%(path)s/celeryd\n", true),
            ("# %(unit)s, %%d\n", true),
            ("ExecStart={{ path }}/%(unit)s\n", false),
            ("{% if tag %}%(unit)s{% endif %}\n", false),
            ("format = %(asctime)s %(message)s\n", false),
            ("ExecStart=/bin/date +%Y\n", false),
        ] {
            assert_eq!(is_old(template), expected, "{template}");
        }
    }

    #[test]
    fn they_are_filled_as_python_did() {
        let values = BTreeMap::from([("unit", "five"), ("path", "/srv/%(unit)s")]);
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let filled = |template: &str| match fill(template, &values) {
            Ok(text) => text,
            Err(error) => error.to_string(),
        };
        for (template, expected) in [
            ("%(unit)s in %(path)s: ${x%%.*}\n", "five in /srv/%(unit)s: ${x%.*}\n"),
            ("%(unit)s%(unit)s", "fivefive"),
            ("%%(unit)s", "%(unit)s"),
            ("one\n%(units)s\n", "in Fabric's form: nobody knows %(units)s in line 2"),
            (
                "%(unit)s\n\n${x%.*}",
                "in Fabric's form: a % that begins no %(name)s, and isn't written %%, in line 3",
            ),
        ] {
            assert_eq!(filled(template), expected);
        }
    }
}
