package commands

import (
	"slices"

	"larder/engine/store"
	"larder/engine/streams"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// Errors of commands on streams.
const (
	errStreamID      = "ERR Invalid stream ID specified as stream command argument"
	errStreamStart   = "ERR invalid start ID for the interval"
	errStreamEnd     = "ERR invalid end ID for the interval"
	errStreamFull    = "ERR The stream has exhausted the last possible ID, unable to add more items"
	errStreamTop     = "ERR The ID specified in XADD is equal or smaller than the target stream top item"
	errStreamZero    = "ERR The ID specified in XADD must be greater than 0-0"
	errStreamSize    = "ERR Elements are too large to be stored"
	errMaxLen        = "ERR The MAXLEN argument must be >= 0."
	errTrimLimit     = "ERR The LIMIT argument must be >= 0."
	errTwoTrims      = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
	errLimitAlone    = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
	errLimitExact    = "ERR syntax error, LIMIT cannot be used without the special ~ option"
	errNoTrim        = "ERR syntax error, XTRIM must be called with a trimming strategy"
	errSetIDTop      = "ERR The ID specified in XSETID is smaller than the target stream top item"
	errSetIDGiven    = "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
	errSetIDLength   = "ERR The entries_added specified in XSETID is smaller than the target stream length"
	errEntriesAdded  = "ERR entries_added must be positive"
	errEntriesRead   = "ERR value for ENTRIESREAD must be positive or -1"
	errGroupKey      = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
	errGroupBusy     = "BUSYGROUP Consumer Group name already exists"
	errUnbalanced    = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
	errReadGroup     = "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
	errReadNoAck     = "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
	errReadNoGroup   = "ERR Missing GROUP option for XREADGROUP"
	errReadLast      = "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
	errReadNew       = "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
	errTimeoutInt    = "ERR timeout is not an integer or out of range"
	errTimeoutLess   = "ERR timeout is negative"
	errTimeoutRange  = "ERR timeout is out of range"
	errClaimIdle     = "ERR Invalid min-idle-time argument for XCLAIM"
	errClaimIdleOpt  = "ERR Invalid IDLE option argument for XCLAIM"
	errClaimTime     = "ERR Invalid TIME option argument for XCLAIM"
	errClaimRetry    = "ERR Invalid RETRYCOUNT option argument for XCLAIM"
	errAutoClaimIdle = "ERR Invalid min-idle-time argument for XAUTOCLAIM"
	errClaimCount    = "ERR COUNT must be > 0"
)

func streamHandlers(h []Handler) {
	h[command.CmdXAdd] = xAdd
	h[command.CmdXLen] = xLen
	h[command.CmdXRange] = xRange
	h[command.CmdXRevRange] = xRevRange
	h[command.CmdXDel] = xDel
	h[command.CmdXTrim] = xTrim
	h[command.CmdXSetID] = xSetID
	h[command.CmdXRead] = xRead
	h[command.CmdXReadGroup] = xReadGroup
	h[command.CmdXAck] = xAck
	h[command.CmdXPending] = xPending
	h[command.CmdXClaim] = xClaim
	h[command.CmdXAutoClaim] = xAutoClaim
	h[command.CmdXGroupCreate] = xGroupCreate
	h[command.CmdXGroupSetID] = xGroupSetID
	h[command.CmdXGroupDestroy] = xGroupDestroy
	h[command.CmdXGroupCreateConsumer] = xGroupCreateConsumer
	h[command.CmdXGroupDelConsumer] = xGroupDelConsumer
	h[command.CmdXGroupHelp] = help
	h[command.CmdXInfoStream] = xInfoStream
	h[command.CmdXInfoGroups] = xInfoGroups
	h[command.CmdXInfoConsumers] = xInfoConsumers
	h[command.CmdXInfoHelp] = help
}

// lookStream is lookKind for streams.
func (c *Call) lookStream(key []byte) (it store.Item, found, wrong bool) {
	return c.lookKind(key, store.KindStreamBig, store.KindStreamBig)
}

// streamOf gives an item's stream, to be read only.
func (c *Call) streamOf(it store.Item) streams.Stream { return streams.Of(it.Object(), &c.bytes) }

// editStream gives an item's stream to be changed.
func (c *Call) editStream(it store.Item) streams.Stream {
	return streams.Of(c.DB.EditObject(it), &c.bytes)
}

// newStream makes key an empty stream.
func (c *Call) newStream(key []byte) streams.Stream {
	return streams.New(c.DB, key, store.NoExpiry, c.NowMS, &c.bytes)
}

// cut is a text as Redis prints it into an error: up to a NUL.
func cut(text []byte) string {
	if i := slices.Index(text, 0); i >= 0 {
		text = text[:i]
	}
	return string(text)
}

func errNoKeyOrGroup(key, group []byte) string {
	return "NOGROUP No such key '" + cut(key) + "' or consumer group '" + cut(group) + "'"
}

func errNoGroup(key, group []byte) string {
	return "NOGROUP No such consumer group '" + cut(group) + "' for key name '" + cut(key) + "'"
}

// streamIDs reads the arguments from one on as IDs; false: one is none, and the error was written.
func (c *Call) streamIDs(from int) ([]streams.ID, bool) {
	c.ids = c.ids[:0]
	for _, arg := range c.Args[from:] {
		id, ok := streams.ParseID(arg, 0)
		if !ok {
			c.W.Error(errStreamID)
			return nil, false
		}
		c.ids = append(c.ids, id)
	}
	return c.ids, true
}

// interval reads the first and the last ID of a range; "(" before one excludes it.
func interval(start, end []byte) (from, to streams.ID, err string) {
	from, open, ok := border(start, 0)
	if !ok {
		return from, to, errStreamID
	}
	if open {
		if from, ok = from.Next(); !ok {
			return from, to, errStreamStart
		}
	}
	to, open, ok = border(end, streams.MaxID.Seq)
	if !ok {
		return from, to, errStreamID
	}
	if open {
		if to, ok = to.Prev(); !ok {
			return from, to, errStreamEnd
		}
	}
	return from, to, noError
}

// border reads one end of an interval. One that is excluded must be an ID in full words: "-" and "+" are not.
func border(arg []byte, missing uint64) (id streams.ID, open, ok bool) {
	if len(arg) > 1 && arg[0] == '(' {
		id, ok = streams.ParseID(arg[1:], missing)
		return id, true, ok
	}
	id, ok = streams.ParseBorder(arg, missing)
	return id, false, ok
}

func (c *Call) streamID(id streams.ID) {
	var text [2*digitsMax + 1]byte
	c.W.BulkBytes(id.Append(text[:0]))
}

// entry writes an entry: its ID and its names and values.
func (c *Call) entry(e *streams.Entry) {
	c.W.Array(2)
	c.streamID(e.ID)
	c.W.Array(2 * e.Len())
	for e.Len() > 0 {
		name, value := e.Next()
		c.W.BulkBytes(name)
		c.W.BulkBytes(value)
	}
}

// entries writes a range; false: the reply has become too long.
func (c *Call) entries(r streams.Range) bool {
	c.W.Array(r.Len())
	e, ok := r.Next()
	for ; ok; e, ok = r.Next() {
		if c.entry(&e); c.full() {
			return false
		}
	}
	return true
}

// prefix puts the head of an array of n elements before what the reply has from an offset on: it is known only now.
func (c *Call) prefix(from, n int) {
	var head [digitsMax + 3]byte
	c.W.Out = slices.Insert(c.W.Out, from, resp.AppendArray(head[:0], n)...)
}

// prefixMap is prefix for the map from keys to entries that RESP3 has where RESP2 has an array of pairs.
func (c *Call) prefixMap(from, n int) {
	if c.W.Proto < 3 {
		c.prefix(from, n)
		return
	}
	var head [digitsMax + 3]byte
	c.W.Out = slices.Insert(c.W.Out, from, resp.AppendMap(head[:0], n)...)
}

// help answers HELP of a container.
func help(c *Call) { command.Help(c.W, command.ByID(c.Row.Parent)) }

// prefixBulk is prefix for a text.
func (c *Call) prefixBulk(from int, text []byte) {
	var head [3*digitsMax + 8]byte
	c.W.Out = slices.Insert(c.W.Out, from, resp.AppendBulk(head[:0], text)...)
}
