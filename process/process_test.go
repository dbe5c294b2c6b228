package process_test

import (
	"testing"

	"larder/process"
)

func TestResidentBytes(t *testing.T) {
	before := process.ResidentBytes()
	touched := make([]byte, 64<<20)
	for i := 0; i < len(touched); i += 4096 {
		touched[i] = 1
	}
	if grown := process.ResidentBytes() - before; before <= 0 || grown < int64(len(touched))*9/10 {
		t.Errorf("%d bytes, and %d more with %d touched", before, grown, len(touched))
	}
}

func TestCPUSeconds(t *testing.T) {
	user, system := process.CPUSeconds()
	if user+system <= 0 {
		t.Errorf("user %v, system %v", user, system)
	}
}

func TestSystemMemory(t *testing.T) {
	if all, ours := process.SystemMemory(), process.ResidentBytes(); all <= ours {
		t.Errorf("the machine has %d bytes, this process has %d of them", all, ours)
	}
}
