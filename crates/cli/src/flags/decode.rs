//! `axt decode`.

use clap::Args;

use super::trace::HopArg;

/// Tell what one websocket message says, field by field, in either framing
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The bytes are hex, with or without blanks, or base64. Exit code: 0 for a frame that a peer may send,
1 for one that is malformed, 2 when the text is neither.

Examples:
  axt decode 02000000312e3031000023355411a20100000000000000000000040000001e006400
  tshark -r run.pcapng -T fields -e data.data | head -1 | axt decode --framing agent")]
pub(crate) struct DecodeFlags {
    /// The message, in hex or base64; can be in parts [default: stdin]
    #[arg(value_name = "HEX|BASE64")]
    pub(crate) message: Vec<String>,

    /// Which framing it is in, instead of the likelier one
    #[arg(long, value_enum)]
    pub(crate) framing: Option<HopArg>,

    /// Print the fields as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
