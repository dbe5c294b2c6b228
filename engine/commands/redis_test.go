package commands_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/internal/conform"
	"larder/internal/peers"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// startRedis runs a server that, like a node's handlers, removes a dead key only when it is looked at.
func startRedis(t *testing.T, args ...string) string {
	t.Helper()
	addr := peers.StartRedis(t, append([]string{"--enable-debug-command", "yes"}, args...)...)
	peers.Dial(t, addr, 2).Do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
	return addr
}

// pair is a node and a real server that are told the same.
type pair struct {
	t     *testing.T
	ours  *node
	redis *peers.Conn
	said  []string // since the last fresh start, for messages
}

func newPair(t *testing.T, addr string, proto int) *pair {
	t.Helper()
	p := &pair{t: t, ours: newNode(t, proto), redis: peers.Dial(t, addr, proto)}
	p.fresh()
	return p
}

// fresh empties all databases and selects the first.
func (p *pair) fresh() {
	p.t.Helper()
	p.run([][]string{{"SELECT", "0"}, {"FLUSHALL"}})
	p.said = p.said[:0]
}

// run sends the commands in one piece and compares the replies.
func (p *pair) run(cmds [][]string) {
	p.t.Helper()
	var in []byte
	for _, args := range cmds {
		in = resp.AppendCommandStrings(in, args...)
	}
	p.redis.Send(in)
	wants := make([]string, len(cmds))
	for i := range cmds {
		wants[i] = string(p.redis.Reply())
	}
	for i, args := range cmds {
		want, got := wants[i], p.ours.do(args...)
		p.said = append(p.said, fmt.Sprintf("%.100q", args))
		if !sameReply(args, got, want) {
			p.t.Fatalf("RESP%d %.300q\n  ours  %.400q\n  redis %.400q\nafter %s", p.ours.w.Proto, args, got, want, strings.Join(p.said[max(0, len(p.said)-30):], "\n      "))
		}
	}
}

// sameReply compares bytes, but for clocks that differ by what the test takes, and for keys that come in any order.
func sameReply(args []string, got, want string) bool {
	if got == want {
		return true
	}
	row, _ := command.Resolve(views(args))
	if row == nil {
		return false
	}
	if row.Group == "sorted-set" && conform.SameDoubles([]byte(want), []byte(got)) {
		return true
	}
	switch row.ID {
	case command.CmdTTL, command.CmdExpireTime, command.CmdObjectIdleTime:
		return near(got, want, 20)
	case command.CmdPTTL, command.CmdPExpireTime:
		return near(got, want, 20_000)
	case command.CmdKeys, command.CmdSPop, command.CmdSMembers, command.CmdSInter, command.CmdSUnion, command.CmdSDiff, command.CmdHGetAll, command.CmdHKeys, command.CmdHVals: // a big hash is in another order
		return slices.Equal(sorted(got), sorted(want))
	case command.CmdRandomKey:
		return got[0] == want[0] // a key or null
	case command.CmdObjectEncoding: // Redis 7.0 has no listpacks of sets, Redis 7.2 has
		return got == "$8\r\nlistpack\r\n" && want == "$9\r\nhashtable\r\n" ||
			got == "$8\r\nlistpack\r\n" && want == "$9\r\nquicklist\r\n"
	case command.CmdHRandField, command.CmdHScan, command.CmdSRandMember, command.CmdSScan:
		return got[0] == want[0] && got[0] != '-'
	case command.CmdMemoryUsage:
		return got[0] == want[0] // a number or null
	case command.CmdZRandMember:
		return got[0] == want[0] && (got[0] == '$' || got[:2] == want[:2]) && strings.Count(got, "\n") == strings.Count(want, "\n")
	case command.CmdZScan:
		return sameScores(got, want)
	case command.CmdObjectRefCount:
		return want == ":1\r\n" // of a small number that COPY made; Redis doesn't share that one
	case command.CmdLRem, command.CmdLPos: // 7.2 refuses the least number
		return got == "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n"
	case command.CmdBLPop, command.CmdBRPop, command.CmdBLMove, command.CmdBRPopLPush, command.CmdBLMPop: // 7.2 knows what is too much; and a real server waits
		return got == "-ERR timeout is out of range\r\n" && want == "-ERR timeout is negative\r\n" || got == "$-1\r\n" && want == "*-1\r\n"
	case command.CmdDump: // a compressed text has many forms
		return got[0] == want[0]
	case command.CmdObjectHelp:
		return got[0] == want[0] // the texts are ours
	}
	return got == want
}

