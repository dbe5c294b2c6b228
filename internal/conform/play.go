package conform

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"larder/internal/peers"
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// Player runs sections against a real server and one of ours.
type Player struct {
	Ref, Sub    Endpoint
	Proto       int
	Rand        *rand.Rand // nil: one command at a time; else pipelines of random depth, cut at random bytes
	Differences *Differences

	conns map[string]*[2]*conn
	now   time.Time
}

// crossSlot is what a sharded endpoint answers where keys that can't be split lie apart.
const crossSlot = "-CROSSSLOT Keys in request don't hash to the same slot\r\n"

// Section plays one section on empty servers and new connections. The error is of the test itself: a server that is gone.
func (p *Player) Section(sec *Section) ([]Mismatch, error) {
	p.conns = map[string]*[2]*conn{}
	defer p.hangUp()
	if err := p.clean(); err != nil {
		return nil, err
	}
	var found []Mismatch
	for at := 0; at < len(sec.Steps); {
		depth := p.depth(sec, at)
		wrong, ended, err := p.batch(sec.Steps[at : at+depth])
		for i := range wrong {
			wrong[i].At += at
		}
		found = append(found, wrong...)
		if err != nil {
			return found, fmt.Errorf("%s: %w", sec.Steps[at].Where, err)
		}
		if ended {
			return found, nil
		}
		at += depth
	}
	return found, p.sentinel(sec, &found)
}

func (p *Player) clean() error {
	c, err := p.conn("")
	if err != nil {
		return err
	}
	for side := range 2 {
		if r, err := c[side].do("FLUSHALL"); err != nil || string(r) != "+OK\r\n" {
			return fmt.Errorf("FLUSHALL at %s: %q %v", p.side(side).Name, r, err)
		}
		if err := c[side].left(); err != nil {
			return fmt.Errorf("clients of the section before at %s: %w", p.side(side).Name, err)
		}
	}
	return nil
}

// left waits until the server has seen that everybody else is gone: what counts clients is to count this section's.
func (c *conn) left() error {
	for deadline := time.Now().Add(peers.Patience); ; time.Sleep(time.Millisecond) {
		r, err := c.do("CLIENT", "LIST")
		if err != nil {
			return err
		}
		text, ok := resp.Value(r).Bytes()
		if !ok || bytes.Count(text, []byte(" addr=")) <= 1 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("they do not leave: %q", text)
		}
	}
}

func (p *Player) side(i int) *Endpoint { return [2]*Endpoint{&p.Ref, &p.Sub}[i] }

// conn is the pair of connections of that name.
func (p *Player) conn(name string) (*[2]*conn, error) {
	if c := p.conns[name]; c != nil {
		return c, nil
	}
	var pair [2]*conn
	for side := range 2 {
		c, err := dial(p.side(side).Addr)
		if err != nil {
			return nil, fmt.Errorf("connect to %s: %w", p.side(side).Name, err)
		}
		pair[side] = c
		if p.Proto != 3 {
			continue
		}
		if r, err := c.do("HELLO", "3"); err != nil || r[0] != '%' {
			return nil, fmt.Errorf("HELLO 3 at %s: %q %v", p.side(side).Name, r, err)
		}
	}
	p.conns[name] = &pair
	return &pair, nil
}

func (p *Player) hangUp() {
	for _, pair := range p.conns {
		for _, c := range pair {
			_ = c.net.Close()
		}
	}
}

// depth is how many of the next steps go out together.
func (p *Player) depth(sec *Section, at int) int {
	if p.Rand == nil || sec.LockStep || alone(&sec.Steps[at]) {
		return 1
	}
	most := 1 + p.Rand.IntN(64)
	n := 1
	for at+n < len(sec.Steps) && n < most && !alone(&sec.Steps[at+n]) && sec.Steps[at+n].Conn == sec.Steps[at].Conn {
		n++
	}
	return n
}

func alone(s *Step) bool { return s.Closes || s.UntilNil }

// sent is what became of a step in a batch.
type sent struct {
	step *Step
	args [][]byte
	skip bool // not for this endpoint
	told bool // what must be answered is known, so it is not sent to the real one
	want string
}

