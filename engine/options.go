package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"larder/access"
	"larder/engine/store"
	"larder/persistence"
	"larder/router"
)

// Options are a node's settings. Every limit is named here, with its unit; zero means what the field's comment says, and DefaultOptions has no zeros by
// accident.
type Options struct {
	Listen     string   // host:port that gateways and clients connect to; port 0 takes a free one
	Dir        string   // folder for the node's files
	ID         string   // the node's name in the cluster; empty = a new random one at each start
	Access     []string // CIDR blocks that may connect; empty = nobody
	Password   string   // what AUTH must say; empty = no password
	ACLFile    string   // users and their rules; empty = none, Password holds
	ClientsMax int      // connections in all; 0 = as many as descriptors allow
	Databases  int      // logical databases

	Managed  bool          // it gets orders by records of its shard, and is nobody's primary before one names its run; it needs an ID then
	HoldTime time.Duration // a client's write that is not on every member for so long is told that this is not known; only of a managed node

	Replication ReplicationOptions

	Restore           *Restore                                               // what the node starts with instead of its folder's data, which must have none; nil = its folder's
	OpenStore         func(persistence.Settings) (persistence.Bucket, error) // object stores that snapshots are asked into; nil = the node knows none
	Results           bool                                                   // what it follows is told to who fills a cluster by it (NextResults), and waits for that one
	ReplicaOf         string                                                 // "host port" of the primary that the node follows from the start; empty = none
	MasterUser        string                                                 // what it logs in with there; empty = the default user
	MasterAuth        string                                                 // its password there; empty = none
	ReplicaReadOnly   bool                                                   // while it follows, clients may not write
	ReplicaServeStale bool                                                   // while the primary cannot be reached, clients get what is here

	DebugCommand string // who may say DEBUG: no (nobody), local (who comes from this machine) or yes

	DBFilename          string // the file in Dir that saves are written to, and that is loaded at the start if it is there
	Save                string // when to save by itself: pairs of seconds and changes; empty = never
	RDBCompression      bool   // texts in that file are compressed where that gains
	RDBChecksum         bool   // it ends with a checksum
	StopWrites          bool   // writes are refused while save points are set and the last save in the background has failed
	SnapshotKeptPercent int    // of MaxMemory, or of the machine's memory without it: overwritten data that is kept for saves and replicas; beyond it they are given up

	MaxMemory       int64    // bytes that the keyspace may take, clients' unread output included; 0 = no limit
	MaxMemoryPolicy string   // what goes when that is reached, one of Redis's eight policies; noeviction refuses writes
	KeyPrefixes     []string // keys that begin so are counted apart, the longest that fits; at most store.PrefixesMax

	AppendOnly               bool   // the node keeps a journal in Dir of all that changes
	AppendFsync              string // when that is made safe on the disk: always (before a write is answered), everysec, no
	AppendDirName            string // the journal's folder in Dir
	AppendFileName           string // what its files' names begin with
	NoAppendfsyncOnRewrite   bool   // while it is rewritten nothing is made safe, but under always
	AutoAOFRewritePercentage int    // it is rewritten when it has grown by so much since the last time; 0 = only when asked to
	AutoAOFRewriteMinSize    int64  // bytes below which it is not rewritten by itself
	AOFLoadTruncated         bool   // an end that was torn off by a crash is cut off at the start; else the start is refused
	AOFTimestamps            bool   // it says when things were written, a line a second

	ArgsMax        int           // arguments of one command
	BulkMaxBytes   int64         // one argument, and one value
	InlineMaxBytes int           // one inline command line
	QueryMaxBytes  int64         // one command as it arrives, all its arguments; beyond it the client is closed
	OutputMaxBytes int64         // replies kept for one client; beyond it the client is closed
	IdleTimeout    time.Duration // a client that says nothing for so long is closed, a gateway's lane is not; 0 = never
}

