#!/usr/bin/env bash
# OpenSSH and rsync through `axt ssh`: login, copies by their hash, a forward within, many short commands,
# with the bandwidth limit off and on. Wants AXT (the binary), ssh, scp, sshd, rsync, python3. Installs
# nothing, keeps nothing, and ends what it started, by process id.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/real/common.sh
. "$here/common.sh"

start_sshd
head -c 20000000 /dev/urandom >"$work/noise"
head -c 1000000 "$work/noise" >"$work/little"

mkdir "$work/www"
echo within >"$work/www/page"
web_port="$(free_port)"
python3 -m http.server --bind 127.0.0.1 --directory "$work/www" "$web_port" >"$work/web.log" 2>&1 &
started+=("$!")

# Our processes that are children of somebody else: ProxyCommands, in whatever state.
proxies() { pgrep --full --exact --count "$axt ssh --stdio.*" || true; }
no_proxies() { [ "$(proxies)" = 0 ]; }

same() { cmp --quiet "$1" "$2" || fail "$1 is not $2"; }

# Everything, with this file to copy.
through() {
  local file="$1" instance user inner code
  user="$(id -un)"
  instance="$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["instances"][0]["id"])' "$work/ready.json")"
  {
    "$axt" ssh --setup
    cat <<CONFIG
    Port $ssh_port
    User $user
    IdentityFile $work/user_key
    IdentitiesOnly yes
    BatchMode yes
    StrictHostKeyChecking accept-new
    UserKnownHostsFile $work/known_hosts
    LogLevel ERROR
    ConnectTimeout 30
CONFIG
  } >"$work/ssh_config"
  over_ssh() { ssh -F "$work/ssh_config" "$instance" "$@"; }
  until_it_does over_ssh true

  say "a login: output, exit code, bytes of stdin"
  [ "$(over_ssh 'echo $((6*7))')" = 42 ] || fail "ssh printed something else"
  code=0
  over_ssh 'exit 7' || code="$?"
  [ "$code" = 7 ] || fail "ssh ended with $code"
  [ "$(over_ssh cat <"$work/little" | sha256sum)" = "$(sha256sum <"$work/little")" ] || fail "ssh altered bytes"

  say "axt ssh INSTANCE: ssh with the same ProxyCommand, its arguments and its exit code"
  code=0
  "$axt" ssh "$user@$instance" -F none -p "$ssh_port" -i "$work/user_key" -o IdentitiesOnly=yes -o BatchMode=yes \
    -o UserKnownHostsFile="$work/known_hosts" 'echo "from within"; exit 3' >"$work/said" 2>"$work/axt-ssh.log" || code="$?"
  [ "$code" = 3 ] || fail "axt ssh ended with $code"
  [ "$(cat "$work/said")" = "from within" ] || fail "axt ssh said something else"

  say "scp, both ways, by its bytes"
  scp -q -F "$work/ssh_config" "$file" "$instance:$work/there"
  same "$file" "$work/there"
  scp -q -F "$work/ssh_config" "$instance:$work/there" "$work/back"
  same "$file" "$work/back"

  say "rsync, and once more with a change"
  mkdir -p "$work/tree"
  cp "$file" "$work/tree/one"
  cp "$work/little" "$work/tree/two"
  rsync -a -e "ssh -F $work/ssh_config" "$work/tree/" "$instance:$work/copy/"
  same "$work/tree/one" "$work/copy/one"
  echo changed >>"$work/tree/two"
  rsync -a -e "ssh -F $work/ssh_config" "$work/tree/" "$instance:$work/copy/"
  same "$work/tree/two" "$work/copy/two"
  rm -rf "$work/tree" "$work/copy" "$work/there" "$work/back"

  say "ssh -L: a forward within"
  inner="$(free_port)"
  ssh -F "$work/ssh_config" -N -L "127.0.0.1:$inner:127.0.0.1:$web_port" "$instance" >"$work/inner.log" 2>&1 &
  local forward="$!"
  started+=("$forward")
  until_it_does curl --silent --fail "http://127.0.0.1:$inner/page"
  kill "$forward"
  wait "$forward" || true

  say "100 short commands, one after another, and no process left"
  for number in $(seq 100); do
    [ "$(over_ssh "echo $number")" = "$number" ] || fail "number $number"
  done
  until_it_does no_proxies
}

say "with the limit off: 20 MB"
start_sandbox --limit bandwidth_bytes_per_s=0
through "$work/noise"
kill -INT "$sandbox"
wait "$sandbox" || true

say "with the limits as documented: 1 MB at 200 KB/s"
rm -f "$work/known_hosts"
start_sandbox
through "$work/little"
