//! A server that answers as it is told, down to the bytes on the wire, and keeps a journal of what
//! it was asked.

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

/// What the service answers when it has taken an event.
pub(crate) const SUCCESS: &str = r#"{"success":true}"#;

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By lower-case name.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// The number of the connection that it came over.
    pub(crate) connection: usize,
    pub(crate) at: Instant,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The idempotency key.
    pub(crate) fn key(&self) -> &str {
        self.header("idempotency-key")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    head: String,
    body: Vec<u8>,
    /// After how many bytes of the body the answer breaks off.
    cut: Option<usize>,
    end: End,
}

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    KeepAlive,
    Close,
    /// Closed with RST.
    Reset,
}

impl Answer {
    /// A whole answer without headers beside the length of its body.
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

    /// No answer: the connection ends with RST after the request was read.
    pub(crate) fn reset() -> Self {
        Self::nothing(End::Reset)
    }

    /// No answer: the connection is closed after the request was read.
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

    /// The connection is closed after the answer, and nothing in the answer says so.
    pub(crate) fn then_close(mut self) -> Self {
        self.end = End::Close;
        self
    }

    /// The head says how long the body is, and the connection is closed after this many bytes of
    /// it.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self.then_close()
    }

    /// As [`Answer::cut_after`], but the connection ends with RST.
    pub(crate) fn reset_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self.end = End::Reset;
        self
    }

    async fn write(&self, stream: &mut impl Stream) -> io::Result<()> {
        if !self.head.is_empty() {
            let body = &self.body[..self.cut.unwrap_or(self.body.len())];
            let answer = [self.head.as_bytes(), b"\r\n", body].concat();
            stream.write_all(&answer).await?;
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

/// What the server does with the request of that number, counted from 0 over all connections.
type Script = Box<dyn FnMut(usize, &Request) -> Answer + Send>;

/// With what the server shows who it is; none means plain text.
pub(crate) type Tls = Arc<Mutex<Option<Arc<ServerConfig>>>>;

struct Shared {
    script: Mutex<Script>,
    journal: watch::Sender<Vec<Request>>,
    tls: Tls,
}

/// The server runs as tasks of the runtime that it was started in.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Answers each request as the script says, on a free port of the loopback address.
    pub(crate) async fn start(
        script: impl FnMut(usize, &Request) -> Answer + Send + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), Tls::default(), script).await
    }

    /// Answers the first requests with these, in their order, and then with success.
    pub(crate) async fn answering(first: impl IntoIterator<Item = Answer>) -> Self {
        let mut first: Vec<_> = first.into_iter().collect();
        first.reverse();
        Self::start(move |_, _| first.pop().unwrap_or_else(Answer::success)).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        tls: Tls,
        script: impl FnMut(usize, &Request) -> Answer + Send + 'static,
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
                // A connection that the client breaks is the client's affair.
                tokio::spawn(async move { shared.welcome(stream, connection).await.ok() });
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

    /// What it was asked so far, in order.
    pub(crate) fn journal(&self) -> Vec<Request> {
        self.shared.journal.borrow().clone()
    }
}

impl Shared {
    async fn welcome(&self, stream: TcpStream, connection: usize) -> io::Result<()> {
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
            let mut answer = None;
            self.journal.send_modify(|journal| {
                let mut script = self.script.lock().unwrap();
                answer = Some(script(journal.len(), &request));
                journal.push(request);
            });
            let Some(answer) = answer else { return Ok(()) };
            answer.write(&mut stream).await?;
            if answer.end != End::KeepAlive {
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
