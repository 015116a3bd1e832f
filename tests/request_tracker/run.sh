#!/bin/bash
# Sets up Request Tracker in the empty $RT_DIRECTORY and runs it on 127.0.0.1:$RT_PORT until standard
# input closes; then ends all of its processes and removes the directory. So nothing is left behind if
# the process at the other end of the pipe (server.ts, which sets all RT_ variables) is killed.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
export TZ=UTC LC_ALL=C.UTF-8
umask 077
cd "$RT_DIRECTORY" || exit 1

trap '' HUP INT TERM # Ctrl-C ends the owner, and that closes standard input
exec 3<&0

# A separate session is a separate process group, so that one signal reaches the workers, too.
setsid bash -c '
  set -euo pipefail
  echo "$$" >pid
  mkdir mason_data session_data var
  head -c 18 /dev/urandom | base64 >root-password
  rt-setup-database-5 --action init --skip-create --root-password-file root-password
  perl "$0/seed.pl" >token.new
  mv token.new token
  exec /usr/share/request-tracker5/libexec/rt-server --server Starlet \
    --host 127.0.0.1 --port "$RT_PORT" --max-workers 2
' "$here" </dev/null >>log 2>&1 3<&- &
server=$!

{
  cat <&3 >/dev/null
  touch stopping
  kill -KILL -- "-$server"
} 2>/dev/null &
watch=$!
disown "$watch"

wait "$server" 2>/dev/null
[ -e stopping ] || tail -n 20 log >&2
kill -KILL "$watch" 2>/dev/null
kill -KILL -- "-$server" 2>/dev/null
cd / # a worker in its last system call may still add a file, so this is retried
until rm -rf "$RT_DIRECTORY"; do sleep 0.1; done
