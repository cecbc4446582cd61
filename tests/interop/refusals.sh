#!/bin/bash
# Data directories that must be refused: one line that says what and where, exit code 1, and not a
# byte of the directory changed.
source "$(dirname "$0")/lib.sh"
need_oracle

FAILED=0 CASES=0

# tree DIR: names, modes and contents of all that is in it
tree() { (cd "$1" && find . -printf '%p %m %s\n' | sort && find . -type f -print0 | sort -z | xargs -0 -r sha256sum); }

# refused NAME DIR PATTERN [FLAGS...]: the member must refuse DIR with one line that matches PATTERN
refused() {
  local name=$1 dir=$2 pattern=$3 rc=0 flags lines
  shift 3
  CASES=$((CASES + 1))
  tree "$dir" >"$WORK/tree.before"
  choose_ports
  mapfile -t flags < <(server_flags "$dir")
  timeout 20 "$TRUSS_BIN/member" "${flags[@]}" "$@" >"$WORK/out" 2>&1 || rc=$?
  tree "$dir" >"$WORK/tree.after"
  # log lines below error level may come before; the refusal itself is one line
  lines=$(grep -vcE '"level":"(debug|info|warn)"' "$WORK/out")
  if [ "$rc" -eq 1 ] && [ "$lines" -eq 1 ] && grep -vE '"level":"(debug|info|warn)"' "$WORK/out" | grep -qE "$pattern" &&
    diff -q "$WORK/tree.before" "$WORK/tree.after" >/dev/null; then
    echo "ok: $name: $(grep -vE '"level":"(debug|info|warn)"' "$WORK/out" | cut -c1-300)"
    return
  fi
  FAILED=1
  echo "FAILED: $name: exit $rc, $lines lines, wanted /$pattern/"
  cat "$WORK/out"
  diff "$WORK/tree.before" "$WORK/tree.after"
}

# a clean directory of real etcd, to damage in several ways
choose_ports
start_server etcd "$WORK/good" || { echo "FAILED: etcd did not start"; exit 1; }
for i in 1 2 3; do ctl put "k$i" "v$i" >/dev/null; done
sleep 1 # until it has committed what the probes left
refused 'a directory that real etcd holds' "$WORK/good" 'lock' --compat 3.4
stop_server

# offset 130 lies in the first membership entry: durable long before the end of the log
cp -a "$WORK/good" "$WORK/flipped" && printf '\001' | dd of="$WORK/flipped/member/wal/0000000000000000-0000000000000000.wal" bs=1 seek=130 conv=notrunc status=none
refused 'a flipped byte in the WAL' "$WORK/flipped" '\.wal.*offset [0-9]+'
cp -a "$WORK/good" "$WORK/no-db" && rm "$WORK/no-db/member/snap/db"
refused 'the db is missing' "$WORK/no-db" 'member/snap/db'
cp -a "$WORK/good" "$WORK/no-wal" && rm -r "$WORK/no-wal/member/wal"
refused 'the WAL is missing' "$WORK/no-wal" 'member/wal'
cp -a "$WORK/good" "$WORK/bad-meta" && printf '\377%.0s' $(seq 64) | dd of="$WORK/bad-meta/member/snap/db" bs=1 seek=16 conv=notrunc status=none &&
  printf '\377%.0s' $(seq 64) | dd of="$WORK/bad-meta/member/snap/db" bs=1 seek=4112 conv=notrunc status=none
refused 'both meta pages of the db are damaged' "$WORK/bad-meta" 'snap/db'
cp -a "$WORK/good" "$WORK/not-bolt" && head -c 32768 /dev/zero >"$WORK/not-bolt/member/snap/db"
refused 'the db is no bolt file' "$WORK/not-bolt" 'snap/db'
cp -a "$WORK/good" "$WORK/bad-type" && printf '\011' | dd of="$WORK/bad-type/member/wal/0000000000000000-0000000000000000.wal" bs=1 seek=25 conv=notrunc status=none
refused 'a WAL record of unknown type' "$WORK/bad-type" '\.wal.*offset [0-9]+'
mkdir -p "$WORK/file-member" && : >"$WORK/file-member/member"
refused 'member is a file' "$WORK/file-member" 'member'

choose_ports
start_server etcd "$WORK/auth" || { echo "FAILED: etcd did not start"; exit 1; }
ctl user add root:pw >/dev/null && ctl user grant-role root root >/dev/null && ctl auth enable >/dev/null
stop_server
refused 'auth is switched on' "$WORK/auth" '[Aa]uth'

# a directory of ours at level 3.6 is newer than 3.4
choose_ports
mapfile -t flags < <(server_flags "$WORK/newer")
"$TRUSS_BIN/member" "${flags[@]}" --compat 3.6 >"$WORK/newer.log" 2>&1 &
SERVER_PID=$!
for _ in $(seq 100); do curl -s "http://$ENDPOINT/version" 2>/dev/null | grep -q '"etcdcluster":"3.6' && break; sleep 0.1; done
ctl put k v >/dev/null || { echo "FAILED: ours at 3.6 does not serve"; FAILED=1; }
stop_server
refused 'a directory of a newer level' "$WORK/newer" '3\.6' --compat 3.4

echo "$CASES directories"
exit "$FAILED"
