package engine_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/conform"
	"larder/internal/peers"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// tale is a command and what is told of it.
type tale struct {
	said   string
	args   [][]byte
	blocks bool // a second client says it, which waits
	waitMS int  // no command: time passes
	told   []string
}

// readTales reads what a server was asked and what it told its replicas:
//
//	> SET k v EX 10          a command
//	other> BLPOP k 0         one of a second client, which waits
//	(wait 60 ms)
//	  => SET k v PXAT …      what is told of the line above; what else is indented does not matter
//
// until is the heading behind which nothing is read.
func readTales(t *testing.T, file, until string) (tales []tale) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "effects", file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if until != "" && line == "# "+until {
			break
		}
		switch {
		case strings.HasPrefix(line, "> "):
			tales = append(tales, tale{said: line, args: parseWords(t, line[2:])})
		case strings.HasPrefix(line, "other> "):
			rest, _, _ := strings.Cut(strings.TrimPrefix(line, "other> "), "   (")
			tales = append(tales, tale{said: line, args: parseWords(t, rest), blocks: true})
		case strings.HasPrefix(line, "(wait "):
			n, err := strconv.Atoi(strings.Fields(line)[1])
			if err != nil {
				t.Fatal(err)
			}
			tales = append(tales, tale{said: line, waitMS: n})
		case strings.HasPrefix(line, "  => ") && len(tales) > 0:
			last := &tales[len(tales)-1]
			last.told = append(last.told, conform.Quote(parseWords(t, line[5:])))
		}
	}
	return tales
}

// parseWords cuts a line as redis-cli does.
func parseWords(t *testing.T, line string) (args [][]byte) {
	t.Helper()
	words, ok := resp.Words(line)
	if !ok {
		t.Fatalf("%q: wrong quotes", line)
	}
	for _, w := range words {
		args = append(args, []byte(w))
	}
	return args
}

// play has a node do what the tales say and gives what it tells.
func (k *teller) play(t *testing.T, tales []tale) (told [][]string) {
	t.Helper()
	for _, l := range tales {
		switch {
		case l.waitMS > 0:
			k.b.m.Advance(ms(l.waitMS))
			k.b.m.Advance(ms(l.waitMS))
		case l.blocks:
			k.b.client().c.Feed(resp.AppendCommand(nil, l.args...))
		default:
			if k.send(resp.AppendCommand(nil, l.args...)) == "" { // it waits for nothing
				k.b.m.Advance(ms(20))
			}
		}
		told = append(told, k.quoted(t))
	}
	return told
}

// quoted are the commands that were told since it was last called.
func (k *teller) quoted(t *testing.T) (all []string) {
	for _, args := range wholeCommands(t, k.told()) {
		all = append(all, conform.Quote(args))
	}
	return all
}

// near masks times: numbers of 13 digits less than two days from now.
func near(line string, nowMS int64) string {
	return thirteen.ReplaceAllStringFunc(line, func(digits string) string {
		const twoDays = 2 * 24 * 3600 * 1000
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && n > nowMS-twoDays && n < nowMS+twoDays {
			return "<ms>"
		}
		return digits
	})
}

var thirteen = regexp.MustCompile(`\b\d{13}\b`)

// plain is what is compared of a telling: names in any case, times masked, no SELECT, whose place differs, but the database before each command.
func plain(db *string, told []string, nowMS int64) (all []string) {
	for _, line := range told {
		if rest, ok := strings.CutPrefix(strings.ToUpper(line), "SELECT "); ok {
			*db = rest
			continue
		}
		if strings.EqualFold(line, "ping") { // a server says it to its replicas now and then
			continue
		}
		line = near(line, nowMS)
		if line != "MULTI" && line != "EXEC" {
			line = *db + ": " + line
		}
		all = append(all, line)
	}
	return all
}

// compareTales compares what was told by a server with what a node tells. known are the differences by the line that was said: a reason, and what ours is, as
// a regular expression over the lines joined by "; ".
func compareTales(t *testing.T, tales []tale, theirs, ours [][]string, theirMS int64, known []difference) {
	t.Helper()
	theirDB, ourDB := "0", "0"
	met := map[string]bool{}
	for i, l := range tales {
		want := strings.Join(plain(&theirDB, theirs[i], theirMS), "; ")
		got := strings.Join(plain(&ourDB, ours[i], start.UnixMilli()), "; ")
		at := slices.IndexFunc(known, func(d difference) bool { return d.said == strings.TrimPrefix(l.said, "> ") })
		switch {
		case strings.EqualFold(want, got):
		case at >= 0 && regexp.MustCompile("^(?:"+known[at].ours+")$").MatchString(got):
			met[known[at].said] = true
		default:
			t.Errorf("%s\n  theirs %s\n  ours   %s", l.said, want, got)
		}
	}
	for _, d := range known {
		if !met[d.said] && d.reason != oneSRem { // chance may choose the same
			t.Errorf("%q is told as by others: no difference (%s)", d.said, d.reason)
		}
	}
}

// difference is one between what a server tells and what a node does, that is meant.
type difference struct {
	said, ours, reason string
}

func TestToldAsRecorded(t *testing.T) {
	for _, c := range []struct {
		file, until string
		nowMS       int64
		known       []difference
	}{
		{"redis-7.0.15.txt", "eviction", 1795417697000, differencesRecorded70},
		{"valkey-9.1.2.txt", "eviction", 1795417757000, differencesRecorded91},
	} {
		t.Run(c.file, func(t *testing.T) {
			tales := readTales(t, c.file, c.until)
			var theirs [][]string
			for _, l := range tales {
				theirs = append(theirs, l.told)
			}
			compareTales(t, tales, theirs, newTeller(t).play(t, tales), c.nowMS, c.known)
		})
	}
}

