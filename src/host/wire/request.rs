//! Requests: what we ask and order, as lines on the host program's standard input.
//!
//! No request can hold a control character outside base64: it is refused here, before anything is sent.

use std::collections::VecDeque;

use zeroize::Zeroizing;

use super::super::{Ask, Order, ServiceAct, Thing, program};
use super::{END, MAGIC, UNIT, WireFault, armor, unarmor, words};
use crate::model::Secret;

/// Contents longer than this in base64 travel in blocks behind their line: a shell reads a line byte by byte.
const INLINE_LIMIT: usize = 4096;
/// Blocks are filled up with line ends, so that `dd` can count them.
const BLOCK: usize = 4096;
/// Stands behind the blocks, so that a stream cut within them is noticed.
const BLOCKS_END: &str = ".";

/// Whether a question can be sent.
///
/// # Errors
/// Why it cannot.
pub fn check_ask(ask: &Ask) -> Result<(), WireFault> {
    match ask {
        Ask::Facts | Ask::Listening | Ask::Ruleset => Ok(()),
        Ask::File { path } | Ask::Content { path } | Ask::Files { directory: path } => check_path(path),
        Ask::Package { name } => check_package(name),
        Ask::Service { name, watch } => check_service(name, watch),
        Ask::User { name } => check_name("an account's name", name),
        Ask::Get { url } => check_text("a URL", url),
        Ask::Firewall { table } => check_text("a table", table),
    }
}

/// Whether an order can be sent.
///
/// # Errors
/// Why it cannot.
pub fn check_order(order: &Order) -> Result<(), WireFault> {
    match order {
        Order::Put { path, mode, owner, group, .. }
        | Order::Own { path, mode, owner, group }
        | Order::Directory { path, mode, owner, group } => {
            check_path(path)?;
            check_mode(mode)?;
            check_name("an owner", owner)?;
            check_name("a group", group)
        }
        Order::Remove { path } => check_path(path),
        Order::Install { package } => check_package(package),
        Order::Service { name, watch, .. } => check_service(name, watch),
        Order::User { name, home } => check_name("an account's name", name).and_then(|()| check_path(home)),
        Order::Trial { argv, .. } | Order::Run { argv, .. } => check_argv(argv),
        Order::Send { url, .. } => check_text("a URL", url),
        Order::Keep { name, things } => {
            check_name("the name of an apply", name)?;
            things.iter().try_for_each(check_thing)
        }
        Order::Arm { name, .. } | Order::Confirm { name } | Order::Revert { name } => {
            check_name("the name of an apply", name)
        }
        Order::Lock { holder, words, .. } => {
            check_name("the holder of a lock", holder)?;
            check_text("the words of a lock", words)
        }
        Order::Unlock { holder } => check_name("the holder of a lock", holder),
    }
}

fn check_thing(thing: &Thing) -> Result<(), WireFault> {
    match thing {
        Thing::File(path) => check_path(path),
        Thing::Service(name) => check_name("a service's name", name),
        Thing::Page(url) => check_text("a URL", url),
        Thing::Table(name) => check_text("a table", name),
    }
}

fn check_text(what: &'static str, text: &str) -> Result<(), WireFault> {
    match text.chars().any(|c| c.is_ascii_control()) {
        true => Err(WireFault::Control { what, text: text.to_owned() }),
        false => Ok(()),
    }
}

fn check_form(what: &'static str, text: &str, good: bool, rule: &'static str) -> Result<(), WireFault> {
    check_text(what, text)?;
    match good {
        true => Ok(()),
        false => Err(WireFault::Form { what, text: text.to_owned(), rule }),
    }
}

fn check_path(path: &str) -> Result<(), WireFault> {
    let named = path
        .strip_prefix('/')
        .is_some_and(|rest| !rest.is_empty() && rest.split('/').all(|part| !matches!(part, "" | "." | "..")));
    check_form("a path", path, named, "it is absolute, without empty parts, `.` and `..`")
}

fn check_mode(mode: &str) -> Result<(), WireFault> {
    let octal = (3..=5).contains(&mode.len()) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    check_form("a mode", mode, octal, "it is permission bits in octal, such as 0644")
}

fn check_package(name: &str) -> Result<(), WireFault> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    let good = !name.is_empty() && !name.starts_with(['-', '+', '.']) && name.chars().all(letters);
    check_form("a package's name", name, good, "it is lower-case letters, digits, `+`, `-` and `.`")
}

