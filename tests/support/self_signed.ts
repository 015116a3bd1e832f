/**
 * A certificate for `localhost` and 127.0.0.1 that nobody trusts, and its key. They protect nothing:
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=desk.test
 * -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE`
 */
export const SELF_SIGNED = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmDCCAT6gAwIBAgIUfIKDMwYAXBMzDwvVSpmgush/FmkwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJZGVzay50ZXN0MCAXDTI2MTEyNjAxMDI1OFoYDzIxMjYxMTAy
MDEwMjU4WjAUMRIwEAYDVQQDDAlkZXNrLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASGMehDHQBP2XihW2WVnZnQqrHMTWAXqoIE7wUe7X0zw57NBII6Tx6s
8G9p8jOSWryNISt82LcZewh0LtL8Ab2Lo2wwajAdBgNVHQ4EFgQUyGINNNWnGnwT
nseDJ6NQRzfgshAwHwYDVR0jBBgwFoAUyGINNNWnGnwTnseDJ6NQRzfgshAwGgYD
VR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0E
AwIDSAAwRQIhAKBOSmwvVkr4iOQYWawSZooDMl5AxINuWYIMdq3ntlA4AiBHGzeE
lKMQ9t1kttsT5DA6/NHTxd+HiYcw926hat1fxQ==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFyrJcC6L/Uo/dMlB
xTxaHEPC0kuQRHQTvCTX3+nZZ/yhRANCAASGMehDHQBP2XihW2WVnZnQqrHMTWAX
qoIE7wUe7X0zw57NBII6Tx6s8G9p8jOSWryNISt82LcZewh0LtL8Ab2L
-----END PRIVATE KEY-----
`,
};
