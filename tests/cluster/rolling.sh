#!/bin/bash
# rolling.sh [ROUNDS]: a whole cluster of real etcd becomes ours, member by member, and real again,
# under load: nothing acknowledged is lost, every read is right, and the level stays as it was
# without anybody telling it.
source "$(dirname "$0")/lib.sh"
need_oracle

# replace i KIND: stops a member, the other kind takes over its directory
replace() {
  halt "$1" TERM
  KIND[$1]=$2
  launch "$1"
  expect "$2 takes over member $1" serves "$1"
}

expect "three of real etcd serve" new_cluster real real real || exit 1
expect "mix" mix 1000
load_start
for round in $(seq "${1:-1}"); do
  for kind in ours real; do
    for i in 1 2 3; do replace "$i" "$kind"; done
    expect "level $LEVEL, all $kind (round $round)" levels
    expect "same hashes" same_hashes
  done
done
expect "nothing lost under load: $(tail -n 1 "$WORK/load.log")" load_stop
cat "$WORK/load.log"
expect "same hashes" same_hashes
exit "$FAILED"
