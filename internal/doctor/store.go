package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/trial"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// The way to the store, and whose keys are used on it.

func storeCatalogue() []Check {
	const rights, stores = "docs/iam.md#what-is-called", "docs/stores.md"
	checks := []Check{
		{
			ID: "s3.key", Why: "Without a key nothing reaches the store; with the wrong one, the night's backup is refused.",
			Docs: "docs/iam.md",
		},
		{ID: "s3.key-place", Why: "Whoever is superuser of the database reads what its system " +
			"user may read, and could delete its backups.", Docs: "docs/units.md#credentials"},
		{ID: "s3.metadata-hops", Why: "Where the instance's metadata service answers over two hops, every container here " +
			"gets the instance's role.", Docs: "docs/iam.md"},
		{
			ID: "s3.dns", Why: "A store whose name is not found is not reached.",
			Docs: "docs/troubleshooting.md#what-to-do-when",
		},
		{ID: "s3.tls", Why: "A certificate that has ended, or that nobody here knows, ends every request.", Docs: stores},
		{
			ID: "s3.reach", Why: "A backup goes there, and a restore comes from there.",
			Docs: "docs/troubleshooting.md#what-to-do-when",
		},
		{ID: "s3.clock", Why: "S3 refuses requests of a clock that is off by 15 minutes, and " +
			"retention stops before it deletes by a wrong one.", Docs: "docs/retention.md"},
	}
	for _, role := range []iam.Role{iam.Writer, iam.Keeper, iam.Prover, iam.Restorer} {
		for _, c := range callsOf(role) {
			checks = append(checks, Check{ID: callID(role, c.call), Why: c.why, Docs: "docs/iam.md#" + string(role)})
		}
	}
	return append(checks,
		Check{ID: "s3.conditional-writes", Why: "They keep two hosts from writing into one " +
			"folder without noticing each other.", Docs: stores},
		Check{
			ID: "s3.checksums", Why: "The store's own checksum proves that an object arrived as it was sent.",
			Docs: stores,
		},
		Check{ID: "s3.conditional-deletes", Why: "Retention deletes a set only if it still is the one " +
			"that it decided about.", Docs: stores},
		Check{ID: "s3.upload-list", Why: "The next run finds by it what a killed one left, which is paid for.", Docs: rights},
	)
}

// storeChecks look at the way to the store, at its keys, and at the bucket.
func storeChecks(ctx context.Context, w World) []Finding {
	l := &log{from: w.From}
	role, bucket, err := anyKey(ctx, w)
	if bucket == nil {
		const tried = "find a key for the store"
		if err != nil {
			l.failed("s3.key", Fail, tried, err)
		} else {
			l.unknown("s3.key", tried, w.Keys.Hidden(iam.Writer), "Run `sudo pgbtui doctor`, which is given every key.")
		}
		return l.findings
	}
	l.keys(ctx, w, role, bucket)
	if !l.network(ctx, bucket) {
		return l.findings
	}
	if err := bucket.Probe(ctx); err != nil {
		l.failed("s3.reach", Fail, "ask for "+bucket.Location()+" in region "+bucket.Region(), err)
		if fault.CodeOf(err) != fault.NotPermitted {
			return l.findings
		}
	} else {
		l.ok("s3.reach", "ask for "+bucket.Location()+" in region "+bucket.Region(), "it is there, and answers")
		l.clock(ctx, w, bucket)
	}
	l.rights(ctx, w)
	l.posture(ctx, w)
	return l.findings
}

// anyKey is the first role whose key can be used here, the writer's if it can.
func anyKey(ctx context.Context, w World) (iam.Role, *s3.Bucket, error) {
	for _, role := range []iam.Role{iam.Writer, iam.Restorer} {
		if w.Keys.Hidden(role) == "" {
			bucket, err := w.Keys.Open(ctx, role)
			return role, bucket, err
		}
	}
	return "", nil, nil
}

// keys says whose keys there are, where they come from, and who else can read them.
func (l *log) keys(ctx context.Context, w World, role iam.Role, bucket *s3.Bucket) {
	tried := "ask the AWS SDK for the " + string(role) + "'s key"
	id, err := bucket.Identity(ctx)
	if err != nil {
		l.failed("s3.key", Fail, tried, err)
		return
	}
	text := "key " + id.KeyID + " from " + originText(id)
	if !id.Expires.IsZero() {
		text += ", good until " + id.Expires.Format("2006-01-02 15:04 UTC")
	}
	arn, err := w.Keys.Caller(ctx, role)
	switch {
	case err != nil:
		l.add("s3.key", seen{
			result: Unknown, tried: tried + ", and AWS whose it is", seen: text + "; " + oneLine(err),
			remedy: "Nothing has to be done where S3 itself is reached: the service that " +
				"tells whose key it is may be out of reach here.",
		})
	case arn != "":
		l.ok("s3.key", tried+", and AWS whose it is", text+", which is "+arn)
	default:
		l.ok("s3.key", tried, text)
	}
	l.keyPlace(w, id)
	l.hops(ctx, id)
}

