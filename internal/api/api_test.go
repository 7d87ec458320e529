package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/memnet"
	"github.com/cerco-ha/cerco/internal/wire"
)

const document = `<cib epoch="4" num_updates="2" admin_epoch="1" have-quorum="1" dc-uuid="1">
 <configuration><crm_config/>
  <nodes><node id="1" uname="n1"><instance_attributes id="n1-a"><nvpair id="n1-a-rack" name="rack" value="7"/></instance_attributes></node>
   <node id="2" uname="n2"/></nodes>
  <resources><primitive id="web" class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints/></configuration>
 <status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member">
   <transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="status-1-ping" name="ping" value="100"/></instance_attributes></transient_attributes>
   <lrm id="1"><lrm_resources><lrm_resource id="web" class="ocf" provider="heartbeat" type="Dummy">
    <lrm_rsc_op id="web_last_0" operation="start" call-id="5" rc-code="0" op-status="0" interval="0" transition-key="1:1:0:x" transition-magic="0:0;1:1:0:x"/>
   </lrm_resource></lrm_resources></lrm></node_state></status></cib>`

func TestReading(t *testing.T) {
	b := apitest.New(t, "n1", document)
	_, c := b.Serve(t)
	ctx := t.Context()

	if n, err := c.Node(ctx); err != nil || n.Name != "n1" || n.Index != 7 {
		t.Errorf("node: %+v, %v", n, err)
	}
	data, err := c.CIB(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cib.Decode("", data); err != nil || !cib.Equal(got.Root, b.Current().CIB.Root) {
		t.Errorf("the CIB is another after the journey: %v", err)
	}
	found, err := c.Query(ctx, "//nvpair[@name='rack']", false)
	if err != nil || len(found) != 1 ||
		found[0].Path != "/cib/configuration/nodes/node[@id='1']/instance_attributes[@id='n1-a']/nvpair[@id='n1-a-rack']" ||
		!strings.Contains(found[0].XML, `value="7"`) {
		t.Errorf("query: %+v, %v", found, err)
	}
	if found, err := c.Query(ctx, "//node/@uname", true); err != nil || len(found) != 2 || found[1].Value != "n2" {
		t.Errorf("query of attributes: %+v, %v", found, err)
	}
	if _, err := c.Query(ctx, "//[", false); !client.HasCode(err, wire.CodeRequest) {
		t.Errorf("a bad query: %v", err)
	}
	list, err := c.Attributes(ctx, "n1", "", false)
	if err != nil || len(list) != 2 || list[0].Name != "rack" || !list[0].Permanent || list[1].Value != "100" || list[1].Permanent {
		t.Errorf("attributes: %+v, %v", list, err)
	}
	loc, err := c.Locate(ctx, "web")
	if err != nil || len(loc.On) != 1 || loc.On[0] != (wire.Where{Node: "n1", Role: "Started"}) {
		t.Errorf("locate: %+v, %v", loc, err)
	}
	if _, err := c.Locate(ctx, "nothing"); !client.HasCode(err, wire.CodeNotFound) {
		t.Errorf("locate of nothing: %v", err)
	}
	if st, err := c.Status(ctx); err != nil || st.Node.Name != "n1" || !st.Rest.Settled || len(st.Cluster.Seen) != 2 {
		t.Errorf("status: %+v, %v", st, err)
	} else if st.CIB != string(data) {
		t.Errorf("status has another CIB: %s", st.CIB)
	}
	// Who does not ask for the CIB behind the rest, as earlier programs do not, gets one JSON object.
	h := api.New(api.Config{Backend: b, Journal: b.Journal, Now: b.Now}).Handler()
	r, w := httptest.NewRequest("GET", "/v1/status", nil), httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(api.WithCaller(r.Context(), api.Caller{Name: "tim"})))
	var st wire.Status
	if err := json.Unmarshal(w.Body.Bytes(), &st); err != nil || st.CIB != string(data) {
		t.Errorf("status as one object: %v: %s", err, w.Body)
	}
}

