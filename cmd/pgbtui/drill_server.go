package main

import (
	"context"
	"net"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// drillServerCommand is what the unit of a drill's server runs. Its configuration is the unit.
func newDrillServerCommand(p *program) *cobra.Command {
	var sweep bool
	cmd := &cobra.Command{
		Use: "drill-server", Short: "The PostgreSQL server of a drill: for a unit that systemd starts with a connection",
		Args: noArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if sweep {
				scratch.SweepServers(os.TempDir())
				return nil
			}
			return runDrillServer(cmd.Context(), p.in, p.getenv("RUNTIME_DIRECTORY"))
		},
	}
	cmd.Flags().BoolVar(&sweep, "sweep", false, "remove what this user's servers left: for ExecStopPost=")
	return cmd
}

func runDrillServer(ctx context.Context, socket *os.File, runtimeDir string) error {
	conn, err := net.FileConn(socket)
	if err != nil {
		return fault.New(fault.Usage, "drill-server: standard input is no socket",
			"Start a drill's unit instead; systemd starts this one.", err)
	}
	_ = socket.Close()
	err = scratch.Serve(ctx, conn, os.TempDir(), runtimeDir)
	if scratch.Gone(err) {
		return nil
	}
	return err
}

// drillRequest says where a drill's server runs: in a unit wherever there is one.
func drillRequest(
	ctx context.Context, job config.Job, env *environment, unconfined bool,
) (restore.DrillRequest, error) {
	state := env.getenv("STATE_DIRECTORY")
	request := restore.DrillRequest{
		Dir: drillDir(job.SpoolDir, state), SocketDir: env.getenv("RUNTIME_DIRECTORY"), Unconfined: unconfined,
	}
	if unconfined || !job.Drill.Server.Private() {
		return request, nil
	}
	units, bus := drillUnits(ctx)
	if units == nil {
		return request, nil
	}
	defer func() { _ = bus.Close() }()
	if state != "" {
		scratch.SweepServers(state) // of versions that had the server in the drill's own unit
	}
	if os.Geteuid() == 0 {
		if err := bus.Listen(ctx, systemd.DrillServerSocket); err != nil {
			return request, err
		}
	}
	if unix.Access(scratch.ControlSocket, unix.W_OK) == nil {
		request.Unit = scratch.ControlSocket
	}
	request.ServerMemory = max(0, units.ServerMemory)
	if env.getenv("INVOCATION_ID") != "" {
		request.Memory = max(0, units.Memory)
	}
	return request, nil
}

// drillUnits are the units' settings, nil where there are no units of ours, with the bus that knows them.
func drillUnits(ctx context.Context) (*systemd.DrillUnits, *systemd.Bus) {
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return nil, nil
	}
	units, err := bus.DrillUnits(ctx)
	if err != nil || units == nil {
		_ = bus.Close()
		return nil, nil
	}
	return units, bus
}

// drillDir prefers a configured disk to the unit's own folder, if the unit may write there: the
// old script's BACKUP_DIR, for one, is in a /tmp that units do not see.
func drillDir(spool, state string) string {
	if state != "" && (spool == "" || unix.Access(spool, unix.W_OK) != nil) {
		return state
	}
	return spool
}
