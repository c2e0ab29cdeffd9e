#!/usr/bin/env bash
# The whole sandbox of docker-compose.yml on a real engine: built without registry and BuildKit, brought up, used,
# hurt and healed. Wants AXT, a binary that is built in, and Python 3 with pip; as root it installs Docker's
# engine, Compose and debootstrap from Debian's packages where they are missing, and starts an engine of its own
# where none runs, which it ends. Where no engine can run it says so, and counts as left out.
#
# Keeps the base's root file system and wheels below target/, for the next run.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$here/../.."
axt="${AXT:?the path of the axt binary}"
project="axt-ci-$$"
work="$(mktemp -d)"
data="$PWD/target/ci/$project"
engine=

say() { printf '   %s\n' "$*"; }
left_out() {
  printf '\n!!! LEFT OUT: the sandbox was not tested: %s\n\n' "$*" >&2
  exit 0
}
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  docker compose --profile experiments logs --tail 5 >&2 || true
  docker compose --profile experiments ps >&2 || true
  exit 1
}
clean_up() {
  if [ -e "$work/built" ]; then
    docker compose --profile experiments down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1 || true
    docker rmi --force "axt-relay:$project" "axt-instance:$project" "axt-db:$project" "axt-toolbox:$project" \
      >/dev/null 2>&1 || true
  fi
  if [ -n "$engine" ]; then
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    # What it has mounted is gone with it.
    rm -rf "$data"
  fi
  rm -rf "$work"
}
trap clean_up EXIT
# Waits for up to a minute until a command succeeds.
until_it_does() {
  for _ in $(seq 120); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.5
  done
  fail "not within a minute: $*"
}
is() { [ "$1" = "$2" ] || fail "expected \`$2\`, got \`$1\`"; }

if ! command -v dockerd >/dev/null || ! command -v docker-compose >/dev/null || ! command -v debootstrap >/dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then left_out "no Docker here, and it cannot be installed"; fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends docker.io docker-compose debootstrap iptables >/dev/null 2>&1 ||
    left_out "Docker's packages cannot be installed"
fi
real_docker="$(command -v docker)"
if ! docker info >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || left_out "no engine runs, and only root can start one"
  mkdir -p "$data"
  dockerd --data-root "$data" --exec-root "$work/exec" --host "unix://$work/docker.sock" --pidfile "$work/pid" \
    >"$work/dockerd.log" 2>&1 &
  engine="$!"
  export DOCKER_HOST="unix://$work/docker.sock"
  for _ in $(seq 60); do
    if docker info >/dev/null 2>&1 || ! kill -0 "$engine" 2>/dev/null; then break; fi
    sleep 0.5
  done
  if ! docker info >/dev/null 2>&1; then
    tail -n 5 "$work/dockerd.log" >&2
    left_out "no engine can run here"
  fi
fi
say "engine $(docker version --format '{{.Server.Version}}')"

# As it is called everywhere by now; Debian has it under its old name.
if ! docker compose version >/dev/null 2>&1; then
  mkdir "$work/bin"
  cat >"$work/bin/docker" <<SHIM
#!/bin/sh
if [ "\$1" = compose ]; then shift; exec docker-compose "\$@"; fi
exec "$real_docker" "\$@"
SHIM
  chmod +x "$work/bin/docker"
  PATH="$work/bin:$PATH"
fi
say "compose $(docker compose version --short)"

say "the base, the program and the wheels"
BASE_CACHE="$PWD/target/ci/base" scripts/base-image.sh >/dev/null
install -D -m 0755 "$axt" target/docker/axt
strip target/docker/axt
wanted="$(sha256sum <tests/sdk/python/requirements.txt)"
if [ "$(cat target/docker/wheels.of 2>/dev/null)" != "$wanted" ]; then
  rm -rf target/docker/wheels
  grep -E '^(alibabacloud|aliyun)' tests/sdk/python/requirements.txt >"$work/sdks.txt"
  pip="$PWD/target/ci/venv/bin/pip"
  [ -x "$pip" ] || pip="python3 -m pip"
  $pip wheel --quiet --disable-pip-version-check --wheel-dir target/docker/wheels pip -r "$work/sdks.txt"
  echo "$wanted" >target/docker/wheels.of
fi

export BASE_IMAGE=axt-base:bookworm BUILD_IMAGE=axt-base:bookworm AXT_BINARY=target/docker/axt
export AXT_TAG="$project" COMPOSE_PROJECT_NAME="$project" DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
docker compose config --quiet
began="$SECONDS"
touch "$work/built"
docker compose build relay web-1 db toolbox >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" >&2; fail "the build"; }
size() { docker image inspect --format '{{.Size}}' "$1"; }
say "images in $((SECONDS - began)) s; axt-relay is $((($(size "axt-relay:$project") - $(size "$BASE_IMAGE")) / 1048576)) MiB over its base"

began="$SECONDS"
docker compose up -d --no-build >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; fail "up"; }
say "up in $((SECONDS - began)) s"

