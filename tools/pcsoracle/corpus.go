package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The CIB and the corosync.conf to begin with where there are no recorded ones.
const (
	emptyCIB = `<cib validate-with="pacemaker-3.7" crm_feature_set="3.10.0" epoch="1" num_updates="0" admin_epoch="0"><configuration>` +
		`<crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/><node id="3" uname="n3"/></nodes><resources/><constraints/>` +
		`</configuration><status/></cib>`
	plainCorosync = "totem {\n    version: 2\n    cluster_name: c1\n    transport: knet\n    crypto_cipher: aes256\n    crypto_hash: sha256\n}\n\n" +
		"nodelist {\n    node {\n        ring0_addr: n1\n        name: n1\n        nodeid: 1\n    }\n\n    node {\n        ring0_addr: n2\n" +
		"        name: n2\n        nodeid: 2\n    }\n}\n\nquorum {\n    provider: corosync_votequorum\n    two_node: 1\n}\n\n" +
		"logging {\n    to_logfile: yes\n    to_syslog: yes\n    timestamp: on\n}\n"
)

// corpus is recorded calls, and what they were made upon.
type corpus struct {
	calls     []call
	words     [][]string
	cibs      [][]byte // without repetition, small ones first
	corosyncs [][]byte
}

// readCorpus reads the recorded calls beside the repository. Without them there are the built-in files to begin with.
func readCorpus(dir string) (*corpus, error) {
	c := &corpus{cibs: [][]byte{[]byte(emptyCIB)}, corosyncs: [][]byte{[]byte(plainCorosync)}}
	f, err := os.Open(filepath.Join(dir, "calls.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	files := map[string][]byte{}
	read := func(name string, into *[][]byte) ([]byte, error) {
		if data, known := files[name]; known || name == "" {
			return data, nil
		}
		data, err := os.ReadFile(filepath.Join(dir, "blobs", name))
		files[name] = data
		*into = append(*into, data)
		return data, err
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r struct {
			Args     []string
			Files    map[string]string `json:"arg_files"`
			CIB      bool              `json:"has_cib"`
			Corosync bool              `json:"has_corosync"`
			CIBFile  string            `json:"cib_before"`
			Conf     string            `json:"corosync_before"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		recorded := call{Args: r.Args, CIB: r.CIB, Corosync: r.Corosync}
		var err1, err2 error
		recorded.Before.CIB, err1 = read(r.CIBFile, &c.cibs)
		recorded.Before.Corosync, err2 = read(r.Conf, &c.corosyncs)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		if len(r.Files) == 0 && !slices.ContainsFunc(r.Args, func(a string) bool { return strings.Contains(a, "/temp/") }) {
			c.calls, c.words = append(c.calls, recorded), append(c.words, r.Args)
		}
	}
	slices.SortStableFunc(c.cibs, func(a, b []byte) int { return len(a) - len(b) })
	return c, lines.Err()
}
