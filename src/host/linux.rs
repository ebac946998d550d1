//! A Linux host at the other end of something that runs programs: questions in one exec, orders in another.

use std::time::Duration;

use futures::future::BoxFuture;
use zeroize::Zeroizing;

use super::wire::{self, AnswerDecoder, RulingDecoder};
use super::{Answer, Ask, Order, Ruling, program};
use crate::model::Secret;
use crate::transport::Hosting;

/// How a program on the host ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status; `None` when a signal ended it.
    pub status: Option<u32>,
    /// What it wrote on standard error.
    pub stderr: String,
}

/// Runs a program on the host: an SSH session, or this machine itself.
pub trait Exec: Send + Sync {
    /// Runs `argv`, feeds it `stdin` and hands on its output as it comes.
    ///
    /// # Errors
    /// When its end is not known, in one line: it may have run nevertheless.
    fn exec<'a>(
        &'a self,
        argv: &'a [String],
        stdin: &'a [u8],
        on_stdout: &'a mut (dyn FnMut(&[u8]) + Send),
        limit: Duration,
    ) -> BoxFuture<'a, anyhow::Result<Ended>>;
}

/// How the login user becomes root.
#[derive(Clone, Debug, Default)]
pub struct Become {
    /// Whether sudo is needed: the login user is not root.
    pub needed: bool,
    /// What sudo asks for. Without it sudo must not ask.
    pub password: Option<Secret>,
}

/// How long questions and orders may take.
#[derive(Clone, Copy, Debug)]
pub struct HostLimits {
    /// All questions together.
    pub ask: Duration,
    /// All orders together; packages are installed within it.
    pub order: Duration,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self { ask: Duration::from_secs(120), order: Duration::from_secs(1800) }
    }
}

/// A Linux host.
pub struct LinuxHost<E> {
    exec: E,
    become_root: Become,
    root: String,
    limits: HostLimits,
}

impl<E: Exec> LinuxHost<E> {
    /// A host reached by `exec`. All paths are below `root` when there is one.
    pub fn new(exec: E, become_root: Become, root: Option<&str>, limits: HostLimits) -> Self {
        Self { exec, become_root, root: root.unwrap_or_default().to_owned(), limits }
    }

    /// What it is reached by.
    pub fn exec(&self) -> &E {
        &self.exec
    }

    fn argv(&self, mode: &str) -> Vec<String> {
        let sudo: &[&str] = match (self.become_root.needed, &self.become_root.password) {
            (false, _) => &[],
            (true, Some(_)) => &["sudo", "-S", "-p", ""],
            (true, None) => &["sudo", "-n"],
        };
        let shell = ["sh", "-c", program(), "rocade-host", mode, &self.root];
        sudo.iter().chain(&shell).map(|word| (*word).to_owned()).collect()
    }

    /// The password's line, which sudo takes, before the requests. When sudo does not ask, the host program
    /// skips it.
    fn stdin(&self, requests: &[u8]) -> Zeroizing<Vec<u8>> {
        let password = self.become_root.password.as_ref().filter(|_| self.become_root.needed);
        let mut stdin = Zeroizing::new(Vec::with_capacity(requests.len() + 256));
        if let Some(password) = password {
            stdin.extend_from_slice(password.reveal());
            stdin.push(b'\n');
        }
        stdin.extend_from_slice(requests);
        stdin
    }
}

/// Why the program did not come to its end, in one line.
fn why(ended: &Ended) -> String {
    let stderr = ended.stderr.to_lowercase();
    let said = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
    let last = ended.stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    if said(&["incorrect password", "try again"]) {
        "sudo refused the password: set `sudo_password` of the host's `ssh`".to_owned()
    } else if said(&[
        "not in the sudoers",
        "not allowed to run sudo",
        "may not run sudo",
        "is not allowed to execute",
    ]) {
        "the login user may not use sudo on this host".to_owned()
    } else if said(&["a password is required", "no password was provided", "a terminal is required"]) {
        "sudo asks for a password and none is set: set `password` or `sudo_password` of the host's `ssh`"
            .to_owned()
    } else if said(&["sudo: not found", "sudo: command not found", "sudo: no such file"]) {
        "the login user is not root and the host has no sudo".to_owned()
    } else {
        match (ended.status, last.is_empty()) {
            (None, _) => "the host program was killed".to_owned(),
            (Some(status), true) => format!("the host program ended early with status {status}"),
            (Some(status), false) => format!("the host program ended early with status {status}: {last}"),
        }
    }
}

impl<E: Exec> Hosting for LinuxHost<E> {
    fn ask<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, anyhow::Result<Vec<Answer>>> {
        Box::pin(async move {
            let checks: Vec<_> = asks.iter().map(wire::check_ask).collect();
            let sound: Vec<Ask> = asks
                .iter()
                .zip(&checks)
                .filter(|(_, check)| check.is_ok())
                .map(|(ask, _)| ask.clone())
                .collect();
            let stdin = self.stdin(&wire::encode_asks(&sound)?);
            let mut decoder = AnswerDecoder::new(&sound);
            let mut take = |piece: &[u8]| decoder.feed(piece);
            let argv = self.argv("ask");
            let ended = self.exec.exec(&argv, &stdin, &mut take, self.limits.ask).await?;
            anyhow::ensure!(decoder.is_complete(), "{}", why(&ended));
            let mut answers = decoder.finish("the host gave no answer").into_iter();
            let answer = |check: Result<(), wire::WireFault>| match check {
                Err(fault) => Answer::Unread(fault.to_string()),
                Ok(()) => answers.next().unwrap_or_else(|| Answer::Unread("no answer".to_owned())),
            };
            Ok(checks.into_iter().map(answer).collect())
        })
    }

    fn order<'a>(
        &'a self,
        orders: &'a [Order],
        each: &'a mut (dyn FnMut(usize, Ruling) + Send),
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let requests = match wire::encode_orders(orders) {
                Ok(requests) => requests,
                Err(_) => return refuse(orders, each),
            };
            let stdin = self.stdin(&requests);
            drop(requests);
            let mut decoder = RulingDecoder::new(orders.len());
            let mut take = |piece: &[u8]| decoder.feed(piece, &mut *each);
            let argv = self.argv("order");
            let ended = self.exec.exec(&argv, &stdin, &mut take, self.limits.order).await;
            match ended {
                Ok(ended) if !decoder.has_begun() && ended.status.is_some_and(|status| status != 0) => {
                    nothing_done(orders.len(), 0, &why(&ended), each);
                }
                Ok(ended) => decoder.finish(&why(&ended), each),
                Err(fault) => decoder.finish(&format!("{fault:#}"), each),
            }
        })
    }
}

/// Reports orders of which one cannot be sent: none of them is.
fn refuse(orders: &[Order], each: &mut (dyn FnMut(usize, Ruling) + Send)) {
    let fault = orders
        .iter()
        .enumerate()
        .find_map(|(index, order)| wire::check_order(order).err().map(|fault| (index, fault.to_string())));
    let (index, fault) = fault.unwrap_or((0, "it cannot be sent".to_owned()));
    nothing_done(orders.len(), index, &fault, each);
}

/// Reports that nothing was started because of the order at `index`.
fn nothing_done(total: usize, index: usize, fault: &str, each: &mut (dyn FnMut(usize, Ruling) + Send)) {
    for order in 0..total {
        each(order, if order == index { Ruling::Failed(fault.to_owned()) } else { Ruling::NotStarted });
    }
}
