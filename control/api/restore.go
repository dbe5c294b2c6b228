package api

import (
	"fmt"
	"net/http"
	"strconv"

	"larder/control"
	"larder/persistence"
	"larder/router"
)

// Restore asks for a running cluster to be filled. DB, Prefix and Slots select keys: what is not given does not matter.
type Restore struct {
	From    []string `json:"from"` // a snapshot's name, or whole paths on the appliance's machine
	Replace bool     `json:"replace,omitempty"`
	DB      *int     `json:"db,omitempty"`
	Prefix  string   `json:"prefix,omitempty"`
	Slots   string   `json:"slots,omitempty"`
}

func (s *server) restore(a *control.Agent, r *http.Request) (int, any, error) {
	var want Restore
	if err := body(r, &want); err != nil {
		return 0, nil, err
	}
	db := ""
	if want.DB != nil {
		db = strconv.Itoa(*want.DB)
	}
	selected, err := router.ParseSelection(db, want.Prefix, want.Slots)
	if err != nil {
		return 0, nil, fmt.Errorf("restore: %w: %w", persistence.ErrInvalid, err)
	}
	task, err := a.Restore(r.Context(), control.Restore{From: want.From, Replace: want.Replace, Selected: selected})
	return http.StatusAccepted, task, err
}
