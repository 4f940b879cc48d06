//! Malicious and malformed requests, over raw sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use audit_server::{Data, LocalServer};
use serde_json::{Value, json};

use crate::support::{Bench, EVENTS};

/// Sends bytes, and reads until the server ends the connection.
fn exchange(server: &LocalServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(bytes).unwrap();
    read(&mut stream)
}

/// Reads until the server closes or resets the connection.
fn read(stream: &mut TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut received = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => received.extend_from_slice(&buffer[..count]),
            Err(error) => {
                let reset = error.kind() == std::io::ErrorKind::ConnectionReset;
                assert!(reset, "the server did not end the connection: {error}");
                break;
            }
        }
    }
    String::from_utf8_lossy(&received).into_owned()
}

/// Sends an event request with this body over a connection that the server is asked to close.
fn post(server: &LocalServer, body: &[u8]) -> String {
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.api_key(),
        body.len()
    );
    exchange(server, &[head.as_bytes(), body].concat())
}

#[test]
fn head_that_never_ends_closes_the_connection() {
    let server = LocalServer::builder()
        .read_timeout(Duration::from_millis(100))
        .start()
        .unwrap();
    for start in ["", "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        assert_eq!(exchange(&server, start.as_bytes()), "");
    }
}

#[test]
fn slow_clients_do_not_block_others() {
    let server = LocalServer::start().unwrap();
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 10\r\n\r\n",
        server.api_key()
    );
    let starts = ["GET /hea", &head];
    let slow: Vec<_> = (0..200)
        .map(|index| {
            let mut stream = TcpStream::connect(server.addr()).unwrap();
            stream.write_all(starts[index % 2].as_bytes()).unwrap();
            stream
        })
        .collect();
    assert!(post(&server, b"{}").starts_with("HTTP/1.1 422 "));
    drop(slow);
}

#[test]
fn body_that_never_ends_is_a_408() {
    let server = LocalServer::builder()
        .read_timeout(Duration::from_millis(100))
        .start()
        .unwrap();
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 10\r\n\r\n{{",
        server.api_key()
    );
    let received = exchange(&server, head.as_bytes());
    assert!(received.starts_with("HTTP/1.1 408 "), "{received}");
    assert!(received.contains(r#"{"message":"The request's body took too long to arrive."}"#));
}

#[test]
fn body_of_100_megabytes_is_rejected_before_it_is_sent() {
    let server = LocalServer::start().unwrap();
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 104857600\r\n\r\n",
        server.api_key()
    );
    let received = exchange(&server, head.as_bytes());
    assert!(received.starts_with("HTTP/1.1 413 "), "{received}");
    assert!(received.ends_with(r#"{"message":"request entity too large"}"#));
}

#[test]
fn chunked_body_is_cut_off_at_the_limit() {
    let server = LocalServer::start().unwrap();
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.api_key()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let writer = std::thread::spawn(move || {
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        // 100 MB, if the server lets it.
        (0..1_600)
            .take_while(|_| stream.write_all(&chunk).is_ok())
            .count()
    });
    let received = read(&mut reader);
    assert!(
        received.is_empty() || received.starts_with("HTTP/1.1 413 "),
        "{received}"
    );
    assert!(
        writer.join().unwrap() < 1_600,
        "the server read the whole body"
    );
    let rows = server.events().unwrap();
    assert_eq!((rows.len(), rows[0].http_status()), (1, 413));
}

#[test]
fn deep_nesting_and_invalid_text_are_bad_requests() {
    let server = LocalServer::start().unwrap();
    let deep = "[".repeat(500_000);
    let deep_event = format!(
        r#"{{"organization_id":"o","event":{}"#,
        r#"{"a":"#.repeat(100_000)
    );
    for body in [
        deep.as_bytes(),
        deep_event.as_bytes(),
        b"{\"event\": \"\xFF\xFE\"}",
        b"\xEF\xBB\xBF{}",
        b"{\"event\": \"\\ud800\"}",
        b"{\"event\": 1e999999}",
        b"{}{}",
        b"\0",
    ] {
        let received = post(&server, body);
        assert!(received.starts_with("HTTP/1.1 400 "), "{received}");
        assert!(
            received.contains(r#"{"message":"The request's body is not valid JSON"#),
            "{received}"
        );
    }
    assert_eq!(server.stats().unwrap().rejected(), 8);
}

#[test]
fn input_that_is_not_http_is_rejected_and_the_server_keeps_serving() {
    let server = LocalServer::start().unwrap();
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA B: c\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ] {
        let received = exchange(&server, bytes);
        assert!(
            received.is_empty() || received.starts_with("HTTP/1.1 400 "),
            "{received}"
        );
    }
    let many = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
        "A: b\r\n".repeat(200)
    );
    assert!(exchange(&server, many.as_bytes()).starts_with("HTTP/1.1 431 "));
    let health = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(exchange(&server, health).starts_with("HTTP/1.1 200 "));
}

#[test]
fn own_routes_reject_another_origin() {
    let bench = Bench::new();
    let fault = json!({ "status": 500 });
    let send = |headers: &[(&str, &str)]| {
        let mut request = bench.request("/_local/faults", &fault);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().unwrap().status().as_u16()
    };
    for foreign in [
        [("origin", "http://evil.example")].as_slice(),
        &[("origin", "null")],
        &[
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "same-site"),
        ],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ],
    ] {
        assert_eq!(send(foreign), 403, "{foreign:?}");
    }
    assert!(bench.server.faults().is_empty());
    let own = bench.server.url().to_owned();
    assert_eq!(
        send(&[("origin", &own), ("sec-fetch-site", "same-origin")]),
        201
    );
    assert_eq!(send(&[]), 201);
    // A plain form of another page cannot even declare JSON as its type.
    let form = bench
        .client
        .post(bench.url("/_local/faults"))
        .body("status=500");
    assert_eq!(form.send().unwrap().status(), 415);
    // No response allows another origin to read it.
    let response = bench
        .client
        .get(bench.url("/_local/events"))
        .send()
        .unwrap();
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-origin")
    );
}

