package clients_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/control/controller"
	"larder/internal/clients"
	"larder/internal/failures"
)

// gapMax is far above what any fault takes, on however busy a machine.
const gapMax = 30 * time.Second

// suffers has a fault happen while clients write, and judges what they were told. Under `replicated` nothing may be lost, taken back or done twice; under both
// no connection of a client may be closed, unless its gateway ends.
func (w *ward) suffers(f fault, shard int) {
	w.t.Helper()
	w.whole()
	w.faults++
	all, readers := w.writers(), w.readers()
	const enough = 40
	started := time.Now()
	w.flows(all, started, enough)
	calm := time.Now()
	w.flows(all, calm, enough)
	begun := time.Now()
	end := f.begin(w, shard)
	time.Sleep(f.lasts) // that long it is to last
	end()
	w.flows(all, time.Now(), enough)
	ended := time.Now()
	var deeds []failures.Deed
	for _, s := range all {
		s.Stop()
		deeds = append(deeds, s.Deeds()...)
	}
	readers.end()
	of := func(the bool) func(string) bool {
		return func(lane string) bool { return strings.HasPrefix(lane, w.lanes[shard]) == the }
	}
	row := failures.Row{
		Fault: f.what, Gap: failures.Gap(deeds, of(true), begun, ended), Other: failures.Gap(deeds, of(false), begun, ended),
		Noise: failures.Gap(deeds, func(string) bool { return true }, calm, begun), Verdict: w.judges(deeds),
	}
	row.Faults = append(row.Faults, readers.judge(w.t)...)
	w.rows = append(w.rows, row)
	w.t.Logf("%s, %s", w.durability, strings.TrimSpace(strings.Join(strings.Split(failures.Table("", []failures.Row{row}), "\n")[4:], "")))
	if f.silent && len(row.Errors) > 0 {
		w.t.Errorf("%s: clients saw %v", f.what, row.Errors)
	}
	if row.Gap > gapMax {
		w.t.Errorf("%s: writes stood still for %s", f.what, row.Gap)
	}
	if replicated := w.durability == controller.Replicated; replicated && (row.Lost > 0 || row.Twice > 0 || len(row.Faults) > 0) || row.Closed > 0 && !f.closes {
		w.t.Errorf("%s, %s: %d lost, %d twice, %d sockets closed, errors %v", w.durability, f.what, row.Lost, row.Twice, row.Closed, row.Errors)
		w.shows(row.Faults, deeds, begun)
	} else if !f.closes {
		const some = 6
		w.errorsOf(deeds, begun, some)
	}
}

// judges wants both gateways to show the same in the end.
func (w *ward) judges(deeds []failures.Deed) failures.Verdict {
	w.t.Helper()
	v := failures.Judge(deeds, w.final(w.doors[0], deeds))
	if other := failures.Judge(deeds, w.final(w.doors[1], deeds)); fmt.Sprint(v) != fmt.Sprint(other) {
		v.Faults = append(v.Faults, "the other gateway shows something else")
	}
	return v
}

// errorsOf shows some errors, and when connections were made.
func (w *ward) errorsOf(deeds []failures.Deed, begun time.Time, most int) {
	w.t.Helper()
	shown := 0
	for _, d := range deeds {
		if at := d.Returned.Sub(begun); shown < most && (d.Err != "" || d.Kind == failures.Connect && at > 0) {
			shown++
			w.t.Logf("%s after the fault began: %s", at.Round(time.Millisecond), d.Line())
		}
	}
}

// shows what helps to find a cause.
func (w *ward) shows(faults []string, deeds []failures.Deed, begun time.Time) {
	w.t.Helper()
	const most = 25
	for _, text := range faults[:min(most, len(faults))] {
		w.t.Log(text)
	}
	w.errorsOf(deeds, begun, most)
	events, _, _ := clients.Binary.Run(larder, w.t, "events", "--api", w.apis[0], "--api-key-file", w.keys["api"])
	w.t.Logf("the fault began %s; events:\n%s", begun.Format("15:04:05.000"), lastOf(events, 4000))
}

// TestFailures: under `replicated`, while go-redis, ioredis and redis-py write each 10 ms over two gateways: a primary is killed, is frozen and wakes, is killed with
// the controller that leads, and while a gateway hears nobody of Consul; another is
// chosen by an operator, of which nobody sees an error. Writes flow again, none that was acknowledged is lost, none runs twice, what is read is
// linearizable, and no client's connection is closed. How long it takes is a matter of `make test-failures`.
func TestFailures(t *testing.T) {
	t.Parallel()
	w := startWard(t, controller.Replicated, t.TempDir)
	for i, f := range []fault{primaryKilled, primaryFrozen, primaryAndController, primaryUnknownGateway, plannedSwitch} {
		w.suffers(f, i%wardShards)
	}
}
