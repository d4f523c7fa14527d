package libnbd

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var errnos = map[string]syscall.Errno{
	"EINVAL":   syscall.EINVAL,
	"ENOSPC":   syscall.ENOSPC,
	"ENOTCONN": syscall.ENOTCONN,
	"ENOTSUP":  syscall.ENOTSUP,
	"EPROTO":   syscall.EPROTO,
	"ERANGE":   syscall.ERANGE,
}

func expectErrno(t *testing.T, err error, name string) {
	t.Helper()
	var failed *LibnbdError
	if !errors.As(err, &failed) || failed.Errno != errnos[name] {
		t.Fatalf("expected %s, got %v", name, err)
	}
}

// A server of one connection that answers as its script says, for what no honest
// server does.
type scripted struct {
	t *testing.T
	net.Conn
}

// serve gives the URI of a server that runs script for the first client.
func serve(t *testing.T, script func(s scripted)) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		script(scripted{t, conn})
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return "nbd+unix://?socket=" + socket
}

func (s scripted) take(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s, b); err != nil && !errors.Is(err, io.EOF) {
		s.t.Log("the client went: ", err)
	}
	return b
}

func (s scripted) send(b []byte) {
	// The client may have gone already, which the test sees at its own end.
	_, _ = s.Write(b)
}

func (s scripted) greet() {
	b := be.AppendUint64(nil, serverMagic)
	b = be.AppendUint64(b, optionMagic)
	s.send(be.AppendUint16(b, flagFixedNewstyle|flagNoZeroes))
	s.take(4)
}

func (s scripted) takeOption() (option uint32) {
	head := s.take(16)
	s.take(int(be.Uint32(head[12:])))
	return be.Uint32(head[8:])
}

func optionReply(option, kind uint32, body []byte) []byte {
	b := be.AppendUint64(nil, replyMagic)
	b = be.AppendUint32(b, option)
	b = be.AppendUint32(b, kind)
	return append(be.AppendUint32(b, uint32(len(body))), body...)
}

const (
	scriptedSize    = 1 << 20
	scriptedContext = 9
)

// agree does the whole handshake for an export of scriptedSize bytes.
func (s scripted) agree() {
	s.greet()
	s.send(optionReply(s.takeOption(), replyAck, nil))
	context := append(be.AppendUint32(nil, scriptedContext), "base:allocation"...)
	option := s.takeOption()
	s.send(optionReply(option, replyMetaContext, context))
	s.send(optionReply(option, replyAck, nil))
	option = s.takeOption()
	s.send(optionReply(option, replyInfo, exportInfo()))
	s.send(optionReply(option, replyAck, nil))
}

func exportInfo() []byte {
	b := be.AppendUint16(nil, infoExport)
	b = be.AppendUint64(b, scriptedSize)
	return be.AppendUint16(b, 1)
}

func (s scripted) takeRequest() (cookie uint64) {
	return be.Uint64(s.take(28)[8:])
}

func chunk(flags, kind uint16, cookie uint64, payload []byte) []byte {
	b := be.AppendUint32(nil, structuredMagic)
	b = be.AppendUint16(b, flags)
	b = be.AppendUint16(b, kind)
	b = be.AppendUint64(b, cookie)
	return append(be.AppendUint32(b, uint32(len(payload))), payload...)
}

func simple(number uint32, cookie uint64) []byte {
	b := be.AppendUint32(nil, simpleMagic)
	b = be.AppendUint32(b, number)
	return be.AppendUint64(b, cookie)
}

func data(at uint64, n int) []byte { return append(be.AppendUint64(nil, at), make([]byte, n)...) }

func hole(at uint64, n uint32) []byte { return be.AppendUint32(be.AppendUint64(nil, at), n) }

