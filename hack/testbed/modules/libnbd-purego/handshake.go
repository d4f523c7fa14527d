package libnbd

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	serverMagic = 0x4e42444d41474943
	optionMagic = 0x49484156454f5054
	replyMagic  = 0x0003e889045565a9

	flagFixedNewstyle = 1
	flagNoZeroes      = 2

	optGo             = 7
	optStructured     = 8
	optSetMetaContext = 10

	replyAck         = 1
	replyInfo        = 3
	replyMetaContext = 4
	replyErrorBit    = 1 << 31

	infoExport = 0

	// Strings of the protocol have 4096 bytes at most, so no honest reply is
	// anywhere near.
	maxOptionReply = 1 << 16
)

var be = binary.BigEndian

// refusal is an option that the server does not do; the handshake can go on.
type refusal struct {
	option, kind uint32
	text         string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the server refuses option %d (reply %#x) %s", r.option, r.kind, r.text)
}

// handshake agrees on structured replies, on the metadata contexts and on the
// export. All but the export may be refused.
func (h *Libnbd) handshake(export string) error {
	if err := h.greet(); err != nil {
		return err
	}
	name := appendString(nil, export)
	h.contexts = map[uint32]string{}
	err := h.option(optStructured, nil, nil)
	h.structured = err == nil
	if err == nil && len(h.wanted) > 0 {
		err = h.option(optSetMetaContext, appendQueries(name, h.wanted), h.takeContext)
	}
	var refused *refusal
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	hasSize := false
	err = h.option(optGo, be.AppendUint16(name, 0), func(kind uint32, body []byte) error {
		if kind == replyInfo && len(body) >= 12 && be.Uint16(body) == infoExport {
			h.size, hasSize = be.Uint64(body[2:]), true
		}
		return nil
	})
	if err == nil && !hasSize {
		err = errors.New("the server did not tell the size of the export")
	}
	return err
}

func (h *Libnbd) greet() error {
	b, err := h.read(18)
	if err != nil {
		return err
	}
	if be.Uint64(b) != serverMagic || be.Uint64(b[8:]) != optionMagic {
		return errors.New("this is no NBD server of the new style")
	}
	flags := be.Uint16(b[16:])
	if flags&flagFixedNewstyle == 0 {
		return errors.New("the server does not do the fixed new style")
	}
	// Both of the client's flags have the same value as the server's.
	_, err = h.conn.Write(be.AppendUint32(nil, uint32(flags&(flagFixedNewstyle|flagNoZeroes))))
	return err
}

// takeContext notes the number of a context that was asked for.
func (h *Libnbd) takeContext(kind uint32, body []byte) error {
	if kind != replyMetaContext {
		return nil
	}
	if len(body) < 5 {
		return errors.New("a metadata context without a name")
	}
	h.contexts[be.Uint32(body)] = string(body[4:])
	return nil
}

// option sends one option and gives every reply to it but the last to each.
func (h *Libnbd) option(option uint32, data []byte, each func(kind uint32, body []byte) error) error {
	b := be.AppendUint64(nil, optionMagic)
	b = be.AppendUint32(b, option)
	b = be.AppendUint32(b, uint32(len(data)))
	if _, err := h.conn.Write(append(b, data...)); err != nil {
		return err
	}
	for {
		kind, body, err := h.optionReply(option)
		switch {
		case err != nil:
			return err
		case kind&replyErrorBit != 0:
			return &refusal{option, kind, string(body)}
		case kind == replyAck:
			return nil
		case each != nil:
			if err := each(kind, body); err != nil {
				return err
			}
		}
	}
}

func (h *Libnbd) optionReply(option uint32) (kind uint32, body []byte, err error) {
	head, err := h.read(20)
	if err != nil {
		return 0, nil, err
	}
	if be.Uint64(head) != replyMagic || be.Uint32(head[8:]) != option {
		return 0, nil, fmt.Errorf("what follows option %d is no reply to it", option)
	}
	length := be.Uint32(head[16:])
	if length > maxOptionReply {
		return 0, nil, fmt.Errorf("a reply of %d bytes to option %d", length, option)
	}
	body, err = h.read(length)
	return be.Uint32(head[12:]), body, err
}

func appendString(b []byte, s string) []byte {
	return append(be.AppendUint32(b, uint32(len(s))), s...)
}

func appendQueries(name []byte, queries []string) []byte {
	b := be.AppendUint32(append([]byte(nil), name...), uint32(len(queries)))
	for _, q := range queries {
		b = appendString(b, q)
	}
	return b
}
