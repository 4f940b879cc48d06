//! A TCP stream that a fault can cut in the middle of a response.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The point at which a connection is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CutPoint {
    /// The connection is not cut.
    #[default]
    Never,
    /// After this many further bytes, as if the server had crashed.
    After(u64),
    /// Immediately, with a TCP reset.
    Reset,
}

/// Cuts one connection. Every request of the connection has a clone among its extensions.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionCutter(Arc<Mutex<CutPoint>>);

impl ConnectionCutter {
    /// Closes the connection after this many bytes of the response, head included.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.set(CutPoint::After(bytes));
    }

    /// Resets the connection instead of sending a response.
    pub(crate) fn reset(&self) {
        self.set(CutPoint::Reset);
    }

    fn set(&self, cut_point: CutPoint) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cut_point;
    }

    fn cut_point(&self) -> CutPoint {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A TCP stream that its [`ConnectionCutter`] can end.
#[derive(Debug)]
pub(crate) struct CuttableStream {
    stream: TcpStream,
    cutter: ConnectionCutter,
}

impl CuttableStream {
    pub(crate) fn new(stream: TcpStream, cutter: ConnectionCutter) -> Self {
        Self { stream, cutter }
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.cutter.cut_point() {
            CutPoint::Never => Pin::new(&mut self.stream).poll_write(cx, bytes),
            // The error makes the caller drop the connection, which closes or resets it.
            CutPoint::After(0) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            CutPoint::Reset => {
                self.stream.set_zero_linger()?;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            CutPoint::After(left) => {
                let limit = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let written = Pin::new(&mut self.stream).poll_write(cx, &bytes[..limit]);
                if let Poll::Ready(Ok(written)) = written {
                    let written = u64::try_from(written).unwrap_or(u64::MAX);
                    self.cutter.cut_after(left.saturating_sub(written));
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