func extents(context uint32, entries ...uint32) []byte {
	b := be.AppendUint32(nil, context)
	for _, e := range entries {
		b = be.AppendUint32(b, e)
	}
	return b
}

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// A read of 4096 bytes at 8192.
func TestAnswersToAReadThatBreakTheProtocol(t *testing.T) {
	const at, n = 8192, 4096
	whole := func(cookie uint64) []byte { return chunk(chunkDone, chunkData, cookie, data(at, n)) }
	for name, answer := range map[string]func(cookie uint64) []byte{
		"no reply at all":            func(uint64) []byte { return []byte("HTTP/1.1 400 Bad Request") },
		"another request's cookie":   func(c uint64) []byte { return whole(c + 1) },
		"a plain reply":              func(c uint64) []byte { return join(simple(0, c), make([]byte, n)) },
		"data before the buffer":     func(c uint64) []byte { return chunk(chunkDone, chunkData, c, data(at-1, n)) },
		"data beyond the buffer":     func(c uint64) []byte { return chunk(chunkDone, chunkData, c, data(at+1, n)) },
		"data far beyond the buffer": func(c uint64) []byte { return chunk(chunkDone, chunkData, c, data(1<<63, n)) },
		"a chunk without data":       func(c uint64) []byte { return chunk(chunkDone, chunkData, c, data(at, 0)) },
		"a chunk cut short":          func(c uint64) []byte { return chunk(chunkDone, chunkData, c, []byte{1, 2, 3}) },
		"a hole beyond the buffer":   func(c uint64) []byte { return chunk(chunkDone, chunkHole, c, hole(at, n+1)) },
		"a hole of four gigabytes":   func(c uint64) []byte { return chunk(chunkDone, chunkHole, c, hole(at, 1<<32-1)) },
		"a hole of a wrong length":   func(c uint64) []byte { return chunk(chunkDone, chunkHole, c, data(at, 9)) },
		"a chunk of extents":         func(c uint64) []byte { return chunk(chunkDone, chunkStatus, c, extents(scriptedContext, n, 0)) },
		"an unknown chunk":           func(c uint64) []byte { return chunk(chunkDone, 77, c, data(at, n)) },
		"a chunk of four gigabytes": func(c uint64) []byte {
			return be.AppendUint32(chunk(chunkDone, chunkData, c, nil)[:16], 1<<32-1)
		},
		"an error without a number":     func(c uint64) []byte { return chunk(chunkDone, chunkErrorBit|1, c, []byte{0}) },
		"an error of four gigabytes":    func(c uint64) []byte { return be.AppendUint32(chunk(chunkDone, chunkErrorBit|1, c, nil)[:16], 1<<32-1) },
		"an empty chunk in the middle":  func(c uint64) []byte { return join(chunk(0, chunkNone, c, nil), whole(c)) },
		"an empty chunk with a payload": func(c uint64) []byte { return chunk(chunkDone, chunkNone, c, []byte{1}) },
	} {
		t.Run(name, func(t *testing.T) {
			h := connected(t, serve(t, func(s scripted) {
				s.agree()
				s.send(answer(s.takeRequest()))
				s.take(1)
			}))
			expectErrno(t, h.Pread(make([]byte, n), at, nil), "EPROTO")
			// Whatever comes next on the connection is not to be believed.
			expectErrno(t, h.Pread(make([]byte, n), at, nil), "ENOTCONN")
		})
	}
}

func TestAnAnswerThatLacksBytesFailsTheRead(t *testing.T) {
	h := connected(t, serve(t, func(s scripted) {
		s.agree()
		c := s.takeRequest()
		s.send(join(chunk(0, chunkData, c, data(0, 1000)), chunk(chunkDone, chunkHole, c, hole(2000, 1000))))
		c = s.takeRequest()
		s.send(chunk(chunkDone, chunkNone, c, nil))
		c = s.takeRequest()
		s.send(join(chunk(0, chunkHole, c, hole(1000, 2000)), chunk(chunkDone, chunkData, c, data(0, 1000))))
	}))
	buf := make([]byte, 3000)
	expectErrno(t, h.Pread(buf, 0, nil), "EPROTO")
	expectErrno(t, h.Pread(buf, 0, nil), "EPROTO")
	if err := h.Pread(buf, 0, nil); err != nil {
		t.Fatal("chunks out of order are allowed: ", err)
	}
}

func TestDataAndHolesGoToTheirPlaces(t *testing.T) {
	h := connected(t, serve(t, func(s scripted) {
		s.agree()
		c := s.takeRequest()
		s.send(join(
			chunk(0, chunkHole, c, hole(5002, 3)),
			chunk(0, chunkData, c, append(data(5000, 0), 1, 2)),
			chunk(chunkDone, chunkData, c, append(data(5005, 0), 3)),
		))
	}))
	buf := bytes.Repeat([]byte{0xaa}, 6)
	if err := h.Pread(buf, 5000, nil); err != nil || !bytes.Equal(buf, []byte{1, 2, 0, 0, 0, 3}) {
		t.Fatal(buf, err)
	}
}

