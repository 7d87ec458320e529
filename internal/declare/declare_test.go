package declare

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
)

// documents calls f with every CIB among the test data of the project, and in the directories that DECLARE_CORPUS names.
func documents(t *testing.T, f func(path string, root *cib.Element)) {
	t.Helper()
	n := 0
	for _, dir := range append([]string{"..", "../../examples"}, strings.Fields(os.Getenv("DECLARE_CORPUS"))...) {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil || len(data) > 4<<20 || !strings.HasPrefix(strings.TrimSpace(string(data)), "<") {
				return err
			}
			root, err := cib.Parse(path, data)
			if err != nil || root.Name != "cib" || root.Child("configuration") == nil {
				return nil // made to be wrong, or something else
			}
			n++
			f(path, root)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n == 0 {
		t.Fatal("no CIB was found")
	}
	t.Logf("%d CIBs", n)
}

// TestExportedIsApplied holds: what is exported and applied to the same configuration changes nothing, and applied to
// an empty one gives the same configuration.
func TestExportedIsApplied(t *testing.T) {
	empty, err := cib.Parse("", []byte(`<cib><configuration><crm_config/><nodes/><resources/><constraints/></configuration></cib>`))
	if err != nil {
		t.Fatal(err)
	}
	definitions, verbatim := 0, 0
	documents(t, func(path string, root *cib.Element) {
		for form, export := range map[string]func(*cib.Element) ([]byte, error){"yaml": YAML, "xml": XML} {
			text, err := export(root)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return
			}
			d, err := Parse(path+"."+form, text)
			if err != nil {
				t.Errorf("%v\n%s", err, text)
				return
			}
			again, err := d.On(root, true)
			if err != nil || !cib.Equal(again, root) {
				t.Errorf("%s: applied to itself as %s it changes something (%v):\n%v", path, form, err, cib.Diff(root, again).Changes)
			}
			fresh, err := d.On(empty, false)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			want := root.Child("configuration")
			for e := range want.Elements() {
				if got := fresh.Child("configuration").Child(e.Name); got == nil || !same(got, e) {
					t.Errorf("%s: <%s> is another one after export as %s and apply:\n%s\n%s", path, e.Name, form, e, got)
				}
			}
			if form == "yaml" {
				definitions += strings.Count(string(text), "\n")
				verbatim += strings.Count(string(text), "|-\n")
			}
		}
	})
	t.Logf("%d lines, %d pieces of XML", definitions, verbatim)
}

const sample = `# how a cluster is wanted
properties:
  no-quorum-policy: stop
resource-defaults:
  - values: {resource-stickiness: 100}
  - {id: nights, rule: date-spec hours=0-5, values: {resource-stickiness: 0}}
operation-defaults:
  - {id: slow, rule: op monitor interval=10s, values: {timeout: 60s}}
nodes:
  n1:
    attributes: {rack: 1}
resources:
  fence:
    agent: stonith:fence_xvm
    options: {port: n1, key_file: /etc/key}
  web:
    group:
      ip:
        agent: ocf:heartbeat:IPaddr2
        options: {ip: 10.0.0.5}
        ops:
          - {name: monitor, interval: 10s, on-fail: restart}
          - {name: monitor, interval: 10s, role: Stopped}
      site: {agent: "systemd:httpd"}
    meta: {target-role: Started}
  data-clone:
    clone:
      data: {agent: "ocf:linbit:drbd", options: {drbd_resource: r0}}
    meta: {promotable: true}
  box:
    bundle: podman
    container: {image: web, replicas: 3}
    network:
      ip-range-start: 10.0.0.9
      ports: [{port: 80}, {range: 90-99}]
    storage: [{source-dir: /srv, target-dir: /srv}, {source-dir: /a, target-dir: /b}]
    resource:
      inside: {agent: "ocf:heartbeat:apache"}
constraints:
  near: {location: web, node: n1, score: 50}
  ruled: {location: web, rules: ["#uname eq n1 or date gt 2030-01-01", {when: defined rack, score: 5, role: Promoted}]}
  those: {location: "regexp%db.*", node: n1, score: -INFINITY}
  sequence: {order: [[ip, site], {resources: [data-clone], action: promote}], kind: Optional}
  after: {order: promote data-clone then start web}
  with: {colocation: web with Promoted data-clone, score: INFINITY}
  allowed: {ticket: T, resource: web, loss-policy: stop}
fencing-levels:
  fl-n1-1: {target: n1, level: 1, devices: [fence]}
tags:
  all: [web, data-clone]
alerts:
  mail: {path: /bin/mail, recipients: {mail-r: root@localhost}}
acls:
  roles:
    watcher: {permissions: [{kind: read, xpath: /cib}]}
  users:
    eve: [watcher]
`