// batch sends steps to both sides, reads their replies and compares them. ended: a connection is gone, the section can't go on.
func (p *Player) batch(steps []Step) (wrong []Mismatch, ended bool, err error) {
	pair, err := p.conn(steps[0].Conn)
	if err != nil {
		return nil, true, err
	}
	p.now = time.Now()
	if steps[0].UntilNil {
		wrong, err := p.untilNil(pair, &steps[0])
		return wrong, false, err
	}
	list, out, counts := p.prepare(steps)
	var replies [2][][]byte
	var errs [2]error
	cuts := p.cuts(len(out[1]))
	both(func(side int) { replies[side], errs[side] = pair[side].exchange(out[side], cuts, counts[side]) })
	for side, err := range errs {
		if err != nil {
			return nil, true, fmt.Errorf("%s: %w, first unanswered: %s", p.side(side).Name, err, unanswered(list, len(replies[side])))
		}
	}
	wrong, ended = p.judge(list, replies)
	if last := list[len(list)-1]; last.step.Closes && !ended {
		for side := range 2 {
			if !pair[side].ended() {
				wrong = append(wrong, p.mismatch(&last, len(steps)-1, "(closed)", "(open)", p.side(side).Name+" does not close the connection"))
			}
			_ = pair[side].net.Close()
		}
		delete(p.conns, steps[0].Conn)
	}
	return wrong, ended, nil
}

// prepare makes the bytes for both sides, and how many replies each will give.
func (p *Player) prepare(steps []Step) (list []sent, out [2][]byte, counts [2]int) {
	for i := range steps {
		s := sent{step: &steps[i], args: steps[i].Args(p.now)}
		s.skip = !s.step.RunsOn(&p.Sub)
		switch {
		case s.step.Says != "":
			s.told, s.want = true, s.step.Says
			s.skip = s.skip || p.Sub.Has(TagRedis)
		case p.Sub.Has(TagSharded) && Crosses(s.args) && !(p.Sub.Has(TagSteps) && goesInSteps(s.args)):
			s.told, s.want = true, crossSlot
		}
		if !s.skip {
			bytes := s.step.payload(s.args)
			out[1] = append(out[1], bytes...)
			counts[1] += s.step.Replies
			if !s.told {
				out[0] = append(out[0], bytes...)
				counts[0] += s.step.Replies
			}
		}
		list = append(list, s)
	}
	return list, out, counts
}

// Crosses reports whether the keys of a command that can neither be split nor gathered lie in several slots.
func Crosses(args [][]byte) bool {
	if len(args) == 0 {
		return false
	}
	row, _ := command.Resolve(args)
	if row == nil || row.Request != command.RequestKey && row.Request != command.RequestSpecial || row.Flags.Has(command.OverShards) && !mayWait(args) {
		return false
	}
	keys := row.KeyPositions(args, nil)
	if row.Categories&command.CatScripting != 0 {
		return crossesShards(args, keys)
	}
	for _, k := range keys {
		if router.Slot(args[k]) != router.Slot(args[keys[0]]) {
			return true
		}
	}
	return false
}

// mayWait: XREAD and XREADGROUP that wait have to wait on one shard.
func mayWait(args [][]byte) bool {
	for _, arg := range args {
		switch {
		case command.EqualFold(arg, "block"):
			return command.EqualFold(args[0], "xread") || command.EqualFold(args[0], "xreadgroup")
		case command.EqualFold(arg, "streams"):
			return false
		}
	}
	return false
}

// goesInSteps reports whether a gateway that may does the command in steps where its keys lie on several shards.
func goesInSteps(args [][]byte) bool {
	row, _ := command.Resolve(args)
	return row.Flags.Has(command.InSteps)
}

// crossesShards is Crosses for scripts, which may mix the slots of one shard, over as many shards as our sharded endpoints have.
func crossesShards(args [][]byte, keys []int) bool {
	const shards = 3
	for _, k := range keys {
		if shardOf(args[k], shards) != shardOf(args[keys[0]], shards) {
			return true
		}
	}
	return false
}

// shardOf is the shard of a key where slots are spread evenly (router.Even).
func shardOf(key []byte, shards int) int {
	group := router.Slot(key) / router.GroupSlots
	shard := 0
	for (shard+1)*router.Groups/shards <= group {
		shard++
	}
	return shard
}

