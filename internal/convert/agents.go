package convert

import (
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// counterpart is what an agent of rgmanager is in the world of OCF.
type counterpart struct {
	agent  string
	params map[string]string // their names here, by their names there
	rank   int               // in which order rgmanager starts what stands side by side
}

// counterparts are the agents of rgmanager that have one.
func counterparts() map[string]counterpart {
	fs := map[string]string{"device": "device", "mountpoint": "directory", "fstype": "fstype", "options": "options", "force_unmount": "force_unmount"}
	return map[string]counterpart{
		"lvm":        {"ocf:heartbeat:LVM-activate", map[string]string{"vg_name": "vgname", "lv_name": "lvname"}, 1},
		"fs":         {"ocf:heartbeat:Filesystem", fs, 2},
		"clusterfs":  {"ocf:heartbeat:Filesystem", fs, 3},
		"netfs":      {"ocf:heartbeat:Filesystem", map[string]string{"mountpoint": "directory", "fstype": "fstype", "options": "options"}, 4},
		"bind-mount": {"ocf:heartbeat:Filesystem", map[string]string{"source": "device", "mountpoint": "directory"}, 4},
		"nfsserver": {"ocf:heartbeat:nfsserver", map[string]string{"nfspath": "nfs_shared_infodir", "statdport": "statd_port",
			"statdoutport": "statd_outgoing_port", "mountdport": "mountd_port"}, 5},
		"nfsclient": {"ocf:heartbeat:exportfs", map[string]string{"target": "clientspec", "options": "options"}, 6},
		"ip":        {"ocf:heartbeat:IPaddr2", nil, 7},
		"samba":     {"systemd:smb", nil, 8},
		"apache":    {"ocf:heartbeat:apache", map[string]string{"httpd_options": "options"}, 9},
		"mysql": {"ocf:heartbeat:mysql", map[string]string{"config_file": "config", "mysql_options": "additional_parameters",
			"mysqld_options": "additional_parameters"}, 9},
		"postgres-8":  {"ocf:heartbeat:pgsql", map[string]string{"postmaster_user": "pgdba"}, 9},
		"openldap":    {"ocf:heartbeat:slapd", map[string]string{"slapd_options": "options", "url_list": "services"}, 9},
		"named":       {"ocf:heartbeat:named", map[string]string{"config_file": "named_config", "named_options": "named_options"}, 9},
		"tomcat-6":    {"ocf:heartbeat:tomcat", map[string]string{"tomcat_user": "tomcat_user", "catalina_home": "catalina_home"}, 9},
		"oracledb":    {"ocf:heartbeat:oracle", map[string]string{"user": "user", "home": "home", "name": "sid"}, 9},
		"orainstance": {"ocf:heartbeat:oracle", map[string]string{"user": "user", "home": "home", "name": "sid"}, 9},
		"oralistener": {"ocf:heartbeat:oralsnr", map[string]string{"user": "user", "home": "home", "name": "listener"}, 9},
		"SAPInstance": {"ocf:heartbeat:SAPInstance", map[string]string{"InstanceName": "InstanceName", "DIR_EXECUTABLE": "DIR_EXECUTABLE",
			"DIR_PROFILE": "DIR_PROFILE", "START_PROFILE": "START_PROFILE"}, 9},
		"SAPDatabase": {"ocf:heartbeat:SAPDatabase", map[string]string{"SID": "SID", "DBTYPE": "DBTYPE", "DIR_EXECUTABLE": "DIR_EXECUTABLE"}, 9},
		"ASEHAagent":  {"ocf:heartbeat:sybaseASE", map[string]string{"sybase_home": "sybase_home", "sybase_ase": "sybase_ase", "server_name": "server_name"}, 9},
		"script":      {"", nil, 10},
		"vm":          {"ocf:heartbeat:VirtualDomain", map[string]string{"hypervisor_uri": "hypervisor", "migration_mapping": ""}, 11},
	}
}

// ofEvery are attributes that rgmanager itself reads, of a resource of any kind.
func ofEvery() []string {
	return []string{"ref", "name", "__independent_subtree", "__max_restarts", "__restart_expire_time", "__enforce_timeouts", "__failure_expire_time"}
}

// resource is one resource of rgmanager: what it is, and the name that it is known by.
type resource struct {
	el   *cib.Element // with the attributes of what it refers to
	kind counterpart
	id   string
}

// identity is the attribute by which a resource is known.
func identity(e *cib.Element) string {
	for _, attr := range []string{"name", "address", "InstanceName", "SID"} {
		if v := e.Attr(attr); v != "" {
			return v
		}
	}
	return ""
}

// params are the options of the resource as OCF's agent knows them. parents are the resources it stands inside of.
func (r *Result) params(res resource, parents []resource) []string {
	var out []string
	done := ofEvery()
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+"="+value)
		}
	}
	e := res.el
	switch e.Name {
	case "ip":
		done = append(done, "address", "monitor_link", "sleeptime", "prefer_interface", "disable_rdisc")
		address, bits := e.Attr("address"), ""
		if p, err := netip.ParsePrefix(address); err == nil {
			address, bits = p.Addr().String(), strconv.Itoa(p.Bits())
		}
		add("ip", address)
		add("cidr_netmask", bits)
		add("nic", e.Attr("prefer_interface"))
		if v, ok := cib.ParseBool(e.Attr("monitor_link")); ok && !v {
			r.note(Changed, int(e.Line), "ip %s: monitor_link=%s: IPaddr2 looks at the address, and at the link not at all", address, e.Attr("monitor_link"))
		}
	case "netfs":
		done = append(done, "host", "export", "force_unmount")
		add("device", e.Attr("host")+":"+e.Attr("export"))
		if e.Attr("fstype") == "" {
			add("fstype", "nfs")
		}
	case "bind-mount":
		add("fstype", "none")
		add("options", "bind")
	case "lvm":
		add("vg_access_mode", "tagging")
	case "nfsclient":
		done = append(done, "svcname", "path", "nfslock")
		for i := len(parents) - 1; i >= 0; i-- {
			if dir := parents[i].el.Attr("mountpoint"); dir != "" {
				add("directory", dir)
				r.exports++
				add("fsid", strconv.Itoa(r.exports))
				break
			}
		}
	case "script":
		done = append(done, "file", "service_name")
	case "vm":
		out = append(out, r.vmParams(e)...)
		done = append(done, vmAttributes()...)
	}
	for name, value := range e.Attrs() {
		to, known := res.kind.params[name]
		switch {
		case known:
			if !contains(done, name) {
				add(to, value)
			}
		case !contains(done, name):
			r.note(Dropped, int(e.Line), "%s %s: %s=%q: %s has no such option", e.Name, res.id, name, value, res.kind.agent)
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// vmAttributes are those of a virtual machine that have a counterpart of their own.
func vmAttributes() []string {
	return []string{"path", "xmlfile", "migrate", "migration_uri", "use_virsh", "domain", "autostart", "recovery", "exclusive", "max_restarts",
		"restart_expire_time", "hypervisor", "snapshot", "no_kill", "status_program", "tunnelled", "nodename", "depend", "depend_mode", "priority", "OCF_ROOT"}
}

func (r *Result) vmParams(e *cib.Element) []string {
	config := e.Attr("xmlfile")
	if config == "" {
		dir, _, _ := strings.Cut(e.Attr("path"), ":")
		if dir == "" {
			dir = "/etc/libvirt/qemu"
		}
		config = path.Join(dir, e.Attr("name")+".xml")
		r.note(Changed, int(e.Line), "vm %s: its definition is taken to be %s: it must be there on every host", e.Attr("name"), config)
	}
	out := []string{"config=" + config}
	switch e.Attr("hypervisor") {
	case "xen":
		out = append(out, "hypervisor=xen:///")
	case "", "auto", "qemu":
		if e.Attr("hypervisor_uri") == "" || e.Attr("hypervisor_uri") == "auto" {
			out = append(out, "hypervisor=qemu:///system")
		}
	}
	if e.Attr("migrate") != "pause" {
		out = append(out, "migration_transport=ssh")
	}
	return out
}

// agentOf is the OCF agent of a resource of rgmanager; empty if it has none.
func (r *Result) agentOf(res resource) string {
	if res.el.Name != "script" {
		return res.kind.agent
	}
	file := res.el.Attr("file")
	base := path.Base(file)
	if dir := path.Dir(file); dir != "/etc/init.d" && dir != "/etc/rc.d/init.d" {
		r.note(Changed, int(res.el.Line), "script %s: lsb:%s runs /etc/init.d/%s: put a link to %s there on every host", res.id, base, base, file)
	}
	return "lsb:" + base
}
