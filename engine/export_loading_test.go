package engine

// LoadRDB loads a file that comes in pieces of so many bytes; the node's loop must have its part. It gives how many keys were put in, how many were dead, and
// what was behind the end.
func (n *Node) LoadRDB(file []byte, piece int, keepDead bool) (keys, dead int64, rest string, err error) {
	l := n.part.newLoading(keepDead)
	defer l.drop()
	for {
		state, err := l.step()
		switch {
		case err != nil:
			return l.keys, l.dead, "", err
		case state == loadDone:
			return l.keys, l.dead, string(l.scan.Rest()) + string(file), nil
		case state == loadMore && len(file) == 0:
			return l.keys, l.dead, "", l.scan.Ended()
		case state == loadMore:
			k := min(piece, len(file))
			l.feed(file[:k])
			file = file[k:]
		}
	}
}

// Keys is how many keys the first database has, dead ones too.
func (n *Node) Keys() int { return n.store.DB(0).Len() }
