package api

import (
	"errors"
	"net/http"
	"time"

	"larder/control"
	"larder/control/migrate"
)

// Migrations is the list, the newest first.
type Migrations struct {
	Migrations []migrate.Migration `json:"migrations"`
}

// Cutover asks for one.
type Cutover struct {
	NoPause   bool  `json:"no_pause,omitempty"`
	TimeoutMS int64 `json:"timeout_ms"`
	HoldMS    int64 `json:"hold_ms"`
}

// migrationCodes is what a migration's errors are to programs.
var migrationCodes = []struct {
	err    error
	status int
	code   string
}{
	{migrate.ErrRequest, http.StatusBadRequest, "invalid"},
	{migrate.ErrUnknown, http.StatusNotFound, "unknown"},
	{migrate.ErrBusy, http.StatusConflict, "busy"},
	{migrate.ErrNotNow, http.StatusConflict, "busy"},
	{migrate.ErrFull, http.StatusConflict, "not-empty"},
	{migrate.ErrBehind, http.StatusConflict, "behind"},
}

// judgeMigration is judge for what a migrator says.
func judgeMigration(err error) (status int, code string, known bool) {
	for _, c := range migrationCodes {
		if errors.Is(err, c.err) {
			return c.status, c.code, true
		}
	}
	return 0, "", false
}

// migrator is a handler that asks the cluster's.
func (s *server) migrator(h func(m *migrate.Migrator, r *http.Request) (int, any, error)) http.HandlerFunc {
	return s.of(func(_ *control.Agent, r *http.Request) (int, any, error) {
		c, ok := s.o.Clusters.Cluster(r.PathValue("cluster"))
		if !ok || c.Migrator == nil {
			return 0, nil, migrate.ErrUnknown
		}
		return h(c.Migrator, r)
	})
}

func migrations(m *migrate.Migrator, _ *http.Request) (int, any, error) {
	return http.StatusOK, Migrations{m.List()}, nil
}

func beginMigration(m *migrate.Migrator, r *http.Request) (int, any, error) {
	var want migrate.Request
	if err := body(r, &want); err != nil {
		return 0, nil, err
	}
	one, err := m.Start(r.Context(), want)
	return http.StatusAccepted, one, err
}

func migration(m *migrate.Migrator, r *http.Request) (int, any, error) {
	one, err := m.Get(r.PathValue("migration"))
	return http.StatusOK, one, err
}

func cutOver(m *migrate.Migrator, r *http.Request) (int, any, error) {
	var want Cutover
	if err := body(r, &want); err != nil {
		return 0, nil, err
	}
	ms := func(n int64) time.Duration { return time.Duration(max(0, n)) * time.Millisecond }
	one, err := m.Cutover(r.Context(), r.PathValue("migration"), migrate.CutoverOptions{NoPause: want.NoPause, Timeout: ms(want.TimeoutMS), Hold: ms(want.HoldMS)})
	return http.StatusOK, one, err
}

func abortMigration(m *migrate.Migrator, r *http.Request) (int, any, error) {
	one, err := m.Abort(r.Context(), r.PathValue("migration"))
	return http.StatusOK, one, err
}
