package scan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
	"larder/protocol/resp"
)

// pass reads all keys of the source, copies what has changed between two pages, and deletes what the source lacks.
func (k *copier) pass() error {
	k.changed.lost()
	if _, err := k.untold(); err != nil { // from now on
		return err
	}
	k.begun, k.read = k.o.Now(), 0
	dbs, err := k.databases()
	if err != nil {
		return err
	}
	if err := k.functions(); err != nil {
		return err
	}
	for _, db := range dbs {
		for _, c := range k.sources {
			if err := k.scan(c, db, func(keys [][]byte) error { return k.page(db, keys) }); err != nil {
				return err
			}
		}
	}
	for _, db := range dbs {
		if err := k.scan(k.target, k.to(db), func(keys [][]byte) error { return k.sweep(db, keys) }); err != nil {
			return err
		}
	}
	return nil
}

// databases are those of the source that are copied: all that either side has keys in.
func (k *copier) databases() ([]int, error) {
	if db := k.o.Source.DB; db != remote.AllDBs {
		return []int{db}, nil
	}
	seen, expected := map[int]bool{}, int64(0)
	for i, c := range append(slices.Clone(k.sources), k.target) {
		sizes, err := keysOf(c)
		if err != nil {
			return nil, err
		}
		for db, n := range sizes {
			seen[db] = true
			if i < len(k.sources) {
				expected += n
			}
		}
	}
	k.tell(func(s *migrate.Status) { s.Expected = expected })
	return slices.Sorted(maps.Keys(seen)), nil
}

// scan gives each page of keys to do, which may say other commands and select another database.
func (k *copier) scan(c *remote.Conn, db int, do func(keys [][]byte) error) error {
	for cursor := "0"; ; {
		if err := c.Select(db); err != nil {
			return err
		}
		reply, err := c.Do("SCAN", cursor, "COUNT", strconv.Itoa(someKeys))
		if err != nil {
			return err
		}
		next, keys := remote.Page(reply)
		if next == "" {
			return fmt.Errorf("server %s answers SCAN by what cannot be understood", c.Addr)
		}
		if err := do(keys); err != nil {
			return err
		}
		if cursor = next; cursor == "0" {
			return nil
		}
	}
}

// page copies keys that the source has, and then what has changed meanwhile.
func (k *copier) page(db int, keys [][]byte) error {
	list := make([]place, len(keys))
	for i, key := range keys {
		list[i] = place{db, string(key)}
	}
	if err := k.copy(list); err != nil {
		return err
	}
	if err := k.copy(k.changed.take()); err != nil {
		return err
	}
	k.read += int64(len(keys))
	if k.o.Rate > 0 {
		due := time.Duration(float64(k.read) / float64(k.o.Rate) * float64(time.Second))
		if ahead := due - k.o.Now().Sub(k.begun); ahead > 0 {
			return k.o.Sleep(k.ctx, ahead)
		}
	}
	return k.ctx.Err()
}

// sweep deletes those of the target's keys that the source lacks.
func (k *copier) sweep(db int, keys [][]byte) error {
	if err := k.selectAll(db); err != nil {
		return err
	}
	for _, key := range keys {
		k.source(string(key)).Append([]byte("EXISTS"), key)
	}
	if err := k.flushSources(); err != nil {
		return err
	}
	asked := 0
	for _, key := range keys {
		reply, err := k.source(string(key)).Taken()
		if err != nil {
			return err
		}
		if n, _ := resp.ParseInt(reply); n == 0 {
			k.target.Append([]byte("DEL"), key)
			asked++
		}
	}
	if err := k.target.Flush(); err != nil {
		return err
	}
	for range asked {
		if _, err := k.target.Taken(); err != nil {
			return err
		}
	}
	return k.copy(k.changed.take())
}

// selectAll selects a database of the source, and the target's for it.
func (k *copier) selectAll(db int) error {
	for _, c := range k.sources {
		if err := c.Select(db); err != nil {
			return err
		}
	}
	return k.target.Select(k.to(db))
}

func (k *copier) flushSources() error {
	for _, c := range k.sources {
		if err := c.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// functions copies the libraries of functions, where the source has any and tells of them.
func (k *copier) functions() error {
	reply, err := k.sources[0].Do("FUNCTION", "DUMP")
	if remote.Denied(err) {
		return nil
	}
	if err != nil {
		return err
	}
	payload, _ := reply.Bytes()
	const none = 10 // bytes of a payload of no library
	_, err = k.target.Do("FUNCTION", "RESTORE", string(payload), "FLUSH")
	if err != nil && (len(payload) > none || !remote.Denied(err)) {
		return fmt.Errorf("%w: the libraries of functions: %w", ErrValue, err)
	}
	return nil
}