func (p *Player) cuts(n int) []int {
	if p.Rand == nil || n == 0 {
		return nil
	}
	var cuts []int
	at := 0
	for range p.Rand.IntN(40) {
		at += 1 + p.Rand.IntN(1+p.Rand.IntN(1+min(n, 4096)))
		cuts = append(cuts, at)
	}
	return cuts
}

func unanswered(list []sent, replies int) string {
	for _, s := range list {
		if replies < s.step.Replies {
			return fmt.Sprintf("%s %.200s", s.step.Where, s.text())
		}
		replies -= s.step.Replies
	}
	return "none"
}

func (s *sent) text() string {
	if s.step.Raw != nil {
		return "raw " + quoteWord(s.step.Raw)
	}
	return Quote(s.args)
}

// judge compares the replies of a batch.
func (p *Player) judge(list []sent, replies [2][][]byte) (wrong []Mismatch, ended bool) {
	for i := range list {
		s := &list[i]
		if s.skip {
			continue
		}
		for range s.step.Replies {
			want, okWant := []byte(s.want), true
			if !s.told {
				want, okWant = take(&replies[0])
			}
			got, okGot := take(&replies[1])
			if !okWant && !okGot {
				return wrong, true // both closed it, at the same command
			}
			if okWant != okGot {
				return append(wrong, p.mismatch(s, i, said(want, okWant), said(got, okGot), "one side closed the connection")), true
			}
			if why := p.compare(s, want, got); why != "" {
				wrong = append(wrong, p.mismatch(s, i, string(want), string(got), why))
			}
		}
	}
	return wrong, false
}

func (p *Player) compare(s *sent, want, got []byte) string {
	if s.told {
		return compare(Exact, 0, want, got)
	}
	why := compare(s.step.How, s.step.Tolerance, want, got)
	if why != "" && !p.Sub.Has(TagRedis) && p.Differences.covers(&p.Sub, s.args, want, got) {
		return ""
	}
	return why
}

func take(list *[][]byte) ([]byte, bool) {
	if len(*list) == 0 {
		return nil, false
	}
	r := (*list)[0]
	*list = (*list)[1:]
	return r, true
}

func said(reply []byte, ok bool) string {
	if !ok {
		return "(closed)"
	}
	return string(reply)
}

func (p *Player) mismatch(s *sent, at int, want, got, why string) Mismatch {
	return Mismatch{Where: s.step.Where, Target: p.Sub.Name, Proto: p.Proto, Command: s.text(), Want: want, Got: got, Why: why, At: at}
}

// untilNil asks each side until it answers null.
func (p *Player) untilNil(pair *[2]*conn, step *Step) ([]Mismatch, error) {
	s := sent{step: step, args: step.Args(p.now)}
	for side := range 2 {
		deadline := time.Now().Add(peers.Patience)
		for {
			r, err := pair[side].exchange(step.payload(s.args), nil, 1)
			if err != nil || len(r) != 1 {
				return nil, fmt.Errorf("%s: %q %w", p.side(side).Name, r, err)
			}
			if resp.Value(r[0]).IsNull() {
				break
			}
			if time.Now().After(deadline) {
				return []Mismatch{p.mismatch(&s, 0, "null in the end", string(r[0]), p.side(side).Name+" never answers null")}, nil
			}
		}
	}
	return nil, nil
}

// sentinel sees that no reply was left over.
func (p *Player) sentinel(sec *Section, found *[]Mismatch) error {
	for name, pair := range p.conns {
		for side := range 2 {
			word := fmt.Sprintf("end of %q", name)
			r, err := pair[side].do("ECHO", word)
			if err != nil {
				return fmt.Errorf("%s at %s, behind the last step: %w", sec.Name, p.side(side).Name, err)
			}
			if want := string(resp.AppendBulkString(nil, word)); string(r) != want {
				*found = append(*found, Mismatch{Where: sec.Name, Target: p.side(side).Name, Proto: p.Proto, Command: "ECHO at the end", Want: want, Got: string(r), Why: "a reply too many"})
			}
		}
	}
	return nil
}
