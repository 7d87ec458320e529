package cib

import (
	"bytes"
	"fmt"
	"testing"
)

// generate makes a CIB of nodes x resources with a history of each resource on each node.
func generate(nodes, resources int) []byte {
	var b bytes.Buffer
	b.WriteString(`<cib admin_epoch="0" epoch="1" num_updates="1" have-quorum="1" validate-with="pacemaker-3.7">` + "\n<configuration><crm_config/><nodes>\n")
	for n := range nodes {
		fmt.Fprintf(&b, "<node id=\"%d\" uname=\"node%d\"/>\n", n+1, n+1)
	}
	b.WriteString("</nodes><resources>\n")
	for r := range resources {
		fmt.Fprintf(&b, "<primitive id=\"rsc%d\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"><operations><op id=\"rsc%d-m\" name=\"monitor\" interval=\"30s\"/></operations></primitive>\n", r, r)
	}
	b.WriteString("</resources><constraints/></configuration><status>\n")
	for n := range nodes {
		fmt.Fprintf(&b, "<node_state id=\"%d\" uname=\"node%d\" in_ccm=\"true\" crmd=\"online\" join=\"member\" expected=\"member\"><lrm id=\"%d\"><lrm_resources>\n", n+1, n+1, n+1)
		for r := range resources {
			key := fmt.Sprintf("%d:1:7:11111111-1111-1111-1111-111111111111", n*resources+r)
			fmt.Fprintf(&b, "<lrm_resource id=\"rsc%d\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"><lrm_rsc_op id=\"rsc%d_last_0\" operation_key=\"rsc%d_monitor_0\" operation=\"monitor\" crm-debug-origin=\"x\" crm_feature_set=\"3.16.1\" transition-key=\"%s\" transition-magic=\"0:7;%s\" on_node=\"node%d\" call-id=\"%d\" rc-code=\"7\" op-status=\"0\" interval=\"0\" op-digest=\"f2317cad3d54cec5d7d7aa7d0bf35cf8\"/></lrm_resource>\n",
				r, r, r, key, key, n+1, r+1)
		}
		b.WriteString("</lrm_resources></lrm></node_state>\n")
	}
	b.WriteString("</status></cib>\n")
	return b.Bytes()
}

func BenchmarkParse(b *testing.B) {
	data := generate(16, 800)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("generated", data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	data := generate(16, 800)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode("generated", data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApplyResult is one result in a cluster of 100 nodes and 1000 resources, whose history is
// complete.
func BenchmarkApplyResult(b *testing.B) {
	c, err := Decode("generated", generate(100, 1000))
	if err != nil {
		b.Fatal(err)
	}
	s := State{CIB: c}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		node := fmt.Sprintf("node%d", i%100+1)
		r := OpResult{Op: Operation{Node: node, Resource: fmt.Sprintf("rsc%d", i%1000), Class: "ocf", Provider: "pacemaker",
			Type: "Dummy", Name: "start", Key: "1:1:0:x"}, CallID: i}
		if s, err = Apply(s, Command{Results: []OpResult{r}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApplyEdit is one change of the configuration in such a cluster.
func BenchmarkApplyEdit(b *testing.B) {
	c, err := Decode("generated", generate(100, 1000))
	if err != nil {
		b.Fatal(err)
	}
	s := State{CIB: c}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		edit := Edit{Op: "modify", XML: fmt.Sprintf(`<primitive id="rsc%d" description="%d"/>`, i%1000, i)}
		if s, err = Apply(s, Command{Config: &ConfigChange{Edits: []Edit{edit}}}); err != nil {
			b.Fatal(err)
		}
	}
}
