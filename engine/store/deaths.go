package store

// Deaths is what becomes of keys whose time has come.
type Deaths uint8

const (
	// Remove: they go, by themselves or when somebody looks; that is the usual way.
	Remove Deaths = iota
	// Hide: they are not shown, and stay until somebody deletes or replaces them. Nothing is evicted either. So it is where another node says what goes.
	Hide
	// Show: they are as if their time had not come: so that node's own commands find them, and so that it can change its mind. Nothing is evicted.
	Show
)

// putOffMS is when the wheel looks again at what it may not remove.
const putOffMS = 5000

// SetDeaths says what becomes of keys whose time has come, from now on.
func (s *Store) SetDeaths(d Deaths) { s.deaths = d }

// Deaths is what SetDeaths said last.
func (s *Store) Deaths() Deaths { return s.deaths }

// InsideMS is the time by which what is inside collections dies, when it is nowMS: none of it where the dead are shown.
func (s *Store) InsideMS(nowMS int64) int64 {
	if s.deaths == Show {
		return 0
	}
	return nowMS
}
