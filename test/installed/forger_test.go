package installed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Somebody with the bucket's keys, by the API of the store alone. In the lab this binary is called as
//
//	forger copy DATABASE FROM TO [signature]    a well-formed set of another time, with the old signature or none
//	forger plant DATABASE ID                    the same set as another host's, and newer
//	forger remove DATABASE ID [INSTANCE]

type forger struct {
	c      *s3.Client
	folder string // of the database
}

func forge(args []string) int {
	f := forger{folder: "postgresql/db1/" + args[1] + "/", c: s3.New(s3.Options{
		BaseEndpoint: aws.String("http://127.0.0.1:9000"), UsePathStyle: true, Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}, nil
		}),
	})}
	if args[0] == "remove" && len(args) > 3 {
		f.folder = "postgresql/" + args[3] + "/" + args[1] + "/"
	}
	err := errors.New("copy, plant or remove")
	switch ctx := context.Background(); args[0] {
	case "copy":
		err = f.copy(ctx, args[2], args[3], len(args) > 4)
	case "plant":
		err = f.plant(ctx, args[1], args[2])
	case "remove":
		err = f.each(ctx, args[2], func(key string) error {
			_, err := f.c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("backups"), Key: &key})
			return err
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (f forger) each(ctx context.Context, id string, do func(key string) error) error {
	page, err := f.c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("backups"), Prefix: aws.String(f.folder + id + "/")})
	if err != nil {
		return err
	}
	for _, o := range page.Contents {
		if err := do(*o.Key); err != nil {
			return err
		}
	}
	return nil
}

func (f forger) copy(ctx context.Context, from, to string, withSignature bool) error {
	at, err := time.Parse("20060102T150405Z", to[:16])
	if err != nil {
		return err
	}
	return f.put(ctx, from, f.folder+to, withSignature, func(m map[string]any) {
		// The manifest of a set that follows none.
		delete(m, "previous")
		delete(m, "sequence")
		m["id"], m["startedAt"] = to, at
		m["finishedAt"] = at
	})
}

// stranger is the instance of whoever plants sets.
const stranger = "evilhost"

func (f forger) plant(ctx context.Context, database, id string) error {
	return f.put(ctx, id, "postgresql/"+stranger+"/"+database+"/"+id, false, func(m map[string]any) {
		m["instance"], m["finishedAt"] = stranger, time.Now().UTC()
	})
}

// put stores a set in another folder, with its manifest changed.
func (f forger) put(ctx context.Context, from, to string, withSignature bool, change func(map[string]any)) error {
	return f.each(ctx, from, func(key string) error {
		name := strings.TrimPrefix(key, f.folder+from+"/")
		if strings.Contains(name, "/") || name == "manifest.json.sig" && !withSignature {
			return nil
		}
		got, err := f.c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("backups"), Key: &key})
		if err != nil {
			return err
		}
		defer func() { _ = got.Body.Close() }()
		body, err := io.ReadAll(got.Body)
		if err == nil && name == "manifest.json" {
			body, err = changed(body, change)
		}
		if err == nil {
			_, err = f.c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("backups"), Key: aws.String(to + "/" + name), Body: bytes.NewReader(body)})
		}
		return err
	})
}

func changed(manifest []byte, change func(map[string]any)) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, err
	}
	change(m)
	return json.Marshal(m)
}

// forges copies a set to one of another time, and returns its ID.
func (h *host) forges(t *testing.T, database, from string, at time.Time, signature ...string) (id string) {
	t.Helper()
	id = at.UTC().Format("20060102T150405Z") + "-f0f0f0"
	h.root(t, append([]string{"forger", "copy", database, from, id}, signature...)...)
	t.Cleanup(func() {
		if _, err := h.lab.Output(context.Background(), "root", "forger", "remove", database, id); err != nil {
			t.Error(err)
		}
	})
	return id
}
