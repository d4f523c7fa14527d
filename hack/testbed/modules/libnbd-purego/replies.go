package libnbd

import (
	"fmt"
	"io"
	"syscall"
)

const (
	requestMagic    = 0x25609513
	simpleMagic     = 0x67446698
	structuredMagic = 0x668e33ef

	cmdRead        = 0
	cmdDisconnect  = 2
	cmdBlockStatus = 7

	chunkDone     = 1
	chunkNone     = 0
	chunkData     = 1
	chunkHole     = 2
	chunkStatus   = 5
	chunkErrorBit = 1 << 15

	// The most that is read or taken in one piece; what the C library allows.
	maxPayload = 64 << 20
	// The largest multiple of 4096 that fits into 32 bits: some servers round up.
	maxStatusLength = 0xfffff000
)

// violation is an answer that the protocol does not allow. What follows it on
// the connection cannot be told apart any more.
func violation(format string, args ...any) error {
	return fmt.Errorf("the server broke the protocol: %s: %w", fmt.Sprintf(format, args...), syscall.EPROTO)
}

// reply takes the answer to one request. Its methods read just the payload of
// their piece; an error from them ends the connection.
type reply interface {
	// simple is called for an answer of the plain form without an error.
	simple(h *Libnbd) error
	chunk(h *Libnbd, kind uint16, length uint32) error
	// finish tells what is wrong with an answer that came whole.
	finish() error
}

// run sends one request and takes its answer. An error that the server sends as
// such leaves the connection in use.
func (h *Libnbd) run(command, flags uint16, offset uint64, length uint32, r reply) error {
	err := h.request(command, flags, offset, length)
	var refused error
	if err == nil {
		refused, err = h.answer(r)
	}
	if err != nil {
		h.abandon()
		return err
	}
	if refused != nil {
		return refused
	}
	return r.finish()
}

func (h *Libnbd) request(command, flags uint16, offset uint64, length uint32) error {
	h.cookie++
	b := be.AppendUint32(make([]byte, 0, 28), requestMagic)
	b = be.AppendUint16(b, flags)
	b = be.AppendUint16(b, command)
	b = be.AppendUint64(b, h.cookie)
	b = be.AppendUint64(b, offset)
	b = be.AppendUint32(b, length)
	_, err := h.conn.Write(b)
	return err
}

// answer reads to the end of an answer. refused is an error of the server's; err
// one of the connection or of the protocol.
func (h *Libnbd) answer(r reply) (refused, err error) {
	for {
		magic, err := h.read(4)
		if err != nil {
			return nil, err
		}
		switch be.Uint32(magic) {
		case simpleMagic:
			return h.simpleAnswer(r)
		case structuredMagic:
			if !h.structured {
				return nil, violation("a structured reply that was not agreed on")
			}
			last, chunkError, err := h.chunk(r)
			if err != nil {
				return nil, err
			}
			if refused == nil {
				refused = chunkError
			}
			if last {
				return refused, nil
			}
		default:
			return nil, violation("%x begins no reply", magic)
		}
	}
}

func (h *Libnbd) simpleAnswer(r reply) (refused, err error) {
	head, err := h.read(12)
	if err != nil {
		return nil, err
	}
	if err := h.checkCookie(be.Uint64(head[4:])); err != nil {
		return nil, err
	}
	if number := be.Uint32(head); number != 0 {
		return serverError(number, ""), nil
	}
	return nil, r.simple(h)
}

func (h *Libnbd) chunk(r reply) (last bool, refused, err error) {
	head, err := h.read(16)
	if err != nil {
		return false, nil, err
	}
	last = be.Uint16(head)&chunkDone != 0
	kind, length := be.Uint16(head[2:]), be.Uint32(head[12:])
	if err := h.checkCookie(be.Uint64(head[4:])); err != nil {
		return false, nil, err
	}
	// 8 bytes of offset stand before the data.
	if length > maxPayload+8 {
		return false, nil, violation("a chunk of %d bytes", length)
	}
	switch {
	case kind&chunkErrorBit != 0:
		refused, err = h.errorChunk(length)
	case kind == chunkNone && last && length == 0:
	case kind == chunkNone:
		err = violation("an empty chunk that is none, or not the last")
	default:
		err = r.chunk(h, kind, length)
	}
	return last, refused, err
}

// errorChunk holds a number and a text, and for some kinds an offset.
func (h *Libnbd) errorChunk(length uint32) (refused, err error) {
	if length < 6 {
		return nil, violation("an error of %d bytes", length)
	}
	body, err := h.read(length)
	if err != nil {
		return nil, err
	}
	text := body[6:]
	if n := int(be.Uint16(body[4:])); n <= len(text) {
		text = text[:n]
	}
	return serverError(be.Uint32(body), string(text)), nil
}

