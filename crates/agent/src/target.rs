//! What stands at the far end of a channel: a shell, a TCP port, or the simulation's script.
//!
//! A target has three parts that wait for nobody but themselves: input, output, and a control that
//! tells the end. Which of them means what for the channel is decided in
//! [`axt_proto::channel`], not here.

mod port;
pub(crate) mod script;

use std::{future, io};

use axt_control::luban::SessionObject;
use axt_net::transport::parts::Ending;
use axt_proto::{Size, channel::TargetKind};
use bytes::Bytes;

use crate::{
    config::{Shells, Surroundings},
    helper::ShellSpec,
    shell::{Shell, ShellControl, ShellEnd, ShellInput, ShellOutput},
};

/// What a session object asks for.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Shell(ShellSpec),
    Port { host: String, port: String },
}

/// Why a target cannot be opened, in words.
#[derive(Debug)]
pub(crate) struct NotOpened(pub(crate) String);

impl Wanted {
    pub(crate) fn of(object: &SessionObject, shells: &Shells) -> Self {
        if object.is_port() {
            let host = match object.target_host.as_str() {
                "" => "localhost",
                host => host,
            };
            return Self::Port {
                host: host.to_owned(),
                port: object.port_number.clone(),
            };
        }
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self::Shell(ShellSpec {
            username: given(&object.username),
            command: given(&object.cmd_content),
            terminal: !object.axt.is_some_and(|granted| granted.ext.pipe),
            keep_background: matches!(
                shells,
                Shells::Real {
                    keep_background: true,
                    ..
                }
            ),
            ..ShellSpec::default()
        })
    }

    pub(crate) fn kind(&self) -> TargetKind {
        match self {
            Self::Shell(spec) if spec.terminal => TargetKind::Terminal,
            Self::Shell(_) => TargetKind::Pipes,
            Self::Port { .. } => TargetKind::Port,
        }
    }

    pub(crate) async fn open(
        self,
        size: Size,
        shells: Shells,
        around: Surroundings,
    ) -> Result<Target, NotOpened> {
        match (self, shells) {
            (Self::Port { host, port }, _) => port::open(&host, &port, &around.targets).await,
            (Self::Shell(spec), Shells::Scripted) => Ok(script::open(&spec, size)),
            (Self::Shell(spec), Shells::Real { helper, .. }) => {
                let shell = Shell::start(&helper, &spec, size)
                    .map_err(|error| NotOpened(error.to_string()))?;
                Ok(Target {
                    input: Input::Shell(shell.input),
                    output: Output::Shell(shell.output),
                    control: Control::Shell(Box::new(shell.control)),
                })
            }
        }
    }
}

/// An open target.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) control: Control,
}

#[derive(Debug)]
pub(crate) enum Input {
    Shell(ShellInput),
    Port(port::Input),
    Script(script::Input),
}

impl Input {
    /// Writes some of `pieces`, of which none is empty, as soon as any of it fits. Cancel-safe.
    pub(crate) async fn write(&mut self, pieces: &[Bytes]) -> io::Result<usize> {
        let first = pieces.first().map_or(&[][..], |first| first);
        match self {
            Self::Shell(shell) => shell.write(first).await,
            Self::Port(port) => port.write(pieces).await,
            Self::Script(script) => script.write(first).await,
        }
    }

    /// Ends the input, after all that was written. Cancel-safe.
    pub(crate) async fn finish(&mut self) {
        match self {
            Self::Shell(shell) => shell.finish(),
            Self::Port(port) => port.finish().await,
            Self::Script(script) => script.finish(),
        }
    }

    pub(crate) fn resize(&self, size: Size) {
        match self {
            Self::Shell(shell) => {
                if let Err(error) = shell.resize(size) {
                    tracing::debug!(%error, "a terminal did not take its size");
                }
            }
            Self::Port(_) => {}
            Self::Script(script) => script.resize(size),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Output {
    Shell(ShellOutput),
    Port(port::Output),
    Script(script::Output),
}

impl Output {
    /// Reads up to `most` bytes; empty at the end. Cancel-safe.
    pub(crate) async fn read(&mut self, most: usize) -> io::Result<Bytes> {
        match self {
            Self::Shell(shell) => shell.read(most).await,
            Self::Port(port) => port.read(most).await,
            Self::Script(script) => script.read(most).await,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Control {
    Shell(Box<ShellControl>),
    Port(port::Control),
    Script(script::Control),
}

impl Control {
    /// Waits for the end of a shell; for ever where there is none. Cancel-safe.
    pub(crate) async fn ended(&mut self) -> ShellEnd {
        match self {
            Self::Shell(shell) => shell.ended().await,
            Self::Port(_) => future::pending().await,
            Self::Script(script) => script.ended().await,
        }
    }

    /// Asks a shell to end; its [`Control::ended`] tells when it has. A TCP connection will be
    /// closed.
    pub(crate) fn stop(&mut self) {
        match self {
            Self::Shell(shell) => shell.stop(),
            Self::Port(port) => port.close(),
            Self::Script(script) => script.stop(),
        }
    }

    /// The hand that learns of a TCP connection's break; none for what is no TCP connection.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match self {
            Self::Port(port) => Some(port.ending()),
            Self::Shell(_) | Self::Script(_) => None,
        }
    }

    /// Makes the end of a TCP connection a reset, whatever comes after.
    pub(crate) fn reset(&mut self) {
        if let Self::Port(port) = self {
            port.reset();
        }
    }

    /// Makes the end of a TCP connection an orderly one, unless it was to be a reset.
    pub(crate) fn done(&mut self) {
        if let Self::Port(port) = self {
            port.close();
        }
    }

    /// Whether somebody has to wait for [`Control::ended`] so that nothing is left.
    pub(crate) fn leaves_something(&self) -> bool {
        matches!(self, Self::Shell(_))
    }
}
