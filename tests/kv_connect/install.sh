#!/bin/bash
# Installs denokv, the self-hosted KV Connect server, from its source: four minutes on two cores.
# It needs cargo (Rust 1.95 or newer) and a C compiler; on Debian: apt-get install gcc libc6-dev.
set -euo pipefail

version=0.14.0

installed=$(cargo install --list 2>/dev/null | grep -F "denokv v$version" || true)
if [ -n "$installed" ]; then
  echo "denokv $version is already installed"
  exit 0
fi
if ! command -v cargo >/dev/null; then
  echo "Cannot install denokv: cargo is missing. Install Rust from https://rustup.rs" >&2
  exit 1
fi
cargo install denokv --version "$version" --locked
