package main

// Targets: ours to theirs unless they say a unit.
const (
	behindTarget   = 0.6  // CPU a GET of the node behind the gateway
	latencyTarget  = 1.25 // p99 added by the gateway to what nutcracker adds
	besideTarget   = 2.0  // p99 beside a client with very many commands under way to p99 without him
	deliveryTarget = 0.8  // CPU of the gateway a message delivered to a subscriber, of many, to redis-server's
	writesTarget   = 1.25 // p99.9 of the node under full write load

	gcShareTarget = 0.01 // of the node's CPU
	gcStopTarget  = 1.0  // ms, the longest
	heapTarget    = 64.0 // MiB, Go's heap with idle clients

	saveMemoryTarget = 0.10 // extra memory of a save
	saveTailTarget   = 2.0  // p99 of writes during a save to before it
	saveTimeTarget   = 1.0  // how long a save takes

	restoreTarget = 200.0 // MB of a snapshot's data that are restored a second and core

	syncTarget = 1.0 // how long a full synchronization takes
	tellTarget = 0.5 // CPU a write of a primary with a replica

	alwaysTarget      = 1.0  // redis-server's writes a second to the node's
	everySecondTarget = 0.15 // of throughput

	waitTarget = 2.0  // ms that another command waits while a million keys expire
	lateTarget = 1.0  // s that a key outlives its time
	cpuTarget  = 0.03 // of a core, to expire 100,000 keys a second
)

// gatewayTarget is of CPU an operation; 0 where none is set.
func gatewayTarget(w Workload) float64 {
	switch {
	case w.Op == "MGET" && w.Depth == 16:
		return 0.7
	case w.Keys > 1:
		return 0
	}
	return byDepth(w.Depth, 1.05, 0.85, 0.35)
}

// nodeTarget is of CPU an operation; 0 where none is set.
func nodeTarget(w Workload) float64 {
	switch {
	case w.Keys > 1:
		return 0
	case w.Value >= 1024:
		return byDepth(w.Depth, 1, 0.45, 0.4)
	}
	return byDepth(w.Depth, 1, 0.4, 0.2)
}

// replicatedTarget is of p50; 0 where none is set.
func replicatedTarget(w Workload) float64 { return byDepth(w.Depth, 1.5, 0, 0) }

func byDepth(depth int, one, sixteen, sixtyFour float64) float64 {
	return map[int]float64{1: one, 16: sixteen, 64: sixtyFour}[depth]
}

// memoryTarget is in bytes a key beyond key and value.
func memoryTarget(value int, ttl bool) float64 {
	switch {
	case ttl:
		return 32
	case value >= 512:
		return 24
	}
	return 20
}
