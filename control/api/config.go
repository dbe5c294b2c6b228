package api

import (
	"errors"
	"net"
	"net/http"

	"larder/backends/registry"
	"larder/control/config"
)

// Rollback asks for an earlier version.
type Rollback struct {
	To uint64 `json:"to"`
	By string `json:"by,omitempty"`
}

// History is the list, the newest first.
type History struct {
	Versions []config.Version `json:"versions"`
}

// configRoutes are those of the gateways' settings.
func (s *server) configRoutes() []route {
	state := s.keeper(func(k *config.Keeper, r *http.Request) (any, error) { return k.State(r.Context()) })
	history := s.keeper(func(k *config.Keeper, r *http.Request) (any, error) {
		all, err := k.History(r.Context())
		return History{all}, err
	})
	const path = "/v1/config"
	return []route{
		{method: "GET", path: path, does: "Tell of the gateways' settings, and which gateways run them", status: ok, answer: config.State{}, handle: state},
		{method: "PATCH", path: path, does: "Change the gateways' settings", body: config.Edit{}, status: ok, answer: config.Version{}, handle: s.keeper(changeConfig)},
		{method: "GET", path: path + "/history", does: "List the last versions of the gateways' settings", status: ok, answer: History{}, handle: history},
		{method: "POST", path: path + "/rollback", does: "Write an earlier version of the gateways' settings anew", body: Rollback{}, status: ok, answer: config.Version{}, handle: s.keeper(rollbackConfig)},
	}
}

// configCodes is what the keeper's errors are to programs.
var configCodes = []struct {
	err    error
	status int
	code   string
}{
	{errBody, http.StatusBadRequest, CodeInvalid},
	{config.ErrInvalid, http.StatusBadRequest, CodeInvalid},
	{registry.ErrInvalid, http.StatusBadRequest, CodeInvalid},
	{config.ErrUnknown, http.StatusNotFound, CodeUnknown},
	{config.ErrChanged, http.StatusConflict, "changed"},
	{registry.ErrUnavailable, http.StatusServiceUnavailable, CodeRegistry},
	{registry.ErrDenied, http.StatusServiceUnavailable, CodeRegistry},
}

// keeper is a handler that asks the keeper of the settings.
func (s *server) keeper(h func(*config.Keeper, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.o.Config == nil {
			s.fail(w, http.StatusNotFound, CodeNoFleet, "this process looks after no settings of gateways")
			return
		}
		answer, err := h(s.o.Config, r)
		if err == nil {
			s.answer(w, http.StatusOK, answer)
			return
		}
		for _, c := range configCodes {
			if errors.Is(err, c.err) {
				s.fail(w, c.status, c.code, err.Error())
				return
			}
		}
		s.fail(w, http.StatusInternalServerError, "failed", err.Error())
	}
}

func changeConfig(k *config.Keeper, r *http.Request) (any, error) {
	var want config.Edit
	if err := body(r, &want); err != nil {
		return nil, err
	}
	want.By = asks(want.By, r)
	return k.Set(r.Context(), want)
}

func rollbackConfig(k *config.Keeper, r *http.Request) (any, error) {
	var want Rollback
	if err := body(r, &want); err != nil {
		return nil, err
	}
	return k.Rollback(r.Context(), want.To, asks(want.By, r))
}

// asks is who asks: whoever it says, else where the request comes from.
func asks(by string, r *http.Request) string {
	if by != "" {
		return by
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return "somebody at " + host
}
