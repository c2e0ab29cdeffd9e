//! Any bytes as a websocket message from a client.

#![no_main]

use axt_proto::withstand;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = withstand::client_frame(bytes) {
        panic!("{broken}");
    }
});
