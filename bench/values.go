package main

import (
	"fmt"
	"strconv"
)

// What compressors make of values depends on the values: no two are alike here, all come from a seed, and each kind stands for one that caches have.
const (
	valuesText  = "text"   // words of a language that has some thousands of them, a few of which are most of what is said
	valuesJSON  = "JSON"   // records with the same fields, whose names, numbers and texts differ
	valuesNoise = "random" // nothing to be gained
)

// wordCount is how many words the language has.
const wordCount = 1 << 13

// values makes values of one kind.
type values struct {
	kind  string
	d     dice
	words [][]byte
	next  []byte
}

// newValues begins anew with a seed, which is not 0. The language is always the same.
func newValues(kind string, seed uint64) *values {
	v := &values{kind: kind, d: dice(seed)}
	language := dice(1)
	const consonants, vowels = "bcdfghklmnprstvw", "aeiou"
	for range wordCount {
		var w []byte
		for range 1 + language.below(4) {
			w = append(w, consonants[language.below(uint32(len(consonants)))], vowels[language.below(uint32(len(vowels)))])
		}
		if language.below(2) == 0 {
			w = append(w, "nrst"[language.below(4)])
		}
		v.words = append(v.words, w)
	}
	return v
}

// fill makes dst a value.
func (v *values) fill(dst []byte) {
	if v.kind == valuesNoise {
		for i := range dst {
			dst[i] = byte(v.d.below(1 << 8))
		}
		return
	}
	v.next = v.next[:0]
	for len(v.next) < len(dst) {
		if v.kind == valuesJSON {
			v.record()
		} else {
			v.sentence()
		}
	}
	copy(dst, v.next)
}

// word is a common one mostly: the k-th is about as frequent as 1/√k.
func (v *values) word() []byte {
	n := v.d.below(wordCount)
	return v.words[uint64(n)*uint64(v.d.below(wordCount))/wordCount]
}

func (v *values) sentence() {
	begin := len(v.next)
	for i := range 4 + v.d.below(12) {
		switch {
		case i > 0 && v.d.below(12) == 0:
			v.next = append(v.next, ", "...)
		case i > 0:
			v.next = append(v.next, ' ')
		}
		v.next = append(v.next, v.word()...)
	}
	v.next[begin] -= 'a' - 'A'
	v.next = append(v.next, ". "...)
}

func (v *values) record() {
	number := func(below uint32) int64 { return int64(v.d.below(below)) }
	b := v.next
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, number(100_000_000), 10)
	b = append(b, `,"name":"`...)
	b = append(append(append(b, v.word()...), ' '), v.word()...)
	b = append(b, `","email":"`...)
	b = append(append(append(append(b, v.word()...), '.'), v.word()...), `@example.com"`...)
	b = append(b, `,"created_at":`...)
	b = strconv.AppendInt(b, 1_764_000_000_000+1000*number(500_000)+number(1000), 10)
	b = append(b, `,"active":`...)
	b = strconv.AppendBool(b, v.d.below(4) > 0)
	b = append(b, `,"balance":`...)
	b = strconv.AppendFloat(b, float64(number(10_000_000))/100, 'f', 2, 64)
	b = fmt.Appendf(b, `,"session":"%08x%08x"`, v.d.below(1<<31), v.d.below(1<<31))
	b = append(b, `,"tags":["`...)
	b = append(append(append(b, v.word()...), `","`...), v.word()...)
	b = append(b, `"],"about":"`...)
	v.next = b
	v.sentence()
	v.next = append(v.next, "\"}\n"...)
}
