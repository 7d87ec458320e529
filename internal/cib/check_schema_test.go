package cib

import (
	"strings"
	"testing"
)

func TestSchemaGoesByTheLetter(t *testing.T) {
	const around = `<cib validate-with="pacemaker-%V"><configuration><crm_config/><nodes/><resources>%R</resources><constraints>%C</constraints></configuration><status/></cib>`
	decode := func(version, resources, constraints string) *CIB {
		c, err := Decode("t", []byte(strings.NewReplacer("%V", version, "%R", resources, "%C", constraints).Replace(around)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	op := func(attrs string) string {
		return `<primitive id="P" class="ocf" provider="p" type="t"><operations><op id="o" name="monitor" ` + attrs + `/></operations></primitive>`
	}
	const others = `<primitive id="A" class="lsb" type="t"/><primitive id="B" class="lsb" type="t"/>`
	for _, c := range []struct {
		name, version, resources, constraints string
		ok                                    bool
	}{
		{"any time-out", "3.7", op(`interval="x" timeout=""`), "", true},
		{"no interval", "3.7", op(`timeout="5"`), "", false},
		{"a boolean word", "3.7", op(`interval="1" enabled="yes"`), "", false},
		{"delay and origin", "3.7", op(`interval="1" start-delay="1" interval-origin="2h"`), "", false},
		{"no on-fail", "3.7", op(`interval="1" on-fail=""`), "", false},
		{"new role, new schema", "3.7", op(`interval="1" role="Promoted"`), "", true},
		{"new role, old schema", "3.6", op(`interval="1" role="Promoted"`), "", false},
		{"ocf without provider", "3.7", `<primitive id="A" class="ocf" type="t"/>`, "", false},
		{"clone of nothing", "3.7", `<clone id="A"/>`, "", false},
		{"group of nothing", "3.7", `<group id="A"/>`, "", false},
		{"bundle without a container", "3.7", `<bundle id="A"/>`, "", false},
		{"two scores", "3.7", "", `<rsc_colocation id="c" rsc="A" with-rsc="B" score="1" score-attribute="x"/>`, false},
		{"a long score", "3.7", "", `<rsc_colocation id="c" rsc="A" with-rsc="B" score="-123456789012"/>`, true},
		{"a broken score", "3.7", "", `<rsc_colocation id="c" rsc="A" with-rsc="B" score="1.5"/>`, false},
		{"of nobody", "3.7", "", `<rsc_ticket id="c" rsc="X" ticket="T"/>`, false},
		{"a set of nobody", "3.7", "", `<rsc_ticket id="c" ticket="T"><resource_set id="s"><resource_ref id="X"/></resource_set></rsc_ticket>`, false},
		{"require-all=on", "3.7", "", `<rsc_order id="c" first="A" then="B" require-all="on"/>`, false},
	} {
		bad := CheckSchema(decode("3.7", "", ""), decode(c.version, c.resources+others, c.constraints))
		if (len(bad) == 0) != c.ok {
			t.Errorf("%s: %v", c.name, bad)
		}
	}
	standing := decode("3.7", `<clone id="A"/>`, "")
	if bad := CheckSchema(standing, standing); len(bad) > 0 {
		t.Error("what was there before is held against a change:", bad)
	}
}
