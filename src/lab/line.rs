//! A connection that can be made to break: after so many bytes, or when its device loses its power.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::gate::Leash;

/// A TCP connection seen from the device.
pub struct Line {
    stream: TcpStream,
    /// How many more bytes the device may send.
    left: Option<u64>,
    leash: Leash,
}

impl Line {
    /// A connection that breaks after `left` bytes sent, when given, and when it is cut.
    pub fn new(stream: TcpStream, left: Option<u64>, leash: Leash) -> Self {
        Self { stream, left, leash }
    }
}

fn reset<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.leash.is_cut(0, cx) {
            return reset();
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.left == Some(0) || self.leash.is_cut(1, cx) {
            return reset();
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
