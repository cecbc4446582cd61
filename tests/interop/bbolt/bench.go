package main

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// Key i of a run: 17 bytes as etcd's revisions, in order or scattered.
func benchKey(key []byte, i uint64, scattered bool) []byte {
	if scattered {
		i *= 0x9E3779B97F4A7C15
	}
	binary.BigEndian.PutUint64(key, i)
	key[8] = '_'
	return key
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// bench FILE MODE OPS BATCH [VALUE_BYTES] runs one mode (put-seq, put-random, get-random, iterate) and prints CPU
// nanoseconds an operation.
func bench(args []string) error {
	mode := args[1]
	ops, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	batch, err := strconv.ParseUint(args[3], 10, 64)
	if err != nil {
		return err
	}
	valueBytes := 100
	if len(args) > 4 {
		if valueBytes, err = strconv.Atoi(args[4]); err != nil {
			return err
		}
	}
	opts := &bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType, NoSync: true, InitialMmapSize: 1 << 30}
	db, err := bolt.Open(args[0], 0600, opts)
	if err != nil {
		return err
	}
	defer db.Close()
	start := cpuSeconds()
	switch mode {
	case "put-seq", "put-random":
		err = benchPut(db, ops, batch, valueBytes, mode == "put-random")
	case "get-random":
		err = benchGet(db, ops, batch, valueBytes)
	case "iterate":
		ops, err = benchIterate(db, ops)
	default:
		err = fmt.Errorf("no such mode: %s", mode)
	}
	if err == nil {
		fmt.Printf("%.1f\n", (cpuSeconds()-start)*1e9/float64(ops))
	}
	return err
}

func benchPut(db *bolt.DB, ops, batch uint64, valueBytes int, scattered bool) error {
	value := make([]byte, valueBytes)
	for done := uint64(0); done < ops; done += batch {
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("key"))
			if err != nil {
				return err
			}
			if !scattered {
				b.FillPercent = 0.9
			}
			for i := done; i < done+batch; i++ {
				if err := b.Put(benchKey(make([]byte, 17), i, scattered), value); err != nil {
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

// benchGet looks up keys that benchPut scattered, `present` of them there are.
func benchGet(db *bolt.DB, ops, present uint64, valueBytes int) error {
	return db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("key"))
		key := make([]byte, 17)
		for i := uint64(0); i < ops; i++ {
			if len(b.Get(benchKey(key, (i*7919)%present, true))) != valueBytes {
				return fmt.Errorf("key %d is not there", i)
			}
		}
		return nil
	})
}

func benchIterate(db *bolt.DB, ops uint64) (uint64, error) {
	done := uint64(0)
	err := db.View(func(tx *bolt.Tx) error {
		bytes := 0
		for done < ops {
			c := tx.Bucket([]byte("key")).Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				bytes += len(k) + len(v)
				done++
			}
		}
		if bytes == 0 {
			return fmt.Errorf("nothing to iterate over")
		}
		return nil
	})
	return done, err
}
