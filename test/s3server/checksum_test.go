package s3server

import (
	"encoding/base64"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"
)

func sumOf(a algorithm, b []byte) string {
	h := a.hash()
	h.Write(b)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func TestChecksumsAreThoseOfTheCheckString(t *testing.T) {
	for a, want := range map[algorithm]string{ // the "check" values of the published CRC catalogue; sha1sum, sha256sum
		algCRC32: "cbf43926", algCRC32C: "e3069283", algCRC64NVME: "ae8b14860a799888",
		algSHA1:   "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		algSHA256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	} {
		h := a.hash()
		h.Write([]byte("123456789"))
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
}

func TestCombinedCRCIsTheCRCOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom([]algorithm{algCRC32, algCRC32C, algCRC64NVME}).Draw(t, "algorithm")
		parts := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 3000), 1, 6).Draw(t, "parts")
		var whole []byte
		sum := sumOf(a, nil)
		for _, p := range parts {
			whole = append(whole, p...)
			var err error
			if sum, err = a.combine(sum, sumOf(a, p), int64(len(p))); err != nil {
				t.Fatal(err)
			}
		}
		if want := sumOf(a, whole); sum != want {
			t.Fatalf("%s of %d parts: %s, want %s", a, len(parts), sum, want)
		}
	})
}
