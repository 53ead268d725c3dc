package keepset

import "regexp"

var tlsFamilies = []family{
	{rule: "openssl", name: regexp.MustCompile(`^libcrypto\.so\.`), keep: keepOpenSSL, needed: true},
	{rule: "ca-certificates", name: regexp.MustCompile(`^(libssl\.so\.|libgnutls\.so\.|libnss3\.so|libmbedtls\.so\.|libwolfssl\.so\.)`), keep: keepCertificates, needed: true},
}

// keepOpenSSL keeps the providers and engines beside libcrypto, and the
// configuration that names them (config(5ssl)).
func keepOpenSSL(b *builder, f familyFile) error {
	for _, pattern := range []string{"ossl-modules/*.so", "engines-*/*.so"} {
		if err := b.keepUnder(f.dir, pattern, LinkedLibrary, f.id); err != nil {
			return err
		}
	}
	return b.followAll(System, f.id, "/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf")
}

// keepCertificates keeps the trust anchors of the distribution: the bundle,
// and the folder of hashed names, which is where OpenSSL itself looks on
// Debian.
func keepCertificates(b *builder, f familyFile) error {
	err := b.followAll(System, f.id, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
		"/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/cert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/usr/lib/ssl/cert.pem", "/usr/lib/ssl/certs")
	if err != nil {
		return err
	}
	return b.keepUnder("/etc/ssl/certs", "[0-9a-f]*.[0-9]", System, f.id)
}
