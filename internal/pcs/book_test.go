package pcs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/driver"
)

// bookTable lists the commands of a book that teaches the pcs of 2015, with what becomes of them today.
const bookTable = "../../../shared/facts/book-commands.tsv"

// TestBook types every pcs command of a book, in the book's order: those with -f on files, the others on a cluster of two
// nodes in memory. With -v it prints a row a command: what it did, or how it was refused. A command may be refused only where
// the table says that it cannot work, and a damaged one only with the command that was meant.
func TestBook(t *testing.T) {
	rows, err := readBook()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the table of the book's commands is not beside the repository, in ../shared")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	r := &reader{t: t}
	r.found("")
	count := map[string]int{}
	for _, row := range rows {
		for _, line := range row.lines() {
			verdict, said := r.judge(row, line)
			count[verdict]++
			fmt.Fprintf(t.Output(), "%s\t%s\t%s\t%s\n", row.id, line, verdict, said)
			if verdict == wrong {
				t.Errorf("%s: %s: %s", row.id, line, said)
			}
		}
	}
	fmt.Fprintf(t.Output(), "%v\n", count)
}

// The verdicts on a command.
const (
	fine    = "ok"
	refused = "refused as the table says"
	pointed = "refused, and what was meant is named"
	wrong   = "WRONG"
)

// bookRow is a command of the book.
type bookRow struct{ id, command, intended, today, notes string }

// readBook reads the rows of the table that are about clusters and pcs.
func readBook() ([]bookRow, error) {
	data, err := os.ReadFile(bookTable)
	if err != nil {
		return nil, err
	}
	var header []string
	var rows []bookRow
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if header == nil {
			header = cells
			continue
		}
		at := func(column string) string {
			if i := slices.Index(header, column); i >= 0 && i < len(cells) {
				return cells[i]
			}
			return ""
		}
		if at("tool") == "pcs" && at("category") == "core" {
			rows = append(rows, bookRow{at("id"), at("command"), at("intended_if_damaged"), at("pcs_0.11.5"), at("notes")})
		}
	}
	return rows, nil
}

// lines are what one types for a command of the book: something for each placeholder of its author.
func (b bookRow) lines() []string {
	line := strings.NewReplacer("nodo01 ... nodo0x", "node01 node02", "nodo0", "node0", "pcmk-", "node0", "agente", "fence_ipmilan", "[nodo destino]", "node02",
		"<fichero.xml>[alcance]", "fichero.xml resources", "[fichero.xml] [alcance]", "fichero.xml resources", "[fichero]", "fichero",
		"/path/", "", "[--", "--", "all]", "all", "local]", "local", " recurso ", " ubuntu ").Replace(b.command + " ")
	line = strings.TrimPrefix(strings.TrimSpace(line), "pcs ")
	if both := strings.Replace(line, "enable/disable", "disable", 1); both != line {
		return []string{both, strings.Replace(line, "enable/disable", "enable", 1)}
	}
	return []string{line}
}

// mayFail reports whether the table says that the command is refused for what it asks, and not for how it is spelt.
func (b bookRow) mayFail() bool {
	for _, why := range []string{"--force to ove", "invalid stonith options", "refused without --force", "placeholder name refused"} {
		if strings.Contains(b.today, why) {
			return true
		}
	}
	return strings.Contains(b.notes, "prose example")
}

// renamed reports whether the command is spelt in a way that pcs 0.11 no longer knows.
func (b bookRow) renamed() bool {
	return b.intended == "" && strings.HasPrefix(b.today, "FAIL: ") && !b.mayFail()
}

// meant are the words of the intended command; an ellipsis stands for the rest of the printed one.
func (b bookRow) meant() []string {
	intended, _, _ := strings.Cut(b.intended, "   ")
	words := strings.Fields(strings.TrimPrefix(intended, "pcs "))
	if n := len(words); n > 1 && words[n-1] == "…" {
		_, rest, _ := strings.Cut(b.command, " "+words[n-2])
		words = append(words[:n-1], strings.Fields(rest)...)
	}
	return words
}

// names reports whether what is said has those words of the intended command that the damaged one lacks.
func (b bookRow) names(said string) bool {
	intended, _, _ := strings.Cut(b.intended, "   ")
	for _, word := range strings.Fields(intended) {
		word = strings.TrimSuffix(strings.Trim(word, "[]…"), "ALCANCE")
		if word != "FICHERO" && !slices.Contains(strings.Fields(b.command), word) && !strings.Contains(said, word) {
			return false
		}
	}
	return true
}

// reader types the commands of the book.
type reader struct {
	t      *testing.T
	socket string
}

// bookCluster is what a new cluster of the book begins as.
const bookCluster = `<cib admin_epoch="0" epoch="1" num_updates="0" validate-with="pacemaker-3.1"><configuration><crm_config/><nodes>` +
	`<node id="1" uname="node01"/><node id="2" uname="node02"/></nodes><resources>` +
	`<primitive id="website" class="ocf" provider="pacemaker" type="Dummy"/><primitive id="ipsite" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints/></configuration><status/></cib>`

// found makes a new cluster; document is empty or what it has to begin with.
func (r *reader) found(document string) {
	r.socket, _ = apitest.New(r.t, "node01", cmp.Or(document, bookCluster)).Serve(r.t)
}

