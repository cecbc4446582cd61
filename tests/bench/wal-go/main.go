// Makes a write-ahead log with etcd's wal package, reads one with it, or measures its appends.
//
//	wal-go make DIR ENTRIES VALUE_BYTES   puts of that size, ten to a save
//	wal-go read DIR                       ReadAll; prints what it cost as JSON
//	wal-go append DIR SIZE BATCH COUNT    saves entries of SIZE bytes, BATCH to a synced save; JSON
package main

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"syscall"
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

func usage() (cpuSeconds float64, peakMegabytes int64) {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(u.Utime) + seconds(u.Stime), u.Maxrss / 1024
}

func readLog(dir string) {
	start := time.Now()
	before, _ := usage()
	w, err := wal.OpenForRead(zap.NewNop(), dir, walpb.Snapshot{})
	must(err)
	_, _, entries, err := w.ReadAll()
	must(err)
	wall := time.Since(start).Seconds()
	cpu, peak := usage()
	fmt.Printf("{\"entries\": %d, \"seconds\": %.4f, \"cpu_seconds\": %.4f, \"peak_mb\": %d}\n",
		len(entries), wall, cpu-before, peak)
}

func appendLog(dir string, size, batch, count int) {
	w, err := wal.Create(zap.NewNop(), dir, []byte{8, 1, 16, 2})
	must(err)
	data := make([]byte, size)
	entries := make([]raftpb.Entry, batch)
	start := time.Now()
	before, _ := usage()
	index := uint64(1)
	for done := 0; done < count; done += batch {
		for i := range entries {
			entries[i] = raftpb.Entry{Term: 2, Index: index, Data: data}
			index++
		}
		must(w.Save(raftpb.HardState{Term: 2, Vote: 1, Commit: index - 1}, entries))
	}
	wall := time.Since(start).Seconds()
	cpu, _ := usage()
	fmt.Printf("{\"wall_us\": %.4f, \"cpu_us\": %.4f}\n", wall/float64(count)*1e6, (cpu-before)/float64(count)*1e6)
	must(w.Close())
	must(os.RemoveAll(dir))
}

func main() {
	switch {
	case len(os.Args) == 5 && os.Args[1] == "make":
		makeLog(os.Args[2], number(os.Args[3]), number(os.Args[4]))
	case len(os.Args) == 3 && os.Args[1] == "read":
		readLog(os.Args[2])
	case len(os.Args) == 6 && os.Args[1] == "append":
		appendLog(os.Args[2], number(os.Args[3]), number(os.Args[4]), number(os.Args[5]))
	default:
		fmt.Fprintln(os.Stderr, "usage: wal-go make DIR ENTRIES VALUE_BYTES | read DIR | append DIR SIZE BATCH COUNT")
		os.Exit(2)
	}
}
