package userd

import "sync"

// memory holds verified tokens, a bounded number of them: the first that came goes first.
type memory struct {
	lock   sync.RWMutex
	tokens map[string]*Token
	order  []string
	next   int
}

func (m *memory) init(size int) {
	m.tokens, m.order = map[string]*Token{}, make([]string, size)
}

func (m *memory) get(text string) *Token {
	m.lock.RLock()
	defer m.lock.RUnlock()
	return m.tokens[text]
}

func (m *memory) put(text string, token *Token) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.tokens[text] == nil {
		delete(m.tokens, m.order[m.next])
		m.order[m.next] = text
		m.next = (m.next + 1) % len(m.order)
	}
	m.tokens[text] = token
}

func (m *memory) clear() {
	m.lock.Lock()
	defer m.lock.Unlock()
	clear(m.tokens)
	clear(m.order)
}
