package corosync

import (
	"encoding/json"
	"strings"
	"testing"
)

const two = `# what others wrote
totem {
    version: 2
    cluster_name: test
    transport: knet
    # chosen with care
    token: 3000
    unknown_option: 7

    interface {
        knet_transport: sctp
        linknumber: 1
    }
}

nodelist {
    node {
        ring0_addr: 10.0.0.1
        ring1_addr: fd00::1
        name: n1
        nodeid: 1
    }

    node {
        ring0_addr: 10.0.0.2
        ring1_addr: n2.ring1
        name: n2
        nodeid: 2
    }
}

quorum {
    provider: corosync_votequorum
    two_node: 1
}
# the end
`

func decode(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Decode("corosync.conf", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func options(words ...string) Options {
	var o Options
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		o = append(o, Pair{Key: k, Value: v})
	}
	return o
}

func TestWhatIsNotKnownStays(t *testing.T) {
	c := decode(t, two)
	if got := c.Root.String(); got != two {
		t.Errorf("written again:\n%s", got)
	}
	if bad := c.Update(nil, nil, nil, options("token=4000", "join=")); bad != nil {
		t.Fatal(bad)
	}
	if got, want := c.Root.String(), strings.Replace(two, "3000", "4000", 1); got != want {
		t.Errorf("after a change:\n%s", got)
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"totem {\n version 2\n}":    "f:2: \"version 2\" is neither",
		"totem {\n version: 2\n":    "f:1: the section totem is not closed",
		"}\n":                       "f:1: } closes nothing",
		"a: b\n{\n}":                "f:2: a section needs a name",
		strings.Repeat("a {\n", 99): "f:33: sections are nested too deep",
	} {
		if _, err := Parse("f", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTwoNodeFollows(t *testing.T) {
	c := decode(t, two)
	twoNode := func(want string) {
		t.Helper()
		if got := c.Root.Child("quorum").Get("two_node"); got != want {
			t.Errorf("two_node is %q, not %q", got, want)
		}
	}
	must := func(bad []Problem) {
		t.Helper()
		if bad != nil {
			t.Fatal(bad)
		}
	}
	must(c.UpdateQuorum(options("auto_tie_breaker=1")))
	twoNode("")
	must(c.UpdateQuorum(options("auto_tie_breaker=")))
	twoNode("1")
	must(c.UpdateQuorum(options("last_man_standing=1")))
	if _, bad := c.AddDevice(Device{Model: "net", Net: options("host=q", "algorithm=ffsplit")}, false); bad != nil {
		t.Fatal(bad)
	}
	twoNode("")
	if c.Root.Child("quorum").Get("last_man_standing") != "" || c.device().Get("votes") != "1" {
		t.Errorf("after a device:\n%s", c.Root.Child("quorum"))
	}
	if bad := c.UpdateQuorum(options("auto_tie_breaker=1")); bad == nil {
		t.Error("a tie breaker beside a device")
	}
	warnings, bad := c.UpdateDevice(nil, options("algorithm=lms"), options("mode=on"), false)
	if bad != nil || len(warnings) != 1 || c.device().Get("votes") != "" {
		t.Errorf("%v, %v:\n%s", warnings, bad, c.device())
	}
	must(c.RemoveHeuristics())
	must(c.RemoveDevice())
	twoNode("1")
	if c.RemoveDevice() == nil || c.RemoveHeuristics() == nil {
		t.Error("a device that is not there was removed")
	}
}

func TestForce(t *testing.T) {
	c := decode(t, two)
	d := Device{Model: "net", Generic: options("a=b", "timeout=-1"), Net: options("host=q", "algorithm=x"), Heuristics: options("mode=bad")}
	_, bad := c.AddDevice(d, false)
	if len(bad) != 4 || !bad[0].Forcible || c.device() != nil {
		t.Errorf("%d problems: %v", len(bad), bad)
	}
	warnings, bad := c.AddDevice(d, true)
	if len(warnings) < 4 || bad != nil || c.Device().Net.Get("algorithm") != "x" {
		t.Errorf("forced: %v, %v", warnings, bad)
	}
	if _, bad := c.AddDevice(d, true); len(bad) != 1 || bad[0].Forcible {
		t.Errorf("a second device: %v", bad)
	}
	if _, bad := c.UpdateDevice(options("timeout=5\n}"), nil, nil, true); len(bad) == 0 {
		t.Error("a brace and a line end were forced into the file")
	}
}

func TestNew(t *testing.T) {
	s := Setup{Name: "C", UUID: "u", Transport: Knet, TransportOptions: options("link_mode=passive"), Totem: options("token=5000"),
		Nodes: []SetupNode{{"n1", []string{"10.0.0.1", "10.1.0.1"}}, {"n2", []string{"10.0.0.2", "10.1.0.2"}}},
		Links: []Options{options("linknumber=1", "transport=sctp")}, Quorum: options("wait_for_all=1")}
	c, bad := New(s)
	if bad != nil {
		t.Fatal(bad)
	}
	want := `totem {
    version: 2
    cluster_name: C
    transport: knet
    link_mode: passive
    token: 5000
    crypto_cipher: aes256
    crypto_hash: sha256
    cluster_uuid: u

    interface {
        knet_transport: sctp
        linknumber: 1
    }
}
`
	if got := c.Root.Child("totem").String(); got != want {
		t.Errorf("totem:\n%s", got)
	}
	if got := c.Root.Child("quorum").Pairs; len(got) != 3 || got[1].Key != "two_node" || got[2].Key != "wait_for_all" {
		t.Errorf("quorum: %v", got)
	}
	if _, err := Parse("made", c.Append(nil)); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*Setup){
		"is named twice":           func(s *Setup) { s.Nodes[1].Name = "n1" },
		"is given twice":           func(s *Setup) { s.Nodes[1].Addrs[0] = "10.0.0.1" },
		"each link needs one":      func(s *Setup) { s.Nodes[1].Addrs = s.Nodes[1].Addrs[:1] },
		"there is no link 7":       func(s *Setup) { s.Links[0] = options("linknumber=7") },
		"go together":              func(s *Setup) { s.Links[0] = options("ping_interval=7") },
		"knows no compression":     func(s *Setup) { s.Transport, s.Crypto = UDPU, options("cipher=none") },
		"with the transport udpu":  func(s *Setup) { s.Transport = UDPU },
		"no transport \"carrier\"": func(s *Setup) { s.Transport = "carrier" },
		"needs a name":             func(s *Setup) { s.Name = "" },
		"needs a hash":             func(s *Setup) { s.Crypto = options("cipher=aes256", "hash=none") },
		"IP address":               func(s *Setup) { s.Transport, s.Links = UDP, []Options{options("mcastaddr=x")} },
		"exclude each other": func(s *Setup) {
			s.Transport, s.Links = UDP, []Options{options("mcastaddr=239.1.1.1", "broadcast=1")}
		},
		"which uses ipv6": func(s *Setup) { s.TransportOptions = options("ip_version=ipv6") },
	} {
		s := s
		s.Nodes = []SetupNode{{"n1", []string{"10.0.0.1", "10.1.0.1"}}, {"n2", []string{"10.0.0.2", "10.1.0.2"}}}
		s.Links = []Options{nil}
		change(&s)
		_, bad := New(s)
		if text := problemText(bad); !strings.Contains(text, what) {
			t.Errorf("%s: %s", what, text)
		}
	}
}

func problemText(bad []Problem) string {
	var list []string
	for _, p := range bad {
		list = append(list, p.What)
	}
	return strings.Join(list, "\n")
}

func TestDescribe(t *testing.T) {
	c := decode(t, two)
	data, err := json.Marshal(c.Describe())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"cluster_name":"test","cluster_uuid":null,"transport":"KNET","totem_options":{"token":"3000"},"transport_options":{},` +
		`"compression_options":{},"crypto_options":{},"nodes":[{"name":"n1","nodeid":"1","addrs":[{"addr":"10.0.0.1","link":"0","type":"IPv4"},` +
		`{"addr":"fd00::1","link":"1","type":"IPv6"}]},{"name":"n2","nodeid":"2","addrs":[{"addr":"10.0.0.2","link":"0","type":"IPv4"},` +
		`{"addr":"n2.ring1","link":"1","type":"FQDN"}]}],"links_options":{"1":{"transport":"sctp","linknumber":"1"}},"quorum_options":{},"quorum_device":null}`
	if string(data) != want {
		t.Errorf("%s", data)
	}
	var text strings.Builder
	c.WriteText(&text)
	c.WriteCommand(&text, func(s string) string { return s })
	c.WriteQuorum(&text)
	for _, part := range []string{"Links:\n  Link 1:\n    linknumber: 1\n    transport: sctp\n", "Totem Options:\n  token: 3000\n",
		"    link \\\n      linknumber=1 \\\n      transport=sctp \\\n  totem \\\n    token=3000 \\\n  --no-cluster-uuid\nOptions:\n"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("%q is not in\n%s", part, text.String())
		}
	}
}

// FuzzParse reads anything: what can be read is written, and read again as the same.
func FuzzParse(f *testing.F) {
	f.Add(two)
	f.Add("a {\n#x\n}\n#y")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Decode("f", []byte(text))
		if err != nil {
			return
		}
		once := c.Root.String()
		again, err := Parse("f", []byte(once))
		if err != nil {
			t.Fatalf("%v in\n%s", err, once)
		}
		if twice := again.String(); twice != once {
			t.Errorf("%q and then %q", once, twice)
		}
		c.Describe()
		_, _ = c.AddDevice(Device{Model: "net", Net: options("host=a", "algorithm=lms")}, true)
		c.UpdateQuorum(options("wait_for_all=1"))
	})
}
