// Command put uploads its standard input as one object, with this repository's own uploader: the
// bench's last step where there is no aws client. BENCH_ENDPOINT and BENCH_BUCKET say where to.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := put(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "put:", err)
		os.Exit(1)
	}
}

func put(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: put KEY <FILE")
	}
	bucket, err := s3.Open(ctx, s3.Options{Bucket: os.Getenv("BENCH_BUCKET"), Endpoint: os.Getenv("BENCH_ENDPOINT")})
	if err != nil {
		return err
	}
	defer bucket.Close()
	upload, err := bucket.Upload(ctx, args[0], s3.UploadOptions{})
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(upload, struct{ io.Reader }{os.Stdin}, make([]byte, 256<<10)); err != nil {
		_ = upload.Abort(context.WithoutCancel(ctx)) // the store is the bench's own and goes with it
		return err
	}
	_, err = upload.Complete(ctx)
	return err
}
