package configs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

func keys[T any](known map[string]T) []string { return slices.Sorted(maps.Keys(known)) }

// didYouMean is the end of a message about an unknown name: the one known name that is nearest, if it is near.
func didYouMean(name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	best := slices.MinFunc(known, func(a, b string) int { return cmp.Compare(distance(name, a), distance(name, b)) })
	if distance(name, best) > 1+len(name)/4 {
		return ""
	}
	return fmt.Sprintf(": do you mean %s?", best)
}

// distance is how many bytes must be changed, added or taken away to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // row[j]: from the part of a so far to b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
