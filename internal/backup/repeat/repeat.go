// Package repeat looks at something again and again until it fails or nobody wants to know.
package repeat

import (
	"context"
	"time"
)

// Until looks again and again until ctx or end ends it, or a look fails: that is told, once. end waits.
func Until(
	ctx context.Context, every time.Duration, look func(context.Context) error, failed func(error),
) (end func()) {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := look(ctx); err != nil && ctx.Err() == nil {
				failed(err)
				return
			}
		}
	}()
	return func() { stop(); <-done }
}