func originText(id s3.Identity) string {
	switch id.Origin {
	case s3.OriginFile:
		return "file " + id.File
	case s3.OriginEnvironment:
		return "the environment"
	case s3.OriginInstance:
		return "the instance's role"
	case s3.OriginOther:
	}
	return "a service or program that the AWS configuration names"
}

// network reports whether the store's host can be talked to.
func (l *log) network(ctx context.Context, bucket *s3.Bucket) bool {
	host, port := splitHost(bucket)
	if proxied(bucket) {
		const through = "not tried: requests go through a proxy (HTTPS_PROXY), which finds the host and is asked by s3.reach"
		l.ok("s3.dns", "look for a proxy", through)
		l.ok("s3.tls", "look for a proxy", through)
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		l.failed("s3.dns", Fail, "look up "+host, fault.New(fault.Unavailable, "find "+host,
			"Check the endpoint's host name and this host's DNS (resolvectl query "+host+").", err))
		return false
	}
	l.ok("s3.dns", "look up "+host, strings.Join(addresses, ", "))
	if !bucket.Encrypted() {
		l.plain(host)
		return true
	}
	return l.tls(ctx, host, port)
}

// plain judges a store without TLS.
func (l *log) plain(host string) {
	tried := "look at the endpoint's scheme"
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		l.ok("s3.tls", tried, "plain http to this host itself")
		return
	}
	l.add("s3.tls", seen{
		result: Warn, tried: tried, seen: "plain http to " + host + ": whoever is on the way reads what " +
			"is sent, and may change it",
		remedy: "Give s3.endpoint with https, and remove s3.allow_plain_http.",
	})
}

// certificateLeft is from when on a certificate that ends is told.
const certificateLeft = 14 * 24 * time.Hour

func (l *log) tls(ctx context.Context, host, port string) bool {
	tried := "open a TLS connection to " + net.JoinHostPort(host, port)
	roots, err := authorities(os.Getenv("AWS_CA_BUNDLE"))
	if err != nil {
		l.failed("s3.tls", Fail, "read AWS_CA_BUNDLE", err)
		return false
	}
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		l.failed("s3.tls", Fail, tried, fault.New(fault.Unavailable, "connect to "+host, tlsRemedy(err), err))
		return false
	}
	defer func() { _ = conn.Close() }()
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return true
	}
	ends := secured.ConnectionState().PeerCertificates[0].NotAfter.UTC()
	text := tls.VersionName(secured.ConnectionState().Version) + ", the certificate is good until " +
		ends.Format("2006-01-02 15:04 UTC")
	if left := time.Until(ends); left < certificateLeft {
		l.add("s3.tls", seen{
			result: Warn, tried: tried, seen: text + ", which is in " + readable.Age(left),
			remedy: "Have the store's certificate renewed.",
		})
		return true
	}
	l.ok("s3.tls", tried, text)
	return true
}

func tlsRemedy(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "Set AWS_CA_BUNDLE to the CA of the store's certificate, if you trust it: the authority is unknown here."
	case errors.As(err, &name):
		return "Correct the endpoint, or the store's certificate, which is for another host name."
	case errors.As(err, &invalid):
		return "Renew the store's certificate, and check this host's clock (timedatectl status)."
	}
	return "Check the network, the proxy and the firewall between this host and the store."
}

// authorities are those that the SDK trusts: nil for the system's.
func authorities(bundle string) (*x509.CertPool, error) {
	if bundle == "" {
		return nil, nil
	}
	pem, err := bounded.ReadFile(bundle, bounded.File)
	if err != nil {
		return nil, fault.New(fault.Config, "read AWS_CA_BUNDLE", "Correct the path, or let this user read it.", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Config, "AWS_CA_BUNDLE has no certificate", "Name a file of certificates in PEM.", nil)
	}
	return pool, nil
}

func splitHost(bucket *s3.Bucket) (host, port string) {
	host, port, err := net.SplitHostPort(bucket.Host())
	if err == nil {
		return host, port
	}
	port = "443"
	if !bucket.Encrypted() {
		port = "80"
	}
	return strings.Trim(bucket.Host(), "[]"), port
}

// proxied reports whether requests may go through a proxy, which the SDK takes from the environment.
func proxied(bucket *s3.Bucket) bool {
	names := []string{"HTTPS_PROXY", "https_proxy"}
	if !bucket.Encrypted() {
		names = []string{"HTTP_PROXY", "http_proxy"}
	}
	for _, name := range names {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

func (l *log) clock(ctx context.Context, w World, bucket *s3.Bucket) {
	const tried = "compare this host's clock with the date of the store's answer"
	err := trial.CheckClock(ctx, backup.Env{Bucket: bucket, Now: w.Now})
	l.judge("s3.clock", tried, "they agree", err)
}
