//! Experiments: scenario files, and what comes of them.
//!
//! What lives here: the format of a scenario ([`mod@format`]), the gallery that ships ([`gallery`]), the
//! run of one on a [`axt_sandbox::Sandbox`] ([`mod@run`]), and what is told of a run: the [`timeline`], JSON,
//! JUnit XML ([`junit`]) and a picture ([`plot`]).
//!
//! What never does: flags, output, and rules. What a scenario expects is looked at from outside: on
//! the screen, in the API's answers, in the relay's events.

pub mod format;
pub mod gallery;
pub mod junit;
pub mod plot;
pub mod report;
pub mod run;
pub mod timeline;

mod stage;

pub use format::{Class, Problem, Scenario};
pub use report::Report;
pub use run::{Options, run};
