//! Asks those who know the hosts of an environment: each once in a run.

mod files;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use buedafab_model::host::balancer::Traffic;
use buedafab_model::host::inventory::ansible::{FileKind, InventoryError, InventoryFile, read, read_dynamic};
use buedafab_model::host::inventory::{Answer, Answers, HostSource, Instance, Question};

use self::files::files_of;
use crate::aws::{Aws, AwsError};
use crate::process::{RunError, async_program, run_to_end};

/// Why nobody knows the hosts of an environment.
#[derive(Debug, thiserror::Error)]
#[error("the hosts of the {source_name} aren't known: {why}")]
pub struct SourceError {
    source_name: String,
    why: SourceProblem,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceProblem {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error("there is no such group in {region}")]
    NoGroup { region: String },
    #[error("its targets are of the kind {kind:?}, which are no hosts")]
    NoHosts { kind: String },
    #[error("{path} can't be read: {why}")]
    Read { path: String, why: String },
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error("{0}")]
    Command(String),
}

impl SourceError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match &self.why {
            SourceProblem::Aws(error) => error.hint(),
            SourceProblem::NoGroup { .. } => Some("are its name and `aws_region` right?".to_owned()),
            SourceProblem::NoHosts { .. } => Some("name a group of instances or IP addresses".to_owned()),
            SourceProblem::Read { .. } | SourceProblem::Inventory(_) | SourceProblem::Command(_) => None,
        }
    }

    /// Whether the configuration, or a file that it names, has to change for this to end.
    pub fn is_of_configuration(&self) -> bool {
        match &self.why {
            SourceProblem::Aws(error) => error.is_of_configuration(),
            SourceProblem::Command(_) => false,
            SourceProblem::NoGroup { .. }
            | SourceProblem::NoHosts { .. }
            | SourceProblem::Read { .. }
            | SourceProblem::Inventory(_) => true,
        }
    }
}

/// Asks all questions. Files are looked for in this folder, and commands run there.
///
/// # Errors
///
/// The first question that nobody can answer.
pub async fn ask(questions: &[Question], folder: &Path) -> Result<Answers, SourceError> {
    let mut regions: BTreeMap<Option<String>, Aws> = BTreeMap::new();
    let mut answers = Answers::new();
    for question in questions {
        let Question { source, region } = question;
        let answer = match source {
            HostSource::Inventory(path) => ask_inventory(&folder.join(path), path).await,
            HostSource::Command(command) => ask_command(command, folder).await,
            _ => ask_aws(&mut regions, source, region).await,
        };
        let answer = answer.map_err(|why| SourceError { source_name: source.to_string(), why })?;
        answers.insert(question.clone(), answer);
    }
    Ok(answers)
}

async fn ask_aws(
    regions: &mut BTreeMap<Option<String>, Aws>,
    source: &HostSource,
    region: &Option<String>,
) -> Result<Answer, SourceProblem> {
    if !regions.contains_key(region) {
        regions.insert(region.clone(), Aws::new(region.as_deref()).await?);
    }
    let aws = &regions[region];
    Ok(Answer::Instances(aws.hosts_of(source).await?))
}

impl Aws {
    /// The machines that one of its own sources names.
    pub(crate) async fn hosts_of(&self, source: &HostSource) -> Result<Vec<Instance>, SourceProblem> {
        match source {
            HostSource::LoadBalancer(name) => {
                let known = self.load_balancers(std::slice::from_ref(name)).await?;
                let ids: Vec<String> = known.into_iter().flat_map(|balancer| balancer.instances).collect();
                Ok(self.instances_by_id(&ids).await?)
            }
            HostSource::TargetGroup(name) => self.hosts_of_targets(name).await,
            HostSource::AutoScalingGroup(name) => {
                let known = self.scaled_instances(name).await?;
                let known =
                    known.ok_or_else(|| SourceProblem::NoGroup { region: self.region().to_owned() })?;
                let ids: Vec<String> = known.iter().map(|instance| instance.instance_id.clone()).collect();
                let mut found = self.instances_by_id(&ids).await?;
                for (instance, scaled) in found.iter_mut().zip(&known) {
                    // In standby a host is only out of traffic, and would come back as it is.
                    let is_meant = matches!(
                        scaled.lifecycle_state.as_str(),
                        "InService" | "Standby" | "EnteringStandby"
                    );
                    instance.left_out =
                        (!is_meant).then(|| format!("its group says {}", scaled.lifecycle_state));
                }
                Ok(found)
            }
            HostSource::Ec2(filters) => Ok(self.instances(filters).await?),
            HostSource::Inventory(_) | HostSource::Command(_) => unreachable!("they aren't Amazon's"),
        }
    }

