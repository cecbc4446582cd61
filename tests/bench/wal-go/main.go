// Makes a write-ahead log with etcd's wal package, or reads one with it.
//
//	wal-go make DIR ENTRIES VALUE_BYTES   puts of that size, ten to a save
//	wal-go read DIR                       ReadAll; prints entries and seconds
package main

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/raft/v3/raftpb"
	"go.etcd.io/etcd/server/v3/wal"
	"go.etcd.io/etcd/server/v3/wal/walpb"
	"go.uber.org/zap"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	must(err)
	return n
}

func put(random *rand.Rand, i, valueBytes int) []byte {
	value := make([]byte, valueBytes)
	random.Read(value)
	request := pb.InternalRaftRequest{
		Header: &pb.RequestHeader{ID: uint64(i)},
		Put:    &pb.PutRequest{Key: []byte(fmt.Sprintf("/registry/kind%d/name-%08d", i%50, i%100000)), Value: value},
	}
	out, err := request.Marshal()
	must(err)
	return out
}

func makeLog(dir string, entries, valueBytes int) {
	metadata := []byte{8, 1, 16, 2}
	w, err := wal.Create(zap.NewNop(), dir, metadata)
	must(err)
	w.SetUnsafeNoFsync()
	random := rand.New(rand.NewSource(1))
	for i := 1; i <= entries; {
		var batch []raftpb.Entry
		for n := 0; n < 10 && i <= entries; n++ {
			batch = append(batch, raftpb.Entry{Term: 2, Index: uint64(i), Data: put(random, i, valueBytes)})
			i++
		}
		must(w.Save(raftpb.HardState{Term: 2, Vote: 1, Commit: uint64(i - 1)}, batch))
	}
	must(w.Close())
}

func readLog(dir string) {
	start := time.Now()
	w, err := wal.OpenForRead(zap.NewNop(), dir, walpb.Snapshot{})
	must(err)
	_, state, entries, err := w.ReadAll()
	must(err)
	fmt.Printf("%d entries, commit %d, %.3f s\n", len(entries), state.Commit, time.Since(start).Seconds())
}

func main() {
	switch {
	case len(os.Args) == 5 && os.Args[1] == "make":
		makeLog(os.Args[2], number(os.Args[3]), number(os.Args[4]))
	case len(os.Args) == 3 && os.Args[1] == "read":
		readLog(os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "usage: wal-go make DIR ENTRIES VALUE_BYTES | read DIR")
		os.Exit(2)
	}
}
