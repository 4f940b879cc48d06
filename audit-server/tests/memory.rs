//! Memory stays bounded under hostile requests. A separate binary, since the test measures the
//! whole process.
#![cfg(target_os = "linux")] // Other systems have no /proc to read the figure from.
#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use audit_server::LocalServer;

/// The number of concurrent clients.
const CLIENTS: usize = 4;

/// The allowed growth of the process while all of them are read. Each client has at most a body of
/// 1 MiB in memory, in a buffer that may be twice as large, plus the caches of SQLite and the
/// allocator; one body that is buffered whole is 100 MB.
const GROWTH_KB: u64 = 24 * 1_024;

/// Sends `pieces` until the server stops reading, and reads its status line.
fn send(server: &LocalServer, headers: &str, pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    let head = format!(
        "POST /audit_logs/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\n{headers}\r\n\r\n",
        server.api_key()
    );
    stream.write_all(head.as_bytes()).unwrap();
    for piece in pieces {
        // The server may have stopped reading.
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    let mut status = vec![0; 12];
    match stream.read_exact(&mut status) {
        Ok(()) => status,
        // Closed while the client was still sending.
        Err(_) => Vec::new(),
    }
}

/// Sends one of each kind of large request, from every client concurrently.
fn round(server: &LocalServer) {
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let chunk = || [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
                let endless = (0..1_600).map(|_| chunk());
                let received = send(server, "Transfer-Encoding: chunked", endless);
                assert!(
                    received.is_empty() || received == b"HTTP/1.1 413",
                    "{received:?}"
                );
                for nested in ["[", r#"{"a":"#] {
                    let length = 1_000_000 / nested.len() * nested.len();
                    let body = nested.repeat(length / nested.len()).into_bytes();
                    let headers = format!("Content-Length: {length}");
                    let received = send(server, &headers, [body].into_iter());
                    assert_eq!(received, b"HTTP/1.1 400");
                }
                let many = format!(
                    r#"{{"organization_id":"o","event":[{}0]}}"#,
                    "0,".repeat(50_000)
                );
                let headers = format!("Content-Length: {}", many.len());
                let received = send(server, &headers, [many.into_bytes()].into_iter());
                assert!(received.starts_with(b"HTTP/1.1 4"), "{received:?}");
            });
        }
    });
}

/// Returns the peak memory of this process, in kB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.unwrap().split_whitespace().next().unwrap();
    figure.parse().unwrap()
}

#[test]
fn memory_stays_flat_under_hostile_requests() {
    let server = LocalServer::start().unwrap();
    // Warms up threads, client buffers and the allocator's caches.
    round(&server);
    let before = peak();
    for _ in 0..2 {
        round(&server);
    }
    let after = peak();
    assert!(
        after - before < GROWTH_KB,
        "grew from {before} to {after} kB"
    );
}
