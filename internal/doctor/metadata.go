package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// How far the instance's metadata service answers. Its answers to a PUT have the hop limit of the instance as the
// packets' time to live ("Instance metadata options" in the EC2 user guide): with 1, no container behind a bridge of
// this host gets one. The limit itself is told by no call from here, so that it is tried: an answer that still comes
// when this host's kernel takes only packets with two hops left shows a limit of two or more.

const metadataAddress = "169.254.169.254:80"

// hopsTimeout bounds the answer that is expected not to come.
const hopsTimeout = 2 * time.Second

func (l *log) hops(ctx context.Context, id s3.Identity) {
	const check = "s3.metadata-hops"
	if id.Origin != s3.OriginInstance {
		l.ok(check, "look where the key is from", "no instance role is used")
		return
	}
	const tried = "ask the metadata service for a token, and take only answers with two hops left"
	address := metadataAddress
	if own := os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"); own != "" {
		_, rest, _ := strings.Cut(own, "://")
		address, _, _ = strings.Cut(rest, "/")
	}
	far, err := answersOverHops(ctx, address)
	switch {
	case err != nil:
		l.unknown(check, tried, oneLine(err),
			"Look at HttpPutResponseHopLimit of the instance (`aws ec2 describe-instances`).")
	case far:
		l.add(check, seen{
			result: Warn, tried: tried, seen: "it answers over two hops or more: containers on this host get the instance's " +
				"role, and with it the backups",
			remedy: "Run `aws ec2 modify-instance-metadata-options --instance-id ID --http-tokens required " +
				"--http-put-response-hop-limit 1`.",
		})
	default:
		l.ok(check, tried, "it answers over one hop alone")
	}
}

// answersOverHops asks twice: as it is, which must be answered, and then with a least number of hops.
func answersOverHops(ctx context.Context, address string) (bool, error) {
	if err := askToken(ctx, address, 0); err != nil {
		return false, err
	}
	err := askToken(ctx, address, 2)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return false, nil
	}
	return err == nil, err
}

// askToken asks for a session token, which is thrown away. Packets with less than least hops left are not taken.
func askToken(ctx context.Context, address string, least int) error {
	ctx, cancel := context.WithTimeout(ctx, hopsTimeout)
	defer cancel()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil || least == 0 {
			return conn, err
		}
		return conn, setLeastHops(conn, least) // from now on: the limit is that of answers to a PUT
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	url := "http://" + address + "/latest/api/token"
	//nolint:gosec // the SDK asks the same address
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "1")
	answer, err := client.Do(request) //nolint:gosec // as above
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func setLeastHops(conn net.Conn, least int) error {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return errors.ErrUnsupported
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = control.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MINTTL, least) })
	return errors.Join(err, set)
}
