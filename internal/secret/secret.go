// Package secret knows what must not be shown: which parameters of agents hold secrets, where those are that are not
// in the CIB, and how to take them out of what is written for people.
//
// It owns the names by which secrets are known, the secret files of a node and their signatures (the format of cibsecret),
// and the forms in which agents and their libraries print a secret. It promises that no error of its own holds one.
// It never writes anything.
package secret

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format of cibsecret, a check against slips and no protection
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Prefix marks a value that is not in the CIB but in a file on each node.
const Prefix = "lrm://"

// Dirs are the directories in which secrets are looked for.
func Dirs() []string { return []string{"/var/lib/cerco/secrets", "/var/lib/pacemaker/lrm/secrets"} }

// Fill replaces lrm:// values by what the node's secret files hold: DIR/RESOURCE/PARAMETER, whose MD5
// is in PARAMETER.sign, as `cibsecret` writes them. Dirs are looked through in order.
func Fill(resource string, params []cib.Attr, dirs []string) ([]cib.Attr, error) {
	out := slices.Clone(params)
	for i, p := range out {
		if !strings.HasPrefix(p.Value, Prefix) {
			continue
		}
		v, err := readSecret(resource, p.Name, dirs)
		if err != nil {
			return nil, err
		}
		out[i].Value = v
	}
	return out, nil
}

func readSecret(resource, name string, dirs []string) (string, error) {
	for _, part := range []string{resource, name} {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "/\x00") {
			return "", fmt.Errorf("%q cannot name a secret", part)
		}
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, resource, name)
		data, err := os.ReadFile(path) //nolint:gosec // made of checked parts
		if err != nil {
			continue
		}
		sign, err := os.ReadFile(path + ".sign") //nolint:gosec // likewise
		if sum := md5.Sum(data); err == nil && !strings.EqualFold(string(bytes.TrimSpace(sign)), hex.EncodeToString(sum[:])) {
			return "", fmt.Errorf("the secret %s of %s does not fit its signature in %s.sign; set it anew on this node", name, resource, path)
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	return "", fmt.Errorf("the parameter %s of %s is a secret (%s) that this node does not have; put it into %s",
		name, resource, Prefix, filepath.Join(firstOf(dirs), resource, name))
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// Is reports whether a parameter of that name holds a secret. Scripts count: they print passwords.
func Is(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	for _, word := range []string{"passw", "passwd", "password", "passphrase", "secret", "token", "api_key", "apikey", "private_key", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return strings.HasSuffix(name, "_script") || strings.HasSuffix(name, "_key") || name == "pass" || strings.HasSuffix(name, "_pass") ||
		name == "community" || strings.HasSuffix(name, "_community")
}

// Mask stands for what was taken out.
const Mask = "***"

// Redactor takes secrets out of texts.
type Redactor struct {
	words []string // the longest first: a secret may be part of another
}

// Of makes a redactor of the secrets among the parameters of an agent: those whose names say so, those in private (as
// its metadata has it), and those that were filled in (was: the parameters before Fill; may be nil).
func Of(params, was []cib.Attr, private ...string) *Redactor {
	user := ""
	for _, p := range params {
		if p.Name == "login" || p.Name == "username" || p.Name == "user" {
			user = p.Value
		}
	}
	r := &Redactor{}
	for i, p := range params {
		hidden := i < len(was) && strings.HasPrefix(was[i].Value, Prefix)
		if Is(p.Name) || hidden || slices.Contains(private, p.Name) {
			r.add(p.Value, user)
		}
	}
	return r.sorted()
}

// OfCIB makes a redactor of all secrets in a CIB.
func OfCIB(root *cib.Element) *Redactor {
	r := &Redactor{}
	for e := range root.All() {
		if e.Name == "nvpair" && Is(e.Attr("name")) {
			r.add(e.Attr("value"), "")
		}
	}
	return r.sorted()
}

// add takes a secret in the forms in which agents and their libraries print it: as it is, in URLs, in base 64 (alone,
// and with the user's name as HTTP sends them), escaped for XML in two ways, for JSON and for Go.
func (r *Redactor) add(value, user string) {
	if value == "" || strings.HasPrefix(value, Prefix) {
		return
	}
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(value)) // a Builder takes everything
	quoted := strconv.Quote(value)
	inJSON, _ := json.Marshal(value) // a string can be written
	inCIB := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(cib.NewElement("a", []cib.Attr{{Name: "v", Value: value}}).String()), `<a v="`), `"/>`)
	for _, form := range []string{value, url.QueryEscape(value), url.PathEscape(value), escaped.String(), quoted[1 : len(quoted)-1],
		string(inJSON[1 : len(inJSON)-1]), inCIB,
		base64.StdEncoding.EncodeToString([]byte(value)), base64.StdEncoding.EncodeToString([]byte(user + ":" + value))} {
		if !slices.Contains(r.words, form) {
			r.words = append(r.words, form)
		}
	}
}

func (r *Redactor) sorted() *Redactor {
	slices.SortStableFunc(r.words, func(a, b string) int { return len(b) - len(a) })
	return r
}

// Text is a text without the secrets.
func (r *Redactor) Text(s string) string {
	for _, w := range r.words {
		s = strings.ReplaceAll(s, w, Mask)
	}
	return s
}

// InCIB is a CIB whose secrets are masked, for reports.
func InCIB(root *cib.Element) *cib.Element {
	return root.Map(func(e *cib.Element) *cib.Element {
		if e.Name == "nvpair" && Is(e.Attr("name")) && e.Attr("value") != "" && !strings.HasPrefix(e.Attr("value"), Prefix) {
			return e.With("value", Mask)
		}
		return e
	})
}

// OfHost makes a redactor of all secrets in a CIB, and of those that this host keeps for it in files.
func OfHost(root *cib.Element, dirs []string) *Redactor {
	r := OfCIB(root)
	for e := range root.All() {
		if e.Name != "primitive" {
			continue
		}
		for p := range e.All() {
			if p.Name == "nvpair" && strings.HasPrefix(p.Attr("value"), Prefix) {
				if v, err := readSecret(e.ID(), p.Attr("name"), dirs); err == nil {
					r.add(v, "")
				}
			}
		}
	}
	return r.sorted()
}
