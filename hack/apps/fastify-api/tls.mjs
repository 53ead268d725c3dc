import selfsigned from 'selfsigned';

export function certificate() {
  const made = selfsigned.generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048, algorithm: 'sha256' });
  return { key: made.private, cert: made.cert, allowHTTP1: true };
}
