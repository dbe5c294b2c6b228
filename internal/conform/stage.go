package conform

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"larder/internal/peers"
	"larder/protocol/resp"
)

// Stage plays scenes against a real server and one of ours: several clients in lockstep, who may wait. After each act both sides come to rest: each client
// that has something to be answered is answered, or the server says that it is blocked. Then the replies so far and the blocked clients are the same.
type Stage struct {
	Ref, Sub Endpoint
	Proto    int
}

// actor is a client of a scene on one side.
type actor struct {
	*conn
	id      string
	owed    int // replies that are to come
	out     []byte
	replies []string // that came and are not compared yet
}

// wing is one side of the stage.
type wing struct {
	name   string
	addr   string
	proto  int
	keeper *conn // asks how things stand
	actors map[string]*actor
	far    bool // behind a gateway: a reply may be on its way to a client that is still shown as blocked

	blocked string // the line of INFO that says how many are
}

var errRest = errors.New("does not come to rest")

// Play plays a scene. The error is of the test itself, or of a side that does not come to rest.
func (p *Stage) Play(scene *Scene) (found []Mismatch, err error) {
	wings := [2]*wing{
		{name: p.Ref.Name, addr: p.Ref.Addr, proto: p.Proto},
		{name: p.Sub.Name, addr: p.Sub.Addr, proto: p.Proto, far: p.Sub.Has(TagGateway)},
	}
	defer both(func(side int) { wings[side].hangUp() })
	for _, w := range wings {
		if err := w.begin(); err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
	}
	apart := ""
	for i := range scene.Acts {
		a := &scene.Acts[i]
		var errs [2]error
		both(func(side int) { errs[side] = wings[side].act(a) })
		for side, err := range errs {
			if err != nil {
				return found, fmt.Errorf("%s: %s: %s: %w", a.Where, a, wings[side].name, err)
			}
		}
		if a.Apart != "" {
			apart = a.Apart
		}
		if err := wings[1].catchUp(wings[0], a); err != nil {
			return found, fmt.Errorf("%s: %s: %s: %w", a.Where, a, wings[1].name, err)
		}
		wrong := compareWings(wings, a, apart != "")
		for j := range wrong {
			wrong[j].Where, wrong[j].Target, wrong[j].Proto, wrong[j].Command, wrong[j].At = a.Where, p.Sub.Name, p.Proto, a.String(), i
		}
		if found = append(found, wrong...); len(found) > 0 {
			return found, nil // what follows would only be other
		}
	}
	return p.end(scene, wings)
}

// end compares what is left in the databases, and sees that no reply was left over.
func (p *Stage) end(scene *Scene, wings [2]*wing) (found []Mismatch, err error) {
	var left [2]string
	for side, w := range wings {
		if left[side], err = w.contents(); err == nil {
			err = w.finish()
		}
		if err != nil {
			return nil, fmt.Errorf("%s, behind the last act: %s: %w", scene.Name, w.name, err)
		}
	}
	if left[0] != left[1] {
		found = append(found, Mismatch{Where: scene.Name, Target: p.Sub.Name, Proto: p.Proto, Command: "what is left", Want: left[0], Got: left[1], At: len(scene.Acts) - 1})
	}
	for _, name := range slices.Sorted(maps.Keys(wings[0].actors)) {
		a := wings[0].actors[name]
		if b := wings[1].actors[name]; !slices.Equal(a.replies, b.replies) {
			found = append(found, Mismatch{
				Where: scene.Name, Target: p.Sub.Name, Proto: p.Proto, Command: "replies to " + name + " at the end",
				Want: strings.Join(a.replies, ""), Got: strings.Join(b.replies, ""), At: len(scene.Acts) - 1,
			})
		}
	}
	return found, nil
}

// compareWings compares the replies that came on both sides, and who is blocked.
func compareWings(wings [2]*wing, act *Act, apart bool) (found []Mismatch) {
	for _, name := range slices.Sorted(maps.Keys(wings[0].actors)) {
		a, b := wings[0].actors[name], wings[1].actors[name]
		if says, told := act.Says[name]; told {
			want, got := strings.Join(a.replies, ""), strings.Join(b.replies, "")
			a.replies, b.replies = nil, nil
			switch {
			case got != says:
				found = append(found, Mismatch{Want: says, Got: got, Why: "told to " + name})
			case got == want:
				found = append(found, Mismatch{Want: want, Got: got, Why: "told to " + name + ": there is no difference to be noted"})
			}
			continue
		}
		n := min(len(a.replies), len(b.replies))
		for i := range n {
			if a.replies[i] != b.replies[i] {
				found = append(found, Mismatch{Want: a.replies[i], Got: b.replies[i], Why: "told to " + name})
			}
		}
		a.replies, b.replies = a.replies[n:], b.replies[n:]
	}
	if want, got := wings[0].waiting(), wings[1].waiting(); want != got && !apart {
		found = append(found, Mismatch{Want: want, Got: got, Why: "who waits"})
	}
	if want, got := wings[0].blocked, wings[1].blocked; want != got && !apart {
		found = append(found, Mismatch{Want: want, Got: got, Why: "how many are blocked, as INFO says"})
	}
	return found
}

