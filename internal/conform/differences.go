package conform

import (
	"bytes"
	"regexp"
	"slices"
	"sync"

	"larder/protocol/command"
)

// Difference is a reply in which we mean to differ from redis-server 7.0.15.
type Difference struct {
	Name   string
	Reason string
	Rows   []string       // names of the rows whose replies it is about; empty: commands without a row
	Words  *regexp.Regexp // the whole of the command, its words parted by blanks; nil: any
	Only   []string       // tags of the endpoints where it is so; empty: all
	Redis  *regexp.Regexp // the whole of the real reply
	Larder *regexp.Regexp // the whole of ours

	Doubles bool // instead of Redis and Larder: the replies are SameDoubles
}

func (x *Difference) fits(want, got []byte) bool {
	if x.Doubles {
		return SameDoubles(want, got)
	}
	return x.Redis.Match(want) && x.Larder.Match(got)
}

// intended is the whole list. An entry that no test needed fails the run.
func intended() []Difference {
	return []Difference{
		{
			Name: "version", Reason: "we report 7.2.4, whose features and encodings we have; clients choose by it what they send",
			Rows:   []string{"hello"},
			Redis:  exactly(`[%*](7|14)\r\n\$6\r\nserver\r\n\$5\r\nredis\r\n\$7\r\nversion\r\n\$6\r\n7\.0\.15\r\n\$5\r\nproto\r\n:([23])\r\n\$2\r\nid\r\n:\d+\r\n\$4\r\nmode\r\n\$10\r\nstandalone\r\n\$4\r\nrole\r\n\$6\r\nmaster\r\n\$7\r\nmodules\r\n\*0\r\n`),
			Larder: exactly(`[%*](7|14)\r\n\$6\r\nserver\r\n\$5\r\nredis\r\n\$7\r\nversion\r\n\$5\r\n7\.2\.4\r\n\$5\r\nproto\r\n:([23])\r\n\$2\r\nid\r\n:\d+\r\n\$4\r\nmode\r\n\$10\r\nstandalone\r\n\$4\r\nrole\r\n\$6\r\nmaster\r\n\$7\r\nmodules\r\n\*0\r\n`),
		},
		{
			Name: "client-setinfo", Reason: "CLIENT SETINFO is of 7.2, the version we report; drivers send it when they connect",
			Rows:   []string{"client|setinfo", "client|no-touch"},
			Redis:  exactly(`-ERR unknown subcommand '(?i:setinfo|no-touch)'\. Try CLIENT HELP\.\r\n`),
			Larder: exactly(`(\+OK|-ERR (syntax error|wrong number of arguments for 'client\|(setinfo|no-touch)' command|lib-(name|ver) cannot contain spaces, newlines or special characters\.|Unrecognized option '.*'))\r\n`),
		},
		{
			Name: "getkeys-of-others", Reason: "of a command that one side lacks, it cannot tell the keys: two of ours are of 7.2, many of Redis's are not there yet; 7.2 takes one word",
			Rows:   []string{"command|getkeys", "command|getkeysandflags"},
			Redis:  exactly(`-ERR (Invalid command specified|The command has no key arguments|Invalid number of arguments specified for command|wrong number of arguments for 'command\|getkeys(andflags)?' command)\r\n`),
			Larder: exactly(`-ERR (Invalid command specified|The command has no key arguments|Invalid number of arguments specified for command)\r\n`),
		},
		{
			Name: "acl-sanitize", Reason: "7.2 shows whether payloads of RESTORE are looked at closely",
			Rows:   []string{"acl|getuser", "acl|list"},
			Redis:  exactly(`(?s)(\*12|%6)\r\n\$5\r\nflags\r\n[*~]2\r\n.*|\*1\r\n\$\d+\r\nuser default on nopass ~\* .*`),
			Larder: exactly(`(?s)(\*12|%6)\r\n\$5\r\nflags\r\n[*~]3\r\n.*sanitize-payload.*|\*1\r\n\$\d+\r\nuser default on nopass sanitize-payload ~\* .*`),
		},
		{
			Name: "noperm", Reason: "7.2 says it in other words than 7.0",
			Rows:   []string{"get", "set", "strlen"},
			Redis:  exactly(`-NOPERM this user has no permissions to (run the '[a-z|]+' command( or its subcommand)?|access one of the keys used as arguments)\r\n`),
			Larder: exactly(`-NOPERM (User [^ ]+ has no permissions to run the '[a-z|]+' command|No permissions to access a key)\r\n`),
		},
		{
			Name: "set-listpack", Reason: "7.0 keeps no set as a listpack, 7.2 does",
			Rows:   []string{"object|encoding"},
			Redis:  exactly(`\$9\r\nhashtable\r\n`),
			Larder: exactly(`\$8\r\nlistpack\r\n`),
		},
		{
			Name: "consumer-made", Reason: "from 7.2 on XAUTOCLAIM and XCLAIM make the consumer even if it gets nothing",
			Rows:   []string{"xgroup|createconsumer", "xgroup|delconsumer"},
			Redis:  exactly(`:[01]\r\n`),
			Larder: exactly(`:[01]\r\n`),
		},
		{
			Name: "refcount", Reason: "we share no values; that of a small integer is called shared however it came about, Redis's COPY makes a new one",
			Rows: []string{"object|refcount"}, Only: []string{TagNode, TagGateway},
			Redis:  exactly(`:(1|2147483647)\r\n`),
			Larder: exactly(`:(1|2147483647)\r\n`),
		},
		{
			Name: "kept-in-steps", Reason: "what is kept on another shard comes there by RESTORE or SET, which choose the encoding anew",
			Rows: []string{"object|encoding"}, Only: []string{TagSteps},
			Redis:  exactly(`\$\d+\r\n(raw|embstr|hashtable|skiplist|listpack|quicklist)\r\n`),
			Larder: exactly(`\$\d+\r\n(int|embstr|listpack|intset)\r\n`),
		},
		{
			Name: "scan-shard", Reason: "over stock nodes a cursor names a shard in its upper bits; one that names none was not ours",
			Rows: []string{"scan"}, Only: []string{TagStock},
			Redis:  exactly(`\*2\r\n.*|-ERR (syntax error|value is not an integer or out of range)\r\n`),
			Larder: exactly(`-ERR invalid cursor\r\n`),
		},
		{
			Name: "cluster", Reason: "a gateway presents itself as a cluster of one to those who ask",
			Rows: []string{"cluster|help"}, Only: []string{TagGateway},
			Redis:  exactly(`-ERR This instance has cluster support disabled\r\n`),
			Larder: exactly(`\*\d+\r\n\+CLUSTER <subcommand> .*`),
		},
	}
}

