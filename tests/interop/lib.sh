# Sourced by the interop tests: starts and stops real etcd and ours on free loopback ports. Bash.
set -uo pipefail

TRUSS_SOURCE=${TRUSS_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
TRUSS_BIN=${TRUSS_BIN:-$TRUSS_SOURCE/build/release/bin}
ORACLE=${TRUSS_ORACLE:-$TRUSS_SOURCE/build/oracle/root/usr/bin}
ETCD=${TRUSS_ETCD:-$ORACLE/etcd} ETCDCTL=$ORACLE/etcdctl
WORK=$(mktemp -d)
SERVER_PID=
trap 'stop_server KILL; rm -rf "$WORK"' EXIT

need_oracle() {
  [ -x "$ETCD" ] && [ -x "$ETCDCTL" ] && return
  echo "SKIPPED: real etcd is not unpacked ($ETCD)"
  exit 0
}

port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# choose_ports: sets CLIENT_PORT and PEER_PORT to two free ones below the ephemeral range
choose_ports() {
  local port=$((11000 + RANDOM % 9000 * 2))
  until port_free "$port" && port_free $((port + 1)); do port=$((port + 2)); done
  CLIENT_PORT=$port PEER_PORT=$((port + 1)) ENDPOINT=127.0.0.1:$port
}

# server_flags DATA_DIR: the flags both servers take
server_flags() {
  printf '%s\n' --name s1 --data-dir "$1" \
    --listen-client-urls "http://127.0.0.1:$CLIENT_PORT" --advertise-client-urls "http://127.0.0.1:$CLIENT_PORT" \
    --listen-peer-urls "http://127.0.0.1:$PEER_PORT" --initial-advertise-peer-urls "http://127.0.0.1:$PEER_PORT" \
    --initial-cluster "s1=http://127.0.0.1:$PEER_PORT" --initial-cluster-token interop
}

# start_server etcd|member DATA_DIR [FLAGS...]: returns when it answers; 1 if it ended or never did
start_server() {
  local kind=$1 dir=$2 program=$ETCD flags
  shift 2
  [ "$kind" = member ] && { program=$TRUSS_BIN/member; set -- --compat "${TRUSS_LEVEL:-3.4}" "$@"; }
  [ "$kind" = etcd ] && set -- --logger zap --log-outputs stderr "$@"
  mapfile -t flags < <(server_flags "$dir")
  "$program" "${flags[@]}" "$@" >"$WORK/$kind.log" 2>&1 &
  SERVER_PID=$!
  for _ in $(seq 150); do
    kill -0 "$SERVER_PID" 2>/dev/null || { wait "$SERVER_PID"; SERVER_RC=$?; SERVER_PID=; return 1; }
    # the version is decided by the first raft entries after the election
    ctl get --consistency=l startup-probe >/dev/null 2>&1 &&
      curl -s "http://$ENDPOINT/version" 2>/dev/null | grep -q '"etcdcluster":"3' && return 0
    sleep 0.1
  done
  echo "no answer from $kind"
  tail -5 "$WORK/$kind.log"
  return 1
}

# stop_server [SIGNAL]
stop_server() {
  [ -n "$SERVER_PID" ] || return 0
  kill -"${1:-TERM}" "$SERVER_PID" 2>/dev/null
  wait "$SERVER_PID" 2>/dev/null
  SERVER_PID=
}

# ctl ARGS...: etcdctl, which waits for ever when the server is gone
ctl() { timeout 20 "$ETCDCTL" --endpoints "$ENDPOINT" "$@"; }
