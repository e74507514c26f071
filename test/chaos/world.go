package chaos

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// World is one database, one store and one job between them.
type World struct {
	lab      *Lab
	dir      string // home, spool and configuration of the program
	database string
	sealed   bool
	gate     *gate
	store    *s3server.Server
	endpoint string
	bucket   *s3.Bucket // the laboratory's own way into the store
	hook     atomic.Pointer[hook]
	locker   *pgx.Conn          // holds a table's lock; nil: nobody does
	signer   ed25519.PrivateKey // nil: sets are not signed
	planted  []string           // IDs of sets that were there before the first run

	stop  context.CancelFunc
	ended chan error
	seen  *watcher // of every program that ran here
	ran   []*process
}

// hook sees each request of the program before it is served.
type hook func(op s3server.Op, r *http.Request) *s3server.Fault

type worldOptions struct {
	large       bool
	several     bool // several tables, for parallel sessions
	written     bool // tables that are written to, and their ledger
	sealed      bool
	signed      bool
	streams     int // that a dump has; 0: as many as the program wants
	lastingDays int // retention; 0 is none
}

const (
	bucketName = "backups"
	prefix     = "postgresql"
	instance   = "chaos"
	spoolName  = "spool"
)

func (l *Lab) newWorld(ctx context.Context, o worldOptions) (*World, error) {
	w := &World{lab: l, sealed: o.sealed, seen: newWatcher()}
	var err error
	if w.database, err = l.nextDatabase(o); err != nil {
		return nil, err
	}
	if w.dir, err = scratch(l.dir, "world-"+randomHex(4)); err != nil {
		return nil, err
	}
	if w.gate, err = newGate("127.0.0.1:" + l.server.Port); err != nil {
		return nil, err
	}
	if err := errors.Join(w.serve(), w.connect(ctx), w.configure(o)); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Close ends the store and removes database and files.
func (w *World) Close() error {
	if w.bucket != nil {
		w.bucket.Close()
	}
	if w.stop != nil {
		w.stop()
		<-w.ended
	}
	w.release()
	w.gate.close()
	return errors.Join(w.lab.dropDatabase(w.database), os.RemoveAll(w.dir))
}

func (w *World) serve() (err error) {
	w.store, err = s3server.New(s3server.Options{
		Dir: filepath.Join(w.dir, "store"), Fault: w.ask,
		More: []s3server.Credential{{AccessKey: secretAccessKey, SecretKey: secretSecretKey, SessionToken: secretToken}},
	})
	if err != nil {
		return err
	}
	if err := w.store.MakeBucket(bucketName); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.endpoint = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	w.stop, w.ended = stop, make(chan error, 1)
	go func() { w.ended <- w.store.Serve(ctx, l, nil) }()
	return nil
}

// ask is the store's question before each request. The laboratory's own requests are let through.
func (w *World) ask(op s3server.Op, r *http.Request) *s3server.Fault {
	if h := w.hook.Load(); h != nil && strings.Contains(r.Header.Get("Authorization"), secretAccessKey) {
		return (*h)(op, r)
	}
	return nil
}

func (w *World) hold(h hook) { w.hook.Store(&h) }

// release ends every hold, for the next run.
func (w *World) release() {
	w.hook.Store(nil)
	w.gate.free()
	if w.locker != nil {
		_ = w.locker.Close(context.Background())
		w.locker = nil
	}
}

func (w *World) connect(ctx context.Context) (err error) {
	file := filepath.Join(w.dir, "store-credentials")
	text := "[default]\naws_access_key_id = " + s3server.DefaultAccessKey + "\naws_secret_access_key = " + s3server.DefaultSecretKey + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	w.bucket, err = s3.Open(ctx, s3.Options{Bucket: bucketName, Endpoint: w.endpoint, Region: s3server.DefaultRegion, CredentialsFile: file})
	return err
}

// configure writes the program's configuration. JSON is YAML too.
func (w *World) configure(o worldOptions) error {
	type section = map[string]any
	settings := section{
		"instance": instance, "database": w.database, "spool_dir": filepath.Join(w.dir, spoolName),
		"postgres": section{"host": "127.0.0.1", "port": w.gate.port(), "user": "postgres", "bin_dir": w.lab.server.BinDir},
		"s3":       section{"bucket": bucketName, "prefix": prefix, "endpoint": w.endpoint, "region": s3server.DefaultRegion, "path_style": true},
	}
	if o.sealed {
		settings["encryption"] = section{"recipients": []string{w.lab.key.Recipient().String()}, "identity_file": w.identityFile()}
	}
	if o.streams > 0 {
		settings["streams"] = o.streams
	}
	if o.lastingDays > 0 {
		settings["keep"] = section{"days": o.lastingDays, "min_good": 1}
	}
	if o.signed {
		signing, err := w.newSigner()
		if err != nil {
			return err
		}
		settings["signing"] = signing
	}
	raw, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	return errors.Join(os.Mkdir(filepath.Join(w.dir, spoolName), 0o700), os.WriteFile(w.configFile(), raw, 0o600),
		os.WriteFile(w.identityFile(), []byte(w.lab.key.String()+"\n"), 0o600))
}

// newSigner makes a key that signs sets, and is what the configuration says of it.
func (w *World) newSigner() (section map[string]any, err error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	trusted, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	w.signer = private
	file := filepath.Join(w.dir, "signing.pem")
	section = map[string]any{"public_keys": []string{base64.StdEncoding.EncodeToString(trusted)}, "key_file": file}
	return section, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

func (w *World) configFile() string   { return filepath.Join(w.dir, "config.yaml") }
func (w *World) identityFile() string { return filepath.Join(w.dir, "key.txt") }

// environment is all that the program gets, nothing of the machine's.
func (w *World) environment() []string {
	return []string{
		"PATH=/usr/bin:/bin", "HOME=" + w.dir, "TMPDIR=" + w.dir, "TZ=UTC", "LANG=C.UTF-8",
		"PGUSER=postgres", "PGPASSWORD=" + secretPassword, "SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T0CANARY/B0CANARY/" + secretWebhook,
		"AWS_ACCESS_KEY_ID=" + secretAccessKey, "AWS_SECRET_ACCESS_KEY=" + secretSecretKey, "AWS_SESSION_TOKEN=" + secretToken,
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=3",
	}
}
