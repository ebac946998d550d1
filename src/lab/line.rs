//! A connection that can be made to break: after so many bytes, or at once.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Breaks a [`Line`] at its next write.
#[derive(Clone, Debug, Default)]
pub struct Scissors(Arc<AtomicBool>);

impl Scissors {
    /// Breaks it.
    pub fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was broken.
    pub fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A TCP connection seen from the device.
pub struct Line {
    stream: TcpStream,
    /// How many more bytes the device may send.
    left: Option<u64>,
    scissors: Scissors,
}

impl Line {
    /// A connection that breaks after `left` bytes sent, when given.
    pub fn new(stream: TcpStream, left: Option<u64>) -> Self {
        Self { stream, left, scissors: Scissors::default() }
    }

    /// What breaks it.
    pub fn scissors(&self) -> Scissors {
        self.scissors.clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.left == Some(0) || self.scissors.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let allowed =
            self.left.map_or(buf.len(), |left| buf.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..allowed]))?;
        self.left = self.left.map(|left| left - sent as u64);
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
