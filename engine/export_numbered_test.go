package engine

// Lanes is how far each numbered lane has come by the node's data.
func (n *Node) Lanes() map[string]uint64 {
	all := map[string]uint64{}
	for _, l := range n.part.numbered.table.All() {
		all[l.ID] = l.Number
	}
	return all
}
