package libnbd

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const mebibyte = 1 << 20

// startNbdkit serves by nbdkit until the test ends, and gives the process and the
// URI. The socket is made here and handed over as systemd does it, so there is
// nothing to wait for: who connects early waits in the socket's queue.
func startNbdkit(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	if _, err := exec.LookPath("nbdkit"); err != nil {
		t.Skip("nbdkit is not installed")
	}
	socket := filepath.Join(t.TempDir(), "socket")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	file, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{
		"-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec nbdkit --foreground --readonly "$@"`, "nbdkit",
	}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{file}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	_ = file.Close()
	_ = listener.Close()
	return cmd, "nbd+unix://?socket=" + socket
}

func connected(t *testing.T, uri string) *Libnbd {
	t.Helper()
	h, err := Create()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.AddMetaContext("base:allocation"); err != nil {
		t.Fatal(err)
	}
	if err := h.ConnectUri(uri); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// sparseDisk writes a file with data in three places and holes between them.
func sparseDisk(t *testing.T, size int64) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	part := make([]byte, mebibyte)
	random := rand.NewChaCha8([32]byte{})
	content = make([]byte, size)
	for _, at := range []int64{0, 7 * mebibyte, size - mebibyte} {
		_, _ = random.Read(part)
		if _, err := f.WriteAt(part, at); err != nil {
			t.Fatal(err)
		}
		copy(content[at:], part)
	}
	return path, content
}

func TestReadsWhatNbdkitServes(t *testing.T) {
	disk, want := sparseDisk(t, 64*mebibyte)
	_, uri := startNbdkit(t, "file", "file="+disk)
	h := connected(t, uri)
	size, err := h.GetSize()
	if err != nil || size != uint64(len(want)) {
		t.Fatal("size ", size, err)
	}
	// 23 MiB is the importer's piece; others fit into nothing.
	for _, piece := range []int{23 * mebibyte, 2 * mebibyte, 1_000_003} {
		buf := make([]byte, piece)
		for at := 0; at < len(want); at += piece {
			part := buf[:min(piece, len(want)-at)]
			if err := h.Pread(part, uint64(at), nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(part, want[at:at+len(part)]) {
				t.Fatalf("pieces of %d: other bytes at %d", piece, at)
			}
		}
	}
}

func TestWalksExtentsAsTheImporterDoes(t *testing.T) {
	disk, want := sparseDisk(t, 64*mebibyte)
	_, uri := startNbdkit(t, "file", "file="+disk)
	h := connected(t, uri)
	one := &BlockStatusOptargs{Flags: CMD_FLAG_REQ_ONE, FlagsSet: true}
	var data int
	for at := 0; at < len(want); {
		begin := at
		err := h.BlockStatus(uint64(len(want)-at), uint64(at), func(name string, offset uint64, e []uint32, _ *int) int {
			if name != "base:allocation" || offset != uint64(begin) || len(e) != 2 {
				t.Error(name, offset, e)
			}
			end := begin + int(e[0])
			if e[1]&STATE_HOLE == 0 {
				data += int(e[0])
			} else if len(bytes.Trim(want[begin:end], "\x00")) > 0 {
				t.Errorf("a hole from %d to %d, where there are data", begin, end)
			}
			at = end
			return 0
		}, one)
		if err != nil {
			t.Fatal(err)
		}
	}
	if data != 3*mebibyte {
		t.Fatal("bytes that are no hole: ", data)
	}
}

func TestExtentsOfADiskLargerThanOneRequest(t *testing.T) {
	const size = 3 << 40
	_, uri := startNbdkit(t, "null", "size=3T")
	h := connected(t, uri)
	var at uint64
	for at < size {
		err := h.BlockStatus(size-at, at, func(_ string, offset uint64, e []uint32, _ *int) int {
			for i := 0; i < len(e); i += 2 {
				at += uint64(e[i])
			}
			return 0
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	if at != size {
		t.Fatal("covered ", at)
	}
}

func TestAnErrorOfTheServerLeavesTheConnectionInUse(t *testing.T) {
	trigger := filepath.Join(t.TempDir(), "fail")
	_, uri := startNbdkit(t, "--filter=error", "memory", "size=1M",
		"error-pread=ENOSPC", "error-pread-rate=100%", "error-pread-file="+trigger)
	h := connected(t, uri)
	buf := make([]byte, 4096)
	if err := os.WriteFile(trigger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expectErrno(t, h.Pread(buf, 0, nil), "ENOSPC")
	if err := os.Remove(trigger); err != nil {
		t.Fatal(err)
	}
	if err := h.Pread(buf, 0, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAServerThatIsKilledInTheMiddleOfARead(t *testing.T) {
	cmd, uri := startNbdkit(t, "--filter=delay", "memory", "size=1M", "rdelay=60")
	h := connected(t, uri)
	result := make(chan error, 1)
	go func() { result <- h.Pread(make([]byte, 4096), 0, nil) }()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err == nil {
		t.Fatal("the read passed")
	}
	expectErrno(t, h.Pread(make([]byte, 1), 0, nil), "ENOTCONN")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnExportWithoutExtents(t *testing.T) {
	_, uri := startNbdkit(t, "--no-sr", "memory", "size=1M")
	h := connected(t, uri)
	if err := h.Pread(make([]byte, mebibyte), 0, nil); err != nil {
		t.Fatal(err)
	}
	expectErrno(t, h.BlockStatus(4096, 0, never(t), nil), "ENOTSUP")
}

func TestAnExportThatIsNotThere(t *testing.T) {
	_, uri := startNbdkit(t, "--filter=exportname", "memory", "size=1M",
		"exportname=here", "exportname-strict=true")
	h, _ := Create()
	if err := h.ConnectUri(strings.Replace(uri, "://", ":///nowhere", 1)); err == nil {
		t.Fatal("connected to an export that is not there")
	}
	if err := h.ConnectUri(strings.Replace(uri, "://", ":///here", 1)); err != nil {
		t.Fatal(err)
	}
}

func TestNothingBeyondTheEndIsAskedFor(t *testing.T) {
	_, uri := startNbdkit(t, "memory", "size=1M")
	h := connected(t, uri)
	expectErrno(t, h.Pread(make([]byte, 2), mebibyte-1, nil), "EINVAL")
	expectErrno(t, h.Pread(make([]byte, 2), 1<<64-1, nil), "EINVAL")
	expectErrno(t, h.Pread(nil, 0, nil), "EINVAL")
	expectErrno(t, h.BlockStatus(mebibyte+1, 0, never(t), nil), "EINVAL")
	if err := h.Pread(make([]byte, 1), mebibyte-1, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAReadLargerThanOneRequest(t *testing.T) {
	_, uri := startNbdkit(t, "null", "size=1G")
	h := connected(t, uri)
	expectErrno(t, h.Pread(make([]byte, maxPayload+1), 0, nil), "ERANGE")
	if err := h.Pread(make([]byte, maxPayload), 0, nil); err != nil {
		t.Fatal(err)
	}
}

func never(t *testing.T) ExtentCallback {
	return func(string, uint64, []uint32, *int) int {
		t.Error("the callback was called")
		return -1
	}
}
