package commands

// Class is a set of classes of keyspace events, as notify-keyspace-events names them (Redis 7.2 notify.c).
type Class uint16

// The classes, by their letters.
const (
	ClassGeneric Class = 1 << iota // g
	ClassString                    // $
	ClassList                      // l
	ClassSet                       // s
	ClassHash                      // h
	ClassZSet                      // z
	ClassStream                    // t
	ClassExpired                   // x
	ClassEvicted                   // e
	ClassMiss                      // m
	ClassNew                       // n
)

// Event is a keyspace event.
type Event struct {
	Class Class
	Name  string // "hset", "expired" ...
	DB    int
	Key   []byte // a view, as long as the command's arguments
}

// Touch is a key of a database.
type Touch struct {
	DB  int
	Key []byte // a view, as long as the command's arguments
}

// Wait says that a command waits for one of some keys.
type Wait struct {
	Keys      [][]byte // views; nil: it does not wait
	TimeoutMS int64    // 0 = for ever
	Gone      bool     // the command also runs again when a key was deleted, or replaced by a value of another type
	Note      []byte   // a view; the node keeps a copy and gives it as Call.Note each time the command runs again
}

// Touch tells that the value of a key of the client's database changed (was made, or is gone): whoever watches or caches it is told. It counts nothing:
// that is Changed's.
func (c *Call) Touch(key []byte) { c.TouchIn(c.DBIndex, key) }

// TouchIn is Touch for a key of another database.
func (c *Call) TouchIn(db int, key []byte) {
	if !c.Unwatched {
		c.Touched = append(c.Touched, Touch{db, key})
	}
}

// Did is Touch and Notify for a key of the client's database.
func (c *Call) Did(class Class, name string, key []byte) {
	c.Touch(key)
	c.Notify(class, name, key)
}

// Notify tells of a keyspace event of a key of the client's database.
func (c *Call) Notify(class Class, name string, key []byte) { c.NotifyIn(c.DBIndex, class, name, key) }

// NotifyIn is Notify for a key of another database.
func (c *Call) NotifyIn(db int, class Class, name string, key []byte) {
	if c.Listening&class != 0 {
		c.Events = append(c.Events, Event{class, name, db, key})
	}
}

// Push tells that a key of the client's database has got something that blocked clients may wait for.
func (c *Call) Push(key []byte) { c.PushIn(c.DBIndex, key) }

// PushIn is Push for a key of another database.
func (c *Call) PushIn(db int, key []byte) {
	if !c.Unawaited {
		c.Ready = append(c.Ready, Touch{db, key})
	}
}

// Block has the client wait until one of the keys of its database has a value of the type that the command's group is about, for timeoutMS at most
// (0 = for ever; milliseconds). The handler writes nothing if Block is true. The command then runs again, with copies of its arguments, Woken set and
// Blockable: it answers, or blocks again; its time goes on from where it first began, whatever it then says. With Wait.Gone it also runs again when a key is
// gone or of another type. After the time the node answers by itself: a null array. Block is false where nobody may wait
// (in a transaction or a script): the handler then answers as the command without a wait does.
func (c *Call) Block(keys [][]byte, timeoutMS int64) bool {
	if c.Blockable {
		c.Wait = Wait{Keys: keys, TimeoutMS: timeoutMS}
	}
	return c.Blockable
}
