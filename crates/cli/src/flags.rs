//! What can be typed: the command line as it is parsed, before it means anything.
//!
//! Each command has its struct here; [`crate::settings`] and [`crate::commands`] turn it into what
//! the program runs on. No default is applied here, so that a settings file can come between.

pub(crate) mod agent;
pub(crate) mod api;
pub(crate) mod behave;
pub(crate) mod clock;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod decode;
pub(crate) mod doctor;
pub(crate) mod experiment;
pub(crate) mod explain;
pub(crate) mod fault;
pub(crate) mod given;
pub(crate) mod global;
pub(crate) mod instances;
pub(crate) mod limits;
pub(crate) mod man;
pub(crate) mod portforward;
mod protocol;
pub(crate) mod relay;
pub(crate) mod session;
pub(crate) mod ssh;
pub(crate) mod target;
pub(crate) mod top;
pub(crate) mod trace;
pub(crate) mod up;
pub(crate) mod usage;

use clap::{Parser, Subcommand};

use crate::failure::Code;

use self::{
    agent::AgentFlags,
    api::ApiFlags,
    clock::ClockFlags,
    completions::CompletionsFlags,
    config::ConfigFlags,
    decode::DecodeFlags,
    doctor::DoctorFlags,
    experiment::ExperimentFlags,
    explain::ExplainFlags,
    fault::FaultFlags,
    global::GlobalFlags,
    instances::InstancesFlags,
    limits::LimitsFlags,
    man::ManFlags,
    portforward::PortforwardFlags,
    relay::RelayCommand,
    session::SessionFlags,
    ssh::SshFlags,
    target::{AdminTarget, ApiTarget},
    top::TopFlags,
    trace::TraceCommand,
    up::UpFlags,
};

/// What stands below the commands. The table of exit codes is the code's own ([`Code`]).
fn after_help() -> String {
    let codes: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("  {:<5} {}", *code as u8, code.meaning()))
        .collect();
    let codes = codes.join("\n");
    format!(
        "\
Start here:
  axt up                              a region with one instance, on this machine
  axt session                         a shell on it
  axt portforward 8080:80             its port 80 at localhost:8080
  axt ssh i-…                         ssh to it, where it has an ssh server
  eval \"$(axt env)\"                   point the official SDKs at it
  axt doctor                          what is wrong, when it does not work
  axt experiment list                 what can be tried out

A flag can also be given by the environment: AXT_STATE_DIR for --state-dir; most by a file too:
`axt config --example` prints one.

Exit codes:
{codes}
  `axt session` and `axt ssh` end with the remote command's code.

Proxies, for the API and for sessions: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. This
machine's own addresses are never asked of a proxy. Trust, for both: the system's roots, or those
of SSL_CERT_FILE and SSL_CERT_DIR, and the ones of --ca."
    )
}

/// Alibaba Cloud ECS Session Manager on your own machine.
#[derive(Debug, Parser)]
#[command(
    name = "axt",
    version,
    after_help = after_help(),
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalFlags,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(UpFlags),
    Session(SessionFlags),
    Portforward(PortforwardFlags),
    Ssh(SshFlags),
    Api(ApiFlags),
    /// Print the environment that points an SDK or the aliyun CLI at the sandbox
    #[command(after_help = "\
Examples:
  eval \"$(axt env)\"
  aliyun ecs DescribeRegions")]
    Env(ApiTarget),
    /// Say whether the sandbox works, for scripts
    #[command(after_help = "\
Exit code: 0 when it does, 1 when it says why not, 3 when it is not there.

Examples:
  axt up & until axt health; do sleep 0.2; done")]
    Health(AdminTarget),
    Clock(ClockFlags),
    Limits(LimitsFlags),
    Fault(FaultFlags),
    Explain(ExplainFlags),
    Top(TopFlags),
    Trace(TraceCommand),
    Decode(DecodeFlags),
    Experiment(ExperimentFlags),
    Instances(InstancesFlags),
    Relay(RelayCommand),
    Agent(AgentFlags),
    Config(ConfigFlags),
    Doctor(DoctorFlags),
    /// Put this terminal back after a session that was killed (kill -9)
    #[command(after_help = "\
Its settings are those of `stty sane`; mouse reports, bracketed paste, the alternate screen, colours and
their kin are switched off, and the cursor shows. What is on the screen stays. A session that ends in any
other way does this by itself.

In a terminal that does not show what is typed: Ctrl-J, the command, Ctrl-J.

Examples:
  axt reset-terminal")]
    ResetTerminal,
    Completions(CompletionsFlags),
    Man(ManFlags),
}