func TestChanges(t *testing.T) {
	b := apitest.New(t, "n1", document)
	_, c := b.Serve(t)
	ctx := t.Context()

	ch, err := c.Edit(ctx, wire.Edit{Base: "1.4.2", Edits: []cib.Edit{{Op: "delete", XPath: "//nvpair[@name='rack']"}}, Note: "tidy"}, client.Wait{Settled: true})
	if err != nil || ch.Index != 8 || ch.Rest == nil || !ch.Rest.Settled {
		t.Fatalf("edit: %+v, %v", ch, err)
	}
	got := b.Commands[0]
	if got.By == "" || got.Note != "tidy" || *got.Config.Base != (cib.Version{AdminEpoch: 1, Epoch: 4, NumUpdates: 2}) {
		t.Errorf("the command is %+v", got)
	}
	if _, err := c.SetAttributes(ctx, []cib.AttributeUpdate{{Name: "x", Value: "1"}}, client.Wait{}); err != nil {
		t.Error(err)
	}
	if u := b.Commands[1].Attributes[0]; u.Node != "n1" {
		t.Errorf("an update without a node is about %q", u.Node)
	}
	if _, err := c.Cleanup(ctx, wire.Forget{Resource: "web"}, client.Wait{}); err != nil || !b.Commands[2].Forget[0].OnlyFails {
		t.Error(err, b.Commands[2])
	}
	if _, err := c.Fail(ctx, wire.Fail{Resource: "web", Node: "n1"}, client.Wait{}); err != nil || b.Commands[3].Results[0].CallID != 6 {
		t.Error(err, b.Commands[3:])
	}
	if got := b.Current().CIB.NodeState("1").Attrs[0].Pairs; !slices.ContainsFunc(got, func(p cib.NV) bool { return p.Name == "fail-count-web#asyncmon_0" && p.Value == "1" }) {
		t.Errorf("the failure is not counted: %+v", got)
	}
	rec, err := c.Fence(ctx, wire.Fence{Target: "n2", Action: "off"})
	if err != nil || rec.State != cib.FenceDone || b.Requested[0].By == "" {
		t.Errorf("fence: %+v, %v", rec, err)
	}
	if _, err := c.Confirm(ctx, "nobody"); !client.HasCode(err, wire.CodeNotFound) {
		t.Errorf("confirm of nobody: %v", err)
	}
	if h, err := c.FencingHistory(ctx, "n2"); err != nil || len(h) != 1 {
		t.Errorf("history: %+v, %v", h, err)
	}
}

func TestWaitSaysWhatItWaitsFor(t *testing.T) {
	b := apitest.New(t, "n1", document)
	b.Waiting = []wire.Waiting{{What: "fencing of n2", Release: "cerco stonith confirm n2"}}
	_, c := b.Serve(t)
	ch, err := c.SetAttributes(t.Context(), []cib.AttributeUpdate{{Name: "x", Value: "1"}}, client.Wait{Settled: true, Timeout: time.Millisecond})
	if err != nil || ch.Rest == nil || ch.Rest.Settled || ch.Rest.Waiting[0].Release == "" {
		t.Errorf("%+v, %v", ch, err)
	}
}

func TestRefusals(t *testing.T) {
	b := apitest.New(t, "n1", document)
	h := api.New(api.Config{Backend: b, Journal: b.Journal, Now: b.Now, MaxBody: 1000}).Handler()
	for _, c := range []struct {
		path, body, code, says string
		status                 int
	}{
		{"/v1/cib", ``, wire.CodeRequest, "empty", 400},
		{"/v1/cib", `{`, wire.CodeRequest, "too early", 400},
		{"/v1/cib", `{"edits":[],"bogus":1}`, wire.CodeRequest, `"bogus"`, 400},
		{"/v1/cib", `{"edits":3}`, wire.CodeRequest, `"edits"`, 400},
		{"/v1/cib", `{"edits":[{"op":"x"}]} {}`, wire.CodeRequest, "goes on", 400},
		{"/v1/cib", `{"edits":[]}`, wire.CodeRequest, "no steps", 400},
		{"/v1/cib", `{"edits":[{"op":"create"}],"base":"1"}`, wire.CodeRequest, "version", 400},
		{"/v1/cib", `{"edits":[{"op":"create","xml":"<primitive id='web' class='ocf' provider='heartbeat' type='Dummy'/>"}]}`, wire.CodeExists, "taken", 409},
		{"/v1/cib", `{"edits":[{"op":"create","xml":"<rsc_location id='l' rsc='nobody' node='n1' score='1'/>"}]}`, wire.CodeRefused, "nobody", 422},
		{"/v1/cib", `{"edits":[{"op":"delete","xpath":"//primitive"}],"base":"1.3.0"}`, wire.CodeVersion, "1.4", 409},
		{"/v1/cib", strings.Repeat(" ", 1001), wire.CodeRequest, "larger", 413},
		{"/v1/fencing", `{"target":"n2","action":"explode"}`, wire.CodeRequest, "explode", 400},
		{"/v1/cluster/invite", `{}`, wire.CodeDenied, "tim", 403},
		{"/v1/nothing", `{}`, wire.CodeNotFound, "/v1/nothing", 404},
	} {
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.body))
		r = r.WithContext(api.WithCaller(r.Context(), api.Caller{Name: "tim"}))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var e wire.Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != c.status || e.Code != c.code || !strings.Contains(e.What, c.says) {
			t.Errorf("%s %s: %d %s", c.path, c.body, w.Code, w.Body)
		}
	}
}

