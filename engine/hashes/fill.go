package hashes

import "larder/engine/store"

// Fill makes key a big hash, whatever was there: texts are names and values in turns. False: two names are the same, and nothing has happened. scratch is
// used again.
func Fill(s *store.Store, db *store.DB, key []byte, texts [][]byte, scratch *[]store.Hashed, expiryMS, now int64) bool {
	sorted, distinct := s.HashOrder(*scratch, len(texts)/2, func(i int) []byte { return texts[2*i] })
	*scratch = sorted[:0]
	if !distinct {
		return false
	}
	t := db.NewObject(key, store.KindHashBig, orders(s), expiryMS, now).Trees[fields]
	var entry []byte
	for _, e := range sorted {
		entry = appendField(entry[:0], field{name: texts[2*e.Index], value: texts[2*e.Index+1]})
		t.Append(entry)
	}
	return true
}
