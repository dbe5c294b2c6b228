package sets

import "larder/engine/store"

// Fill makes key a big set of those members, whatever was there. False: two of them are the same, and nothing has happened. scratch is used again.
func Fill(s *store.Store, db *store.DB, key []byte, members [][]byte, scratch *[]store.Hashed, expiryMS, now int64) bool {
	sorted, distinct := s.HashOrder(*scratch, len(members), func(i int) []byte { return members[i] })
	*scratch = sorted[:0]
	if !distinct {
		return false
	}
	t := db.NewObject(key, store.KindSetBig, order(s), expiryMS, now).Trees[0]
	for _, e := range sorted {
		t.Append(members[e.Index])
	}
	return true
}
