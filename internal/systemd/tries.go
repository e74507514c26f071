package systemd

import "context"

// ForgetStarts clears the count of starts of a service whose run ended well. systemd counts good
// starts and those by hand too (StartLimitBurst=, systemd.unit(5)), so a few in an evening would
// have it refuse the night's. After a run that needed retries the count stays, since the number of
// retries is cleared with it.
func (b *Bus) ForgetStarts(ctx context.Context, unit string) error {
	u, err := b.Unit(ctx, unit)
	if err != nil || u.Service.Restarts > 0 {
		return err
	}
	return b.resetFailed(ctx, unit)
}

func (b *Bus) resetFailed(ctx context.Context, unit string) error {
	return b.call(ctx, "reset "+unit, "ResetFailedUnit", []any{unit})
}
