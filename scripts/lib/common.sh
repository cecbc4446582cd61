# Sourced by the scripts of this folder: packages, builds, messages. Bash.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TRUSS_ROOT=$PWD
export DEBIAN_FRONTEND=noninteractive
# one job a core; checkouts in different folders share what was compiled
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export CCACHE_BASEDIR=$TRUSS_ROOT CCACHE_NOHASHDIR=1

say() { printf '%s\n' "truss: $*" >&2; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    say "need root or sudo to run: $*"
    exit 2
  fi
}

# packages KIND...: the names in scripts/packages of these kinds
packages() {
  local kinds=" $* "
  local name kind
  while read -r name kind; do
    case "$name" in '' | '#'*) continue ;; esac
    case "$kinds" in *" $kind "*) printf '%s\n' "$name" ;; esac
  done <scripts/packages
}

# install_missing KIND...: apt-get only when something is missing
install_missing() {
  local wanted missing
  mapfile -t wanted < <(packages "$@")
  # dpkg-query fails when a name is unknown to it; what it knows is printed all the same
  missing=$({ dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' "${wanted[@]}" 2>/dev/null || true; } |
    sed -n 's/^ii *//p' | sort -u | comm -13 - <(printf '%s\n' "${wanted[@]}" | sort -u))
  [ -z "$missing" ] && return 0
  say "installing from Debian: $(tr '\n' ' ' <<<"$missing")"
  as_root apt-get update -qq
  # shellcheck disable=SC2086
  as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# build PRESET [TARGET...]: configures once, then builds what changed
build() {
  local preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >"/tmp/truss-configure.$$" 2>&1 ||
    { cat "/tmp/truss-configure.$$" >&2; rm -f "/tmp/truss-configure.$$"; return 1; }
  rm -f "/tmp/truss-configure.$$"
  local log=build/$preset/build.log
  # ninja's progress goes to a log unless somebody watches
  if [ -t 2 ]; then
    cmake --build --preset "$preset" ${1:+--target "$@"} >&2
  else
    cmake --build --preset "$preset" ${1:+--target "$@"} >"$log" 2>&1 || { tail -60 "$log" >&2; return 1; }
  fi
}

# oracle: real etcd and etcdctl of Debian, unpacked (never installed: its package starts a service)
oracle() {
  local dir=build/oracle
  [ -x "$dir/root/usr/bin/etcd" ] && [ -x "$dir/root/usr/bin/etcdctl" ] && return 0
  mkdir -p "$dir/deb" "$dir/root"
  (cd "$dir/deb" && { ls etcd-server_*.deb etcd-client_*.deb >/dev/null 2>&1 ||
    apt-get download -qq etcd-server etcd-client 2>/dev/null ||
    { as_root apt-get update -qq && apt-get download -qq etcd-server etcd-client 2>/dev/null; }; }) || return 1
  local deb
  for deb in "$dir"/deb/*.deb; do dpkg -x "$deb" "$dir/root"; done
}

# port_free PORT: nobody listens on 127.0.0.1:PORT
port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port FROM: the first free port at or above FROM
free_port() {
  local port=$1
  until port_free "$port"; do port=$((port + 1)); done
  printf '%s\n' "$port"
}