/// Names of accounts, groups and services: they stand as arguments and in file names.
fn check_name(what: &'static str, name: &str) -> Result<(), WireFault> {
    let letters = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
    let good = !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(letters);
    check_form(what, name, good, "it is letters, digits, `_`, `-`, `.` and `@`")
}

fn check_service(name: &str, watch: &[String]) -> Result<(), WireFault> {
    check_name("a service's name", name)?;
    watch.iter().try_for_each(|path| check_path(path))
}

fn check_argv(argv: &[String]) -> Result<(), WireFault> {
    let program = argv.first().map_or("", String::as_str);
    check_form("a program", program, !program.is_empty(), "it has a name")?;
    argv.iter().try_for_each(|word| check_text("an argument", word))
}

/// Writes questions as the host program reads them.
///
/// # Errors
/// The first question that cannot be sent.
pub fn encode_asks(asks: &[Ask]) -> Result<Vec<u8>, WireFault> {
    let mut sheet = Sheet::new();
    for ask in asks {
        check_ask(ask)?;
        match ask {
            Ask::Facts => sheet.line(&["facts"]),
            Ask::File { path } => sheet.line(&["file", path]),
            Ask::Content { path } => sheet.line(&["content", path]),
            Ask::Files { directory } => sheet.line(&["files", directory]),
            Ask::Package { name } => sheet.line(&["package", name]),
            Ask::Service { name, watch } => sheet.list(&["service", name], watch),
            Ask::User { name } => sheet.line(&["user", name]),
            Ask::Get { url } => sheet.line(&["get", url]),
            Ask::Listening => sheet.line(&["listening"]),
            Ask::Firewall { table } => sheet.line(&["firewall", table]),
            Ask::Ruleset => sheet.line(&["ruleset"]),
        }
    }
    Ok(std::mem::take(&mut *sheet.end()))
}

/// Writes orders as the host program reads them. The bytes hold secrets.
///
/// # Errors
/// The first order that cannot be sent.
pub fn encode_orders(orders: &[Order]) -> Result<Zeroizing<Vec<u8>>, WireFault> {
    let mut sheet = Sheet::new();
    for order in orders {
        check_order(order)?;
        match order {
            Order::Put { path, content, mode, owner, group } => {
                sheet.load(&["put"], content, &[path, mode, owner, group]);
            }
            Order::Own { path, mode, owner, group } => sheet.line(&["own", path, mode, owner, group]),
            Order::Directory { path, mode, owner, group } => {
                sheet.line(&["directory", path, mode, owner, group]);
            }
            Order::Remove { path } => sheet.line(&["remove", path]),
            Order::Install { package } => sheet.line(&["install", package]),
            Order::Service { name, act, watch } => sheet.list(&["service", name, act_word(*act)], watch),
            Order::User { name, home } => sheet.line(&["user", name, home]),
            Order::Trial { argv, seconds } => sheet.list(&["trial", &seconds.to_string()], argv),
            Order::Run { argv, stdin } => {
                let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
                sheet.load(&["run"], stdin, &argv);
            }
            Order::Send { method, url, body } => sheet.load(&["send"], body, &[method, url]),
            Order::Keep { name, things } => {
                sheet.list(&["keep", name], &things.iter().map(thing_word).collect::<Vec<_>>());
            }
            // The program itself comes along: after a power cut the host runs it alone.
            Order::Arm { name, seconds } => {
                let program = Secret::new(program(), "the host program");
                sheet.load(&["arm", name, &seconds.to_string()], &program, &[]);
            }
            Order::Confirm { name } => sheet.line(&["confirm", name]),
            Order::Revert { name } => sheet.line(&["revert", name]),
            Order::Lock { holder, seconds, words } => {
                sheet.line(&["lock", holder, &seconds.to_string(), words]);
            }
            Order::Unlock { holder } => sheet.line(&["unlock", holder]),
        }
    }
    Ok(sheet.end())
}

/// The stream being written.
struct Sheet {
    out: Zeroizing<Vec<u8>>,
}

impl Sheet {
    fn new() -> Self {
        Self { out: Zeroizing::new(format!("{MAGIC}\n").into_bytes()) }
    }

    fn word(&mut self, word: &str) {
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(UNIT as u8);
    }

