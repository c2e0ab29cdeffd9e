//! Any bytes as a websocket message from an agent.

#![no_main]

use axt_proto::withstand;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = withstand::agent_frame(bytes) {
        panic!("{broken}");
    }
});
