//! What goes wrong with Amazon, and what to do about it.

use std::sync::LazyLock;

use regex::Regex;

use super::Action;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// Nobody says where.
    #[error("no region is known for AWS")]
    NoRegion,
    /// Nobody says who we are.
    #[error("no AWS credentials: {0}")]
    Credentials(String),
    /// The credentials aren't good any more, or never were.
    #[error("the AWS credentials aren't accepted for {action}: {code}: {said}")]
    NotAccepted {
        /// The call.
        action: String,
        /// AWS's own word.
        code: String,
        /// Its own words.
        said: String,
    },
    /// They are, and may not do that.
    #[error("{} may not {permission}", who.as_deref().unwrap_or("whoever the AWS credentials are of"))]
    Denied {
        /// What it takes: `elasticloadbalancing:DescribeLoadBalancers`.
        permission: String,
        /// The user or role, if the answer says so.
        who: Option<String>,
    },
    /// There is no such thing.
    #[error("{said} ({code})")]
    NotFound {
        /// AWS's own word.
        code: String,
        /// Its own words.
        said: String,
    },
    /// A host may be one of several machines.
    #[error("it isn't known which machine {host} is: {}", may_be.join(", or "))]
    Ambiguous {
        /// It, with its address.
        host: String,
        /// What it may be.
        may_be: Vec<String>,
    },
    /// Too much is asked for, or the server has trouble: it was asked again as often as is wise.
    #[error("{action} still fails after {times} tries: {said}")]
    Busy {
        /// The call.
        action: String,
        /// How often it was tried.
        times: u32,
        /// What was said at last.
        said: String,
    },
    /// Another word of its own.
    #[error("{action} is refused: {code}: {said}")]
    Refused {
        /// The call.
        action: String,
        /// AWS's own word.
        code: String,
        /// Its own words.
        said: String,
    },
    /// No answer at all.
    #[error("{url}: {why}")]
    NoAnswer {
        /// The server.
        url: String,
        /// Why, in words.
        why: String,
    },
    /// An answer that isn't one.
    #[error("{url} answers {status} with something that isn't an answer of AWS to {action}: {why}")]
    Unreadable {
        /// The server.
        url: String,
        /// What HTTP says of it.
        status: u16,
        /// The call.
        action: String,
        /// What it is instead.
        why: String,
    },
}

