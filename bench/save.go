package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	largeFold   = 2    // the sections of much data have so many times the usual keys,
	largeValue  = 1024 // of so many bytes each
	saveASecond = 20_000
	saveChunk   = 2_000           // of them between two looks at the server
	saveQuiet   = 3 * time.Second // under the same load before the save
	saveMax     = 3 * time.Minute // what has not been saved by then fails the run
)

// Saved is one save in the background while others write.
type Saved struct {
	Seconds   float64
	ExtraMiB  float64 // memory that it took
	QuietP99  float64 // µs, of the writes in the seconds before
	P99       float64 // while it ran
	LongestMS float64
	Late      float64 // the generator's own lateness while it ran, µs at p99
	Steal     float64
}

// SaveCell compares both.
type SaveCell struct {
	Keys         int
	Ours, Theirs []Saved
	Repeats      int
}

func savedSeconds(s Saved) float64 { return s.Seconds }
func savedExtra(s Saved) float64   { return s.ExtraMiB }
func savedQuiet(s Saved) float64   { return s.QuietP99 }
func savedP99(s Saved) float64     { return s.P99 }
func savedTail(s Saved) float64    { return s.P99 / s.QuietP99 }

// Memory is ours to theirs, Time too; Tail is what ours does to its own p99.
func (c *SaveCell) Memory() float64 {
	return medianRatio(column(c.Ours, savedExtra), column(c.Theirs, savedExtra))
}

// Time is how long ours takes to how long theirs does.
func (c *SaveCell) Time() float64 {
	return medianRatio(column(c.Ours, savedSeconds), column(c.Theirs, savedSeconds))
}

// Tail is ours: p99 during a save to p99 before it.
func (c *SaveCell) Tail() float64 { return mid(c.Ours, savedTail) }

// large are values that no compression shortens, as much data as a cache's node might have.
func (r *runner) large() fill {
	return fill{value: largeValue, keys: largeFold * r.plan.keys, noise: true}
}

// saves measures what a save in the background costs. Both servers have their one core for the save too.
func (r *runner) saves() error {
	defer r.bed.stop()
	f := r.large()
	c := SaveCell{Keys: f.keys}
	ours, theirs, err := r.twins(f)
	if err != nil {
		return err
	}
	for _, s := range []*Server{ours, theirs} {
		if err := r.plan.churn(s, f); err != nil {
			return err
		}
	}
	for range r.plan.rounds {
		var a, b Saved
		again, err := r.plan.calm(func() (float64, error) {
			var err error
			if a, err = r.plan.saveUnderWrites(ours, &saveWatch{s: ours}, f); err != nil {
				return 0, fmt.Errorf("%s: %w", ours.Name, err)
			}
			if b, err = r.plan.saveUnderWrites(theirs, &saveWatch{s: theirs}, f); err != nil {
				return 0, fmt.Errorf("%s: %w", theirs.Name, err)
			}
			return max(a.Steal, b.Steal), nil
		})
		if err != nil {
			return err
		}
		c.Repeats += again
		c.Ours, c.Theirs = append(c.Ours, a), append(c.Theirs, b)
	}
	c.say(r.out)
	r.results.Save = append(r.results.Save, c)
	return nil
}

// churn writes every key about once more, at random: what a server's memory looks like after that stays so.
func (p plan) churn(s *Server, f fill) error {
	g, err := newGenerator([]string{s.Addr}, p.conns, Workload{Op: "SET", Keys: 1, Value: f.value, Depth: 16, Noise: f.noise, Fresh: f.fresh, Seed: seedOfChurn}, f.keys)
	if err != nil {
		return err
	}
	defer g.close()
	if _, err := g.closed(f.keys, unlimited); err != nil {
		return fmt.Errorf("write to %s: %w", s.Name, err)
	}
	return g.verdict()
}

// saver is asked to save and looked at meanwhile.
type saver interface {
	quiet() error                   // looks before the save
	begin() error                   // does not wait for what is answered: the writes that come meanwhile are to be timed
	saving() (over bool, err error) // looks while it runs
	end() error                     // says whether what was begun was right
	extra() int64                   // bytes of memory that it has taken
}

