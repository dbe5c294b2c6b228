package commands

import (
	"larder/engine/store"
	"larder/engine/streams"
	"larder/protocol/command"
)

// trimOptions are what XADD and XTRIM have in common, and what only XADD has.
type trimOptions struct {
	given    bool // there is a strategy
	trim     streams.Trim
	hasLimit bool

	noMake bool       // NOMKSTREAM
	auto   bool       // *
	id     streams.ID // else
	anySeq bool       // ms-*
	next   int        // the argument behind the ID
}

// parseTrim reads XTRIM's options, or XADD's up to the ID. Redis tells replicas a LIMIT that the trimming has obeyed already: it means nothing to them.
func parseTrim(args [][]byte, add, obeys bool) (o trimOptions, err string) {
	i := 2
	for ; i < len(args) && o.next == 0 && err == noError; i++ {
		more := i+1 < len(args)
		switch {
		case add && streams.IsAuto(args[i]):
			o.auto, o.next = true, i+1
		case more && is(args[i], "maxlen"), more && is(args[i], "minid"):
			i, err = o.strategy(args, i)
		case more && is(args[i], "limit"):
			i++
			err = o.limit(args[i])
		case add && is(args[i], "nomkstream"):
			o.noMake = true
		case add:
			id, anySeq, ok := streams.ParseNewID(args[i])
			if !ok {
				return o, errStreamID
			}
			o.id, o.anySeq, o.next = id, anySeq, i+1
		default:
			return o, errSyntax
		}
	}
	switch {
	case err != noError:
		return o, err
	case o.trim.Limit != 0 && !o.given:
		return o, errLimitAlone
	case !add && !o.given:
		return o, errNoTrim
	case o.hasLimit && !o.trim.Approx && !obeys:
		return o, errLimitExact
	}
	return o, noError
}

// strategy reads MAXLEN or MINID at an argument, and gives the last argument that is part of it.
func (o *trimOptions) strategy(args [][]byte, i int) (int, string) {
	if o.given {
		return i, errTwoTrims
	}
	o.given = true
	o.trim.ByID = is(args[i], "minid")
	i++
	if i+1 < len(args) && len(args[i]) == 1 && (args[i][0] == '~' || args[i][0] == '=') {
		o.trim.Approx = args[i][0] == '~'
		i++
	}
	if o.trim.ByID {
		id, ok := streams.ParseID(args[i], 0)
		if !ok {
			return i, errStreamID
		}
		o.trim.MinID = id
		return i, noError
	}
	n, ok := store.ParseInt(args[i])
	switch {
	case !ok:
		return i, errNotInt
	case n < 0:
		return i, errMaxLen
	}
	o.trim.Len = n
	return i, noError
}

func (o *trimOptions) limit(arg []byte) string {
	n, ok := store.ParseInt(arg)
	switch {
	case !ok:
		return errNotInt
	case n < 0:
		return errTrimLimit
	}
	o.trim.Limit, o.hasLimit = n, true
	return noError
}

// trimStream trims as the options say. Without LIMIT, approximate trimming ends after about a hundred blocks.
func (c *Call) trimStream(s streams.Stream, o *trimOptions) int64 {
	const blocks, limitDefault, limitMax = 100, 10000, 1000000
	if o.trim.Approx && !o.hasLimit {
		o.trim.Limit = blocks * int64(min(c.Limits.Stream.NodeMaxEntries, limitMax))
		if o.trim.Limit <= 0 {
			o.trim.Limit = limitDefault
		}
		o.trim.Limit = min(o.trim.Limit, limitMax)
	}
	n := s.Trim(o.trim)
	if n > 0 {
		c.Notify(ClassStream, "xtrim", c.Args[1])
	}
	return n
}

func xAdd(c *Call) {
	o, err := parseTrim(c.Args, true, c.Obeys)
	if err != noError {
		c.W.Error(err)
		return
	}
	var fields [][]byte
	if o.next > 0 {
		fields = c.Args[o.next:]
	}
	if len(fields) < 2 || len(fields)%2 == 1 {
		c.W.Error(command.ArityError(c.Row))
		return
	}
	if !o.auto && !o.anySeq && o.id.IsZero() {
		c.W.Error(errStreamZero)
		return
	}
	key := c.Args[1]
	it, found, wrong := c.lookStream(key)
	switch {
	case wrong:
		return
	case !found && o.noMake:
		c.W.Null()
		return
	}
	last := streams.ID{}
	if found {
		last = c.streamOf(it).LastID()
	}
	id, err := o.newID(last, c.NowMS)
	if err == noError && !fieldsFit(fields) {
		err = errStreamSize
	}
	if err != noError {
		c.W.Error(err)
		return
	}
	c.addEntry(it, found, id, fields, &o)
}

