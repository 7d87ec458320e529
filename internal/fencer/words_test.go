package fencer

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

func TestHostMap(t *testing.T) {
	for in, want := range map[string][]pair{
		"n1:1;n2=2":            {{"n1", "1"}, {"n2", "2"}},
		" n1:a:b ; n2:c\tn3:d": {{"n1", "a:b"}, {"n2", "c"}, {"n3", "d"}},
		`n1:port\ 1;n2:a\;b`:   {{"n1", "port 1"}, {"n2", "a;b"}},
		"n1;:2;n3:":            nil,
		"":                     nil,
	} {
		if got := parseHostMap(in); !slices.Equal(got, want) {
			t.Errorf("%q: %v, wanted %v", in, got, want)
		}
	}
}

func TestList(t *testing.T) {
	for in, want := range map[string][]string{
		"n1,\nn2,alias2\n":                {"n1", "n2", "alias2"},
		"vm1 4dea22b3-1d52 on\nvm2 x off": {"vm1", "4dea22b3-1d52", "vm2", "x"},
		`n1\nn2;n3`:                       {"n1", "n2", "n3"},
		"invalid plug\nsome variable\nn1": {"n1"},
		"a(b) n1 $x":                      {"n1"},
	} {
		if got := parseList(in); !slices.Equal(got, want) {
			t.Errorf("%q: %v, wanted %v", in, got, want)
		}
	}
}

func TestStandardInput(t *testing.T) {
	meta, err := ParseMetadata("fence_power", []byte(strings.Replace(power, "</parameters>", `<parameter name="plug"/></parameters>`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	base := map[string]string{"ip": "10.0.0.1", "password": "s=e", "pcmk_host_map": "n1:7", "pcmk_reboot_timeout": "9",
		"provides": "unfencing", "stonith-timeout": "8", "CRM_meta_timeout": "1", "crm_feature_set": "3.16.1", "action": "off"}
	with := func(name, value string) map[string]string {
		m := map[string]string{name: value}
		for k, v := range base {
			if _, ok := m[k]; !ok {
				m[k] = v
			}
		}
		return m
	}
	for _, c := range []struct {
		params map[string]string
		target string
		want   string
	}{
		{base, "n1", "action=reboot\nnodename=n1\nport=7\nip=10.0.0.1\npassword=s=e\n"},
		{base, "n2", "action=reboot\nnodename=n2\nport=n2\nip=10.0.0.1\npassword=s=e\n"},
		{base, "", "action=reboot\nip=10.0.0.1\npassword=s=e\n"},
		{with("port", "77"), "n1", "action=reboot\nnodename=n1\nip=10.0.0.1\npassword=s=e\nport=77\n"},
		{with("port", "dynamic"), "n1", "action=reboot\nnodename=n1\nport=7\nip=10.0.0.1\npassword=s=e\n"},
		{with("pcmk_host_argument", "plug"), "n1", "action=reboot\nnodename=n1\nplug=7\nip=10.0.0.1\npassword=s=e\n"},
		{with("pcmk_host_argument", "none"), "n1", "action=reboot\nnodename=n1\nip=10.0.0.1\npassword=s=e\n"},
	} {
		params, err := agentParams(&Device{ID: "a", Params: c.params}, meta, "reboot", c.target)
		if err != nil || string(stdin(params)) != c.want {
			t.Errorf("%q, %v, wanted %q", stdin(params), err, c.want)
		}
	}
	if _, err := agentParams(&Device{ID: "a", Params: map[string]string{"ip": "x\naction=on"}}, meta, "off", ""); err == nil {
		t.Error("a line break gets through")
	}
}

func TestHarmlessAliasesAreRefused(t *testing.T) {
	d := Device{ID: "a", Params: map[string]string{"pcmk_off_action": "status", "pcmk_reboot_action": "off"}}
	if _, err := d.call("off"); err == nil || !strings.Contains(err.Error(), "cuts nothing off") {
		t.Errorf("off as status: %v", err)
	}
	if word, err := d.call("reboot"); err != nil || word != "off" {
		t.Errorf("reboot as off: %q, %v", word, err)
	}
}

func TestMetadata(t *testing.T) {
	m, err := ParseMetadata("fence_fabric", []byte(fabric))
	if err != nil || !m.unfences() || m.cutsPower() || !m.Action("on").OnTarget || m.hostArgument() != "none" {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = ParseMetadata("fence_power", []byte(power))
	if err != nil || m.unfences() || !m.cutsPower() || m.hostArgument() != "port" || !m.Parameter("ip").Required {
		t.Errorf("%+v, %v", m, err)
	}
	for _, broken := range []string{"", "<x/>", power[:200], power + "<", `<resource-agent><actions><action name="list"/></actions></resource-agent>`} {
		if _, err := ParseMetadata("fence_x", []byte(broken)); err == nil || !strings.Contains(err.Error(), "fence_x") {
			t.Errorf("%.30q: %v", broken, err)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	for _, s := range []string{power, fabric, lister, "<resource-agent", "\xff\xfe<"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := ParseMetadata("fence_x", data); err == nil {
			if m.Action("off") == nil && m.Action("reboot") == nil {
				t.Error("an agent that cannot fence")
			}
			_ = m.hostArgument()
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add("n1,\nn2", "n1:2;n3=4", "n1:5s")
	f.Fuzz(func(t *testing.T, list, hosts, delay string) {
		for _, n := range parseList(list) {
			if n == "" || strings.ContainsAny(n, " ,;\n") {
				t.Errorf("%q gives %q", list, n)
			}
		}
		for _, p := range parseHostMap(hosts) {
			if p.name == "" || p.value == "" {
				t.Errorf("%q gives %v", hosts, p)
			}
		}
		if delayBase(delay, "n1") < 0 {
			t.Errorf("%q is a delay of %s", delay, delayBase(delay, "n1"))
		}
	})
}

func FuzzWire(f *testing.F) {
	a, _ := json.Marshal(answer{V: 1, OK: true, Evidence: cib.ByAgent, Tries: []cib.FenceTry{{At: time.Unix(1, 0)}}})
	o, _ := json.Marshal(try{V: 1, Device: "a", Target: "n2", Action: "off"})
	f.Add(a)
	f.Add(o)
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := decodeAnswer(data); err == nil && a.OK && a.Evidence == "" {
			t.Error("a success without evidence")
		}
		if o, err := decodeTry(data); err == nil && (o.Device == "" || o.Target == "") {
			t.Error("an order without device or target")
		}
	})
}

func FuzzHostMap(f *testing.F) {
	f.Add("n1:1;n2=2 n3:a\\:b", "n1")
	f.Add("n1:0s;n2:5s", "N2")
	f.Add("\\", "")
	f.Fuzz(func(t *testing.T, s, target string) {
		for _, p := range parseHostMap(s) {
			if p.name == "" || p.value == "" {
				t.Errorf("%q holds %+v", s, p)
			}
		}
		for _, name := range parseHostList(s) {
			if name == "" {
				t.Errorf("%q holds an empty name", s)
			}
		}
		if d := delayBase(s, target); d < 0 {
			t.Errorf("%q delays %s by %v", s, target, d)
		}
	})
}