    fn line(&mut self, words: &[&str]) {
        words.iter().for_each(|word| self.word(word));
        self.out.push(b'\n');
    }

    fn list(&mut self, words: &[&str], more: &[String]) {
        words.iter().for_each(|word| self.word(word));
        more.iter().for_each(|word| self.word(word));
        self.out.push(b'\n');
    }

    /// A line with contents: number of blocks and the contents themselves when there are none.
    fn load(&mut self, head: &[&str], content: &Secret, tail: &[&str]) {
        let content = armor(content.reveal());
        let inline = content.len() <= INLINE_LIMIT;
        let blocks = if inline { 0 } else { (content.len() + 1).div_ceil(BLOCK) };
        head.iter().for_each(|word| self.word(word));
        self.word(&blocks.to_string());
        self.word(if inline { &content } else { "" });
        self.line(tail);
        if !inline {
            self.out.reserve(blocks * BLOCK + BLOCKS_END.len() + 1);
            self.out.extend_from_slice(content.as_bytes());
            let filling = blocks * BLOCK - content.len();
            self.out.extend(std::iter::repeat_n(b'\n', filling));
            self.out.extend_from_slice(BLOCKS_END.as_bytes());
            self.out.push(b'\n');
        }
    }

    fn end(mut self) -> Zeroizing<Vec<u8>> {
        self.out.extend_from_slice(END.as_bytes());
        self.out.push(b'\n');
        self.out
    }
}

fn act_word(act: ServiceAct) -> &'static str {
    match act {
        ServiceAct::Enable => "enable",
        ServiceAct::Disable => "disable",
        ServiceAct::Start => "start",
        ServiceAct::Stop => "stop",
        ServiceAct::Reload => "reload",
        ServiceAct::Restart => "restart",
    }
}

fn act_of(word: &str) -> Option<ServiceAct> {
    use ServiceAct::{Disable, Enable, Reload, Restart, Start, Stop};
    [Enable, Disable, Start, Stop, Reload, Restart].into_iter().find(|act| act_word(*act) == word)
}

fn thing_word(thing: &Thing) -> String {
    match thing {
        Thing::File(path) => format!("file={path}"),
        Thing::Service(name) => format!("service={name}"),
        Thing::Page(url) => format!("page={url}"),
        Thing::Table(name) => format!("table={name}"),
    }
}

fn thing_of(word: &str) -> Option<Thing> {
    let (sort, name) = word.split_once('=')?;
    match sort {
        "file" => Some(Thing::File(name.to_owned())),
        "service" => Some(Thing::Service(name.to_owned())),
        "page" => Some(Thing::Page(name.to_owned())),
        "table" => Some(Thing::Table(name.to_owned())),
        _ => None,
    }
}

/// Reads questions, for a simulated host.
///
/// # Errors
/// The first line that is no question.
pub fn decode_asks(stream: &[u8]) -> Result<Vec<Ask>, WireFault> {
    let mut script = Script::open(stream)?;
    let mut asks = Vec::new();
    while let Some(line) = script.next()? {
        let ask = match line.as_slice() {
            ["facts"] => Ask::Facts,
            ["listening"] => Ask::Listening,
            ["file", path] => Ask::File { path: (*path).to_owned() },
            ["content", path] => Ask::Content { path: (*path).to_owned() },
            ["files", directory] => Ask::Files { directory: (*directory).to_owned() },
            ["package", name] => Ask::Package { name: (*name).to_owned() },
            ["service", name, watch @ ..] => Ask::Service { name: (*name).to_owned(), watch: owned(watch) },
            ["user", name] => Ask::User { name: (*name).to_owned() },
            ["get", url] => Ask::Get { url: (*url).to_owned() },
            ["firewall", table] => Ask::Firewall { table: (*table).to_owned() },
            ["ruleset"] => Ask::Ruleset,
            _ => return Err(script.damaged("no such question")),
        };
        asks.push(ask);
    }
    Ok(asks)
}

