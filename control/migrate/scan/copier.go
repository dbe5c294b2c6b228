package scan

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
	"larder/router"
)

// copier reads keys of the source and writes them to the target, one after the other, on one goroutine.
type copier struct {
	*Way
	ctx       context.Context
	primaries []remote.Primary
	sources   []*remote.Conn // to each of the primaries
	owner     []int          // of each slot, if there are several
	ears      []*ear
	target    *remote.Conn
	noTimes   bool // the source has no PEXPIRETIME
	noUsage   bool // it refuses MEMORY USAGE

	streams map[place]uint64  // the streams that were copied, with a sum of what they were
	counted map[string]string // how often the source has done what no notification tells
	begun   time.Time         // of the pass under way, for the rate
	read    int64             // keys since then
}

// passing tells of an answer that will be another one soon.
func passing(e *remote.Refused) bool {
	for _, code := range []string{"LOADING", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "MOVED", "ASK", "UNKNOWN", "BUSY ", "READONLY", "NOREPLICAS"} {
		if strings.HasPrefix(e.Text, code) {
			return true
		}
	}
	return false
}

func (w *Way) open(ctx context.Context) (*copier, error) {
	k := &copier{Way: w, ctx: ctx, streams: map[place]uint64{}}
	var err error
	if k.primaries, err = w.o.Source.Primaries(ctx); err != nil {
		return nil, fmt.Errorf("source %s: %w", w.o.Source, err)
	}
	a := w.o.Source
	a.DB = remote.AllDBs
	for i, p := range k.primaries {
		c, err := a.Dial(ctx, p.Addr)
		if err != nil {
			k.close()
			return nil, fmt.Errorf("source %s: %w", w.o.Source, err)
		}
		k.sources = append(k.sources, c)
		for _, r := range p.Slots {
			if k.owner == nil {
				k.owner = make([]int, slotsInAll)
			}
			for slot := r.From; slot <= r.To; slot++ {
				k.owner[slot] = i
			}
		}
	}
	if k.target, err = w.openTarget(ctx); err != nil {
		k.close()
		return nil, err
	}
	_, err = k.sources[0].Do("PEXPIRETIME", "")
	k.noTimes = remote.Denied(err)
	return k, nil
}

const slotsInAll = 16384

func (w *Way) openTarget(ctx context.Context) (*remote.Conn, error) {
	a := w.o.Target
	a.DB = remote.AllDBs
	list, err := a.Primaries(ctx)
	if err == nil && len(list) != 1 {
		err = errors.New("it is a Redis Cluster: the target is a Larder's endpoint, or one server")
	}
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", a, err)
	}
	c, err := a.Dial(ctx, list[0].Addr)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", a, err)
	}
	return c, nil
}

// close ends the copier's own connections; ears are closed by those who listen, when the context has ended.
func (k *copier) close() {
	for _, c := range k.sources {
		c.Close()
	}
	if k.target != nil {
		k.target.Close()
	}
}

// source is the connection to who has a key.
func (k *copier) source(key string) *remote.Conn {
	if k.owner == nil {
		return k.sources[0]
	}
	return k.sources[k.owner[router.Slot([]byte(key))]]
}

// to is the target's database for one of the source's.
func (w *Way) to(db int) int {
	if w.o.Target.DB != remote.AllDBs && (w.o.Source.DB != remote.AllDBs || db == 0) {
		return w.o.Target.DB
	}
	return db
}

// empty refuses a target with keys, unless they may be lost.
func (w *Way) empty(ctx context.Context) error {
	if w.o.Replace {
		return nil
	}
	c, err := w.openTarget(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	sizes, err := keysOf(c)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	for db, n := range sizes {
		if n > 0 {
			return fmt.Errorf("%w: %d in database %d. With --replace they are overwritten and deleted", ErrNotEmpty, n, db)
		}
	}
	return nil
}

// keysOf counts the keys of each database of a server.
func keysOf(c *remote.Conn) (map[int]int64, error) {
	info, err := c.Info("keyspace")
	if err != nil {
		return nil, err
	}
	sizes := map[int]int64{}
	for name, text := range info {
		number, ok := strings.CutPrefix(name, "db")
		db, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		count, _, _ := strings.Cut(strings.TrimPrefix(text, "keys="), ",")
		if sizes[db], err = strconv.ParseInt(count, 10, 64); err != nil {
			return nil, fmt.Errorf("INFO says %q of database %d", text, db)
		}
	}
	return sizes, nil
}

const (
	lookEvery = time.Second // how often it is asked for what no notification tells
	someKeys  = 200         // read at once
)

// run copies all, then what changes, until a cutover.
func (k *copier) run() error {
	for again := true; again; {
		k.tell(func(s *migrate.Status) {
			s.Error = ""
			if s.Phase == migrate.Broken {
				s.Phase = migrate.Copying
			}
		})
		if err := k.pass(); err != nil {
			return err
		}
		k.tell(func(s *migrate.Status) { s.Phase = migrate.Following; s.Passes++ })
		var err error
		if again, err = k.follow(); err != nil {
			return err
		}
	}
	return errCutOver
}

// follow copies what changes, until a cutover is done, or all must be read again.
func (k *copier) follow() (again bool, err error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-k.ctx.Done():
			return false, context.Cause(k.ctx)
		case <-k.changed.wake:
			if err := k.copy(k.changed.take()); err != nil {
				return false, err
			}
			if left, _ := k.changed.size(); left > 0 { // in turns with the rest: under writes something is always left
				k.changed.poke()
			}
		case <-tick.C:
			if k.o.Notifications == None {
				return true, nil
			}
			if differs, err := k.untold(); differs || err != nil {
				return true, err
			}
		case o := <-k.orders:
			cut, err := k.cutover(o)
			o.done <- outcome{cut, err}
			if err == nil {
				k.tell(func(s *migrate.Status) { s.Phase = migrate.CutOver })
				return false, nil
			}
			if !errors.Is(err, migrate.ErrBehind) {
				return false, err
			}
		}
		if k.changed.lost() {
			k.o.Log.Warn("more keys changed than may wait: all are read again", "most", k.o.ChangedMax)
			return true, nil
		}
	}
}

// untold asks the source whether it has done what no notification tells, since this was asked last.
func (k *copier) untold() (bool, error) {
	now := map[string]string{}
	for _, c := range k.sources {
		info, err := c.Info("commandstats")
		if remote.Denied(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, name := range []string{"flushall", "flushdb", "swapdb", "function|load", "function|delete", "function|flush", "function|restore"} {
			calls, _, _ := strings.Cut(info["cmdstat_"+name], ",")
			now[c.Addr+" "+name] = calls
		}
	}
	was := k.counted
	k.counted = now
	for name, calls := range was {
		if now[name] != calls {
			k.o.Log.Info("the source has done what it tells of no key: all are read again", "what", name)
			return true, nil
		}
	}
	return false, nil
}

// count counts a value that was brought in pieces.
func (k *copier) count(bytes int64) {
	k.tell(func(s *migrate.Status) { s.Keys, s.Bytes = s.Keys+1, s.Bytes+bytes })
}