// TestToldFieldsThatExpire is about the part of the recording of Valkey with what Redis 7.0 lacks.
func TestToldFieldsThatExpire(t *testing.T) {
	tales := readTales(t, "valkey-9.1.2.txt", "other commands after 7.0")
	at := slices.IndexFunc(tales, func(l tale) bool { return l.said == "> HSET h a 1 b 2 c 3 d 4" })
	tales = tales[at:]
	var theirs [][]string
	for _, l := range tales {
		theirs = append(theirs, l.told)
	}
	compareTales(t, tales, theirs, newTeller(t).play(t, tales), 1795417759000, differencesFields)
}

// TestToldAsRedis compares with a redis-server, whose stream a replica of the test's reads.
func TestToldAsRedis(t *testing.T) {
	tales := readTales(t, "script.txt", "")
	addr := peers.StartRedis(t, "--enable-debug-command", "yes", "--repl-diskless-sync", "no", "--repl-ping-replica-period", "3600", "--repl-timeout", "3600",
		"--lazyfree-lazy-expire", "yes", "--lazyfree-lazy-eviction", "yes", "--lazyfree-lazy-server-del", "yes", "--lazyfree-lazy-user-del", "yes")
	theirs := playRedis(t, addr, tales)
	compareTales(t, tales, theirs, newTeller(t).play(t, tales), time.Now().UnixMilli(), differencesRedis)
}

// playRedis has a redis-server do what the tales say and gives what it tells its replicas.
func playRedis(t *testing.T, addr string, tales []tale) (told [][]string) {
	t.Helper()
	replica := attach(t, addr)
	c, mark := peers.Dial(t, addr, 2), peers.Dial(t, addr, 2)
	for i, l := range tales {
		switch {
		case l.waitMS > 0:
			until := clockOf(t, mark) + int64(l.waitMS)
			eventually(t, "time passes", func() bool { return clockOf(t, mark) > until })
		case l.blocks:
			before := blockedAt(t, mark)
			peers.Dial(t, addr, 2).Send(resp.AppendCommand(nil, l.args...))
			eventually(t, "the client waits", func() bool { return blockedAt(t, mark) == before+1 })
		default:
			c.Send(resp.AppendCommand(nil, l.args...))
			c.Reply()
		}
		end := strconv.Itoa(i)
		mark.Do("PUBLISH", "mark", end)
		told = append(told, replica.until(t, end))
	}
	return told
}

// blockedAt is how many clients of a server wait.
func blockedAt(t *testing.T, c *peers.Conn) int {
	t.Helper()
	_, rest, _ := strings.Cut(string(c.Do("INFO", "clients")), "\r\nblocked_clients:")
	digits, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// clockOf is a server's time in milliseconds.
func clockOf(t *testing.T, c *peers.Conn) int64 {
	t.Helper()
	it := resp.Elements(c.Do("TIME"))
	var n [2]int64
	for i := range n {
		e, _ := it.Next()
		text, _ := resp.BulkOf(e)
		n[i], _ = strconv.ParseInt(string(text), 10, 64)
	}
	return n[0]*1000 + n[1]/1000
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it has not come to that", what)
		}
	}
}

// fakeReplica reads a server's stream.
type fakeReplica struct {
	in *bufio.Reader
}

// attach becomes a replica and reads the snapshot over.
func attach(t *testing.T, addr string) *fakeReplica {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := conn.Write(resp.AppendCommandStrings(nil, "PSYNC", "?", "-1")); err != nil {
		t.Fatal(err)
	}
	f := &fakeReplica{bufio.NewReader(conn)}
	for {
		line, err := f.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if size, ok := strings.CutPrefix(strings.TrimSpace(line), "$"); ok {
			n, err := strconv.Atoi(size)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.in.Discard(n); err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
}

// until gives the commands up to the mark.
func (f *fakeReplica) until(t *testing.T, mark string) (lines []string) {
	t.Helper()
	for {
		line := conform.Quote(f.command(t))
		if strings.EqualFold(line, "PUBLISH mark "+mark) {
			return lines
		}
		lines = append(lines, line)
	}
}

func (f *fakeReplica) command(t *testing.T) (args [][]byte) {
	t.Helper()
	line := func() int {
		text, err := f.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(text[1:]))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return n
	}
	for range line() {
		arg := make([]byte, line()+2)
		if _, err := io.ReadFull(f.in, arg); err != nil {
			t.Fatal(err)
		}
		args = append(args, arg[:len(arg)-2])
	}
	return args
}

// TestEveryWriteIsInTheTales: what is told is looked at for each command that writes.
func TestEveryWriteIsInTheTales(t *testing.T) {
	used := map[command.ID]bool{}
	for _, file := range []string{"redis-7.0.15.txt", "valkey-9.1.2.txt", "script.txt"} {
		for _, l := range readTales(t, file, "") {
			if len(l.args) == 0 {
				continue
			}
			if row, _ := command.Resolve(l.args); row != nil {
				used[row.ID] = true
			}
		}
	}
	for _, row := range command.Rows() {
		if len(row.Subs) == 0 && row.Flags&(command.Write|command.MayReplicate) != 0 && !used[row.ID] {
			t.Errorf("%s is not in the tales", row.Name)
		}
	}
}