// judge types one line, and says what came of it.
func (r *reader) judge(row bookRow, line string) (verdict, said string) {
	words := shellWords(line)
	has := func(text string) bool { return strings.Contains(" "+line+" ", " "+text+" ") }
	if has("cluster setup") { // from here on the book builds another cluster
		r.found("")
		if err := os.RemoveAll("corosync.conf"); err != nil {
			r.t.Fatal(err)
		}
		words = append([]string{"--corosync_conf", "corosync.conf"}, words...)
	}
	r.makeRoom(words)
	before := r.text(words)
	code, said := r.typed(words...)
	if fault := r.alsoOnFile(words, before, code); fault != "" {
		return wrong, fault
	}
	if has("resource delete") || has("node remove") || has("cluster stop") || has("cluster destroy") { // the book goes on with what was there
		r.found(before)
	}
	done := r.done(words, before)
	verdict, said = row.verdict(words, code, said, done)
	switch verdict {
	case refused:
		r.typed(append(words, "--force")...)
	case pointed:
		r.typed(row.meant()...)
	}
	return verdict, said
}

// verdict judges what a command has said, and what it has ended with. done tells whether what it makes is there.
func (b bookRow) verdict(words []string, code int, said string, done bool) (verdict, why string) {
	oneLine := strings.Join(strings.Fields(said), " ")
	switch {
	case code != 0 && b.mayFail():
		return refused, oneLine
	case b.intended != "" && code != 0 && b.names(said):
		return pointed, oneLine
	case b.intended != "" && code == 0 && said != "":
		return fine, oneLine
	case b.intended != "" || code != 0:
		return wrong, cmp.Or(oneLine, "it is damaged, and nothing is said of that")
	case b.renamed() && !strings.Contains(said, " is now: "):
		return wrong, "nothing is said of the new spelling: " + oneLine
	case !done:
		return wrong, "it is not there afterwards: " + oneLine
	}
	return fine, oneLine
}

// alsoOnFile carries a command that is about a configuration out on a file, too, and says where that ends in another way than
// it did on the cluster.
func (r *reader) alsoOnFile(words []string, document string, code int) string {
	if !slices.Contains([]string{"constraint", "property", "resource", "stonith"}, words[0]) {
		return ""
	}
	if err := os.WriteFile("one.xml", []byte(document), 0o600); err != nil {
		r.t.Fatal(err)
	}
	on, said := r.typed(append([]string{"-f", "one.xml"}, words...)...)
	if on == code || strings.Contains(said, "'-f' is not supported") {
		return ""
	}
	return "with -f: " + said
}

// typed carries a command out.
func (r *reader) typed(words ...string) (code int, said string) {
	var out strings.Builder
	env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: func() time.Time { return time.Unix(1e9, 0) },
		Getenv: func(name string) string { return map[string]string{"EDITOR": "true"}[name] }, Hostname: func() (string, error) { return "node01", nil },
		Socket: r.socket, Context: r.t.Context(), Agents: bookHost{bookAgents},
		Own: func(args []string) int {
			fmt.Fprintf(&out, "cerco %s\n", strings.Join(args, " "))
			return 0
		}}
	code = Main(env, "pcs", words)
	return code, out.String()
}

// text is the configuration that a command is about.
func (r *reader) text(words []string) string {
	if words[0] == "-f" {
		data, _ := os.ReadFile(words[1])
		return string(data)
	}
	_, text := r.typed("cluster", "cib")
	return text
}

// makeRoom deletes what a command is to create: the book shows alternatives one after the other.
func (r *reader) makeRoom(words []string) {
	if len(words) > 4 && words[0] == "-f" && words[3] == "create" && strings.Contains(r.text(words), `id="`+words[4]+`"`) {
		if code, said := r.typed("-f", words[1], "resource", "delete", words[4]); code != 0 {
			r.t.Fatal(said)
		}
	}
}

// done reports whether a command on a file has done something to it, if it is one that does.
func (r *reader) done(words []string, before string) bool {
	if words[0] != "-f" || len(words) < 4 || words[3] == "set" {
		_, err := os.Stat(filepath.Base(words[len(words)-1]))
		return !slices.Equal(words[:min(2, len(words))], []string{"cluster", "cib"}) || len(words) < 3 || err == nil
	}
	return r.text(words) != before
}

// bookHost has the agents of the book.
type bookHost struct{ someAgents }

var _ lister = bookHost{}

// All implements lister.
func (h bookHost) All(class string) []configure.AgentName {
	if class == "stonith" {
		return []configure.AgentName{{Class: class, Type: "fence_ipmilan"}}
	}
	return nil
}

// Metadata adds what the fence agent of the book says of itself.
func (h bookHost) Metadata(class, provider, typ string) (*configure.Agent, error) {
	if class != "stonith" || typ != "fence_ipmilan" {
		return h.someAgents.Metadata(class, provider, typ)
	}
	agent := &configure.Agent{Short: "Fence agent for IPMI"}
	for _, action := range []string{"on", "off", "reboot", "status", "monitor", "metadata"} {
		agent.Actions = append(agent.Actions, []cib.Attr{{Name: "name", Value: action}})
	}
	for _, name := range []string{"ip", "username", "password", "action"} {
		agent.Parameters = append(agent.Parameters, configure.Parameter{Name: name})
	}
	for old, now := range map[string]string{"ipaddr": "ip", "login": "username", "passwd": "password"} {
		agent.Parameters = append(agent.Parameters, configure.Parameter{Name: old, Deprecated: true, DeprecatedBy: []string{now}})
	}
	return agent, nil
}

// Operate implements operator: an agent that does what it is told.
func (h bookHost) Operate(context.Context, driver.Request) driver.Result { return driver.Result{} }
