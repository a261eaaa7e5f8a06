package server

import (
	"context"
	"fmt"
)

// HealthCheck is studio healthcheck: it asks the front of the studio that runs with this configuration for its health, as a
// container engine does that has no program in the image but this one. The error says who answered what, or that nobody did.
func HealthCheck(ctx context.Context, c Config) error {
	if err := askOne(ctx, c.Front); err != nil {
		return fmt.Errorf("no studio answers on %s: %w", c.Front, err)
	}
	return nil
}
