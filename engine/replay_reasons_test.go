package engine_test

// reason is a reply in which we mean to differ from what was recorded.
type reason struct {
	group string // of recordings
	said  string // the request
	ours  string // our reply, an expression
	why   string
}

// Reasons that several have.
const (
	fields = "fields that expire, which came after 7.2, are ours: their names are known, and the user that names one is there"
)

// reasons is the whole list. One that no recording needs fails the test.
var reasons = []reason{
	{
		"encodings", "OBJECT ENCODING l4", `\$8\r\nlistpack\r\n`,
		"a long list has no nodes of Redis's: it becomes a listpack again when it is half as long as one may be, however it was cut into nodes before",
	},

	{
		"post70", "CLIENT INFO", `\$\d+\r\nid=\d+ addr=\S+ laddr=\S+ fd=\d+ name=conn-one age=\d+ idle=\d+ flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=\d+ qbuf-free=\d+ ` +
			`argv-mem=\d+ multi-mem=0 rbs=\d+ rbp=\d+ obl=\d+ oll=\d+ omem=\d+ tot-mem=\d+ events=r cmd=client\|info user=default redir=-1 resp=2 lib-name=mylib lib-ver=1\.2\.3\n\r\n`,
		"the recording shows the number of a connection",
	},
	{"post70", "CONFIG GET lazyfree-lazy-user-del", `[*%]\d\r\n\$22\r\nlazyfree-lazy-user-del\r\n\$3\r\nyes\r\n`, "memory is always given back in slices, behind the reply"},

	{"post70", "COMMAND LIST FILTERBY PATTERN hexpiretim*", `\*1\r\n\$11\r\nhexpiretime\r\n`, fields},
	{"post70", "ACL SETUSER u1 on nopass ~* +@all -hexpire", `\+OK\r\n`, fields},
	{"post70", "ACL GETUSER u1", `[*%]\d+\r\n\$5\r\nflags\r\n.*\$14\r\n\+@all -hexpire\r\n.*`, fields},
	{"post70", "ACL DRYRUN u1 HEXPIRE h 10 FIELDS 1 a", `\$55\r\nUser u1 has no permissions to run the 'hexpire' command\r\n`, fields},
	{"post70", "ACL DRYRUN u1 GET k", `\+OK\r\n`, fields},
	{"post70", "ACL LIST", `\*3\r\n\$51\r\nuser default on nopass sanitize-payload ~\* &\* \+@all\r\n\$66\r\nuser u1 on nopass sanitize-payload ~\* resetchannels \+@all -hexpire\r\n` +
		`\$98\r\nuser u4 off sanitize-payload %R~r\* %W~w\* resetchannels -@all \+@read \(~a\* resetchannels -@all \+get\)\r\n`, fields},
	{"post70", "ACL SETUSER u1 %X~a", `-ERR Error in ACL SETUSER modifier '%X~a': Adding a pattern after the \* pattern \(or the 'allkeys' flag\) is not valid ` +
		`and does not have any effect\. Try 'resetkeys' to start with an empty list of patterns\r\n`, fields},
	{"post70", "ACL DELUSER u1 u2 u3 u4", `:2\r\n`, fields},
}

// dumpsOtherwise are the types and encodings of which DUMP gives other bytes than 7.2.6. An entry that no key needs fails the test.
var dumpsOtherwise = map[string]string{
	"set listpack":   "Redis 7.0, which has to read it, knows no listpack of a set: the members are written one by one",
	"stream stream":  "in the form of 7.0, which has to read it: it lacks when a consumer was last given something",
	"set hashtable":  "in the order of our tree, not of their table",
	"hash hashtable": "in the order of our tree, not of their table",
	"list quicklist": "cut into nodes otherwise",
}

// encodingsOtherwise are the lists that a limit of their own cut into several nodes, which made them quicklists; by ours they are small.
var encodingsOtherwise = map[string]string{"list:fill4": "listpack", "list:packedthr100": "listpack"}
