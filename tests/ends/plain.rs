//! A minimal HTTP/1.1 client that can disconnect at any moment.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::setup::Request;

/// A connection with one request on it.
pub(crate) struct Sent(BufReader<TcpStream>);

pub(crate) async fn send(address: SocketAddr, request: Request) -> Sent {
    let document = request.document();
    let (line, more) = match request {
        Request::Stream => (format!("GET /documents/{document}/stream"), ""),
        Request::Upgrade => (
            format!("GET /documents/{document}/upgrade"),
            "connection: upgrade\r\nupgrade: example\r\n",
        ),
        Request::Head => (format!("HEAD /documents/{document}"), ""),
        Request::Options => (format!("OPTIONS /documents/{document}"), ""),
        _ => (format!("DELETE /documents/{document}"), ""),
    };
    let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    Sent(BufReader::new(stream))
}

pub(crate) async fn status(sent: &mut Sent) -> Option<u16> {
    let mut line = String::new();
    // A reset connection also ended without a response.
    let read = sent.0.read_line(&mut line).await.unwrap_or(0);
    (read > 0).then(|| line.split(' ').nth(1).unwrap().parse().unwrap())
}
