//! What only apps of Django have.

use crate::app::recipe::Collectstatic;
use crate::config::area::area;
use crate::config::rule::{Always, Empty, means_itself};
use crate::config::values::Argument;

means_itself!(Collectstatic);

area! {
    /// What only apps of Django have.
    django: DjangoSettings, DjangoLayer, "Django";

    /// Where Django's static files are collected: on `"every-host"`, as its slot is built, or `"once"`, on the first host,
    /// for storage that all of them share.
    collectstatic: Collectstatic => Collectstatic = Always(Collectstatic::EveryHost);

    /// Django's fixtures, which every deploy loads on the first host, after a migration if there is one: what somebody has
    /// changed in the database of what is in them is lost.
    extra_fixtures: Vec<Argument> => Vec<String> = Empty, example r#"["initial_data"]"#;

    /// Whether `manage.py syncdb` comes before a migration, as Django before 1.7 needs it.
    syncdb: bool => bool = Always(false);
}
