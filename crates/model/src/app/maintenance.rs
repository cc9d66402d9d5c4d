//! Maintenance mode: how visitors are told, and the page that tells them.

use jiff::Timestamp;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};

use super::template::TemplateError;
use crate::names::{EnvironmentName, Unit};

/// How visitors are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaintenanceMethod {
    /// The page lies in `shared/maintenance.html`, and the web server shows it for as long as it is there.
    File,
    /// `manage.py maintenance_mode on`, of django-maintenance-mode.
    Command,
    /// `MAINTENANCE_MODE = True` in the settings of the live release, and a restart, as buedafab did it.
    Setting,
}

/// What visitors are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announcement {
    /// Why, or anything else.
    pub message: Option<String>,
    /// Until when, in words.
    pub until: Option<String>,
}

/// `.buedafab/maintenance`: there while visitors are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceRecord {
    /// Since when, by the host's clock.
    pub at: Timestamp,
    /// Who said it.
    #[serde(deserialize_with = "crate::names::words")]
    pub by: String,
    /// What visitors are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// The page of a project that has none of its own.
const PAGE: &str = include_str!("maintenance.html");

/// The page, from the project's own template or the program's. In the template `message`, `until`, `unit` and
/// `environment` may stand; anything else is an error.
pub fn render_page(
    unit: &Unit,
    environment: &EnvironmentName,
    template: Option<&str>,
    announcement: &Announcement,
) -> Result<String, TemplateError> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    // The name makes it escape what is filled in.
    let name = "maintenance.html";
    templates.add_template(name, template.unwrap_or(PAGE))?;
    let Announcement { message, until } = announcement;
    let values = context! {
        message => message,
        until => until,
        unit => unit.as_str(),
        environment => environment.as_str(),
    };
    Ok(templates.get_template(name)?.render(values)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: Option<&str>, announcement: Announcement) -> String {
        let unit = Unit::new("five").expect("a unit");
        let production = EnvironmentName::new("production").expect("a word");
        match render_page(&unit, &production, template, &announcement) {
            Ok(page) => page,
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn the_page_says_what_it_is_told_and_escapes_it() {
        let told =
            Announcement { message: Some("we <move> & grow".into()), until: Some("10 o'clock".into()) };
        let page = render(None, told.clone());
        assert!(page.contains("we &lt;move&gt; &amp; grow") && page.contains("10 o&#x27;clock"), "{page}");
        assert!(!render(None, Announcement::default()).contains("None"));
        assert_eq!(
            render(Some("{{ unit }} {{ environment }} {{ until or 'soon' }}"), Announcement::default()),
            "five production soon"
        );
    }

    #[test]
    fn a_bad_template_is_told() {
        let wrong = |template: &str| render(Some(template), Announcement::default());
        assert_eq!(wrong("one\n{{ mesage }}"), "error: undefined value: `mesage` is undefined in line 2");
        assert!(wrong("{% if %}").starts_with("error: syntax error: "), "{}", wrong("{% if %}"));
    }
}
