package house_test

import (
	"slices"
	"strings"
)

const (
	whyRoom = "a folder is a room with one job, known few others; a folder that no row names has no job yet. " +
		"Put the code where it belongs, or add a row to house_table_test.go and say its job in ARCHITECTURE.md"
	whyArrow = "arrows point one way, so that a room can be read, tested and replaced without those that use it. " +
		"Declare a small interface with the caller and hand the other side over in cmd"
	whyMeet    = "gateway and node meet on the wire and in protocol, nowhere else: so either can be another release, or a stock server"
	whyConfigs = "only cmd knows where a setting came from; everyone else gets Options, or a function bytes → Options or an error naming the key"
	whyAdapter = "whoever names an adapter can't run with another form of it; the interface lives with its caller and cmd hands the form over"
	whyKit     = "the test kit must never reach the binary: only tests and bench import internal"
	whyOutside = "a test inside the package that uses the kit makes an import circle as soon as the kit uses the package: " +
		"name the package with _test at its end"
	whyDoor = "each outside library has one door, so that it can be replaced, and its habits adapted, in one place. " +
		"Go through the room that has it, or decide on a door in house_table_test.go"
)

// roomOf is the row with the longest folder above dir, nil if there is none.
func roomOf(dir string) *row {
	var best *row
	longest := 0
	for i := range table {
		for _, f := range table[i].folders {
			if within(dir, f) && len(f) > longest {
				best, longest = &table[i], len(f)
			}
		}
	}
	return best
}

// ours cuts the module's name off an import path.
func ours(lib string) (string, bool) {
	if lib == module {
		return ".", true
	}
	return strings.CutPrefix(lib, module+"/")
}

func checkRooms(house []*source) []fault {
	var faults []fault
	homeless := map[string]bool{}
	for _, s := range product(house) {
		room := roomOf(s.dir)
		if room == nil {
			if !homeless[s.dir] {
				faults = append(faults, s.at(s.file.Package, whyRoom, "no room in the house for %s", s.dir))
			}
			homeless[s.dir] = true
			continue
		}
		for _, spec := range s.file.Imports {
			target, ok := ours(importPath(spec))
			if ok && !mayImport(room, target) {
				faults = append(faults, s.at(spec.Pos(), whyNot(s.dir, target), "%s may not import %s", s.dir, target))
			}
		}
	}
	return faults
}

func mayImport(room *row, target string) bool {
	if roomOf(target) == room {
		return true
	}
	return withinAny(target, room.may) && !withinAny(target, room.not)
}

// whyNot is the reason that helps most.
func whyNot(dir, target string) string {
	switch {
	case within(target, "configs"):
		return whyConfigs
	case within(target, "internal"):
		return whyKit
	case within(dir, "engine") && within(target, "proxy"), within(dir, "proxy") && within(target, "engine"):
		return whyMeet
	}
	return whyArrow
}

func checkAdapters(house []*source) []fault {
	var faults []fault
	for _, s := range product(house) {
		for _, spec := range s.file.Imports {
			target, ok := ours(importPath(spec))
			i := slices.IndexFunc(adapters, func(a string) bool { return within(target, a) })
			if ok && i >= 0 && !withinAny(s.dir, wirers) && !within(s.dir, adapters[i]) {
				faults = append(faults, s.at(spec.Pos(), whyAdapter, "%s names the adapter %s", s.dir, target))
			}
		}
	}
	return faults
}

func checkTestKit(house []*source) []fault {
	var faults []fault
	for _, s := range house {
		if !s.test || within(s.dir, "internal") || strings.HasSuffix(s.file.Name.Name, "_test") {
			continue
		}
		for _, spec := range s.file.Imports {
			if target, ok := ours(importPath(spec)); ok && within(target, "internal") {
				faults = append(faults, s.at(spec.Pos(), whyOutside, "a test in package %s uses %s", s.file.Name.Name, target))
			}
		}
	}
	return faults
}

func checkDoors(house []*source) []fault {
	var faults []fault
	for _, s := range product(house) {
		for _, spec := range s.file.Imports {
			lib := importPath(spec)
			if _, ok := ours(lib); ok {
				continue
			}
			rooms, guarded := doorOf(lib)
			switch {
			case guarded && !withinAny(s.dir, rooms):
				faults = append(faults, s.at(spec.Pos(), whyDoor, "%s enters by %s, not by %s", lib, strings.Join(rooms, ", "), s.dir))
			case !guarded && !standard(lib):
				faults = append(faults, s.at(spec.Pos(), whyDoor, "%s has no door in the house", lib))
			}
		}
	}
	return faults
}

// doorOf gives the rooms a library may enter by; only those of the standard library need none.
func doorOf(lib string) ([]string, bool) {
	for door, rooms := range doors {
		if within(lib, door) {
			return rooms, true
		}
	}
	return nil, false
}

// standard reports whether a path is of Go's own library: those have no dot in their first part.
func standard(lib string) bool {
	first, _, _ := strings.Cut(lib, "/")
	return !strings.Contains(first, ".")
}
