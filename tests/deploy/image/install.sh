#!/bin/bash
# Installs what the image tests need on Debian, as root: Docker's daemon and client, and debootstrap, which
# makes the base image, so that no image registry is needed. Starts nothing.
set -euo pipefail

missing=""
for command in dockerd docker debootstrap iptables ip; do
  command -v "$command" >/dev/null || missing+=" $command"
done
if [ -z "$missing" ]; then
  echo "Docker and debootstrap are already installed"
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "Cannot install$missing: run this as root" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# The package starts a daemon where there is a service manager; the tests start one of their own.
apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 docker.io iptables iproute2 debootstrap