/// Reads orders, for a simulated host.
///
/// # Errors
/// The first line that is no order.
pub fn decode_orders(stream: &[u8]) -> Result<Vec<Order>, WireFault> {
    let mut script = Script::open(stream)?;
    let mut orders = Vec::new();
    while let Some(line) = script.next()? {
        let own = |word: &&str| (*word).to_owned();
        let order = match line.as_slice() {
            ["put", blocks, inline, path, mode, owner, group] => Order::Put {
                content: script.content(blocks, inline)?,
                path: own(path),
                mode: own(mode),
                owner: own(owner),
                group: own(group),
            },
            ["own", path, mode, owner, group] => {
                Order::Own { path: own(path), mode: own(mode), owner: own(owner), group: own(group) }
            }
            ["directory", path, mode, owner, group] => {
                Order::Directory { path: own(path), mode: own(mode), owner: own(owner), group: own(group) }
            }
            ["remove", path] => Order::Remove { path: own(path) },
            ["install", package] => Order::Install { package: own(package) },
            ["service", name, act, watch @ ..] => Order::Service {
                name: own(name),
                act: act_of(act).ok_or_else(|| script.damaged("no such act"))?,
                watch: owned(watch),
            },
            ["user", name, home] => Order::User { name: own(name), home: own(home) },
            ["trial", seconds, argv @ ..] => {
                Order::Trial { argv: owned(argv), seconds: script.seconds(seconds)? }
            }
            ["run", blocks, inline, argv @ ..] => {
                Order::Run { stdin: script.content(blocks, inline)?, argv: owned(argv) }
            }
            ["send", blocks, inline, method, url] => Order::Send {
                body: script.content(blocks, inline)?,
                method: ["POST", "PUT", "DELETE"]
                    .into_iter()
                    .find(|known| known == method)
                    .ok_or_else(|| script.damaged("no such method"))?,
                url: own(url),
            },
            ["keep", name, things @ ..] => {
                let things = things.iter().map(|word| thing_of(word)).collect::<Option<Vec<_>>>();
                let things = things.ok_or_else(|| script.damaged("nothing that can be kept"))?;
                Order::Keep { name: own(name), things }
            }
            ["arm", name, seconds, blocks, inline] => {
                drop(script.content(blocks, inline)?);
                Order::Arm { name: own(name), seconds: script.seconds(seconds)? }
            }
            ["confirm", name] => Order::Confirm { name: own(name) },
            ["revert", name] => Order::Revert { name: own(name) },
            ["lock", holder, seconds, words] => {
                Order::Lock { holder: own(holder), seconds: script.seconds(seconds)?, words: own(words) }
            }
            ["unlock", holder] => Order::Unlock { holder: own(holder) },
            _ => return Err(script.damaged("no such order")),
        };
        orders.push(order);
    }
    Ok(orders)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The stream being read.
struct Script<'a> {
    lines: VecDeque<&'a str>,
    line: usize,
}

impl<'a> Script<'a> {
    fn open(stream: &'a [u8]) -> Result<Self, WireFault> {
        let text = std::str::from_utf8(stream)
            .map_err(|_| WireFault::Damaged { line: 0, why: "it is not UTF-8 text" })?;
        let mut script = Self { lines: text.lines().collect(), line: 0 };
        while let Some(line) = script.pop() {
            if line == MAGIC {
                return Ok(script);
            }
        }
        Err(script.damaged("it ends before the first request"))
    }

    fn pop(&mut self) -> Option<&'a str> {
        self.line += 1;
        self.lines.pop_front()
    }

    fn damaged(&self, why: &'static str) -> WireFault {
        WireFault::Damaged { line: self.line, why }
    }

    /// The words of the next request; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<&'a str>>, WireFault> {
        match self.pop() {
            Some(END) => Ok(None),
            Some(line) => words(line).map(Some).ok_or_else(|| self.damaged("its last word has no end")),
            None => Err(self.damaged("the stream ends before its end line")),
        }
    }

    fn seconds(&self, word: &str) -> Result<u32, WireFault> {
        word.parse().map_err(|_| self.damaged("no number of seconds"))
    }

    fn content(&mut self, blocks: &str, inline: &str) -> Result<Secret, WireFault> {
        let mut armored = inline;
        if blocks != "0" {
            armored = self.pop().ok_or_else(|| self.damaged("the contents are missing"))?;
            loop {
                match self.pop() {
                    Some("") => {}
                    Some(BLOCKS_END) => break,
                    _ => return Err(self.damaged("the contents have no end")),
                }
            }
        }
        let mut bytes = unarmor(armored).ok_or_else(|| self.damaged("the contents are not base64"))?;
        Ok(Secret::new(std::mem::take(&mut *bytes), "contents received"))
    }
}