func TestStrangersGetNothing(t *testing.T) {
	b := apitest.New(t, "n1", document)
	h := api.New(api.Config{Backend: b, Journal: b.Journal, Now: b.Now}).Handler()
	w := httptest.NewRecorder()
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("a caller whom nobody vouches for is answered")
			}
		}()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/v1/node", nil))
	}()
	if w.Body.Len() > 0 {
		t.Errorf("said %q", w.Body)
	}
	network := &memnet.Network{}
	l, err := network.Listen("n1:2224")
	if err != nil {
		t.Fatal(err)
	}
	s := api.New(api.Config{Backend: b, Journal: b.Journal, Now: b.Now, Log: quiet(), Door: l, Member: func(net.Conn) string { return "" }})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	conn, err := network.Dial(t.Context(), "n2", "n1:2224")
	if err != nil {
		t.Fatal(err)
	}
	go io.WriteString(conn, "GET /v1/node HTTP/1.1\r\nHost: n1\r\n\r\n")
	if data, err := io.ReadAll(conn); err != nil || len(data) > 0 {
		t.Errorf("at the port, whoever has no name gets %q, %v", data, err)
	}
}

func TestSocket(t *testing.T) {
	b := apitest.New(t, "n1", document)
	path, _ := b.Serve(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := api.New(api.Config{Backend: b, Journal: b.Journal, Now: b.Now, Socket: path}).Start(); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("a second server on the same socket: %v", err)
	}
	c, err := client.Dial(path+"-no", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Node(t.Context()); !errors.Is(err, client.ErrNoDaemon) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestEventsResume(t *testing.T) {
	b := apitest.New(t, "n1", document)
	_, c := b.Serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.Journal.Add(events.Event{Kind: events.KindNote, Text: "one"}, events.Event{Kind: events.KindNote, Text: "two"})
	var seen []string
	done := errors.New("enough")
	err := c.Events(ctx, 1, false, func(e events.Event) error {
		seen = append(seen, e.Text)
		switch e.Text {
		case "two": // the stream is open: what happens now must come through
			b.Journal.Add(events.Event{Kind: events.KindNote, Text: "three"})
		case "three":
			return done
		}
		return nil
	})
	if !errors.Is(err, done) || strings.Join(seen, " ") != "two three" {
		t.Errorf("%v, %v", seen, err)
	}
	seen = nil
	if err := c.Events(ctx, 0, true, func(e events.Event) error { seen = append(seen, e.Text); return nil }); err != nil || len(seen) != 3 {
		t.Errorf("%v, %v", seen, err)
	}
}

func TestMetrics(t *testing.T) {
	b := apitest.New(t, "n1", document)
	b.Links = []wire.Link{{Peer: "n2", Ring: 0, Up: true, RTTMS: 0.5}}
	_, c := b.Serve(t)
	data, err := c.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`cerco_node_online{node="n1"} 1`, `cerco_resource_instances{role="Started"} 1`,
		`cerco_link_up{peer="n2",ring="0"} 1`, "cerco_quorate 1", "cerco_settled 1"} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("%s is missing from\n%s", want, data)
		}
	}
}

func TestStopEndsStreams(t *testing.T) {
	b := apitest.New(t, "n1", document)
	path := t.TempDir() + "/s"
	s := api.New(api.Config{Backend: b, Journal: b.Journal, Now: b.Now, Socket: path, Log: quiet()})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Journal.Add(events.Event{Text: "first"})
	err = c.Events(t.Context(), 0, false, func(events.Event) error {
		go s.Stop()
		return nil
	})
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the end of the stream is told as %v", err)
	}
	s.Stop()
	s.Stop()
}