func (h *Libnbd) checkCookie(got uint64) error {
	if got != h.cookie {
		return violation("a reply to request %d, and %d was sent", got, h.cookie)
	}
	return nil
}

// serverError is an error that the server sent. The protocol's numbers are those
// of Linux.
func serverError(number uint32, text string) error {
	errno := syscall.Errno(number)
	if number == 0 || number > 4095 {
		errno = syscall.EINVAL
	}
	if text == "" {
		return errno
	}
	return fmt.Errorf("%s: %w", text, errno)
}

// readReply puts data and holes into their places.
type readReply struct {
	buf    []byte
	offset uint64
	// Bytes that have come. The protocol lets no two chunks overlap, so
	// counting tells whether all are there.
	seen uint64
}

func (r *readReply) simple(h *Libnbd) error {
	if h.structured {
		return violation("a plain reply to a read")
	}
	r.seen = uint64(len(r.buf))
	_, err := io.ReadFull(h.conn, r.buf)
	return whole(err)
}

func (r *readReply) chunk(h *Libnbd, kind uint16, length uint32) error {
	isData := kind == chunkData && length > 8
	isHole := kind == chunkHole && length == 12
	if !isData && !isHole {
		return violation("a chunk of kind %d and %d bytes in a read", kind, length)
	}
	head, err := h.read(8)
	if err != nil {
		return err
	}
	count := length - 8
	if isHole {
		b, err := h.read(4)
		if err != nil {
			return err
		}
		count = be.Uint32(b)
	}
	part, err := r.part(be.Uint64(head), uint64(count))
	if err != nil {
		return err
	}
	r.seen += uint64(count)
	if isHole {
		clear(part)
		return nil
	}
	_, err = io.ReadFull(h.conn, part)
	return whole(err)
}

// part is the piece of the buffer for count bytes at a place of the export.
func (r *readReply) part(at, count uint64) ([]byte, error) {
	size := uint64(len(r.buf))
	if at < r.offset || at-r.offset > size || count > size-(at-r.offset) {
		return nil, violation("%d bytes at %d for a read of %d at %d", count, at, size, r.offset)
	}
	from := at - r.offset
	return r.buf[from : from+count], nil
}

func (r *readReply) finish() error {
	if r.seen != uint64(len(r.buf)) {
		return violation("%d bytes for a read of %d", r.seen, len(r.buf))
	}
	return nil
}

// statusReply passes extents on.
type statusReply struct {
	contexts map[uint32]string
	offset   uint64
	asked    uint32
	one      bool
	callback ExtentCallback
	called   bool
	failed   error
}

func (r *statusReply) simple(*Libnbd) error {
	return violation("a plain reply to a request for extents")
}

func (r *statusReply) chunk(h *Libnbd, kind uint16, length uint32) error {
	if kind != chunkStatus || length < 12 || (length-4)%8 != 0 {
		return violation("a chunk of kind %d and %d bytes for extents", kind, length)
	}
	body, err := h.read(length)
	if err != nil {
		return err
	}
	name, known := r.contexts[be.Uint32(body)]
	if !known {
		return violation("extents of context %d, which was not asked for", be.Uint32(body))
	}
	entries := make([]uint32, 0, (length-4)/4)
	for rest := body[4:]; len(rest) > 0; rest = rest[4:] {
		entries = append(entries, be.Uint32(rest))
	}
	if err := r.checkExtents(entries); err != nil {
		return err
	}
	r.pass(name, entries)
	return nil
}

// checkExtents refuses what would make a caller go round for ever (an extent of
// no bytes) or beyond what it asked for.
func (r *statusReply) checkExtents(entries []uint32) error {
	for i := 0; i < len(entries); i += 2 {
		if entries[i] == 0 {
			return violation("an extent of no bytes")
		}
	}
	if r.one && (len(entries) != 2 || entries[0] > r.asked) {
		return violation("%d extents, the first of %d bytes, where one of at most %d was asked for",
			len(entries)/2, entries[0], r.asked)
	}
	return nil
}

// pass calls the callback until it fails; the answer is read to its end all the
// same, since the next one begins there.
func (r *statusReply) pass(name string, entries []uint32) {
	r.called = true
	if r.failed != nil {
		return
	}
	number := 0
	if r.callback(name, r.offset, entries, &number) >= 0 {
		return
	}
	if number == 0 {
		number = int(syscall.EPROTO)
	}
	r.failed = syscall.Errno(number)
}

func (r *statusReply) finish() error {
	if !r.called {
		return violation("no extents")
	}
	return r.failed
}
