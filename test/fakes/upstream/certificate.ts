/** A certificate for fake.example, localhost and 127.0.0.1 that nobody has signed but itself; its key is no secret. */
export const selfSigned = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBsDCCAVWgAwIBAgIUcUA13QqvmarKXhigqNel+Ml1KmcwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZmFrZS5leGFtcGxlMCAXDTI2MTEyNjE1NTEzNloYDzIxMjYx
MTAyMTU1MTM2WjAXMRUwEwYDVQQDDAxmYWtlLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAATDar3YyhoYGt+rmHE9uxy8zh+/76vVs5UWZxurTcQsTOIm
4d5dLbsxiqyTl9s0J+qYGeHfjDAkjyUYPhPQjVR9o30wezAdBgNVHQ4EFgQUf2Gz
Mc0eEvZoOvP/CTM22u/fSYgwHwYDVR0jBBgwFoAUf2GzMc0eEvZoOvP/CTM22u/f
SYgwDwYDVR0TAQH/BAUwAwEB/zAoBgNVHREEITAfggxmYWtlLmV4YW1wbGWCCWxv
Y2FsaG9zdIcEfwAAATAKBggqhkjOPQQDAgNJADBGAiEAqBqBVCl1Iw0VdshabCnn
CwfZ6Q+h3H96pWMHnxlAdRQCIQCCVqv79Jlz7mSqduWDsNwpcN+T6A3pF/+hpTPq
slGzyw==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgK6CU+yFcDqkduugu
JmGReHNF3iOL+G1cgu3hTc/+YMuhRANCAATDar3YyhoYGt+rmHE9uxy8zh+/76vV
s5UWZxurTcQsTOIm4d5dLbsxiqyTl9s0J+qYGeHfjDAkjyUYPhPQjVR9
-----END PRIVATE KEY-----
`,
}