func TestAnErrorChunkIsReadToTheEndOfItsAnswer(t *testing.T) {
	text := "the datastore is away"
	body := be.AppendUint16(be.AppendUint32(nil, uint32(syscall.ENOSPC)), uint16(len(text)))
	// This kind has an offset behind the text.
	body = be.AppendUint64(append(body, text...), 512)
	h := connected(t, serve(t, func(s scripted) {
		s.agree()
		c := s.takeRequest()
		s.send(join(chunk(0, chunkErrorBit|2, c, body), chunk(0, chunkData, c, data(0, 512)), chunk(chunkDone, chunkNone, c, nil)))
		s.send(chunk(chunkDone, chunkData, s.takeRequest(), data(0, 1024)))
	}))
	err := h.Pread(make([]byte, 1024), 0, nil)
	expectErrno(t, err, "ENOSPC")
	if !strings.Contains(err.Error(), text) {
		t.Fatal("the server's words are lost: ", err)
	}
	if err := h.Pread(make([]byte, 1024), 0, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAConnectionThatEndsInTheMiddleOfAnAnswer(t *testing.T) {
	c0 := func(c uint64) []byte { return chunk(chunkDone, chunkData, c, data(0, 4096)) }
	for _, kept := range []int{0, 3, 4, 19, 20, 27, 28, 29, 4096} {
		h := connected(t, serve(t, func(s scripted) {
			s.agree()
			s.send(c0(s.takeRequest())[:kept])
		}))
		err := h.Pread(make([]byte, 4096), 0, nil)
		if err == nil || !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") {
			t.Fatalf("after %d bytes: %v", kept, err)
		}
		expectErrno(t, h.Pread(make([]byte, 1), 0, nil), "ENOTCONN")
	}
}

func TestAnswersWithExtentsThatBreakTheProtocol(t *testing.T) {
	const asked = 65536
	status := func(body []byte) func(c uint64) []byte {
		return func(c uint64) []byte { return chunk(chunkDone, chunkStatus, c, body) }
	}
	for name, answer := range map[string]func(cookie uint64) []byte{
		"none":                       func(c uint64) []byte { return chunk(chunkDone, chunkNone, c, nil) },
		"a plain reply":              func(c uint64) []byte { return simple(0, c) },
		"an extent of no bytes":      status(extents(scriptedContext, 0, 0)),
		"two where one was asked":    status(extents(scriptedContext, 4096, 0, 4096, 1)),
		"more than was asked for":    status(extents(scriptedContext, asked+1, 0)),
		"of another context":         status(extents(scriptedContext+1, 4096, 0)),
		"a length without its flags": status(extents(scriptedContext, 4096)),
		"nothing but the context":    status(extents(scriptedContext)),
		"a chunk of data":            func(c uint64) []byte { return chunk(chunkDone, chunkData, c, data(0, asked)) },
	} {
		t.Run(name, func(t *testing.T) {
			h := connected(t, serve(t, func(s scripted) {
				s.agree()
				s.send(answer(s.takeRequest()))
				s.take(1)
			}))
			one := &BlockStatusOptargs{Flags: CMD_FLAG_REQ_ONE, FlagsSet: true}
			expectErrno(t, h.BlockStatus(asked, 0, never(t), one), "EPROTO")
		})
	}
}

func TestAMillionExtentsInOneAnswer(t *testing.T) {
	const number = 1 << 20
	entries := make([]uint32, 0, 2*number)
	for i := range uint32(number) {
		entries = append(entries, 512, i&1)
	}
	h := connected(t, serve(t, func(s scripted) {
		s.agree()
		s.send(chunk(chunkDone, chunkStatus, s.takeRequest(), extents(scriptedContext, entries...)))
	}))
	got := 0
	err := h.BlockStatus(scriptedSize, 0, func(_ string, _ uint64, e []uint32, _ *int) int {
		got = len(e)
		return 0
	}, nil)
	if err != nil || got != 2*number {
		t.Fatal(got, err)
	}
}

func TestACallbackThatFails(t *testing.T) {
	h := connected(t, serve(t, func(s scripted) {
		s.agree()
		c := s.takeRequest()
		part := extents(scriptedContext, 4096, 0)
		s.send(join(chunk(0, chunkStatus, c, part), chunk(chunkDone, chunkStatus, c, part)))
		s.send(chunk(chunkDone, chunkData, s.takeRequest(), data(0, 512)))
	}))
	calls := 0
	err := h.BlockStatus(8192, 0, func(_ string, _ uint64, _ []uint32, number *int) int {
		calls++
		*number = int(syscall.ENOSPC)
		return -1
	}, nil)
	expectErrno(t, err, "ENOSPC")
	if calls != 1 {
		t.Fatal("it was called again: ", calls)
	}
	// The rest of the answer was taken off the connection.
	if err := h.Pread(make([]byte, 512), 0, nil); err != nil {
		t.Fatal(err)
	}
}

func TestHandshakesThatFail(t *testing.T) {
	greeting := func(magic uint64, flags uint16) []byte {
		b := be.AppendUint64(be.AppendUint64(nil, serverMagic), magic)
		return be.AppendUint16(b, flags)
	}
	for name, script := range map[string]func(s scripted){
		"a server that goes at once":      func(scripted) {},
		"a server that is none":           func(s scripted) { s.send([]byte("SSH-2.0-OpenSSH_9.2p1\r\n")) },
		"the old style":                   func(s scripted) { s.send(greeting(0x00420281861253, 0)) },
		"the new style that is not fixed": func(s scripted) { s.send(greeting(optionMagic, 0)) },
		"a reply to another option": func(s scripted) {
			s.greet()
			s.send(optionReply(s.takeOption()+1, replyAck, nil))
		},
		"a reply of four gigabytes": func(s scripted) {
			s.greet()
			s.send(be.AppendUint32(optionReply(s.takeOption(), replyInfo, nil)[:16], 1<<32-1))
		},
		"a context without a name": func(s scripted) {
			s.greet()
			s.send(optionReply(s.takeOption(), replyAck, nil))
			s.send(optionReply(s.takeOption(), replyMetaContext, []byte{0, 0, 0, 1}))
		},
		"a server that goes after the first option": func(s scripted) {
			s.greet()
			s.send(optionReply(s.takeOption(), replyAck, nil))
		},
		"an export without a size": func(s scripted) {
			s.greet()
			for range 3 {
				s.send(optionReply(s.takeOption(), replyAck, nil))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := Create()
			if err := h.AddMetaContext("base:allocation"); err != nil {
				t.Fatal(err)
			}
			if err := h.ConnectUri(serve(t, script)); err == nil {
				t.Fatal("connected")
			}
			expectErrno(t, h.Pread(make([]byte, 1), 0, nil), "ENOTCONN")
			if _, err := h.GetSize(); err == nil {
				t.Fatal("a size without a connection")
			}
		})
	}
}

func TestAServerWithoutMetadataContextsStillServesReads(t *testing.T) {
	h := connected(t, serve(t, func(s scripted) {
		s.greet()
		s.send(optionReply(s.takeOption(), replyAck, nil))
		s.send(optionReply(s.takeOption(), replyErrorBit|1, []byte("unsupported")))
		option := s.takeOption()
		s.send(join(optionReply(option, replyInfo, exportInfo()), optionReply(option, replyAck, nil)))
		s.send(chunk(chunkDone, chunkData, s.takeRequest(), data(0, 512)))
	}))
	expectErrno(t, h.BlockStatus(4096, 0, never(t), nil), "ENOTSUP")
	if err := h.Pread(make([]byte, 512), 0, nil); err != nil {
		t.Fatal(err)
	}
}

func TestURIs(t *testing.T) {
	for uri, want := range map[string][3]string{
		"nbd+unix://?socket=/run/a":      {"unix", "/run/a", ""},
		"nbd+unix:///disk?socket=/run/a": {"unix", "/run/a", "disk"},
		"nbd://host":                     {"tcp", "host:10809", ""},
		"nbd://host:7/a%20b":             {"tcp", "host:7", "a b"},
		"nbd://[2001:db8::1]/disk":       {"tcp", "[2001:db8::1]:10809", "disk"},
		"nbd+unix:///disk":               {},
		"nbds://host":                    {},
		"nbd+unix://%zz":                 {},
	} {
		network, address, export, err := parseURI(uri)
		if got := [3]string{network, address, export}; got != want || (err != nil) != (want == [3]string{}) {
			t.Error(uri, got, err)
		}
	}
}