// DefaultOptions serves loopback only.
func DefaultOptions() Options {
	return Options{
		Listen:       "127.0.0.1:6380",
		Dir:          ".",
		Access:       []string{"127.0.0.0/8", "::1/128"},
		ClientsMax:   10000,
		Databases:    16,
		DebugCommand: debugNo,

		DBFilename:          "dump.rdb",
		RDBCompression:      true,
		RDBChecksum:         true,
		StopWrites:          true,
		SnapshotKeptPercent: 10,

		HoldTime: 2 * time.Second,

		Replication: DefaultReplicationOptions(),

		ReplicaReadOnly:   true,
		ReplicaServeStale: true,

		MaxMemoryPolicy: "noeviction",
		AppendFsync:     "everysec",
		AppendDirName:   "appendonlydir",
		AppendFileName:  "appendonly.aof",

		AutoAOFRewritePercentage: 100,
		AutoAOFRewriteMinSize:    64 << 20,
		AOFLoadTruncated:         true,

		ArgsMax:        1024 * 1024,
		BulkMaxBytes:   512 << 20,
		InlineMaxBytes: 64 << 10,
		QueryMaxBytes:  1 << 30,
		OutputMaxBytes: 1 << 30,
	}
}

// databasesMax is the most that SELECT may offer; a gateway keeps a command's database in two bytes.
const databasesMax = 1 << 14

// Validate names the first field that cannot work, and what it must be.
func (o Options) Validate() error {
	for _, f := range []struct {
		name       string
		value, min int64
	}{
		{"clients max", int64(o.ClientsMax), 0},
		{"databases", int64(o.Databases), 1},
		{"max memory", o.MaxMemory, 0},
		{"snapshot kept percent", int64(o.SnapshotKeptPercent), 1},
		{"args max", int64(o.ArgsMax), 16},
		{"bulk max bytes", o.BulkMaxBytes, 1 << 20},
		{"inline max bytes", int64(o.InlineMaxBytes), 64},
		{"query max bytes", o.QueryMaxBytes, 1 << 20},
		{"output max bytes", o.OutputMaxBytes, 64 << 10},
		{"idle timeout", int64(o.IdleTimeout), 0},
		{"hold time", int64(o.HoldTime), int64(time.Millisecond)},
	} {
		if f.value < f.min {
			return fmt.Errorf("%s is %d: must be at least %d", f.name, f.value, f.min)
		}
	}
	if err := o.Replication.validate(); err != nil {
		return err
	}
	if err := CheckPrimary(o.ReplicaOf); err != nil {
		return fmt.Errorf("replicaof is %q: %w", o.ReplicaOf, err)
	}
	switch {
	case o.Managed && o.ID == "":
		return errors.New("managed: the node needs an id by which records name it, the same at each start (engine.id)")
	case o.Managed && o.ReplicaOf != "":
		return errors.New("managed: whom the node follows is told by records: leave replicaof empty")
	}
	if o.Databases > databasesMax {
		return fmt.Errorf("databases is %d: must be at most %d", o.Databases, databasesMax)
	}
	if o.Listen == "" {
		return errors.New("listen is empty: must be host:port")
	}
	if _, ok := store.ParsePolicy(o.MaxMemoryPolicy); !ok {
		return fmt.Errorf("max memory policy is %q: must be one of %s", o.MaxMemoryPolicy, strings.Join(policies, ", "))
	}
	if !slices.Contains(DebugCommands(), o.DebugCommand) {
		return fmt.Errorf("debug command is %q: must be one of %s", o.DebugCommand, strings.Join(DebugCommands(), ", "))
	}
	if err := errors.Join(CheckSavePoints(o.Save), CheckFileName(o.DBFilename)); err != nil {
		return err
	}
	if err := o.checkJournal(); err != nil {
		return err
	}
	if err := checkPrefixes(o.KeyPrefixes); err != nil {
		return err
	}
	_, err := access.ParseList(o.Access)
	return err
}

// checkPrefixes wants what INFO and metrics can show.
func checkPrefixes(list []string) error {
	for _, p := range list {
		if !utf8.ValidString(p) {
			return fmt.Errorf("key prefix %q must be text in UTF-8", p)
		}
	}
	return store.ValidatePrefixes(list)
}

// assignment is what the node serves; immutable.
type assignment struct {
	shard    int // Nobody: none was assigned
	topology *router.Topology
	epoch    uint64
	stale    string   // the answer to a lane of another epoch
	own      *slotSet // the slots that it serves; nil: all
}
