package commands

import (
	"math/bits"
	"slices"
)

// partSort puts those elements in order that then stand from from to to, to not among them, and leaves the others where they come to lie. Elements that are
// equal stand as a server leaves them, whose partial sort (pqsort) is Bentley and McIlroy's quicksort: which of them are in the range is seen by clients.
//
// What must hold: it takes about n log n steps whatever the elements; where quicksort would take more, the rest is sorted as a whole, and equal ones stay as
// they stand.
func partSort[T any](all []T, from, to int, compare func(a, b T) int) {
	p := partSorter[T]{compare: compare, from: from, to: to}
	p.sort(all, 0, 4*bits.Len(uint(len(all))))
}

// The numbers of elements from which on quicksort takes the middle one of three, or of three such middles.
const (
	quickMin = 7
	ninthMin = 40
)

type partSorter[T any] struct {
	compare  func(a, b T) int
	from, to int
}

// sort sorts a part, which begins at at in the whole; deep is how many parts of parts it may have.
func (p *partSorter[T]) sort(part []T, at, deep int) {
	for len(part) >= quickMin {
		if deep == 0 {
			slices.SortStableFunc(part, p.compare)
			return
		}
		deep--
		lower, higher := p.split(part)
		if lower > 1 && p.wants(at, lower) {
			p.sort(part[:lower], at, deep)
		}
		at += len(part) - higher
		if higher <= 1 || !p.wants(at, higher) {
			return
		}
		part = part[len(part)-higher:]
	}
	for i := 1; i < len(part); i++ {
		for k := i; k > 0 && p.compare(part[k-1], part[k]) > 0; k-- {
			part[k-1], part[k] = part[k], part[k-1]
		}
	}
}

// wants tells whether n elements from at on have one in the range.
func (p *partSorter[T]) wants(at, n int) bool { return at < p.to && at+n > p.from }

// split picks an element and puts those before it at the beginning, those behind it at the end, and those equal to it between; lower and higher are how many
// the first and the last are. While it works, equal ones are gathered at both ends.
func (p *partSorter[T]) split(part []T) (lower, higher int) {
	n := len(part)
	p.swap(part, 0, p.pick(part))
	left, low := 1, 1       // equal ones stand before left, lower ones from there to low
	high, right := n-1, n-1 // higher ones stand behind high up to right, equal ones behind that
	for {
		for low <= high {
			c := p.compare(part[low], part[0])
			if c > 0 {
				break
			}
			if c == 0 {
				p.swap(part, left, low)
				left++
			}
			low++
		}
		for low <= high {
			c := p.compare(part[high], part[0])
			if c < 0 {
				break
			}
			if c == 0 {
				p.swap(part, high, right)
				right--
			}
			high--
		}
		if low > high {
			break
		}
		p.swap(part, low, high)
		low++
		high--
	}
	lower, higher = low-left, right-high
	p.exchange(part, 0, low, min(left, lower))
	p.exchange(part, low, n, min(higher, n-1-right))
	return lower, higher
}

// pick gives the place of the element to split by.
func (p *partSorter[T]) pick(part []T) int {
	n := len(part)
	first, middle, last := 0, n/2, n-1
	if n == quickMin {
		return middle
	}
	if n > ninthMin {
		d := n / 8
		first = p.middle(part, first, first+d, first+2*d)
		middle = p.middle(part, middle-d, middle, middle+d)
		last = p.middle(part, last-2*d, last-d, last)
	}
	return p.middle(part, first, middle, last)
}

// middle gives that of three places whose element is neither the first nor the last.
func (p *partSorter[T]) middle(part []T, a, b, c int) int {
	compare := func(x, y int) int { return p.compare(part[x], part[y]) }
	if compare(a, b) < 0 {
		switch {
		case compare(b, c) < 0:
			return b
		case compare(a, c) < 0:
			return c
		}
		return a
	}
	switch {
	case compare(b, c) > 0:
		return b
	case compare(a, c) < 0:
		return a
	}
	return c
}

func (p *partSorter[T]) swap(part []T, a, b int) { part[a], part[b] = part[b], part[a] }

// exchange swaps the first n elements from from on with the n before to.
func (p *partSorter[T]) exchange(part []T, from, to, n int) {
	for i := range n {
		p.swap(part, from+i, to-n+i)
	}
}
