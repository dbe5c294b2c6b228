package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/failures"
)

// Steady is a client that writes each 10 ms in each of its lanes, and tells in a file what it was told. It is a program in another language, or this one with
// go-redis.
type Steady struct {
	Name string

	t     testing.TB
	file  *os.File // what it has told, for whoever writes
	path  string
	read  int // bytes of it
	deeds []failures.Deed

	input io.Closer // of the program: it ends when that does
	cmd   *exec.Cmd
	stop  chan struct{} // of go-redis
	ended sync.WaitGroup
	once  sync.Once
}

const (
	steadyEvery   = 10 * time.Millisecond
	steadyReply   = 8 * time.Second // longer than a gateway holds a command
	steadyConnect = 2 * time.Second
)

func newSteady(t testing.TB, name string) *Steady {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &Steady{Name: name, t: t, file: file, path: path, stop: make(chan struct{})}
	t.Cleanup(s.Stop)
	return s
}

// SteadyProgram starts one that is a program, which ends when its input does, with the addresses that it tries and its lanes as its last arguments.
func SteadyProgram(t testing.TB, name, dir string, addrs, lanes []string, program ...string) *Steady {
	t.Helper()
	s := newSteady(t, name)
	s.cmd = exec.Command(program[0], append(program[1:], strings.Join(addrs, ","), strings.Join(lanes, ","))...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, s.file, os.Stderr
	var err error
	if s.input, err = s.cmd.StdinPipe(); err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// SteadyOptions are those of go-redis for a client that writes steadily: what it sees, the writer sees, since it tries nothing again by itself.
func SteadyOptions(addr string) *redis.Options {
	return &redis.Options{
		Addr: addr, MaxRetries: -1, PoolSize: 1, DialerRetries: 1, DialTimeout: steadyConnect, ReadTimeout: steadyReply, WriteTimeout: steadyReply,
	}
}

// Stop ends it, and waits for that.
func (s *Steady) Stop() {
	s.once.Do(func() {
		close(s.stop)
		if s.cmd != nil {
			s.input.Close()
			if err := s.cmd.Wait(); err != nil {
				s.t.Errorf("%s: %v", s.Name, err)
			}
		}
		s.ended.Wait()
		s.file.Close()
	})
}

// Deeds is all that it has told so far.
func (s *Steady) Deeds() []failures.Deed {
	s.t.Helper()
	text, err := os.ReadFile(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	fresh := text[s.read:]
	whole := bytes.LastIndexByte(fresh, '\n') + 1
	s.read += whole
	for line := range strings.Lines(string(fresh[:whole])) {
		d, err := failures.ParseDeed(strings.TrimSuffix(line, "\n"))
		if err != nil {
			s.t.Fatalf("%s: %v", s.Name, err)
		}
		s.deeds = append(s.deeds, d)
	}
	return s.deeds
}

// steadyLane is a lane of go-redis. Each line is written by one call, so lanes share the file.
type steadyLane struct {
	s      *Steady
	lane   string
	addrs  []string
	at     int // whose turn it is
	open   func(addr string) redis.UniversalClient
	c      redis.UniversalClient
	values map[failures.Kind]int
}

func (w *steadyLane) run() {
	every := time.NewTicker(steadyEvery)
	defer every.Stop()
	for i := 0; ; i++ {
		select {
		case <-w.s.stop:
			if w.c != nil {
				_ = w.c.Close()
			}
			return
		case <-every.C:
		}
		kind := failures.Kinds[i%len(failures.Kinds)]
		w.values[kind]++
		d := failures.Deed{Lane: w.lane, Kind: kind, Value: w.values[kind], Called: time.Now()}
		if reply, err := w.write(d); err != nil {
			d.Err = w.failed(err)
		} else {
			d.Reply = reply
		}
		d.Returned = time.Now()
		w.tell(d)
	}
}

func (w *steadyLane) tell(d failures.Deed) {
	if _, err := fmt.Fprintln(w.s.file, d.Line()); err != nil {
		w.s.t.Error(err)
	}
}

// write does a deed.
func (w *steadyLane) write(d failures.Deed) (string, error) {
	if w.c == nil {
		now := time.Now()
		w.tell(failures.Deed{Lane: w.lane, Kind: failures.Connect, Called: now, Returned: now, Reply: "ok"})
		w.c = w.open(w.addrs[w.at%len(w.addrs)])
		w.c.AddHook(opaque{})
	}
	ctx, key := context.Background(), d.Kind.Key(w.lane)
	switch d.Kind {
	case failures.Set:
		was, err := w.c.SetArgs(ctx, key, d.Value, redis.SetArgs{Get: true}).Result()
		if errors.Is(err, redis.Nil) {
			err = nil
		}
		return was, err
	case failures.Incr:
		n, err := w.c.Incr(ctx, key).Result()
		return fmt.Sprint(n), err
	case failures.Push:
		n, err := w.c.RPush(ctx, key, d.Value).Result()
		return fmt.Sprint(n), err
	}
	var n, length *redis.IntCmd
	_, err := w.c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		n, length = p.Incr(ctx, failures.CounterKey(w.lane)), p.LPush(ctx, key, d.Value)
		return nil
	})
	return fmt.Sprintf("%d,%d", n.Val(), length.Val()), err
}

// failed tells how a deed's error is to be understood. With a connection goes the address that it led to.
func (w *steadyLane) failed(err error) string {
	var said redis.Error
	if errors.As(err, &said) {
		return err.Error()
	}
	_ = w.c.Close()
	w.c = nil
	w.at++
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return "NOTSENT " + err.Error()
	}
	return "lost: " + err.Error()
}

// opaque hides sockets from go-redis, which else looks at one before it uses it, and makes another in silence when it was closed.
type opaque struct{}

func (opaque) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return struct{ net.Conn }{c}, nil
	}
}

func (opaque) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (opaque) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
