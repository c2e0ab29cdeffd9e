//! `axt api`: any action with any parameters.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::{target::ApiTarget, usage::UsageError};

/// Call any action of the API; the answer goes to stdout
#[derive(Clone, Debug, Args)]
#[command(
    override_usage = "axt api [OPTIONS] <ACTION> [--Param VALUE]...\n       \
                      axt api --actions | --errors [ACTION]",
    after_help = "\
A flag that begins with a capital letter is a parameter of the action. RegionId is added when it is
not given. An error of the API goes to stderr, with exit code 4. With --all each page is printed as
it comes; as JSON that is one document a page, which jq reads.

The access key is the first that is found of:
  1  --access-key-id, --access-key-secret, --security-token, or AXT_… and [client] for them
  2  --profile, of ~/.aliyun/config.json (modes AK and StsToken)
  3  the sandbox's own, in ready.json
  4  ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN
  5  ~/.aliyun/config.json: the profile that ALIBABA_CLOUD_PROFILE names, else the current one
`axt config` says which it is.

Examples:
  axt api DescribeInstances --output table
  axt api DescribeTerminalSessions --all -o table --columns SessionId,Username
  axt api StartTerminalSession --InstanceId.1 i-… --CommandLine 'uname -a'
  axt api EndTerminalSession --SessionId s-…
  axt api --actions StartTerminalSession     its parameters"
)]
pub(crate) struct ApiFlags {
    /// The action, such as DescribeInstances
    #[arg(value_name = "ACTION", required_unless_present_any = ["actions", "errors"])]
    pub(crate) action: Option<String>,

    /// List the actions, or the parameters of one; no call is made
    #[arg(long)]
    pub(crate) actions: bool,

    /// List the errors of the API, or of one action; no call is made
    #[arg(long, conflicts_with = "actions")]
    pub(crate) errors: bool,

    /// How the answer looks [default: json]
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,

    /// The members to show of a list, such as `InstanceId,Tags.Tag.TagValue`; makes a table of it
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) columns: Vec<String>,

    /// Follow NextToken or PageNumber until the last page
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) target: ApiTarget,

    /// Taken out of the command line by [`split_parameters`] before clap sees it.
    #[arg(skip)]
    pub(crate) parameters: Vec<(String, String)>,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    // No doc comments: with them clap takes a page for each help.
    #[default]
    Json,
    Table,
}

/// A command line taken apart.
#[derive(Debug, Default)]
pub(crate) struct Split {
    /// What clap is to see.
    pub(crate) rest: Vec<OsString>,
    /// The action's parameters.
    pub(crate) parameters: Vec<(String, String)>,
}

/// Takes the action's parameters out of a command line: `--Name VALUE` and `--Name=VALUE`, where the
/// name begins with a capital, as every parameter of the API does and no flag of ours. So they can
/// stand anywhere, and a value can begin with a dash.
///
/// # Errors
/// A parameter without a value, given twice, or not in UTF-8.
pub(crate) fn split_parameters(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Split, UsageError> {
    let mut split = Split::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let Some(name) = parameter(&argument) else {
            split.rest.push(argument);
            continue;
        };
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => {
                let value = arguments.next().ok_or_else(|| {
                    UsageError::new(format!("`--{name}` has no value"))
                        .hint(format!("write `--{name} VALUE`"))
                })?;
                let value = value.into_string().map_err(|_| {
                    UsageError::new(format!("the value of `--{name}` is not UTF-8"))
                })?;
                (name.to_owned(), value)
            }
        };
        if split.parameters.iter().any(|(given, _)| *given == name) {
            return Err(UsageError::new(format!("`--{name}` is given twice"))
                .hint(format!("a list is written `--{name}.1 A --{name}.2 B`")));
        }
        split.parameters.push((name, value));
    }
    Ok(split)
}

/// A parameter's name as it is written here: with a capital, for the first letter's case does not
/// count (ecs-api 1.1).
pub(crate) fn flag_name(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn parameter(argument: &OsString) -> Option<&str> {
    let name = argument.to_str()?.strip_prefix("--")?;
    name.starts_with(|first: char| first.is_ascii_uppercase())
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &[&str]) -> Result<Split, UsageError> {
        split_parameters(line.iter().map(OsString::from))
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn parameters_may_stand_anywhere() {
        let split = split(&[
            "axt",
            "api",
            "--PortNumber",
            "-1",
            "Start",
            "--region",
            "cn-x",
            "--InstanceId.1=i-1",
        ])
        .expect("well formed");

        assert_eq!(split.rest, ["axt", "api", "Start", "--region", "cn-x"]);
        assert_eq!(
            split.parameters,
            [pair("PortNumber", "-1"), pair("InstanceId.1", "i-1")]
        );
    }

    #[test]
    fn a_parameter_without_a_value_is_refused() {
        let refusal = split(&["axt", "api", "Start", "--Username"]).expect_err("no value");

        assert_eq!(refusal.message, "`--Username` has no value");
    }

    #[test]
    fn a_parameter_given_twice_is_refused_with_the_way_to_write_a_list() {
        let refusal = split(&["axt", "api", "X", "--InstanceId", "a", "--InstanceId", "b"])
            .expect_err("twice");

        assert_eq!(
            refusal.hint.as_deref(),
            Some("a list is written `--InstanceId.1 A --InstanceId.2 B`")
        );
    }
}
