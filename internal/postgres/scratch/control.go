package scratch

// A server in a unit of its own, for what must reach nothing: no key, no network, no other server.
//
// The unit is started by a connection to its socket, which systemd listens on and only the drills' user may
// open, and its life is that connection's: whoever holds it has the server, and when it ends, however it
// ends, the server and its data go. So a drill that is killed leaves nothing, and needs no right to start
// or stop a unit.
//
// Over the connection go lines of JSON: the unit says where its data will lie, the drill names the
// programs, the unit says how its server is reached, then what is free on its disk every roomEvery, and
// at last why the server ended, if it did so by itself. From the first row on, whoever wrote what
// the server runs may have taken over the unit: its lines are bounded, and decide nothing but this drill.

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// ControlSocket is where the unit of the server listens.
const ControlSocket = "/run/pgbtui-drill/control"

// ServerUnit and ServerSocket are the unit of the server and that of its socket.
const (
	ServerUnit   = "postgres-drill-server@.service"
	ServerSocket = "postgres-drill-server.socket"
)

const (
	maxLine   = 64 << 10
	roomEvery = time.Second
	// helloWait bounds what systemd needs to start the unit.
	helloWait = time.Minute
	// goneWait bounds what the unit needs to end its server and to remove its data.
	goneWait = time.Minute
)

// order is what the drill asks for.
type order struct {
	BinDir string `json:"bin_dir"`
	Needs  Needs  `json:"needs"`
}

// report is a line of the unit's.
type report struct {
	Dir   string `json:"dir,omitempty"` // of the data
	Free  int64  `json:"free,omitempty"`
	Size  int64  `json:"size,omitempty"`
	Ready *place `json:"ready,omitempty"`
	Ended *end   `json:"ended,omitempty"`
}

// place is how the server is reached.
type place struct {
	Host string `json:"host"`
	Port string `json:"port"`
	User string `json:"user"`

	Lacks []string `json:"lacks,omitempty"`
}

// end is why it cannot be reached, or no more.
type end struct {
	Code   fault.Code `json:"code"`
	Error  string     `json:"error"`
	Remedy string     `json:"remedy,omitempty"`
}

func endOf(err error) *end {
	return &end{Code: fault.CodeOf(err), Error: err.Error(), Remedy: fault.Remedy(err)}
}

func (e *end) err() error {
	if e.Code < fault.Failed || e.Code > fault.Terminated {
		e.Code = fault.Failed
	}
	return fault.New(e.Code, e.Error, e.Remedy, nil)
}

var bootstrapNames = regexp.MustCompile(`^pgbtui_private_[0-9a-f]{12}$`)

// check refuses a place that is not below the folder of the socket: a drill goes nowhere else.
func (p *place) check(socket string) error {
	below := filepath.Dir(socket) + "/"
	if !strings.HasPrefix(p.Host, below) || filepath.Clean(p.Host) != p.Host || strings.ContainsAny(p.Host, ",'\"\x00") ||
		p.Port != serverPort || !bootstrapNames.MatchString(p.User) {
		return fmt.Errorf("it says that its server is at %q, port %q, user %q", p.Host, p.Port, p.User)
	}
	return nil
}

func send(w io.Writer, line any) error {
	text, err := json.Marshal(line)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}