// saveUnderWrites has a server save while writes come at a fixed rate.
func (p plan) saveUnderWrites(s *Server, watched saver, f fill) (out Saved, err error) {
	w := Workload{Op: "SET", Keys: 1, Value: f.value, Depth: 1, Noise: f.noise, Fresh: f.fresh, Seed: seedOfSave}
	g, err := newGenerator([]string{s.Addr}, p.conns, w, f.keys)
	if err != nil {
		return out, err
	}
	defer g.close()
	host0, err := readHost()
	if err != nil {
		return out, err
	}
	began := time.Now()
	if err := p.writeUntil(g, func() (bool, error) { return time.Since(began) > saveQuiet/3, nil }); err != nil {
		return out, err
	}
	g.reset()
	if err := p.writeUntil(g, func() (bool, error) { return time.Since(began) > saveQuiet, watched.quiet() }); err != nil {
		return out, err
	}
	out.QuietP99 = quantile(g.hist, 99)
	g.reset()
	if err := watched.begin(); err != nil {
		return out, err
	}
	began = time.Now()
	err = p.writeUntil(g, func() (bool, error) {
		if time.Since(began) > saveMax {
			return false, fmt.Errorf("no end of the save after %s", saveMax)
		}
		return watched.saving()
	})
	if err != nil {
		return out, err
	}
	out.Seconds, out.ExtraMiB = time.Since(began).Seconds(), float64(watched.extra())/(1<<20)
	out.P99, out.LongestMS, out.Late = quantile(g.hist, 99), quantile(g.hist, 100)/1e3, quantile(g.late, 99)
	host1, err := readHost()
	if err != nil {
		return out, err
	}
	out.Steal = host1.stealSince(host0)
	return out, errors.Join(watched.end(), g.verdict())
}

// writeUntil sends chunk after chunk at the rate, until over says so between two of them.
func (p plan) writeUntil(g *generator, over func() (bool, error)) error {
	const chunk = time.Second * saveChunk / saveASecond
	rate := schedule{perSecond: int(saveChunk * time.Second / (chunk - lead))} // each chunk begins a lead late
	for {
		if err := p.stopped(); err != nil {
			return err
		}
		if _, err := g.paced(rate, saveChunk); err != nil {
			return err
		}
		if done, err := over(); done || err != nil {
			return err
		}
	}
}

// saveWatch looks at what a save takes of memory: of a process that saves by itself, how much more it has than before; of one that forks, what it says itself
// of pages that its child and it have no longer in common.
type saveWatch struct {
	s            *Server
	asked        net.Conn
	before, most int64 // resident bytes
	copied       int64 // bytes that it says
}

func (w *saveWatch) begin() (err error) {
	if w.asked, err = net.DialTimeout("tcp4", w.s.Addr, time.Second); err == nil {
		_, err = io.WriteString(w.asked, "BGSAVE\r\n")
	}
	if err != nil {
		return fmt.Errorf("ask %s for a save: %w", w.s.Name, err)
	}
	return nil
}

func (w *saveWatch) end() error {
	defer w.asked.Close()
	_ = w.asked.SetReadDeadline(time.Now().Add(readyMax))
	answer := make([]byte, 256)
	n, err := w.asked.Read(answer)
	if err != nil || answer[0] != '+' {
		return fmt.Errorf("BGSAVE was answered %q: %w", answer[:n], err)
	}
	return nil
}

func (w *saveWatch) quiet() error {
	now, err := residentBytes(w.s.pid())
	w.before = max(w.before, now)
	return err
}

// saving looks while the save runs, and says whether it is over.
func (w *saveWatch) saving() (over bool, err error) {
	now, err := residentBytes(w.s.pid())
	if err != nil {
		return false, err
	}
	w.most = max(w.most, now)
	text, err := w.s.ask("INFO", "persistence")
	if err != nil {
		return false, err
	}
	over = field(text, "rdb_bgsave_in_progress", ":") == "0"
	if over && field(text, "rdb_last_bgsave_status", ":") != "ok" {
		return false, errors.New("the save failed")
	}
	names := []string{"current_cow_peak"}
	if over {
		names = append(names, "rdb_last_cow_size")
	}
	for _, name := range names {
		n, err := strconv.ParseInt(field(text, name, ":"), 10, 64)
		if err != nil {
			return false, fmt.Errorf("INFO persistence: %s: %w", name, err)
		}
		w.copied = max(w.copied, n)
	}
	return over, nil
}

