package main

import (
	"bufio"
	"fmt"
	"hash/maphash"
	"os"
	"strconv"
	"strings"
)

// readTrace reads a file with a request a line: key, or key and size, parted by a comma or space. Lines that begin with # are left out.
func readTrace(name string, value int) (trace []request, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read trace: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	seed := maphash.MakeSeed()
	for number := 1; lines.Scan(); number++ {
		fields := strings.FieldsFunc(lines.Text(), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		q := request{key: maphash.String(seed, fields[0]), size: uint32(value)}
		if len(fields) > 1 {
			size, err := strconv.ParseUint(fields[1], 10, 32)
			if err != nil {
				return nil, fmt.Errorf("%s, line %d: size %q: want a number", name, number, fields[1])
			}
			q.size = uint32(size)
		}
		trace = append(trace, q)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read trace %s: %w", name, err)
	}
	return trace, nil
}
