package store

// Touch loads what looking up the keys will read, for all of them together: the waits for memory then overlap instead of adding up. It changes nothing
// that can be seen, and says nothing about the keys. It pays from a few keys on, in a database that the processor's caches don't hold.
func (d *DB) Touch(keys [][]byte) {
	if d.tables == nil {
		return
	}
	for len(keys) > 0 {
		n := min(len(keys), touchKeys)
		d.touchSome(keys[:n])
		keys = keys[n:]
	}
}

const (
	touchKeys = 64 // keys that are looked at together
	lineBytes = 64 // what memory gives at once
)

// touchSome goes over the keys once for each thing that a lookup waits for: the bucket, the first item in it, and the item behind that. The loops do
// little else, so that the processor has many loads under way.
func (d *DB) touchSome(keys [][]byte) {
	var probes [touchKeys]probe
	for i, key := range keys {
		probes[i] = d.store.probe(key)
	}
	var refs [touchKeys]ref
	for i := range keys {
		p := &probes[i]
		if heads := d.tables[p.group].heads; len(heads) > 0 {
			refs[i] = heads[bucket(p.hash, len(heads))]
		}
	}
	var read byte
	for i := range keys {
		if r := refs[i]; r != 0 {
			b := d.arena.slot(r.addr())
			refs[i] = nextOf(b)
			read |= b[min(len(b)-1, lineBytes)]
		}
	}
	for i := range keys {
		if r := refs[i]; r != 0 {
			read |= flagsOf(d.arena.slot(r.addr()))
		}
	}
	d.touched = read
}
