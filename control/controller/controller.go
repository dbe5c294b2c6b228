// Package controller decides what is to be done to a cluster: Step takes what is known, what has happened and the time, and answers what is known then and
// what is to be done. It does nothing itself, so that it can be tried with any order of events, and be gone on with by another process from what was kept.
// What must hold: effects may be carried out late, twice or not at all; Step asks for them again when it is told that time has passed. The agent in control
// calls it, on one goroutine.
package controller
