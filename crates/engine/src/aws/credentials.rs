//! Who we are to Amazon, and to servers that understand it: found where all of Amazon's tools find it, for every service alike.
//!
//! The library knows the environment, keys in shared files, web identities, `credential_process`, and the metadata of containers and
//! instances. Roles and sessions of single sign-on that profiles name are looked up here, and go through the same requests.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use reqsign_aws_v4::{
    Credential, DefaultCredentialProvider, ECSCredentialProvider, EnvCredentialProvider,
    IMDSv2CredentialProvider, RequestSigner, SSOCredentialProvider,
};
use reqsign_core::{
    CommandExecute, CommandOutput, Context, Env as _, HttpSend, OsEnv, ProvideCredential, SignRequest as _,
    SigningCredential as _,
};
use reqsign_file_read_tokio::TokioFileRead;
use tokio::sync::Mutex;

use super::error::AwsError;
use super::profile::SharedFile;
use super::{Action, Aws};
use crate::http::{Bounds, send};
use crate::process::{async_program, run_to_end};

/// A variable that says something.
pub(crate) fn variable(name: &str) -> Option<String> {
    OsEnv.var(name).filter(|value| !value.is_empty())
}

/// The credentials of one run: asked for once, and again only when they end.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    known: Mutex<Option<Credential>>,
}

/// How many roles may be assumed one out of the other.
const MOST_ROLES: usize = 5;

impl Credentials {
    /// Credentials that are known already.
    pub(super) fn of(credential: Credential) -> Self {
        Credentials { known: Mutex::new(Some(credential)) }
    }

    /// Signs a request for a service.
    pub(crate) async fn sign(&self, parts: &mut Parts, service: &str, region: &str) -> Result<(), AwsError> {
        let credential = {
            let mut known = self.known.lock().await;
            match &*known {
                Some(credential) if credential.is_valid() => credential.clone(),
                _ => known.insert(Box::pin(find(region, None, MOST_ROLES)).await?).clone(),
            }
        };
        let signer = RequestSigner::new(service, region);
        let signed = signer.sign_request(&context(), parts, Some(&credential), None).await;
        signed.map_err(|error| AwsError::Credentials(error.to_string()))
    }
}

/// What the library may use of this machine.
fn context() -> Context {
    Context::new()
        .with_file_read(TokioFileRead)
        .with_http_send(Http)
        .with_env(OsEnv)
        .with_command_execute(Commands)
}

/// Both shared files, as far as they are there.
async fn shared_files() -> [SharedFile; 2] {
    let read = async |name: &str, usual: &str| {
        let path = variable(name).unwrap_or_else(|| usual.to_owned());
        let path = context().expand_home_dir(&path).unwrap_or(path);
        SharedFile::read(&tokio::fs::read_to_string(path).await.unwrap_or_default())
    };
    [
        read("AWS_CONFIG_FILE", "~/.aws/config").await,
        read("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials").await,
    ]
}

/// The profile that the environment names.
fn profile_name() -> String {
    variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned())
}

/// What the profile that is meant says.
pub(crate) async fn profile_key(key: &str) -> Option<String> {
    let [config, _] = shared_files().await;
    config.profile(&profile_name())?.get(key).cloned()
}

/// Looks for credentials; of a profile, where one is named.
async fn find(region: &str, named: Option<&str>, roles_left: usize) -> Result<Credential, AwsError> {
    let none = |why: String| AwsError::Credentials(why);
    let context = context();
    if named.is_none()
        && let Ok(Some(credential)) = EnvCredentialProvider::new().provide_credential(&context).await
    {
        return Ok(credential);
    }
    let profile = named.map_or_else(profile_name, str::to_owned);
    let [config, credentials] = shared_files().await;
    let is_meant = named.is_some() || variable("AWS_PROFILE").is_some();
    if is_meant && config.profile(&profile).is_none() && credentials.section(&profile).is_none() {
        return Err(none(format!("no profile {profile:?} stands in ~/.aws/config or ~/.aws/credentials")));
    }
    let mut keys = credentials.section(&profile).cloned().unwrap_or_default();
    keys.extend(config.profile(&profile).cloned().unwrap_or_default());
    if let Some(role) = keys.get("role_arn").filter(|_| !keys.contains_key("web_identity_token_file")) {
        return assume(region, &profile, role, &keys, roles_left).await;
    }
    if let Some(session) = keys.get("sso_session") {
        return single_sign_on(&context, &profile, session, &keys, &config).await;
    }
    if let Some(url) = keys.get("sso_start_url") {
        let found = SSOCredentialProvider::new().with_profile(&profile).provide_credential(&context).await;
        return found.ok().flatten().ok_or_else(|| none(signed_out(&profile, url)));
    }
    let chain = DefaultCredentialProvider::builder().no_env().no_sso().with_profile(&profile).build();
    let found = chain.provide_credential(&context).await.map_err(|error| none(error.to_string()))?;
    found.ok_or_else(|| none("none were found".to_owned()))
}

fn signed_out(profile: &str, place: &str) -> String {
    format!("the sign-on of the profile {profile:?} at {place} has ended: aws sso login --profile {profile}")
}

