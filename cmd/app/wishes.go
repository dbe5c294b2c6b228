package app

import "context"

func (c *minded) wishes(ctx context.Context) error { <-ctx.Done(); return nil }
