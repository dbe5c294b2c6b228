package store_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"larder/engine/store"

	"golang.org/x/sys/unix"
)

// cpu is the processor time of this thread: what other processes do does not count.
func cpu(t testing.TB) time.Duration {
	var u unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Nano())
}

// inSlices runs f until it reports that there is no more, and gives the longest call and all together. The two longest of all are left out: they are
// this machine's, which stops its guests now and then.
func inSlices(t testing.TB, f func() bool) (longest, sum time.Duration, calls int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all []time.Duration
	for more := true; more; calls++ {
		before := cpu(t)
		more = f()
		took := cpu(t) - before
		sum += took
		all = append(all, took)
	}
	slices.Sort(all)
	longest = all[max(len(all)-3, 0)]
	return longest, sum, calls
}

func many(t testing.TB) int {
	if long() {
		return 1_000_000
	}
	return 100_000
}

// TestExpiryPause lets very many keys die at the same moment.
func TestExpiryPause(t *testing.T) {
	const now = 1_700_000_000_000
	s := open(t, 3)
	d := s.DB(0)
	keys := many(t)
	key, value := make([]byte, 16), make([]byte, 64)
	for i := range keys {
		d.Set(sixteen(key, i), value, store.FormRaw, now+3_600_000, now)
	}
	full := s.Reserved()
	longest, sum, calls := inSlices(t, func() bool {
		_, more := s.Expire(now+3_600_016, 128) // as much as the node does between two looks at the clock
		return more || s.Work(256<<10)
	})
	t.Logf("%d keys: %d slices, the longest %v, %v in all, %d ns a key; %d MiB before, %d KiB after", keys, calls, longest, sum, sum.Nanoseconds()/int64(keys), full>>20, s.Reserved()>>10)
	if d.Len() != 0 || s.Reserved() > full/10 {
		t.Errorf("%d keys and %d bytes are left", d.Len(), s.Reserved())
	}
	if longest > 2*time.Millisecond {
		t.Errorf("a slice took %v", longest)
	}
}

// TestExpiryRate lets 100,000 keys a second die, with many others living.
func TestExpiryRate(t *testing.T) {
	const now, seconds = 1_700_000_000_000, 5
	s := open(t, 3)
	d := s.DB(0)
	rate := many(t) / 10
	key, value := make([]byte, 16), make([]byte, 64)
	for i := range seconds * rate {
		d.Set(sixteen(key, i), value, store.FormRaw, now+10_000+int64(i)*1000/int64(rate), now)
		d.Set(sixteen(key, 1e9+i), value, store.FormRaw, store.NoExpiry, now)
	}
	clock, late := int64(now), 0
	longest, sum, _ := inSlices(t, func() bool {
		clock += 10
		for more := true; more; {
			_, more = s.Expire(clock, 512)
		}
		s.Work(64 << 10)
		due := max((clock-now-10_000)*int64(rate)/1000, 0)
		late = max(late, d.Expires()-(seconds*rate-int(due)))
		return d.Expires() > 0
	})
	each := sum.Nanoseconds() / int64(seconds*rate)
	t.Logf("%d ns an expired key, that is %.1f %% of a processor at 100,000 a second; longest tick %v; at most %d keys late", each, float64(each)*100_000/1e7, longest, late)
	if late > rate/10 {
		t.Errorf("%d keys were late", late)
	}
	if long() && each > 300 {
		t.Errorf("%d ns an expired key: more than 3 %% of a processor at 100,000 a second", each)
	}
}

// TestFlushPause empties a full database.
func TestFlushPause(t *testing.T) {
	s := open(t, 3)
	d := s.DB(0)
	keys := many(t)
	key, value := make([]byte, 16), make([]byte, 64)
	for i := range keys {
		d.Set(sixteen(key, i), value, store.FormRaw, int64(i%2)*2_000_000_000_000, 1)
	}
	big := s.NewBig(64 << 20)
	for big.Len() < 64<<20 {
		if _, err := big.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	d.SetBig([]byte("big"), big, store.FormRaw, store.NoExpiry, 1)
	first := true
	longest, sum, calls := inSlices(t, func() bool {
		if first {
			first = false
			d.Flush()
			return true
		}
		return s.Work(256 << 10)
	})
	t.Logf("%d keys: %d slices, the longest %v, %v in all; %d KiB after", keys, calls, longest, sum, s.Reserved()>>10)
	if longest > 2*time.Millisecond {
		t.Errorf("a slice took %v", longest)
	}
	if s.Reserved() > 4<<20 || s.Memory() != 0 {
		t.Errorf("%d bytes are reserved", s.Reserved())
	}
}

// TestWritePause writes values of shifting sizes: what a write pays for others' dead bytes is bounded.
func TestWritePause(t *testing.T) {
	s := open(t, 3)
	d := s.DB(0)
	keys := many(t)
	key, value := make([]byte, 16), make([]byte, 300)
	i := 0
	longest, sum, calls := inSlices(t, func() bool {
		for range 16 { // a clock of microseconds does not see one
			i++
			d.Set(sixteen(key, i*7919%keys), value[:i*31%300], store.FormRaw, store.NoExpiry, 1)
		}
		return i < 5*keys
	})
	t.Logf("%d writes: the longest 16 took %v, %d ns a write", i, longest, sum.Nanoseconds()/int64(i))
	if longest > 2*time.Millisecond {
		t.Errorf("16 writes took %v (%d calls)", longest, calls)
	}
}
