package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/rogpeppe/go-internal/testscript"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// store is the bucket as somebody sees it who is not the program under test.
type store struct {
	c      *s3.Client
	bucket *string
}

func (w *world) store(t testing.TB) store { return store{w.s3.Client(t), &w.s3.Bucket} }

func (s store) keys() (keys []string, err error) {
	pages := s3.NewListObjectsV2Paginator(s.c, &s3.ListObjectsV2Input{Bucket: s.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	return keys, nil
}

func (s store) uploads() (int, error) {
	out, err := s.c.ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: s.bucket})
	if err != nil {
		return 0, err
	}
	return len(out.Uploads), nil
}

func (s store) get(key string) ([]byte, error) {
	out, err := s.c.GetObject(context.Background(), &s3.GetObjectInput{Bucket: s.bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Body.Close() }()
	return io.ReadAll(out.Body)
}

func (s store) put(key string, body []byte) error {
	_, err := s.c.PutObject(context.Background(), &s3.PutObjectInput{
		Bucket: s.bucket, Key: &key, Body: bytes.NewReader(body),
	})
	return err
}

// cmdS3: `ls` prints the keys, `uploads N` counts unfinished ones, `put KEY FILE`, `rm ENDING` and `flip ENDING` work
// on the one key that ends so, `lease` is a run of another host, `old ID` copies a set to an ID, with the times that
// the ID says, `plant ID INSTANCE` stores that set as another host's and as the newest, `fault OP KIND [CODE]` spoils
// every such request until `well`, `lifecycle FILE` gives the bucket rules, written as in the API, `locks` turns object
// lock on, `bucket NAME` makes one more, `empty` removes everything from the first, `thaws DURATION` is how long they take, `role [FILE]` holds the program's key to a policy, or frees it
// again.
func cmdS3(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 1, "s3 ls|uploads|put|rm|flip|fault|well|locks")
	w := inWorld(ts)
	s := ts.Value(storeKey{}).(store)
	switch args[0] {
	case "ls":
		keys, err := s.keys()
		ts.Check(err)
		_, _ = io.WriteString(ts.Stdout(), strings.Join(keys, "\n")+"\n")
	case "uploads":
		n, err := s.uploads()
		ts.Check(err)
		if strconv.Itoa(n) != args[1] {
			ts.Fatalf("%d unfinished uploads, want %s", n, args[1])
		}
	case "put":
		body, err := os.ReadFile(ts.MkAbs(args[2]))
		ts.Check(err)
		ts.Check(s.put(args[1], body))
	case "rm", "flip":
		ts.Check(s.spoil(args[0], args[1]))
	case "lease":
		ts.Check(s.lease(w))
	case "old":
		ts.Check(s.old(args[1]))
	case "plant":
		ts.Check(s.plant(args[1], args[2]))
	case "fault":
		f := s3server.Fault{Kind: s3server.Kind(args[2])}
		if len(args) > 3 {
			f.Code = args[3]
		}
		w.ours.Inject(s3server.Rule{Op: s3server.Op(args[1]), Fault: f})
	case "locks": // turns object lock on, and with it versions
		ts.Check(s.lockable())
	case "lifecycle":
		ts.Check(s.lifecycle(ts.ReadFile(args[1])))
	case "thaws":
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		w.ours.ThawAfter(d)
	case "role":
		ts.Check(hold(ts, w, args[1:]))
	case "bucket": // makes one more
		ts.Check(w.ours.MakeBucket(args[1]))
	case "empty": // nothing is left in the bucket
		keys, err := s.keys()
		ts.Check(err)
		for _, key := range keys {
			_, err := s.c.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: s.bucket, Key: &key})
			ts.Check(err)
		}
	case "well":
		w.ours.ClearFaults()
	default:
		ts.Fatalf("s3 %s is not known", args[0])
	}
}

type storeKey struct{}

