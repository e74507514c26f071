package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// The store is a process of its own, so that its work is nobody else's CPU or memory.

func (r *rig) openStore(ctx context.Context, tls bool) error {
	args := []string{"--dir=" + filepath.Join(r.dir, "store"), "--listen=127.0.0.1:0", "--bucket=" + bucketName}
	scheme := "http"
	if tls {
		scheme = "https"
		r.caFile = filepath.Join(r.dir, "ca.pem")
		files, err := certificate(r.dir, r.caFile)
		if err != nil {
			return err
		}
		args = append(args, files...)
	}
	address, err := r.startStore(ctx, args)
	if err != nil {
		return err
	}
	r.endpoint = scheme + "://" + address
	for name, value := range r.awsVariables() { // the SDK reads CA and keys from nowhere else
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	r.bucket, err = s3.Open(ctx, s3.Options{Bucket: bucketName, Endpoint: r.endpoint})
	return err
}

// startStore returns the address that the server prints on its first line. The server is not
// bound to ctx: it is ended after those who use it.
func (r *rig) startStore(ctx context.Context, args []string) (string, error) {
	cmd := exec.Command(filepath.Join(r.dir, "s3server"), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the keyboard is for the bench
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	r.store = cmd
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "s3server: listening on ")
	if !ok {
		return "", errors.Join(fmt.Errorf("the store did not start: %q", line), err, ctx.Err())
	}
	return address, nil
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
