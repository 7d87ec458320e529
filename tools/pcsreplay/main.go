// Command pcsreplay has recorded calls of pcs carried out by Cerco, with the replay tool that lies beside the corpus, and
// holds the result against a floor.
//
// It owns the floor file alone: what a right answer is, the replay tool says. An effect is right when exit status, CIB and
// corosync.conf are those of pcs 0.11.5; out counts the calls with the same standard output.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	shared := flag.String("shared", "../shared", "where the corpus and its tools are")
	binary := flag.String("cerco", "bin/cerco", "the program under test")
	out := flag.String("out", "out/pcs-replay", "where failures and the table of commands go")
	floor := flag.String("floor", "", "file with what must hold at least")
	raise := flag.Bool("raise", false, "lift the floor to what holds now")
	filter := flag.String("filter", "", "only calls with these words")
	jobs := flag.Int("jobs", 2, "how many at a time")
	flag.Parse()
	if err := run(*shared, *binary, *out, *floor, *filter, *jobs, *raise); err != nil {
		fmt.Fprintln(os.Stderr, "pcsreplay:", err)
		os.Exit(1)
	}
}

func run(shared, binary, out, floor, filter string, jobs int, raise bool) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(shared, "tools/replay_pcs.py"), "--jobs", strconv.Itoa(jobs), "--filter", filter, "--out", out)
	cmd.Env = append(os.Environ(), "PCS_UNDER_TEST="+binary+" pcs")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the replay tool: %w", err)
	}
	table, err := os.ReadFile(filepath.Join(out, "summary.txt"))
	if err != nil {
		return err
	}
	fmt.Print(string(table))
	now, err := total(string(table))
	if err != nil || floor == "" || filter != "" {
		return err
	}
	if raise {
		return write(floor, now)
	}
	least, err := read(floor)
	if err != nil {
		return err
	}
	if now.calls < least.calls || now.effect < least.effect || now.out < least.out {
		return fmt.Errorf("of %d calls %d have the right effect and %d the right output; %s asks for %d, %d and %d",
			now.calls, now.effect, now.out, floor, least.calls, least.effect, least.out)
	}
	return nil
}

// score is how many calls there are, and how many are right.
type score struct{ calls, effect, out int }

// total reads the last row of the replay tool's table.
func total(table string) (score, error) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) == 8 && f[0] == "TOTAL" {
			return numbers(f[1], f[4], f[5])
		}
	}
	return score{}, fmt.Errorf("the replay tool's table has no row TOTAL")
}

func numbers(calls, effect, out string) (s score, err error) {
	for i, to := range []*int{&s.calls, &s.effect, &s.out} {
		text := []string{calls, effect, out}[i]
		if *to, err = strconv.Atoi(text); err != nil {
			return s, fmt.Errorf("%q is no count", text)
		}
	}
	return s, nil
}

func read(floor string) (score, error) {
	f, err := os.Open(floor)
	if err != nil {
		return score{}, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if w := strings.Fields(lines.Text()); len(w) == 3 && w[0] != "#" {
			return numbers(w[0], w[1], w[2])
		}
	}
	return score{}, fmt.Errorf("%s has no line of three numbers", floor)
}

func write(floor string, s score) error {
	if old, err := read(floor); err == nil {
		s = score{max(s.calls, old.calls), max(s.effect, old.effect), max(s.out, old.out)}
	}
	text := fmt.Sprintf("# Floor of the replay of recorded pcs calls. \"make pcs-replay\" fails below it; \"make pcs-replay-floor\" lifts it to what\n"+
		"# holds now, and never lowers it.\n# calls effect out\n%d %d %d\n", s.calls, s.effect, s.out)
	return os.WriteFile(floor, []byte(text), 0o644)
}
