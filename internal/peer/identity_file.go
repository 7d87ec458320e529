package peer

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of an identity, in one directory.
const (
	caCertFile   = "ca.crt"
	caKeyFile    = "ca.key" // may be missing
	nodeCertFile = "node.crt"
	nodeKeyFile  = "node.key"
)

// LoadIdentity reads what Save wrote. Keys that others may read are refused. When there is no identity, the
// error is fs.ErrNotExist.
func LoadIdentity(dir string) (*Identity, error) {
	id := &Identity{}
	var err error
	if id.CAs, err = loadCerts(filepath.Join(dir, caCertFile)); err != nil {
		return nil, err
	}
	certs, err := loadCerts(filepath.Join(dir, nodeCertFile))
	if err != nil {
		return nil, err
	}
	id.Cert, id.Former = certs[0], certs[1:]
	if id.Key, err = loadKeyOf(id.Cert, filepath.Join(dir, nodeKeyFile)); err != nil {
		return nil, err
	}
	id.CAKey, err = loadKeyOf(id.CAs[0], filepath.Join(dir, caKeyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := id.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return id, nil
}

// newKey is added to the name of a key's file that waits for its certificate to be written.
const newKey = ".new"

// loadKeyOf reads the key of a certificate. When writing a pair was interrupted behind the certificate, the key is
// still in the file beside.
func loadKeyOf(cert *x509.Certificate, path string) (crypto.Signer, error) {
	key, err := loadKey(path)
	if err == nil && sameKey(cert.PublicKey, key) {
		return key, nil
	}
	next, nextErr := loadKey(path + newKey)
	if nextErr != nil || !sameKey(cert.PublicKey, next) {
		return key, err
	}
	return next, os.Rename(path+newKey, path)
}

// Save writes the identity to a directory, which is made when it is missing. Keys are readable by their
// owner only. Each file is replaced as a whole, and what an interruption leaves can be loaded: keys are written
// beside their place, then certificates, then the keys are put there. When the authority is exchanged, the CAs must
// hold the old one, too, until the node's new certificate is written.
func (id *Identity) Save(dir string) error {
	if err := id.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory for the node's identity: %w", err)
	}
	keys := map[string]crypto.Signer{nodeKeyFile: id.Key}
	if id.CAKey != nil {
		keys[caKeyFile] = id.CAKey
	}
	for name, key := range keys {
		data, err := keyPEM(key)
		if err == nil {
			err = writeFile(filepath.Join(dir, name+newKey), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(dir, caCertFile), certsPEM(id.CAs...), 0o644); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, nodeCertFile), certsPEM(append([]*x509.Certificate{id.Cert}, id.Former...)...), 0o644); err != nil {
		return err
	}
	for name := range keys {
		if err := os.Rename(filepath.Join(dir, name+newKey), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("put the key in its place: %w", err)
		}
	}
	return nil
}

func certsPEM(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, certPEM(c)...)
	}
	return out
}

// writeFile replaces a file, so that after a crash there is the old one or the new one.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is gone when all went well
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func loadKey(path string) (crypto.Signer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read or written by others (mode %04o); mend it with: chmod 0600 %s", path, mode, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func loadCerts(path string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	certs, err := parseCerts(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certs, nil
}

func certPEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, errors.New("a key of this kind cannot be written") // nothing of the key in the error
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseCerts(data []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, cert)
	}
	if len(out) == 0 || len(bytes.TrimSpace(data)) > 0 {
		return nil, errors.New("there should be certificates in PEM form, and nothing else")
	}
	return out, nil
}

func parseKey(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("there should be one private key in PEM form (PKCS 8)")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the private key cannot be read (PKCS 8 is wanted)")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key is of a kind that cannot sign")
	}
	return signer, nil
}