toolbox() { docker compose exec -T toolbox "$@" </dev/null; }
relay() { docker compose exec -T relay "$@" </dev/null; }
id() { relay axt instances list -q "$1"; }
container() { docker compose ps -q "$1"; }
is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]; }
shell_works() { [ "$(toolbox axt session -i "$web" --command hostname)" = web-1 ]; }
db_works() { [ "$(toolbox sh -c "echo PING | axt portforward -i $(id web-2) --stdio :db:6379" | tr -d '\r')" = +PONG ]; }
web="$(id web-1)"

say "the official SDKs from the toolbox, with no endpoint"
docker compose exec -T toolbox python3 - "$web" <tests/real/toolbox.py || fail "the SDKs"

say "the names, on an instance, trusted; the database from nowhere else"
for name in ecs.cn-hangzhou ecs-cn-hangzhou ecs-vpc.cn-hangzhou ecs.cn-beijing cn-hangzhou.axt cn-beijing.axt; do
  docker compose exec -T web-1 python3 -c '
import socket, ssl, sys
host = sys.argv[1] + ".aliyuncs.com"
ssl.create_default_context().wrap_socket(socket.create_connection((host, 443), 10), server_hostname=host)' "$name" </dev/null ||
    fail "$name"
done
if toolbox python3 -c 'import socket; socket.create_connection(("db", 6379), 5)' 2>/dev/null; then fail "the toolbox reaches the database"; fi

say "ssh to an instance, by axt ssh"
toolbox sh -c 'mkdir -p .ssh && test -f .ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N "" -f .ssh/id_ed25519'
public="$(toolbox cat .ssh/id_ed25519.pub)"
docker compose exec -T web-1 sh -c "install -d -m 0700 /root/.ssh && echo '$public' >/root/.ssh/authorized_keys" </dev/null
is "$(toolbox axt ssh "root@$web" -o StrictHostKeyChecking=no -o LogLevel=ERROR hostname)" web-1

say "orphans on an instance are reaped"
docker compose exec -T web-1 sh -c '(sh -c "sleep 0.1 & sleep 0.2 &" &)' </dev/null
no_zombies() { docker compose exec -T web-1 sh -c '! ps -eo stat= | grep -q Z' </dev/null; }
until_it_does no_zombies

say "the commands of docs/sandbox.md"
python3 tests/real/sandbox.py docs/sandbox.md || fail "docs/sandbox.md"
say "the slow link, asked for again, strikes both ways"
docker compose --profile experiments up -d --no-build experiments >/dev/null 2>&1
is_slow_again() { relay axt fault list | grep -q narrow-output; }
until_it_does is_slow_again
is "$(toolbox axt session -i "$(id slow)" --command 'head -c 100000 /dev/zero' | wc -c)" 100000
relay axt fault list --json | python3 -c '
import json, sys
struck = {fault["name"]: fault["acted"] for fault in json.load(sys.stdin)["faults"]}
wanted = ["slow-input", "slow-output", "narrow-input", "narrow-output", "slow-orders", "slow-reports"]
sys.exit(None if all(struck.get(name) for name in wanted) else f"not all of them: {struck}")' || fail "the slow link"

say "resident, the first process and the relay, with six agents:"
relay sh -c 'for process in /proc/[0-9]*; do
  if [ "$(tr "\0" " " <"$process/cmdline")" = "axt relay " ]; then grep VmRSS "$process/status"; fi; done' | sed 's/^/   /'

say "a session that was started before the relay was killed opens after it"
url="$(toolbox axt api StartTerminalSession --InstanceId.1 "$(id web-2)" --TargetServer db --PortNumber 6379 |
  sed -n 's/.*"WebSocketUrl": "\(.*\)".*/\1/p')"
docker compose kill relay >/dev/null 2>&1
docker compose up -d --no-build relay >/dev/null 2>&1
until_it_does is_healthy relay
until_it_does is_healthy web-2
ping_by_url() { toolbox env AXT_WSS_URL="$url" sh -c 'echo PING | axt portforward --wss-url env --stdio' | grep -q PONG; }
until_it_does ping_by_url

say "any container, restarted"
for service in relay web-1 web-2 db toolbox; do
  docker compose restart --timeout 10 "$service" >/dev/null 2>&1
  until_it_does is_healthy "$service"
  until_it_does shell_works
  until_it_does db_works
done
is "$(id web-1)" "$web"

say "a network cut between relay and agent: the session is told, and it heals"
toolbox axt session -i "$web" --command 'sleep 1000' >"$work/cut.log" 2>&1 &
session="$!"
is_open() { relay axt instances list web-1 | grep -q ' 1/20 '; }
until_it_does is_open
docker network disconnect "${project}_cloud" "$(container web-1)"
code=0
wait "$session" || code="$?"
is "$code" 255
grep -q AgentTimeout "$work/cut.log" || fail "the session was told: $(cat "$work/cut.log")"
docker network connect --ip 100.100.100.11 --alias web-1 "${project}_cloud" "$(container web-1)"
until_it_does is_healthy web-1
until_it_does shell_works

say "asked to stop, everything ends in good order"
docker compose --profile experiments stop --timeout 20 >/dev/null 2>&1
for service in relay web-1 web-2 db toolbox; do
  is "$service $(docker inspect --format '{{.State.ExitCode}}' "$(docker compose ps --all --quiet "$service" 2>/dev/null || container "$service")")" "$service 0"
done
