#!/bin/bash
# Does the doctor name what was prepared: a throttled disk, a lossy link, a processor that others take? What this
# machine can't prepare is said. Needs root for most of it.
set -uo pipefail
TRUSS_BIN=${TRUSS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/release/bin}
WORK=$(mktemp -d)
HOGS=() GROUP=
passed=0 failed=0 skipped=0
trap 'stop_hogs; [ -z "$GROUP" ] || rmdir "$GROUP"; rm -rf "$WORK"' EXIT

stop_hogs() {
  [ ${#HOGS[@]} -eq 0 ] || kill "${HOGS[@]}" 2>/dev/null
  wait 2>/dev/null
  HOGS=()
}
# bottleneck [WRAPPER...]: what the doctor names
bottleneck() {
  "$@" "$TRUSS_BIN/peerbench" doctor --data-dir "$WORK" --duration 2s -o json >"$WORK/doctor.json" 2>"$WORK/err"
  name_of "$WORK/doctor.json"
}
name_of() { grep -oE '"bottleneck": "[^"]*"' "$1" | cut -d'"' -f4; }
named() {  # named WHAT WANT GOT
  if [[ "$3" == $2 ]]; then
    passed=$((passed + 1))
    echo "$1: the doctor names $3"
  else
    failed=$((failed + 1))
    echo "FAILED: $1: want $2, the doctor names $3"
    grep -oE '"(name|verdict|value)": "[^"]*"' "$WORK/doctor.json" | paste -sd' '
  fi
}
skip() { skipped=$((skipped + 1)); echo "SKIPPED: $1"; }

# A control group whose members may write to the work directory's device 15 times a second.
make_throttled_group() {
  local device base=/sys/fs/cgroup
  device=$(stat -c '%Hd:%Ld' "$WORK")
  [ -e "/sys/dev/block/$device" ] || return 1
  [ -e "/sys/dev/block/$device/partition" ] && device=$(cat "/sys/dev/block/$device/../dev")
  if [ -d $base/blkio ] && mkdir "$base/blkio/peerbench-$$" 2>/dev/null; then
    GROUP=$base/blkio/peerbench-$$
    echo "$device 15" 2>/dev/null >"$GROUP/blkio.throttle.write_iops_device"
  elif grep -qw io $base/cgroup.subtree_control 2>/dev/null && mkdir "$base/peerbench-$$" 2>/dev/null; then
    GROUP=$base/peerbench-$$
    echo "$device wiops=15" 2>/dev/null >"$GROUP/io.max"
  else
    return 1
  fi
}
in_group() { sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$GROUP" "$@"; }

throttled_disk() {
  # Else the kernel holds each fdatasync for 60 ms; only that call is traced.
  local hold=(strace -f --seccomp-bpf -o /dev/null -e trace=fdatasync -e inject=fdatasync:delay_exit=60000)
  if make_throttled_group; then
    named "a disk throttled by a control group" disk "$(bottleneck in_group)"
  elif "${hold[@]}" true 2>/dev/null; then
    named "a disk held up by strace" disk "$(bottleneck "${hold[@]}")"
  else
    skip "no block device to throttle by a control group, and no strace to hold up its calls"
  fi
}

# In a network of its own: a member, and a loopback that loses packets.
lossy_link() {
  local url=http://127.0.0.1:2380 client=http://127.0.0.1:2379
  ip link set lo up
  "$TRUSS_BIN/member" --name s1 --data-dir "$WORK/data" --listen-peer-urls $url --initial-advertise-peer-urls $url \
    --initial-cluster s1=$url --listen-client-urls $client --advertise-client-urls $client >"$WORK/member.log" 2>&1 &
  local member=$!
  for _ in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/2380) 2>/dev/null && break; sleep 0.1; done
  tc qdisc add dev lo root netem loss 10% 2>/dev/null ||
    tc qdisc add dev lo root tbf rate 60kbit burst 1600 limit 2400 || return 1
  "$TRUSS_BIN/peerbench" doctor --data-dir "$WORK" --peers $url --duration 3s -o json >"$WORK/doctor.json" 2>"$WORK/err"
  tc -s qdisc show dev lo | grep -oE 'qdisc [a-z]+|dropped [0-9]+' | paste -sd' '
  kill -KILL $member
}
if [ "${1:-}" = lossy-link ]; then  # inside
  WORK=$2
  trap - EXIT
  lossy_link
  exit
fi

quiet=$(bottleneck)
if [ "$quiet" = processor ]; then
  skip "everything: the processor is taken before anything is prepared"
else
  named "nothing prepared" none "$quiet"
  throttled_disk
  if [ -x "$TRUSS_BIN/member" ] && unshare -n sh -c 'ip link set lo up && tc qdisc add dev lo root tbf rate 1mbit burst 2k limit 4k' 2>/dev/null
  then
    unshare -n "$0" lossy-link "$WORK"
    named "a link that loses packets" "network *" "$(name_of "$WORK/doctor.json")"
  else
    skip "no network namespace with a loopback that loses packets (one of a proxy's making is in the test peerbench_rig)"
  fi
  for _ in $(seq $((3 * $(nproc)))); do
    timeout 30 sh -c 'while :; do :; done' &
    HOGS+=($!)
  done
  named "processors that others take" processor "$(bottleneck)"
  stop_hogs
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
