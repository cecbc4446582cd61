#!/bin/bash
# netns.sh ROUNDS: three of ours in network namespaces of their own; the kernel drops what the leader sends to
# the others, or they to it (one way, acknowledgements of TCP included), or both. A new leader must be there
# within three election time-outs, and every acknowledged key after the cut has ended. Needs root and etcdctl.
set -uo pipefail
oracle=${TRUSS_ORACLE:-$TRUSS_SOURCE/build/oracle/root/usr/bin}
[ -x "$oracle/etcdctl" ] || { echo "SKIPPED: etcdctl is not unpacked ($oracle/etcdctl)"; exit 0; }
if [ -z "${TRUSS_NETNS:-}" ]; then
  # a network and a mount namespace around it all: nothing of the host's network is touched
  unshare -n -m true 2>/dev/null && command -v ip >/dev/null || { echo "SKIPPED: no network namespaces here"; exit 0; }
  TRUSS_NETNS=1 exec unshare -n -m --propagation private "$0" "$@"
fi

timeout_ms=1000 pids=()
work=$(mktemp -d)
cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done; done
  rm -rf "$work"
}
trap cleanup EXIT
die() { echo "FAILED: $*"; tail -n 5 "$work"/*.log; exit 1; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
ctl() { ETCDCTL_API=3 "$oracle/etcdctl" --dial-timeout=300ms --command-timeout="${patience:-5s}" "$@" 2>/dev/null; }
at() { echo "http://10.99.0.$1:2379"; }

mount -t tmpfs none /run && mkdir -p /run/netns || { echo "SKIPPED: can't mount in a namespace"; exit 0; }
ip link set lo up && ip link add br0 type bridge 2>/dev/null || { echo "SKIPPED: the kernel has no bridge"; exit 0; }
ip addr add 10.99.0.254/24 dev br0 && ip link set br0 up
cluster=m1=http://10.99.0.1:2380,m2=http://10.99.0.2:2380,m3=http://10.99.0.3:2380
for i in 1 2 3; do
  ip netns add "n$i" && ip link add "v$i" type veth peer name eth0 netns "n$i" || { echo "SKIPPED: no veth pairs here"; exit 0; }
  ip link set "v$i" master br0 up
  ip -n "n$i" addr add "10.99.0.$i/24" dev eth0
  ip -n "n$i" link set eth0 up
  ip -n "n$i" link set lo up
done
for i in 1 2 3; do
  ip netns exec "n$i" "$TRUSS_BIN/member" --name "m$i" --data-dir "$work/m$i" --initial-cluster "$cluster" \
    --listen-peer-urls "http://10.99.0.$i:2380" --initial-advertise-peer-urls "http://10.99.0.$i:2380" \
    --listen-client-urls "$(at "$i")" --advertise-client-urls "$(at "$i")" \
    --heartbeat-interval 50 --election-timeout "$timeout_ms" >"$work/m$i.log" 2>&1 &
  pids+=($!)
  disown  # else bash reports how it ends
done

# leader_among I...: the one of these that leads; its term in $term
leader_among() {
  local i status
  for i in "$@"; do
    status=$(patience=200ms ctl --endpoints "$(at "$i")" endpoint status) || continue
    case $status in *", true, "*) leader=$i term=$(awk -F', ' '{print $7}' <<<"$status") && return 0 ;; esac
  done
  return 1
}
# cut FROM TO / heal FROM TO: whatever the kernel of FROM has for TO is dropped
cut() { ip -n "n$1" route add blackhole "10.99.0.$2/32"; }
heal() { ip -n "n$1" route del blackhole "10.99.0.$2/32"; }
each_cut() {
  local verb=$1 how=$2 other
  for other in "${others[@]}"; do
    [ "$how" = deaf ] || "$verb" "$leader" "$other"
    [ "$how" = mute ] || "$verb" "$other" "$leader"
  done
}

leader='' term=0
for ((tries = 0; tries < 100; tries++)); do leader_among 1 2 3 && break; sleep 0.1; done
[ -n "$leader" ] || die "no leader at the start"
kinds=(mute deaf both)
worst=0
for ((round = 1; round <= $1; round++)); do
  how=${kinds[$(((round - 1) % 3))]} others=()
  for i in 1 2 3; do [ "$i" = "$leader" ] || others+=("$i"); done
  ctl --endpoints "$(at 1),$(at 2),$(at 3)" put "round/$round" "$leader" >/dev/null || die "round $round: no write before the cut"
  old=$leader old_term=$term since=$(now_ms)
  each_cut cut "$how"
  took=-1
  while (($(now_ms) - since < 20 * timeout_ms)); do
    if leader_among "${others[@]}" && ((term > old_term)); then took=$(($(now_ms) - since)); break; fi
  done
  new=$leader leader=$old
  each_cut heal "$how"
  leader=$new
  ((took >= 0)) || die "round $round ($how): no leader"
  echo "round $round, leader $how: leader after $took ms"
  ((took <= 3 * timeout_ms)) || die "round $round: more than three time-outs"
  ((took > worst)) && worst=$took
  for i in 1 2 3; do
    for ((tries = 0; tries < 20; tries++)); do
      [ "$(ctl --endpoints "$(at "$i")" get --print-value-only "round/$round")" = "$old" ] && continue 2
      sleep 0.2
    done
    die "round $round: member $i does not have its key"
  done
  for ((tries = 0; tries < 50; tries++)); do leader_among 1 2 3 && break; sleep 0.1; done
done
echo "$1 rounds, longest without a leader $worst ms of $((3 * timeout_ms)) allowed, every key everywhere"