func (w *saveWatch) extra() int64 {
	if strings.HasPrefix(w.s.Name, "redis") {
		return w.copied
	}
	return max(w.most-w.before, 0)
}

func (c *SaveCell) say(w io.Writer) {
	fmt.Fprintf(w, "save of %s keys under %d writes/s: extra memory engine / redis-server %.0f / %.0f MiB = %.2f%s\n", countName(c.Keys), saveASecond,
		mid(c.Ours, savedExtra), mid(c.Theirs, savedExtra), c.Memory(), judged(c.Memory(), saveMemoryTarget))
	fmt.Fprintf(w, "p99 of the writes before → during: engine %.2f → %.2f ms = %.2f%s, redis-server %.2f → %.2f ms\n", mid(c.Ours, savedQuiet)/1e3, mid(c.Ours, savedP99)/1e3,
		c.Tail(), judged(c.Tail(), saveTailTarget), mid(c.Theirs, savedQuiet)/1e3, mid(c.Theirs, savedP99)/1e3)
	fmt.Fprintf(w, "time of the save: engine / redis-server %.1f / %.1f s = %.2f%s\n", mid(c.Ours, savedSeconds), mid(c.Theirs, savedSeconds), c.Time(), judged(c.Time(), saveTimeTarget))
}

func (r *Results) saveTable(w io.Writer) {
	for i := range r.Save {
		c := &r.Save[i]
		fmt.Fprintf(w, "\n## A save in the background under writes\n\n%s keys of %s that do not compress, %d SETs a second in an open loop. Extra memory is of the node's resident memory, the most while it saves beyond the most before, and what redis-server tells of its copy-on-write. The save has the server's one core too. Medians of the rounds.\n\n",
			countName(c.Keys), sizeName(largeValue), saveASecond)
		fmt.Fprintf(w, "| | engine | redis-server | ratio | target | |\n|---|---|---|---|---|---|\n")
		row := func(name, form string, f func(Saved) float64, ratio, target float64) {
			fmt.Fprintf(w, "| %s | "+form+" | "+form+" | **%.2f** | %s | %s |\n", name, mid(c.Ours, f), mid(c.Theirs, f), ratio, atMost(target), verdict(ratio, target))
		}
		row("extra memory, MiB", "%.0f", savedExtra, c.Memory(), saveMemoryTarget)
		row("seconds", "%.1f", savedSeconds, c.Time(), saveTimeTarget)
		fmt.Fprintf(w, "| p99 of the writes before → during, ms | %.2f → %.2f | %.2f → %.2f | | | |\n", mid(c.Ours, savedQuiet)/1e3, mid(c.Ours, savedP99)/1e3,
			mid(c.Theirs, savedQuiet)/1e3, mid(c.Theirs, savedP99)/1e3)
		fmt.Fprintf(w, "| p99 during to p99 before | **%.2f** | %.2f | | %s | %s |\n", c.Tail(), mid(c.Theirs, savedTail), atMost(saveTailTarget), verdict(c.Tail(), saveTailTarget))
		longest := func(s Saved) float64 { return s.LongestMS }
		fmt.Fprintf(w, "| longest during, ms | %.1f | %.1f | | | |\n", mid(c.Ours, longest), mid(c.Theirs, longest))
		late := func(s Saved) float64 { return s.Late / 1e3 }
		fmt.Fprintf(w, "| generator late, p99, ms | %.2f | %.2f | | | |\n", mid(c.Ours, late), mid(c.Theirs, late))
		fmt.Fprintf(w, "\nSteal %s.\n", stealName(most(slices.Concat(c.Ours, c.Theirs), func(s Saved) float64 { return s.Steal }), c.Repeats))
	}
}
