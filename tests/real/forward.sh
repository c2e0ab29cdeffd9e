#!/usr/bin/env bash
# curl and OpenSSH through `axt portforward`: programs that no one here wrote, on both ends of a
# forward. Wants AXT (the binary), curl, ssh, sshd, python3. Installs nothing, keeps nothing, and ends
# what it started, by process id.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/real/common.sh
. "$here/common.sh"

start_sandbox --limit bandwidth_bytes_per_s=0

# A web server with a file that does not compress.
mkdir "$work/www"
head -c 20000000 /dev/urandom >"$work/www/noise"
web_port="$(free_port)"
python3 -m http.server --bind 127.0.0.1 --directory "$work/www" "$web_port" >"$work/web.log" 2>&1 &
started+=("$!")
until_it_does curl --silent --fail "http://127.0.0.1:$web_port/"

start_sshd

# One command, two forwards.
"$axt" portforward "127.0.0.1:0:$web_port" "127.0.0.1:0:127.0.0.1:$ssh_port" >"$work/forward.log" 2>&1 &
forward="$!"
started+=("$forward")
local_port() { sed -n "s/^Forwarding from 127.0.0.1:\([0-9]*\) -> $1\$/\1/p" "$work/forward.log"; }
has_port() { [ -n "$(local_port "$1")" ]; }
until_it_does has_port "$web_port"
until_it_does has_port "127.0.0.1:$ssh_port"
web="http://127.0.0.1:$(local_port "$web_port")"
ssh_local="$(local_port "127.0.0.1:$ssh_port")"

say "curl: a file, by its hash"
[ "$(curl --silent --fail "$web/noise" | sha256sum)" = "$(sha256sum <"$work/www/noise")" ] || fail "curl got another file"

say "curl: ten at once, and ten one after another on one connection"
for number in $(seq 10); do
  curl --silent --fail "$web/noise" --range 0-999999 --output "$work/part$number" &
  parts[number]="$!"
done
for number in $(seq 10); do wait "${parts[number]}" || fail "curl number $number"; done
for number in $(seq 10); do
  cmp --quiet "$work/part$number" "$work/www/noise" --bytes 1000000 || fail "part $number differs"
done
urls=()
for _ in $(seq 10); do urls+=("$web/"); done
curl --silent --fail "${urls[@]}" >/dev/null || fail "curl, one after another"

ssh_options=(-F none -p "$ssh_local" -i "$work/user_key" -o IdentitiesOnly=yes -o BatchMode=yes
  -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile="$work/known_hosts" -o LogLevel=ERROR
  -o ConnectTimeout=20)
over_ssh() { ssh "${ssh_options[@]}" "$(id -un)@127.0.0.1" "$@"; }
until_it_does over_ssh true

say "ssh: a command, its output and its exit code"
[ "$(over_ssh 'echo $((6*7))')" = 42 ] || fail "ssh printed something else"
code=0
over_ssh 'exit 7' || code="$?"
[ "$code" = 7 ] || fail "ssh ended with $code"

say "ssh: bytes in, the same bytes out"
[ "$(over_ssh cat <"$work/www/noise" | sha256sum)" = "$(sha256sum <"$work/www/noise")" ] || fail "ssh altered bytes"

say "ssh: a forward in the forward"
inner="$(free_port)"
ssh "${ssh_options[@]}" -N -L "127.0.0.1:$inner:127.0.0.1:$web_port" "$(id -un)@127.0.0.1" >"$work/inner.log" 2>&1 &
started+=("$!")
until_it_does curl --silent --fail "http://127.0.0.1:$inner/"

say "Ctrl-C ends the forward"
kill -INT "$forward"
code=0
wait "$forward" || code="$?"
[ "$code" = 130 ] || fail "axt portforward ended with $code"
if curl --silent --fail --max-time 5 "$web/" >/dev/null; then fail "the forward still answers"; fi