// TestSample reads what a person writes, and writes it as it was.
func TestSample(t *testing.T) {
	d, err := Parse("sample.yaml", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	empty, err := cib.Parse("", []byte(`<cib><configuration><resources/></configuration></cib>`))
	if err != nil {
		t.Fatal(err)
	}
	root, err := d.On(empty, false)
	if err != nil {
		t.Fatal(err)
	}
	text := root.String()
	for _, want := range []string{
		`<primitive id="fence" class="stonith" type="fence_xvm">`,
		`<nvpair id="ip-instance_attributes-ip" name="ip" value="10.0.0.5"/>`,
		`<op id="ip-monitor-interval-10s-1" name="monitor" interval="10s" role="Stopped"/>`,
		`<nvpair id="cib-bootstrap-options-no-quorum-policy" name="no-quorum-policy" value="stop"/>`,
		`<podman image="web" replicas="3"/>`,
		`<port-mapping port="80" id="box-port-map-80"/>`,
		`<storage-mapping source-dir="/a" target-dir="/b" id="box-storage-map-1"/>`,
		`<rule id="ruled-rule" boolean-op="or" score="INFINITY">`,
		`<rule id="ruled-rule-1" score="5" role="Promoted">`,
		`<date_spec id="nights-rule-expr-datespec" hours="0-5"/>`,
		`<op_expression id="slow-rule-op-monitor" name="monitor" interval="10s"/>`,
		`<rsc_location id="those" rsc-pattern="db.*" node="n1" score="-INFINITY"/>`,
		`<rsc_order id="after" first="data-clone" first-action="promote" then="web" then-action="start"/>`,
		`<rsc_colocation id="with" rsc="web" with-rsc="data-clone" with-rsc-role="Promoted" score="INFINITY"/>`,
		`<resource_set id="sequence_set-1" action="promote">`,
		`<fencing-level id="fl-n1-1" target="n1" index="1" devices="fence"/>`,
		`<acl_permission kind="read" xpath="/cib" id="watcher-read"/>`,
		`<nvpair id="nodes-n1-rack" name="rack" value="1"/>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if c, err := cib.DecodeRoot("", root); err != nil || len(c.Resources) != 4 || len(c.Constraints) != 7 {
		t.Errorf("%v", err)
	}
	if t.Failed() {
		t.Log(text)
	}
	again, err := YAML(root)
	if err != nil || strings.Contains(string(again), "|-") {
		t.Errorf("%v: a sample has XML in it:\n%s", err, again)
	}
}

// TestOwnership holds which part of a configuration a file owns.
func TestOwnership(t *testing.T) {
	root, err := cib.Parse("", []byte(`<cib validate-with="pacemaker-3.1"><configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="cib-bootstrap-options-dc-version" name="dc-version" value="x"/><nvpair id="b" name="batch-limit" value="3"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"><instance_attributes id="nodes-1"><nvpair id="nodes-1-a" name="a" value="b"/></instance_attributes></node><node id="2" uname="n2"/></nodes>
<resources><group id="g"><primitive id="a" class="ocf" provider="heartbeat" type="Dummy"/></group><primitive id="b" class="ocf" provider="heartbeat" type="Dummy"/></resources>
<constraints><rsc_location id="l" rsc="b" node="n1" score="5"/></constraints></configuration><status/></cib>`))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ file, has, lacks string }{
		{"resources: {b: {agent: 'ocf:heartbeat:Dummy'}}", `id="l"`, `id="a"`},
		{"partial: [resources]\nresources: {a: {agent: 'ocf:heartbeat:Delay'}, c: {agent: 'ocf:heartbeat:Dummy'}}", `<primitive id="a" class="ocf" provider="heartbeat" type="Delay"/>`, `<nix`},
		{"partial: [resources]\nresources: {c: {agent: 'ocf:heartbeat:Dummy'}}", `id="b"`, `<nix`},
		{"properties: {cluster-delay: 3}", "dc-version", "batch-limit"},
		{"properties: {cluster-delay: 3, dc-version: y}", `name="dc-version" value="x"`, `value="y"`},
		{"partial: [properties]\nproperties: {cluster-delay: 3, batch-limit: 4}", `id="b" name="batch-limit" value="4"`, `value="3"/></`},
		{"nodes: {n2: {attributes: {x: y}}}", `id="nodes-2-x"`, `id="nodes-n2`},
		{"nodes: {n1: {}}", `uname="n2"`, `id="nodes-1-a"`},
		{"constraints: {}", `id="b"`, `id="l"`},
		{"constraints: '<constraints/>'", `id="b"`, `id="l"`},
		{"<constraints/>", `id="b"`, `id="l"`},
		{"<cib validate-with='pacemaker-3.9'><configuration><tags/></configuration></cib>", "pacemaker-3.9", "<nix"},
		{"schema: pacemaker-2.0", "pacemaker-3.1", "<nix"},
	} {
		d, err := Parse("f", []byte(x.file))
		if err != nil {
			t.Errorf("%s: %v", x.file, err)
			continue
		}
		got, err := d.On(root, true)
		if err != nil || !strings.Contains(got.String(), x.has) || strings.Contains(got.String(), x.lacks) {
			t.Errorf("%s: %v\n%s", x.file, err, got)
			continue
		}
		if again, err := d.On(got, true); err != nil || !cib.Equal(again, got) {
			t.Errorf("%s: applied twice it changes something again (%v)\n%s", x.file, err, again)
		}
	}
	d, err := Parse("f", []byte("nodes: {n3: {}}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.On(root, true); err == nil || !strings.Contains(err.Error(), "no node 'n3'") {
		t.Errorf("a node is made: %v", err)
	}
}

func TestErrors(t *testing.T) {
	for file, want := range map[string]string{
		"resources:\n  web:\n    agnet: x":                                    "f:3: resource web: 'agnet' is not known (did you mean 'agent'?)",
		"resources:\n  web:\n    agent: IPaddr2":                              "f:3: resource web: 'IPaddr2' is no agent",
		"resources: {x: {container: {}}}":                                     "f:1: resource x: 'container' belongs to a bundle",
		"resources: {x: {bundle: lxc}}":                                       "f:1: resource x: a bundle is of docker, podman or rkt, not 'lxc'",
		"resources:\n  web: {}":                                               "f:2: resource web: what is it?",
		"resources:\n  web: {agent: 'a:b', clone: {}}":                        "f:2: resource web: it is a primitive already",
		"resources:\n  web: {agent: 'a:b', options: {ip: }}":                  "f:2: resource web: options: ip",
		"resources:\n  web: {}\n  web: {}":                                    "f:3: resources: 'web' is there twice, in line 2 too",
		"resources:\n  web: |\n    <primitive id='web'>\n    <x></primitive>": "f:4: the XML of resource web",
		"resources:\n  web: <clone id='x'/>":                                  "f:2: the XML of resource web has the id 'x'",
		"resources:\n  web: <op id='x'/>":                                     "f:2: the XML of resource web is a <op>",
		"resource: {}":                                                        "f:1: the file: 'resource' is not known (did you mean 'resources'?)",
		"cerco: 2":                                                            "f:1: this file is of the form 2",
		"constraints: {x: {order: a b c}}":                                    "f:1: constraint x: 'a b c' is not understood: write order: start A then promote B",
		"constraints: {x: {location: a, rules: [date gt]}}":                   "f:1: constraint x: rule: 'date gt' is not a valid rule",
		"constraints: {x: {location: a, rules: [{score: 3}]}}":                "f:1: constraint x: rule: when does it hold?",
		"constraints: {x: {score: 3}}":                                        "f:1: constraint x: what is it?",
		"a: &x {}\nb: *x":                                                     "anchors",
		"partial: [tags]":                                                     "f: partial names 'tags'",
		"tags: {x: y}":                                                        "f:1: tag x: here must be a list",
		"tags: {x: [a]}\n---\ntags: {}":                                       "several documents",
		"":                                                                    "f is empty",
		"[":                                                                   "f: line 1",
		"<primitive/>":                                                        "f begins with <primitive>",
		"<cib/>":                                                              "f: the CIB has no <configuration>",
		"<configuration><tags/><tags/></configuration>":                       "the section tags is there twice",
	} {
		if _, err := Parse("f", []byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", file, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("<cib><configuration><tags/></configuration></cib>"))
	f.Add([]byte("resources: {a: '<primitive id=\"a\"/>'}\nxml: ['<x/>']\npartial: [resources]"))
	empty, err := cib.Parse("", []byte(`<cib><configuration><resources/></configuration></cib>`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse("f", data)
		if err != nil {
			return
		}
		root, err := d.On(empty, false)
		if err != nil {
			return
		}
		if again, err := d.On(root, false); err != nil || !cib.Equal(again, root) {
			t.Fatalf("applied twice it changes something again (%v):\n%s\n%s", err, root, again)
		}
		text, err := YAML(root)
		if err != nil {
			t.Fatal(err)
		}
		d, err = Parse("g", text)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		if again, err := d.On(root, false); err != nil || !cib.Equal(again, root) {
			t.Fatalf("exported and applied it changes something (%v):\n%s\n%s\n%s", err, root, text, again)
		}
	})
}

// TestDocument holds what the document of this form shows.
func TestDocument(t *testing.T) {
	data, err := os.ReadFile("../../docs/apply.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(data), "```yaml\n")
	for _, b := range blocks[1:] {
		text, _, _ := strings.Cut(b, "```")
		if _, err := Parse("docs/apply.md", []byte(text)); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
	example, err := os.ReadFile("../../examples/vm-cache.yaml")
	if err == nil {
		_, err = Parse("examples/vm-cache.yaml", example)
	}
	if err != nil {
		t.Error(err)
	}
	if len(blocks) < 3 {
		t.Error("the document shows nothing")
	}
}
