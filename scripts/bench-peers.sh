#!/usr/bin/env bash
# Installs programs that axt-bench measures beside axt where they are on the PATH, as far as a package
# manager has them: stunnel and OpenSSH from Debian's archive, rathole, bore and websocat from
# the crates' own registry. What cannot be installed is said and left out.
set -uo pipefail

try() {
  local name="$1"
  shift
  if "$@"; then echo "$name: installed"; else echo "$name: left out, \`$*\` failed" >&2; fi
}

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  try "stunnel, ssh" apt-get install -y -qq --no-install-recommends stunnel4 openssl openssh-client openssh-server
else
  echo "stunnel, ssh: left out, they are installed by apt-get and as root" >&2
fi

if command -v cargo >/dev/null; then
  # Without what is not measured here: TLS of its own, websockets, changes of its file.
  command -v rathole >/dev/null || try rathole cargo install --locked --no-default-features --features server,client,noise rathole
  command -v bore >/dev/null || try bore cargo install --locked bore-cli
  # The first line of versions: the next one is not released yet.
  command -v websocat >/dev/null || try websocat cargo install --locked --no-default-features --version '^1' websocat
else
  echo "rathole, bore, websocat: left out, they are installed by cargo" >&2
fi
