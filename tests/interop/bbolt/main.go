// The real bbolt, as an oracle for libs/bolt: checks, dumps and writes files.
package main

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"math/rand"
	"os"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: bbolt check|dump FILE; write FILE SEED PAGESIZE array|hashmap stored|rebuilt; bench FILE MODE OPS BATCH; compact FILE NEW; scan FILE; churn FILE ...")
		os.Exit(2)
	}
	commands := map[string]func([]string) error{"check": check, "dump": dump, "write": write, "bench": bench, "compact": compact, "scan": scan, "churn": churn}
	command, ok := commands[os.Args[1]]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such command:", os.Args[1])
		os.Exit(2)
	}
	if err := command(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// check opens the file for writing, so that the freelist is loaded or rebuilt too.
func check(args []string) error {
	db, err := bolt.Open(args[0], 0600, &bolt.Options{NoFreelistSync: true})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		faults := 0
		for err := range tx.Check() {
			fmt.Println(err)
			faults++
		}
		if faults > 0 {
			return fmt.Errorf("%d faults", faults)
		}
		return nil
	})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// dump prints every bucket and pair in order: depth, key in hex, then sequence or value size and CRC.
func dump(args []string) error {
	db, err := bolt.Open(args[0], 0600, &bolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	return db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			return dumpBucket(out, 0, name, b)
		})
	})
}

func dumpBucket(out *bufio.Writer, depth int, name []byte, b *bolt.Bucket) error {
	fmt.Fprintf(out, "%d bucket %x %d\n", depth, name, b.Sequence())
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return dumpBucket(out, depth+1, k, b.Bucket(k))
		}
		fmt.Fprintf(out, "%d pair %x %d %08x\n", depth, k, len(v), crc32.Checksum(v, castagnoli))
		return nil
	})
}

func options(pageSize, freelist, list string) (*bolt.Options, error) {
	size, err := strconv.Atoi(pageSize)
	if err != nil {
		return nil, err
	}
	return &bolt.Options{PageSize: size, FreelistType: bolt.FreelistType(freelist), NoFreelistSync: list == "rebuilt", NoSync: true}, nil
}

// write makes random changes in some forty transactions, to a new file or one that is there.
func write(args []string) error {
	seed, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	opts, err := options(args[2], args[3], args[4])
	if err != nil {
		return err
	}
	db, err := bolt.Open(args[0], 0600, opts)
	if err != nil {
		return err
	}
	defer db.Close()
	random := rand.New(rand.NewSource(seed))
	for i := 0; i < 40; i++ {
		if err := db.Update(func(tx *bolt.Tx) error { return change(tx, random) }); err != nil {
			return err
		}
	}
	return nil
}

func change(tx *bolt.Tx, random *rand.Rand) error {
	b, err := tx.CreateBucketIfNotExists([]byte(fmt.Sprintf("go-%d", random.Intn(3))))
	for depth := 0; err == nil && depth < 3 && random.Intn(3) == 0; depth++ {
		b, err = b.CreateBucketIfNotExists([]byte(fmt.Sprintf("nested-%d", depth)))
	}
	if err != nil {
		return err
	}
	if _, err := b.NextSequence(); err != nil {
		return err
	}
	b.FillPercent = 0.3 + random.Float64()*0.7
	for i := random.Intn(400); i > 0; i-- {
		if err := changeOne(b, random); err != nil {
			return err
		}
	}
	return nil
}

func changeOne(b *bolt.Bucket, random *rand.Rand) error {
	key := []byte(fmt.Sprintf("key %05d", random.Intn(3000)))
	if random.Intn(3) == 0 {
		return b.Delete(key)
	}
	size := random.Intn(80)
	if random.Intn(100) == 0 {
		size = random.Intn(30000)
	}
	value := make([]byte, size)
	random.Read(value)
	return b.Put(key, value)
}
