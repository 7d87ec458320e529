package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// tunnel is a connection to a socket of another host. To close it ends the way there too: what is left of a way to a
// host that is silent would end no call, and stay.
type tunnel struct {
	net.Conn
	way net.Conn
}

func (t tunnel) Close() error { return t.way.Close() }

// dialSSH reaches libvirt's socket on another host, as the user's own ssh would: by the keys of the agent and of
// ~/.ssh, and only to hosts that are known.
func (p place) dialSSH(ctx context.Context) (net.Conn, error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	known, err := knownHosts(filepath.Join(me.HomeDir, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts")
	if err != nil {
		return nil, fmt.Errorf("which key ssh to %s must meet: %w", p.host, err)
	}
	keys, closeAgent, err := p.keys(ctx, me.HomeDir)
	if err != nil {
		return nil, err
	}
	defer closeAgent()
	address := net.JoinHostPort(p.host, either(p.port, "22"))
	way, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = way.Close() })
	conn, err := p.through(way, address, &ssh.ClientConfig{User: either(p.user, me.Username), HostKeyCallback: known, HostKeyAlgorithms: algorithms(known, address), Auth: []ssh.AuthMethod{ssh.PublicKeys(keys...)}})
	if !stop() || err != nil {
		_ = way.Close()
		return nil, errors.Join(err, context.Cause(ctx))
	}
	return conn, nil
}

// knownHosts reads which hosts have which keys, from the files that are there.
func knownHosts(files ...string) (ssh.HostKeyCallback, error) {
	files = slices.DeleteFunc(files, func(f string) bool { _, err := os.Stat(f); return err != nil })
	if len(files) == 0 {
		return nil, errors.New("~/.ssh/known_hosts is not there: ssh to the host once")
	}
	return knownhosts.New(files...)
}

// noKey is no host's key.
type noKey struct{ ssh.PublicKey }

func (noKey) Type() string    { return "none" }
func (noKey) Marshal() []byte { return nil }

// algorithms are those of the keys that a host is known by: of several that it has, it must show one of these.
func algorithms(known ssh.HostKeyCallback, address string) []string {
	var wrong *knownhosts.KeyError
	if !errors.As(known(address, &net.TCPAddr{IP: net.IPv4zero}, noKey{}), &wrong) {
		return nil
	}
	var out []string
	for _, k := range wrong.Want {
		if k.Key.Type() == ssh.KeyAlgoRSA {
			out = append(out, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			out = append(out, k.Key.Type())
		}
	}
	return out
}

func (p place) through(way net.Conn, address string, cfg *ssh.ClientConfig) (net.Conn, error) {
	c, channels, requests, err := ssh.NewClientConn(way, address, cfg)
	if err != nil {
		return nil, fmt.Errorf("ssh to %s: %w", address, err)
	}
	client := ssh.NewClient(c, channels, requests)
	var errs []error
	for _, socket := range p.sockets() {
		conn, err := client.Dial("unix", socket)
		if err == nil {
			return tunnel{conn, way}, nil
		}
		errs = append(errs, fmt.Errorf("socket %s on %s: %w", socket, p.host, err))
	}
	return nil, errors.Join(errs...)
}

// keys are those that may let us in. The agent's are of use as long as it is open.
func (p place) keys(ctx context.Context, home string) (keys []ssh.Signer, closeAgent func(), err error) {
	closeAgent = func() {}
	files := []string{p.keyFile}
	if p.keyFile == "" {
		files = nil
		for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
			files = append(files, filepath.Join(home, ".ssh", "id_"+kind))
		}
	}
	var errs []error
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		key, err := ssh.ParsePrivateKey(b)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
			continue
		}
		keys = append(keys, key)
	}
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			errs = append(errs, err)
		} else {
			closeAgent = func() { _ = conn.Close() }
			_ = conn.SetDeadline(time.Now().Add(agentWithin))
			more, err := agent.NewClient(conn).Signers()
			errs = append(errs, err)
			keys = append(keys, more...)
		}
	}
	if len(keys) == 0 {
		closeAgent()
		return nil, nil, fmt.Errorf("no key for ssh to %s: %w", p.host, errors.Join(errs...))
	}
	return keys, closeAgent, nil
}

// agentWithin is how long the agent has to list its keys and to sign.
const agentWithin = 5 * time.Second
