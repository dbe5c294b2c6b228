package streams

// deletedFrom tells whether an entry that is not before an ID may have been deleted by name.
func (s Stream) deletedFrom(id ID) bool {
	m := s.meta
	return s.Len() > 0 && !m.maxDeleted.IsZero() && !m.maxDeleted.Less(id)
}

// EntriesUpTo tells how many entries the stream has had up to an ID, EntriesUnknown if that cannot be told (Redis 7.0,
// streamEstimateDistanceFromFirstEverEntry): it can for what is before or at the first entry, if nothing behind it was deleted by name, and for the last.
func (s Stream) EntriesUpTo(id ID) int64 {
	m := s.meta
	added, first := int64(m.entriesAdded), s.FirstID()
	switch {
	case added == 0:
		return 0
	case s.Len() == 0 && id.Compare(m.lastID) <= 0:
		return added
	case id == m.lastID:
		return added
	case m.lastID.Less(id):
		return EntriesUnknown
	case !m.maxDeleted.IsZero() && !m.maxDeleted.Less(first):
		return EntriesUnknown
	case id.Less(first):
		return added - int64(s.Len())
	case id == first:
		return added - int64(s.Len()) + 1
	}
	return EntriesUnknown
}

// Lag tells how many entries a group has still to get, if that can be told.
func (s Stream) Lag(g *Group) (int64, bool) {
	added := int64(s.meta.entriesAdded)
	if added == 0 {
		return 0, true
	}
	if g.EntriesRead != EntriesUnknown && !s.deletedFrom(g.LastID) {
		return added - g.EntriesRead, true
	}
	read := s.EntriesUpTo(g.LastID)
	return added - read, read != EntriesUnknown
}

// Deliver notes in the group that an entry behind its last one is delivered.
func (s Stream) Deliver(g *Group, id ID) {
	if !g.LastID.Less(id) {
		return
	}
	if g.EntriesRead != EntriesUnknown && !s.deletedFrom(id) {
		g.EntriesRead++
	} else if s.meta.entriesAdded > 0 {
		g.EntriesRead = s.EntriesUpTo(id)
	}
	g.LastID = id
}
