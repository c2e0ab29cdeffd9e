#!/usr/bin/env bash
# Makes the base of the sandbox's images where no image registry can be reached, by debootstrap and
# `docker import`: Debian bookworm with the packages that the images would install. Wants debootstrap, root, and
# a Debian mirror: that of this machine's own apt sources, the one that MIRROR names, or debootstrap's own.
#
# usage: scripts/base-image.sh [NAME]       NAME is axt-base:bookworm unless told
#        BASE_CACHE=FOLDER                  keeps the root file system there, and takes it from there
#
# Then:  BASE_IMAGE=axt-base:bookworm docker compose build
set -euo pipefail

name="${1:-axt-base:bookworm}"
suite=bookworm
packages=ca-certificates,openssh-client,openssh-server,procps,python3,redis-server
version=1 # of what is done below
sources="$(cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.* 2>/dev/null || true)"
here="$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p' <<<"$sources" |
  sed '/security/d; q')"
mirror="${MIRROR:-$here}"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
key="$(printf '%s\n' "$suite $packages $version" | sha256sum | cut -c 1-16)"
archive="${BASE_CACHE:-$work}/base-$suite-$key.tar"
if ! [ -s "$archive" ]; then
  echo "debootstrap of $suite from ${mirror:-its own mirror}: about a minute" >&2
  if ! debootstrap --variant=minbase --include="$packages" "$suite" "$work/root" ${mirror:+"$mirror"} >"$work/log" 2>&1; then
    tail -n 30 "$work/log" >&2
    exit 1
  fi
  # What a slim image leaves out; and keys of which each machine has its own.
  rm -rf "$work/root"/var/cache/apt/* "$work/root"/var/lib/apt/lists/* "$work/root"/usr/share/{doc,man,locale,info}/* \
    "$work/root"/etc/ssh/ssh_host_* "$work/root"/var/log/*.log
  mkdir -p "$(dirname "$archive")"
  tar -C "$work/root" --numeric-owner -c -f "$archive.new" .
  mv "$archive.new" "$archive"
fi
docker import --change 'CMD ["bash"]' "$archive" "$name"
