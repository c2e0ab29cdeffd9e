//! Any bytes as a call of the API.

#![no_main]

use axt_openapi::withstand;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = withstand::call(bytes) {
        panic!("{broken}");
    }
});
