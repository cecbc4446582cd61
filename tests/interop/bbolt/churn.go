package main

import (
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
)

// churner rewrites random keys while long readers come and go, as `boltctl bench --no-freelist-sync` does.
type churner struct {
	db            *bolt.DB
	random        *rand.Rand
	keys, batch   uint64
	readers, hold uint64
	value         []byte
	open          []*bolt.Tx
	latencies     []float64
}

func (c *churner) turnReaders(n uint64) error {
	gap := uint64(1)
	if c.readers > 0 && c.hold > c.readers {
		gap = c.hold / c.readers
	}
	if c.readers == 0 || n%gap != 0 {
		return nil
	}
	if uint64(len(c.open)) == c.readers {
		if err := c.open[0].Rollback(); err != nil {
			return err
		}
		c.open = c.open[1:]
	}
	tx, err := c.db.Begin(false)
	c.open = append(c.open, tx)
	return err
}

func (c *churner) commit(n uint64) error {
	if err := c.turnReaders(n); err != nil {
		return err
	}
	start := time.Now()
	err := c.db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("key"))
		if err != nil {
			return err
		}
		c.value[0] = byte('a' + n%26)
		for i := uint64(0); i < c.batch; i++ {
			if err := b.Put(benchKey(make([]byte, 17), uint64(c.random.Int63n(int64(c.keys))), false), c.value); err != nil {
				return err
			}
		}
		return nil
	})
	c.latencies = append(c.latencies, float64(time.Since(start).Microseconds())/1000)
	return err
}

// row prints commits, seconds, file bytes, free and pending pages, p50 and p99 in ms.
func (c *churner) row(file string, commits uint64, start time.Time) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	sort.Float64s(c.latencies)
	at := func(share float64) float64 { return c.latencies[int(share*float64(len(c.latencies)-1))] }
	stats := c.db.Stats()
	fmt.Printf("%d %.3f %d %d %d %.3f %.3f\n", commits, time.Since(start).Seconds(), info.Size(), stats.FreePageN, stats.PendingPageN, at(0.5), at(0.99))
	c.latencies = nil
	return nil
}

func (c *churner) fill() error {
	for i := uint64(0); i < c.keys; {
		err := c.db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("key"))
			if err != nil {
				return err
			}
			b.FillPercent = 0.9
			for end := i + 10000; i < end && i < c.keys; i++ {
				if err := b.Put(benchKey(make([]byte, 17), i, false), c.value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// churn FILE on|off array|hashmap KEYS VALUEBYTES COMMITS BATCH READERS HOLD WINDOWS
func churn(args []string) error {
	if len(args) != 10 {
		return fmt.Errorf("churn FILE on|off array|hashmap KEYS VALUEBYTES COMMITS BATCH READERS HOLD WINDOWS")
	}
	var n [7]uint64
	for i := range n {
		value, err := strconv.ParseUint(args[3+i], 10, 64)
		if err != nil {
			return err
		}
		n[i] = value
	}
	opts := &bolt.Options{NoFreelistSync: args[1] == "on", FreelistType: bolt.FreelistType(args[2]), NoSync: true, InitialMmapSize: 16 << 30}
	db, err := bolt.Open(args[0], 0600, opts)
	if err != nil {
		return err
	}
	defer db.Close()
	c := &churner{db: db, random: rand.New(rand.NewSource(1)), keys: n[0], value: make([]byte, n[1]), batch: n[3], readers: n[4], hold: n[5]}
	if err := c.fill(); err != nil {
		return err
	}
	start := time.Now()
	for i := uint64(0); i < n[2]; i++ {
		if err := c.commit(i); err != nil {
			return err
		}
		if (i+1)%(n[2]/n[6]) == 0 {
			if err := c.row(args[0], i+1, start); err != nil {
				return err
			}
		}
	}
	for _, tx := range c.open {
		if err := tx.Rollback(); err != nil {
			return err
		}
	}
	return nil
}
