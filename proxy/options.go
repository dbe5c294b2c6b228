package proxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"larder/access"
	"larder/metrics/slow"
	"larder/protocol/client"
)

// Options are a gateway's settings. Every limit is named here, with its unit; zero
// means what the field's comment says, and DefaultOptions has no zeros by accident.
type Options struct {
	Listen     string   // host:port that clients connect to; port 0 takes a free one
	Loops      int      // event loops; 0 = one a processor
	ClientsMax int      // client connections in all; 0 = as many as descriptors allow
	Access     []string // CIDR blocks that may connect; empty = nobody
	Password   string   // what AUTH must say; empty = no password
	ACLFile    string   // users and their rules; empty = none, Password holds
	Databases  int      // logical databases offered by SELECT

	ArgsMax        int           // arguments of one command
	BulkMaxBytes   int64         // one argument
	InlineMaxBytes int           // one inline command line
	PendingMax     int           // commands of one client that wait for replies; beyond it the client is not read until half of them are answered
	OutputMaxBytes int64         // replies kept for one client; beyond it the client is closed
	StreamMinBytes int64         // an argument of at least this size is passed on as it arrives
	MultiMaxBytes  int64         // commands that one client has queued for EXEC
	SubsMaxBytes   int64         // what one client is subscribed to: names, and what each costs beside
	CrossSlot      string        // what becomes of writes whose keys lie on several shards: one of CrossSlots
	GatherMaxBytes int64         // what one command over several shards may gather of them; all of a loop four times as much
	ScriptMaxBytes int           // Lua scripts kept, so that nodes that lack one can be told it
	TrackedMax     int           // keys whose readers are known for CLIENT TRACKING, of all loops; 0 = any number
	IdleTimeout    time.Duration // a client that says nothing for so long is closed; 0 = never
	OutputLimits   string        // of classes of clients, as CONFIG SET client-output-buffer-limit takes them; those not named have Redis's
	SlowUS         int           // a command that takes longer, in microseconds, is in the slow log; -1 = none is
	SlowMax        int           // entries of the slow log
	LatencyMS      int           // what takes as long, in milliseconds, is in the latency monitor; 0 = nothing is

	ReadFrom   string        // which nodes answer reads: one of ReadFroms
	ReadLevel  string        // what a read from a replica must show: one of ReadLevels
	ReadMaxLag time.Duration // a replica further behind is not read; 0 = however far it is
	ReadUsers  []string      // of which users reads go elsewhere: "USER=FROM" or "USER=FROM:LEVEL"
	Zone       string        // where the gateway stands; empty = nobody says
	Zones      []string      // where nodes stand: "NODE=ZONE"

	Upstream Upstream
}

// Upstream is how the gateway talks to nodes.
type Upstream struct {
	User         string        // AUTH's user name for nodes; empty = the default user
	Password     string        // AUTH's password for nodes; empty = no AUTH
	DialTimeout  time.Duration // to connect, and again to finish the greeting
	ReplyTimeout time.Duration // a command unanswered for so long fails, and its lane is closed
	HoldTime     time.Duration // what may show an uncommitted write is held for so long; then it is an error
	FailoverTime time.Duration // commands wait for so long for a shard without a primary; then they are an error

	FailoverMaxBytes int64 // and so much of them, of a loop

	BackoffMin   time.Duration // wait after the first failed dial; doubles up to BackoffMax
	BackoffMax   time.Duration
	LaneMaxBytes int // unanswered command bytes of one lane; beyond it the clients that add to it are not read
	BorrowMax    int // lanes lent to single clients, a loop and node
}

// What becomes of a write whose keys lie on several shards.
const (
	crossRefuse = "refuse"
	crossAllow  = "allow" // it is done in steps
)

// CrossSlots are the values of Options.CrossSlot.
func CrossSlots() []string { return []string{crossRefuse, crossAllow} }

