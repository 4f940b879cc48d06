//! A scripted HTTP server with control over the bytes on the wire, and a journal of its requests.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// The body of the service's response to an accepted event.
pub(crate) const SUCCESS: &str = r#"{"success":true}"#;

/// One received request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By lower-case name.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// The number of its connection.
    pub(crate) connection: usize,
    pub(crate) at: Instant,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Returns the idempotency key.
    pub(crate) fn key(&self) -> &str {
        self.header("idempotency-key")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The scripted response to one request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    head: String,
    body: Vec<u8>,
    /// Truncates the body after this many bytes.
    cut: Option<usize>,
    end: End,
}

/// The state of the connection after the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    KeepAlive,
    Close,
    /// Closed with RST.
    Reset,
}

impl Reply {
    /// Creates a complete response with no header but `content-length`.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self {
            head: format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n", body.len()),
            body,
            cut: None,
            end: End::KeepAlive,
        }
    }

    pub(crate) fn success() -> Self {
        Self::new(200, SUCCESS)
    }

    /// Sends no response: resets the connection (RST) after reading the request.
    pub(crate) fn reset() -> Self {
        Self::nothing(End::Reset)
    }

    /// Sends no response: closes the connection after reading the request.
    pub(crate) fn close() -> Self {
        Self::nothing(End::Close)
    }

    fn nothing(end: End) -> Self {
        Self {
            head: String::new(),
            body: Vec::new(),
            cut: None,
            end,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head = format!("{}{name}: {value}\r\n", self.head);
        self
    }

    /// Closes the connection after the response, without a `connection: close` header.
    pub(crate) fn then_close(mut self) -> Self {
        self.end = End::Close;
        self
    }

    /// Closes the connection after this many bytes of the body; `content-length` announces all of
    /// it.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self.then_close()
    }

    /// As [`Reply::cut_after`], but resets the connection.
    pub(crate) fn reset_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self.end = End::Reset;
        self
    }

    async fn write(&self, stream: &mut impl Stream) -> io::Result<()> {
        if !self.head.is_empty() {
            let body = &self.body[..self.cut.unwrap_or(self.body.len())];
            let bytes = [self.head.as_bytes(), b"\r\n", body].concat();
            stream.write_all(&bytes).await?;
            stream.flush().await?;
        }
        if self.end == End::Reset {
            stream.tcp().set_zero_linger()?;
        }
        Ok(())
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Returns the response to the request of this number, counted from 0 over all connections.
type Script = Box<dyn FnMut(usize, &Request) -> Reply + Send>;

/// The server's TLS configuration; `None` is plain text.
pub(crate) type Tls = Arc<Mutex<Option<Arc<ServerConfig>>>>;

struct Shared {
    script: Mutex<Script>,
    journal: watch::Sender<Vec<Request>>,
    tls: Tls,
}

/// A running server, as tasks of the runtime that started it.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts a server that follows the script, on a free loopback port.
    pub(crate) async fn start(
        script: impl FnMut(usize, &Request) -> Reply + Send + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), Tls::default(), script).await
    }

    /// Starts a server that sends these responses in order, and success to every later request.
    pub(crate) async fn replying(first: impl IntoIterator<Item = Reply>) -> Self {
        let mut first: Vec<_> = first.into_iter().collect();
        first.reverse();
        Self::start(move |_, _| first.pop().unwrap_or_else(Reply::success)).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        tls: Tls,
        script: impl FnMut(usize, &Request) -> Reply + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            journal: watch::Sender::default(),
            tls,
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&accepting);
                // Ignores errors: a client may break its connection.
                tokio::spawn(async move { shared.accept(stream, connection).await.ok() });
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far, in order.
    pub(crate) fn journal(&self) -> Vec<Request> {
        self.shared.journal.borrow().clone()
    }
}

impl Shared {
    async fn accept(&self, stream: TcpStream, connection: usize) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let tls = self.tls.lock().unwrap().clone();
        match tls {
            None => self.serve(stream, connection).await,
            Some(config) => {
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                self.serve(stream, connection).await
            }
        }
    }

    async fn serve(&self, mut stream: impl Stream, connection: usize) -> io::Result<()> {
        loop {
            let request = read(&mut stream, connection).await?;
            let mut reply = None;
            self.journal.send_modify(|journal| {
                let mut script = self.script.lock().unwrap();
                reply = Some(script(journal.len(), &request));
                journal.push(request);
            });
            let Some(reply) = reply else { return Ok(()) };
            reply.write(&mut stream).await?;
            if reply.end != End::KeepAlive {
                return Ok(());
            }
        }
    }
}

async fn read(stream: &mut impl Stream, connection: usize) -> io::Result<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut word = || first.next().unwrap_or_default().to_owned();
    let (method, path) = (word(), word());
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(Ok(0), |length| length.parse())
        .map_err(io::Error::other)?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Request {
        method,
        path,
        headers,
        body,
        connection,
        at: Instant::now(),
    })
}