// waiting are the names of those who are still to be answered.
func (w *wing) waiting() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(w.actors)) {
		if w.actors[name].owed > 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// begin makes the side as it is at the beginning of a scene.
func (w *wing) begin() (err error) {
	w.actors = map[string]*actor{}
	if w.keeper, err = dial(w.addr); err != nil {
		return err
	}
	for _, line := range []string{"CLIENT UNPAUSE", "FLUSHALL", "SCRIPT FLUSH", "CONFIG RESETSTAT"} {
		if r, err := w.keeper.do(strings.Fields(line)...); err != nil || string(r) != "+OK\r\n" {
			return fmt.Errorf("%s: %q %w", line, r, err)
		}
	}
	return nil
}

// finish has the server end the connections of those who are still to be answered, and takes what it has said: of one who waits again behind a command
// that was answered, nobody knows when that comes.
func (w *wing) finish() error {
	for _, a := range w.actors {
		if a.owed == 0 {
			continue
		}
		if r, err := w.keeper.do("CLIENT", "KILL", "ID", a.id); err != nil || string(r) != ":1\r\n" {
			return fmt.Errorf("CLIENT KILL: %q %w", r, err)
		}
		if err := w.until(a); err != nil {
			return err
		}
	}
	return nil
}

// hangUp ends the side's connections and waits until the server knows.
func (w *wing) hangUp() {
	for _, a := range w.actors {
		_ = a.net.Close()
	}
	if w.keeper == nil {
		return
	}
	_ = w.rest(func(list map[string]string) bool {
		return !slices.ContainsFunc(slices.Collect(maps.Values(w.actors)), func(a *actor) bool { return list[a.id] != "" })
	})
	_ = w.keeper.net.Close()
}

func (w *wing) actor(name string) (*actor, error) {
	if a := w.actors[name]; a != nil {
		return a, nil
	}
	c, err := dial(w.addr)
	if err != nil {
		return nil, err
	}
	a := &actor{conn: c}
	w.actors[name] = a
	if w.proto == 3 {
		if r, err := c.do("HELLO", "3"); err != nil || r[0] != '%' {
			return nil, fmt.Errorf("HELLO 3: %q %w", r, err)
		}
	}
	id, err := c.do("CLIENT", "ID")
	a.id = strings.Trim(string(id), ":\r\n")
	return a, err
}

// act does an act and waits until all is at rest.
func (w *wing) act(act *Act) error {
	a, err := w.actor(act.Client)
	if err != nil {
		return err
	}
	switch act.Kind {
	case ActSend, ActBatched, ActAnswered:
		args := slices.Clone(act.Args)
		for i, arg := range args {
			if other := w.actors[strings.TrimPrefix(arg, "@")]; other != nil && arg[0] == '@' {
				args[i] = other.id
			}
		}
		a.out = resp.AppendCommandStrings(a.out, args...)
		a.owed += act.Replies
		if act.Kind == ActBatched {
			return nil
		}
		_ = a.net.SetDeadline(time.Now().Add(peers.Patience))
		if _, err := a.net.Write(a.out); err != nil {
			return err
		}
		a.out = a.out[:0]
		if act.Kind == ActAnswered {
			if err := w.until(a); err != nil {
				return err
			}
		}
	case ActClose:
		a.owed = 0
		_ = a.net.Close()
		return w.rest(func(list map[string]string) bool { return list[a.id] == "" && w.settled(list) })
	case ActBlocked:
		return w.rest(func(list map[string]string) bool { return strings.Contains(list[a.id], "b") && w.settled(list) })
	case ActAnswer:
		if err := w.until(a); err != nil {
			return err
		}
	case ActDrain:
		if err := a.drain(); err != nil {
			return err
		}
	}
	return w.rest(func(list map[string]string) bool { return w.settled(list) })
}

// until reads all that the client is owed.
func (w *wing) until(a *actor) error {
	for a.owed > 0 {
		if err := a.read(peers.Patience); err != nil {
			return err
		}
	}
	return nil
}

// settled reports whether each client was answered, or blocked, when the list was made. What has come meanwhile is taken, and the answer is no: the list
// may be older than what that did.
func (w *wing) settled(list map[string]string) bool {
	const moment = 3 * time.Millisecond // between two questions; nothing depends on it
	settled := true
	for _, a := range w.actors {
		for a.owed > 0 && !strings.Contains(list[a.id], "b") {
			settled = false
			if a.read(moment) != nil {
				break
			}
		}
		if w.far && a.owed > 0 && a.read(moment) == nil {
			settled = false
		}
	}
	return settled
}

// catchUp waits while replies that the other side has may be on their way through a gateway, to clients that it still shows as blocked; not to those who are
// to wait on here.
func (w *wing) catchUp(other *wing, act *Act) error {
	for deadline := time.Now().Add(peers.Patience); w.far && time.Now().Before(deadline); {
		missing := false
		for name, a := range w.actors {
			says, told := act.Says[name]
			missing = missing || a.owed > 0 && other.actors[name].owed == 0 && !(told && says == "")
		}
		if !missing {
			return nil
		}
		if err := w.rest(w.settled); err != nil {
			return err
		}
	}
	return nil
}

// read takes one reply, or push, or what the server says as it closes the connection.
func (a *actor) read(within time.Duration) error {
	_ = a.net.SetDeadline(time.Now().Add(within))
	r, err := a.next()
	if a.closed {
		a.replies, a.owed = append(a.replies, "(closed)"), 0
		return nil
	}
	if err != nil {
		return err
	}
	a.replies = append(a.replies, string(r))
	if !resp.Value(r).Kind().IsPush() {
		a.owed--
	}
	return nil
}

// drain reads up to the answer of a PING.
func (a *actor) drain() error {
	_ = a.net.SetDeadline(time.Now().Add(peers.Patience))
	if _, err := a.net.Write(resp.AppendCommandStrings(nil, "PING")); err != nil {
		return err
	}
	for {
		r, err := a.next()
		if err != nil {
			return err
		}
		if text := string(r); text == "+PONG\r\n" || text == "*2\r\n$4\r\npong\r\n$0\r\n\r\n" {
			return nil
		}
		a.replies = append(a.replies, string(r))
	}
}

// rest asks for the list of clients until it is as it should be: their flags by their ids.
func (w *wing) rest(ok func(list map[string]string) bool) error {
	var text string
	for deadline := time.Now().Add(peers.Patience); time.Now().Before(deadline); {
		r, err := w.keeper.do("CLIENT", "LIST")
		if err != nil {
			return err
		}
		body, _ := resp.Value(r).Bytes()
		text = string(body)
		list := map[string]string{}
		for line := range strings.Lines(text) {
			fields := map[string]string{}
			for _, field := range strings.Fields(line) {
				name, value, _ := strings.Cut(field, "=")
				fields[name] = value
			}
			list[fields["id"]] = fields["flags"]
		}
		if ok(list) {
			return w.count()
		}
	}
	return fmt.Errorf("%w:\n%s", errRest, text)
}

// count asks how many clients are blocked.
func (w *wing) count() error {
	r, err := w.keeper.do("INFO", "clients")
	_, line, _ := strings.Cut(string(r), "blocked_clients:")
	w.blocked, _, _ = strings.Cut(line, "\r\n")
	return err
}

// contents are all keys with their values, as text.
func (w *wing) contents() (string, error) {
	const databases = 3 // that scenes use
	read := map[string][]string{
		"string": {"GET"}, "list": {"LRANGE", "0", "-1"}, "zset": {"ZRANGE", "0", "-1", "WITHSCORES"}, "stream": {"XRANGE", "-", "+"},
		"hash": {"HGETALL"}, "set": {"SMEMBERS"},
	}
	var out strings.Builder
	for db := range databases {
		if _, err := w.keeper.do("SELECT", fmt.Sprint(db)); err != nil {
			return "", err
		}
		all, err := w.keeper.do("KEYS", "*")
		if err != nil {
			return "", err
		}
		for _, element := range sortedElements(all) {
			key, _ := resp.BulkOf([]byte(element))
			kind, err := w.keeper.do("TYPE", string(key))
			if err != nil {
				return "", err
			}
			how := read[strings.Trim(string(kind), "+\r\n")]
			if len(how) == 0 {
				continue // it died meanwhile
			}
			value, err := w.keeper.do(slices.Concat(how[:1], []string{string(key)}, how[1:])...)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&out, "%d %q %q\n", db, key, value)
		}
	}
	_, err := w.keeper.do("SELECT", "0")
	return out.String(), err
}