// DefaultOptions serves loopback only.
func DefaultOptions() Options {
	watching, limits := slow.Defaults(), client.DefaultOutputLimits()
	return Options{
		Listen:         "127.0.0.1:6379",
		ClientsMax:     10000,
		Access:         []string{"127.0.0.0/8", "::1/128"},
		Databases:      16,
		ArgsMax:        1024 * 1024,
		BulkMaxBytes:   512 << 20,
		InlineMaxBytes: 64 << 10,
		PendingMax:     128, // a node's tenth of a millisecond: the single commands of others stand behind them
		OutputMaxBytes: 1 << 30,
		StreamMinBytes: 256 << 10,
		TrackedMax:     1_000_000,
		MultiMaxBytes:  256 << 20,
		SubsMaxBytes:   256 << 20,
		CrossSlot:      crossRefuse,
		SlowUS:         int(watching.SlowUS),
		SlowMax:        int(watching.SlowMax),
		OutputLimits:   limits.String(),
		GatherMaxBytes: 64 << 20,
		ScriptMaxBytes: 32 << 20,
		ReadFrom:       ReadFroms()[fromPrimary],
		ReadLevel:      ReadLevels()[levelGateway],
		ReadMaxLag:     10 * time.Second,
		Upstream: Upstream{
			DialTimeout:  time.Second,
			ReplyTimeout: 5 * time.Second,
			HoldTime:     2 * time.Second,
			FailoverTime: 5 * time.Second,

			FailoverMaxBytes: 64 << 20,

			BackoffMin:   50 * time.Millisecond,
			BackoffMax:   2 * time.Second,
			LaneMaxBytes: 16 << 20,
			BorrowMax:    1000,
		},
	}
}

// Validate names the first field that cannot work, and what it must be.
func (o Options) Validate() error {
	for _, f := range []struct {
		name       string
		value, min int64
	}{
		{"loops", int64(o.Loops), 0},
		{"clients max", int64(o.ClientsMax), 0},
		{"databases", int64(o.Databases), 1},
		{"args max", int64(o.ArgsMax), 16},
		{"bulk max bytes", o.BulkMaxBytes, 1 << 10},
		{"inline max bytes", int64(o.InlineMaxBytes), 64},
		{"pending max", int64(o.PendingMax), 2},
		{"output max bytes", o.OutputMaxBytes, 64 << 10},
		{"stream min bytes", o.StreamMinBytes, 64 << 10},
		{"subs max bytes", o.SubsMaxBytes, 1 << 10},
		{"multi max bytes", o.MultiMaxBytes, 64 << 10},
		{"gather max bytes", o.GatherMaxBytes, 1 << 10},
		{"script max bytes", int64(o.ScriptMaxBytes), 64 << 10},
		{"tracked max", int64(o.TrackedMax), 0},
		{"idle timeout", int64(o.IdleTimeout), 0},
		{"slow us", int64(o.SlowUS), -1},
		{"slow max", int64(o.SlowMax), 0},
		{"latency ms", int64(o.LatencyMS), 0},
		{"upstream dial timeout", int64(o.Upstream.DialTimeout), int64(time.Millisecond)},
		{"upstream reply timeout", int64(o.Upstream.ReplyTimeout), int64(time.Millisecond)},
		{"upstream hold time", int64(o.Upstream.HoldTime), int64(time.Millisecond)},
		{"upstream failover time", int64(o.Upstream.FailoverTime), int64(time.Millisecond)},
		{"upstream failover max bytes", o.Upstream.FailoverMaxBytes, 0},
		{"upstream backoff min", int64(o.Upstream.BackoffMin), int64(time.Millisecond)},
		{"upstream backoff max", int64(o.Upstream.BackoffMax), int64(o.Upstream.BackoffMin)},
		{"upstream lane max bytes", int64(o.Upstream.LaneMaxBytes), 64 << 10},
		{"upstream borrow max", int64(o.Upstream.BorrowMax), 1},
	} {
		if f.value < f.min {
			return fmt.Errorf("%s is %d: must be at least %d", f.name, f.value, f.min)
		}
	}
	if o.Databases > databasesMax {
		return fmt.Errorf("databases is %d: must be at most %d", o.Databases, databasesMax)
	}
	if !slices.Contains(CrossSlots(), o.CrossSlot) {
		return fmt.Errorf("cross slot is %q: must be one of %s", o.CrossSlot, strings.Join(CrossSlots(), ", "))
	}
	if err := o.validateReads(); err != nil {
		return err
	}
	if err := CheckOutputLimits(o.OutputLimits); err != nil {
		return err
	}
	if o.Listen == "" {
		return errors.New("listen is empty: must be host:port")
	}
	_, err := access.ParseList(o.Access)
	return err
}

// CheckOutputLimits wants a text as Options.OutputLimits has it.
func CheckOutputLimits(text string) error {
	limits := client.DefaultOutputLimits()
	if wrong := limits.Set(text); wrong != "" {
		return fmt.Errorf("output limits are %q: %s", text, wrong)
	}
	return nil
}

// databasesMax bounds SELECT; a ticket keeps the database in two bytes.
const databasesMax = 1 << 14