// lifecycle gives the bucket the rules of a JSON document, in the form of the AWS CLI.
func (s store) lifecycle(document string) error {
	var rules types.BucketLifecycleConfiguration
	if err := json.Unmarshal([]byte(document), &rules); err != nil {
		return err
	}
	_, err := s.c.PutBucketLifecycleConfiguration(context.Background(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: s.bucket, LifecycleConfiguration: &rules,
	})
	return err
}

// hold holds the key that the program uses to the policy in a file.
func hold(ts *testscript.TestScript, w *world, file []string) error {
	if len(file) == 0 {
		w.ours.Grant(w.ours.AccessKey, nil)
		return nil
	}
	policy, err := s3server.ParsePolicy([]byte(ts.ReadFile(file[0])))
	w.ours.Grant(w.ours.AccessKey, policy)
	return err
}

func (s store) lockable() error {
	_, err := s.c.PutBucketVersioning(context.Background(), &s3.PutBucketVersioningInput{
		Bucket:                  s.bucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		return err
	}
	_, err = s.c.PutObjectLockConfiguration(context.Background(), &s3.PutObjectLockConfigurationInput{
		Bucket:                  s.bucket,
		ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled},
	})
	return err
}

// lease is what a run of another host leaves in the bucket while it goes on.
func (s store) lease(w *world) error {
	host, _, _ := strings.Cut(hostname(), ".")
	body, err := json.Marshal(map[string]any{
		"schema": 1, "run": "20200101T000000Z-000000", "host": "elsewhere", "source": "another",
		"until": time.Now().Add(time.Minute).UTC(),
	})
	if err != nil {
		return err
	}
	return s.put("postgresql/"+host+"/"+w.db+"/lease.json", body)
}

// old copies the set whose manifest comes first to an ID of another time.
func (s store) old(id string) error {
	keys, err := s.keys()
	if err != nil {
		return err
	}
	at, err := time.Parse("20060102T150405Z", id[:16])
	if err != nil {
		return err
	}
	from := ""
	for _, key := range keys {
		if dir, ok := strings.CutSuffix(key, "/manifest.json"); ok && !strings.Contains(key, "/2025") {
			from = dir
		}
	}
	to := from[:strings.LastIndex(from, "/")+1] + id
	for _, key := range keys {
		name, ok := strings.CutPrefix(key, from+"/")
		if !ok {
			continue
		}
		body, err := s.get(key)
		if err == nil && name == "manifest.json" {
			body, err = redated(body, id, at)
		}
		if err == nil {
			err = s.put(to+"/"+name, body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plant is what the holder of another host's key can do: the same ID in a folder of his own, and newer.
func (s store) plant(id, instance string) error {
	keys, err := s.keys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		parts := strings.Split(key, "/")
		if len(parts) < 5 || parts[3] != id {
			continue
		}
		body, err := s.get(key)
		if err == nil && parts[4] == "manifest.json" {
			body, err = moved(body, instance)
		}
		parts[1] = instance
		if err == nil {
			err = s.put(strings.Join(parts, "/"), body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func moved(manifest []byte, instance string) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, err
	}
	m["instance"], m["finishedAt"] = instance, time.Now().Add(time.Second).UTC()
	return json.Marshal(m)
}

func redated(manifest []byte, id string, at time.Time) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, err
	}
	m["id"] = id
	m["startedAt"] = at
	m["finishedAt"] = at
	return json.Marshal(m)
}

// spoil removes or damages the one object whose key ends so.
func (s store) spoil(how, ending string) error {
	keys, err := s.keys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !strings.HasSuffix(key, "/"+ending) {
			continue
		}
		if how == "rm" {
			_, err := s.c.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: s.bucket, Key: &key})
			return err
		}
		body, err := s.get(key)
		if err != nil {
			return err
		}
		body[len(body)/2] ^= 1
		return s.put(key, body)
	}
	return os.ErrNotExist
}
