#!/usr/bin/env bash
# Runs every fuzz target on a stable toolchain: fuzz/run.sh [OPTION of libFuzzer …]; -runs=20000 without any.
# What is found and what is learnt lands in target/fuzz.
#
# These are the flags of `cargo fuzz` without a sanitizer, which only nightly has. There is no unsafe code to
# sanitize; what is sought are panics, and promises that some bytes break.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
host=$(rustc -vV | sed -n 's/^host: //p')
corpus=${CARGO_TARGET_DIR:-$root/target}/fuzz
[ $# -gt 0 ] || set -- -runs=20000

# The versions that the program is built with, and whatever libFuzzer adds.
cp "$root/Cargo.lock" "$root/fuzz/Cargo.lock"
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1" \
  cargo build --quiet --release --manifest-path "$root/fuzz/Cargo.toml" --target "$host" --target-dir "$corpus/build"

for target in api client_frame agent_frame payload; do
  mkdir -p "$corpus/$target"
  seeds=("$corpus/$target")
  [ ! -d "$root/fuzz/seeds/$target" ] || seeds+=("$root/fuzz/seeds/$target")
  printf '%s: ' "$target"
  "$corpus/build/$host/release/$target" -max_len=4096 -artifact_prefix="$corpus/" "$@" "${seeds[@]}" 2>"$corpus/$target.log" || {
    tail -40 "$corpus/$target.log"
    exit 1
  }
  grep '^Done' "$corpus/$target.log"
done
