# What the scripts with programs that no one here wrote share: a folder, what was started and is ended by
# its process id, a sandbox, and an ssh server for this user alone. To be sourced; wants AXT.
# shellcheck shell=bash

axt="${AXT:?the path of the axt binary}"
work="$(mktemp -d)"
started=()
clean_up() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT

say() { printf '   %s\n' "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  tail -n 50 "$work"/*.log >&2
  exit 1
}
# Waits for up to 30 s until a command succeeds.
until_it_does() {
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  fail "not within 30 s: $*"
}
# A local port that is free just now.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

unset AXT_CONFIG AXT_LOG
for variable in http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY; do unset "$variable"; done

# Starts a sandbox whose state is below $work, with further flags of `axt up`.
start_sandbox() {
  export AXT_STATE_DIR="$work/state"
  rm -f "$work/ready.json"
  "$axt" up --ephemeral --api-listen 127.0.0.1:0 --axt-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
    --ready-file "$work/ready.json" "$@" >"$work/up.log" 2>&1 &
  sandbox="$!"
  started+=("$sandbox")
  until_it_does test -s "$work/ready.json"
}

# Starts an ssh server on $ssh_port, with keys of its own.
start_sshd() {
  local sshd
  sshd="$(command -v sshd || echo /usr/sbin/sshd)"
  ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
  ssh-keygen -q -t ed25519 -N '' -f "$work/user_key"
  cp "$work/user_key.pub" "$work/authorized_keys"
  ssh_port="$(free_port)"
  cat >"$work/sshd_config" <<CONFIG
ListenAddress 127.0.0.1
Port $ssh_port
HostKey $work/host_key
AuthorizedKeysFile $work/authorized_keys
PidFile none
PasswordAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
Subsystem sftp internal-sftp
CONFIG
  # As root it wants the folder that it would shut itself into before the login.
  if [ "$(id -u)" = 0 ]; then mkdir -p /run/sshd; fi
  "$sshd" -D -e -f "$work/sshd_config" >"$work/sshd.log" 2>&1 &
  started+=("$!")
}
