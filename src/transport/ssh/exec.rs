//! One program run on a host: arguments in, content on standard input, output as it comes.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::time::timeout;

use super::fault::SshFault;
use super::quote::quote;
use super::session::{Session, timed_out};

/// Standard error kept of a program, in bytes; what comes after is dropped.
const STDERR_KEPT: usize = 1 << 20;

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// Its exit status, unless a signal ended it.
    pub status: Option<u32>,
    /// The signal that ended it, such as `KILL`.
    pub signal: Option<String>,
    /// What it wrote on standard error, its first MiB.
    pub stderr: Vec<u8>,
}

impl Exec {
    /// Whether it ended with status 0.
    pub fn good(&self) -> bool {
        self.status == Some(0)
    }
}

/// Closes the channel of a program whose run was given up, also when its future is dropped.
struct Hangup(ChannelWriteHalf<Msg>);

impl Drop for Hangup {
    fn drop(&mut self) {
        let _full_or_closed = self.0.close().now_or_never();
    }
}

impl Session {
    /// Runs a program and feeds it `stdin`. Its output goes to `on_stdout` as it comes; it is given `limit`
    /// in all. Several may run at once.
    ///
    /// Secrets belong on standard input: arguments can be seen by everybody on the host.
    ///
    /// # Errors
    /// When its end is not known: the program may have run, or run on, nevertheless.
    pub async fn exec(
        &self,
        command: &[String],
        stdin: &[u8],
        on_stdout: &mut (dyn FnMut(&[u8]) + Send),
        limit: Duration,
    ) -> Result<Exec, SshFault> {
        let program = command.first().map_or("", String::as_str);
        if program.is_empty() || command.iter().any(|argument| argument.contains('\0')) {
            return Err(self.protocol("no program named, or a NUL byte in an argument"));
        }
        let hop = self.hop()?;
        let channel = match timeout(self.limits.call, hop.handle.channel_open_session()).await {
            Err(_) => return Err(timed_out(&self.route, "opening a channel", self.limits.call)),
            Ok(Err(russh::Error::ChannelOpenFailure(why))) => {
                return Err(self.protocol(&format!("refuses to open a channel: {why:?}")));
            }
            Ok(Err(_)) => return Err(hop.closed(&self.whom(), "connection closed")),
            Ok(Ok(channel)) => channel,
        };
        let (reader, writer) = channel.split();
        let channel = Hangup(writer);
        self.counters.execs.fetch_add(1, Ordering::Relaxed);
        if channel.0.exec(true, quote(command)).await.is_err() {
            return Err(hop.closed(&self.whom(), "connection closed"));
        }
        let running = async {
            let mut feeding = pin!(self.feed(&channel.0, stdin).fuse());
            let mut hearing = pin!(self.hear(reader, on_stdout));
            loop {
                // The program's end ends it, whether or not it has read all its input.
                tokio::select! {
                    ended = &mut hearing => return ended,
                    () = &mut feeding => {}
                }
            }
        };
        let exec = match timeout(limit, running).await {
            Ok(ended) => ended?,
            Err(_) => return Err(timed_out(&self.route, &format!("running `{program}`"), limit)),
        };
        if exec.status.is_none() && exec.signal.is_none() {
            return Err(hop.closed(&self.whom(), "channel closed without an exit status"));
        }
        Ok(exec)
    }

    /// Sends standard input and its end. When the program stops reading, `hear` learns how it ended.
    async fn feed(&self, channel: &ChannelWriteHalf<Msg>, stdin: &[u8]) {
        for piece in stdin.chunks(32 * 1024) {
            if channel.data_bytes(piece.to_vec()).await.is_err() {
                return;
            }
            self.counters.bytes_out.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        let _closed = channel.eof().await;
    }

    async fn hear(
        &self,
        mut channel: ChannelReadHalf,
        on_stdout: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Exec, SshFault> {
        let mut exec = Exec::default();
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => {
                    self.counters.bytes_in.fetch_add(data.len() as u64, Ordering::Relaxed);
                    on_stdout(&data);
                }
                ChannelMsg::ExtendedData { data, ext: 1 } => {
                    self.counters.bytes_in.fetch_add(data.len() as u64, Ordering::Relaxed);
                    let room = STDERR_KEPT - exec.stderr.len();
                    exec.stderr.extend_from_slice(&data[..data.len().min(room)]);
                }
                ChannelMsg::ExitStatus { exit_status } => exec.status = Some(exit_status),
                ChannelMsg::ExitSignal { signal_name, .. } => exec.signal = Some(signal(signal_name)),
                ChannelMsg::Failure => return Err(self.protocol("refuses to run programs")),
                ChannelMsg::Close => break,
                _ => {}
            }
        }
        Ok(exec)
    }

    fn protocol(&self, reason: &str) -> SshFault {
        SshFault::Protocol { whom: self.whom(), reason: reason.to_owned() }
    }
}

fn signal(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        known => format!("{known:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host is asked from any thread; this does not compile when that stops being possible.
    #[allow(dead_code)]
    fn a_run_can_move_between_threads<'a>(
        session: &'a Session,
        hear: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> futures::future::BoxFuture<'a, Result<Exec, SshFault>> {
        session.exec(&[], b"", hear, Duration::ZERO).boxed()
    }
}
