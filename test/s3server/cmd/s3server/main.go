// Command s3server serves a folder as S3, for the demo and the lab.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

type flags struct {
	opt              s3server.Options
	listen, buckets  string
	certFile, keyPEM string
	thaw             time.Duration
}

func main() {
	debug.SetGCPercent(400) // the index of a large bucket lives as long as the server, and is looked through each time
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f, err := parse(args)
	if err != nil {
		return err
	}
	cert, err := f.certificate()
	if err != nil {
		return err
	}
	s, err := s3server.New(f.opt)
	if err != nil {
		return err
	}
	s.ThawAfter(f.thaw)
	for _, name := range strings.Split(f.buckets, ",") {
		if err := s.MakeBucket(name); err != nil {
			return errors.Join(fmt.Errorf("s3server: make bucket %q: %w", name, err), s.Close())
		}
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return errors.Join(fmt.Errorf("s3server: %w", err), s.Close())
	}
	fmt.Printf("s3server: listening on %s\n", l.Addr())
	return s.Serve(ctx, l, cert)
}

func parse(args []string) (flags, error) {
	var f flags
	fs := flag.NewFlagSet("s3server", flag.ContinueOnError)
	fs.StringVar(&f.opt.Dir, "dir", "", "folder that holds the buckets (required)")
	fs.StringVar(&f.listen, "listen", "127.0.0.1:9000", "address; port 0 takes a free one, printed on the first line")
	fs.StringVar(&f.buckets, "bucket", "backups", "buckets to make when missing, separated by commas")
	fs.StringVar(&f.opt.AccessKey, "access-key", s3server.DefaultAccessKey, "access key id")
	fs.StringVar(&f.opt.SecretKey, "secret-key", s3server.DefaultSecretKey, "secret access key")
	fs.Func("writer", "`KEY:SECRET` of a second caller, who may not delete", func(pair string) error {
		key, secret, ok := strings.Cut(pair, ":")
		if !ok {
			return errors.New("KEY:SECRET")
		}
		f.opt.More = append(f.opt.More, s3server.Credential{AccessKey: key, SecretKey: secret, Deny: []s3server.Op{s3server.OpDeleteObject, s3server.OpDeleteObjects}})
		return nil
	})
	fs.Func("caller", "`KEY:SECRET:OPERATION,...` of a further caller, and what it may not call", func(text string) error {
		parts := strings.Split(text, ":")
		if len(parts) != 3 {
			return errors.New("want KEY:SECRET:OPERATION,OPERATION")
		}
		caller := s3server.Credential{AccessKey: parts[0], SecretKey: parts[1]}
		for _, op := range strings.Split(parts[2], ",") {
			caller.Deny = append(caller.Deny, s3server.Op(op))
		}
		f.opt.More = append(f.opt.More, caller)
		return nil
	})
	fs.DurationVar(&f.thaw, "thaw-after", 0, "how long a restore from an archive class takes")
	fs.StringVar(&f.opt.Region, "region", s3server.DefaultRegion, "region that signatures must name")
	fs.Func("personality", "behave as a store of another make: "+personalities(), func(name string) error {
		p, ok := s3server.PersonalityNamed(name)
		if !ok {
			return errors.New("one of " + personalities())
		}
		p.Apply(&f.opt)
		return nil
	})
	fs.StringVar(&f.opt.Domain, "domain", "", "also take bucket.DOMAIN in the Host header")
	fs.StringVar(&f.certFile, "tls-cert", "", "PEM certificate; with --tls-key serves https")
	fs.StringVar(&f.keyPEM, "tls-key", "", "PEM key of the certificate")
	if err := fs.Parse(args); err != nil {
		return f, err
	}
	if fs.NArg() > 0 {
		return f, fmt.Errorf("s3server: unexpected argument %q", fs.Arg(0))
	}
	return f, nil
}

func personalities() string {
	var names []string
	for _, p := range s3server.Personalities() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// certificate is nil for plain HTTP.
func (f flags) certificate() (*tls.Certificate, error) {
	if f.certFile == "" && f.keyPEM == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(f.certFile, f.keyPEM)
	if err != nil {
		return nil, fmt.Errorf("s3server: read certificate: %w", err)
	}
	return &cert, nil
}
