package stock_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"larder/backends"
	"larder/backends/stock"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/command"
	"larder/router"
)

func TestMain(m *testing.M) { os.Exit(fleet.Main(m)) }

func dial(t *testing.T, addr string) *backends.Admin {
	t.Helper()
	a, err := backends.Dial(t.Context(), addr, backends.Auth{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// TestTable: what a real server says of its commands is read as our own table has it.
func TestTable(t *testing.T) {
	addr := peers.StartRedis(t)
	rows, err := stock.Table(t.Context(), dial(t, addr))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, row := range rows {
		own := command.Named([]byte(row.Name))
		if len(own) == 0 {
			continue
		}
		compared++
		unnoted := func(specs []command.KeySpec) (plain []command.KeySpec) { // notes are each one's own
			for _, k := range specs {
				k.Notes = ""
				plain = append(plain, k)
			}
			return plain
		}
		const shown = command.Write | command.ReadOnly | command.Blocking | command.Admin | command.MovableKeys
		if want := own[0]; row.Arity == 0 || row.Flags&shown != want.Flags&shown || row.Categories != want.Categories || !slices.Equal(unnoted(row.KeySpecs), unnoted(want.KeySpecs)) {
			t.Errorf("%s is read as\n%+v, want\n%+v", row.Name, row, *want)
		}
	}
	if compared < 300 {
		t.Errorf("%d commands compared", compared)
	}
}

// list is a reply of texts and, in nested lists, more.
func list(elements ...any) backends.Reply {
	var r backends.Reply
	for _, e := range elements {
		switch e := e.(type) {
		case string:
			r.List = append(r.List, backends.Reply{Text: e})
		case backends.Reply:
			r.List = append(r.List, e)
		}
	}
	return r
}

// TestParse: replies of older servers, and nonsense.
func TestParse(t *testing.T) {
	none := list()
	old := list("M.Range", "-3", list("readonly", "nonsense"), "1", "3", "2")
	older := list("m.end", "-3", list("write", "readonly"), "2", "-1", "1", list("@write", "@custom"))
	rows, err := stock.Parse(list(old, older))
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	if r := rows[0]; r.Name != "m.range" || r.Arity != -3 || r.Flags != command.ReadOnly || len(r.KeySpecs) != 1 || r.KeySpecs[0].LastKey != 2 || r.KeySpecs[0].Step != 2 || r.KeySpecs[0].Index != 1 {
		t.Errorf("read as %+v", r)
	}
	if r := rows[1]; r.Flags != command.Write || r.Categories != command.CatWrite || r.KeySpecs[0].LastKey != -1 {
		t.Errorf("read as %+v", r)
	}
	spec := list("flags", none, "begin_search", list("type", "index", "spec", list("index", "x")), "find_keys", list("type", "unknown", "spec", none))
	for _, c := range []struct {
		reply backends.Reply
		wrong string
	}{
		{list("x"), "0 facts"},
		{list(list("m.x", "1")), "2 facts"},
		{list(list("m.x", "one", none, "0", "0", "0")), "no number"},
		{list(list("m.x", "1", none, "0", "0", "99999999999999999999")), "no number"},
		{list(list("m.x", "1", none, "0", "0", "0", none, none, list(spec), none)), "key spec"},
		{list(list("m.x", "1", none, "0", "0", "0", none, none, none, list("sub"))), "0 facts"},
	} {
		if _, err := stock.Parse(c.reply); err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%v: %v, want %q", c.reply, err, c.wrong)
		}
	}
	spec = list("flags", none, "begin_search", list("type", "odd"), "find_keys", none)
	rows, err = stock.Parse(list(list("m.x", "1", list("module"), "0", "0", "0", none, none, list(spec), none)))
	if err != nil || rows[0].KeySpecs[0].Begin != command.BeginUnknown || rows[0].KeySpecs[0].Find != command.FindUnknown {
		t.Error(rows, err)
	}
}

// asked is a server that knows COMMAND and says what words it heard.
func asked(t *testing.T, serve func(words []string) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			for {
				n, err := conn.Read(buf)
				if err != nil {
					break
				}
				var words []string
				for i, part := range bytes.Split(buf[:n], []byte("\r\n")) {
					if i > 0 && i%2 == 0 {
						words = append(words, string(part))
					}
				}
				if _, err := conn.Write([]byte(serve(words))); err != nil {
					break
				}
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

func bulk(text string) string {
	return "$" + strconv.Itoa(len(text)) + "\r\n" + text + "\r\n"
}

// TestCommands: what servers can do is followed: a node of ours is left alone, a server that is lost keeps what is known of it, one that has other modules is
// asked again, one that is no primary any more is forgotten.
func TestCommands(t *testing.T) {
	name := atomic.Pointer[string]{}
	first, silent := "m.a", atomic.Bool{}
	name.Store(&first)
	var tables atomic.Int64
	module := asked(t, func(words []string) string {
		switch strings.Join(words, " ") {
		case "INFO server":
			if silent.Load() {
				return "-ERR not now\r\n"
			}
			return bulk("# Server\r\nrun_id:abc\r\n")
		case "COMMAND COUNT":
			return ":1\r\n"
		case "MODULE LIST":
			return "*1\r\n" + bulk(*name.Load())
		case "COMMAND":
			tables.Add(1)
			return "*1\r\n*6\r\n" + bulk(*name.Load()) + ":2\r\n*2\r\n+readonly\r\n+module\r\n:1\r\n:1\r\n:1\r\n"
		}
		return "-ERR unknown command\r\n"
	})
	plain, ours := peers.StartRedis(t), fleet.Node(t)
	topology := fleet.Topology(t, []string{plain, module, ours})
	var told []*command.Overlay
	c := stock.New(stock.Options{Topology: func() *router.Topology { return topology }, Extend: func(o *command.Overlay) { told = append(told, o) }, Log: slog.New(slog.DiscardHandler)})
	look := func(want string) {
		t.Helper()
		c.Look(t.Context())
		var names []string
		for _, row := range told[len(told)-1].Rows() {
			names = append(names, row.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("told of %q, want %q", got, want)
		}
	}
	look("m.a")
	look("m.a")
	silent.Store(true)
	look("m.a")
	if n := tables.Load(); n != 1 || len(told) != 1 {
		t.Errorf("asked for its commands %d times, told %d times", n, len(told))
	}
	if asked := c.Asked(); !asked[ours] || asked[plain] || asked[module] {
		t.Error("a node of ours is not told from others")
	}
	silent.Store(false)
	second := "m.b"
	name.Store(&second)
	look("m.b")
	topology = fleet.Topology(t, []string{plain, "127.0.0.1:1", ours}) // its new primary cannot be reached yet
	look("m.b")
	topology = fleet.Topology(t, []string{plain, plain, ours})
	look("")
	topology = fleet.Topology(t, []string{plain})
	look("")
	if len(c.Asked()) != 1 || told[2].Version() != 3 {
		t.Errorf("%v are asked, version %d", c.Asked(), told[2].Version())
	}
}

// TestTold: where the topology says which nodes are stock servers, the others are not asked.
func TestTold(t *testing.T) {
	topology := fleet.Topology(t, []string{peers.StartRedis(t, "--loadmodule", peers.Module(t)), "127.0.0.1:1"})
	var told *command.Overlay
	c := stock.New(stock.Options{
		Topology: func() *router.Topology { return topology }, Told: true, Extend: func(o *command.Overlay) { told = o }, Log: slog.New(slog.DiscardHandler),
	})
	if c.Look(t.Context()); len(c.Asked()) != 0 || told != nil {
		t.Errorf("%v are asked, and %v is told", c.Asked(), told)
	}
	next := *topology
	next.Shards = slices.Clone(topology.Shards)
	next.Shards[0].Primary.External = true
	topology = &next
	if c.Look(t.Context()); len(c.Asked()) != 1 || told == nil || len(told.Rows()) == 0 {
		t.Errorf("%v are asked, and %v is told", c.Asked(), told)
	}
}

// TestRun: it goes on until it is stopped, and sees another topology.
func TestRun(t *testing.T) {
	server := peers.StartRedis(t, "--loadmodule", peers.Module(t))
	var topology atomic.Pointer[router.Topology]
	topology.Store(fleet.Topology(t, []string{fleet.Node(t)}))
	told := make(chan *command.Overlay, 10)
	c := stock.New(stock.Options{Topology: topology.Load, Extend: func(o *command.Overlay) { told <- o }, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	topology.Store(fleet.Topology(t, []string{server}))
	select {
	case o := <-told:
		if row, _ := o.Resolve([][]byte{[]byte("m.get"), []byte("k")}); row == nil {
			t.Error("m.get is not known")
		}
	case <-time.After(peers.Patience):
		t.Error("another topology was not seen")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
