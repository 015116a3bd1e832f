#!/bin/bash
# Builds and installs denokv, the self-hosted KV Connect server, from source: three to ten minutes on two
# cores. Needs cargo (Rust 1.95 or later) and a C compiler; on Debian: apt-get install gcc libc6-dev.
# The binary goes to cargo's own folder, where a second run finds it. The build folder stays too, so that a
# build that was interrupted continues.
set -euo pipefail

version=0.14.0

if ! command -v cargo >/dev/null; then
  echo "Cannot install denokv: cargo is missing. Install Rust from https://rustup.rs" >&2
  exit 1
fi
if cargo install --list | grep -qF "denokv v$version"; then
  echo "denokv $version is already installed"
  exit 0
fi
# A test server needs no optimised build: these settings take about half of the time.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 CARGO_PROFILE_RELEASE_DEBUG=0
export CARGO_TARGET_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/deskhand/denokv
cargo install denokv --version "$version" --locked
