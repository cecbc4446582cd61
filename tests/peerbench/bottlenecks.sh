#!/bin/bash
# Does the doctor name what was prepared: a throttled disk, a lossy link, a processor that others take?
set -uo pipefail
TRUSS_BIN=${TRUSS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/release/bin}
WORK=$(mktemp -d)
HOGS=()
passed=0 failed=0 skipped=0
trap 'stop_hogs; rm -rf "$WORK"' EXIT

stop_hogs() {
  [ ${#HOGS[@]} -eq 0 ] || kill "${HOGS[@]}" 2>/dev/null
  wait 2>/dev/null
  HOGS=()
}
# bottleneck [WRAPPER...]: what the doctor names
bottleneck() {
  "$@" "$TRUSS_BIN/peerbench" doctor --data-dir "$WORK" --duration 2s -o json >"$WORK/doctor.json" 2>"$WORK/err"
  grep -oE '"bottleneck": "[^"]*"' "$WORK/doctor.json" | cut -d'"' -f4
}
named() {  # named WANT GOT
  if [ "$1" = "$2" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: want $1, the doctor names $2"; fi
}
skip() { skipped=$((skipped + 1)); echo "SKIPPED: $1"; }

quiet=$(bottleneck)
if [ "$quiet" = processor ]; then
  skip "the processor is taken before anything is prepared"
else
  named none "$quiet"
  # The kernel holds each fdatasync for 60 ms; only that call is traced.
  throttle=(strace -f --seccomp-bpf -o /dev/null -e trace=fdatasync -e inject=fdatasync:delay_exit=60000)
  if "${throttle[@]}" true 2>/dev/null; then
    named disk "$(bottleneck "${throttle[@]}")"
  else
    skip "no strace to throttle the disk with"
  fi
  for _ in $(seq $((3 * $(nproc)))); do
    timeout 30 sh -c 'while :; do :; done' &
    HOGS+=($!)
  done
  named processor "$(bottleneck)"
  stop_hogs
fi
# A real lossy link wants sch_netem in a network namespace of our own; a link of a proxy's making is in
# tests/peerbench/doctor_probes_test.cc.
unshare -rn tc qdisc add dev lo root netem loss 5% 2>/dev/null || skip "no netem to lose packets with"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
