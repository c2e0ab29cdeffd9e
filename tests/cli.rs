//! The command line as a person meets it: help, errors, exit codes. No sandbox is needed.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

use std::process::{Command, Output};

use insta::assert_snapshot;
use tempfile::TempDir;

/// A machine on which nothing of axt or of the cloud is set up.
struct Machine {
    home: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().expect("a folder"),
        }
    }

    fn axt(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_axt"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .output()
            .expect("axt runs");
        Ran {
            output,
            home: self.home.path().display().to_string(),
        }
    }
}

/// What a command did.
struct Ran {
    output: Output,
    home: String,
}

impl Ran {
    fn stdout(&self) -> String {
        self.readable(&self.output.stdout)
    }

    /// All that a person sees, and the exit code.
    fn told(&self) -> String {
        format!(
            "{}{}exit code {}",
            self.stdout(),
            self.readable(&self.output.stderr),
            self.output.status.code().expect("an exit code")
        )
    }

    fn readable(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace(&self.home, "~")
    }
}

macro_rules! told {
    ($($argument:expr),* $(,)?) => {
        assert_snapshot!(Machine::new().axt(&[$($argument),*]).told())
    };
}

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    told!("--help");
}

#[test]
fn no_command_at_all_shows_the_help_and_is_wrong_usage() {
    let ran = Machine::new().axt(&[]);

    assert_eq!(ran.output.status.code(), Some(2));
    assert!(ran.told().contains("Start here:"), "{}", ran.told());
}

#[test]
fn every_command_has_a_help_with_examples() {
    for command in ["up", "session", "api", "env", "health", "clock"] {
        let ran = Machine::new().axt(&[command, "--help"]);

        assert_snapshot!(format!("help of {command}"), ran.told());
        assert!(ran.stdout().contains("Example"), "{command}");
    }
}

#[test]
fn the_version_is_one_line() {
    let ran = Machine::new().axt(&["--version"]);

    assert_eq!(
        ran.told(),
        format!("axt {}\nexit code 0", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_misspelt_command_names_the_nearest() {
    told!("sesion");
}

#[test]
fn a_misspelt_flag_names_the_nearest() {
    told!("up", "--instance", "3");
}

#[test]
fn a_misspelt_limit_names_the_nearest() {
    told!("up", "--limit", "idle_timout_s=20");
}

#[test]
fn a_limit_out_of_range_says_why() {
    told!("up", "--limit", "bandwidth_bytes_per_s=100");
}

#[test]
fn an_address_that_is_none_names_its_flag() {
    told!("up", "--api-listen", "7080");
}

#[test]
fn a_malformed_instance_says_what_was_expected() {
    told!("session", "-i", "web 1");
}

#[test]
fn wrong_usage_of_a_session_is_not_taken_for_a_remote_exit_code() {
    let ran = Machine::new().axt(&["session", "--no-such-flag"]);

    assert_eq!(ran.output.status.code(), Some(255));
}

#[test]
fn without_a_sandbox_a_command_says_how_to_start_one() {
    told!("api", "DescribeRegions");
}

#[test]
fn without_a_sandbox_a_session_fails_with_its_own_code() {
    told!("session");
}

#[test]
fn without_a_sandbox_health_is_3() {
    let ran = Machine::new().axt(&["health"]);

    assert_eq!(ran.output.status.code(), Some(3));
}

#[test]
fn an_endpoint_without_a_key_says_which_variable_gives_one() {
    told!(
        "api",
        "DescribeRegions",
        "--endpoint",
        "http://127.0.0.1:1",
        "--region",
        "cn-hangzhou"
    );
}

#[test]
fn a_parameter_of_the_api_without_a_value_is_wrong_usage() {
    told!("api", "StartTerminalSession", "--InstanceId.1");
}

#[test]
fn a_log_filter_that_is_none_is_wrong_usage() {
    told!("--log", "axt=loud", "env");
}