impl AwsError {
    /// Whether nothing was done, as whoever asked may not, or isn't known.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            AwsError::NoRegion
                | AwsError::Credentials(_)
                | AwsError::NotAccepted { .. }
                | AwsError::Denied { .. }
        )
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            AwsError::NoRegion => {
                "write `aws_region` in buedafab.toml, or set AWS_REGION, or `region` of the profile in ~/.aws/config"
            }
            AwsError::Credentials(_) => {
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` tells who you are"
            }
            AwsError::NotAccepted { code, .. } if is_expired(code) => {
                "get new ones: `aws sso login`, or a new session token; variables of the environment go before profiles"
            }
            AwsError::NotAccepted { code, .. } if code == "RequestExpired" || code.contains("Skewed") => {
                "is this machine's clock right? A signature holds for some minutes"
            }
            AwsError::NotAccepted { .. } => {
                "are they of this account and region? `aws sts get-caller-identity` tells who you are"
            }
            AwsError::Denied { permission, who } => {
                let who = who.as_deref().unwrap_or("the user or role");
                return Some(format!("allow {permission} in a policy of {who}"));
            }
            AwsError::Busy { .. } => "try again in a while",
            AwsError::NoAnswer { .. } | AwsError::Unreadable { .. } => {
                "is the region right, and AWS_ENDPOINT_URL, if it is set?"
            }
            AwsError::NotFound { .. } => "are its name and the region right? `aws_region` says which",
            AwsError::Ambiguous { .. } => {
                "find it by `ec2` or `auto_scaling_group`, which say which instance it is, or write the id of the instance as its address"
            }
            AwsError::Refused { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the configuration has to change for this to end.
    pub fn is_of_configuration(&self) -> bool {
        match self {
            AwsError::NoRegion | AwsError::NotFound { .. } | AwsError::Ambiguous { .. } => true,
            AwsError::Credentials(_)
            | AwsError::NotAccepted { .. }
            | AwsError::Denied { .. }
            | AwsError::Busy { .. }
            | AwsError::Refused { .. }
            | AwsError::NoAnswer { .. }
            | AwsError::Unreadable { .. } => false,
        }
    }
}

/// What a server says when it says no, in one of two forms: EC2's and everybody's.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(rename = "Error", default)]
    error: Option<ErrorWords>,
    #[serde(rename = "Errors", default)]
    errors: Option<Errors>,
}

#[derive(Debug, Default, serde::Deserialize)]
struct Errors {
    #[serde(rename = "Error", default)]
    error: Vec<ErrorWords>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorWords {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Its code and its words, if it is Amazon, or somebody like it, that says no.
pub(crate) fn error_of(body: &[u8]) -> Option<(String, String)> {
    let ErrorBody { error, errors } = quick_xml::de::from_reader(body).ok()?;
    let ErrorWords { code, message } = error.or_else(|| errors?.error.into_iter().next())?;
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    (!code.is_empty()).then_some((code, message))
}

/// Whether it is wise to ask again.
pub(crate) fn is_busy(status: u16, code: Option<&str>) -> bool {
    const CODES: [&str; 8] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "PriorRequestNotComplete",
        "Unavailable",
    ];
    status >= 500 || status == 429 || code.is_some_and(|code| CODES.contains(&code))
}

fn is_expired(code: &str) -> bool {
    matches!(code, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired")
}

/// What a refusal means.
pub(crate) fn refused(action: Action, code: String, said: String) -> AwsError {
    const NOT_ACCEPTED: [&str; 9] = [
        "AuthFailure",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "RequestExpired",
        "RequestTimeTooSkewed",
    ];
    const DENIED: [&str; 4] =
        ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess"];
    let permission = action.permission();
    let action = action.name().to_owned();
    match code.as_str() {
        code_text if is_expired(code_text) || NOT_ACCEPTED.contains(&code_text) => {
            AwsError::NotAccepted { action, code, said }
        }
        code_text if DENIED.contains(&code_text) => AwsError::Denied { permission, who: who_of(&said) },
        code_text if code_text.contains("NotFound") => AwsError::NotFound { code, said },
        _ => AwsError::Refused { action, code, said },
    }
}

/// Who was denied, if the answer says so.
fn who_of(said: &str) -> Option<String> {
    static WHO: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)\buser: (arn:\S+) is not authorized").expect("it is one"));
    Some(WHO.captures(said)?[1].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        let error = match error_of(body.as_bytes()) {
            Some((code, _)) if is_busy(status, Some(&code)) => format!("busy: {code}"),
            Some((code, said)) => {
                let error = refused(Action::DescribeInstances, code, said);
                format!("{error}; {}", error.hint().unwrap_or_default())
            }
            None => "no error of AWS".to_owned(),
        };
        assert_eq!(error, expected);
    }

    #[test]
    fn refusals_say_what_is_missing() {
        let ec2 = |code: &str, said: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{said}</Message></Error></Errors><RequestID>x</RequestID></Response>"
            )
        };
        let others = |code: &str, said: &str| {
            format!(
                "<ErrorResponse xmlns=\"http://x/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error><RequestId>x</RequestId></ErrorResponse>"
            )
        };
        check(
            403,
            &ec2(
                "UnauthorizedOperation",
                "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/ada is not authorized to perform: ec2:DescribeInstances",
            ),
            "arn:aws:iam::123456789012:user/ada may not ec2:DescribeInstances; allow ec2:DescribeInstances in a policy of arn:aws:iam::123456789012:user/ada",
        );
        check(
            403,
            &others("AccessDenied", "no"),
            "whoever the AWS credentials are of may not ec2:DescribeInstances; allow ec2:DescribeInstances in a policy of the user or role",
        );
        check(
            403,
            &others("ExpiredToken", "The security token included in the request is expired"),
            "the AWS credentials aren't accepted for DescribeInstances: ExpiredToken: The security token included in the request is expired; get new ones: `aws sso login`, or a new session token; variables of the environment go before profiles",
        );
        check(
            401,
            &ec2("AuthFailure", "AWS was not able to validate the provided access credentials"),
            "the AWS credentials aren't accepted for DescribeInstances: AuthFailure: AWS was not able to validate the provided access credentials; are they of this account and region? `aws sts get-caller-identity` tells who you are",
        );
        check(
            400,
            &others("LoadBalancerNotFound", "There is no\n  web"),
            "There is no web (LoadBalancerNotFound); are its name and the region right? `aws_region` says which",
        );
        check(400, &others("ValidationError", "bad"), "DescribeInstances is refused: ValidationError: bad; ");
        check(400, &others("Throttling", "Rate exceeded"), "busy: Throttling");
        check(503, &ec2("RequestLimitExceeded", "slow"), "busy: RequestLimitExceeded");
        check(500, &ec2("InternalError", ""), "busy: InternalError");
        check(502, "<html><body>Bad gateway</body></html>", "no error of AWS");
        check(502, "", "no error of AWS");
        check(502, "{\"a\": 1}", "no error of AWS");
    }
}
