#!/bin/bash
# One directory through every level: real etcd and ours in turn, each stopped by kill -9, ours raised
# with --compat, then real etcd of that release on it. Called by newer-etcd.sh.
source "$(dirname "$0")/lib.sh"
need_oracle

DATA=$WORK/data
choose_ports

state() { printf '%s keys, hashkv %s' "$(ctl get '' --prefix --keys-only | grep -c .)" "$(ctl endpoint hashkv | cut -d, -f2)"; }

# step etcd|member LEVEL: starts it, compares with what the one before left, writes, kills it
step() {
  local kind=$1 now
  TRUSS_LEVEL=$2
  ETCD=$ORACLE/etcd
  [ "$2" = 3.4 ] || ETCD=$(echo "$TRUSS_SOURCE"/build/oracle/etcd-"$2".*/etcd)
  start_server "$kind" "$DATA" || { echo "FAILED: $kind $2 does not start"; tail -5 "$WORK/$kind.log"; exit 1; }
  now=$(state)
  [ -z "${LEFT:-}" ] || [ "$now" = "$LEFT" ] || { echo "FAILED: $kind $2 has $now, before: $LEFT"; exit 1; }
  curl -s "http://$ENDPOINT/version" | grep -q "\"etcdserver\":\"$2" || { echo "FAILED: $kind does not announce $2"; exit 1; }
  ctl put "key/$kind/$2" v >/dev/null && ctl del "key/nothing" >/dev/null || { echo "FAILED: a write to $kind $2"; exit 1; }
  # the leader looks at the cluster version every four seconds
  for _ in $(seq 80); do curl -s "http://$ENDPOINT/version" | grep -q "\"etcdcluster\":\"$2" && break; sleep 0.1; done
  curl -s "http://$ENDPOINT/version" | grep -q "\"etcdcluster\":\"$2" || { echo "FAILED: the cluster stays below $2"; exit 1; }
  LEFT=$(state)
  stop_server KILL
  echo "$kind $2: $LEFT"
}

for way in 'etcd:3.4 member:3.4 member:3.5 etcd:3.5 member:3.6 etcd:3.6 member:3.7 etcd:3.7 member:3.7' \
  'member:3.4 member:3.6 etcd:3.6' 'member:3.4 member:3.7 etcd:3.7'; do
  rm -rf "$DATA"
  LEFT=
  for stop in $way; do step "${stop%:*}" "${stop#*:}"; done
done
