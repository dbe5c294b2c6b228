// Package compare tells whether two keyspaces are the same: what a migration has filled and where it came from. It reads every key on both sides, or a sample
// of them, digests its value independently of the form that a server keeps it in (persistence/digest), and compares that and the expiry; then it asks the
// source about each key that the target has.
//
// What must hold: nothing is ever written to either side; a difference is told only of a key that was read several times and was the same each time on either
// side, so that one that clients change meanwhile is not taken for lost; memory does not grow with the number of keys, and with the size of a value only by
// a few bytes for each of its elements. The caller's goroutine does everything.
package compare

import (
	"context"
	"time"

	"larder/backends/remote"
)

// Options say what is compared, and how.
type Options struct {
	Source, Target remote.Address
	Sample         int64  // keys, about; 0 = all
	Seed           uint64 // of the choice of a sample
	Rate           int    // keys a second; 0 = as fast as the servers are
	Large          int64  // bytes in memory from which a value is read in parts, if its type can; 0 = 4 MiB
	Progress       func(done, total int64)
	Now            func() time.Time
	Sleep          func(ctx context.Context, d time.Duration) error
}

const (
	pageKeys     = 500     // that SCAN is asked for, and read at once
	flightBytes  = 8 << 20 // of values on the way at once, about
	largeBytes   = 4 << 20
	rounds       = 6 // a key that differs is read as often, before that is told
	firstPause   = 20 * time.Millisecond
	doubtsMax    = 1000 // keys that differ are read again when they are so many, or at the end
	shownMax     = 20   // keys that are told by name
	rangesInAll  = 16   // of slots, whose digests are told
	slotsInAll   = 16384
	slotsInRange = slotsInAll / rangesInAll
)

// Run compares. It says what it found also beside an error. Errors: those of the servers; that there are differences is none.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Large <= 0 {
		o.Large = largeBytes
	}
	c := &comparison{o: o, ctx: ctx, report: newReport(o)}
	began := o.Now()
	err := c.run()
	c.report.Took = o.Now().Sub(began)
	c.report.finish()
	return c.report, err
}

type comparison struct {
	o              Options
	ctx            context.Context
	report         *Report
	source, target *side
	choice         choice
	doubts         []doubt
	done, total    int64
	began          time.Time
}

func (c *comparison) run() (err error) {
	if c.source, err = open(c.ctx, c.o.Source, "source"); err != nil {
		return err
	}
	defer c.source.close()
	if c.target, err = open(c.ctx, c.o.Target, "target"); err != nil {
		return err
	}
	defer c.target.close()
	dbs, err := c.databases()
	if err != nil {
		return err
	}
	c.began = c.o.Now()
	for _, db := range dbs {
		if err := c.database(db); err != nil {
			return err
		}
	}
	if err := c.functions(); err != nil {
		return err
	}
	if c.o.Progress != nil {
		c.o.Progress(c.total, c.total)
	}
	c.source.note(c.report)
	c.target.note(c.report)
	return nil
}

// pair is a database of the source and that of the target it is compared with.
type pair struct{ from, to int }

// databases lists those that have keys on either side, and counts.
func (c *comparison) databases() ([]pair, error) {
	from, err := c.source.sizes()
	if err != nil {
		return nil, err
	}
	to, err := c.target.sizes()
	if err != nil {
		return nil, err
	}
	pairs := c.pairs(from, to)
	for _, p := range pairs {
		d := &Database{DB: p.from, TargetDB: p.to}
		d.Source.Keys, d.Source.Expiring = from[p.from].keys, from[p.from].expiring
		d.Target.Keys, d.Target.Expiring = to[p.to].keys, to[p.to].expiring
		c.report.Databases = append(c.report.Databases, d)
		c.total += d.Source.Keys + d.Target.Keys
		c.choice.of += d.Source.Keys
	}
	c.choice.sample, c.choice.seed = c.o.Sample, c.o.Seed
	return pairs, nil
}

func (c *comparison) pairs(from, to map[int]size) (pairs []pair) {
	if db := c.o.Source.DB; db != remote.AllDBs {
		p := pair{db, db}
		if c.o.Target.DB != remote.AllDBs {
			p.to = c.o.Target.DB
		}
		return []pair{p}
	}
	if db := c.o.Target.DB; db != remote.AllDBs && db != 0 {
		return []pair{{0, db}}
	}
	last := 0
	for _, side := range []map[int]size{from, to} {
		for db := range side {
			last = max(last, db)
		}
	}
	for db := range last + 1 {
		if from[db].keys+to[db].keys > 0 {
			pairs = append(pairs, pair{db, db})
		}
	}
	return pairs
}

// database compares one: all that the source has, then whether the target has more.
func (c *comparison) database(p pair) error {
	err := c.source.scan(p.from, func(keys [][]byte) error { return c.page(p, keys) })
	if err == nil {
		err = c.settle()
	}
	if err != nil {
		return err
	}
	return c.target.scan(p.to, func(keys [][]byte) error { return c.back(p, keys) })
}

// page compares keys that the source has.
func (c *comparison) page(p pair, keys [][]byte) error {
	seen := int64(len(keys))
	keys = c.choice.pick(keys)
	for _, k := range keys {
		c.doubts = append(c.doubts, doubt{pair: p, key: k})
	}
	fresh := c.doubts[len(c.doubts)-len(keys):]
	if err := c.read(fresh); err != nil {
		return err
	}
	left := c.doubts[:len(c.doubts)-len(keys)]
	for _, d := range fresh {
		if d.alike() {
			c.report.count(&d)
		} else {
			left = append(left, d)
		}
	}
	c.doubts = left
	if err := c.progress(seen, len(keys)); err != nil {
		return err
	}
	if len(c.doubts) < doubtsMax {
		return nil
	}
	return c.settle()
}

// back looks for keys of the target that the source lacks.
func (c *comparison) back(p pair, keys [][]byte) error {
	seen := int64(len(keys))
	keys = c.choice.pick(keys)
	there, err := c.source.exist(p.from, keys)
	if err != nil {
		return err
	}
	for i, k := range keys {
		if !there[i] {
			c.doubts = append(c.doubts, doubt{pair: p, key: k})
		}
	}
	if len(c.doubts) > 0 {
		if err := c.read(c.doubts); err != nil {
			return err
		}
		if err := c.settle(); err != nil {
			return err
		}
	}
	return c.progress(seen, len(keys))
}

// progress tells how far it is, and waits where it is too fast.
func (c *comparison) progress(seen int64, read int) error {
	c.done += seen
	c.report.Seen += seen
	c.report.Read += int64(read)
	if c.o.Progress != nil {
		c.o.Progress(min(c.done, c.total), c.total)
	}
	if c.o.Rate > 0 {
		due := time.Duration(float64(c.report.Read) / float64(c.o.Rate) * float64(time.Second))
		if ahead := due - c.o.Now().Sub(c.began); ahead > 0 {
			return c.o.Sleep(c.ctx, ahead)
		}
	}
	return c.ctx.Err()
}

// functions compares the libraries of functions.
func (c *comparison) functions() error {
	from, ok1, err := c.source.libraries()
	if err != nil {
		return err
	}
	to, ok2, err := c.target.libraries()
	if err != nil {
		return err
	}
	if !ok1 || !ok2 {
		return nil
	}
	for name, code := range from {
		there, ok := to[name]
		switch {
		case !ok:
			c.report.function(name, MissingAtTarget)
		case there != code:
			c.report.function(name, OtherValue)
		}
	}
	for name := range to {
		if _, ok := from[name]; !ok {
			c.report.function(name, MissingAtSource)
		}
	}
	return nil
}
