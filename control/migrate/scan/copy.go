package scan

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"

	"larder/backends/remote"
	"larder/control/migrate"
	"larder/protocol/encoding/rdb"
	"larder/protocol/resp"
)

const flightBytes = 8 << 20 // of values on the way at once, about

// value is a key on its way.
type value struct {
	place
	bytes   int64 // in the source's memory; 0 = not told
	payload []byte
	expiry  int64 // ms since 1970; 0 = never
}

// copy brings keys to the target as they are now at the source, those that are gone too. After an error nothing is known of them.
func (k *copier) copy(list []place) error {
	slices.SortStableFunc(list, func(a, b place) int { return cmp.Compare(a.db, b.db) })
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].db == list[0].db {
			n++
		}
		if err := k.copyOf(list[0].db, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// copyOf is copy for keys of one database.
func (k *copier) copyOf(db int, list []place) error {
	if err := k.selectAll(db); err != nil {
		return err
	}
	all := make([]value, len(list))
	for i, p := range list {
		all[i].place = p
	}
	if err := k.usages(all); err != nil {
		return err
	}
	small, size := make([]*value, 0, len(all)), int64(0)
	for i := range all {
		v := &all[i]
		if v.bytes >= k.o.Large {
			done, err := k.copyLarge(v)
			if err != nil {
				return fmt.Errorf("key %s: %w", v.place, err)
			}
			if done {
				continue
			}
		}
		small = append(small, v)
		if size += v.bytes; size >= flightBytes {
			if err := k.copySmall(small); err != nil {
				return err
			}
			small, size = small[:0], 0
		}
	}
	return k.copySmall(small)
}

// usages asks how large values are.
func (k *copier) usages(all []value) error {
	if k.noUsage {
		return nil
	}
	for i := range all {
		k.source(all[i].key).AppendWords("MEMORY", "USAGE", all[i].key)
	}
	if err := k.flushSources(); err != nil {
		return err
	}
	var failed error
	for i := range all {
		reply, err := k.source(all[i].key).Taken()
		refused := (*remote.Refused)(nil)
		switch {
		case remote.Denied(err):
			k.noUsage = true
		case errors.As(err, &refused):
			failed = err // the other replies are on the way
		case err != nil:
			return err
		default:
			all[i].bytes, _ = reply.Int()
		}
	}
	return failed
}

// copySmall brings whole values.
func (k *copier) copySmall(list []*value) error {
	if err := k.dumps(list); err != nil {
		return err
	}
	return k.restore(list)
}

// dumps reads values.
func (k *copier) dumps(list []*value) error {
	for _, v := range list {
		c := k.source(v.key)
		c.AppendWords("DUMP", v.key)
		k.askExpiry(c, v.key)
	}
	if err := k.flushSources(); err != nil {
		return err
	}
	var failed error
	for _, v := range list {
		c := k.source(v.key)
		reply, err := c.Taken()
		if err == nil && !reply.IsNull() {
			payload, _ := reply.Bytes()
			v.payload = bytes.Clone(payload)
		}
		at, wrong := k.takeExpiry(c)
		v.expiry = at
		if err = cmp.Or(err, wrong); err == nil {
			continue
		}
		refused := (*remote.Refused)(nil)
		if !errors.As(err, &refused) {
			return err
		}
		failed = fmt.Errorf("key %s: %w", v.place, err)
	}
	return failed
}

func (k *copier) askExpiry(c *remote.Conn, key string) {
	if k.noTimes {
		c.AppendWords("PTTL", key)
		c.AppendWords("TIME")
		return
	}
	c.AppendWords("PEXPIRETIME", key)
}

// takeExpiry takes what askExpiry asked for.
func (k *copier) takeExpiry(c *remote.Conn) (atMS int64, err error) {
	reply, err := c.Taken()
	if err == nil {
		atMS, _ = reply.Int()
	}
	if !k.noTimes {
		return max(atMS, 0), err
	}
	clock, wrong := c.Taken()
	if err = cmp.Or(err, wrong); err != nil || atMS < 0 {
		return 0, err
	}
	const thousand = 1000
	words := remote.Texts(clock)
	if len(words) != 2 {
		return 0, fmt.Errorf("server %s answers TIME by what cannot be understood", c.Addr)
	}
	seconds, _ := resp.ParseNumber([]byte(words[0]))
	micros, _ := resp.ParseNumber([]byte(words[1]))
	return seconds*thousand + micros/thousand + atMS, nil
}

// restore writes values, and deletes what is gone.
func (k *copier) restore(list []*value) error {
	size := int64(0)
	for _, v := range list {
		if v.payload == nil {
			k.target.AppendWords("DEL", v.key)
			delete(k.streams, v.place)
			continue
		}
		k.target.Append([]byte("RESTORE"), []byte(v.key), strconv.AppendInt(nil, v.expiry, 10), v.payload, []byte("REPLACE"), []byte("ABSTTL"))
		size += int64(len(v.payload))
		k.noteStream(v)
	}
	if err := k.target.Flush(); err != nil {
		return err
	}
	var failed error
	for _, v := range list {
		_, err := k.target.Taken()
		refused := (*remote.Refused)(nil)
		switch {
		case errors.As(err, &refused):
			failed = cmp.Or(failed, k.unfit(v, refused))
		case err != nil:
			return err
		}
	}
	k.tell(func(s *migrate.Status) { s.Keys, s.Bytes = s.Keys+int64(len(list)), s.Bytes+size })
	return failed
}

// unfit says why the target does not take a value.
func (k *copier) unfit(v *value, refused *remote.Refused) error {
	switch {
	case passing(refused):
		return refused
	case len(refused.Text) > 3 && refused.Text[:3] == "OOM":
		return fmt.Errorf("%w: the target has no room for key %s: %w. Raise engine.maxmemory, or take more shards, and begin anew with --replace", ErrValue, v.place, refused)
	}
	return fmt.Errorf("%w: key %s, of %d bytes: %w", ErrValue, v.place, len(v.payload), refused)
}

// sumSeed is that of the sums of streams, of this process.
var sumSeed = maphash.MakeSeed()

// noteStream remembers a stream: what its readers do is told by nobody.
func (k *copier) noteStream(v *value) {
	switch t, ok := rdb.TypeOf(v.payload[0], maxVersion, false); {
	case ok && (t == rdb.TypeStream || t == rdb.TypeStream2 || t == rdb.TypeStream3 || t == rdb.TypeStream4):
		k.streams[v.place] = maphash.Bytes(sumSeed, v.payload)
	default:
		delete(k.streams, v.place)
	}
}

const maxVersion = 1 << 15 // of a payload's forms: any

// copyStreams reads all streams again and brings those that are not what they were.
func (k *copier) copyStreams() error {
	var list []place
	for p := range k.streams {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b place) int { return cmp.Or(cmp.Compare(a.db, b.db), cmp.Compare(a.key, b.key)) })
	for len(list) > 0 {
		n := 1
		for n < len(list) && n < streamsAtOnce && list[n].db == list[0].db {
			n++
		}
		if err := k.selectAll(list[0].db); err != nil {
			return err
		}
		values := make([]*value, n)
		for i, p := range list[:n] {
			values[i] = &value{place: p}
		}
		if err := k.dumps(values); err != nil {
			return err
		}
		values = slices.DeleteFunc(values, func(v *value) bool {
			return v.payload != nil && maphash.Bytes(sumSeed, v.payload) == k.streams[v.place]
		})
		if err := k.restore(values); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

const streamsAtOnce = 20
