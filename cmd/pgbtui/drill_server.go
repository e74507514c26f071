package main

import (
	"context"
	"net"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// drillServerCommand is what the unit of a drill's server runs. Its configuration is the unit.
func (p *program) drillServerCommand() *cobra.Command {
	var sweep bool
	cmd := &cobra.Command{
		Use: "drill-server", Short: "The PostgreSQL server of a drill: for a unit that systemd starts with a connection",
		Args: noArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if sweep {
				scratch.SweepServers(os.TempDir())
				return nil
			}
			return p.drillServer(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&sweep, "sweep", false, "remove what this user's servers left: for ExecStopPost=")
	return cmd
}

func (p *program) drillServer(ctx context.Context) error {
	conn, err := net.FileConn(p.in)
	if err != nil {
		return fault.New(fault.Usage, "drill-server: standard input is no socket", "Start a drill's unit instead; systemd starts this one.", err)
	}
	_ = p.in.Close()
	err = scratch.Serve(ctx, conn, os.TempDir(), p.getenv("RUNTIME_DIRECTORY"))
	if scratch.Gone(err) {
		return nil
	}
	return err
}

// drillRequest says where a drill's server runs: in a unit wherever there is one.
func (p *program) drillRequest(ctx context.Context, job config.Job, f drillFlags) (backup.DrillRequest, error) {
	state := p.getenv("STATE_DIRECTORY")
	request := backup.DrillRequest{Dir: drillDir(job.SpoolDir, state), SocketDir: p.getenv("RUNTIME_DIRECTORY"), Unconfined: f.unconfined}
	if f.unconfined || !job.Drill.Server.Private() {
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
	if p.getenv("INVOCATION_ID") != "" {
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
