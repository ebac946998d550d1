//! One exec: a command line, what it reads on standard input, and what comes back.

use std::sync::Arc;

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg, Disconnect};

use super::machine::VirtualHost;
use super::shell::{self, Ended};
use super::ssh::Login;
use crate::host::{Answer, Ruling, wire};

/// What an exec needs to know.
pub struct Exec {
    /// The device.
    pub host: Arc<VirtualHost>,
    /// Who logged in.
    pub user: String,
    /// The login, for sudo.
    pub login: Arc<Login>,
    /// What ends the connection.
    pub session: Handle,
    /// Whether what it answers is garbage.
    pub garbled: bool,
}

/// Standard input as it arrives.
struct Stdin<'a> {
    channel: &'a mut Channel<Msg>,
    read: Vec<u8>,
}

impl Stdin<'_> {
    /// Waits for more; false at the end.
    async fn more(&mut self) -> bool {
        loop {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    self.read.extend_from_slice(&data);
                    return true;
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return false,
                Some(_) => {}
            }
        }
    }

    /// The first line, without its end.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Everything to the end.
    async fn rest(&mut self) -> &[u8] {
        while self.more().await {}
        &self.read
    }
}

/// The command behind sudo, and whether there is sudo; `-S` and a prompt are taken, nothing else.
fn without_sudo(argv: &[String]) -> Result<(&[String], bool), Ended> {
    let Some((first, mut rest)) = argv.split_first().filter(|(first, _)| *first == "sudo") else {
        return Ok((argv, false));
    };
    loop {
        rest = match rest {
            [flag, rest @ ..] if flag == "-S" => rest,
            [flag, _, rest @ ..] if flag == "-p" => rest,
            [flag, ..] if flag == "-n" => return Err(Ended::bad(1, "sudo: a password is required")),
            [flag, ..] if flag.starts_with('-') => {
                return Err(Ended::bad(1, format!("{first}: {flag}: not known (simulated device)")));
            }
            _ => return Ok((rest, true)),
        };
    }
}

impl Exec {
    /// Serves it on its channel.
    pub async fn serve(self, line: &str, mut channel: Channel<Msg>) {
        tokio::time::sleep(self.host.knobs.now().slow).await;
        let ended = match shell::words(line) {
            Ok(argv) => self.run(&argv, &mut channel).await,
            Err(reason) => Ended::bad(2, format!("sh: syntax error: {reason}")),
        };
        // The other end may be gone; there is nobody left to tell.
        let _ = channel.data_bytes(self.said(ended.stdout)).await;
        let _ = channel.extended_data_bytes(1, ended.stderr.into_bytes()).await;
        let _ = channel.exit_status(ended.status).await;
        let _ = channel.eof().await;
        let _ = channel.close().await;
    }

    /// What arrives of what it says.
    fn said(&self, bytes: impl Into<Vec<u8>>) -> Vec<u8> {
        let mut bytes = bytes.into();
        if self.garbled {
            bytes.iter_mut().for_each(|byte| *byte ^= 0xA5);
        }
        bytes
    }

    async fn run(&self, argv: &[String], channel: &mut Channel<Msg>) -> Ended {
        let (argv, sudo) = match without_sudo(argv) {
            Ok(split) => split,
            Err(ended) => return ended,
        };
        let mut stdin = Stdin { channel, read: Vec::new() };
        if sudo && self.user != "root" {
            match stdin.line().await {
                Some(password) if self.login.fits(&self.user, &password) => {}
                Some(_) => return Ended::bad(1, "Sorry, try again.\nsudo: 1 incorrect password attempt"),
                None => return Ended::bad(1, "sudo: no password was provided"),
            }
        }
        let user = if sudo { "root" } else { self.user.as_str() };
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        let ["sh", "-c", program, "rocade-host", mode, root] = words[..] else {
            return shell::command(&self.host, argv, user);
        };
        if program != crate::host::program() {
            return Ended::bad(2, "sh: only rocade's host program is known (simulated device)");
        }
        if !root.is_empty() {
            return Ended::bad(2, "rocade-host: no root prefix here (simulated device)");
        }
        let input = stdin.rest().await.to_vec();
        match mode {
            "ask" => self.ask(&input, user),
            "order" => self.order(&input, user, channel).await,
            _ => Ended::bad(2, format!("rocade-host: {mode}: neither ask nor order")),
        }
    }

    fn ask(&self, input: &[u8], user: &str) -> Ended {
        match wire::decode_asks(input) {
            Ok(asks) => {
                let answers: Vec<Answer> = asks.iter().map(|ask| self.host.answer(ask, user)).collect();
                Ended::good(wire::encode_answers(&asks, &answers))
            }
            Err(fault) => Ended::bad(2, format!("rocade-host: {fault}")),
        }
    }

    /// Carries out orders and reports each as it is done. A connection that breaks ends it, as the hang-up
    /// ends the program on a real host.
    async fn order(&self, input: &[u8], user: &str, channel: &Channel<Msg>) -> Ended {
        let orders = match wire::decode_orders(input) {
            Ok(orders) => orders,
            Err(fault) => return Ended::bad(2, format!("rocade-host: {fault}")),
        };
        if channel.data_bytes(self.said(wire::encode_begin())).await.is_err() {
            return Ended::default();
        }
        let life = self.host.life();
        for (index, order) in orders.iter().enumerate() {
            if self.host.life() != life {
                return Ended::default();
            }
            let ruling = self.host.carry_out(order, user).await;
            if self.host.knobs.order_is_cut() {
                // In line behind the answers before this one: those are sent.
                let _ =
                    self.session.disconnect(Disconnect::ByApplication, String::new(), String::new()).await;
                return Ended::default();
            }
            if channel.data_bytes(self.said(wire::encode_ruling(index, &ruling))).await.is_err() {
                return Ended::default();
            }
            if matches!(ruling, Ruling::Failed(_)) {
                break;
            }
        }
        Ended::good(wire::encode_end())
    }
}
