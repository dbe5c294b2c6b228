package clients

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Writer sets keys of its own at a gateway, one after the other, and knows of each what it must be. It reads each before it sets it again. All may be called while it runs
// but Judge.
type Writer struct {
	name, addr string
	patience   time.Duration
	wire       *Wire
	keys       []written
	doubtful   []written // written no more: nobody knows whether the last write has run
	generation int
	stop       chan struct{}
	ended      sync.WaitGroup
	turn       sync.Mutex // held while it does something, and while it is paused

	rounds  atomic.Int64
	longest atomic.Int64 // that it has waited for a reply since Calm, nanoseconds
	mu      sync.Mutex   // of what follows
	failed  []string     // replies and errors since Calm
	wrong   []string     // what must not be
}

// written is a key with the last value that was acknowledged and the last that was sent; 0: none.
type written struct {
	key         string
	acked, sent int
}

const (
	writerKeys  = 50                   // that it has at a time: in all shards
	writerPause = 2 * time.Millisecond // between two writes, so that a machine has time for others
)

// Stop ends it, and waits for that.
func (w *Writer) Stop() {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	w.ended.Wait()
}

// Pause has it stop between two writes until Resume, when so many replicas have what it has written to the shards that answer.
func (w *Writer) Pause(replicas int) error {
	w.turn.Lock()
	if w.wire == nil {
		return nil // all that it has written was on a connection that is lost
	}
	reply, err := w.do("WAIT", fmt.Sprint(replicas), "50000")
	if err == nil && reply != fmt.Sprintf(":%d\r\n", replicas) {
		err = fmt.Errorf("WAIT: %q", reply)
	}
	return err
}

// Resume is Pause's end.
func (w *Writer) Resume() { w.turn.Unlock() }

// Rounds is how many writes were acknowledged.
func (w *Writer) Rounds() int64 { return w.rounds.Load() }

// Calm begins a new count of failures, and gives what there was: how many, one of them, and the longest wait for a reply.
func (w *Writer) Calm() (failures int, last string, longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if failures = len(w.failed); failures > 0 {
		last = w.failed[failures-1]
	}
	w.failed = nil
	return failures, last, time.Duration(w.longest.Swap(0))
}

// Wrong is what must not be: acknowledged writes that were lost, values that nobody has written.
func (w *Writer) Wrong() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrong
}

func (w *Writer) run() {
	every := time.NewTicker(writerPause)
	defer every.Stop()
	for i := 0; ; i = (i + 1) % len(w.keys) {
		select {
		case <-w.stop:
			if w.wire != nil {
				w.wire.Close()
			}
			return
		case <-every.C:
		}
		w.turn.Lock()
		w.one(i)
		w.turn.Unlock()
	}
}

// one takes a key's turn. When it fails, the key is written no more, and another takes its place.
func (w *Writer) one(i int) {
	k := &w.keys[i]
	if k.key == "" {
		k.key = fmt.Sprintf("%s:%d:%d", w.name, i, w.generation)
	}
	err := w.step(k)
	if err == nil {
		return
	}
	w.fails(err)
	if k.sent > 0 {
		w.doubtful = append(w.doubtful, *k)
	}
	w.generation++
	*k = written{}
}

// step reads a key and sets it again.
func (w *Writer) step(k *written) error {
	reply, err := w.do("GET", k.key)
	if err != nil {
		return err
	}
	if want := bulk(k.acked); reply != want {
		w.isWrong("%s is %q, and was acknowledged as %q", k.key, reply, want)
	}
	k.sent = k.acked + 1
	if reply, err = w.do("SET", k.key, fmt.Sprint(k.sent)); err == nil && reply != "+OK\r\n" {
		err = fmt.Errorf("SET %s: %q", k.key, reply)
	}
	if err != nil {
		return err
	}
	k.acked = k.sent
	w.rounds.Add(1)
	return nil
}

func bulk(n int) string {
	if n == 0 {
		return "$-1\r\n"
	}
	text := fmt.Sprint(n)
	return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
}

// do has one command answered. Error replies are errors.
func (w *Writer) do(words ...string) (string, error) {
	begun := time.Now()
	defer func() {
		if took := int64(time.Since(begun)); took > w.longest.Load() {
			w.longest.Store(took)
		}
	}()
	if w.wire == nil {
		wire, err := OpenWithin(w.addr, w.patience)
		if err != nil {
			return "", err
		}
		w.wire = wire
	}
	reply, err := w.wire.DoWithin(w.patience, words...)
	if err != nil {
		w.wire.Close()
		w.wire = nil
		return "", err
	}
	if strings.HasPrefix(string(reply), "-") {
		return "", errors.New(strings.Join(words, " ") + ": " + strings.TrimSpace(string(reply)))
	}
	return string(reply), nil
}

func (w *Writer) fails(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, time.Now().Format("05.000 ")+err.Error())
}

func (w *Writer) isWrong(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	const most = 10
	if len(w.wrong) < most {
		w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
	}
}

// Judge reads all that it has ever written at an address, once it has stopped, and gives how many keys that are.
func (w *Writer) Judge(t testing.TB, addr string) (keys int) {
	t.Helper()
	wire, err := Open(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer wire.Close()
	for _, k := range append(w.doubtful, w.keys...) {
		if k.key == "" {
			continue
		}
		keys++
		reply, err := wire.Do("GET", k.key)
		if got := string(reply); err != nil || got != bulk(k.acked) && got != bulk(k.sent) {
			t.Errorf("%s is %q, %v: acknowledged was %d, sent %d", k.key, got, err, k.acked, k.sent)
		}
	}
	return keys
}
