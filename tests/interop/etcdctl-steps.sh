#!/bin/bash
# The same etcdctl steps against real etcd 3.4.23 and ours at --compat 3.4: the transcripts must be
# equal byte for byte but for what masks.sed names.   etcdctl-steps.sh [KEEP_DIR]
source "$(dirname "$0")/lib.sh"
need_oracle
HERE=$(cd "$(dirname "$0")" && pwd)
KEEP=${1:-$WORK}

STEPS=0
# step ARGS...: one etcdctl call; its input is $IN; stdout, stderr and exit code go to the transcript
step() {
  STEPS=$((STEPS + 1))
  local rc=0
  printf '%s' "${IN-}" | ctl "$@" >"$WORK/out" 2>"$WORK/err" || rc=$?
  record "etcdctl $*" "$rc"
}

# watch_step SECONDS ARGS...: a watch that is stopped after SECONDS; its input stays open so long
watch_step() {
  STEPS=$((STEPS + 1))
  local seconds=$1 rc=0
  shift
  { printf '%s' "${IN-}" && sleep "$((seconds + 1))"; } | timeout "$seconds" "$ETCDCTL" --endpoints "$ENDPOINT" "$@" >"$WORK/out" 2>"$WORK/err" || rc=$?
  record "etcdctl $* (for $seconds s)" "$rc"
}

# http_step METHOD PATH [BODY]: one HTTP call of the gateway or a plain end point
http_step() {
  STEPS=$((STEPS + 1))
  local rc=0
  curl -s -m 5 -X "$1" -w '\nstatus %{http_code} %{content_type}\n' ${3:+-d "$3"} "http://$ENDPOINT$2" >"$WORK/out" 2>"$WORK/err" || rc=$?
  record "$1 $2 ${3:-}" "$rc"
}

# record TITLE RC: appends the step; lease ids of this run become L1, L2, ... of the order granted
record() {
  {
    printf '== %d %s\n' "$STEPS" "$1"
    printf -- '-- stdout\n' && cat "$WORK/out"
    printf -- '-- stderr\n' && cat "$WORK/err"
    printf -- '-- exit %d\n' "$2"
  } | sed "${LEASE_MASKS[@]/#/-e}" -e '' >>"$TRANSCRIPT"
}

# grant NAME TTL [FLAGS]: grants a lease, keeps its id in the variable NAME and masks it from then on
grant() {
  local name=$1 id
  shift
  STEPS=$((STEPS + 1))
  ctl lease grant "$@" >"$WORK/out" 2>"$WORK/err"
  local rc=$?
  id=$(grep -oE 'lease [0-9a-f]{16}' "$WORK/out" | cut -d' ' -f2)
  printf -v "$name" '%s' "${id:-0000000000000000}"
  [ -n "$id" ] && LEASE_MASKS+=("s/$id/<lease $name>/g;s/$((16#$id))/<lease $name>/g")
  record "lease grant $*" "$rc"
}

source "$HERE/steps.sh"

run_steps() {
  local kind=$1
  TRANSCRIPT=$KEEP/$kind.transcript
  STEPS=0 LEASE_MASKS=('s/^$//')
  : >"$TRANSCRIPT"
  start_server "$kind" "$WORK/$kind.data" || { echo "FAILED: $kind did not start"; tail -20 "$WORK/$kind.log"; exit 1; }
  all_steps "$kind"
  stop_server
  sed -E -f "$HERE/masks.sed" "$TRANSCRIPT" >"$TRANSCRIPT.masked"
}

choose_ports
run_steps etcd
run_steps member
if diff -u "$KEEP/etcd.transcript.masked" "$KEEP/member.transcript.masked" >"$KEEP/diff"; then
  echo "$STEPS steps, the same output and exit codes"
else
  cat "$KEEP/diff"
  echo "FAILED: transcripts differ (- real etcd, + ours)"
  exit 1
fi
