package report

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/secret"
)

func TestFacts(t *testing.T) {
	h := Host{
		Read: func(path string) ([]byte, error) {
			if path == "/etc/os-release" {
				return []byte("ID=house\n"), nil
			}
			return nil, fs.ErrNotExist
		},
		Run: func(_ context.Context, argv ...string) ([]byte, error) {
			if argv[0] == "journalctl" {
				return bytes.Repeat([]byte("geheim "+strings.Join(argv, " ")+"\n"), 80<<10), nil
			}
			return []byte("half"), errors.New("it is not installed")
		},
	}
	files := h.Facts(t.Context(), Window{time.Unix(100, 0), time.Unix(200, 0)})
	root, err := cib.Parse("", []byte(`<cib><nvpair name="passwd" value="geheim"/></cib>`))
	if err != nil {
		t.Fatal(err)
	}
	files = Hide(Below("nodes/n1", files), secret.OfCIB(root))
	byName := map[string]string{}
	for _, f := range files {
		if _, twice := byName[f.Name]; twice {
			t.Errorf("%s is there twice", f.Name)
		}
		byName[f.Name] = string(f.Data)
	}
	for name, want := range map[string]string{
		"nodes/n1/system/etc-os-release":     "ID=house",
		"nodes/n1/system/proc-drbd":          "does not exist",
		"nodes/n1/system/ip-address.txt":     "half(it is not installed)",
		"nodes/n1/system/drbdadm-status.txt": "not installed",
		"nodes/n1/logs/cerco.log":            "--since=@100 --until=@200",
		"nodes/n1/logs/warnings.log":         "(the beginning is left out)",
		"nodes/n1/logs/kernel.log":           "***",
	} {
		if !strings.Contains(byName[name], want) {
			t.Errorf("%s: %.80q; want %s", name, byName[name], want)
		}
	}
	for name, text := range byName {
		if strings.Contains(text, "geheim") {
			t.Errorf("%s has the secret", name)
		}
	}
}

func TestPack(t *testing.T) {
	var b bytes.Buffer
	if err := Pack(&b, time.Unix(1, 0), []File{{"a/b", []byte("x")}, {"../../etc/passwd", []byte("y")}, {"/c", bytes.Repeat([]byte("z"), MostFile+1)}}); err != nil {
		t.Fatal(err)
	}
	files, err := Unpack(b.Bytes())
	if err != nil || len(files) != 3 || files[0].Name != "a/b" || files[1].Name != "etc/passwd" || files[2].Name != "c" || len(files[2].Data) != MostFile {
		t.Errorf("%v %v", files[:2], err)
	}
	if _, err := Unpack([]byte("no archive")); err == nil {
		t.Error("it reads anything")
	}
}

func FuzzUnpack(f *testing.F) {
	var b bytes.Buffer
	if err := Pack(&b, time.Unix(1, 0), []File{{"a/b", []byte("x")}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := Unpack(data)
		if err != nil {
			return
		}
		for _, x := range files {
			if strings.HasPrefix(x.Name, "/") || strings.Contains("/"+x.Name+"/", "/../") || len(x.Data) > MostFile {
				t.Errorf("%q, %d bytes", x.Name, len(x.Data))
			}
		}
	})
}