    async fn hosts_of_targets(&self, name: &str) -> Result<Vec<Instance>, SourceProblem> {
        let mut found: Vec<Instance> = Vec::new();
        for group in self.target_groups(&[name.to_owned()]).await? {
            let kind = group.target_type.clone().unwrap_or_else(|| "instance".to_owned());
            let is_address = match kind.as_str() {
                "instance" => false,
                "ip" => true,
                _ => return Err(SourceProblem::NoHosts { kind }),
            };
            let mut leaving: BTreeMap<String, bool> = BTreeMap::new();
            let mut ids: Vec<String> = Vec::new();
            for described in self.targets(&group.target_group_arn, None).await? {
                let drains = described.state().traffic == Traffic::Drains;
                let id = described.target.id;
                // With several ports it is one host, which leaves when all of them do.
                let known =
                    leaving.entry(id.clone()).and_modify(|leaves| *leaves &= drains).or_insert(drains);
                tracing::trace!(id, drains = *known, "a target");
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            let mut instances = match is_address {
                true => ids
                    .iter()
                    .map(|id| Instance {
                        id: id.clone(),
                        is_address,
                        state: "running".to_owned(),
                        private: Some(id.clone()),
                        ..Instance::default()
                    })
                    .collect(),
                false => self.instances_by_id(&ids).await?,
            };
            for instance in &mut instances {
                let leaves = leaving.get(&instance.id).copied().unwrap_or_default();
                instance.left_out = leaves.then(|| "it is being taken out of its group".to_owned());
            }
            found.extend(instances);
        }
        Ok(found)
    }
}

/// The largest inventory that is read, in bytes.
const LARGEST: u64 = 16 << 20;

async fn ask_inventory(path: &Path, shown: &str) -> Result<Answer, SourceProblem> {
    let unreadable = |path: &Path, why: String| SourceProblem::Read { path: path.display().to_string(), why };
    let files = files_of(path).map_err(|(path, why)| unreadable(&path, why))?;
    if !files.iter().any(|(_, kind)| *kind == FileKind::Inventory) {
        return Err(unreadable(path, "there is no inventory in it".to_owned()));
    }
    let mut read_files = Vec::new();
    for (file, kind) in files {
        let size = std::fs::metadata(&file).map_err(|error| unreadable(&file, error.to_string()))?.len();
        if size > LARGEST {
            return Err(unreadable(&file, format!("it is larger than {} MB", LARGEST >> 20)));
        }
        let text = std::fs::read(&file).map_err(|error| unreadable(&file, error.to_string()))?;
        let name = match file.strip_prefix(path) {
            Ok(rest) if !rest.as_os_str().is_empty() => format!("{shown}/{}", rest.display()),
            Ok(_) => shown.to_owned(),
            Err(_) => file.display().to_string(),
        };
        let text = String::from_utf8(text).map_err(|_| unreadable(&file, "it isn't UTF-8".to_owned()))?;
        read_files.push(InventoryFile { path: name, text, kind });
    }
    Ok(Answer::Listed(read(&read_files)?))
}

/// How long a command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

async fn ask_command(command: &str, folder: &Path) -> Result<Answer, SourceProblem> {
    let wrong = |why: String| SourceProblem::Command(why);
    let mut shell = async_program("sh");
    shell.args(["-c", command]).current_dir(folder);
    let output = match run_to_end(shell, Vec::new(), COMMAND_LIMIT).await {
        Ok(output) if output.is_cut => {
            return Err(wrong(format!("it prints more than {} MB", LARGEST >> 20)));
        }
        Ok(output) => output,
        Err(RunError::Start(error)) => return Err(wrong(format!("it can't be run: {error}"))),
        Err(error) => return Err(wrong(error.to_string())),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
        return Err(wrong(format!("it ended with {}: {}", output.status, last.trim())));
    }
    let text =
        String::from_utf8(output.stdout).map_err(|_| wrong("what it prints isn't UTF-8".to_owned()))?;
    Ok(Answer::Listed(read_dynamic(command, &text)?))
}
