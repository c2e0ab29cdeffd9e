//! The helper as a program of its own: smaller than `axt`, so quicker to start.

fn main() -> std::process::ExitCode {
    axt_agent::helper::main()
}
