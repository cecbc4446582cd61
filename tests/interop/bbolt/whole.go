package main

import (
	bolt "go.etcd.io/bbolt"
)

// compact copies a file into a new one as `bbolt compact` does.
func compact(args []string) error {
	src, err := bolt.Open(args[0], 0400, &bolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := bolt.Open(args[1], 0600, nil)
	if err != nil {
		return err
	}
	defer dst.Close()
	return bolt.Compact(dst, src, 65536)
}

// scan opens a file without a stored freelist for writing, for which the free pages must be found.
func scan(args []string) error {
	db, err := bolt.Open(args[0], 0600, &bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	return db.Close()
}
