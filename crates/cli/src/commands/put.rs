//! `put`: a file of a person's, on every host.

use std::os::unix::fs::PermissionsExt;

use buedafab_engine::{Inputs, PackageCache};
use buedafab_model::host::Host;
use buedafab_model::planner::{PutPlace, plan_put};
use buedafab_model::run::exit_code::ExitCode;

use crate::arguments::{Cli, PutArgs};
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn put(cli: &Cli, arguments: &PutArgs) -> Result<ExitCode, CliError> {
    let PutArgs { file, place } = arguments;
    let shown = file.display();
    let cannot_read = |error: std::io::Error| CliError::usage(format!("can't read {shown}: {error}"));
    let about = file.metadata().map_err(cannot_read)?;
    if !about.is_file() {
        return Err(CliError::usage(format!("{shown} isn't a file")).hint("pack a folder first: tar -czf"));
    }
    let fetched = PackageCache::of_person(file).await.map_err(cannot_read)?;
    let place = PutPlace::new(place, &fetched.file).map_err(CliError::usage)?;
    let session = Session::start(cli, "put FILE PLACE", StepOutput::Talk)?;
    let hosts: Vec<&Host> = session.hosts.iter().collect();
    let plan =
        plan_put(&session.settings, &session.context, &fetched, &place, about.permissions().mode(), &hosts);
    let packages = [(fetched.key, file.clone())].into();
    session.carry_out_with(&plan, Inputs { packages, ..Inputs::default() }).await
}
