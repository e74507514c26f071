package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// console opens pgbtui in the machine on this terminal, as the operator, and returns when it is
// left. Its exit status is not the demo's: a person has just looked at it.
func (d *demo) console(ctx context.Context) error {
	d.printf("\nThe console opens as %s on db1. Leaving it (q) shuts everything down.\n\n", operator)
	argv := []string{"env"}
	for _, name := range []string{"COLORTERM", "NO_COLOR"} {
		if value := os.Getenv(name); value != "" {
			argv = append(argv, name+"="+value)
		}
	}
	cmd := d.machine.Command(ctx, operator, append(argv, "pgbtui")...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && ctx.Err() == nil && !errors.As(err, &exit) {
		return err
	}
	d.printf("Shutting down …\n")
	return nil
}
