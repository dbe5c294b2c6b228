package children

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"larder/control/host"
)

// patience is how long tests wait for what must come.
const patience = time.Minute

// Ports of nodes here: below those that the system gives to connections, and above those that other tests take.
const (
	portFirst = 32000
	portLast  = 32767
)

// asNode has this program be a node, as the word says: it locks its folder, listens and waits to be told to end.
const asNode = "CHILDREN_TEST_NODE"

func TestMain(m *testing.M) {
	if how := os.Getenv(asNode); how != "" {
		os.Exit(beNode(how))
	}
	goleak.VerifyTestMain(m)
}

func beNode(how string) int {
	flags := map[string]string{}
	for i, word := range os.Args {
		if name, ok := strings.CutPrefix(word, "--"); ok && i+1 < len(os.Args) {
			flags[name] = os.Args[i+1]
		}
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	if how == "fails" {
		fmt.Fprintln(os.Stderr, "larder: the settings are wrong")
		return 3
	}
	lock, err := os.OpenFile(filepath.Join(flags["dir"], "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil || syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		fmt.Fprintln(os.Stderr, "larder: the folder is in use")
		return 1
	}
	defer lock.Close()
	_, _ = lock.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	l, err := net.Listen("tcp", flags["listen"])
	if err != nil {
		fmt.Fprintln(os.Stderr, "larder:", err)
		return 1
	}
	defer l.Close()
	fmt.Fprintln(os.Stderr, "serves", strings.Join(os.Args[1:], " "))
	<-term
	return 0
}

// bed is a machine's part that starts nodes.
type bed struct {
	t *testing.T
	o Options
	*Children
	stop func()
}

func newBed(t *testing.T) *bed {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	port := portFirst + rand.IntN(portLast-portFirst-20)
	b := &bed{t: t, o: Options{
		Command: []string{binary, "engine"}, Env: append(os.Environ(), asNode+"=runs"), Dir: filepath.Join(t.TempDir(), "nodes"), Lock: "lock",
		Listen: "127.0.0.1", Advertise: "localhost", PortFirst: port, PortLast: port + 20, LogMax: 1 << 10, Log: slog.New(slog.DiscardHandler),
		Chance: rand.New(rand.NewPCG(1, 2)),
	}}
	b.start()
	t.Cleanup(func() {
		for _, p := range b.running() {
			p.Kill()
			b.ended(p)
		}
		b.stop()
	})
	return b
}

// start begins with nothing known, as another process does.
func (b *bed) start() {
	b.Children = New(b.o)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func(c *Children) {
		defer close(ended)
		_ = c.Run(ctx)
	}(b.Children)
	b.stop = func() {
		stop()
		<-ended
	}
}

func (b *bed) launch(node string) *child {
	b.t.Helper()
	p, err := b.Start(b.t.Context(), host.Launch{Cluster: "c", Node: node, MaxMemory: 5, Parameters: map[string]string{"hz": "1"}})
	if err != nil {
		b.t.Fatal(err)
	}
	return p.(*child)
}

func (b *bed) find(node string) *child {
	b.t.Helper()
	p, err := b.Find(b.t.Context(), node)
	if err != nil {
		b.t.Fatal(err)
	}
	if p == nil {
		return nil
	}
	return p.(*child)
}

func (b *bed) ended(p *child) string {
	b.t.Helper()
	select {
	case <-p.Ended():
	case <-time.After(patience):
		b.t.Fatalf("node %s does not end", p.node)
	}
	return p.Why()
}

func (b *bed) eventually(what string, so func() bool) {
	b.t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatal("never: " + what)
		}
	}
}

func (b *bed) logged(node, file string) string {
	text, _ := os.ReadFile(filepath.Join(b.o.Dir, node, file))
	return string(text)
}

