package docs

import (
	"path/filepath"
	"testing"
)

func TestTheProfilesOfThePageAreTheFilesThatCome(t *testing.T) {
	shown := map[string]string{}
	for _, b := range blocks(t, "yaml") {
		if name := b.notes["profile"]; name != "" {
			shown[name] = b.text
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "packaging/profiles/*.yaml"))
	if err != nil || len(files) != len(shown) || len(files) == 0 {
		t.Errorf("the page shows %d, there are %q, %v", len(shown), files, err)
	}
	for name, text := range shown {
		if read(t, "packaging/profiles/"+name+".yaml") != text {
			t.Errorf("the page's %s is another than the file", name)
		}
	}
}
