//! The `Host` of a request, and addresses that other machines can reach.

use std::io::{Read, Write};
use std::net::TcpStream;

use audit_server::LocalServer;

/// Sends a raw request, and returns the status and the body.
fn send_raw(server: &LocalServer, head: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream
        .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}

#[test]
fn only_loopback_hosts_are_accepted() {
    let server = LocalServer::start().unwrap();
    for host in ["localhost", "127.0.0.1:1", "[::1]:4100"] {
        assert_eq!(
            send_raw(&server, &format!("GET /health HTTP/1.1\r\nHost: {host}")).0,
            200,
            "{host}"
        );
    }
    for host in ["evil.example", "localhost.evil.example", ""] {
        let (status, body) = send_raw(
            &server,
            &format!("GET /_local/events HTTP/1.1\r\nHost: {host}"),
        );
        assert_eq!(status, 403, "{host}");
        assert!(body.starts_with(r#"{"message":"#), "{body}");
    }
    let absolute = "GET http://evil.example/health HTTP/1.1\r\nHost: localhost";
    assert_eq!(send_raw(&server, absolute).0, 403);
}

#[test]
fn remote_address_has_to_be_allowed_and_then_requires_the_key() {
    let everywhere = ([0, 0, 0, 0], 0);
    let error = LocalServer::builder()
        .listen(everywhere)
        .start()
        .unwrap_err();
    assert!(error.is_remote_refused(), "{error}");
    let server = LocalServer::builder()
        .listen(everywhere)
        .allow_remote(true)
        .start()
        .unwrap();
    let there = format!("127.0.0.1:{}", server.addr().port());
    let get = |head: &str| {
        let mut stream = TcpStream::connect(&there).unwrap();
        stream
            .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(get("GET /health HTTP/1.1\r\nHost: any.example"), "200");
    assert_eq!(
        get("GET /_local/stats HTTP/1.1\r\nHost: any.example"),
        "401"
    );
    assert_eq!(
        get(
            "GET /_local/stats HTTP/1.1\r\nHost: any.example\r\nAuthorization: Bearer sk_test_local"
        ),
        "200"
    );
}