// addEntry does what XADD does when nothing can go wrong any more.
func (c *Call) addEntry(it store.Item, found bool, id streams.ID, fields [][]byte, o *trimOptions) {
	key := c.Args[1]
	var s streams.Stream
	if found {
		s = c.editStream(it)
	} else {
		s = c.newStream(key)
	}
	s.Append(id, fields, c.Limits.Stream)
	c.streamID(id)
	c.Changed++
	c.Did(ClassStream, "xadd", key)
	if o.given {
		c.trimStream(s, o)
	}
	c.tellAdd(s, id, o)
	c.Push(key)
}

// newID gives the ID of an entry behind the last one.
func (o *trimOptions) newID(last streams.ID, nowMS int64) (streams.ID, string) {
	id := o.id
	switch {
	case last == streams.MaxID:
		return id, errStreamFull
	case o.auto:
		if id = (streams.ID{MS: uint64(nowMS)}); id.MS <= last.MS {
			id, _ = last.Next()
		}
	case o.anySeq && id.MS == last.MS:
		if last.Seq == streams.MaxID.Seq {
			return id, errStreamTop
		}
		id = streams.ID{MS: last.MS, Seq: last.Seq + 1}
	}
	if !last.Less(id) {
		return id, errStreamTop
	}
	return id, noError
}

// fieldsFit tells whether an entry could be kept in one of Redis's blocks.
func fieldsFit(fields [][]byte) bool {
	const bytesMax = 1 << 30
	n := 0
	for _, f := range fields {
		n += len(f)
	}
	return n <= bytesMax
}

func xTrim(c *Call) {
	o, err := parseTrim(c.Args, false, c.Obeys)
	if err != noError {
		c.W.Error(err)
		return
	}
	it, found, wrong := c.lookStream(c.Args[1])
	switch {
	case wrong:
		return
	case !found:
		c.W.Int(0)
		return
	}
	s := c.editStream(it)
	n := c.trimStream(s, &o)
	if n > 0 {
		c.tellTrim(s, &o)
		c.Touch(c.Args[1])
		c.Changed += int(n)
	}
	c.W.Int(n)
}

func xDel(c *Call) {
	it, found, wrong := c.lookStream(c.Args[1])
	switch {
	case wrong:
		return
	case !found:
		c.W.Int(0)
		return
	}
	ids, ok := c.streamIDs(2)
	if !ok {
		return
	}
	s := c.editStream(it)
	n := 0
	for _, id := range ids {
		if s.Delete(id) {
			n++
		}
	}
	if n > 0 {
		c.Did(ClassStream, "xdel", c.Args[1])
		c.Changed += n
	}
	c.W.Int(int64(n))
}

// setIDOptions are what may follow XSETID key id.
type setIDOptions struct {
	id, maxDeleted streams.ID
	added          int64 // -1: not given
}

func parseSetID(args [][]byte) (o setIDOptions, err string) {
	o.added = -1
	var ok bool
	if o.id, ok = streams.ParseID(args[0], 0); !ok {
		return o, errStreamID
	}
	for i := 1; i < len(args); i += 2 {
		if i+1 == len(args) {
			return o, errSyntax
		}
		switch {
		case is(args[i], "entriesadded"):
			if o.added, ok = store.ParseInt(args[i+1]); !ok {
				return o, errNotInt
			} else if o.added < 0 {
				return o, errEntriesAdded
			}
		case is(args[i], "maxdeletedid"):
			if o.maxDeleted, ok = streams.ParseID(args[i+1], 0); !ok {
				return o, errStreamID
			} else if o.id.Less(o.maxDeleted) {
				return o, errSetIDGiven
			}
		default:
			return o, errSyntax
		}
	}
	return o, noError
}

func xSetID(c *Call) {
	o, err := parseSetID(c.Args[2:])
	if err != noError {
		c.W.Error(err)
		return
	}
	it, found, wrong := c.lookStream(c.Args[1])
	switch {
	case wrong:
		return
	case !found:
		c.W.Error(errNoKey)
		return
	}
	s := c.editStream(it)
	switch {
	case s.Len() > 0 && o.id.Less(s.EndID()):
		c.W.Error(errSetIDTop)
		return
	case o.added >= 0 && int64(s.Len()) > o.added:
		c.W.Error(errSetIDLength)
		return
	}
	added, maxDeleted := s.EntriesAdded(), s.MaxDeletedID()
	if o.added >= 0 {
		added = uint64(o.added)
	}
	if !o.maxDeleted.IsZero() {
		maxDeleted = o.maxDeleted
	}
	s.SetID(o.id, maxDeleted, added)
	c.W.OK()
	c.Changed++
	c.Did(ClassStream, "xsetid", c.Args[1])
}
