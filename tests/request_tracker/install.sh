#!/bin/bash
# Installs Request Tracker 5 with its standalone server and SQLite on Debian, unattended, as root.
# No database is created and no daemon started: each test instance has its own directory.
set -euo pipefail

# msmtp-mta replaces the mail server that RT requires. It is no daemon, and sends nothing unconfigured.
packages=(request-tracker5 rt5-standalone rt5-db-sqlite msmtp-mta)

installed() {
  local states
  states=$(dpkg-query --show --showformat='${db:Status-Status}\n' "$@" 2>/dev/null) &&
    [ -z "$(grep -vx installed <<<"$states")" ]
}

if installed "${packages[@]}"; then
  echo "Request Tracker 5 is already installed"
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "Cannot install Request Tracker 5: run this as root" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes
apt-get update -q
debconf-set-selections <<'ANSWERS'
request-tracker5 request-tracker5/rtname string rt.test
request-tracker5 request-tracker5/organization string rt.test
request-tracker5 request-tracker5/correspondaddress string rt@rt.test
request-tracker5 request-tracker5/commentaddress string rt-comment@rt.test
request-tracker5 request-tracker5/webbaseurl string http://127.0.0.1
request-tracker5 request-tracker5/webpath string
request-tracker5 request-tracker5/install-cronjobs boolean false
request-tracker5 request-tracker5/handle-siteconfig-permissions boolean true
request-tracker5 request-tracker5/dbconfig-install boolean false
request-tracker5 request-tracker5/dbconfig-upgrade boolean false
request-tracker5 request-tracker5/database-type select sqlite3
msmtp msmtp/apparmor boolean false
ANSWERS
apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "${packages[@]}"