func (b *bed) serves(p *child) {
	b.t.Helper()
	b.eventually("node serves: "+b.logged(p.node, logName), func() bool {
		conn, err := net.Dial("tcp", p.Addr())
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// TestSurvives: a node is a process of its own session with its own log; who has not started it finds it by its number, or by its lock, and is told when it ends.
func TestSurvives(t *testing.T) {
	b := newBed(t)
	b.o.Flags = func(parameters map[string]string) []string {
		return []string{"--set", fmt.Sprint("hz=", parameters["hz"])}
	}
	b.stop()
	b.start()
	if p := b.find("c-1"); p != nil {
		t.Fatalf("found %+v before there was one", p)
	}
	p := b.launch("c-1")
	b.serves(p)
	if sid, err := getsid(p.record.PID); err != nil || sid != p.record.PID {
		t.Errorf("its session is %d, its process %d: %v", sid, p.record.PID, err)
	}
	want := "--managed --node-id c-1 --dir " + filepath.Join(b.o.Dir, "c-1") + " --listen 127.0.0.1:"
	if said := b.logged("c-1", logName); !strings.Contains(said, want) || !strings.Contains(said, "--maxmemory 5 --set hz=1") {
		t.Errorf("it was started as %s", said)
	}
	if b.find("c-1") != p {
		t.Error("another is found than was started")
	}
	b.stop()
	name := filepath.Join(b.o.Dir, "c-1", recordName)
	for how, left := range map[string]record{
		"by its number": p.record,
		"by its lock":   {Addr: p.Addr()}, // as one leaves it who ends between starting a node and writing its number
		"by its lock, though another was started meanwhile that has ended": {Addr: "localhost:1", PID: os.Getpid(), Start: "0"},
	} {
		if err := left.write(name); err != nil {
			t.Fatal(err)
		}
		b.start()
		again := b.find("c-1")
		if again == nil || again.record != p.record || again.own {
			t.Fatalf("%s is found %+v, and was started %+v", how, again, p)
		}
		b.stop()
	}
	b.start()
	again := b.find("c-1")
	again.Stop()
	if why := b.ended(again); !strings.Contains(why, "no host was there") || !strings.Contains(why, "serves") {
		t.Errorf("it ended: %s", why)
	}
	p.look() // nobody but this process could be told
	if found := b.find("c-1"); found != nil {
		t.Errorf("found %+v after it has ended", found)
	}
	next := b.launch("c-1")
	if b.serves(next); next.Addr() == "" || next.record == p.record {
		t.Errorf("started again as %+v", next.record)
	}
}

// TestEnds: how a node has ended is told with the last that it said.
func TestEnds(t *testing.T) {
	b := newBed(t)
	p := b.launch("c-1")
	b.serves(p)
	p.Kill()
	if why := b.ended(p); !strings.HasPrefix(why, "signal: killed") {
		t.Error(why)
	}
	p = b.launch("c-1")
	b.serves(p)
	p.Stop()
	if why := b.ended(p); !strings.HasPrefix(why, "exit status 0") {
		t.Error(why)
	}
	p.Kill() // nobody has that number any more
	b.o.Env = append(os.Environ(), asNode+"=fails")
	b.stop()
	b.start()
	if why := b.ended(b.launch("c-1")); why != "exit status 3: larder: the settings are wrong" {
		t.Error(why)
	}
	b.o.Command = []string{filepath.Join(t.TempDir(), "gone")}
	b.stop()
	b.start()
	if _, err := b.Start(t.Context(), host.Launch{Node: "c-1"}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := b.Erase("c-1"); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(b.o.Dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestNeverTwo: two who start the same node at once have one in the end, which both find.
func TestNeverTwo(t *testing.T) {
	b := newBed(t)
	other := newBed(t)
	other.o.Dir = b.o.Dir
	other.stop()
	other.start()
	one, two := b.launch("c-1"), other.launch("c-1")
	var loser *child
	select {
	case <-one.Ended():
		loser = one
	case <-two.Ended():
		loser = two
	case <-time.After(patience):
		t.Fatal("both run")
	}
	if !strings.Contains(loser.Why(), "the folder is in use") {
		t.Errorf("one ended: %s", loser.Why())
	}
	winner := two
	if loser == two {
		winner = one
	}
	b.serves(winner)
	mine, theirs := b.find("c-1"), other.find("c-1")
	if mine == nil || theirs == nil || mine.record != winner.record || theirs.record != winner.record {
		t.Errorf("found %+v and %+v, and %+v runs", mine, theirs, winner)
	}
	if err := b.Erase("c-1"); err == nil {
		t.Error("erased while it runs")
	}
}

// TestOthers: a process that no host has started is neither taken over nor killed, nor is one that has got a node's old number.
func TestOthers(t *testing.T) {
	b := newBed(t)
	dir := filepath.Join(b.o.Dir, "c-1")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	start, err := started(os.Getpid())
	if err != nil || start == "" {
		t.Fatalf("when this process began: %q, %v", start, err)
	}
	if err := (record{Addr: "localhost:1", PID: os.Getpid(), Start: start + "0"}).write(filepath.Join(dir, recordName)); err != nil {
		t.Fatal(err)
	}
	if p := b.find("c-1"); p != nil {
		t.Errorf("found %+v", p)
	}
	lock, err := os.Create(filepath.Join(dir, b.o.Lock))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Find(t.Context(), "c-1"); err == nil || !strings.Contains(err.Error(), "does not say who") {
		t.Error(err)
	}
	if _, err := fmt.Fprintln(lock, os.Getpid()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, recordName)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Find(t.Context(), "c-1"); err == nil || !strings.Contains(err.Error(), "no host has started it") {
		t.Error(err)
	}
}

// TestPorts: a node comes back to its port unless somebody else has it; if all are taken it is not started, and that is said.
func TestPorts(t *testing.T) {
	b := newBed(t)
	p := b.launch("c-1")
	b.serves(p)
	p.Kill()
	b.ended(p)
	same, err := b.Start(t.Context(), host.Launch{Node: "c-1", Addr: p.Addr()})
	if err != nil || same.Addr() != p.Addr() {
		t.Fatalf("%v, at %s before", err, p.Addr())
	}
	b.serves(same.(*child))
	same.Kill()
	b.ended(same.(*child))
	_, port, _ := net.SplitHostPort(p.Addr())
	stranger, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	elsewhere, err := b.Start(t.Context(), host.Launch{Node: "c-1", Addr: p.Addr()})
	if err != nil || elsewhere.Addr() == p.Addr() {
		t.Fatalf("%v, at %s before", err, p.Addr())
	}
	b.serves(elsewhere.(*child))
	b.mu.Lock()
	b.Children.o.PortFirst, _ = strconv.Atoi(port)
	b.Children.o.PortLast = b.Children.o.PortFirst
	b.mu.Unlock()
	if _, err := b.Start(t.Context(), host.Launch{Node: "c-2"}); err == nil || !strings.Contains(err.Error(), "host.ports") {
		t.Error(err)
	}
}

// TestLogs: a log that has become long begins anew, and what it said stays; where that cannot be done it goes on, and so does the node.
func TestLogs(t *testing.T) {
	b := newBed(t)
	p := b.launch("c-1")
	b.serves(p)
	out, err := os.OpenFile(p.log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := os.Mkdir(filepath.Join(filepath.Dir(p.log), logBefore), 0o700); err != nil { // as good as a disk that takes no copy
		t.Fatal(err)
	}
	say := func(text string) {
		if _, err := out.WriteString(strings.Repeat(text, 1+int(b.o.LogMax)/len(text)) + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	say("one")
	if err := trim(filepath.Dir(p.log), b.o.LogMax); err == nil || !strings.Contains(b.logged("c-1", logName), "oneone") {
		t.Errorf("%v; %.20s", err, b.logged("c-1", logName))
	}
	_ = os.Remove(filepath.Join(filepath.Dir(p.log), logBefore)) // trim has, perhaps
	b.eventually("it begins anew", func() bool { return b.logged("c-1", logName) == "" })
	if before := b.logged("c-1", logBefore); !strings.Contains(before, "serves") || !strings.Contains(before, "oneone") {
		t.Errorf("before: %.20s", before)
	}
	if _, err := out.WriteString("after\n"); err != nil || b.logged("c-1", logName) != "after\n" {
		t.Errorf("%v; %.20q", err, b.logged("c-1", logName))
	}
	say("two")
	b.eventually("and again", func() bool { return strings.Contains(b.logged("c-1", logBefore), "twotwo") })
	b.serves(p)
}

func getsid(pid int) (int, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	return strconv.Atoi(fields[3])
}
