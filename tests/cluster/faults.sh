#!/bin/bash
# faults.sh real|ours|mixed ROUNDS [SEED]: faults under load against three processes (faults.h).
set -uo pipefail
oracle=${TRUSS_ORACLE:-$TRUSS_SOURCE/build/oracle/root/usr/bin}
real=${TRUSS_ETCD:-$oracle/etcd} ours=$TRUSS_BIN/member
if [ "$1" != ours ] && [ ! -x "$real" ]; then
  echo "SKIPPED: real etcd is not unpacked ($real)"
  exit 0
fi
case $1 in
  real) members=(--member "$real") ;;
  ours) members=(--member "$ours") ;;
  mixed) members=(--member "$ours" --member "$real" --member "$ours") ;;
  *) echo "usage: faults.sh real|ours|mixed ROUNDS [SEED]"; exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rc=0
# a small snapshot count lets a member that was away meet snapshots, too
"$TRUSS_BIN/truss_cluster_faults" "${members[@]}" --dir "$work/faults" --rounds "$2" --seed "${3:-$RANDOM}" \
  --flag --snapshot-count=500 --ours-flag "--compat=${TRUSS_LEVEL:-3.4}" || rc=$?
if [ "$rc" -ne 0 ]; then
  keep=${TMPDIR:-/tmp}/truss-faults-$1
  rm -rf "$keep" && mv "$work/faults" "$keep" && echo "kept in $keep" && tail -n 5 "$keep"/*.log
fi
exit "$rc"
