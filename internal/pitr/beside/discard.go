package beside

import (
	"context"
	"errors"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// Start runs the server of a copy again, after the host was started or somebody has stopped it.
func (c *Copy) Start(ctx context.Context, e *pitr.Engine) error {
	release, err := c.hold()
	if err != nil {
		return err
	}
	defer release()
	if c.Phase != Ready && c.Phase != Promoted {
		_, err := c.mustSee(ctx)
		return err
	}
	if c.Running() {
		return nil
	}
	return c.begin(ctx, func() (<-chan struct{}, error) { return c.startServer(e) })
}

// Stop ends the server of a copy, whose files stay.
func (c *Copy) Stop() error {
	release, err := c.hold()
	if err != nil {
		return err
	}
	defer release()
	c.stopServer()
	return nil
}

// Discard ends a copy and removes all of it, also one whose maker was killed.
func (c *Copy) Discard() error {
	release, err := c.hold()
	if err != nil {
		return err
	}
	defer release()
	return c.remove()
}

// Swept is what a sweep did.
type Swept struct {
	Removed []string `json:"removed"` // IDs
	Warned  []*Copy  `json:"warned"`  // those that will be removed soon, told for the first time
}

// Sweep removes copies whose time is over, and what killed runs left; and tells those whose time is over soon. A copy
// whose end was never told is not removed before WarnBefore has passed since it was, unless it had less time from the
// start.
func Sweep(dir string, now time.Time) (s Swept, err error) {
	copies, problems := Copies(dir)
	err = errors.Join(problems...)
	for _, one := range copies {
		left := one.Expires.Sub(now)
		switch {
		case one.Busy():
		case one.State() == Unfinished, one.Drill, left <= 0 && (one.Warned || one.Expires.Sub(one.Made) <= WarnBefore):
			if gone := one.Discard(); gone != nil {
				err = errors.Join(err, gone)
				continue
			}
			s.Removed = append(s.Removed, one.ID)
		case left <= WarnBefore && !one.Warned:
			if told := one.warn(now); told != nil {
				err = errors.Join(err, told)
				continue
			}
			s.Warned = append(s.Warned, one)
		}
	}
	return s, err
}

// warn notes that the end of a copy was told. Where nobody has looked for a while, the end is put off.
func (c *Copy) warn(now time.Time) error {
	release, err := c.hold()
	if err != nil {
		return err
	}
	defer release()
	c.Warned = true
	if c.Expires.Sub(c.Made) > WarnBefore && c.Expires.Before(now) {
		c.Expires = now.Add(WarnBefore).Truncate(time.Second)
	}
	return c.save()
}
