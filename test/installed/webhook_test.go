package installed

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// post is one call of the webhook.
type post struct{ Path, Text string }

// listen takes webhook calls, a line of JSON each in hookFile, until it is killed.
func listen() int {
	file, err := os.OpenFile(hookFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	err = http.ListenAndServe("127.0.0.1:"+hookPort, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Text string }
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(raw, &body)
		}
		line, _ := json.Marshal(post{r.URL.Path, body.Text})
		if err == nil {
			_, err = file.Write(append(line, '\n'))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// posts are the calls so far.
func (h *host) posts(t *testing.T) []post {
	t.Helper()
	var found []post
	for line := range strings.Lines(h.root(t, "cat", hookFile)) {
		var p post
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		found = append(found, p)
	}
	return found
}
