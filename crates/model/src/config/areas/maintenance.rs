//! How visitors are told of maintenance.

use crate::app::maintenance::MaintenanceMethod;
use crate::config::area::area;
use crate::config::rule::{Always, Unset, means_itself};
use crate::config::values::FilePath;

means_itself!(MaintenanceMethod);

area! {
    /// How visitors are told of maintenance.
    maintenance: MaintenanceSettings, MaintenanceLayer, "Maintenance";

    /// How visitors are told of maintenance: `"file"`, a page in `shared/maintenance.html` that your web server shows while
    /// it is there; `"command"`, django-maintenance-mode's; or `"setting"`, `MAINTENANCE_MODE = True` in `settings_file` of
    /// the live release, and a restart.
    maintenance as method: MaintenanceMethod => MaintenanceMethod = Always(MaintenanceMethod::File);

    /// The file of the project that says `MAINTENANCE_MODE = False`, for `maintenance = "setting"`.
    settings_file: FilePath => String = Always("settings.py"), example r#""five/settings.py""#;

    /// The page's template, a file of the project. `{{ message }}`, `{{ until }}`, `{{ unit }}` and `{{ environment }}` may
    /// stand in it.
    maintenance_page as page: FilePath => Option<String> = Unset("the program's own"), example r#""templates/maintenance.html""#;
}
