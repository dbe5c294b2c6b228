package hll

import (
	"encoding/binary"
	"fmt"
	"math"
)

// SelfTest checks the arithmetic on this machine: registers keep what is set, both forms say the same, and estimates are as good as they must be. It
// gives what is wrong, "" if nothing.
func SelfTest() string {
	if wrong := testRegisters(); wrong != "" {
		return wrong
	}
	return testEstimates()
}

func testRegisters() string {
	b, _ := ToDense(New(nil))
	var want [Registers]byte
	for i := range want {
		want[i] = byte(i*37+i>>6) & registerMax
		SetRegister(b, i, want[i])
	}
	var got [Registers]byte
	Unpack(b, &got)
	for i, r := range got {
		if r != want[i] {
			return fmt.Sprintf("register %d should be %d, is %d", i, want[i], r)
		}
	}
	return ""
}

func testEstimates() string {
	const (
		elements  = 20_000
		sparseMax = 3000
		errorsMax = 4 // times the standard error
	)
	free, forced := New(nil), New(nil)
	forced, _ = ToDense(forced)
	deviation := 1.04 / math.Sqrt(Registers)
	next := 100
	for n := 1; n <= elements; n++ {
		var element [8]byte
		binary.LittleEndian.PutUint64(element[:], uint64(n)*0x9e3779b97f4a7c15)
		register, count := Place(element[:])
		free, _, _ = Raise(free, register, count, sparseMax)
		forced, _, _ = Raise(forced, register, count, sparseMax)
		if n != next {
			continue
		}
		next *= 10
		var a, b [Registers]byte
		if !Unpack(free, &a) || !Unpack(forced, &b) || a != b {
			return fmt.Sprintf("the forms differ after %d elements", n)
		}
		if e := float64(Estimate(&a)); math.Abs(e-float64(n)) > max(errorsMax*deviation*float64(n), 2) {
			return fmt.Sprintf("%d elements are estimated as %.0f", n, e)
		}
	}
	return ""
}
