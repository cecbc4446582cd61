#!/bin/bash
# A full disk, for real: the data directory on a tmpfs of some megabytes. The member ends with one line that says so, doesn't
# start as long as it is full or starts whole, and with more space has all that it acknowledged; real etcd opens what is left.
TRUSS_SOURCE=${TRUSS_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
if [ -z "${TRUSS_MOUNTS:-}" ]; then
  unshare -m true 2>/dev/null || { echo "SKIPPED: no mount namespaces here"; exit 0; }
  TRUSS_MOUNTS=1 exec unshare -m --propagation private "$0" "$@"
fi
source "$(dirname "$0")/lib.sh"
need_oracle

DISK=$WORK/disk
mkdir "$DISK"
mount -t tmpfs -o size=160m none "$DISK" || { echo "SKIPPED: can't mount in a namespace"; exit 0; }
trap 'stop_server KILL; umount "$DISK"; rm -rf "$WORK"' EXIT
FAILED=0
failed() { echo "FAILED: $*"; tail -3 "$WORK/member.log"; FAILED=1; }

# fill: puts of 512 KiB under growing keys until one isn't answered; sets ACKNOWLEDGED
fill() {
  local value
  value=$(head -c 524288 /dev/zero | tr '\0' v)
  for ((ACKNOWLEDGED = 0; ACKNOWLEDGED < 1000; ++ACKNOWLEDGED)); do
    timeout 3 "$ETCDCTL" --endpoints "$ENDPOINT" --command-timeout 2s put "$(printf 'fill/%04d' "$ACKNOWLEDGED")" <<<"$value" >/dev/null 2>&1 || return 0
  done
}

# ended: the server isn't there any more; sets ENDED_BY
ended() {
  local i
  for i in $(seq 50); do
    kill -0 "$SERVER_PID" 2>/dev/null || { wait "$SERVER_PID"; ENDED_BY=$?; SERVER_PID=; return 0; }
    sleep 0.1
  done
  return 1
}

keys() { ctl get fill/ --prefix --keys-only | grep -c fill/; }

# full_disk: until it is full, and what the member says then
full_disk() {
  start_server member "$DISK/data" || { failed "it doesn't start on an empty disk"; exit 1; }
  fill
  [ "$ACKNOWLEDGED" -gt 20 ] && [ "$ACKNOWLEDGED" -lt 1000 ] || failed "the disk took $ACKNOWLEDGED values"
  ended || { failed "it lives on beside a disk that takes nothing"; stop_server KILL; ENDED_BY=0; }
  [ "$ENDED_BY" -ne 0 ] || failed "it ended as if nothing were wrong"
  local why
  why=$(reason)
  [ -n "$why" ] || failed "its log doesn't name the reason"
  [[ $why =~ write\ (/[^:]*): && -e ${BASH_REMATCH[1]} ]] || failed "it names no file that is there: $why"
  echo "full: ended with $ENDED_BY after $ACKNOWLEDGED values: $why"
}

# reason: the last line of the log that names it
reason() { grep -i 'no space left' "$WORK/member.log" | tail -1 | cut -c 1-300; }

# still_full: refuses and names the reason, or starts and has everything
still_full() {
  local found
  if start_server member "$DISK/data"; then
    found=$(keys)
    [ "$found" -ge "$ACKNOWLEDGED" ] || failed "started on the full disk it has $found of $ACKNOWLEDGED values"
    echo "still full: it starts, and has $found values"
    stop_server KILL
  else
    [ -z "$SERVER_PID" ] || { failed "it neither starts nor ends"; stop_server KILL; }
    [ -n "$(reason)" ] || failed "it doesn't name the reason why it can't start"
    echo "still full: refused with ${SERVER_RC:-?}: $(reason)"
  fi
}

# has_all KIND: starts with more space and has what was acknowledged, and takes more
has_all() {
  start_server "$1" "$DISK/data" || { failed "$1 doesn't start with more space"; return; }
  local found
  found=$(keys)
  [ "$found" -ge "$ACKNOWLEDGED" ] && [ "$found" -le $((ACKNOWLEDGED + 1)) ] || failed "$1 has $found of $ACKNOWLEDGED values"
  ctl put more space >/dev/null || failed "$1 takes no further put"
  echo "more space: $1 has $found values of $ACKNOWLEDGED acknowledged"
  stop_server TERM
}

choose_ports
full_disk
still_full
mount -o remount,size=480m "$DISK"
has_all member
has_all etcd
[ "$FAILED" -eq 0 ] && echo "all steps agree"
exit "$FAILED"
