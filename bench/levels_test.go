package main

import (
	"bytes"
	"testing"
)

func TestValues(t *testing.T) {
	for _, kind := range []string{valuesText, valuesJSON, valuesNoise} {
		a, b, other := newValues(kind, 1), newValues(kind, 1), newValues(kind, 2)
		seen := map[string]bool{}
		for range 100 {
			var v [3][64]byte
			a.fill(v[0][:])
			b.fill(v[1][:])
			other.fill(v[2][:])
			if v[0] != v[1] || seen[string(v[0][:])] || v[0] == v[2] {
				t.Fatalf("%s: %q, of the same seed %q, of another %q", kind, v[0], v[1], v[2])
			}
			seen[string(v[0][:])] = true
		}
	}
}

// TestLevels holds the order: what shrinks more is called so, and nothing is read but what was written.
func TestLevels(t *testing.T) {
	ratios := map[string]float64{}
	for _, kind := range []string{valuesText, valuesJSON, valuesNoise} {
		data := levelData(kind, 1<<20)
		c := LevelCell{Kind: kind, Level: 3, Raw: int64(len(data))}
		for range 2 {
			if err := c.measure(data, &held{room: bytes.Repeat([]byte{1}, 2<<20)}); err != nil {
				t.Fatal(err)
			}
		}
		if c.Write <= 0 || c.Read <= 0 {
			t.Errorf("%s: %f ns a byte written, %f read", kind, c.Write, c.Read)
		}
		ratios[kind] = c.ratio()
	}
	if ratios[valuesJSON] < 2 || ratios[valuesText] < 2 || ratios[valuesNoise] > 1.1 {
		t.Error(ratios)
	}
	data := levelData(valuesNoise, 1<<20)
	c := LevelCell{Level: 3, Raw: int64(len(data))}
	if err := c.measure(data, &held{room: make([]byte, 1000)}); err == nil {
		t.Error("an object that is longer than its room is measured")
	}
}
