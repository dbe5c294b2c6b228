package algebra

// LCSMemory is what the table of Redis takes for the longest common subsequence of texts of these lengths: four bytes for each pair of places. It is what
// Redis bounds. Ours takes a bit.
func LCSMemory(a, b int) int64 {
	const cellBytes = 4
	return int64(a+1) * int64(b+1) * cellBytes
}

// LCSLength is the length of the longest common subsequence.
func LCSLength(a, b []byte) int {
	if len(a) < len(b) {
		a, b = b, a // the length is the same, and the row in memory is the shorter one
	}
	return lcsTable(a, b, nil)
}

// LCS is a longest common subsequence. Of several it is Redis's: the way back from the ends goes on in b where both ways are as good.
func LCS(a, b []byte) []byte {
	moves := newLCSMoves(a, b)
	n := lcsTable(a, b, moves)
	text := make([]byte, n)
	for i, j := len(a), len(b); n > 0; {
		switch {
		case a[i-1] == b[j-1]:
			i, j, n = i-1, j-1, n-1
			text[n] = a[i]
		case moves.inA(i-1, j-1):
			i--
		default:
			j--
		}
	}
	return text
}

// LCSRuns calls run for each range of places that match, the last first, and gives the length of the whole: run gets where it begins in a and in b, and how
// long it is.
func LCSRuns(a, b []byte, run func(inA, inB, size int)) int {
	moves := newLCSMoves(a, b)
	n := lcsTable(a, b, moves)
	for i, j := len(a), len(b); i > 0 && j > 0; {
		size := 0
		for i > 0 && j > 0 && a[i-1] == b[j-1] {
			i, j, size = i-1, j-1, size+1
		}
		switch {
		case size > 0:
			run(i, j, size)
		case moves.inA(i-1, j-1):
			i--
		default:
			j--
		}
	}
	return n
}

// lcsMoves says for each pair of places, if their bytes differ, whether the way back goes on in a (1) or in b (0). One bit is all that the way needs to know
// of the lengths.
type lcsMoves struct {
	bits  []uint64
	width int
}

func newLCSMoves(a, b []byte) *lcsMoves {
	return &lcsMoves{bits: make([]uint64, (len(a)*len(b)+63)/64), width: len(b)}
}

func (m *lcsMoves) set(i, j int) {
	at := i*m.width + j
	m.bits[at>>6] |= 1 << (at & 63)
}

func (m *lcsMoves) inA(i, j int) bool {
	at := i*m.width + j
	return m.bits[at>>6]>>(at&63)&1 != 0
}

// lcsTable gives the length of the longest common subsequence and notes the moves if they are wanted.
func lcsTable(a, b []byte, moves *lcsMoves) int {
	row := make([]uint32, len(b)+1) // lengths for a up to i and b up to each place
	for i := range a {
		diagonal, left := uint32(0), uint32(0)
		for j := range b {
			up := row[j+1]
			switch {
			case a[i] == b[j]:
				left = diagonal + 1
			case up > left:
				left = up
				if moves != nil {
					moves.set(i, j)
				}
			}
			diagonal, row[j+1] = up, left
		}
	}
	return int(row[len(b)])
}
