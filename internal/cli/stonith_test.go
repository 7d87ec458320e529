package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/cli"
	"github.com/cerco-ha/cerco/internal/wire"
)

func TestStonith(t *testing.T) {
	b := apitest.New(t, "n1", `<cib><configuration><crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources/><constraints/></configuration><status/></cib>`)
	b.Devs = []wire.Device{{ID: "ipmi2", Agent: "fence_ipmilan", Level: 1}}
	b.Waiting = []wire.Waiting{{What: "start of web on n1"},
		{What: "fencing of n2 (off)", Node: "n2", Why: "waits for an operator", Release: "cerco stonith confirm n2"}}
	socket, _ := b.Serve(t)
	for _, c := range []struct {
		args     string
		code     int
		out, err string
	}{
		{"fence n2 --off", 0, "off of n2 for ", ""},
		{"fence n9", 1, "", "no device can fence n9"},
		{"fence", 64, "", "name the node"},
		{"fence n1 n2", 64, "", "too much"},
		{"unfence n2", 0, "on of n2", ""},
		{"confirm n2", 0, "n2 counts as off", ""},
		{"confirm n9", 1, "", "n9"},
		{"history n2", 0, "an operator has confirmed that it is off", ""},
		{"history show n2", 0, "off of n2", ""},
		{"history --json", 0, `"evidence": "operator"`, ""},
		{"status", 0, "fencing of n2 (off): waits for an operator\n    once you have seen that it is off: cerco stonith confirm n2\n", ""},
		{"devices n2", 0, "ipmi2\t(stonith:fence_ipmilan)\tlevel 1\n", ""},
		{"explode n2", 64, "", `no command "explode"`},
		{"--help", 0, "confirm NODE", ""},
	} {
		var out, errs bytes.Buffer
		env := cli.Env{Stdout: &out, Stderr: &errs, Now: time.Now, Context: t.Context(), Socket: socket}
		code := cli.Main(env, append([]string{"cerco", "stonith"}, strings.Fields(c.args)...))
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) || strings.Contains(out.String(), "start of web") {
			t.Errorf("%s: exit code %d\n%s%s", c.args, code, out.String(), errs.String())
		}
	}
	var errs bytes.Buffer
	if code := cli.Main(cli.Env{Stdout: &errs, Stderr: &errs, Now: time.Now, Socket: "/nowhere/s"}, []string{"cerco", "stonith", "status"}); code != 69 ||
		!strings.Contains(errs.String(), "/nowhere/s") {
		t.Errorf("without a daemon: %d, %s", code, errs.String())
	}
}
