//! `axt fault`.

use std::fmt::Write;

use axt_control::admin::fault::{Attribute, COMMON, Family, KINDS, KindWords};
use clap::{Args, Subcommand};

use super::target::AdminTarget;

/// Make something go wrong: on the wire, in the protocol, or in the API's answers
#[derive(Clone, Debug, Args)]
#[command(after_help = after_help())]
pub(crate) struct FaultFlags {
    #[command(subcommand)]
    pub(crate) action: FaultAction,

    #[command(flatten)]
    pub(crate) target: AdminTarget,
}

/// What to do with faults.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum FaultAction {
    /// Add a fault, and print the name by which it is removed
    #[command(after_help = after_help())]
    Add {
        /// What goes wrong: one of the words below
        #[arg(value_name = "TYPE")]
        kind: String,

        /// Its attributes, where it is, and how often it strikes
        #[arg(value_name = "KEY=VALUE", value_parser = pair)]
        attributes: Vec<(String, String)>,
    },
    /// Show the faults that there are, and how often each has struck
    List {
        /// Print the admin API's answer, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take faults away
    Remove {
        /// Their names
        #[arg(
            value_name = "NAME",
            required_unless_present = "all",
            conflicts_with = "all"
        )]
        names: Vec<String>,

        /// All of them
        #[arg(long)]
        all: bool,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "expected KEY=VALUE, such as latency=500".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

fn after_help() -> String {
    let mut text = String::new();
    for (family, title) in [
        (
            Family::Wire,
            "On the wire, in toxiproxy's words; for one `link`, one `stream`, in rule time:",
        ),
        (
            Family::Protocol,
            "In the protocol, made by the relay; in rule time:",
        ),
        (
            Family::Frame,
            "In frames that the relay sends on a `link`, client or agent; `!` is what crashes official\n\
             programs, or leaves them hanging: it is made here and nowhere else:",
        ),
        (Family::Api, "In the API's answers:"),
    ] {
        let _ = writeln!(text, "{title}");
        for kind in KINDS.iter().filter(|kind| kind.family == family) {
            add_kind(&mut text, kind);
        }
        text.push('\n');
    }
    text.push_str(
        "Where, and how often; each is for everything and always where it is left out:\n",
    );
    for key in COMMON {
        let default = key.default.unwrap_or_default();
        let _ = writeln!(text, "  {:22}  {} [default: {default}]", key.name, key.unit);
    }
    text.push_str(
        "\nupstream is towards the relay, downstream from it, on every link. toxicity is thrown for each\n\
         websocket on the wire, else each time; `axt up --seed` repeats it.\n\
         \n\
         Examples:\n\
         \x20 axt fault add latency latency=500 jitter=100\n\
         \x20 axt fault add cut_data_channel delay=30000 times=1 instance=i-…\n\
         \x20 axt fault add api_error code=Throttling.User toxicity=0.3 action=StartTerminalSession\n\
         \x20 axt fault list\n\
         \x20 axt fault remove latency-1",
    );
    text
}

fn add_kind(text: &mut String, kind: &KindWords) {
    let mark = if kind.is_harmful { "!" } else { " " };
    let _ = writeln!(text, "{mark} {:22}  {}", kind.word, kind.effect);
    let shown = |key: &Attribute| {
        let Attribute { name, unit, .. } = key;
        match key.default {
            Some(default) => format!("{name}={unit} [{default}]"),
            None => format!("{name}={unit}"),
        }
    };
    let keys: Vec<_> = kind.attributes.iter().map(shown).collect();
    if !keys.is_empty() {
        let _ = writeln!(text, "  {:22}  {}", "", keys.join(", "));
    }
}
