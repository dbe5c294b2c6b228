package client

import (
	"context"
	"net/http"

	"larder/control/api"
	"larder/control/config"
)

// Config tells of the gateways' settings.
func (c *Client) Config(ctx context.Context) (s config.State, err error) {
	return s, c.ask(ctx, http.MethodGet, "/v1/config", nil, &s)
}

// ChangeConfig sets and unsets settings, and gives the version that says so.
func (c *Client) ChangeConfig(ctx context.Context, want config.Edit) (v config.Version, err error) {
	return v, c.ask(ctx, http.MethodPatch, "/v1/config", want, &v)
}

// ConfigHistory lists the versions, the newest first.
func (c *Client) ConfigHistory(ctx context.Context) (h api.History, err error) {
	return h, c.ask(ctx, http.MethodGet, "/v1/config/history", nil, &h)
}

// RollbackConfig writes an earlier version anew.
func (c *Client) RollbackConfig(ctx context.Context, want api.Rollback) (v config.Version, err error) {
	return v, c.ask(ctx, http.MethodPost, "/v1/config/rollback", want, &v)
}
