package main

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// The store is this process, which waits while programs are measured: its work is nobody else's
// CPU or memory, and it can say what was asked of it.

const bucketName = "bench"

// openStore serves until close. It is not bound to ctx: it is ended after those who use it.
func (r *rig) openStore(ctx context.Context, secure bool) (err error) {
	if r.store, err = s3server.New(s3server.Options{Dir: filepath.Join(r.dir, "store")}); err != nil {
		return err
	}
	if err := r.store.MakeBucket(bucketName); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r.endpoint = "http://" + l.Addr().String()
	var cert *tls.Certificate
	if secure {
		r.endpoint = "https://" + l.Addr().String()
		if cert, err = r.certificate(); err != nil {
			return err
		}
	}
	r.serve(ctx, l, cert)
	for name, value := range r.awsVariables() { // the SDK reads CA and keys from nowhere else
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	r.bucket, err = s3.Open(ctx, s3.Options{Bucket: bucketName, Endpoint: r.endpoint})
	return err
}

// serve lets the store take connections by l until close.
func (r *rig) serve(ctx context.Context, l net.Listener, cert *tls.Certificate) {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- r.store.Serve(serving, l, cert) }()
	r.endStore = append(r.endStore, func() error { stop(); return <-ended })
}

// certificate is the store's, signed by a CA that its callers have to trust.
func (r *rig) certificate() (*tls.Certificate, error) {
	cert, ca, err := s3server.SelfSigned("127.0.0.1", "::1", "localhost")
	if err != nil {
		return nil, err
	}
	r.caFile = filepath.Join(r.dir, "ca.pem")
	return cert, os.WriteFile(r.caFile, ca, 0o600)
}

// awsVariables are how the SDK and the aws client find the store and its keys.
func (r *rig) awsVariables() map[string]string {
	v := map[string]string{
		"AWS_ACCESS_KEY_ID": s3server.DefaultAccessKey, "AWS_SECRET_ACCESS_KEY": s3server.DefaultSecretKey,
		"AWS_REGION": s3server.DefaultRegion, "AWS_ENDPOINT_URL": r.endpoint,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	}
	if r.caFile != "" {
		v["AWS_CA_BUNDLE"] = r.caFile
	}
	return v
}

// emptyStore removes what a way has stored and returns how much that was.
func (r *rig) emptyStore(ctx context.Context) (stored int64, err error) {
	var keys []string
	for object, err := range r.bucket.List(ctx, "") {
		if err != nil {
			return 0, err
		}
		keys = append(keys, object.Key)
		stored += object.Size
	}
	_, err = r.bucket.Delete(ctx, keys)
	return stored, err
}

// served is how many requests for objects whose key holds a text there were, and the bytes sent for
// them. The log learns of the end of a request a moment after its caller.
func (r *rig) served(key string) (requests int, bytes int64) {
	for range 1000 {
		requests, bytes = 0, 0
		underWay := false
		for _, q := range r.store.Requests(s3server.OpGetObject) {
			if strings.Contains(q.Key, key) {
				requests++
				bytes += q.Sent
				underWay = underWay || q.Status == 0
			}
		}
		if !underWay {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return requests, bytes
}
