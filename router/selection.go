package router

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// AllDatabases is the DB of a selection that names none.
const AllDatabases = -1

// Selection is which keys are meant: those of a database, whose names begin with a prefix, of some slots; what is not said does not matter, and what is said
// must hold together.
type Selection struct {
	DB     int     // AllDatabases: any
	Prefix []byte  // empty: any
	Slots  []Range // empty: any
}

// Everything selects every key.
func Everything() Selection { return Selection{DB: AllDatabases} }

// ParseSelection reads a selection as people write it; an empty text says nothing of its part.
func ParseSelection(db, prefix, slots string) (s Selection, err error) {
	s = Selection{DB: AllDatabases, Prefix: []byte(prefix)}
	if db != "" {
		n, err := strconv.ParseUint(db, 10, 31)
		if err != nil {
			return s, fmt.Errorf("database %q: must be a number from 0", db)
		}
		s.DB = int(n)
	}
	if s.Slots, err = ParseRanges(slots); err != nil {
		return s, err
	}
	for i, r := range s.Slots {
		for _, other := range s.Slots[:i] {
			if r.From <= other.To && other.From <= r.To {
				return s, errors.New("slots " + slots + ": some of them are named twice")
			}
		}
	}
	return s, nil
}

// All tells whether every key is selected.
func (s *Selection) All() bool { return s.DB == AllDatabases && s.WholeDB() }

// WholeDB tells whether all keys of the database, or of all databases, are selected.
func (s *Selection) WholeDB() bool { return len(s.Prefix) == 0 && len(s.Slots) == 0 }

// HasDB tells whether keys of a database can be selected.
func (s *Selection) HasDB(db int) bool { return s.DB == AllDatabases || s.DB == db }

// HasSlot tells whether keys of a slot can be selected.
func (s *Selection) HasSlot(slot int) bool { return len(s.Slots) == 0 || contains(s.Slots, slot) }

// Has tells whether a key is selected.
func (s *Selection) Has(db int, key []byte) bool {
	return s.HasDB(db) && bytes.HasPrefix(key, s.Prefix) && (len(s.Slots) == 0 || contains(s.Slots, Slot(key)))
}

func contains(ranges []Range, slot int) bool {
	for _, r := range ranges {
		if slot >= r.From && slot <= r.To {
			return true
		}
	}
	return false
}

// String tells it in words: "all keys", `keys of database 3 that begin with "user:"`.
func (s *Selection) String() string {
	if s.All() {
		return "all keys"
	}
	text := "keys"
	if s.DB != AllDatabases {
		text += " of database " + strconv.Itoa(s.DB)
	}
	if len(s.Slots) > 0 {
		text += " of slots " + string(AppendRanges(nil, s.Slots))
	}
	if len(s.Prefix) > 0 {
		text += " that begin with " + strconv.Quote(strings.ToValidUTF8(string(s.Prefix), "?"))
	}
	return text
}
