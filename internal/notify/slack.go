package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Slack's incoming webhooks ("Sending messages using incoming webhooks", Slack's API pages)
// take a JSON object with a text and answer 200 "ok", 429 with Retry-After, or 4xx with a word.
const (
	attempts     = 4
	attemptTime  = 10 * time.Second
	firstPause   = time.Second
	longestPause = 30 * time.Second
	textLimit    = 8000 // bytes; Slack cuts at some 40,000 characters, nobody reads that at 3 AM
	answerLimit  = 200  // bytes of a refusal that are worth repeating
)

// slackSender posts to incoming webhooks, with a bounded time per try and a few tries where another
// may help. The address is a secret and never part of the error.
func slackSender() sender {
	return sender{pause: firstPause, client: &http.Client{
		Timeout: attemptTime,
		// A redirect would carry the alert to an address that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type sender struct {
	client *http.Client
	pause  time.Duration // before the second try; doubles
}

func (s sender) post(ctx context.Context, webhookURL, text string) error {
	defer s.client.CloseIdleConnections()
	target, err := url.Parse(webhookURL)
	if err != nil || target.Host == "" || (target.Scheme != "https" && target.Scheme != "http") {
		return fault.New(fault.Config, "notify: read the Slack webhook's address",
			"Set alert.slack_webhook or SLACK_WEBHOOK_URL to the https address that Slack shows.",
			errors.New("not an http address"))
	}
	body, err := json.Marshal(map[string]string{"text": cut(escapeSlack(text), textLimit)})
	if err != nil {
		return fmt.Errorf("notify: encode alert: %w", err)
	}
	pause := s.pause
	for try := 1; ; try++ {
		wait, again, err := s.once(ctx, target, body)
		if err == nil {
			return nil
		}
		if !again || try == attempts || ctx.Err() != nil {
			return err
		}
		if !sleep(ctx, min(max(wait, pause), longestPause)) {
			return err
		}
		pause *= 2
	}
}

// once tries one time. again says whether another try may help, wait what the server asked for.
func (s sender) once(ctx context.Context, target *url.URL, body []byte) (wait time.Duration, again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return 0, false, fault.New(fault.Config, "notify: post to Slack", "",
			errors.New("the webhook's address cannot be used"))
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return 0, true, fault.New(fault.Unavailable, "notify: post to Slack",
			"Check that this host reaches the webhook's server.", printable.WithoutURL(err))
	}
	defer response.Body.Close()
	answer, _ := bounded.Head(response.Body, answerLimit)
	if response.StatusCode/100 == 2 {
		return 0, false, nil
	}
	code, again := fault.NotPermitted, false
	if response.StatusCode == http.StatusTooManyRequests || response.StatusCode/100 == 5 {
		code, again = fault.Unavailable, true
	}
	if seconds, err := time.ParseDuration(response.Header.Get("Retry-After") + "s"); err == nil {
		wait = seconds
	}
	said := strings.TrimSpace(printable.OneLine(string(answer)))
	if strings.Contains(said, target.Host) || (len(target.Path) > 1 && strings.Contains(said, target.Path)) {
		said = "" // an error page that repeats the address
	}
	return wait, again, fault.New(code, "notify: post to Slack", "Check the webhook: it may have been revoked.",
		errors.New(strings.TrimSpace(response.Status+" "+said)))
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// escapeSlack keeps names from being read as links, mentions (<!channel>) or entities.
func escapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// cut shortens to at most limit bytes without splitting a character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
