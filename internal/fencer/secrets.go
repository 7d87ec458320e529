package fencer

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format of cibsecret, a check against slips and no protection
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// secretPrefix marks a value that is not in the CIB but in a file on each node.
const secretPrefix = "lrm://"

// withSecrets replaces lrm:// values by what the node's secret files hold: DIR/RESOURCE/PARAMETER, whose MD5
// is in PARAMETER.sign, as `cibsecret` writes them. Dirs are looked through in order.
func withSecrets(resource string, params []cib.Attr, dirs []string) ([]cib.Attr, error) {
	out := slices.Clone(params)
	for i, p := range out {
		if !strings.HasPrefix(p.Value, secretPrefix) {
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
		name, resource, secretPrefix, filepath.Join(firstOf(dirs), resource, name))
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// IsSecret reports whether a parameter of that name holds a secret. Scripts count: they print passwords.
func IsSecret(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	for _, word := range []string{"passw", "passwd", "password", "passphrase", "secret", "token", "api_key", "apikey", "private_key", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return strings.HasSuffix(name, "_script") || strings.HasSuffix(name, "_key") || name == "pass" || strings.HasSuffix(name, "_pass") ||
		name == "community" || strings.HasSuffix(name, "_community")
}

// mask stands for what was taken out.
const mask = "***"

// redactor takes the secret values of params out of a text, in the forms in which agents and their libraries
// print them: as they are, in URLs, in base 64 (alone, and with the user name as HTTP sends them).
func redactor(params []cib.Attr, was []cib.Attr) func(string) string {
	var words []string
	add := func(v string) {
		if v != "" && !slices.Contains(words, v) {
			words = append(words, v)
		}
	}
	user := ""
	for _, p := range params {
		if p.Name == "login" || p.Name == "username" || p.Name == "user" {
			user = p.Value
		}
	}
	for i, p := range params {
		hidden := i < len(was) && strings.HasPrefix(was[i].Value, secretPrefix)
		if !IsSecret(p.Name) && !hidden || p.Value == "" {
			continue
		}
		add(p.Value)
		add(url.QueryEscape(p.Value))
		add(url.PathEscape(p.Value))
		add(base64.StdEncoding.EncodeToString([]byte(p.Value)))
		add(base64.StdEncoding.EncodeToString([]byte(user + ":" + p.Value)))
	}
	// The longest first: a secret may be part of another.
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return func(s string) string {
		for _, w := range words {
			s = strings.ReplaceAll(s, w, mask)
		}
		return s
	}
}
