#!/bin/bash
# kill9.sh ROUNDS [SEED]: kill -9 rounds against the member beside this build, then real etcd, where
# it is unpacked, on what is left.
set -euo pipefail
oracle=${TRUSS_ORACLE:-$TRUSS_SOURCE/build/oracle/root/usr/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
etcd=()
if [ -x "$oracle/etcd" ]; then
  etcd=(--etcd "$oracle/etcd")
else
  echo "SKIPPED: real etcd is not unpacked ($oracle/etcd): its part of the kill -9 test"
fi
keep=${TMPDIR:-/tmp}/truss-kill9
rc=0
"$TRUSS_BIN/truss_kill9" --member "$TRUSS_BIN/member" --dir "$work/kill9" --rounds "$1" \
  --seed "${2:-$RANDOM}" "${etcd[@]}" || rc=$?
if [ "$rc" -ne 0 ]; then
  tail -20 "$work/kill9/log" || true
  rm -rf "$keep" && mv "$work/kill9" "$keep" && echo "kept in $keep"
fi
exit "$rc"
