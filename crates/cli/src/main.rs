//! The `axt` command.

fn main() {}