#[test]
fn every_own_route_rejects_another_origin_and_accepts_its_own() {
    let bench = Bench::new();
    let send = |method: &str, path: &str, body: &Value, origin: &str| {
        let request = bench
            .client
            .request(method.parse().unwrap(), bench.url(path))
            .header("content-type", "application/json")
            .header("origin", origin)
            .body(body.to_string());
        request.send().unwrap().status().as_u16()
    };
    let own = bench.server.url().to_owned();
    let foreign = "http://evil.example";
    let fault = json!({ "status": 500 });
    for (method, path, body, done) in [
        ("POST", "/_local/faults", &fault, 201),
        ("DELETE", "/_local/faults", &json!(null), 200),
        (
            "POST",
            "/_local/organizations",
            &json!({ "id": "org_2" }),
            201,
        ),
        // These only read, but another origin's page must not use them either.
        ("GET", "/_local/events", &json!(null), 200),
        ("GET", "/_local/stats", &json!(null), 200),
    ] {
        assert_eq!(send(method, path, body, foreign), 403, "{method} {path}");
        assert_eq!(send(method, path, body, &own), done, "{method} {path}");
    }
}

#[test]
fn id_is_never_used_as_a_file_path() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in").join("audit.db");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let builder = LocalServer::builder().organization("org_1");
    let bench = Bench::with(builder.data(Data::File(file)));
    let up = "..%2F..%2Fevil";
    // Any text is an action name, and this one has no other meaning.
    bench.register(up, &json!({ "targets": [{ "type": "team" }] }));
    let listed = bench.get("/audit_logs/actions").body;
    assert_eq!(listed["data"][0]["name"], "../../evil");
    let missing = json!({ "message": "Organization not found: '../../evil'." });
    for path in ["audit_logs_retention", "audit_log_configuration"] {
        let reply = bench.get(&format!("/organizations/{up}/{path}"));
        assert_eq!((reply.status, &reply.body), (404, &missing), "{path}");
    }
    let body = json!({ "id": "../../evil", "name": "x" });
    assert_eq!(bench.post("/_local/organizations", &body).status, 422);
    let above: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(above.len(), 1, "{above:?}");
    for entry in std::fs::read_dir(dir.path().join("in")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with("audit.db"), "{name}");
    }
}

#[test]
fn invalid_text_outside_the_body_is_rejected() {
    let server = LocalServer::start().unwrap();
    let key = format!("Authorization: Bearer {}", server.api_key());
    let body = "Content-Type: application/json\r\nContent-Length: 2";
    for (line, headers, status) in [
        (
            &b"GET /audit_logs/actions?after=%FF"[..],
            key.as_bytes(),
            "422",
        ),
        (b"GET /_local/events?action=%FF", b"", "200"),
        (
            b"GET /organizations/%FF/audit_logs_retention",
            key.as_bytes(),
            "404",
        ),
        (
            b"GET /audit_logs/actions/%C0%AE/schemas",
            key.as_bytes(),
            "400",
        ),
        (
            b"GET /audit_logs/actions",
            b"Authorization: Bearer \xFF",
            "401",
        ),
        (b"GET /_local/events", b"Origin: \xFF", "403"),
        (b"GET /health\xFF", b"", "400"),
    ] {
        let head = [
            line,
            b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Nothing: \xFF\r\n",
            headers,
            if headers.is_empty() { b"" } else { b"\r\n" },
            b"\r\n",
        ];
        let received = exchange(&server, &head.concat());
        let shown = String::from_utf8_lossy(line);
        assert_eq!(received.get(9..12), Some(status), "{shown}: {received}");
    }
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{key}\r\n{body}\r\nIdempotency-Key: "
    );
    let received = exchange(&server, &[head.as_bytes(), b"\xFF\r\n\r\n{}"].concat());
    assert!(received.starts_with("HTTP/1.1 4"), "{received}");
    assert_eq!(server.stats().unwrap().accepted(), 0);
}

#[test]
fn path_traversal_is_rejected() {
    let server = LocalServer::start().unwrap();
    for path in [
        "/../../etc/passwd",
        "/assets/../../etc/passwd",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/exports/..%2f..%2fetc%2fpasswd.csv?expires=1&signature=00",
        "//audit_logs/events",
        "/%2e%2e/health",
    ] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let received = exchange(&server, head.as_bytes());
        let status = &received[9..12];
        assert!(matches!(status, "403" | "404"), "{path}: {received}");
        assert!(received.contains(r#"{"message":"#), "{received}");
    }
}
