package lab

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const patience = 10 * time.Second

// driver asks every member; members[i] is a client of endpoints[i] alone.
type driver struct {
	endpoints []string
	members   []*clientv3.Client
	all       *clientv3.Client
	passed    int
}

func drive(args []string) error {
	flags := flag.NewFlagSet("drive", flag.ExitOnError)
	endpoints := flags.String("endpoints", "", "of all members, with commas")
	rounds := flags.Int("rounds", 1, "how often")
	_ = flags.Parse(args)
	d := &driver{endpoints: strings.Split(*endpoints, ",")}
	for _, endpoint := range d.endpoints {
		client, err := dial(endpoint)
		if err != nil {
			return err
		}
		defer client.Close()
		d.members = append(d.members, client)
	}
	all, err := dial(d.endpoints...)
	if err != nil {
		return err
	}
	defer all.Close()
	d.all = all
	for round := 0; round < *rounds; round++ {
		if err := d.round(); err != nil {
			return err
		}
	}
	fmt.Printf("%d checks passed\n", d.passed)
	return nil
}

func dial(endpoints ...string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: patience})
}

func (d *driver) round() error {
	checks := []struct {
		name string
		run  func(context.Context) error
	}{
		{"keys", d.keys},
		{"transactions", d.transactions},
		{"watches", d.watches},
		{"leases", d.leases},
		{"compaction", d.compaction},
		{"members", d.memberLists},
		{"leaders", d.leaders},
		{"snapshots", d.snapshots},
		{"hashes", d.hashes},
	}
	for _, check := range checks {
		ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
		err := check.run(ctx)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", check.name, err)
		}
		d.passed++
	}
	return nil
}

// keys: what is written through one member is read through each, and deleted through the next.
func (d *driver) keys(ctx context.Context) error {
	for i, writer := range d.members {
		key, value := fmt.Sprintf("drive/%d", i), fmt.Sprintf("by %s", d.endpoints[i])
		put, err := writer.Put(ctx, key, value)
		if err != nil {
			return err
		}
		for j, reader := range d.members {
			got, err := reader.Get(ctx, key)
			if err != nil {
				return err
			}
			if len(got.Kvs) != 1 || string(got.Kvs[0].Value) != value || got.Kvs[0].ModRevision != put.Header.Revision {
				return fmt.Errorf("%s read %v of %s", d.endpoints[j], got.Kvs, key)
			}
		}
		removed, err := d.members[(i+1)%len(d.members)].Delete(ctx, key, clientv3.WithPrevKV())
		if err != nil {
			return err
		}
		if removed.Deleted != 1 || string(removed.PrevKvs[0].Value) != value {
			return fmt.Errorf("deleted %v", removed)
		}
	}
	return nil
}

// transactions: a counter raised by compare-and-swap through every member in turn.
func (d *driver) transactions(ctx context.Context) error {
	const key = "drive/counter"
	if _, err := d.all.Delete(ctx, key); err != nil {
		return err
	}
	for step := 0; step < 4*len(d.members); step++ {
		client := d.members[step%len(d.members)]
		condition := clientv3.Compare(clientv3.Value(key), "=", fmt.Sprint(step-1))
		if step == 0 {
			condition = clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
		}
		answer, err := client.Txn(ctx).If(condition).
			Then(clientv3.OpPut(key, fmt.Sprint(step)), clientv3.OpGet(key)).
			Else(clientv3.OpGet(key)).Commit()
		if err != nil {
			return err
		}
		if !answer.Succeeded {
			return fmt.Errorf("step %d found %v", step, answer.Responses)
		}
	}
	return nil
}

// watches: a watch on each member sees the writes through all, in order.
func (d *driver) watches(ctx context.Context) error {
	const prefix = "drive/watched/"
	first, err := d.all.Put(ctx, prefix+"first", "")
	if err != nil {
		return err
	}
	for i, client := range d.members {
		if _, err := client.Put(ctx, fmt.Sprintf("%s%d", prefix, i), "x"); err != nil {
			return err
		}
	}
	for i, client := range d.members {
		watching, stop := context.WithCancel(ctx)
		channel := client.Watch(watching, prefix, clientv3.WithPrefix(), clientv3.WithRev(first.Header.Revision+1), clientv3.WithPrevKV())
		for seen := 0; seen < len(d.members); {
			answer, open := <-channel
			if !open || answer.Err() != nil {
				stop()
				return fmt.Errorf("%s: %v", d.endpoints[i], answer.Err())
			}
			for _, event := range answer.Events {
				if want := fmt.Sprintf("%s%d", prefix, seen); string(event.Kv.Key) != want {
					stop()
					return fmt.Errorf("%s: event of %s, not %s", d.endpoints[i], event.Kv.Key, want)
				}
				seen++
			}
		}
		stop()
	}
	return nil
}

