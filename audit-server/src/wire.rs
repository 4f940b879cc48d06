//! A connection that can be cut in the middle of an answer.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Where a connection ends before its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// It does not.
    #[default]
    Open,
    /// After so many further bytes, as if the server had gone.
    After(u64),
    /// At once, with a TCP reset.
    Reset,
}

/// Ends one connection; every request that comes over it has a clone among its extensions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scissors(Arc<Mutex<End>>);

impl Scissors {
    /// Lets so many bytes of the answer pass, head included, and then closes the connection.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.set(End::After(bytes));
    }

    /// Answers with a TCP reset, and nothing else.
    pub(crate) fn reset(&self) {
        self.set(End::Reset);
    }

    fn set(&self, end: End) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    fn end(&self) -> End {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A TCP stream under a pair of scissors.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    scissors: Scissors,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, scissors: Scissors) -> Self {
        Self { stream, scissors }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.scissors.end() {
            End::Open => Pin::new(&mut self.stream).poll_write(cx, bytes),
            // The error makes the caller drop the connection, which is what closes or resets it.
            End::After(0) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            End::Reset => {
                self.stream.set_zero_linger()?;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            End::After(left) => {
                let most = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let written = Pin::new(&mut self.stream).poll_write(cx, &bytes[..most]);
                if let Poll::Ready(Ok(written)) = written {
                    let written = u64::try_from(written).unwrap_or(u64::MAX);
                    self.scissors.cut_after(left.saturating_sub(written));
                }
                written
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
