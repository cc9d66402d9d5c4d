//! The schema that editors read.

use buedafab_model::config::schema;

pub(crate) fn page() -> String {
    serde_json::to_string_pretty(&schema()).expect("a schema is plain data") + "\n"
}