// leases: granted through one member, kept alive and asked for through each, revoked by the last.
func (d *driver) leases(ctx context.Context) error {
	for i, client := range d.members {
		lease, err := client.Grant(ctx, 120)
		if err != nil {
			return err
		}
		if _, err = client.Put(ctx, "drive/leased", "x", clientv3.WithLease(lease.ID)); err != nil {
			return err
		}
		for j, other := range d.members {
			kept, err := other.KeepAliveOnce(ctx, lease.ID)
			if err != nil {
				return fmt.Errorf("keep-alive through %s: %w", d.endpoints[j], err)
			}
			left, err := other.TimeToLive(ctx, lease.ID, clientv3.WithAttachedKeys())
			if err != nil {
				return fmt.Errorf("time to live through %s: %w", d.endpoints[j], err)
			}
			if kept.TTL != 120 || left.TTL < 100 || left.GrantedTTL != 120 || len(left.Keys) != 1 {
				return fmt.Errorf("through %s: %v, %v", d.endpoints[j], kept, left)
			}
		}
		last := d.members[(i+len(d.members)-1)%len(d.members)]
		if _, err = last.Revoke(ctx, lease.ID); err != nil {
			return err
		}
		gone, err := client.Get(ctx, "drive/leased")
		if err != nil {
			return err
		}
		if gone.Count != 0 {
			return errors.New("a key outlived its lease")
		}
	}
	return nil
}

// compaction: through one member, felt on each.
func (d *driver) compaction(ctx context.Context) error {
	put, err := d.all.Put(ctx, "drive/compacted", "x")
	if err != nil {
		return err
	}
	if _, err = d.members[0].Compact(ctx, put.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	for i, client := range d.members {
		if _, err = client.Get(ctx, "drive/compacted"); err != nil { // it has applied the compaction
			return err
		}
		_, err = client.Get(ctx, "drive/compacted", clientv3.WithRev(put.Header.Revision-1))
		if err == nil || !strings.Contains(err.Error(), "required revision has been compacted") {
			return fmt.Errorf("%s: %v", d.endpoints[i], err)
		}
	}
	return nil
}

func (d *driver) memberLists(ctx context.Context) error {
	for i, client := range d.members {
		list, err := client.MemberList(ctx)
		if err != nil {
			return err
		}
		if len(list.Members) != len(d.members) {
			return fmt.Errorf("%s knows %d members", d.endpoints[i], len(list.Members))
		}
		for _, member := range list.Members {
			if member.Name == "" || len(member.ClientURLs) == 0 || member.IsLearner {
				return fmt.Errorf("%s: %v", d.endpoints[i], member)
			}
		}
	}
	return nil
}

// leaders: every member leads in turn, and all agree on it.
func (d *driver) leaders(ctx context.Context) error {
	for i := range d.members {
		status, err := d.members[i].Status(ctx, d.endpoints[i])
		if err != nil {
			return err
		}
		wanted := status.Header.MemberId
		if err = d.moveLeader(ctx, wanted); err != nil {
			return fmt.Errorf("to %s: %w", d.endpoints[i], err)
		}
		for j, client := range d.members {
			if err = agrees(ctx, client, d.endpoints[j], wanted); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *driver) moveLeader(ctx context.Context, wanted uint64) error {
	for i, client := range d.members {
		status, err := client.Status(ctx, d.endpoints[i])
		if err != nil {
			return err
		}
		if status.Leader == status.Header.MemberId && status.Leader != wanted {
			_, err = client.MoveLeader(ctx, wanted)
			return err
		}
	}
	return nil
}

func agrees(ctx context.Context, client *clientv3.Client, endpoint string, wanted uint64) error {
	for {
		status, err := client.Status(ctx, endpoint)
		if err != nil {
			return err
		}
		if status.Leader == wanted {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// snapshots: each member streams its database, which is no shorter than its magic says.
func (d *driver) snapshots(ctx context.Context) error {
	for i, client := range d.members {
		reader, err := client.Snapshot(ctx)
		if err != nil {
			return err
		}
		var all bytes.Buffer
		if _, err = io.Copy(&all, reader); err != nil {
			return err
		}
		reader.Close()
		if all.Len() < 4096 || all.Len()%512 != 32 {
			return fmt.Errorf("%s: %d bytes", d.endpoints[i], all.Len())
		}
	}
	return nil
}

// hashes: alike on all members at one revision.
func (d *driver) hashes(ctx context.Context) error {
	put, err := d.all.Put(ctx, "drive/hashed", "x")
	if err != nil {
		return err
	}
	var first *clientv3.HashKVResponse
	for i, client := range d.members {
		if _, err = client.Get(ctx, "drive/hashed"); err != nil {
			return err
		}
		hash, err := client.HashKV(ctx, d.endpoints[i], put.Header.Revision)
		if err != nil {
			return err
		}
		if first == nil {
			first = hash
		}
		if hash.Hash != first.Hash || hash.CompactRevision != first.CompactRevision {
			return fmt.Errorf("%s: %v, before %v", d.endpoints[i], hash, first)
		}
	}
	return nil
}
