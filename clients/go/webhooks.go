package userd

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const tolerance = 5 * time.Minute

// Webhook tells genuine calls from others (Standard Webhooks).
type Webhook struct {
	keys   [][]byte
	public []ed25519.PublicKey
}

// NewWebhook takes a webhook's secret (whsec_…) or its public key (whpk_…); two while one is being replaced.
func NewWebhook(secrets ...string) (*Webhook, error) {
	webhook := &Webhook{}
	for _, secret := range secrets {
		if text, isPublic := strings.CutPrefix(secret, "whpk_"); isPublic {
			key, err := base64.StdEncoding.DecodeString(text)
			if err != nil || len(key) != ed25519.PublicKeySize {
				return nil, errors.New("userd: a webhook's public key is 32 bytes in base64 behind whpk_")
			}
			webhook.public = append(webhook.public, key)
			continue
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return nil, errors.New("userd: a webhook's secret is base64 behind whsec_")
		}
		webhook.keys = append(webhook.keys, key)
	}
	if len(secrets) == 0 {
		return nil, errors.New("userd: a webhook has a secret")
	}
	return webhook, nil
}

// Verify answers the event of a call: give the body as it came. The error is an ErrInvalidWebhook. The id of the call,
// webhook-id, is the same when it is sent again: do nothing then.
func (w *Webhook) Verify(body []byte, header http.Header) (Event, error) {
	return w.VerifyAt(body, header, time.Now())
}

// VerifyAt is Verify at another time than now, for tests.
func (w *Webhook) VerifyAt(body []byte, header http.Header, now time.Time) (Event, error) {
	id, moment := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseUint(moment, 10, 48)
	if id == "" || err != nil {
		return Event{}, fmt.Errorf("%w: headers are missing", ErrInvalidWebhook)
	}
	if now.Sub(time.Unix(int64(seconds), 0)).Abs() > tolerance {
		return Event{}, fmt.Errorf("%w: too old, or from the future", ErrInvalidWebhook)
	}
	if !w.isSigned(fmt.Sprintf("%s.%s.%s", id, moment, body), header.Get("webhook-signature")) {
		return Event{}, fmt.Errorf("%w: no signature is right", ErrInvalidWebhook)
	}
	var event Event
	if json.Unmarshal(body, &event) != nil || !event.isWhole() {
		return Event{}, fmt.Errorf("%w: not an event", ErrInvalidWebhook)
	}
	return event, nil
}

func (w *Webhook) isSigned(signed, shown string) bool {
	for _, part := range strings.Split(shown, " ") {
		version, text, _ := strings.Cut(part, ",")
		signature, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		// A public key is nobody's secret, so each kind of key takes its own kind of signature alone.
		if version == "v1" && w.isBySecret([]byte(signed), signature) || version == "v1a" && w.isByKey([]byte(signed), signature) {
			return true
		}
	}
	return false
}

func (w *Webhook) isBySecret(signed, signature []byte) bool {
	return slices.ContainsFunc(w.keys, func(key []byte) bool {
		mac := hmac.New(sha256.New, key)
		mac.Write(signed)
		return hmac.Equal(mac.Sum(nil), signature)
	})
}

func (w *Webhook) isByKey(signed, signature []byte) bool {
	return slices.ContainsFunc(w.public, func(key ed25519.PublicKey) bool { return ed25519.Verify(key, signed, signature) })
}
