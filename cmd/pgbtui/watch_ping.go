package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

const pingTime = 15 * time.Second

// ping calls the address that expects to be called every hour. It is a secret, and in no error.
func ping(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("not a URL")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return printable.WithoutURL(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, bounded.Reader(response.Body, 1<<10))
	if response.StatusCode/100 != 2 {
		return errors.New(response.Status)
	}
	return nil
}