func exactly(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?s)\A(?:` + pattern + `)\z`) }

// Differences is the list while tests run: it knows which entries were met. Any goroutine may use it.
type Differences struct {
	list []Difference

	mu  sync.Mutex
	met map[string]bool
}

// NewDifferences is the list with nothing met.
func NewDifferences() *Differences {
	return &Differences{list: slices.Concat(intended(), intendedOfZSets(), intendedOfPlaces(), ofLists()), met: map[string]bool{}}
}

// covers reports whether the two replies to the command differ as they are meant to.
func (d *Differences) covers(e *Endpoint, args [][]byte, want, got []byte) bool {
	name := ""
	if len(args) > 0 {
		name = RowName(args)
	}
	for _, x := range d.list {
		if len(x.Rows) == 0 && name != "" || len(x.Rows) > 0 && !slices.Contains(x.Rows, name) {
			continue
		}
		if x.Words != nil && !x.Words.Match(bytes.Join(args, []byte(" "))) {
			continue
		}
		if (len(x.Only) == 0 || e.hasAny(x.Only)) && x.fits(want, got) {
			d.mu.Lock()
			d.met[x.Name] = true
			d.mu.Unlock()
			return true
		}
	}
	return false
}

// Unmet are the names of the entries that nobody needed.
func (d *Differences) Unmet() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, x := range d.list {
		if !d.met[x.Name] {
			out = append(out, x.Name)
		}
	}
	return out
}

// RowName is the name of the row that a command names, whatever its arity; "" if there is none.
func RowName(args [][]byte) string {
	if r := rowOf(args); r != nil {
		return r.Name
	}
	return ""
}

func rowOf(args [][]byte) *command.Row {
	r := command.Lookup(args[0])
	if r != nil && len(args) > 1 && len(r.Subs) > 0 {
		if sub := r.Sub(args[1]); sub != nil {
			return sub
		}
	}
	return r
}
