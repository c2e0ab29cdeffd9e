//! Any bytes as the payload of a status, a resize and an exit.

#![no_main]

use axt_proto::withstand;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = withstand::payload(bytes) {
        panic!("{broken}");
    }
});
