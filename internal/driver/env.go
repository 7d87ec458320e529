package driver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// notForAgents are variables of a daemon's environment that are about the daemon alone.
var notForAgents = []string{"NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC",
	"INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "OCF_RESOURCE_INSTANCE", "OCF_RESOURCE_TYPE", "OCF_RESOURCE_PROVIDER"}

// baseEnv is what each agent gets, whatever it is called for: the daemon's own environment, and the names by
// which agents and their shell libraries know the cluster, its logging and its programs. Pacemaker's executor
// sets the same ones (testdata/pacemaker_env.txt) and agents have learnt to rely on them.
func baseEnv(cfg *Config) []string {
	path := ""
	var env []string
	for _, kv := range cfg.Env {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH":
			path = value
		case strings.HasPrefix(name, "OCF_RESKEY_"), slices.Contains(notForAgents, name):
		default:
			env = setEnv(env, name, value)
		}
	}
	if path == "" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	if cfg.Links != "" {
		path = cfg.Links + ":" + path
		env = setEnv(env, "HA_SBIN_DIR", cfg.Links)
	} else {
		env = setEnv(env, "HA_SBIN_DIR", "/usr/sbin")
	}
	env = setEnv(env, "PATH", path)
	if cfg.Socket != "" {
		env = setEnv(env, "CERCO_SOCKET", cfg.Socket)
	}
	if cfg.RscTmp != "" {
		env = setEnv(env, "HA_RSCTMP", cfg.RscTmp)
	}
	for _, prefix := range []string{"HA_", "PCMK_"} {
		env = setEnv(env, prefix+"cluster_type", "corosync")
		env = setEnv(env, prefix+"quorum_type", "corosync")
		env = setEnv(env, prefix+"debug", flag(cfg.Debug, "1", "0"))
		env = setEnv(env, prefix+"logfacility", "daemon")
		env = setEnv(env, prefix+"logfile", cfg.AgentLog)
		env = setEnv(env, prefix+"mcp", "true")
	}
	env = setEnv(env, "HA_LOGFACILITY", "daemon")
	env = setEnv(env, "HA_LOGFILE", cfg.AgentLog)
	env = setEnv(env, "PCMK_service", "pacemaker-execd")
	env = setEnv(env, "PCMK_watchdog", flag(cfg.Watchdog, "true", "false"))
	env = setEnv(env, "LC_ALL", "C")
	return env
}

func flag(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// ocfEnv is the environment of one call of an OCF agent (the OCF Resource Agent API, 1.1).
func (h *Host) ocfEnv(r *Request, root string) []string {
	env := slices.Clone(h.base)
	set := func(name, value string) { env = setEnv(env, name, value) }
	set("OCF_RA_VERSION_MAJOR", "1")
	set("OCF_RA_VERSION_MINOR", "1")
	set("OCF_ROOT", ocfRoot(root))
	set("OCF_EXIT_REASON_PREFIX", exitReasonPrefix)
	set("OCF_OUTPUT_FORMAT", "text")
	set("OCF_RESOURCE_INSTANCE", r.Resource)
	set("OCF_RESOURCE_TYPE", r.Type)
	if r.Provider != "" {
		set("OCF_RESOURCE_PROVIDER", r.Provider)
	}
	for _, a := range r.Params {
		if strings.ContainsRune(a.Value, 0) {
			continue // no environment can hold it
		}
		if a.Name == "OCF_CHECK_LEVEL" { // the one parameter that agents know without a prefix
			set(a.Name, a.Value)
			continue
		}
		set("OCF_RESKEY_"+strings.ReplaceAll(a.Name, "-", "_"), a.Value)
	}
	for _, kv := range r.Env {
		name, value, _ := strings.Cut(kv, "=")
		set(name, value)
	}
	return env
}

// ocfRoot is where an agent of a directory of agents finds the shell libraries of the OCF: beside that directory,
// or, for directories that have none, where Linux distributions put them.
func ocfRoot(dir string) string {
	root := filepath.Dir(dir)
	if _, err := os.Stat(filepath.Join(root, "lib")); err != nil {
		if _, err := os.Stat("/usr/lib/ocf/lib"); err == nil {
			return "/usr/lib/ocf"
		}
	}
	return root
}

// setEnv sets a variable in a list of them, in place when it is there.
func setEnv(env []string, name, value string) []string {
	for i, kv := range env {
		if len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
			env[i] = name + "=" + value
			return env
		}
	}
	return append(env, name+"="+value)
}