/// The credentials of a role that a profile names, by those that it says may assume it.
async fn assume(
    region: &str,
    profile: &str,
    role: &str,
    keys: &BTreeMap<String, String>,
    roles_left: usize,
) -> Result<Credential, AwsError> {
    let none = |why: String| Err(AwsError::Credentials(why));
    if roles_left == 0 {
        return none(format!(
            "the profile {profile:?} assumes more than {MOST_ROLES} roles one out of the other"
        ));
    }
    if keys.contains_key("mfa_serial") {
        return none(format!(
            "the profile {profile:?} needs a code of a second factor, which nobody is asked for here: put the keys of a \
             session into the environment"
        ));
    }
    let context = context();
    let source = match (keys.get("source_profile"), keys.get("credential_source").map(String::as_str)) {
        (Some(source), _) if source == profile => {
            let own = DefaultCredentialProvider::builder().no_env().no_imds().no_ecs().with_profile(profile);
            own.build().provide_credential(&context).await
        }
        (Some(source), _) => Ok(Some(Box::pin(find(region, Some(source), roles_left - 1)).await?)),
        (None, Some("Environment")) => EnvCredentialProvider::new().provide_credential(&context).await,
        (None, Some("Ec2InstanceMetadata")) => {
            IMDSv2CredentialProvider::new().provide_credential(&context).await
        }
        (None, Some("EcsContainer")) => ECSCredentialProvider::new().provide_credential(&context).await,
        (None, _) => {
            return none(format!(
                "the profile {profile:?} has a role_arn, and neither a source_profile nor a credential_source"
            ));
        }
    };
    let Some(source) = source.map_err(|error| AwsError::Credentials(error.to_string()))? else {
        return none(format!("there are none by which the role of the profile {profile:?} could be assumed"));
    };
    let sts = Aws::with(region.to_owned(), Credentials::of(source));
    let mut parameters = vec![
        ("RoleArn".to_owned(), role.to_owned()),
        (
            "RoleSessionName".to_owned(),
            keys.get("role_session_name").cloned().unwrap_or_else(|| "buedafab".to_owned()),
        ),
    ];
    parameters.extend(keys.get("external_id").map(|id| ("ExternalId".to_owned(), id.clone())));
    parameters.extend(keys.get("duration_seconds").map(|time| ("DurationSeconds".to_owned(), time.clone())));
    let Assumed { assume_role_result: AssumeRoleResult { credentials } } =
        sts.call(Action::AssumeRole, &parameters).await?;
    Ok(Credential {
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        session_token: Some(credentials.session_token),
        expires_in: credentials.expiration.parse().ok(),
    })
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    assume_role_result: AssumeRoleResult,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleResult {
    credentials: AssumedCredentials,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

/// The credentials of a role by single sign-on, in the form that `aws configure sso` writes now: the session has a section of its own.
async fn single_sign_on(
    context: &Context,
    profile: &str,
    session: &str,
    keys: &BTreeMap<String, String>,
    config: &SharedFile,
) -> Result<Credential, AwsError> {
    let none = |why: String| AwsError::Credentials(why);
    let of_session = config
        .section(&format!("sso-session {session}"))
        .ok_or_else(|| none(format!("~/.aws/config has no section [sso-session {session}]")))?;
    let (Some(region), Some(account), Some(role)) =
        (of_session.get("sso_region"), keys.get("sso_account_id"), keys.get("sso_role_name"))
    else {
        return Err(none(format!(
            "the profile {profile:?} needs sso_account_id and sso_role_name, and [sso-session {session}] an sso_region"
        )));
    };
    // The library looks for the token below the check sum of what it takes for the address; of a session it is that of its name.
    let provider = SSOCredentialProvider::new()
        .with_account_id(account)
        .with_role_name(role)
        .with_region(region)
        .with_start_url(session);
    let found = provider.provide_credential(context).await;
    found.ok().flatten().ok_or_else(|| none(signed_out(profile, session)))
}

/// What fetches credentials that lie elsewhere: from an instance's metadata, or by single sign-on.
#[derive(Debug)]
struct Http;

/// The metadata of an instance or a container is next door, or there is none.
const NEXT_DOOR: Duration = Duration::from_secs(2);

impl HttpSend for Http {
    async fn http_send(&self, request: http::Request<Bytes>) -> reqsign_core::Result<http::Response<Bytes>> {
        let host = request.uri().host().unwrap_or_default();
        let is_next_door = host.starts_with("169.254.") || host.starts_with("[fd00:ec2");
        let bounds = match is_next_door {
            true => Bounds { answer: NEXT_DOOR, ..Bounds::default() },
            false => Bounds::default(),
        };
        send(request, bounds).await.map_err(reqsign_core::Error::unexpected)
    }
}

/// Runs what `credential_process` of a profile names.
#[derive(Debug)]
struct Commands;

const COMMAND_LIMIT: Duration = Duration::from_secs(60);

impl CommandExecute for Commands {
    async fn command_execute(&self, program: &str, words: &[&str]) -> reqsign_core::Result<CommandOutput> {
        let wrong = |why: String| reqsign_core::Error::unexpected(why);
        let mut command = async_program(program);
        command.args(words);
        let output = run_to_end(command, Vec::new(), COMMAND_LIMIT).await;
        let output = output.map_err(|error| wrong(format!("{program}: {error}")))?;
        Ok(CommandOutput {
            status: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }
}
