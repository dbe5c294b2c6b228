// Package algebra combines collections: sets as sequences of their members, registers of HyperLogLogs; and finds what two texts have in common. A node runs
// SINTER and its like with it over what it holds, a gateway over what several shards hold.
//
// What must hold: it imports nothing, changes nothing that it is given but where it says so, and needs no memory for results that are collections: they are
// sequences, made as they are asked for.
package algebra

// Set is a set as the operations need it.
type Set interface {
	Len() int
	Has(member []byte) bool
	Rank(member []byte) (rank int, found bool) // the member's place in the order of All, which stays the same for as long as the set
	All(yield func(member []byte) bool)        // every member once until yield says false; a member is a view, dead with the next
}

// Members is a sequence of members, each once, to range over.
type Members func(yield func(member []byte) bool)

// Union gives what is in any of the sets: of each set what is in none before it.
func Union(sets []Set) Members {
	return func(yield func([]byte) bool) {
		going := true
		for i, s := range sets {
			before := sets[:i]
			s.All(func(member []byte) bool {
				if !inAny(before, member) {
					going = yield(member)
				}
				return going
			})
			if !going {
				return
			}
		}
	}
}

// Intersection gives what is in all of the sets, of which there is one at least: the members of the smallest that the others have too. The sets are put in
// order of their size, so that most members are turned away early.
func Intersection(sets []Set) Members {
	sortBySize(sets)
	return func(yield func([]byte) bool) {
		sets[0].All(func(member []byte) bool {
			return !inAll(sets[1:], member) || yield(member)
		})
	}
}

// Difference gives what is in the first set and in none of the others.
func Difference(first Set, others []Set) Members {
	if Probing(first, others) {
		return probe(first, others)
	}
	return strike(first, others)
}

// Probing tells which way to a difference is cheaper: to look for each member of the first set in the others, or to look for each member of the others in
// the first. The former often ends early, so it may cost twice as much; that is how Redis weighs them.
func Probing(first Set, others []Set) bool {
	probes, strikes := (len(others)+1)*first.Len(), first.Len()
	for _, s := range others {
		strikes += s.Len()
	}
	return probes/2 <= strikes
}

// probe puts the others in order of their size, the largest first: it is the likeliest to have a member.
func probe(first Set, others []Set) Members {
	sortBySize(others)
	for i, j := 0, len(others)-1; i < j; i, j = i+1, j-1 {
		others[i], others[j] = others[j], others[i]
	}
	return func(yield func([]byte) bool) {
		first.All(func(member []byte) bool {
			return inAny(others, member) || yield(member)
		})
	}
}

// strike marks by a bit each member of the first set that another has.
func strike(first Set, others []Set) Members {
	return func(yield func([]byte) bool) {
		struck := make([]uint64, (first.Len()+63)/64)
		left := first.Len()
		for _, s := range others {
			s.All(func(member []byte) bool {
				if rank, found := first.Rank(member); found && struck[rank>>6]>>(rank&63)&1 == 0 {
					struck[rank>>6] |= 1 << (rank & 63)
					left--
				}
				return left > 0
			})
		}
		if left == 0 {
			return
		}
		rank := -1
		first.All(func(member []byte) bool {
			rank++
			return struck[rank>>6]>>(rank&63)&1 != 0 || yield(member)
		})
	}
}

func inAny(sets []Set, member []byte) bool {
	for _, s := range sets {
		if s.Has(member) {
			return true
		}
	}
	return false
}

func inAll(sets []Set, member []byte) bool {
	for _, s := range sets {
		if !s.Has(member) {
			return false
		}
	}
	return true
}

// sortBySize puts the smallest first. A heap, since there may be as many sets as a client likes to name.
func sortBySize(sets []Set) {
	for i := len(sets)/2 - 1; i >= 0; i-- {
		sink(sets, i)
	}
	for n := len(sets) - 1; n > 0; n-- {
		sets[0], sets[n] = sets[n], sets[0]
		sink(sets[:n], 0)
	}
}

func sink(sets []Set, i int) {
	for {
		child := 2*i + 1
		if child >= len(sets) {
			return
		}
		if child+1 < len(sets) && sets[child+1].Len() > sets[child].Len() {
			child++
		}
		if sets[child].Len() <= sets[i].Len() {
			return
		}
		sets[i], sets[child] = sets[child], sets[i]
		i = child
	}
}