// sameScores compares the pairs of members and scores of two replies of ZSCAN, whatever their order.
func sameScores(got, want string) bool {
	a, b := scanned(got), scanned(want)
	return slices.EqualFunc(a, b, func(x, y string) bool { return conform.SameDoubles([]byte(y), []byte(x)) })
}

// scanned gives the cursor and the pairs of a reply of ZSCAN, each as an array, in the order of the members.
func scanned(reply string) (all []string) {
	it := resp.Elements([]byte(reply))
	cursor, _ := it.Next()
	pairs, _ := it.Next()
	it = resp.Elements(pairs)
	for member, ok := it.Next(); ok; member, ok = it.Next() {
		score, _ := it.Next()
		all = append(all, "*2\r\n"+string(member)+string(score))
	}
	slices.Sort(all)
	return append(all, string(cursor))
}

// near compares two integer replies. What is below 0 is no time.
func near(got, want string, most int64) bool {
	a, err := strconv.ParseInt(strings.Trim(got, ":\r\n"), 10, 64)
	b, err2 := strconv.ParseInt(strings.Trim(want, ":\r\n"), 10, 64)
	return err == nil && err2 == nil && a >= 0 && b >= 0 && a-b <= most && b-a <= most
}

// sorted gives an array's elements in order.
func sorted(reply string) []string {
	var all []string
	if reply[0] == '-' {
		return []string{reply}
	}
	head, rest, _ := strings.Cut(reply, "\r\n")
	all = append(all, head)
	for rest != "" {
		head, tail, _ := strings.Cut(rest, "\r\n")
		n, _ := strconv.Atoi(head[1:])
		all, rest = append(all, tail[:n]), tail[n+2:]
	}
	slices.Sort(all[1:])
	return all
}

// compareKeyspace compares every key of every database: value, encoding, expiry.
func (p *pair) compareKeyspace() {
	p.t.Helper()
	for db := range p.ours.store.Databases() {
		p.run([][]string{{"SELECT", strconv.Itoa(db)}, {"KEYS", "*"}, {"DBSIZE"}})
		var cmds [][]string
		for _, key := range sorted(p.ours.do("KEYS", "*"))[1:] {
			cmds = append(cmds, []string{"GET", key}, []string{"OBJECT", "ENCODING", key}, []string{"PEXPIRETIME", key}, []string{"STRLEN", key},
				[]string{"HGETALL", key}, []string{"HLEN", key}, []string{"SMEMBERS", key}, []string{"SCARD", key},
				[]string{"LRANGE", key, "0", "-1"})
		}
		p.run(cmds)
	}
}

// TestScripts runs the hand-written cases of testdata: a command a line in redis-cli's quoting, an empty line is a fresh start.
func TestScripts(t *testing.T) {
	addr := startRedis(t)
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	used := map[command.ID]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for proto := 2; proto <= 3; proto++ {
			p := newPair(t, addr, proto)
			for i, script := range strings.Split(string(text), "\n\n") {
				cmds := parse(t, script)
				for _, args := range cmds {
					if row, _ := command.Resolve(views(args)); row != nil {
						used[row.ID] = true
					}
				}
				t.Run(fmt.Sprintf("%s/%d/RESP%d", filepath.Base(file), i, proto), func(t *testing.T) {
					p.t = t
					p.run(cmds)
					p.compareKeyspace()
					p.fresh()
				})
			}
		}
	}
	for _, r := range ours() {
		if !used[r.ID] {
			t.Errorf("no script uses %s", r.Name)
		}
	}
}

// parse reads the commands of a script; a line that begins with # is for people.
func parse(t *testing.T, script string) (cmds [][]string) {
	t.Helper()
	var p resp.Requests
	p.Reset(resp.DefaultLimits())
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		r, _, state := p.Next([]byte(strings.TrimRight(line, "\n") + "\r\n"))
		if state != resp.Done {
			t.Fatalf("%q: %s", line, p.Err())
		}
		if len(r.Args) == 0 {
			continue
		}
		args := make([]string, len(r.Args))
		for i, a := range r.Args {
			args[i] = string(bytes.Clone(a))
		}
		cmds = append(cmds, args)
	}
	return cmds
}
