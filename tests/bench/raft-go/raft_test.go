// Package raft times etcd's own raft package doing exactly what our raft_bench does: in-memory
// storage, 256 byte payloads, one thread, read as ratios on one machine. Names are raft_bench's.
package raft

import (
	"fmt"
	"io"
	"log"
	"math"
	"testing"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/quorum"
	pb "go.etcd.io/raft/v3/raftpb"
)

var payload = make([]byte, 256)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// voter is a node on a memory storage whose log is cut from time to time.
type voter struct {
	node    *raft.RawNode
	storage *raft.MemoryStorage
	applied uint64
}

func newVoter(id uint64, voters int) *voter {
	storage := raft.NewMemoryStorage()
	var start pb.Snapshot
	for v := 1; v <= voters; v++ {
		start.Metadata.ConfState.Voters = append(start.Metadata.ConfState.Voters, uint64(v))
	}
	start.Metadata.Index, start.Metadata.Term = 1, 1
	check(storage.ApplySnapshot(start))
	node, err := raft.NewRawNode(&raft.Config{
		ID: id, ElectionTick: 10, HeartbeatTick: 1, Storage: storage, Applied: 1,
		MaxSizePerMsg: math.MaxUint64, MaxInflightMsgs: 256,
		Logger: &raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)},
	})
	check(err)
	return &voter{node: node, storage: storage}
}

func (v *voter) work(send func(pb.Message)) {
	ready := v.node.Ready()
	if !raft.IsEmptyHardState(ready.HardState) {
		check(v.storage.SetHardState(ready.HardState))
	}
	check(v.storage.Append(ready.Entries))
	for _, m := range ready.Messages {
		send(m)
	}
	if n := len(ready.CommittedEntries); n > 0 {
		v.applied = ready.CommittedEntries[n-1].Index
	}
	v.node.Advance(ready)
	first, _ := v.storage.FirstIndex()
	if v.applied > first+20000 {
		check(v.storage.Compact(v.applied - 5000))
	}
}

func drop(pb.Message) {}

// group is a set of voters that hand each other's messages over at once.
type group []*voter

func newGroup(voters int) group {
	var g group
	for id := 1; id <= voters; id++ {
		g = append(g, newVoter(uint64(id), voters))
	}
	check(g[0].node.Campaign())
	g.pump()
	return g
}

func (g group) pump() {
	for worked := true; worked; {
		worked = false
		for _, v := range g {
			if v.node.HasReady() {
				worked = true
				v.work(func(m pb.Message) { _ = g[m.To-1].node.Step(m) })
			}
		}
	}
}

func (g group) last(i int) uint64 {
	last, _ := g[i].storage.LastIndex()
	return last
}

func perItem(b *testing.B, items int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*items), "ns/item")
}

func Benchmark_step_no_op_ack(b *testing.B) {
	g := newGroup(3)
	ack := pb.Message{Type: pb.MsgAppResp, From: 2, To: 1, Term: g[0].node.BasicStatus().Term, Index: 1}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		_ = g[0].node.Step(ack)
	}
	perItem(b, 1)
}

func Benchmark_step_heartbeat_and_ready(b *testing.B) {
	g := newGroup(3)
	beat := pb.Message{Type: pb.MsgHeartbeat, From: 1, To: 2, Term: g[1].node.BasicStatus().Term}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		for j := 0; j < 16; j++ {
			_ = g[1].node.Step(beat)
		}
		g[1].work(drop)
	}
	perItem(b, 16)
}

func Benchmark_follower_append_and_ready(b *testing.B) {
	g := newGroup(3)
	last, term := g.last(1), g[1].node.BasicStatus().Term
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		m := pb.Message{Type: pb.MsgApp, From: 1, To: 2, Term: term, LogTerm: term, Index: last, Commit: last,
			Entries: []pb.Entry{{Term: term, Index: last + 1, Data: payload}}}
		last++
		_ = g[1].node.Step(m)
		g[1].work(drop)
	}
	perItem(b, 1)
}

func Benchmark_leader_propose_and_two_acks(b *testing.B) {
	g := newGroup(3)
	term := g[0].node.BasicStatus().Term
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		check(g[0].node.Propose(payload))
		g[0].work(drop)
		for from := uint64(2); from <= 3; from++ {
			_ = g[0].node.Step(pb.Message{Type: pb.MsgAppResp, From: from, To: 1, Term: term, Index: g.last(0)})
		}
		g[0].work(drop)
	}
	perItem(b, 1)
}

func Benchmark_propose_until_committed(b *testing.B) {
	for _, voters := range []int{1, 3} {
		for _, entries := range []int{1, 64, 256} {
			name := map[int]string{1: "one_node", 3: "three_nodes"}[voters]
			b.Run(fmt.Sprintf("%s/%d", name, entries), func(b *testing.B) {
				g := newGroup(voters)
				b.ReportAllocs()
				b.ResetTimer()
				for i := 0; i < b.N; i++ {
					m := pb.Message{Type: pb.MsgProp, From: 1, Entries: make([]pb.Entry, entries)}
					for j := range m.Entries {
						m.Entries[j].Data = payload
					}
					check(g[0].node.Step(m))
					g.pump()
				}
				perItem(b, entries)
			})
		}
	}
}

func Benchmark_leader_tick(b *testing.B) {
	g := newGroup(3)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		g[0].node.Tick()
		g[0].work(drop)
	}
	perItem(b, 1)
}

type acked map[uint64]quorum.Index

func (a acked) AckedIndex(id uint64) (quorum.Index, bool) {
	index, ok := a[id]
	return index, ok
}

func Benchmark_committed_index(b *testing.B) {
	for _, voters := range []int{1, 3, 5, 7, 9, 11} {
		b.Run(fmt.Sprint(voters), func(b *testing.B) {
			config, at := quorum.MajorityConfig{}, acked{}
			for id := 1; id <= voters; id++ {
				config[uint64(id)] = struct{}{}
				at[uint64(id)] = quorum.Index(id * 7919 % 101)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i++ {
				config.CommittedIndex(at)
			}
			perItem(b, 1)
		})
	}
}

func Benchmark_status(b *testing.B) {
	g := newGroup(3)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		g[0].node.Status()
	}
	perItem(b, 1)
}

func Benchmark_basic_status(b *testing.B) {
	g := newGroup(3)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		g[0].node.BasicStatus()
	}
	perItem(b, 1)
}
