package s3server_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// awsRun runs the AWS CLI against a server, with nothing of the caller's own AWS settings.
func awsRun(t *testing.T, r *s3server.Running, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need.Program(t, "aws"), args...)
	home := t.TempDir()
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C.UTF-8", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + r.AccessKey, "AWS_SECRET_ACCESS_KEY=" + r.SecretKey, "AWS_DEFAULT_REGION=" + r.Region,
	}
	if root := os.Getenv("PYENV_ROOT"); root != "" {
		cmd.Env = append(cmd.Env, "PYENV_ROOT="+root)
	}
	cmd.Args = append(cmd.Args, "--endpoint-url", r.Endpoint)
	if r.CAFile != "" {
		cmd.Args = append(cmd.Args, "--ca-bundle", r.CAFile)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// The AWS CLI is how a person recovers without pgbtui, and another client than the Go SDK: over
// https it sends aws-chunked bodies with trailers, over http signed ones.
func TestAWSCLICopiesListsAndRemoves(t *testing.T) {
	for name, opts := range map[string][]s3server.Option{"http": nil, "https": {s3server.WithTLS()}} {
		t.Run(name, func(t *testing.T) {
			need.Program(t, "aws")
			r := s3server.Start(t, opts...)
			dir := t.TempDir()
			for file, size := range map[string]int{"small ü+%.txt": 12, "big": 20<<20 + 7} { // big goes in parts
				up, down, url := filepath.Join(dir, file), filepath.Join(dir, "down"), "s3://"+r.Bucket+"/x/"+file
				body := bytes.Repeat([]byte("pgbtui, "), size/8+1)[:size]
				if err := os.WriteFile(up, body, 0o600); err != nil {
					t.Fatal(err)
				}
				awsRun(t, r, "s3", "cp", "--no-progress", "--storage-class", "STANDARD_IA", up, url)
				awsRun(t, r, "s3", "cp", "--no-progress", url, down)
				if got, err := os.ReadFile(down); err != nil || !bytes.Equal(got, body) {
					t.Errorf("%s came back as %d bytes, %v", file, len(got), err)
				}
			}
			list := awsRun(t, r, "s3", "ls", "s3://"+r.Bucket+"/x/")
			if !strings.Contains(list, "20971527 big") || !strings.Contains(list, "12 small ü+%.txt") {
				t.Errorf("list:\n%s", list)
			}
			awsRun(t, r, "s3", "rm", "--recursive", "s3://"+r.Bucket+"/x/")
			if out := awsRun(t, r, "s3api", "list-multipart-uploads", "--bucket", r.Bucket); strings.Contains(out, "UploadId") {
				t.Errorf("open uploads: %s", out)
			}
			if n := len(r.Requests(s3server.OpUploadPart)); n < 3 {
				t.Errorf("%d parts: the multipart way was not taken", n)
			}
		})
	}
}
