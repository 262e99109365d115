package userd

import (
	"fmt"
	"log/slog"
	"sync"
)

// watch says once, when it begins and when it ends, that tokens cannot be verified as they should.
type watch struct {
	options *Options

	lock sync.Mutex
	// Of each thing, what is wrong with it.
	wrong map[string]string
}

func (w *watch) init(options *Options) { w.options, w.wrong = options, map[string]string{} }

// isWrong says that what is not well, by this reason.
func (w *watch) isWrong(what, reason, message string, more ...any) {
	w.lock.Lock()
	isNews := w.wrong[what] != reason
	w.wrong[what] = reason
	w.lock.Unlock()
	if isNews {
		or(w.options.Logger, slog.Default()).Warn("userd: "+message, more...)
	}
}

func (w *watch) isWell(what, message string) {
	w.lock.Lock()
	_, wasWrong := w.wrong[what]
	delete(w.wrong, what)
	w.lock.Unlock()
	if wasWrong {
		or(w.options.Logger, slog.Default()).Warn("userd: " + message)
	}
}

func (w *watch) feedFails(reason string, more any) {
	then := map[WhenStale]string{
		Refuse: "tokens are answered 503", Accept: "tokens are trusted by their signature alone",
		Introspect: "userd is asked about each token",
	}[w.options.WhenStale]
	message := fmt.Sprintf("revocations cannot be followed; once that lasts %s, %s", w.options.MaxAge, then)
	w.isWrong("feed", reason, message, "reason", reason, "said", fmt.Sprint(more))
}

func (w *watch) feedGoes() { w.isWell("feed", "revocations are followed again") }

func (w *watch) keysFail(err error) {
	w.isWrong("keys", "away", "the key set cannot be had; tokens are answered 503", "service", w.options.BaseURL, "said", err.Error())
}

func (w *watch) keysAre() { w.isWell("keys", "the key set is there") }
