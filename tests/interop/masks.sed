# What may differ between two servers that are equal, each by name. sed -E.
# time stamp of a client-side log line
s/"ts":"?[0-9TZ:.+-]+"?/"ts":<time>/g
# address of the client's balancer, random
s/"target":"endpoint:\/\/client-[0-9a-f-]+/"target":"endpoint:\/\/client-<random>/g
# duration of a call
s/took = [0-9.]+(ms|µs|s)/took = <duration>/g
s/"took":"?[0-9.]+(ms|µs|s)?"?/"took":<duration>/g
s/took [0-9.]+(ms|µs|s)/took <duration>/g
s/"now","took":"[^"]*"/"now","took":<duration>/g
# remaining seconds of a lease
s/remaining\([0-9]+s\)/remaining(<seconds>)/g
s/"TTL" : [0-9]+$/"TTL" : <seconds>/
s/"ttl":[0-9]+,"granted-ttl"/"ttl":<seconds>,"granted-ttl"/
# size of the database file
s/([ ,])[0-9.]+ (kB|MB|B)([ ,|]|$)/\1<size>\3/g
s/"(dbSize|dbSizeInUse|totalSize|size)":"?[0-9]+"?/"\1":<size>/g
s/"(DBSize|DBSizeInUse)" : [0-9]+/"\1" : <size>/
s/"size":"[0-9.]+ [kM]?B"/"size":<size>/
# table borders follow the width of what was masked
/^\+[-+]+\+$/s/-+/-/g
/^\|/s/ +/ /g
# folder of this run
s/\/tmp\/tmp\.[A-Za-z0-9]+/<folder>/g
